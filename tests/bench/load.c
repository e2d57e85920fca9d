/* Load on a server that runs already: clients that keep their connections, each of which seals,
 * sends, waits and verifies, one message after the other.
 *
 *     load PORT KEYS CLIENTS SECONDS
 *
 * prints how many messages a second got their receipt; one without ends it with a sentence. KEYS
 * holds the pair client and the server's public key; mode 2, 127.0.0.1. */
#include <stdio.h>
#include <stdlib.h>

#include "caller.h"
#include "figure.h"
#include "process.h"
#include "together.h"

enum { CLIENTS_MAX = 1000 };

static uint64_t talk_on(void *context, unsigned index, double until) {
    struct caller *callers = context;
    return caller_talk(&callers[index], until);
}

int main(int argc, char **argv) {
    static struct caller callers[CLIENTS_MAX];
    struct sam_crypto *crypto;
    struct sam_key own, server;
    long port = argc == 5 ? strtol(argv[1], NULL, 10) : 0;
    long count = argc == 5 ? strtol(argv[3], NULL, 10) : 0;
    double seconds = argc == 5 ? strtod(argv[4], NULL) : 0;
    if (port < 1 || port > UINT16_MAX || count < 1 || count > CLIENTS_MAX || !(seconds > 0)) {
        fputs("usage: load PORT KEYS CLIENTS SECONDS\n", stderr);
        return 2;
    }
    sam_process_start();
    must_be_ok(sam_crypto_new(&crypto), "libcrypto");
    must_be_ok(sam_key_load_private(&own, crypto, argv[2], "client", NULL, NULL),
               "the client's key");
    must_be_ok(sam_key_load_public(&server, crypto, argv[2], "server", NULL), "the server's key");
    for (long i = 0; i < count; i++) {
        caller_open(&callers[i], crypto, &own, &server);
        caller_call(&callers[i], (uint16_t)port);
    }
    printf("%.1f\n", rate_together((unsigned)count, talk_on, callers, seconds));
    for (long i = 0; i < count; i++)
        caller_close(&callers[i]);
    sam_key_free(&own);
    sam_key_free(&server);
    sam_crypto_free(crypto);
    return 0;
}
