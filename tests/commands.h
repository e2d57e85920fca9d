/* What the tests of the command line share: a folder with keys, programs run without a server, on a
 * terminal or far from one, and a server whose answers the test makes up. Failures fail the test.
 */
#ifndef SAM_TESTS_COMMANDS_H
#define SAM_TESTS_COMMANDS_H

#include "process.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* The parts of the suite commands, each in its own file. */
TCase *talk_case(void);     /* messages, verdicts, colours: check_commands_talk.c */
TCase *save_case(void);     /* --save, and failed answers: check_commands_save.c */
TCase *network_case(void);  /* no connection, ports: check_commands_network.c */
TCase *trace_case(void);    /* --trace: check_commands_trace.c */
TCase *keyfiles_case(void); /* keys that cannot be used: check_commands_keyfiles.c */
TCase *generate_case(void); /* making keys, passphrases: check_commands_generate.c */
TCase *make_case(void);     /* the makefiles: check_commands_make.c */

/* The part of the suite labs that is not about grading: check_labs_course.c. */
TCase *course_case(void);

/* A checked fixture: an empty folder, and in it an empty one for keys. NO_COLOR is not set. */
extern char place[PATH_MAX], keys[PATH_MAX];
void set_up_place(void);
void tear_down_place(void);

/* As set_up_place; bob is the server, alice the client, and each has the other's public key. */
void set_up_pairs(void);

/* place/name, or keys/name. The text lasts for the next 15 calls. */
const char *in_place(const char *name);
const char *in_keys(const char *name);

/* Runs a mode's program, with the words given and nothing else, and an empty standard input. */
#define RUN(mode, program, ...) run_words(mode, program, (const char *const[]){__VA_ARGS__, NULL})
struct run_result run_words(const struct sam_mode *mode, const char *program,
                            const char *const words[]);

/* Fails the test unless standard output, or error, is exactly this text. */
void assert_text(const struct sam_bytes *actual, const char *expected);

/* Fails the test unless text is nothing but one line. */
void assert_one_line(const struct sam_bytes *text);

/* Fails the test unless every line has at most 80 columns. */
void assert_columns(const struct sam_bytes *text);

/* Asserts that a file holds these bytes. */
void assert_file(const char *path, const struct sam_bytes *expected);

bool exists(const char *path);

/* Where a program runs that has a session of its own. */
struct session {
    bool terminal;      /* it has a controlling terminal; otherwise there is none */
    bool out, err;      /* these streams are that terminal */
    const char *prompt; /* once the terminal shows it, and shows no more what is typed, ... */
    const char *typed;  /* ... this is typed, as many times as the prompt comes: lines of it */
};

/* Runs a program in a session. *screen is all that the terminal showed; the caller frees it.
 * However it ends, the terminal must be as before. */
struct run_result run_session(const struct session *session, const struct sam_mode *mode,
                              const char *program, const char *const words[],
                              struct sam_bytes *screen);

/* How many lines tell that verdict, "passed" or "FAILED", on a promise. */
size_t count_verdicts(const struct sam_bytes *text, const char *promise, const char *verdict);

#endif
