#include "session.h"

#include <string.h>

enum { AT_SEQUENCE = 8, AT_LENGTH = 12 };

/* A direction ends before its 2^38th byte: GCM then stays within 2^-60 of ideal. */
#define BYTES_MAX ((uint64_t)1 << 38)

/* What both directions' keys are made of. Whoever filled it wipes it. */
struct source {
    uint8_t material[2 * SAM_SHARE_SIZE];
    uint8_t salt[SAM_SHA256_SIZE];
};

static enum sam_status derive(struct sam_lane *lane, struct sam_crypto *crypto,
                              const struct source *source, const char *info, enum sam_gcm_use use) {
    uint8_t key[SAM_GCM_KEY_SIZE];
    enum sam_status status =
        sam_hkdf(crypto, key, sizeof key, source->material, sizeof source->material, source->salt,
                 sizeof source->salt, info);
    if (status == SAM_OK)
        status = sam_gcm_new(&lane->key, crypto, key, use);
    sam_wipe(key, sizeof key);
    return status;
}

enum sam_status sam_session_begin(struct sam_session *session, struct sam_crypto *crypto,
                                  bool is_client, const struct sam_agreement *agreement,
                                  uint32_t max_message) {
    static const char client[] = "SAM1 session client", server[] = "SAM1 session server";
    struct source source;
    *session = (struct sam_session){.max_message = max_message, .begun = true};
    session->kinds = is_client ? SAM_RECORDS_OF_SERVER : SAM_RECORDS_OF_CLIENT;
    memcpy(source.material, agreement->client_share, SAM_SHARE_SIZE);
    memcpy(source.material + SAM_SHARE_SIZE, agreement->server_share, SAM_SHARE_SIZE);
    enum sam_status status =
        sam_sha256(crypto, source.salt, agreement->transcript, SAM_TRANSCRIPT_SIZE, NULL, 0);
    if (status == SAM_OK)
        status = derive(&session->out, crypto, &source, is_client ? client : server, SAM_GCM_SEALS);
    if (status == SAM_OK)
        status = derive(&session->in, crypto, &source, is_client ? server : client, SAM_GCM_OPENS);
    sam_wipe(&source, sizeof source);
    if (status != SAM_OK)
        sam_session_end(session);
    return status;
}

void sam_session_end(struct sam_session *session) {
    sam_gcm_free(session->out.key);
    sam_gcm_free(session->in.key);
    session->out = session->in = (struct sam_lane){.closed = true};
}

/* 8 zero bytes and the sequence: under one key no nonce comes twice, because no sequence does. */
static void make_nonce(uint8_t nonce[SAM_GCM_NONCE_SIZE], uint32_t sequence) {
    memset(nonce, 0, SAM_GCM_NONCE_SIZE);
    sam_put32(nonce + SAM_GCM_NONCE_SIZE - 4, sequence);
}

enum sam_status sam_record_seal(struct sam_session *session, enum sam_kind kind, uint8_t *record,
                                size_t length) {
    struct sam_lane *lane = &session->out;
    uint8_t nonce[SAM_GCM_NONCE_SIZE], *message = record + SAM_RECORD_SIZE;
    enum sam_status status = SAM_OK;
    if (!session->begun || lane->closed)
        status = SAM_CLOSED;
    else if (length > SAM_MESSAGE_LIMIT)
        status = SAM_TOO_LONG;
    else if (kind != SAM_KIND_CLOSE &&
             (lane->sequence >= UINT32_MAX - 1 || lane->bytes + length >= BYTES_MAX))
        status = SAM_LAST_SEQUENCE;
    if (status != SAM_OK) {
        sam_wipe(message, length);
        return status;
    }
    sam_record_write(record, kind, lane->sequence, (uint32_t)(length + SAM_GCM_TAG_SIZE));
    make_nonce(nonce, lane->sequence++);
    lane->bytes += length;
    lane->closed = kind == SAM_KIND_CLOSE;
    return sam_gcm_seal(lane->key, nonce, record, SAM_RECORD_SIZE, message, length,
                        message + length);
}

enum sam_status sam_record_check(const struct sam_session *session,
                                 const uint8_t header[SAM_RECORD_SIZE], uint32_t *length) {
    struct sam_prologue prologue;
    *length = 0;
    unsigned kinds = session->in.closed ? 0 : session->kinds;
    enum sam_status status = sam_prologue_read(&prologue, header, "S", 2, kinds);
    if (status != SAM_OK)
        return status;
    /* The 2^32nd record does not exist: after it the sequence, and with it the nonce, would wrap.
     */
    uint32_t sequence = sam_get32(header + AT_SEQUENCE);
    if (sequence != session->in.sequence || sequence == UINT32_MAX)
        return SAM_ORDER;
    uint64_t claimed = sam_get32(header + AT_LENGTH);
    uint64_t most = prologue.kind == SAM_KIND_CLOSE ? 0 : session->max_message;
    if (claimed < SAM_GCM_TAG_SIZE || claimed > SAM_GCM_TAG_SIZE + most)
        return SAM_LENGTH;
    *length = (uint32_t)claimed;
    return SAM_OK;
}

enum sam_status sam_record_open(struct sam_session *session, uint8_t *record, uint32_t length) {
    uint8_t nonce[SAM_GCM_NONCE_SIZE], *message = record + SAM_RECORD_SIZE;
    size_t message_length = length - SAM_GCM_TAG_SIZE;
    if (!session->begun || session->in.closed) {
        sam_wipe(message, message_length);
        return SAM_CLOSED;
    }
    make_nonce(nonce, session->in.sequence);
    enum sam_status status = sam_gcm_open(session->in.key, nonce, record, SAM_RECORD_SIZE, message,
                                          message_length, message + message_length);
    if (status == SAM_OK) {
        session->in.sequence++;
        session->in.closed = record[SAM_AT_KIND] == SAM_KIND_CLOSE;
    }
    return status;
}
