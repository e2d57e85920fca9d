#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

void sam_process_start(void) {
    /* The wrong way round on purpose: reading what is open for writing fails, and the reverse. What
     * is said on standard error may get lost. */
    static const int directions[] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", directions[fd]) != fd)
            abort();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    /* A limit of 1 byte is Linux's word for none, of either kind: one of 0 prevents the files
     * alone, and not what is handed to a program (/proc/sys/kernel/core_pattern). */
    const struct rlimit none = {0, 0}, least = {1, 1};
    if (setrlimit(RLIMIT_CORE, &least) != 0)
        setrlimit(RLIMIT_CORE, &none);
}
