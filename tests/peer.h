/* One end of a conversation in the hands of a test: an honest one through the library, or one that
 * writes what it likes. Shared by the suites connection, conversation and hostile. */
#ifndef SAM_TESTS_PEER_H
#define SAM_TESTS_PEER_H

#include "connection.h"
#include "support.h"

/* Whether this test program, and so most likely the programs it starts, is built with a sanitizer:
 * times and memory then say nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* For a whole test, also under a sanitizer or valgrind. */
enum { TEST_SECONDS = 300 };

/* Within which everything honest happens, however slow the machine. */
#define PATIENT (60 * SAM_SECOND)

/* Never copied once open: the connection points into it. */
struct peer {
    struct sam_crypto *crypto;
    struct sam_key own, other; /* borrowed */
    struct sam_ring addressed; /* a client's: other and nobody else */
    struct sam_party party;
    struct sam_connection connection;
};

/* An end on a socket that it then owns. */
void peer_open(struct peer *peer, const struct sam_mode *mode, const struct sam_key *own, int fd);
void peer_close(struct peer *peer);

/* Two connected sockets as the library makes them: of this machine alone, or over loopback TCP. */
void socket_pair(int ends[2]);
void tcp_pair(int ends[2]);

/* A client (alice) and a server (bob, trusting people.trusted) that have met. */
void peers_meet(struct peer *client, struct peer *server, const struct sam_mode *mode);

/* A client that has met the server on that port of 127.0.0.1, which holds the key server. */
void peer_join(struct peer *peer, const struct sam_mode *mode, const struct sam_key *own,
               uint16_t port, const struct sam_key *server);

/* The next envelope of a client; the caller frees it. */
struct sam_envelope peer_seal(struct peer *client, enum sam_kind kind, const void *message,
                              size_t length);
void peer_request(struct peer *client, enum sam_kind kind, const void *message, size_t length);

/* Receives and opens; drops what came when it fails. The caller drops it otherwise. */
enum sam_status peer_take(struct peer *peer, struct sam_incoming *incoming);

/* Takes an envelope and asserts that it is of that kind with that message. */
void peer_expect(struct peer *peer, enum sam_kind kind, const void *message, size_t length);

/* Asks and asks and never reads, until the server's answers fill all buffers between the two and
 * the server stops reading too, or has cut the connection. */
void peer_asks_without_reading(struct peer *client);

/* The server's --message for that: as long as the mode, or a command line, takes. */
const char *long_answer(const struct sam_mode *mode);

/* A client's next envelope with every part of the address chosen. The caller frees it. */
struct sam_envelope seal_at(const struct sam_party *party, const struct sam_key *to,
                            const struct sam_address *address, const void *message, size_t length);

/* Bytes as they are. */
void write_raw(int fd, const void *data, size_t length);

/* All that comes until the other side ends, at most PATIENT; the caller frees it. */
struct sam_bytes read_to_end(int fd);

/* Asserts that a rejection of the mode comes, nothing else, and then the end. */
void expect_rejection(int fd, const struct sam_mode *mode);

/* Whether fd becomes readable (or ends) before the deadline. */
bool readable_until(int fd, int64_t deadline);

/* Raises the soft limit of open descriptors, for us and what we start. */
void allow_descriptors(unsigned count);

/* The parts of the suites that lie in files of their own. */
TCase *net_case(void);      /* check_net.c, connection */
TCase *memory_case(void);   /* check_net.c, connection */
TCase *order_case(void);    /* check_order.c, connection */
TCase *fake_case(void);     /* check_fake_server.c, conversation */
TCase *rejected_case(void); /* check_rejected.c, conversation */
TCase *stopping_case(void); /* check_stopping.c, conversation */
TCase *crowd_case(void);    /* check_crowd.c, hostile */

#endif
