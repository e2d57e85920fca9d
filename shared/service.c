#include "service.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SHOWN = 4096 };

/* One connection. What is said about a request is gathered and told at once, so that the lines of
 * two connections never mix. */
struct conversation {
    const struct sam_service *service;
    struct sam_party party;
    struct sam_trace trace;
    struct sam_connection connection;
    unsigned long number;
    const char *address;
    char *told; /* the gathered text, owned by the stream below */
    size_t told_length;
    FILE *log;
};

static bool log_start(struct conversation *talk) {
    talk->log = open_memstream(&talk->told, &talk->told_length);
    talk->trace = (struct sam_trace){talk->log, talk->service->talk.colour};
    return talk->log != NULL;
}

static void log_tell(struct conversation *talk) {
    fclose(talk->log);
    flockfile(stderr);
    fwrite(talk->told, 1, talk->told_length, stderr);
    fflush(stderr);
    funlockfile(stderr);
    free(talk->told);
}

static void log_line(const struct conversation *talk, const char *what) {
    fprintf(talk->log, "%s: #%lu %s: %s\n", talk->service->talk.program, talk->number,
            talk->address, what);
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

/* Carries out a request that has passed all checks, and says what it gets (docs/protocol.md,
 * section 3). */
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

static void tell_request(const struct conversation *talk, const struct sam_incoming *request) {
    const struct sam_header *header = &request->envelope.header;
    if (!talk->service->talk.quiet)
        fprintf(talk->log, "%s: #%lu %s: %s from %s, number %lu, %zu bytes\n",
                talk->service->talk.program, talk->number, talk->address,
                sam_kind_name(header->kind), request->sender->name, (unsigned long)header->sequence,
                request->envelope.message_length);
}

/* Tells why an envelope is rejected: here, and nowhere else. */
static void tell_rejection(const struct conversation *talk, enum sam_status status,
                           const struct sam_incoming *request) {
    char text[64], fingerprint[SAM_FINGERPRINT_SIZE];
    struct sam_header header;
    snprintf(text, sizeof text, "rejected: %s", sam_status_name(status));
    log_line(talk, text);
    sam_tell_verdicts(&talk->service->talk, talk->log, status, request->sender, &talk->party);
    if (status == SAM_STRANGER &&
        sam_header_read(&header, request->envelope.bytes.data, talk->party.mode->number,
                        SAM_KINDS_OF_CLIENT) == SAM_OK) {
        sam_fingerprint(fingerprint, header.sender);
        fprintf(
            talk->log,
            "    %s\n    If you know whose it is and want to trust it, put its public key into\n"
            "    the keys folder and start again.\n",
            fingerprint);
    }
}

static void trace_arrival(const struct conversation *talk, const struct sam_incoming *request) {
    if (talk->party.trace == NULL)
        return;
    sam_trace_step(&talk->trace, "what arrives", "%zu bytes: all that an eavesdropper has",
                   request->envelope.bytes.length);
    sam_envelope_show(talk->log, talk->party.mode, &request->envelope);
}

static void trace_cost(const struct conversation *talk, const struct sam_connection *before,
                       struct sam_rsa_count count, int64_t started) {
    struct sam_rsa_count now = sam_crypto_count(talk->party.crypto);
    struct sam_cost cost = {
        .sent = talk->connection.bytes_sent - before->bytes_sent,
        .received = talk->connection.bytes_received - before->bytes_received,
        .rsa = {now.private_operations - count.private_operations,
                now.public_operations - count.public_operations},
        .microseconds = sam_now() - started,
    };
    if (talk->party.trace != NULL)
        sam_tell_cost(talk->log, &cost);
}

/* Opens and answers a request whose bytes are here. */
static enum sam_status handle(struct conversation *talk, struct sam_incoming *request) {
    trace_arrival(talk, request);
    enum sam_status status = sam_connection_open(&talk->connection, request);
    if (status != SAM_OK)
        return status;
    tell_request(talk, request);
    sam_tell_verdicts(&talk->service->talk, talk->log, SAM_OK, request->sender, &talk->party);
    struct answer answer = carry_out(talk->service, &request->envelope);
    if (answer.kind == SAM_KIND_REFUSE)
        fprintf(talk->log, "  refused: %s\n", answer.text);
    return sam_connection_answer(&talk->connection, &request->envelope.header, request->sender,
                                 answer.kind, answer.text, strlen(answer.text));
}

/* One request from its first byte to its answer. Anything but SAM_OK ends the connection. */
static enum sam_status next_request(struct conversation *talk) {
    struct sam_incoming request = {0};
    const struct sam_connection before = talk->connection;
    struct sam_rsa_count count = sam_crypto_count(talk->party.crypto);
    enum sam_status status = sam_connection_receive(&talk->connection, &request);
    int64_t started = sam_now();
    if (status == SAM_CLOSED || !log_start(talk)) {
        sam_connection_drop(&talk->connection, &request);
        return status == SAM_OK ? SAM_MEMORY : status;
    }
    if (status == SAM_OK)
        status = handle(talk, &request);
    if (sam_status_step(status) > 0) {
        tell_rejection(talk, status, &request);
    } else if (status != SAM_OK) {
        log_line(talk, sam_status_sentence(status));
    }
    trace_cost(talk, &before, count, started);
    log_tell(talk);
    if (sam_status_step(status) > 0)
        sam_connection_reject(&talk->connection);
    sam_connection_drop(&talk->connection, &request);
    return status;
}

void sam_service_run(const struct sam_service *service, int fd, unsigned long number,
                     const char *address) {
    struct conversation talk = {.service = service, .number = number, .address = address};
    talk.party = (struct sam_party){.mode = service->mode, .own = service->own};
    talk.party.trace = service->options->trace ? &talk.trace : NULL;
    talk.connection = (struct sam_connection){.fd = fd,
                                              .stop = service->stop,
                                              .timeout = service->options->timeout * SAM_SECOND,
                                              .party = &talk.party,
                                              .memory = service->memory};
    enum sam_status status = sam_crypto_share(&talk.party.crypto, service->crypto);
    if (status == SAM_OK)
        status =
            sam_connection_greet(&talk.connection, service->trusted, service->options->max_message);
    while (status == SAM_OK && !sam_is_ready(service->stop))
        status = next_request(&talk);
    /* The last answer may still be on its way when the server ends the conversation. */
    if (status == SAM_OK || status == SAM_LAST_SEQUENCE)
        sam_linger(fd, sam_now() + SAM_SECOND);
    sam_crypto_free(talk.party.crypto);
}
