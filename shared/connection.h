/* Floor 4. A conversation over TCP: the greeting, then envelopes in their order, or from a
 * session's beginning on records (docs/protocol.md, sections 1, 4 and 9). Both ends use the same
 * struct; what a side may do is said at each function. Where it says message, it is one in either.
 */
#ifndef SAM_CONNECTION_H
#define SAM_CONNECTION_H

#include "envelope.h"
#include "memory.h"
#include "net.h"
#include "session.h"

enum {
    /* An envelope up to this size, which is any of mode 1 up to its default limit, needs no share
     * of the common memory: slow peers with large ones cannot hold it up. */
    SAM_OWN_MEMORY = 32 * 1024,
    SAM_UNANSWERED_MAX = 64, /* requests of a client that wait for their answers */
    SAM_AHEAD_SIZE = 4096    /* bytes that are read before they are asked for */
};

struct sam_connection {
    int fd;                          /* owned by who opened it */
    int stop;                        /* as in sam_read_all; -1 for a client */
    int64_t timeout;                 /* for one whole unit, either way */
    const struct sam_party *party;   /* who we are; borrowed */
    struct sam_memory *memory;       /* shared by all connections; NULL: no ceiling */
    struct sam_greeting greeting;    /* of this connection */
    struct sam_expectation expected; /* of the next envelope that arrives */
    bool is_client;                  /* set by sam_connection_meet */
    uint32_t sequence;               /* of a client's next request */
    uint64_t bytes_sent, bytes_received;
    /* What has been read and not been asked for yet: small units come with one call, not four. */
    uint8_t ahead[SAM_AHEAD_SIZE];
    size_t ahead_from, ahead_to;

    /* What pushes refer to, and the sequence of the next; a client has joined once it is not 0. */
    uint8_t join[SAM_ID_SIZE];
    uint32_t push;
    /* A client's requests without an answer, the oldest first: kinds and ids, which a session does
     * without. */
    struct sam_request {
        enum sam_kind kind;
        uint8_t id[SAM_ID_SIZE];
    } unanswered[SAM_UNANSWERED_MAX];
    size_t unanswered_count;

    struct sam_session session; /* once it has begun, there are no envelopes any more */
    bool hold;                  /* what leaves may wait for what follows: sam_write_more */
    bool closing;               /* our close has left: nothing follows */
};

/* An envelope that arrives. Zero-initialise it ({0}); free it with sam_connection_drop. */
struct sam_incoming {
    struct sam_envelope envelope;
    const struct sam_key *sender; /* NULL until the header has passed */
    size_t share;                 /* bytes taken of connection->memory */
};

/* Server: draws a challenge and sends the greeting. trusted may send. connection must have fd,
 * stop, timeout, party and memory set. SAM_CRYPTO or as sam_write_all. */
SAM_MUST_CHECK enum sam_status sam_connection_greet(struct sam_connection *connection,
                                                    const struct sam_ring *trusted,
                                                    uint32_t max_message);

/* Client: reads the greeting and checks it; server is a ring with the one key that is addressed.
 * connection must have fd, stop, timeout and party set. Statuses of sam_greeting_read and
 * sam_read_all; SAM_OTHER_SERVER; SAM_REJECTED when the server takes no more connections;
 * SAM_TLS_SPOKEN when it speaks TLS. */
SAM_MUST_CHECK enum sam_status sam_connection_meet(struct sam_connection *connection,
                                                   const struct sam_ring *server);

/* Makes room for a message of length bytes that goes to that key: for an envelope, or in a session
 * for a record. The caller fills envelope->message. As sam_envelope_start. */
SAM_MUST_CHECK enum sam_status sam_connection_start(const struct sam_connection *connection,
                                                    struct sam_envelope *envelope,
                                                    const struct sam_key *to, size_t length);

/* Client: seals what was started as the next request of this connection. SAM_UNANSWERED:
 * SAM_UNANSWERED_MAX requests wait already; SAM_LAST_SEQUENCE, SAM_CRYPTO. On failure the envelope
 * is freed. */
SAM_MUST_CHECK enum sam_status sam_connection_seal(struct sam_connection *connection,
                                                   struct sam_envelope *envelope,
                                                   enum sam_kind kind);

/* Client: seals and sends a request with this message. As sam_connection_start, _seal and _send. */
SAM_MUST_CHECK enum sam_status sam_connection_ask(struct sam_connection *connection,
                                                  enum sam_kind kind, const void *message,
                                                  size_t length);

/* Server: seals what was started as the answer to a request whose header this is; pushes may follow
 * the reply to a join. SAM_CRYPTO, SAM_LAST_SEQUENCE: the envelope is freed. */
SAM_MUST_CHECK enum sam_status sam_connection_seal_answer(struct sam_connection *connection,
                                                          struct sam_envelope *envelope,
                                                          const struct sam_header *request,
                                                          const struct sam_key *to,
                                                          enum sam_kind kind);

/* Sends what was sealed last. As sam_write_all: the other side then cannot have all of it. A
 * rejection that a client finds meanwhile is SAM_REJECTED. */
SAM_MUST_CHECK enum sam_status sam_connection_send(struct sam_connection *connection,
                                                   const struct sam_envelope *envelope);

/* Server: all of that with the answer to a request. SAM_TOO_LONG, SAM_MEMORY, SAM_CRYPTO,
 * SAM_LAST_SEQUENCE; as sam_write_all. */
SAM_MUST_CHECK enum sam_status sam_connection_answer(struct sam_connection *connection,
                                                     const struct sam_header *request,
                                                     const struct sam_key *to, enum sam_kind kind,
                                                     const void *message, size_t length);

/* Server: seals and sends a push to the client that has joined. As sam_connection_answer. */
SAM_MUST_CHECK enum sam_status sam_connection_push(struct sam_connection *connection,
                                                   const void *message, size_t length);

/* Ends our side of a session with a close record, once; nothing to do where there is no session. As
 * sam_write_all, SAM_CRYPTO. */
SAM_MUST_CHECK enum sam_status sam_connection_close(struct sam_connection *connection);

/* Whether bytes of the next unit are here already: then there is no waiting for fd. */
bool sam_connection_is_ahead(const struct sam_connection *connection);

/* Reads the next envelope or record as far as steps 1 and 2 of opening: the header is checked
 * before a byte of the body is read, and memory grows with the bytes that arrive. SAM_CLOSED: the
 * peer ended between two envelopes, or a session behind its close; SAM_CUT: it ended a session
 * without saying so. SAM_REJECTED: a client was rejected. Otherwise the statuses of those steps and
 * of sam_record_check, SAM_MEMORY, SAM_LAST_SEQUENCE, and those of sam_read_all and
 * sam_memory_take. A session ends with its first failure but SAM_TIMEOUT and SAM_STOPPED. */
SAM_MUST_CHECK enum sam_status sam_connection_receive(struct sam_connection *connection,
                                                      struct sam_incoming *incoming);

/* Steps 3 to 5 of opening; then the next is expected. Of a record kind, sequence, message and
 * sender are set. Statuses of sam_envelope_open and sam_record_open: a session ends with its first.
 */
SAM_MUST_CHECK enum sam_status sam_connection_open(struct sam_connection *connection,
                                                   struct sam_incoming *incoming);

/* Wipes an envelope that arrived and gives its memory back; {0} is fine. */
void sam_connection_drop(struct sam_connection *connection, struct sam_incoming *incoming);

/* Server: ends a session, sends the rejection and lingers for at most a second, so that it arrives.
 */
void sam_connection_reject(struct sam_connection *connection);

#endif
