/* Tests of wire: what is written is read back, and every wrong byte has its status, in order. */
#include "wire.h"

#include <string.h>

#include "parts.h"
#include "suites.h"
#include "support.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

enum { MODE_UNDER_TEST = 2, UNIT_MAX = SAM_HEADER_SIZE };

/* Values with no byte twice, so that a byte out of place is seen. */
static struct sam_header sample_header(void) {
    struct sam_header header = {.mode = MODE_UNDER_TEST,
                                .kind = SAM_KIND_SEND,
                                .signature_length = 0x0102,
                                .block_length = 0x0180,
                                .body_length = 0x03040506,
                                .sequence = 0x0708090a,
                                .sent_at = 0x0b0c0d0e0f101112};
    for (size_t i = 0; i < SAM_ID_SIZE; i++) {
        header.message_id[i] = (uint8_t)(0x20 + i);
        header.reference[i] = (uint8_t)(0x30 + i);
    }
    for (size_t i = 0; i < SAM_SHA256_SIZE; i++) {
        header.sender[i] = (uint8_t)(0x40 + i);
        header.recipient[i] = (uint8_t)(0x60 + i);
    }
    return header;
}

static struct sam_greeting sample_greeting(void) {
    struct sam_greeting greeting = {.mode = MODE_UNDER_TEST, .max_message = 0x01020304};
    for (size_t i = 0; i < SAM_ID_SIZE; i++)
        greeting.challenge[i] = (uint8_t)(0x20 + i);
    for (size_t i = 0; i < SAM_SHA256_SIZE; i++)
        greeting.server[i] = (uint8_t)(0x40 + i);
    return greeting;
}

/* A unit of the given type as it travels; its size is returned. */
static size_t write_sample(enum sam_unit_type type, uint8_t unit[UNIT_MAX]) {
    struct sam_header header = sample_header();
    struct sam_greeting greeting = sample_greeting();
    if (type == SAM_GREETING)
        return sam_greeting_write(unit, &greeting), (size_t)SAM_GREETING_SIZE;
    if (type == SAM_REJECTION)
        return sam_rejection_write(unit, MODE_UNDER_TEST), (size_t)SAM_REJECTION_SIZE;
    return sam_header_write(unit, &header), (size_t)SAM_HEADER_SIZE;
}

/* Whether all members are zero; padding may hold anything. */
static bool is_blank(const struct sam_header *header, const struct sam_greeting *greeting) {
    static const struct sam_header no_header;
    static const struct sam_greeting no_greeting;
    uint8_t a[UNIT_MAX + SAM_GREETING_SIZE], b[sizeof a];
    sam_header_write(a, header);
    sam_header_write(b, &no_header);
    sam_greeting_write(a + UNIT_MAX, greeting);
    sam_greeting_write(b + UNIT_MAX, &no_greeting);
    return sam_equal(a, b, sizeof a);
}

/* Reads a unit that must fail, and leave nothing. */
static void fails(enum sam_unit_type type, const uint8_t *unit, enum sam_status expected) {
    struct sam_header header = {0};
    struct sam_greeting greeting = {0};
    if (type == SAM_GREETING) {
        greeting = sample_greeting();
        ck_status(sam_greeting_read(&greeting, unit, MODE_UNDER_TEST), expected);
    } else {
        header = sample_header();
        ck_status(sam_header_read(&header, unit, MODE_UNDER_TEST, SAM_KINDS_OF_CLIENT), expected);
    }
    ck_assert(is_blank(&header, &greeting));
}

/* The bytes of docs/protocol.md, sections 1 and 2, written down by hand. */
static const enum sam_unit_type types[] = {SAM_GREETING, SAM_REJECTION, SAM_ENVELOPE};
static const char *const specified[] = {
    "SAMG\1\2\0\0\1\2\3\4\0\0\0\0 !\"#$%&'()*+,-./@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_",
    "SAMR\1\2\0\0\0\0\0\0\0\0\0\0",
    "SAME\1\2\1\0\1\2\1\x80\3\4\5\6\7\x8\x9\xa\0\0\0\0\xb\xc\xd\xe\xf\x10\x11\x12"
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_"
    "`abcdefghijklmnopqrstuvwxyz{|}~\x7f",
};

START_TEST(a_unit_travels_as_specified) {
    uint8_t unit[UNIT_MAX + 1];
    memset(unit, 0xff, sizeof unit);
    size_t size = write_sample(types[_i], unit);
    ck_assert_mem_eq(unit, specified[_i], size);
    ck_assert_uint_eq(unit[size], 0xff);
}
END_TEST

START_TEST(what_is_written_is_read_back) {
    uint8_t unit[UNIT_MAX], again[UNIT_MAX];
    struct sam_header header;
    write_sample(SAM_ENVELOPE, unit);
    ck_status(sam_header_read(&header, unit, MODE_UNDER_TEST, SAM_KINDS_OF_CLIENT), SAM_OK);
    sam_header_write(again, &header);
    ck_assert_mem_eq(again, unit, SAM_HEADER_SIZE);
    struct sam_greeting greeting;
    write_sample(SAM_GREETING, unit);
    ck_status(sam_greeting_read(&greeting, unit, MODE_UNDER_TEST), SAM_OK);
    sam_greeting_write(again, &greeting);
    ck_assert_mem_eq(again, unit, SAM_GREETING_SIZE);
}
END_TEST

START_TEST(the_fields_cover_a_unit_without_gap_or_overlap) {
    uint8_t unit[UNIT_MAX];
    size_t size = write_sample(types[_i], unit), count = 0, at = 0;
    const struct sam_field *fields = sam_unit_fields(types[_i], &count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(fields[i].offset, at);
        ck_assert_uint_gt(fields[i].size, 0);
        ck_assert_uint_gt(strlen(fields[i].name), 0);
        ck_assert_uint_le(strlen(fields[i].name), 16);
        ck_assert_uint_gt(strlen(fields[i].meaning), 0);
        ck_assert_ptr_null(strchr(fields[i].meaning, '\n'));
        if (strcmp(fields[i].name, "reserved") == 0)
            ck_assert(sam_is_zero(unit + at, fields[i].size));
        at += fields[i].size;
    }
    ck_assert_uint_eq(at, size);
}
END_TEST

/* The member of the struct that each field names. */
#define MEMBER(unit, type, name, member)                                                           \
    { unit, name, offsetof(struct type, member), sizeof(((struct type *)0)->member) }
static const struct {
    enum sam_unit_type type;
    const char *name;
    size_t offset, size;
} members[] = {
    MEMBER(SAM_ENVELOPE, sam_header, "mode", mode),
    MEMBER(SAM_ENVELOPE, sam_header, "kind", kind),
    MEMBER(SAM_ENVELOPE, sam_header, "signature length", signature_length),
    MEMBER(SAM_ENVELOPE, sam_header, "block length", block_length),
    MEMBER(SAM_ENVELOPE, sam_header, "body length", body_length),
    MEMBER(SAM_ENVELOPE, sam_header, "sequence", sequence),
    MEMBER(SAM_ENVELOPE, sam_header, "sent at", sent_at),
    MEMBER(SAM_ENVELOPE, sam_header, "message id", message_id),
    MEMBER(SAM_ENVELOPE, sam_header, "reference", reference),
    MEMBER(SAM_ENVELOPE, sam_header, "sender key id", sender),
    MEMBER(SAM_ENVELOPE, sam_header, "recipient key id", recipient),
    MEMBER(SAM_GREETING, sam_greeting, "mode", mode),
    MEMBER(SAM_GREETING, sam_greeting, "max message", max_message),
    MEMBER(SAM_GREETING, sam_greeting, "challenge", challenge),
    MEMBER(SAM_GREETING, sam_greeting, "server key id", server),
};

/* Of two units, the bytes that differ are those of the named field, all of them. */
static void only_field_differs(enum sam_unit_type type, const char *name, const uint8_t *a,
                               const uint8_t *b) {
    size_t count = 0, found = 0;
    const struct sam_field *fields = sam_unit_fields(type, &count);
    for (size_t i = 0; i < count; i++) {
        bool named = strcmp(fields[i].name, name) == 0;
        found += named;
        for (size_t at = fields[i].offset; at < fields[i].offset + fields[i].size; at++)
            ck_assert_msg((a[at] != b[at]) == named, "setting %s: byte %zu of %s", name, at,
                          fields[i].name);
    }
    ck_assert_uint_eq(found, 1);
}

START_TEST(a_field_stands_where_the_table_says) {
    union {
        struct sam_header header;
        struct sam_greeting greeting;
    } value;
    uint8_t units[2][UNIT_MAX];
    memset(&value, 0, sizeof value);
    for (int i = 0; i < 2; i++) {
        if (members[_i].type == SAM_GREETING)
            sam_greeting_write(units[i], &value.greeting);
        else
            sam_header_write(units[i], &value.header);
        memset((uint8_t *)&value + members[_i].offset, 0xff, members[_i].size);
    }
    only_field_differs(members[_i].type, members[_i].name, units[0], units[1]);
}
END_TEST

/* The bytes of which only one value is right, in the order of section 2, and the status of any
 * other. A kind has more than one, a length too: they have tests of their own. */
static const struct {
    enum sam_unit_type type;
    size_t first, last;
    enum sam_status status;
} checked[] = {
    {SAM_ENVELOPE, 0, 2, SAM_MAGIC},         {SAM_ENVELOPE, 3, 3, SAM_TYPE},
    {SAM_ENVELOPE, 4, 4, SAM_VERSION},       {SAM_ENVELOPE, 5, 5, SAM_MODE},
    {SAM_ENVELOPE, 6, 6, SAM_KIND},          {SAM_ENVELOPE, 7, 7, SAM_RESERVED},
    {SAM_ENVELOPE, 20, 23, SAM_RESERVED},    {SAM_ENVELOPE, 8, 8, SAM_KEY_LENGTHS},
    {SAM_ENVELOPE, 10, 10, SAM_KEY_LENGTHS}, {SAM_GREETING, 0, 2, SAM_MAGIC},
    {SAM_GREETING, 3, 3, SAM_TYPE},          {SAM_GREETING, 4, 4, SAM_VERSION},
    {SAM_GREETING, 5, 5, SAM_MODE},          {SAM_GREETING, 6, 6, SAM_KIND},
    {SAM_GREETING, 7, 7, SAM_RESERVED},      {SAM_GREETING, 12, 15, SAM_RESERVED},
};

START_TEST(every_wrong_byte_has_its_status) {
    uint8_t unit[UNIT_MAX];
    enum sam_unit_type type = checked[_i].type;
    for (size_t at = checked[_i].first; at <= checked[_i].last; at++) {
        for (unsigned value = 0; value < 256; value++) {
            write_sample(type, unit);
            bool other_kind = type == SAM_ENVELOPE && at == 6 && value <= SAM_KIND_SESSION &&
                              (SAM_KINDS_OF_CLIENT >> value & 1) != 0;
            if (value == unit[at] || other_kind)
                continue;
            unit[at] = (uint8_t)value;
            fails(type, unit, checked[_i].status);
        }
    }
}
END_TEST

/* Whatever is wrong after it, the first wrong byte decides. */
START_TEST(the_first_wrong_byte_decides) {
    uint8_t unit[UNIT_MAX];
    enum sam_unit_type type = checked[_i].type;
    write_sample(type, unit);
    for (int i = _i; i < COUNT(checked) && checked[i].type == type; i++)
        unit[checked[i].last] = 0xee;
    if (type == SAM_GREETING) { /* too much offered, and a challenge of zeros */
        unit[8] = 0xee;
        memset(unit + 16, 0, SAM_ID_SIZE);
    }
    fails(type, unit, checked[_i].status);
}
END_TEST

static const struct {
    uint16_t size;
    enum sam_status status;
} rsa_sizes[] = {
    {0, SAM_KEY_LENGTHS},
    {1, SAM_KEY_LENGTHS},
    {255, SAM_KEY_LENGTHS},
    {256, SAM_OK},
    {257, SAM_OK},
    {384, SAM_OK},
    {512, SAM_OK},
    {513, SAM_KEY_LENGTHS},
    {0x8100, SAM_KEY_LENGTHS},
    {0xffff, SAM_KEY_LENGTHS},
};

START_TEST(a_modulus_has_256_to_512_bytes) {
    for (int which = 0; which < 2; which++) {
        struct sam_header header = sample_header(), got;
        uint8_t unit[SAM_HEADER_SIZE];
        *(which == 0 ? &header.signature_length : &header.block_length) = rsa_sizes[_i].size;
        sam_header_write(unit, &header);
        if (rsa_sizes[_i].status != SAM_OK) {
            fails(SAM_ENVELOPE, unit, rsa_sizes[_i].status);
            continue;
        }
        ck_status(sam_header_read(&got, unit, MODE_UNDER_TEST, SAM_KINDS_OF_CLIENT), SAM_OK);
        ck_assert_uint_eq(got.signature_length, header.signature_length);
        ck_assert_uint_eq(got.block_length, header.block_length);
    }
}
END_TEST

START_TEST(a_greeting_offers_at_most_2_to_the_30) {
    static const uint32_t over[] = {((uint32_t)1 << 30) + 1, (uint32_t)1 << 31, UINT32_MAX};
    static const uint32_t good[] = {0, 1, (uint32_t)1 << 30};
    struct sam_greeting greeting = sample_greeting(), got;
    uint8_t unit[SAM_GREETING_SIZE];
    ck_assert(SAM_MESSAGE_LIMIT == (uint32_t)1 << 30);
    for (int i = 0; i < 3; i++) {
        greeting.max_message = over[i];
        sam_greeting_write(unit, &greeting);
        fails(SAM_GREETING, unit, SAM_LENGTH);
        greeting.max_message = good[i];
        sam_greeting_write(unit, &greeting);
        ck_status(sam_greeting_read(&got, unit, MODE_UNDER_TEST), SAM_OK);
        ck_assert_uint_eq(got.max_message, good[i]);
    }
}
END_TEST

START_TEST(a_challenge_of_zeros_is_refused_and_one_bit_is_enough) {
    uint8_t unit[UNIT_MAX];
    struct sam_greeting got;
    write_sample(SAM_GREETING, unit);
    memset(unit + 16, 0, SAM_ID_SIZE);
    fails(SAM_GREETING, unit, SAM_CHALLENGE);
    unit[8] = 0xee; /* the length comes first */
    fails(SAM_GREETING, unit, SAM_LENGTH);
    unit[8] = 0;
    for (size_t bit = 0; bit < 8 * (size_t)SAM_ID_SIZE; bit++) {
        unit[16 + bit / 8] = (uint8_t)(1 << bit % 8);
        ck_status(sam_greeting_read(&got, unit, MODE_UNDER_TEST), SAM_OK);
        unit[16 + bit / 8] = 0;
    }
}
END_TEST

/* Section 3: what each side may send. */
static const struct {
    unsigned kind;
    const char *name;
    bool client, server;
} kinds[] = {
    {0, "unknown", false, false},  {1, "send", true, false},      {2, "recv", true, false},
    {3, "join", true, false},      {4, "reply", false, true},     {5, "push", false, true},
    {6, "refuse", false, true},    {7, "session", true, false},   {8, "close", false, false},
    {31, "unknown", false, false}, {33, "unknown", false, false}, {255, "unknown", false, false},
};

START_TEST(a_side_may_send_its_own_kinds_only) {
    struct sam_header header = sample_header(), got;
    uint8_t unit[SAM_HEADER_SIZE];
    header.kind = (uint8_t)kinds[_i].kind;
    sam_header_write(unit, &header);
    bool client = kinds[_i].client, server = kinds[_i].server;
    ck_status(sam_header_read(&got, unit, 2, SAM_KINDS_OF_CLIENT), client ? SAM_OK : SAM_KIND);
    ck_status(sam_header_read(&got, unit, 2, SAM_KINDS_OF_SERVER), server ? SAM_OK : SAM_KIND);
    ck_status(sam_header_read(&got, unit, 2, SAM_KINDS_ALL), client || server ? SAM_OK : SAM_KIND);
    ck_status(sam_header_read(&got, unit, 2, 0), SAM_KIND);
    ck_assert_str_eq(sam_kind_name(kinds[_i].kind), kinds[_i].name);
    ck_assert_str_eq(sam_kind_name(kinds[_i].kind + 0x80000000u), "unknown");
}
END_TEST

/* Which units may come: a string of types. No byte but those in it passes, 0 in particular. */
static const char *const type_sets[] = {"", "E", "G", "R", "ER", "GR", "EGR"};

START_TEST(only_the_types_that_are_due_pass) {
    const char *due = type_sets[_i];
    uint8_t unit[SAM_PROLOGUE_SIZE] = {'S', 'A', 'M', 0, 1, 1, 0, 0};
    for (unsigned type = 0; type < 256; type++) {
        struct sam_prologue prologue;
        unit[3] = (uint8_t)type;
        unit[6] = type == SAM_ENVELOPE ? SAM_KIND_REPLY : 0;
        bool good = type != 0 && strchr(due, (int)type) != NULL;
        ck_status(sam_prologue_read(&prologue, unit, due, 1, SAM_KINDS_OF_SERVER),
                  good ? SAM_OK : SAM_TYPE);
        ck_assert_uint_eq(prologue.type, type);
        ck_assert(prologue.version == 1 && prologue.mode == 1 && prologue.kind == unit[6]);
        unit[6] = 0x5a;
        ck_status(sam_prologue_read(&prologue, unit, due, 1, SAM_KINDS_OF_SERVER),
                  good ? SAM_KIND : SAM_TYPE);
    }
}
END_TEST

/* A fixed generator, so that a failure can be seen again. */
START_TEST(random_bytes_are_never_a_unit) {
    uint32_t state = 2463534242u;
    int passed = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t unit[UNIT_MAX];
        for (size_t i = 0; i < sizeof unit; i++) {
            state ^= state << 13, state ^= state >> 17, state ^= state << 5;
            unit[i] = (uint8_t)(state >> 11);
        }
        struct sam_header header = sample_header();
        struct sam_greeting greeting = sample_greeting();
        passed += sam_header_read(&header, unit, 1, SAM_KINDS_ALL) == SAM_OK;
        passed += sam_greeting_read(&greeting, unit, 1) == SAM_OK;
        passed += !is_blank(&header, &greeting);
    }
    ck_assert_int_eq(passed, 0);
}
END_TEST

Suite *wire_suite(void) {
    Suite *suite = suite_create("wire");
    TCase *tcase = tcase_create("written");
    tcase_add_loop_test(tcase, a_unit_travels_as_specified, 0, COUNT(types));
    tcase_add_test(tcase, what_is_written_is_read_back);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("fields");
    tcase_add_loop_test(tcase, the_fields_cover_a_unit_without_gap_or_overlap, 0, COUNT(types));
    tcase_add_loop_test(tcase, a_field_stands_where_the_table_says, 0, COUNT(members));
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("refused");
    tcase_add_loop_test(tcase, every_wrong_byte_has_its_status, 0, COUNT(checked));
    tcase_add_loop_test(tcase, the_first_wrong_byte_decides, 0, COUNT(checked));
    tcase_add_loop_test(tcase, a_modulus_has_256_to_512_bytes, 0, COUNT(rsa_sizes));
    tcase_add_test(tcase, a_greeting_offers_at_most_2_to_the_30);
    tcase_add_test(tcase, a_challenge_of_zeros_is_refused_and_one_bit_is_enough);
    tcase_add_loop_test(tcase, a_side_may_send_its_own_kinds_only, 0, COUNT(kinds));
    tcase_add_loop_test(tcase, only_the_types_that_are_due_pass, 0, COUNT(type_sets));
    tcase_add_test(tcase, random_bytes_are_never_a_unit);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, units_case());
    return suite;
}
