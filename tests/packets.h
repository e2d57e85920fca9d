/* Reads a capture file again, with a parser that shares nothing with the writer: what is not as it
 * must be fails the test. */
#ifndef SAM_TESTS_PACKETS_H
#define SAM_TESTS_PACKETS_H

#include "bytes.h"
#include "capture.h"

/* TCP's flags, and the blocks before the first packet. */
enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16, MAX_PACKETS = 2048, HEAD_BLOCKS = 3 };

struct packet {
    unsigned interface, flags, comment_length;
    const char *comment;                /* NULL: none */
    uint64_t time;                      /* microseconds of Unix time */
    const uint8_t *from, *to, *payload; /* addresses of address_size bytes */
    size_t address_size, payload_length;
    uint16_t ports[2], window;
    uint32_t seq, ack;
};

/* Packets point into file. */
struct trace {
    struct sam_bytes file;
    size_t ends[HEAD_BLOCKS]; /* where each block of the head ends */
    size_t count;
    struct packet packets[MAX_PACKETS];
};

/* Reads a capture into *trace, block by block, and checks every length, padding and checksum. What
 * *trace held before is freed; free its file with sam_bytes_free. */
void parse_capture(struct trace *trace, const char *path);

/* The two ends of a flow, who connected first. */
struct route {
    const char *texts[2]; /* addresses */
    uint16_t ports[2];
    enum sam_leg leg;
};

/* What a listener makes of one end of a flow. */
struct heard {
    uint32_t next; /* sequence number */
    struct sam_bytes said;
    bool ended;
};

/* Listens to one flow of the trace, as a TCP that has lost nothing, and checks its handshake, its
 * flags and its numbers. Returns how many packets it has. Free *heard with free_heard. */
size_t listen_to(const struct trace *trace, const struct route *route, struct heard heard[2]);
void free_heard(struct heard heard[2]);

#endif
