/* Sessions over a connection in the hands of a test. Shared by the parts of the suite session. */
#ifndef SAM_TESTS_SESSIONS_H
#define SAM_TESTS_SESSIONS_H

#include <pthread.h>

#include "exchange.h"
#include "peer.h"

/* A client that asks for a session, in a thread: it waits for the answer. */
struct asking {
    struct peer *client;
    struct sam_incoming answer; /* dropped by end_asking */
    enum sam_status status;
    pthread_t thread;
};

/* A client and a server of mode 2 that have met, the client's request for a session on its way, and
 * what the server has taken of it, which the caller drops. */
void start_asking(struct asking *asking, struct peer *client, struct peer *server,
                  struct sam_incoming *request);

/* Waits for the thread, once the server has answered or gone: what the client has found. */
enum sam_status end_asking(struct asking *asking);

/* Two between whom a session has begun. */
void begin_session(struct peer *client, struct peer *server);

/* Gives a peer's session the keys of a fixed agreement, and its places back as they were: before is
 * a copy of it. What has failed can thus be tried again. */
void restore_session(struct peer *peer, struct sam_session before);

/* Asserts that what one of them seals the other opens, from the first record on. */
void assert_passes(struct sam_session *from, struct sam_session *to, enum sam_kind kind);

/* The next record of a peer, of any kind, as it travels. The caller frees it. */
struct sam_bytes sealed_record(struct peer *peer, enum sam_kind kind, const void *message,
                               size_t length);

/* Gives a peer bytes and then the end, on a socket of their own, and says what it finds. The caller
 * drops what came. */
enum sam_status give(struct peer *to, const void *bytes, size_t length,
                     struct sam_incoming *incoming);

/* The parts of the suite that lie in files of their own. */
TCase *session_network_case(void);  /* check_session_network.c */
TCase *session_exchange_case(void); /* check_session_exchange.c */

#endif
