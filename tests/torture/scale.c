#include "scale.h"

#include <stdlib.h>

size_t torture_scale(size_t full) {
    const char *text = getenv("TORTURE_SCALE");
    unsigned long percent = text == NULL ? 100 : strtoul(text, NULL, 10);
    size_t part = full * percent / 100;
    return part > 0 ? part : 1;
}
