/* The crowd: hostile connections without a key, all driven by one thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crowd.h"

enum {
    TICK_MS = 20,
    GARBAGE_MOST = 4096,
    PUSHED_MOST = 15 * 1024 * 1024,
    DRIP = 200000,     /* microseconds between two bytes */
    VANISHING = 500000 /* within so many a resetting one is gone */
};

struct foe {
    int fd; /* -1: nobody */
    enum foe_kind kind;
    size_t have, sent; /* bytes */
    uint8_t first;     /* of what came */
    uint8_t greeting[SAM_GREETING_SIZE];
    int64_t since, due; /* it was greeted then; acts again then */
};

void reset_connection(int fd) {
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

/* Nobody waits for the connection: a poll tells when the greeting is there. */
static void begin(struct crowd *crowd, struct foe *foe) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(crowd->server->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *foe = (struct foe){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    foe->kind = (enum foe_kind)(crowd->begun++ % crowd->kinds);
    ck_assert_msg(foe->fd >= 0 && sam_unblock(foe->fd), "socket: %s", strerror(errno));
    int begun = connect(foe->fd, (const struct sockaddr *)&at, sizeof at);
    ck_assert_msg(begun == 0 || errno == EINPROGRESS, "connect: %s", strerror(errno));
}

static void end(struct crowd *crowd, struct foe *foe) {
    int64_t stay = foe->since > 0 ? sam_now() - foe->since : 0;
    crowd->longest_stay = stay > crowd->longest_stay ? stay : crowd->longest_stay;
    close(foe->fd);
    foe->fd = -1;
}

/* What cannot be sent any more does not matter. */
static size_t push(const struct foe *foe, const void *data, size_t length) {
    ssize_t n = send(foe->fd, data, length, MSG_NOSIGNAL);
    return n > 0 ? (size_t)n : 0;
}

/* The header of an envelope for this connection that claims so long a body. */
static void claim(const struct crowd *crowd, const struct foe *foe, uint32_t length,
                  uint8_t header[SAM_HEADER_SIZE]) {
    struct sam_greeting greeting;
    ck_status(sam_greeting_read(&greeting, foe->greeting, crowd->server->mode->number), SAM_OK);
    memcpy(header, crowd->header, SAM_HEADER_SIZE);
    sam_put32(header + 12, length);
    memcpy(header + 48, greeting.challenge, SAM_ID_SIZE);
}

static void send_garbage(struct crowd *crowd, struct foe *foe) {
    uint8_t bytes[GARBAGE_MOST];
    size_t length = 1 + chance_below(&crowd->chance, GARBAGE_MOST);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)chance_below(&crowd->chance, 256);
    push(foe, bytes, length);
}

/* Once, as soon as it is greeted. */
static void act(struct crowd *crowd, struct foe *foe) {
    uint8_t header[SAM_HEADER_SIZE];
    size_t part = chance_below(&crowd->chance, SAM_HEADER_SIZE);
    claim(crowd, foe, foe->kind == CLAIMS_ALL ? UINT32_MAX : crowd->longest, header);
    foe->since = sam_now();
    foe->due = foe->since + DRIP;
    switch (foe->kind) {
    case CLAIMS_ALL:
    case CLAIMS_LONGEST:
    case PUSHES:
        push(foe, header, sizeof header);
        break;
    case HALF_CLOSED:
        push(foe, header, part);
        shutdown(foe->fd, SHUT_WR);
        break;
    case RESETTING:
        push(foe, header, part);
        foe->due = foe->since + (int64_t)chance_below(&crowd->chance, VANISHING);
        break;
    case GARBAGE:
        send_garbage(crowd, foe);
        break;
    default:
        break;
    }
}

/* Again and again, when it is due. */
static void act_again(struct foe *foe) {
    static const uint8_t zeros[65536];
    if (foe->since == 0 || sam_now() < foe->due)
        return;
    switch (foe->kind) {
    case DRIPPING:
        foe->due += DRIP;
        push(foe, "S", 1); /* of a prologue */
        break;
    case PUSHES:
        if (foe->sent < PUSHED_MOST)
            foe->sent += push(foe, zeros, sizeof zeros);
        break;
    case RESETTING:
        reset_connection(foe->fd);
        foe->fd = -1;
        break;
    default:
        break;
    }
}

/* Takes what the server says: a greeting, then perhaps a rejection, then the end. */
static void listen_to(struct crowd *crowd, struct foe *foe) {
    uint8_t bytes[SAM_GREETING_SIZE];
    bool greeted = foe->have >= SAM_GREETING_SIZE;
    size_t room = greeted ? sizeof bytes : SAM_GREETING_SIZE - foe->have;
    ssize_t n = recv(foe->fd, bytes, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    if (n <= 0) {
        end(crowd, foe);
        return;
    }
    if (greeted)
        crowd->refused += foe->have == SAM_GREETING_SIZE && bytes[SAM_AT_TYPE] == SAM_REJECTION;
    else
        memcpy(foe->greeting + foe->have, bytes, (size_t)n);
    foe->have += (size_t)n;
    if (!greeted && foe->have == SAM_GREETING_SIZE)
        act(crowd, foe);
}

/* Fills empty places while there are more to come. False: nobody is left. */
static bool fill(struct crowd *crowd, struct pollfd *polled) {
    bool any = false;
    for (size_t i = 0; i < crowd->at_once; i++) {
        if (crowd->foes[i].fd < 0 && crowd->begun < crowd->in_all)
            begin(crowd, &crowd->foes[i]);
        polled[i] = (struct pollfd){.fd = crowd->foes[i].fd, .events = POLLIN};
        any = any || polled[i].fd >= 0;
    }
    return any;
}

static void *drive(void *argument) {
    struct crowd *crowd = argument;
    struct pollfd *polled = calloc(crowd->at_once, sizeof *polled);
    ck_assert_ptr_nonnull(polled);
    while (fill(crowd, polled)) {
        poll(polled, (nfds_t)crowd->at_once, TICK_MS);
        for (size_t i = 0; i < crowd->at_once; i++) {
            struct foe *foe = &crowd->foes[i];
            if (foe->fd >= 0 && polled[i].revents != 0)
                listen_to(crowd, foe);
            if (foe->fd >= 0)
                act_again(foe);
        }
    }
    free(polled);
    atomic_store(&crowd->over, true);
    return NULL;
}

/* A header that passes, but for the challenge, which each connection has its own of. */
static void learn_header(struct crowd *crowd) {
    struct peer mallory;
    begin_talk(&mallory, crowd->server->mode == modes[1], crowd->server, "mallory");
    struct sam_envelope envelope = peer_seal(&mallory, SAM_KIND_SEND, "long", 4);
    memcpy(crowd->header, envelope.bytes.data, SAM_HEADER_SIZE);
    crowd->longest = longest_body(crowd->server->mode, &envelope.header,
                                  mallory.connection.greeting.max_message);
    sam_envelope_free(&envelope);
    peer_close(&mallory);
}

void crowd_start(struct crowd *crowd) {
    learn_header(crowd);
    crowd->chance = chance_seed();
    crowd->foes = calloc(crowd->at_once, sizeof *crowd->foes);
    ck_assert_ptr_nonnull(crowd->foes);
    for (size_t i = 0; i < crowd->at_once; i++)
        crowd->foes[i].fd = -1;
    ck_assert_int_eq(pthread_create(&crowd->thread, NULL, drive, crowd), 0);
}

void crowd_end(struct crowd *crowd) {
    ck_assert_int_eq(pthread_join(crowd->thread, NULL), 0);
    free(crowd->foes);
}
