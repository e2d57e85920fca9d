#include "handler.h"

#include <string.h>

static size_t receipt(uint8_t *message, size_t length) {
    (void)message, (void)length;
    return 0;
}

/* The letters of ASCII. Every other byte stays, so that UTF-8 stays whole whatever it says. */
static size_t upper(uint8_t *message, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (message[i] >= 'a' && message[i] <= 'z')
            message[i] = (uint8_t)(message[i] - 'a' + 'A');
    return length;
}

static size_t echo(uint8_t *message, size_t length) {
    (void)message;
    return length;
}

static const struct sam_handler handlers[] = {
    {"receipt", false, receipt},
    {"upper", true, upper},
    {"echo", true, echo},
};

const struct sam_handler *sam_handler_find(const char *name) {
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++)
        if (strcmp(handlers[i].name, name) == 0)
            return &handlers[i];
    return NULL;
}
