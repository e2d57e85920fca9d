/* A student's function runs in a box: a process of its own, with little time and memory, that can
 * start no other. Whatever it does in there ends there; the judge hears of it and goes on. */
#ifndef SAM_LABS_BOX_H
#define SAM_LABS_BOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The student's function of that name, with the type that the lab's header declares. In a box only.
 */
#define STUDENT(function) ((__typeof__(&(function)))box_function(#function))
void (*box_function(const char *name))(void);

/* Zeroed memory that judge and box both see: the function's arguments go there before, its results
 * come from there afterwards. It ends, with size rounded up to 16, where a page begins that nobody
 * may touch. Freed with the judge. */
void *box_shared(size_t size);

/* The same for what the grader and its checks share: no box sees what was had last. (What was had
 * before is of labs that have been told already.) Both end the program where there is no memory. */
void *judge_shared(size_t size);

/* One that runs: which function in which process, until when. */
struct box {
    const char *function;
    pid_t pid;
    int64_t deadline;
    struct box_end *end;
    int printed; /* a file of what the student prints */
};

/* Starts work(shared) in a box, or ends the check where there is no file that compiles; work calls
 * STUDENT(function)(...). Of the judge's descriptors the box keeps the standard ones and fds, up to
 * -1 (NULL: none). What the box got with fds the judge should close. */
struct box box_start(const char *function, void (*work)(void *shared), void *shared,
                     const int *fds);

/* Waits until the function has returned. Ends the check when it does not: it crashed, it ended the
 * process, it took too long. */
void box_finish(struct box *box);

/* Both. */
void box_call(const char *function, void (*work)(void *shared), void *shared);

#endif
