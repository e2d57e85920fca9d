/* Floor 4. A ceiling on the memory that all unfinished envelopes of a server may hold together.
 *
 * An envelope takes its share before its bytes arrive, as a whole, so that two that are half
 * arrived never wait for each other; who finds too little left waits until others are done. */
#ifndef SAM_MEMORY_H
#define SAM_MEMORY_H

#include <pthread.h>

#include "bytes.h"

struct sam_memory {
    pthread_mutex_t lock;
    pthread_cond_t given_back;
    size_t left; /* bytes */
    bool stopped;
};

/* total is at least the largest share that anyone takes. SAM_SYSTEM; sam_memory_destroy frees. */
SAM_MUST_CHECK enum sam_status sam_memory_init(struct sam_memory *memory, size_t total);
void sam_memory_destroy(struct sam_memory *memory);

/* Takes a share of size bytes, which sam_memory_give returns. SAM_TIMEOUT when there was too little
 * until the deadline (of sam_now), SAM_STOPPED after sam_memory_stop. */
SAM_MUST_CHECK enum sam_status sam_memory_take(struct sam_memory *memory, size_t size,
                                               int64_t deadline);
void sam_memory_give(struct sam_memory *memory, size_t size);

/* Ends all waiting, now and from now on. */
void sam_memory_stop(struct sam_memory *memory);

#endif
