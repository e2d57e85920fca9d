#include "vector_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

struct reader {
    char *at; /* the line that is next, NUL-terminated */
    char *rest;
    unsigned line;
};

#define demand(reader, condition, found)                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("index.json, line %u: %s (demanded: %s)", (reader)->line, found,          \
                         #condition);                                                              \
    } while (0)

static void advance(struct reader *reader) {
    reader->line++;
    reader->at = reader->rest;
    char *end = strchr(reader->rest, '\n');
    demand(reader, end != NULL, "the file ends in the middle of a line");
    *end = '\0';
    reader->rest = end + 1;
}

static void take_line(struct reader *reader, const char *text) {
    demand(reader, strcmp(reader->at, text) == 0, reader->at);
    advance(reader);
}

static bool next_is(const struct reader *reader, const char *prefix) {
    return strncmp(reader->at, prefix, strlen(prefix)) == 0;
}

/* The value of the line `prefix value,`, as it stands there; the last of a row has no comma. */
static char *take_value(struct reader *reader, const char *prefix, bool last) {
    demand(reader, next_is(reader, prefix), reader->at);
    char *value = reader->at + strlen(prefix);
    size_t length = strlen(value);
    bool comma = length > 0 && value[length - 1] == ',';
    demand(reader, comma == !last, reader->at);
    if (comma)
        value[length - 1] = '\0';
    return value;
}

/* A string without escapes: where one comes up, this reader has to learn it first. */
static char *take_string(struct reader *reader, const char *prefix, bool last) {
    char *value = take_value(reader, prefix, last);
    size_t length = strlen(value);
    demand(reader, length >= 2 && value[0] == '"' && value[length - 1] == '"', value);
    value[length - 1] = '\0';
    value++;
    demand(reader, strpbrk(value, "\"\\") == NULL, value);
    return value;
}

static void take_text(struct reader *reader, const char *prefix, bool last, char *out,
                      size_t size) {
    const char *value = take_string(reader, prefix, last);
    demand(reader, value[0] != '\0' && strlen(value) < size, value);
    memcpy(out, value, strlen(value) + 1);
    advance(reader);
}

static uint32_t take_number(struct reader *reader, const char *prefix, bool last, uint32_t most) {
    const char *value = take_value(reader, prefix, last);
    demand(reader, value[0] != '\0' && strspn(value, "0123456789") == strlen(value), value);
    errno = 0;
    unsigned long long number = strtoull(value, NULL, 10);
    demand(reader, errno == 0 && number <= most, value);
    advance(reader);
    return (uint32_t)number;
}

static struct sam_bytes take_hex(struct reader *reader, const char *prefix, bool last) {
    const char *value = take_string(reader, prefix, last);
    size_t length = strlen(value);
    demand(reader, length % 2 == 0 && strspn(value, "0123456789abcdef") == length, value);
    struct sam_bytes bytes = {0};
    for (size_t i = 0; i < length; i += 2) {
        const char digits[3] = {value[i], value[i + 1], '\0'};
        uint8_t byte = (uint8_t)strtoul(digits, NULL, 16);
        ck_status(sam_bytes_append(&bytes, &byte, 1), SAM_OK);
    }
    advance(reader);
    return bytes;
}

static void take_reference(struct reader *reader, const char *prefix, uint8_t out[SAM_ID_SIZE]) {
    struct sam_bytes bytes = take_hex(reader, prefix, false);
    demand(reader, bytes.length == SAM_ID_SIZE, "the reference before is of another length");
    memcpy(out, bytes.data, SAM_ID_SIZE);
    sam_bytes_free(&bytes);
}

static void take_row(struct reader *reader, struct vector *row) {
    char expect[8];
    take_line(reader, "  {");
    take_text(reader, "   \"file\": ", false, row->file, sizeof row->file);
    row->mode = (uint8_t)take_number(reader, "   \"mode\": ", false, 2);
    demand(reader, row->mode >= 1, "the mode before is 0");
    take_text(reader, "   \"from\": ", false, row->from, sizeof row->from);
    take_text(reader, "   \"to\": ", false, row->to, sizeof row->to);
    take_text(reader, "   \"expect\": ", false, expect, sizeof expect);
    row->opens = strcmp(expect, "open") == 0;
    if (row->opens) {
        row->kind = (uint8_t)take_number(reader, "   \"kind\": ", false, UINT8_MAX);
        row->sequence = take_number(reader, "   \"sequence\": ", false, UINT32_MAX);
        if (next_is(reader, "   \"reference\": "))
            take_reference(reader, "   \"reference\": ", row->reference);
        row->message = take_hex(reader, "   \"message\": ", true);
    } else {
        demand(reader, strcmp(expect, "refuse") == 0, expect);
        row->step = (int)take_number(reader, "   \"step\": ", false, 4);
        demand(reader, row->step >= 1, "the step before is 0");
        take_text(reader, "   \"why\": ", true, row->why, sizeof row->why);
    }
}

void vector_index_load(struct vector_index *index) {
    *index = (struct vector_index){0};
    struct sam_bytes text = read_vector("index.json");
    ck_status(sam_bytes_append(&text, "", 1), SAM_OK);
    struct reader reader = {.rest = (char *)text.data};
    ck_assert_uint_eq(strlen(reader.rest), text.length - 1);
    uint8_t reference[SAM_ID_SIZE];
    advance(&reader);
    take_line(&reader, "{");
    (void)take_string(&reader, " \"about\": ", false);
    advance(&reader);
    take_reference(&reader, " \"reference\": ", reference);
    take_line(&reader, " \"rows\": [");
    for (bool more = true; more; index->count++) {
        demand(&reader, index->count < VECTOR_ROWS, "more rows than the tests know of");
        struct vector *row = &index->rows[index->count];
        memcpy(row->reference, reference, sizeof reference);
        take_row(&reader, row);
        more = next_is(&reader, "  },");
        take_line(&reader, more ? "  }," : "  }");
    }
    take_line(&reader, " ]");
    demand(&reader, strcmp(reader.at, "}") == 0 && *reader.rest == '\0', reader.at);
    sam_bytes_free(&text);
}

void vector_index_free(struct vector_index *index) {
    for (size_t i = 0; i < VECTOR_ROWS; i++)
        sam_bytes_free(&index->rows[i].message);
    *index = (struct vector_index){0};
}
