/* A server in the hands of a test, for the real client: bob, who listens and greets, and then does
 * what the test likes. */
#ifndef SAM_TESTS_FAKE_H
#define SAM_TESTS_FAKE_H

#include "peer.h"
#include "process.h"

struct fake {
    struct server_process at; /* where it listens, as start_client wants to know it; no process */
    int listener;
    struct peer bob; /* its end of the connection */
};
extern struct fake fake;

/* Listens; the client's keys are those of the folder lab. */
void fake_open(const struct sam_mode *mode);

/* Takes the client's connection, without a word. */
void fake_accept(void);

/* Takes it and greets. */
void fake_greet(uint32_t max_message);

/* Ends connection and listening. */
void fake_close(void);

#endif
