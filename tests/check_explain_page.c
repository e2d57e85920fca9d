/* The page of sam explain, for any bytes: every byte once and where it belongs, tags that close,
 * links that lead somewhere, and nothing that a file or its name could smuggle in. */
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "instruments.h"
#include "support.h"
#include "vector_index.h"

enum { TEST_SECONDS = 300, MUTATIONS = 20000, RUNS = 10, SAMPLES = 7, UNITS = 5 };

static struct vector_index all;

static void load_all(void) {
    vector_index_load(&all);
}

static void free_all(void) {
    vector_index_free(&all);
}

/* The page, in a place that the next one takes. */
static const char *page_of(const char *title, const uint8_t *bytes, size_t length) {
    static char page[(size_t)1 << 20];
    struct sam_anatomy anatomy;
    FILE *out = fmemopen(page, sizeof page, "w");
    ck_assert_ptr_nonnull(out);
    sam_anatomy_start(&anatomy, bytes, length);
    sam_explain_page(out, title, &anatomy);
    ck_assert_int_eq(fflush(out), 0);
    long size = ftell(out);
    ck_assert(size > 0 && (size_t)size < sizeof page);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_uint_eq(strlen(page), (size_t)size);
    return page;
}

/* The first tag that does not close in its order, or NULL; none may stay open but meta. */
static const char *loose_tag(const char *page) {
    enum { DEPTH = 64, NAME = 16 };
    char open[DEPTH][NAME];
    size_t depth = 0;
    for (const char *at = strchr(page, '<'); at != NULL; at = strchr(at + 1, '<')) {
        bool closes = at[1] == '/';
        const char *start = at + 1 + closes;
        size_t length = strcspn(start, " >");
        if (length == 0 || length >= NAME || strchr(at, '>') == NULL)
            return at;
        if (strncmp(start, "!DOCTYPE", length) == 0 || strncmp(start, "meta", length) == 0)
            continue;
        if (closes ? depth == 0 : depth == DEPTH)
            return at;
        depth -= closes;
        if (closes && (strlen(open[depth]) != length || memcmp(open[depth], start, length) != 0))
            return at;
        if (!closes)
            snprintf(open[depth++], NAME, "%.*s", (int)length, start);
    }
    return depth == 0 ? NULL : page;
}

static void assert_tags_close(const char *page) {
    const char *loose = loose_tag(page);
    ck_assert_msg(loose == NULL, "%.40s", loose);
    ck_assert_ptr_nonnull(strstr(page, "<footer id=\"end-of-page\">"));
}

static void assert_harmless(const char *page) {
    static const char *const bad[] = {"<script", "http:", "https:", " src=", "url(",   "@import",
                                      "<link",   "<img",  "onload", "\033",  "<iframe"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (strstr(page, bad[i]) != NULL)
            ck_abort_msg("%s", bad[i]);
    ck_assert_ptr_nonnull(strstr(page, "content=\"default-src 'none'; style-src 'unsafe-inline'"));
    ck_assert_ptr_nonnull(strstr(page, "<html lang=\"en\">"));
}

/* Every link leads to the one element of that id. Assertions that hold are not for free: here they
 * are made only of what fails. */
static void assert_links_lead(const char *page) {
    for (const char *at = strstr(page, "href=\""); at != NULL; at = strstr(at + 1, "href=\"")) {
        char id[80];
        snprintf(id, sizeof id, " id=\"%.*s\"", (int)strcspn(at + 7, "\""), at + 7);
        const char *target = strstr(page, id);
        if (at[6] != '#' || target == NULL || strstr(target + 1, id) != NULL)
            ck_abort_msg("%s", id);
    }
}

/* Takes a run of hex digits, with a space before each byte but the first, and asserts that these
 * bytes are meant. Returns how many they are. */
static size_t match_hex(const char *at, const uint8_t *bytes, size_t left) {
    size_t count = 0;
    for (char hex[3]; strspn(at, "0123456789abcdef") == 2; at += *at == ' ') {
        snprintf(hex, sizeof hex, "%02x", count < left ? bytes[count] : 0);
        if (count++ == left || memcmp(at, hex, 2) != 0)
            ck_abort_msg("byte %zu is not %s: %.20s", count - 1, hex, at);
        at += 2;
    }
    ck_assert_int_eq(*at, '<');
    return count;
}

/* All that stands between two tags of the class, from page to end, is these bytes, each once. */
static void assert_bytes_shown(const char *page, const char *end, const char *opening,
                               const uint8_t *bytes, size_t size) {
    size_t shown = 0;
    for (const char *at = strstr(page, opening); at != NULL && at < end; at = strstr(at, opening)) {
        at = strchr(at, '>') + 1;
        shown += match_hex(at, bytes + shown, size - shown);
    }
    ck_assert_uint_eq(shown, size);
}

static const char line_start[] = "\n<section class=\"field \" ";

/* The sections are the parts of the anatomy, one after the other, with the bytes of each once. */
static void assert_fields(const char *page, const uint8_t *bytes, size_t length) {
    struct sam_anatomy anatomy;
    struct sam_field part;
    size_t next = 0;
    const char *at = strstr(page, line_start);
    sam_anatomy_start(&anatomy, bytes, length);
    for (size_t i = 0; sam_anatomy_part(&anatomy, i, &part); i++) {
        char start[160];
        ck_assert_msg(at != NULL, "%s at %zu is missing", part.name, part.offset);
        const char *end = strstr(at, "</section>"), *following = strstr(at + 1, line_start);
        int size = snprintf(start, sizeof start,
                            "%sdata-name=\"%s\" data-offset=\"%zu\" data-size=\"%zu\" data-hex=\"",
                            line_start, part.name, part.offset, part.size);
        ck_assert_msg(strncmp(at, start, (size_t)size) == 0, "%s and not %.160s", start, at);
        const char *hex = at + size;
        ck_assert_uint_eq(strcspn(hex, "\""), 2 * part.size);
        for (size_t k = 0; k < part.size; k++) {
            char byte[3];
            snprintf(byte, sizeof byte, "%02x", bytes[part.offset + k]);
            if (memcmp(hex + 2 * k, byte, 2) != 0)
                ck_abort_msg("%s, byte %zu", part.name, k);
        }
        assert_bytes_shown(at, end, "<code class=\"bytes\">", bytes + part.offset, part.size);
        ck_assert_uint_eq(part.offset, next);
        next += part.size;
        at = following;
    }
    ck_assert_ptr_null(at);
    ck_assert_uint_eq(next, length);
}

static void assert_page(const uint8_t *bytes, size_t length) {
    const char *page = page_of("a.sam", bytes, length);
    const char *end = page + strlen(page);
    assert_tags_close(page);
    assert_harmless(page);
    assert_links_lead(page);
    assert_fields(page, bytes, length);
    assert_bytes_shown(page, end, " tabindex=\"-1\"", bytes, length);
}

START_TEST(page_of_a_vector_shows_every_byte_once_where_it_belongs) {
    struct sam_bytes bytes = read_vector(all.rows[_i].file);
    assert_page(bytes.data, bytes.length);
    sam_bytes_free(&bytes);
}
END_TEST

static const char *const shortest[] = {"001_mode1_alice_bob_0.sam", "100_mode2_alice_bob_0.sam"};

/* One of each kind of unit, and two of an envelope. The caller frees it. */
static struct sam_bytes sample(int i) {
    struct sam_bytes bytes = {0};
    struct sam_greeting greeting = {.mode = 2, .max_message = 1000, .challenge = {1}};
    uint8_t unit[SAM_GREETING_SIZE] = {'S', 'A', 'M', 'S', 1, 2, 1, 0, 0, 0, 0, 3, 0, 0, 0, 24};
    size_t length = 0;
    if (i < 2)
        return read_vector(shortest[i]);
    if (i == 2) {
        sam_greeting_write(unit, &greeting);
        length = SAM_GREETING_SIZE;
    } else if (i == 3) {
        sam_rejection_write(unit, 1);
        length = SAM_REJECTION_SIZE;
    } else if (i == 4) {
        length = SAM_RECORD_SIZE + 24;
    } else if (i == 5) {
        memset(unit, 'x', sizeof unit);
        length = sizeof unit;
    }
    ck_status(sam_bytes_append(&bytes, unit, length), SAM_OK);
    return bytes;
}

START_TEST(page_of_any_unit_and_of_none_shows_every_byte_once_where_it_belongs) {
    struct sam_bytes bytes = sample(_i);
    assert_page(bytes.data, bytes.length);
    for (size_t more = 0; more < 20; more++) {
        ck_status(sam_bytes_append(&bytes, "surplus", 7), SAM_OK);
        assert_page(bytes.data, bytes.length);
    }
    sam_bytes_free(&bytes);
}
END_TEST

/* Each prefix in an allocation of its own size, so that a sanitizer sees a read past its end. */
START_TEST(page_of_every_prefix_shows_every_byte_once_where_it_belongs) {
    struct sam_bytes whole = sample(_i);
    for (size_t length = 0; length < whole.length; length++) {
        struct sam_bytes prefix = {0};
        ck_status(sam_bytes_append(&prefix, whole.data, length), SAM_OK);
        assert_page(prefix.data, length);
        sam_bytes_free(&prefix);
    }
    sam_bytes_free(&whole);
}
END_TEST

static uint32_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* Up to eight bytes of the fixed part become other ones. */
START_TEST(page_of_random_changes_has_tags_that_close) {
    static const uint8_t values[] = {0, 1, 2, 3, 0x7f, 0x80, 0xff, 'E', 'G', 'R', 'S', '<', '"'};
    uint64_t state = 77 + (uint64_t)_i;
    struct sam_bytes bytes = sample(_i % UNITS);
    size_t fixed = bytes.length < SAM_HEADER_SIZE ? bytes.length : SAM_HEADER_SIZE;
    uint8_t kept[SAM_HEADER_SIZE];
    memcpy(kept, bytes.data, fixed);
    for (int k = 0; k < MUTATIONS / RUNS; k++) {
        for (uint32_t n = 1 + next_random(&state) % 8; n > 0; n--)
            bytes.data[next_random(&state) % fixed] = values[next_random(&state) % sizeof values];
        const char *page = page_of("a.sam", bytes.data, bytes.length);
        assert_tags_close(page);
        assert_harmless(page);
        memcpy(bytes.data, kept, fixed);
    }
    sam_bytes_free(&bytes);
}
END_TEST

START_TEST(hostile_title_stays_text) {
    static const char title[] =
        "</title><script>alert('1')</script>\"&amp;\033[31m\xff\xe2\x80\xae";
    static const char shown[] =
        "&#60;/title&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;"
        "&#34;&#38;amp;\\x1b[31m\\xff\\xe2\\x80\\xae, byte by byte</";
    const char *page = page_of(title, (const uint8_t *)"x", 1);
    assert_tags_close(page);
    assert_harmless(page);
    const char *first = strstr(page, shown);
    ck_assert_ptr_nonnull(first);
    ck_assert_msg(strstr(first + 1, shown) != NULL, "once in the title, once in the heading");
}
END_TEST

/* An envelope whose header tells of so long a body, which nobody needs to be able to open. */
static struct sam_bytes long_envelope(uint8_t mode, uint32_t body_length) {
    struct sam_header header = {.mode = mode,
                                .kind = SAM_KIND_SEND,
                                .signature_length = 257,
                                .block_length = 259,
                                .body_length = body_length};
    struct sam_bytes bytes = {0};
    ck_status(sam_bytes_reserve(&bytes, SAM_HEADER_SIZE + body_length), SAM_OK);
    bytes.length = SAM_HEADER_SIZE + body_length;
    for (size_t i = SAM_HEADER_SIZE; i < bytes.length; i++)
        bytes.data[i] = (uint8_t)(i % 251);
    sam_header_write(bytes.data, &header);
    return bytes;
}

START_TEST(long_part_is_shown_at_both_ends_and_the_page_says_what_is_left_out) {
    static const size_t messages[] = {100000, (size_t)1 << 24};
    enum { OVERHEAD = 257 + 259 + 44, CIPHERTEXT = SAM_HEADER_SIZE + 259 + 12 };
    for (int i = 0; i < 2; i++) {
        struct sam_bytes bytes = long_envelope(2, (uint32_t)(messages[i] + OVERHEAD));
        const char *page = page_of("long.sam", bytes.data, bytes.length);
        char expected[160];
        size_t size = messages[i] + 16 + 257;
        assert_tags_close(page);
        assert_links_lead(page);
        ck_assert_uint_lt(strlen(page), 200000);
        snprintf(expected, sizeof expected,
                 "data-name=\"ciphertext\" data-offset=\"%d\" "
                 "data-size=\"%zu\" id=",
                 CIPHERTEXT, size);
        ck_assert_ptr_nonnull(strstr(page, expected));
        snprintf(expected, sizeof expected, ">%zu bytes are left out here.<", size - 2 * 1024);
        const char *gap = strstr(page, expected);
        ck_assert_ptr_nonnull(gap);
        const char *behind =
            strstr(gap, "<code class=\"bytes\">") + strlen("<code class=\"bytes\">");
        ck_assert_uint_eq(match_hex(behind, bytes.data + CIPHERTEXT + size - 1024, 1024), 1024);
        ck_assert_ptr_nonnull(strstr(page, "<p class=\"gap\">"));
        sam_bytes_free(&bytes);
    }
}
END_TEST

START_TEST(many_parts_are_counted_and_the_last_ones_are_shown) {
    enum { BLOCKS = 4000, FIELDS = 16 };
    struct sam_bytes bytes = long_envelope(1, BLOCKS * 259 + 257);
    const char *page = page_of("many.sam", bytes.data, bytes.length);
    char expected[160];
    assert_tags_close(page);
    assert_links_lead(page);
    snprintf(expected, sizeof expected,
             ">%d parts are left out here, like those before them: the "
             "bytes from %d to %d.<",
             FIELDS + BLOCKS + 1 - SAM_EXPLAIN_PARTS - 2,
             SAM_HEADER_SIZE + (SAM_EXPLAIN_PARTS - FIELDS) * 259,
             SAM_HEADER_SIZE + (BLOCKS - 1) * 259 - 1);
    ck_assert_msg(strstr(page, expected) != NULL, "%s", expected);
    ck_assert_ptr_nonnull(strstr(page, "data-name=\"signature\""));
    ck_assert_ptr_nonnull(strstr(page, "OAEP block, number 3999"));
    ck_assert_ptr_null(strstr(page, "OAEP block, number 3998"));
    sam_bytes_free(&bytes);
}
END_TEST

TCase *explain_page_case(void) {
    TCase *tcase = tcase_create("explain page");
    tcase_add_unchecked_fixture(tcase, load_all, free_all);
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_test(tcase, hostile_title_stays_text);
    tcase_add_loop_test(tcase, page_of_a_vector_shows_every_byte_once_where_it_belongs, 0,
                        VECTOR_ROWS);
    tcase_add_loop_test(tcase, page_of_any_unit_and_of_none_shows_every_byte_once_where_it_belongs,
                        0, SAMPLES);
    tcase_add_loop_test(tcase, page_of_every_prefix_shows_every_byte_once_where_it_belongs, 0,
                        SAMPLES);
    tcase_add_loop_test(tcase, page_of_random_changes_has_tags_that_close, 0, RUNS);
    tcase_add_test(tcase, long_part_is_shown_at_both_ends_and_the_page_says_what_is_left_out);
    tcase_add_test(tcase, many_parts_are_counted_and_the_last_ones_are_shown);
    return tcase;
}
