/* The frame of the page: what the unit is as a whole. */
#include "explain_page.h"

#include <inttypes.h>
#include <string.h>

#include "keys.h"

enum { BAR_SEGMENTS = 40 /* more would be too thin */ };

/* Text that somebody else chose: shown harmless, as on a terminal, and not as HTML. */
static void put_foreign(FILE *out, const char *text) {
    enum { LIMIT = 255 };
    while (*text != '\0') {
        size_t plain = strcspn(text, "&<>\"'");
        sam_show_text(out, (const uint8_t *)text, plain, LIMIT);
        text += plain;
        if (*text != '\0')
            fprintf(out, "&#%d;", *text++);
    }
}

const struct sam_explanation *sam_page_explain(const struct sam_page *page,
                                               const struct sam_field *part) {
    return sam_explanation_find(page->anatomy->type, part);
}

/* Neighbours that are shown as one thing. */
struct stretch {
    size_t first, count; /* parts */
    size_t offset, size; /* bytes */
    enum sam_group group;
    const char *name;
};

/* By what neighbours are joined. */
enum joint {
    HEADER_AS_ONE = 1, /* the fixed part; otherwise by group */
    NAMES_AS_ONE = 2   /* parts of the body that have one name; otherwise none */
};

static bool is_joined(const struct sam_page *page, const struct stretch *stretch,
                      const struct sam_field *next, unsigned joint) {
    bool fixed = stretch->offset < page->anatomy->fixed;
    if (fixed != (next->offset < page->anatomy->fixed))
        return false;
    if (fixed)
        return joint & HEADER_AS_ONE || sam_page_explain(page, next)->group == stretch->group;
    return joint & NAMES_AS_ONE && strcmp(next->name, stretch->name) == 0;
}

/* The stretch that starts with part number first; false when there is none. */
static bool stretch_at(const struct sam_page *page, size_t first, unsigned joint,
                       struct stretch *stretch) {
    struct sam_field part;
    if (!sam_anatomy_part(page->anatomy, first, &part))
        return false;
    enum sam_group group = sam_page_explain(page, &part)->group;
    *stretch = (struct stretch){first, 0, part.offset, 0, group, part.name};
    do {
        stretch->count++;
        stretch->size += part.size;
    } while (sam_anatomy_part(page->anatomy, first + stretch->count, &part) &&
             is_joined(page, stretch, &part, joint));
    if (stretch->offset < page->anatomy->fixed)
        stretch->name = joint & HEADER_AS_ONE ? "Header" : sam_group_texts[group].title;
    return true;
}

static void put_stretch_name(FILE *out, const struct stretch *stretch, bool fixed) {
    fputs(stretch->name, out);
    if (!fixed && stretch->count > 1)
        fprintf(out, " &times; %zu", stretch->count);
}

static void put_bar(const struct sam_page *page, const char *caption, size_t end, unsigned joint) {
    FILE *out = page->out;
    struct stretch s;
    fprintf(out, "<figure><figcaption>%s: %zu bytes</figcaption>\n<div class=\"bar\">\n", caption,
            end);
    for (size_t i = 0; stretch_at(page, i, joint, &s) && s.offset < end; i += s.count) {
        bool fixed = s.offset < page->anatomy->fixed, one = joint & HEADER_AS_ONE && fixed;
        fprintf(out, "<a class=\"g%d\" style=\"flex-grow:%zu\" href=\"#%s%zu\" title=\"",
                one ? SAM_GROUP_OTHER : (int)s.group, s.size, fixed ? "group-" : "part-", s.first);
        put_stretch_name(out, &s, fixed);
        fprintf(out, ", %zu bytes\"><span>", s.size);
        put_stretch_name(out, &s, fixed);
        fputs("</span></a>\n", out);
    }
    fputs("</div></figure>\n", out);
}

static void put_legend(const struct sam_page *page) {
    FILE *out = page->out;
    struct stretch s;
    fputs("<table>\n<thead><tr><th scope=\"col\">Part</th><th scope=\"col\">Offset</th>"
          "<th scope=\"col\">Bytes</th><th scope=\"col\">Share</th></tr></thead>\n<tbody>\n",
          out);
    for (size_t i = 0; stretch_at(page, i, NAMES_AS_ONE, &s); i += s.count) {
        bool fixed = s.offset < page->anatomy->fixed;
        fprintf(out,
                "<tr><th scope=\"row\"><span class=\"swatch g%d\"></span>"
                "<a href=\"#%s%zu\">",
                (int)s.group, fixed ? "group-" : "part-", s.first);
        put_stretch_name(out, &s, fixed);
        fprintf(out, "</a></th><td>%zu</td><td>%zu</td><td>%.1f%%</td></tr>\n", s.offset, s.size,
                100.0 * (double)s.size / (double)page->anatomy->length);
    }
    fputs("</tbody>\n</table>\n", out);
}

static void put_overview(const struct sam_page *page) {
    const struct sam_anatomy *anatomy = page->anatomy;
    bool has_body = anatomy->fixed > 0 && anatomy->length > anatomy->fixed;
    fputs("<section id=\"overview\">\n<h2>At a glance</h2>\n", page->out);
    if (anatomy->length > 0) {
        unsigned joint = page->parts > BAR_SEGMENTS ? NAMES_AS_ONE : 0;
        put_bar(page, "The whole", anatomy->length, joint | (has_body ? HEADER_AS_ONE : 0));
        if (has_body)
            put_bar(page, "Its header, enlarged", anatomy->fixed, 0);
        put_legend(page);
    } else {
        fputs("<p>There is not a single byte.</p>\n", page->out);
    }
    fputs("</section>\n", page->out);
}

static void put_status(const struct sam_page *page) {
    const struct sam_anatomy *anatomy = page->anatomy;
    FILE *out = page->out;
    if (anatomy->status == SAM_OK) {
        fputs("<p class=\"note\">Its form is as it must be. Whether it is genuine, these bytes "
              "alone do not show.</p>\n",
              out);
        return;
    }
    fprintf(out, "<div class=\"note bad\"><p><strong>Something is wrong.</strong> This %s.",
            sam_status_sentence(anatomy->status));
    fprintf(out, " <code>%s</code></p>\n", sam_status_name(anatomy->status));
    if (anatomy->type != 0 && anatomy->length != anatomy->whole)
        fprintf(out, "<p>It claims to have %s%" PRIu64 " bytes, and %zu are here.</p>\n",
                anatomy->length < SAM_UNIT_SIZE ? "at least " : "", anatomy->whole,
                anatomy->length);
    if (anatomy->type != 0)
        fputs("<p>What is said below of changes is said of one that is intact.</p>\n", out);
    fputs("</div>\n", out);
}

static void put_id(FILE *out, const char *what, const uint8_t id[SAM_KEY_ID_SIZE]) {
    char text[SAM_FINGERPRINT_SIZE];
    sam_fingerprint(text, id);
    fprintf(out, "<li>%s <code>%s</code></li>\n", what, text);
}

static void put_time(const struct sam_page *page) {
    struct sam_field part;
    char reading[SAM_READING_SIZE];
    if (!sam_anatomy_find(page->anatomy, "sent at", &part))
        return;
    sam_field_reading(reading, &part, page->anatomy->bytes + part.offset);
    fprintf(page->out, "<li>when it was sealed, by the sender's clock: %s</li>\n", reading);
}

/* What an eavesdropper has of an envelope that can be read. */
static void put_readable(const struct sam_page *page) {
    const struct sam_header *header = &page->anatomy->header;
    const struct sam_mode *mode = page->anatomy->mode;
    FILE *out = page->out;
    if (mode == NULL)
        return;
    fprintf(out,
            "<section id=\"readable\">\n<h2>What anybody can read</h2>\n"
            "<p>Without any key, who sees these bytes on their way knows:</p>\n<ul>\n"
            "<li>that it is of kind %u, %s, and number %" PRIu32 " of its side</li>\n",
            header->kind, sam_kind_name(header->kind), header->sequence);
    put_id(out, "who sealed it, or says so:", header->sender);
    put_id(out, "for whom it is:", header->recipient);
    size_t overhead =
        mode->layout(SAM_SALT_SIZE, header->signature_length, header->block_length).length;
    if (mode->number == sam_mode_asymmetric_symmetric.number) {
        fprintf(out, "<li>how long the message is: %zu bytes</li>\n",
                header->body_length - overhead);
    } else {
        size_t block = header->block_length, chunk = block - SAM_OAEP_OVERHEAD;
        size_t blocks = (header->body_length - header->signature_length) / block;
        fprintf(out, "<li>about how long the message is: %zu to %zu bytes</li>\n",
                blocks == 1 ? 0 : (blocks - 1) * chunk + 1 - SAM_SALT_SIZE,
                blocks * chunk - SAM_SALT_SIZE);
    }
    put_time(page);
    if (header->kind == SAM_KIND_SEND && header->sequence == 0 &&
        sam_is_zero(header->reference, SAM_ID_SIZE))
        fputs("<li>that it was made for a file: it refers to no connection</li>\n", out);
    fputs("</ul>\n<p>What the message says, only the recipient can read.</p>\n</section>\n", out);
}

static void put_sealing(const struct sam_page *page) {
    const struct sam_sealing_text *text = sam_sealing_text(page->anatomy);
    FILE *out = page->out;
    fprintf(out, "<section id=\"sealing\">\n<h2>%s</h2>\n<p>%s</p>\n", text->title, text->text);
    if (text->formula[0] != '\0')
        fprintf(out, "<pre>%s</pre>\n", text->formula);
    if (text->guards != 0)
        fputs("<p>What protects a part is one or more of these:</p>\n<ul class=\"guards\">\n", out);
    for (unsigned i = 0; i < SAM_GUARDS; i++)
        if (text->guards >> i & 1)
            fprintf(out, "<li id=\"guard-%u\"><span class=\"chip\">%s</span> %s</li>\n", i,
                    sam_guard_texts[i].title, sam_guard_texts[i].text);
    if (text->guards != 0)
        fputs("</ul>\n", out);
    fprintf(out, "<p class=\"soft\">To read on: %s.</p>\n</section>\n", text->source);
}

static void put_opening(const struct sam_page *page) {
    if (page->anatomy->type != SAM_ENVELOPE)
        return;
    fputs("<section id=\"opening\">\n<h2>How a receiver opens it</h2>\n<p>Step by step, and the "
          "first that fails ends it. The sender is told nothing but that it was rejected; the "
          "reason goes to the receiver's own log.</p>\n<ol>\n",
          page->out);
    for (int i = 0; i < SAM_STEPS; i++)
        fprintf(page->out, "<li id=\"step-%d\"><strong>%s</strong>: %s</li>\n", i + 1,
                sam_step_texts[i].title, sam_step_texts[i].text);
    fputs("</ol>\n<p class=\"soft\">To read on: docs/protocol.md, section 7.</p>\n</section>\n",
          page->out);
}

static void put_head(const struct sam_page *page, const char *title) {
    FILE *out = page->out;
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          out);
    put_foreign(out, title);
    fputs(", byte by byte</title>\n<style>\n", out);
    for (size_t i = 0; sam_page_style[i] != NULL; i++)
        fprintf(out, "%s\n", sam_page_style[i]);
    fputs("</style>\n</head>\n<body>\n<header>\n<h1>", out);
    put_foreign(out, title);
    fputs(", byte by byte</h1>\n<p class=\"lead\">This is: ", out);
    sam_anatomy_summary(out, page->anatomy);
    fputs("</p>\n", out);
    put_status(page);
    fputs("<nav aria-label=\"Sections\">\n<a href=\"#overview\">At a glance</a>\n", out);
    if (page->anatomy->mode != NULL)
        fputs("<a href=\"#readable\">What anybody can read</a>\n", out);
    fprintf(out, "<a href=\"#sealing\">%s</a>\n", sam_sealing_text(page->anatomy)->title);
    if (page->parts > 0)
        fputs("<a href=\"#map\">Every byte</a>\n<a href=\"#fields\">Part by part</a>\n", out);
    if (page->anatomy->type == SAM_ENVELOPE)
        fputs("<a href=\"#opening\">How it is opened</a>\n", out);
    fputs("</nav>\n</header>\n<main>\n", out);
}

void sam_explain_page(FILE *out, const char *title, const struct sam_anatomy *anatomy) {
    struct sam_page page = {out, anatomy, 0};
    struct sam_field part;
    while (sam_anatomy_part(anatomy, page.parts, &part))
        page.parts++;
    put_head(&page, title);
    put_overview(&page);
    put_readable(&page);
    put_sealing(&page);
    sam_page_map(&page);
    sam_page_parts(&page);
    put_opening(&page);
    fputs("</main>\n<footer id=\"end-of-page\"><p>", out);
    fputs("Written by sam explain. The page needs no network and runs no program.</p></footer>\n"
          "</body>\n</html>\n",
          out);
}
