/* What check_hostile.c and check_crowd.c share: a server with a small key, so that the load is that
 * of the attack, an honest client beside it, and what the system tells about the server. */
#ifndef SAM_TESTS_HOSTILE_H
#define SAM_TESTS_HOSTILE_H

#include "peer.h"
#include "process.h"

/* In these suites alice is the server; bob and carol are clients. start_server takes these. */
#define SMALL_SERVER "--name", "client"

/* Within which an honest client is answered, whatever others do. */
#define AT_ONCE (2 * SAM_SECOND + SANITIZED * PATIENT)

/* The largest body that the server takes; what a hostile header claims. */
uint32_t longest_body(const struct sam_mode *mode, const struct sam_header *header,
                      uint32_t max_message);

/* Bob on a connection of his own to the server. */
void bob_joins(struct peer *bob, const struct server_process *server);

/* A real client delivers a message; returns its time in microseconds, from start to exit, which is
 * at most AT_ONCE. */
int64_t honest_client(const struct server_process *server);

/* How many descriptors the server has open, and the most memory it had in KiB (VmHWM): 0 where
 * there is no /proc. */
size_t open_descriptors(const struct server_process *server);
size_t peak_memory(const struct server_process *server);

/* Waits, bounded, until the server has as many descriptors open as before. */
void wait_for_descriptors(const struct server_process *server, size_t before);

#endif
