/* Floor 5. What a server answers to a send: see --handler. */
#ifndef SAM_HANDLER_H
#define SAM_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sam_handler {
    const char *name;
    bool answers; /* by a message: a receipt is none */
    /* Makes the answer of the message, in its place: returns its length, at most length. */
    size_t (*answer)(uint8_t *message, size_t length);
};

/* The handler of that name, "receipt", "upper" or "echo"; NULL: there is none. */
const struct sam_handler *sam_handler_find(const char *name);

#endif
