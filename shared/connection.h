/* Floor 4. A conversation over TCP: the greeting, then envelopes in their order (docs/protocol.md,
 * sections 1 and 4). Both ends use the same struct; what a side may do is said at each function. */
#ifndef SAM_CONNECTION_H
#define SAM_CONNECTION_H

#include "envelope.h"
#include "memory.h"
#include "net.h"

enum {
    /* An envelope up to this size, which is any of mode 1 up to its default limit, needs no share
     * of the common memory: slow peers with large ones cannot hold it up. */
    SAM_OWN_MEMORY = 32 * 1024
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
 * sam_read_all; SAM_OTHER_SERVER; SAM_REJECTED when the server takes no more connections. */
SAM_MUST_CHECK enum sam_status sam_connection_meet(struct sam_connection *connection,
                                                   const struct sam_ring *server);

/* Client: seals a request in an envelope made by sam_envelope_start, for the server that was met,
 * as the next of this connection. SAM_LAST_SEQUENCE, SAM_CRYPTO: the envelope is freed. */
SAM_MUST_CHECK enum sam_status sam_connection_seal(struct sam_connection *connection,
                                                   struct sam_envelope *envelope,
                                                   enum sam_kind kind);

/* Client: sends what sam_connection_seal sealed last; its answer is expected next. As
 * sam_write_all: the server then cannot have all of it. A rejection that arrived meanwhile is
 * SAM_REJECTED. */
SAM_MUST_CHECK enum sam_status sam_connection_send(struct sam_connection *connection,
                                                   const struct sam_envelope *envelope);

/* Server: seals and sends the answer to a request whose header this is. SAM_TOO_LONG, SAM_MEMORY,
 * SAM_CRYPTO; as sam_write_all. */
SAM_MUST_CHECK enum sam_status sam_connection_answer(struct sam_connection *connection,
                                                     const struct sam_header *request,
                                                     const struct sam_key *to, enum sam_kind kind,
                                                     const void *message, size_t length);

/* Reads the next envelope as far as steps 1 and 2 of opening: the header is checked before a byte
 * of the body is read, and memory grows with the bytes that arrive. SAM_CLOSED: the peer ended
 * between two units. SAM_REJECTED: a client was rejected. Otherwise the statuses of those steps,
 * SAM_MEMORY, SAM_LAST_SEQUENCE, and those of sam_read_all and sam_memory_take. */
SAM_MUST_CHECK enum sam_status sam_connection_receive(struct sam_connection *connection,
                                                      struct sam_incoming *incoming);

/* Steps 3 to 5 of opening; then the next envelope is expected. Statuses of sam_envelope_open. */
SAM_MUST_CHECK enum sam_status sam_connection_open(struct sam_connection *connection,
                                                   struct sam_incoming *incoming);

/* Wipes an envelope that arrived and gives its memory back; {0} is fine. */
void sam_connection_drop(struct sam_connection *connection, struct sam_incoming *incoming);

/* Server: sends the rejection and lingers for at most a second, so that it arrives. */
void sam_connection_reject(struct sam_connection *connection);

#endif
