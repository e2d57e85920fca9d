#include "caller.h"

#include <unistd.h>

#include "figure.h"

enum { MESSAGE = 100, PATIENCE = 60 };

void caller_open(struct caller *caller, struct sam_crypto *crypto, const struct sam_key *own,
                 const struct sam_key *server) {
    *caller = (struct caller){.server = *server, .connection = {.fd = -1}};
    caller->addressed = (struct sam_ring){&caller->server, 1};
    caller->party = (struct sam_party){.mode = &sam_mode_asymmetric_symmetric, .own = own};
    must_be_ok(sam_crypto_share(&caller->party.crypto, crypto), "memory");
}

void caller_close(struct caller *caller) {
    if (caller->connection.fd >= 0)
        caller_hang_up(caller);
    sam_crypto_free(caller->party.crypto);
}

void caller_call(struct caller *caller, uint16_t port) {
    struct sam_connection *connection = &caller->connection;
    *connection = (struct sam_connection){
        .stop = -1, .timeout = PATIENCE * SAM_SECOND, .party = &caller->party};
    must_be_ok(
        sam_connect(&connection->fd, "127.0.0.1", port, -1, sam_now() + connection->timeout, NULL),
        "connect");
    must_be_ok(sam_connection_meet(connection, &caller->addressed), "meet");
}

void caller_hang_up(struct caller *caller) {
    close(caller->connection.fd);
    caller->connection.fd = -1;
}

void caller_say(struct caller *caller) {
    static const uint8_t message[MESSAGE];
    struct sam_incoming receipt = {0};
    must_be_ok(sam_connection_ask(&caller->connection, SAM_KIND_SEND, message, sizeof message),
               "send");
    must_be_ok(sam_connection_receive(&caller->connection, &receipt), "receive");
    must_be_ok(sam_connection_open(&caller->connection, &receipt), "receive");
    must(receipt.envelope.header.kind == SAM_KIND_REPLY, "a receipt");
    sam_connection_drop(&caller->connection, &receipt);
}

uint64_t caller_talk(struct caller *caller, double until) {
    uint64_t said = 0;
    for (; said == 0 || seconds_now() < until; said++)
        caller_say(caller);
    return said;
}
