#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"

/* What draft-ietf-opsawg-pcapng calls these numbers stands behind them. */
enum { BLOCK_INTERFACE = 1, BLOCK_PACKET = 6, BLOCK_SECTION = 0x0A0D0D0A };
enum { OPTION_END = 0 /* opt_endofopt */, OPTION_COMMENT = 1 /* opt_comment */ };
enum { OPTION_NAME = 2 /* if_name */, OPTION_RESOLUTION = 9 /* if_tsresol */ };
enum { BYTE_ORDER_MAGIC = 0x1A2B3C4D, LINK_RAW = 101, MICROSECONDS = 6 };

/* TCP's flags, RFC 9293 section 3.1. */
enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };

enum { IP4_SIZE = 20, IP6_SIZE = 40, TCP_SIZE = 20, SYN_OPTIONS = 8 };
enum { PIECE_SIZE = 32768 };   /* bytes of data in a packet: IP tells its length in 16 bits, */
enum { COMMENT_SIZE = 65535 }; /* as an option does */

/* The largest block: its 28 bytes before the packet, the packet, a padded comment, the end of the
 * options, and the length once more. */
enum { BLOCK_SIZE = 28 + IP6_SIZE + TCP_SIZE + PIECE_SIZE + 4 + COMMENT_SIZE + 1 + 4 + 4 };

struct sam_capture {
    pthread_mutex_t lock; /* over all that follows and the next of every flow */
    int fd;
    int reason;     /* errno of the first failure; after it nothing more is written */
    off_t whole;    /* bytes of the file, all of them whole blocks */
    uint32_t flows; /* that have begun */
    size_t length;  /* bytes of the block that is being composed */
    uint8_t block[BLOCK_SIZE];
};

/* A file's integers are in the order that its magic shows: here the least significant byte first,
 * whatever the machine. */
static void put32(uint8_t out[4], uint32_t value) {
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static void add16(struct sam_capture *capture, unsigned value) {
    capture->block[capture->length++] = (uint8_t)value;
    capture->block[capture->length++] = (uint8_t)(value >> 8);
}

static void add32(struct sam_capture *capture, uint32_t value) {
    put32(capture->block + capture->length, value);
    capture->length += 4;
}

static void add_padding(struct sam_capture *capture) {
    while (capture->length % 4 != 0)
        capture->block[capture->length++] = 0;
}

static void add_option(struct sam_capture *capture, unsigned code, const void *value,
                       size_t length) {
    add16(capture, code);
    add16(capture, (unsigned)length);
    if (length > 0)
        memcpy(capture->block + capture->length, value, length);
    capture->length += length;
    add_padding(capture);
}

static void start_block(struct sam_capture *capture, uint32_t type) {
    capture->length = 0;
    add32(capture, type);
    add32(capture, 0); /* the length, once it is known */
}

static void write_block(struct sam_capture *capture) {
    uint32_t total = (uint32_t)capture->length + 4;
    put32(capture->block + 4, total);
    add32(capture, total);
    if (capture->reason != 0)
        return;
    if (sam_file_write(capture->fd, capture->block, capture->length) == SAM_OK) {
        capture->whole += (off_t)capture->length;
        return;
    }
    capture->reason = errno;
    /* A reader stops with an error at half a block. */
    while (ftruncate(capture->fd, capture->whole) != 0 && errno == EINTR)
        continue;
}

static void write_interface(struct sam_capture *capture, const char *name) {
    static const uint8_t resolution = MICROSECONDS;
    start_block(capture, BLOCK_INTERFACE);
    add16(capture, LINK_RAW);
    add16(capture, 0); /* reserved */
    add32(capture, 0); /* packets of any length */
    add_option(capture, OPTION_NAME, name, strlen(name));
    add_option(capture, OPTION_RESOLUTION, &resolution, 1);
    add_option(capture, OPTION_END, NULL, 0);
    write_block(capture);
}

static void write_head(struct sam_capture *capture) {
    start_block(capture, BLOCK_SECTION);
    add32(capture, BYTE_ORDER_MAGIC);
    add16(capture, 1); /* version 1.0 */
    add16(capture, 0);
    add32(capture, UINT32_MAX); /* the length of the section, 64 bits: not told */
    add32(capture, UINT32_MAX);
    write_block(capture);
    write_interface(capture, "client"); /* interface 0 is SAM_LEG_CLIENT */
    write_interface(capture, "server");
}

/* The Internet checksum (RFC 1071) before its end: sum and the bytes as 16-bit numbers. No packet
 * is long enough to overflow it. */
static uint32_t add_up(uint32_t sum, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += sam_get16(bytes + i);
    if (length % 2 != 0)
        sum += (uint32_t)bytes[length - 1] << 8;
    return sum;
}

static uint16_t checksum(uint32_t sum) {
    while (sum > 0xFFFF)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Writes the header of a packet with length bytes behind it, RFC 791 section 3.1. Returns its size
 * and adds the addresses to *sum. */
static size_t put_ip4(uint8_t *out, const struct sam_flow *flow, unsigned from, size_t length,
                      uint32_t *sum) {
    struct sockaddr_in ends[2];
    memcpy(&ends[0], &flow->ends[from], sizeof ends[0]);
    memcpy(&ends[1], &flow->ends[1 - from], sizeof ends[1]);
    memset(out, 0, IP4_SIZE);
    out[0] = 0x45; /* version 4, 5 words */
    sam_put16(out + 2, (uint16_t)(IP4_SIZE + length));
    out[6] = 0x40; /* don't fragment: then the identification may be 0 (RFC 6864) */
    out[8] = 64;   /* time to live */
    out[9] = IPPROTO_TCP;
    memcpy(out + 12, &ends[0].sin_addr, 4);
    memcpy(out + 16, &ends[1].sin_addr, 4);
    sam_put16(out + 10, checksum(add_up(0, out, IP4_SIZE)));
    *sum = add_up(*sum, out + 12, 8);
    return IP4_SIZE;
}

/* The same for RFC 8200 section 3. */
static size_t put_ip6(uint8_t *out, const struct sam_flow *flow, unsigned from, size_t length,
                      uint32_t *sum) {
    struct sockaddr_in6 ends[2];
    memcpy(&ends[0], &flow->ends[from], sizeof ends[0]);
    memcpy(&ends[1], &flow->ends[1 - from], sizeof ends[1]);
    memset(out, 0, IP6_SIZE);
    out[0] = 0x60; /* version 6 */
    sam_put16(out + 4, (uint16_t)length);
    out[6] = IPPROTO_TCP;
    out[7] = 64; /* hop limit */
    memcpy(out + 8, &ends[0].sin6_addr, 16);
    memcpy(out + 24, &ends[1].sin6_addr, 16);
    *sum = add_up(*sum, out + 8, 32);
    return IP6_SIZE;
}

static uint16_t port_of(const struct sockaddr_storage *end) {
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
    memcpy(&ip4, end, sizeof ip4);
    memcpy(&ip6, end, sizeof ip6);
    return ntohs(end->ss_family == AF_INET6 ? ip6.sin6_port : ip4.sin_port);
}

/* Writes a header without its checksum, RFC 9293 section 3.1. Returns its size. */
static size_t put_tcp(uint8_t *out, const struct sam_flow *flow, unsigned from, unsigned flags) {
    /* A segment is PIECE_SIZE at most; then the window, in units of 2^14 (RFC 7323 section 2.2),
     * the most there is: no packet does nothing but acknowledge, so all that one end says before
     * the other answers must fit in it. */
    static const uint8_t syn_options[SYN_OPTIONS] = {2, 4, PIECE_SIZE >> 8, 0, 1, 3, 3, 14};
    size_t size = TCP_SIZE;
    if ((flags & SYN) != 0) {
        memcpy(out + size, syn_options, sizeof syn_options);
        size += sizeof syn_options;
    }
    memset(out, 0, TCP_SIZE);
    sam_put16(out, port_of(&flow->ends[from]));
    sam_put16(out + 2, port_of(&flow->ends[1 - from]));
    sam_put32(out + 4, flow->next[from]);
    if ((flags & ACK) != 0)
        sam_put32(out + 8, flow->next[1 - from]);
    out[12] = (uint8_t)(size / 4 << 4);
    out[13] = (uint8_t)flags;
    sam_put16(out + 14, UINT16_MAX); /* window */
    return size;
}

static void add_comment(struct sam_capture *capture, const char *comment) {
    size_t length = strlen(comment);
    if (length > COMMENT_SIZE) {
        length = COMMENT_SIZE;
        /* Not in the middle of a character of UTF-8. */
        while (length > 0 && (comment[length] & 0xC0) == 0x80)
            length--;
    }
    add_option(capture, OPTION_COMMENT, comment, length);
    add_option(capture, OPTION_END, NULL, 0);
}

/* Writes one packet from an end, with at most PIECE_SIZE bytes of data, and moves its sequence
 * number on. */
static void write_packet(struct sam_capture *capture, struct sam_flow *flow, unsigned from,
                         unsigned flags, const uint8_t *data, size_t length, const char *comment) {
    uint8_t tcp[TCP_SIZE + SYN_OPTIONS];
    size_t tcp_size = put_tcp(tcp, flow, from, flags);
    uint8_t ip[IP6_SIZE];
    /* The pseudo header, RFC 9293 section 3.1: addresses, protocol, length. */
    uint32_t sum = IPPROTO_TCP + (uint32_t)(tcp_size + length);
    size_t ip_size = flow->ends[0].ss_family == AF_INET6
                         ? put_ip6(ip, flow, from, tcp_size + length, &sum)
                         : put_ip4(ip, flow, from, tcp_size + length, &sum);
    sam_put16(tcp + 16, checksum(add_up(add_up(sum, tcp, tcp_size), data, length)));

    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t time = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    uint32_t size = (uint32_t)(ip_size + tcp_size + length);
    start_block(capture, BLOCK_PACKET);
    add32(capture, (uint32_t)flow->leg);
    add32(capture, (uint32_t)(time >> 32));
    add32(capture, (uint32_t)time);
    add32(capture, size); /* captured, and */
    add32(capture, size); /* on the wire */
    uint8_t *at = capture->block + capture->length;
    memcpy(at, ip, ip_size);
    memcpy(at + ip_size, tcp, tcp_size);
    if (length > 0)
        memcpy(at + ip_size + tcp_size, data, length);
    capture->length += size;
    add_padding(capture);
    if (comment != NULL)
        add_comment(capture, comment);
    write_block(capture);

    flow->next[from] += (uint32_t)length + ((flags & (SYN | FIN)) != 0 ? 1 : 0);
}

static int open_regular(const char *path) {
    /* O_NONBLOCK: a pipe that nobody reads is an error, not a wait without an end. */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0600);
    struct stat file;
    if (fd >= 0 && (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))) {
        /* Half a packet could not be taken back from a pipe or a device. */
        close(fd);
        errno = EINVAL;
        fd = -1;
    }
    return fd;
}

enum sam_status sam_capture_open(struct sam_capture **out, const char *path) {
    *out = NULL;
    struct sam_capture *capture = calloc(1, sizeof *capture);
    if (capture == NULL)
        return SAM_MEMORY;
    if (pthread_mutex_init(&capture->lock, NULL) != 0) {
        free(capture);
        return SAM_MEMORY;
    }
    capture->fd = open_regular(path);
    if (capture->fd < 0)
        capture->reason = errno;
    write_head(capture);
    if (capture->reason != 0)
        return sam_capture_close(capture);
    *out = capture;
    return SAM_OK;
}

enum sam_status sam_capture_close(struct sam_capture *capture) {
    if (capture == NULL)
        return SAM_OK;
    int reason = capture->reason;
    if (capture->fd >= 0 && close(capture->fd) != 0 && reason == 0)
        reason = errno;
    pthread_mutex_destroy(&capture->lock);
    free(capture);
    if (reason == 0)
        return SAM_OK;
    errno = reason;
    return SAM_FILE_WRITE;
}

void sam_flow_begin(struct sam_capture *capture, struct sam_flow *flow, enum sam_leg leg,
                    const struct sockaddr_storage *connected,
                    const struct sockaddr_storage *listened) {
    if (capture == NULL)
        return;
    pthread_mutex_lock(&capture->lock);
    capture->flows++;
    /* A host draws its first sequence number so that nobody can guess it and send into the
     * connection (RFC 6528). Nobody can send into a file, so here the numbers come from a count and
     * two odd factors: they differ from flow to flow and from end to end, as real ones do, and are
     * the same in every run, so that two captures of the same talk can be compared. */
    *flow = (struct sam_flow){
        .leg = leg,
        .ends = {*connected, *listened},
        .next = {capture->flows * 0x9E3779B1, capture->flows * 0x85EBCA77},
    };
    write_packet(capture, flow, 0, SYN, NULL, 0, NULL);
    write_packet(capture, flow, 1, SYN | ACK, NULL, 0, NULL);
    write_packet(capture, flow, 0, ACK, NULL, 0, NULL);
    pthread_mutex_unlock(&capture->lock);
}

void sam_flow_data(struct sam_capture *capture, struct sam_flow *flow, unsigned end,
                   const uint8_t *data, size_t length, const char *comment) {
    if (capture == NULL)
        return;
    pthread_mutex_lock(&capture->lock);
    for (size_t at = 0; at < length; at += PIECE_SIZE) {
        size_t piece = length - at < PIECE_SIZE ? length - at : PIECE_SIZE;
        write_packet(capture, flow, end, PSH | ACK, data + at, piece, at == 0 ? comment : NULL);
    }
    pthread_mutex_unlock(&capture->lock);
}

void sam_flow_end(struct sam_capture *capture, struct sam_flow *flow, unsigned end) {
    if (capture == NULL)
        return;
    pthread_mutex_lock(&capture->lock);
    write_packet(capture, flow, end, FIN | ACK, NULL, 0, NULL);
    pthread_mutex_unlock(&capture->lock);
}
