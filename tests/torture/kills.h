/* Processes that are killed with SIGKILL at random instants, and the count of what was found. */
#ifndef SAM_TORTURE_KILLS_H
#define SAM_TORTURE_KILLS_H

#include "commands.h"

enum { KILL_TESTS = 9 }; /* of the suite, each turn of a loop counted */

/* Of all tests of the suite, which are processes of their own: it lies in shared memory. */
struct toll {
    size_t clients, writers, servers; /* killed */
    size_t files;                     /* looked at afterwards: all whole, or the test has failed */
    size_t left;                      /* temporary files that lie about */
    size_t ended;                     /* were done before the instant came; not counted above */
    size_t passed;                    /* tests */
};
extern struct toll *toll;

/* How long a process of some kind lives when it is left alone, microseconds. */
struct life {
    int64_t whole;   /* until it is gone */
    int64_t writing; /* since it first made a file */
};

/* Waits for a process to end by itself, and asserts that it did well. folder is where it makes a
 * file of its own, with so many entries before; NULL: nowhere. */
struct life measure_life(struct process *process, const char *folder, size_t entries);

/* Kills a process at a random instant of a whole life; with a folder, of its writing. What it left:
 * code tells whether it was killed, or had ended before. */
struct run_result kill_in_life(struct process *process, const struct life *life, const char *folder,
                               size_t entries);

/* Microseconds below a limit. */
int64_t random_time(int64_t limit);

/* Whether the result is that of a process that was killed; counts it, or that it had ended. */
bool was_killed(const struct run_result *result, size_t *killed);

void add_kills_of_writers(TCase *kills); /* kills_files.c: who writes files */
void add_kills_of_peers(TCase *kills);   /* kills_peers.c: who talks */

#endif
