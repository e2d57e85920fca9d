/* Floor 5. A command line: one table of commands and one of options give the reading, the help and
 * what is said when something is wrong. */
#ifndef SAM_ARGUMENTS_H
#define SAM_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes of all programs. */
enum sam_exit {
    SAM_EXIT_OK = 0,
    SAM_EXIT_UNVERIFIED = 1, /* the peer refused, or what it sent did not verify */
    SAM_EXIT_USAGE = 2,
    SAM_EXIT_NETWORK = 3,
    SAM_EXIT_KEYS = 4
};

struct sam_command {
    const char *name;    /* "": what is done without a command */
    const char *operand; /* "TEXT", "" for none */
    const char *help;
    unsigned bit;      /* which of the commands' bits it is */
    unsigned operands; /* how many it takes at most */
};

enum sam_option_type {
    SAM_TEXT,   /* const char * */
    SAM_NUMBER, /* uint32_t */
    SAM_FLAG,   /* bool */
    SAM_TEXTS   /* struct sam_texts: it may be given again and again */
};

enum { SAM_TEXTS_MAX = 16 };
struct sam_texts {
    const char *items[SAM_TEXTS_MAX];
    size_t count;
};

struct sam_option {
    const char *name;
    enum sam_option_type type;
    size_t at; /* where its value goes: an offset in the program's struct of values */
    unsigned long least, most; /* of a SAM_NUMBER */
    unsigned commands;         /* bits of the commands that take it */
    const char *help;          /* the value's name and what it does, a tab between */
};

/* What a program takes; tables are constant. At most SAM_OPTIONS_MAX options. */
enum { SAM_OPTIONS_MAX = 56 };
struct sam_arguments {
    const char *program;
    const char *title; /* the first line of its help */
    const struct sam_command *commands;
    size_t command_count;
    const struct sam_option *options;
    size_t option_count;
    unsigned mine;       /* bits of the commands that this program has of those in the tables */
    const char *closing; /* the last line of its help */
};

/* What stood on the command line besides options. */
struct sam_words {
    const struct sam_command *command; /* NULL: one that does not exist */
    const char *name;                  /* the command's, as it was typed; NULL without one */
    char **operands; /* in argv, which is rearranged; without the command's name */
    size_t count;
    uint64_t used; /* bit i: option i of the table was given */
    bool literal;  /* a -- stood before the last operand */
};

/* Reads a command line into values, the program's struct. Options may stand anywhere. Strings stay
 * those of argv. False, with one sentence on standard error, when an option does not exist, lacks
 * its value or has a wrong one. */
bool sam_arguments_read(const struct sam_arguments *arguments, void *values, int argc, char **argv,
                        struct sam_words *words);

/* Whether command, operands and options go together; false with one sentence on standard error. */
bool sam_arguments_check(const struct sam_arguments *arguments, const struct sam_words *words);

/* Prints the help: of one command, where one was named. */
void sam_arguments_help(const struct sam_arguments *arguments, const struct sam_words *words);

/* Says on standard error what is wrong with a command line, and where to look; about is quoted,
 * NULL where there is nothing to quote. Always false. */
bool sam_arguments_complain(const char *program, const char *what, const char *about);

#endif
