#include "wire.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Offsets in the fixed parts. A test holds them against the tables of fields below. */
enum {
    AT_VERSION = 4,
    AT_RESERVED = 7,

    GREETING_MAX_MESSAGE = 8,
    GREETING_RESERVED = 12,
    GREETING_CHALLENGE = 16,
    GREETING_SERVER = 32,

    HEADER_SIGNATURE_LENGTH = 8,
    HEADER_BLOCK_LENGTH = 10,
    HEADER_BODY_LENGTH = 12,
    HEADER_SEQUENCE = 16,
    HEADER_RESERVED = 20,
    HEADER_SENT_AT = 24,
    HEADER_MESSAGE_ID = 32,
    HEADER_REFERENCE = 48,
    HEADER_SENDER = 64,
    HEADER_RECIPIENT = 96,

    RECORD_SEQUENCE = 8,

    AT_LENGTH = 12, /* of every unit: what follows its fixed part */
    RESERVED_SIZE = 4
};

#define LAST_SECOND ((uint64_t)253402300799) /* of the year 9999 */

static const uint8_t magic[3] = {'S', 'A', 'M'};

#define PROLOGUE_FIELDS(kind_meaning)                                                              \
    {"magic", 0, 3, "the same in every unit", SAM_AS_LETTERS},                                     \
        {"type", 3, 1, "G greeting, E envelope, R rejection, S record", SAM_AS_TYPE},              \
        {"version", 4, 1, "of the protocol: always 1", SAM_AS_NUMBER},                             \
        {"mode", 5, 1, "1 asymmetric_only, 2 asymmetric_symmetric", SAM_AS_MODE},                  \
        {"kind", 6, 1, kind_meaning, SAM_AS_KIND}, {                                               \
        "reserved", 7, 1, "always 0", SAM_AS_NUMBER                                                \
    }

static const struct sam_field greeting_fields[] = {
    PROLOGUE_FIELDS("always 0"),
    {"max message", GREETING_MAX_MESSAGE, 4, "the longest message this server takes, bytes",
     SAM_AS_NUMBER},
    {"reserved", GREETING_RESERVED, RESERVED_SIZE, "always 0", SAM_AS_NUMBER},
    {"challenge", GREETING_CHALLENGE, SAM_ID_SIZE, "random: what the client must refer to",
     SAM_AS_BYTES},
    {"server key id", GREETING_SERVER, SAM_SHA256_SIZE, "a hint, never a proof", SAM_AS_BYTES},
};

static const struct sam_field rejection_fields[] = {
    PROLOGUE_FIELDS("always 0"),
    {"reserved", 8, 8, "always 0: a rejection gives no reason", SAM_AS_NUMBER},
};

static const struct sam_field header_fields[] = {
    PROLOGUE_FIELDS("1 send 2 recv 3 join 4 reply 5 push 6 refuse 7 session"),
    {"signature length", HEADER_SIGNATURE_LENGTH, 2, "S, bytes of the sender's modulus",
     SAM_AS_MODULUS},
    {"block length", HEADER_BLOCK_LENGTH, 2, "B, bytes of the recipient's modulus", SAM_AS_MODULUS},
    {"body length", HEADER_BODY_LENGTH, 4, "L, bytes after the header", SAM_AS_NUMBER},
    {"sequence", HEADER_SEQUENCE, 4, "its place among those of this side", SAM_AS_NUMBER},
    {"reserved", HEADER_RESERVED, RESERVED_SIZE, "always 0", SAM_AS_NUMBER},
    {"sent at", HEADER_SENT_AT, 8, "Unix time in ms, for people only", SAM_AS_TIME},
    {"message id", HEADER_MESSAGE_ID, SAM_ID_SIZE, "random, new for every envelope", SAM_AS_BYTES},
    {"reference", HEADER_REFERENCE, SAM_ID_SIZE, "the challenge, or the id of what it answers",
     SAM_AS_BYTES},
    {"sender key id", HEADER_SENDER, SAM_SHA256_SIZE, "SHA-256 of the sender's public key",
     SAM_AS_BYTES},
    {"recipient key id", HEADER_RECIPIENT, SAM_SHA256_SIZE, "SHA-256 of the recipient's",
     SAM_AS_BYTES},
};

static const struct sam_field record_fields[] = {
    PROLOGUE_FIELDS("1 to 6 as in an envelope, 8 close"),
    {"sequence", RECORD_SEQUENCE, 4, "its place among those of this side", SAM_AS_NUMBER},
    {"length", AT_LENGTH, 4, "bytes after these 16", SAM_AS_NUMBER},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct unit {
    uint8_t type;
    const char *name;
    size_t fixed; /* bytes */
    const struct sam_field *fields;
    size_t count;
} units[] = {
    {SAM_GREETING, "greeting", SAM_GREETING_SIZE, greeting_fields, COUNT(greeting_fields)},
    {SAM_ENVELOPE, "envelope", SAM_HEADER_SIZE, header_fields, COUNT(header_fields)},
    {SAM_REJECTION, "rejection", SAM_REJECTION_SIZE, rejection_fields, COUNT(rejection_fields)},
    {SAM_RECORD, "record", SAM_RECORD_SIZE, record_fields, COUNT(record_fields)},
};

static const struct unit *find_unit(unsigned type) {
    for (size_t i = 0; i < COUNT(units); i++)
        if (units[i].type == type)
            return &units[i];
    return NULL;
}

const struct sam_field *sam_unit_fields(unsigned type, size_t *count) {
    const struct unit *unit = find_unit(type);
    *count = unit == NULL ? 0 : unit->count;
    return unit == NULL ? NULL : unit->fields;
}

bool sam_unit_is_tls(const uint8_t bytes[2]) {
    return bytes[0] >= 20 && bytes[0] <= 23 && bytes[1] == 3;
}

bool sam_unit_begins(const uint8_t *bytes, size_t length) {
    return length == 0 || memcmp(bytes, magic, length < sizeof magic ? length : sizeof magic) == 0;
}

uint8_t sam_unit_type(const uint8_t *bytes, size_t length) {
    if (length <= SAM_AT_TYPE || !sam_unit_begins(bytes, length))
        return 0;
    return find_unit(bytes[SAM_AT_TYPE]) == NULL ? 0 : bytes[SAM_AT_TYPE];
}

const char *sam_unit_name(unsigned type) {
    const struct unit *unit = find_unit(type);
    return unit == NULL ? "unknown" : unit->name;
}

uint64_t sam_unit_length(const uint8_t *bytes, size_t length) {
    const struct unit *unit = find_unit(sam_unit_type(bytes, length));
    if (unit == NULL)
        return 0;
    return length < SAM_UNIT_SIZE ? SAM_UNIT_SIZE
                                  : (uint64_t)unit->fixed + sam_get32(bytes + AT_LENGTH);
}

const char *sam_kind_name(unsigned kind) {
    static const char *const names[] = {"unknown", "send",   "recv",    "join", "reply",
                                        "push",    "refuse", "session", "close"};
    return names[kind < COUNT(names) ? kind : 0];
}

uint64_t sam_field_number(const struct sam_field *field, const uint8_t *data) {
    uint64_t number = 0;
    for (size_t i = 0; i < field->size; i++)
        number = number << 8 | data[i];
    return number;
}

static void read_time(char out[SAM_READING_SIZE], uint64_t milliseconds) {
    struct tm parts;
    time_t seconds = (time_t)(milliseconds / 1000);
    char text[SAM_READING_SIZE];
    /* Later years have five digits and more: a hostile one at that. */
    if (milliseconds / 1000 > LAST_SECOND || gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        snprintf(out, SAM_READING_SIZE, "after the year 9999");
    else
        snprintf(out, SAM_READING_SIZE, "%.19s.%03u UTC", text, (unsigned)(milliseconds % 1000));
}

void sam_field_reading(char out[SAM_READING_SIZE], const struct sam_field *field,
                       const uint8_t *data) {
    static const char *const modes[] = {"unknown", "asymmetric_only", "asymmetric_symmetric"};
    out[0] = '\0';
    switch (field->reading) {
    case SAM_AS_TYPE:
        snprintf(out, SAM_READING_SIZE, "%s", sam_unit_name(data[0]));
        break;
    case SAM_AS_MODE:
        snprintf(out, SAM_READING_SIZE, "%s", modes[data[0] < COUNT(modes) ? data[0] : 0]);
        break;
    case SAM_AS_KIND:
        snprintf(out, SAM_READING_SIZE, "%s", data[0] == 0 ? "none" : sam_kind_name(data[0]));
        break;
    case SAM_AS_MODULUS:
        snprintf(out, SAM_READING_SIZE, "RSA %u", 8u * sam_get16(data));
        break;
    case SAM_AS_TIME:
        read_time(out, sam_get64(data));
        break;
    default:
        break;
    }
}

static void prologue_write(uint8_t *out, enum sam_unit_type type, uint8_t mode, uint8_t kind) {
    memcpy(out, magic, sizeof magic);
    out[SAM_AT_TYPE] = (uint8_t)type;
    out[AT_VERSION] = SAM_PROTOCOL_VERSION;
    out[SAM_AT_MODE] = mode;
    out[SAM_AT_KIND] = kind;
    out[AT_RESERVED] = 0;
}

enum sam_status sam_prologue_read(struct sam_prologue *out, const uint8_t in[SAM_PROLOGUE_SIZE],
                                  const char *types, uint8_t mode, unsigned kinds) {
    *out = (struct sam_prologue){in[SAM_AT_TYPE], in[AT_VERSION], in[SAM_AT_MODE], in[SAM_AT_KIND]};
    if (memcmp(in, magic, sizeof magic) != 0)
        return SAM_MAGIC;
    if (out->type == '\0' || strchr(types, out->type) == NULL)
        return SAM_TYPE;
    if (out->version != SAM_PROTOCOL_VERSION)
        return SAM_VERSION;
    if (out->mode != mode)
        return SAM_MODE;
    bool has_kind = out->type == SAM_ENVELOPE || out->type == SAM_RECORD;
    if (has_kind ? out->kind > SAM_KIND_CLOSE || !(kinds >> out->kind & 1) : out->kind != 0)
        return SAM_KIND;
    return in[AT_RESERVED] == 0 ? SAM_OK : SAM_RESERVED;
}

void sam_greeting_write(uint8_t out[SAM_GREETING_SIZE], const struct sam_greeting *greeting) {
    memset(out, 0, SAM_GREETING_SIZE);
    prologue_write(out, SAM_GREETING, greeting->mode, 0);
    sam_put32(out + GREETING_MAX_MESSAGE, greeting->max_message);
    memcpy(out + GREETING_CHALLENGE, greeting->challenge, SAM_ID_SIZE);
    memcpy(out + GREETING_SERVER, greeting->server, SAM_SHA256_SIZE);
}

enum sam_status sam_greeting_read(struct sam_greeting *out, const uint8_t in[SAM_GREETING_SIZE],
                                  uint8_t mode) {
    *out = (struct sam_greeting){0};
    struct sam_prologue prologue;
    enum sam_status status = sam_prologue_read(&prologue, in, "G", mode, 0);
    if (status != SAM_OK)
        return status;
    if (!sam_is_zero(in + GREETING_RESERVED, RESERVED_SIZE))
        return SAM_RESERVED;
    if (sam_get32(in + GREETING_MAX_MESSAGE) > SAM_MESSAGE_LIMIT)
        return SAM_LENGTH;
    if (sam_is_zero(in + GREETING_CHALLENGE, SAM_ID_SIZE))
        return SAM_CHALLENGE;
    out->mode = mode;
    out->max_message = sam_get32(in + GREETING_MAX_MESSAGE);
    memcpy(out->challenge, in + GREETING_CHALLENGE, SAM_ID_SIZE);
    memcpy(out->server, in + GREETING_SERVER, SAM_SHA256_SIZE);
    return SAM_OK;
}

void sam_rejection_write(uint8_t out[SAM_REJECTION_SIZE], uint8_t mode) {
    memset(out, 0, SAM_REJECTION_SIZE);
    prologue_write(out, SAM_REJECTION, mode, 0);
}

void sam_record_write(uint8_t out[SAM_RECORD_SIZE], unsigned kind, uint32_t sequence,
                      uint32_t length) {
    prologue_write(out, SAM_RECORD, 2, (uint8_t)kind);
    sam_put32(out + RECORD_SEQUENCE, sequence);
    sam_put32(out + AT_LENGTH, length);
}

void sam_header_write(uint8_t out[SAM_HEADER_SIZE], const struct sam_header *header) {
    memset(out, 0, SAM_HEADER_SIZE);
    prologue_write(out, SAM_ENVELOPE, header->mode, header->kind);
    sam_put16(out + HEADER_SIGNATURE_LENGTH, header->signature_length);
    sam_put16(out + HEADER_BLOCK_LENGTH, header->block_length);
    sam_put32(out + HEADER_BODY_LENGTH, header->body_length);
    sam_put32(out + HEADER_SEQUENCE, header->sequence);
    sam_put64(out + HEADER_SENT_AT, header->sent_at);
    memcpy(out + HEADER_MESSAGE_ID, header->message_id, SAM_ID_SIZE);
    memcpy(out + HEADER_REFERENCE, header->reference, SAM_ID_SIZE);
    memcpy(out + HEADER_SENDER, header->sender, SAM_SHA256_SIZE);
    memcpy(out + HEADER_RECIPIENT, header->recipient, SAM_SHA256_SIZE);
}

static bool is_rsa_size(uint16_t size) {
    return size >= SAM_RSA_SIZE_MIN && size <= SAM_RSA_SIZE_MAX;
}

enum sam_status sam_header_read(struct sam_header *out, const uint8_t in[SAM_HEADER_SIZE],
                                uint8_t mode, unsigned kinds) {
    *out = (struct sam_header){0};
    struct sam_prologue prologue;
    enum sam_status status = sam_prologue_read(&prologue, in, "E", mode, kinds);
    if (status != SAM_OK)
        return status;
    if (!sam_is_zero(in + HEADER_RESERVED, RESERVED_SIZE))
        return SAM_RESERVED;
    uint16_t signature_length = sam_get16(in + HEADER_SIGNATURE_LENGTH);
    uint16_t block_length = sam_get16(in + HEADER_BLOCK_LENGTH);
    if (!is_rsa_size(signature_length) || !is_rsa_size(block_length))
        return SAM_KEY_LENGTHS;
    out->mode = mode;
    out->kind = prologue.kind;
    out->signature_length = signature_length;
    out->block_length = block_length;
    out->body_length = sam_get32(in + HEADER_BODY_LENGTH);
    out->sequence = sam_get32(in + HEADER_SEQUENCE);
    out->sent_at = sam_get64(in + HEADER_SENT_AT);
    memcpy(out->message_id, in + HEADER_MESSAGE_ID, SAM_ID_SIZE);
    memcpy(out->reference, in + HEADER_REFERENCE, SAM_ID_SIZE);
    memcpy(out->sender, in + HEADER_SENDER, SAM_SHA256_SIZE);
    memcpy(out->recipient, in + HEADER_RECIPIENT, SAM_SHA256_SIZE);
    return SAM_OK;
}
