/* Floor 2. Bytes <-> header: no cryptography, no sockets, no allocation (docs/protocol.md, 1 and
 * 2).
 *
 * All that reads foreign bytes here takes an array of the unit's fixed size and nothing else. */
#ifndef SAM_WIRE_H
#define SAM_WIRE_H

#include "primitives.h"

enum {
    SAM_PROTOCOL_VERSION = 1,
    SAM_PROLOGUE_SIZE = 8,
    SAM_GREETING_SIZE = 64,
    SAM_REJECTION_SIZE = 16,
    SAM_HEADER_SIZE = 128,
    SAM_RECORD_SIZE = 16, /* the header of a session record */
    SAM_UNIT_SIZE = 16,   /* no unit is shorter; so many bytes tell how long one is */
    SAM_ID_SIZE = 16      /* message id, reference, challenge */
};

/* Offsets in the prologue, for those who look at units that cannot be read. */
enum { SAM_AT_TYPE = 3, SAM_AT_MODE = 5, SAM_AT_KIND = 6 };

/* The largest "max message" of a greeting. */
#define SAM_MESSAGE_LIMIT ((uint32_t)1 << 30)

enum sam_unit_type {
    SAM_GREETING = 'G',
    SAM_ENVELOPE = 'E',
    SAM_REJECTION = 'R',
    SAM_RECORD = 'S'
};

enum sam_kind {
    SAM_KIND_SEND = 1,
    SAM_KIND_RECV = 2,
    SAM_KIND_JOIN = 3,
    SAM_KIND_REPLY = 4,
    SAM_KIND_PUSH = 5,
    SAM_KIND_REFUSE = 6,
    SAM_KIND_SESSION = 7,
    SAM_KIND_CLOSE = 8 /* of a session record */
};

/* Sets of kinds, bit k for kind k: what each side may send in an envelope, or in a record. */
enum {
    SAM_KINDS_OF_CLIENT =
        1 << SAM_KIND_SEND | 1 << SAM_KIND_RECV | 1 << SAM_KIND_JOIN | 1 << SAM_KIND_SESSION,
    SAM_KINDS_OF_SERVER = 1 << SAM_KIND_REPLY | 1 << SAM_KIND_PUSH | 1 << SAM_KIND_REFUSE,
    SAM_KINDS_ALL = SAM_KINDS_OF_CLIENT | SAM_KINDS_OF_SERVER,
    SAM_RECORDS_OF_CLIENT =
        1 << SAM_KIND_SEND | 1 << SAM_KIND_RECV | 1 << SAM_KIND_JOIN | 1 << SAM_KIND_CLOSE,
    SAM_RECORDS_OF_SERVER = SAM_KINDS_OF_SERVER | 1 << SAM_KIND_CLOSE
};

/* "send", "recv", ... or "unknown". */
const char *sam_kind_name(unsigned kind);

/* The first 8 bytes of every unit. */
struct sam_prologue {
    uint8_t type;
    uint8_t version;
    uint8_t mode;
    uint8_t kind;
};

/* Reads a prologue and checks it, in this order: SAM_MAGIC, SAM_TYPE (not one of types, such as
 * "ER"), SAM_VERSION, SAM_MODE (not mode), SAM_KIND (an envelope's or a record's not in kinds,
 * another unit's not 0), SAM_RESERVED. *out is filled also on failure. */
SAM_MUST_CHECK enum sam_status sam_prologue_read(struct sam_prologue *out,
                                                 const uint8_t in[SAM_PROLOGUE_SIZE],
                                                 const char *types, uint8_t mode, unsigned kinds);

struct sam_greeting {
    uint8_t mode;
    uint32_t max_message; /* bytes */
    uint8_t challenge[SAM_ID_SIZE];
    uint8_t server[SAM_SHA256_SIZE]; /* key id: a hint, never a proof */
};

void sam_greeting_write(uint8_t out[SAM_GREETING_SIZE], const struct sam_greeting *greeting);

/* Reads a greeting of the given mode. Statuses of sam_prologue_read, SAM_RESERVED, SAM_LENGTH (a
 * max message over SAM_MESSAGE_LIMIT), SAM_CHALLENGE (all zero). On failure *out is zeroed. */
SAM_MUST_CHECK enum sam_status sam_greeting_read(struct sam_greeting *out,
                                                 const uint8_t in[SAM_GREETING_SIZE], uint8_t mode);

/* The one rejection that a mode has. */
void sam_rejection_write(uint8_t out[SAM_REJECTION_SIZE], uint8_t mode);

/* A session record's header; length is what follows it. */
void sam_record_write(uint8_t out[SAM_RECORD_SIZE], unsigned kind, uint32_t sequence,
                      uint32_t length);

/* An envelope's header (docs/protocol.md, section 2). */
struct sam_header {
    uint8_t mode;
    uint8_t kind;
    uint16_t signature_length; /* S, bytes */
    uint16_t block_length;     /* B, bytes */
    uint32_t body_length;      /* L, bytes */
    uint32_t sequence;
    uint64_t sent_at; /* Unix time, milliseconds */
    uint8_t message_id[SAM_ID_SIZE];
    uint8_t reference[SAM_ID_SIZE];
    uint8_t sender[SAM_SHA256_SIZE];    /* key id */
    uint8_t recipient[SAM_SHA256_SIZE]; /* key id */
};

void sam_header_write(uint8_t out[SAM_HEADER_SIZE], const struct sam_header *header);

/* Reads a header of the given mode and checks what can be checked without knowing a key or the
 * mode's size rule, in the order of section 2: statuses of sam_prologue_read, SAM_RESERVED,
 * SAM_KEY_LENGTHS. On failure *out is zeroed. */
SAM_MUST_CHECK enum sam_status sam_header_read(struct sam_header *out,
                                               const uint8_t in[SAM_HEADER_SIZE], uint8_t mode,
                                               unsigned kinds);

/* How a person reads a field; see sam_field_reading. */
enum sam_reading {
    SAM_AS_BYTES,
    SAM_AS_NUMBER,
    SAM_AS_LETTERS,
    SAM_AS_TYPE,
    SAM_AS_MODE,
    SAM_AS_KIND,
    SAM_AS_MODULUS,
    SAM_AS_TIME
};

/* A named run of bytes of a unit, for everything that shows bytes to a person. */
struct sam_field {
    const char *name;
    size_t offset;       /* from the start of the unit */
    size_t size;         /* bytes */
    const char *meaning; /* one line */
    enum sam_reading reading;
};

/* The fields of a unit's fixed part in the order of their offsets, without a gap. *count is how
 * many, 0 for a type that does not exist. The table is constant. */
const struct sam_field *sam_unit_fields(unsigned type, size_t *count);

/* The type of the unit that these bytes begin; 0 when they begin none: fewer than four bytes, no
 * magic, or a type that does not exist. */
uint8_t sam_unit_type(const uint8_t *bytes, size_t length);

/* Whether these bytes, at least two of them, begin a record of TLS (RFC 8446, 5.1): somebody speaks
 * TLS where SAM is due. */
bool sam_unit_is_tls(const uint8_t bytes[2]);

/* Whether these bytes, any number of them, can be the start of a unit of some type. */
bool sam_unit_begins(const uint8_t *bytes, size_t length);

/* "greeting", "envelope", "rejection", "record"; "unknown" for another type. */
const char *sam_unit_name(unsigned type);

/* How many bytes the unit that these begin claims to have: its fixed part and the integer at offset
 * 12 (section 1). Until SAM_UNIT_SIZE bytes are there it is SAM_UNIT_SIZE; 0 when sam_unit_type is.
 */
uint64_t sam_unit_length(const uint8_t *bytes, size_t length);

/* The big-endian number that a field's bytes are; data points to them, at most 8. */
uint64_t sam_field_number(const struct sam_field *field, const uint8_t *data);

enum { SAM_READING_SIZE = 32 };

/* What a field's bytes say to a person, where that is more than a number: "asymmetric_only",
 * "send", "2026-11-20 12:00:00.000 UTC"; otherwise "". data points to the field's bytes, all of
 * which are there. field is one of sam_unit_fields. */
void sam_field_reading(char out[SAM_READING_SIZE], const struct sam_field *field,
                       const uint8_t *data);

#endif
