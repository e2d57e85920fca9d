#include "stream.h"

#include <poll.h>
#include <string.h>

#include "file.h"
#include "note.h"

enum {
    PIECE = 16 * 1024,
    SMALL_MAX = 1024 * 1024, /* bytes of a unit that every stream may keep */
    /* with a share of the tap's memory; of more, the rest passes unseen */
    LARGE_MAX = 64 * 1024 * 1024,
    PARTS_SHOWN = 64,
    PATIENCE_SECONDS = 30 /* with a client that goes on after the server has ended */
};

static const char *const side_names[2] = {"client", "server"};

/* Unit number of side will be the first to answer what is about to be done to the other side's,
 * unless an earlier one is awaited already. */
static void await_answer(struct sam_tapped *tapped, unsigned side, uint32_t number) {
    pthread_mutex_lock(&tapped->lock);
    if (tapped->awaited[side] == 0)
        tapped->awaited[side] = (uint64_t)number + 1;
    pthread_mutex_unlock(&tapped->lock);
}

/* What is told behind unit number of side, when it is that one. */
static const char *answers(struct sam_tapped *tapped, unsigned side, uint64_t number) {
    pthread_mutex_lock(&tapped->lock);
    bool awaited = tapped->awaited[side] != 0 && number + 1 >= tapped->awaited[side];
    if (awaited)
        tapped->awaited[side] = 0;
    pthread_mutex_unlock(&tapped->lock);
    return awaited ? " <- the far end's answer" : "";
}

/* comment tells what was done to the bytes; NULL: nothing. */
static void pass_on(struct sam_stream *stream, const uint8_t *data, size_t length,
                    const char *comment) {
    struct sam_tapped *tapped = stream->tapped;
    unsigned other = 1 - stream->side;
    if (stream->deaf || length == 0)
        return;
    /* Captured first, so that no answer can stand before it. */
    sam_flow_data(tapped->tap->capture, &tapped->flows[other], stream->side, data, length, comment);
    /* No deadline: how long a silence may last is for the two ends to say. */
    stream->deaf =
        sam_write_all(tapped->fds[other], tapped->tap->stop, INT64_MAX, data, length) != SAM_OK;
}

/* Tells the other side that no more comes. */
static void end_stream(struct sam_stream *stream) {
    struct sam_tapped *tapped = stream->tapped;
    unsigned other = 1 - stream->side;
    if (stream->ended)
        return;
    shutdown(tapped->fds[other], SHUT_WR);
    sam_flow_end(tapped->tap->capture, &tapped->flows[other], stream->side);
    stream->ended = stream->deaf = true;
}

static void save(const struct sam_stream *stream, const char *suffix, const uint8_t *data,
                 size_t length, FILE *log) {
    const struct sam_tapped *tapped = stream->tapped;
    char path[PATH_MAX];
    if (tapped->tap->save == NULL)
        return;
    int n = snprintf(path, sizeof path, "%s/%lu-%s-%lu%s.%s", tapped->tap->save, tapped->number,
                     side_names[stream->side], (unsigned long)stream->number, suffix,
                     stream->tls ? "tls" : "sam");
    if (n < 0 || (size_t)n >= sizeof path || sam_file_replace(path, 0600, data, length) != SAM_OK)
        fprintf(log, "  not kept in %s: check the folder and the free space\n", tapped->tap->save);
}

static const struct {
    unsigned action;
    const char *told, *rest; /* a number stands between them, where there is a rest */
} attacks[] = {
    {SAM_DELAY, "held back for ", " ms"},
    {SAM_DROP, "dropped", NULL},
    {SAM_HOLD, "held back until another has overtaken it", NULL},
    {SAM_TRUNCATE, "cut to its first ", " byte(s), and the connection with it"},
    {SAM_REPLAY, "sent twice", NULL},
    {SAM_RELEASE, "passed on before the one that was held back", NULL},
    {SAM_REPLAY_NEW, "sent again on a new connection", NULL},
};

/* Changes the unit as the plan says. True when there was anything to change. */
static bool edit(const struct sam_stream *stream, uint8_t *unit, size_t length, FILE *log) {
    const struct sam_plan *plan = stream->tapped->tap->plan;
    bool changed = false;
    for (size_t i = 0; i < plan->edit_count; i++) {
        fputs("  attack: ", log);
        changed |= sam_edit_apply(&plan->edits[i], unit, length, log);
        fputc('\n', log);
    }
    return changed;
}

/* Begins what the plan wants and tells of all of it. Returns what of it there is to do. */
static unsigned begin_attack(const struct sam_stream *stream, uint8_t *unit, size_t length,
                             unsigned planned, FILE *log) {
    const struct sam_plan *plan = stream->tapped->tap->plan;
    if (planned & SAM_DROP) /* nothing is left to attack */
        planned = SAM_DROP;
    if (stream->deaf) {
        fputs("  attack: nothing done: the other side takes no more\n", log);
        return 0;
    }
    bool changed = planned & SAM_CHANGE && edit(stream, unit, length, log);
    if (!changed)
        planned &= ~(unsigned)SAM_CHANGE;
    if (planned & SAM_TRUNCATE && plan->truncate >= length) {
        fprintf(log, "  attack: nothing done: it has no more than %zu bytes\n", length);
        planned &= ~(unsigned)SAM_TRUNCATE;
    }
    if (planned & SAM_TRUNCATE) /* nothing can follow */
        planned &= ~(unsigned)(SAM_REPLAY | SAM_RELEASE | SAM_HOLD);
    if (stream->held.length == 0)
        planned &= ~(unsigned)SAM_RELEASE;
    if (planned & (SAM_CHANGE | SAM_TRUNCATE))
        save(stream, "-changed", unit, planned & SAM_TRUNCATE ? plan->truncate : length, log);
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        if (!(planned & attacks[i].action))
            continue;
        fprintf(log, "  attack: %s", attacks[i].told);
        uint32_t number = attacks[i].action == SAM_DELAY ? plan->delay : plan->truncate;
        if (attacks[i].rest != NULL)
            fprintf(log, "%lu%s", (unsigned long)number, attacks[i].rest);
        fputc('\n', log);
    }
    uint32_t answer = stream->number + ((planned & SAM_REPLAY) != 0);
    if ((planned & ~(unsigned)SAM_REPLAY_NEW) != 0 && !stream->tls) /* there it would be a guess */
        await_answer(stream->tapped, 1 - stream->side, stream->side == 0 ? answer : 0);
    return planned;
}

static void finish_attack(struct sam_stream *stream, const uint8_t *unit, size_t length,
                          unsigned planned) {
    const struct sam_tap *tap = stream->tapped->tap;
    struct pollfd stop = {.fd = tap->stop, .events = POLLIN};
    bool touched = (planned & (SAM_CHANGE | SAM_TRUNCATE)) != 0;
    if (planned & SAM_DELAY)
        poll(&stop, 1, (int)tap->plan->delay);
    if (planned & SAM_DROP || sam_is_ready(tap->stop))
        return;
    if (planned & SAM_HOLD && sam_bytes_append(&stream->held, unit, length) == SAM_OK)
        return;
    pass_on(stream, unit, planned & SAM_TRUNCATE ? tap->plan->truncate : length,
            touched ? "attacked by the wiretap" : NULL);
    if (planned & SAM_TRUNCATE)
        end_stream(stream);
    if (planned & SAM_REPLAY)
        pass_on(stream, unit, length, "replayed by the wiretap");
    if (planned & SAM_RELEASE) {
        pass_on(stream, stream->held.data, stream->held.length, "overtaken in the wiretap");
        sam_bytes_free(&stream->held);
    }
    if (planned & SAM_REPLAY_NEW)
        sam_tap_replay(tap, stream->tapped->number, unit, length);
}

/* Tells what a unit is, with the rest of the line that names it. */
static void tell_unit(const struct sam_stream *stream, const uint8_t *unit, size_t length,
                      FILE *log) {
    struct sam_tapped *tapped = stream->tapped;
    struct sam_anatomy anatomy;
    if (stream->tls) {
        pthread_mutex_lock(&tapped->lock);
        sam_tap_tls_tell(log, &tapped->tls, stream->side, unit, length, tapped->tap->brief);
        pthread_mutex_unlock(&tapped->lock);
        return;
    }
    sam_anatomy_start(&anatomy, unit, length);
    sam_anatomy_summary(log, &anatomy);
    fprintf(log, "%s\n", answers(tapped, stream->side, stream->number));
    if (!tapped->tap->brief)
        sam_anatomy_show(log, &anatomy, PARTS_SHOWN);
    if (anatomy.status != SAM_OK)
        fprintf(log, "  it %s\n", sam_status_sentence(anatomy.status));
}

/* A unit has come as a whole, or all that will come of it has: tells of it, then passes on what has
 * not been yet, so that it is always told before its answer. */
static void finish_unit(struct sam_stream *stream, uint8_t *unit, size_t length, unsigned planned) {
    struct sam_tapped *tapped = stream->tapped;
    struct sam_note note;
    if (sam_note_open(&note, tapped->number)) {
        fprintf(note.log, "%s %lu: ", side_names[stream->side], (unsigned long)stream->number);
        tell_unit(stream, unit, length, note.log);
        save(stream, "", unit, length, note.log);
        if (stream->unknown)
            fputs("  what follows passes unseen\n", note.log);
        if (stream->tls)
            planned &= ~(unsigned)SAM_REPLAY_NEW;
        if (planned != 0)
            planned = begin_attack(stream, unit, length, planned, note.log);
        sam_note_tell(&note);
    } else {
        planned = 0; /* what cannot be told is not done */
    }
    /* Of one that was held back nothing has been passed yet. */
    if (planned != 0)
        finish_attack(stream, unit, length, planned);
    else
        pass_on(stream, unit + stream->passed, length - stream->passed, NULL);
    stream->passed = 0;
    stream->number++;
}

/* What a side says begins with a record of TLS: from here on its units are records, and both sides
 * count them from 1. */
static void begin_tls(struct sam_stream *stream) {
    struct sam_tapped *tapped = stream->tapped;
    const struct sam_plan *plan = tapped->tap->plan;
    bool none = plan->replay_new != 0; /* an old ClientHello is answered, and shows nothing */
    for (size_t i = 0; i < plan->edit_count; i++)
        none = none || plan->edits[i].field[0] != '\0';
    stream->tls = true;
    stream->number = 1;
    if (none && plan->side == stream->side)
        sam_note_line(tapped->number, side_names[stream->side],
                      ": TLS, where names of fields and --replay-new do nothing");
}

/* How many bytes make the unit that these begin whole; 0 when they begin none. */
static uint64_t awaited_length(struct sam_stream *stream, const uint8_t *unit, size_t available) {
    bool first = stream->number == (stream->side == 0 ? 1 : 0);
    if (!stream->tls && first && sam_tap_tls_begins(unit, available)) {
        if (available < SAM_TAP_TLS_HEADER_SIZE)
            return SAM_TAP_TLS_HEADER_SIZE;
        begin_tls(stream);
    }
    if (stream->tls)
        return sam_tap_tls_length(unit, available);
    if (available <= SAM_AT_TYPE)
        return sam_unit_begins(unit, available) ? SAM_AT_TYPE + 1 : 0;
    return sam_unit_length(unit, available);
}

/* Whether more of a unit may be kept of which so much is here. */
static bool may_keep(struct sam_stream *stream, size_t available) {
    struct sam_memory *memory = &stream->tapped->tap->memory;
    if (available > SMALL_MAX && !stream->large)
        stream->large = sam_memory_take(memory, LARGE_MAX, sam_now()) == SAM_OK;
    return available <= SMALL_MAX || (stream->large && available <= LARGE_MAX);
}

/* Deals with what has come, unit by unit. */
static void cut_into_units(struct sam_stream *stream) {
    struct sam_tapped *tapped = stream->tapped;
    struct sam_tap *tap = tapped->tap;
    size_t begin = 0;
    while (begin < stream->bytes.length && !stream->unknown) {
        uint8_t *unit = stream->bytes.data + begin;
        size_t available = stream->bytes.length - begin;
        uint64_t whole = awaited_length(stream, unit, available);
        unsigned planned = sam_plan_actions(tap->plan, stream->side, stream->number);
        if (whole == 0 || (whole > available && !may_keep(stream, available))) {
            stream->unknown = true;
            if (whole != 0)
                sam_note_line(tapped->number, side_names[stream->side],
                              ": what comes is too large to be kept, and is not attacked");
            finish_unit(stream, unit, available, 0);
            begin += available;
        } else if (available >= whole) {
            finish_unit(stream, unit, (size_t)whole, planned);
            begin += (size_t)whole;
        } else {
            if (planned == 0) {
                pass_on(stream, unit + stream->passed, available - stream->passed, NULL);
                stream->passed = available;
            }
            break;
        }
    }
    if (stream->unknown) {
        pass_on(stream, stream->bytes.data + begin, stream->bytes.length - begin, NULL);
        begin = stream->bytes.length;
    }
    stream->bytes.length -= begin;
    if (begin > 0 && stream->bytes.length > 0)
        memmove(stream->bytes.data, stream->bytes.data + begin, stream->bytes.length);
    if (stream->bytes.length == 0)
        sam_bytes_free(&stream->bytes);
    if (stream->large && stream->bytes.length <= SMALL_MAX && stream->held.length <= SMALL_MAX) {
        sam_memory_give(&tap->memory, LARGE_MAX);
        stream->large = false;
    }
}

/* Whether this side has had its time: the other one ended long ago. */
static bool is_over(struct sam_stream *stream) {
    struct sam_tapped *tapped = stream->tapped;
    pthread_mutex_lock(&tapped->lock);
    int64_t ended = tapped->ended[1 - stream->side];
    pthread_mutex_unlock(&tapped->lock);
    /* Whom a server still pushes to may be silent; who talks to nobody may not. */
    return stream->side == 0 && ended != 0 && sam_now() > ended + PATIENCE_SECONDS * SAM_SECOND;
}

/* The next piece of what the side sends; false when there is none. */
static bool receive(struct sam_stream *stream, uint8_t piece[PIECE], size_t *length) {
    struct sam_tapped *tapped = stream->tapped;
    int stop = tapped->tap->stop;
    enum sam_status status = SAM_TIMEOUT;
    while (status == SAM_TIMEOUT && !sam_is_ready(stop) && !is_over(stream))
        status = sam_read_some(tapped->fds[stream->side], stop, sam_now() + SAM_SECOND, piece,
                               PIECE, length);
    return status == SAM_OK;
}

/* The last of what a side sends: what is left of a unit, and a unit that was held back. */
static void finish_stream(struct sam_stream *stream) {
    struct sam_tapped *tapped = stream->tapped;
    unsigned planned = sam_plan_actions(tapped->tap->plan, stream->side, stream->number);
    if (stream->bytes.length > 0) /* of attacks, one that is not whole can only be dropped */
        finish_unit(stream, stream->bytes.data, stream->bytes.length, planned & SAM_DROP);
    pass_on(stream, stream->held.data, stream->held.length, "held back by the wiretap");
    struct sam_note note;
    if (sam_note_open(&note, tapped->number)) {
        fprintf(note.log, "%s ends%s\n", side_names[stream->side],
                answers(tapped, stream->side, UINT32_MAX));
        sam_note_tell(&note);
    }
    sam_flow_end(tapped->tap->capture, &tapped->flows[stream->side], stream->side);
}

void *sam_stream_run(void *argument) {
    struct sam_stream *stream = argument;
    struct sam_tapped *tapped = stream->tapped;
    struct sam_tap *tap = tapped->tap;
    uint8_t piece[PIECE];
    size_t length;
    while (receive(stream, piece, &length)) {
        sam_flow_data(tap->capture, &tapped->flows[stream->side], stream->side, piece, length,
                      NULL);
        if (sam_bytes_append(&stream->bytes, piece, length) != SAM_OK) {
            sam_note_line(tapped->number, sam_status_sentence(SAM_MEMORY), "");
            break;
        }
        cut_into_units(stream);
    }
    if (!sam_is_ready(tap->stop)) /* otherwise it is the wiretap that ends */
        finish_stream(stream);
    end_stream(stream);
    pthread_mutex_lock(&tapped->lock);
    tapped->ended[stream->side] = sam_now();
    pthread_mutex_unlock(&tapped->lock);
    sam_bytes_free(&stream->bytes);
    sam_bytes_free(&stream->held);
    if (stream->large)
        sam_memory_give(&tap->memory, LARGE_MAX);
    return NULL;
}
