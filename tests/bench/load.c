/* Load on a server that runs already: clients that keep their connections, each of which seals,
 * sends, waits and verifies, one message after the other.
 *
 *     load PORT KEYS CLIENTS SECONDS
 *
 * prints how many messages a second got their receipt; one without ends it with a sentence. KEYS
 * holds the pair client and the server's public key; mode 2, 127.0.0.1. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connection.h"
#include "figure.h"
#include "process.h"
#include "together.h"

enum { MESSAGE = 100, CLIENTS_MAX = 1000, PATIENCE = 60 };

struct client {
    struct sam_party party;
    struct sam_connection connection;
};

/* What all clients have in common, and they. */
struct load {
    struct sam_crypto *crypto;
    struct sam_key own, server;
    struct sam_ring addressed; /* the server and nobody else */
    struct client clients[CLIENTS_MAX];
};

static void call(struct load *load, struct client *client, uint16_t port) {
    struct sam_connection *connection = &client->connection;
    client->party = (struct sam_party){.mode = &sam_mode_asymmetric_symmetric, .own = &load->own};
    must_be_ok(sam_crypto_share(&client->party.crypto, load->crypto), "memory");
    *connection = (struct sam_connection){
        .stop = -1, .timeout = PATIENCE * SAM_SECOND, .party = &client->party};
    must_be_ok(
        sam_connect(&connection->fd, "127.0.0.1", port, -1, sam_now() + connection->timeout, NULL),
        "connect");
    must_be_ok(sam_connection_meet(connection, &load->addressed), "meet");
}

static void say(struct sam_connection *connection) {
    static const uint8_t message[MESSAGE];
    struct sam_incoming receipt = {0};
    must_be_ok(sam_connection_ask(connection, SAM_KIND_SEND, message, sizeof message), "send");
    must_be_ok(sam_connection_receive(connection, &receipt), "receive");
    must_be_ok(sam_connection_open(connection, &receipt), "receive");
    must(receipt.envelope.header.kind == SAM_KIND_REPLY, "a receipt");
    sam_connection_drop(connection, &receipt);
}

static uint64_t talk_on(void *context, unsigned index, double until) {
    struct load *load = context;
    uint64_t said = 0;
    for (; said == 0 || seconds_now() < until; said++)
        say(&load->clients[index].connection);
    return said;
}

int main(int argc, char **argv) {
    static struct load load;
    long port = argc == 5 ? strtol(argv[1], NULL, 10) : 0;
    long count = argc == 5 ? strtol(argv[3], NULL, 10) : 0;
    double seconds = argc == 5 ? strtod(argv[4], NULL) : 0;
    if (port < 1 || port > UINT16_MAX || count < 1 || count > CLIENTS_MAX || !(seconds > 0)) {
        fputs("usage: load PORT KEYS CLIENTS SECONDS\n", stderr);
        return 2;
    }
    sam_process_start();
    must_be_ok(sam_crypto_new(&load.crypto), "libcrypto");
    must_be_ok(sam_key_load_private(&load.own, load.crypto, argv[2], "client", NULL, NULL),
               "the client's key");
    must_be_ok(sam_key_load_public(&load.server, load.crypto, argv[2], "server", NULL),
               "the server's key");
    load.addressed = (struct sam_ring){&load.server, 1};
    for (long i = 0; i < count; i++)
        call(&load, &load.clients[i], (uint16_t)port);
    printf("%.1f\n", rate_together((unsigned)count, talk_on, &load, seconds));
    for (long i = 0; i < count; i++) {
        close(load.clients[i].connection.fd);
        sam_crypto_free(load.clients[i].party.crypto);
    }
    sam_key_free(&load.own);
    sam_key_free(&load.server);
    sam_crypto_free(load.crypto);
    return 0;
}
