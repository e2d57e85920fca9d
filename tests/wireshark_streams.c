/* What tests/wireshark.sh needs besides the programs that it tests.
 *
 *     wireshark_streams sink PORT_FILE
 *
 * is a server that takes connections until it is killed, and drops what comes.
 *
 *     wireshark_streams send PORT FILE...
 *
 * sends each file on a connection of its own.
 *
 *     wireshark_streams HOW CAPTURE FOLDER FILE...
 *
 * writes a capture of what clients say to a server on port 8000, which says nothing. HOW is whole
 * (a stream for each file, in as few packets as it needs), bytewise (a packet for each byte),
 * joined (one stream of all files), prefixes (a stream for each beginning of each file), or
 * mutations with N and SEED before the files: N streams of files that were changed, and cut into
 * packets, at random. What each stream holds is also written to a file in FOLDER, named by its
 * number. */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "file.h"
#include "net.h"
#include "wire.h"

#define PATIENT (60 * SAM_SECOND)

enum { LONGEST_FILE = 1 << 26 };
enum { SERVER_PORT = 8000, FIRST_CLIENT_PORT = 49152, CLIENT_PORTS = 16384 };

struct writer {
    struct sam_capture *capture;
    const char *folder;
    uint32_t streams;
    uint64_t random; /* never 0 */
};

static void stop_unless(enum sam_status status, const char *about) {
    if (status == SAM_OK)
        return;
    fprintf(stderr, "wireshark_streams: %s: %s\n", about, sam_status_sentence(status));
    exit(1);
}

static struct sam_bytes read_whole(const char *path) {
    struct sam_bytes bytes = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    stop_unless(fd < 0 ? SAM_FILE_READ : sam_file_read(fd, LONGEST_FILE, &bytes), path);
    close(fd);
    return bytes;
}

static void sink(const char *port_file) {
    int listener, fd;
    uint16_t port = 0;
    char text[SAM_ADDRESS_MAX];
    struct sam_where where;
    stop_unless(sam_listen(&listener, "127.0.0.1", &port, &where), "sink");
    int length = snprintf(text, sizeof text, "%u\n", (unsigned)port);
    stop_unless(sam_file_replace(port_file, 0600, text, (size_t)length), port_file);
    for (;;) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        if (poll(&ready, 1, -1) < 0 || sam_accept(&fd, listener, text) != SAM_OK)
            continue;
        sam_linger(fd, sam_now() + PATIENT);
        close(fd);
    }
}

/* Returns once the other side has ended the connection. */
static void send_file(uint16_t port, const char *path) {
    int fd;
    struct sam_where where;
    struct sam_bytes bytes = read_whole(path);
    int64_t deadline = sam_now() + PATIENT;
    stop_unless(sam_connect(&fd, "127.0.0.1", port, -1, deadline, &where), "send");
    stop_unless(sam_write_all(fd, -1, deadline, bytes.data, bytes.length), path);
    sam_linger(fd, deadline);
    close(fd);
    sam_bytes_free(&bytes);
}

/* Marsaglia's xorshift64: the same numbers for the same seed everywhere. The result is below limit,
 * or 0. */
static uint32_t draw(struct writer *writer, size_t limit) {
    writer->random ^= writer->random << 13;
    writer->random ^= writer->random >> 7;
    writer->random ^= writer->random << 17;
    return limit == 0 ? 0 : (uint32_t)((writer->random >> 11) % limit);
}

static void keep(const struct writer *writer, const uint8_t *data, size_t length) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%07u.sam", writer->folder, (unsigned)writer->streams);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    stop_unless(fd < 0 ? SAM_FILE_WRITE : sam_file_write(fd, data, length), path);
    close(fd);
}

/* Writes a stream in packets of that size, or of random ones up to it. */
static void write_stream(struct writer *writer, const uint8_t *data, size_t length, size_t size,
                         bool is_random) {
    struct sockaddr_in client = {.sin_family = AF_INET}, server = {.sin_family = AF_INET};
    client.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + writer->streams / CLIENT_PORTS);
    client.sin_port = htons((uint16_t)(FIRST_CLIENT_PORT + writer->streams % CLIENT_PORTS));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons(SERVER_PORT);
    struct sockaddr_storage connected = {0}, listened = {0};
    memcpy(&connected, &client, sizeof client);
    memcpy(&listened, &server, sizeof server);

    struct sam_flow flow;
    sam_flow_begin(writer->capture, &flow, SAM_LEG_CLIENT, &connected, &listened);
    for (size_t at = 0, piece; at < length; at += piece) {
        piece = is_random ? 1 + draw(writer, size) : size;
        if (piece > length - at)
            piece = length - at;
        sam_flow_data(writer->capture, &flow, 0, data + at, piece, NULL);
    }
    sam_flow_end(writer->capture, &flow, 0);
    sam_flow_end(writer->capture, &flow, 1);
    keep(writer, data, length);
    writer->streams++;
}

/* A length for the field at offset 12: one near a limit, or near the one that is there. */
static uint32_t draw_length(struct writer *writer, uint32_t now) {
    const uint32_t limit = SAM_MESSAGE_LIMIT;
    const uint32_t lengths[] = {0,         15,      16,        17,         limit,
                                limit + 1, now - 1, now + 1,   limit + 16, limit + 17,
                                2 * limit, 2 * now, now + 256, limit / 4,  UINT32_MAX};
    return lengths[draw(writer, sizeof lengths / sizeof lengths[0])];
}

/* Changes a unit in one place, most often one that means something, and returns its new length. */
static size_t mutate(struct writer *writer, uint8_t *data, size_t length) {
    static const uint8_t extremes[] = {0, 1, 2, 3, 7, 8, 9, 0x7F, 0x80, 0xFF};
    static const uint8_t types[] = {'G', 'E', 'R', 'S'};
    if (length < SAM_UNIT_SIZE)
        return length;
    const size_t reaches[] = {SAM_UNIT_SIZE, SAM_UNIT_SIZE, SAM_HEADER_SIZE, length};
    size_t reach = reaches[draw(writer, sizeof reaches / sizeof reaches[0])];
    reach = reach < length ? reach : length;
    size_t at = draw(writer, reach);
    switch (draw(writer, 8)) {
    case 0:
        data[3] = types[draw(writer, sizeof types)];
        break;
    case 1:
        sam_put32(data + 12, draw_length(writer, sam_get32(data + 12)));
        break;
    case 2:
        return draw(writer, length + 1);
    case 3:
        data[at] = extremes[draw(writer, sizeof extremes)];
        break;
    case 4:
        memset(data + at, draw(writer, 2) == 0 ? 0 : 0xFF, reach - at < 8 ? reach - at : 8);
        break;
    default:
        data[at] ^= (uint8_t)(1u << draw(writer, 8));
        break;
    }
    return length;
}

static void write_mutations(struct writer *writer, unsigned long count, char **paths,
                            size_t path_count) {
    for (unsigned long i = 0; i < count; i++) {
        struct sam_bytes bytes = read_whole(paths[draw(writer, path_count)]);
        for (uint32_t changes = draw(writer, 4) + 1; changes > 0; changes--)
            bytes.length = mutate(writer, bytes.data, bytes.length);
        write_stream(writer, bytes.data, bytes.length, 1 + draw(writer, bytes.length), true);
        sam_bytes_free(&bytes);
    }
}

static void write_files(struct writer *writer, const char *how, char **paths, size_t path_count) {
    struct sam_bytes all = {0};
    size_t size = strcmp(how, "bytewise") == 0 ? 1 : LONGEST_FILE;
    for (size_t i = 0; i < path_count; i++) {
        struct sam_bytes bytes = read_whole(paths[i]);
        if (strcmp(how, "joined") == 0)
            stop_unless(sam_bytes_append(&all, bytes.data, bytes.length), paths[i]);
        else if (strcmp(how, "prefixes") == 0)
            for (size_t length = 0; length < bytes.length; length++)
                write_stream(writer, bytes.data, length, size, false);
        else
            write_stream(writer, bytes.data, bytes.length, size, false);
        sam_bytes_free(&bytes);
    }
    if (all.length > 0)
        write_stream(writer, all.data, all.length, size, false);
    sam_bytes_free(&all);
}

int main(int argc, char **argv) {
    if (argc < 4 && !(argc == 3 && strcmp(argv[1], "sink") == 0)) {
        fputs("usage: sink PORT_FILE | send PORT FILE... | HOW CAPTURE FOLDER FILE...\n", stderr);
        return 1;
    }
    if (strcmp(argv[1], "sink") == 0)
        sink(argv[2]);
    if (strcmp(argv[1], "send") == 0) {
        for (int i = 3; i < argc; i++)
            send_file((uint16_t)strtoul(argv[2], NULL, 10), argv[i]);
        return 0;
    }
    struct writer writer = {.folder = argv[3], .random = 1};
    stop_unless(sam_capture_open(&writer.capture, argv[2]), argv[2]);
    if (argc > 6 && strcmp(argv[1], "mutations") == 0) {
        writer.random = 2 * strtoull(argv[5], NULL, 10) + 1;
        write_mutations(&writer, strtoul(argv[4], NULL, 10), argv + 6, (size_t)argc - 6);
    } else {
        write_files(&writer, argv[1], argv + 4, (size_t)argc - 4);
    }
    stop_unless(sam_capture_close(writer.capture), argv[2]);
    return 0;
}
