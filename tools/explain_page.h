/* What the files of the page share. */
#ifndef SAM_TOOLS_EXPLAIN_PAGE_H
#define SAM_TOOLS_EXPLAIN_PAGE_H

#include "explain.h"

enum { SAM_PAGE_LAST_PARTS = 2 /* that are shown when there are too many */ };

struct sam_page {
    FILE *out;
    const struct sam_anatomy *anatomy;
    size_t parts; /* how many the anatomy has */
};

/* What is told of a part. */
const struct sam_explanation *sam_page_explain(const struct sam_page *page,
                                               const struct sam_field *part);

/* Lines of CSS; NULL ends them. */
extern const char *const sam_page_style[];

/* Every byte of the unit in rows, each part linked to what is said of it. */
void sam_page_map(const struct sam_page *page);

/* Every part with its bytes, what it is, what protects it and what comes of a change. */
void sam_page_parts(const struct sam_page *page);

#endif
