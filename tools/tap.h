/* One connection that the wiretap stands in: what passes, in both directions. */
#ifndef SAM_TOOLS_TAP_H
#define SAM_TOOLS_TAP_H

#include "acceptor.h"
#include "capture.h"
#include "memory.h"
#include "rules.h"

/* What all connections share. */
struct sam_tap {
    const struct sam_plan *plan;
    struct sam_memory memory;    /* what all units that are large may hold together */
    struct sam_capture *capture; /* NULL: none */
    const char *save;            /* folder, NULL: none */
    bool brief;
    char host[256]; /* the server's */
    uint16_t port;
    int stop; /* hangs up when the program is to end */
};

/* Connects to the server and passes on what comes, both ways, until both sides have ended. Bytes
 * are passed on as they arrive, except those of a unit that the plan selects: that is held back
 * until it is whole. What passes is told on standard output. */
void sam_tap_run(struct sam_tap *tap, const struct sam_accepted *accepted);

/* Connects to the server anew, sends one unit that passed on connection number, and tells what the
 * server answers. */
void sam_tap_replay(const struct sam_tap *tap, unsigned long number, const uint8_t *unit,
                    size_t length);

#endif
