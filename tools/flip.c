/* A relay for one connection that changes one bit: flip PORT-FILE HOST PORT OFFSET listens on a
 * free port of 127.0.0.1, writes it to PORT-FILE, connects to HOST:PORT and passes bytes both ways,
 * the lowest bit of byte OFFSET of what the client sends turned over. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file.h"
#include "net.h"

enum { LIFETIME_S = 60, PIECE = 4096, EXIT_USAGE = 2 };

/* Passes on what one side has sent. *passed counts its bytes; the bit to flip is that of byte
 * offset, none when it is negative. False at its end. */
static bool pass(int from, int to, long *passed, long offset, int64_t deadline) {
    uint8_t piece[PIECE];
    ssize_t n = recv(from, piece, sizeof piece, 0);
    if (n <= 0) {
        shutdown(to, SHUT_WR);
        return false;
    }
    if (offset >= *passed && offset < *passed + n)
        piece[offset - *passed] ^= 1;
    *passed += n;
    return sam_write_all(to, -1, deadline, piece, (size_t)n) == SAM_OK;
}

static void relay(int client, int server, long offset) {
    int64_t deadline = sam_now() + LIFETIME_S * SAM_SECOND;
    bool client_open = true, server_open = true;
    long from_client = 0, from_server = 0;
    while (client_open || server_open) {
        struct pollfd polled[2] = {{.fd = client_open ? client : -1, .events = POLLIN},
                                   {.fd = server_open ? server : -1, .events = POLLIN}};
        if (poll(polled, 2, LIFETIME_S * 1000) <= 0)
            return;
        if (polled[0].revents != 0)
            client_open = pass(client, server, &from_client, offset, deadline);
        if (polled[1].revents != 0)
            server_open = pass(server, client, &from_server, -1, deadline);
    }
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: flip PORT-FILE HOST PORT OFFSET\n");
        return EXIT_USAGE;
    }
    int listener, client, server;
    uint16_t port = 0;
    char address[SAM_ADDRESS_MAX], text[8];
    struct sam_where where;
    signal(SIGPIPE, SIG_IGN);
    if (sam_listen(&listener, "127.0.0.1", &port, &where) != SAM_OK)
        return EXIT_FAILURE;
    int length = snprintf(text, sizeof text, "%u\n", (unsigned)port);
    if (sam_file_replace(argv[1], 0666, text, (size_t)length) != SAM_OK)
        return EXIT_FAILURE;
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    if (poll(&waiting, 1, LIFETIME_S * 1000) != 1 ||
        sam_accept(&client, listener, address) != SAM_OK ||
        sam_connect(&server, argv[2], (uint16_t)strtoul(argv[3], NULL, 10),
                    sam_now() + LIFETIME_S * SAM_SECOND, &where) != SAM_OK)
        return EXIT_FAILURE;
    relay(client, server, strtol(argv[4], NULL, 10));
    close(client);
    close(server);
    close(listener);
    return EXIT_SUCCESS;
}
