#include "sessions.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *ask(void *argument) {
    struct asking *asking = argument;
    asking->status = sam_exchange_ask(&asking->client->connection, &asking->answer);
    return NULL;
}

void start_asking(struct asking *asking, struct peer *client, struct peer *server,
                  struct sam_incoming *request) {
    *asking = (struct asking){.client = client};
    peers_meet(client, server, &sam_mode_asymmetric_symmetric);
    ck_assert_int_eq(pthread_create(&asking->thread, NULL, ask, asking), 0);
    ck_status(peer_take(server, request), SAM_OK);
}

enum sam_status end_asking(struct asking *asking) {
    ck_assert_int_eq(pthread_join(asking->thread, NULL), 0);
    sam_connection_drop(&asking->client->connection, &asking->answer);
    return asking->status;
}

void begin_session(struct peer *client, struct peer *server) {
    struct asking asking;
    struct sam_incoming request;
    start_asking(&asking, client, server, &request);
    ck_status(sam_exchange_grant(&server->connection, &request), SAM_OK);
    sam_connection_drop(&server->connection, &request);
    ck_status(end_asking(&asking), SAM_OK);
    ck_assert(client->connection.session.begun && server->connection.session.begun);
}

void restore_session(struct peer *peer, struct sam_session before) {
    static const struct sam_agreement fixed = {{0}, {0}, {0}};
    struct sam_session *session = &peer->connection.session;
    sam_session_end(session);
    ck_status(sam_session_begin(session, peer->crypto, peer->connection.is_client, &fixed, 0),
              SAM_OK);
    before.out.key = session->out.key;
    before.in.key = session->in.key;
    *session = before;
}

void assert_passes(struct sam_session *from, struct sam_session *to, enum sam_kind kind) {
    uint8_t record[SAM_RECORD_OVERHEAD + 4] = {0};
    uint32_t length;
    from->out.sequence = to->in.sequence = 0;
    ck_status(sam_record_seal(from, kind, record, 4), SAM_OK);
    ck_status(sam_record_check(to, record, &length), SAM_OK);
    ck_status(sam_record_open(to, record, length), SAM_OK);
}

struct sam_bytes sealed_record(struct peer *peer, enum sam_kind kind, const void *message,
                               size_t length) {
    struct sam_bytes bytes = {0};
    ck_status(sam_bytes_reserve(&bytes, SAM_RECORD_OVERHEAD + length), SAM_OK);
    bytes.length = SAM_RECORD_OVERHEAD + length;
    if (length > 0)
        memcpy(bytes.data + SAM_RECORD_SIZE, message, length);
    ck_status(sam_record_seal(&peer->connection.session, kind, bytes.data, length), SAM_OK);
    return bytes;
}

enum sam_status give(struct peer *to, const void *bytes, size_t length,
                     struct sam_incoming *incoming) {
    int sockets[2], before = to->connection.fd;
    socket_pair(sockets);
    to->connection.fd = sockets[1];
    write_raw(sockets[0], bytes, length);
    shutdown(sockets[0], SHUT_WR);
    *incoming = (struct sam_incoming){0};
    enum sam_status status = sam_connection_receive(&to->connection, incoming);
    if (status == SAM_OK)
        status = sam_connection_open(&to->connection, incoming);
    to->connection.fd = before;
    to->connection.ahead_from = to->connection.ahead_to = 0;
    close(sockets[0]);
    close(sockets[1]);
    return status;
}
