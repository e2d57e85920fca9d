#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "sam.h"

/* Everywhere "-" is the standard stream, as no file is. */
static bool is_named(const char *path) {
    return path != NULL && strcmp(path, "-") != 0;
}

const char *sam_tool_input(const char *path) {
    return is_named(path) ? path : "standard input";
}

int sam_tool_open_input(const char *path) {
    return is_named(path) ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
}

void sam_tool_close_input(int fd) {
    int reason = errno;
    if (fd > STDERR_FILENO)
        close(fd);
    errno = reason;
}

enum sam_exit sam_tool_read(const struct sam_tool *tool, const char *path, size_t limit,
                            struct sam_bytes *bytes) {
    struct sam_where where;
    sam_where_set(&where, "%s", sam_tool_input(path));
    int fd = sam_tool_open_input(path);
    enum sam_status status = fd < 0 ? SAM_FILE_READ : sam_file_read(fd, limit, bytes);
    sam_tool_close_input(fd);
    return status == SAM_OK ? SAM_EXIT_OK : sam_complain(&tool->talk, &where, status);
}

enum sam_exit sam_tool_write(const struct sam_tool *tool, const char *path, mode_t permissions,
                             const void *data, size_t length) {
    struct sam_where where;
    path = is_named(path) ? path : NULL;
    sam_where_set(&where, "%s", path != NULL ? path : "standard output");
    enum sam_status status = path != NULL ? sam_file_replace(path, permissions, data, length)
                                          : sam_file_write(STDOUT_FILENO, data, length);
    return status == SAM_OK ? SAM_EXIT_OK : sam_complain(&tool->talk, &where, status);
}
