/* Floor 4. Takes connections until a signal, one thread for each, and sees every one to its end. */
#ifndef SAM_ACCEPTOR_H
#define SAM_ACCEPTOR_H

#include "net.h"

/* One connection in its thread. The caller of it owns fd and closes it afterwards. */
struct sam_accepted {
    int fd;
    unsigned long number; /* 1, 2, 3, ... in the order of their coming */
    char address[SAM_ADDRESS_MAX];
};

/* Set context, serve, turn_away and most; sam_acceptor_open sets the rest. */
struct sam_acceptor {
    void *context; /* handed to both functions */
    void (*serve)(void *context, const struct sam_accepted *accepted);
    /* One that no thread can be had for: it must not wait. */
    void (*turn_away)(void *context, const struct sam_accepted *accepted);
    unsigned most; /* connections at once; who comes then waits in the backlog */

    int listener;
    int stop[2]; /* stop[0] hangs up when the program is to end: for all that waits */
    int done[2]; /* a thread's last act is to write its pthread_t, to be joined */
    unsigned active;
    unsigned long number; /* of the last connection */
    const char *port_file;
    char port[8]; /* what the port file holds: the number and a newline */
};

/* Listens on host and *port (see sam_listen), writes the port to port_file where that is not NULL,
 * and from now on takes SIGINT and SIGTERM as the word to end: stop[0] hangs up. A second signal
 * ends the program at once. Call it once in a program, before other threads begin: they must have
 * both signals blocked. SAM_SYSTEM, SAM_FILE_WRITE and the failures of sam_listen: *where tells of
 * which address or file. sam_acceptor_close is due in every case. */
SAM_MUST_CHECK enum sam_status sam_acceptor_open(struct sam_acceptor *acceptor, const char *host,
                                                 uint16_t *port, const char *port_file,
                                                 struct sam_where *where);

/* Takes connections until a signal. */
void sam_acceptor_run(struct sam_acceptor *acceptor);

/* Stops listening: who waits in the backlog is turned away now, not later. */
void sam_acceptor_shut(struct sam_acceptor *acceptor);

/* Waits until every thread has ended, closes what is open and removes the port file. */
void sam_acceptor_close(struct sam_acceptor *acceptor);

#endif
