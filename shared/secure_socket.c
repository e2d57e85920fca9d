#include "secure_socket.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "exchange.h"
#include "identity.h"
#include "process.h"

/* What is only needed while the keys are set. */
struct setting {
    struct sam_crypto *crypto; /* goes over to the session, and counts for it */
    struct sam_party party;
    struct sam_ring addressed; /* a client's: the server and nobody else */
    struct sam_connection connection;
};

static enum sam_status set_up(const struct sam_secure_socket *s, struct setting *setting, int fd) {
    *setting = (struct setting){
        .party = {.mode = &sam_mode_asymmetric_symmetric, .own = &s->own},
        .connection = {.fd = fd, .stop = -1, .timeout = s->timeout, .party = &setting->party},
    };
    enum sam_status status = sam_crypto_share(&setting->crypto, s->crypto);
    setting->party.crypto = setting->crypto;
    return status;
}

/* Hands fd, handle and keys over to a session; where that or something before it has failed, frees
 * them. */
static enum sam_status hand_over(struct setting *setting, enum sam_status status,
                                 struct sam_duplex **session, const struct sam_key *peer,
                                 uint32_t max_message) {
    if (status == SAM_OK)
        status = sam_duplex_new(session, &setting->connection, peer, max_message);
    if (status != SAM_OK) {
        int reason = errno;
        close(setting->connection.fd);
        sam_crypto_free(setting->crypto);
        sam_session_end(&setting->connection.session);
        errno = reason;
    }
    return status;
}

enum sam_status sam_secure_socket(struct sam_secure_socket *s, const char *keys, const char *name,
                                  struct sam_where *where) {
    sam_process_start();
    *s = (struct sam_secure_socket){.timeout = 30 * SAM_SECOND};
    sam_where_set(where, "libcrypto");
    enum sam_status status = sam_crypto_new(&s->crypto);
    if (status == SAM_OK)
        status = sam_identity_load(&s->own, s->crypto, keys, name, NULL, where);
    if (status == SAM_OK)
        status = sam_ring_load(&s->trusted, s->crypto, keys, where);
    return status;
}

enum sam_status sam_secure_bind(struct sam_secure_socket *s, const char *host, uint16_t port,
                                struct sam_where *where) {
    s->port = port;
    enum sam_status status = sam_listen(&s->listener, host, &s->port, where);
    s->bound = status == SAM_OK;
    return status;
}

enum sam_status sam_secure_listen(struct sam_secure_socket *s, int backlog) {
    return s->bound && listen(s->listener, backlog) == 0 ? SAM_OK : SAM_LISTEN;
}

/* Says in a session that we go, and why that is. */
static enum sam_status leave(struct sam_connection *connection, enum sam_status why) {
    enum sam_status said = sam_connection_close(connection);
    return said == SAM_OK ? why : said;
}

/* Whether a request that has verified is of that kind and length, and in its place: a session is
 * only ever the first request of a connection. */
static bool is_due(const struct sam_envelope *request, enum sam_kind kind, size_t length) {
    return request->header.kind == kind && request->message_length == length &&
           (kind != SAM_KIND_SESSION || request->header.sequence == 0);
}

/* Takes a client's requests, envelopes or records, until one is of that kind and length, and
 * refuses those before it, all within the connection's timeout. SAM_REFUSED: the client has left,
 * or the time was over, with no other answer. */
static enum sam_status expect(struct sam_connection *connection, struct sam_incoming *request,
                              enum sam_kind kind, size_t length, const char *refusal) {
    int64_t timeout = connection->timeout, deadline = sam_now() + timeout;
    enum sam_status status = SAM_OK;
    bool refused = false;
    while (status == SAM_OK) {
        connection->timeout = deadline - sam_now();
        status =
            connection->timeout > 0 ? sam_connection_receive(connection, request) : SAM_TIMEOUT;
        if (status == SAM_OK)
            status = sam_connection_open(connection, request);
        if (status != SAM_OK || is_due(&request->envelope, kind, length))
            break;
        if (request->envelope.header.kind == SAM_KIND_CLOSE)
            status = leave(connection, SAM_CLOSED);
        else
            status = sam_connection_answer(connection, &request->envelope.header, request->sender,
                                           SAM_KIND_REFUSE, refusal, strlen(refusal));
        refused = refused || status == SAM_OK;
        sam_connection_drop(connection, request);
    }
    connection->timeout = timeout;
    bool is_over = status == SAM_CLOSED || status == SAM_CUT || status == SAM_TIMEOUT;
    return refused && is_over ? SAM_REFUSED : status;
}

/* The server's side: greeting, exchange, and the client's join. *peer is who it is. */
static enum sam_status grant(const struct sam_secure_socket *s, struct sam_connection *connection,
                             const struct sam_key **peer) {
    struct sam_incoming request = {0}, join = {0};
    enum sam_status status =
        sam_connection_greet(connection, &s->trusted, connection->party->mode->max_message);
    if (status == SAM_OK)
        status = expect(connection, &request, SAM_KIND_SESSION, SAM_SHARE_SIZE,
                        "this server begins with a session, whose request carries 32 bytes");
    if (status == SAM_OK)
        status = sam_exchange_grant(connection, &request);
    if (status == SAM_OK)
        status = expect(connection, &join, SAM_KIND_JOIN, 0,
                        "a session with this server begins with a join without a message");
    if (status == SAM_OK)
        status = sam_connection_answer(connection, &join.envelope.header, join.sender,
                                       SAM_KIND_REPLY, NULL, 0);
    if (sam_status_step(status) > 0)
        sam_connection_reject(connection);
    *peer = request.sender;
    sam_connection_drop(connection, &request);
    sam_connection_drop(connection, &join);
    return status;
}

static int64_t patience_ends(const struct sam_secure_socket *s) {
    return s->patience > 0 ? sam_now() + s->patience : INT64_MAX;
}

/* Whether a failed accept is no reason to stop: another thread took who came, or they have gone. */
static bool nobody_is_there(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED;
}

enum sam_status sam_secure_accept(struct sam_secure_socket *s, struct sam_secure_socket *accepted,
                                  struct sam_where *where) {
    char address[SAM_ADDRESS_MAX];
    struct setting setting;
    const struct sam_key *peer = NULL;
    int64_t deadline = patience_ends(s);
    int fd = -1;
    *accepted = (struct sam_secure_socket){.timeout = s->timeout, .patience = s->patience};
    sam_where_set(where, "port %u", (unsigned)s->port);
    if (!s->bound)
        return SAM_LISTEN;
    while (fd < 0) {
        enum sam_status waited = sam_wait(s->listener, POLLIN, -1, deadline);
        if (waited != SAM_OK)
            return waited;
        if (sam_accept(&fd, s->listener, address) != SAM_OK && !nobody_is_there())
            return SAM_NETWORK;
    }
    sam_where_set(where, "%s", address);
    enum sam_status status = set_up(s, &setting, fd);
    if (status == SAM_OK)
        status = grant(s, &setting.connection, &peer);
    return hand_over(&setting, status, &accepted->session, peer, setting.party.mode->max_message);
}

/* Its name and key, from the ring. */
static enum sam_status look_up(const struct sam_secure_socket *s, const char *name,
                               struct sam_key **key) {
    *key = NULL;
    if (!sam_name_is_valid(name))
        return SAM_NAME;
    for (size_t i = 0; i < s->trusted.count; i++)
        if (strcmp(s->trusted.keys[i].name, name) == 0)
            *key = &s->trusted.keys[i];
    if (*key == NULL)
        return SAM_KEY_MISSING;
    return sam_equal((*key)->id, s->own.id, SAM_KEY_ID_SIZE) ? SAM_KEY_SELF : SAM_OK;
}

/* Adds a reason to the address in where, which may be NULL. It may come from the other side, and a
 * terminal obeys whoever writes on it: no control bytes. */
static void add_reason(struct sam_where *where, const void *reason, size_t reason_length) {
    char address[SAM_ADDRESS_MAX], text[200];
    const uint8_t *bytes = reason;
    size_t length = 0;
    for (; length < reason_length && length < sizeof text - 1; length++)
        text[length] = (char)(bytes[length] >= ' ' && bytes[length] <= '~' ? bytes[length] : '?');
    text[length] = '\0';
    if (where == NULL)
        return;
    snprintf(address, sizeof address, "%.*s", (int)sizeof address - 1, where->text);
    sam_where_set(where, "%s: \"%s\"", address, text);
}

/* Asks to be pushed what the server sends. */
static enum sam_status join(struct sam_connection *connection, struct sam_incoming *answer) {
    enum sam_status status = sam_connection_ask(connection, SAM_KIND_JOIN, NULL, 0);
    if (status == SAM_OK)
        status = sam_connection_receive(connection, answer);
    if (status == SAM_OK)
        status = sam_connection_open(connection, answer);
    return status;
}

/* Whether an answer that has verified is a reply. Otherwise a refusal or a close: there is nothing
 * to stay for. */
static enum sam_status unless_refused(struct sam_connection *connection,
                                      const struct sam_envelope *answer, struct sam_where *where) {
    if (answer->header.kind == SAM_KIND_REPLY)
        return SAM_OK;
    if (answer->header.kind != SAM_KIND_REFUSE)
        return leave(connection, SAM_CLOSED);
    add_reason(where, answer->message, answer->message_length);
    return leave(connection, SAM_REFUSED);
}

/* The client's side: greeting, exchange, join. */
static enum sam_status ask(struct setting *setting, struct sam_key *server,
                           struct sam_where *where) {
    struct sam_connection *connection = &setting->connection;
    static const char no_session[] = "mode 1 has no symmetric key: it offers no sessions";
    struct sam_incoming answer = {0}, joined = {0};
    setting->addressed = (struct sam_ring){server, 1};
    enum sam_status status = sam_connection_meet(connection, &setting->addressed);
    if (status == SAM_MODE)
        add_reason(where, no_session, sizeof no_session - 1);
    if (status == SAM_OK)
        status = sam_exchange_ask(connection, &answer);
    if (status == SAM_OK)
        status = unless_refused(connection, &answer.envelope, where);
    if (status == SAM_OK)
        status = join(connection, &joined);
    if (status == SAM_OK)
        status = unless_refused(connection, &joined.envelope, where);
    sam_connection_drop(connection, &answer);
    sam_connection_drop(connection, &joined);
    return status;
}

enum sam_status sam_secure_connect(struct sam_secure_socket *s, const char *host, uint16_t port,
                                   const char *peer, struct sam_where *where) {
    struct setting setting;
    struct sam_key *server;
    int fd;
    sam_where_set(where, "%s", peer);
    enum sam_status status = look_up(s, peer, &server);
    if (status == SAM_OK)
        status = sam_connect(&fd, host, port, -1, sam_now() + s->timeout, where);
    if (status != SAM_OK)
        return status;
    status = set_up(s, &setting, fd);
    if (status == SAM_OK)
        status = ask(&setting, server, where);
    return hand_over(&setting, status, &s->session, server,
                     setting.connection.greeting.max_message);
}

enum sam_status sam_secure_send(struct sam_secure_socket *s, const void *data, size_t length) {
    return s->session == NULL ? SAM_CLOSED : sam_duplex_send(s->session, data, length);
}

enum sam_status sam_secure_recv(struct sam_secure_socket *s, void *data, size_t size,
                                size_t *length) {
    *length = 0;
    return s->session == NULL
               ? SAM_CLOSED
               : sam_duplex_receive(s->session, patience_ends(s), data, size, length);
}

const char *sam_secure_peer(const struct sam_secure_socket *s) {
    return s->session == NULL ? "" : sam_duplex_peer(s->session);
}

struct sam_rsa_count sam_secure_count(const struct sam_secure_socket *s) {
    static const struct sam_rsa_count none = {0, 0};
    return s->session == NULL ? none : sam_duplex_count(s->session);
}

enum sam_status sam_secure_close(struct sam_secure_socket *s) {
    enum sam_status status = sam_duplex_close(s->session);
    if (s->bound)
        close(s->listener);
    sam_ring_free(&s->trusted);
    sam_key_free(&s->own);
    sam_crypto_free(s->crypto);
    *s = (struct sam_secure_socket){0};
    return status;
}
