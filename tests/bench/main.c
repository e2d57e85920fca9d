/* What the library costs, against the limit that this machine sets: bench [--quick] [GROUP...]. It
 * prints one line for each figure and each point of a series: see figure.h. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "echoing.h"
#include "figure.h"
#include "growth.h"
#include "letters.h"
#include "process.h"
#include "serving.h"

static const struct {
    const char *name;
    void (*measure)(void);
} groups[] = {
    {"small", small_group},
    {"big", big_group},
    {"blocks", blocks_group},
    {"server", server_group},
    {"connections", connections_group},
    {"session", session_group},
    {"growth", growth_group},
};
enum { GROUPS = sizeof groups / sizeof groups[0] };

/* Which group has that name; GROUPS: none. */
static size_t find(const char *name) {
    size_t i = 0;
    while (i < GROUPS && strcmp(groups[i].name, name) != 0)
        i++;
    return i;
}

/* As many descriptors as may be had: a thousand clients need one each. */
static void allow_descriptors(void) {
    struct rlimit limit;
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "descriptors");
    limit.rlim_cur = limit.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "descriptors");
}

/* Whoever stops this program stops the server too, and no key stays behind: as at every end. */
static void *wait_for_signal(void *signals) {
    int which;
    sigwait(signals, &which);
    errno = EINTR;
    give_up("stopped");
}

static void watch_signals(void) {
    static sigset_t signals;
    pthread_t watcher;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    must(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0, "signals");
    must(pthread_create(&watcher, NULL, wait_for_signal, &signals) == 0, "a thread");
    pthread_detach(watcher);
}

int main(int argc, char **argv) {
    bool wanted[GROUPS + 1] = {false}, named = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            quick = true;
            continue;
        }
        named = wanted[find(argv[i])] = true;
    }
    if (wanted[GROUPS]) {
        fputs("usage: bench [--quick] [GROUP...], of", stderr);
        for (size_t i = 0; i < GROUPS; i++)
            fprintf(stderr, " %s", groups[i].name);
        fputs("\n", stderr);
        return 2;
    }
    sam_process_start();
    allow_descriptors();
    watch_signals();
    for (size_t i = 0; i < GROUPS; i++)
        if (wanted[i] || !named)
            groups[i].measure();
    return 0;
}
