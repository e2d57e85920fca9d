#include "tap.h"

#include <unistd.h>

#include "note.h"
#include "stream.h"

enum { PATIENCE_SECONDS = 10 /* with a server that does not answer */ };

/* Tells a capture of a connection. False when it is gone already. */
static bool begin_flow(struct sam_capture *capture, struct sam_flow *flow, enum sam_leg leg,
                       int fd) {
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t own_length = sizeof own, peer_length = sizeof peer;
    if (getsockname(fd, (struct sockaddr *)&own, &own_length) != 0 ||
        getpeername(fd, (struct sockaddr *)&peer, &peer_length) != 0)
        return false;
    bool accepted = leg == SAM_LEG_CLIENT;
    sam_flow_begin(capture, flow, leg, accepted ? &peer : &own, accepted ? &own : &peer);
    return true;
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

/* Reads the fixed part of a greeting or a rejection, or the start of any other unit, and tells the
 * capture. Returns how many bytes there are. */
static size_t read_answer(const struct sam_tap *tap, struct sam_flow *flow, int fd,
                          uint8_t unit[SAM_GREETING_SIZE]) {
    int64_t deadline = sam_now() + PATIENCE_SECONDS * SAM_SECOND;
    if (sam_read_all(fd, tap->stop, deadline, unit, SAM_UNIT_SIZE) != SAM_OK)
        return 0;
    size_t length = SAM_UNIT_SIZE;
    if (sam_unit_type(unit, length) == SAM_GREETING) {
        length = SAM_GREETING_SIZE;
        if (sam_read_all(fd, tap->stop, deadline, unit + SAM_UNIT_SIZE, length - SAM_UNIT_SIZE) !=
            SAM_OK)
            return 0;
    }
    sam_flow_data(tap->capture, flow, 1, unit, length, NULL);
    return length;
}

void sam_tap_replay(const struct sam_tap *tap, unsigned long number, const uint8_t *unit,
                    size_t length) {
    struct sam_flow flow;
    struct sam_note note;
    uint8_t answer[SAM_GREETING_SIZE];
    int fd = connect_to_server(tap, number);
    if (fd < 0)
        return;
    if (begin_flow(tap->capture, &flow, SAM_LEG_SERVER, fd) && sam_note_open(&note, number)) {
        size_t answered = read_answer(tap, &flow, fd, answer);
        bool greeted = answered > 0 && sam_unit_type(answer, answered) == SAM_GREETING;
        if (greeted) {
            int64_t deadline = sam_now() + PATIENCE_SECONDS * SAM_SECOND;
            sam_flow_data(tap->capture, &flow, 0, unit, length, "replayed by the wiretap");
            /* A write that fails has met a rejection: reading tells. */
            (void)!sam_write_all(fd, tap->stop, deadline, unit, length);
            answered = read_answer(tap, &flow, fd, answer);
        }
        const char *what = "nothing";
        if (answered > 0)
            what = sam_unit_name(sam_unit_type(answer, answered));
        else if (sam_is_ready(tap->stop))
            what = "the wiretap was stopped before that";
        fprintf(note.log, "on the new connection the server %s: %s\n",
                greeted ? "answers" : "does not greet", what);
        sam_note_tell(&note);
        sam_flow_end(tap->capture, &flow, 0);
    }
    close(fd);
}

/* What a connection in TLS has shown, once it has ended. */
static void sum_up(const struct sam_tapped *tapped, int64_t lasted) {
    struct sam_note note;
    if (!sam_note_open(&note, tapped->number))
        return;
    sam_tap_tls_summary(note.log, &tapped->tls, lasted);
    sam_note_tell(&note);
}

void sam_tap_run(struct sam_tap *tap, const struct sam_accepted *accepted) {
    struct sam_tapped tapped = {.tap = tap, .number = accepted->number};
    const int64_t begun = sam_now();
    struct sam_stream streams[2] = {{.tapped = &tapped, .side = 0, .number = 1},
                                    {.tapped = &tapped, .side = 1, .number = 0}};
    pthread_t thread;
    if (!begin_flow(tap->capture, &tapped.flows[0], SAM_LEG_CLIENT, accepted->fd))
        return;
    tapped.fds[0] = accepted->fd;
    tapped.fds[1] = connect_to_server(tap, accepted->number);
    if (tapped.fds[1] < 0)
        return;
    if (!begin_flow(tap->capture, &tapped.flows[1], SAM_LEG_SERVER, tapped.fds[1])) {
        sam_note_line(accepted->number, "the server", " is gone");
        close(tapped.fds[1]);
        return;
    }
    sam_note_line(accepted->number, accepted->address, " connects");
    pthread_mutex_init(&tapped.lock, NULL);
    if (pthread_create(&thread, NULL, sam_stream_run, &streams[1]) == 0) {
        sam_stream_run(&streams[0]);
        pthread_join(thread, NULL);
    } else {
        sam_note_line(accepted->number, "the system gives no more threads", "");
    }
    if (streams[0].tls || streams[1].tls)
        sum_up(&tapped, sam_now() - begun);
    sam_tap_tls_free(&tapped.tls);
    close(tapped.fds[1]);
    pthread_mutex_destroy(&tapped.lock);
}
