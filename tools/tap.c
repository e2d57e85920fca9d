#include "tap.h"

#include <unistd.h>

#include "note.h"
#include "stream.h"

enum { PATIENCE_SECONDS = 10 /* with a server that does not answer */ };

/* The two ends of a socket, as a flow wants them: who connected, and who listened. */
static void begin_flow(struct sam_capture *capture, struct sam_flow *flow, enum sam_leg leg,
                       int fd) {
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t own_length = sizeof own, peer_length = sizeof peer;
    getsockname(fd, (struct sockaddr *)&own, &own_length);
    getpeername(fd, (struct sockaddr *)&peer, &peer_length);
    bool accepted = leg == SAM_LEG_CLIENT;
    sam_flow_begin(capture, flow, leg, accepted ? &peer : &own, accepted ? &own : &peer);
}

/* Connects to the server; fd is -1 when it cannot, which has been told. */
static int connect_to_server(const struct sam_tap *tap, unsigned long number) {
    int fd;
    struct sam_where where;
    int64_t deadline = sam_now() + PATIENCE_SECONDS * SAM_SECOND;
    enum sam_status status = sam_connect(&fd, tap->host, tap->port, tap->stop, deadline, &where);
    if (status != SAM_OK) {
        char about[sizeof where.text + 128];
        snprintf(about, sizeof about, "%s: %s", where.text,
                 status == SAM_TIMEOUT ? "does not answer" : sam_status_sentence(status));
        sam_note_line(number, "", about);
    }
    return fd;
}

void sam_tap_replay(const struct sam_tap *tap, unsigned long number, const uint8_t *unit,
                    size_t length) {
    struct sam_flow flow;
    struct sam_anatomy anatomy;
    struct sam_note note;
    uint8_t greeting[SAM_GREETING_SIZE], answer[SAM_HEADER_SIZE];
    size_t answered = 0;
    int fd = connect_to_server(tap, number);
    int64_t deadline = sam_now() + PATIENCE_SECONDS * SAM_SECOND;
    if (fd < 0)
        return;
    begin_flow(tap->capture, &flow, SAM_LEG_SERVER, fd);
    if (sam_read_all(fd, tap->stop, deadline, greeting, sizeof greeting) == SAM_OK) {
        sam_flow_data(tap->capture, &flow, 1, greeting, sizeof greeting, NULL);
        sam_flow_data(tap->capture, &flow, 0, unit, length, "replayed by the wiretap");
        /* A write that fails has met a rejection: reading tells. */
        (void)!sam_write_all(fd, tap->stop, deadline, unit, length);
        if (sam_read_some(fd, tap->stop, deadline, answer, sizeof answer, &answered) == SAM_OK)
            sam_flow_data(tap->capture, &flow, 1, answer, answered, NULL);
    }
    sam_flow_end(tap->capture, &flow, 0);
    close(fd);
    if (!sam_note_open(&note, number))
        return;
    sam_anatomy_start(&anatomy, answer, answered);
    fputs("on the new connection the server answers: ", note.log);
    if (answered > 0)
        sam_anatomy_summary(note.log, &anatomy);
    else
        fputs("nothing", note.log);
    fputc('\n', note.log);
    sam_note_tell(&note);
}

void sam_tap_run(const struct sam_tap *tap, const struct sam_accepted *accepted) {
    struct sam_tapped tapped = {.tap = tap, .number = accepted->number};
    struct sam_stream streams[2] = {{.tapped = &tapped, .side = 0, .number = 1},
                                    {.tapped = &tapped, .side = 1, .number = 0}};
    pthread_t thread;
    tapped.fds[0] = accepted->fd;
    tapped.fds[1] = connect_to_server(tap, accepted->number);
    if (tapped.fds[1] < 0)
        return;
    pthread_mutex_init(&tapped.lock, NULL);
    sam_note_line(accepted->number, accepted->address, " connects");
    begin_flow(tap->capture, &tapped.flows[0], SAM_LEG_CLIENT, tapped.fds[0]);
    begin_flow(tap->capture, &tapped.flows[1], SAM_LEG_SERVER, tapped.fds[1]);
    if (pthread_create(&thread, NULL, sam_stream_run, &streams[1]) == 0) {
        sam_stream_run(&streams[0]);
        pthread_join(thread, NULL);
    } else {
        sam_note_line(accepted->number, "the system gives no more threads", "");
    }
    close(tapped.fds[1]);
    pthread_mutex_destroy(&tapped.lock);
}
