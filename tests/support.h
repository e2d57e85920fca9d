/* What several suites need: keys, temporary folders, files. Every failure here fails the test. */
#ifndef SAM_TESTS_SUPPORT_H
#define SAM_TESTS_SUPPORT_H

#include <check.h>

#include "envelope.h"

/* Fails the test unless the two statuses are the same, and names both. */
#define ck_status(actual, expected)                                                                \
    do {                                                                                           \
        enum sam_status got_ = (actual), want_ = (expected);                                       \
        ck_assert_msg(got_ == want_, "%s: expected %s, got %s", #actual, sam_status_name(want_),   \
                      sam_status_name(got_));                                                      \
    } while (0)

/* Both modes, for loop tests: index 0 and 1. */
extern const struct sam_mode *const modes[2];

/* The folder with alice, bob, carol and mallory: $SAM_VECTORS, or tests/vectors. */
const char *vectors_folder(void);

/* A file of that folder, whole. The caller frees it with sam_bytes_free. */
struct sam_bytes read_vector(const char *name);

/* Any file, whole. */
struct sam_bytes read_file(const char *path);

/* Whether a file holds just these bytes. */
bool is_file(const char *path, const void *data, size_t length);

/* Writes a file with the given permissions. */
void write_file(const char *path, mode_t permissions, const void *data, size_t length);

/* Makes a folder under $TMPDIR or /tmp, mode 0700; path holds PATH_MAX bytes. */
void make_folder(char *path);

/* Removes a folder made by make_folder with everything in it. */
void remove_folder(const char *path);

/* How many entries a folder has, . and .. not counted. */
size_t count_entries(const char *path);

/* Memory, all zero, that this process and those it forks share; it ends with them. */
void *shared_memory(size_t size);

/* The four parties of the vectors, loaded once by load_people (an unchecked fixture). trusted holds
 * alice, bob and carol. alice has 2048 bits, bob 3072, carol 4096, mallory 2048. */
struct people {
    struct sam_crypto *crypto;
    struct sam_key alice, bob, carol, mallory;
    struct sam_ring trusted;
};
extern struct people people;
void load_people(void);
void free_people(void);

/* One of the people by name. */
const struct sam_key *person(const char *name);

#endif
