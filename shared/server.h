/* Floor 5. The server program: one thread for each connection. */
#ifndef SAM_SERVER_H
#define SAM_SERVER_H

#include "mode.h"
#include "options.h"

/* The whole server of a mode; returns what main returns. */
enum sam_exit sam_server_main(const struct sam_mode *mode, int argc, char **argv);

#endif
