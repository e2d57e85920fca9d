/* The two long sections of the page: the map of all bytes, and part after part. */
#include <inttypes.h>
#include <string.h>

#include "explain_page.h"
#include "keys.h"

enum {
    PER_ROW = 16,
    OPEN_BYTES = 64, /* of a part; the rest is folded */
    EDGE = 1024      /* bytes that are shown at either end of a part that is too long */
};

static unsigned guards_of(const struct sam_page *page, unsigned guards) {
    return guards & sam_sealing_text(page->anatomy)->guards;
}

static bool part_is_left_out(const struct sam_page *page, size_t index) {
    return index >= SAM_EXPLAIN_PARTS && index + SAM_PAGE_LAST_PARTS < page->parts;
}

static void put_hex(FILE *out, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        fprintf(out, i == 0 ? "%02x" : " %02x", bytes[i]);
}

static void put_left_out_parts(const struct sam_page *page) {
    struct sam_field first, next;
    if (sam_anatomy_part(page->anatomy, SAM_EXPLAIN_PARTS, &first) &&
        sam_anatomy_part(page->anatomy, page->parts - SAM_PAGE_LAST_PARTS, &next))
        fprintf(page->out,
                "<p class=\"note\" id=\"left-out\">%zu parts are left out here, like those before "
                "them: the bytes from %zu to %zu.</p>\n",
                page->parts - SAM_PAGE_LAST_PARTS - SAM_EXPLAIN_PARTS, first.offset,
                next.offset - 1);
}

/* One row of the map: its bytes, each run linked to its part, and the names of parts that start in
 * it. *index is the part of its first byte, then that of the next row's. */
static void put_row(const struct sam_page *page, size_t at, size_t *index) {
    FILE *out = page->out;
    size_t end = page->anatomy->length - at < PER_ROW ? page->anatomy->length : at + PER_ROW;
    size_t first = *index, offset = at;
    struct sam_field part;
    fprintf(out,
            "<div class=\"row\" id=\"row-%zu\"><span class=\"at\">%zu</span><code class=\"hex\">",
            at, at);
    while (offset < end && sam_anatomy_part(page->anatomy, *index, &part)) {
        size_t run = part.offset + part.size < end ? part.offset + part.size : end;
        bool left_out = part_is_left_out(page, *index);
        fprintf(out, "<a class=\"g%d\" tabindex=\"-1\" title=\"%s\" href=\"#%s",
                (int)sam_page_explain(page, &part)->group, part.name,
                left_out ? "left-out" : "part-");
        if (!left_out)
            fprintf(out, "%zu", *index);
        fputs("\">", out);
        put_hex(out, page->anatomy->bytes + offset, run - offset);
        fputs("</a> ", out);
        *index += run == part.offset + part.size;
        offset = run;
    }
    fputs("</code><span class=\"names\">", out);
    for (size_t i = first; sam_anatomy_part(page->anatomy, i, &part) && part.offset < end; i++)
        if (part.offset >= at && !part_is_left_out(page, i))
            fprintf(out, "<a href=\"#part-%zu\">%s</a> ", i, part.name);
    fputs("</span></div>\n", out);
}

/* Where the bytes that are left out at a part end: at, when none are. */
static size_t end_of_gap(const struct sam_page *page, size_t index, size_t at) {
    struct sam_field part;
    if (part_is_left_out(page, index))
        return sam_anatomy_part(page->anatomy, page->parts - SAM_PAGE_LAST_PARTS, &part)
                   ? part.offset
                   : at;
    if (!sam_anatomy_part(page->anatomy, index, &part) || part.size <= SAM_EXPLAIN_WHOLE ||
        at < part.offset + EDGE || at >= part.offset + part.size - EDGE)
        return at;
    return part.offset + part.size - EDGE;
}

void sam_page_map(const struct sam_page *page) {
    FILE *out = page->out;
    size_t at = 0, index = 0;
    struct sam_field part;
    if (page->anatomy->length == 0)
        return;
    fputs(
        "<section id=\"map\">\n<h2>Every byte</h2>\n<p>Sixteen in a row, on narrow screens eight. "
        "On the left is the offset of the first one; each run of a colour is one part and leads "
        "to what it means.</p>\n",
        out);
    while (at < page->anatomy->length) {
        size_t end = end_of_gap(page, index, at);
        if (end - at < PER_ROW) {
            put_row(page, at, &index);
            at += PER_ROW;
            continue;
        }
        end -= end % PER_ROW;
        fprintf(out, "<p class=\"gap\">%zu bytes are left out here, from %zu to %zu.</p>\n",
                end - at, at, end - 1);
        at = end;
        while (sam_anatomy_part(page->anatomy, index, &part) && part.offset + part.size <= at)
            index++;
    }
    fputs("</section>\n", out);
}

static void put_bytes(FILE *out, const uint8_t *bytes, size_t length) {
    fputs("<code class=\"bytes\">", out);
    put_hex(out, bytes, length);
    fputs("</code>\n", out);
}

/* All bytes of a part, or both its ends: the first of them open, the others folded. */
static void put_value(FILE *out, const uint8_t *bytes, size_t size) {
    size_t open = size < OPEN_BYTES ? size : OPEN_BYTES;
    put_bytes(out, bytes, open);
    if (size == open)
        return;
    if (size <= SAM_EXPLAIN_WHOLE) {
        fprintf(out, "<details><summary>the other %zu bytes</summary>\n", size - open);
        put_bytes(out, bytes + open, size - open);
    } else {
        fputs("<details><summary>more of them</summary>\n", out);
        put_bytes(out, bytes + open, EDGE - open);
        fprintf(out, "<p class=\"soft\">%zu bytes are left out here.</p>\n",
                size - 2 * (size_t)EDGE);
        put_bytes(out, bytes + size - EDGE, EDGE);
    }
    fputs("</details>\n", out);
}

/* What a part says besides its bytes, where it is all there. */
static void put_reading(const struct sam_page *page, const struct sam_field *part) {
    const uint8_t *bytes = page->anatomy->bytes + part->offset;
    char reading[SAM_READING_SIZE], fingerprint[SAM_FINGERPRINT_SIZE];
    sam_field_reading(reading, part, bytes);
    if (part->offset < page->anatomy->fixed && part->size == SAM_KEY_ID_SIZE) {
        sam_fingerprint(fingerprint, bytes);
        fprintf(page->out, "<p>as a fingerprint <code>%s</code></p>\n", fingerprint);
    } else if (part->reading == SAM_AS_LETTERS || part->reading == SAM_AS_TYPE) {
        /* That there is a type at all says that these are letters. */
        fprintf(page->out, "<p>the letter%s <code>%.*s</code>%s%s</p>\n", part->size > 1 ? "s" : "",
                (int)part->size, (const char *)bytes, reading[0] != '\0' ? ", " : "", reading);
    } else if (part->reading != SAM_AS_BYTES) {
        fprintf(page->out, "<p>the number %" PRIu64 "%s%s</p>\n", sam_field_number(part, bytes),
                reading[0] != '\0' ? ", " : "", reading);
    }
}

static void put_protection(const struct sam_page *page, const struct sam_explanation *row) {
    unsigned guards = guards_of(page, row->guards);
    fputs("<dt>What protects it</dt><dd>", page->out);
    for (unsigned i = 0; i < SAM_GUARDS; i++)
        if (guards >> i & 1)
            fprintf(page->out, "<a class=\"chip\" href=\"#guard-%u\">%s</a> ", i,
                    sam_guard_texts[i].title);
    const char *more = row->protects[0] == '\0' && guards == 0 ? "Nothing." : row->protects;
    fprintf(page->out, more[0] != '\0' ? "<p>%s</p></dd>\n" : "%s</dd>\n", more);
}

static void put_verdict(const struct sam_page *page, const struct sam_field *part) {
    int verdict = sam_explanation_verdict(page->anatomy, part);
    enum sam_status status = (enum sam_status)verdict;
    FILE *out = page->out;
    if (verdict == SAM_NO_CLAIM)
        return;
    fprintf(out, "<p>With the lowest bit%s turned over, the receiver finds <code>%s</code>",
            part->size > 1 ? " of its last byte" : "", sam_status_name(status));
    int step = sam_status_step(status);
    if (step > 0 && page->anatomy->type == SAM_ENVELOPE)
        fprintf(out, ", in <a href=\"#step-%d\">step %d, %s</a>", step, step,
                sam_step_texts[step - 1].title);
    if (status != SAM_OK)
        fprintf(out, ": this %s", sam_status_sentence(status));
    fputs(".</p>", out);
}

/* How many parts before this one have its name, without a gap. */
static size_t namesakes_before(const struct sam_page *page, size_t index,
                               const struct sam_field *part) {
    struct sam_field before;
    size_t first = index;
    while (first > 0 && sam_anatomy_part(page->anatomy, first - 1, &before) &&
           strcmp(before.name, part->name) == 0)
        first--;
    return index - first;
}

static bool has_namesake_behind(const struct sam_page *page, size_t index,
                                const struct sam_field *part) {
    struct sam_field next;
    return sam_anatomy_part(page->anatomy, index + 1, &next) && strcmp(next.name, part->name) == 0;
}

/* Which part this is, and where. */
static void put_heading(const struct sam_page *page, size_t index, const struct sam_field *part) {
    FILE *out = page->out;
    size_t before = namesakes_before(page, index, part);
    fprintf(out, "<div class=\"top\"><h4><span class=\"n\">%zu</span>%s", index + 1, part->name);
    if (before > 0 || has_namesake_behind(page, index, part))
        fprintf(out, ", number %zu", before);
    fprintf(out,
            "</h4><span class=\"soft\">offset %zu, %zu byte%s: %s</span>"
            "<a href=\"#row-%zu\">in the map</a></div>\n",
            part->offset, part->size, part->size == 1 ? "" : "s", part->meaning,
            part->offset - part->offset % PER_ROW);
}

static void put_field(const struct sam_page *page, size_t index, const struct sam_field *part) {
    const struct sam_explanation *row = sam_page_explain(page, part);
    const uint8_t *bytes = page->anatomy->bytes + part->offset;
    FILE *out = page->out;
    fprintf(out, "<section class=\"field \" data-name=\"%s\" data-offset=\"%zu\" data-size=\"%zu\"",
            part->name, part->offset, part->size);
    if (part->size <= SAM_EXPLAIN_WHOLE) {
        fputs(" data-hex=\"", out);
        for (size_t i = 0; i < part->size; i++)
            fprintf(out, "%02x", bytes[i]);
        fputc('"', out);
    }
    fprintf(out, " id=\"part-%zu\">\n", index);
    put_heading(page, index, part);
    fputs("<div class=\"value\">", out);
    put_value(out, bytes, part->size);
    put_reading(page, part);
    fprintf(out, "</div>\n<dl>\n<dt>What it is</dt><dd>%s</dd>\n", row->what);
    put_protection(page, row);
    fputs("<dt>When it is changed</dt><dd>", out);
    put_verdict(page, part);
    fprintf(out, "<p>%s</p></dd>\n</dl>\n</section>\n", row->changed);
}

void sam_page_parts(const struct sam_page *page) {
    FILE *out = page->out;
    struct sam_field part;
    int group = SAM_GROUPS;
    if (page->parts == 0)
        return;
    fputs("<section id=\"fields\">\n<h2>Part by part</h2>\n", out);
    for (size_t i = 0; sam_anatomy_part(page->anatomy, i, &part); i++) {
        if (part_is_left_out(page, i)) {
            put_left_out_parts(page);
            i = page->parts - SAM_PAGE_LAST_PARTS - 1;
            continue;
        }
        int next = (int)sam_page_explain(page, &part)->group;
        if (next != group)
            fprintf(out, "%s<section class=\"g%d\" id=\"group-%zu\">\n<h3>%s</h3>\n<p>%s</p>\n",
                    group != SAM_GROUPS ? "</section>\n" : "", next, i, sam_group_texts[next].title,
                    sam_group_texts[next].lead);
        group = next;
        put_field(page, i, &part);
    }
    if (page->anatomy->length < page->anatomy->whole)
        fprintf(out,
                "<p class=\"note bad\">Here the bytes end: %" PRIu64 " more are missing.</p>\n",
                page->anatomy->whole - page->anatomy->length);
    fputs("</section>\n</section>\n", out);
}
