/* What a receiver made of what it got. */
#ifndef SAM_LABS_DELIVERY_H
#define SAM_LABS_DELIVERY_H

#include "keys.h"

enum { DELIVERY_MAX = 4096 };

struct delivery {
    enum sam_status status;
    char sender[SAM_NAME_MAX + 1]; /* whose message this is said to be; "" when nobody's */
    size_t length;                 /* of message: 0 unless something was handed over */
    uint8_t message[DELIVERY_MAX];
};

#endif
