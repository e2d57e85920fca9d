#include "memory.h"

#include "net.h"

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

enum sam_status sam_memory_take(struct sam_memory *memory, size_t size, int64_t deadline) {
    enum sam_status status = SAM_OK;
    pthread_mutex_lock(&memory->lock);
    while (status == SAM_OK && memory->left < size) {
        if (memory->stopped) {
            status = SAM_STOPPED;
        } else if (sam_now() >= deadline) {
            status = SAM_TIMEOUT;
        } else {
            struct timespec until = sam_soon(deadline);
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
