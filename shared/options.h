/* Floor 5. The command line of client and server. */
#ifndef SAM_OPTIONS_H
#define SAM_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "arguments.h"
#include "mode.h"

/* Bits of the commands. */
enum {
    SAM_SERVE = 1 << 0,
    SAM_SEND_MSG = 1 << 1,
    SAM_RECV_MSG = 1 << 2,
    SAM_GENERATE = 1 << 3,
    SAM_FINGERPRINT = 1 << 4,
    SAM_INTERACT = 1 << 5,
    SAM_CHAT = 1 << 6
};

struct sam_options {
    const char *program; /* "client" or "server" */
    unsigned command;
    const char *text; /* send_msg's operand, NULL where there is none */
    bool from_stdin;  /* the operand is -, and no -- stands before it */
    const char *host, *keys, *name, *to, *color, *handler;
    const char *ca, *crl, *tls_cert, *tls_key, *tls_client_ca, *tls_client_cert, *tls_client_key,
        *tls_ciphers; /* NULL: not given, or for files in keys/tls the default */
    const char *message, *port_file, *file, *save, *passphrase_file; /* NULL: not given */
    uint32_t port, max_message /* bytes */, max_clients, timeout /* seconds */, bits;
    bool trace, quiet, force, passphrase, help, version, chat, session, tls;
    char default_keys[PATH_MAX];
};

/* Which release all programs are. */
#define SAM_RELEASE "1.4.0"

/* The lab's keys/: it lies beside the folder of the program, wherever it was called from. A program
 * that was installed is found by PATH, and looks into the current folder. The text is constant or
 * in folder. */
const char *sam_default_keys(char folder[PATH_MAX], const char *called_as);

/* Reads a command line; strings stay those of argv. Returns true when there is something to do.
 * Otherwise *code is what to exit with: help or version have been printed on standard output, or
 * what is wrong on standard error. */
bool sam_options_read(struct sam_options *options, bool is_server, const struct sam_mode *mode,
                      int argc, char **argv, enum sam_exit *code);

#endif
