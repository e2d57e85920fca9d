/* Tests of the instruments' anatomy: any bytes are cut into parts that are all of them, once. What
 * is expected is read off docs/protocol.md by a judge of its own, which shares nothing with it. */
#include "anatomy.h"

#include <stdlib.h>
#include <string.h>

#include "instruments.h"
#include "json.h"
#include "support.h"
#include "vector_index.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* An assertion of Check's tells a file of itself each time; here are millions. */
#define demand(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s", #condition);                                                        \
    } while (0)

/* The units that everything here is made of: the vectors' own, and the session's. */

enum { SESSION_UNITS = 3, EXTRAS = 6, UNITS = VECTOR_ROWS + SESSION_UNITS + EXTRAS };
static struct sam_bytes units[UNITS];
static struct vector_index all;
static size_t session_units;

static void take_session_unit(void *context, const char *key, const char *value, size_t length) {
    static const char *const keys[] = {"greeting", "client_record_0", "client_close_2"};
    (void)context;
    for (int i = 0; i < COUNT(keys); i++) {
        if (strcmp(key, keys[i]) != 0)
            continue;
        struct sam_bytes *unit = &units[VECTOR_ROWS + session_units++];
        for (size_t at = 0; at < length; at += 2) {
            const char digits[3] = {value[at], value[at + 1], '\0'};
            uint8_t byte = (uint8_t)strtoul(digits, NULL, 16);
            ck_status(sam_bytes_append(unit, &byte, 1), SAM_OK);
        }
    }
}

static void add(size_t extra, const void *bytes, size_t length) {
    ck_status(sam_bytes_append(&units[VECTOR_ROWS + SESSION_UNITS + extra], bytes, length), SAM_OK);
}

static void load_units(void) {
    vector_index_load(&all);
    for (size_t i = 0; i < VECTOR_ROWS; i++)
        units[i] = read_vector(all.rows[i].file);
    struct sam_bytes session = read_vector("session.json");
    session_units = 0;
    ck_assert(json_read((const char *)session.data, session.length, take_session_unit, NULL));
    ck_assert_uint_eq(session_units, SESSION_UNITS);
    sam_bytes_free(&session);
    uint8_t unit[SAM_GREETING_SIZE];
    for (uint8_t mode = 1; mode <= SAM_MODES; mode++) {
        struct sam_greeting greeting = {.mode = mode, .max_message = 5, .challenge = {7}};
        sam_rejection_write(unit, mode);
        add(mode - 1u, unit, SAM_REJECTION_SIZE);
        sam_greeting_write(unit, &greeting);
        add(mode + 1u, unit, SAM_GREETING_SIZE);
    }
    add(4, "SAMX is none", 12);
    add(5, "GET / HTTP/1.1\r\n", 16);
}

static void free_units(void) {
    for (size_t i = 0; i < UNITS; i++)
        sam_bytes_free(&units[i]);
    vector_index_free(&all);
}

/* The judge. */

struct verdict {
    uint64_t fixed, whole;
    enum sam_status status;
    bool divided;
};

static bool in_range(uint64_t value, uint64_t least, uint64_t most) {
    return value >= least && value <= most;
}

static bool body_fits(const uint8_t *bytes) {
    const uint64_t limit = (uint64_t)1 << 30;
    uint64_t s = bytes[8] * 256u + bytes[9], b = bytes[10] * 256u + bytes[11];
    uint64_t l = sam_get32(bytes + 12);
    if (bytes[3] == 'S')
        return in_range(l, 16, 16 + limit);
    if (bytes[5] == 2)
        return in_range(l, b + s + 44, b + s + 44 + limit);
    return l > s && (l - s) % b == 0 && (l - s) / b <= (16 + limit + b - 67) / (b - 66);
}

static enum sam_status judge_fixed(const uint8_t *bytes) {
    char type = (char)bytes[3];
    uint8_t mode = bytes[5], kind = bytes[6];
    bool envelope = type == 'E', record = type == 'S';
    if (bytes[4] != 1)
        return SAM_VERSION;
    if (!in_range(mode, record ? 2 : 1, 2))
        return SAM_MODE;
    if (envelope ? !in_range(kind, 1, 7) : record ? !in_range(kind, 1, 6) && kind != 8 : kind != 0)
        return SAM_KIND;
    if (bytes[7] != 0 || (envelope && sam_get32(bytes + 20) != 0) ||
        (type == 'G' && sam_get32(bytes + 12) != 0) || (type == 'R' && sam_get64(bytes + 8) != 0))
        return SAM_RESERVED;
    if (envelope && !(in_range(bytes[8] * 256u + bytes[9], 256, 512) &&
                      in_range(bytes[10] * 256u + bytes[11], 256, 512)))
        return SAM_KEY_LENGTHS;
    if (type == 'G' ? sam_get32(bytes + 8) > 1u << 30 : type != 'R' && !body_fits(bytes))
        return SAM_LENGTH;
    return type == 'G' && sam_is_zero(bytes + 16, 16) ? SAM_CHALLENGE : SAM_OK;
}

static struct verdict judge(const uint8_t *bytes, size_t length) {
    struct verdict verdict = {.status = SAM_MAGIC};
    size_t known = length < 3 ? length : 3;
    if (memcmp("SAM", length > 0 ? bytes : (const uint8_t *)"", known) != 0)
        return verdict;
    verdict.status = SAM_TRUNCATED;
    if (length < 4)
        return verdict;
    verdict.status = SAM_TYPE;
    verdict.fixed = bytes[3] == 'G' ? 64 : bytes[3] == 'E' ? 128 : strchr("RS", bytes[3]) ? 16 : 0;
    if (verdict.fixed == 0 || bytes[3] == '\0')
        return (struct verdict){.status = SAM_TYPE};
    verdict.whole = length < 16 ? 16 : verdict.fixed + sam_get32(bytes + 12);
    verdict.status = SAM_TRUNCATED;
    if (length < verdict.fixed)
        return verdict;
    verdict.status = judge_fixed(bytes);
    verdict.divided = verdict.status == SAM_OK && strchr("ES", bytes[3]) != NULL;
    if (verdict.status == SAM_OK && length != verdict.whole)
        verdict.status = length < verdict.whole ? SAM_TRUNCATED : SAM_LENGTH;
    return verdict;
}

/* Sections 6 and 9: the name of the part that the byte at offset belongs to. NULL: a field's. */
static const char *owner(const struct verdict *verdict, const uint8_t *bytes, uint64_t offset) {
    if (verdict->fixed == 0)
        return "unknown";
    if (offset < verdict->fixed)
        return NULL;
    if (offset >= verdict->whole)
        return "surplus";
    if (!verdict->divided)
        return "body";
    uint64_t s = bytes[8] * 256u + bytes[9], b = bytes[10] * 256u + bytes[11];
    if (bytes[3] == 'E' && bytes[5] == 1)
        return offset < verdict->whole - s ? "OAEP block" : "signature";
    if (offset >= verdict->whole - 16)
        return "tag";
    if (bytes[3] == 'S' || offset >= 128 + b + 12)
        return "ciphertext";
    return offset < 128 + b ? "wrapped key" : "nonce";
}

static void assert_part(const struct verdict *verdict, const uint8_t *bytes, size_t index,
                        const struct sam_field *part) {
    uint64_t last = part->offset + part->size - 1;
    const char *name = owner(verdict, bytes, part->offset);
    size_t count = 0;
    const struct sam_field *fields = sam_unit_fields(verdict->fixed == 0 ? 0 : bytes[3], &count);
    if (name == NULL) {
        demand(index < count);
        demand(strcmp(part->name, fields[index].name) == 0);
        demand(part->offset == fields[index].offset);
        demand(part->size <= fields[index].size);
        return;
    }
    demand(strcmp(part->name, name) == 0);
    demand(strcmp(owner(verdict, bytes, last), name) == 0);
    if (strcmp(name, "OAEP block") == 0) {
        uint64_t block = sam_get16(bytes + 10);
        demand((part->offset - 128) % block == 0);
        demand(part->size <= block);
    }
}

/* Asserts all that holds of any bytes, which are copied into memory of their size. */
static void assert_anatomy(const uint8_t *data, size_t length) {
    struct sam_anatomy anatomy;
    struct sam_field part, next, found;
    size_t at = 0, index = 0;
    uint8_t *bytes = calloc(1, length > 0 ? length : 1);
    demand(bytes != NULL);
    if (length > 0)
        memcpy(bytes, data, length);
    struct verdict verdict = judge(bytes, length);
    sam_anatomy_start(&anatomy, bytes, length);
    if (anatomy.status != verdict.status)
        ck_status(anatomy.status, verdict.status);
    demand(anatomy.fixed == verdict.fixed);
    demand(anatomy.whole == verdict.whole);
    for (bool more = sam_anatomy_part(&anatomy, 0, &part); more; part = next) {
        demand(part.offset == at);
        demand(part.size > 0);
        demand(part.size <= length - at);
        assert_part(&verdict, bytes, index, &part);
        at += part.size;
        more = sam_anatomy_part(&anatomy, ++index, &next);
        /* Blocks are whole, but for the last bytes there are. */
        if (more && strcmp(part.name, "OAEP block") == 0)
            demand(part.size == sam_get16(bytes + 10));
        demand(sam_anatomy_find(&anatomy, part.name, &found));
        demand(strcmp(found.name, part.name) == 0);
        demand(found.offset == part.offset || found.offset + found.size <= part.offset);
    }
    demand(at == length);
    demand(!sam_anatomy_part(&anatomy, index + 1, &part));
    demand(!sam_anatomy_part(&anatomy, SIZE_MAX, &part));
    free(bytes);
}

/* What is printed. */

struct seen {
    const struct sam_anatomy *anatomy;
    size_t at, index; /* bytes and parts that were told */
    struct sam_field part;
};

static void see(void *context, const char *key, const char *value, size_t length) {
    struct seen *seen = context;
    char expected[SAM_READING_SIZE];
    if (strcmp(key, "name") == 0) {
        demand(sam_anatomy_part(seen->anatomy, seen->index++, &seen->part));
        demand(strcmp(value, seen->part.name) == 0);
    } else if (strcmp(key, "offset") == 0 || strcmp(key, "size") == 0) {
        demand(strtoull(value, NULL, 10) == (key[0] == 'o' ? seen->part.offset : seen->part.size));
    } else if (strcmp(key, "hex") == 0) {
        demand(length == 2 * seen->part.size);
        for (size_t i = 0; i < seen->part.size; i++) {
            snprintf(expected, sizeof expected, "%02x", seen->anatomy->bytes[seen->at++]);
            demand(memcmp(value + 2 * i, expected, 2) == 0);
        }
    } else if (strcmp(key, "number") == 0) { /* of a whole field, never of what is left of one */
        size_t count;
        const struct sam_field *field = sam_unit_fields(seen->anatomy->type, &count);
        uint64_t number = 0;
        demand(seen->index <= count);
        demand(seen->part.size == field[seen->index - 1].size);
        for (size_t i = 0; i < seen->part.size; i++)
            number = number << 8 | seen->anatomy->bytes[seen->part.offset + i];
        demand(strtoull(value, NULL, 10) == number);
    } else if (strcmp(key, "bytes") == 0) {
        demand(strtoull(value, NULL, 10) == seen->anatomy->length);
    } else if (strcmp(key, "status") == 0) {
        demand(strcmp(value, sam_status_name(seen->anatomy->status)) == 0);
    }
}

static void assert_lines(const char *text, size_t length) {
    for (size_t i = 0, column = 0; i < length; i++) {
        bool end = text[i] == '\n';
        demand(end || (text[i] >= ' ' && text[i] <= '~'));
        column = end ? 0 : column + 1;
        if (column > 80)
            ck_abort_msg("more than 80 columns: %.*s", 81, text + i + 1 - column);
    }
}

static void assert_printed(const uint8_t *bytes, size_t length) {
    struct sam_anatomy anatomy;
    struct seen seen = {.anatomy = &anatomy};
    char *shown = NULL;
    size_t size = 0;
    sam_anatomy_start(&anatomy, bytes, length);
    for (int json = 0; json < 2; json++) {
        FILE *out = open_memstream(&shown, &size);
        demand(out != NULL);
        fputs(json ? "{" : "", out);
        if (json) {
            sam_anatomy_json(out, &anatomy);
        } else {
            sam_anatomy_show(out, &anatomy, SIZE_MAX);
            sam_anatomy_summary(out, &anatomy);
        }
        fputs(json ? "}" : "\n", out);
        demand(fclose(out) == 0);
        if (json)
            demand(json_read(shown, size, see, &seen));
        else
            assert_lines(shown, size);
        free(shown);
    }
    demand(seen.at == length);
}

START_TEST(every_unit_is_its_parts) {
    for (size_t i = 0; i < UNITS; i++) {
        assert_anatomy(units[i].data, units[i].length);
        assert_printed(units[i].data, units[i].length);
    }
}
END_TEST

static const size_t prefixed[] = {0,
                                  47,
                                  48,
                                  99,
                                  146,
                                  VECTOR_ROWS,
                                  VECTOR_ROWS + 1,
                                  VECTOR_ROWS + 2,
                                  VECTOR_ROWS + 3,
                                  UNITS - 2,
                                  UNITS - 1};

START_TEST(every_prefix_and_every_surplus_is_its_parts) {
    struct sam_bytes unit = units[prefixed[_i]], longer = {0};
    ck_status(sam_bytes_append(&longer, unit.data, unit.length), SAM_OK);
    for (size_t length = 0; length <= unit.length; length++)
        assert_anatomy(unit.data, length);
    for (size_t length = 0; length <= unit.length; length += length < 140 ? 1 : 37)
        assert_printed(unit.data, length);
    for (size_t more = 0; more < 40; more++) {
        ck_status(sam_bytes_append(&longer, &(uint8_t){(uint8_t)('A' + more)}, 1), SAM_OK);
        assert_anatomy(longer.data, longer.length);
        assert_printed(longer.data, longer.length);
    }
    sam_bytes_free(&longer);
}
END_TEST

/* A fixed generator, so that a failure can be seen again. */
static uint32_t draw(uint32_t *state, uint32_t below) {
    *state ^= *state << 13, *state ^= *state >> 17, *state ^= *state << 5;
    return (*state >> 7) % below;
}

enum { ROUNDS = 100000, PRINTED = 50, LONGEST = 8192 };

/* Changes a unit, its fixed part above all, and returns its new length. */
static size_t mutate(uint8_t *bytes, size_t length, uint32_t *state) {
    static const uint32_t lengths[] = {0,          1,          15,         16,         17,
                                       255,        256,        512,        513,        844,
                                       0x40000010, 0x40000011, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t at = draw(state, (uint32_t)(draw(state, 2) ? length : length < 24 ? length : 24));
    uint32_t claim = lengths[draw(state, COUNT(lengths))], more = draw(state, 300);
    switch (draw(state, 6)) {
    case 0:
        return draw(state, (uint32_t)length) + 1;
    case 1:
        for (uint32_t i = 0; i < more; i++)
            bytes[length + i] = (uint8_t)draw(state, 256);
        return length + more;
    case 2:
        if (length >= 16)
            sam_put32(bytes + 12, draw(state, 2) ? claim : sam_get32(bytes + 12) + more - 150);
        return length;
    case 3:
        if (length >= 12)
            sam_put16(bytes + 8 + 2 * draw(state, 2),
                      (uint16_t)(draw(state, 4) ? more + 240 : claim));
        return length;
    case 4:
        bytes[at] = (uint8_t)draw(state, 256);
        return length;
    default:
        bytes[at] ^= (uint8_t)(1 << draw(state, 8));
        return length;
    }
}

START_TEST(whatever_is_changed_the_parts_are_all_of_it) {
    static uint8_t bytes[LONGEST];
    uint32_t state = 2463534242u;
    for (int round = 0; round < ROUNDS; round++) {
        const struct sam_bytes *unit = &units[draw(&state, UNITS)];
        size_t length = unit->length;
        demand(length < LONGEST - 4 * 300);
        memcpy(bytes, unit->data, length);
        for (uint32_t times = 1 + draw(&state, 3); times > 0; times--)
            length = mutate(bytes, length, &state);
        assert_anatomy(bytes, length);
        if (round % PRINTED == 0)
            assert_printed(bytes, length);
    }
}
END_TEST

TCase *anatomy_case(void) {
    TCase *tcase = tcase_create("anatomy");
    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, load_units, free_units);
    tcase_add_test(tcase, every_unit_is_its_parts);
    tcase_add_loop_test(tcase, every_prefix_and_every_surplus_is_its_parts, 0, COUNT(prefixed));
    tcase_add_test(tcase, whatever_is_changed_the_parts_are_all_of_it);
    return tcase;
}
