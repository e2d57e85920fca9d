/* Floor 4. TCP with deadlines: every call ends, whatever the other side does.
 *
 * A deadline is an instant of sam_now, never a time to wait, so that a peer who sends one byte a
 * second gains nothing by it. Sockets are non-blocking and close on exec. */
#ifndef SAM_NET_H
#define SAM_NET_H

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "bytes.h"

#define SAM_SECOND ((int64_t)1000000)

enum { SAM_ADDRESS_MAX = 80 }; /* "[IPv6 address%interface]:port" and NUL */

/* Microseconds of a clock that nobody sets: what all deadlines and times to wait here are in. */
int64_t sam_now(void);

/* When the wall clock will be at that deadline, or in a second where that is sooner. For
 * pthread_cond_timedwait, which counts by a clock that can be set: so whoever waits looks at the
 * deadline again after a second. */
struct timespec sam_soon(int64_t deadline);

/* Milliseconds since 1970, for people. */
uint64_t sam_unix_time(void);

/* Listens on host (name or address, IPv4 or IPv6) and port, 0 for one that the system chooses.
 * *port becomes the one in use and address its text. On failure (SAM_ADDRESS; SAM_LISTEN: errno
 * tells) *fd is -1; the caller closes it. */
SAM_MUST_CHECK enum sam_status sam_listen(int *fd, const char *host, uint16_t *port,
                                          struct sam_where *address);

/* Takes the next connection of a listening socket that is ready. On failure (SAM_NETWORK: errno
 * tells) *fd is -1; the caller closes it. */
SAM_MUST_CHECK enum sam_status sam_accept(int *fd, int listener, char address[SAM_ADDRESS_MAX]);

/* Connects to the first of host's addresses that answers before the deadline. stop is a descriptor
 * that becomes readable or hangs up when the program is to end, or -1. On failure (SAM_ADDRESS;
 * SAM_CONNECT: errno tells; SAM_TIMEOUT; SAM_STOPPED) *fd is -1; the caller closes it. */
SAM_MUST_CHECK enum sam_status sam_connect(int *fd, const char *host, uint16_t port, int stop,
                                           int64_t deadline, struct sam_where *address);

/* Makes a descriptor as all sockets here are: non-blocking, and closed on exec. False: errno tells.
 */
bool sam_unblock(int fd);

/* Makes a socket one that blocks, so that sam_read_some without stop and with a deadline of
 * INT64_MAX waits by itself: one call, not three. False: it is as before. */
bool sam_block(int fd);

/* Waits until fd can be read or written, as poll's events say, or has ended. SAM_TIMEOUT;
 * SAM_STOPPED: stop, as below, is ready and fd is not; SAM_NETWORK. */
SAM_MUST_CHECK enum sam_status sam_wait(int fd, short events, int stop, int64_t deadline);

/* Reads what is there, at least one byte and at most size: *length of them. Failures as below, but
 * SAM_TRUNCATED; *length is then 0. */
SAM_MUST_CHECK enum sam_status sam_read_some(int fd, int stop, int64_t deadline, uint8_t *data,
                                             size_t size, size_t *length);

/* Reads exactly length bytes. stop is a descriptor that becomes readable or hangs up when the
 * program is to end, or -1. SAM_CLOSED: the peer ended before the first byte; SAM_TRUNCATED: after
 * it; SAM_TIMEOUT; SAM_STOPPED: nothing more was there to read and the program is to end;
 * SAM_NETWORK. On failure data may hold some bytes. */
SAM_MUST_CHECK enum sam_status sam_read_all(int fd, int stop, int64_t deadline, uint8_t *data,
                                            size_t length);

/* Writes length bytes. Once stop (as above) is ready, a peer that does not read has one second
 * left. SAM_TIMEOUT; SAM_CLOSED: the peer is gone; SAM_NETWORK. On failure some may have been sent.
 */
SAM_MUST_CHECK enum sam_status sam_write_all(int fd, int stop, int64_t deadline,
                                             const uint8_t *data, size_t length);

/* Writes what may wait for what follows it, to travel in one packet with it: until the next
 * sam_write_all, until sam_flush, or, where the system can hold it back at all, for the fifth of a
 * second that the system does so. As sam_write_all. */
SAM_MUST_CHECK enum sam_status sam_write_more(int fd, int stop, int64_t deadline,
                                              const uint8_t *data, size_t length);

/* Lets go what sam_write_more has held back. */
void sam_flush(int fd);

/* Ends our side, reads and drops what still comes until the peer ends or the deadline: a close with
 * unread bytes would make the system destroy what we sent last. */
void sam_linger(int fd, int64_t deadline);

/* Whether fd is readable or has hung up, without waiting; -1 never is. */
bool sam_is_ready(int fd);

#endif
