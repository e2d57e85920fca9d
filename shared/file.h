/* Floor 0. Whole files: read into memory, written so that they appear whole or not at all. */
#ifndef SAM_FILE_H
#define SAM_FILE_H

#include <limits.h>
#include <sys/types.h>

#include "bytes.h"

/* How many bytes of a regular file are still to be read; 0 for anything else, and for a file that
 * does not say. */
size_t sam_file_size(int fd);

/* Reads exactly length bytes of fd into data. SAM_FILE_READ: errno tells, 0 when there were fewer.
 */
SAM_MUST_CHECK enum sam_status sam_file_read_exactly(int fd, uint8_t *data, size_t length);

/* Appends all that can be read from fd, until *bytes holds limit bytes. SAM_FILE_READ (errno
 * tells), SAM_MEMORY; SAM_TOO_LONG when there is more. */
SAM_MUST_CHECK enum sam_status sam_file_read(int fd, size_t limit, struct sam_bytes *bytes);

/* Writes length bytes to fd. SAM_FILE_WRITE: errno tells, and part may have been written. */
SAM_MUST_CHECK enum sam_status sam_file_write(int fd, const void *data, size_t length);

/* A file that lies written under another name, in the same folder, until it is put in its place. */
struct sam_staged {
    const char *path;         /* where it goes; the caller keeps it */
    char temporary[PATH_MAX]; /* where it lies; "" once it lies nowhere */
};

/* Writes length bytes to a new file beside path, with these permissions less the umask, and sees
 * them onto the disk. SAM_FILE_WRITE: errno tells, and nothing is left behind. */
SAM_MUST_CHECK enum sam_status sam_file_stage(struct sam_staged *staged, const char *path,
                                              mode_t permissions, const void *data, size_t length);

/* Puts a staged file in its place in one step, so that a reader or a crash finds all of it or
 * nothing. With replace it takes the place of a file that is there; without, SAM_KEY_EXISTS.
 * Otherwise SAM_FILE_WRITE: errno tells. The temporary name is gone in every case. */
SAM_MUST_CHECK enum sam_status sam_file_place(struct sam_staged *staged, bool replace);

/* Removes a staged file; one that was placed or never staged is left alone. Keeps errno. */
void sam_file_discard(struct sam_staged *staged);

/* Stages and places; a link leads to the file that is replaced. A path that is no regular file (a
 * device, a pipe) is written as it is, but no terminal: SAM_FILE_WRITE, as for all that fails. */
SAM_MUST_CHECK enum sam_status sam_file_replace(const char *path, mode_t permissions,
                                                const void *data, size_t length);

#endif
