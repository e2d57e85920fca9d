/* Tests of sam seal and sam open: what does not verify leaves nothing, and what is sealed into a
 * file opens to the same bytes, for its recipient and from its sender alone. */
#include "envelope_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "instruments.h"
#include "peer.h"
#include "vector_index.h"

const struct sam_mode in_tools = {.name = "tools"};
struct vector_index all;

void set_up_three(void) {
    set_up_place();
    give_pair(keys, "alice", "alice");
    give_pair(keys, "bob", "bob");
    give_pair(keys, "carol", "carol");
}

struct run_result sam_with_input(const void *input, size_t length, const char *const words[]) {
    enum { WORDS = 24 };
    char path[PATH_MAX];
    const char *argv[WORDS] = {program_path(path, &in_tools, "sam")};
    for (size_t i = 0; words[i] != NULL; i++) {
        ck_assert_uint_lt(i, WORDS - 2);
        argv[i + 1] = words[i];
    }
    return run(argv, input, length);
}

struct run_result shell(const char *line, const char *second, const char *third) {
    char path[PATH_MAX];
    const char *const argv[] = {"sh", "-c",   line,  program_path(path, &in_tools, "sam"),
                                keys, second, third, NULL};
    return run(argv, NULL, 0);
}

const char *vector_path(const char *file) {
    static char absolute[PATH_MAX];
    ck_assert_ptr_nonnull(realpath(vectors_folder(), absolute));
    char from_place[2 * PATH_MAX];
    snprintf(from_place, sizeof from_place, "vectors/%s", file);
    if (!exists(in_place("vectors")))
        ck_assert_int_eq(symlink(absolute, in_place("vectors")), 0);
    return in_place(from_place);
}

void assert_failure(const struct run_result *result, int code, const char *about,
                    const char *what) {
    char start[2 * PATH_MAX];
    snprintf(start, sizeof start, "sam: %s: ", about);
    assert_code(result, code);
    assert_text(&result->out, "");
    ck_assert_msg(strncmp((const char *)result->err.data, start, strlen(start)) == 0,
                  "expected %s... in %s", start, (const char *)result->err.data);
    assert_one_line(&result->err);
    assert_says(result, what);
}

void load_all(void) {
    load_people();
    vector_index_load(&all);
}

void free_all(void) {
    vector_index_free(&all);
    free_people();
}

static void assert_message(const struct sam_bytes *actual, const struct sam_bytes *expected) {
    ck_assert_uint_eq(actual->length, expected->length);
    if (expected->length > 0)
        ck_assert_mem_eq(actual->data, expected->data, expected->length);
}

/* Whether it fails for its place in a conversation alone, which a file has not. */
static bool fails_by_its_place(const struct vector *row) {
    return strstr(row->file, "other_reference") != NULL ||
           strstr(row->file, "later_sequence") != NULL;
}

static void assert_verdicts(const struct run_result *result, const struct vector *row) {
    char opened[96], sent[96];
    bool for_a_file =
        row->kind == SAM_KIND_SEND && sam_is_zero(row->reference, SAM_ID_SIZE) && row->opens;
    snprintf(opened, sizeof opened, "opened with the private key of %s alone\n", row->to);
    snprintf(sent, sizeof sent, "signed with the private key of %s\n", row->from);
    assert_says(result, opened);
    assert_says(result, sent);
    assert_says(result, for_a_file ? "made for a file: it can be handed over again\n"
                                   : "kept from a conversation: can be handed over again\n");
    ck_assert_uint_eq(count_verdicts(&result->err, "freshness", "none"), 1);
    ck_assert_uint_eq(count_text(&result->err, "passed"), 3);
    ck_assert_uint_eq(count_text(&result->err, "FAILED"), 0);
    ck_assert_uint_eq(count_text(&result->err, "\n"), 4);
}

static void assert_nothing_left(const struct run_result *result, const struct vector *row,
                                const char *path) {
    char start[2 * PATH_MAX];
    snprintf(start, sizeof start, "\nsam: %s: ", path);
    assert_code(result, SAM_EXIT_UNVERIFIED);
    assert_text(&result->out, "");
    ck_assert_uint_eq(count_text(&result->err, "freshness"), 0);
    ck_assert_uint_eq(count_text(&result->err, start), 1);
    ck_assert_uint_eq(count_text(&result->err, "FAILED"), row->step == 4 ? 2 : 1);
    ck_assert_uint_eq(count_text(&result->err, "passed"), row->step == 4 ? 1 : 0);
    /* With a reference or a sequence that was altered, what was sealed does not open any more. */
    if (row->step == 2 || row->step == 3)
        assert_says(result, sam_status_sentence(SAM_DECRYPT));
    if (row->step == 4)
        assert_says(result, sam_status_sentence(SAM_SIGNATURE));
}

START_TEST(a_foreign_envelope_is_its_message_or_nothing) {
    const struct vector *row = &all.rows[_i];
    const char *path = vector_path(row->file), *out = in_place("out");
    bool opens = row->opens || fails_by_its_place(row);
    struct run_result result = SAM("open", "--keys", keys, "--in", path, "--color", "never");
    if (opens) {
        assert_code(&result, SAM_EXIT_OK);
        if (row->opens)
            assert_message(&result.out, &row->message);
        assert_verdicts(&result, row);
    } else {
        assert_nothing_left(&result, row, path);
    }
    run_result_free(&result);
    if (row->opens && _i % 10 != 0)
        return;
    result = SAM("open", "--keys", keys, "--in", path, "--out", out, "--quiet");
    assert_code(&result, opens ? SAM_EXIT_OK : SAM_EXIT_UNVERIFIED);
    assert_text(&result.out, "");
    ck_assert(exists(out) == opens);
    ck_assert_uint_eq(count_entries(place), opens ? 3 : 2);
    if (row->opens)
        assert_file(out, &row->message);
    ck_assert_uint_eq(result.err.length == 0, opens);
    run_result_free(&result);
}
END_TEST

/* What was sealed. */

static struct sam_bytes noise(size_t length) {
    struct sam_bytes bytes = {0};
    uint32_t state = 2463534242u;
    ck_status(sam_bytes_reserve(&bytes, length), SAM_OK);
    for (size_t i = 0; i < length; i++) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        bytes.data[i] = (uint8_t)(state >> 11);
    }
    bytes.length = length;
    return bytes;
}

/* Opens a file as one who expects it there would, or, with a challenge, at a connection. */
static enum sam_status accept_file(const char *path, const struct sam_mode *mode, const char *to,
                                   const uint8_t reference[SAM_ID_SIZE],
                                   struct sam_envelope *envelope, const struct sam_key **sender) {
    const struct sam_party party = {.mode = mode, .crypto = people.crypto, .own = person(to)};
    struct sam_expectation expected = {
        .trusted = &people.trusted, .kinds = 1 << SAM_KIND_SEND, .max_message = SAM_MESSAGE_LIMIT};
    memcpy(expected.reference, reference, SAM_ID_SIZE);
    *envelope = (struct sam_envelope){.bytes = read_file(path)};
    return sam_envelope_accept(envelope, sender, &party, &expected);
}

static void assert_made_for_a_file(const char *path, const struct sam_mode *mode, const char *from,
                                   const char *to, const struct sam_bytes *message) {
    static const uint8_t zeros[SAM_ID_SIZE], challenge[SAM_ID_SIZE] = {1, 2, 3};
    struct sam_envelope envelope;
    const struct sam_key *sender;
    ck_status(accept_file(path, mode, to, challenge, &envelope, &sender), SAM_STALE);
    sam_envelope_free(&envelope);
    ck_status(accept_file(path, mode, to, zeros, &envelope, &sender), SAM_OK);
    ck_assert_str_eq(sender->name, from);
    ck_assert_uint_eq(envelope.header.sequence, 0);
    uint64_t now = sam_unix_time();
    ck_assert(envelope.header.sent_at <= now && envelope.header.sent_at + 600000 > now);
    ck_assert_uint_eq(envelope.message_length, message->length);
    if (message->length > 0)
        ck_assert_mem_eq(envelope.message, message->data, message->length);
    sam_envelope_free(&envelope);
}

static const char *const pairs[][2] = {{"alice", "bob"}, {"bob", "alice"},   {"alice", "carol"},
                                       {"carol", "bob"}, {"carol", "alice"}, {"bob", "carol"}};

/* By files, by standard input and output, and by pipes: each time the same bytes. */
static void assert_goes_through(const struct sam_mode *mode, const char *const pair[2],
                                const struct sam_bytes *message) {
    const char *plain = in_place("plain"), *sealed = in_place("sealed"), *out = in_place("out");
    const char *number = mode->number == 1 ? "1" : "2";
    write_file(plain, 0600, message->data, message->length);
    struct run_result result = SAM("seal", "--mode", mode->name, "--from", pair[0], "--to", pair[1],
                                   "--keys", keys, "--in", plain, "--out", sealed, "--quiet");
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.err, "");
    run_result_free(&result);
    assert_made_for_a_file(sealed, mode, pair[0], pair[1], message);
    result = SAM("open", "--keys", keys, "--in", sealed, "--out", out);
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.out, "");
    assert_says(&result, "made for a file");
    run_result_free(&result);
    assert_file(out, message);
    result = sam_with_input(message->data, message->length,
                            (const char *const[]){"seal", "--mode", number, "--from", pair[0],
                                                  "--to", pair[1], "--keys", keys, NULL});
    assert_code(&result, SAM_EXIT_OK);
    assert_says(&result, "sam: sealed for ");
    struct run_result opened =
        sam_with_input(result.out.data, result.out.length,
                       (const char *const[]){"open", "--keys", keys, "--name", pair[1], NULL});
    assert_code(&opened, SAM_EXIT_OK);
    assert_message(&opened.out, message);
    run_result_free(&opened);
    run_result_free(&result);
}

static void assert_goes_through_pipes(const char *number, const char *const pair[2],
                                      const struct sam_bytes *message) {
    char line[256];
    snprintf(line, sizeof line,
             "cat \"$2\" | \"$0\" seal --mode %s --from %s --to %s --keys \"$1\" | cat | "
             "\"$0\" open --keys \"$1\" | cat",
             number, pair[0], pair[1]);
    struct run_result result = shell(line, in_place("plain"), NULL);
    assert_code(&result, SAM_EXIT_OK);
    assert_message(&result.out, message);
    run_result_free(&result);
}

START_TEST(everyones_messages_arrive_byte_for_byte) {
    static const size_t lengths[] = {0, 1, 1000};
    for (int i = 0; i < COUNT(lengths); i++) {
        struct sam_bytes message = noise(lengths[i]);
        assert_goes_through(modes[_i % 2], pairs[_i / 2], &message);
        assert_goes_through_pipes(_i % 2 == 0 ? "1" : "2", pairs[_i / 2], &message);
        sam_bytes_free(&message);
    }
    ck_assert_uint_eq(count_entries(place), 4); /* keys, and the three files */
}
END_TEST

START_TEST(a_message_as_long_as_the_mode_takes_arrives) {
    struct sam_bytes message = noise(modes[_i]->max_message);
    assert_goes_through(modes[_i], pairs[0], &message);
    assert_goes_through_pipes(_i == 0 ? "1" : "2", pairs[0], &message);
    sam_bytes_free(&message);
}
END_TEST

START_TEST(the_same_message_is_never_sealed_into_the_same_bytes) {
    struct sam_bytes sealed[2];
    for (int i = 0; i < 2; i++) {
        struct run_result result = SAM("seal", "--mode", modes[_i]->name, "--from", "alice", "--to",
                                       "bob", "--keys", keys);
        assert_code(&result, SAM_EXIT_OK);
        sealed[i] = result.out;
        sam_bytes_free(&result.err);
    }
    ck_assert_uint_eq(sealed[0].length, sealed[1].length);
    for (size_t at = 32; at + 16 <= sealed[0].length; at += at == 32 ? 96 : 16)
        ck_assert_msg(memcmp(sealed[0].data + at, sealed[1].data + at, 16) != 0, "at %zu", at);
    sam_bytes_free(&sealed[0]);
    sam_bytes_free(&sealed[1]);
}
END_TEST

/* Each of the three that make a file's envelope, and none of them alone. */
START_TEST(only_a_send_with_number_0_and_no_reference_was_made_for_a_file) {
    static const struct sam_address addresses[] = {
        {.kind = SAM_KIND_SEND},
        {.kind = SAM_KIND_REPLY},
        {.kind = SAM_KIND_SEND, .sequence = 1},
        {.kind = SAM_KIND_SEND, .reference = {[15] = 1}}};
    const struct sam_party alice = {
        .mode = modes[1], .crypto = people.crypto, .own = &people.alice};
    struct sam_envelope envelope = seal_at(&alice, &people.bob, &addresses[_i], "hello", 5);
    write_file(in_place("sealed"), 0600, envelope.bytes.data, envelope.bytes.length);
    struct run_result result = SAM("open", "--keys", keys, "--in", in_place("sealed"));
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.out, "hello");
    assert_says(&result, _i == 0 ? "made for a file" : "kept from a conversation");
    run_result_free(&result);
    sam_envelope_free(&envelope);
}
END_TEST

START_TEST(a_file_is_as_open_as_the_umask_lets_it_be) {
    struct stat file;
    mode_t before = umask(_i == 0 ? 0022 : 0077);
    struct run_result result = SAM("seal", "--mode", "2", "--from", "alice", "--to", "bob",
                                   "--keys", keys, "--out", in_place("sealed"));
    umask(before);
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    ck_assert_int_eq(stat(in_place("sealed"), &file), 0);
    ck_assert_uint_eq(file.st_mode & 0777, _i == 0 ? 0644 : 0600);
    /* What was secret is its owner's alone, whoever could read what was there before. */
    write_file(in_place("opened"), 0644, "old", 3);
    result = SAM("open", in_place("sealed"), "--keys", keys, "--out", in_place("opened"));
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    ck_assert_int_eq(stat(in_place("opened"), &file), 0);
    ck_assert_uint_eq(file.st_mode & 0777, 0600);
}
END_TEST

TCase *envelope_files_case(void) {
    TCase *tcase = tcase_create("envelope files");
    tcase_set_timeout(tcase, 300);
    tcase_add_unchecked_fixture(tcase, load_all, free_all);
    tcase_add_checked_fixture(tcase, set_up_three, tear_down_place);
    tcase_add_loop_test(tcase, a_foreign_envelope_is_its_message_or_nothing, 0, VECTOR_ROWS);
    tcase_add_loop_test(tcase, everyones_messages_arrive_byte_for_byte, 0, 2 * COUNT(pairs));
    tcase_add_loop_test(tcase, a_message_as_long_as_the_mode_takes_arrives, 0, 2);
    tcase_add_loop_test(tcase, the_same_message_is_never_sealed_into_the_same_bytes, 0, 2);
    tcase_add_loop_test(tcase, only_a_send_with_number_0_and_no_reference_was_made_for_a_file, 0,
                        4);
    tcase_add_loop_test(tcase, a_file_is_as_open_as_the_umask_lets_it_be, 0, 2);
    return tcase;
}
