/* Many in a chat: all hear all others in one order, and who does not read hurts nobody. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "chatting.h"

/* Within which a member is told, whatever others do. */
#define AT_ONCE (2 * SAM_SECOND + SANITIZED * PATIENT)

/* The next is of that kind with that text, but for the news that carol has left, which may come
 * before. */
static void take_but_news(struct peer *peer, enum sam_kind kind, const char *text, bool *left) {
    static const char news[] = "server: carol has left";
    struct sam_incoming incoming;
    ck_status(peer_take(peer, &incoming), SAM_OK);
    const struct sam_envelope *got = &incoming.envelope;
    bool is_news = got->header.kind == SAM_KIND_PUSH && got->message_length == sizeof news - 1 &&
                   memcmp(got->message, news, sizeof news - 1) == 0;
    if (!is_news) {
        ck_assert_str_eq(sam_kind_name(got->header.kind), sam_kind_name(kind));
        ck_assert_uint_eq(got->message_length, strlen(text));
        ck_assert_mem_eq(got->message, text, strlen(text));
    }
    sam_connection_drop(&peer->connection, &incoming);
    if (!is_news)
        return;
    ck_assert(!*left);
    *left = true;
    take_but_news(peer, kind, text, left);
}

/* Bob says texts of so many bytes until both have heard that carol has left, and mallory is told
 * each of them at once. */
static void speak_until_left(struct peer *bob, struct peer *mallory, size_t size) {
    enum { MANY = 8000, NAME = 5, LONGEST = 4000 };
    static const char name[NAME + 1] = "bob: ";
    bool bob_knows = false, mallory_knows = false;
    char push[NAME + LONGEST + 1];
    memset(push, 'x', sizeof push);
    memcpy(push, name, NAME);
    push[NAME + size] = '\0';
    for (int i = 0; i < MANY && (!bob_knows || !mallory_knows); i++) {
        push[NAME] = (char)('0' + i % 10);
        int64_t started = sam_now();
        peer_request(bob, SAM_KIND_SEND, push + NAME, size);
        take_but_news(bob, SAM_KIND_REPLY, "", &bob_knows);
        take_but_news(mallory, SAM_KIND_PUSH, push, &mallory_knows);
        ck_assert_int_lt(sam_now() - started, AT_ONCE);
    }
    ck_assert_msg(bob_knows && mallory_knows, "nobody was dropped");
}

/* Carol has joined; the two others come, talk, and are not hurt by her. */
static void talk_beside(struct server_process *server, int way, struct peer *deaf, size_t size) {
    struct peer bob, mallory;
    join_chat(&bob, way, server, "bob");
    join_chat(&mallory, way, server, "mallory");
    hear(&bob, "server: mallory has joined");
    speak_until_left(&bob, &mallory, size);
    say(&mallory, "go on");
    hear(&bob, "mallory: go on");
    peer_close(deaf);
    peer_close(&bob);
    peer_close(&mallory);
    struct run_result said = stop_server(server);
    assert_code(&said, 0);
    ck_assert_uint_eq(count_text(&said.err, "dropped: it does not read"), 1);
    run_result_free(&said);
}

/* The pushes themselves fill all buffers between the two: many, which only a session has cheaply.
 */
START_TEST(who_stops_reading_is_dropped_and_hurts_nobody) {
    struct server_process server;
    struct peer carol;
    int small = 4096;
    start_server(&server, modes[1], lab, "--chat", "--quiet", NULL);
    join_chat(&carol, IN_SESSION, &server, "carol");
    setsockopt(carol.connection.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    talk_beside(&server, IN_SESSION, &carol, 4000);
}
END_TEST

START_TEST(who_asks_and_does_not_read_is_dropped_and_hurts_nobody) {
    struct server_process server;
    struct peer carol;
    start_server(&server, mode_of(_i), lab, "--chat", "--quiet", "--message",
                 long_answer(mode_of(_i)), NULL);
    join_chat(&carol, _i, &server, "carol");
    peer_asks_without_reading(&carol);
    talk_beside(&server, _i, &carol, 10);
}
END_TEST

/* All that a client has shown but news, a line each. */
static struct sam_bytes said_by_others(const struct run_result *result) {
    struct sam_bytes text = {0};
    const char *line = (const char *)result->out.data;
    for (size_t length = 0; *line != '\0'; line += length) {
        length = strcspn(line, "\n") + 1;
        if (strncmp(line, "server: ", 8) != 0)
            ck_status(sam_bytes_append(&text, line, length), SAM_OK);
    }
    ck_status(sam_bytes_append(&text, "", 1), SAM_OK);
    text.length--;
    return text;
}

enum { CROWD = SANITIZED ? 16 : 50, LINES = 2, SAID = CROWD * LINES };

/* The number, counted from 0, of each text in the order in which somebody was told; -1: own. */
static void read_order(const struct sam_bytes *text, size_t own, int order[SAID]) {
    const char *line = (const char *)text->data;
    for (size_t i = 0; i < SAID - LINES; i++) {
        const char *number = strchr(line, '<');
        ck_assert_msg(number != NULL, "%zu heard only %zu texts:\n%s", own, i, line);
        order[i] = (int)strtol(number + 1, NULL, 10);
        ck_assert_int_lt(order[i], SAID);
        ck_assert_uint_ne((size_t)order[i] / LINES, own);
        line += strcspn(line, "\n") + 1;
    }
    ck_assert_str_eq(line, "");
}

/* But for their own words, two have heard the same. */
static void assert_one_order(int orders[2][SAID], const size_t who[2]) {
    size_t at[2] = {0, 0}, same = 0;
    for (;;) {
        for (size_t side = 0; side < 2; side++)
            while (at[side] < SAID - LINES &&
                   (size_t)orders[side][at[side]] / LINES == who[1 - side])
                at[side]++;
        if (at[0] == SAID - LINES || at[1] == SAID - LINES)
            break;
        ck_assert_int_eq(orders[0][at[0]++], orders[1][at[1]++]);
        same++;
    }
    ck_assert_uint_eq(same, SAID - 2 * LINES);
}

static void hear_join(struct peer *peer) {
    static const char news[] = " has joined";
    struct sam_incoming incoming;
    ck_status(peer_take(peer, &incoming), SAM_OK);
    const struct sam_envelope *got = &incoming.envelope;
    ck_assert_uint_gt(got->message_length, sizeof news - 1);
    ck_assert_mem_eq(got->message + got->message_length - (sizeof news - 1), news, sizeof news - 1);
    sam_connection_drop(&peer->connection, &incoming);
}

/* Fifty real clients: the same few keys may come many times. Carol sees to it that all are there
 * before the first speaks. */
START_TEST(fifty_clients_hear_each_other_in_one_order) {
    static const char *const names[] = {"bob", "mallory", "mallory", "mallory"};
    static struct typist crowd[CROWD];
    static int orders[2][SAID];
    struct server_process server;
    struct peer carol;
    char line[32];
    allow_descriptors(CROWD * 4 + 100);
    start_server(&server, mode_of(_i), lab, "--chat", NULL);
    join_chat(&carol, _i, &server, "carol");
    for (size_t i = 0; i < CROWD; i++)
        start_typist(&crowd[i], false, &server, "--name", names[i % 4], "chat", "--quiet",
                     session_word(_i), NULL);
    for (size_t i = 0; i < CROWD; i++)
        hear_join(&carol);
    peer_close(&carol);
    for (size_t k = 0; k < LINES; k++)
        for (size_t i = 0; i < CROWD; i++) {
            snprintf(line, sizeof line, "<%zu>\n", i * LINES + k);
            type(&crowd[i], line);
        }
    for (size_t i = 0; i < CROWD; i++)
        wait_to_see(&crowd[i], ": <", SAID - LINES);
    for (size_t i = 0; i < CROWD; i++) {
        struct run_result result = end_typist(&crowd[i]);
        assert_code(&result, 0);
        struct sam_bytes text = said_by_others(&result);
        read_order(&text, i, orders[i > 0]);
        if (i > 0)
            assert_one_order(orders, (const size_t[]){0, i});
        sam_bytes_free(&text);
        run_result_free(&result);
    }
    struct run_result said = stop_server(&server);
    assert_code(&said, 0);
    ck_assert_uint_eq(count_text(&said.out, "\n"), SAID);
    ck_assert_uint_eq(count_text(&said.err, "dropped"), 0);
    run_result_free(&said);
}
END_TEST

/* A session's record costs its speaker next to nothing, an envelope costs the server a signature:
 * who reads is waited for, and hears all of it. */
START_TEST(who_reads_hears_the_whole_of_a_flood) {
    enum { FLOOD = SANITIZED ? 400 : 1500 };
    struct server_process server;
    struct typist reader, speaker;
    char line[32];
    struct sam_bytes flood = {0};
    start_server(&server, &sam_mode_asymmetric_symmetric, lab, "--chat", NULL);
    start_typist(&reader, false, &server, "--name", "bob", "chat", "--quiet", NULL);
    wait_for_log(&server, "join from bob", 1);
    start_typist(&speaker, false, &server, "--name", "mallory", "--session", "chat", "--quiet",
                 NULL);
    for (int i = 0; i < FLOOD; i++) {
        int length = snprintf(line, sizeof line, "<%d>\n", i);
        ck_status(sam_bytes_append(&flood, line, (size_t)length), SAM_OK);
    }
    ck_status(sam_bytes_append(&flood, "", 1), SAM_OK);
    type(&speaker, (const char *)flood.data);
    wait_to_see(&reader, "mallory: <", FLOOD);
    struct run_result spoken = end_typist(&speaker), read = end_typist(&reader);
    assert_code(&spoken, 0);
    assert_code(&read, 0);
    run_result_free(&spoken);
    run_result_free(&read);
    struct run_result said = stop_server(&server);
    ck_assert_uint_eq(count_text(&said.err, "dropped"), 0);
    run_result_free(&said);
    sam_bytes_free(&flood);
}
END_TEST

TCase *many_case(void) {
    TCase *many = tcase_create("many");
    tcase_set_timeout(many, TEST_SECONDS);
    tcase_add_unchecked_fixture(many, make_chat_lab, remove_lab);
    tcase_add_test(many, who_stops_reading_is_dropped_and_hurts_nobody);
    tcase_add_loop_test(many, who_asks_and_does_not_read_is_dropped_and_hurts_nobody, 0, WAYS);
    tcase_add_test(many, who_reads_hears_the_whole_of_a_flood);
    tcase_add_loop_test(many, fifty_clients_hear_each_other_in_one_order, 0, WAYS);
    return many;
}
