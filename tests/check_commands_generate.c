/* Tests of generate_key_pair, fingerprint and passphrases. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"

static const char *const programs[] = {"client", "server"};
static const char passphrase[] = "correct horse";

/* alice's private key under that passphrase, made once: its derivation is slow by design. */
static struct sam_bytes locked_alice;

static void load_locked(void) {
    struct sam_passphrase words = {.length = sizeof passphrase - 1};
    memcpy(words.text, passphrase, sizeof passphrase);
    load_people();
    ck_status(sam_rsa_write_private(people.alice.rsa, &words, &locked_alice), SAM_OK);
}

static void free_locked(void) {
    sam_bytes_free(&locked_alice);
    free_people();
}

static mode_t permissions(const char *path) {
    struct stat file;
    ck_assert_int_eq(lstat(path, &file), 0);
    ck_assert(S_ISREG(file.st_mode));
    return file.st_mode & 0777;
}

/* Asserts that standard output is the fingerprint of that public key and its name. */
static void assert_prints_fingerprint(const struct run_result *result, const char *folder,
                                      const char *name, size_t size) {
    struct sam_key key;
    char line[SAM_FINGERPRINT_SIZE + SAM_NAME_MAX + 2], fingerprint[SAM_FINGERPRINT_SIZE];
    ck_status(sam_key_load_public(&key, people.crypto, folder, name, NULL), SAM_OK);
    ck_assert(size == 0 || sam_rsa_size(key.rsa) == size);
    sam_fingerprint(fingerprint, key.id);
    snprintf(line, sizeof line, "%s %s\n", fingerprint, name);
    assert_text(&result->out, line);
    sam_key_free(&key);
}

/* Nothing of a private key file's base64, and no PEM at all, is on either stream. */
static void assert_keeps_secret(const struct run_result *result, const char *path) {
    struct sam_bytes pem = read_file(path);
    ck_status(sam_bytes_append(&pem, "", 1), SAM_OK);
    ck_assert_uint_gt(count_text(&pem, "PRIVATE KEY-----\n"), 0);
    for (char *line = strtok((char *)pem.data, "\n"); line != NULL; line = strtok(NULL, "\n"))
        ck_assert(count_text(&result->out, line) == 0 && count_text(&result->err, line) == 0);
    ck_assert_uint_eq(count_text(&result->out, "BEGIN"), 0);
    ck_assert_uint_eq(count_text(&result->err, "BEGIN"), 0);
    sam_bytes_free(&pem);
}

static const struct {
    const char *program, *bits;
    size_t size; /* of the modulus, bytes */
} sizes[] = {{"client", "2048", 256},
             {"server", "2048", 256},
             {"client", NULL, 384},
             {"server", "4096", 512}};

START_TEST(a_pair_is_made_of_two_files_and_its_fingerprint_is_printed) {
    const char *name = sizes[_i].program, *folder = in_place("new");
    char private_path[PATH_MAX], public_path[PATH_MAX];
    snprintf(private_path, sizeof private_path, "%s/%s.private.pem", folder, name);
    snprintf(public_path, sizeof public_path, "%s/%s.public.pem", folder, name);
    mode_t before = umask(_i % 2 == 0 ? 022 : 0);
    struct run_result result = RUN(modes[_i % 2], name, "generate_key_pair", "--keys", folder,
                                   sizes[_i].bits == NULL ? NULL : "--bits", sizes[_i].bits);
    umask(before);
    assert_code(&result, SAM_EXIT_OK);
    assert_prints_fingerprint(&result, folder, name, sizes[_i].size);
    assert_says(&result, private_path);
    assert_says(&result, public_path);
    assert_keeps_secret(&result, private_path);
    ck_assert_uint_eq(permissions(private_path), 0600);
    ck_assert_uint_eq(permissions(public_path), 0644);
    ck_assert_uint_eq(count_entries(folder), 2);
    ck_assert_uint_eq(count_entries(place), 2);
    run_result_free(&result);
    result = RUN(modes[_i % 2], name, "fingerprint", "--keys", folder);
    assert_code(&result, SAM_EXIT_OK);
    assert_prints_fingerprint(&result, folder, name, sizes[_i].size);
    assert_text(&result.err, "");
    run_result_free(&result);
}
END_TEST

START_TEST(a_pair_that_exists_even_by_half_is_not_replaced_unasked) {
    static const char *const files[] = {"alice.private.pem", "alice.public.pem"};
    int which = _i % 3; /* both, the private one, the public one */
    if (which != 2)
        give_private(keys, "alice", "alice");
    if (which != 1)
        give_public(keys, "alice", "alice");
    struct run_result result = RUN(modes[_i / 3], programs[_i / 3], "generate_key_pair", "--keys",
                                   keys, "--name", "alice", "--bits", "2048");
    assert_code(&result, SAM_EXIT_KEYS);
    assert_text(&result.out, "");
    assert_one_line(&result.err);
    assert_says(&result, in_keys(files[which == 2]));
    assert_says(&result, sam_status_sentence(SAM_KEY_EXISTS));
    ck_assert_uint_eq(count_entries(keys), which == 0 ? 2 : 1);
    for (int k = 0; k < 2; k++) {
        struct sam_bytes pem = read_vector(files[k]);
        if (exists(in_keys(files[k])))
            assert_file(in_keys(files[k]), &pem);
        sam_bytes_free(&pem);
    }
    run_result_free(&result);
}
END_TEST

START_TEST(force_replaces_the_pair_and_quiet_leaves_the_fingerprint_alone) {
    give_pair(keys, "alice", "alice");
    give_pair(keys, "bob", "bob");
    ck_assert_int_eq(chmod(in_keys("alice.private.pem"), 0644), 0);
    struct run_result result = RUN(modes[_i], programs[_i], "generate_key_pair", "--keys", keys,
                                   "--name", "alice", "--bits", "2048", "--force", "--quiet");
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.err, "");
    assert_prints_fingerprint(&result, keys, "alice", 256);
    struct sam_key pair;
    ck_status(sam_key_load_private(&pair, people.crypto, keys, "alice", NULL, NULL), SAM_OK);
    ck_assert_mem_ne(pair.id, people.alice.id, SAM_KEY_ID_SIZE);
    sam_key_free(&pair);
    struct sam_bytes pem = read_vector("bob.private.pem");
    assert_file(in_keys("bob.private.pem"), &pem);
    sam_bytes_free(&pem);
    ck_assert_uint_eq(permissions(in_keys("alice.private.pem")), 0600);
    ck_assert_uint_eq(count_entries(keys), 4);
    run_result_free(&result);
}
END_TEST

START_TEST(a_size_that_is_refused_leaves_nothing) {
    static const char *const bits[] = {"2047", "2052", "2049", "1024", "4104", "0", "", "big"};
    struct run_result result = RUN(modes[_i % 2], programs[_i % 2], "generate_key_pair", "--keys",
                                   in_place("new"), "--bits", bits[_i]);
    assert_code(&result, SAM_EXIT_USAGE);
    assert_text(&result.out, "");
    ck_assert_uint_eq(count_entries(place), 1);
    run_result_free(&result);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_named) {
    write_file(in_place("file"), 0600, "x", 1);
    const char *folders[] = {in_place("missing/new"), in_place("file")};
    struct run_result result =
        RUN(modes[_i], programs[_i], "generate_key_pair", "--keys", folders[_i], "--bits", "2048");
    ck_assert_int_ne(result.code, SAM_EXIT_OK);
    assert_text(&result.out, "");
    assert_one_line(&result.err);
    assert_says(&result, folders[_i]);
    ck_assert_uint_eq(count_entries(place), 2);
    run_result_free(&result);
}
END_TEST

/* The same by the openssl command line, where there is one. */
START_TEST(fingerprints_are_those_of_the_openssl_command_line) {
    static const char script[] =
        "command -v openssl > /dev/null || exit 99; set -e\n"
        "d=$(openssl pkey -pubin -in \"$1\" -outform DER | openssl dgst -sha256 -binary |\n"
        "    openssl base64)\n"
        "echo \"SHA256:${d%=} $2\"";
    static const char *const who[] = {"alice", "bob", "carol", "mallory"};
    char path[2 * PATH_MAX];
    give_public(keys, who[_i], who[_i]);
    snprintf(path, sizeof path, "%s/%s.public.pem", keys, who[_i]);
    const char *const argv[] = {"sh", "-c", script, "sh", path, who[_i], NULL};
    struct run_result expected = run(argv, NULL, 0);
    struct run_result result =
        RUN(modes[_i % 2], programs[_i / 2], "fingerprint", "--keys", keys, "--name", who[_i]);
    assert_code(&result, SAM_EXIT_OK);
    assert_prints_fingerprint(&result, keys, who[_i], 0);
    if (expected.code != 99)
        assert_text(&result.out, (const char *)expected.out.data);
    run_result_free(&expected);
    run_result_free(&result);
}
END_TEST

/* alice's locked key as the client's, bob as the server. */
static void give_locked(void) {
    give_pair(keys, "bob", "server");
    give_public(keys, "alice", "client");
    write_file(in_keys("client.private.pem"), 0600, locked_alice.data, locked_alice.length);
}

START_TEST(a_pair_made_under_a_passphrase_works_with_it_on_both_ends) {
    struct server_process server;
    const char *file = in_place("passphrase");
    const struct sam_mode *mode = modes[_i];
    write_file(file, 0600, "correct horse\n", 14);
    give_locked();
    struct run_result result = RUN(mode, "server", "generate_key_pair", "--keys", keys, "--force",
                                   "--bits", "2048", "--passphrase-file", file);
    assert_code(&result, SAM_EXIT_OK);
    assert_keeps_secret(&result, in_keys("server.private.pem"));
    ck_assert_uint_eq(count_text(&result.out, passphrase), 0);
    ck_assert_uint_eq(count_text(&result.err, passphrase), 0);
    run_result_free(&result);
    struct sam_bytes pem = read_file(in_keys("server.private.pem"));
    ck_assert_int_eq(strncmp((const char *)pem.data, "-----BEGIN ENCRYPTED PRIVATE KEY", 32), 0);
    sam_bytes_free(&pem);
    start_server(&server, mode, keys, "--passphrase-file", file, NULL);
    write_file(in_place("no newline"), 0600, passphrase, sizeof passphrase - 1);
    result =
        run_client(&server, "send_msg", "hi", "--passphrase-file", in_place("no newline"), NULL);
    assert_code(&result, SAM_EXIT_OK);
    ck_assert_uint_eq(count_text(&result.err, passphrase), 0);
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

enum { MISSING_FILE, NO_FILE, A_FILE };
static const struct {
    int file;
    size_t length;
    const char *content, *about;
    enum sam_status status;
} wrong[] = {
    {A_FILE, 7, "wrong\n\n", "client.private.pem: ", SAM_KEY_PASSPHRASE},
    {A_FILE, 14, "Correct horse\n", "client.private.pem: ", SAM_KEY_PASSPHRASE},
    {A_FILE, 0, "", "passphrase: ", SAM_PASSPHRASE},
    {A_FILE, 1, "\n", "passphrase: ", SAM_PASSPHRASE},
    {A_FILE, 1026, NULL, "passphrase: ", SAM_PASSPHRASE},
    {MISSING_FILE, 0, NULL, "passphrase: ", SAM_FILE_READ},
    {NO_FILE, 0, NULL, "client.private.pem: ", SAM_KEY_LOCKED},
};

START_TEST(without_the_right_passphrase_a_key_stays_locked) {
    static const struct session no_terminal = {.terminal = false};
    const char *words[] = {"recv_msg", "--keys", keys, "--port", "1", NULL, NULL, NULL};
    char many[1026];
    struct sam_bytes screen;
    memset(many, 'x', sizeof many);
    give_locked();
    if (wrong[_i].file == A_FILE)
        write_file(in_place("passphrase"), 0600,
                   wrong[_i].content != NULL ? wrong[_i].content : many, wrong[_i].length);
    if (wrong[_i].file != NO_FILE) {
        words[5] = "--passphrase-file";
        words[6] = in_place("passphrase");
    }
    struct run_result result = run_session(&no_terminal, modes[_i % 2], "client", words, &screen);
    /* A file that is not there is, so far, like that of send_msg --file: usage. */
    if (wrong[_i].file != MISSING_FILE || result.code != SAM_EXIT_USAGE)
        assert_code(&result, SAM_EXIT_KEYS);
    assert_text(&result.out, "");
    assert_one_line(&result.err);
    assert_says(&result, wrong[_i].about);
    assert_says(&result, sam_status_sentence(wrong[_i].status));
    ck_assert_uint_eq(count_entries(keys), 4);
    run_result_free(&result);
    sam_bytes_free(&screen);
}
END_TEST

static const struct {
    const char *program, *typed;
    int code;
} typed[] = {
    {"client", "correct horse\n", SAM_EXIT_NETWORK}, /* it comes as far as to find no server */
    {"client", "wrong\n", SAM_EXIT_KEYS},
    {"client", "\n", SAM_EXIT_KEYS},
    {"server", "wrong\n", SAM_EXIT_KEYS},
    {"client", "\003\n", 128 + SIGINT}, /* Ctrl-C */
};

START_TEST(a_passphrase_is_asked_for_on_the_terminal_and_not_shown) {
    struct session session = {
        .terminal = true, .prompt = "Passphrase of client: ", .typed = typed[_i].typed};
    bool client = strcmp(typed[_i].program, "client") == 0;
    const char *const of_client[] = {"recv_msg", "--keys", keys, "--host", "no..such", NULL};
    const char *const of_server[] = {"--keys", keys, "--name", "client", "--port", "0", NULL};
    struct sam_bytes screen;
    give_locked();
    struct run_result result = run_session(&session, modes[_i % 2], typed[_i].program,
                                           client ? of_client : of_server, &screen);
    assert_code(&result, typed[_i].code);
    ck_assert_uint_eq(count_text(&screen, session.prompt), 1);
    ck_assert_uint_eq(count_text(&screen, "horse") + count_text(&screen, "wrong"), 0);
    ck_assert_uint_eq(count_text(&result.err, "horse") + count_text(&result.err, "wrong"), 0);
    assert_text(&result.out, "");
    ck_assert(typed[_i].code != SAM_EXIT_KEYS ||
              count_text(&result.err, "client.private.pem: ") == 1);
    run_result_free(&result);
    sam_bytes_free(&screen);
}
END_TEST

static const struct {
    const char *typed;
    bool made;
} chosen[] = {{"correct horse\ncorrect horse\n", true}, {"correct horse\nother horse\n", false}};

START_TEST(a_new_passphrase_is_asked_for_twice) {
    struct session session = {
        .terminal = true, .prompt = "assphrase for the new key: ", .typed = chosen[_i].typed};
    const char *const words[] = {"generate_key_pair", "--keys", keys,   "--name", "alice",
                                 "--passphrase",      "--bits", "2048", NULL};
    struct sam_passphrase right = {.length = sizeof passphrase - 1};
    struct sam_bytes screen;
    struct sam_key key;
    struct run_result result = run_session(&session, modes[_i], programs[_i], words, &screen);
    assert_code(&result, chosen[_i].made ? SAM_EXIT_OK : SAM_EXIT_KEYS);
    ck_assert_uint_eq(count_text(&screen, session.prompt), 2);
    ck_assert_uint_eq(count_text(&screen, "horse") + count_text(&result.err, "horse"), 0);
    ck_assert_uint_eq(count_entries(keys), chosen[_i].made ? 2 : 0);
    if (chosen[_i].made) {
        memcpy(right.text, passphrase, sizeof passphrase);
        ck_status(sam_key_load_private(&key, people.crypto, keys, "alice", &right, NULL), SAM_OK);
        sam_key_free(&key);
    }
    run_result_free(&result);
    sam_bytes_free(&screen);
}
END_TEST

START_TEST(without_a_terminal_no_passphrase_is_chosen_and_no_pair_made) {
    static const struct session session = {.terminal = false};
    const char *const words[] = {"generate_key_pair", "--keys", keys, "--passphrase", NULL};
    struct sam_bytes screen;
    struct run_result result = run_session(&session, modes[_i], programs[_i], words, &screen);
    assert_code(&result, SAM_EXIT_KEYS);
    assert_one_line(&result.err);
    assert_says(&result, "--passphrase-file");
    ck_assert_uint_eq(count_entries(keys), 0);
    run_result_free(&result);
    sam_bytes_free(&screen);
}
END_TEST

TCase *generate_case(void) {
    TCase *tcase = tcase_create("generate");
    tcase_set_timeout(tcase, 300);
    tcase_add_unchecked_fixture(tcase, load_locked, free_locked);
    tcase_add_checked_fixture(tcase, set_up_place, tear_down_place);
    tcase_add_loop_test(tcase, a_pair_is_made_of_two_files_and_its_fingerprint_is_printed, 0,
                        COUNT(sizes));
    tcase_add_loop_test(tcase, a_pair_that_exists_even_by_half_is_not_replaced_unasked, 0, 6);
    tcase_add_loop_test(tcase, force_replaces_the_pair_and_quiet_leaves_the_fingerprint_alone, 0,
                        2);
    tcase_add_loop_test(tcase, a_size_that_is_refused_leaves_nothing, 0, 8);
    tcase_add_loop_test(tcase, a_folder_that_cannot_be_made_is_named, 0, 2);
    tcase_add_loop_test(tcase, fingerprints_are_those_of_the_openssl_command_line, 0, 4);
    tcase_add_loop_test(tcase, a_pair_made_under_a_passphrase_works_with_it_on_both_ends, 0, 2);
    tcase_add_loop_test(tcase, without_the_right_passphrase_a_key_stays_locked, 0, COUNT(wrong));
    tcase_add_loop_test(tcase, a_passphrase_is_asked_for_on_the_terminal_and_not_shown, 0,
                        COUNT(typed));
    tcase_add_loop_test(tcase, a_new_passphrase_is_asked_for_twice, 0, COUNT(chosen));
    tcase_add_loop_test(tcase, without_a_terminal_no_passphrase_is_chosen_and_no_pair_made, 0, 2);
    return tcase;
}
