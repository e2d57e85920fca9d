/* A server that answers in capital letters, and its client: on secure sockets. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secure_socket.h"

static struct sam_where where;
static int fail(enum sam_status status) {
    fprintf(stderr, "%s: %s\n", where.text, sam_status_sentence(status));
    return 1;
}

static int serve(uint16_t port) {
    struct sam_secure_socket s, client;
    enum sam_status status = sam_secure_socket(&s, "keys", "server", &where);
    if (status == SAM_OK)
        status = sam_secure_bind(&s, "127.0.0.1", port, &where);
    if (status != SAM_OK || (status = sam_secure_listen(&s, 10)) != SAM_OK)
        return fail(status);
    printf("listening on port %d\n", s.port);
    fflush(stdout);
    for (;;) {
        status = sam_secure_accept(&s, &client, &where);
        char text[1000];
        size_t n;
        while (status == SAM_OK &&
               (status = sam_secure_recv(&client, text, sizeof text, &n)) == SAM_OK) {
            for (size_t i = 0; i < n; i++)
                text[i] = (char)toupper((unsigned char)text[i]);
            status = sam_secure_send(&client, text, n);
        }
        if (status != SAM_CLOSED)
            fail(status);
        sam_secure_close(&client);
    }
}

static int ask(uint16_t port, const char *question) {
    struct sam_secure_socket s;
    enum sam_status status = sam_secure_socket(&s, "keys", "client", &where);
    if (status == SAM_OK)
        status = sam_secure_connect(&s, "127.0.0.1", port, "server", &where);
    char text[1000];
    size_t n = 0;
    if (status == SAM_OK)
        status = sam_secure_send(&s, question, strlen(question));
    if (status == SAM_OK)
        status = sam_secure_recv(&s, text, sizeof text, &n);
    if (status == SAM_OK)
        printf("%.*s\n", (int)n, text);
    enum sam_status closed = sam_secure_close(&s);
    return status == SAM_OK && closed == SAM_OK ? 0 : fail(status == SAM_OK ? closed : status);
}

int main(int argc, char **argv) {
    uint16_t port = (uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0);
    return argc > 2 ? ask(port, argv[2]) : serve(port);
}
