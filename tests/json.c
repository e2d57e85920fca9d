#include "json.h"

#include <string.h>

#include "support.h"

enum { DEEPEST = 16, KEY_MAX = 64 };

struct reader {
    const unsigned char *at, *end;
    json_visit *visit;
    void *context;
    unsigned depth;
    struct sam_bytes text; /* of the string that was read last */
};

static bool next_is(const struct reader *reader, char c) {
    return reader->at < reader->end && *reader->at == (unsigned char)c;
}

static bool take(struct reader *reader, char c) {
    bool there = next_is(reader, c);
    reader->at += there;
    return there;
}

static void skip_space(struct reader *reader) {
    while (next_is(reader, ' ') || next_is(reader, '\n') || next_is(reader, '\r') ||
           next_is(reader, '\t'))
        reader->at++;
}

static void put(struct reader *reader, const void *data, size_t length) {
    /* Not ck_status, which takes its time: this is done for every character. */
    if (sam_bytes_append(&reader->text, data, length) != SAM_OK)
        ck_abort_msg("there is not enough memory");
}

/* One character as it stands there: RFC 3629, and no control character. */
static bool take_character(struct reader *reader) {
    static const unsigned long least[] = {0, 0x20, 0x80, 0x800, 0x10000};
    const unsigned char *at = reader->at;
    unsigned size = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (size == 0 || at[0] >= 0xf8 || (size_t)(reader->end - at) < size)
        return false;
    unsigned long point = size == 1 ? at[0] : at[0] & (0xffu >> (size + 1));
    for (unsigned i = 1; i < size; i++) {
        if (at[i] >> 6 != 2)
            return false;
        point = point << 6 | (at[i] & 0x3f);
    }
    put(reader, at, size);
    reader->at += size;
    return point >= least[size] && point <= 0x10ffff && point >> 11 != 0xd800 >> 11;
}

/* What follows a backslash. No more than ASCII may be written by its number: where another comes
 * up, this reader has to learn it first. */
static bool take_escape(struct reader *reader) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return false;
    char name = (char)*reader->at++;
    const char *found = name == '\0' ? NULL : strchr(names, name);
    if (found != NULL) {
        put(reader, &values[found - names], 1);
        return true;
    }
    unsigned number = 0;
    for (int i = 0; name == 'u' && i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = reader->at < reader->end && *reader->at != '\0'
                                ? strchr(digits, *reader->at | 0x20)
                                : NULL;
        if (digit == NULL)
            return false;
        number = number << 4 | (unsigned)(digit - digits);
        reader->at++;
    }
    put(reader, &(char){(char)number}, 1);
    return name == 'u' && number < 0x80;
}

static bool take_string(struct reader *reader) {
    reader->text.length = 0;
    bool good = take(reader, '"');
    while (good && reader->at < reader->end && *reader->at != '"')
        good = take(reader, '\\') ? take_escape(reader) : take_character(reader);
    put(reader, "", 1);
    return good && take(reader, '"');
}

static bool take_digits(struct reader *reader) {
    const unsigned char *from = reader->at;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return reader->at > from;
}

static bool take_number(struct reader *reader) {
    const unsigned char *from = reader->at;
    (void)take(reader, '-');
    bool good = take(reader, '0') || take_digits(reader);
    if (good && take(reader, '.'))
        good = take_digits(reader);
    if (good && (take(reader, 'e') || take(reader, 'E'))) {
        (void)(take(reader, '+') || take(reader, '-'));
        good = take_digits(reader);
    }
    reader->text.length = 0;
    put(reader, from, (size_t)(reader->at - from));
    put(reader, "", 1);
    return good;
}

static bool take_literal(struct reader *reader) {
    static const char *const literals[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        size_t length = strlen(literals[i]);
        if ((size_t)(reader->end - reader->at) < length ||
            memcmp(reader->at, literals[i], length) != 0)
            continue;
        reader->at += length;
        reader->text.length = 0;
        put(reader, literals[i], length + 1);
        return true;
    }
    return false;
}

static bool take_value(struct reader *reader, const char *key);

static bool take_member(struct reader *reader) {
    char key[KEY_MAX];
    skip_space(reader);
    if (!take_string(reader) || reader->text.length > sizeof key)
        return false;
    memcpy(key, reader->text.data, reader->text.length);
    skip_space(reader);
    return take(reader, ':') && take_value(reader, key);
}

/* An object or an array, whose first byte has been taken. */
static bool take_items(struct reader *reader, bool members, char last) {
    if (++reader->depth > DEEPEST)
        return false;
    skip_space(reader);
    bool good = true, more = !next_is(reader, last);
    while (good && more) {
        good = members ? take_member(reader) : take_value(reader, NULL);
        more = good && take(reader, ',');
    }
    reader->depth--;
    return good && take(reader, last);
}

static bool take_value(struct reader *reader, const char *key) {
    bool good, single = false;
    skip_space(reader);
    if (take(reader, '{')) {
        good = take_items(reader, true, '}');
    } else if (take(reader, '[')) {
        good = take_items(reader, false, ']');
    } else {
        single = true;
        good = next_is(reader, '"') ? take_string(reader)
                                    : take_literal(reader) || take_number(reader);
    }
    skip_space(reader);
    if (good && single && key != NULL && reader->visit != NULL)
        reader->visit(reader->context, key, (const char *)reader->text.data,
                      reader->text.length - 1);
    return good;
}

bool json_read(const char *text, size_t length, json_visit *visit, void *context) {
    struct reader reader = {.visit = visit, .context = context};
    reader.at = (const unsigned char *)text;
    reader.end = reader.at + length;
    bool good = take_value(&reader, NULL) && reader.at == reader.end;
    sam_bytes_free(&reader.text);
    return good;
}
