/* What the faults*.c share: a place with keys, programs run with one fault, and the judgement of
 * what came of it. A program that meets a fault ends by itself with a documented status, says why
 * when that is not 0, and leaves no half-written file; when it is 0, all has been done. */
#ifndef SAM_TORTURE_FAULTS_H
#define SAM_TORTURE_FAULTS_H

#include <stdarg.h>

#include "arguments.h"
#include "commands.h"
#include "peer.h"
#include "scale.h"
#include "shim/order.h"

enum {
    FAULT_WORDS = 24,
    FAULT_TEXT = 400,
    LIVE_SECONDS = 4 + 26 * SANITIZED /* a live server's --timeout */
};

/* A program under torture. */
struct subject {
    const char *name;
    /* Fills words up to NULL, the first being the program, and puts all in order for a run. */
    void (*prepare)(const char *words[FAULT_WORDS], unsigned number);
    /* What is wrong with what a run left, NULL: nothing. Where the status is 0, what was asked for
     * must be there. */
    const char *(*judge)(const struct run_result *result, unsigned number);
    bool serves; /* it runs until it is told to stop, which it is once it listens */
};

/* What came of many runs. */
struct outcomes {
    unsigned harmless, told, wrong;
};

/* A checked fixture, with tear_down_faults: set_up_pairs, a message and its envelope for sam, and
 * the board. Where the shim cannot be had, have_shim() is false, once told. */
void set_up_faults(void);
void tear_down_faults(void);
bool have_shim(void);

/* What lies in the place, as text of known content. */
extern struct sam_bytes long_text;
extern struct fault_board *board;
extern struct server_process live; /* what the clients among the subjects talk to */

/* Starts live with the keys of the place, unharmed, or, with the shim, to be harmed by orders. */
void start_live(bool with_shim);
void stop_live(void);

/* A path to a program of that folder of $SAM_BIN or $SAM_BUILD that holds wherever we are. */
const char *program_in(const char *folder, const char *program);

/* Runs a subject, with the order, or without a fault when it is NULL, and judges. number makes the
 * run unlike others. Tells of what is wrong at once. */
void try_subject(const struct subject *subject, const char *order, unsigned number,
                 struct outcomes *outcomes);

/* How often a subject calls a function when nothing fails. */
unsigned long count_calls(const struct subject *subject, const char *function);

/* Runs with FUNCTION:N:ACTION for each N of 1 to calls; where these are more than most, a quarter
 * of so many at the start, and the rest spread evenly to the last. */
void try_calls(const struct subject *subject, const char *function, const char *action,
               unsigned long calls, unsigned long most, struct outcomes *outcomes);

/* What the runs came to, as a line of figures; fails the test when any was wrong. */
void tell_outcomes(const struct outcomes *outcomes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says what is wrong with a run; counts it. */
void tell_wrong(struct outcomes *outcomes, const char *subject, const char *order, const char *what,
                const struct run_result *result);

/* The same judgement for every program: NULL, or what is wrong. */
const char *judge_ending(const struct run_result *result);

/* The subjects. */
extern const struct subject sam_seals, sam_opens, sam_inspects, key_is_made, key_is_replaced,
    client_sends, client_receives, client_saves, server_starts, example_asks;

/* The parts of the suite. */
TCase *memory_faults(void);     /* faults_memory.c */
TCase *call_faults(void);       /* faults_calls.c */
TCase *server_faults(void);     /* faults_server.c */
TCase *disk_faults(void);       /* faults_disk.c */
TCase *folder_faults(void);     /* faults_folder.c */
TCase *clock_faults(void);      /* faults_clock.c */
TCase *descriptor_faults(void); /* faults_descriptors.c */

#endif
