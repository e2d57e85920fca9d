/* What the check_secure_*.c share: two secure sockets that are connected,
 * and what one of them does in a thread. Keys are those of make_lab. */
#ifndef SAM_TESTS_SECURE_PAIR_H
#define SAM_TESTS_SECURE_PAIR_H

#include <pthread.h>

#include "exchange.h"
#include "peer.h"
#include "process.h"
#include "secure_socket.h"

/* A socket of the lab that listens on a port of 127.0.0.1. Its timeout and patience are that. */
void listen_as(struct sam_secure_socket *s, const char *name, int64_t timeout);

/* A socket with the keys of folder, and what connecting to that port said. */
enum sam_status connect_as(struct sam_secure_socket *s, const char *folder, const char *name,
                           uint16_t port, const char *peer, struct sam_where *where);

/* sam_secure_accept in a thread. A failed one is closed. */
struct accepting {
    struct sam_secure_socket *listener, accepted;
    enum sam_status status;
    pthread_t thread;
};
void start_accepting(struct accepting *accepting);
enum sam_status end_accepting(struct accepting *accepting);

/* sam_secure_send in a thread. */
struct sending {
    struct sam_secure_socket *s;
    const void *data;
    size_t length;
    enum sam_status status;
    pthread_t thread;
};
void start_sending(struct sending *sending);
enum sam_status end_sending(struct sending *sending);

/* The lab's server and client, connected; both have that timeout, and are patient. */
struct secure_pair {
    struct sam_secure_socket listener, server, client;
};
void pair_open(struct secure_pair *pair, int64_t timeout);

/* As pair_open, with somebody between the two: through(context, port of the listener) returns the
 * port that the client connects to. */
void pair_open_through(struct secure_pair *pair, int64_t timeout,
                       uint16_t (*through)(void *context, uint16_t port), void *context);

/* Closes both ends, one in a thread, and asserts that both say that. */
void pair_close(struct secure_pair *pair, enum sam_status expected);

/* Receives a message and asserts that it is this text. */
void expect_message(struct sam_secure_socket *s, const char *text);

/* Asserts that recv ends with this, twice, and hands nothing out. */
void expect_end(struct sam_secure_socket *s, enum sam_status status);

/* The parts of the suite that lie in files of their own. */
TCase *secure_peers_case(void); /* check_secure_peers.c */
TCase *secure_wire_case(void);  /* check_secure_wire.c */

#endif
