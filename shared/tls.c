#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tls_session.h"

/* Success is 1 and nothing else, as on floor 1. */
#define DONE(call) ((call) == 1)

enum {
    /* Nothing under the strength of a 2048-bit RSA key, as in the protocol, whatever the system's
     * own configuration says. */
    SECURITY_LEVEL = 2,
    HOST_MAX = 256,
    SILENCE = 3, /* seconds */
    US_PER_MS = 1000
};

struct sam_tls {
    SSL_CTX *context;
    bool is_server;
    char sni[HOST_MAX]; /* the name that a client asks for in clear; "" when it has an address */
};

struct sam_tls_session {
    SSL *ssl;
    int fd;
    enum sam_status verdict; /* on the peer's certificate; SAM_OK until one fails */
    enum sam_status failure; /* of the last step that failed */
};

/* What the first check that fails says of a certificate. */
static enum sam_status verdict_on(X509_STORE_CTX *chain) {
    const X509 *shown = X509_STORE_CTX_get0_cert(chain);
    switch (X509_STORE_CTX_get_error(chain)) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return SAM_TLS_UNKNOWN_CA;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return SAM_TLS_SELF_SIGNED;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return X509_get_ext_by_NID(shown, NID_subject_alt_name, -1) < 0 ? SAM_TLS_NO_SAN
                                                                        : SAM_TLS_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return SAM_TLS_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return SAM_TLS_NOT_YET;
    case X509_V_ERR_CERT_REVOKED:
        return SAM_TLS_REVOKED;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
        return SAM_TLS_CRL;
    default:
        return SAM_TLS_BAD_CERTIFICATE;
    }
}

/* libcrypto asks after each check; what it found is never changed here, only remembered. */
static int remember(int passed, X509_STORE_CTX *chain) {
    const SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct sam_tls_session *session = SSL_get_app_data(ssl);
    if (passed != 1 && session->verdict == SAM_OK)
        session->verdict = verdict_on(chain);
    return passed;
}

/* A file to read: nothing that could make us wait, and no secret that others can read. */
static enum sam_status check_file(const char *path, bool is_private, struct sam_where *where) {
    struct stat file;
    sam_where_set(where, "%s", path);
    if (stat(path, &file) != 0 || !S_ISREG(file.st_mode))
        return SAM_TLS_FILE;
    return is_private && (file.st_mode & (S_IRWXG | S_IRWXO)) != 0 ? SAM_KEY_EXPOSED : SAM_OK;
}

/* Who is asked nothing cannot wait at a terminal. */
static int no_passphrase(char *out, int size, int is_writing, void *context) {
    (void)out, (void)size, (void)is_writing, (void)context;
    return -1;
}

static enum sam_status use_pair(SSL_CTX *context, const char *certificate, const char *key,
                                struct sam_where *where) {
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    enum sam_status status = check_file(certificate, false, where);
    if (status == SAM_OK && !DONE(SSL_CTX_use_certificate_chain_file(context, certificate)))
        status = SAM_TLS_FILE;
    if (status == SAM_OK)
        status = check_file(key, true, where);
    /* This compares the two halves as well. */
    if (status == SAM_OK && !DONE(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM)))
        status = SAM_TLS_FILE;
    return status;
}

/* Requires certificates of that CA from the peer. */
static enum sam_status trust(SSL_CTX *context, const char *ca, struct sam_where *where) {
    enum sam_status status = check_file(ca, false, where);
    if (status == SAM_OK && !DONE(SSL_CTX_load_verify_file(context, ca)))
        status = SAM_TLS_FILE;
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, remember);
    return status;
}

/* CRLs alone are taken from the file: a certificate in it would be one more that is trusted. */
static enum sam_status use_crl(SSL_CTX *context, const char *crl, struct sam_where *where) {
    enum sam_status status = check_file(crl, false, where);
    if (status != SAM_OK)
        return status;
    X509_LOOKUP *files = X509_STORE_add_lookup(SSL_CTX_get_cert_store(context), X509_LOOKUP_file());
    if (files == NULL || X509_load_crl_file(files, crl, X509_FILETYPE_PEM) < 1)
        return SAM_TLS_FILE;
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context),
                                X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return SAM_OK;
}

/* Forward secrecy: the key is agreed on for this connection alone. AEAD: no byte of a record is
 * acted upon before all of it has passed. And the peer has a certificate. */
static bool is_strong(const SSL_CIPHER *cipher) {
    int exchange = SSL_CIPHER_get_kx_nid(cipher), peer = SSL_CIPHER_get_auth_nid(cipher);
    bool fresh = exchange == NID_kx_any || exchange == NID_kx_ecdhe || exchange == NID_kx_dhe;
    bool certified = peer == NID_auth_any || peer == NID_auth_rsa || peer == NID_auth_ecdsa;
    return fresh && certified && SSL_CIPHER_is_aead(cipher);
}

static enum sam_status use_ciphers(SSL_CTX *context, const char *ciphers, struct sam_where *where) {
    const char *list = ciphers != NULL ? ciphers : "ECDHE+AESGCM:ECDHE+CHACHA20";
    sam_where_set(where, "%s", list);
    if (!DONE(SSL_CTX_set_cipher_list(context, list)))
        return SAM_TLS_CIPHERS;
    SSL_CTX_set_security_level(context, SECURITY_LEVEL); /* a list can change it */
    const STACK_OF(SSL_CIPHER) *taken = SSL_CTX_get_ciphers(context);
    for (int i = 0; i < sk_SSL_CIPHER_num(taken); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(taken, i);
        if (!is_strong(cipher)) {
            sam_where_set(where, "%s", SSL_CIPHER_get_name(cipher));
            return SAM_TLS_WEAK_CIPHER;
        }
    }
    return SAM_OK;
}

/* What both sides have alike. */
static enum sam_status configure(struct sam_tls **out, bool is_server, const char *ciphers,
                                 struct sam_where *where) {
    sam_where_set(where, "libssl");
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return SAM_MEMORY;
    ERR_clear_error();
    (*out)->is_server = is_server;
    SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    (*out)->context = context;
    if (context == NULL || !DONE(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)) ||
        !DONE(SSL_CTX_set_max_proto_version(context, 0)) ||
        !DONE(SSL_CTX_set_num_tickets(context, 0)))
        return SAM_CRYPTO;
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    /* A peer that sends nothing but messages of the protocol must not keep a read from coming back.
     */
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    return use_ciphers(context, ciphers, where);
}

static enum sam_status require_host(struct sam_tls *tls, const char *host,
                                    struct sam_where *where) {
    X509_VERIFY_PARAM *wanted = SSL_CTX_get0_param(tls->context);
    sam_where_set(where, "%s", host);
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                                X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (DONE(X509_VERIFY_PARAM_set1_ip_asc(wanted, host)))
        return SAM_OK;
    int length = snprintf(tls->sni, sizeof tls->sni, "%s", host);
    /* An empty name would stand for any. */
    bool fits = length > 0 && (size_t)length < sizeof tls->sni;
    return fits && DONE(X509_VERIFY_PARAM_set1_host(wanted, host, 0)) ? SAM_OK : SAM_ADDRESS;
}

static enum sam_status keep(struct sam_tls **out, enum sam_status status) {
    if (status != SAM_OK) {
        sam_tls_free(*out);
        *out = NULL;
    }
    return status;
}

enum sam_status sam_tls_client_new(struct sam_tls **out, const struct sam_tls_client *client,
                                   struct sam_where *where) {
    enum sam_status status = configure(out, false, client->ciphers, where);
    if (status == SAM_OK)
        status = trust((*out)->context, client->ca, where);
    if (status == SAM_OK)
        status = require_host(*out, client->host, where);
    if (status == SAM_OK && client->crl != NULL)
        status = use_crl((*out)->context, client->crl, where);
    if (status == SAM_OK && client->certificate != NULL)
        status = use_pair((*out)->context, client->certificate, client->key, where);
    return keep(out, status);
}

enum sam_status sam_tls_server_new(struct sam_tls **out, const struct sam_tls_server *server,
                                   struct sam_where *where) {
    enum sam_status status = configure(out, true, server->ciphers, where);
    if (status == SAM_OK && server->ca != NULL)
        status = trust((*out)->context, server->ca, where);
    if (status == SAM_OK)
        status = use_pair((*out)->context, server->certificate, server->key, where);
    return keep(out, status);
}

void sam_tls_free(struct sam_tls *tls) {
    if (tls != NULL)
        SSL_CTX_free(tls->context);
    free(tls);
}

/* What libssl's own first error means. */
static enum sam_status meaning(int reason) {
    switch (reason) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return SAM_CLOSED;
    case SSL_R_WRONG_VERSION_NUMBER: /* of a record: other bytes stand where it has its own */
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
        return SAM_TLS_NOT_TLS;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return SAM_TLS_NO_CERTIFICATE;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_AD_REASON_OFFSET + SSL_AD_PROTOCOL_VERSION:
    case SSL_AD_REASON_OFFSET + SSL_AD_INSUFFICIENT_SECURITY:
        return SAM_TLS_TOO_WEAK;
    default: /* the peer's alerts stand behind this number */
        return reason > SSL_AD_REASON_OFFSET ? SAM_TLS_REFUSED : SAM_TLS_BROKEN;
    }
}

static enum sam_tls_step fail(struct sam_tls_session *session, enum sam_status status) {
    session->failure = status;
    return SAM_TLS_FAILED;
}

/* What it means that a call of libssl did not succeed. */
static enum sam_tls_step explain(struct sam_tls_session *session, int result, short *events) {
    int reason = errno;
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        *events |= POLLIN;
        return SAM_TLS_WAIT;
    case SSL_ERROR_WANT_WRITE:
        *events |= POLLOUT;
        return SAM_TLS_WAIT;
    case SSL_ERROR_ZERO_RETURN:
        return SAM_TLS_ENDED;
    case SSL_ERROR_SYSCALL:
        return fail(session, reason == 0 || reason == ECONNRESET || reason == EPIPE ? SAM_CLOSED
                                                                                    : SAM_NETWORK);
    default:
        return fail(session, session->verdict != SAM_OK
                                 ? session->verdict
                                 : meaning(ERR_GET_REASON(ERR_peek_error())));
    }
}

/* libssl looks at what is left in this thread's queue of errors, and at errno. */
static void forget_errors(void) {
    ERR_clear_error();
    errno = 0;
}

enum sam_tls_step sam_tls_session_read(struct sam_tls_session *session, uint8_t *data, size_t size,
                                       size_t *length, short *events) {
    forget_errors();
    int result = SSL_read_ex(session->ssl, data, size, length);
    return result == 1 ? SAM_TLS_MOVED : explain(session, result, events);
}

enum sam_tls_step sam_tls_session_write(struct sam_tls_session *session, const uint8_t *data,
                                        size_t length, short *events) {
    size_t written; /* all of it: partial writes are not enabled */
    forget_errors();
    int result = SSL_write_ex(session->ssl, data, length, &written);
    return result == 1 ? SAM_TLS_MOVED : explain(session, result, events);
}

enum sam_tls_step sam_tls_session_end(struct sam_tls_session *session, short *events) {
    forget_errors();
    int result = SSL_shutdown(session->ssl);
    return result >= 0 ? SAM_TLS_MOVED : explain(session, result, events);
}

enum sam_status sam_tls_session_failure(const struct sam_tls_session *session) {
    return session->failure;
}

/* A client that speaks TLS begins at once, but a packet that is lost costs it a second, so it has
 * SILENCE. One that waits for us is told in a way that any reads. */
static enum sam_status await_client(int fd, int stop, int64_t deadline) {
    static const uint8_t alerts[] = {21, 3, 3, 0, 2, 2, SSL_AD_HANDSHAKE_FAILURE,
                                     21, 3, 3, 0, 2, 1, SSL_AD_CLOSE_NOTIFY};
    int64_t soon = sam_now() + SILENCE * SAM_SECOND;
    enum sam_status status = sam_wait(fd, POLLIN, stop, deadline < soon ? deadline : soon);
    if (status != SAM_TIMEOUT)
        return status;
    status = sam_write_all(fd, stop, sam_now() + SAM_SECOND, alerts, sizeof alerts);
    return status == SAM_OK ? SAM_TLS_NOT_TLS : status;
}

static enum sam_status shake_hands(struct sam_tls_session *session, const struct sam_tls *tls,
                                   int stop, int64_t deadline) {
    enum sam_status status = SAM_OK;
    if (tls->is_server)
        status = await_client(session->fd, stop, deadline);
    while (status == SAM_OK) {
        short events = 0;
        forget_errors();
        int result = SSL_do_handshake(session->ssl);
        if (result == 1)
            return SAM_OK;
        if (explain(session, result, &events) == SAM_TLS_WAIT)
            status = sam_wait(session->fd, events, stop, deadline);
        else
            status = session->failure;
    }
    return status;
}

enum sam_status sam_tls_session_new(struct sam_tls_session **out, const struct sam_tls *tls, int fd,
                                    int stop, int64_t deadline) {
    struct sam_tls_session *session = calloc(1, sizeof *session);
    *out = NULL;
    if (session == NULL)
        return SAM_MEMORY;
    forget_errors();
    session->fd = fd;
    session->failure = SAM_CLOSED; /* also of a handshake that the peer ends by the book */
    session->ssl = SSL_new(tls->context);
    enum sam_status status = SAM_CRYPTO;
    if (session->ssl != NULL && DONE(SSL_set_fd(session->ssl, fd)) &&
        DONE(SSL_set_app_data(session->ssl, session)) &&
        (tls->sni[0] == '\0' || DONE(SSL_set_tlsext_host_name(session->ssl, tls->sni)))) {
        if (tls->is_server)
            SSL_set_accept_state(session->ssl);
        else
            SSL_set_connect_state(session->ssl);
        status = shake_hands(session, tls, stop, deadline);
    }
    /* The peer must hear why: a close with unread bytes would take the alert back. */
    if (status >= SAM_TLS_NOT_TLS && status <= SAM_TLS_BROKEN)
        sam_linger(fd, sam_now() + SAM_SECOND);
    if (status == SAM_OK)
        *out = session;
    else
        sam_tls_session_free(session);
    return status;
}

void sam_tls_session_free(struct sam_tls_session *session) {
    if (session != NULL)
        SSL_free(session->ssl);
    free(session);
}
