/* The instruments of the lab: what the subcommands of sam share. Each lies in a file of its name.
 */
#ifndef SAM_TOOLS_SAM_H
#define SAM_TOOLS_SAM_H

#include <limits.h>
#include <sys/types.h>

#include "anatomy.h"
#include "talk.h"

struct sam_tool_options {
    const char *keys, *from, *to, *name, *passphrase_file; /* NULL: not given */
    const char *mode, *in, *out, *color;
    const char *listen, *port_file, *save, *pcap, *side, *swap, *sizes;
    struct sam_texts flip, set; /* rules of the wiretap */
    uint32_t drop, replay, replay_new, truncate, delay /* ms */, envelope; /* 0: not given */
    uint32_t bits;
    bool json, csv, brief, trace, quiet, help, version;
};

struct sam_tool {
    struct sam_tool_options options;
    const char *keys; /* folder: what was given, or the lab's */
    struct sam_talk talk;
    char **operands;
    size_t operand_count;
};

/* Every subcommand: returns the exit code, having said why it is not 0. */
enum sam_exit sam_tool_seal(const struct sam_tool *tool);
enum sam_exit sam_tool_open(const struct sam_tool *tool);
enum sam_exit sam_tool_inspect(const struct sam_tool *tool);
enum sam_exit sam_tool_wiretap(const struct sam_tool *tool);
enum sam_exit sam_tool_compare(const struct sam_tool *tool);
enum sam_exit sam_tool_explain(const struct sam_tool *tool);

/* What a file to read is called: path, or "standard input" when that is NULL or "-". */
const char *sam_tool_input(const char *path);

/* Opens that file for reading; -1 when it cannot (errno tells). Close it with
 * sam_tool_close_input, which keeps errno. */
int sam_tool_open_input(const char *path);
void sam_tool_close_input(int fd);

/* Appends a file, or standard input when path is NULL or "-", to *bytes. limit is the most it may
 * have. Complains when it cannot. */
enum sam_exit sam_tool_read(const struct sam_tool *tool, const char *path, size_t limit,
                            struct sam_bytes *bytes);

/* The permissions of what is made: of what anyone may read, and of what was secret. */
enum { SAM_PUBLIC = 0666, SAM_PRIVATE = 0600 };

/* Writes a file, with these permissions less the umask, which appears whole or not at all, or
 * standard output when path is NULL or "-". Complains when it cannot. */
enum sam_exit sam_tool_write(const struct sam_tool *tool, const char *path, mode_t permissions,
                             const void *data, size_t length);

#endif
