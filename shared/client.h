/* Floor 5. The client program. */
#ifndef SAM_CLIENT_H
#define SAM_CLIENT_H

#include "mode.h"
#include "options.h"

/* The whole client of a mode; returns what main returns. */
enum sam_exit sam_client_main(const struct sam_mode *mode, int argc, char **argv);

#endif
