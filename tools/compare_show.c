/* What a comparison found, for people, spreadsheets and programs. */
#include "compare.h"

#include "net.h"

/* Seven columns hold microseconds up to 10 seconds, and seconds for much longer than a day. */
static const char *in_seven(char out[8], int64_t microseconds) {
    int64_t seconds = microseconds / SAM_SECOND;
    if (microseconds <= 9999999)
        snprintf(out, 8, "%d", (int)microseconds);
    else
        snprintf(out, 8, "%d s", seconds <= 99999 ? (int)seconds : 99999);
    return out;
}

static void show_row(FILE *out, const struct sam_compare_row *row) {
    char seal[16], open[16], seal_time[8], open_time[8];
    fprintf(out, "%8lu %4u ", (unsigned long)row->message, row->mode->number);
    if (row->over_limit) {
        fprintf(out, "  over its limit of %lu bytes\n", (unsigned long)row->mode->max_message);
        return;
    }
    snprintf(seal, sizeof seal, "%u+%u", (unsigned)row->seal.private_operations,
             (unsigned)row->seal.public_operations);
    snprintf(open, sizeof open, "%u+%u", (unsigned)row->open.private_operations,
             (unsigned)row->open.public_operations);
    fprintf(out, "%6zu %5zu %8zu %4zu %8zu %6s %6s %7s %7s\n", row->bytes.header, row->bytes.rsa,
            row->bytes.aes, row->bytes.signature, row->bytes.total, seal, open,
            in_seven(seal_time, row->seal_microseconds),
            in_seven(open_time, row->open_microseconds));
}

static void show_legend(FILE *out, const struct sam_comparison *comparison) {
    fprintf(out,
            "\n"
            "RSA   mode 1: the letter (%d bytes of salt, then the message) in OAEP blocks of\n"
            "      %zu bytes, each for %zu of the letter; mode 2: a wrapped AES key\n"
            "AES   mode 2: nonce, encrypted letter and tag\n"
            "sign  the signature: mode 1 in clear, mode 2 inside the ciphertext\n"
            "header + RSA + AES + sign = total\n"
            "RSA operations: with a private key + with a public one. Times: medians of up\n"
            "to %d runs, measured just now, without a network.\n",
            SAM_SALT_SIZE, comparison->block_length, comparison->block_length - SAM_OAEP_OVERHEAD,
            SAM_COMPARE_RUNS);
}

static void show_quicker(FILE *out, const struct sam_comparison *comparison, bool opening) {
    uint32_t measured, from = sam_compare_quicker(comparison, opening, &measured);
    if (measured == SAM_COMPARE_NEVER)
        return;
    fprintf(out, "  time to %s       ", opening ? "open" : "seal");
    if (from == SAM_COMPARE_NEVER)
        fprintf(out, "mode 2 is not quicker at %lu bytes, the largest in both\n",
                (unsigned long)measured);
    else
        fprintf(out, "mode 2 is quicker from %lu bytes on, of the sizes above\n",
                (unsigned long)from);
}

static void show_crossings(FILE *out, const struct sam_comparison *comparison) {
    size_t signature = comparison->signature_length, block = comparison->block_length;
    struct sam_compare_crossing total = sam_compare_cross(SAM_COMPARE_TOTAL, signature, block);
    struct sam_compare_crossing rsa = sam_compare_cross(SAM_COMPARE_RSA, signature, block);
    fprintf(out,
            "\nWhere the modes cross, with these keys\n"
            "  bytes on the wire  mode 2 needs fewer at %lu bytes for the first time, and\n"
            "                     from %lu on always; in between, mode 1's last block\n"
            "                     decides: it costs the same full or empty\n"
            "  RSA operations     mode 1 needs more from %lu bytes on\n",
            (unsigned long)total.first, (unsigned long)total.always, (unsigned long)rsa.always);
    show_quicker(out, comparison, false);
    show_quicker(out, comparison, true);
}

void sam_compare_show(FILE *out, const struct sam_comparison *comparison, bool brief) {
    fprintf(out,
            "One message in both modes, RSA keys of %zu bits\n\n"
            "%42s%21s%16s\n"
            " message mode header   RSA      AES sign    total   seal   open    seal    open\n",
            comparison->block_length * 8, "bytes on the wire", "RSA operations", "microseconds");
    for (size_t i = 0; i < comparison->count; i++)
        show_row(out, &comparison->rows[i]);
    if (!brief)
        show_legend(out, comparison);
    show_crossings(out, comparison);
}

static const char *const columns[] = {
    "message",     "mode",         "name",        "bits",      "limit",   "over_limit",
    "header",      "rsa",          "aes",         "signature", "total",   "seal_private",
    "seal_public", "open_private", "open_public", "seal_us",   "open_us", "runs"};
enum { COLUMNS = sizeof columns / sizeof columns[0], NAME = 2, OVER_LIMIT = 5 };

/* A column's text; "" where it was not measured. */
static const char *cell(char out[24], const struct sam_comparison *comparison,
                        const struct sam_compare_row *row, size_t column) {
    const uint64_t numbers[COLUMNS] = {
        row->message,
        row->mode->number,
        0, /* NAME */
        comparison->block_length * 8,
        row->mode->max_message,
        0, /* OVER_LIMIT */
        row->bytes.header,
        row->bytes.rsa,
        row->bytes.aes,
        row->bytes.signature,
        row->bytes.total,
        row->seal.private_operations,
        row->seal.public_operations,
        row->open.private_operations,
        row->open.public_operations,
        (uint64_t)row->seal_microseconds,
        (uint64_t)row->open_microseconds,
        row->runs,
    };
    if (column == NAME)
        return row->mode->name;
    if (column == OVER_LIMIT)
        return row->over_limit ? "true" : "false";
    if (column > OVER_LIMIT && row->over_limit)
        return "";
    snprintf(out, 24, "%llu", (unsigned long long)numbers[column]);
    return out;
}

void sam_compare_csv(FILE *out, const struct sam_comparison *comparison) {
    char text[24];
    for (size_t c = 0; c < COLUMNS; c++)
        fprintf(out, "%s%s", c > 0 ? "," : "", columns[c]);
    fputs("\r\n", out);
    for (size_t i = 0; i < comparison->count; i++) {
        for (size_t c = 0; c < COLUMNS; c++)
            fprintf(out, "%s%s", c > 0 ? "," : "", cell(text, comparison, &comparison->rows[i], c));
        fputs("\r\n", out);
    }
}

void sam_compare_json(FILE *out, const struct sam_comparison *comparison) {
    char text[24];
    fputc('[', out);
    for (size_t i = 0; i < comparison->count; i++) {
        fprintf(out, "%s\n{", i > 0 ? "," : "");
        for (size_t c = 0; c < COLUMNS; c++) {
            const char *value = cell(text, comparison, &comparison->rows[i], c);
            const char *quote = c == NAME ? "\"" : "";
            fprintf(out, "%s\"%s\": %s%s%s", c > 0 ? ", " : "", columns[c], quote,
                    value[0] != '\0' ? value : "null", quote);
        }
        fputc('}', out);
    }
    fputs("\n]\n", out);
}
