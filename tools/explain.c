/* sam explain: a page that explains every byte of an envelope. */
#include "explain.h"

#include <stdlib.h>
#include <string.h>

#include "sam.h"

static const char *last_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

enum sam_exit sam_tool_explain(const struct sam_tool *tool) {
    if (tool->operand_count == 0) {
        sam_arguments_complain("sam", "explain takes the file to explain", NULL);
        return SAM_EXIT_USAGE;
    }
    const char *path = tool->operands[0];
    struct sam_bytes bytes = {0};
    enum sam_exit code = sam_tool_read(tool, path, SAM_ENVELOPE_LIMIT, &bytes);
    if (code != SAM_EXIT_OK)
        return code;
    struct sam_anatomy anatomy;
    char *page = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&page, &length);
    if (out != NULL) {
        sam_anatomy_start(&anatomy, bytes.data, bytes.length);
        sam_explain_page(out, last_name(path), &anatomy);
    }
    bool written = out != NULL && ferror(out) == 0;
    if (out != NULL && fclose(out) != 0)
        written = false;
    if (written) {
        code = sam_tool_write(tool, tool->options.out, SAM_PUBLIC, page, length);
        if (code == SAM_EXIT_OK && tool->options.out != NULL && !tool->options.quiet)
            fprintf(stderr, "sam: wrote %s: open it in a browser\n", tool->options.out);
    } else {
        struct sam_where where;
        sam_where_set(&where, "%s", path);
        code = sam_complain(&tool->talk, &where, SAM_MEMORY);
    }
    free(page);
    sam_bytes_free(&bytes);
    return code;
}
