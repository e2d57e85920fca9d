#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    NS_PER_US = 1000,
    US_PER_MS = 1000,
    BACKLOG = 1024, /* who waits here when all places are taken; the system may allow fewer */
    DRAIN_SIZE = 4096
};

#ifndef MSG_MORE
#define MSG_MORE 0 /* here nothing is held back */
#endif

static int64_t microseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SAM_SECOND + now.tv_nsec / NS_PER_US;
}

int64_t sam_now(void) {
    return microseconds(CLOCK_MONOTONIC);
}

struct timespec sam_soon(int64_t deadline) {
    int64_t left = deadline - sam_now();
    int64_t until = microseconds(CLOCK_REALTIME) + (left < SAM_SECOND ? left : SAM_SECOND);
    return (struct timespec){.tv_sec = (time_t)(until / SAM_SECOND),
                             .tv_nsec = (long)(until % SAM_SECOND) * NS_PER_US};
}

uint64_t sam_unix_time(void) {
    return (uint64_t)(microseconds(CLOCK_REALTIME) / US_PER_MS);
}

bool sam_unblock(int fd) {
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

bool sam_block(int fd) {
    return fcntl(fd, F_SETFL, 0) == 0;
}

static bool prepare(int fd) {
    int on = 1;
    /* A unit is written in one go: waiting to fill a segment would only delay it. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* Where silence is allowed, in a chat, a peer whose machine is gone is noticed in the end. */
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    return sam_unblock(fd);
}

static void close_keeping_errno(int fd) {
    int reason = errno;
    close(fd);
    errno = reason;
}

/* "127.0.0.1:8000" or "[::1]:8000"; *port too when it is not NULL. */
static void address_text(char out[SAM_ADDRESS_MAX], uint16_t *port, const struct sockaddr *address,
                         socklen_t length) {
    char host[SAM_ADDRESS_MAX - 16] = "?", service[8] = "0";
    getnameinfo(address, length, host, sizeof host, service, sizeof service,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(out, SAM_ADDRESS_MAX, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, service);
    if (port != NULL)
        *port = (uint16_t)strtoul(service, NULL, 10);
}

/* The addresses of host; where gets the text as the person wrote it. NULL when there are none. */
static struct addrinfo *look_up(const char *host, uint16_t port, int flags,
                                struct sam_where *where) {
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    sam_where_set(where, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, service);
    struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    wanted.ai_flags = flags | AI_NUMERICSERV;
    struct addrinfo *found = NULL;
    return getaddrinfo(host, service, &wanted, &found) == 0 ? found : NULL;
}

static int listen_on(const struct addrinfo *at) {
    int on = 1, off = 0;
    int fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (fd < 0)
        return -1;
    /* A server that was just stopped may start again at once. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at->ai_family == AF_INET6) /* "::" takes IPv4 too, whatever the system's default */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (prepare(fd) && bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    close_keeping_errno(fd);
    return -1;
}

enum sam_status sam_listen(int *fd, const char *host, uint16_t *port, struct sam_where *address) {
    *fd = -1;
    struct addrinfo *found = look_up(host, *port, AI_PASSIVE, address);
    if (found == NULL)
        return SAM_ADDRESS;
    for (const struct addrinfo *at = found; at != NULL && *fd < 0; at = at->ai_next)
        *fd = listen_on(at);
    int reason = errno;
    freeaddrinfo(found);
    errno = reason;
    if (*fd < 0)
        return SAM_LISTEN;
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    char text[SAM_ADDRESS_MAX];
    if (getsockname(*fd, (struct sockaddr *)&bound, &length) == 0) {
        address_text(text, port, (struct sockaddr *)&bound, length);
        sam_where_set(address, "%s", text);
    }
    return SAM_OK;
}

enum sam_status sam_accept(int *fd, int listener, char address[SAM_ADDRESS_MAX]) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    *fd = accept(listener, (struct sockaddr *)&peer, &length);
    if (*fd < 0)
        return SAM_NETWORK;
    if (!prepare(*fd)) {
        close_keeping_errno(*fd);
        *fd = -1;
        return SAM_NETWORK;
    }
    address_text(address, NULL, (struct sockaddr *)&peer, length);
    return SAM_OK;
}

/* Waits until fd is ready for events, or stop is ready. */
enum sam_status sam_wait(int fd, short events, int stop, int64_t deadline) {
    struct pollfd polled[2] = {{.fd = fd, .events = events}, {.fd = stop, .events = POLLIN}};
    for (;;) {
        int64_t left = deadline - sam_now();
        if (left <= 0)
            return SAM_TIMEOUT;
        int64_t wait = left / US_PER_MS + 1;
        int ready = poll(polled, 2, wait < INT_MAX ? (int)wait : INT_MAX);
        if (ready < 0 && errno != EINTR)
            return SAM_NETWORK;
        if (ready > 0)
            return polled[0].revents != 0 ? SAM_OK : SAM_STOPPED;
    }
}

static enum sam_status connect_to(int *fd, const struct addrinfo *at, int stop, int64_t deadline) {
    *fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
    if (*fd < 0)
        return SAM_CONNECT;
    enum sam_status status = SAM_CONNECT;
    if (prepare(*fd) && connect(*fd, at->ai_addr, at->ai_addrlen) == 0)
        return SAM_OK;
    if (errno == EINPROGRESS) {
        status = sam_wait(*fd, POLLOUT, stop, deadline);
        int problem = 0;
        socklen_t length = sizeof problem;
        if (status == SAM_OK && getsockopt(*fd, SOL_SOCKET, SO_ERROR, &problem, &length) == 0 &&
            problem == 0)
            return SAM_OK;
        if (status == SAM_OK) {
            errno = problem;
            status = SAM_CONNECT;
        }
    }
    close_keeping_errno(*fd);
    *fd = -1;
    return status;
}

enum sam_status sam_connect(int *fd, const char *host, uint16_t port, int stop, int64_t deadline,
                            struct sam_where *address) {
    *fd = -1;
    struct addrinfo *found = look_up(host, port, 0, address);
    if (found == NULL)
        return SAM_ADDRESS;
    enum sam_status status = SAM_CONNECT;
    for (const struct addrinfo *at = found; at != NULL && *fd < 0; at = at->ai_next)
        status = connect_to(fd, at, stop, deadline);
    int reason = errno;
    freeaddrinfo(found);
    errno = reason;
    return status;
}

static bool would_block(void) {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

enum sam_status sam_read_some(int fd, int stop, int64_t deadline, uint8_t *data, size_t size,
                              size_t *length) {
    *length = 0;
    for (;;) {
        ssize_t n = recv(fd, data, size, stop < 0 && deadline == INT64_MAX ? 0 : MSG_DONTWAIT);
        if (n > 0) {
            *length = (size_t)n;
            return SAM_OK;
        }
        /* A reset is an end as well: some systems tell a peer's close that way. */
        if (n == 0 || errno == ECONNRESET)
            return SAM_CLOSED;
        if (errno == EINTR)
            continue;
        if (!would_block())
            return SAM_NETWORK;
        enum sam_status status = sam_wait(fd, POLLIN, stop, deadline);
        if (status != SAM_OK)
            return status;
    }
}

enum sam_status sam_read_all(int fd, int stop, int64_t deadline, uint8_t *data, size_t length) {
    for (size_t have = 0, n = 0; have < length; have += n) {
        enum sam_status status = sam_read_some(fd, stop, deadline, data + have, length - have, &n);
        if (status != SAM_OK)
            return status == SAM_CLOSED && have > 0 ? SAM_TRUNCATED : status;
    }
    return SAM_OK;
}

static enum sam_status write_all(int fd, int stop, int64_t deadline, const uint8_t *data,
                                 size_t length, int flags) {
    for (size_t sent = 0; sent < length;) {
        ssize_t n = send(fd, data + sent, length - sent, flags | MSG_DONTWAIT);
        if (n >= 0) {
            sent += (size_t)n;
            continue;
        }
        if (errno == EPIPE || errno == ECONNRESET)
            return SAM_CLOSED;
        if (errno == EINTR)
            continue;
        if (!would_block())
            return SAM_NETWORK;
        enum sam_status status = sam_wait(fd, POLLOUT, stop, deadline);
        if (status == SAM_STOPPED) {
            int64_t soon = sam_now() + SAM_SECOND;
            deadline = deadline < soon ? deadline : soon;
            stop = -1;
        } else if (status != SAM_OK) {
            return status;
        }
    }
    return SAM_OK;
}

enum sam_status sam_write_all(int fd, int stop, int64_t deadline, const uint8_t *data,
                              size_t length) {
    return write_all(fd, stop, deadline, data, length, 0);
}

enum sam_status sam_write_more(int fd, int stop, int64_t deadline, const uint8_t *data,
                               size_t length) {
    return write_all(fd, stop, deadline, data, length, MSG_MORE);
}

void sam_flush(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* set anew, it sends what waits */
}

void sam_linger(int fd, int64_t deadline) {
    uint8_t dropped[DRAIN_SIZE];
    shutdown(fd, SHUT_WR);
    while (sam_read_all(fd, -1, deadline, dropped, sizeof dropped) == SAM_OK &&
           sam_now() < deadline)
        continue;
}

bool sam_is_ready(int fd) {
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&polled, 1, 0) > 0;
}
