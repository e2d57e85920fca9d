#include "exchange.h"

#include <string.h>

/* What was agreed on, but for the shares. Both are sealed envelopes, or were. */
static void agree(const struct sam_connection *connection, struct sam_agreement *agreement,
                  const struct sam_envelope *request, const struct sam_envelope *reply) {
    uint8_t *transcript = agreement->transcript;
    sam_greeting_write(transcript, &connection->greeting);
    memcpy(transcript + SAM_GREETING_SIZE, request->bytes.data, SAM_HEADER_SIZE);
    memcpy(transcript + SAM_GREETING_SIZE + SAM_HEADER_SIZE, reply->bytes.data, SAM_HEADER_SIZE);
}

static enum sam_status begin(struct sam_connection *connection,
                             const struct sam_agreement *agreement) {
    sam_trace_step(
        connection->party->trace, "derive two keys, one for each direction",
        "HKDF with SHA-256 from both shares; salt: SHA-256 of greeting and both headers");
    return sam_session_begin(&connection->session, connection->party->crypto, connection->is_client,
                             agreement, connection->expected.max_message);
}

/* Seals and sends the request, and takes what is answered to it. */
static enum sam_status ask(struct sam_connection *connection, struct sam_envelope *request,
                           struct sam_incoming *answer) {
    enum sam_status status = sam_connection_seal(connection, request, SAM_KIND_SESSION);
    if (status == SAM_OK) {
        sam_envelope_trace(connection->party, "what leaves", request);
        status = sam_connection_send(connection, request);
    }
    if (status == SAM_OK)
        status = sam_connection_receive(connection, answer);
    if (status == SAM_OK) {
        sam_envelope_trace(connection->party, "what arrives", &answer->envelope);
        status = sam_connection_open(connection, answer);
    }
    return status;
}

enum sam_status sam_exchange_ask(struct sam_connection *connection, struct sam_incoming *answer) {
    struct sam_agreement agreement = {0};
    struct sam_envelope request = {0};
    enum sam_status status = sam_random(agreement.client_share, SAM_SHARE_SIZE);
    if (status == SAM_OK)
        status = sam_connection_start(connection, &request, &connection->expected.trusted->keys[0],
                                      SAM_SHARE_SIZE);
    if (status == SAM_OK) {
        memcpy(request.message, agreement.client_share, SAM_SHARE_SIZE);
        status = ask(connection, &request, answer);
    }
    bool granted = status == SAM_OK && answer->envelope.header.kind == SAM_KIND_REPLY;
    if (granted && answer->envelope.message_length != SAM_SHARE_SIZE) {
        status = SAM_LENGTH;
    } else if (granted) {
        agree(connection, &agreement, &request, &answer->envelope);
        memcpy(agreement.server_share, answer->envelope.message, SAM_SHARE_SIZE);
        status = begin(connection, &agreement);
    }
    sam_wipe(&agreement, sizeof agreement);
    sam_envelope_free(&request);
    return status;
}

enum sam_status sam_exchange_grant(struct sam_connection *connection,
                                   const struct sam_incoming *request) {
    const struct sam_envelope *asked = &request->envelope;
    struct sam_agreement agreement = {0};
    struct sam_envelope reply = {0};
    memcpy(agreement.client_share, asked->message, SAM_SHARE_SIZE);
    enum sam_status status = sam_random(agreement.server_share, SAM_SHARE_SIZE);
    if (status == SAM_OK)
        status = sam_connection_start(connection, &reply, request->sender, SAM_SHARE_SIZE);
    if (status == SAM_OK) {
        memcpy(reply.message, agreement.server_share, SAM_SHARE_SIZE);
        status = sam_connection_seal_answer(connection, &reply, &asked->header, request->sender,
                                            SAM_KIND_REPLY);
    }
    if (status == SAM_OK) {
        sam_envelope_trace(connection->party, "what leaves", &reply);
        status = sam_connection_send(connection, &reply);
    }
    if (status == SAM_OK) {
        agree(connection, &agreement, asked, &reply);
        status = begin(connection, &agreement);
    }
    sam_wipe(&agreement, sizeof agreement);
    sam_envelope_free(&reply);
    return status;
}
