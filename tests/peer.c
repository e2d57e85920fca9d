#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void peer_open(struct peer *peer, const struct sam_mode *mode, const struct sam_key *own, int fd) {
    *peer = (struct peer){.own = *own};
    ck_status(sam_crypto_share(&peer->crypto, people.crypto), SAM_OK);
    peer->party = (struct sam_party){.mode = mode, .crypto = peer->crypto, .own = &peer->own};
    peer->connection =
        (struct sam_connection){.fd = fd, .stop = -1, .timeout = PATIENT, .party = &peer->party};
}

void peer_close(struct peer *peer) {
    if (peer->connection.fd >= 0)
        close(peer->connection.fd);
    peer->connection.fd = -1;
    sam_session_end(&peer->connection.session);
    sam_crypto_free(peer->crypto);
    peer->crypto = NULL;
}

void socket_pair(int ends[2]) {
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(fcntl(ends[i], F_SETFL, O_NONBLOCK), 0);
        ck_assert_int_eq(fcntl(ends[i], F_SETFD, FD_CLOEXEC), 0);
    }
}

void tcp_pair(int ends[2]) {
    int listener;
    uint16_t port = 0;
    char address[SAM_ADDRESS_MAX];
    ck_status(sam_listen(&listener, "127.0.0.1", &port, NULL), SAM_OK);
    ck_status(sam_connect(&ends[0], "127.0.0.1", port, -1, sam_now() + PATIENT, NULL), SAM_OK);
    ck_assert(readable_until(listener, sam_now() + PATIENT));
    ck_status(sam_accept(&ends[1], listener, address), SAM_OK);
    close(listener);
}

static void address_server(struct peer *client, const struct sam_key *server) {
    client->other = *server;
    client->addressed = (struct sam_ring){&client->other, 1};
}

void peers_meet(struct peer *client, struct peer *server, const struct sam_mode *mode) {
    int ends[2];
    socket_pair(ends);
    peer_open(client, mode, person("alice"), ends[0]);
    peer_open(server, mode, person("bob"), ends[1]);
    address_server(client, person("bob"));
    ck_status(sam_connection_greet(&server->connection, &people.trusted, mode->max_message),
              SAM_OK);
    ck_status(sam_connection_meet(&client->connection, &client->addressed), SAM_OK);
}

void peer_join(struct peer *peer, const struct sam_mode *mode, const struct sam_key *own,
               uint16_t port, const struct sam_key *server) {
    int fd;
    ck_status(sam_connect(&fd, "127.0.0.1", port, -1, sam_now() + PATIENT, NULL), SAM_OK);
    peer_open(peer, mode, own, fd);
    address_server(peer, server);
    ck_status(sam_connection_meet(&peer->connection, &peer->addressed), SAM_OK);
}

struct sam_envelope peer_seal(struct peer *client, enum sam_kind kind, const void *message,
                              size_t length) {
    struct sam_envelope envelope;
    ck_status(sam_connection_start(&client->connection, &envelope, &client->other, length), SAM_OK);
    if (length > 0)
        memcpy(envelope.message, message, length);
    ck_status(sam_connection_seal(&client->connection, &envelope, kind), SAM_OK);
    return envelope;
}

void peer_request(struct peer *client, enum sam_kind kind, const void *message, size_t length) {
    struct sam_envelope envelope = peer_seal(client, kind, message, length);
    ck_status(sam_connection_send(&client->connection, &envelope), SAM_OK);
    sam_envelope_free(&envelope);
}

enum sam_status peer_take(struct peer *peer, struct sam_incoming *incoming) {
    *incoming = (struct sam_incoming){0};
    enum sam_status status = sam_connection_receive(&peer->connection, incoming);
    if (status == SAM_OK)
        status = sam_connection_open(&peer->connection, incoming);
    if (status != SAM_OK)
        sam_connection_drop(&peer->connection, incoming);
    return status;
}

void peer_expect(struct peer *peer, enum sam_kind kind, const void *message, size_t length) {
    struct sam_incoming incoming;
    ck_status(peer_take(peer, &incoming), SAM_OK);
    ck_assert_str_eq(sam_kind_name(incoming.envelope.header.kind), sam_kind_name(kind));
    ck_assert_uint_eq(incoming.envelope.message_length, length);
    ck_assert_mem_eq(incoming.envelope.message, message, length);
    sam_connection_drop(&peer->connection, &incoming);
}

const char *long_answer(const struct sam_mode *mode) {
    static char answer[100001]; /* Linux takes 128 KiB in a word */
    size_t most = sizeof answer - 1, length = mode->max_message < most ? mode->max_message : most;
    memset(answer, 'a', length);
    answer[length] = '\0';
    return answer;
}

void peer_asks_without_reading(struct peer *client) {
    enum { MORE_THAN_BUFFERS = 2000 };
    int small = 4096, fd = client->connection.fd;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    for (int i = 0; i < MORE_THAN_BUFFERS; i++) {
        client->connection.unanswered_count = 0; /* it never reads */
        struct sam_envelope envelope = peer_seal(client, SAM_KIND_RECV, "", 0);
        enum sam_status status = sam_write_all(fd, -1, sam_now() + SAM_SECOND / 5,
                                               envelope.bytes.data, envelope.bytes.length);
        sam_envelope_free(&envelope);
        if (status != SAM_OK)
            return;
    }
}

struct sam_envelope seal_at(const struct sam_party *party, const struct sam_key *to,
                            const struct sam_address *address, const void *message, size_t length) {
    struct sam_envelope envelope;
    ck_status(sam_envelope_start(&envelope, party, to, length), SAM_OK);
    if (length > 0)
        memcpy(envelope.message, message, length);
    ck_status(sam_envelope_seal(&envelope, party, to, address), SAM_OK);
    return envelope;
}

void write_raw(int fd, const void *data, size_t length) {
    ck_status(sam_write_all(fd, -1, sam_now() + PATIENT, data, length), SAM_OK);
}

bool readable_until(int fd, int64_t deadline) {
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    int64_t left = (deadline - sam_now()) / 1000;
    return poll(&polled, 1, left > 0 ? (int)left : 0) > 0;
}

struct sam_bytes read_to_end(int fd) {
    struct sam_bytes bytes = {0};
    uint8_t chunk[4096];
    int64_t deadline = sam_now() + PATIENT;
    for (;;) {
        ssize_t n = recv(fd, chunk, sizeof chunk, 0);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return bytes;
        if (n > 0)
            ck_status(sam_bytes_append(&bytes, chunk, (size_t)n), SAM_OK);
        else
            ck_assert_msg(readable_until(fd, deadline), "the other side neither writes nor ends");
    }
}

void expect_rejection(int fd, const struct sam_mode *mode) {
    uint8_t rejection[SAM_REJECTION_SIZE];
    sam_rejection_write(rejection, mode->number);
    struct sam_bytes got = read_to_end(fd);
    ck_assert_uint_eq(got.length, sizeof rejection);
    ck_assert_mem_eq(got.data, rejection, sizeof rejection);
    sam_bytes_free(&got);
}

void allow_descriptors(unsigned count) {
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < count) {
        limit.rlim_cur = count;
        ck_assert_msg(setrlimit(RLIMIT_NOFILE, &limit) == 0, "%u descriptors are needed", count);
    }
}
