/* Tests of file: a file appears whole or not at all, and nothing is left behind by a failure. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parts.h"
#include "suites.h"
#include "support.h"

static char folder[PATH_MAX];

static void set_up(void) {
    make_folder(folder);
}

static void tear_down(void) {
    remove_folder(folder);
}

/* folder/name. It lasts for the next 15 calls: a staged file keeps a pointer to its path. */
static const char *in_folder(const char *name) {
    static char paths[16][2 * PATH_MAX];
    static size_t turn;
    turn = (turn + 1) % 16;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

static mode_t mode_of(const char *path) {
    struct stat file;
    ck_assert_int_eq(lstat(path, &file), 0);
    return file.st_mode;
}

static void check_content(const char *path, const char *expected) {
    struct sam_bytes bytes = read_file(path);
    ck_assert_uint_eq(bytes.length, strlen(expected));
    if (bytes.length > 0)
        ck_assert_mem_eq(bytes.data, expected, bytes.length);
    sam_bytes_free(&bytes);
}

/* Reading. */

static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 100000};

START_TEST(a_file_at_the_limit_is_read_and_one_byte_more_is_not) {
    size_t size = sizes[_i];
    uint8_t *data = malloc(size + 1);
    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i <= size; i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    struct sam_bytes bytes = {0};
    for (size_t more = 0; more < 2; more++) {
        write_file(in_folder("file"), 0600, data, size + more);
        int fd = open(in_folder("file"), O_RDONLY);
        ck_status(sam_file_read(fd, size, &bytes), more == 0 ? SAM_OK : SAM_TOO_LONG);
        close(fd);
        ck_assert_uint_eq(bytes.length, size);
        if (size > 0)
            ck_assert_mem_eq(bytes.data, data, size);
        sam_bytes_free(&bytes);
    }
    free(data);
}
END_TEST

START_TEST(a_read_appends_and_its_limit_counts_what_is_there) {
    struct sam_bytes bytes = {0};
    ck_status(sam_bytes_append(&bytes, "abc", 3), SAM_OK);
    write_file(in_folder("file"), 0600, "defg", 4);
    int fd = open(in_folder("file"), O_RDONLY);
    ck_status(sam_file_read(fd, 7, &bytes), SAM_OK);
    ck_assert_uint_eq(bytes.length, 7);
    ck_assert_mem_eq(bytes.data, "abcdefg", 7);
    bytes.length = 3;
    lseek(fd, 0, SEEK_SET);
    ck_status(sam_file_read(fd, 6, &bytes), SAM_TOO_LONG);
    ck_assert_uint_eq(bytes.length, 6);
    ck_assert_mem_eq(bytes.data, "abcdef", 6);
    close(fd);
    sam_bytes_free(&bytes);
}
END_TEST

START_TEST(what_cannot_be_read_is_told_with_errno) {
    struct sam_bytes bytes = {0};
    ck_status(sam_file_read(-1, 10, &bytes), SAM_FILE_READ);
    ck_assert_int_eq(errno, EBADF);
    int fd = open(folder, O_RDONLY);
    ck_status(sam_file_read(fd, 10, &bytes), SAM_FILE_READ);
    ck_assert_int_eq(errno, EISDIR);
    close(fd);
    ck_assert_uint_eq(bytes.length, 0);
    sam_bytes_free(&bytes);
}
END_TEST

/* Writing. */

START_TEST(a_write_that_fails_is_told_with_errno) {
    ck_status(sam_file_write(-1, NULL, 0), SAM_OK); /* nothing to write: nothing fails */
    ck_status(sam_file_write(-1, "x", 1), SAM_FILE_WRITE);
    ck_assert_int_eq(errno, EBADF);
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    enum sam_status status = sam_file_write(ends[1], "x", 1);
    int reason = errno;
    signal(SIGPIPE, before);
    ck_status(status, SAM_FILE_WRITE);
    ck_assert_int_eq(reason, EPIPE);
    close(ends[1]);
    int fd = open("/dev/full", O_WRONLY); /* Linux has it, macOS does not */
    if (fd >= 0) {
        ck_status(sam_file_write(fd, "x", 1), SAM_FILE_WRITE);
        ck_assert_int_eq(errno, ENOSPC);
        close(fd);
    }
}
END_TEST

/* Staging. */

START_TEST(a_staged_file_shows_only_once_it_is_placed) {
    static struct sam_staged staged;
    mode_t before = umask(0);
    ck_status(sam_file_stage(&staged, in_folder("file"), 0600, "new", 3), SAM_OK);
    umask(before);
    ck_assert_int_ne(access(in_folder("file"), F_OK), 0);
    ck_assert_uint_eq(count_entries(folder), 1);
    ck_assert_int_eq(strncmp(staged.temporary, in_folder(""), strlen(in_folder(""))), 0);
    ck_assert_uint_eq(mode_of(staged.temporary), S_IFREG | 0600);
    check_content(staged.temporary, "new");
    ck_status(sam_file_place(&staged, false), SAM_OK);
    ck_assert_str_eq(staged.temporary, "");
    ck_assert_uint_eq(count_entries(folder), 1);
    ck_assert_uint_eq(mode_of(in_folder("file")), S_IFREG | 0600);
    check_content(in_folder("file"), "new");
    /* Placed is placed: nothing of it is taken away again. */
    sam_file_discard(&staged);
    check_content(in_folder("file"), "new");
}
END_TEST

static const struct {
    mode_t asked, mask, given;
} permissions[] = {
    {0600, 0000, 0600}, {0644, 0000, 0644}, {0644, 0022, 0644},
    {0644, 0077, 0600}, {0666, 0027, 0640}, {0600, 0777, 0000},
};

START_TEST(a_file_has_the_permissions_asked_for_less_the_umask) {
    mode_t before = umask(permissions[_i].mask);
    enum sam_status status = sam_file_replace(in_folder("file"), permissions[_i].asked, "x", 1);
    umask(before);
    ck_status(status, SAM_OK);
    ck_assert_uint_eq(mode_of(in_folder("file")), S_IFREG | permissions[_i].given);
}
END_TEST

START_TEST(a_discarded_file_is_gone_and_errno_is_kept) {
    static struct sam_staged staged;
    ck_status(sam_file_stage(&staged, in_folder("file"), 0600, "new", 3), SAM_OK);
    for (int times = 0; times < 2; times++) {
        errno = EXDEV;
        sam_file_discard(&staged);
        ck_assert_int_eq(errno, EXDEV);
        ck_assert_str_eq(staged.temporary, "");
        ck_assert_uint_eq(count_entries(folder), 0);
    }
}
END_TEST

/* Without placing: a missing folder, a file for a folder, a folder's name, a path that is too long.
 */
static const struct {
    const char *name;
    size_t padding; /* bytes of 'a' after it */
    int reason;
} bad_paths[] = {
    {"missing/file", 0, ENOENT},  {"plain/file", 0, ENOTDIR},
    {"long", 300, ENAMETOOLONG},  {"missing/long", PATH_MAX, ENAMETOOLONG},
    {"", PATH_MAX, ENAMETOOLONG},
};

START_TEST(a_path_that_cannot_be_staged_leaves_nothing_behind) {
    static struct sam_staged staged;
    static char path[3 * PATH_MAX];
    write_file(in_folder("plain"), 0600, "old", 3);
    snprintf(path, sizeof path, "%s/%s", folder, bad_paths[_i].name);
    size_t length = strlen(path);
    memset(path + length, 'a', bad_paths[_i].padding);
    path[length + bad_paths[_i].padding] = '\0';
    staged.temporary[0] = 'x';
    ck_status(sam_file_stage(&staged, path, 0600, "new", 3), SAM_FILE_WRITE);
    ck_assert_int_eq(errno, bad_paths[_i].reason);
    ck_assert_str_eq(staged.temporary, "");
    ck_status(sam_file_replace(path, 0600, "new", 3), SAM_FILE_WRITE);
    ck_assert_int_eq(errno, bad_paths[_i].reason);
    sam_file_discard(&staged);
    ck_assert_uint_eq(count_entries(folder), 1);
    check_content(in_folder("plain"), "old");
}
END_TEST

/* Somebody else's file, or a link to one, or one of a process that was killed, lies where the
 * temporary one would. */
START_TEST(a_temporary_name_that_is_taken_is_not_touched) {
    static struct sam_staged staged, scout;
    write_file(in_folder("victim"), 0600, "old", 3);
    ck_status(sam_file_stage(&scout, in_folder("file"), 0600, "x", 1), SAM_OK);
    char taken[PATH_MAX];
    memcpy(taken, scout.temporary, sizeof taken);
    sam_file_discard(&scout);
    if (_i == 0)
        write_file(taken, 0600, "theirs", 6);
    else
        ck_assert_int_eq(symlink(_i == 1 ? "victim" : "nowhere", taken), 0);
    ck_status(sam_file_stage(&staged, in_folder("file"), 0600, "new", 3), SAM_OK);
    ck_assert_str_ne(staged.temporary, taken);
    check_content(staged.temporary, "new");
    sam_file_discard(&staged);
    ck_assert_uint_eq(count_entries(folder), 2);
    ck_assert_uint_eq(mode_of(taken) & S_IFMT, _i == 0 ? S_IFREG : S_IFLNK);
    if (_i == 0)
        check_content(taken, "theirs");
    check_content(in_folder("victim"), "old");
}
END_TEST

/* A limit on the size of files stands for a full disk, also for root. No assertion while it
 * stands: Check itself writes a file. */
START_TEST(a_full_disk_leaves_the_old_file_and_nothing_else) {
    static struct sam_staged staged;
    static const uint8_t large[50000];
    write_file(in_folder("file"), 0644, "old", 3);
    const char *path = in_folder("file");
    struct rlimit before, small;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 10000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    enum sam_status replaced = sam_file_replace(path, 0600, large, sizeof large);
    enum sam_status stage = sam_file_stage(&staged, path, 0600, large, sizeof large);
    int reason = errno;
    int restored = setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    ck_assert_int_eq(restored, 0);
    ck_status(replaced, SAM_FILE_WRITE);
    ck_status(stage, SAM_FILE_WRITE);
    ck_assert_int_eq(reason, EFBIG);
    ck_assert_str_eq(staged.temporary, "");
    ck_assert_uint_eq(count_entries(folder), 1);
    check_content(path, "old");
    ck_assert_uint_eq(mode_of(path), S_IFREG | 0644);
}
END_TEST

/* Placing. What can be in the way: */
static const char *const obstacles[] = {"file", "folder", "fifo", "link", "dangling"};

static void make_obstacle(const char *what) {
    const char *path = in_folder("place");
    if (strcmp(what, "file") == 0)
        write_file(path, 0644, "old", 3);
    else if (strcmp(what, "folder") == 0)
        ck_assert_int_eq(mkdir(path, 0700), 0);
    else if (strcmp(what, "fifo") == 0)
        ck_assert_int_eq(mkfifo(path, 0600), 0);
    else
        ck_assert_int_eq(symlink(strcmp(what, "link") == 0 ? "victim" : "nowhere", path), 0);
}

START_TEST(nothing_is_replaced_unasked) {
    static struct sam_staged staged;
    write_file(in_folder("victim"), 0600, "precious", 8);
    make_obstacle(obstacles[_i]);
    mode_t before = mode_of(in_folder("place"));
    ck_status(sam_file_stage(&staged, in_folder("place"), 0600, "new", 3), SAM_OK);
    ck_status(sam_file_place(&staged, false), SAM_KEY_EXISTS);
    ck_assert_str_eq(staged.temporary, "");
    ck_assert_uint_eq(count_entries(folder), 2);
    ck_assert_uint_eq(mode_of(in_folder("place")), before);
    check_content(in_folder("victim"), "precious");
    if (_i == 0)
        check_content(in_folder("place"), "old");
    ck_assert_int_ne(access(in_folder("nowhere"), F_OK), 0);
}
END_TEST

START_TEST(asked_to_replace_it_takes_any_place_but_a_folders) {
    static struct sam_staged staged;
    write_file(in_folder("victim"), 0600, "precious", 8);
    make_obstacle(obstacles[_i]);
    ck_status(sam_file_stage(&staged, in_folder("place"), 0600, "new", 3), SAM_OK);
    bool is_folder = strcmp(obstacles[_i], "folder") == 0;
    ck_status(sam_file_place(&staged, true), is_folder ? SAM_FILE_WRITE : SAM_OK);
    ck_assert_str_eq(staged.temporary, "");
    ck_assert_uint_eq(count_entries(folder), 2);
    ck_assert_uint_eq(mode_of(in_folder("place")), is_folder ? S_IFDIR | 0700 : S_IFREG | 0600);
    check_content(in_folder("victim"), "precious");
    if (!is_folder)
        check_content(in_folder("place"), "new");
}
END_TEST

/* Replacing. */

START_TEST(a_file_is_replaced_with_its_permissions) {
    write_file(in_folder("file"), 0644, "an older and longer text", 24);
    ck_status(sam_file_replace(in_folder("file"), 0600, "new", 3), SAM_OK);
    check_content(in_folder("file"), "new");
    ck_assert_uint_eq(mode_of(in_folder("file")), S_IFREG | 0600);
    ck_status(sam_file_replace(in_folder("file"), 0600, NULL, 0), SAM_OK);
    check_content(in_folder("file"), "");
    ck_assert_uint_eq(count_entries(folder), 1);
}
END_TEST

START_TEST(a_pipe_is_written_as_it_is) {
    ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);
    int fd = open(in_folder("fifo"), O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    ck_status(sam_file_replace(in_folder("fifo"), 0644, "through", 7), SAM_OK);
    char got[8] = "";
    ck_assert_int_eq((int)read(fd, got, sizeof got), 7);
    ck_assert_mem_eq(got, "through", 7);
    close(fd);
    ck_assert_uint_eq(mode_of(in_folder("fifo")), S_IFIFO | 0600);
    ck_assert_uint_eq(count_entries(folder), 1);
}
END_TEST

/* As root, a rename onto /dev/null would cost the machine its /dev/null. The link is there so that
 * a failure of this test costs only a link. */
static const char *const devices[] = {"/dev/null", "/dev/full"};

START_TEST(a_device_is_written_as_it_is) {
    if (access(devices[_i], W_OK) != 0)
        return;
    ck_assert_int_eq(symlink(devices[_i], in_folder("device")), 0);
    ck_status(sam_file_replace(in_folder("device"), 0600, "x", 1),
              _i == 0 ? SAM_OK : SAM_FILE_WRITE);
    ck_assert_uint_eq(mode_of(in_folder("device")) & S_IFMT, S_IFLNK);
    ck_assert_uint_eq(count_entries(folder), 1);
    ck_status(sam_file_replace(devices[_i], 0600, "x", 1), _i == 0 ? SAM_OK : SAM_FILE_WRITE);
    ck_assert_uint_eq(mode_of(devices[_i]) & S_IFMT, S_IFCHR);
}
END_TEST

START_TEST(a_folder_is_not_replaced) {
    ck_assert_int_eq(mkdir(in_folder("sub"), 0700), 0);
    ck_status(sam_file_replace(in_folder("sub"), 0600, "x", 1), SAM_FILE_WRITE);
    ck_assert_int_eq(errno, EISDIR);
    ck_assert_uint_eq(count_entries(in_folder("sub")), 0);
    ck_assert_uint_eq(count_entries(folder), 1);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

Suite *file_suite(void) {
    Suite *suite = suite_create("file");
    TCase *tcase = tcase_create("file");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_file_at_the_limit_is_read_and_one_byte_more_is_not, 0,
                        COUNT(sizes));
    tcase_add_test(tcase, a_read_appends_and_its_limit_counts_what_is_there);
    tcase_add_test(tcase, what_cannot_be_read_is_told_with_errno);
    tcase_add_test(tcase, a_write_that_fails_is_told_with_errno);
    tcase_add_test(tcase, a_staged_file_shows_only_once_it_is_placed);
    tcase_add_loop_test(tcase, a_file_has_the_permissions_asked_for_less_the_umask, 0,
                        COUNT(permissions));
    tcase_add_test(tcase, a_discarded_file_is_gone_and_errno_is_kept);
    tcase_add_loop_test(tcase, a_path_that_cannot_be_staged_leaves_nothing_behind, 0,
                        COUNT(bad_paths));
    tcase_add_loop_test(tcase, a_temporary_name_that_is_taken_is_not_touched, 0, 3);
    tcase_add_test(tcase, a_full_disk_leaves_the_old_file_and_nothing_else);
    tcase_add_loop_test(tcase, nothing_is_replaced_unasked, 0, COUNT(obstacles));
    tcase_add_loop_test(tcase, asked_to_replace_it_takes_any_place_but_a_folders, 0,
                        COUNT(obstacles));
    tcase_add_test(tcase, a_file_is_replaced_with_its_permissions);
    tcase_add_test(tcase, a_pipe_is_written_as_it_is);
    tcase_add_loop_test(tcase, a_device_is_written_as_it_is, 0, COUNT(devices));
    tcase_add_test(tcase, a_folder_is_not_replaced);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, reading_case());
    return suite;
}
