/* Floor 4. A session that one thread sends in while another receives. A connection is for one
 * thread; here it is cut into two halves, one for each direction, so that neither waits for the
 * other's network. */
#ifndef SAM_DUPLEX_H
#define SAM_DUPLEX_H

#include "connection.h"

enum { SAM_DUPLEX_QUEUE = 64 /* messages that have come and were not received yet */ };

struct sam_duplex;

/* Takes over a connection whose session has begun and whose client has joined: its fd, its keys,
 * and the crypto handle of its party. peer is who holds the other key (copied, without its rsa);
 * max_message, in bytes, is the longest that the other side takes. On failure (SAM_MEMORY,
 * SAM_SYSTEM, SAM_CRYPTO) *out is NULL and the caller still has it all; sam_duplex_close frees. */
SAM_MUST_CHECK enum sam_status sam_duplex_new(struct sam_duplex **out,
                                              const struct sam_connection *connection,
                                              const struct sam_key *peer, uint32_t max_message);

/* See sam_secure_send. */
SAM_MUST_CHECK enum sam_status sam_duplex_send(struct sam_duplex *d, const void *data,
                                               size_t length);

/* See sam_secure_recv; deadline is of sam_now. */
SAM_MUST_CHECK enum sam_status sam_duplex_receive(struct sam_duplex *d, int64_t deadline,
                                                  void *data, size_t size, size_t *length);

const char *sam_duplex_peer(const struct sam_duplex *d);
struct sam_rsa_count sam_duplex_count(const struct sam_duplex *d);

/* See sam_secure_close. NULL is fine, and SAM_OK. */
enum sam_status sam_duplex_close(struct sam_duplex *d);

#endif
