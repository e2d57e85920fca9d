/* Tests of bytes: buffers keep what they hold and fail whole, wipes wipe, integers are big-endian.
 */
#include <string.h>

#include "bytes.h"
#include "suites.h"
#include "support.h"

/* A sanitizer ends the program at a request that no machine could meet, where malloc says NULL. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MALLOC_SAYS_NULL 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define MALLOC_SAYS_NULL 0
#endif
#endif
#ifndef MALLOC_SAYS_NULL
#define MALLOC_SAYS_NULL 1
#endif

START_TEST(growth_keeps_the_contents) {
    struct sam_bytes bytes = {0};
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t byte = (uint8_t)(i * 7);
        ck_status(sam_bytes_append(&bytes, &byte, 1), SAM_OK);
        ck_assert_uint_ge(bytes.capacity, bytes.length);
    }
    ck_assert_uint_eq(bytes.length, 5000);
    for (unsigned i = 0; i < 5000; i++)
        ck_assert_uint_eq(bytes.data[i], (uint8_t)(i * 7));
    ck_status(sam_bytes_reserve(&bytes, 100000), SAM_OK);
    ck_assert_uint_ge(bytes.capacity, 100000);
    ck_assert_uint_eq(bytes.length, 5000);
    for (unsigned i = 0; i < 5000; i++)
        ck_assert_uint_eq(bytes.data[i], (uint8_t)(i * 7));
    sam_bytes_free(&bytes);
}
END_TEST

START_TEST(reserved_room_is_not_moved_while_it_lasts) {
    struct sam_bytes bytes = {0};
    ck_status(sam_bytes_reserve(&bytes, 1000), SAM_OK);
    ck_assert_uint_eq(bytes.length, 0);
    const uint8_t *place = bytes.data;
    ck_assert_ptr_nonnull(place);
    for (unsigned i = 0; i < 100; i++)
        ck_status(sam_bytes_append(&bytes, "0123456789", 10), SAM_OK);
    ck_assert_ptr_eq(bytes.data, place);
    ck_status(sam_bytes_reserve(&bytes, 10), SAM_OK);
    ck_assert_ptr_eq(bytes.data, place);
    ck_assert_uint_eq(bytes.capacity, 1000);
    ck_assert_uint_eq(bytes.length, 1000);
    sam_bytes_free(&bytes);
}
END_TEST

START_TEST(nothing_can_be_appended) {
    struct sam_bytes bytes = {0};
    ck_status(sam_bytes_append(&bytes, NULL, 0), SAM_OK);
    ck_status(sam_bytes_reserve(&bytes, 0), SAM_OK);
    ck_assert_uint_eq(bytes.length, 0);
    ck_assert_uint_eq(bytes.capacity, 0);
    ck_assert_ptr_null(bytes.data);
    ck_status(sam_bytes_append(&bytes, "abc", 3), SAM_OK);
    ck_status(sam_bytes_append(&bytes, NULL, 0), SAM_OK);
    ck_status(sam_bytes_append(&bytes, "xyz", 0), SAM_OK);
    ck_assert_uint_eq(bytes.length, 3);
    ck_assert_mem_eq(bytes.data, "abc", 3);
    sam_bytes_free(&bytes);
}
END_TEST

START_TEST(a_freed_buffer_is_empty_and_can_be_used_again) {
    struct sam_bytes bytes = {0};
    sam_bytes_free(&bytes);
    ck_status(sam_bytes_append(&bytes, "secret", 6), SAM_OK);
    for (int times = 0; times < 2; times++) {
        sam_bytes_free(&bytes);
        ck_assert_ptr_null(bytes.data);
        ck_assert_uint_eq(bytes.length, 0);
        ck_assert_uint_eq(bytes.capacity, 0);
    }
    ck_status(sam_bytes_append(&bytes, "again", 5), SAM_OK);
    ck_assert_mem_eq(bytes.data, "again", 5);
    sam_bytes_free(&bytes);
}
END_TEST

/* Sizes whose sum with what is there would wrap around, or fit in no memory. */
static const size_t absurd[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 3, SIZE_MAX / 2,
                                SIZE_MAX / 2 - 2};

static void assert_still_abc(const struct sam_bytes *bytes, const struct sam_bytes *before) {
    ck_assert_ptr_eq(bytes->data, before->data);
    ck_assert_uint_eq(bytes->length, before->length);
    ck_assert_uint_eq(bytes->capacity, before->capacity);
    ck_assert_mem_eq(bytes->data, "abc", 3);
}

START_TEST(an_overflowing_size_leaves_the_buffer_as_it_was) {
    struct sam_bytes bytes = {0};
    ck_status(sam_bytes_append(&bytes, "abc", 3), SAM_OK);
    const struct sam_bytes before = bytes;
    ck_status(sam_bytes_append(&bytes, "", absurd[_i]), SAM_MEMORY);
    assert_still_abc(&bytes, &before);
    sam_bytes_free(&bytes);
}
END_TEST

START_TEST(a_size_beyond_memory_leaves_the_buffer_as_it_was) {
    if (!MALLOC_SAYS_NULL)
        return;
    struct sam_bytes bytes = {0};
    ck_status(sam_bytes_reserve(&bytes, SIZE_MAX / 4), SAM_MEMORY);
    ck_assert_ptr_null(bytes.data);
    ck_assert_uint_eq(bytes.capacity, 0);
    ck_status(sam_bytes_append(&bytes, "abc", 3), SAM_OK);
    const struct sam_bytes before = bytes;
    ck_status(sam_bytes_reserve(&bytes, SIZE_MAX / 4), SAM_MEMORY);
    ck_status(sam_bytes_append(&bytes, "", SIZE_MAX / 4), SAM_MEMORY);
    assert_still_abc(&bytes, &before);
    sam_bytes_free(&bytes);
}
END_TEST

START_TEST(a_wipe_zeroes_what_it_was_given_and_no_more) {
    uint8_t block[64];
    for (size_t length = 0; length <= 48; length++) {
        memset(block, 0xa5, sizeof block);
        sam_wipe(block + 8, length);
        for (size_t i = 0; i < sizeof block; i++)
            ck_assert_uint_eq(block[i], i >= 8 && i < 8 + length ? 0 : 0xa5);
    }
}
END_TEST

START_TEST(one_different_bit_anywhere_is_not_equal) {
    uint8_t a[40], b[40];
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = (uint8_t)(17 * i);
    ck_assert(sam_equal(a, b, sizeof a));
    ck_assert(sam_equal(a, b, 0));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(!sam_equal(a, b, sizeof a), "bit %zu", bit);
        ck_assert_msg(sam_equal(a, b, bit / 8), "before bit %zu", bit);
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
END_TEST

START_TEST(one_bit_anywhere_is_not_zero) {
    uint8_t block[40] = {0};
    ck_assert(sam_is_zero(block, sizeof block));
    ck_assert(sam_is_zero(block, 0));
    for (size_t bit = 0; bit < 8 * sizeof block; bit++) {
        block[bit / 8] = (uint8_t)(1 << bit % 8);
        ck_assert_msg(!sam_is_zero(block, sizeof block), "bit %zu", bit);
        ck_assert_msg(sam_is_zero(block, bit / 8), "before bit %zu", bit);
        block[bit / 8] = 0;
    }
}
END_TEST

START_TEST(integers_are_big_endian) {
    static const uint8_t known[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    uint8_t out[10];
    memset(out, 0x5a, sizeof out);
    sam_put16(out + 1, 0x0123);
    ck_assert_mem_eq(out + 1, known, 2);
    ck_assert_uint_eq(out[3], 0x5a);
    sam_put32(out + 1, 0x01234567);
    ck_assert_mem_eq(out + 1, known, 4);
    ck_assert_uint_eq(out[5], 0x5a);
    sam_put64(out + 1, 0x0123456789abcdef);
    ck_assert_mem_eq(out + 1, known, 8);
    ck_assert_uint_eq(out[9], 0x5a);
    ck_assert_uint_eq(out[0], 0x5a);
    ck_assert_uint_eq(sam_get16(known), 0x0123);
    ck_assert_uint_eq(sam_get32(known), 0x01234567);
    ck_assert(sam_get64(known) == 0x0123456789abcdef);
}
END_TEST

START_TEST(integers_round_trip_with_every_bit) {
    uint8_t out[8];
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t one = (uint64_t)1 << bit;
        sam_put64(out, one);
        ck_assert(sam_get64(out) == one);
        ck_assert_uint_eq(out[7 - bit / 8], 1u << bit % 8);
        sam_put32(out, (uint32_t)one);
        ck_assert_uint_eq(sam_get32(out), (uint32_t)one);
        sam_put16(out, (uint16_t)one);
        ck_assert_uint_eq(sam_get16(out), (uint16_t)one);
    }
    memset(out, 0xff, sizeof out);
    ck_assert(sam_get64(out) == UINT64_MAX);
    ck_assert_uint_eq(sam_get32(out), UINT32_MAX);
    ck_assert_uint_eq(sam_get16(out), UINT16_MAX);
}
END_TEST

Suite *bytes_suite(void) {
    Suite *suite = suite_create("bytes");
    TCase *tcase = tcase_create("buffer");
    tcase_add_test(tcase, growth_keeps_the_contents);
    tcase_add_test(tcase, reserved_room_is_not_moved_while_it_lasts);
    tcase_add_test(tcase, nothing_can_be_appended);
    tcase_add_test(tcase, a_freed_buffer_is_empty_and_can_be_used_again);
    tcase_add_loop_test(tcase, an_overflowing_size_leaves_the_buffer_as_it_was, 0,
                        sizeof absurd / sizeof absurd[0]);
    tcase_add_test(tcase, a_size_beyond_memory_leaves_the_buffer_as_it_was);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("blocks");
    tcase_add_test(tcase, a_wipe_zeroes_what_it_was_given_and_no_more);
    tcase_add_test(tcase, one_different_bit_anywhere_is_not_equal);
    tcase_add_test(tcase, one_bit_anywhere_is_not_zero);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("integers");
    tcase_add_test(tcase, integers_are_big_endian);
    tcase_add_test(tcase, integers_round_trip_with_every_bit);
    suite_add_tcase(suite, tcase);
    return suite;
}
