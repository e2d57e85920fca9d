#include "anatomy.h"

#include <string.h>

const struct sam_mode *const sam_modes[SAM_MODES] = {&sam_mode_asymmetric_only,
                                                     &sam_mode_asymmetric_symmetric};

const struct sam_mode *sam_mode_find(const char *text) {
    for (size_t i = 0; i < SAM_MODES; i++)
        if (strcmp(text, sam_modes[i]->name) == 0 || (text[0] == '1' + (int)i && text[1] == '\0'))
            return sam_modes[i];
    return NULL;
}

/* The mode that the unit names; the first one where it names none: reading it then fails. */
static const struct sam_mode *named_mode(const struct sam_anatomy *anatomy) {
    uint8_t number = anatomy->bytes[SAM_AT_MODE];
    return sam_modes[number >= 1 && number <= SAM_MODES ? number - 1 : 0];
}

static enum sam_status read_envelope(struct sam_anatomy *anatomy) {
    const struct sam_mode *mode = named_mode(anatomy);
    enum sam_status status =
        sam_header_read(&anatomy->header, anatomy->bytes, mode->number, SAM_KINDS_ALL);
    if (status == SAM_OK && !mode->fits(&anatomy->header, SAM_MESSAGE_LIMIT))
        status = SAM_LENGTH;
    if (status == SAM_OK)
        anatomy->mode = mode;
    return status;
}

static enum sam_status read_record(const struct sam_anatomy *anatomy) {
    struct sam_prologue prologue;
    enum sam_status status =
        sam_prologue_read(&prologue, anatomy->bytes, "S", sam_mode_asymmetric_symmetric.number,
                          SAM_RECORDS_OF_CLIENT | SAM_RECORDS_OF_SERVER);
    uint64_t body = anatomy->whole - anatomy->fixed;
    bool fits = body >= SAM_GCM_TAG_SIZE && body <= SAM_GCM_TAG_SIZE + (uint64_t)SAM_MESSAGE_LIMIT;
    return status == SAM_OK && !fits ? SAM_LENGTH : status;
}

static enum sam_status read_rejection(const struct sam_anatomy *anatomy) {
    struct sam_prologue prologue;
    enum sam_status status =
        sam_prologue_read(&prologue, anatomy->bytes, "R", named_mode(anatomy)->number, 0);
    if (status == SAM_OK &&
        !sam_is_zero(anatomy->bytes + SAM_PROLOGUE_SIZE, SAM_REJECTION_SIZE - SAM_PROLOGUE_SIZE))
        status = SAM_RESERVED;
    return status;
}

static enum sam_status read_fixed_part(struct sam_anatomy *anatomy) {
    struct sam_greeting greeting;
    switch (anatomy->type) {
    case SAM_GREETING:
        return sam_greeting_read(&greeting, anatomy->bytes, named_mode(anatomy)->number);
    case SAM_ENVELOPE:
        return read_envelope(anatomy);
    case SAM_RECORD:
        return read_record(anatomy);
    default:
        return read_rejection(anatomy);
    }
}

void sam_anatomy_start(struct sam_anatomy *anatomy, const uint8_t *bytes, size_t length) {
    size_t count;
    *anatomy = (struct sam_anatomy){.bytes = bytes, .length = length};
    anatomy->type = sam_unit_type(bytes, length);
    anatomy->whole = sam_unit_length(bytes, length);
    if (anatomy->type == 0) {
        anatomy->status = !sam_unit_begins(bytes, length) ? SAM_MAGIC
                          : length <= SAM_AT_TYPE         ? SAM_TRUNCATED
                                                          : SAM_TYPE;
        return;
    }
    const struct sam_field *fields = sam_unit_fields(anatomy->type, &count);
    anatomy->fixed = fields[count - 1].offset + fields[count - 1].size;
    anatomy->status = SAM_TRUNCATED;
    if (length < anatomy->fixed)
        return;
    anatomy->status = read_fixed_part(anatomy);
    if (anatomy->status == SAM_OK && length != anatomy->whole)
        anatomy->status = length < anatomy->whole ? SAM_TRUNCATED : SAM_LENGTH;
}

/* The parts of a body in their order, offset counted from the unit's start. */
static bool body_part(const struct sam_anatomy *anatomy, size_t index, struct sam_field *part) {
    size_t fixed = anatomy->fixed;
    if (anatomy->mode != NULL)
        return anatomy->mode->part(&anatomy->header, index, part);
    uint64_t size = anatomy->whole - fixed;
    bool divided =
        anatomy->type == SAM_RECORD && size >= SAM_GCM_TAG_SIZE && read_record(anatomy) == SAM_OK;
    if (!divided) {
        *part = (struct sam_field){"body", fixed, (size_t)size, "its parts cannot be told",
                                   SAM_AS_BYTES};
        return index == 0 && size > 0;
    }
    size_t text = (size_t)size - SAM_GCM_TAG_SIZE;
    bool tag = index == (text > 0);
    *part = tag ? (struct sam_field){"tag", fixed + text, SAM_GCM_TAG_SIZE,
                                     "of header and ciphertext", SAM_AS_BYTES}
                : (struct sam_field){"ciphertext", fixed, text, "the message", SAM_AS_BYTES};
    return tag || index == 0;
}

bool sam_anatomy_part(const struct sam_anatomy *anatomy, size_t index, struct sam_field *part) {
    size_t count = 0;
    const struct sam_field *fields = sam_unit_fields(anatomy->type, &count);
    if (anatomy->type == 0) {
        *part = (struct sam_field){"unknown", 0, anatomy->length, "begins no unit of this protocol",
                                   SAM_AS_BYTES};
        return index == 0 && anatomy->length > 0;
    }
    size_t in_body = index - count;
    if (index < count) {
        *part = fields[index];
    } else if (!body_part(anatomy, in_body, part)) {
        struct sam_field last;
        if (in_body > 0 && !body_part(anatomy, in_body - 1, &last))
            return false;
        *part = (struct sam_field){"surplus", (size_t)anatomy->whole, SIZE_MAX,
                                   "behind the end of the unit", SAM_AS_BYTES};
    }
    if (part->offset >= anatomy->length)
        return false;
    if (part->size > anatomy->length - part->offset) {
        part->size = anatomy->length - part->offset;
        part->reading = SAM_AS_BYTES; /* half a number is none */
    }
    return true;
}

static int plain(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 'a';
    return c == '-' || c == '_' ? ' ' : c;
}

static bool same_name(const char *a, const char *b) {
    while (*a != '\0' && plain(*a) == plain(*b))
        a++, b++;
    return plain(*a) == plain(*b);
}

bool sam_anatomy_find(const struct sam_anatomy *anatomy, const char *name, struct sam_field *part) {
    for (size_t i = 0; sam_anatomy_part(anatomy, i, part); i++)
        if (same_name(part->name, name))
            return true;
    return false;
}

void sam_anatomy_show(FILE *out, const struct sam_anatomy *anatomy, size_t most) {
    enum { INDENT = 15 };
    struct sam_field part;
    char reading[SAM_READING_SIZE];
    size_t index = 0;
    for (; index < most && sam_anatomy_part(anatomy, index, &part); index++) {
        sam_field_reading(reading, &part, anatomy->bytes + part.offset);
        sam_show_field(out, &part, anatomy->bytes + part.offset);
        fprintf(out, "%*s%s%s%s\n", INDENT, "", reading, reading[0] != '\0' ? ": " : "",
                part.meaning);
    }
    while (sam_anatomy_part(anatomy, index, &part))
        index++;
    if (index > most)
        fprintf(out, "%*s... %zu more parts\n", INDENT, "", index - most);
}

static void json_field(FILE *out, const struct sam_anatomy *anatomy, const struct sam_field *part) {
    const uint8_t *data = anatomy->bytes + part->offset;
    char reading[SAM_READING_SIZE];
    bool number_too = part->reading != SAM_AS_BYTES && part->reading != SAM_AS_LETTERS &&
                      part->reading != SAM_AS_TYPE;
    sam_field_reading(reading, part, data);
    fprintf(out, "{\"name\": \"%s\", \"offset\": %zu, \"size\": %zu, \"hex\": \"", part->name,
            part->offset, part->size);
    for (size_t i = 0; i < part->size; i++)
        fprintf(out, "%02x", data[i]);
    fputc('"', out);
    if (number_too)
        fprintf(out, ", \"number\": %llu", (unsigned long long)sam_field_number(part, data));
    if (reading[0] != '\0')
        fprintf(out, ", \"reading\": \"%s\"", reading);
    fprintf(out, ", \"meaning\": \"%s\"}", part->meaning);
}

void sam_anatomy_json(FILE *out, const struct sam_anatomy *anatomy) {
    fprintf(out, "\"unit\": \"%s\", \"bytes\": %zu, \"status\": \"%s\",\n \"sentence\": \"%s\",\n",
            sam_unit_name(anatomy->type), anatomy->length, sam_status_name(anatomy->status),
            sam_status_sentence(anatomy->status));
    fputs(" \"fields\": [", out);
    struct sam_field part;
    for (size_t i = 0; sam_anatomy_part(anatomy, i, &part); i++) {
        fputs(i == 0 ? "\n  " : ",\n  ", out);
        json_field(out, anatomy, &part);
    }
    fputs("]", out);
}

void sam_anatomy_summary(FILE *out, const struct sam_anatomy *anatomy) {
    fputs(anatomy->type == 0 ? "no unit of this protocol" : sam_unit_name(anatomy->type), out);
    if (anatomy->type != 0 && anatomy->length > SAM_AT_KIND) {
        fprintf(out, ", mode %u", anatomy->bytes[SAM_AT_MODE]);
        if (anatomy->type == SAM_ENVELOPE || anatomy->type == SAM_RECORD)
            fprintf(out, ", %s", sam_kind_name(anatomy->bytes[SAM_AT_KIND]));
    }
    fprintf(out, ", %zu bytes", anatomy->length);
}
