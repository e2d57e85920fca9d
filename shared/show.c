#include "show.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

enum {
    PER_LINE = 16,
    LEFT = 32, /* columns before the bytes: 80 less three for each of them */
    /* Of a run longer than this, the lines after it are only counted. */
    SHOWN = 512
};

/* The length of the UTF-8 character at text (RFC 3629), its number in *point; 0 where there is
 * none. */
static size_t utf8_length(const uint8_t *text, size_t length, uint32_t *point) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = text[0] < 0x80             ? 1
                  : (text[0] & 0xe0) == 0xc0 ? 2
                  : (text[0] & 0xf0) == 0xe0 ? 3
                  : (text[0] & 0xf8) == 0xf0 ? 4
                                             : 0;
    if (size == 0 || size > length)
        return 0;
    *point = size == 1 ? text[0] : text[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (text[i] & 0x3f);
    }
    bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
    return *point < least[size] || *point > 0x10ffff || surrogate ? 0 : size;
}

/* C0, DEL, C1, line and paragraph separators, and the marks that reorder a line. */
static bool is_control(uint32_t point) {
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c ||
           (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

/* json: inside a JSON string, where a backslash and a quote have another before them. */
static void show_harmless(FILE *out, const uint8_t *text, size_t length, bool json) {
    for (size_t i = 0; i < length;) {
        uint32_t point = 0;
        size_t size = utf8_length(text + i, length - i, &point);
        if (size > 0 && !is_control(point)) {
            if (json && (point == '"' || point == '\\'))
                putc('\\', out);
            fwrite(text + i, 1, size, out);
        } else {
            size = size > 0 ? size : 1;
            for (size_t k = 0; k < size; k++)
                fprintf(out, "%s\\x%02x", json ? "\\" : "", text[i + k]);
        }
        i += size;
    }
}

void sam_show_text(FILE *out, const uint8_t *text, size_t length, size_t limit) {
    size_t shown = length < limit ? length : limit;
    show_harmless(out, text, shown, false);
    if (shown < length)
        fprintf(out, "... (%zu more bytes)", length - shown);
}

bool sam_show_line(const uint8_t *text, size_t length, size_t limit) {
    char buffer[BUFSIZ]; /* standard output's own would keep the text */
    flockfile(stdout);   /* one line at a time, and one more descriptor at a time */
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (out == NULL) {
        if (fd >= 0)
            close(fd);
        funlockfile(stdout);
        return false;
    }
    setvbuf(out, buffer, _IOFBF, sizeof buffer);
    sam_show_text(out, text, length, limit);
    putc('\n', out);
    bool written = !ferror(out);
    bool shown = fclose(out) == 0 && written;
    funlockfile(stdout);
    sam_wipe(buffer, sizeof buffer);
    return shown;
}

void sam_show_json(FILE *out, const char *text, size_t length) {
    show_harmless(out, (const uint8_t *)text, length, true);
}

static void show_hex(FILE *out, const uint8_t *data, size_t length) {
    for (size_t i = 0; i < length; i++)
        fprintf(out, " %02x", data[i]);
}

/* What short fields say besides their bytes: capital letters, or a number. */
static void show_value(FILE *out, const struct sam_field *field, const uint8_t *data) {
    bool letters = field->reading == SAM_AS_LETTERS || field->reading == SAM_AS_TYPE;
    for (size_t i = 0; i < field->size; i++)
        letters = letters && data[i] >= 'A' && data[i] <= 'Z';
    if (letters)
        fprintf(out, "  %.*s", (int)field->size, (const char *)data);
    else
        fprintf(out, "  = %llu", (unsigned long long)sam_field_number(field, data));
}

void sam_show_field(FILE *out, const struct sam_field *field, const uint8_t *data) {
    size_t shown = field->size < SHOWN ? field->size : SHOWN;
    int left = fprintf(out, "%7zu %5zu  %-16s", field->offset, field->size, field->name);
    if (left > LEFT)
        fprintf(out, "\n%*s", LEFT, "");
    for (size_t i = 0; i < shown; i += PER_LINE) {
        if (i > 0) {
            left = fprintf(out, "\n%7zu", field->offset + i) - 1;
            fprintf(out, "%*s", LEFT - left, "");
        }
        show_hex(out, data + i, shown - i < PER_LINE ? shown - i : PER_LINE);
    }
    if (field->reading != SAM_AS_BYTES)
        show_value(out, field, data);
    if (shown < field->size)
        fprintf(out, "\n%*s ... %zu more bytes", LEFT, "", field->size - shown);
    fputc('\n', out);
}

void sam_show_unit(FILE *out, unsigned type, const uint8_t *unit) {
    size_t count = 0;
    const struct sam_field *fields = sam_unit_fields(type, &count);
    for (size_t i = 0; i < count; i++)
        sam_show_field(out, &fields[i], unit + fields[i].offset);
}

void sam_trace_step(const struct sam_trace *trace, const char *what, const char *how, ...) {
    if (trace == NULL)
        return;
    fprintf(trace->out, trace->colour ? "\033[1m- %s\033[0m\n    " : "- %s\n    ", what);
    va_list arguments;
    va_start(arguments, how);
    vfprintf(trace->out, how, arguments);
    va_end(arguments);
    fputc('\n', trace->out);
}

void sam_trace_value(const struct sam_trace *trace, const char *name, const uint8_t *data,
                     size_t length) {
    if (trace == NULL)
        return;
    const struct sam_field field = {name, 0, length, NULL, SAM_AS_BYTES};
    sam_show_field(trace->out, &field, data);
}

void sam_trace_secret(const struct sam_trace *trace, const char *name, size_t length) {
    if (trace != NULL)
        fprintf(trace->out, "%13zu  %-16s secret\n", length, name);
}
