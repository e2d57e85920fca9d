/* The limit: libcrypto's bare operations, without padding or protocol, on contexts made once. */
#ifndef SAM_BENCH_RAW_H
#define SAM_BENCH_RAW_H

#include <stdbool.h>

#include "parties.h"

/* For one thread. */
struct raw;

/* On the client's pair. */
struct raw *raw_new(const struct parties *parties);
void raw_free(struct raw *raw);

/* RSA's power by the private exponent, or by the public one: signing, decrypting and encrypting,
 * verifying contain one each. */
void raw_private(struct raw *raw);
void raw_public(struct raw *raw);

/* SHA-256 and AES-256-GCM over a buffer, one piece after the other, each small enough to stay in a
 * cache between the two: hashed, then encrypted where it stands, or the reverse. */
void raw_seal_bytes(struct raw *raw, uint8_t *data, size_t length);
void raw_open_bytes(struct raw *raw, uint8_t *data, size_t length);

#endif
