#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "identity.h"
#include "process.h"
#include "service.h"

enum {
    DESCRIPTORS_KEPT = 24,            /* for everything that is not a client */
    STACK_SIZE = 512 * 1024,          /* of a connection's thread */
    COMMON_MEMORY = 64 * 1024 * 1024, /* for unfinished envelopes above SAM_OWN_MEMORY */
    CROWDED_MS = 100                  /* before asking again a system that has none to give */
};

struct server {
    struct sam_service service;
    struct sam_memory memory;
    struct sam_crypto *crypto;
    struct sam_key own;
    struct sam_ring trusted;
    int listener;
    int stop[2]; /* a pipe: its writing end is closed to stop every thread that polls the other */
    int done[2]; /* a pipe: a thread's last act is to write its pthread_t, to be joined */
    unsigned active, max_clients;
    unsigned long number; /* of the last connection */
};

/* What a connection's thread starts with; it frees this. */
struct task {
    const struct server *server;
    int fd;
    unsigned long number;
    char address[SAM_ADDRESS_MAX];
};

static void *run_task(void *argument) {
    struct task *task = argument;
    int done = task->server->done[1];
    sam_service_run(&task->server->service, task->fd, task->number, task->address);
    close(task->fd);
    free(task);
    pthread_t self = pthread_self();
    /* Shorter than PIPE_BUF, so whole or not at all; the pipe is open until the join. */
    while (write(done, &self, sizeof self) < 0 && errno == EINTR)
        continue;
    return NULL;
}

static void join_one(struct server *server) {
    pthread_t thread;
    if (read(server->done[0], &thread, sizeof thread) == (ssize_t)sizeof thread) {
        pthread_join(thread, NULL);
        server->active--;
    }
}

static bool start_thread(struct server *server, struct task *task) {
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    bool started = pthread_create(&thread, &attributes, run_task, task) == 0;
    pthread_attr_destroy(&attributes);
    server->active += started;
    return started;
}

/* Turns a connection away that no thread can be had for. */
static void turn_away(const struct server *server, const struct task *task) {
    uint8_t rejection[SAM_REJECTION_SIZE];
    sam_rejection_write(rejection, server->service.mode->number);
    bool told = sam_write_all(task->fd, -1, sam_now(), rejection, sizeof rejection) == SAM_OK;
    fprintf(stderr, "%s: #%lu %s: turned away%s: the system gives no more threads\n",
            server->service.talk.program, task->number, task->address,
            told ? "" : " without a word");
    close(task->fd);
}

/* False when the system has no means for one more at this moment. */
static bool take_connection(struct server *server) {
    struct task *task = calloc(1, sizeof *task);
    if (task == NULL)
        return false;
    task->server = server;
    if (sam_accept(&task->fd, server->listener, task->address) != SAM_OK) {
        int reason = errno;
        free(task);
        return reason != EMFILE && reason != ENFILE && reason != ENOBUFS && reason != ENOMEM;
    }
    task->number = ++server->number;
    if (start_thread(server, task))
        return true;
    turn_away(server, task);
    free(task);
    return false;
}

/* Takes connections until the stop pipe hangs up. */
static void accept_loop(struct server *server) {
    bool crowded = false;
    for (;;) {
        bool full = server->active >= server->max_clients;
        struct pollfd polled[3] = {
            {.fd = server->stop[0], .events = POLLIN},
            {.fd = server->done[0], .events = POLLIN},
            /* Who comes now waits in the backlog. */
            {.fd = full || crowded ? -1 : server->listener, .events = POLLIN},
        };
        int ready = poll(polled, 3, crowded ? CROWDED_MS : -1);
        crowded = ready < 0 && errno != EINTR;
        if (ready < 0)
            continue;
        if (polled[0].revents != 0)
            return;
        if (polled[1].revents != 0)
            join_one(server);
        if (polled[2].revents != 0)
            crowded = !take_connection(server);
    }
}

/* Waits for SIGINT or SIGTERM, which all other threads block, and stops them by closing the pipe. A
 * second signal ends the program at once. */
static void *wait_for_signal(void *argument) {
    struct server *server = argument;
    sigset_t signals;
    int which;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    while (sigwait(&signals, &which) != 0)
        continue;
    close(server->stop[1]);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    for (;;)
        pause();
    return NULL;
}

static enum sam_status watch_signals(struct server *server) {
    sigset_t signals;
    pthread_t watcher;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    int problem = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (problem == 0)
        problem = pthread_create(&watcher, NULL, wait_for_signal, server);
    errno = problem; /* which these calls return instead of setting */
    if (problem != 0)
        return SAM_SYSTEM;
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

/* As many clients as asked for, or as the descriptor limit allows. */
static unsigned clients_allowed(const struct sam_options *options, const struct sam_talk *talk) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= (rlim_t)options->max_clients + DESCRIPTORS_KEPT)
        return options->max_clients;
    unsigned allowed =
        limit.rlim_cur > DESCRIPTORS_KEPT ? (unsigned)limit.rlim_cur - DESCRIPTORS_KEPT : 1;
    if (!talk->quiet)
        fprintf(stderr, "%s: %u clients at once, not %u: the descriptor limit is %lu (ulimit -n)\n",
                talk->program, allowed, options->max_clients, (unsigned long)limit.rlim_cur);
    return allowed;
}

/* What unfinished envelopes may hold together: at least one of the longest. */
static size_t common_memory(const struct server *server) {
    const struct sam_service *service = &server->service;
    struct sam_layout longest_body =
        service->mode->layout(SAM_SALT_SIZE + (size_t)service->options->max_message,
                              SAM_RSA_SIZE_MAX, sam_rsa_size(server->own.rsa));
    size_t longest = SAM_HEADER_SIZE + longest_body.length;
    return longest > COMMON_MEMORY ? longest : COMMON_MEMORY;
}

static enum sam_status prepare(struct server *server, struct sam_where *where) {
    const struct sam_options *options = server->service.options;
    enum sam_status status = sam_crypto_new(&server->crypto);
    if (status == SAM_OK)
        status = sam_identity_load(&server->own, server->crypto, options, where);
    if (status == SAM_OK)
        status = sam_ring_load(&server->trusted, server->crypto, options->keys, where);
    if (status != SAM_OK)
        return status;
    sam_where_set(where, "this system");
    if (make_pipe(server->stop) != SAM_OK || make_pipe(server->done) != SAM_OK)
        return SAM_SYSTEM;
    server->service.crypto = server->crypto;
    server->service.own = &server->own;
    server->service.trusted = &server->trusted;
    server->service.memory = &server->memory;
    server->service.stop = server->stop[0];
    return watch_signals(server);
}

static void tell_start(const struct server *server, const struct sam_where *address) {
    const struct sam_service *service = &server->service;
    char fingerprint[SAM_FINGERPRINT_SIZE];
    if (service->talk.quiet)
        return;
    sam_fingerprint(fingerprint, server->own.id);
    bool own = sam_ring_find(&server->trusted, server->own.id) != NULL;
    fprintf(stderr, "%s: mode %u, %s, listening on %s\n  as %s %s\n  trusting %zu key(s) in %s\n",
            service->talk.program, service->mode->number, service->mode->name, address->text,
            server->own.name, fingerprint, server->trusted.count - own, service->options->keys);
}

/* What the port file holds, for scripts that let the system choose. */
struct port_text {
    char text[8];
    size_t length;
};

static struct port_text port_text(uint16_t port) {
    struct port_text out;
    out.length = (size_t)snprintf(out.text, sizeof out.text, "%u\n", (unsigned)port);
    return out;
}

/* A device, or a file that another server has put there since, is not ours to remove. */
static void remove_port(const char *path, const struct port_text *ours) {
    struct stat file;
    struct sam_bytes found = {0};
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
        sam_file_read(fd, sizeof ours->text, &found) == SAM_OK && found.length == ours->length &&
        memcmp(found.data, ours->text, ours->length) == 0)
        unlink(path);
    sam_bytes_free(&found);
    close(fd);
}

/* Takes connections until a signal, then sees every thread to its end. */
static void answer_all(struct server *server) {
    accept_loop(server);
    close(server->listener); /* who waits in the backlog is turned away now, not later */
    server->listener = -1;
    sam_memory_stop(&server->memory);
    while (server->active > 0)
        join_one(server);
}

static enum sam_status serve(struct server *server, struct sam_where *where) {
    const struct sam_options *options = server->service.options;
    uint16_t port = (uint16_t)options->port;
    enum sam_status status = sam_listen(&server->listener, options->host, &port, where);
    if (status == SAM_OK)
        status = sam_memory_init(&server->memory, common_memory(server));
    if (status != SAM_OK)
        return status;
    const struct port_text ours = port_text(port);
    if (options->port_file != NULL)
        status = sam_file_replace(options->port_file, 0666, ours.text, ours.length);
    if (status == SAM_OK) {
        tell_start(server, where);
        answer_all(server);
        if (options->port_file != NULL)
            remove_port(options->port_file, &ours);
        if (!options->quiet)
            fprintf(stderr, "%s: stopped\n", options->program);
    } else {
        sam_where_set(where, "%s", options->port_file);
    }
    sam_memory_destroy(&server->memory);
    return status;
}

static void close_all(struct server *server) {
    /* stop[1] belongs to the thread that watches for signals. */
    const int descriptors[] = {server->listener, server->stop[0], server->done[0], server->done[1]};
    for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    sam_ring_free(&server->trusted);
    sam_key_free(&server->own);
    sam_crypto_free(server->crypto);
}

enum sam_exit sam_server_main(const struct sam_mode *mode, int argc, char **argv) {
    struct sam_options options;
    enum sam_exit code;
    sam_process_start();
    if (!sam_options_read(&options, true, mode, argc, argv, &code))
        return code;
    struct sam_talk talk = sam_talk_start(&options);
    if (options.command == SAM_GENERATE)
        return sam_identity_generate(&options, &talk);
    if (options.command == SAM_FINGERPRINT)
        return sam_identity_fingerprint(&options, &talk);
    if (strlen(options.message) > mode->max_message) {
        fprintf(stderr, "server: --message has %zu bytes, a client takes %lu: shorten it\n",
                strlen(options.message), (unsigned long)mode->max_message);
        return SAM_EXIT_USAGE;
    }
    struct server server = {
        .service = {.mode = mode, .options = &options, .talk = talk},
        .listener = -1,
        .stop = {-1, -1},
        .done = {-1, -1},
        .max_clients = clients_allowed(&options, &talk),
    };
    struct sam_where where = {"libcrypto"};
    enum sam_status status = prepare(&server, &where);
    if (status == SAM_OK)
        status = serve(&server, &where);
    code = status == SAM_OK ? SAM_EXIT_OK : sam_complain(&talk, &where, status);
    close_all(&server);
    return code;
}
