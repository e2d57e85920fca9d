#include "memory.h"

#include <time.h>

#include "net.h"

enum { NS_PER_US = 1000, NS_PER_S = 1000000000 };

enum sam_status sam_memory_init(struct sam_memory *memory, size_t total) {
    *memory = (struct sam_memory){.left = total};
    if (pthread_mutex_init(&memory->lock, NULL) != 0)
        return SAM_SYSTEM;
    if (pthread_cond_init(&memory->given_back, NULL) == 0)
        return SAM_OK;
    pthread_mutex_destroy(&memory->lock);
    return SAM_SYSTEM;
}

void sam_memory_destroy(struct sam_memory *memory) {
    pthread_cond_destroy(&memory->given_back);
    pthread_mutex_destroy(&memory->lock);
}

/* A condition variable counts by the wall clock, which can be set: so the loop below asks the other
 * clock each time it wakes, and never sleeps longer than a second at once. */
static struct timespec soon(int64_t left) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t wait = left < SAM_SECOND ? left : SAM_SECOND;
    int64_t nanoseconds = until.tv_nsec + wait * NS_PER_US;
    until.tv_sec += (time_t)(nanoseconds / NS_PER_S);
    until.tv_nsec = (long)(nanoseconds % NS_PER_S);
    return until;
}

enum sam_status sam_memory_take(struct sam_memory *memory, size_t size, int64_t deadline) {
    enum sam_status status = SAM_OK;
    pthread_mutex_lock(&memory->lock);
    while (status == SAM_OK && memory->left < size) {
        int64_t left = deadline - sam_now();
        if (memory->stopped) {
            status = SAM_STOPPED;
        } else if (left <= 0) {
            status = SAM_TIMEOUT;
        } else {
            struct timespec until = soon(left);
            pthread_cond_timedwait(&memory->given_back, &memory->lock, &until);
        }
    }
    if (status == SAM_OK)
        memory->left -= size;
    pthread_mutex_unlock(&memory->lock);
    return status;
}

void sam_memory_give(struct sam_memory *memory, size_t size) {
    pthread_mutex_lock(&memory->lock);
    memory->left += size;
    pthread_cond_broadcast(&memory->given_back);
    pthread_mutex_unlock(&memory->lock);
}

void sam_memory_stop(struct sam_memory *memory) {
    pthread_mutex_lock(&memory->lock);
    memory->stopped = true;
    pthread_cond_broadcast(&memory->given_back);
    pthread_mutex_unlock(&memory->lock);
}
