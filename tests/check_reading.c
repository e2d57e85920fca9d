/* Tests of file: how much a file has left, reading exactly that, and where nothing is written. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "parts.h"
#include "support.h"

static char folder[PATH_MAX], path[PATH_MAX + 8];

static void set_up(void) {
    make_folder(folder);
    snprintf(path, sizeof path, "%s/file", folder);
}

static void tear_down(void) {
    remove_folder(folder);
}

static int open_with(const char *content) {
    write_file(path, 0600, content, strlen(content));
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    return fd;
}

START_TEST(what_is_no_regular_file_has_no_size) {
    int ends[2], listing = open(folder, O_RDONLY), device = open("/dev/null", O_RDONLY);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "four", 4), 4);
    ck_assert_uint_eq(sam_file_size(-1), 0);
    ck_assert_uint_eq(sam_file_size(listing), 0);
    ck_assert_uint_eq(sam_file_size(device), 0);
    ck_assert_uint_eq(sam_file_size(ends[0]), 0);
    close(ends[0]);
    close(ends[1]);
    close(listing);
    close(device);
}
END_TEST

START_TEST(a_size_is_what_is_left_to_read) {
    static const struct {
        off_t at;
        size_t left;
    } places[] = {{0, 9}, {1, 8}, {8, 1}, {9, 0}, {10, 0}, {100000, 0}};
    int fd = open_with("nine long");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        ck_assert_int_eq(lseek(fd, places[i].at, SEEK_SET), places[i].at);
        ck_assert_uint_eq(sam_file_size(fd), places[i].left);
        ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), places[i].at);
    }
    close(fd);
    fd = open_with("");
    ck_assert_uint_eq(sam_file_size(fd), 0);
    close(fd);
    ck_assert_int_eq(truncate(path, (off_t)1 << 31), 0); /* with a hole: it takes no space */
    fd = open(path, O_RDONLY);
    ck_assert_uint_eq(sam_file_size(fd), (size_t)1 << 31);
    close(fd);
}
END_TEST

START_TEST(fewer_bytes_than_asked_for_are_a_failure_without_a_reason) {
    uint8_t data[16];
    int fd = open_with("nine long");
    errno = EXDEV;
    ck_status(sam_file_read_exactly(fd, data, 10), SAM_FILE_READ);
    ck_assert_int_eq(errno, 0);
    errno = EXDEV;
    ck_status(sam_file_read_exactly(fd, data, 1), SAM_FILE_READ); /* at the end of it */
    ck_assert_int_eq(errno, 0);
    close(fd);
}
END_TEST

START_TEST(what_cannot_be_read_exactly_is_told_with_errno) {
    uint8_t data[16];
    ck_status(sam_file_read_exactly(-1, data, 1), SAM_FILE_READ);
    ck_assert_int_eq(errno, EBADF);
    int fd = open(folder, O_RDONLY);
    ck_status(sam_file_read_exactly(fd, data, 1), SAM_FILE_READ);
    ck_assert_int_eq(errno, EISDIR);
    close(fd);
}
END_TEST

START_TEST(exactly_what_was_asked_for_is_read_and_no_more) {
    char data[8] = "#######";
    int fd = open_with("nine long");
    ck_status(sam_file_read_exactly(fd, NULL, 0), SAM_OK);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
    ck_status(sam_file_read_exactly(fd, (uint8_t *)data, 4), SAM_OK);
    ck_assert_str_eq(data, "nine###");
    ck_status(sam_file_read_exactly(fd, (uint8_t *)data, 5), SAM_OK);
    ck_assert_str_eq(data, " long##");
    ck_assert_uint_eq(sam_file_size(fd), 0);
    close(fd);
}
END_TEST

/* A pipe hands over what each write gave it, so this takes several reads. */
START_TEST(a_pipe_is_read_to_its_end) {
    uint8_t sent[20000], got[sizeof sent];
    int ends[2];
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 31 >> 3);
    for (int exactly = 0; exactly < 2; exactly++) {
        struct sam_bytes bytes = {0};
        ck_assert_int_eq(pipe(ends), 0);
        ck_assert_int_eq(write(ends[1], sent, 1), 1);
        ck_assert_int_eq(write(ends[1], sent + 1, sizeof sent - 1), (ssize_t)sizeof sent - 1);
        close(ends[1]);
        if (exactly) {
            ck_status(sam_file_read_exactly(ends[0], got, sizeof got), SAM_OK);
        } else {
            ck_status(sam_file_read(ends[0], sizeof sent, &bytes), SAM_OK);
            ck_assert_uint_eq(bytes.length, sizeof sent);
            memcpy(got, bytes.data, sizeof got);
        }
        ck_assert_mem_eq(got, sent, sizeof sent);
        sam_bytes_free(&bytes);
        close(ends[0]);
    }
}
END_TEST

START_TEST(a_file_is_read_from_where_it_stands_into_memory_of_its_size) {
    struct sam_bytes bytes = {0};
    int fd = open_with("nine long");
    ck_assert_int_eq(lseek(fd, 5, SEEK_SET), 5);
    ck_status(sam_file_read(fd, 4, &bytes), SAM_OK);
    ck_assert_uint_eq(bytes.length, 4);
    ck_assert_uint_eq(bytes.capacity, 4);
    ck_assert_mem_eq(bytes.data, "long", 4);
    sam_bytes_free(&bytes);
    /* What it claims to hold is no reason to take more memory than may be used. */
    ck_assert_int_eq(truncate(path, (off_t)1 << 40), 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    ck_status(sam_file_read(fd, 100, &bytes), SAM_TOO_LONG);
    ck_assert_uint_eq(bytes.capacity, 100);
    sam_bytes_free(&bytes);
    close(fd);
}
END_TEST

START_TEST(a_link_stays_and_what_it_leads_to_is_replaced) {
    char link[PATH_MAX + 8];
    struct stat file;
    snprintf(link, sizeof link, "%s/link", folder);
    write_file(path, 0644, "old", 3);
    ck_assert_int_eq(symlink("file", link), 0);
    ck_status(sam_file_replace(link, 0600, "new one", 7), SAM_OK);
    ck_assert_int_eq(lstat(link, &file), 0);
    ck_assert(S_ISLNK(file.st_mode));
    struct sam_bytes got = read_file(path);
    ck_assert_uint_eq(got.length, 7);
    ck_assert_mem_eq(got.data, "new one", 7);
    sam_bytes_free(&got);
    ck_assert_uint_eq(count_entries(folder), 2);
}
END_TEST

/* What a message holds could move it. */
START_TEST(nothing_is_written_to_a_terminal) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(terminal, 0);
    ck_assert_int_eq(grantpt(terminal), 0);
    ck_assert_int_eq(unlockpt(terminal), 0);
    const char *name = ptsname(terminal);
    int other = open(name, O_RDWR | O_NOCTTY);
    ck_assert_int_ge(other, 0);
    ck_status(sam_file_replace(name, 0600, "\033[31mred", 8), SAM_FILE_WRITE);
    ck_assert_int_eq(errno, ENOTSUP);
    char got[8];
    ck_assert_int_eq(fcntl(terminal, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_lt((int)read(terminal, got, sizeof got), 0);
    close(other);
    close(terminal);
}
END_TEST

TCase *reading_case(void) {
    TCase *tcase = tcase_create("reading");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_is_no_regular_file_has_no_size);
    tcase_add_test(tcase, a_size_is_what_is_left_to_read);
    tcase_add_test(tcase, fewer_bytes_than_asked_for_are_a_failure_without_a_reason);
    tcase_add_test(tcase, what_cannot_be_read_exactly_is_told_with_errno);
    tcase_add_test(tcase, exactly_what_was_asked_for_is_read_and_no_more);
    tcase_add_test(tcase, a_pipe_is_read_to_its_end);
    tcase_add_test(tcase, a_file_is_read_from_where_it_stands_into_memory_of_its_size);
    tcase_add_test(tcase, a_link_stays_and_what_it_leads_to_is_replaced);
    tcase_add_test(tcase, nothing_is_written_to_a_terminal);
    return tcase;
}
