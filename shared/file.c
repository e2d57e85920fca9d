#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_SIZE = 16384,
    TEMPORARIES = 1000 /* names that are tried */
};

size_t sam_file_size(int fd) {
    struct stat file;
    off_t at = lseek(fd, 0, SEEK_CUR);
    bool known = at >= 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && file.st_size > at;
    return known ? (size_t)(file.st_size - at) : 0;
}

enum sam_status sam_file_read_exactly(int fd, uint8_t *data, size_t length) {
    for (size_t have = 0; have < length;) {
        ssize_t n = read(fd, data + have, length - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = 0;
        if (n <= 0)
            return SAM_FILE_READ;
        have += (size_t)n;
    }
    return SAM_OK;
}

enum sam_status sam_file_read(int fd, size_t limit, struct sam_bytes *bytes) {
    uint8_t piece[READ_SIZE];
    /* A file of known size needs its memory once, not again and again while it grows. */
    size_t size = sam_file_size(fd);
    enum sam_status status =
        sam_bytes_reserve(bytes, bytes->length + (size < limit ? size : limit));
    while (status == SAM_OK) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = SAM_FILE_READ;
        if (n <= 0)
            break;
        size_t room = bytes->length < limit ? limit - bytes->length : 0;
        size_t taken = (size_t)n < room ? (size_t)n : room;
        status = sam_bytes_append(bytes, piece, taken);
        if (status == SAM_OK && taken < (size_t)n)
            status = SAM_TOO_LONG;
    }
    sam_wipe(piece, sizeof piece);
    return status;
}

enum sam_status sam_file_write(int fd, const void *data, size_t length) {
    const uint8_t *at = data;
    while (length > 0) {
        ssize_t n = write(fd, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return SAM_FILE_WRITE;
        at += n;
        length -= (size_t)n;
    }
    return SAM_OK;
}

/* A new file beside staged->path. A process of the same number may have been killed before it could
 * remove its own: in a container the first one always has the same. */
static int open_temporary(struct sam_staged *staged, mode_t permissions) {
    int fd = -1;
    errno = EEXIST;
    for (unsigned turn = 0; fd < 0 && errno == EEXIST && turn < TEMPORARIES; turn++) {
        int n = snprintf(staged->temporary, sizeof staged->temporary, "%s.%ld.%u.tmp", staged->path,
                         (long)getpid(), turn);
        if (n < 0 || (size_t)n >= sizeof staged->temporary) {
            errno = ENAMETOOLONG;
            return -1;
        }
        fd = open(staged->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
    }
    return fd;
}

enum sam_status sam_file_stage(struct sam_staged *staged, const char *path, mode_t permissions,
                               const void *data, size_t length) {
    staged->path = path;
    int fd = open_temporary(staged, permissions);
    if (fd < 0) {
        staged->temporary[0] = '\0'; /* not ours to remove */
        return SAM_FILE_WRITE;
    }
    enum sam_status status = sam_file_write(fd, data, length);
    if (status == SAM_OK && fsync(fd) != 0)
        status = SAM_FILE_WRITE;
    if (close(fd) != 0)
        status = SAM_FILE_WRITE;
    if (status != SAM_OK)
        sam_file_discard(staged);
    return status;
}

enum sam_status sam_file_place(struct sam_staged *staged, bool replace) {
    /* link fails where the path exists, rename replaces what is there. */
    int placed =
        replace ? rename(staged->temporary, staged->path) : link(staged->temporary, staged->path);
    enum sam_status status = SAM_OK;
    if (placed != 0)
        status = errno == EEXIST ? SAM_KEY_EXISTS : SAM_FILE_WRITE;
    sam_file_discard(staged);
    return status;
}

void sam_file_discard(struct sam_staged *staged) {
    int reason = errno;
    if (staged->temporary[0] != '\0')
        unlink(staged->temporary);
    staged->temporary[0] = '\0';
    errno = reason;
}

static enum sam_status write_special(const char *path, const void *data, size_t length) {
    /* O_NONBLOCK: a pipe that nobody reads is an error now, not a wait without an end. */
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return SAM_FILE_WRITE;
    fcntl(fd, F_SETFL, 0);
    enum sam_status status = SAM_FILE_WRITE;
    if (isatty(fd)) /* whose control bytes foreign data must not reach */
        errno = ENOTSUP;
    else
        status = sam_file_write(fd, data, length);
    int reason = errno;
    if (close(fd) != 0)
        return SAM_FILE_WRITE;
    errno = reason;
    return status;
}

/* Writes what path, which is no link, leads to. A signal that ends the program waits until the file
 * is whole or gone. */
static enum sam_status replace_file(const char *path, mode_t permissions, const void *data,
                                    size_t length) {
    struct sam_staged staged;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    enum sam_status status = sam_file_stage(&staged, path, permissions, data, length);
    if (status == SAM_OK)
        status = sam_file_place(&staged, true);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

enum sam_status sam_file_replace(const char *path, mode_t permissions, const void *data,
                                 size_t length) {
    struct stat there;
    if (stat(path, &there) != 0) /* also a link that leads nowhere, which gives way */
        return replace_file(path, permissions, data, length);
    if (!S_ISREG(there.st_mode))
        return write_special(path, data, length);
    /* A link stays, and what it leads to is replaced. */
    char *target = realpath(path, NULL);
    enum sam_status status =
        target == NULL ? SAM_FILE_WRITE : replace_file(target, permissions, data, length);
    free(target);
    return status;
}
