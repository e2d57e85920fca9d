/* What sam compare counts, measures and prints. */
#include "compare.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "instruments.h"
#include "sam.h"
#include "sealing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Everything that was written to a descriptor between divert and restore. */
struct diverted {
    int fd, kept;
    FILE *file;
};

static struct diverted divert(int fd) {
    fflush(NULL);
    struct diverted diverted = {fd, dup(fd), tmpfile()};
    ck_assert_ptr_nonnull(diverted.file);
    ck_assert_int_ge(diverted.kept, 0);
    ck_assert_int_eq(dup2(fileno(diverted.file), fd), fd);
    return diverted;
}

/* The caller frees the text. */
static char *restore(struct diverted *diverted) {
    fflush(NULL);
    ck_assert_int_eq(dup2(diverted->kept, diverted->fd), diverted->fd);
    close(diverted->kept);
    long size = lseek(fileno(diverted->file), 0, SEEK_END);
    char *said = calloc(1, (size_t)size + 1);
    ck_assert_ptr_nonnull(said);
    rewind(diverted->file);
    ck_assert_uint_eq(fread(said, 1, (size_t)size, diverted->file), (size_t)size);
    fclose(diverted->file);
    return said;
}

/* Runs the subcommand; the caller frees both texts. */
static enum sam_exit run_tool(const struct sam_tool_options *options, char **out, char **err) {
    struct sam_tool tool = {.options = *options, .talk = {"sam", false, options->quiet}};
    struct diverted of_out = divert(STDOUT_FILENO), of_err = divert(STDERR_FILENO);
    enum sam_exit code = sam_tool_compare(&tool);
    *out = restore(&of_out);
    *err = restore(&of_err);
    return code;
}

static void assert_one_sentence(const char *said, const char *part) {
    ck_assert_msg(strstr(said, part) != NULL, "%s lacks %s", said, part);
    ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}

/* Bytes of docs/protocol.md, sections 2 and 6, written down a second time. */
static size_t blocks_of(unsigned mode, size_t message, size_t block) {
    return mode == 2 ? 1 : (16 + message + block - 66 - 1) / (block - 66);
}
static size_t total_of(unsigned mode, size_t message, size_t signature, size_t block) {
    size_t rest = mode == 2 ? 12 + 16 + message + 16 : 0;
    return 128 + blocks_of(mode, message, block) * block + signature + rest;
}

static const struct {
    const char *text, *word;
} hostile[] = {
    {"", "\"\""},
    {",", "\"\""},
    {"1,", "\"\""},
    {",1", "\"\""},
    {"1,,2", "\"\""},
    {" 1", "\" 1\""},
    {"1 ,2", "\"1 \""},
    {"1,+2", "\"+2\""},
    {"-1", "\"-1\""},
    {"7,0x10", "\"0x10\""},
    {"1e3", "\"1e3\""},
    {"1.5", "\"1.5\""},
    {"16777217", "\"16777217\""},
    {"5,4294967296", "\"4294967296\""},
    {"18446744073709551616", "\"18446744073709551616\""},
    {"1;2", "\"1;2\""},
    {"1\n", "\"1\\x0a\""},
    {"3,\033[2J", "\"\\x1b[2J\""},
    {"\xd9\xa1", "\"\xd9\xa1\""}, /* a digit, but not one of ours */
};

START_TEST(a_word_that_is_no_size_is_named_and_nothing_is_measured) {
    char *out, *err;
    struct sam_tool_options options = {.bits = 2048, .sizes = hostile[_i].text};
    ck_assert_int_eq(run_tool(&options, &out, &err), SAM_EXIT_USAGE);
    ck_assert_str_eq(out, "");
    assert_one_sentence(err, "--sizes takes numbers from 0 to 16777216");
    assert_one_sentence(err, hostile[_i].word);
    free(out);
    free(err);
}
END_TEST

START_TEST(a_word_of_any_length_is_refused) {
    static char words[100000];
    struct sam_compare_sizes sizes;
    for (int c = '1'; c <= 'x'; c += 'x' - '1') {
        memset(words, c, sizeof words - 1);
        struct diverted of_err = divert(STDERR_FILENO);
        bool good = sam_compare_read_sizes(&sizes, words);
        char *err = restore(&of_err);
        ck_assert(!good);
        ck_assert_uint_lt(strlen(err), 1000);
        free(err);
    }
}
END_TEST

START_TEST(there_are_at_most_32_sizes_and_their_order_stays) {
    struct sam_compare_sizes sizes;
    char words[256] = "16777216,0,0007";
    size_t length = strlen(words);
    ck_assert(sam_compare_read_sizes(&sizes, words));
    ck_assert_uint_eq(sizes.count, 3);
    ck_assert_uint_eq(sizes.items[0], 16777216);
    ck_assert_uint_eq(sizes.items[1], 0);
    ck_assert_uint_eq(sizes.items[2], 7);
    for (size_t i = 3; i < 32; i++)
        length += (size_t)snprintf(words + length, sizeof words - length, ",5");
    ck_assert(sam_compare_read_sizes(&sizes, words));
    ck_assert_uint_eq(sizes.count, 32);
    ck_assert_uint_eq(sizes.items[31], 5);
    snprintf(words + length, sizeof words - length, ",99");
    struct diverted of_err = divert(STDERR_FILENO);
    bool good = sam_compare_read_sizes(&sizes, words);
    char *err = restore(&of_err);
    ck_assert(!good);
    assert_one_sentence(err, "at most 32 numbers");
    assert_one_sentence(err, "\"99\"");
    free(err);
}
END_TEST

static const struct {
    struct sam_tool_options options;
    const char *sentence;
} unusable[] = {
    {{.bits = 2048, .csv = true, .json = true}, "--csv and --json"},
    {{.bits = 2049}, "\"2049\""},
    {{.bits = 4092}, "\"4092\""},
};

START_TEST(options_that_cannot_be_used_are_a_usage_error) {
    char *out, *err;
    ck_assert_int_eq(run_tool(&unusable[_i].options, &out, &err), SAM_EXIT_USAGE);
    ck_assert_str_eq(out, "");
    assert_one_sentence(err, unusable[_i].sentence);
    free(out);
    free(err);
}
END_TEST

/* Below 3: a pipe whose reader is gone; below 6: a full disk, where there is a device that is one;
 * then the pipe again, written to at once as to a terminal. Each as a table, as CSV and as JSON. */
START_TEST(output_that_cannot_be_written_is_a_failure) {
    int ends[2], kept = dup(STDOUT_FILENO);
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    int full = _i / 3 == 1 ? open("/dev/full", O_WRONLY) : -1;
    struct sam_tool tool = {.options = {.bits = 2048, .sizes = "0", .quiet = true},
                            .talk = {"sam", false, true}};
    tool.options.csv = _i % 3 == 1;
    tool.options.json = _i % 3 == 2;
    fflush(NULL);
    ck_assert_int_eq(dup2(full >= 0 ? full : ends[1], STDOUT_FILENO), STDOUT_FILENO);
    setvbuf(stdout, NULL, _i < 6 ? _IOFBF : _IONBF, BUFSIZ);
    struct diverted of_err = divert(STDERR_FILENO);
    enum sam_exit code = sam_tool_compare(&tool);
    char *err = restore(&of_err);
    dup2(kept, STDOUT_FILENO);
    clearerr(stdout);
    close(kept);
    close(ends[1]);
    if (full >= 0)
        close(full);
    ck_assert_int_ne(code, SAM_EXIT_OK);
    assert_one_sentence(err, "sam: standard output: cannot be written");
    free(err);
}
END_TEST

START_TEST(no_file_is_read_or_made) {
    char folder[PATH_MAX], *out, *err;
    int here = open(".", O_RDONLY);
    make_folder(folder);
    ck_assert_int_eq(chdir(folder), 0);
    struct sam_tool_options options = {.bits = 2048, .sizes = "0", .keys = "nowhere"};
    enum sam_exit code = run_tool(&options, &out, &err);
    size_t entries = count_entries(folder);
    ck_assert_int_eq(fchdir(here), 0);
    close(here);
    remove_folder(folder);
    ck_assert_int_eq(code, SAM_EXIT_OK);
    ck_assert_uint_eq(entries, 0);
    assert_one_sentence(err, "no key file is touched");
    free(out);
    free(err);
}
END_TEST

/* Somebody without a private key: the first message fails, and is named. */
START_TEST(a_message_that_cannot_be_sealed_is_named) {
    static struct sam_comparison comparison;
    const struct sam_compare_sizes sizes = {{5}, 1};
    struct sam_where where;
    ck_status(sam_compare_measure(&comparison, people.crypto, &people.trusted.keys[0], &people.bob,
                                  &sizes, &where),
              SAM_CRYPTO);
    ck_assert_str_eq(where.text, "mode 1, a message of 5 bytes");
}
END_TEST

static const char *const names[] = {"alice", "bob", "carol"}; /* 2048, 3072, 4096 bits */

/* _i: sender, recipient, mode. */
START_TEST(parts_add_up_to_the_envelope_as_it_is_made) {
    const struct sam_key *from = person(names[_i % 3]), *to = person(names[_i / 3 % 3]);
    const struct sam_mode *mode = modes[_i / 9];
    size_t signature = sam_rsa_size(from->rsa), block = sam_rsa_size(to->rsa);
    struct sam_party sealer = party(mode, from);
    for (size_t message = 0; message < 20000; message += message < 1500 ? 1 : 311) {
        struct sam_compare_bytes bytes = sam_compare_count(mode, message, signature, block);
        struct sam_envelope envelope;
        ck_status(sam_envelope_start(&envelope, &sealer, to, message), SAM_OK);
        ck_assert_uint_eq(bytes.total, envelope.bytes.length);
        sam_envelope_free(&envelope);
        ck_assert_uint_eq(bytes.header + bytes.rsa + bytes.aes + bytes.signature, bytes.total);
        ck_assert_uint_eq(bytes.total, total_of(mode->number, message, signature, block));
        ck_assert_uint_eq(bytes.blocks, blocks_of(mode->number, message, block));
        ck_assert_uint_eq(bytes.rsa, bytes.blocks * block);
        ck_assert_uint_eq(bytes.signature, signature);
        ck_assert_uint_eq(bytes.aes, mode->number == 2 ? 12 + 16 + message + 16 : 0);
    }
}
END_TEST

START_TEST(the_largest_size_is_counted_without_a_wrap) {
    for (size_t block = 256; block <= 512; block += 256) {
        struct sam_compare_bytes bytes =
            sam_compare_count(modes[_i], SAM_COMPARE_LARGEST, 512, block);
        ck_assert_uint_eq(bytes.header + bytes.rsa + bytes.aes + bytes.signature, bytes.total);
        ck_assert_uint_eq(bytes.total,
                          total_of(modes[_i]->number, SAM_COMPARE_LARGEST, 512, block));
    }
}
END_TEST

static void check_crossings(size_t signature, size_t block) {
    struct sam_compare_crossing total = sam_compare_cross(SAM_COMPARE_TOTAL, signature, block);
    struct sam_compare_crossing rsa = sam_compare_cross(SAM_COMPARE_RSA, signature, block);
    size_t wrong = 0, last = 0, last_rsa = 0;
    for (size_t n = 0; n <= 16384; n++) {
        bool less = total_of(2, n, signature, block) < total_of(1, n, signature, block);
        bool fewer = blocks_of(2, n, block) < blocks_of(1, n, block);
        wrong += less && n < total.first;
        wrong += !less && (n == total.first || n >= total.always);
        wrong += fewer != (n >= rsa.first);
        last = less ? last : n;
        last_rsa = fewer ? last_rsa : n;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(total.always, last + 1);
    ck_assert_uint_eq(rsa.always, last_rsa + 1);
    ck_assert_uint_le(total.always, 16384);
    ck_assert_uint_le(rsa.always, 16384);
}

START_TEST(the_modes_cross_where_trying_every_message_says) {
    static const size_t signatures[] = {256, 384, 512};
    for (size_t block = 256; block <= 512; block += 32)
        check_crossings(signatures[_i], block);
    check_crossings(signatures[_i], 257);
    check_crossings(signatures[_i], 511);
    check_crossings(signatures[_i], 368); /* 66 * 6 - 28: the last draw decides */
}
END_TEST

/* What travels, not what is counted: one byte less than the crossing, and the crossing. */
START_TEST(envelopes_cross_where_it_is_said) {
    const struct sam_key *key = person(names[_i]), *to = _i == 0 ? &people.mallory : &people.alice;
    size_t signature = sam_rsa_size(key->rsa), block = sam_rsa_size(to->rsa), length[2][2];
    struct sam_compare_crossing at = sam_compare_cross(SAM_COMPARE_TOTAL, signature, block);
    const uint32_t crossings[] = {at.first, at.always};
    for (size_t k = 0; k < 2; k++) {
        for (size_t m = 0; m < 4; m++) {
            struct sam_envelope envelope = seal(modes[m % 2], key, to, crossings[k] - m / 2);
            length[m / 2][m % 2] = envelope.bytes.length;
            sam_envelope_free(&envelope);
        }
        ck_assert_uint_lt(length[0][1], length[0][0]);
        ck_assert_uint_ge(length[1][1], length[1][0]);
    }
}
END_TEST

START_TEST(the_default_sizes_rise_and_meet_both_limits) {
    for (size_t size = 256; size <= 512; size += _i == 0 ? 16 : 17) {
        struct sam_compare_sizes sizes = sam_compare_default_sizes(size, size);
        ck_assert_uint_gt(sizes.count, 8);
        ck_assert_uint_le(sizes.count, SAM_COMPARE_SIZES);
        bool met = false;
        for (size_t i = 0; i < sizes.count; i++) {
            ck_assert(i == 0 || sizes.items[i] > sizes.items[i - 1]);
            met |= sizes.items[i] == modes[0]->max_message;
        }
        ck_assert(met);
        ck_assert_uint_eq(sizes.items[0], 0);
        ck_assert_uint_eq(sizes.items[sizes.count - 1], modes[1]->max_message);
    }
}
END_TEST

/* Of alice's key a block takes 190 bytes, 16 of them salt in the first; bob's takes 318. */
START_TEST(rsa_operations_are_those_of_the_blocks) {
    static const struct sam_compare_sizes sizes = {{0, 174, 175, 364, 365, 2000}, 6};
    static const uint64_t of_alice[] = {1, 1, 2, 2, 3, 11}, of_bob[] = {1, 1, 1, 2, 2, 7};
    static struct sam_comparison comparison;
    struct sam_where where;
    const struct sam_key *from = _i == 0 ? &people.bob : &people.alice;
    ck_status(sam_compare_measure(&comparison, people.crypto, from,
                                  _i == 0 ? &people.alice : &people.bob, &sizes, &where),
              SAM_OK);
    ck_assert_uint_eq(comparison.count, 12);
    for (size_t i = 0; i < comparison.count; i++) {
        const struct sam_compare_row *row = &comparison.rows[i];
        uint64_t blocks = i % 2 == 1 ? 1 : _i == 0 ? of_alice[i / 2] : of_bob[i / 2];
        ck_assert_ptr_eq(row->mode, modes[i % 2]);
        ck_assert_uint_eq(row->message, sizes.items[i / 2]);
        ck_assert(!row->over_limit);
        ck_assert_uint_eq(row->bytes.blocks, blocks);
        ck_assert_uint_eq(row->seal.private_operations, 1);
        ck_assert_uint_eq(row->seal.public_operations, blocks);
        ck_assert_uint_eq(row->open.private_operations, blocks);
        ck_assert_uint_eq(row->open.public_operations, 1);
        ck_assert_uint_eq(row->bytes.total,
                          total_of(row->mode->number, row->message, comparison.signature_length,
                                   comparison.block_length));
        ck_assert_uint_ge(row->runs, 3);
        ck_assert_uint_le(row->runs, SAM_COMPARE_RUNS);
        ck_assert_int_gt(row->seal_microseconds, 0);
        ck_assert_int_gt(row->open_microseconds, 0);
    }
}
END_TEST

START_TEST(a_message_over_a_limit_is_measured_in_the_other_mode_alone) {
    static const struct sam_compare_sizes sizes = {{16384, 16385}, 2};
    static struct sam_comparison comparison;
    struct sam_where where;
    ck_status(sam_compare_measure(&comparison, people.crypto, &people.mallory, &people.alice,
                                  &sizes, &where),
              SAM_OK);
    ck_assert_uint_eq(comparison.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct sam_compare_row *row = &comparison.rows[i];
        ck_assert_uint_eq(row->message, sizes.items[i / 2]);
        ck_assert_int_eq(row->over_limit, i == 2);
        ck_assert_int_eq(row->runs == 0, i == 2);
        ck_assert_int_eq(row->bytes.total == 0, i == 2);
    }
}
END_TEST

TCase *compare_case(void) {
    TCase *tcase = tcase_create("compare");
    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, load_sealing, free_people);
    tcase_add_loop_test(tcase, a_word_that_is_no_size_is_named_and_nothing_is_measured, 0,
                        COUNT(hostile));
    tcase_add_test(tcase, a_word_of_any_length_is_refused);
    tcase_add_test(tcase, there_are_at_most_32_sizes_and_their_order_stays);
    tcase_add_loop_test(tcase, options_that_cannot_be_used_are_a_usage_error, 0, COUNT(unusable));
    tcase_add_loop_test(tcase, output_that_cannot_be_written_is_a_failure, 0, 9);
    tcase_add_test(tcase, no_file_is_read_or_made);
    tcase_add_test(tcase, a_message_that_cannot_be_sealed_is_named);
    tcase_add_loop_test(tcase, parts_add_up_to_the_envelope_as_it_is_made, 0, 18);
    tcase_add_loop_test(tcase, the_largest_size_is_counted_without_a_wrap, 0, 2);
    tcase_add_loop_test(tcase, the_modes_cross_where_trying_every_message_says, 0, 3);
    tcase_add_loop_test(tcase, envelopes_cross_where_it_is_said, 0, 3);
    tcase_add_loop_test(tcase, the_default_sizes_rise_and_meet_both_limits, 0, 2);
    tcase_add_loop_test(tcase, rsa_operations_are_those_of_the_blocks, 0, 2);
    tcase_add_test(tcase, a_message_over_a_limit_is_measured_in_the_other_mode_alone);
    return tcase;
}
