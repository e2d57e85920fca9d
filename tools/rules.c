#include "rules.h"

#include <string.h>

static int nibble(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hex(struct sam_edit *edit, const char *text) {
    size_t size = strlen(text) / 2;
    if (size == 0 || size > sizeof edit->value || strlen(text) % 2 != 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        edit->value[i] = (uint8_t)(high << 4 | low);
    }
    edit->value_size = size;
    return true;
}

/* Digits and nothing else. */
static bool read_number(uint32_t *out, const char *text, size_t length) {
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text[i] - '0');
        if (number > UINT32_MAX)
            return false;
    }
    *out = (uint32_t)number;
    return length > 0;
}

/* A unit of every type, to ask for the names of fields: empty headers with bodies that fit. */
static size_t sample(uint8_t out[1024], uint8_t type, const struct sam_mode *mode) {
    struct sam_header header = {.mode = mode->number,
                                .kind = SAM_KIND_SEND,
                                .signature_length = SAM_RSA_SIZE_MIN,
                                .block_length = SAM_RSA_SIZE_MIN};
    struct sam_layout layout = mode->layout(SAM_SALT_SIZE, SAM_RSA_SIZE_MIN, SAM_RSA_SIZE_MIN);
    size_t count = 0;
    header.body_length = (uint32_t)layout.length;
    memset(out, 0, 1024);
    sam_header_write(out, &header);
    out[SAM_AT_TYPE] = type;
    if (type == SAM_ENVELOPE)
        return SAM_HEADER_SIZE + layout.length;
    const struct sam_field *fields = sam_unit_fields(type, &count);
    return fields[count - 1].offset + fields[count - 1].size;
}

/* Whether any unit has a field of that name. *size is what all that have it agree on, 0 when they
 * do not, or when it is a part of a body. */
static bool is_field(const char *name, size_t *size) {
    static const uint8_t types[] = {SAM_GREETING, SAM_ENVELOPE, SAM_REJECTION, SAM_RECORD};
    uint8_t unit[1024];
    struct sam_anatomy anatomy;
    struct sam_field field;
    bool found = false;
    for (size_t i = 0; i < sizeof types * SAM_MODES; i++) {
        sam_anatomy_start(&anatomy, unit,
                          sample(unit, types[i / SAM_MODES], sam_modes[i % SAM_MODES]));
        if (!sam_anatomy_find(&anatomy, name, &field))
            continue;
        size_t here = field.offset < anatomy.fixed ? field.size : 0;
        *size = !found || *size == here ? here : 0;
        found = true;
    }
    return found;
}

bool sam_edit_parse(struct sam_edit *edit, bool flips, const char *text) {
    const char *mark = strchr(text, flips ? ':' : '=');
    size_t length = mark == NULL ? strlen(text) : (size_t)(mark - text), size = 0;
    uint32_t offset = 0;
    *edit = (struct sam_edit){.flips = flips};
    bool numeric = read_number(&offset, text, length);
    edit->offset = offset;
    if (!numeric) {
        if (length >= sizeof edit->field)
            return false;
        memcpy(edit->field, text, length);
        if (!is_field(edit->field, &size))
            return false;
    }
    if (!flips)
        return mark != NULL && read_hex(edit, mark + 1) && (size == 0 || size == edit->value_size);
    if (mark != NULL && !read_number(&edit->bit, mark + 1, strlen(mark + 1)))
        return false;
    return numeric ? edit->bit < 8 : size == 0 || edit->bit < 8 * size;
}

bool sam_edit_apply(const struct sam_edit *edit, uint8_t *bytes, size_t length, FILE *told) {
    struct sam_anatomy anatomy;
    struct sam_field field = {.name = "byte", .offset = edit->offset, .size = 1};
    sam_anatomy_start(&anatomy, bytes, length);
    if (edit->field[0] != '\0' && !sam_anatomy_find(&anatomy, edit->field, &field)) {
        fprintf(told, "nothing done: it has no field called \"%s\"", edit->field);
        return false;
    }
    size_t size = edit->flips ? edit->bit / 8 + 1 : edit->value_size;
    size_t room = edit->field[0] != '\0' ? field.size
                                         : length - (edit->offset < length ? edit->offset : length);
    if (size > room) {
        fprintf(told, "nothing done: \"%s\" at %zu has %zu bytes there, not %zu", field.name,
                field.offset, room, size);
        return false;
    }
    if (edit->flips) {
        size_t at = field.offset + (edit->field[0] != '\0' ? field.size : 1) - size;
        bytes[at] = (uint8_t)(bytes[at] ^ 1u << edit->bit % 8);
        fprintf(told, "turned over bit %u of \"%s\" at offset %zu", (unsigned)edit->bit, field.name,
                at);
    } else {
        memcpy(bytes + field.offset, edit->value, size);
        fprintf(told, "set %zu byte(s) of \"%s\" at offset %zu", size, field.name, field.offset);
    }
    return true;
}

static bool read_edits(struct sam_plan *plan, const struct sam_texts *texts, bool flips) {
    for (size_t i = 0; i < texts->count; i++) {
        if (sam_edit_parse(&plan->edits[plan->edit_count++], flips, texts->items[i]))
            continue;
        return sam_arguments_complain(
            "sam",
            flips ? "--flip takes FIELD:BIT, where FIELD is a name that sam inspect shows, such as "
                    "tag or "
                    "sent-at, or an offset, and BIT is in it; not"
                  : "--set takes FIELD=HEX, where FIELD is a name that sam inspect shows, such as "
                    "sequence, or an offset, and HEX is all of its bytes; not",
            texts->items[i]);
    }
    return true;
}

static bool read_swap(struct sam_plan *plan, const char *text) {
    const char *comma = text == NULL ? NULL : strchr(text, ',');
    if (text == NULL)
        return true;
    uint32_t a = 0, b = 0;
    if (comma == NULL || !read_number(&a, text, (size_t)(comma - text)) ||
        !read_number(&b, comma + 1, strlen(comma + 1)) || a == b || a == 0 || b == 0)
        return sam_arguments_complain("sam", "--swap takes two numbers from 1, as in 1,2, not",
                                      text);
    plan->swap[0] = a < b ? a : b;
    plan->swap[1] = a < b ? b : a;
    return true;
}

/* Of a unit that is dropped or held there is nothing to replay. */
static bool check_numbers(const struct sam_plan *plan) {
    const uint32_t numbers[] = {plan->drop, plan->replay, plan->replay_new, plan->swap[0],
                                plan->swap[1]};
    enum { NUMBERS = sizeof numbers / sizeof numbers[0] };
    for (size_t i = 0; i < NUMBERS; i++)
        for (size_t k = 0; k < i; k++)
            if (numbers[i] != 0 && numbers[i] == numbers[k])
                return sam_arguments_complain(
                    "sam",
                    "--drop, --replay, --replay-new and --swap take a number each of its own",
                    NULL);
    return true;
}

bool sam_plan_read(struct sam_plan *plan, const struct sam_tool_options *options) {
    *plan = (struct sam_plan){
        .side = strcmp(options->side, "server") == 0,
        .envelope = options->envelope,
        .truncate = options->truncate,
        .delay = options->delay,
        .drop = options->drop,
        .replay = options->replay,
        .replay_new = options->replay_new,
    };
    if (plan->side == 0 && strcmp(options->side, "client") != 0)
        return sam_arguments_complain("sam", "--side takes client or server, not", options->side);
    if (plan->side == 1 && options->replay_new != 0)
        return sam_arguments_complain(
            "sam", "--replay-new is for what a client sends: leave out --side server", NULL);
    if (plan->side == 0 && plan->envelope == 0)
        return sam_arguments_complain(
            "sam", "--envelope 0 is a server's greeting: it takes --side server", NULL);
    return read_edits(plan, &options->flip, true) && read_edits(plan, &options->set, false) &&
           read_swap(plan, options->swap) && check_numbers(plan);
}

unsigned sam_plan_actions(const struct sam_plan *plan, unsigned side, uint32_t number) {
    const struct {
        uint32_t number; /* 0: not asked for */
        unsigned action;
    } asked[] = {{plan->drop, SAM_DROP},
                 {plan->swap[0], SAM_HOLD},
                 {plan->swap[1], SAM_RELEASE},
                 {plan->replay, SAM_REPLAY},
                 {plan->replay_new, SAM_REPLAY_NEW}};
    unsigned actions = 0;
    if (side != plan->side)
        return 0;
    if (number == plan->envelope)
        actions = (plan->edit_count > 0 ? SAM_CHANGE : 0u) | (plan->delay > 0 ? SAM_DELAY : 0u) |
                  (plan->truncate > 0 ? SAM_TRUNCATE : 0u);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        if (number != 0 && number == asked[i].number)
            actions |= asked[i].action;
    return actions;
}
