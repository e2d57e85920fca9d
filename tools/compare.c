#include "compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "sam.h"

/* As many runs as fit into some time, but enough that one disturbed run is not the median. */
enum { RUNS_MIN = 3, RUNS_TIME = 100000 /* us for each size and mode */ };

static void count_part(struct sam_compare_bytes *bytes, const struct sam_field *part) {
    if (strcmp(part->name, "OAEP block") == 0 || strcmp(part->name, "wrapped key") == 0) {
        bytes->rsa += part->size;
        bytes->blocks++;
    } else if (strcmp(part->name, "signature") == 0) {
        bytes->signature += part->size;
    } else {
        bytes->aes += part->size;
    }
}

struct sam_compare_bytes sam_compare_count(const struct sam_mode *mode, size_t message,
                                           size_t signature_length, size_t block_length) {
    struct sam_layout at = mode->layout(SAM_SALT_SIZE + message, signature_length, block_length);
    struct sam_header header = {
        .mode = mode->number,
        .signature_length = (uint16_t)signature_length,
        .block_length = (uint16_t)block_length,
        .body_length = (uint32_t)at.length,
    };
    struct sam_compare_bytes bytes = {.header = SAM_HEADER_SIZE,
                                      .total = SAM_HEADER_SIZE + at.length};
    struct sam_field part;
    for (size_t i = 0; mode->part(&header, i, &part); i++)
        count_part(&bytes, &part);
    if (bytes.signature == 0) { /* it is no part of its own: it is encrypted with the letter */
        bytes.aes -= signature_length;
        bytes.signature = signature_length;
    }
    return bytes;
}

struct sam_compare_crossing sam_compare_cross(enum sam_compare_cost cost, size_t signature_length,
                                              size_t block_length) {
    struct sam_compare_crossing crossing = {.first = UINT32_MAX, .always = 0};
    for (uint32_t message = 0; message <= sam_modes[0]->max_message; message++) {
        struct sam_compare_bytes one =
            sam_compare_count(sam_modes[0], message, signature_length, block_length);
        struct sam_compare_bytes two =
            sam_compare_count(sam_modes[1], message, signature_length, block_length);
        bool less = cost == SAM_COMPARE_TOTAL ? two.total < one.total : two.blocks < one.blocks;
        if (!less)
            crossing.always = message + 1;
        else if (message < crossing.first)
            crossing.first = message;
    }
    return crossing;
}

/* Reads the digits up to a comma or the end; false when that is no size. */
static bool read_size(uint32_t *size, const char *text, size_t length) {
    *size = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *size = *size * 10 + (uint32_t)(text[i] - '0');
        if (*size > SAM_COMPARE_LARGEST)
            return false;
    }
    return length > 0;
}

bool sam_compare_read_sizes(struct sam_compare_sizes *sizes, const char *text) {
    char what[96];
    sizes->count = 0;
    for (;; text++) {
        struct sam_where word;
        size_t length = strcspn(text, ",");
        sam_where_set(&word, "%.*s", (int)(length < sizeof word.text ? length : sizeof word.text),
                      text);
        if (sizes->count == SAM_COMPARE_SIZES) {
            snprintf(what, sizeof what, "--sizes takes at most %d numbers; one too many is",
                     SAM_COMPARE_SIZES);
            return sam_arguments_complain("sam", what, word.text);
        }
        if (!read_size(&sizes->items[sizes->count++], text, length)) {
            snprintf(what, sizeof what, "--sizes takes numbers from 0 to %d, a comma between, not",
                     SAM_COMPARE_LARGEST);
            return sam_arguments_complain("sam", what, word.text);
        }
        text += length;
        if (*text == '\0')
            return true;
    }
}

struct sam_compare_sizes sam_compare_default_sizes(size_t signature_length, size_t block_length) {
    struct sam_compare_crossing at =
        sam_compare_cross(SAM_COMPARE_TOTAL, signature_length, block_length);
    return (struct sam_compare_sizes){{0, 100, at.first - 1, at.first, at.always - 1, at.always,
                                       4096, 16 * 1024, 64 * 1024, 1024 * 1024,
                                       SAM_COMPARE_LARGEST},
                                      11};
}

struct ends {
    struct sam_party sealer, opener;
    struct sam_ring trusted;
};

static struct sam_rsa_count since(struct sam_crypto *crypto, const struct sam_rsa_count *before) {
    struct sam_rsa_count now = sam_crypto_count(crypto);
    return (struct sam_rsa_count){now.private_operations - before->private_operations,
                                  now.public_operations - before->public_operations};
}

/* Seals and opens row's message once. Memory is there, and touched, before the clock starts. */
static enum sam_status run(struct sam_compare_row *row, const struct ends *ends) {
    static const struct sam_address address = {.kind = SAM_KIND_SEND};
    struct sam_expectation expected = {.trusted = &ends->trusted,
                                       .kinds = SAM_KINDS_OF_CLIENT,
                                       .max_message = row->mode->max_message};
    struct sam_crypto *crypto = ends->sealer.crypto;
    struct sam_envelope envelope;
    const struct sam_key *sender;
    enum sam_status status =
        sam_envelope_start(&envelope, &ends->sealer, ends->opener.own, row->message);
    if (status != SAM_OK)
        return status;
    memset(envelope.message, 'm', envelope.message_length);
    struct sam_rsa_count before = sam_crypto_count(crypto);
    int64_t start = sam_now();
    status = sam_envelope_seal(&envelope, &ends->sealer, ends->opener.own, &address);
    row->seal_microseconds = sam_now() - start;
    row->seal = since(crypto, &before);
    if (status == SAM_OK) {
        before = sam_crypto_count(crypto);
        start = sam_now();
        status = sam_envelope_accept(&envelope, &sender, &ends->opener, &expected);
        row->open_microseconds = sam_now() - start;
        row->open = since(crypto, &before);
    }
    sam_envelope_free(&envelope);
    return status;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t median(int64_t *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static enum sam_status measure_row(struct sam_compare_row *row, const struct ends *ends) {
    int64_t sealing[SAM_COMPARE_RUNS] = {0}, opening[SAM_COMPARE_RUNS] = {0}, spent = 0;
    while (row->runs < SAM_COMPARE_RUNS && (row->runs < RUNS_MIN || spent < RUNS_TIME)) {
        enum sam_status status = run(row, ends);
        if (status != SAM_OK)
            return status;
        sealing[row->runs] = row->seal_microseconds;
        opening[row->runs] = row->open_microseconds;
        spent += row->seal_microseconds + row->open_microseconds;
        row->runs++;
    }
    row->seal_microseconds = median(sealing, row->runs);
    row->open_microseconds = median(opening, row->runs);
    return SAM_OK;
}

enum sam_status sam_compare_measure(struct sam_comparison *out, struct sam_crypto *crypto,
                                    const struct sam_key *sender, const struct sam_key *recipient,
                                    const struct sam_compare_sizes *sizes,
                                    struct sam_where *where) {
    struct sam_key known = *sender; /* borrowed: this ring is never freed */
    *out = (struct sam_comparison){.signature_length = sam_rsa_size(sender->rsa),
                                   .block_length = sam_rsa_size(recipient->rsa)};
    for (size_t i = 0; i < sizes->count * SAM_MODES; i++) {
        struct sam_compare_row *row = &out->rows[out->count++];
        row->mode = sam_modes[i % SAM_MODES];
        row->message = sizes->items[i / SAM_MODES];
        row->over_limit = row->message > row->mode->max_message;
        if (row->over_limit)
            continue;
        struct ends ends = {
            .sealer = {.mode = row->mode, .crypto = crypto, .own = sender},
            .opener = {.mode = row->mode, .crypto = crypto, .own = recipient},
            .trusted = {&known, 1},
        };
        row->bytes =
            sam_compare_count(row->mode, row->message, out->signature_length, out->block_length);
        sam_where_set(where, "mode %u, a message of %lu bytes", row->mode->number,
                      (unsigned long)row->message);
        enum sam_status status = measure_row(row, &ends);
        if (status != SAM_OK)
            return status;
    }
    return SAM_OK;
}

static bool is_quicker(const struct sam_compare_row *two, const struct sam_compare_row *one,
                       bool opening) {
    int64_t mode_1 = opening ? one->open_microseconds : one->seal_microseconds;
    int64_t mode_2 = opening ? two->open_microseconds : two->seal_microseconds;
    return mode_2 < mode_1 - mode_1 / 20;
}

static bool in_both(const struct sam_compare_row *rows) {
    return !rows[0].over_limit && !rows[1].over_limit;
}

uint32_t sam_compare_quicker(const struct sam_comparison *comparison, bool opening,
                             uint32_t *measured) {
    const struct sam_compare_row *rows = comparison->rows;
    int64_t largest = -1, slower = -1; /* the largest size at which mode 2 is not quicker */
    uint32_t from = SAM_COMPARE_NEVER;
    for (size_t i = 0; i + 1 < comparison->count; i += SAM_MODES) {
        int64_t size = rows[i].message;
        if (!in_both(rows + i))
            continue;
        largest = size > largest ? size : largest;
        if (size > slower && !is_quicker(&rows[i + 1], &rows[i], opening))
            slower = size;
    }
    for (size_t i = 0; i + 1 < comparison->count; i += SAM_MODES)
        if (in_both(rows + i) && rows[i].message > slower && rows[i].message < from)
            from = rows[i].message;
    *measured = largest < 0 ? SAM_COMPARE_NEVER : (uint32_t)largest;
    return from;
}

static enum sam_status make_pair(struct sam_key *pair, struct sam_crypto *crypto, const char *name,
                                 unsigned bits) {
    snprintf(pair->name, sizeof pair->name, "%s", name);
    enum sam_status status = sam_rsa_generate(&pair->rsa, bits);
    return status == SAM_OK ? sam_rsa_id(pair->rsa, crypto, pair->id) : status;
}

/* Makes the keys, measures, and wipes the keys again. No sizes: the default ones. */
static enum sam_status compare(struct sam_comparison *out, unsigned bits,
                               struct sam_compare_sizes *sizes, struct sam_where *where) {
    struct sam_crypto *crypto;
    struct sam_key sender = {0}, recipient = {0};
    sam_where_set(where, "keys of %u bits", bits);
    enum sam_status status = sam_crypto_new(&crypto);
    if (status == SAM_OK)
        status = make_pair(&sender, crypto, "sender", bits);
    if (status == SAM_OK)
        status = make_pair(&recipient, crypto, "recipient", bits);
    if (status == SAM_OK && sizes->count == 0)
        *sizes = sam_compare_default_sizes(sam_rsa_size(sender.rsa), sam_rsa_size(recipient.rsa));
    if (status == SAM_OK)
        status = sam_compare_measure(out, crypto, &sender, &recipient, sizes, where);
    sam_key_free(&sender);
    sam_key_free(&recipient);
    sam_crypto_free(crypto);
    return status;
}

/* False, having said why, when the options do not go together. */
static bool read_options(const struct sam_tool_options *options, struct sam_compare_sizes *sizes) {
    if (options->csv && options->json)
        return sam_arguments_complain("sam", "--csv and --json: choose one of them", NULL);
    if (options->bits % 8 != 0) {
        char word[16];
        snprintf(word, sizeof word, "%lu", (unsigned long)options->bits);
        return sam_arguments_complain("sam", "--bits takes numbers in steps of 8, not", word);
    }
    return options->sizes == NULL || sam_compare_read_sizes(sizes, options->sizes);
}

enum sam_exit sam_tool_compare(const struct sam_tool *tool) {
    const struct sam_tool_options *options = &tool->options;
    struct sam_compare_sizes sizes = {.count = 0};
    struct sam_comparison comparison;
    struct sam_where where;
    if (!read_options(options, &sizes))
        return SAM_EXIT_USAGE;
    if (!options->quiet)
        fprintf(stderr,
                "%s: making two key pairs of %lu bits for this alone; no key file is touched\n",
                tool->talk.program, (unsigned long)options->bits);
    enum sam_status status = compare(&comparison, options->bits, &sizes, &where);
    if (status != SAM_OK)
        return sam_complain(&tool->talk, &where, status);
    errno = 0;
    if (options->csv)
        sam_compare_csv(stdout, &comparison);
    else if (options->json)
        sam_compare_json(stdout, &comparison);
    else
        sam_compare_show(stdout, &comparison, options->quiet);
    bool written = !ferror(stdout);
    written &= fflush(stdout) == 0;
    static const struct sam_where output = {"standard output"};
    return written ? SAM_EXIT_OK : sam_complain(&tool->talk, &output, SAM_FILE_WRITE);
}
