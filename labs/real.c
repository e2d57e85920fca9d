#include "real.h"

#include <string.h>
#include <unistd.h>

struct server_process real_start(const struct sam_mode *mode, const char *order) {
    struct server_process server;
    start_server(&server, mode, lab, NULL);
    tell("The real server of %s runs, and the real client sends \"%s\".", mode->name, order);
    struct run_result sent = run_client(&server, "send_msg", order, NULL);
    if (sent.code != 0)
        lose("a receipt", "exit code %d of the real client:\n%s", sent.code,
             (const char *)sent.err.data);
    run_result_free(&sent);
    return server;
}

int real_connect(const struct server_process *server, struct sam_greeting *greeting) {
    uint8_t bytes[SAM_GREETING_SIZE];
    int fd = -1;
    ck_status(sam_connect(&fd, "127.0.0.1", server->port, -1, sam_now() + PATIENT, NULL), SAM_OK);
    ck_status(sam_read_all(fd, -1, sam_now() + PATIENT, bytes, sizeof bytes), SAM_OK);
    ck_status(sam_greeting_read(greeting, bytes, server->mode->number), SAM_OK);
    return fd;
}

/* What the server's log says of the last that it rejected, "STALE"; "nothing" where it rejected
 * fewer than so many. */
static void last_rejection(const struct server_process *server, size_t least, char name[32]) {
    static const char mark[] = "rejected: ";
    struct sam_bytes said = process_err(&server->process);
    const char *last = NULL;
    for (const char *at = (const char *)said.data; (at = strstr(at, mark)) != NULL; at++)
        last = at + sizeof mark - 1;
    bool found = last != NULL && count_text(&said, mark) >= least;
    snprintf(name, 32, "%.*s", found ? (int)strcspn(last, "\n") : 7, found ? last : "nothing");
    sam_bytes_free(&said);
}

static size_t count_rejections(const struct server_process *server) {
    struct sam_bytes said = process_err(&server->process);
    size_t count = count_text(&said, "rejected: ");
    sam_bytes_free(&said);
    return count;
}

void real_expect_refused(const struct server_process *server, int fd, const void *bytes,
                         size_t length, enum sam_status status) {
    char name[32];
    uint8_t rejection[SAM_REJECTION_SIZE];
    size_t before = count_rejections(server);
    /* It may reject the header and be gone before all is written. */
    enum sam_status sent = sam_write_all(fd, -1, sam_now() + PATIENT, bytes, length);
    ck_assert(sent == SAM_OK || sent == SAM_CLOSED);
    sam_rejection_write(rejection, server->mode->number);
    struct sam_bytes got = read_to_end(fd);
    if (got.length != sizeof rejection || memcmp(got.data, rejection, sizeof rejection) != 0)
        lose("a rejection by the real server", "%zu bytes that are none", got.length);
    sam_bytes_free(&got);
    last_rejection(server, before + 1, name);
    if (strcmp(name, sam_status_name(status)) != 0)
        lose(sam_status_name(status), "%s in the real server's log", name);
    tell("The real server rejects it; its log says %s.", sam_status_name(status));
}

void real_stop(struct server_process *server, const char *shown) {
    struct run_result result = stop_server(server);
    if (strcmp((const char *)result.out.data, shown) != 0)
        lose(shown, "on the real server's standard output: %s", (const char *)result.out.data);
    run_result_free(&result);
}
