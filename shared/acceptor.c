#include "acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"

enum {
    STACK_SIZE = 512 * 1024, /* of a connection's thread */
    CROWDED_MS = 100,        /* before asking again a system that has none to give */
    CROWDED_NS = CROWDED_MS * 1000000
};

/* What a connection's thread starts with; it frees this. */
struct connection {
    const struct sam_acceptor *acceptor;
    struct sam_accepted accepted;
};

static void *run_connection(void *argument) {
    struct connection *connection = argument;
    int done = connection->acceptor->done[1];
    connection->acceptor->serve(connection->acceptor->context, &connection->accepted);
    close(connection->accepted.fd);
    free(connection);
    pthread_t self = pthread_self();
    /* Shorter than PIPE_BUF, so whole or not at all; the pipe is open until the join. */
    while (write(done, &self, sizeof self) < 0 && errno == EINTR)
        continue;
    return NULL;
}

static void join_one(struct sam_acceptor *acceptor) {
    pthread_t thread;
    if (read(acceptor->done[0], &thread, sizeof thread) == (ssize_t)sizeof thread) {
        pthread_join(thread, NULL);
        acceptor->active--;
    }
}

static bool start_thread(struct sam_acceptor *acceptor, struct connection *connection) {
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    bool started = pthread_create(&thread, &attributes, run_connection, connection) == 0;
    pthread_attr_destroy(&attributes);
    acceptor->active += started;
    return started;
}

/* False when the system has no means for one more at this moment. */
static bool take_connection(struct sam_acceptor *acceptor) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return false;
    connection->acceptor = acceptor;
    if (sam_accept(&connection->accepted.fd, acceptor->listener, connection->accepted.address) !=
        SAM_OK) {
        int reason = errno;
        free(connection);
        return reason != EMFILE && reason != ENFILE && reason != ENOBUFS && reason != ENOMEM;
    }
    connection->accepted.number = ++acceptor->number;
    if (start_thread(acceptor, connection))
        return true;
    acceptor->turn_away(acceptor->context, &connection->accepted);
    close(connection->accepted.fd);
    free(connection);
    return false;
}

void sam_acceptor_run(struct sam_acceptor *acceptor) {
    bool crowded = false;
    for (;;) {
        bool full = acceptor->active >= acceptor->most;
        struct pollfd polled[3] = {
            {.fd = acceptor->stop[0], .events = POLLIN},
            {.fd = acceptor->done[0], .events = POLLIN},
            {.fd = full || crowded ? -1 : acceptor->listener, .events = POLLIN},
        };
        int ready = poll(polled, 3, crowded ? CROWDED_MS : -1);
        crowded = false;
        if (ready < 0 && errno != EINTR) /* it did not wait: without this pause all would spin */
            nanosleep(&(struct timespec){.tv_nsec = CROWDED_NS}, NULL);
        if (ready < 0)
            continue;
        if (polled[0].revents != 0)
            return;
        if (polled[1].revents != 0)
            join_one(acceptor);
        if (polled[2].revents != 0)
            crowded = !take_connection(acceptor);
    }
}

/* Waits for SIGINT or SIGTERM, which all other threads block, and stops them by closing the pipe.
 */
static void *wait_for_signal(void *argument) {
    int stop = *(int *)argument, which;
    free(argument);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    while (sigwait(&signals, &which) != 0)
        continue;
    close(stop);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    for (;;)
        pause();
    return NULL;
}

/* The writing end of the stop pipe belongs to the watcher from now on. */
static enum sam_status watch_signals(struct sam_acceptor *acceptor) {
    sigset_t signals;
    pthread_t watcher;
    int *stop = malloc(sizeof *stop);
    if (stop == NULL)
        return SAM_MEMORY;
    *stop = acceptor->stop[1];
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    int problem = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (problem == 0)
        problem = pthread_create(&watcher, NULL, wait_for_signal, stop);
    errno = problem; /* which these calls return instead of setting */
    if (problem != 0) {
        free(stop);
        return SAM_SYSTEM;
    }
    acceptor->stop[1] = -1;
    pthread_detach(watcher);
    return SAM_OK;
}

static enum sam_status make_pipe(int ends[2]) {
    if (pipe(ends) != 0)
        return SAM_SYSTEM;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return SAM_OK;
}

enum sam_status sam_acceptor_open(struct sam_acceptor *acceptor, const char *host, uint16_t *port,
                                  const char *port_file, struct sam_where *where) {
    acceptor->listener = acceptor->stop[0] = acceptor->stop[1] = -1;
    acceptor->done[0] = acceptor->done[1] = -1;
    acceptor->port_file = NULL;
    acceptor->active = 0;
    acceptor->number = 0;
    sam_where_set(where, "this system");
    enum sam_status status = make_pipe(acceptor->stop);
    if (status == SAM_OK)
        status = make_pipe(acceptor->done);
    if (status == SAM_OK)
        status = watch_signals(acceptor);
    if (status == SAM_OK)
        status = sam_listen(&acceptor->listener, host, port, where);
    if (status != SAM_OK || port_file == NULL)
        return status;
    int length = snprintf(acceptor->port, sizeof acceptor->port, "%u\n", (unsigned)*port);
    status = sam_file_replace(port_file, 0666, acceptor->port, (size_t)length);
    if (status == SAM_OK)
        acceptor->port_file = port_file;
    else
        sam_where_set(where, "%s", port_file);
    return status;
}

/* A device, or a file that another program has put there since, is not ours to remove. */
static void remove_port_file(const struct sam_acceptor *acceptor) {
    struct stat file;
    struct sam_bytes found = {0};
    size_t length = strlen(acceptor->port);
    int fd = open(acceptor->port_file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
        sam_file_read(fd, sizeof acceptor->port, &found) == SAM_OK && found.length == length &&
        memcmp(found.data, acceptor->port, length) == 0)
        unlink(acceptor->port_file);
    sam_bytes_free(&found);
    close(fd);
}

void sam_acceptor_shut(struct sam_acceptor *acceptor) {
    if (acceptor->listener >= 0)
        close(acceptor->listener);
    acceptor->listener = -1;
}

void sam_acceptor_close(struct sam_acceptor *acceptor) {
    sam_acceptor_shut(acceptor);
    while (acceptor->active > 0)
        join_one(acceptor);
    const int descriptors[] = {acceptor->stop[0], acceptor->stop[1], acceptor->done[0],
                               acceptor->done[1]};
    for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    if (acceptor->port_file != NULL)
        remove_port_file(acceptor);
}
