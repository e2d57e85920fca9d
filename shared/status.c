#include "status.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    const char *sentence;
    int step;
} statuses[] = {
#define SAM_STATUS_ROW(name, step, sentence) {#name, sentence, step},
    SAM_STATUS_LIST(SAM_STATUS_ROW)
#undef SAM_STATUS_ROW
};

const char *sam_status_name(enum sam_status status) {
    return status < SAM_STATUS_COUNT ? statuses[status].name : "UNKNOWN";
}

const char *sam_status_sentence(enum sam_status status) {
    return status < SAM_STATUS_COUNT ? statuses[status].sentence : "there is no such status";
}

int sam_status_step(enum sam_status status) {
    return status < SAM_STATUS_COUNT ? statuses[status].step : 0;
}

void sam_where_set(struct sam_where *where, const char *format, ...) {
    if (where == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(where->text, sizeof where->text, format, arguments);
    va_end(arguments);
}
