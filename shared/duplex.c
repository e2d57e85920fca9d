#include "duplex.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transfer.h"

/* Who writes holds `sending`. Who reads has `reading`, which is a flag and no lock: a thread that
 * waits for what the other reads can then sleep on `changed`. */
struct sam_duplex {
    struct sam_party in_party, out_party; /* each with a crypto handle of its own */
    struct sam_key peer;
    struct sam_ring addressed; /* peer and nobody else */
    bool is_client;
    uint32_t max_message, most_kept; /* bytes: of a message that leaves, of the queue */
    int64_t ends;                    /* of sam_now: once closed, for all that is left to do */

    struct sam_connection in; /* of who has `reading` */

    pthread_mutex_t sending; /* taken before `lock`, never the other way round */
    struct sam_connection out;
    bool held_back;             /* an answer, for the message that may follow it at once */
    enum sam_status out_status; /* SAM_OK as long as more can be sent */

    pthread_mutex_t lock; /* over all that follows; never held while the network is waited for */
    pthread_cond_t changed;
    bool reading;
    enum sam_status in_status;                   /* SAM_OK as long as more can come */
    uint64_t asked, answered;                    /* a client's sends */
    struct sam_incoming queue[SAM_DUPLEX_QUEUE]; /* a ring */
    size_t first, count, held /* bytes */, handed /* of the first's message */;
};

static bool make_locks(struct sam_duplex *d) {
    if (pthread_mutex_init(&d->sending, NULL) != 0)
        return false;
    if (pthread_mutex_init(&d->lock, NULL) == 0) {
        if (pthread_cond_init(&d->changed, NULL) == 0)
            return true;
        pthread_mutex_destroy(&d->lock);
    }
    pthread_mutex_destroy(&d->sending);
    return false;
}

enum sam_status sam_duplex_new(struct sam_duplex **out, const struct sam_connection *connection,
                               const struct sam_key *peer, uint32_t max_message) {
    *out = NULL;
    struct sam_crypto *another;
    enum sam_status status = sam_crypto_share(&another, connection->party->crypto);
    if (status != SAM_OK)
        return status;
    struct sam_duplex *d = calloc(1, sizeof *d);
    if (d == NULL || !make_locks(d)) {
        status = d == NULL ? SAM_MEMORY : SAM_SYSTEM;
        free(d);
        sam_crypto_free(another);
        return status;
    }
    d->peer = *peer;
    d->peer.rsa = NULL; /* from here on nothing needs RSA */
    d->addressed = (struct sam_ring){&d->peer, 1};
    d->in_party = *connection->party;
    d->in_party.own = NULL;
    sam_crypto_forget(d->in_party.crypto);
    d->out_party = d->in_party;
    d->out_party.crypto = another;
    d->is_client = connection->is_client;
    d->max_message = max_message;
    d->ends = INT64_MAX;
    d->most_kept = connection->expected.max_message;
    d->in = *connection;
    d->in.party = &d->in_party;
    d->in.expected.trusted = &d->addressed;
    d->in.expected.sender = &d->peer;
    memset(d->in.unanswered, 0, sizeof d->in.unanswered); /* the join is answered */
    d->out = d->in;
    d->out.party = &d->out_party;
    /* A client whose write fails looks for a rejection: here that is for who reads. */
    d->out.is_client = false;
    /* Of the lane that the other half has, a half knows nothing. */
    d->out.session.in = d->in.session.out = (struct sam_lane){.closed = true};
    (void)sam_block(d->in.fd); /* where it cannot, it costs more calls */
    *out = d;
    return SAM_OK;
}

/* Whether a close can still be said: it has a place of its own behind the last sequence and byte.
 */
static bool may_close(const struct sam_duplex *d) {
    return d->out_status == SAM_OK || d->out_status == SAM_LAST_SEQUENCE;
}

/* Once it is closed, no unit has more time than what is left of all. */
static void hurry(const struct sam_duplex *d, struct sam_connection *half) {
    if (d->ends - sam_now() < half->timeout) /* only then is it written: who sends reads in's */
        half->timeout = d->ends - sam_now();
}

/* The session has failed: its keys are wiped, and the other side is told what the protocol allows:
 * a server rejects, a client just ends. */
static void fail(struct sam_duplex *d, enum sam_status status) {
    if (d->is_client)
        shutdown(d->in.fd, SHUT_RDWR); /* also for a thread that writes: it waits no longer */
    pthread_mutex_lock(&d->sending);
    if (may_close(d)) {
        d->out_status = status;
        hurry(d, &d->out);
        if (!d->is_client && sam_status_step(status) > 0)
            sam_connection_reject(&d->out);
    }
    sam_session_end(&d->out.session);
    sam_session_end(&d->in.session);
    shutdown(d->in.fd, SHUT_RDWR);
    pthread_mutex_unlock(&d->sending);
}

/* Answers a client's record, with a reply or with a refusal. Most servers have something to say
 * now: it shares the answer's packet, and wakes the client once. What fails here ends our sending;
 * what has come is none the worse for it. */
static void answer(struct sam_duplex *d, const struct sam_header *request, const char *refusal) {
    enum sam_kind kind = refusal == NULL ? SAM_KIND_REPLY : SAM_KIND_REFUSE;
    size_t length = refusal == NULL ? 0 : strlen(refusal);
    pthread_mutex_lock(&d->sending);
    hurry(d, &d->out);
    d->out.hold = d->held_back = true;
    if (d->out_status == SAM_OK)
        d->out_status = sam_connection_answer(&d->out, request, &d->peer, kind, refusal, length);
    d->out.hold = false;
    pthread_mutex_unlock(&d->sending);
}

/* Nothing has followed an answer, and now we wait ourselves. Who is sending lets it go as well. */
static void let_go(struct sam_duplex *d) {
    if (pthread_mutex_trylock(&d->sending) != 0)
        return;
    if (d->held_back)
        sam_flush(d->out.fd);
    d->held_back = false;
    pthread_mutex_unlock(&d->sending);
}

/* Says that nothing follows, unless that has been said or cannot be any more. */
static enum sam_status say_close(struct sam_duplex *d) {
    pthread_mutex_lock(&d->sending);
    if (may_close(d)) {
        hurry(d, &d->out);
        d->out_status = sam_connection_close(&d->out);
        if (d->out_status == SAM_OK)
            d->out_status = SAM_CLOSED;
    }
    enum sam_status status = d->out_status;
    pthread_mutex_unlock(&d->sending);
    return status;
}

/* Keeps a message; there is room, or nobody would have read. */
static void keep(struct sam_duplex *d, struct sam_incoming *incoming) {
    pthread_mutex_lock(&d->lock);
    d->queue[(d->first + d->count++) % SAM_DUPLEX_QUEUE] = *incoming;
    d->held += incoming->envelope.message_length;
    pthread_mutex_unlock(&d->lock);
    *incoming = (struct sam_incoming){0};
}

static enum sam_status count_answer(struct sam_duplex *d, const struct sam_envelope *envelope) {
    pthread_mutex_lock(&d->lock);
    d->answered++;
    pthread_mutex_unlock(&d->lock);
    if (envelope->header.kind == SAM_KIND_REFUSE)
        return SAM_REFUSED;
    return envelope->message_length == 0 ? SAM_OK : SAM_LENGTH;
}

/* Does what a record that has verified is for. */
static enum sam_status sort(struct sam_duplex *d, struct sam_incoming *incoming) {
    switch (incoming->envelope.header.kind) {
    case SAM_KIND_CLOSE:
        say_close(d); /* whether that arrives or not: this is the end */
        return SAM_CLOSED;
    case SAM_KIND_SEND:
        answer(d, &incoming->envelope.header, NULL);
        keep(d, incoming);
        return SAM_OK;
    case SAM_KIND_PUSH:
        keep(d, incoming);
        return SAM_OK;
    case SAM_KIND_JOIN:
    case SAM_KIND_RECV:
        answer(d, &incoming->envelope.header, "this side sends by itself: nothing is asked for");
        return SAM_OK;
    default:
        return count_answer(d, &incoming->envelope);
    }
}

/* Reads a record, as who has `reading`, with no lock held. SAM_TIMEOUT: none has begun before the
 * deadline. Every other failure is in_status. */
static enum sam_status take(struct sam_duplex *d, int64_t deadline) {
    struct sam_incoming incoming = {0};
    enum sam_status status = SAM_OK;
    const uint8_t *next = d->in.ahead + d->in.ahead_from;
    size_t here = d->in.ahead_to - d->in.ahead_from;
    if (here < sam_unit_length(next, here)) /* the rest of a record may be long in coming */
        let_go(d);
    if (here == 0)
        status = sam_read_ahead(&d->in, deadline);
    if (status == SAM_TIMEOUT)
        return status;
    if (status == SAM_CLOSED)
        status = SAM_OK; /* receive finds it again, and knows whether the session was over */
    hurry(d, &d->in);
    /* Not before: an answer that is here by now belongs to a send that is counted by now. */
    pthread_mutex_lock(&d->lock);
    d->in.unanswered_count = (size_t)(d->asked - d->answered);
    pthread_mutex_unlock(&d->lock);
    if (status == SAM_OK)
        status = sam_connection_receive(&d->in, &incoming);
    if (status == SAM_OK)
        status = sam_connection_open(&d->in, &incoming);
    if (status == SAM_OK)
        status = sort(d, &incoming);
    sam_connection_drop(&d->in, &incoming);
    if (status != SAM_OK && status != SAM_CLOSED)
        fail(d, status);
    pthread_mutex_lock(&d->lock);
    d->in_status = status;
    pthread_mutex_unlock(&d->lock);
    return SAM_OK;
}

/* Sleeps until another thread has read, or made room, or a second has passed. */
static void sleep_until_changed(struct sam_duplex *d, int64_t deadline) {
    struct timespec until = sam_soon(deadline);
    pthread_cond_timedwait(&d->changed, &d->lock, &until);
}

static bool is_full(const struct sam_duplex *d) {
    return d->count == SAM_DUPLEX_QUEUE || d->held >= d->most_kept;
}

/* With the lock held: waits until done, and reads where no other thread does and there is room.
 * SAM_TIMEOUT, or what the session ended with. */
static enum sam_status wait_until(struct sam_duplex *d, bool (*done)(const struct sam_duplex *),
                                  int64_t deadline) {
    while (!done(d)) {
        if (d->in_status != SAM_OK)
            return d->in_status;
        if (sam_now() >= deadline)
            return SAM_TIMEOUT;
        if (d->reading || is_full(d)) {
            sleep_until_changed(d, deadline);
            continue;
        }
        d->reading = true;
        pthread_mutex_unlock(&d->lock);
        enum sam_status status = take(d, deadline);
        pthread_mutex_lock(&d->lock);
        d->reading = false;
        pthread_cond_broadcast(&d->changed);
        if (status != SAM_OK)
            return status;
    }
    return SAM_OK;
}

static bool may_ask(const struct sam_duplex *d) {
    return d->asked - d->answered < SAM_UNANSWERED_MAX;
}

/* Waits until the server has read enough of what was sent. */
static enum sam_status wait_to_ask(struct sam_duplex *d) {
    pthread_mutex_lock(&d->lock);
    enum sam_status status = d->in_status;
    if (status == SAM_OK)
        status = wait_until(d, may_ask, sam_now() + d->in.timeout);
    pthread_mutex_unlock(&d->lock);
    return status == SAM_TIMEOUT ? SAM_UNANSWERED : status;
}

static enum sam_status ask(struct sam_duplex *d, const void *data, size_t length) {
    struct sam_envelope envelope;
    enum sam_status status = sam_connection_start(&d->out, &envelope, &d->peer, length);
    if (status != SAM_OK)
        return status;
    if (length > 0)
        memcpy(envelope.message, data, length);
    pthread_mutex_lock(&d->lock);
    d->out.unanswered_count = (size_t)(d->asked - d->answered);
    status = sam_connection_seal(&d->out, &envelope, SAM_KIND_SEND);
    d->asked += status == SAM_OK; /* before it leaves: its answer may be here at once */
    pthread_mutex_unlock(&d->lock);
    if (status == SAM_OK)
        status = sam_connection_send(&d->out, &envelope);
    sam_envelope_free(&envelope);
    return status;
}

enum sam_status sam_duplex_send(struct sam_duplex *d, const void *data, size_t length) {
    enum sam_status status = length > d->max_message ? SAM_TOO_LONG : SAM_OK;
    if (status == SAM_OK && d->is_client)
        status = wait_to_ask(d);
    if (status != SAM_OK)
        return status;
    pthread_mutex_lock(&d->sending);
    status = d->out_status;
    if (status == SAM_OK) {
        status = d->is_client ? ask(d, data, length) : sam_connection_push(&d->out, data, length);
        d->held_back = false;
        if (status != SAM_MEMORY)
            d->out_status = status;
    }
    pthread_mutex_unlock(&d->sending);
    return status;
}

static bool has_message(const struct sam_duplex *d) {
    return d->count > 0;
}

static void drop_first(struct sam_duplex *d) {
    struct sam_incoming *first = &d->queue[d->first];
    d->held -= first->envelope.message_length;
    d->handed = 0;
    sam_connection_drop(&d->in, first);
    d->first = (d->first + 1) % SAM_DUPLEX_QUEUE;
    d->count--;
    pthread_cond_broadcast(&d->changed);
}

enum sam_status sam_duplex_receive(struct sam_duplex *d, int64_t deadline, void *data, size_t size,
                                   size_t *length) {
    *length = 0;
    pthread_mutex_lock(&d->lock);
    enum sam_status status = wait_until(d, has_message, deadline);
    if (status == SAM_OK) {
        const struct sam_envelope *first = &d->queue[d->first].envelope;
        size_t left = first->message_length - d->handed;
        *length = left < size ? left : size;
        if (*length > 0)
            memcpy(data, first->message + d->handed, *length);
        d->handed += *length;
        if (*length == left)
            drop_first(d);
    }
    pthread_mutex_unlock(&d->lock);
    return status;
}

const char *sam_duplex_peer(const struct sam_duplex *d) {
    return d->peer.name;
}

struct sam_rsa_count sam_duplex_count(const struct sam_duplex *d) {
    struct sam_rsa_count in = sam_crypto_count(d->in_party.crypto);
    struct sam_rsa_count out = sam_crypto_count(d->out_party.crypto);
    return (struct sam_rsa_count){in.private_operations + out.private_operations,
                                  in.public_operations + out.public_operations};
}

/* Says that this is the end, and reads until the other side has said so. */
static enum sam_status finish(struct sam_duplex *d) {
    d->ends = sam_now() + d->in.timeout;
    enum sam_status said = say_close(d), status = SAM_OK;
    pthread_mutex_lock(&d->lock);
    if (d->in_status == SAM_OK && said != SAM_CLOSED)
        status = said;
    while (status == SAM_OK) {
        while (d->count > 0)
            drop_first(d);
        status = wait_until(d, has_message, d->ends);
    }
    if (status == SAM_CLOSED && d->asked == d->answered)
        status = SAM_OK;
    pthread_mutex_unlock(&d->lock);
    return status;
}

enum sam_status sam_duplex_close(struct sam_duplex *d) {
    if (d == NULL)
        return SAM_OK;
    enum sam_status status = finish(d);
    while (d->count > 0)
        drop_first(d);
    close(d->in.fd);
    sam_session_end(&d->in.session);
    sam_session_end(&d->out.session);
    sam_crypto_free(d->in_party.crypto);
    sam_crypto_free(d->out_party.crypto);
    pthread_mutex_destroy(&d->sending);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->changed);
    sam_wipe(d, sizeof *d);
    free(d);
    return status;
}
