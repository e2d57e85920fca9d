/* Which explanation a part has, and what a receiver answers to a change of it. */
#include <string.h>

#include "explain.h"

const struct sam_explanation *sam_explanation_find(uint8_t type, const struct sam_field *part) {
    size_t count, others;
    const struct sam_explanation *rows = sam_explanations(type, &count);
    const struct sam_explanation *other = sam_explanations(0, &others);
    for (size_t i = 0; i < count + others; i++) {
        const struct sam_explanation *row = i < count ? &rows[i] : &other[i - count];
        bool here = row->offset == SAM_ANYWHERE || (size_t)row->offset == part->offset;
        if (here && strcmp(row->name, part->name) == 0)
            return row;
    }
    return &other[others - 1];
}

/* Another kind passes when the same side may send it: then only the body tells. */
static enum sam_status verdict_on_kind(unsigned kind) {
    unsigned other = kind ^ 1;
    unsigned side = SAM_KINDS_OF_CLIENT >> kind & 1   ? SAM_KINDS_OF_CLIENT
                    : SAM_KINDS_OF_SERVER >> kind & 1 ? SAM_KINDS_OF_SERVER
                                                      : 0;
    return side >> other & 1 ? SAM_DECRYPT : SAM_KIND;
}

int sam_explanation_verdict(const struct sam_anatomy *anatomy, const struct sam_field *part) {
    const struct sam_explanation *row = sam_explanation_find(anatomy->type, part);
    if (!row->depends || anatomy->status != SAM_OK)
        return row->status;
    if (part->offset == SAM_AT_KIND)
        return (int)verdict_on_kind(anatomy->bytes[SAM_AT_KIND]);
    uint8_t fixed[SAM_HEADER_SIZE];
    memcpy(fixed, anatomy->bytes, anatomy->fixed);
    fixed[part->offset + part->size - 1] ^= 1;
    struct sam_anatomy altered;
    sam_anatomy_start(&altered, fixed, anatomy->fixed);
    /* That its body is not behind it here means nothing: how long it is must be asked of all. */
    if (altered.status != SAM_OK && altered.status != SAM_TRUNCATED)
        return (int)altered.status;
    if (altered.whole != anatomy->length)
        return altered.whole > anatomy->length ? SAM_TRUNCATED : SAM_LENGTH;
    return row->status;
}
