/* Secrets that are looked for in memory. They are kept masked, so that the search does not find
 * its own copy of what it looks for. */
#ifndef SAM_TORTURE_SECRETS_H
#define SAM_TORTURE_SECRETS_H

#include <limits.h>

#include "sealing.h"
#include "tapping.h"

enum { SECRET_MAX = 4096, SEALED_MAX = 65536 };

/* {0} is none. */
struct secret {
    const char *name;
    size_t length; /* at most SECRET_MAX; less than 16 bytes may be overlooked */
    uint8_t masked[SECRET_MAX];
};

/* A new one: random bytes, or letters without a NUL. */
void secret_draw(struct secret *secret, const char *name, size_t length);
void secret_draw_text(struct secret *secret, const char *name, size_t length);

/* One that is there already, of bytes that their owner wipes. */
void secret_hide(struct secret *secret, const char *name, const void *bytes, size_t length);

/* Writes it out, unmasked. */
void secret_reveal(const struct secret *secret, void *out);

/* The same as a passphrase, which whoever takes it wipes. Not a value returned: that may be copied.
 */
void secret_passphrase(const struct secret *secret, struct sam_passphrase *out);

/* Whether bytes are it. */
bool secret_is(const struct secret *secret, const void *bytes, size_t length);

/* What is worked out in a process of its own, so that the work leaves no trace in this one. */
struct aside {
    struct secret letter, passphrase, salts[2], keys[4];
    size_t length; /* of bytes */
    uint8_t bytes[SEALED_MAX];
    char folder[PATH_MAX];
    const struct sam_mode *mode;
    uint16_t port;
};

/* One for this test, in memory that it shares with its children; all zero. */
struct aside *new_aside(void);
void run_aside(void (*work)(struct aside *aside), struct aside *aside);

/* Hides in aside, as that one of its salts and keys, what bytes, an envelope of its mode for own,
 * were sealed under. They are opened for that: only in a process aside. */
void find_keys(struct aside *aside, size_t number, const struct sam_key *own,
               const struct sam_bytes *bytes);

/* From now on keeps aside the two keys of each session that this thread begins; NULL: no more. */
void watch_session_keys(struct aside *aside);

/* Searches all writable memory of a process for every secret of aside, any 15 bytes in a row of
 * one, and returns how many pieces were found. */
size_t search(pid_t pid, const struct aside *aside);

/* Fails the test when this process still has any. what names the operation. */
void assert_nothing_left(const struct aside *aside, const char *what);

/* As assert_nothing_left for another process, which has a moment to finish. */
void assert_nothing_left_of(pid_t pid, const struct aside *aside, const char *what);

/* What all tests have searched, told at the end. Unchecked fixtures. */
void open_searches(void);
void tell_searches(void);

/* Whether processes can be searched here at all; says why not. */
bool can_search(void);

/* The parts of the suite that lie in files of their own. */
TCase *secret_keys_case(void);     /* secrets_keys.c */
TCase *secret_programs_case(void); /* secrets_programs.c */

#endif
