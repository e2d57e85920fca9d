/* The real server of mode 2 in a process of its own, and clients in threads of this one, which seal
 * every message and verify every receipt. */
#ifndef SAM_BENCH_SERVING_H
#define SAM_BENCH_SERVING_H

#include "figure.h"
#include "parties.h"

/* Private operations that a message costs: two each for client and server, who sign what they send
 * and decrypt what they get. */
enum { PRIVATE_PER_MESSAGE = 4 };

struct serving {
    const struct parties *parties;
    unsigned cores; /* that it and its clients have */
    uint16_t port;
    unsigned count;
    struct caller *clients;
    struct raw **raws; /* one for each core */
};

/* Starts the server, and makes count clients; kept: with connections that last. One at a time. */
void serving_open(struct serving *serving, unsigned bits, unsigned count, bool kept);
void serving_close(struct serving *serving);

/* Private operations per second of all parties, of a struct serving: messages of 100 bytes by all
 * clients at once. */
rate_of kept_connections, connection_per_message;

/* The limit: bare private operations by one thread for each core. */
rate_of all_cores_raw;

/* The groups of figures. */
void server_group(void);
void connections_group(void);

#endif
