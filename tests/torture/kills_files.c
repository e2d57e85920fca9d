/* Who is killed while it writes: key pairs, envelopes and messages. Under its own name a file is
 * the old one or the new one, and what lies about under other names is in nobody's way. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "envelope_files.h"
#include "kills.h"
#include "peer.h"
#include "scale.h"

enum { MESSAGE = 1 << 20, EACH = 10 };
static const char old[] = "what was there before\n";

/* What lies about in a folder that nobody put there: private halves are closed to all others. */
static size_t count_left(const char *folder) {
    size_t count = 0;
    DIR *listing = opendir(folder);
    const struct dirent *entry;
    ck_assert_ptr_nonnull(listing);
    while ((entry = readdir(listing)) != NULL) {
        char path[PATH_MAX];
        struct stat file;
        if (strstr(entry->d_name, ".tmp") == NULL)
            continue;
        ck_assert_int_lt(snprintf(path, sizeof path, "%s/%s", folder, entry->d_name), PATH_MAX);
        ck_assert_int_eq(lstat(path, &file), 0);
        if (strstr(entry->d_name, ".private.") != NULL)
            ck_assert_msg((file.st_mode & 077) == 0, "%s has mode %o", path,
                          (unsigned)file.st_mode);
        count++;
    }
    closedir(listing);
    return count;
}

static struct process begin_pair(const char *word) {
    char path[PATH_MAX];
    const char *const argv[] = {program_path(path, modes[0], "client"),
                                "generate_key_pair",
                                "--keys",
                                keys,
                                "--name",
                                "new",
                                "--bits",
                                "2048",
                                word,
                                NULL};
    return start(argv, NULL, 0);
}

/* Each half that is there is whole, the two fit, and the folder can be used. */
static void check_pair(bool was_there) {
    struct sam_key pair, half;
    struct sam_ring ring;
    struct sam_where where = {""};
    bool secret = exists(in_keys("new.private.pem")), open = exists(in_keys("new.public.pem"));
    ck_assert_msg(secret || !was_there, "the private half is gone");
    ck_assert_msg(secret || !open, "the public half stands alone, and is in the way");
    if (secret) {
        enum sam_status status =
            sam_key_load_private(&pair, people.crypto, keys, "new", NULL, &where);
        ck_assert_msg(status == SAM_OK, "%s: %s", where.text, sam_status_sentence(status));
        sam_key_free(&pair);
    }
    if (open) {
        ck_status(sam_key_load_public(&half, people.crypto, keys, "new", &where), SAM_OK);
        sam_key_free(&half);
    }
    ck_status(sam_ring_load(&ring, people.crypto, keys, &where), SAM_OK);
    ck_assert_uint_eq(ring.count, 3 + (size_t)open);
    sam_ring_free(&ring);
    toll->files += (size_t)secret + (size_t)open;
}

static void make_well(const char *word) {
    struct process process = begin_pair(word);
    measure_life(&process, NULL, 0);
    check_pair(true);
}

/* The next run makes a pair, or says that there is one, or its private half alone, which is never
 * replaced unasked. */
static void make_again(const char *word) {
    if (exists(in_keys("new.private.pem")) && strcmp(word, "--force") != 0) {
        struct process process = begin_pair(word);
        struct run_result result = finish(&process);
        assert_says(&result, sam_status_sentence(SAM_KEY_EXISTS));
        run_result_free(&result);
        word = "--force";
    }
    make_well(word);
}

/* Half of them at any instant of their lives, which go by with looking for primes, and half while
 * they write. */
static void kill_makers(const char *word, bool replaces) {
    set_up_three();
    size_t entries = count_entries(keys), killed = 0, wanted = torture_scale(EACH);
    struct process process = begin_pair("--quiet");
    struct life life = measure_life(&process, keys, entries);
    for (size_t turn = 0; killed < wanted; turn++) {
        ck_assert_uint_lt(turn, 20 * EACH);
        if (!replaces) {
            unlink(in_keys("new.private.pem"));
            unlink(in_keys("new.public.pem"));
        }
        entries = count_entries(keys);
        process = begin_pair(word);
        struct run_result result =
            kill_in_life(&process, &life, turn % 2 == 0 ? NULL : keys, entries);
        killed += was_killed(&result, &toll->writers);
        run_result_free(&result);
        check_pair(replaces);
        make_again(word);
    }
    toll->left += count_left(keys);
    tear_down_place();
    toll->passed++;
}

START_TEST(a_pair_is_made_or_not_and_the_next_run_makes_it) {
    kill_makers("--quiet", false);
}
END_TEST

START_TEST(a_pair_that_is_replaced_is_the_old_or_the_new_one) {
    kill_makers("--force", true);
}
END_TEST

/* The name of a private half that a process of that number left, cut around the number in it;
 * *after is NULL when it left none. */
static void find_left(pid_t pid, char before[PATH_MAX], const char **after) {
    char number[24];
    size_t length = (size_t)snprintf(number, sizeof number, ".%ld.", (long)pid);
    DIR *listing = opendir(keys);
    const struct dirent *entry;
    ck_assert_ptr_nonnull(listing);
    *after = NULL;
    while (*after == NULL && (entry = readdir(listing)) != NULL) {
        snprintf(before, PATH_MAX, "%s", entry->d_name);
        char *at = strstr(before, number);
        if (at == NULL || strstr(before, ".private.") == NULL)
            continue;
        *after = at + length;
        at[1] = '\0';
    }
    closedir(listing);
}

/* A container's first process has the same number every time. */
START_TEST(what_the_same_process_number_left_is_in_nobodys_way) {
    static const char line[] =
        "touch \"$1/$2$$.$3\" && exec \"${0%tools/sam}asymmetric_only/client\" "
        "generate_key_pair --bits 2048 --keys \"$1\" --name new --force";
    char before[PATH_MAX];
    const char *after = NULL;
    set_up_three();
    struct process process = begin_pair("--quiet");
    struct life life = measure_life(&process, keys, count_entries(keys));
    for (int turn = 0; after == NULL; turn++) {
        ck_assert_int_lt(turn, 20 * EACH);
        process = begin_pair("--force");
        pid_t pid = process.pid;
        struct run_result result = kill_in_life(&process, &life, keys, count_entries(keys));
        run_result_free(&result);
        find_left(pid, before, &after);
    }
    struct run_result result = shell(line, before, after);
    assert_code(&result, 0);
    run_result_free(&result);
    tear_down_place();
    toll->passed++;
}
END_TEST

static struct server_process server; /* of those who send */

static struct process begin_seal(void) {
    char path[PATH_MAX];
    const char *const argv[] = {program_path(path, &in_tools, "sam"),
                                "seal",
                                "--keys",
                                keys,
                                "--mode",
                                "2",
                                "--from",
                                "alice",
                                "--to",
                                "bob",
                                "--in",
                                in_place("message"),
                                "--out",
                                in_place("out"),
                                NULL};
    return start(argv, NULL, 0);
}

static struct process begin_open(void) {
    char path[PATH_MAX];
    const char *const argv[] = {program_path(path, &in_tools, "sam"),
                                "open",
                                "--keys",
                                keys,
                                "--name",
                                "bob",
                                "--in",
                                in_place("sealed"),
                                "--out",
                                in_place("out"),
                                NULL};
    return start(argv, NULL, 0);
}

static struct process begin_save(void) {
    return start_client(&server, NULL, 0, "send_msg", "--name", "alice", "--to", "bob", "--file",
                        in_place("message"), "--save", in_place("out"), NULL);
}

/* What a writer makes of place/message: it, or an envelope that opens to it. */
static const struct {
    struct process (*begin)(void);
    bool makes_envelopes, is_client;
} writers[] = {{begin_seal, true, false}, {begin_open, false, false}, {begin_save, true, true}};

/* place/out is what was there before, or all that it shall be. */
static void check_out(bool is_envelope, const uint8_t *message) {
    const char *file = in_place("out");
    toll->files++;
    if (is_file(file, old, sizeof old - 1))
        return;
    if (is_envelope) {
        struct run_result result =
            SAM("open", "--keys", keys, "--name", "bob", "--in", file, "--out", in_place("opened"));
        assert_code(&result, 0);
        run_result_free(&result);
        file = in_place("opened");
    }
    ck_assert_msg(is_file(file, message, MESSAGE), "%s is half a file", file);
}

static void prepare_message(uint8_t *message) {
    for (size_t i = 0; i < MESSAGE; i++)
        message[i] = (uint8_t)(i * i >> 7);
    write_file(in_place("message"), 0600, message, MESSAGE);
    struct run_result result = SAM("seal", "--keys", keys, "--mode", "2", "--from", "alice", "--to",
                                   "bob", "--in", in_place("message"), "--out", in_place("sealed"));
    assert_code(&result, 0);
    run_result_free(&result);
    write_file(in_place("opened"), 0600, old, sizeof old - 1);
    write_file(in_place("out"), 0600, old, sizeof old - 1);
}

START_TEST(a_file_that_is_replaced_is_the_old_or_the_new_one) {
    static uint8_t message[MESSAGE];
    size_t killed = 0, wanted = torture_scale(EACH);
    set_up_three();
    start_server(&server, modes[1], keys, "--name", "bob", "--quiet", NULL);
    prepare_message(message);
    size_t entries = count_entries(place),
           *count = writers[_i].is_client ? &toll->clients : &toll->writers;
    struct process process = writers[_i].begin();
    struct life life = measure_life(&process, place, entries);
    for (size_t turn = 0; killed < wanted; turn++) {
        ck_assert_uint_lt(turn, 20 * EACH);
        write_file(in_place("out"), 0600, old, sizeof old - 1);
        entries = count_entries(place);
        process = writers[_i].begin();
        struct run_result result =
            kill_in_life(&process, &life, turn % 2 == 0 ? NULL : place, entries);
        killed += was_killed(&result, count);
        run_result_free(&result);
        check_out(writers[_i].makes_envelopes, message);
    }
    process = writers[_i].begin();
    measure_life(&process, NULL, 0);
    ck_assert(!is_file(in_place("out"), old, sizeof old - 1));
    check_out(writers[_i].makes_envelopes, message);
    toll->left += count_left(place);
    stop_server_well(&server);
    tear_down_place();
    toll->passed++;
}
END_TEST

void add_kills_of_writers(TCase *kills) {
    tcase_add_test(kills, a_pair_is_made_or_not_and_the_next_run_makes_it);
    tcase_add_test(kills, a_pair_that_is_replaced_is_the_old_or_the_new_one);
    tcase_add_test(kills, what_the_same_process_number_left_is_in_nobodys_way);
    tcase_add_loop_test(kills, a_file_that_is_replaced_is_the_old_or_the_new_one, 0, 3);
}
