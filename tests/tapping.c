#include "tapping.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 48 };

const char *sam_path(char path[PATH_MAX]) {
    const char *base = getenv("SAM_BIN");
    snprintf(path, PATH_MAX, "%s/tools/sam", base != NULL && base[0] != '\0' ? base : ".");
    return path;
}

/* The port file appears whole or not at all. */
static void wait_for_port(struct server_process *tap) {
    int64_t deadline = sam_now() + PATIENT;
    while (access(tap->port_file, R_OK) != 0) {
        if (nap_until(deadline) && !has_ended(&tap->process))
            continue;
        struct sam_bytes said = process_err(&tap->process);
        kill(tap->process.pid, SIGKILL);
        ck_abort_msg("the wiretap does not listen; it said:\n%s", (const char *)said.data);
    }
    struct sam_bytes text = read_file(tap->port_file);
    ck_status(sam_bytes_append(&text, "", 1), SAM_OK);
    tap->port = (uint16_t)strtoul((const char *)text.data, NULL, 10);
    ck_assert_uint_ne(tap->port, 0);
    sam_bytes_free(&text);
}

void start_long_wiretap(struct server_process *tap, const struct server_process *server,
                        const char *const words[]) {
    static unsigned number;
    char path[PATH_MAX], to[32];
    *tap = (struct server_process){.mode = server->mode};
    snprintf(tap->folder, sizeof tap->folder, "%s", server->folder);
    int length = snprintf(tap->port_file, sizeof tap->port_file, "%s/tapped.%ld.%u", tap->folder,
                          (long)getpid(), number++);
    ck_assert_int_lt(length, (int)sizeof tap->port_file);
    snprintf(to, sizeof to, "127.0.0.1:%u", (unsigned)server->port);
    const char *argv[WORDS_MAX] = {sam_path(path), "wiretap",      "--listen", "0",
                                   "--port-file",  tap->port_file, "--to",     to};
    for (size_t count = 8; *words != NULL; words++) {
        ck_assert_uint_lt(count, WORDS_MAX - 1);
        argv[count++] = *words;
    }
    tap->process = start(argv, NULL, 0);
    wait_for_port(tap);
}

void start_wiretap(struct server_process *tap, const struct server_process *server,
                   const char *const words[]) {
    const char *all[WORDS_MAX] = {"--brief"};
    for (size_t count = 1; *words != NULL; words++) {
        ck_assert_uint_lt(count, WORDS_MAX - 1);
        all[count++] = *words;
    }
    start_long_wiretap(tap, server, all);
}

void wait_for_word(const struct server_process *tap, const char *text, size_t count) {
    int64_t deadline = sam_now() + PATIENT / 2;
    for (;;) {
        struct sam_bytes said = process_out(&tap->process);
        if (count_text(&said, text) >= count) {
            sam_bytes_free(&said);
            return;
        }
        ck_assert_msg(nap_until(deadline) && !has_ended(&tap->process),
                      "waited for %zu times \"%s\" in:\n%s", count, text, (const char *)said.data);
        sam_bytes_free(&said);
    }
}

struct run_result stop_wiretap(struct server_process *tap, size_t connections) {
    wait_for_word(tap, " client ends", connections);
    wait_for_word(tap, " server ends", connections);
    struct run_result result = stop_server(tap);
    assert_code(&result, 0);
    ck_assert_msg(access(tap->port_file, F_OK) != 0, "the port file is still there");
    return result;
}

void connect_ends(struct ends *ends) {
    char address[SAM_ADDRESS_MAX];
    ck_status(sam_connect(&ends->near, "127.0.0.1", ends->tap.port, -1, sam_now() + PATIENT, NULL),
              SAM_OK);
    ck_assert_msg(readable_until(ends->listener, sam_now() + PATIENT), "nobody comes");
    ck_status(sam_accept(&ends->far, ends->listener, address), SAM_OK);
}

void listen_ends(struct ends *ends, const struct sam_mode *mode, const char *const words[]) {
    *ends = (struct ends){.at = {.mode = mode}, .near = -1, .far = -1};
    snprintf(ends->at.folder, sizeof ends->at.folder, "%s", lab);
    ck_status(sam_listen(&ends->listener, "127.0.0.1", &ends->at.port, NULL), SAM_OK);
    start_wiretap(&ends->tap, &ends->at, words);
}

void open_ends(struct ends *ends, const struct sam_mode *mode, const char *const words[]) {
    listen_ends(ends, mode, words);
    connect_ends(ends);
}

struct run_result close_ends(struct ends *ends, size_t connections) {
    int *const fds[] = {&ends->near, &ends->far, &ends->listener};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
    return stop_wiretap(&ends->tap, connections);
}

void close_ends_well(struct ends *ends) {
    struct run_result told = close_ends(ends, 1);
    run_result_free(&told);
}

void expect_bytes(int fd, const uint8_t *data, size_t length) {
    uint8_t *got = malloc(length + 1);
    ck_assert_ptr_nonnull(got);
    ck_status(sam_read_all(fd, -1, sam_now() + PATIENT, got, length), SAM_OK);
    ck_assert_msg(length == 0 || memcmp(got, data, length) == 0, "other bytes have come");
    free(got);
}

void expect_bytes_and_end(int fd, const uint8_t *data, size_t length) {
    struct sam_bytes got = read_to_end(fd);
    ck_assert_uint_eq(got.length, length);
    ck_assert_msg(length == 0 || memcmp(got.data, data, length) == 0, "other bytes have come");
    sam_bytes_free(&got);
}

uint32_t any_below(uint32_t limit) {
    static uint64_t state = 20261120;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

size_t make_sample(uint8_t out[SAMPLE_MAX], uint8_t type, const struct sam_mode *mode,
                   uint32_t seed) {
    enum { TEXT = 40 };
    struct sam_layout layout =
        mode->layout(SAM_SALT_SIZE + TEXT, SAM_RSA_SIZE_MIN, SAM_RSA_SIZE_MIN);
    struct sam_header header = {.mode = mode->number,
                                .kind = SAM_KIND_SEND,
                                .signature_length = SAM_RSA_SIZE_MIN,
                                .block_length = SAM_RSA_SIZE_MIN,
                                .body_length = (uint32_t)layout.length,
                                .sequence = seed};
    struct sam_greeting greeting = {.mode = mode->number, .challenge = {1}};
    size_t length = SAM_HEADER_SIZE + layout.length;
    for (size_t i = 0; i < SAMPLE_MAX; i++)
        out[i] = (uint8_t)(i * 167 + i / 256 * 13 + seed * 59);
    memcpy(header.message_id, out, sizeof header.message_id);
    sam_header_write(out, &header);
    if (type == SAM_GREETING) {
        sam_greeting_write(out, &greeting);
        length = SAM_GREETING_SIZE;
    } else if (type == SAM_REJECTION) {
        sam_rejection_write(out, mode->number);
        length = SAM_REJECTION_SIZE;
    } else if (type == SAM_RECORD) {
        out[3] = SAM_RECORD;
        sam_put32(out + 8, seed);
        sam_put32(out + 12, TEXT + SAM_GCM_TAG_SIZE);
        length = SAM_RECORD_SIZE + TEXT + SAM_GCM_TAG_SIZE;
    }
    ck_assert_uint_le(length, SAMPLE_MAX);
    return length;
}
