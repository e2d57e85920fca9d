/* What is secret, told to valgrind's memcheck: memory that is marked is undefined to it, and it
 * reports every branch and every index that depends on it, in what is made of it too. (As ctgrind
 * does.)
 *
 * The marks stop at libcrypto: border.c stands between it and the library. What happens inside is
 * not ours. */
#ifndef SAM_BORDER_H
#define SAM_BORDER_H

#include <stdbool.h>
#include <stddef.h>

/* Marks memory as secret, or as known to everybody. */
void keep_secret(void *data, size_t length);
void make_public(void *data, size_t length);

/* Whether any bit of it is marked. */
bool is_secret(const void *data, size_t length);

/* How many bytes have been marked as secret until now. */
size_t secret_bytes(void);

/* Whether it is a secret that a block of OAEP did not open, or how much it held. It is one in mode
 * 2, where a random key goes on; mode 1 may stop at a bad block, and its lengths are told (docs/
 * protocol.md, sections 5 and 7). */
extern bool block_is_secret;

#endif
