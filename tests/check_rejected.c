/* Envelopes that must not pass, against the real server: each gets the very same rejection and a
 * close, the log names the reason, and the message is never shown. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "peer.h"
#include "process.h"

#define FINE "fine"
#define EVIL "evil"

/* The server under attack, Alice on a connection of her own, and what was sealed last. */
static struct server_process server;
static struct peer alice;

static void write_envelope(const struct sam_envelope *envelope) {
    write_raw(alice.connection.fd, envelope->bytes.data, envelope->bytes.length);
}

/* Seals the next envelope, lets one byte of it be altered, and writes it. */
static void write_altered(size_t offset, uint8_t change) {
    struct sam_envelope envelope = peer_seal(&alice, SAM_KIND_SEND, EVIL, 4);
    envelope.bytes.data[offset] ^= change;
    write_envelope(&envelope);
    sam_envelope_free(&envelope);
}

/* An envelope that the server takes and answers; the caller frees it. */
static struct sam_envelope delivered(struct peer *by) {
    struct sam_envelope envelope = peer_seal(by, SAM_KIND_SEND, FINE, 4);
    ck_status(sam_connection_send(&by->connection, &envelope), SAM_OK);
    peer_expect(by, SAM_KIND_REPLY, "", 0);
    return envelope;
}

static void replay_on_the_same_connection(void) {
    struct sam_envelope envelope = delivered(&alice);
    write_envelope(&envelope);
    sam_envelope_free(&envelope);
}

static void replay_on_another_connection(void) {
    struct peer before;
    peer_join(&before, server.mode, person("alice"), server.port, person("bob"));
    struct sam_envelope envelope = delivered(&before);
    peer_close(&before);
    write_envelope(&envelope);
    sam_envelope_free(&envelope);
}

static void reorder(void) {
    struct sam_envelope first = peer_seal(&alice, SAM_KIND_SEND, EVIL, 4);
    struct sam_envelope second = peer_seal(&alice, SAM_KIND_SEND, EVIL, 4);
    write_envelope(&second);
    sam_envelope_free(&first);
    sam_envelope_free(&second);
}

static void sign_under_the_name_of_alice(void) {
    alice.own = *person("mallory");
    memcpy(alice.own.id, person("alice")->id, sizeof alice.own.id);
    write_altered(0, 0);
}

static void come_as_a_stranger(void) {
    alice.own = *person("mallory");
    write_altered(0, 0);
}

static void come_as_the_server(void) {
    alice.own = *person("bob");
    write_altered(0, 0);
}

static void go_on_as_carol(void) {
    struct sam_envelope envelope = delivered(&alice);
    sam_envelope_free(&envelope);
    alice.own = *person("carol");
    write_altered(0, 0);
}

static void seal_for_carol(void) {
    alice.other = *person("carol");
    write_altered(0, 0);
}

static void alter_the_body(void) {
    write_altered(SAM_HEADER_SIZE + 10, 1);
}

static void alter_the_time(void) {
    write_altered(31, 1); /* sent at: no check but the cryptography notices */
}

static void alter_the_magic(void) {
    write_altered(0, 0x20);
}

static void speak_another_version(void) {
    write_altered(4, 3);
}

static void speak_the_other_mode(void) {
    write_altered(5, 3);
}

static void send_a_reply(void) {
    struct sam_envelope envelope = peer_seal(&alice, SAM_KIND_REPLY, EVIL, 4);
    write_envelope(&envelope);
    sam_envelope_free(&envelope);
}

static void send_a_rejection(void) {
    uint8_t bytes[SAM_REJECTION_SIZE];
    sam_rejection_write(bytes, server.mode->number);
    write_raw(alice.connection.fd, bytes, sizeof bytes);
}

static void claim_a_huge_length(void) {
    struct sam_envelope envelope = peer_seal(&alice, SAM_KIND_SEND, EVIL, 4);
    memset(envelope.bytes.data + 12, 0xff, 4);
    write_raw(alice.connection.fd, envelope.bytes.data, SAM_HEADER_SIZE);
    sam_envelope_free(&envelope);
}

static void end_within_an_envelope(void) {
    struct sam_envelope envelope = peer_seal(&alice, SAM_KIND_SEND, EVIL, 4);
    write_raw(alice.connection.fd, envelope.bytes.data, envelope.bytes.length - 1);
    shutdown(alice.connection.fd, SHUT_WR);
    sam_envelope_free(&envelope);
}

static void end_within_a_header(void) {
    write_raw(alice.connection.fd, "S", 1);
    shutdown(alice.connection.fd, SHUT_WR);
}

/* One byte over the limit of --max-message: mode 1 sees it only after opening, when the letter is
 * in no more blocks than one of the limit. */
static void send_too_long_a_message(void) {
    uint8_t message[101];
    memset(message, EVIL[0], sizeof message);
    struct sam_envelope envelope = peer_seal(&alice, SAM_KIND_SEND, message, sizeof message);
    write_envelope(&envelope);
    sam_envelope_free(&envelope);
}

static const struct attack {
    void (*act)(void);
    enum sam_status status[2]; /* what the server's log says, in each mode */
} attacks[] = {
    {replay_on_the_same_connection, {SAM_ORDER, SAM_ORDER}},
    {replay_on_another_connection, {SAM_STALE, SAM_STALE}},
    {reorder, {SAM_ORDER, SAM_ORDER}},
    {sign_under_the_name_of_alice, {SAM_SIGNATURE, SAM_SIGNATURE}},
    {come_as_a_stranger, {SAM_STRANGER, SAM_STRANGER}},
    {come_as_the_server, {SAM_STRANGER, SAM_STRANGER}},
    {go_on_as_carol, {SAM_OTHER_SENDER, SAM_OTHER_SENDER}},
    {seal_for_carol, {SAM_RECIPIENT, SAM_RECIPIENT}},
    {alter_the_body, {SAM_DECRYPT, SAM_DECRYPT}},
    {alter_the_time, {SAM_DECRYPT, SAM_DECRYPT}},
    {alter_the_magic, {SAM_MAGIC, SAM_MAGIC}},
    {speak_another_version, {SAM_VERSION, SAM_VERSION}},
    {speak_the_other_mode, {SAM_MODE, SAM_MODE}},
    {send_a_reply, {SAM_KIND, SAM_KIND}},
    {send_a_rejection, {SAM_TYPE, SAM_TYPE}},
    {claim_a_huge_length, {SAM_LENGTH, SAM_LENGTH}},
    {end_within_an_envelope, {SAM_TRUNCATED, SAM_TRUNCATED}},
    {end_within_a_header, {SAM_TRUNCATED, SAM_TRUNCATED}},
    {send_too_long_a_message, {SAM_TOO_LONG, SAM_LENGTH}},
};
enum { ATTACKS = sizeof attacks / sizeof attacks[0] };

/* The server has told before it rejected: the last rejection in its log has this reason. */
static void assert_reason(enum sam_status status) {
    struct sam_bytes log = process_err(&server.process);
    char reason[32] = "";
    for (const char *at = (const char *)log.data; (at = strstr(at, "rejected: ")) != NULL; at++)
        sscanf(at, "rejected: %31[A-Z_]", reason);
    ck_assert_str_eq(reason, sam_status_name(status));
    sam_bytes_free(&log);
}

START_TEST(every_attack_gets_the_same_rejection) {
    start_server(&server, modes[_i], lab, "--max-message", "100", NULL);
    for (size_t i = 0; i < ATTACKS; i++) {
        peer_join(&alice, modes[_i], person("alice"), server.port, person("bob"));
        attacks[i].act();
        expect_rejection(alice.connection.fd, modes[_i]);
        assert_reason(attacks[i].status[_i]);
        peer_close(&alice);
    }
    struct run_result honest = run_client(&server, "send_msg", "honest", NULL);
    assert_code(&honest, 0);
    run_result_free(&honest);
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    ck_assert_uint_eq(count_text(&said.err, "rejected: "), ATTACKS);
    /* Three of the attacks begin with an envelope that is delivered, once. */
    ck_assert_str_eq((const char *)said.out.data, FINE "\n" FINE "\n" FINE "\nhonest\n");
    run_result_free(&said);
}
END_TEST

START_TEST(a_stranger_is_named_by_the_fingerprint) {
    char fingerprint[SAM_FINGERPRINT_SIZE];
    sam_fingerprint(fingerprint, person("mallory")->id);
    start_server(&server, modes[_i], lab, NULL);
    struct run_result result = run_client(&server, "--name", "mallory", "send_msg", EVIL, NULL);
    assert_code(&result, 1);
    assert_says(&result, "rejected");
    assert_says(&result, "it may have been delivered");
    run_result_free(&result);
    result = stop_server(&server);
    assert_code(&result, 0);
    assert_says(&result, fingerprint);
    ck_assert_uint_eq(result.out.length, 0);
    run_result_free(&result);
}
END_TEST

/* A rejection that is followed by a reset would be lost, where the client is further away. */
START_TEST(what_follows_a_rejection_is_dropped_for_a_second) {
    enum { MORE_THAN_BUFFERS = 16 * 1024 * 1024 };
    uint8_t *more = calloc(1, MORE_THAN_BUFFERS);
    ck_assert_ptr_nonnull(more);
    start_server(&server, modes[_i], lab, NULL);
    peer_join(&alice, modes[_i], person("alice"), server.port, person("bob"));
    int64_t started = sam_now(), deadline = started + PATIENT;
    write_altered(0, 1);
    expect_rejection(alice.connection.fd, modes[_i]);
    ck_status(sam_write_all(alice.connection.fd, -1, deadline, more, MORE_THAN_BUFFERS), SAM_OK);
    while (sam_write_all(alice.connection.fd, -1, deadline, more, 1) == SAM_OK)
        ck_assert_msg(nap_until(deadline), "the server never closes");
    int64_t took = sam_now() - started;
    ck_assert_int_ge(took, SAM_SECOND);
    ck_assert_int_lt(took, 2 * SAM_SECOND + SANITIZED * PATIENT);
    peer_close(&alice);
    free(more);
    stop_server_well(&server);
}
END_TEST

/* A client whose message the server takes only in part, because its sender is a stranger. */
START_TEST(a_rejection_reaches_a_client_that_still_writes) {
    enum { LENGTH = 8 * 1024 * 1024 };
    start_server(&server, modes[_i], lab, "--max-message", "8388608", NULL);
    uint8_t *message = calloc(1, LENGTH);
    ck_assert_ptr_nonnull(message);
    size_t length = modes[_i]->number == 1 ? LENGTH / 64 : LENGTH; /* mode 1 is slow to seal */
    struct process client =
        start_client(&server, message, length, "--name", "mallory", "send_msg", "-", NULL);
    struct run_result result = finish(&client);
    assert_code(&result, 1);
    assert_says(&result, sam_status_sentence(SAM_REJECTED));
    run_result_free(&result);
    free(message);
    stop_server_well(&server);
}
END_TEST

TCase *rejected_case(void) {
    TCase *rejected = tcase_create("rejected");
    tcase_set_timeout(rejected, TEST_SECONDS);
    tcase_add_unchecked_fixture(rejected, make_lab, remove_lab);
    tcase_add_loop_test(rejected, every_attack_gets_the_same_rejection, 0, 2);
    tcase_add_loop_test(rejected, a_stranger_is_named_by_the_fingerprint, 0, 2);
    tcase_add_loop_test(rejected, what_follows_a_rejection_is_dropped_for_a_second, 0, 2);
    tcase_add_loop_test(rejected, a_rejection_reaches_a_client_that_still_writes, 0, 2);
    return rejected;
}
