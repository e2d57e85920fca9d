/* Floor 5. The command line of client and server. */
#ifndef SAM_OPTIONS_H
#define SAM_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "mode.h"

/* Exit codes of both programs. */
enum sam_exit {
    SAM_EXIT_OK = 0,
    SAM_EXIT_UNVERIFIED = 1, /* the peer refused, or what it sent did not verify */
    SAM_EXIT_USAGE = 2,
    SAM_EXIT_NETWORK = 3,
    SAM_EXIT_KEYS = 4
};

enum sam_command {
    SAM_SERVE = 1 << 0,
    SAM_SEND_MSG = 1 << 1,
    SAM_RECV_MSG = 1 << 2,
    SAM_GENERATE = 1 << 3,
    SAM_FINGERPRINT = 1 << 4
};

struct sam_options {
    const char *program; /* "client" or "server" */
    enum sam_command command;
    const char *text; /* send_msg's operand, NULL where there is none */
    bool from_stdin;  /* the operand is -, and no -- stands before it */
    const char *host, *keys, *name, *to, *color;
    const char *message, *port_file, *file, *save, *passphrase_file; /* NULL: not given */
    uint32_t port, max_message /* bytes */, max_clients, timeout /* seconds */, bits;
    bool trace, quiet, force, passphrase, help, version;
    char default_keys[PATH_MAX];
};

/* Reads a command line; strings stay those of argv. Returns true when there is something to do.
 * Otherwise *code is what to exit with: help or version have been printed on standard output, or
 * what is wrong on standard error. */
bool sam_options_read(struct sam_options *options, bool is_server, const struct sam_mode *mode,
                      int argc, char **argv, enum sam_exit *code);

#endif
