/* sam inspect: what anyone can read of an envelope without a key, and with one the inside. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "open.h"

enum { MESSAGE_SHOWN = 4096 };

static void show_outside(const char *path, const struct sam_anatomy *anatomy) {
    sam_show_text(stdout, (const uint8_t *)path, strlen(path), SIZE_MAX);
    fputs(": ", stdout);
    sam_anatomy_summary(stdout, anatomy);
    printf("\n offset  size  field\n");
    sam_anatomy_show(stdout, anatomy, SIZE_MAX);
    if (anatomy->type != 0 && anatomy->whole != anatomy->length)
        printf("It says that it has %llu bytes; here are %zu.\n",
               (unsigned long long)anatomy->whole, anatomy->length);
    if (anatomy->status == SAM_OK)
        printf("Nothing is wrong with it that can be seen without a key.\n");
    else
        printf("Without a key it can be seen that it\n  %s.\n",
               sam_status_sentence(anatomy->status));
}

static void show_json(const char *path, const struct sam_anatomy *anatomy, const char *gap) {
    printf("%s{\"file\": \"", gap);
    sam_show_json(stdout, path, strlen(path));
    printf("\", ");
    sam_anatomy_json(stdout, anatomy);
    putchar('}');
}

static bool wants_inside(const struct sam_tool_options *options) {
    return options->keys != NULL || options->name != NULL || options->passphrase_file != NULL;
}

static enum sam_exit show_inside(const struct sam_tool *tool, const char *path,
                                 struct sam_opening *opening) {
    const bool colour =
        tool->talk.colour && (isatty(STDOUT_FILENO) || strcmp(tool->options.color, "always") == 0);
    const struct sam_trace trace = {stdout, colour};
    printf("Inside:\n");
    fflush(stdout); /* before what standard error says */
    enum sam_exit code = sam_opening_run(opening, tool, path, &trace, stdout);
    if (code != SAM_EXIT_OK)
        return code;
    printf("message, %zu bytes:\n", opening->envelope.message_length);
    sam_show_text(stdout, opening->envelope.message, opening->envelope.message_length,
                  MESSAGE_SHOWN);
    putchar('\n');
    return SAM_EXIT_OK;
}

/* *gap stands in front of the next member of the JSON array. */
static enum sam_exit inspect(const struct sam_tool *tool, const char *path, const char **gap) {
    struct sam_opening opening = {0};
    struct sam_anatomy anatomy;
    bool from_stdin = strcmp(path, "-") == 0;
    const char *name = from_stdin ? "standard input" : path;
    enum sam_exit code =
        sam_tool_read(tool, from_stdin ? NULL : path, SAM_ENVELOPE_LIMIT, &opening.envelope.bytes);
    if (code == SAM_EXIT_OK) {
        sam_anatomy_start(&anatomy, opening.envelope.bytes.data, opening.envelope.bytes.length);
        if (tool->options.json)
            show_json(name, &anatomy, *gap);
        else
            show_outside(name, &anatomy);
        *gap = ",\n";
        if (wants_inside(&tool->options))
            code = show_inside(tool, name, &opening);
        else if (anatomy.status != SAM_OK)
            code = SAM_EXIT_UNVERIFIED;
    }
    sam_opening_free(&opening);
    return code;
}

enum sam_exit sam_tool_inspect(const struct sam_tool *tool) {
    /* A reader who has seen enough, such as head, ends this quietly, as any other filter. */
    signal(SIGPIPE, SIG_DFL);
    static const struct sam_where output = {"standard output"};
    enum sam_exit code = SAM_EXIT_OK;
    const char *gap = "";
    if (tool->options.json && wants_inside(&tool->options)) {
        sam_arguments_complain("sam", "--json tells what needs no key: leave out --keys and --name",
                               NULL);
        return SAM_EXIT_USAGE;
    }
    fputs(tool->options.json ? "[" : "", stdout);
    for (size_t i = 0; i < tool->operand_count || i == 0; i++) {
        const char *path = tool->operand_count == 0 ? "-" : tool->operands[i];
        enum sam_exit one = inspect(tool, path, &gap);
        code = one != SAM_EXIT_OK ? one : code;
    }
    fputs(tool->options.json ? "]\n" : "", stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        return sam_complain(&tool->talk, &output, SAM_FILE_WRITE);
    return code;
}
