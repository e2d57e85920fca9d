#include "serving.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "caller.h"
#include "raw.h"
#include "together.h"

enum { CLIENTS_PER_CORE = 4, START_MS = 10000, NS_PER_MS = 1000000 };

extern char **environ;

static pid_t running; /* the server, for the end of the program */

static void stop_server(void) {
    if (running == 0)
        return;
    kill(running, SIGTERM);
    waitpid(running, NULL, 0);
    running = 0;
}

/* The port, once the server has written it. */
static uint16_t wait_for_port(const char *path) {
    const struct timespec moment = {0, NS_PER_MS};
    unsigned long port = 0;
    for (unsigned ms = 0; ms < START_MS && port == 0; ms++) {
        FILE *file = fopen(path, "r");
        if (file != NULL) {
            char text[8];
            if (fgets(text, sizeof text, file) != NULL)
                port = strtoul(text, NULL, 10);
            fclose(file);
        }
        nanosleep(&moment, NULL);
    }
    must(port != 0, "the server does not start");
    return (uint16_t)port;
}

static void start_server(struct serving *serving) {
    static bool registered;
    const char *bin = getenv("SAM_BIN");
    char program[PATH_MAX], port_file[PATH_MAX + sizeof "/port"], folder[PATH_MAX];
    snprintf(program, sizeof program, "%sasymmetric_symmetric/server", bin != NULL ? bin : "./");
    snprintf(folder, sizeof folder, "%s", serving->parties->folder);
    snprintf(port_file, sizeof port_file, "%s/port", folder);
    char *const argv[] = {program,   "--keys",        folder, "--port",    "0",   "--port-file",
                          port_file, "--max-clients", "2000", "--timeout", "600", "--quiet",
                          NULL};
    posix_spawn_file_actions_t actions;
    must(posix_spawn_file_actions_init(&actions) == 0 &&
             posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) ==
                 0,
         "memory");
    errno = posix_spawn(&running, program, &actions, NULL, argv, environ);
    must(errno == 0, program);
    posix_spawn_file_actions_destroy(&actions);
    if (!registered)
        registered = atexit(stop_server) == 0;
    serving->port = wait_for_port(port_file);
}

void serving_open(struct serving *serving, unsigned bits, unsigned count, bool kept) {
    *serving = (struct serving){.parties = parties_of(bits), .cores = cores_here()};
    serving->count = count != 0 ? count : CLIENTS_PER_CORE * serving->cores;
    serving->clients = calloc(serving->count, sizeof *serving->clients);
    serving->raws = calloc(serving->cores, sizeof(struct raw *));
    must(serving->clients != NULL && serving->raws != NULL, "memory");
    for (unsigned i = 0; i < serving->cores; i++)
        serving->raws[i] = raw_new(serving->parties);
    start_server(serving);
    for (unsigned i = 0; i < serving->count; i++) {
        caller_open(&serving->clients[i], serving->parties->crypto, &serving->parties->client,
                    &serving->parties->server);
        if (kept)
            caller_call(&serving->clients[i], serving->port);
    }
}

void serving_close(struct serving *serving) {
    for (unsigned i = 0; i < serving->count; i++)
        caller_close(&serving->clients[i]);
    for (unsigned i = 0; i < serving->cores; i++)
        raw_free(serving->raws[i]);
    free(serving->clients);
    free(serving->raws);
    stop_server();
}

/* What it did, and what the server did for it: as much. */
static uint64_t private_operations(const struct caller *caller) {
    return 2 * sam_crypto_count(caller->party.crypto).private_operations;
}

static uint64_t talk_on(void *context, unsigned index, double until) {
    struct serving *serving = context;
    struct caller *caller = &serving->clients[index];
    uint64_t before = private_operations(caller);
    caller_talk(caller, until);
    return private_operations(caller) - before;
}

static uint64_t call_again(void *context, unsigned index, double until) {
    struct serving *serving = context;
    struct caller *caller = &serving->clients[index];
    uint64_t before = private_operations(caller);
    do {
        caller_call(caller, serving->port);
        caller_say(caller);
        caller_hang_up(caller);
    } while (seconds_now() < until);
    return private_operations(caller) - before;
}

static uint64_t raw_work(void *context, unsigned index, double until) {
    struct serving *serving = context;
    uint64_t done = 0;
    for (; done == 0 || seconds_now() < until; done++)
        raw_private(serving->raws[index]);
    return done;
}

double kept_connections(void *context, double seconds) {
    struct serving *serving = context;
    return rate_together(serving->count, talk_on, context, seconds);
}

double connection_per_message(void *context, double seconds) {
    struct serving *serving = context;
    return rate_together(serving->count, call_again, context, seconds);
}

double all_cores_raw(void *context, double seconds) {
    struct serving *serving = context;
    return rate_together(serving->cores, raw_work, context, seconds);
}

/* target: with RSA 3072, and with 2048. */
static void measure(const char *group, const char *how, bool kept, const double target[2]) {
    static const unsigned sizes[2] = {SAM_RSA_BITS_DEFAULT, SAM_RSA_BITS_MIN};
    for (int i = 0; i < 2; i++) {
        struct serving serving;
        char id[32], words[80];
        snprintf(id, sizeof id, "%s.%u", group, sizes[i]);
        snprintf(words, sizeof words, "%s, mode 2, RSA %u", how, sizes[i]);
        serving_open(&serving, sizes[i], 0, kept);
        figure_tell(&(struct figure){id, words, target[i], "private op/s",
                                     kept ? kept_connections : connection_per_message,
                                     all_cores_raw, &serving},
                    pace_of(15, 0.3));
        serving_close(&serving);
    }
}

void server_group(void) {
    measure("server", "server and clients, kept connections", true, (const double[]){0.92, 0.92});
}

/* With RSA 2048 connecting costs as much as the operations: it is only told. */
void connections_group(void) {
    measure("connections", "server and clients, one connection per message", false,
            (const double[]){0.85, 0});
}
