#define _GNU_SOURCE /* for the cores of a process, which POSIX does not know */
#include "together.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "figure.h"

enum { STACK_SIZE = 256 * 1024 }; /* there may be a thousand threads */

struct thread {
    pthread_t id;
    pthread_barrier_t *begin;
    share_of *share;
    void *context;
    unsigned index;
    double seconds;
    uint64_t done;
};

static void *run(void *argument) {
    struct thread *thread = argument;
    pthread_barrier_wait(thread->begin);
    thread->done = thread->share(thread->context, thread->index, seconds_now() + thread->seconds);
    return NULL;
}

double rate_together(unsigned threads, share_of *share, void *context, double seconds) {
    struct thread *all = calloc(threads, sizeof *all);
    pthread_barrier_t begin;
    pthread_attr_t attributes;
    must(all != NULL && pthread_barrier_init(&begin, NULL, threads + 1) == 0 &&
             pthread_attr_init(&attributes) == 0,
         "memory");
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    for (unsigned i = 0; i < threads; i++) {
        all[i] = (struct thread){.begin = &begin, .share = share, .context = context};
        all[i].index = i;
        all[i].seconds = seconds;
        must(pthread_create(&all[i].id, &attributes, run, &all[i]) == 0, "a thread");
    }
    pthread_attr_destroy(&attributes);
    pthread_barrier_wait(&begin);
    double begun = seconds_now();
    uint64_t done = 0;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(all[i].id, NULL);
        done += all[i].done;
    }
    double spent = seconds_now() - begun;
    pthread_barrier_destroy(&begin);
    free(all);
    return (double)done / spent;
}

/* Those that the program began with. */
static const cpu_set_t *all_cores(void) {
    static cpu_set_t cores;
    if (CPU_COUNT(&cores) == 0)
        must(sched_getaffinity(0, sizeof cores, &cores) == 0, "the cores of this process");
    return &cores;
}

unsigned cores_here(void) {
    return (unsigned)CPU_COUNT(all_cores());
}

void confine_to(unsigned cores) {
    const cpu_set_t *all = all_cores();
    cpu_set_t some;
    CPU_ZERO(&some);
    for (size_t i = 0; i < CPU_SETSIZE && (unsigned)CPU_COUNT(&some) < cores; i++)
        if (CPU_ISSET(i, all))
            CPU_SET(i, &some);
    must(sched_setaffinity(0, sizeof some, &some) == 0, "the cores of this process");
}
