/* Private to the border: what libcrypto gets in the place of marked memory. */
#ifndef SAM_LEND_H
#define SAM_LEND_H

#include <stdbool.h>
#include <stddef.h>

/* A copy in which nothing is marked; NULL of NULL. */
struct lent {
    void *data;
    size_t length;
    bool secret; /* something was marked in what it is a copy of */
};
struct lent lend(const void *data, size_t length);
void take_back(struct lent *lent);

/* Each function of libcrypto: the real one, and ours in its place. */
#define BORDER(type, name, ...)                                                                    \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

#endif
