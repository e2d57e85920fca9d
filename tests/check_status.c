/* Tests of status: every code has a name, a sentence and a step, and no other number has one. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "suites.h"

START_TEST(every_code_has_a_name_of_its_own) {
    const char *name = sam_status_name((enum sam_status)_i);
    ck_assert_ptr_nonnull(name);
    ck_assert_uint_ge(strlen(name), 2);
    ck_assert_uint_eq(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), strlen(name));
    ck_assert_str_ne(name, "UNKNOWN");
    for (int other = 0; other < _i; other++)
        ck_assert_str_ne(sam_status_name((enum sam_status)other), name);
}
END_TEST

/* The sentence is printed after "<file>: " and may be followed by another. */
START_TEST(every_code_has_a_sentence_without_a_full_stop) {
    const char *sentence = sam_status_sentence((enum sam_status)_i);
    ck_assert_ptr_nonnull(sentence);
    size_t length = strlen(sentence);
    ck_assert_uint_ge(length, 8);
    ck_assert(sentence[0] != ' ' && sentence[length - 1] != ' ');
    ck_assert(strchr(".!?,;:", sentence[length - 1]) == NULL);
    for (size_t i = 0; i < length; i++)
        ck_assert_msg(sentence[i] >= ' ' && sentence[i] <= '~', "byte %zu of: %s", i, sentence);
    for (int other = 0; other < _i; other++)
        ck_assert_str_ne(sam_status_sentence((enum sam_status)other), sentence);
}
END_TEST

/* docs/protocol.md, section 7. What is not in this table is no verdict on an envelope. */
static const struct {
    enum sam_status status;
    int step;
} verdicts[] = {
    {SAM_MAGIC, 1},     {SAM_TYPE, 1},      {SAM_VERSION, 1},      {SAM_MODE, 1},
    {SAM_KIND, 1},      {SAM_RESERVED, 1},  {SAM_KEY_LENGTHS, 1},  {SAM_LENGTH, 1},
    {SAM_TRUNCATED, 1}, {SAM_RECIPIENT, 1}, {SAM_STRANGER, 1},     {SAM_KEY_MISMATCH, 1},
    {SAM_STALE, 2},     {SAM_ORDER, 2},     {SAM_OTHER_SENDER, 2}, {SAM_DECRYPT, 3},
    {SAM_TOO_LONG, 3},  {SAM_SIGNATURE, 4},
};

START_TEST(only_a_verdict_on_an_envelope_has_a_step) {
    int expected = 0;
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (verdicts[i].status == (enum sam_status)_i)
            expected = verdicts[i].step;
    int step = sam_status_step((enum sam_status)_i);
    ck_assert_int_ge(step, 0);
    ck_assert_int_le(step, 4);
    ck_assert_msg(step == expected, "%s: expected step %d, got %d",
                  sam_status_name((enum sam_status)_i), expected, step);
}
END_TEST

static const int strays[] = {SAM_STATUS_COUNT, SAM_STATUS_COUNT + 1, INT_MAX, INT_MIN, -1};

START_TEST(a_stray_number_is_neither_a_crash_nor_a_success) {
    enum sam_status stray = (enum sam_status)strays[_i];
    ck_assert_str_eq(sam_status_name(stray), "UNKNOWN");
    ck_assert_ptr_nonnull(sam_status_sentence(stray));
    ck_assert_str_ne(sam_status_sentence(stray), "");
    ck_assert_int_eq(sam_status_step(stray), 0);
}
END_TEST

START_TEST(success_is_zero) {
    ck_assert_int_eq(SAM_OK, 0);
    ck_assert_str_eq(sam_status_name(SAM_OK), "OK");
    ck_assert_str_eq(sam_status_name(SAM_STALE), "STALE");
    ck_assert_int_eq(sam_status_step(SAM_OK), 0);
}
END_TEST

START_TEST(a_place_is_written_as_printf_would) {
    struct sam_where where;
    sam_where_set(&where, "%s:%d", "127.0.0.1", 8000);
    ck_assert_str_eq(where.text, "127.0.0.1:8000");
    sam_where_set(&where, "%s", "");
    ck_assert_str_eq(where.text, "");
}
END_TEST

START_TEST(a_place_that_does_not_fit_is_cut_off_and_ended) {
    struct {
        struct sam_where where;
        char after[16];
    } frame;
    memset(&frame, 'x', sizeof frame);
    char text[2000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    sam_where_set(&frame.where, "%s", text);
    ck_assert_uint_eq(strlen(frame.where.text), sizeof frame.where.text - 1);
    for (size_t i = 0; i < sizeof frame.after; i++)
        ck_assert_int_eq(frame.after[i], 'x');
    /* The longest that fits is not cut. */
    text[sizeof frame.where.text - 1] = '\0';
    sam_where_set(&frame.where, "%s", text);
    ck_assert_str_eq(frame.where.text, text);
}
END_TEST

START_TEST(a_place_without_a_room_is_ignored) {
    sam_where_set(NULL, "%s", "nowhere");
}
END_TEST

Suite *status_suite(void) {
    Suite *suite = suite_create("status");
    TCase *tcase = tcase_create("list");
    tcase_add_test(tcase, success_is_zero);
    tcase_add_loop_test(tcase, every_code_has_a_name_of_its_own, 0, SAM_STATUS_COUNT);
    tcase_add_loop_test(tcase, every_code_has_a_sentence_without_a_full_stop, 0, SAM_STATUS_COUNT);
    tcase_add_loop_test(tcase, only_a_verdict_on_an_envelope_has_a_step, 0, SAM_STATUS_COUNT);
    tcase_add_loop_test(tcase, a_stray_number_is_neither_a_crash_nor_a_success, 0,
                        sizeof strays / sizeof strays[0]);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("where");
    tcase_add_test(tcase, a_place_is_written_as_printf_would);
    tcase_add_test(tcase, a_place_that_does_not_fit_is_cut_off_and_ended);
    tcase_add_test(tcase, a_place_without_a_room_is_ignored);
    suite_add_tcase(suite, tcase);
    return suite;
}
