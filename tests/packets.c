#include "packets.h"

#include <arpa/inet.h>
#include <string.h>

#include "support.h"

static uint32_t little(const uint8_t *at, unsigned bytes) {
    uint32_t value = 0;
    while (bytes-- > 0)
        value = value * 256 + at[bytes];
    return value;
}

static uint32_t big(const uint8_t *at, unsigned bytes) {
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value * 256 + at[i];
    return value;
}

/* Over a checksum and all it covers, the sum of RFC 1071 is 0xFFFF when it is right. */
static uint64_t sum_of(uint64_t sum, const uint8_t *at, size_t length) {
    for (size_t i = 0; i < length; i++)
        sum += (uint64_t)at[i] * (i % 2 == 0 ? 256 : 1);
    return sum;
}

static unsigned folded(uint64_t sum) {
    return sum == 0 ? 0 : (unsigned)((sum - 1) % 0xFFFF + 1);
}

static void parse_tcp(struct packet *packet, const uint8_t *at, size_t length) {
    ck_assert_uint_ge(length, 20);
    size_t size = (size_t)(at[12] >> 4) * 4;
    ck_assert_uint_ge(size, 20);
    ck_assert_uint_ge(length, size);
    uint64_t sum = sum_of(length + 6, packet->from, packet->address_size);
    sum = sum_of(sum_of(sum, packet->to, packet->address_size), at, length);
    ck_assert_uint_eq(folded(sum), 0xFFFF);
    packet->ports[0] = (uint16_t)big(at, 2);
    packet->ports[1] = (uint16_t)big(at + 2, 2);
    packet->seq = big(at + 4, 4);
    packet->ack = big(at + 8, 4);
    packet->flags = at[13];
    packet->window = (uint16_t)big(at + 14, 2);
    ck_assert_uint_eq(big(at + 18, 2), 0); /* nothing urgent */
    packet->payload = at + size;
    packet->payload_length = length - size;
    if ((packet->flags & SYN) == 0)
        ck_assert_uint_eq(size, 20);
    else
        ck_assert_mem_eq(at + 20, "\x02\x04\x80\x00\x01\x03\x03\x0e", size - 20);
}

static void parse_ip(struct packet *packet, const uint8_t *at, size_t length) {
    ck_assert_uint_ge(length, 40);
    bool ip6 = at[0] >> 4 == 6;
    size_t size = ip6 ? 40 : 20;
    if (ip6) {
        ck_assert_mem_eq(at, "\x60\0\0\0", 4);
        ck_assert_uint_eq(big(at + 4, 2), length - size);
        ck_assert_uint_eq(at[6], 6);
        ck_assert_uint_gt(at[7], 0);
    } else {
        ck_assert_uint_eq(at[0], 0x45);
        ck_assert_uint_eq(big(at + 2, 2), length);
        ck_assert_uint_eq(big(at + 6, 2), 0x4000); /* whole, and not to be cut */
        ck_assert_uint_gt(at[8], 0);
        ck_assert_uint_eq(at[9], 6);
        ck_assert_uint_eq(folded(sum_of(0, at, size)), 0xFFFF);
    }
    packet->address_size = ip6 ? 16 : 4;
    packet->from = at + (ip6 ? 8 : 12);
    packet->to = packet->from + packet->address_size;
    parse_tcp(packet, at + size, length - size);
}

static void check_zeros(const uint8_t *at, size_t length) {
    for (size_t i = 0; i < length; i++)
        ck_assert_uint_eq(at[i], 0);
}

/* The options of a packet: none, or one comment and the end. */
static void parse_options(struct packet *packet, const uint8_t *at, size_t length) {
    if (length == 0)
        return;
    ck_assert_uint_ge(length, 8);
    ck_assert_uint_eq(little(at, 2), 1);
    packet->comment = (const char *)at + 4;
    packet->comment_length = little(at + 2, 2);
    size_t padded = ((size_t)packet->comment_length + 3) / 4 * 4;
    ck_assert_uint_eq(length, 4 + padded + 4);
    check_zeros(at + 4 + packet->comment_length, padded - packet->comment_length + 4);
}

static void parse_packet(struct packet *packet, const uint8_t *at, size_t length) {
    ck_assert_uint_ge(length, 20);
    *packet = (struct packet){.interface = little(at, 4)};
    ck_assert_uint_lt(packet->interface, 2);
    packet->time = (uint64_t)little(at + 4, 4) << 32 | little(at + 8, 4);
    size_t captured = little(at + 12, 4), padded = (captured + 3) / 4 * 4;
    ck_assert_uint_eq(little(at + 16, 4), captured);
    ck_assert_uint_ge(length, 20 + padded);
    check_zeros(at + 20 + captured, padded - captured);
    parse_ip(packet, at + 20, captured);
    parse_options(packet, at + 20 + padded, length - 20 - padded);
}

/* Between type and length, and length once more: what the head must be. */
static const struct {
    uint32_t type;
    size_t length;
    const char *bytes;
} head[HEAD_BLOCKS] = {
    {0x0A0D0D0A, 16, "\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"},
    {1, 32, "\x65\0\0\0\0\0\0\0\x02\0\x06\0client\0\0\x09\0\x01\0\x06\0\0\0\0\0\0"},
    {1, 32, "\x65\0\0\0\0\0\0\0\x02\0\x06\0server\0\0\x09\0\x01\0\x06\0\0\0\0\0\0"},
};

void parse_capture(struct trace *trace, const char *path) {
    sam_bytes_free(&trace->file);
    trace->file = read_file(path);
    trace->count = 0;
    size_t blocks = 0, at = 0;
    while (at < trace->file.length) {
        const uint8_t *block = trace->file.data + at;
        ck_assert_uint_ge(trace->file.length - at, 12);
        size_t length = little(block + 4, 4);
        ck_assert_uint_eq(length % 4, 0);
        ck_assert_uint_ge(length, 12);
        ck_assert_uint_le(length, trace->file.length - at);
        ck_assert_uint_eq(little(block + length - 4, 4), length);
        if (blocks < HEAD_BLOCKS) {
            ck_assert_uint_eq(little(block, 4), head[blocks].type);
            ck_assert_uint_eq(length, 12 + head[blocks].length);
            ck_assert_mem_eq(block + 8, head[blocks].bytes, head[blocks].length);
            trace->ends[blocks] = at + length;
        } else {
            ck_assert_uint_eq(little(block, 4), 6);
            ck_assert_uint_lt(trace->count, MAX_PACKETS);
            parse_packet(&trace->packets[trace->count++], block + 8, length - 12);
        }
        blocks++;
        at += length;
    }
}

void free_heard(struct heard heard[2]) {
    for (int end = 0; end < 2; end++)
        sam_bytes_free(&heard[end].said);
}

/* Which end of the route sent the packet, or -1: it belongs to another flow. */
static int sender(const struct packet *packet, const struct route *route) {
    for (int end = 0; end < 2; end++) {
        uint8_t from[16], to[16];
        int family = packet->address_size == 4 ? AF_INET : AF_INET6;
        if (packet->interface == (unsigned)route->leg &&
            inet_pton(family, route->texts[end], from) == 1 &&
            inet_pton(family, route->texts[1 - end], to) == 1 &&
            memcmp(packet->from, from, packet->address_size) == 0 &&
            memcmp(packet->to, to, packet->address_size) == 0 &&
            packet->ports[0] == route->ports[end] && packet->ports[1] == route->ports[1 - end])
            return end;
    }
    return -1;
}

size_t listen_to(const struct trace *trace, const struct route *route, struct heard heard[2]) {
    static const unsigned greeting[] = {SYN, SYN | ACK, ACK};
    size_t count = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct packet *packet = &trace->packets[i];
        int end = sender(packet, route);
        if (end < 0)
            continue;
        struct heard *speaker = &heard[end], *other = &heard[1 - end];
        if (count < 2)
            speaker->next = packet->seq;
        ck_assert_uint_eq(packet->seq, speaker->next);
        ck_assert_uint_eq(packet->ack, count == 0 ? 0 : other->next);
        ck_assert_uint_eq(packet->window, 65535);
        ck_assert(!speaker->ended);
        if (count < 3) {
            ck_assert_int_eq(end, count == 1);
            ck_assert_uint_eq(packet->flags, greeting[count]);
            ck_assert_uint_eq(packet->payload_length, 0);
        } else if (packet->payload_length > 0) {
            ck_assert_uint_eq(packet->flags, PSH | ACK);
            ck_assert_uint_le(packet->payload_length, 32768);
        } else {
            ck_assert_uint_eq(packet->flags, FIN | ACK);
            speaker->ended = true;
        }
        speaker->next += (uint32_t)packet->payload_length + ((packet->flags & (SYN | FIN)) != 0);
        ck_status(sam_bytes_append(&speaker->said, packet->payload, packet->payload_length),
                  SAM_OK);
        count++;
    }
    return count;
}
