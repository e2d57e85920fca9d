#include "service.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SHOWN = 4096 };

/* One connection. What is said is gathered and told at once, so that the lines of two connections
 * never mix. */
struct conversation {
    const struct sam_service *service;
    struct sam_party party;
    struct sam_trace trace;
    struct sam_connection connection;
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

/* Shows a message on standard output, one line. False when it could not be shown: a receipt would
 * then say too much. */
static bool show_message(const struct sam_envelope *envelope) {
    flockfile(stdout);
    clearerr(stdout);
    sam_show_text(stdout, envelope->message, envelope->message_length, MESSAGE_SHOWN);
    putchar('\n');
    bool shown = fflush(stdout) == 0 && !ferror(stdout);
    funlockfile(stdout);
    return shown;
}

struct answer {
    enum sam_kind kind;
    const char *text;
};

/* Carries out a request that has passed all checks, and says what to answer: docs/protocol.md,
 * section 3. */
static struct answer carry_out(const struct sam_service *service,
                               const struct sam_envelope *request) {
    bool empty = request->message_length == 0;
    switch (request->header.kind) {
    case SAM_KIND_SEND:
        return show_message(request)
                   ? (struct answer){SAM_KIND_REPLY, ""}
                   : (struct answer){SAM_KIND_REFUSE, "the server cannot show messages"};
    case SAM_KIND_RECV:
        return empty ? (struct answer){SAM_KIND_REPLY, service->options->message}
                     : (struct answer){SAM_KIND_REFUSE, "a recv carries no message"};
    case SAM_KIND_JOIN:
        return (struct answer){SAM_KIND_REFUSE,
                               empty ? "this server has no chat" : "a join carries no message"};
    default:
        if (request->message_length != SAM_SHARE_SIZE)
            return (struct answer){SAM_KIND_REFUSE, "a session request carries 32 bytes"};
        return (struct answer){SAM_KIND_REFUSE, service->mode->session_refusal};
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

static void trace_cost(const struct conversation *c, const struct sam_connection *before,
                       struct sam_rsa_count count, int64_t started) {
    struct sam_rsa_count now = sam_crypto_count(c->party.crypto);
    struct sam_cost cost = {
        .sent = c->connection.bytes_sent - before->bytes_sent,
        .received = c->connection.bytes_received - before->bytes_received,
        .rsa = {now.private_operations - count.private_operations,
                now.public_operations - count.public_operations},
        .microseconds = sam_now() - started,
    };
    if (c->party.trace != NULL)
        sam_tell_cost(c->log, &cost);
}

/* Opens and answers a request whose bytes are here. The log says whom a message is from before the
 * message appears. */
static enum sam_status handle(struct conversation *c, struct sam_incoming *request) {
    sam_envelope_trace(&c->party, "what arrives", &request->envelope);
    enum sam_status status = sam_connection_open(&c->connection, request);
    if (status != SAM_OK)
        return status;
    tell_request(c, request);
    sam_tell_verdicts(&c->service->talk, c->log, SAM_OK, request->sender, &c->party, NULL);
    log_tell(c);
    struct answer answer = carry_out(c->service, &request->envelope);
    if (answer.kind == SAM_KIND_REFUSE)
        fprintf(c->log, "  refused: %s\n", answer.text);
    status = sam_connection_answer(&c->connection, &request->envelope.header, request->sender,
                                   answer.kind, answer.text, strlen(answer.text));
    if (status != SAM_OK)
        fprintf(c->log, "  not answered: the peer cannot know that this was carried out\n");
    return status;
}

/* One request from its first byte to its answer. Anything but SAM_OK ends the connection. */
static enum sam_status next_request(struct conversation *c) {
    struct sam_incoming request = {0};
    const struct sam_connection before = c->connection;
    struct sam_rsa_count count = sam_crypto_count(c->party.crypto);
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
        trace_cost(c, &before, count, started);
    log_tell(c);
    sam_connection_drop(&c->connection, &request);
    if (failed)
        sam_connection_reject(&c->connection);
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
        status = next_request(&c);
    /* The last answer may still be on its way when the server ends the conversation. */
    if (status == SAM_OK || status == SAM_LAST_SEQUENCE)
        sam_linger(fd, sam_now() + SAM_SECOND);
    log_close(&c);
    sam_crypto_free(c.party.crypto);
}
