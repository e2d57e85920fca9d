#include "secure_pair.h"

#include <string.h>

void listen_as(struct sam_secure_socket *s, const char *name, int64_t timeout) {
    ck_status(sam_secure_socket(s, lab, name, NULL), SAM_OK);
    s->timeout = timeout;
    s->patience = PATIENT;
    ck_status(sam_secure_bind(s, "127.0.0.1", 0, NULL), SAM_OK);
    ck_status(sam_secure_listen(s, 10), SAM_OK);
    ck_assert_uint_ne(s->port, 0);
}

enum sam_status connect_as(struct sam_secure_socket *s, const char *folder, const char *name,
                           uint16_t port, const char *peer, struct sam_where *where) {
    ck_status(sam_secure_socket(s, folder, name, where), SAM_OK);
    s->timeout = s->patience = PATIENT;
    return sam_secure_connect(s, "127.0.0.1", port, peer, where);
}

static void *run_accept(void *argument) {
    struct accepting *accepting = argument;
    accepting->status = sam_secure_accept(accepting->listener, &accepting->accepted, NULL);
    return NULL;
}

void start_accepting(struct accepting *accepting) {
    ck_assert_int_eq(pthread_create(&accepting->thread, NULL, run_accept, accepting), 0);
}

enum sam_status end_accepting(struct accepting *accepting) {
    pthread_join(accepting->thread, NULL);
    return accepting->status;
}

static void *run_send(void *argument) {
    struct sending *sending = argument;
    sending->status = sam_secure_send(sending->s, sending->data, sending->length);
    return NULL;
}

void start_sending(struct sending *sending) {
    ck_assert_int_eq(pthread_create(&sending->thread, NULL, run_send, sending), 0);
}

enum sam_status end_sending(struct sending *sending) {
    pthread_join(sending->thread, NULL);
    return sending->status;
}

void pair_open_through(struct secure_pair *pair, int64_t timeout,
                       uint16_t (*through)(void *context, uint16_t port), void *context) {
    struct accepting accepting = {.listener = &pair->listener};
    listen_as(&pair->listener, "server", timeout);
    start_accepting(&accepting);
    uint16_t port = through != NULL ? through(context, pair->listener.port) : pair->listener.port;
    ck_status(sam_secure_socket(&pair->client, lab, "client", NULL), SAM_OK);
    pair->client.timeout = timeout;
    pair->client.patience = PATIENT;
    ck_status(sam_secure_connect(&pair->client, "127.0.0.1", port, "server", NULL), SAM_OK);
    ck_status(end_accepting(&accepting), SAM_OK);
    pair->server = accepting.accepted;
}

void pair_open(struct secure_pair *pair, int64_t timeout) {
    pair_open_through(pair, timeout, NULL, NULL);
}

struct closing {
    struct sam_secure_socket *s;
    enum sam_status status;
};

static void *run_close(void *argument) {
    struct closing *closing = argument;
    closing->status = sam_secure_close(closing->s);
    return NULL;
}

void pair_close(struct secure_pair *pair, enum sam_status expected) {
    struct closing closing = {.s = &pair->server};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, run_close, &closing), 0);
    ck_status(sam_secure_close(&pair->client), expected);
    pthread_join(thread, NULL);
    ck_status(closing.status, expected);
    ck_status(sam_secure_close(&pair->listener), SAM_OK);
}

void expect_message(struct sam_secure_socket *s, const char *text) {
    char got[1000];
    size_t length;
    ck_status(sam_secure_recv(s, got, sizeof got, &length), SAM_OK);
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_mem_eq(got, text, length);
}

void expect_end(struct sam_secure_socket *s, enum sam_status status) {
    uint8_t got[16], untouched[16];
    memset(got, 0x5a, sizeof got);
    memset(untouched, 0x5a, sizeof untouched);
    for (int i = 0; i < 2; i++) {
        size_t length = 1;
        ck_status(sam_secure_recv(s, got, sizeof got, &length), status);
        ck_assert_uint_eq(length, 0);
        ck_assert_mem_eq(got, untouched, sizeof got);
    }
}
