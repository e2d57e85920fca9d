#include "echoing.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figure.h"
#include "parties.h"
#include "secure_socket.h"
#include "together.h"

enum { MESSAGE = 100, CLIENTS_MAX = 4 };

/* The listeners, made before the fork, and the clients' ends. */
struct echoing {
    const struct parties *parties;
    struct sam_secure_socket secure_listener, secure[CLIENTS_MAX];
    int plain_listener, plain[CLIENTS_MAX];
    unsigned count; /* of clients at work */
};

static bool send_exactly(int fd, const uint8_t *data, size_t length) {
    for (size_t sent = 0; sent < length;) {
        ssize_t n = send(fd, data + sent, length - sent, 0);
        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    return true;
}

static bool receive_exactly(int fd, uint8_t *data, size_t length) {
    for (size_t have = 0; have < length;) {
        ssize_t n = recv(fd, data + have, length - have, 0);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

static void *echo_plain(void *argument) {
    int fd = *(int *)argument;
    uint8_t message[MESSAGE];
    while (receive_exactly(fd, message, sizeof message) &&
           send_exactly(fd, message, sizeof message))
        continue;
    return NULL;
}

static void *echo_secure(void *argument) {
    struct sam_secure_socket *s = argument;
    uint8_t message[MESSAGE];
    size_t length;
    while (sam_secure_recv(s, message, sizeof message, &length) == SAM_OK &&
           sam_secure_send(s, message, length) == SAM_OK)
        continue;
    return NULL;
}

static void at_once(int fd) {
    int on = 1;
    must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
}

/* In a process of its own: takes all clients, one of each kind in turn, and echoes until they are
 * gone. */
_Noreturn static void echo(struct echoing *e) {
    pthread_t plain[CLIENTS_MAX], secure[CLIENTS_MAX];
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        e->plain[i] = accept(e->plain_listener, NULL, NULL);
        must(e->plain[i] >= 0, "accept");
        at_once(e->plain[i]);
        must(pthread_create(&plain[i], NULL, echo_plain, &e->plain[i]) == 0, "a thread");
        must_be_ok(sam_secure_accept(&e->secure_listener, &e->secure[i], NULL), "accept");
        must(pthread_create(&secure[i], NULL, echo_secure, &e->secure[i]) == 0, "a thread");
    }
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        pthread_join(plain[i], NULL);
        pthread_join(secure[i], NULL);
    }
    _exit(EXIT_SUCCESS);
}

/* Listens on a port that the system chooses, which at becomes. */
static int listen_plainly(struct sockaddr_in *at) {
    socklen_t size = sizeof *at;
    *at = (struct sockaddr_in){.sin_family = AF_INET};
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0 && bind(fd, (struct sockaddr *)at, size) == 0 && listen(fd, CLIENTS_MAX) == 0 &&
             getsockname(fd, (struct sockaddr *)at, &size) == 0,
         "listen");
    return fd;
}

static void connect_all(struct echoing *e, const struct sockaddr_in *at) {
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        e->plain[i] = socket(AF_INET, SOCK_STREAM, 0);
        must(e->plain[i] >= 0 && connect(e->plain[i], (const struct sockaddr *)at, sizeof *at) == 0,
             "connect");
        at_once(e->plain[i]);
        must_be_ok(sam_secure_socket(&e->secure[i], e->parties->folder, "client", NULL), "a key");
        must_be_ok(
            sam_secure_connect(&e->secure[i], "127.0.0.1", e->secure_listener.port, "server", NULL),
            "connect");
    }
}

static pid_t echoer; /* for the end of the program */

static void stop_echoer(void) {
    if (echoer == 0)
        return;
    kill(echoer, SIGKILL);
    waitpid(echoer, NULL, 0);
    echoer = 0;
}

static void start(struct echoing *e) {
    struct sockaddr_in at;
    e->parties = parties_of(SAM_RSA_BITS_DEFAULT);
    e->plain_listener = listen_plainly(&at);
    must_be_ok(sam_secure_socket(&e->secure_listener, e->parties->folder, "server", NULL), "a key");
    must_be_ok(sam_secure_bind(&e->secure_listener, "127.0.0.1", 0, NULL), "bind");
    must_be_ok(sam_secure_listen(&e->secure_listener, CLIENTS_MAX), "listen");
    echoer = fork();
    must(echoer >= 0, "fork");
    if (echoer == 0)
        echo(e);
    atexit(stop_echoer);
    connect_all(e, &at);
}

static void stop(struct echoing *e) {
    stop_echoer();
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        close(e->plain[i]);
        sam_secure_close(&e->secure[i]);
    }
    close(e->plain_listener);
    sam_secure_close(&e->secure_listener);
}

static uint64_t trips_plain(void *context, unsigned index, double until) {
    struct echoing *e = context;
    uint8_t message[MESSAGE] = {0};
    uint64_t done = 0;
    for (; done == 0 || seconds_now() < until; done++)
        must(send_exactly(e->plain[index], message, sizeof message) &&
                 receive_exactly(e->plain[index], message, sizeof message),
             "a plain round trip");
    return done;
}

static uint64_t trips_secure(void *context, unsigned index, double until) {
    struct echoing *e = context;
    uint8_t message[MESSAGE] = {0};
    size_t length;
    uint64_t done = 0;
    for (; done == 0 || seconds_now() < until; done++) {
        must_be_ok(sam_secure_send(&e->secure[index], message, sizeof message), "send");
        must_be_ok(sam_secure_recv(&e->secure[index], message, sizeof message, &length), "receive");
        must(length == sizeof message, "a secure round trip");
    }
    return done;
}

static double plain_rate(void *context, double seconds) {
    struct echoing *e = context;
    return rate_together(e->count, trips_plain, context, seconds);
}

static double secure_rate(void *context, double seconds) {
    struct echoing *e = context;
    return rate_together(e->count, trips_secure, context, seconds);
}

void session_group(void) {
    static const unsigned counts[] = {1, CLIENTS_MAX};
    static struct echoing e;
    start(&e);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char id[32], words[80];
        e.count = counts[i];
        snprintf(id, sizeof id, "session.%u", counts[i]);
        snprintf(words, sizeof words, "session, 100 B round trips, %u client%s", counts[i],
                 counts[i] == 1 ? "" : "s");
        figure_tell(&(struct figure){id, words, 0.85, "round trips/s", secure_rate, plain_rate, &e},
                    pace_of(35, 0.1));
    }
    stop(&e);
}
