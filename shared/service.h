/* Floor 5. One connection's whole life in the server. */
#ifndef SAM_SERVICE_H
#define SAM_SERVICE_H

#include "connection.h"
#include "handler.h"
#include "options.h"
#include "room.h"
#include "talk.h"

/* What all connections of a server share. Nothing in it changes while they run, but memory and
 * room, which have locks of their own. Pointers are borrowed. */
struct sam_service {
    const struct sam_mode *mode;
    const struct sam_crypto *crypto; /* each connection has a handle of its own, shared from this */
    const struct sam_key *own;
    const struct sam_ring *trusted;
    const struct sam_options *options;
    struct sam_talk talk;
    struct sam_memory *memory;
    const struct sam_handler *handler; /* what a send is answered with */
    struct sam_room *room;             /* of the chat; NULL: there is none */
    int stop;                          /* as in sam_read_all */
};

/* Greets, answers requests in their order until the peer ends, fails a check, is too slow or the
 * server is to stop, and tells on standard error what happened; messages go to standard output.
 * Does not close fd. number and address name the connection in the log. */
void sam_service_run(const struct sam_service *service, int fd, unsigned long number,
                     const char *address);

#endif
