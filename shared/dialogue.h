/* Floor 5. A client that goes on talking: line by line with a server, or in its chat. */
#ifndef SAM_DIALOGUE_H
#define SAM_DIALOGUE_H

#include "connection.h"
#include "options.h"
#include "talk.h"

/* Who talks: all pointers are borrowed; connection has met the server. */
struct sam_dialogue {
    const struct sam_options *options;
    const struct sam_talk *talk;
    struct sam_connection *connection;
    const char *server;     /* whose key it has */
    struct sam_where *peer; /* its address */
};

/* Begins a session where one is asked for, joins the chat where that is the command, and then sends
 * each line of standard input and shows what comes, until the input ends (or the line /quit in a
 * chat) and all is answered. What failed has been told; returns the exit code. */
enum sam_exit sam_dialogue_run(const struct sam_dialogue *dialogue);

#endif
