/* What a student is told of every byte of a unit, and the page that tells it. */
#ifndef SAM_TOOLS_EXPLAIN_H
#define SAM_TOOLS_EXPLAIN_H

#include "anatomy.h"

/* What a part is for. Parts of one group stand together and have one colour. */
enum sam_group {
    SAM_GROUP_PROLOGUE,
    SAM_GROUP_LENGTHS,
    SAM_GROUP_PLACE,
    SAM_GROUP_KEYS,
    SAM_GROUP_RSA,
    SAM_GROUP_AES,
    SAM_GROUP_PROOF,
    SAM_GROUP_OTHER,
    SAM_GROUPS
};

struct sam_group_text {
    const char *title, *lead;
};
extern const struct sam_group_text sam_group_texts[SAM_GROUPS];

/* What protects a part: bits of a set. */
enum {
    SAM_GUARD_SIGNATURE = 1 << 0, /* RSASSA-PSS signs it */
    SAM_GUARD_LABEL = 1 << 1,     /* it is in the label of the OAEP blocks */
    SAM_GUARD_TAG = 1 << 2,       /* GCM's tag covers it; in mode 1 nothing has one */
    SAM_GUARD_RSA = 1 << 3,       /* it is encrypted with RSAES-OAEP */
    SAM_GUARD_AES = 1 << 4,       /* it is encrypted with AES-256-GCM */
    SAM_GUARDS = 5
};
struct sam_guard_text {
    const char *title, *text;
};
extern const struct sam_guard_text sam_guard_texts[SAM_GUARDS]; /* number i: of bit i */

enum {
    SAM_ANYWHERE = -1,
    SAM_NO_CLAIM = SAM_STATUS_COUNT /* in the place of a status: it is not said what happens */
};

/* What is told of a part. Texts are HTML, so that a formula in them can look like one. */
struct sam_explanation {
    const char *name;
    int offset; /* SAM_ANYWHERE, or that of the one part of this name which is meant */
    enum sam_group group;
    unsigned guards;
    /* What a receiver answers when the lowest bit of the part's last byte is turned over. */
    int status;
    /* That other bits of the unit decide which status it is: ask sam_explanation_verdict. */
    bool depends;
    const char *what;     /* it is */
    const char *protects; /* it, besides its guards; "" for nothing */
    const char *changed;  /* what comes of that */
};

/* The explanations of a unit type, 0 for bytes that begin no unit; *count is how many. */
const struct sam_explanation *sam_explanations(uint8_t type, size_t *count);

/* That of a part of a unit of this type. Never NULL: a part that has none of its own has that of
 * unknown bytes. */
const struct sam_explanation *sam_explanation_find(uint8_t type, const struct sam_field *part);

/* What a receiver answers when the lowest bit of the last byte of this part of an intact unit is
 * turned over: a status, or SAM_NO_CLAIM. The receiver is at the other end of a connection, and in
 * its role; its limit on messages is not reached. Of a unit that is not intact it is what would be
 * answered for most. */
int sam_explanation_verdict(const struct sam_anatomy *anatomy, const struct sam_field *part);

/* How the body of a unit is sealed, or what there is to say in its place. HTML too. */
struct sam_sealing_text {
    uint8_t type, mode; /* mode 0: any */
    const char *title, *text;
    const char *formula; /* "" for none */
    unsigned guards;     /* those that a unit of this kind knows */
    const char *source;  /* where to read on */
};

/* Never NULL. */
const struct sam_sealing_text *sam_sealing_text(const struct sam_anatomy *anatomy);

/* The steps of opening (docs/protocol.md, section 7); number i is step i + 1. */
enum { SAM_STEPS = 5 };
struct sam_step_text {
    const char *title, *text;
};
extern const struct sam_step_text sam_step_texts[SAM_STEPS];

/* Writes the page: HTML5 in UTF-8, in one piece, without a script. Every part has one line that
 * starts with <section class="field " and has the attributes data-name, data-offset, data-size and,
 * unless it is longer than SAM_EXPLAIN_WHOLE, data-hex. Of longer parts the page shows both ends,
 * of very many parts the first ones and the last ones, and says how much it leaves out. title,
 * NUL-terminated, is shown harmless. Whether it could be written, out knows. */
enum { SAM_EXPLAIN_WHOLE = 4096, SAM_EXPLAIN_PARTS = 128 };
void sam_explain_page(FILE *out, const char *title, const struct sam_anatomy *anatomy);

#endif
