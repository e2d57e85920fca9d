#include <fcntl.h>
#include <unistd.h>

#include "file.h"
#include "sam.h"

enum sam_exit sam_tool_read(const struct sam_tool *tool, const char *path, size_t limit,
                            struct sam_bytes *bytes) {
    struct sam_where where;
    sam_where_set(&where, "%s", path != NULL ? path : "standard input");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    enum sam_status status = fd < 0 ? SAM_FILE_READ : sam_file_read(fd, limit, bytes);
    if (path != NULL && fd >= 0)
        close(fd);
    return status == SAM_OK ? SAM_EXIT_OK : sam_complain(&tool->talk, &where, status);
}

enum sam_exit sam_tool_write(const struct sam_tool *tool, const char *path, const void *data,
                             size_t length) {
    struct sam_where where;
    sam_where_set(&where, "%s", path != NULL ? path : "standard output");
    enum sam_status status = path != NULL ? sam_file_replace(path, 0666, data, length)
                                          : sam_file_write(STDOUT_FILENO, data, length);
    return status == SAM_OK ? SAM_EXIT_OK : sam_complain(&tool->talk, &where, status);
}
