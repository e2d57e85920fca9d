/* Floor 5. What a person is told: verdicts, failures, messages. Talk goes to a stream of the
 * caller's (standard error, or a buffer that ends there); only messages go to standard output. */
#ifndef SAM_TALK_H
#define SAM_TALK_H

#include <stdio.h>

#include "arguments.h"
#include "envelope.h"

struct sam_talk {
    const char *program;
    bool colour, quiet;
};

/* Whether --color takes that word. */
bool sam_talk_takes_color(const char *when);

/* when is what --color was given: "auto", "always" or "never"; automatic colour follows NO_COLOR
 * and whether standard error is a terminal. program is borrowed. */
struct sam_talk sam_talk_start(const char *program, const char *when, bool quiet);

/* Says on standard error what failed, with which file or address, and what to do next; where the
 * status comes from the system, also its reason, which is still in errno. Returns the exit code
 * that goes with the status. */
enum sam_exit sam_complain(const struct sam_talk *talk, const struct sam_where *where,
                           enum sam_status status);

/* One line for each promise that was kept by an envelope that passed; for one that failed, what is
 * known to have passed before, and what failed. Quiet leaves out the passed ones. sender is NULL
 * when it is not known. unfresh is NULL for an envelope of this connection; for one from a file,
 * which cannot have freshness, it says so. */
void sam_tell_verdicts(const struct sam_talk *talk, FILE *out, enum sam_status status,
                       const struct sam_key *sender, const struct sam_party *party,
                       const char *unfresh);

/* The same of a session's record that passed: whose it is follows from the keys of the session. */
void sam_tell_record(const struct sam_talk *talk, FILE *out, const struct sam_key *sender);

/* Says on standard error why a server refused a request: the message of its answer. */
void sam_tell_refusal(const struct sam_talk *talk, const char *server,
                      const struct sam_envelope *answer);

/* Writes an opened envelope's message to standard output: to a terminal as harmless text, elsewhere
 * byte for byte. Complains when it cannot. */
enum sam_exit sam_tell_message(const struct sam_talk *talk, const struct sam_envelope *envelope);

/* The cost of a conversation: bytes on the wire, RSA operations, microseconds. */
struct sam_cost {
    uint64_t sent, received;
    struct sam_rsa_count rsa;
    int64_t microseconds;
};
void sam_tell_cost(FILE *out, const struct sam_cost *cost);

#endif
