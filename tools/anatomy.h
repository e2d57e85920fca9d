/* A unit taken apart, as anyone can who has its bytes, whoever made them: what every instrument
 * shows. No key is needed, nothing is believed, and any bytes are taken.
 *
 * A unit is its fixed part, field by field, and its body. The body is cut into its parts when the
 * fixed part can be read and its lengths fit its mode; otherwise it is one part called "body". What
 * stands behind the end that the unit claims is called "surplus", bytes that begin no unit
 * "unknown". */
#ifndef SAM_TOOLS_ANATOMY_H
#define SAM_TOOLS_ANATOMY_H

#include <stdio.h>

#include "envelope.h"

/* Both modes, in the order of their numbers. */
enum { SAM_MODES = 2 };
extern const struct sam_mode *const sam_modes[SAM_MODES];

/* The mode of that number ("1") or name, or NULL. */
const struct sam_mode *sam_mode_find(const char *text);

/* No envelope is longer: mode 1, the longest message, the smallest key. */
#define SAM_ENVELOPE_LIMIT ((size_t)1536 * 1024 * 1024)

struct sam_anatomy {
    const uint8_t *bytes; /* borrowed */
    size_t length;        /* bytes that are there */
    uint8_t type;         /* of sam_unit_type, 0: no unit */
    size_t fixed;         /* bytes of the fixed part */
    uint64_t whole;       /* bytes that the unit claims to have */
    /* What of it can be found wrong without a key: a status of step 1, SAM_TRUNCATED when bytes are
     * missing, SAM_LENGTH also when there are too many; SAM_CHALLENGE of a greeting. */
    enum sam_status status;
    const struct sam_mode *mode; /* of an envelope whose body can be cut into parts, or NULL */
    struct sam_header header;    /* of such an envelope */
};

void sam_anatomy_start(struct sam_anatomy *anatomy, const uint8_t *bytes, size_t length);

/* Part number index, from 0: a field, a part of the body, or what has no other name. Of a part that
 * was cut short, size is what is there, and it reads as bytes. Parts follow each other without a
 * gap and none is empty. False when there are no more. */
bool sam_anatomy_part(const struct sam_anatomy *anatomy, size_t index, struct sam_field *part);

/* The first part of that name, where '-' and '_' may stand for a space and case does not count. */
bool sam_anatomy_find(const struct sam_anatomy *anatomy, const char *name, struct sam_field *part);

/* Writes every part in 80 columns: offset, size, name, bytes, and on a line of its own what they
 * mean. After most parts the rest is only counted. */
void sam_anatomy_show(FILE *out, const struct sam_anatomy *anatomy, size_t most);

/* Writes what the parts are as members of a JSON object (RFC 8259), without its braces: unit,
 * bytes, status, sentence, and fields, an array with a line for each. */
void sam_anatomy_json(FILE *out, const struct sam_anatomy *anatomy);

/* Writes what a unit is in one line without its end: "envelope, mode 1, send, 896 bytes". */
void sam_anatomy_summary(FILE *out, const struct sam_anatomy *anatomy);

#endif
