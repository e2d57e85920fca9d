/* Floor 4, private to it: what tunnel.c needs of TLS, without a word of libssl. One thread at a
 * time uses a session. */
#ifndef SAM_TLS_SESSION_H
#define SAM_TLS_SESSION_H

#include "tls.h"

enum { SAM_TLS_PLAIN_MAX = 16384 }; /* bytes of plaintext in a record (RFC 8446, 5.1) */

struct sam_tls_session;

/* Shakes hands: statuses of sam_tls_open. *out is NULL on failure; the caller frees it. */
SAM_MUST_CHECK enum sam_status sam_tls_session_new(struct sam_tls_session **out,
                                                   const struct sam_tls *tls, int fd, int stop,
                                                   int64_t deadline);

/* Frees a session without a word to the peer; NULL is fine. */
void sam_tls_session_free(struct sam_tls_session *session);

/* What came of a step. None of them waits. */
enum sam_tls_step {
    SAM_TLS_MOVED, /* done */
    SAM_TLS_WAIT,  /* nothing: again, once poll finds one of *events */
    SAM_TLS_ENDED, /* the peer has said close_notify */
    SAM_TLS_FAILED /* the session is dead: sam_tls_session_failure tells why */
};

/* Takes at most size bytes, *length of them. *events gets what to wait for added. */
SAM_MUST_CHECK enum sam_tls_step sam_tls_session_read(struct sam_tls_session *session,
                                                      uint8_t *data, size_t size, size_t *length,
                                                      short *events);

/* Sends length bytes, 1 to SAM_TLS_PLAIN_MAX, all of them or none yet: then the same ones must
 * follow. */
SAM_MUST_CHECK enum sam_tls_step sam_tls_session_write(struct sam_tls_session *session,
                                                       const uint8_t *data, size_t length,
                                                       short *events);

/* Says close_notify, after which nothing can be written. */
SAM_MUST_CHECK enum sam_tls_step sam_tls_session_end(struct sam_tls_session *session,
                                                     short *events);

/* Why a step failed: a status of sam_tls_open. */
enum sam_status sam_tls_session_failure(const struct sam_tls_session *session);

#endif
