/* Tests of --trace: it shows all that travels, by name, and nothing that is secret. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "sealing.h"

static const char message[] = "Zq7 secret words vK4";

/* What a server with --trace and a client with --trace and --save wrote in one exchange. */
struct exchange {
    struct run_result client, server;
    struct sam_envelope saved; /* sent by send_msg, received by recv_msg */
};

static struct exchange exchange(const struct sam_mode *mode, const char *command,
                                const char *words) {
    struct exchange exchange = {0};
    struct server_process server;
    bool sends = strcmp(command, "send_msg") == 0;
    const char *path = in_place("saved.sam");
    start_server(&server, mode, keys, "--trace", "--message", sends ? "" : words, NULL);
    exchange.client =
        run_client(&server, command, "--trace", "--save", path, sends ? words : NULL, NULL);
    assert_code(&exchange.client, SAM_EXIT_OK);
    exchange.server = stop_server(&server);
    assert_code(&exchange.server, SAM_EXIT_OK);
    exchange.saved.bytes = read_file(path);
    ck_assert_uint_ge(exchange.saved.bytes.length, SAM_HEADER_SIZE);
    ck_status(sam_header_read(&exchange.saved.header, exchange.saved.bytes.data, mode->number,
                              SAM_KINDS_ALL),
              SAM_OK);
    return exchange;
}

static void free_exchange(struct exchange *exchange) {
    run_result_free(&exchange->client);
    run_result_free(&exchange->server);
    sam_envelope_free(&exchange->saved);
}

static const char *const commands[] = {"send_msg", "recv_msg"};

/* The hexdump of a whole envelope as the library shows it, which test show looks at. */
static void assert_shows(const struct run_result *result, const struct sam_mode *mode,
                         const struct sam_envelope *envelope) {
    char *shown = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&shown, &length);
    ck_assert_ptr_nonnull(out);
    sam_envelope_show(out, mode, envelope);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_msg(count_text(&result->err, shown) == 1, "expected\n%s\nin\n%s", shown,
                  (const char *)result->err.data);
    free(shown);
}

static void assert_names(const struct run_result *result, enum sam_unit_type type) {
    size_t count = 0;
    const struct sam_field *fields = sam_unit_fields(type, &count);
    for (size_t i = 0; i < count; i++)
        assert_says(result, fields[i].name);
}

START_TEST(a_trace_shows_every_byte_of_an_envelope_under_its_name) {
    const struct sam_mode *mode = modes[_i % 2];
    struct exchange done = exchange(mode, commands[_i / 2], message);
    struct sam_field part;
    char bytes[32];
    const struct run_result *ends[] = {&done.client, &done.server};
    snprintf(bytes, sizeof bytes, "\n    %zu bytes", done.saved.bytes.length);
    for (int k = 0; k < 2; k++) {
        assert_names(ends[k], SAM_ENVELOPE);
        assert_says(ends[k], "\ncost: ");
        for (size_t i = 0; mode->part(&done.saved.header, i, &part); i++)
            assert_says(ends[k], part.name);
    }
    assert_names(&done.client, SAM_GREETING);
    assert_says(&done.client, bytes);
    assert_shows(&done.client, mode, &done.saved);
    if (_i / 2 == 0) { /* the server shows what arrives */
        assert_says(&done.server, bytes);
        assert_shows(&done.server, mode, &done.saved);
    }
    free_exchange(&done);
}
END_TEST

/* The bytes of all hexdumps in a text: behind 31 columns of offset, size and name, " xx" each. */
static struct sam_bytes dumped(const struct sam_bytes *said) {
    enum { COLUMN = 31, STEP = 3 };
    struct sam_bytes bytes = {0};
    static const char digits[] = "0123456789abcdef";
    const char *line = (const char *)said->data;
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        for (size_t at = COLUMN; at + STEP <= length; at += STEP) {
            const char *high = strchr(digits, line[at + 1]), *low = strchr(digits, line[at + 2]);
            if (line[at] != ' ' || high == NULL || low == NULL)
                break;
            uint8_t byte = (uint8_t)((high - digits) << 4 | (low - digits));
            ck_status(sam_bytes_append(&bytes, &byte, 1), SAM_OK);
        }
        line += length + (line[length] == '\n');
    }
    return bytes;
}

/* Neither as text, nor in a hexdump, nor as digits in a row of either case. */
static void assert_hidden(const struct run_result *result, const void *secret, size_t length,
                          const char *name) {
    struct sam_bytes bytes = dumped(&result->err);
    char lower[2 * 512 + 1] = "", upper[2 * 512 + 1] = "";
    ck_assert_uint_le(length, 512);
    for (size_t i = 0; i < length; i++) {
        snprintf(lower + 2 * i, 3, "%02x", ((const uint8_t *)secret)[i]);
        snprintf(upper + 2 * i, 3, "%02X", ((const uint8_t *)secret)[i]);
    }
    ck_assert_uint_gt(bytes.length, SAM_HEADER_SIZE);
    ck_assert_msg(!contains(bytes.data, bytes.length, secret, length), "%s as hex", name);
    ck_assert_msg(!contains(result->err.data, result->err.length, secret, length), "%s", name);
    ck_assert_msg(count_text(&result->err, lower) == 0, "%s in lower case", name);
    ck_assert_msg(count_text(&result->err, upper) == 0, "%s in upper case", name);
    sam_bytes_free(&bytes);
}

START_TEST(a_trace_tells_no_more_of_a_secret_than_its_length) {
    const struct sam_mode *mode = modes[_i % 2];
    bool sends = _i / 2 == 0;
    struct exchange done = exchange(mode, commands[_i / 2], message);
    const struct sam_key *own = sends ? &people.bob : &people.alice;
    struct secrets secrets = secrets_of(mode, own, &done.saved);
    const struct run_result *ends[] = {&done.client, &done.server};
    ck_assert_uint_eq(secrets.letter.length, SAM_SALT_SIZE + sizeof message - 1);
    for (int k = 0; k < 2; k++) {
        assert_hidden(ends[k], secrets.letter.data, SAM_SALT_SIZE, "the salt");
        assert_hidden(ends[k], message, sizeof message - 1, "the message");
        if (mode->number == 2)
            assert_hidden(ends[k], secrets.key, SAM_GCM_KEY_SIZE, "the key");
        if (mode->number == 2) /* in mode 1 it travels in clear */
            assert_hidden(ends[k], secrets.signature, done.saved.header.signature_length,
                          "the signature");
    }
    const struct run_result *sealer = ends[sends ? 0 : 1];
    assert_says(sealer, "\n           16  salt             secret\n");
    assert_says(sealer, "\n           20  message          secret\n");
    ck_assert(mode->number == 1 ||
              count_text(&sealer->err, "\n           32  key              secret\n") > 0);
    sam_bytes_free(&secrets.letter);
    free_exchange(&done);
}
END_TEST

START_TEST(no_line_of_a_trace_is_wider_than_80_columns) {
    struct exchange done = exchange(modes[_i % 2], commands[_i / 2], message);
    const struct sam_bytes *texts[] = {&done.client.err, &done.server.err};
    for (int k = 0; k < 2; k++) {
        const char *line = (const char *)texts[k]->data;
        while (*line != '\0') {
            size_t length = strcspn(line, "\n");
            const char *path = strstr(line, in_place("")); /* which is as long as it is */
            bool names_a_file = path != NULL && path < line + length;
            ck_assert_msg(length <= 80 || names_a_file, "%zu columns: %.*s", length, (int)length,
                          line);
            line += length + (line[length] == '\n');
        }
    }
    free_exchange(&done);
}
END_TEST

/* What section 6 of the protocol says that an envelope costs. alice has 2048 bits, bob 3072. */
struct price {
    size_t bytes;    /* on the wire */
    size_t to, from; /* operations with the recipient's key: public to seal, private to open */
};

static struct price price(const struct sam_mode *mode, size_t length, size_t signature,
                          size_t block) {
    size_t chunk = block - 66, blocks = (16 + length + chunk - 1) / chunk;
    if (mode->number == 1)
        return (struct price){128 + blocks * block + signature, blocks, blocks};
    return (struct price){128 + block + 12 + 16 + length + signature + 16, 1, 1};
}

static const struct {
    size_t sent, received; /* lengths of the messages: send_msg's and recv_msg's */
} sizes[] = {{0, 0}, {5, 5}, {302, 174}, {303, 175}, {620, 364}, {621, 365}, {2000, 2000}};

/* A signature made and one verified on either side, and the blocks. */
static void assert_costs(const struct exchange *done, struct price request, struct price reply) {
    char words[160];
    snprintf(words, sizeof words,
             "\ncost: %zu bytes sent, %zu received; RSA %zu private, %zu public; ", request.bytes,
             64 + reply.bytes, 1 + reply.from, request.to + 1);
    assert_says(&done->client, words);
    ck_assert_uint_eq(count_text(&done->client.err, "cost:"), 1);
    snprintf(words, sizeof words,
             "\ncost: %zu bytes sent, %zu received; RSA %zu private, %zu public; ", reply.bytes,
             request.bytes, request.from + 1, 1 + reply.to);
    assert_says(&done->server, words);
    ck_assert_uint_eq(count_text(&done->server.err, "cost:"), 1);
}

START_TEST(the_cost_is_what_the_protocol_says) {
    const struct sam_mode *mode = modes[_i % 2];
    char words[2001];
    memset(words, 'x', sizeof words);
    words[sizes[_i / 2].sent] = '\0';
    struct exchange done = exchange(mode, "send_msg", words);
    assert_costs(&done, price(mode, sizes[_i / 2].sent, 256, 384), price(mode, 0, 384, 256));
    free_exchange(&done);
    memset(words, 'x', sizeof words);
    words[sizes[_i / 2].received] = '\0';
    done = exchange(mode, "recv_msg", words);
    assert_costs(&done, price(mode, 0, 256, 384), price(mode, sizes[_i / 2].received, 384, 256));
    free_exchange(&done);
}
END_TEST

START_TEST(without_trace_nothing_is_traced) {
    struct server_process server;
    start_server(&server, modes[_i], keys, NULL);
    struct run_result result = run_client(&server, "send_msg", "hello", NULL);
    assert_code(&result, SAM_EXIT_OK);
    ck_assert_uint_eq(count_text(&result.err, "cost:") + count_text(&result.err, "magic"), 0);
    run_result_free(&result);
    result = stop_server(&server);
    ck_assert_uint_eq(count_text(&result.err, "cost:") + count_text(&result.err, "magic"), 0);
    run_result_free(&result);
}
END_TEST

TCase *trace_case(void) {
    TCase *tcase = tcase_create("trace");
    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, load_people, free_people);
    tcase_add_checked_fixture(tcase, set_up_pairs, tear_down_place);
    tcase_add_loop_test(tcase, a_trace_shows_every_byte_of_an_envelope_under_its_name, 0, 4);
    tcase_add_loop_test(tcase, a_trace_tells_no_more_of_a_secret_than_its_length, 0, 4);
    tcase_add_loop_test(tcase, no_line_of_a_trace_is_wider_than_80_columns, 0, 4);
    tcase_add_loop_test(tcase, the_cost_is_what_the_protocol_says, 0, 2 * COUNT(sizes));
    tcase_add_loop_test(tcase, without_trace_nothing_is_traced, 0, COUNT(modes));
    return tcase;
}
