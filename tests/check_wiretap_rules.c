/* The wiretap's rules against what clients send: the server refuses, its log says why, the wiretap
 * says what it did, and nothing is delivered twice. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hostile.h"
#include "instruments.h"
#include "tapping.h"

enum { ALICE_SIZE = 256, BOB_SIZE = 384 }; /* bytes of their moduli */

static struct server_process server, tap;

/* What the server answers, as the wiretap tells it. */
static const char *answer_line(unsigned number, const char *unit) {
    static char line[96];
    snprintf(line, sizeof line, "#1 server %u: %s, mode %d", number, unit, server.mode->number);
    return line;
}

static void assert_rejection_told(const struct run_result *told, unsigned number) {
    char line[192];
    snprintf(line, sizeof line, "%s, 16 bytes <- the far end's answer\n",
             answer_line(number, "rejection"));
    assert_told(told, line, 1);
    assert_told(told, "<- the far end's answer", 1);
}

struct change {
    const char *option, *rule;
    enum sam_status wanted; /* what the server finds; SAM_OK: it takes it */
    const char *told;
};

/* One connection of the real client through a wiretap with that change; the server goes on. */
static void try_change(const struct change *change) {
    struct sam_bytes before = process_err(&server.process);
    char rejected[48];
    snprintf(rejected, sizeof rejected, "rejected: %s\n", sam_status_name(change->wanted));
    start_wiretap(&tap, &server, RULES(change->option, change->rule));
    struct run_result client = run_client(&tap, "send_msg", "hello", NULL);
    struct run_result told = stop_wiretap(&tap, 1);
    struct sam_bytes after = process_err(&server.process);
    ck_assert_msg(client.code == (change->wanted == SAM_OK ? 0 : 1), "%s %s: exit code %d, %s",
                  change->option, change->rule, client.code, (const char *)client.err.data);
    ck_assert_msg(count_text(&after, rejected) - count_text(&before, rejected) ==
                      (change->wanted != SAM_OK),
                  "%s %s: not %s in:\n%s", change->option, change->rule, rejected,
                  (const char *)after.data + before.length);
    assert_told(&told, change->told, 1);
    assert_told(&told, "attack: ", 1);
    if (change->wanted != SAM_OK) {
        assert_says(&client, sam_status_sentence(SAM_REJECTED));
        assert_says(&client, "it may have been delivered");
        assert_rejection_told(&told, 1);
    }
    run_result_free(&client);
    run_result_free(&told);
    sam_bytes_free(&before);
    sam_bytes_free(&after);
}

static const struct change changes[] = {
    {"--flip", "magic", SAM_MAGIC, "turned over bit 0 of \"magic\" at offset 2\n"},
    {"--flip", "MAGIC:23", SAM_MAGIC, "turned over bit 23 of \"magic\" at offset 0\n"},
    {"--flip", "type", SAM_TYPE, "turned over bit 0 of \"type\" at offset 3\n"},
    {"--flip", "version:7", SAM_VERSION, "turned over bit 7 of \"version\" at offset 4\n"},
    {"--flip", "mode:2", SAM_MODE, "turned over bit 2 of \"mode\" at offset 5\n"},
    {"--flip", "kind", SAM_KIND, "turned over bit 0 of \"kind\" at offset 6\n"},
    {"--flip", "kind:1", SAM_DECRYPT, "turned over bit 1 of \"kind\" at offset 6\n"},
    {"--flip", "reserved", SAM_RESERVED, "turned over bit 0 of \"reserved\" at offset 7\n"},
    {"--flip", "signature-length:15", SAM_KEY_LENGTHS,
     "turned over bit 15 of \"signature length\" at offset 8\n"},
    {"--flip", "block_length:15", SAM_KEY_LENGTHS,
     "turned over bit 15 of \"block length\" at offset 10\n"},
    {"--flip", "body length:31", SAM_LENGTH,
     "turned over bit 31 of \"body length\" at offset 12\n"},
    {"--flip", "sequence", SAM_ORDER, "turned over bit 0 of \"sequence\" at offset 19\n"},
    {"--flip", "20:3", SAM_RESERVED, "turned over bit 3 of \"byte\" at offset 20\n"},
    {"--flip", "sent-at", SAM_DECRYPT, "turned over bit 0 of \"sent at\" at offset 31\n"},
    {"--flip", "message-id:127", SAM_DECRYPT,
     "turned over bit 127 of \"message id\" at offset 32\n"},
    {"--flip", "reference", SAM_STALE, "turned over bit 0 of \"reference\" at offset 63\n"},
    {"--flip", "sender-key-id", SAM_STRANGER,
     "turned over bit 0 of \"sender key id\" at offset 95\n"},
    {"--flip", "recipient-key-id:255", SAM_RECIPIENT,
     "turned over bit 255 of \"recipient key id\" at offset 96\n"},
    {"--flip", "127", SAM_RECIPIENT, "turned over bit 0 of \"byte\" at offset 127\n"},
    {"--flip", "128", SAM_DECRYPT, "turned over bit 0 of \"byte\" at offset 128\n"},
    {"--set", "magic=484900", SAM_MAGIC, "set 3 byte(s) of \"magic\" at offset 0\n"},
    {"--set", "sequence=00000005", SAM_ORDER, "set 4 byte(s) of \"sequence\" at offset 16\n"},
    {"--set", "48=00fF", SAM_STALE, "set 2 byte(s) of \"byte\" at offset 48\n"},
    /* What is not there is not changed, and the message arrives. */
    {"--flip", "challenge", SAM_OK, "nothing done: it has no field called \"challenge\"\n"},
    {"--flip", "100000", SAM_OK, "nothing done: \"byte\" at 100000 has 0 bytes there, not 1\n"},
    {"--set", "4294967295=0000", SAM_OK,
     "nothing done: \"byte\" at 4294967295 has 0 bytes there, not 2\n"},
};

static const struct change body_changes[2][6] = {
    {
        {"--flip", "OAEP-block:3071", SAM_DECRYPT,
         "turned over bit 3071 of \"OAEP block\" at offset 128\n"},
        {"--set", "oaep_block=00", SAM_DECRYPT, "set 1 byte(s) of \"OAEP block\" at offset 128"},
        {"--flip", "signature", SAM_SIGNATURE,
         "turned over bit 0 of \"signature\" at offset 767\n"},
        {"--flip", "signature:2047", SAM_SIGNATURE, "turned over bit 2047 of \"signature\""},
        {"--flip", "signature:2048", SAM_OK, "has 256 bytes there, not 257\n"},
        {"--flip", "tag", SAM_OK, "nothing done: it has no field called \"tag\"\n"},
    },
    {
        {"--flip", "wrapped-key", SAM_DECRYPT,
         "turned over bit 0 of \"wrapped key\" at offset 511\n"},
        {"--flip", "nonce:95", SAM_DECRYPT, "turned over bit 95 of \"nonce\" at offset 512\n"},
        {"--flip", "ciphertext", SAM_DECRYPT,
         "turned over bit 0 of \"ciphertext\" at offset 800\n"},
        {"--flip", "tag:127", SAM_DECRYPT, "turned over bit 127 of \"tag\" at offset "},
        {"--set", "tag=0000000000000000000000000000000000", SAM_OK, "has 16 bytes there, not 17\n"},
        {"--flip", "oaep-block", SAM_OK, "nothing done: it has no field called \"oaep-block\"\n"},
    },
};

START_TEST(a_changed_envelope_is_rejected_for_what_was_changed) {
    size_t delivered = 0;
    start_server(&server, modes[_i], lab, NULL);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        try_change(&changes[i]);
        delivered += changes[i].wanted == SAM_OK;
    }
    for (size_t i = 0; i < sizeof body_changes[0] / sizeof body_changes[0][0]; i++) {
        try_change(&body_changes[_i][i]);
        delivered += body_changes[_i][i].wanted == SAM_OK;
    }
    struct run_result said = stop_server(&server);
    ck_assert_uint_eq(count_text(&said.out, "\n"), delivered);
    ck_assert_uint_eq(count_text(&said.out, "hello\n"), delivered);
    run_result_free(&said);
}
END_TEST

START_TEST(several_changes_are_made_in_their_order) {
    start_server(&server, modes[_i], lab, NULL);
    start_wiretap(&tap, &server,
                  RULES("--flip", "sequence", "--set", "sequence=00000000", "--flip", "kind:0",
                        "--flip", "kind"));
    struct run_result client = run_client(&tap, "send_msg", "hello", NULL);
    struct run_result told = stop_wiretap(&tap, 1), said = stop_server(&server);
    assert_told(&told, "attack: ", 4);
    /* Flips come before sets; these undo each other. */
    assert_code(&client, 0);
    ck_assert_str_eq((const char *)said.out.data, "hello\n");
    run_result_free(&client);
    run_result_free(&told);
    run_result_free(&said);
}
END_TEST

/* An honest client that does not wait for answers: it sends so many requests in one go. */
static void pipeline(struct peer *alice, unsigned requests) {
    char text[8];
    peer_join(alice, server.mode, person("alice"), tap.port, person("bob"));
    for (unsigned i = 1; i <= requests; i++) {
        snprintf(text, sizeof text, "<%u>", i);
        struct sam_envelope envelope = peer_seal(alice, SAM_KIND_SEND, text, strlen(text));
        write_raw(alice->connection.fd, envelope.bytes.data, envelope.bytes.length);
        sam_envelope_free(&envelope);
    }
}

/* So many receipts come, then a rejection, then the end. A receipt's length is that of an envelope
 * with an empty message for alice. */
static void expect_receipts_and_rejection(struct peer *alice, unsigned receipts) {
    struct sam_layout layout = server.mode->layout(SAM_SALT_SIZE, BOB_SIZE, ALICE_SIZE);
    struct sam_bytes got = read_to_end(alice->connection.fd);
    size_t receipt = SAM_HEADER_SIZE + layout.length;
    uint8_t rejection[SAM_REJECTION_SIZE];
    sam_rejection_write(rejection, server.mode->number);
    ck_assert_uint_eq(got.length, receipts * receipt + sizeof rejection);
    ck_assert_mem_eq(got.data + receipts * receipt, rejection, sizeof rejection);
    sam_bytes_free(&got);
    peer_close(alice);
}

struct disorder {
    const char *rules[5];
    unsigned requests, receipts; /* receipts before the rejection */
    const char *told;
    const char *delivered; /* on the server's standard output */
};

static const struct disorder disorders[] = {
    {{"--drop", "1"}, 2, 0, "attack: dropped\n", ""},
    {{"--drop", "2"}, 3, 1, "attack: dropped\n", "<1>\n"},
    {{"--replay", "1"}, 1, 1, "attack: sent twice\n", "<1>\n"},
    {{"--replay", "2"}, 3, 2, "attack: sent twice\n", "<1>\n<2>\n"},
    {{"--swap", "1,2"}, 2, 0, "attack: passed on before the one that was held back\n", ""},
    {{"--swap", "3,2"}, 3, 1, "attack: held back until another has overtaken it\n", "<1>\n"},
    {{"--envelope", "2", "--flip", "sent-at"}, 3, 1, "turned over bit 0 of \"sent at\"", "<1>\n"},
};
enum { DISORDERS = sizeof disorders / sizeof disorders[0] };

START_TEST(what_comes_out_of_its_place_is_rejected_and_what_came_before_is_delivered) {
    const struct disorder *disorder = &disorders[_i / 2];
    struct peer alice;
    start_server(&server, modes[_i % 2], lab, NULL);
    start_wiretap(&tap, &server, disorder->rules);
    pipeline(&alice, disorder->requests);
    expect_receipts_and_rejection(&alice, disorder->receipts);
    struct run_result told = stop_wiretap(&tap, 1), said = stop_server(&server);
    bool altered = disorder->rules[2] != NULL;
    ck_assert_uint_eq(count_text(&said.err, altered ? "rejected: DECRYPT\n" : "rejected: ORDER\n"),
                      1);
    ck_assert_uint_eq(count_text(&said.err, "rejected"), 1);
    ck_assert_str_eq((const char *)said.out.data, disorder->delivered);
    assert_told(&told, disorder->told, 1);
    assert_rejection_told(&told, disorder->receipts + 1);
    run_result_free(&told);
    run_result_free(&said);
}
END_TEST

START_TEST(a_message_that_is_sent_twice_is_delivered_once_with_a_receipt) {
    static const char *const rules[] = {"--replay", "--replay-new"};
    static const char *const reasons[] = {"rejected: ORDER\n", "rejected: STALE\n"};
    char line[96];
    for (int fresh = 0; fresh < 2; fresh++) {
        start_server(&server, modes[_i], lab, NULL);
        start_wiretap(&tap, &server, RULES(rules[fresh], "1"));
        wait_for_log(&tap, "passing on", 1); /* all that is opened is open */
        size_t descriptors = open_descriptors(&tap);
        struct run_result client = run_client(&tap, "send_msg", "hello", NULL);
        assert_code(&client, 0);
        assert_says(&client, "signed a receipt");
        wait_for_word(&tap, " client ends", 1);
        wait_for_descriptors(&tap, descriptors);
        struct run_result told = stop_wiretap(&tap, 1);
        wait_for_log(&server, reasons[fresh], 1);
        struct run_result said = stop_server(&server);
        ck_assert_str_eq((const char *)said.out.data, "hello\n");
        ck_assert_uint_eq(count_text(&said.err, "rejected"), 1);
        snprintf(line, sizeof line, "on the new connection the server answers: rejection\n");
        assert_told(&told,
                    fresh ? "attack: sent again on a new connection\n" : "attack: sent twice\n", 1);
        assert_told(&told, line, fresh);
        run_result_free(&client);
        run_result_free(&told);
        run_result_free(&said);
    }
}
END_TEST

START_TEST(a_cut_envelope_is_rejected_as_cut) {
    static const char *const lengths[] = {"1", "7", "8", "127", "128", "129", "600"};
    size_t count = sizeof lengths / sizeof lengths[0];
    start_server(&server, modes[_i], lab, NULL);
    for (size_t i = 0; i < count; i++) {
        start_wiretap(&tap, &server, RULES("--truncate", lengths[i]));
        struct run_result client = run_client(&tap, "send_msg", "hello", NULL);
        struct run_result told = stop_wiretap(&tap, 1);
        assert_code(&client, 1);
        assert_says(&client, sam_status_sentence(SAM_REJECTED));
        assert_told(&told, "byte(s), and the connection with it\n", 1);
        assert_rejection_told(&told, 1);
        run_result_free(&client);
        run_result_free(&told);
    }
    /* Longer than the envelope: it stays whole. */
    start_wiretap(&tap, &server, RULES("--truncate", "100000"));
    struct run_result client = run_client(&tap, "send_msg", "hello", NULL);
    assert_code(&client, 0);
    run_result_free(&client);
    struct run_result told = stop_wiretap(&tap, 1), said = stop_server(&server);
    assert_told(&told, "cut, and", 0);
    ck_assert_uint_eq(count_text(&said.err, "rejected: TRUNCATED\n"), count);
    ck_assert_uint_eq(count_text(&said.err, "rejected"), count);
    ck_assert_str_eq((const char *)said.out.data, "hello\n");
    run_result_free(&told);
    run_result_free(&said);
}
END_TEST

/* Both at a time, since both take theirs. */
START_TEST(what_is_dropped_or_held_back_too_long_is_not_taken) {
    static const char *const rules[2][2] = {{"--drop", "1"}, {"--delay", "1200"}};
    static const char *const told_attacks[2] = {"attack: dropped\n", "attack: held back for "};
    struct server_process taps[2];
    struct process clients[2];
    start_server(&server, modes[_i], lab, "--timeout", "1", NULL);
    for (size_t i = 0; i < 2; i++) {
        start_wiretap(&taps[i], &server, RULES(rules[i][0], rules[i][1]));
        clients[i] = start_client(&taps[i], NULL, 0, "send_msg", "hello", NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        struct run_result client = finish(&clients[i]), told = stop_wiretap(&taps[i], 1);
        assert_code(&client, 3);
        assert_says(&client, "sent, no receipt: it may have been delivered");
        assert_told(&told, told_attacks[i], 1);
        assert_told(&told, "#1 server ends <- the far end's answer\n", 1);
        run_result_free(&client);
        run_result_free(&told);
    }
    struct run_result said = stop_server(&server);
    ck_assert_uint_eq(count_text(&said.err, sam_status_sentence(SAM_TIMEOUT)), 2);
    ck_assert_uint_eq(count_text(&said.err, "rejected"), 0);
    ck_assert_uint_eq(said.out.length, 0);
    run_result_free(&said);
}
END_TEST

START_TEST(what_is_held_back_a_little_is_delivered) {
    int64_t started = sam_now();
    start_server(&server, modes[_i], lab, NULL);
    start_wiretap(&tap, &server, RULES("--delay", "200"));
    struct run_result client = run_client(&tap, "send_msg", "hello", NULL);
    assert_code(&client, 0);
    ck_assert_int_ge(sam_now() - started, SAM_SECOND / 5);
    struct run_result told = stop_wiretap(&tap, 1), said = stop_server(&server);
    assert_told(&told, "attack: held back for ", 1);
    assert_told(&told, answer_line(1, "envelope"), 1);
    ck_assert_str_eq((const char *)said.out.data, "hello\n");
    run_result_free(&client);
    run_result_free(&told);
    run_result_free(&said);
}
END_TEST

START_TEST(a_rule_for_the_second_leaves_the_first_alone) {
    start_server(&server, modes[_i], lab, NULL);
    start_wiretap(&tap, &server,
                  RULES("--envelope", "2", "--flip", "magic", "--drop", "2", "--swap", "3,4",
                        "--replay", "5", "--truncate", "9", "--delay", "600000"));
    for (int i = 0; i < 2; i++) { /* each connection has its own first */
        struct run_result client = run_client(&tap, "send_msg", "hello", NULL);
        assert_code(&client, 0);
        run_result_free(&client);
    }
    struct run_result told = stop_wiretap(&tap, 2), said = stop_server(&server);
    assert_told(&told, "attack", 0);
    ck_assert_str_eq((const char *)said.out.data, "hello\nhello\n");
    run_result_free(&told);
    run_result_free(&said);
}
END_TEST

TCase *wiretap_rules_case(void) {
    TCase *rules = tcase_create("wiretap rules");
    tcase_set_timeout(rules, TEST_SECONDS);
    tcase_add_unchecked_fixture(rules, make_lab, remove_lab);
    tcase_add_loop_test(rules, a_changed_envelope_is_rejected_for_what_was_changed, 0, 2);
    tcase_add_loop_test(rules, several_changes_are_made_in_their_order, 0, 2);
    tcase_add_loop_test(rules,
                        what_comes_out_of_its_place_is_rejected_and_what_came_before_is_delivered,
                        0, 2 * DISORDERS);
    tcase_add_loop_test(rules, a_message_that_is_sent_twice_is_delivered_once_with_a_receipt, 0, 2);
    tcase_add_loop_test(rules, a_cut_envelope_is_rejected_as_cut, 0, 2);
    tcase_add_loop_test(rules, what_is_dropped_or_held_back_too_long_is_not_taken, 0, 2);
    tcase_add_loop_test(rules, what_is_held_back_a_little_is_delivered, 0, 2);
    tcase_add_loop_test(rules, a_rule_for_the_second_leaves_the_first_alone, 0, 2);
    return rules;
}
