/* What the shim is told to do: at which call of which function, and what. The shim and who gives
 * the orders share this through a mapped file, so that a running program can be given new ones. */
#ifndef SAM_FAULT_ORDER_H
#define SAM_FAULT_ORDER_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The functions whose calls are counted. malloc stands for every allocation, own_malloc for those
 * that the program asks for itself and no library for it, clock for CLOCK_REALTIME alone. */
#define FAULT_CALLS(X)                                                                             \
    X(malloc)                                                                                      \
    X(own_malloc)                                                                                  \
    X(read)                                                                                        \
    X(write)                                                                                       \
    X(recv)                                                                                        \
    X(send)                                                                                        \
    X(poll)                                                                                        \
    X(accept)                                                                                      \
    X(connect)                                                                                     \
    X(socket)                                                                                      \
    X(open)                                                                                        \
    X(close)                                                                                       \
    X(fsync)                                                                                       \
    X(rename)                                                                                      \
    X(link)                                                                                        \
    X(fstat)                                                                                       \
    X(opendir)                                                                                     \
    X(readdir)                                                                                     \
    X(pipe)                                                                                        \
    X(fcntl)                                                                                       \
    X(pthread_create)                                                                              \
    X(clock)

enum fault_call {
#define FAULT_CALL(name) FAULT_##name,
    FAULT_CALLS(FAULT_CALL)
#undef FAULT_CALL
        FAULT_CALL_COUNT
};

/* What befalls a call. A positive number is the errno that it fails with. */
enum {
    FAULT_NOTHING = 0,
    FAULT_SHORT = -1, /* it is given one byte, however many were asked for */
    FAULT_RUN = -2,   /* a shell runs $SAM_FAULT_RUN first */
    FAULT_DAY = -3,   /* from now on the clock is a day ahead */
    FAULT_BACK = -4   /* or a day behind */
};

struct fault_board {
    atomic_int call;
    atomic_int action;
    atomic_bool on;     /* it also befalls every later call */
    atomic_ulong nth;   /* 1 is the next; 0: none, calls are only counted */
    atomic_ulong count; /* of the calls until now */
};

/* Takes an order such as "malloc:17:ENOMEM", "read:3:short", or with "+" ("malloc:17:ENOMEM+") for
 * all from there on. False when it is none. */
static inline bool fault_order(struct fault_board *board, const char *order) {
    static const char *const calls[] = {
#define FAULT_NAME(name) #name,
        FAULT_CALLS(FAULT_NAME)
#undef FAULT_NAME
    };
    static const struct {
        const char *name;
        int action;
    } actions[] = {{"none", FAULT_NOTHING},
                   {"short", FAULT_SHORT},
                   {"run", FAULT_RUN},
                   {"day", FAULT_DAY},
                   {"back", FAULT_BACK},
                   {"ENOMEM", ENOMEM},
                   {"EINTR", EINTR},
                   {"EIO", EIO},
                   {"ENOSPC", ENOSPC},
                   {"ECONNRESET", ECONNRESET},
                   {"EMFILE", EMFILE},
                   {"EACCES", EACCES},
                   {"ECONNABORTED", ECONNABORTED},
                   {"EAGAIN", EAGAIN},
                   {"EPIPE", EPIPE}};
    char call[32], action[32];
    unsigned long nth = 0;
    int found = -1, what = 1;
    bool known = false;
    if (sscanf(order, "%31[^:]:%lu:%31s", call, &nth, action) != 3)
        return false;
    size_t length = strlen(action);
    bool on = action[length - 1] == '+';
    if (on)
        action[length - 1] = '\0';
    for (int i = 0; i < FAULT_CALL_COUNT; i++)
        found = strcmp(calls[i], call) == 0 ? i : found;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i].name, action) == 0) {
            what = actions[i].action;
            known = true;
        }
    if (found < 0 || !known)
        return false;
    board->nth = 0;
    board->call = found;
    board->action = what;
    board->on = on;
    board->count = 0;
    board->nth = nth;
    return true;
}

#endif
