/* sam wiretap: a proxy that shows what an eavesdropper sees, and attacks by rule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tap.h"

enum {
    CONNECTIONS_MAX = 256,
    COMMON_MEMORY = 512 * 1024 * 1024 /* of units that are large */
};

static void serve(void *context, const struct sam_accepted *accepted) {
    sam_tap_run(context, accepted);
}

static void turn_away(void *context, const struct sam_accepted *accepted) {
    (void)context;
    fprintf(stderr, "sam: #%lu %s: the system gives no more threads\n", accepted->number,
            accepted->address);
}

/* Splits "HOST:PORT", "[HOST]:PORT" or, with a default host, "PORT". */
static bool read_address(char host[256], uint16_t *port, const char *text, const char *fallback) {
    const char *colon = strrchr(text, ':');
    const char *digits = colon == NULL ? text : colon + 1;
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(digits, &end, 10);
    if (digits[0] < '0' || digits[0] > '9' || *end != '\0' || errno != 0 || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    if (colon == NULL)
        return fallback != NULL && snprintf(host, 256, "%s", fallback) > 0;
    bool bracketed = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
    int length = (int)(colon - text) - (bracketed ? 2 : 0);
    return length > 0 && length < 256 &&
           snprintf(host, 256, "%.*s", length, text + bracketed) == length;
}

/* A folder of its own: what an earlier run kept is not mixed with this one, nor lost. */
static enum sam_status make_folder(const char *path, struct sam_where *where) {
    if (path == NULL || mkdir(path, 0700) == 0)
        return SAM_OK;
    sam_where_set(where, "%s", path);
    return SAM_FILE_WRITE;
}

static enum sam_exit run(const struct sam_tool *tool, struct sam_tap *tap, const char *host,
                         uint16_t port) {
    const struct sam_tool_options *options = &tool->options;
    struct sam_where where;
    struct sam_acceptor acceptor = {
        .context = tap, .serve = serve, .turn_away = turn_away, .most = CONNECTIONS_MAX};
    struct sam_memory memory;
    enum sam_status status = sam_memory_init(&memory, COMMON_MEMORY);
    if (status != SAM_OK)
        return sam_complain(&tool->talk, &(struct sam_where){"this system"}, status);
    tap->memory = &memory;
    status = sam_acceptor_open(&acceptor, host, &port, options->port_file, &where);
    const struct sam_where listening = where;
    if (status == SAM_OK)
        status = make_folder(tap->save, &where);
    if (status == SAM_OK && options->pcap != NULL) {
        sam_where_set(&where, "%s", options->pcap);
        status = sam_capture_open(&tap->capture, options->pcap);
    }
    if (status == SAM_OK) {
        if (!options->quiet)
            fprintf(stderr, "sam: the wiretap listens on %s and passes on to %s port %u\n",
                    listening.text, tap->host, (unsigned)tap->port);
        tap->stop = acceptor.stop[0];
        sam_acceptor_run(&acceptor);
    }
    sam_acceptor_close(&acceptor);
    sam_memory_destroy(&memory);
    if (tap->capture != NULL)
        status = sam_capture_close(tap->capture);
    return status == SAM_OK ? SAM_EXIT_OK : sam_complain(&tool->talk, &where, status);
}

enum sam_exit sam_tool_wiretap(const struct sam_tool *tool) {
    const struct sam_tool_options *options = &tool->options;
    struct sam_plan plan;
    struct sam_tap tap = {
        .plan = &plan, .save = options->save, .brief = options->brief || options->quiet};
    char host[256];
    uint16_t port = 0;
    if (options->listen == NULL || !read_address(host, &port, options->listen, "127.0.0.1")) {
        sam_arguments_complain("sam", "wiretap takes --listen PORT or HOST:PORT", options->listen);
        return SAM_EXIT_USAGE;
    }
    if (options->to == NULL || !read_address(tap.host, &tap.port, options->to, NULL) ||
        tap.port == 0) {
        sam_arguments_complain("sam", "wiretap takes --to HOST:PORT, the server", options->to);
        return SAM_EXIT_USAGE;
    }
    if (!sam_plan_read(&plan, options))
        return SAM_EXIT_USAGE;
    return run(tool, &tap, host, port);
}
