#include "letters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1024 * 1024, SMALL = 100, BITS_STEP = 1024 };

/* A message in its place in an envelope, its memory in use already. */
static void write_letter(struct letter *letter) {
    sam_envelope_free(&letter->sealed);
    must_be_ok(sam_envelope_start(&letter->sealed, &letter->client, &letter->parties->server,
                                  letter->length),
               "seal");
    memset(letter->sealed.message, 'a', letter->length);
}

static void seal(struct letter *letter) {
    const struct sam_address address = {.kind = SAM_KIND_SEND, .reference = {1}};
    must_be_ok(
        sam_envelope_seal(&letter->sealed, &letter->client, &letter->parties->server, &address),
        "seal");
}

static void open_it(struct letter *letter) {
    const struct sam_key *sender;
    const struct sam_expectation expected = {
        .trusted = &letter->parties->trusted,
        .kinds = SAM_KINDS_OF_CLIENT,
        .reference = {1},
        .max_message = letter->client.mode->max_message,
    };
    must_be_ok(sam_envelope_accept(&letter->opened, &sender, &letter->server, &expected), "open");
}

/* What was sealed arrives where it will be opened. */
static void deliver(struct letter *letter) {
    struct sam_bytes *to = &letter->opened.bytes;
    const struct sam_bytes *from = &letter->sealed.bytes;
    must_be_ok(sam_bytes_reserve(to, from->length), "memory");
    memcpy(to->data, from->data, from->length);
    to->length = from->length;
}

void letter_open(struct letter *letter, const struct sam_mode *mode, unsigned bits, size_t length,
                 bool with_bulk) {
    const struct parties *parties = parties_of(bits);
    *letter = (struct letter){.parties = parties, .length = length, .blocks = 1};
    letter->raw = raw_new(parties);
    letter->client = (struct sam_party){mode, parties->crypto, &parties->client, NULL};
    letter->server = (struct sam_party){mode, parties->crypto, &parties->server, NULL};
    if (mode->number == 1) {
        size_t chunk = sam_rsa_size(parties->server.rsa) - SAM_OAEP_OVERHEAD;
        letter->blocks = (SAM_SALT_SIZE + length + chunk - 1) / chunk;
    }
    if (with_bulk) {
        letter->bulk = calloc(1, length);
        must(letter->bulk != NULL, "memory");
    }
    write_letter(letter);
    seal(letter);
    deliver(letter);
    open_it(letter);
}

void letter_close(struct letter *letter) {
    sam_envelope_free(&letter->sealed);
    sam_envelope_free(&letter->opened);
    raw_free(letter->raw);
    free(letter->bulk);
}

static double rate(struct letter *letter, double seconds, bool sealing, bool opening) {
    double spent = 0;
    unsigned count = 0;
    while (spent < seconds) {
        if (sealing) {
            write_letter(letter);
            double begun = seconds_worked();
            seal(letter);
            spent += seconds_worked() - begun;
        }
        if (opening) {
            deliver(letter);
            double begun = seconds_worked();
            open_it(letter);
            spent += seconds_worked() - begun;
        }
        count++;
    }
    return count / spent;
}

double seals_and_opens(void *context, double seconds) {
    return rate(context, seconds, true, true);
}

double seals(void *context, double seconds) {
    return rate(context, seconds, true, false);
}

double opens(void *context, double seconds) {
    return rate(context, seconds, false, true);
}

/* What sealing and opening contain, and nothing around it. */
static double raw_both(void *context, double seconds) {
    struct letter *letter = context;
    double begun = seconds_worked(), spent = 0;
    unsigned count = 0;
    while (spent < seconds) {
        raw_private(letter->raw);
        raw_public(letter->raw);
        if (letter->bulk != NULL)
            raw_seal_bytes(letter->raw, letter->bulk, letter->length);
        raw_private(letter->raw);
        raw_public(letter->raw);
        if (letter->bulk != NULL)
            raw_open_bytes(letter->raw, letter->bulk, letter->length);
        spent = seconds_worked() - begun;
        count++;
    }
    return count / spent;
}

/* The private operations of opening alone. */
static double raw_blocks(void *context, double seconds) {
    struct letter *letter = context;
    double begun = seconds_worked(), spent = 0;
    unsigned count = 0;
    while (spent < seconds) {
        for (size_t i = 0; i < letter->blocks; i++)
            raw_private(letter->raw);
        spent = seconds_worked() - begun;
        count++;
    }
    return count / spent;
}

void small_group(void) {
    static const struct sam_mode *const modes[] = {&sam_mode_asymmetric_only,
                                                   &sam_mode_asymmetric_symmetric};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        for (unsigned bits = SAM_RSA_BITS_MIN; bits <= SAM_RSA_BITS_MAX; bits += BITS_STEP) {
            struct letter letter;
            char id[32], words[80];
            snprintf(id, sizeof id, "small.mode%d.%u", modes[i]->number, bits);
            snprintf(words, sizeof words, "seal and open 100 B, mode %d, RSA %u", modes[i]->number,
                     bits);
            letter_open(&letter, modes[i], bits, SMALL, false);
            figure_tell(&(struct figure){id, words, 0.95, NULL, seals_and_opens, raw_both, &letter},
                        pace_of(35, 0.04));
            letter_close(&letter);
        }
}

void big_group(void) {
    static const size_t mebibytes[] = {1, 16};
    for (size_t i = 0; i < sizeof mebibytes / sizeof mebibytes[0]; i++) {
        struct letter letter;
        char id[32], words[80];
        snprintf(id, sizeof id, "big.%zuMiB", mebibytes[i]);
        snprintf(words, sizeof words, "seal and open %zu MiB, mode 2, RSA 3072", mebibytes[i]);
        letter_open(&letter, &sam_mode_asymmetric_symmetric, SAM_RSA_BITS_DEFAULT,
                    mebibytes[i] * MIB, true);
        figure_tell(&(struct figure){id, words, 0.93, NULL, seals_and_opens, raw_both, &letter},
                    pace_of(25, 0.06));
        letter_close(&letter);
    }
}

void blocks_group(void) {
    for (unsigned bits = SAM_RSA_BITS_MIN; bits <= SAM_RSA_BITS_MAX; bits += BITS_STEP) {
        struct letter letter;
        char id[32], words[80];
        letter_open(&letter, &sam_mode_asymmetric_only, bits, sam_mode_asymmetric_only.max_message,
                    false);
        snprintf(id, sizeof id, "blocks.%u", bits);
        snprintf(words, sizeof words, "open 16 KiB, mode 1, RSA %u: %zu blocks", bits,
                 letter.blocks);
        figure_tell(&(struct figure){id, words, 0.97, NULL, opens, raw_blocks, &letter},
                    pace_of(25, 0.06));
        letter_close(&letter);
    }
}
