/* Floor 3. Session records: after one exchange of envelopes two keys, one for each direction, and
 * no RSA any more (docs/protocol.md, section 9). No sockets. */
#ifndef SAM_SESSION_H
#define SAM_SESSION_H

#include "mode.h"

enum {
    SAM_TRANSCRIPT_SIZE = SAM_GREETING_SIZE + 2 * SAM_HEADER_SIZE,
    SAM_RECORD_OVERHEAD = SAM_RECORD_SIZE + SAM_GCM_TAG_SIZE
};

/* What two ends have agreed on: greeting, the request's header and the reply's as they travelled,
 * and the shares that their messages were. Whoever filled it wipes it. */
struct sam_agreement {
    uint8_t transcript[SAM_TRANSCRIPT_SIZE];
    uint8_t client_share[SAM_SHARE_SIZE];
    uint8_t server_share[SAM_SHARE_SIZE];
};

/* One direction of a session. */
struct sam_lane {
    struct sam_gcm *key; /* owned; NULL once the session has ended */
    uint32_t sequence;   /* of the next record */
    uint64_t bytes;      /* sealed under the key so far */
    bool closed;         /* by a close record, or the session has ended: nothing follows */
};

/* One end of a session. Free it with sam_session_end. */
struct sam_session {
    struct sam_lane out, in;
    unsigned kinds; /* bit k: a record of kind k may come; as sam_session_begin sets it, any that
                       the other side may send */
    uint32_t max_message; /* bytes, of a record that comes */
    bool begun;           /* and stays so after the end: no envelopes follow */
};

/* Derives both keys (RFC 5869) for the client's end or the server's. On failure (SAM_CRYPTO) the
 * session has ended. What session held before is not freed. */
SAM_MUST_CHECK enum sam_status sam_session_begin(struct sam_session *session,
                                                 struct sam_crypto *crypto, bool is_client,
                                                 const struct sam_agreement *agreement,
                                                 uint32_t max_message);

/* Wipes and frees both keys: nothing is sealed or opened any more. {0} is fine. */
void sam_session_end(struct sam_session *session);

/* Seals the next record that leaves, in place: record holds SAM_RECORD_OVERHEAD + length bytes, and
 * the message's length of them from SAM_RECORD_SIZE on. SAM_LAST_SEQUENCE: this direction has used
 * up its sequence, or 2^38 bytes, but for a close; SAM_CLOSED: a close has been sealed, or the
 * session has ended; SAM_TOO_LONG; SAM_CRYPTO. On failure the message is wiped. */
SAM_MUST_CHECK enum sam_status sam_record_seal(struct sam_session *session, enum sam_kind kind,
                                               uint8_t *record, size_t length);

/* Checks the 16 bytes of the next record's header: statuses of sam_prologue_read, SAM_ORDER,
 * SAM_LENGTH, in this order; after a close every kind is SAM_KIND. On success *length is how many
 * bytes follow. */
SAM_MUST_CHECK enum sam_status sam_record_check(const struct sam_session *session,
                                                const uint8_t header[SAM_RECORD_SIZE],
                                                uint32_t *length);

/* Opens, in place, a record whose header passed sam_record_check: its message stands from
 * SAM_RECORD_SIZE on and is length - SAM_GCM_TAG_SIZE bytes. Then the next one is due. SAM_DECRYPT,
 * SAM_CRYPTO, SAM_CLOSED (as for the sealer): the message is wiped. */
SAM_MUST_CHECK enum sam_status sam_record_open(struct sam_session *session, uint8_t *record,
                                               uint32_t length);

#endif
