/* A full disk: /dev/full takes nothing, a small file system less and less. */
#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#include <sys/mount.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"

enum { PAGE = 4096, MOST_PAGES = 30, MOST_PAGES_OF_KEYS = 4 };

/* In each $0 is the program, $1 the folder of keys, $2 a message, $3 an envelope, $4 a port. */
static const struct {
    const char *folder, *program, *line;
} full[] = {
    {"tools", "sam",
     "seal --keys \"$1\" --mode 1 --from client --to server --out /dev/full /dev/null"},
    {"tools", "sam", "seal --keys \"$1\" --mode 2 --from client --to server \"$2\" >/dev/full"},
    {"tools", "sam", "open --keys \"$1\" --out /dev/full \"$3\""},
    {"tools", "sam", "open --keys \"$1\" \"$3\" >/dev/full"},
    {"tools", "sam", "inspect \"$3\" >/dev/full"},
    {"tools", "sam", "inspect --json \"$3\" >/dev/full"},
    {"tools", "sam", "inspect --keys \"$1\" \"$3\" >/dev/full"},
    {"tools", "sam", "explain --out /dev/full \"$3\""},
    {"tools", "sam", "explain \"$3\" >/dev/full"},
    {"asymmetric_symmetric", "client", "--keys \"$1\" --name client fingerprint >/dev/full"},
    {"asymmetric_symmetric", "client",
     "--keys \"$1\" --name n --bits 2048 generate_key_pair >/dev/full"},
    {"asymmetric_symmetric", "client", "--keys \"$1\" --port \"$4\" recv_msg >/dev/full"},
    {"asymmetric_symmetric", "client", "--keys \"$1\" --port \"$4\" --save /dev/full recv_msg"},
    {"asymmetric_symmetric", "client",
     "--keys \"$1\" --port \"$4\" --save /dev/full send_msg hello"},
    {"asymmetric_symmetric", "server", "--keys \"$1\" --port 0 --port-file /dev/full"},
};

START_TEST(what_cannot_be_written_is_told) {
    struct outcomes outcomes = {0};
    if (access("/dev/full", W_OK) != 0) {
        fprintf(stderr, "torture: faults: /dev/full: skipped, this system has none\n");
        return;
    }
    start_live(false);
    for (int i = 0; i < COUNT(full); i++) {
        char line[256], port[8];
        snprintf(line, sizeof line, "\"$0\" %s", full[i].line);
        snprintf(port, sizeof port, "%u", (unsigned)live.port);
        const char *const words[] = {"/bin/sh",
                                     "-c",
                                     line,
                                     program_in(full[i].folder, full[i].program),
                                     keys,
                                     in_place("message"),
                                     in_place("envelope"),
                                     port,
                                     NULL};
        struct run_result result = run(words, NULL, 0);
        const char *wrong = judge_ending(&result);
        if (wrong == NULL && result.code == SAM_EXIT_OK)
            wrong = "success";
        if (wrong != NULL)
            tell_wrong(&outcomes, full[i].line, NULL, wrong, &result);
        outcomes.told += wrong == NULL;
        run_result_free(&result);
    }
    stop_live();
    tell_outcomes(&outcomes, "/dev/full");
}
END_TEST

#if defined(__linux__)
static unsigned long pages_left; /* when the subject starts */

/* Leaves that many pages of the file system. */
static void fill(unsigned long pages) {
    static const char page[PAGE];
    off_t length = 0;
    int fd = open(in_place("filler"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    while (write(fd, page, sizeof page) == PAGE)
        length += PAGE;
    ck_assert_int_eq(errno, ENOSPC);
    ck_assert_int_ge(length, (off_t)pages * PAGE);
    ck_assert_int_eq(ftruncate(fd, length - (off_t)pages * PAGE), 0);
    ck_assert_int_eq(close(fd), 0);
}

static void prepare_seal_into_little(const char *words[FAULT_WORDS], unsigned number) {
    unlink(in_place("filler"));
    sam_seals.prepare(words, number);
    fill(pages_left);
}

static void prepare_key_into_little(const char *words[FAULT_WORDS], unsigned number) {
    unlink(in_place("filler"));
    key_is_made.prepare(words, number);
    fill(pages_left);
}

/* A mount that no other process sees, and that ends with this one. False when we may not. */
static bool mount_little(const char *path) {
    ck_assert_int_eq(mkdir(path, 0700), 0);
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", path, "tmpfs", 0, "size=512k,mode=0700") == 0;
}

START_TEST(a_disk_that_fills_up_costs_no_file) {
    char whole[PATH_MAX], little[2 * PATH_MAX], all_keys[PATH_MAX];
    struct subject seals = sam_seals, makes = key_is_made;
    struct outcomes outcomes = {0}, of_keys = {0};
    seals.prepare = prepare_seal_into_little;
    makes.prepare = prepare_key_into_little;
    snprintf(little, sizeof little, "%s", in_place("little"));
    if (!have_shim())
        return;
    if (!mount_little(little)) {
        fprintf(stderr, "torture: faults: a small file system: skipped, we may not mount one\n");
        return;
    }
    memcpy(whole, place, sizeof whole);
    memcpy(all_keys, keys, sizeof all_keys);
    snprintf(place, PATH_MAX, "%.*s", PATH_MAX - 1, little);
    write_file(in_place("message"), 0600, long_text.data, long_text.length);
    for (pages_left = 0; pages_left <= MOST_PAGES; pages_left++)
        for (unsigned old = 0; old < 2; old++)
            try_subject(&seals, NULL, old, &outcomes);
    snprintf(keys, PATH_MAX, "%.*s", PATH_MAX - 1, little);
    for (pages_left = 0; pages_left <= MOST_PAGES_OF_KEYS; pages_left++)
        try_subject(&makes, NULL, 0, &of_keys);
    memcpy(place, whole, sizeof whole);
    memcpy(keys, all_keys, sizeof all_keys);
    ck_assert_int_eq(umount(little), 0);
    ck_assert(outcomes.told > 0 && outcomes.harmless > 0 && of_keys.told > 0);
    tell_outcomes(&outcomes, "sam seal, with 0 to %d pages of the disk left", MOST_PAGES);
    tell_outcomes(&of_keys, "generate_key_pair, with 0 to %d", MOST_PAGES_OF_KEYS);
}
END_TEST
#endif

TCase *disk_faults(void) {
    TCase *tests = tcase_create("disk");
    tcase_add_test(tests, what_cannot_be_written_is_told);
#if defined(__linux__)
    tcase_add_test(tests, a_disk_that_fills_up_costs_no_file);
#endif
    return tests;
}
