/* A client of a server of mode 2 on this machine. What fails ends the program. */
#ifndef SAM_BENCH_CALLER_H
#define SAM_BENCH_CALLER_H

#include "connection.h"

/* Never copied once open: the connection points into it. */
struct caller {
    struct sam_key server;     /* borrowed */
    struct sam_ring addressed; /* it and nobody else */
    struct sam_party party;
    struct sam_connection connection; /* its fd is -1 where there is none */
};

/* Not connected yet. What is borrowed must outlive it; of crypto it has its own share. */
void caller_open(struct caller *caller, struct sam_crypto *crypto, const struct sam_key *own,
                 const struct sam_key *server);
void caller_close(struct caller *caller);

/* Connects to that port of 127.0.0.1 and meets the server; and the end of that. */
void caller_call(struct caller *caller, uint16_t port);
void caller_hang_up(struct caller *caller);

/* One message of 100 bytes and its receipt. */
void caller_say(struct caller *caller);

/* One after the other until that instant of seconds_now, at least one: how many. */
uint64_t caller_talk(struct caller *caller, double until);

#endif
