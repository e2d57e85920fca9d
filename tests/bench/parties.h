/* A server and a client with RSA keys of one size, made anew in a folder of their own. */
#ifndef SAM_BENCH_PARTIES_H
#define SAM_BENCH_PARTIES_H

#include <limits.h>

#include "envelope.h"

struct parties {
    unsigned bits;
    char folder[PATH_MAX]; /* of the key files, for real programs */
    struct sam_crypto *crypto;
    struct sam_key server, client; /* pairs */
    struct sam_ring trusted;       /* both */
};

/* Those of that size: 2048, 3072 or 4096 bits. Made by the first call; they last until the program
 * ends, which removes the files. */
const struct parties *parties_of(unsigned bits);

#endif
