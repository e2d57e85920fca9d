/* Envelopes altered on the way, by somebody without a key: every bit, every length, every part. */
#include <string.h>

#include "sealing.h"
#include "suites.h"

/* mallory is honest here, and trusted: her key and alice's have 2048 bits, so that thousands of
 * attempts take seconds. */
enum { SIZE = 256, SHORT = 5, LONG = 2000, LIMIT = 16 * 1024, RUN = 512 };

/* Sealed once for each mode. twin has the message and the address of whole. */
static struct sam_envelope brief[2], whole[2], twin[2];

static void load(void) {
    load_sealing();
    for (int i = 0; i < 2; i++) {
        brief[i] = seal(modes[i], &people.mallory, &people.alice, SHORT);
        whole[i] = seal(modes[i], &people.mallory, &people.alice, LONG);
        twin[i] = seal(modes[i], &people.mallory, &people.alice, LONG);
    }
}

static void unload(void) {
    for (int i = 0; i < 2; i++) {
        sam_envelope_free(&brief[i]);
        sam_envelope_free(&whole[i]);
        sam_envelope_free(&twin[i]);
    }
    free_people();
}

/* Takes the envelope over. */
static void assert_noticed(int i, struct sam_envelope *envelope, enum sam_status status) {
    struct sam_party opener = party(modes[i], &people.alice);
    struct sam_expectation expected = expectation();
    expected.kinds = SAM_KINDS_OF_CLIENT;
    expected.max_message = LIMIT;
    assert_refused(envelope, &opener, &expected, status);
}

static void assert_bit_noticed(int i, const struct sam_envelope *original, size_t bit,
                               enum sam_status status) {
    struct sam_envelope altered = copy_of(original);
    altered.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_noticed(i, &altered, status);
}

/* Otherwise what is refused below may be refused for another reason. */
START_TEST(unaltered_envelopes_open) {
    struct sam_party opener = party(modes[_i], &people.alice);
    struct sam_expectation expected = expectation();
    expected.kinds = SAM_KINDS_OF_CLIENT;
    expected.max_message = LIMIT;
    struct sam_envelope copies[] = {copy_of(&brief[_i]), copy_of(&whole[_i]), copy_of(&twin[_i])};
    assert_opens(&copies[0], &opener, &expected, &people.mallory, SHORT);
    assert_opens(&copies[1], &opener, &expected, &people.mallory, LONG);
    assert_opens(&copies[2], &opener, &expected, &people.mallory, LONG);
}
END_TEST

/* docs/protocol.md, section 2, for S, B and L as they stand in a header before length bytes. */
static enum sam_status verdict_on_lengths(int i, const uint8_t *header, uint64_t length) {
    uint64_t s = sam_get16(header + 8), b = sam_get16(header + 10), l = sam_get32(header + 12);
    if (s < 256 || s > 512 || b < 256 || b > 512)
        return SAM_KEY_LENGTHS;
    uint64_t most = (16 + LIMIT + b - 66 - 1) / (b - 66), overhead = b + s + 44;
    bool possible = i == 0 ? l >= s + b && (l - s) % b == 0 && (l - s) / b <= most
                           : l >= overhead && l <= overhead + LIMIT;
    if (!possible)
        return SAM_LENGTH;
    if (s != SIZE || b != SIZE)
        return SAM_KEY_MISMATCH;
    return l > length ? SAM_TRUNCATED : l < length ? SAM_LENGTH : SAM_DECRYPT;
}

/* What each bit of each field must be refused with; SAM_OK where it depends on the bit. */
static const struct {
    const char *name;
    size_t offset, size;
    enum sam_status status;
} fields[] = {
    {"magic", 0, 3, SAM_MAGIC},
    {"type", 3, 1, SAM_TYPE},
    {"version", 4, 1, SAM_VERSION},
    {"mode", 5, 1, SAM_MODE},
    {"kind", 6, 1, SAM_OK},
    {"reserved", 7, 1, SAM_RESERVED},
    {"signature length", 8, 2, SAM_OK},
    {"block length", 10, 2, SAM_OK},
    {"body length", 12, 4, SAM_OK},
    {"sequence", 16, 4, SAM_ORDER},
    {"reserved", 20, 4, SAM_RESERVED},
    {"sent at", 24, 8, SAM_DECRYPT},
    {"message id", 32, 16, SAM_DECRYPT},
    {"reference", 48, 16, SAM_STALE},
    {"sender key id", 64, 32, SAM_STRANGER},
    {"recipient key id", 96, 32, SAM_RECIPIENT},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static enum sam_status verdict_on_bit(int i, const struct sam_envelope *original, size_t field,
                                      size_t bit) {
    if (fields[field].status != SAM_OK)
        return fields[field].status;
    uint8_t header[SAM_HEADER_SIZE];
    memcpy(header, original->bytes.data, sizeof header);
    header[bit / 8] ^= (uint8_t)(1 << bit % 8);
    if (strcmp(fields[field].name, "kind") != 0)
        return verdict_on_lengths(i, header, original->bytes.length - SAM_HEADER_SIZE);
    /* From send to join, which a client may send too: only decryption notices. */
    return header[6] == SAM_KIND_JOIN ? SAM_DECRYPT : SAM_KIND;
}

START_TEST(every_bit_of_every_header_field_is_noticed) {
    size_t field = (size_t)_i / 2, next = 0;
    int i = _i % 2;
    for (size_t k = 0; k < FIELDS; k++) {
        ck_assert_uint_eq(fields[k].offset, next);
        next += fields[k].size;
    }
    ck_assert_uint_eq(next, SAM_HEADER_SIZE);
    const struct sam_envelope *originals[] = {&brief[i], &whole[i]};
    size_t first = 8 * fields[field].offset, end = first + 8 * fields[field].size;
    for (size_t k = 0; k < 2; k++)
        for (size_t bit = first; bit < end; bit++)
            assert_bit_noticed(i, originals[k], bit, verdict_on_bit(i, originals[k], field, bit));
}
END_TEST

/* In mode 1 the signature travels in clear and is looked at last; in mode 2 the tag covers it. */
static enum sam_status verdict_on_body(int i, const struct sam_envelope *original, size_t offset) {
    return i == 0 && offset >= original->bytes.length - SIZE ? SAM_SIGNATURE : SAM_DECRYPT;
}

static void assert_body_bits_noticed(int i, const struct sam_envelope *original, size_t first,
                                     size_t end, size_t step) {
    for (size_t bit = first; bit < end; bit += step) {
        size_t at = 8 * SAM_HEADER_SIZE + bit;
        if (at / 8 < original->bytes.length)
            assert_bit_noticed(i, original, at, verdict_on_body(i, original, at / 8));
    }
}

/* Blocks and signature in mode 1; wrapped key, nonce, ciphertext and tag in mode 2. */
enum { BRIEF_BITS = 8 * (SIZE + 12 + 16 + SHORT + SIZE + 16), BRIEF_RUNS = BRIEF_BITS / RUN + 1 };
START_TEST(every_bit_of_a_short_body_is_noticed) {
    size_t first = (size_t)(_i / 2) * RUN;
    ck_assert_uint_le(8 * brief[_i % 2].header.body_length, BRIEF_RUNS * RUN);
    assert_body_bits_noticed(_i % 2, &brief[_i % 2], first, first + RUN, 1);
}
END_TEST

/* In mode 1 a late block is reached only through all before it: fewer bits take as long. */
enum { LONG_RUNS = 10, LONG_RUN = 12 * 8 * SIZE / LONG_RUNS + 1 };
START_TEST(bits_all_over_a_long_body_are_noticed) {
    size_t first = (size_t)(_i / 2) * LONG_RUN;
    ck_assert_uint_le(8 * whole[_i % 2].header.body_length, LONG_RUNS * LONG_RUN);
    assert_body_bits_noticed(_i % 2, &whole[_i % 2], first, first + LONG_RUN, _i % 2 == 0 ? 31 : 7);
}
END_TEST

START_TEST(envelope_cut_anywhere_is_noticed) {
    for (size_t length = 0; length < brief[_i].bytes.length; length++) {
        struct sam_envelope cut = copy_of(&brief[_i]);
        cut.bytes.length = length;
        if (length < SAM_HEADER_SIZE) {
            struct sam_party opener = party(modes[_i], &people.alice);
            struct sam_expectation expected = expectation();
            const struct sam_key *sender;
            ck_status(sam_envelope_accept(&cut, &sender, &opener, &expected), SAM_TRUNCATED);
            ck_assert_ptr_null(cut.message);
            ck_assert_ptr_null(sender);
            sam_envelope_free(&cut);
        } else {
            assert_noticed(_i, &cut, SAM_TRUNCATED);
        }
    }
}
END_TEST

static void tell_length(struct sam_envelope *envelope) {
    sam_put32(envelope->bytes.data + 12, (uint32_t)(envelope->bytes.length - SAM_HEADER_SIZE));
}

/* The header is in the label of block 0 and in the tag. */
START_TEST(envelope_cut_anywhere_is_noticed_though_its_header_tells_so) {
    for (size_t length = SAM_HEADER_SIZE; length < whole[_i].bytes.length; length += 4) {
        struct sam_envelope cut = copy_of(&whole[_i]);
        cut.bytes.length = length;
        tell_length(&cut);
        enum sam_status status = verdict_on_lengths(_i, cut.bytes.data, length - SAM_HEADER_SIZE);
        assert_noticed(_i, &cut, status);
    }
}
END_TEST

START_TEST(added_bytes_are_noticed) {
    static const uint8_t more[2 * SIZE];
    for (size_t length = 1; length <= sizeof more; length++) {
        struct sam_envelope longer = copy_of(&brief[_i]), told = copy_of(&brief[_i]);
        ck_status(sam_bytes_append(&longer.bytes, more, length), SAM_OK);
        assert_noticed(_i, &longer, SAM_LENGTH);
        ck_status(sam_bytes_append(&told.bytes, more, length), SAM_OK);
        tell_length(&told);
        enum sam_status status =
            verdict_on_lengths(_i, told.bytes.data, told.bytes.length - SAM_HEADER_SIZE);
        assert_noticed(_i, &told, status);
    }
}
END_TEST

START_TEST(byte_left_out_is_noticed_though_the_length_is_kept) {
    for (size_t at = SAM_HEADER_SIZE; at < brief[_i].bytes.length; at++) {
        struct sam_envelope shifted = copy_of(&brief[_i]);
        uint8_t *bytes = shifted.bytes.data, *last = bytes + shifted.bytes.length - 1;
        uint8_t other = (uint8_t) ~*last;
        memmove(bytes + at, bytes + at + 1, (size_t)(last - (bytes + at)));
        *last = other;
        size_t changed = at; /* later, where the byte left out is followed by its like */
        while (bytes[changed] == brief[_i].bytes.data[changed])
            changed++;
        assert_noticed(_i, &shifted, verdict_on_body(_i, &shifted, changed));
    }
}
END_TEST

/* Blocks, mode 1. */
enum { BLOCKS = (16 + LONG + 189) / 190 };

static uint8_t *block_of(const struct sam_envelope *envelope, size_t block) {
    return envelope->bytes.data + SAM_HEADER_SIZE + block * SIZE;
}

START_TEST(swapped_and_repeated_blocks_are_noticed) {
    ck_assert_uint_eq(whole[0].header.body_length, (BLOCKS + 1) * SIZE);
    for (size_t a = 0; a < BLOCKS; a++) {
        for (size_t b = 0; b < BLOCKS; b++) {
            if (a == b)
                continue;
            struct sam_envelope repeated = copy_of(&whole[0]), swapped = copy_of(&whole[0]);
            memcpy(block_of(&repeated, a), block_of(&whole[0], b), SIZE);
            assert_noticed(0, &repeated, SAM_DECRYPT);
            memcpy(block_of(&swapped, a), block_of(&whole[0], b), SIZE);
            memcpy(block_of(&swapped, b), block_of(&whole[0], a), SIZE);
            assert_noticed(0, &swapped, SAM_DECRYPT);
        }
    }
}
END_TEST

/* Both with a header that still tells the old length, and with one that tells the new. */
START_TEST(dropped_and_inserted_blocks_are_noticed) {
    for (size_t a = 0; a < BLOCKS; a++) {
        for (int told = 0; told < 2; told++) {
            size_t rest = (BLOCKS - a) * SIZE; /* from the next block to the signature's end */
            struct sam_envelope dropped = copy_of(&whole[0]), inserted = copy_of(&whole[0]);
            memmove(block_of(&dropped, a), block_of(&dropped, a + 1), rest);
            dropped.bytes.length -= SIZE;
            ck_status(sam_bytes_append(&inserted.bytes, block_of(&whole[0], 0), SIZE), SAM_OK);
            memcpy(block_of(&inserted, a + 1), block_of(&whole[0], a), rest + SIZE);
            if (told) {
                tell_length(&dropped);
                tell_length(&inserted);
            }
            assert_noticed(0, &dropped, told ? SAM_DECRYPT : SAM_TRUNCATED);
            assert_noticed(0, &inserted, told ? SAM_DECRYPT : SAM_LENGTH);
        }
    }
}
END_TEST

/* Every part alone, and every set of mode 2's four; all of them is another envelope's body. */
START_TEST(parts_of_another_envelope_with_the_same_message_are_noticed) {
    const struct sam_mode *mode = modes[_i];
    unsigned all = _i == 0 ? (1u << (BLOCKS + 1)) - 1 : 0xf;
    for (unsigned set = 1; set <= all; set++) {
        if (_i == 0 && (set & (set - 1)) != 0 && set != all)
            continue;
        struct sam_envelope spliced = copy_of(&whole[_i]);
        struct sam_field part;
        for (size_t n = 0; mode->part(&whole[_i].header, n, &part); n++)
            if (set >> n & 1)
                memcpy(spliced.bytes.data + part.offset, twin[_i].bytes.data + part.offset,
                       part.size);
        assert_noticed(_i, &spliced, _i == 0 && set == 1u << BLOCKS ? SAM_SIGNATURE : SAM_DECRYPT);
    }
}
END_TEST

static TCase *new_case(Suite *suite, const char *name) {
    TCase *tcase = tcase_create(name);
    tcase_add_unchecked_fixture(tcase, load, unload);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

Suite *tampering_suite(void) {
    Suite *suite = suite_create("tampering");
    TCase *tcase = new_case(suite, "altered");
    tcase_add_loop_test(tcase, unaltered_envelopes_open, 0, 2);
    tcase_add_loop_test(tcase, every_bit_of_every_header_field_is_noticed, 0, 2 * FIELDS);
    tcase_add_loop_test(tcase, envelope_cut_anywhere_is_noticed, 0, 2);
    tcase_add_loop_test(tcase, envelope_cut_anywhere_is_noticed_though_its_header_tells_so, 0, 2);
    tcase_add_loop_test(tcase, added_bytes_are_noticed, 0, 2);
    tcase_add_loop_test(tcase, byte_left_out_is_noticed_though_the_length_is_kept, 0, 2);
    tcase_add_test(tcase, swapped_and_repeated_blocks_are_noticed);
    tcase_add_test(tcase, dropped_and_inserted_blocks_are_noticed);
    tcase_add_loop_test(tcase, parts_of_another_envelope_with_the_same_message_are_noticed, 0, 2);
    /* Thousands of private operations: CK_EXCLUDE_TAGS=slow leaves them out, under valgrind say. */
    TCase *bits = new_case(suite, "bits");
    tcase_set_tags(bits, "slow");
    tcase_add_loop_test(bits, every_bit_of_a_short_body_is_noticed, 0, 2 * BRIEF_RUNS);
    tcase_add_loop_test(bits, bits_all_over_a_long_body_are_noticed, 0, 2 * LONG_RUNS);
    suite_add_tcase(suite, forgery_case());
    return suite;
}
