#include "tap.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

enum {
    PIECE = 16 * 1024,
    CONNECT_SECONDS = 10,
    /* Of a longer unit, the rest passes unseen: the longest that the default limits allow is kept.
     */
    KEPT_MAX = 64 * 1024 * 1024
};

static const char *const side_names[2] = {"client", "server"};

struct connection {
    const struct sam_tap *tap;
    unsigned long number;
    int fds[2]; /* to the client, to the server */
    struct sam_flow flows[2];
    pthread_mutex_t lock;
    uint64_t awaited[2]; /* the unit of this side that answers an attack, plus 1; 0: none does */
};

/* What one side sends. */
struct stream {
    struct connection *connection;
    unsigned side;
    uint32_t number;        /* of the unit that comes next or is coming */
    struct sam_bytes bytes; /* what has come of it, and of those behind it */
    size_t passed;          /* how many bytes of it have been passed on */
    bool unknown;           /* what comes cannot be cut into units, or not any more */
    bool deaf;              /* the other side takes no more */
    bool ended;             /* and has been told that there is no more */
    struct sam_bytes held;  /* a unit that another is to overtake */
};

/* What is said at one moment: gathered, so that the lines of two streams never mix. */
struct note {
    FILE *log; /* NULL: there is no memory for it */
    char *text;
    size_t length;
};

static bool note_open(struct note *note, unsigned long number) {
    *note = (struct note){0};
    note->log = open_memstream(&note->text, &note->length);
    if (note->log != NULL)
        fprintf(note->log, "#%lu ", number);
    return note->log != NULL;
}

static void note_tell(struct note *note) {
    fclose(note->log);
    flockfile(stdout);
    fwrite(note->text, 1, note->length, stdout);
    fflush(stdout);
    funlockfile(stdout);
    free(note->text);
}

/* A note of one line. */
static void say(unsigned long number, const char *what, const char *about) {
    struct note note;
    if (!note_open(&note, number))
        return;
    fprintf(note.log, "%s%s\n", what, about);
    note_tell(&note);
}

/* Unit number of side will be the first to answer what is about to be done to the other side's,
 * unless an earlier one is awaited already. */
static void await_answer(struct connection *connection, unsigned side, uint32_t number) {
    pthread_mutex_lock(&connection->lock);
    if (connection->awaited[side] == 0)
        connection->awaited[side] = (uint64_t)number + 1;
    pthread_mutex_unlock(&connection->lock);
}

static const char *answers(struct connection *connection, unsigned side, uint64_t number) {
    pthread_mutex_lock(&connection->lock);
    bool awaited = connection->awaited[side] != 0 && number + 1 >= connection->awaited[side];
    if (awaited)
        connection->awaited[side] = 0;
    pthread_mutex_unlock(&connection->lock);
    return awaited ? " <- the far end's answer" : "";
}

/* comment tells what was done to the bytes; NULL: nothing. */
static void pass_on(struct stream *stream, const uint8_t *data, size_t length,
                    const char *comment) {
    struct connection *connection = stream->connection;
    unsigned other = 1 - stream->side;
    if (stream->deaf || length == 0)
        return;
    /* Captured first, so that no answer can stand before it. */
    sam_flow_data(connection->tap->capture, &connection->flows[other], stream->side, data, length,
                  comment);
    /* No deadline: how long a silence may last is for the two ends to say. */
    stream->deaf = sam_write_all(connection->fds[other], connection->tap->stop, INT64_MAX, data,
                                 length) != SAM_OK;
}

/* Tells the other side that no more comes. */
static void end_stream(struct stream *stream) {
    struct connection *connection = stream->connection;
    unsigned other = 1 - stream->side;
    if (stream->ended)
        return;
    shutdown(connection->fds[other], SHUT_WR);
    sam_flow_end(connection->tap->capture, &connection->flows[other], stream->side);
    stream->ended = stream->deaf = true;
}

static void save(const struct stream *stream, const char *suffix, const uint8_t *data,
                 size_t length, FILE *log) {
    const struct connection *connection = stream->connection;
    char path[PATH_MAX];
    if (connection->tap->save == NULL)
        return;
    int n = snprintf(path, sizeof path, "%s/%lu-%s-%lu%s.sam", connection->tap->save,
                     connection->number, side_names[stream->side], (unsigned long)stream->number,
                     suffix);
    if (n < 0 || (size_t)n >= sizeof path || sam_file_replace(path, 0600, data, length) != SAM_OK)
        fprintf(log, "  not kept in %s: check the folder and the free space\n",
                connection->tap->save);
}

/* What is done to a selected unit, in this order. */
enum {
    DELAY = 1,
    DROP = 2,
    HOLD = 4,
    CUT = 8,
    REPLAY = 16,
    RELEASE = 32,
    REPLAY_NEW = 64,
    CHANGE = 128 /* done already */
};

static const struct {
    unsigned bit;
    const char *told;
} actions[] = {
    {DELAY, "held back for a while"},
    {DROP, "dropped"},
    {HOLD, "held back until another has overtaken it"},
    {CUT, "cut, and the connection with it"},
    {REPLAY, "sent twice"},
    {RELEASE, "passed on before the one that was held back"},
    {REPLAY_NEW, "sent again on a new connection"},
};

static unsigned plan_actions(const struct stream *stream, size_t length) {
    const struct sam_plan *plan = stream->connection->tap->plan;
    uint32_t number = stream->number;
    bool here = number == plan->envelope;
    if (number != 0 && number == plan->drop)
        return DROP;
    return (here && plan->delay > 0 ? DELAY : 0u) |
           (here && plan->truncate > 0 && plan->truncate < length ? CUT : 0u) |
           (number == 0                  ? 0u
            : number == plan->swap[0]    ? HOLD
            : number == plan->swap[1]    ? RELEASE
            : number == plan->replay     ? REPLAY
            : number == plan->replay_new ? REPLAY_NEW
                                         : 0u);
}

/* Changes the unit as the plan says, and tells of all that is going to be done to it. */
static unsigned begin_attack(struct stream *stream, uint8_t *unit, size_t length, FILE *log) {
    const struct sam_plan *plan = stream->connection->tap->plan;
    unsigned planned = plan_actions(stream, length);
    bool changed = false;
    for (size_t i = 0; i < plan->edit_count && stream->number == plan->envelope; i++) {
        fputs("  attack: ", log);
        changed |= sam_edit_apply(&plan->edits[i], unit, length, log);
        fputc('\n', log);
    }
    if (changed) {
        save(stream, "-changed", unit, length, log);
        planned |= CHANGE;
    }
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (planned & actions[i].bit)
            fprintf(log, "  attack: %s\n", actions[i].told);
    bool again = (planned & REPLAY) != 0;
    if ((planned & ~(unsigned)REPLAY_NEW) != 0)
        await_answer(stream->connection, 1 - stream->side,
                     stream->side == 0 ? stream->number + again : 0);
    return planned;
}

static void finish_attack(struct stream *stream, const uint8_t *unit, size_t length,
                          unsigned planned) {
    const struct sam_tap *tap = stream->connection->tap;
    struct pollfd stop = {.fd = tap->stop, .events = POLLIN};
    if (planned & DELAY)
        poll(&stop, 1, (int)tap->plan->delay);
    if (planned & DROP)
        return;
    if (planned & HOLD && sam_bytes_append(&stream->held, unit, length) == SAM_OK)
        return;
    pass_on(stream, unit, planned & CUT ? tap->plan->truncate : length,
            planned & (CHANGE | CUT) ? "attacked by the wiretap" : NULL);
    if (planned & CUT)
        end_stream(stream);
    if (planned & REPLAY)
        pass_on(stream, unit, length, "replayed by the wiretap");
    if (planned & RELEASE) {
        pass_on(stream, stream->held.data, stream->held.length, "overtaken in the wiretap");
        sam_bytes_free(&stream->held);
    }
    if (planned & REPLAY_NEW)
        sam_tap_replay(tap, stream->connection->number, unit, length);
}

/* A unit has come as a whole, or all that will come of it has: tells of it, then passes on what has
 * not been yet, so that it is always told before its answer. */
static void finish_unit(struct stream *stream, uint8_t *unit, size_t length, bool selected) {
    struct connection *connection = stream->connection;
    struct sam_anatomy anatomy;
    struct note note;
    unsigned planned = 0;
    if (note_open(&note, connection->number)) {
        sam_anatomy_start(&anatomy, unit, length);
        fprintf(note.log, "%s %lu: ", side_names[stream->side], (unsigned long)stream->number);
        sam_anatomy_summary(note.log, &anatomy);
        fprintf(note.log, "%s\n", answers(connection, stream->side, stream->number));
        if (!connection->tap->brief)
            sam_anatomy_show(note.log, &anatomy);
        if (anatomy.status != SAM_OK)
            fprintf(note.log, "  it %s\n", sam_status_sentence(anatomy.status));
        save(stream, "", unit, length, note.log);
        if (selected)
            planned = begin_attack(stream, unit, length, note.log);
        note_tell(&note);
    }
    if (selected)
        finish_attack(stream, unit, length, planned);
    else
        pass_on(stream, unit + stream->passed, length - stream->passed, NULL);
    stream->passed = 0;
    stream->number++;
}

/* How many bytes make the unit that these begin whole; 0 when they begin none. */
static uint64_t awaited_length(const uint8_t *unit, size_t available) {
    static const uint8_t magic[] = {'S', 'A', 'M'};
    if (available <= sizeof magic)
        return memcmp(unit, magic, available) == 0 ? sizeof magic + 1 : 0;
    return sam_unit_length(unit, available);
}

/* Deals with what has come, unit by unit. */
static void cut_into_units(struct stream *stream) {
    const struct sam_plan *plan = stream->connection->tap->plan;
    size_t begin = 0;
    while (begin < stream->bytes.length) {
        uint8_t *unit = stream->bytes.data + begin;
        size_t available = stream->bytes.length - begin;
        uint64_t whole = stream->unknown ? 0 : awaited_length(unit, available);
        bool lost = whole == 0 || (whole > available && available >= KEPT_MAX);
        bool selected = !lost && sam_plan_selects(plan, stream->side, stream->number);
        if (lost) {
            stream->unknown = true;
            whole = available;
        }
        if (available >= whole) {
            finish_unit(stream, unit, (size_t)whole, selected);
            begin += (size_t)whole;
            continue;
        }
        if (!selected) {
            pass_on(stream, unit + stream->passed, available - stream->passed, NULL);
            stream->passed = available;
        }
        break;
    }
    stream->bytes.length -= begin;
    if (begin > 0 && stream->bytes.length > 0)
        memmove(stream->bytes.data, stream->bytes.data + begin, stream->bytes.length);
}

/* Passes on what one side sends until it ends. */
static void *run_stream(void *argument) {
    struct stream *stream = argument;
    struct connection *connection = stream->connection;
    const struct sam_tap *tap = connection->tap;
    uint8_t piece[PIECE];
    size_t length;
    while (!sam_is_ready(tap->stop) &&
           sam_read_some(connection->fds[stream->side], tap->stop, INT64_MAX, piece, sizeof piece,
                         &length) == SAM_OK) {
        sam_flow_data(tap->capture, &connection->flows[stream->side], stream->side, piece, length,
                      NULL);
        if (sam_bytes_append(&stream->bytes, piece, length) != SAM_OK)
            break;
        cut_into_units(stream);
    }
    if (stream->bytes.length > 0)
        finish_unit(stream, stream->bytes.data, stream->bytes.length, false);
    pass_on(stream, stream->held.data, stream->held.length, "held back by the wiretap");
    say(connection->number, side_names[stream->side],
        answers(connection, stream->side, UINT32_MAX)[0] != '\0' ? " ends <- the far end's answer"
                                                                 : " ends");
    sam_flow_end(tap->capture, &connection->flows[stream->side], stream->side);
    end_stream(stream);
    sam_bytes_free(&stream->bytes);
    sam_bytes_free(&stream->held);
    return NULL;
}

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
    int64_t deadline = sam_now() + CONNECT_SECONDS * SAM_SECOND;
    enum sam_status status = sam_connect(&fd, tap->host, tap->port, deadline, &where);
    if (status != SAM_OK) {
        char about[sizeof where.text + 128];
        snprintf(about, sizeof about, "%s: %s", where.text, sam_status_sentence(status));
        say(number, "", about);
    }
    return fd;
}

void sam_tap_replay(const struct sam_tap *tap, unsigned long number, const uint8_t *unit,
                    size_t length) {
    struct sam_flow flow;
    struct sam_anatomy anatomy;
    struct note note;
    uint8_t greeting[SAM_GREETING_SIZE], answer[SAM_HEADER_SIZE];
    size_t answered = 0;
    int fd = connect_to_server(tap, number);
    int64_t deadline = sam_now() + CONNECT_SECONDS * SAM_SECOND;
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
    if (!note_open(&note, number))
        return;
    sam_anatomy_start(&anatomy, answer, answered);
    fputs("on the new connection the server answers: ", note.log);
    if (answered > 0)
        sam_anatomy_summary(note.log, &anatomy);
    else
        fputs("nothing", note.log);
    fputc('\n', note.log);
    note_tell(&note);
}

void sam_tap_run(const struct sam_tap *tap, const struct sam_accepted *accepted) {
    struct connection connection = {.tap = tap, .number = accepted->number};
    struct stream streams[2] = {{.connection = &connection, .side = 0, .number = 1},
                                {.connection = &connection, .side = 1, .number = 0}};
    pthread_t thread;
    connection.fds[0] = accepted->fd;
    connection.fds[1] = connect_to_server(tap, accepted->number);
    if (connection.fds[1] < 0)
        return;
    pthread_mutex_init(&connection.lock, NULL);
    say(accepted->number, accepted->address, " connects");
    begin_flow(tap->capture, &connection.flows[0], SAM_LEG_CLIENT, connection.fds[0]);
    begin_flow(tap->capture, &connection.flows[1], SAM_LEG_SERVER, connection.fds[1]);
    if (pthread_create(&thread, NULL, run_stream, &streams[1]) == 0) {
        run_stream(&streams[0]);
        pthread_join(thread, NULL);
    } else {
        say(accepted->number, "the system gives no more threads", "");
    }
    close(connection.fds[1]);
    pthread_mutex_destroy(&connection.lock);
}
