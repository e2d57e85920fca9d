/* A server that answers in capital letters, and its client: on plain sockets. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what) {
    perror(what);
    return 1;
}

static int serve(const struct sockaddr_in *at) {
    int s = socket(AF_INET, SOCK_STREAM, 0), again = 1; /* the port, though it was just in use */
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &again, sizeof again) != 0)
        return fail("socket");
    if (bind(s, (const struct sockaddr *)at, sizeof *at) != 0 || listen(s, 10) != 0)
        return fail("listen");
    printf("listening on port %d\n", ntohs(at->sin_port));
    fflush(stdout);
    for (;;) {
        int client = accept(s, NULL, NULL);
        char text[1000];
        ssize_t n = 0;
        while (client >= 0 && (n = recv(client, text, sizeof text, 0)) > 0) {
            for (ssize_t i = 0; i < n; i++)
                text[i] = (char)toupper((unsigned char)text[i]);
            if (send(client, text, (size_t)n, 0) != n)
                break;
        }
        if (client < 0 || n < 0)
            fail("client");
        close(client);
    }
}

static int ask(const struct sockaddr_in *at, const char *question) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0)
        return fail("socket");
    if (connect(s, (const struct sockaddr *)at, sizeof *at) != 0)
        return fail("connect");
    char text[1000];
    ssize_t n = 0;
    if (send(s, question, strlen(question), 0) < 0 || (n = recv(s, text, sizeof text, 0)) < 0)
        return fail("server");
    printf("%.*s\n", (int)n, text);
    return close(s) == 0 ? 0 : fail("close");
}

int main(int argc, char **argv) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0));
    return argc > 2 ? ask(&at, argv[2]) : serve(&at);
}
