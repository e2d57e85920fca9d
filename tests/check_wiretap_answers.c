/* The wiretap's rules against what servers send: the real client notices, and tells by exit code
 * and sentence; and, between two sockets of the test, every byte that the rules let pass on either
 * side. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "instruments.h"
#include "tapping.h"

static struct server_process server, tap;

/* A rule against the server, and how the client ends. */
struct attack {
    const char *rules[5];
    int code;
    enum sam_status status; /* whose sentence it says */
    const char *told;       /* by the wiretap */
};

/* The client asks for something; whatever it is told, the server was asked once. */
static void try_attack(const struct attack *attack) {
    const char *rules[12] = {"--side", "server"};
    for (size_t i = 0; attack->rules[i] != NULL; i++)
        rules[i + 2] = attack->rules[i];
    start_wiretap(&tap, &server, rules);
    struct run_result client = run_client(&tap, "send_msg", "hello", NULL);
    struct run_result told = stop_wiretap(&tap, 1);
    ck_assert_msg(client.code == attack->code, "%s %s: exit code %d, not %d:\n%s%s",
                  attack->rules[0], attack->rules[1], client.code, attack->code,
                  (const char *)client.err.data, (const char *)told.out.data);
    if (attack->status != SAM_OK)
        assert_says(&client, sam_status_sentence(attack->status));
    assert_told(&told, attack->told, 1);
    assert_told(&told, "attack: ", 1);
    run_result_free(&client);
    run_result_free(&told);
}

#define FLIP(rule)                                                                                 \
    { "--flip", rule }
static const struct attack reply_attacks[] = {
    {FLIP("magic"), 1, SAM_MAGIC, "bit 0 of \"magic\" at offset 2\n"},
    {FLIP("type:7"), 1, SAM_TYPE, "bit 7 of \"type\" at offset 3\n"},
    {FLIP("version"), 1, SAM_VERSION, "bit 0 of \"version\" at offset 4\n"},
    {FLIP("mode:2"), 1, SAM_MODE, "bit 2 of \"mode\" at offset 5\n"},
    {FLIP("kind"), 1, SAM_KIND, "bit 0 of \"kind\" at offset 6\n"},
    {FLIP("kind:1"), 1, SAM_DECRYPT, "bit 1 of \"kind\" at offset 6\n"},
    {FLIP("reserved"), 1, SAM_RESERVED, "bit 0 of \"reserved\" at offset 7\n"},
    {FLIP("signature-length:15"), 1, SAM_KEY_LENGTHS, "\"signature length\" at offset 8\n"},
    {FLIP("block-length:15"), 1, SAM_KEY_LENGTHS, "\"block length\" at offset 10\n"},
    {FLIP("body-length:31"), 1, SAM_LENGTH, "\"body length\" at offset 12\n"},
    {FLIP("sequence"), 1, SAM_ORDER, "\"sequence\" at offset 19\n"},
    {FLIP("20"), 1, SAM_RESERVED, "\"byte\" at offset 20\n"},
    {FLIP("sent-at"), 1, SAM_DECRYPT, "\"sent at\" at offset 31\n"},
    {FLIP("message-id"), 1, SAM_DECRYPT, "\"message id\" at offset 47\n"},
    {FLIP("reference"), 1, SAM_STALE, "\"reference\" at offset 63\n"},
    {FLIP("sender-key-id"), 1, SAM_STRANGER, "\"sender key id\" at offset 95\n"},
    {FLIP("recipient-key-id"), 1, SAM_RECIPIENT, "\"recipient key id\" at offset 127\n"},
    {FLIP("130:7"), 1, SAM_DECRYPT, "bit 7 of \"byte\" at offset 130\n"},
    {{"--set", "kind=06"}, 1, SAM_DECRYPT, "set 1 byte(s) of \"kind\" at offset 6\n"},
    {{"--truncate", "1"}, 1, SAM_TRUNCATED, "byte(s), and the connection with it\n"},
    {{"--truncate", "128"}, 1, SAM_TRUNCATED, "byte(s), and the connection with it\n"},
    {{"--truncate", "500"}, 1, SAM_TRUNCATED, "byte(s), and the connection with it\n"},
    /* It leaves after the first: the second falls on nobody's ears. */
    {{"--replay", "1"}, 0, SAM_OK, "sent twice\n"},
};

START_TEST(a_changed_answer_is_no_receipt) {
    size_t count = sizeof reply_attacks / sizeof reply_attacks[0];
    start_server(&server, modes[_i], lab, NULL);
    for (size_t i = 0; i < count; i++)
        try_attack(&reply_attacks[i]);
    struct run_result said = stop_server(&server);
    ck_assert_uint_eq(count_text(&said.out, "hello\n"), count);
    ck_assert_uint_eq(count_text(&said.err, "rejected"), 0);
    run_result_free(&said);
}
END_TEST

/* Both at a time, since both take theirs. */
START_TEST(an_answer_that_does_not_come_is_no_receipt) {
    static const char *const rules[2][2] = {{"--drop", "1"}, {"--delay", "1200"}};
    static const char *const told_attacks[2] = {"attack: dropped\n", "attack: held back for "};
    struct server_process taps[2];
    struct process clients[2];
    start_server(&server, modes[_i], lab, NULL);
    for (size_t i = 0; i < 2; i++) {
        start_wiretap(&taps[i], &server, RULES("--side", "server", rules[i][0], rules[i][1]));
        clients[i] = start_client(&taps[i], NULL, 0, "--timeout", "1", "send_msg", "hello", NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        struct run_result client = finish(&clients[i]), told = stop_wiretap(&taps[i], 1);
        assert_code(&client, 3);
        assert_says(&client, sam_status_sentence(SAM_TIMEOUT));
        assert_says(&client, "sent, no receipt: it may have been delivered");
        assert_told(&told, told_attacks[i], 1);
        assert_told(&told, "#1 client ends <- the far end's answer\n", 1);
        run_result_free(&client);
        run_result_free(&told);
    }
    struct run_result said = stop_server(&server);
    ck_assert_str_eq((const char *)said.out.data, "hello\nhello\n");
    run_result_free(&said);
}
END_TEST

START_TEST(an_altered_answer_shows_no_message) {
    start_server(&server, modes[_i], lab, NULL);
    start_wiretap(&tap, &server, RULES("--side", "server", "--flip", "message-id"));
    struct run_result client = run_client(&tap, "recv_msg", NULL);
    assert_code(&client, 1);
    assert_says(&client, "no answer that verifies");
    ck_assert_uint_eq(client.out.length, 0);
    struct run_result told = stop_wiretap(&tap, 1);
    assert_told(&told, "#1 client ends <- the far end's answer\n", 1);
    run_result_free(&client);
    run_result_free(&told);
    stop_server_well(&server);
}
END_TEST

#define GREETING(option, rule)                                                                     \
    { "--envelope", "0", option, rule }
static const struct attack greeting_attacks[] = {
    {GREETING("--flip", "magic"), 1, SAM_MAGIC, "\"magic\" at offset 2\n"},
    {GREETING("--flip", "type"), 1, SAM_TYPE, "\"type\" at offset 3\n"},
    {GREETING("--flip", "version"), 1, SAM_VERSION, "\"version\" at offset 4\n"},
    {GREETING("--flip", "mode:3"), 1, SAM_MODE, "\"mode\" at offset 5\n"},
    {GREETING("--flip", "kind"), 1, SAM_KIND, "\"kind\" at offset 6\n"},
    {GREETING("--flip", "reserved"), 1, SAM_RESERVED, "\"reserved\" at offset 7\n"},
    {GREETING("--flip", "max-message:31"), 1, SAM_LENGTH, "\"max message\" at offset 8\n"},
    {GREETING("--flip", "15"), 1, SAM_RESERVED, "\"byte\" at offset 15\n"},
    {GREETING("--set", "challenge=00000000000000000000000000000000"), 1, SAM_CHALLENGE,
     "set 16 byte(s) of \"challenge\" at offset 16\n"},
    {GREETING("--flip", "server-key-id"), 1, SAM_OTHER_SERVER, "\"server key id\" at offset 63\n"},
    {GREETING("--set", "max-message=00000004"), 2, SAM_OK, "\"max message\" at offset 8\n"},
    {GREETING("--truncate", "63"), 1, SAM_TRUNCATED, "byte(s), and the connection with it\n"},
};

START_TEST(a_changed_greeting_lets_nothing_be_sent) {
    start_server(&server, modes[_i], lab, NULL);
    for (size_t i = 0; i < sizeof greeting_attacks / sizeof greeting_attacks[0]; i++)
        try_attack(&greeting_attacks[i]);
    struct run_result said = stop_server(&server);
    ck_assert_uint_eq(said.out.length, 0);
    ck_assert_uint_eq(count_text(&said.err, "rejected"), 0);
    run_result_free(&said);
}
END_TEST

START_TEST(a_changed_challenge_makes_the_envelope_stale) {
    static const struct attack attack = {GREETING("--flip", "challenge"), 1, SAM_REJECTED,
                                         "turned over bit 0 of \"challenge\" at offset 31\n"};
    start_server(&server, modes[_i], lab, NULL);
    try_attack(&attack);
    struct run_result said = stop_server(&server);
    assert_says(&said, "rejected: STALE\n");
    ck_assert_uint_eq(said.out.length, 0);
    run_result_free(&said);
}
END_TEST

START_TEST(an_answer_that_comes_twice_does_not_answer_the_next_request) {
    struct peer alice;
    struct sam_incoming incoming;
    start_server(&server, modes[_i], lab, NULL);
    start_wiretap(&tap, &server, RULES("--side", "server", "--replay", "1"));
    peer_join(&alice, modes[_i], person("alice"), tap.port, person("bob"));
    peer_request(&alice, SAM_KIND_SEND, "one", 3);
    peer_expect(&alice, SAM_KIND_REPLY, "", 0);
    peer_request(&alice, SAM_KIND_SEND, "two", 3);
    ck_status(peer_take(&alice, &incoming), SAM_STALE);
    peer_close(&alice);
    struct run_result told = stop_wiretap(&tap, 1);
    assert_told(&told, "attack: sent twice\n", 1);
    run_result_free(&told);
    stop_server_well(&server);
}
END_TEST

/* Which units pass, of four: a digit for each, '!' behind one of which bit 0 of byte 24 is turned
 * over, '/' behind one that is cut at 100 bytes and ends all. */
static const struct {
    const char *rules[5], *passed;
} passages[] = {
    {{"--drop", "2"}, "134"},
    {{"--replay", "1"}, "11234"},
    {{"--replay", "4"}, "12344"},
    {{"--swap", "1,2"}, "2134"},
    {{"--swap", "4,2"}, "1342"},
    {{"--swap", "4,5"}, "1234"}, /* none comes that could overtake it: it is the last */
    {{"--flip", "24"}, "1!234"},
    {{"--envelope", "3", "--flip", "24"}, "123!4"},
    {{"--envelope", "4294967295", "--flip", "24"}, "1234"},
    {{"--flip", "24", "--replay", "1"}, "1!1!234"},
    {{"--flip", "24", "--drop", "1"}, "234"},
    {{"--flip", "24", "--swap", "1,3"}, "231!4"},
    {{"--truncate", "100"}, "1/"},
    {{"--truncate", "100", "--replay", "2"}, "1/"},
    {{"--delay", "50", "--drop", "3"}, "124"},
};
enum { PASSAGES = sizeof passages / sizeof passages[0] };

static size_t make_passage(uint8_t *out, const char *passed, const struct sam_mode *mode) {
    size_t at = 0, last = 0;
    for (; *passed != '\0'; passed++) {
        if (*passed == '!') {
            out[last + 24] ^= 1;
        } else if (*passed == '/') {
            at = last + 100;
        } else {
            last = at;
            at += make_sample(out + at, SAM_ENVELOPE, mode, (uint32_t)(*passed - '0'));
        }
    }
    return at;
}

/* Four units in one go, or byte by byte of which some are still missing when others are passed on:
 * the same ones pass. */
static void try_passage(size_t index, const struct sam_mode *mode, bool by_server, size_t step) {
    static uint8_t sent[4 * SAMPLE_MAX], passed[8 * SAMPLE_MAX];
    const char *rules[8] = {"--side", by_server ? "server" : "client"};
    struct ends ends;
    size_t length = 0, most = make_passage(passed, passages[index].passed, mode);
    for (size_t i = 0; i < 5 && passages[index].rules[i] != NULL; i++)
        rules[i + 2] = passages[index].rules[i];
    for (char unit = '1'; unit <= '4'; unit++)
        length += make_sample(sent + length, SAM_ENVELOPE, mode, (uint32_t)(unit - '0'));
    open_ends(&ends, mode, rules);
    int from = by_server ? ends.far : ends.near, to = by_server ? ends.near : ends.far;
    if (by_server) { /* number 0 of a server */
        uint8_t greeting[SAMPLE_MAX];
        size_t greeted = make_sample(greeting, SAM_GREETING, mode, 0);
        write_raw(from, greeting, greeted);
        expect_bytes(to, greeting, greeted);
    }
    for (size_t at = 0; at < length; at += step)
        write_raw(from, sent + at, length - at < step ? length - at : step);
    shutdown(from, SHUT_WR);
    expect_bytes_and_end(to, passed, most);
    close_ends_well(&ends);
}

START_TEST(a_rule_lets_pass_what_it_says_and_nothing_else) {
    size_t index = (size_t)_i / 2;
    try_passage(index, modes[_i % 2], false, SIZE_MAX / 2);
    try_passage(index, modes[_i % 2], true, SIZE_MAX / 2);
    try_passage(index, modes[_i % 2], index % 2 != 0, 97);
}
END_TEST

TCase *wiretap_answers_case(void) {
    TCase *answers = tcase_create("wiretap answers");
    tcase_set_timeout(answers, TEST_SECONDS);
    tcase_add_unchecked_fixture(answers, make_lab, remove_lab);
    tcase_add_loop_test(answers, a_changed_answer_is_no_receipt, 0, 2);
    tcase_add_loop_test(answers, an_answer_that_does_not_come_is_no_receipt, 0, 2);
    tcase_add_loop_test(answers, an_altered_answer_shows_no_message, 0, 2);
    tcase_add_loop_test(answers, a_changed_greeting_lets_nothing_be_sent, 0, 2);
    tcase_add_loop_test(answers, a_changed_challenge_makes_the_envelope_stale, 0, 2);
    tcase_add_loop_test(answers, an_answer_that_comes_twice_does_not_answer_the_next_request, 0, 2);
    tcase_add_loop_test(answers, a_rule_lets_pass_what_it_says_and_nothing_else, 0, 2 * PASSAGES);
    return answers;
}
