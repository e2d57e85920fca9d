/* Sealing and opening, measured by one thread: in the time that it works. */
#ifndef SAM_BENCH_LETTERS_H
#define SAM_BENCH_LETTERS_H

#include "figure.h"
#include "raw.h"

/* One message of the client's to the server, sealed and opened again and again in the same
 * buffers. */
struct letter {
    struct raw *raw;
    const struct parties *parties;
    struct sam_party client, server;
    struct sam_envelope sealed, opened;
    size_t length; /* of the message */
    size_t blocks; /* RSA operations of sealing's public, or of opening's private kind */
    uint8_t *bulk; /* as long as the message: what the limit hashes and encrypts; NULL: nothing */
};

/* with_bulk: whether the limit has symmetric work too. */
void letter_open(struct letter *letter, const struct sam_mode *mode, unsigned bits, size_t length,
                 bool with_bulk);
void letter_close(struct letter *letter);

/* Rates, of a struct letter: sealing and then opening; each by itself. It is open, so something is
 * sealed. */
rate_of seals_and_opens, seals, opens;

/* The groups of figures. */
void small_group(void);  /* messages of 100 bytes */
void big_group(void);    /* 1 MiB and 16 MiB */
void blocks_group(void); /* mode 1, block after block */

#endif
