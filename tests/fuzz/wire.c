/* Units' fixed parts, and what is shown of foreign bytes. */
#include <string.h>

#include "fuzzing.h"
#include "show.h"

/* What can be read is written again as it was; of what cannot, nothing stays. */
static void read_greeting(const uint8_t *bytes, uint8_t mode) {
    struct sam_greeting greeting;
    uint8_t again[SAM_GREETING_SIZE];
    memset(&greeting, 0xa5, sizeof greeting);
    if (sam_greeting_read(&greeting, bytes, mode) == SAM_OK) {
        sam_greeting_write(again, &greeting);
        require(memcmp(again, bytes, sizeof again) == 0);
    } else {
        require(greeting.mode == 0 && greeting.max_message == 0);
        require(sam_is_zero(greeting.challenge, SAM_ID_SIZE));
        require(sam_is_zero(greeting.server, SAM_SHA256_SIZE));
    }
}

static void read_header(const uint8_t *bytes, uint8_t mode, unsigned kinds) {
    struct sam_header header;
    uint8_t again[SAM_HEADER_SIZE];
    memset(&header, 0xa5, sizeof header);
    if (sam_header_read(&header, bytes, mode, kinds) == SAM_OK) {
        require(kinds >> header.kind & 1);
        sam_header_write(again, &header);
        require(memcmp(again, bytes, sizeof again) == 0);
    } else {
        require(header.mode == 0 && header.body_length == 0 && header.block_length == 0);
        require(sam_is_zero(header.sender, SAM_SHA256_SIZE));
    }
}

static void read_units(const uint8_t *data, size_t size) {
    for (uint8_t mode = 0; mode <= 3; mode++) {
        struct sam_prologue prologue;
        if (size >= SAM_GREETING_SIZE)
            read_greeting(data, mode);
        if (size >= SAM_HEADER_SIZE) {
            read_header(data, mode, SAM_KINDS_OF_CLIENT);
            read_header(data, mode, SAM_KINDS_OF_SERVER);
        }
        if (size >= SAM_PROLOGUE_SIZE &&
            sam_prologue_read(&prologue, data, "GERS", mode, SAM_RECORDS_OF_SERVER) == SAM_OK)
            require(prologue.type == sam_unit_type(data, size) && data[4] == 1 && data[7] == 0);
    }
}

/* Fields lie one behind the other, and can be read wherever all of them is there. */
static void show_fields(FILE *out, const uint8_t *data, size_t size) {
    uint8_t type = sam_unit_type(data, size);
    size_t count = 0, end = 0;
    const struct sam_field *fields = sam_unit_fields(type, &count);
    for (size_t i = 0; i < count; end += fields[i].size, i++) {
        char reading[SAM_READING_SIZE];
        require(fields[i].offset == end);
        if (end + fields[i].size > size)
            return;
        sam_field_reading(reading, &fields[i], data + end);
        require(memchr(reading, '\0', sizeof reading) != NULL);
    }
    if (count > 0)
        sam_show_unit(out, type, data);
}

/* Whether a text is harmless: no control byte, of ASCII or of C1 in UTF-8. */
static bool is_harmless(const struct told *told) {
    for (size_t i = 0; i < told->length; i++) {
        uint8_t byte = (uint8_t)told->text[i];
        uint8_t next = i + 1 < told->length ? (uint8_t)told->text[i + 1] : 0xff;
        if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next < 0xa0))
            return false;
    }
    return true;
}

static void show_text(const uint8_t *data, size_t size) {
    struct told plain, json;
    begin_told(&plain);
    sam_show_text(plain.out, data, size, size > 0 ? data[0] : 0);
    finish_told(&plain);
    require(is_harmless(&plain));
    free_told(&plain);
    begin_told(&json);
    sam_show_json(json.out, (const char *)data, size);
    finish_told(&json);
    require(is_harmless(&json));
    for (size_t i = 0; i < json.length; i++)
        if (json.text[i] == '\\')
            require(++i < json.length && (json.text[i] == '\\' || json.text[i] == '"'));
        else
            require(json.text[i] != '"');
    free_told(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = own_copy(data, size);
    struct told told;
    uint64_t whole = sam_unit_length(copy, size);
    uint8_t type = sam_unit_type(copy, size);
    require((type == 0) == (whole == 0) && (type == 0 || sam_unit_begins(copy, size)));
    require(whole == 0 || whole >= SAM_UNIT_SIZE);
    if (size >= 2 && sam_unit_is_tls(copy))
        require(type == 0);
    read_units(copy, size);
    begin_told(&told);
    show_fields(told.out, copy, size);
    finish_told(&told);
    free_told(&told);
    show_text(copy, size);
    free(copy);
    return 0;
}
