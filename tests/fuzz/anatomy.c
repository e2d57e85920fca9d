/* Any bytes taken apart and told: as text, as JSON, in one line, and on the page that explains. A
 * large last byte says how many zeros follow, so that small inputs are long units too. */
#include <string.h>

#include "explain.h"
#include "fuzzing.h"

enum { PLAIN = 250, ZEROS = 9000 };

/* Lines of ASCII, but for what the page's own texts hold. */
static void check_told(struct told *told) {
    finish_told(told);
    for (size_t i = 0; i < told->length; i++)
        require((uint8_t)told->text[i] >= ' ' || told->text[i] == '\n');
    require(told->length > 0);
    free_told(told);
}

/* Parts lie one behind the other, none is empty, and together they are all there is. */
static size_t check_parts(const struct sam_anatomy *anatomy) {
    struct sam_field part, found;
    size_t end = 0, index = 0;
    for (; sam_anatomy_part(anatomy, index, &part); index++) {
        require(part.offset == end && part.size > 0 && part.size <= anatomy->length - end);
        require(sam_anatomy_find(anatomy, part.name, &found) && found.offset <= part.offset);
        require(sam_explanation_find(anatomy->type, &part) != NULL);
        int verdict = sam_explanation_verdict(anatomy, &part);
        require(verdict >= 0 && verdict <= SAM_NO_CLAIM);
        end += part.size;
    }
    require(end == anatomy->length);
    return index;
}

static void tell(const struct sam_anatomy *anatomy, size_t parts) {
    struct told told;
    for (size_t most = 0; most <= parts + 1; most += parts / 2 + 1) {
        begin_told(&told);
        sam_anatomy_show(told.out, anatomy, most);
        fputc('\n', told.out);
        check_told(&told);
    }
    begin_told(&told);
    sam_anatomy_json(told.out, anatomy);
    check_told(&told);
    begin_told(&told);
    sam_anatomy_summary(told.out, anatomy);
    check_told(&told);
}

/* The page has no script and no element that only the title can have brought, and a section for
 * every part up to a limit. */
static void explain(const struct sam_anatomy *anatomy, const char *title, size_t parts) {
    struct told told;
    size_t sections = 0, most = SAM_EXPLAIN_PARTS + 2;
    begin_told(&told);
    sam_explain_page(told.out, title, anatomy);
    require(fflush(told.out) == 0 && strlen(told.text) == told.length);
    require(strstr(told.text, "<script") == NULL && strstr(told.text, "<x") == NULL);
    const char *at = told.text;
    while ((at = strstr(at, "\n<section class=\"field \" ")) != NULL) {
        at++;
        sections++;
    }
    require(sections == (parts < most ? parts : most));
    check_told(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sam_anatomy anatomy;
    char title[32] = {0};
    if (size > 0)
        memcpy(title, data, size < sizeof title ? size : sizeof title - 1);
    size_t given = size;
    size += given > 0 && data[given - 1] > PLAIN ? (size_t)(data[given - 1] - PLAIN) * ZEROS : 0;
    uint8_t *copy = calloc(1, size);
    require(copy != NULL);
    if (given > 0)
        memcpy(copy, data, given);
    sam_anatomy_start(&anatomy, copy, size);
    require(anatomy.status < SAM_STATUS_COUNT);
    require(anatomy.status != SAM_OK || anatomy.whole == size);
    size_t parts = check_parts(&anatomy);
    tell(&anatomy, parts);
    explain(&anatomy, title, parts);
    free(copy);
    return 0;
}
