/* The real programs, for the checks that end with them: a server of bob's, as the key "server",
 * that trusts alice ("client") and carol, and a client of alice's. */
#ifndef SAM_LABS_REAL_H
#define SAM_LABS_REAL_H

#include "../tests/peer.h"
#include "grader.h"

/* Starts the real server of a mode and sends it an order with the real client; ends the check
 * unless the order arrives. Who calls this stops the server with real_stop. */
struct server_process real_start(const struct sam_mode *mode, const char *order);

/* Connects to it and reads its greeting. The caller closes what is returned. */
int real_connect(const struct server_process *server, struct sam_greeting *greeting);

/* Sends bytes on a connection and ends the check unless the server rejects them, and says so in its
 * log with this status. */
void real_expect_refused(const struct server_process *server, int fd, const void *bytes,
                         size_t length, enum sam_status status);

/* Stops the server, and ends the check unless all that it showed is this text, a line for each
 * order that arrived. */
void real_stop(struct server_process *server, const char *shown);

#endif
