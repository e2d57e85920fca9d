/* What the suites of envelopes share: sealing one between the people of the vectors, and asserting
 * that it opens, or is refused with nothing left of it. */
#ifndef SAM_TESTS_SEALING_H
#define SAM_TESTS_SEALING_H

#include "support.h"

/* What every envelope sealed here says, and what expectation() expects. */
enum { SEQUENCE = 7, MAX_MESSAGE = 1 << 20 };
extern const uint8_t challenge[SAM_ID_SIZE];
extern const uint64_t sent_at;

/* Every message sealed here is the start of this: bytes in which no window comes twice, so that
 * finding one means finding it. */
extern uint8_t text[MAX_MESSAGE];

/* alice, bob, carol and mallory too: with her, two keys of one size trust each other. */
extern const struct sam_ring everyone;

/* load_people, and the above. An unchecked fixture with free_people. */
void load_sealing(void);

struct sam_party party(const struct sam_mode *mode, const struct sam_key *own);

/* Any kind from everyone. */
struct sam_expectation expectation(void);

/* The caller frees the envelope. */
struct sam_envelope seal_by(const struct sam_party *sealer, const struct sam_key *to, size_t length,
                            unsigned kind);
struct sam_envelope seal(const struct sam_mode *mode, const struct sam_key *from,
                         const struct sam_key *to, size_t length);
struct sam_envelope copy_of(const struct sam_envelope *envelope);

/* Opens the envelope, asserts that it is text[0..length) from that sender, and frees it. */
void assert_opens(struct sam_envelope *envelope, const struct sam_party *opener,
                  const struct sam_expectation *expected, const struct sam_key *from,
                  size_t length);

/* Asserts that opening fails with status and leaves nothing to read, and frees the envelope. */
void assert_refused(struct sam_envelope *envelope, const struct sam_party *opener,
                    const struct sam_expectation *expected, enum sam_status status);

/* What is secret in an envelope, in the hands of its recipient. */
struct secrets {
    struct sam_bytes letter; /* salt || message; the caller frees it */
    uint8_t signature[SAM_RSA_SIZE_MAX];
    uint8_t key[SAM_RSA_SIZE_MAX]; /* mode 2 */
};
struct secrets secrets_of(const struct sam_mode *mode, const struct sam_key *own,
                          const struct sam_envelope *envelope);

/* Whether size bytes of what stand anywhere in length bytes of where. */
bool contains(const void *where, size_t length, const void *what, size_t size);

/* The part of the suite envelope that is about a mode's own functions (check_mode.c), and the part
 * of tampering that is about envelopes made by an attacker (check_forgery.c). */
TCase *mode_case(void);
TCase *forgery_case(void);

#endif
