/* Floor 3. A letter, its signature, and both sealed into an envelope by a mode. */
#ifndef SAM_ENVELOPE_H
#define SAM_ENVELOPE_H

#include "keys.h"
#include "mode.h"

/* Who seals and opens here. All pointers are borrowed. */
struct sam_party {
    const struct sam_mode *mode;
    struct sam_crypto *crypto;     /* of the thread that uses this party */
    const struct sam_key *own;     /* a pair */
    const struct sam_trace *trace; /* NULL: silent */
};

/* An envelope as it travels. Zero-initialise it ({0}); free it with sam_envelope_free. */
struct sam_envelope {
    struct sam_bytes bytes;   /* header || body */
    struct sam_header header; /* the same header, read */
    uint8_t *message;         /* inside bytes: to fill before sealing, to read after opening */
    size_t message_length;
};

/* What the sealer decides about a header; the rest follows from the keys and the message. */
struct sam_address {
    enum sam_kind kind;
    uint32_t sequence;
    uint8_t reference[SAM_ID_SIZE];
    uint64_t sent_at; /* Unix time, milliseconds */
};

/* What a receiver expects of the next envelope (docs/protocol.md, sections 2 and 4). Pointers are
 * borrowed. */
struct sam_expectation {
    const struct sam_ring *trusted; /* an own key in it is trusted for nothing */
    const struct sam_key *sender;   /* the one of them that may go on; NULL: any */
    unsigned kinds;                 /* bit k: kind k may come */
    uint32_t sequence;
    uint8_t reference[SAM_ID_SIZE];
    uint32_t max_message; /* bytes */
};

/* Makes room for an envelope from party to recipient with a message of length bytes; the caller
 * fills envelope->message. length is at most SAM_MESSAGE_LIMIT (SAM_TOO_LONG). On failure (also
 * SAM_MEMORY) the envelope is {0}. */
SAM_MUST_CHECK enum sam_status sam_envelope_start(struct sam_envelope *envelope,
                                                  const struct sam_party *party,
                                                  const struct sam_key *recipient, size_t length);

/* Signs and seals what was started, in place: afterwards envelope->bytes can travel and
 * envelope->message is gone (NULL). A fresh message id, salt and whatever the mode draws are
 * random. On failure (SAM_CRYPTO) the envelope is freed, its message wiped. */
SAM_MUST_CHECK enum sam_status sam_envelope_seal(struct sam_envelope *envelope,
                                                 const struct sam_party *party,
                                                 const struct sam_key *recipient,
                                                 const struct sam_address *address);

/* Steps 1 and 2 of opening, on the 128 bytes of the header alone. On success *header is filled and
 * *sender is the trusted key, which the ring keeps. On failure (any status of those steps) *header
 * is zeroed and *sender is NULL. */
SAM_MUST_CHECK enum sam_status sam_envelope_check(struct sam_header *header,
                                                  const struct sam_key **sender,
                                                  const struct sam_party *party,
                                                  const struct sam_expectation *expected,
                                                  const uint8_t bytes[SAM_HEADER_SIZE]);

/* Steps 3 to 5, in place, of an envelope whose header passed sam_envelope_check: bytes hold header
 * and whole body. On success message and message_length are set and the salt is wiped. On failure
 * (SAM_DECRYPT, SAM_TOO_LONG, SAM_SIGNATURE, SAM_CRYPTO) the body is wiped and message is NULL. */
SAM_MUST_CHECK enum sam_status sam_envelope_open(struct sam_envelope *envelope,
                                                 const struct sam_party *party,
                                                 const struct sam_key *sender,
                                                 uint32_t max_message);

/* All steps on an envelope that is here as a whole, such as one from a file: bytes, any number of
 * them, are all that is set. SAM_TRUNCATED when they are fewer than the header says, SAM_LENGTH
 * when they are more. On success *sender is set; on failure the body is wiped, message is NULL
 * and *sender is NULL. */
SAM_MUST_CHECK enum sam_status sam_envelope_accept(struct sam_envelope *envelope,
                                                   const struct sam_key **sender,
                                                   const struct sam_party *party,
                                                   const struct sam_expectation *expected);

/* Writes every field of a sealed envelope, or record, and every part of its body, as an
 * eavesdropper has them. bytes hold all that envelope->header tells of. */
void sam_envelope_show(FILE *out, const struct sam_mode *mode, const struct sam_envelope *envelope);

/* Shows an envelope in the party's trace, where there is one: what says when. */
void sam_envelope_trace(const struct sam_party *party, const char *what,
                        const struct sam_envelope *envelope);

/* Wipes and frees; {0} is fine. */
void sam_envelope_free(struct sam_envelope *envelope);

#endif
