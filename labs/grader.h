/* What a lab's grade.c is written with. A check is a function that tells its story step by step and
 * returns when all went well; it runs in a process of its own (Check's), with the people of
 * tests/support.h loaded and a folder of keys for the real programs (make_lab of tests/process.h).
 */
#ifndef SAM_LABS_GRADER_H
#define SAM_LABS_GRADER_H

#include "../tests/process.h"
#include "delivery.h"

/* What a check shows. Every lab with an attack has at least one of each. */
enum corner {
    HONEST, /* honest traffic passes, on the flawed variant and on the real one; no points */
    WINS,   /* the student's attack wins against the flawed variant */
    MENDED, /* what the student mended takes honest traffic, and the attack no longer wins */
    LOSES   /* the attack that won loses against the real client and server */
};

struct graded {
    const char *name; /* what is so when it passes: "your forged order is accepted" */
    enum corner corner;
    int points; /* 0 for what passes before the student has written anything */
    void (*run)(void);
    const char *help; /* one line, told when it fails */
};

struct lab {
    const char *folder; /* "02_fail_open" */
    const char *title;  /* "Fail open" */
    const struct graded *checks;
    size_t count;
};

/* Every lab, in order: its grade.c defines lab_NAME. */
#define LABS(X)                                                                                    \
    X(read_the_wire)                                                                               \
    X(fail_open)                                                                                   \
    X(not_integrity)                                                                               \
    X(talking_signature)                                                                           \
    X(answering_blocks)                                                                            \
    X(bytes_not_strings)                                                                           \
    X(whose_key)                                                                                   \
    X(replay)                                                                                      \
    X(forwarding)
#define LAB_DECLARE(name) extern const struct lab lab_##name;
LABS(LAB_DECLARE)
#undef LAB_DECLARE

/* At the end of a grade.c, behind its table of checks. */
#define LAB(name, folder, title)                                                                   \
    const struct lab lab_##name = {folder, title, checks, sizeof checks / sizeof checks[0]}

/* One step of the story, as printf would; a failed check shows all of them, numbered. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that a student's function has printed: it joins the story, made harmless. */
void tell_line(const char *line);

/* Ends the check: "***** expected WANTED, got ..." */
_Noreturn void lose(const char *wanted, const char *got, ...) __attribute__((format(printf, 2, 3)));

/* Ends the check unless the message was handed over, as one from that sender (NULL: from anyone).
 */
void expect_handed(const struct delivery *delivery, const char *message, const char *sender);

/* Ends the check unless it was refused with that status, and nothing handed over. */
void expect_refused(const struct delivery *delivery, enum sam_status status);

/* The file of the lab's answers, labs/NN_name/answers.txt; the caller frees it. Ends the check when
 * there is none. */
struct sam_bytes student_answers(void);

/* The folder of the students' files; what this one was compiled into, in that folder, "./NAME.so";
 * and how long a function of it may take, in microseconds. */
const char *student_folder(void);
const char *student_code(void);
bool student_has_code(void);
int64_t student_time(void);

#endif
