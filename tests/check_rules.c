/* The wiretap's rules on bytes: every field of every unit by its name and by its place, one bit and
 * no other; and whatever a rule says and a unit holds, not a byte beyond. */
#include "rules.h"

#include <stdlib.h>
#include <string.h>

#include "instruments.h"
#include "tapping.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const uint8_t types[] = {SAM_GREETING, SAM_ENVELOPE, SAM_REJECTION, SAM_RECORD};
enum { TYPES = sizeof types };

/* What was told, in the form that sam_edit_apply wants. */
struct told {
    FILE *file;
    char text[256];
};

static void told_open(struct told *told) {
    memset(told->text, 0, sizeof told->text);
    told->file = fmemopen(told->text, sizeof told->text - 1, "w");
    ck_assert_ptr_nonnull(told->file);
}

static void told_close(struct told *told) {
    ck_assert_int_eq(fclose(told->file), 0);
    ck_assert_ptr_null(strchr(told->text, '\n'));
}

static bool apply(const struct sam_edit *edit, uint8_t *bytes, size_t length, struct told *told) {
    told_open(told);
    bool changed = sam_edit_apply(edit, bytes, length, told->file);
    told_close(told);
    bool nothing = strncmp(told->text, "nothing done: ", 14) == 0;
    ck_assert_msg(changed != nothing && told->text[0] != '\0', "it told: %s", told->text);
    return changed;
}

/* A field's name with every space as mark. */
static const char *spelled(char out[64], const char *name, char mark) {
    snprintf(out, 64, "%s", name);
    for (char *c = out; *c != '\0'; c++)
        if (*c == ' ')
            *c = mark;
    return out;
}

/* Asserts that of the unit's bytes only that bit is another. */
static void assert_one_bit(const uint8_t *unit, const uint8_t *changed, size_t length, size_t at,
                           unsigned bit) {
    bool same = true;
    for (size_t i = 0; i < length; i++)
        same = same && changed[i] == (i == at ? unit[i] ^ 1u << bit : unit[i]);
    ck_assert_msg(same, "not bit %u at %zu alone", bit, at);
}

static void flip_by_name(const uint8_t *unit, size_t length, const struct sam_field *part) {
    static const char marks[] = {'-', '_', ' '};
    const size_t bits[] = {0, 8 * part->size - 1};
    uint8_t changed[SAMPLE_MAX];
    char rule[96], name[64];
    struct sam_edit edit;
    struct told told;
    for (size_t i = 0; i < COUNT(marks) * COUNT(bits); i++) {
        size_t bit = bits[i % COUNT(bits)];
        spelled(name, part->name, marks[i / COUNT(bits)]);
        snprintf(rule, sizeof rule, bit == 0 && i % 4 == 0 ? "%s" : "%s:%zu", name, bit);
        memcpy(changed, unit, length);
        ck_assert_msg(sam_edit_parse(&edit, true, rule), "no rule: %s", rule);
        ck_assert_msg(apply(&edit, changed, length, &told), "%s: %s", rule, told.text);
        assert_one_bit(unit, changed, length, part->offset + part->size - 1 - bit / 8,
                       (unsigned)(bit % 8));
    }
    /* One bit more is none of this field's, whether that is found now or when it is read. */
    memcpy(changed, unit, length);
    snprintf(rule, sizeof rule, "%s:%zu", name, 8 * part->size);
    if (sam_edit_parse(&edit, true, rule))
        ck_assert(!apply(&edit, changed, length, &told));
    ck_assert_mem_eq(changed, unit, length);
}

static void set_by_name(const uint8_t *unit, size_t length, const struct sam_field *part) {
    uint8_t changed[SAMPLE_MAX], wanted[SAMPLE_MAX];
    char rule[512];
    struct sam_edit edit;
    struct told told;
    size_t size = part->size < SAM_HEADER_SIZE ? part->size : SAM_HEADER_SIZE;
    int at = snprintf(rule, sizeof rule, "%s=", part->name);
    memcpy(wanted, unit, length);
    memcpy(changed, unit, length);
    for (size_t i = 0; i < size; i++) {
        uint8_t value = (uint8_t)(0xA0 + i);
        wanted[part->offset + i] = value;
        at += snprintf(rule + at, 3, i % 2 ? "%02x" : "%02X", value);
    }
    ck_assert_msg(sam_edit_parse(&edit, false, rule), "no rule: %s", rule);
    ck_assert(apply(&edit, changed, length, &told));
    ck_assert_mem_eq(changed, wanted, length);
    /* A byte more than the field has is none of it, even where it would fit. */
    memcpy(changed, unit, length);
    snprintf(rule + at, 3, "00");
    if (sam_edit_parse(&edit, false, rule))
        ck_assert(!apply(&edit, changed, length, &told));
    ck_assert_mem_eq(changed, unit, length);
}

/* The first part of a name has it; those behind it are reached by their offset. */
static bool is_first(const struct sam_anatomy *anatomy, size_t index) {
    struct sam_field part, other;
    ck_assert(sam_anatomy_part(anatomy, index, &part));
    for (size_t i = 0; i < index; i++)
        if (sam_anatomy_part(anatomy, i, &other) && strcmp(other.name, part.name) == 0)
            return false;
    return true;
}

START_TEST(every_field_of_every_unit_has_a_name_that_reaches_its_bits) {
    uint8_t unit[SAMPLE_MAX];
    struct sam_anatomy anatomy;
    struct sam_field part;
    uint8_t type = types[_i / 2];
    size_t length = make_sample(unit, type, modes[_i % 2], 1), names = 0, fields = 0;
    if (type == SAM_RECORD)
        unit[5] = 2; /* in the other mode there are none */
    sam_anatomy_start(&anatomy, unit, length);
    ck_status(anatomy.status, SAM_OK);
    for (size_t i = 0; sam_anatomy_part(&anatomy, i, &part); i++) {
        if (!is_first(&anatomy, i))
            continue;
        flip_by_name(unit, length, &part);
        set_by_name(unit, length, &part);
        names++;
    }
    sam_unit_fields(type, &fields);
    ck_assert_uint_ge(names, fields - 1); /* "reserved" is there twice */
}
END_TEST

START_TEST(every_byte_has_an_offset_that_reaches_its_bits) {
    uint8_t unit[SAMPLE_MAX], changed[SAMPLE_MAX];
    char rule[32];
    struct sam_edit edit;
    struct told told;
    size_t length = make_sample(unit, types[_i / 2], modes[_i % 2], 2);
    for (size_t at = 0; at < length + 3; at++) {
        unsigned bit = (unsigned)(at % 8);
        snprintf(rule, sizeof rule, bit == 0 ? "%zu" : "%zu:%u", at, bit);
        memcpy(changed, unit, length);
        ck_assert(sam_edit_parse(&edit, true, rule));
        ck_assert_int_eq(apply(&edit, changed, length, &told), at < length);
        assert_one_bit(unit, changed, length, at, bit);
    }
}
END_TEST

START_TEST(bytes_behind_the_end_are_not_set) {
    enum { LENGTH = 20 };
    static const struct {
        const char *rule;
        bool fits;
    } rules[] = {{"19=ff", true},        {"20=ff", false},
                 {"19=ffff", false},     {"16=ffffffff", true},
                 {"17=ffffffff", false}, {"4294967295=ff", false},
                 {"0=ff", true},         {"4294967290=ff", false},
                 {"magic=ffffff", true}, {"challenge=ffffffffffffffffffffffffffffffff", false}};
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct sam_edit edit;
        struct told told;
        uint8_t unit[SAMPLE_MAX];
        uint8_t *cut = malloc(LENGTH); /* of its own, so that a sanitizer sees every byte beyond */
        ck_assert_ptr_nonnull(cut);
        make_sample(unit, SAM_GREETING, modes[0], 0);
        memcpy(cut, unit, LENGTH);
        ck_assert_msg(sam_edit_parse(&edit, false, rules[i].rule), "%s", rules[i].rule);
        ck_assert_msg(apply(&edit, cut, LENGTH, &told) == rules[i].fits, "%s: %s", rules[i].rule,
                      told.text);
        ck_assert_int_eq(memcmp(cut, unit, LENGTH) != 0, rules[i].fits);
        free(cut);
    }
}
END_TEST

START_TEST(an_empty_unit_has_nothing_to_change) {
    static const char *const flips[] = {"0", "magic", "tag", "5:7"};
    struct sam_edit edit;
    struct told told;
    uint8_t none = 7;
    for (size_t i = 0; i < COUNT(flips); i++) {
        ck_assert(sam_edit_parse(&edit, true, flips[i]));
        ck_assert(!apply(&edit, &none, 0, &told));
    }
    ck_assert(sam_edit_parse(&edit, false, "0=00"));
    ck_assert(!apply(&edit, &none, 0, &told));
    ck_assert_uint_eq(none, 7);
}
END_TEST

START_TEST(the_hex_of_a_value_is_read_to_its_end) {
    char rule[3 * SAM_HEADER_SIZE] = "0=";
    struct sam_edit edit;
    for (unsigned i = 0; i < SAM_HEADER_SIZE; i++)
        snprintf(rule + 2 + 2 * i, 3, "%02x", i);
    ck_assert(sam_edit_parse(&edit, false, rule));
    ck_assert_uint_eq(edit.value_size, SAM_HEADER_SIZE);
    for (unsigned i = 0; i < SAM_HEADER_SIZE; i++)
        ck_assert_uint_eq(edit.value[i], i);
    snprintf(rule + 2 + 2 * SAM_HEADER_SIZE, 3, "00");
    ck_assert(!sam_edit_parse(&edit, false, rule));
}
END_TEST

/* A rule as a monkey would type it: pieces that mean something, in any order, and noise. */
static void make_rule(char out[128]) {
    static const char *const pieces[] = {"magic",
                                         "type",
                                         "challenge",
                                         "server-key-id",
                                         "sequence",
                                         "Sent_At",
                                         "reference",
                                         "reserved",
                                         "length",
                                         "body length",
                                         "recipient key id",
                                         "oaep block",
                                         "signature",
                                         "tag",
                                         "nonce",
                                         "ciphertext",
                                         "wrapped-key",
                                         ":",
                                         "=",
                                         ":7",
                                         "=00",
                                         "=ffFF",
                                         ":255",
                                         "0",
                                         "127",
                                         "4294967295",
                                         "99999999999999999999",
                                         "-",
                                         "5341"};
    size_t at = 0;
    for (uint32_t count = 1 + any_below(4); count > 0; count--) {
        if (any_below(8) > 0) {
            at += (size_t)snprintf(out + at, 128 - at, "%s", pieces[any_below(COUNT(pieces))]);
        } else if (at < 127) {
            out[at++] = (char)(1 + any_below(255));
            out[at] = '\0';
        }
        ck_assert_uint_lt(at, 128);
    }
}

/* A unit with a few bytes altered and cut anywhere, in memory of exactly its length. */
static uint8_t *make_mutant(size_t *length) {
    uint8_t unit[SAMPLE_MAX];
    size_t whole = make_sample(unit, types[any_below(TYPES)], modes[any_below(2)], any_below(100));
    for (uint32_t i = any_below(4); i > 0; i--)
        unit[any_below(i % 2 ? 24 : (uint32_t)whole)] = (uint8_t)any_below(256);
    *length = any_below(3) == 0 ? any_below((uint32_t)whole + 1) : whole;
    uint8_t *mutant = malloc(*length > 0 ? *length : 1);
    ck_assert_ptr_nonnull(mutant);
    memcpy(mutant, unit, *length);
    return mutant;
}

/* Whether the difference of two units is one that the edit may make. */
static bool may_differ(const struct sam_edit *edit, const uint8_t *a, const uint8_t *b,
                       size_t length) {
    size_t first = length, last = 0, bits = 0;
    for (size_t i = 0; i < length; i++) {
        if (a[i] == b[i])
            continue;
        first = first < i ? first : i;
        last = i;
        for (unsigned bit = 0; bit < 8; bit++)
            bits += ((a[i] ^ b[i]) >> bit & 1) != 0;
    }
    if (edit->flips)
        return bits == 1;
    return bits == 0 || last - first < edit->value_size;
}

START_TEST(any_rule_on_any_unit_changes_what_it_says_or_nothing) {
    enum { MUTANTS = 20000 };
    size_t parsed = 0, done = 0;
    FILE *nowhere = fopen("/dev/null", "w");
    ck_assert_ptr_nonnull(nowhere);
    bool good = true;
    for (size_t i = 0; i < MUTANTS && good; i++) {
        char rule[128];
        struct sam_edit edit;
        size_t length;
        make_rule(rule);
        if (!sam_edit_parse(&edit, i % 2 == 0, rule))
            continue;
        parsed++;
        uint8_t *mutant = make_mutant(&length), before[SAMPLE_MAX];
        memcpy(before, mutant, length);
        bool changed = sam_edit_apply(&edit, mutant, length, nowhere);
        good = changed ? may_differ(&edit, before, mutant, length)
                       : length == 0 || memcmp(before, mutant, length) == 0;
        done += changed;
        free(mutant);
        ck_assert_msg(good, "%s", rule);
    }
    fclose(nowhere);
    ck_assert_uint_gt(parsed, MUTANTS / 20);
    ck_assert_uint_gt(done, MUTANTS / 50);
}
END_TEST

/* As sam.c leaves them without a word about rules. */
static const struct sam_tool_options plain = {.side = "client", .envelope = 1};

START_TEST(a_plan_selects_the_units_of_its_side_by_their_numbers) {
    struct sam_tool_options options = plain;
    struct sam_plan plan;
    ck_assert(sam_plan_read(&plan, &options));
    for (uint32_t number = 0; number < 10; number++)
        for (unsigned side = 0; side < 2; side++)
            ck_assert(sam_plan_actions(&plan, side, number) == 0);
    options.side = "server";
    options.envelope = 0;
    options.truncate = 5;
    options.drop = 3;
    options.replay = 5;
    options.swap = "9,7";
    ck_assert(sam_plan_read(&plan, &options));
    ck_assert_uint_eq(plan.side, 1);
    ck_assert_uint_eq(plan.swap[0], 7);
    ck_assert_uint_eq(plan.swap[1], 9);
    for (uint32_t number = 0; number < 12; number++) {
        bool wanted = strchr("\x01\x04\x06\x08\x0a", (int)number + 1) != NULL;
        ck_assert_int_eq(sam_plan_actions(&plan, 1, number) != 0, wanted);
        ck_assert(sam_plan_actions(&plan, 0, number) == 0);
    }
}
END_TEST

START_TEST(a_plan_has_every_edit_that_was_asked_for) {
    struct sam_tool_options options = plain;
    struct sam_plan plan;
    for (size_t i = 0; i < SAM_TEXTS_MAX; i++) {
        options.flip.items[options.flip.count++] = "kind:1";
        options.set.items[options.set.count++] = "version=07";
    }
    ck_assert(sam_plan_read(&plan, &options));
    ck_assert_uint_eq(plan.edit_count, SAM_EDITS_MAX);
    for (size_t i = 0; i < SAM_EDITS_MAX; i++) {
        ck_assert_int_eq(plan.edits[i].flips, i < SAM_TEXTS_MAX);
        ck_assert_str_eq(plan.edits[i].field, i < SAM_TEXTS_MAX ? "kind" : "version");
    }
    ck_assert_uint_eq(sam_plan_actions(&plan, 0, 1), SAM_CHANGE);
    ck_assert(sam_plan_actions(&plan, 0, 2) == 0);
}
END_TEST

TCase *rules_case(void) {
    TCase *rules = tcase_create("rules");
    tcase_set_timeout(rules, TEST_SECONDS);
    tcase_add_loop_test(rules, every_field_of_every_unit_has_a_name_that_reaches_its_bits, 0,
                        2 * TYPES);
    tcase_add_loop_test(rules, every_byte_has_an_offset_that_reaches_its_bits, 0, 2 * TYPES);
    tcase_add_test(rules, bytes_behind_the_end_are_not_set);
    tcase_add_test(rules, an_empty_unit_has_nothing_to_change);
    tcase_add_test(rules, the_hex_of_a_value_is_read_to_its_end);
    tcase_add_test(rules, any_rule_on_any_unit_changes_what_it_says_or_nothing);
    tcase_add_test(rules, a_plan_selects_the_units_of_its_side_by_their_numbers);
    tcase_add_test(rules, a_plan_has_every_edit_that_was_asked_for);
    return rules;
}
