/* What the tests of the program sam share: a folder with keys, and runs of the program itself. */
#ifndef SAM_TESTS_ENVELOPE_FILES_H
#define SAM_TESTS_ENVELOPE_FILES_H

#include "arguments.h"
#include "commands.h"
#include "vector_index.h"

/* A checked fixture, with tear_down_place: alice, bob and carol are pairs that trust each other. */
void set_up_three(void);

/* The index of the vectors, and an unchecked fixture that loads it, and the people. */
extern struct vector_index all;
void load_all(void);
void free_all(void);

/* The folder of sam in the place of a mode's, for those who run programs by their mode. */
extern const struct sam_mode in_tools;

/* Runs sam with these words and an empty standard input. */
#define SAM(...) RUN(&in_tools, "sam", __VA_ARGS__)

/* Runs sam with these words, up to NULL, and length bytes in a file as its standard input. */
struct run_result sam_with_input(const void *input, size_t length, const char *const words[]);

/* Runs a line of the shell, in which $0 is sam, $1 the folder of keys, $2 and $3 are those given.
 */
struct run_result shell(const char *line, const char *second, const char *third);

/* The path of a vector. It lasts for the next 15 calls of in_place. */
const char *vector_path(const char *file);

/* Asserts that this came of it: the code, and on standard error one sentence that begins with
 * "sam: ABOUT: " and says what. */
void assert_failure(const struct run_result *result, int code, const char *about, const char *what);

#endif
