/* Who is killed while it talks: a server goes on without a client, a client without its server says
 * what is not known, and a new server serves under the same keys and port. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "chatting.h"
#include "hostile.h"
#include "kills.h"
#include "scale.h"

enum { SENDERS = 3, CLIENT_KILLS = 30, SERVER_KILLS = 10 };

/* What the killed clients do: one message; lines on a terminal, in a session; the chat. */
enum doing { SENDS, TALKS, CHATS, DOINGS };

static struct server_process receiver, room;

static struct process begin_send(const struct server_process *server) {
    return start_client(server, NULL, 0, "--name", "bob", "send_msg", "a message that may be lost",
                        NULL);
}

static void begin_typing(struct typist *typist, enum doing what) {
    bool talks = what == TALKS;
    start_typist(typist, talks, talks ? &receiver : &room, "--name", "bob", "--session",
                 talks ? NULL : "chat", NULL);
    for (int i = 0; i < 5; i++)
        type(typist, "a line that may be lost\n");
}

/* Both serve somebody who is not killed. */
static void assert_goes_on(int way) {
    struct peer carol;
    int64_t started = sam_now();
    begin_talk(&carol, way, &receiver, "carol");
    say(&carol, "I am honest");
    peer_close(&carol);
    join_chat(&carol, way, &room, "carol");
    peer_request(&carol, SAM_KIND_SEND, "/who", 4);
    ck_assert(readable_until(carol.connection.fd, started + AT_ONCE));
    peer_close(&carol);
    ck_assert_int_le(sam_now() - started, AT_ONCE);
}

static bool kill_client(enum doing what, const struct life *life) {
    struct run_result result;
    if (what == SENDS) {
        struct process process = begin_send(&receiver);
        result = kill_in_life(&process, life, NULL, 0);
    } else {
        struct typist typist;
        begin_typing(&typist, what);
        int64_t instant = sam_now() + random_time(life->whole);
        while (nap_until(instant))
            continue;
        ck_assert_int_eq(kill(typist.process.pid, SIGKILL), 0);
        result = end_typist(&typist);
        forget_screen(&typist);
    }
    bool killed = was_killed(&result, &toll->clients);
    run_result_free(&result);
    return killed;
}

START_TEST(a_server_goes_on_without_clients_that_are_killed) {
    start_server(&receiver, modes[1], lab, "--quiet", NULL);
    start_server(&room, modes[1], lab, "--chat", "--quiet", NULL);
    size_t before[] = {open_descriptors(&receiver), open_descriptors(&room)};
    struct process process = begin_send(&receiver);
    struct life life = measure_life(&process, NULL, 0);
    for (size_t turn = 0, killed = 0; killed < torture_scale(CLIENT_KILLS); turn++) {
        ck_assert_uint_lt(turn, 10 * CLIENT_KILLS);
        killed += kill_client((enum doing)(turn % DOINGS), &life);
        assert_goes_on(turn % 2 == 0 ? 1 : IN_SESSION);
    }
    process = begin_send(&receiver);
    measure_life(&process, NULL, 0);
    wait_for_descriptors(&receiver, before[0]);
    wait_for_descriptors(&room, before[1]);
    stop_server_well(&receiver);
    stop_server_well(&room);
    toll->passed++;
}
END_TEST

/* A client whose server is killed has its receipt, or says what is known. */
static void assert_tells(struct run_result *result, bool is_typist) {
    static const char *const known[] = {"nothing was sent", "sent, no receipt: it may have been",
                                        "not all of it was sent"};
    size_t told = 0;
    if (result->code != 0) {
        assert_code(result, 3);
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            told += count_text(&result->err, known[i]);
        ck_assert_msg(is_typist || told == 1, "it said:\n%s", (const char *)result->err.data);
        assert_says(result, "client: ");
    }
    run_result_free(result);
}

START_TEST(a_client_says_what_is_not_known_when_its_server_is_killed) {
    struct server_process server;
    struct process senders[SENDERS];
    struct typist typist;
    char port[8] = "0";
    const struct sam_mode *mode = modes[_i];
    start_server(&server, mode, lab, "--quiet", NULL);
    senders[0] = begin_send(&server);
    struct life life = measure_life(&senders[0], NULL, 0);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    for (size_t turn = 0; turn < torture_scale(SERVER_KILLS); turn++) {
        start_typist(&typist, false, &server, "--name", "carol", "chat", NULL);
        for (size_t i = 0; i < SENDERS; i++)
            senders[i] = begin_send(&server);
        struct run_result result = kill_in_life(&server.process, &life, NULL, 0);
        ck_assert(was_killed(&result, &toll->servers));
        run_result_free(&result);
        for (size_t i = 0; i < SENDERS; i++) {
            result = finish(&senders[i]);
            assert_tells(&result, false);
        }
        result = end_typist(&typist);
        ck_assert_int_ne(result.code, 0);
        run_result_free(&result);
        start_server(&server, mode, lab, "--quiet", "--port", port, NULL);
        senders[0] = begin_send(&server);
        measure_life(&senders[0], NULL, 0);
    }
    stop_server_well(&server);
    toll->passed++;
}
END_TEST

void add_kills_of_peers(TCase *kills) {
    tcase_add_test(kills, a_server_goes_on_without_clients_that_are_killed);
    tcase_add_loop_test(kills, a_client_says_what_is_not_known_when_its_server_is_killed, 0, 2);
}
