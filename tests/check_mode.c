/* What a mode promises of its own functions, and what an envelope costs and shows. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sealing.h"

/* Fills possible[L] for every L that a letter of at most limit bytes gets from layout, and returns
 * the longest. */
static size_t produce(const struct sam_mode *mode, size_t signature, size_t block, size_t limit,
                      bool *possible, size_t size) {
    size_t longest = 0;
    memset(possible, 0, size * sizeof *possible);
    for (size_t message = 0; message <= limit; message++) {
        struct sam_layout at = mode->layout(SAM_SALT_SIZE + message, signature, block);
        longest = at.length > longest ? at.length : longest;
        if (at.length < size)
            possible[at.length] = true;
    }
    ck_assert_uint_lt(longest, size);
    return longest;
}

static size_t count_disagreements(const struct sam_mode *mode, size_t signature, size_t block,
                                  size_t limit) {
    static bool possible[4096];
    size_t wrong = 0, size = sizeof possible / sizeof possible[0];
    size_t longest = produce(mode, signature, block, limit, possible, size);
    struct sam_header header = {.signature_length = (uint16_t)signature,
                                .block_length = (uint16_t)block};
    for (size_t length = 0; length < size && length < longest + 2 * block; length++) {
        header.body_length = (uint32_t)length;
        wrong += mode->fits(&header, (uint32_t)limit) != possible[length];
    }
    return wrong;
}

START_TEST(fits_takes_exactly_the_lengths_that_layout_produces) {
    static const size_t signatures[] = {256, 257, 320, 384, 511, 512};
    size_t wrong = 0;
    for (size_t block = 256; block <= 512; block += block == 511 ? 1 : 3) {
        size_t first = block - SAM_OAEP_OVERHEAD - SAM_SALT_SIZE;
        const size_t limits[] = {0, 1, first - 1, first, first + 1, 700};
        for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++)
            for (size_t k = 0; k < sizeof limits / sizeof limits[0]; k++)
                wrong += count_disagreements(modes[_i], signatures[i], block, limits[k]);
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* Where an intermediate result of 32 bits would wrap. */
START_TEST(fits_is_right_at_the_ends_of_32_bits) {
    const struct sam_mode *mode = modes[_i];
    struct sam_header header = {.signature_length = 512, .block_length = 256};
    struct sam_layout at = mode->layout(SAM_SALT_SIZE + (size_t)SAM_MESSAGE_LIMIT, 512, 256);
    ck_assert_uint_lt(at.length, UINT32_MAX);
    header.body_length = (uint32_t)at.length;
    ck_assert(mode->fits(&header, SAM_MESSAGE_LIMIT));
    ck_assert(mode->fits(&header, UINT32_MAX));
    ck_assert(!mode->fits(&header, 0));
    header.body_length += mode->number == 1 ? 256 : 1;
    ck_assert(!mode->fits(&header, SAM_MESSAGE_LIMIT));
    header.body_length = UINT32_MAX;
    ck_assert(!mode->fits(&header, SAM_MESSAGE_LIMIT));
    /* 2^32 - 1 bytes: possible in mode 2, and not n blocks of 256 with 512 in mode 1 */
    ck_assert(mode->fits(&header, UINT32_MAX) == (mode->number == 2));
    header.body_length = 0;
    ck_assert(!mode->fits(&header, UINT32_MAX));
}
END_TEST

START_TEST(layout_keeps_letter_and_signature_inside_the_body_and_apart) {
    for (size_t letter = SAM_SALT_SIZE; letter < 3000; letter++) {
        struct sam_layout at = modes[_i]->layout(letter, 257, 300);
        ck_assert_uint_eq(at.letter_length, letter);
        ck_assert_uint_le(at.letter + letter, at.signature);
        ck_assert_uint_le(at.signature + 257, at.length);
    }
}
END_TEST

START_TEST(parts_cover_the_body_without_gap_or_overlap) {
    static const char *const names[2][4] = {{"OAEP block", "OAEP block", "OAEP block", "signature"},
                                            {"wrapped key", "nonce", "ciphertext", "tag"}};
    const struct sam_mode *mode = modes[_i];
    for (size_t message = 0; message < 2000; message++) {
        struct sam_layout at = mode->layout(SAM_SALT_SIZE + message, 320, 264);
        struct sam_header header = {
            .signature_length = 320, .block_length = 264, .body_length = (uint32_t)at.length};
        size_t next = SAM_HEADER_SIZE, count = 0;
        struct sam_field part;
        for (; mode->part(&header, count, &part); count++) {
            ck_assert_uint_eq(part.offset, next);
            ck_assert_uint_gt(part.size, 0);
            ck_assert_ptr_nonnull(part.meaning);
            next += part.size;
        }
        ck_assert_uint_eq(next, SAM_HEADER_SIZE + at.length);
        ck_assert_uint_eq(count, mode->number == 1 ? (SAM_SALT_SIZE + message + 197) / 198 + 1 : 4);
        ck_assert(!mode->part(&header, count + 1, &part));
        ck_assert(!mode->part(&header, SIZE_MAX, &part));
    }
    struct sam_header four = {.signature_length = 320, .block_length = 264};
    four.body_length = 3 * 264 + 320;
    for (size_t i = 0; i < 4; i++) {
        struct sam_field part;
        ck_assert(mode->part(&four, i, &part));
        ck_assert_str_eq(part.name, names[_i][i]);
    }
}
END_TEST

/* Computed elsewhere: header is 00 01 .. 7f, salt is 80 81 .. 8f. */
START_TEST(label_is_as_defined) {
    static const uint8_t of_header[] = {0x47, 0x1f, 0xb9, 0x43, 0xaa, 0x23, 0xc5, 0x11, 0xf6,
                                        0xf7, 0x2f, 0x8d, 0x16, 0x52, 0xd9, 0xc8, 0x80, 0xcf,
                                        0xa3, 0x92, 0xad, 0x80, 0x50, 0x31, 0x20, 0x54, 0x77,
                                        0x03, 0xe5, 0x6a, 0x2b, 0xe5, 0x00, 0x00, 0x00, 0x00};
    static const uint8_t of_both[] = {0x66, 0xf9, 0x52, 0xa8, 0x33, 0x39, 0x27, 0x4e, 0xb2,
                                      0x87, 0xb6, 0x4e, 0xf7, 0xb0, 0x28, 0xd8, 0x89, 0x15,
                                      0xac, 0x6d, 0xf0, 0x6a, 0x18, 0x3f, 0x7c, 0x04, 0x36,
                                      0xfa, 0x2b, 0x25, 0x10, 0x7b, 0x01, 0x02, 0x03, 0x04};
    uint8_t header[SAM_HEADER_SIZE], salt[SAM_SALT_SIZE], label[SAM_LABEL_SIZE];
    for (unsigned i = 0; i < sizeof header; i++)
        header[i] = (uint8_t)i;
    for (unsigned i = 0; i < sizeof salt; i++)
        salt[i] = (uint8_t)(0x80 + i);
    ck_status(sam_label(people.crypto, label, header, NULL, 0), SAM_OK);
    ck_assert_mem_eq(label, of_header, sizeof label);
    ck_status(sam_label(people.crypto, label, header, salt, 0x01020304), SAM_OK);
    ck_assert_mem_eq(label, of_both, sizeof label);
}
END_TEST

static void assert_cost(const struct sam_rsa_count *before, uint64_t private_operations,
                        uint64_t public_operations) {
    struct sam_rsa_count after = sam_crypto_count(people.crypto);
    ck_assert_uint_eq(after.private_operations - before->private_operations, private_operations);
    ck_assert_uint_eq(after.public_operations - before->public_operations, public_operations);
}

/* alice's blocks hold 190 bytes. Mode 1 pays for each, mode 2 once. */
START_TEST(envelope_costs_the_rsa_operations_that_its_mode_tells) {
    static const size_t lengths[] = {0, 174, 175, 364, 365, 5000};
    static const uint64_t blocks[] = {1, 1, 2, 2, 3, 27};
    struct sam_party opener = party(modes[_i], &people.alice);
    struct sam_expectation expected = expectation();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint64_t n = _i == 0 ? blocks[i] : 1;
        struct sam_rsa_count before = sam_crypto_count(people.crypto);
        struct sam_envelope envelope = seal(modes[_i], &people.bob, &people.alice, lengths[i]);
        assert_cost(&before, 1, n);
        struct sam_envelope altered = copy_of(&envelope), late = copy_of(&envelope);
        before = sam_crypto_count(people.crypto);
        assert_opens(&envelope, &opener, &expected, &people.bob, lengths[i]);
        assert_cost(&before, n, 1);
        before = sam_crypto_count(people.crypto);
        altered.bytes.data[SAM_HEADER_SIZE] ^= 1; /* mode 1 may stop at its first bad block */
        assert_refused(&altered, &opener, &expected, SAM_DECRYPT);
        assert_cost(&before, 1, 0);
        /* A bad header costs nothing, nor does a body that is not there. */
        before = sam_crypto_count(people.crypto);
        struct sam_envelope cut = copy_of(&late);
        cut.bytes.length--;
        assert_refused(&cut, &opener, &expected, SAM_TRUNCATED);
        expected.sequence++;
        assert_refused(&late, &opener, &expected, SAM_ORDER);
        expected.sequence--;
        assert_cost(&before, 0, 0);
    }
}
END_TEST

/* A trace without its white space: a hexdump's lines then run together into plain hex. */
static struct sam_bytes squeeze(const char *traced, size_t length) {
    struct sam_bytes squeezed = {0};
    for (size_t i = 0; i < length; i++)
        if (!isspace((unsigned char)traced[i]))
            ck_status(sam_bytes_append(&squeezed, traced + i, 1), SAM_OK);
    return squeezed;
}

/* Whether six bytes of the secret in a row stand in the trace, as they are or as hex. */
static bool shows(const char *traced, size_t length, const uint8_t *secret, size_t size) {
    struct sam_bytes squeezed = squeeze(traced, length);
    bool found = false;
    for (size_t i = 0; i + 6 <= size && !found; i++) {
        char hex[13];
        for (size_t k = 0; k < 6; k++)
            snprintf(hex + 2 * k, 3, "%02x", secret[i + k]);
        found = contains(squeezed.data, squeezed.length, hex, 12);
        for (char *digit = hex; *digit != '\0'; digit++)
            *digit = (char)toupper((unsigned char)*digit);
        found = found || contains(squeezed.data, squeezed.length, hex, 12) ||
                contains(traced, length, secret + i, 6);
    }
    sam_bytes_free(&squeezed);
    return found;
}

START_TEST(trace_of_sealing_and_opening_shows_no_secret) {
    char *traced = NULL;
    size_t length = 0;
    struct sam_trace trace = {.out = open_memstream(&traced, &length)};
    ck_assert_ptr_nonnull(trace.out);
    struct sam_party sealer = party(modes[_i], &people.alice);
    struct sam_party opener = party(modes[_i], &people.bob);
    sealer.trace = opener.trace = &trace;
    struct sam_expectation expected = expectation();
    struct sam_envelope envelope = seal_by(&sealer, &people.bob, 400, SAM_KIND_SEND);
    struct secrets secrets = secrets_of(modes[_i], &people.bob, &envelope);
    struct sam_envelope altered = copy_of(&envelope), forged = copy_of(&envelope);
    altered.bytes.data[SAM_HEADER_SIZE + 500] ^= 1;
    assert_opens(&envelope, &opener, &expected, &people.alice, 400);
    assert_refused(&altered, &opener, &expected, SAM_DECRYPT);
    ck_status(sam_envelope_open(&forged, &opener, &people.mallory, 400), SAM_SIGNATURE);
    fflush(trace.out);
    ck_assert(contains(traced, length, "secret", 6));
    ck_assert(contains(traced, length, "alice", 5));
    ck_assert(!shows(traced, length, secrets.letter.data, secrets.letter.length));
    if (modes[_i]->number == 2) {
        ck_assert(!shows(traced, length, secrets.key, SAM_GCM_KEY_SIZE));
        ck_assert(!shows(traced, length, secrets.signature, 256));
    }
    /* What would be shown would be found. */
    sam_trace_value(&trace, "salt", secrets.letter.data, SAM_SALT_SIZE);
    fflush(trace.out);
    ck_assert(shows(traced, length, secrets.letter.data, SAM_SALT_SIZE));
    fclose(trace.out);
    free(traced);
    sam_bytes_free(&secrets.letter);
    sam_envelope_free(&forged);
}
END_TEST

START_TEST(shown_envelope_names_every_field_and_part_and_no_secret) {
    char *shown = NULL;
    size_t length = 0, count = 0;
    FILE *out = open_memstream(&shown, &length);
    ck_assert_ptr_nonnull(out);
    struct sam_envelope envelope = seal(modes[_i], &people.alice, &people.bob, 100);
    struct secrets secrets = secrets_of(modes[_i], &people.bob, &envelope);
    sam_envelope_show(out, modes[_i], &envelope);
    fclose(out);
    const struct sam_field *fields = sam_unit_fields(SAM_ENVELOPE, &count);
    for (size_t i = 0; i < count; i++)
        ck_assert_ptr_nonnull(strstr(shown, fields[i].name));
    struct sam_field part;
    for (size_t i = 0; modes[_i]->part(&envelope.header, i, &part); i++) {
        ck_assert_ptr_nonnull(strstr(shown, part.name));
        ck_assert(shows(shown, length, envelope.bytes.data + part.offset, part.size));
    }
    ck_assert(!shows(shown, length, secrets.letter.data, secrets.letter.length));
    free(shown);
    sam_bytes_free(&secrets.letter);
    sam_envelope_free(&envelope);
}
END_TEST

TCase *mode_case(void) {
    TCase *tcase = tcase_create("mode");
    tcase_add_unchecked_fixture(tcase, load_sealing, free_people);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, fits_takes_exactly_the_lengths_that_layout_produces, 0, 2);
    tcase_add_loop_test(tcase, fits_is_right_at_the_ends_of_32_bits, 0, 2);
    tcase_add_loop_test(tcase, layout_keeps_letter_and_signature_inside_the_body_and_apart, 0, 2);
    tcase_add_loop_test(tcase, parts_cover_the_body_without_gap_or_overlap, 0, 2);
    tcase_add_test(tcase, label_is_as_defined);
    tcase_add_loop_test(tcase, envelope_costs_the_rsa_operations_that_its_mode_tells, 0, 2);
    tcase_add_loop_test(tcase, trace_of_sealing_and_opening_shows_no_secret, 0, 2);
    tcase_add_loop_test(tcase, shown_envelope_names_every_field_and_part_and_no_secret, 0, 2);
    return tcase;
}
