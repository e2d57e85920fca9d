/* sam wiretap: a proxy that shows what an eavesdropper sees, and attacks by rule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    sam_where_set(where, errno == EEXIST ? "%s exists already, name a new folder" : "%s", path);
    return SAM_FILE_WRITE;
}

static enum sam_status open_capture(struct sam_tap *tap, const char *path,
                                    struct sam_where *where) {
    if (path == NULL)
        return SAM_OK;
    sam_where_set(where, "%s", path);
    enum sam_status status = sam_capture_open(&tap->capture, path);
    int reason = errno;
    if (status != SAM_OK && tap->save != NULL)
        rmdir(tap->save); /* made a moment ago */
    errno = reason;
    return status;
}

static void tell_start(const struct sam_tap *tap, const struct sam_where *listening) {
    fprintf(stderr, "sam: wiretap on %s, passing on to ", listening->text);
    sam_show_text(stderr, (const uint8_t *)tap->host, strlen(tap->host), SIZE_MAX);
    fprintf(stderr, ":%u\n", (unsigned)tap->port);
}

static enum sam_exit run(const struct sam_tool *tool, struct sam_tap *tap, const char *host,
                         uint16_t port) {
    const struct sam_tool_options *options = &tool->options;
    struct sam_where where;
    struct sam_acceptor acceptor = {
        .context = tap, .serve = serve, .turn_away = turn_away, .most = CONNECTIONS_MAX};
    enum sam_status status = sam_memory_init(&tap->memory, COMMON_MEMORY);
    if (status != SAM_OK)
        return sam_complain(&tool->talk, &(struct sam_where){"this system"}, status);
    status = sam_acceptor_open(&acceptor, host, &port, options->port_file, &where);
    const struct sam_where listening = where;
    if (status == SAM_OK)
        status = make_folder(tap->save, &where);
    if (status == SAM_OK)
        status = open_capture(tap, options->pcap, &where);
    if (status == SAM_OK) {
        if (!options->quiet)
            tell_start(tap, &listening);
        tap->stop = acceptor.stop[0];
        sam_acceptor_run(&acceptor);
    }
    int reason = errno; /* of a failure that is told below */
    sam_acceptor_close(&acceptor);
    sam_memory_destroy(&tap->memory);
    if (tap->capture != NULL) {
        status = sam_capture_close(tap->capture);
        reason = errno;
    }
    if (status == SAM_OK && ferror(stdout)) {
        sam_where_set(&where, "standard output");
        reason = 0;
        status = SAM_FILE_WRITE;
    }
    errno = reason;
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
    if (port == tap.port && strcmp(host, tap.host) == 0) {
        sam_arguments_complain("sam", "--listen and --to are the same place", options->to);
        return SAM_EXIT_USAGE;
    }
    if (!sam_plan_read(&plan, options))
        return SAM_EXIT_USAGE;
    return run(tool, &tap, host, port);
}
