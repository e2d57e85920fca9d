/* Rules of the wiretap, and lists of sizes, as somebody types them: a line each up to six; behind
 * them is a unit to which the edits are done. */
#include <string.h>

#include "compare.h"
#include "fuzzing.h"
#include "rules.h"

enum { LINES = 6, LINE_MOST = 300 };

/* The next line of an input. */
static void take_line(char out[LINE_MOST], const uint8_t **data, size_t *size) {
    size_t length = 0;
    for (uint8_t c; *size > 0 && (c = take_byte(data, size)) != '\n' && c != '\0';)
        if (length + 1 < LINE_MOST)
            out[length++] = (char)c;
    out[length] = '\0';
}

/* What is not changed is as before; a bit that is turned over twice is as before. */
static void apply(const struct sam_edit *edit, const uint8_t *unit, size_t size) {
    struct told told;
    uint8_t *copy = own_copy(unit, size);
    begin_told(&told);
    bool changed = sam_edit_apply(edit, copy, size, told.out);
    size_t differing = 0;
    for (size_t i = 0; i < size; i++)
        differing += copy[i] != unit[i];
    require(changed || differing == 0);
    if (changed && edit->flips) {
        require(differing == 1);
        /* Where the name was found the unit may now be another, so that it is not found again. */
        if (edit->field[0] == '\0')
            require(sam_edit_apply(edit, copy, size, told.out) && memcmp(copy, unit, size) == 0);
    } else {
        require(differing <= edit->value_size);
    }
    finish_told(&told);
    require(told.length > 0 && memchr(told.text, '\n', told.length) == NULL);
    free_told(&told);
    free(copy);
}

static void read_plan(const struct sam_tool_options *options) {
    struct sam_plan plan;
    if (!sam_plan_read(&plan, options))
        return;
    require(plan.edit_count == options->flip.count + options->set.count);
    require(plan.swap[0] < plan.swap[1] || (options->swap == NULL && plan.swap[1] == 0));
    for (uint32_t number = 0; number < 10; number++)
        require(sam_plan_actions(&plan, 1 - plan.side, number) == 0 &&
                sam_plan_actions(&plan, plan.side, number) < 256);
}

static void read_sizes(const char *line) {
    struct sam_compare_sizes sizes;
    if (!sam_compare_read_sizes(&sizes, line))
        return;
    require(sizes.count >= 1 && sizes.count <= SAM_COMPARE_SIZES);
    for (size_t i = 0; i < sizes.count; i++)
        require(sizes.items[i] <= SAM_COMPARE_LARGEST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char lines[LINES][LINE_MOST];
    struct sam_edit edit;
    struct sam_tool_options options = {.side = "client", .envelope = 1};
    options.drop = take_byte(&data, &size) % 4;
    options.replay = take_byte(&data, &size) % 4;
    for (size_t i = 0; i < LINES; i++)
        take_line(lines[i], &data, &size);
    for (size_t i = 0; i < LINES; i++)
        for (int flips = 0; flips < 2; flips++)
            if (sam_edit_parse(&edit, flips, lines[i]))
                apply(&edit, data, size);
    options.flip = (struct sam_texts){.items = {lines[0], lines[1]}, .count = 2};
    options.set = (struct sam_texts){.items = {lines[2]}, .count = 1};
    options.swap = lines[3][0] != '\0' ? lines[3] : NULL;
    options.side = lines[4][0] != '\0' ? lines[4] : "client";
    read_plan(&options);
    for (size_t i = 0; i < LINES; i++)
        read_sizes(lines[i]);
    sam_mode_find(lines[5]);
    return 0;
}
