/* Floor 4. TLS around a connection (RFC 8446, RFC 5246), as a tunnel: what is above it reads and
 * writes a socket as before.
 *
 * TLS 1.3, or 1.2 with forward secrecy and AEAD; no tickets, no resumption and so no early data, no
 * compression, no renegotiation. libssl is behind tls.c and nowhere else; what TLS carries is
 * sealed already, and nothing below knows of it. The keys of a certificate are never a pair of this
 * lab's (docs/protocol.md, section 8). */
#ifndef SAM_TLS_H
#define SAM_TLS_H

#include "net.h"

/* One side's configuration. It never changes, so all threads may use it. */
struct sam_tls;

/* What a client is told. All is borrowed for the call. */
struct sam_tls_client {
    const char *ca;          /* PEM: whose certificates are trusted */
    const char *host;        /* the name or the address that the server's certificate must hold */
    const char *certificate; /* PEM: our own and its chain; NULL: none */
    const char *key;         /* PEM: its private key, without a passphrase; NULL: none */
    const char *ciphers;     /* as sam_tls_server's */
    const char *crl;         /* PEM: what each CA of the chain has revoked; NULL: not asked */
};

/* Makes a client's configuration. The server will have to show a valid chain to ca, with the host
 * among its subject alternative names (a common name does not count, RFC 9525). SAM_TLS_FILE,
 * SAM_KEY_EXPOSED (*where is the file), SAM_TLS_CIPHERS, SAM_TLS_WEAK_CIPHER (*where is the
 * cipher), SAM_ADDRESS: host is empty; SAM_CRYPTO, SAM_MEMORY. *out is NULL on failure. */
SAM_MUST_CHECK enum sam_status sam_tls_client_new(struct sam_tls **out,
                                                  const struct sam_tls_client *client,
                                                  struct sam_where *where);

/* What a server is told. All is borrowed for the call. */
struct sam_tls_server {
    const char *certificate; /* PEM: our own and its chain */
    const char *key;         /* PEM: its private key, without a passphrase */
    const char *ca; /* PEM: whose certificates clients must show; NULL: none is asked for */
    /* OpenSSL's list of ciphers for TLS 1.2, each with forward secrecy and AEAD; NULL: all of
     * those. TLS 1.3 has no others, and is preferred. */
    const char *ciphers;
};

/* Makes a server's configuration. Statuses of sam_tls_client_new but SAM_ADDRESS. *out is NULL on
 * failure. */
SAM_MUST_CHECK enum sam_status sam_tls_server_new(struct sam_tls **out,
                                                  const struct sam_tls_server *server,
                                                  struct sam_where *where);

/* Frees a configuration, which no tunnel uses any more; NULL is fine. */
void sam_tls_free(struct sam_tls *tls);

/* A connection inside TLS. */
struct sam_tunnel {
    int fd; /* plaintext, for all functions of net.h; the tunnel closes it */
    struct sam_pump *pump;
};

/* Shakes hands on fd, a connected socket of net.h, verifies, and opens the tunnel; stop as in
 * sam_read_all. From now on fd is the tunnel's until sam_tls_close, which does not close it.
 *
 * An end of the peer's is an end here and the reverse, each direction by itself. One without TLS's
 * own close_notify ends both: that nothing is missing is for what is above to know.
 *
 * A client that has been silent for 3 seconds, or until an earlier deadline, speaks no TLS, since
 * in TLS the client begins: it gets an alert in clear, two records so that they are as long as the
 * beginning of any unit, and SAM_TLS_NOT_TLS. SAM_TLS_NOT_TLS to SAM_TLS_BROKEN tell what did not
 * pass, in either direction; then fd has lingered for at most a second, so that the peer hears of
 * it. SAM_CLOSED, SAM_TIMEOUT, SAM_STOPPED, SAM_NETWORK, SAM_SYSTEM, SAM_MEMORY. On failure out->fd
 * is -1. */
SAM_MUST_CHECK enum sam_status sam_tls_open(struct sam_tunnel *out, const struct sam_tls *tls,
                                            int fd, int stop, int64_t deadline);

/* Why a connection through the tunnel failed with that status: in TLS 1.3 a server judges a
 * client's certificate after the client's handshake is over, so SAM_TLS_REFUSED comes as an end.
 * Where the tunnel knows nothing better, status as it is. */
enum sam_status sam_tls_reason(const struct sam_tunnel *tunnel, enum sam_status status);

/* Closes the tunnel's fd, lets what was written go out for at most a second, says close_notify and
 * frees. A tunnel that never opened is fine. */
void sam_tls_close(struct sam_tunnel *tunnel);

#endif
