/* One direction of a connection in the wiretap: what one side sends, cut into units, shown,
 * attacked and passed on. */
#ifndef SAM_TOOLS_STREAM_H
#define SAM_TOOLS_STREAM_H

#include <pthread.h>

#include "tap.h"
#include "tls_records.h"

/* What both directions share. */
struct sam_tapped {
    struct sam_tap *tap;
    unsigned long number;
    int fds[2]; /* to the client, to the server */
    struct sam_flow flows[2];
    pthread_mutex_t lock;
    uint64_t awaited[2];    /* the unit of this side that answers an attack, plus 1; 0: none does */
    int64_t ended[2];       /* when that side sent its last, of sam_now; 0: not yet */
    struct sam_tap_tls tls; /* what both sides have shown, where they speak TLS */
};

struct sam_stream {
    struct sam_tapped *tapped;
    unsigned side;          /* 0: what the client sends, 1: the server */
    uint32_t number;        /* of the unit that comes next or is coming */
    struct sam_bytes bytes; /* what has come of it, and of those behind it */
    size_t passed;          /* how many bytes of it have been passed on */
    bool large;             /* it has a share of the memory for large ones */
    bool tls;               /* its units are records of TLS */
    bool unknown;           /* what comes cannot be cut into units, or not any more */
    bool deaf;              /* the other side takes no more */
    bool ended;             /* and has been told that there is no more */
    struct sam_bytes held;  /* a unit that another is to overtake */
};

/* Passes on what a side sends until it ends. stream is a struct sam_stream with tapped, side and
 * number set and all else 0; what it owns is freed. For pthread_create: returns NULL. */
void *sam_stream_run(void *stream);

#endif
