#include "arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

bool sam_arguments_complain(const char *program, const char *what, const char *about) {
    fprintf(stderr, "%s: %s", program, what);
    if (about != NULL) {
        fputs(" \"", stderr);
        sam_show_text(stderr, (const uint8_t *)about, strlen(about), SIZE_MAX);
        fputc('"', stderr);
    }
    fprintf(stderr, "; see %s --help\n", program);
    return false;
}

void sam_arguments_help(const struct sam_arguments *arguments, const struct sam_words *words) {
    bool one = words->command != NULL && words->name != NULL;
    unsigned wanted = one ? words->command->bit : arguments->mine;
    printf("%s\n\n", arguments->title);
    for (size_t i = 0; i < arguments->command_count; i++) {
        const struct sam_command *command = &arguments->commands[i];
        if (command->bit & wanted)
            printf("  %s %-17s %-6s %s\n", arguments->program, command->name, command->operand,
                   command->help);
    }
    printf("\nOptions, anywhere; -- ends them:\n");
    for (size_t i = 0; i < arguments->option_count; i++) {
        const struct sam_option *option = &arguments->options[i];
        const char *tab = strchr(option->help, '\t');
        if (option->commands & wanted)
            printf("  --%-15s %-9.*s %s\n", option->name, (int)(tab - option->help), option->help,
                   tab + 1);
    }
    printf("\n%s\n", arguments->closing);
}

static bool set_number(const char *program, const struct sam_option *option, const char *value,
                       void *at) {
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    bool digits = value[0] >= '0' && value[0] <= '9' && *end == '\0' && errno == 0;
    if (!digits || number < option->least || number > option->most) {
        char what[96];
        snprintf(what, sizeof what, "--%s takes a number from %lu to %lu, not", option->name,
                 option->least, option->most);
        return sam_arguments_complain(program, what, value);
    }
    uint32_t small = (uint32_t)number;
    memcpy(at, &small, sizeof small);
    return true;
}

static bool set(const char *program, const struct sam_option *option, const char *value, void *at) {
    const bool on = true;
    struct sam_texts *texts = at;
    switch (option->type) {
    case SAM_NUMBER:
        return set_number(program, option, value, at);
    case SAM_TEXT:
        memcpy(at, &value, sizeof value);
        return true;
    case SAM_TEXTS:
        if (texts->count == SAM_TEXTS_MAX)
            return sam_arguments_complain(program, "too often: option --", option->name);
        texts->items[texts->count++] = value;
        return true;
    default:
        memcpy(at, &on, sizeof on);
        return true;
    }
}

/* Options may stand before, behind and between the operands, on every system: getopt_long is told
 * to stop at an operand (+), and is called again behind it. */
static bool read_words(const struct sam_arguments *arguments, void *values, int argc, char **argv,
                       struct sam_words *words) {
    struct option known[SAM_OPTIONS_MAX + 1] = {0};
    int count = (int)arguments->option_count;
    for (int i = 0, k = 0; i < count; i++)
        if (arguments->options[i].commands & arguments->mine)
            known[k++] = (struct option){arguments->options[i].name,
                                         arguments->options[i].type != SAM_FLAG, NULL, i};
    bool only_operands = false;
    opterr = 0; /* it would name the program by its path */
    for (;;) {
        int before = optind;
        int code = only_operands ? -1 : getopt_long(argc, argv, "+:", known, NULL);
        if (code < 0 && optind > before) /* it has passed a -- */
            only_operands = true;
        if (code >= 0 && code < count) {
            const struct sam_option *option = &arguments->options[code];
            words->used |= (uint64_t)1 << code;
            if (!set(arguments->program, option, optarg, (char *)values + option->at))
                return false;
        } else if (code >= 0) {
            return sam_arguments_complain(
                arguments->program,
                code == ':' ? "a value is missing behind the option"
                            : "no such option (-- goes before a text that starts with a dash):",
                argv[optind == before ? optind : optind - 1]);
        } else if (optind >= argc) {
            return true;
        } else { /* operands gather at the front: no word that is still to be read stands there */
            words->literal = only_operands;
            words->operands[words->count++] = argv[optind++];
        }
    }
}

bool sam_arguments_read(const struct sam_arguments *arguments, void *values, int argc, char **argv,
                        struct sam_words *words) {
    *words = (struct sam_words){.operands = argv + (argc > 0)};
    bool good = read_words(arguments, values, argc, argv, words);
    if (words->count > 0) {
        words->name = *words->operands++;
        words->count--;
    }
    for (size_t i = 0; i < arguments->command_count; i++) {
        const struct sam_command *command = &arguments->commands[i];
        bool named = words->name == NULL
                         ? command->name[0] == '\0'
                         : words->name[0] != '\0' && strcmp(command->name, words->name) == 0;
        if (command->bit & arguments->mine && named)
            words->command = command;
    }
    return good;
}

bool sam_arguments_check(const struct sam_arguments *arguments, const struct sam_words *words) {
    const char *program = arguments->program;
    if (words->command == NULL && words->name == NULL)
        return sam_arguments_complain(program, "a command is missing", NULL);
    if (words->command == NULL)
        return sam_arguments_complain(program, "there is no command called", words->name);
    if (words->count > words->command->operands)
        return sam_arguments_complain(
            program, "too many words (a text with blanks goes into quotes); the first of them:",
            words->operands[words->command->operands]);
    for (size_t i = 0; i < arguments->option_count; i++) {
        const struct sam_option *option = &arguments->options[i];
        if (!(words->used >> i & 1) || option->commands & words->command->bit)
            continue;
        char what[64];
        snprintf(what, sizeof what, "--%s does not go with this command", option->name);
        return sam_arguments_complain(program, what, NULL);
    }
    return true;
}
