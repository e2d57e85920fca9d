#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls_session.h"

enum {
    STACK_SIZE = 512 * 1024, /* of a pump's thread */
    US_PER_MS = 1000
};

/* One direction: at most one record of it lies here. */
struct flow {
    uint8_t data[SAM_TLS_PLAIN_MAX];
    size_t at, end; /* data[at] to data[end - 1] is still to go */
    bool ended;     /* nothing follows what lies here */
};

/* Moves bytes both ways in a thread of its own, which alone touches all but wake[1] and reason. */
struct sam_pump {
    struct sam_tls_session *session;
    int outer;   /* the socket that TLS is on; borrowed */
    int inner;   /* our end of the pair */
    int wake[2]; /* wake[0] hangs up when the tunnel is being closed */
    pthread_t thread;
    struct flow in, out; /* from TLS, and to TLS */
    bool said_end;       /* close_notify has left */
    bool dead;           /* TLS is of no use any more */
    int64_t until;       /* once the tunnel is being closed: how long what is left may take */
    _Atomic enum sam_status reason;
};

static bool is_empty(const struct flow *flow) {
    return flow->at == flow->end;
}

/* What came of one step: whether anything happened, and otherwise what to wait for. */
struct turn {
    bool moved;
    short outer, inner;
};

/* TLS is over in both directions: what has arrived still goes to its reader. */
static void die(struct sam_pump *pump, struct turn *turn) {
    atomic_store(&pump->reason, sam_tls_session_failure(pump->session));
    pump->dead = pump->in.ended = pump->out.ended = true;
    pump->out.at = pump->out.end;
    shutdown(pump->inner, SHUT_RD); /* who writes there fails */
    shutdown(pump->outer, SHUT_WR); /* who lingers for us need not */
    turn->moved = true;
}

static void take_from_tls(struct sam_pump *pump, struct turn *turn) {
    struct flow *in = &pump->in;
    size_t length = 0;
    switch (sam_tls_session_read(pump->session, in->data, sizeof in->data, &length, &turn->outer)) {
    case SAM_TLS_MOVED:
        in->at = 0;
        in->end = length;
        turn->moved = true;
        break;
    case SAM_TLS_ENDED:
        in->ended = turn->moved = true;
        shutdown(pump->inner, SHUT_WR);
        break;
    case SAM_TLS_FAILED:
        die(pump, turn);
        break;
    case SAM_TLS_WAIT:
        break;
    }
}

static void give_to_inner(struct sam_pump *pump, struct turn *turn) {
    struct flow *in = &pump->in;
    ssize_t n = send(pump->inner, in->data + in->at, in->end - in->at, 0);
    if (n >= 0) {
        in->at += (size_t)n;
        turn->moved = true;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        turn->inner |= POLLOUT;
    } else if (errno == EINTR) {
        turn->moved = true;
    } else { /* nobody reads any more */
        in->at = in->end;
        in->ended = turn->moved = true;
    }
}

static void take_from_inner(struct sam_pump *pump, struct turn *turn) {
    struct flow *out = &pump->out;
    ssize_t n = recv(pump->inner, out->data, sizeof out->data, 0);
    if (n > 0) {
        out->at = 0;
        out->end = (size_t)n;
        turn->moved = true;
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        turn->inner |= POLLIN;
    } else if (n < 0 && errno == EINTR) {
        turn->moved = true;
    } else { /* a reset, too: who closed left something unread */
        out->ended = turn->moved = true;
    }
}

/* Sends what lies there, or behind all of it the word that nothing follows. */
static void give_to_tls(struct sam_pump *pump, struct turn *turn) {
    struct flow *out = &pump->out;
    bool is_end = is_empty(out);
    enum sam_tls_step step = is_end ? sam_tls_session_end(pump->session, &turn->outer)
                                    : sam_tls_session_write(pump->session, out->data + out->at,
                                                            out->end - out->at, &turn->outer);
    if (step == SAM_TLS_FAILED) {
        die(pump, turn);
    } else if (step != SAM_TLS_WAIT) {
        turn->moved = true;
        out->at = out->end;
        pump->said_end = is_end;
    }
}

/* Waits for what the turn lacked, or for the tunnel's close. A descriptor that nothing is awaited
 * of is left out: poll would tell of its end over and over. */
static void wait_for_more(struct sam_pump *pump, const struct turn *turn) {
    bool closing = pump->until != INT64_MAX;
    struct pollfd polled[3] = {
        {.fd = turn->outer != 0 ? pump->outer : -1, .events = turn->outer},
        {.fd = turn->inner != 0 ? pump->inner : -1, .events = turn->inner},
        {.fd = closing ? -1 : pump->wake[0], .events = POLLIN},
    };
    int64_t left = pump->until - sam_now();
    if (poll(polled, 3,
             !closing   ? -1
             : left > 0 ? (int)(left / US_PER_MS + 1)
                        : 0) > 0 &&
        polled[2].revents != 0)
        pump->until = sam_now() + SAM_SECOND;
}

static bool is_over(const struct sam_pump *pump) {
    bool closing = pump->until != INT64_MAX;
    bool all_out = pump->said_end || pump->dead;
    if (closing && (all_out || sam_now() >= pump->until))
        return true;
    return all_out && pump->in.ended && is_empty(&pump->in);
}

static void *run_pump(void *argument) {
    struct sam_pump *pump = argument;
    while (!is_over(pump)) {
        struct turn turn = {0};
        if (is_empty(&pump->in) && !pump->in.ended)
            take_from_tls(pump, &turn);
        if (!is_empty(&pump->in))
            give_to_inner(pump, &turn);
        if (is_empty(&pump->out) && !pump->out.ended)
            take_from_inner(pump, &turn);
        if (!pump->dead && !pump->said_end && (!is_empty(&pump->out) || pump->out.ended))
            give_to_tls(pump, &turn);
        if (!turn.moved)
            wait_for_more(pump, &turn);
    }
    close(pump->inner);
    return NULL;
}

static bool prepare(const int ends[2]) {
    return sam_unblock(ends[0]) && sam_unblock(ends[1]);
}

/* The pump's thread takes no signal: those are for the program. */
static bool start_thread(struct sam_pump *pump) {
    sigset_t all, before;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int problem = pthread_create(&pump->thread, &attributes, run_pump, pump);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    errno = problem; /* which it returns instead of setting it */
    return problem == 0;
}

static void close_open(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void free_pump(struct sam_pump *pump) {
    sam_tls_session_free(pump->session);
    close_open(&pump->wake[0]);
    close_open(&pump->wake[1]);
    sam_wipe(&pump->in, sizeof pump->in);
    sam_wipe(&pump->out, sizeof pump->out);
    free(pump);
}

enum sam_status sam_tls_open(struct sam_tunnel *out, const struct sam_tls *tls, int fd, int stop,
                             int64_t deadline) {
    int pair[2] = {-1, -1};
    *out = (struct sam_tunnel){.fd = -1};
    struct sam_pump *pump = calloc(1, sizeof *pump);
    if (pump == NULL)
        return SAM_MEMORY;
    pump->outer = fd;
    pump->wake[0] = pump->wake[1] = -1;
    pump->until = INT64_MAX;
    atomic_init(&pump->reason, SAM_OK);
    enum sam_status status = sam_tls_session_new(&pump->session, tls, fd, stop, deadline);
    if (status == SAM_OK && (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
                             pipe(pump->wake) != 0 || !prepare(pair) || !prepare(pump->wake)))
        status = SAM_SYSTEM;
    pump->inner = pair[1];
    if (status == SAM_OK && !start_thread(pump))
        status = SAM_SYSTEM;
    if (status == SAM_OK) {
        *out = (struct sam_tunnel){.fd = pair[0], .pump = pump};
        return SAM_OK;
    }
    int reason = errno;
    close_open(&pair[0]);
    close_open(&pair[1]);
    free_pump(pump);
    errno = reason;
    return status;
}

enum sam_status sam_tls_reason(const struct sam_tunnel *tunnel, enum sam_status status) {
    if (tunnel->pump == NULL || status == SAM_OK)
        return status;
    enum sam_status reason = atomic_load(&tunnel->pump->reason);
    return reason >= SAM_TLS_NOT_TLS && reason <= SAM_TLS_BROKEN ? reason : status;
}

void sam_tls_close(struct sam_tunnel *tunnel) {
    if (tunnel->pump != NULL) {
        close(tunnel->fd);
        close_open(&tunnel->pump->wake[1]);
        pthread_join(tunnel->pump->thread, NULL);
        free_pump(tunnel->pump);
    }
    *tunnel = (struct sam_tunnel){.fd = -1};
}
