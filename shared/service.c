#include "service.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

enum {
    MESSAGE_SHOWN = 4096,
    CROWDED_MS = 5 /* before a speaker looks again whether others have caught up */
};

/* One connection. What is said is gathered and told at once, so that the lines of two connections
 * never mix. */
struct conversation {
    const struct sam_service *service;
    struct sam_party party;
    struct sam_trace trace;
    struct sam_connection connection;
    struct sam_member member; /* of the chat's room, once the client has joined */
    struct sam_bytes names;   /* the answer to /who */
    unsigned long number;
    const char *address;
    FILE *log;  /* gathers into text */
    char *text; /* malloc'd by the stream */
    size_t text_length;
};

static bool log_open(struct conversation *c) {
    c->log = open_memstream(&c->text, &c->text_length);
    c->trace = (struct sam_trace){c->log, c->service->talk.colour};
    return c->log != NULL;
}

/* Tells what was gathered since the last time. */
static void log_tell(struct conversation *c) {
    if (fflush(c->log) == 0) {
        flockfile(stderr);
        fwrite(c->text, 1, c->text_length, stderr);
        funlockfile(stderr);
    }
    rewind(c->log);
}

static void log_close(struct conversation *c) {
    if (c->log == NULL)
        return;
    fclose(c->log);
    free(c->text);
}

static void log_line(const struct conversation *c, const char *what) {
    fprintf(c->log, "%s: #%lu %s: %s\n", c->service->talk.program, c->number, c->address, what);
}

/* Shows a message on standard output. False when it could not be shown: a receipt would then say
 * too much. */
static bool show_message(const struct sam_envelope *envelope) {
    return sam_show_line(envelope->message, envelope->message_length, MESSAGE_SHOWN);
}

struct answer {
    enum sam_kind kind;
    const void *data;
    size_t length;
};

static struct answer reply(const void *data, size_t length) {
    return (struct answer){SAM_KIND_REPLY, data, length};
}

static struct answer refuse(const char *why) {
    return (struct answer){SAM_KIND_REFUSE, why, strlen(why)};
}

static bool is_text(const struct sam_envelope *request, const char *text) {
    return request->message_length == strlen(text) &&
           memcmp(request->message, text, request->message_length) == 0;
}

/* A send in a chat: "/who" asks, all else goes to the other members. */
static struct answer carry_to_room(struct conversation *c, const struct sam_envelope *request) {
    static const char no_memory[] = "there is not enough memory";
    size_t server_takes = c->service->options->max_message;
    size_t client_takes = c->service->mode->max_message;
    size_t room_for = server_takes < client_takes ? server_takes : client_takes;
    if (c->member.room == NULL)
        return refuse("a message goes to those who have joined: join first");
    if (is_text(request, "/who")) {
        sam_bytes_free(&c->names);
        if (sam_room_names(c->service->room, &c->names) != SAM_OK)
            return refuse(no_memory);
        return c->names.length <= room_for ? reply(c->names.data, c->names.length)
                                           : refuse("too many are here to name them all");
    }
    if (strlen(c->member.name) + 2 + request->message_length > room_for)
        return refuse("too long for the chat, with your name before it");
    if (!show_message(request))
        return refuse("the server cannot show messages");
    return sam_room_say(&c->member, request->message, request->message_length) == SAM_OK
               ? reply(NULL, 0)
               : refuse(no_memory);
}

static struct answer carry_out_send(struct conversation *c, struct sam_envelope *request) {
    if (c->service->room != NULL)
        return carry_to_room(c, request);
    bool answers = c->service->handler->answers;
    if (answers && request->message_length > c->service->mode->max_message)
        return refuse("the answer would be longer than a client takes");
    if (!show_message(request))
        return refuse("the server cannot show messages");
    return reply(request->message,
                 c->service->handler->answer(request->message, request->message_length));
}

/* Inside before the answer leaves: who has the answer misses nothing that is said from then on. It
 * is this thread that pushes, behind the answer. */
static struct answer carry_out_join(struct conversation *c, bool empty) {
    if (!empty)
        return refuse("a join carries no message");
    if (c->service->room == NULL)
        return refuse("this server has no chat");
    if (c->member.room != NULL)
        return refuse("you have joined already");
    c->member.name = c->connection.expected.sender->name;
    c->member.fd = c->connection.fd;
    return sam_room_join(c->service->room, &c->member) == SAM_OK
               ? reply(NULL, 0)
               : refuse("the server has no means for one more");
}

/* Why a session is not granted; NULL: it is. */
static const char *session_refusal(const struct conversation *c,
                                   const struct sam_envelope *request) {
    if (request->message_length != SAM_SHARE_SIZE)
        return "a session request carries 32 bytes";
    if (c->service->mode->session_refusal != NULL)
        return c->service->mode->session_refusal;
    return request->header.sequence == 0 ? NULL : "a session begins a connection: connect anew";
}

/* Carries out a request that has passed all checks, and says what to answer: docs/protocol.md,
 * section 3. */
static struct answer carry_out(struct conversation *c, struct sam_envelope *request) {
    const char *message = c->service->options->message;
    bool empty = request->message_length == 0;
    switch (request->header.kind) {
    case SAM_KIND_SEND:
        return carry_out_send(c, request);
    case SAM_KIND_RECV:
        return empty ? reply(message, strlen(message)) : refuse("a recv carries no message");
    default: /* a join: see answer_request */
        return carry_out_join(c, empty);
    }
}

static void tell_request(const struct conversation *c, const struct sam_incoming *request) {
    const struct sam_header *header = &request->envelope.header;
    if (!c->service->talk.quiet)
        fprintf(c->log, "%s: #%lu %s: %s from %s, number %lu, %zu bytes\n",
                c->service->talk.program, c->number, c->address, sam_kind_name(header->kind),
                request->sender->name, (unsigned long)header->sequence,
                request->envelope.message_length);
}

/* Tells why an envelope is rejected: here, and nowhere else. */
static void tell_rejection(const struct conversation *c, enum sam_status status,
                           const struct sam_incoming *request) {
    char text[64], fingerprint[SAM_FINGERPRINT_SIZE];
    struct sam_header header;
    snprintf(text, sizeof text, "rejected: %s", sam_status_name(status));
    log_line(c, text);
    sam_tell_verdicts(&c->service->talk, c->log, status, request->sender, &c->party, NULL);
    if (status == SAM_MAGIC && sam_unit_is_tls(request->envelope.bytes.data))
        fputs("    This is TLS: use --tls on both sides, or on neither.\n", c->log);
    if (status == SAM_STRANGER &&
        sam_header_read(&header, request->envelope.bytes.data, c->party.mode->number,
                        SAM_KINDS_OF_CLIENT) == SAM_OK) {
        sam_fingerprint(fingerprint, header.sender);
        fprintf(c->log,
                "    %s\n    To trust it, if you know whose it is: put its public key into\n"
                "    %s, unless it is there already, and restart this server.\n",
                fingerprint, c->service->options->keys);
    }
}

/* All that this conversation has cost. */
static struct sam_cost cost_until_now(const struct conversation *c) {
    return (struct sam_cost){c->connection.bytes_sent, c->connection.bytes_received,
                             sam_crypto_count(c->party.crypto), sam_now()};
}

/* What was added since then; its time counts from started. */
static void trace_cost(const struct conversation *c, const struct sam_cost *before,
                       int64_t started) {
    struct sam_cost cost = cost_until_now(c);
    cost.sent -= before->sent;
    cost.received -= before->received;
    cost.rsa.private_operations -= before->rsa.private_operations;
    cost.rsa.public_operations -= before->rsa.public_operations;
    cost.microseconds -= started;
    if (c->party.trace != NULL)
        sam_tell_cost(c->log, &cost);
}

static enum sam_status answer_request(struct conversation *c, struct sam_incoming *request) {
    struct sam_envelope *envelope = &request->envelope;
    bool session = envelope->header.kind == SAM_KIND_SESSION;
    const char *why = session ? session_refusal(c, envelope) : NULL;
    if (session && why == NULL)
        return sam_exchange_grant(&c->connection, request);
    struct answer answer = why != NULL ? refuse(why) : carry_out(c, envelope);
    if (answer.kind == SAM_KIND_REFUSE)
        fprintf(c->log, "  refused: %.*s\n", (int)answer.length, (const char *)answer.data);
    return sam_connection_answer(&c->connection, &envelope->header, request->sender, answer.kind,
                                 answer.data, answer.length);
}

/* Opens and answers a request whose bytes are here. The log says whom a message is from before the
 * message appears. */
static enum sam_status handle(struct conversation *c, struct sam_incoming *request) {
    bool is_record = c->connection.session.begun;
    sam_envelope_trace(&c->party, "what arrives", &request->envelope);
    enum sam_status status = sam_connection_open(&c->connection, request);
    if (status != SAM_OK)
        return status;
    tell_request(c, request);
    if (is_record)
        sam_tell_record(&c->service->talk, c->log, request->sender);
    else
        sam_tell_verdicts(&c->service->talk, c->log, SAM_OK, request->sender, &c->party, NULL);
    log_tell(c);
    if (request->envelope.header.kind == SAM_KIND_CLOSE)
        return SAM_CLOSED;
    status = answer_request(c, request);
    if (status != SAM_OK)
        fprintf(c->log, "  not answered: the peer cannot know that this was carried out\n");
    return status;
}

/* One request from its first byte to its answer. Anything but SAM_OK ends the connection. */
static enum sam_status next_request(struct conversation *c) {
    struct sam_incoming request = {0};
    const struct sam_cost before = cost_until_now(c);
    enum sam_status status = sam_connection_receive(&c->connection, &request);
    int64_t started = sam_now();
    if (status == SAM_OK)
        status = handle(c, &request);
    bool failed = sam_status_step(status) > 0;
    if (failed)
        tell_rejection(c, status, &request);
    else if (status != SAM_OK && status != SAM_CLOSED)
        log_line(c, sam_status_sentence(status));
    if (status != SAM_CLOSED)
        trace_cost(c, &before, started);
    log_tell(c);
    sam_connection_drop(&c->connection, &request);
    if (failed)
        sam_connection_reject(&c->connection);
    return status;
}

/* Sends the first of what waits for a member. */
static enum sam_status push_one(struct conversation *c) {
    struct sam_bytes text = {0};
    bool more = false;
    enum sam_status status = sam_room_next(&c->member, &text, &more);
    if (status == SAM_OK && more)
        status = sam_connection_push(&c->connection, text.data, text.length);
    sam_bytes_free(&text);
    log_tell(c);
    return status;
}

/* Waits for a member's next request and tells it meanwhile what others say. It may be silent as
 * long as it likes, and waits a moment with what it says when others are behind. */
static enum sam_status await_request(struct conversation *c) {
    enum sam_status status = SAM_OK;
    while (status == SAM_OK) {
        bool crowded = sam_room_is_crowded(c->service->room);
        bool ahead = !crowded && sam_connection_is_ahead(&c->connection);
        struct pollfd polled[] = {
            {.fd = c->service->stop, .events = POLLIN},
            {.fd = c->member.wake[0], .events = POLLIN},
            {.fd = crowded ? -1 : c->connection.fd, .events = POLLIN},
        };
        if (poll(polled, 3, ahead ? 0 : crowded ? CROWDED_MS : -1) < 0 && errno != EINTR)
            return SAM_NETWORK;
        if (polled[0].revents != 0)
            return SAM_STOPPED;
        if (polled[1].revents != 0)
            status = push_one(c);
        if (status == SAM_OK && (ahead || polled[2].revents != 0))
            return SAM_OK;
    }
    return status;
}

static enum sam_status next(struct conversation *c) {
    enum sam_status status = c->member.room != NULL ? await_request(c) : SAM_OK;
    bool waited = status != SAM_OK;
    if (!waited)
        status = next_request(c);
    /* Who is dropped may be told so by any call. */
    if (status != SAM_OK && sam_room_dropped(&c->member))
        log_line(c, "dropped: it does not read what others say");
    else if (waited)
        log_line(c, sam_status_sentence(status));
    log_tell(c);
    return status;
}

void sam_service_run(const struct sam_service *service, int fd, unsigned long number,
                     const char *address) {
    struct conversation c = {.service = service, .number = number, .address = address};
    c.party = (struct sam_party){.mode = service->mode, .own = service->own};
    c.party.trace = service->options->trace ? &c.trace : NULL;
    c.connection = (struct sam_connection){.fd = fd,
                                           .stop = service->stop,
                                           .timeout = service->options->timeout * SAM_SECOND,
                                           .party = &c.party,
                                           .memory = service->memory};
    enum sam_status status = log_open(&c) ? SAM_OK : SAM_MEMORY;
    if (status == SAM_OK)
        status = sam_crypto_share(&c.party.crypto, service->crypto);
    if (status == SAM_OK)
        status =
            sam_connection_greet(&c.connection, service->trusted, service->options->max_message);
    if (c.log != NULL)
        log_tell(&c);
    while (status == SAM_OK && !sam_is_ready(service->stop))
        status = next(&c);
    sam_room_leave(&c.member);
    /* A side that goes says so in a session; whoever does not read it does not matter. */
    if (sam_status_step(status) == 0)
        (void)!sam_connection_close(&c.connection);
    /* The last answer may still be on its way when the server ends the conversation. */
    if (status == SAM_OK || status == SAM_LAST_SEQUENCE || c.connection.closing)
        sam_linger(fd, sam_now() + SAM_SECOND);
    sam_session_end(&c.connection.session);
    sam_bytes_free(&c.names);
    log_close(&c);
    sam_crypto_free(c.party.crypto);
}
