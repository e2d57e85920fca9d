/* A hostile crowd: thousands of connections of all bad kinds and trusted clients that flood, while
 * honest ones send and check their receipts. */
#include "crowd.h"

#include <stdio.h>
#include <string.h>

#include "scale.h"
#include "suites.h"

enum {
    AT_ONCE_OPEN = SANITIZED ? 100 : 600,
    IN_ALL = SANITIZED ? 300 : 3000,
    QUIET = 100, /* messages to a quiet server */
    TOGETHER = 6 /* honest clients at once */
};

static struct times quiet, crowded;
static size_t said; /* honest messages with a receipt */
static struct crowd crowd;
static struct flood floods[FLOOD_KINDS];

/* Each message has its own words. */
static const char *next_words(void) {
    static char text[32];
    snprintf(text, sizeof text, "honest %zu", said++);
    return text;
}

static void send_one(const struct server_process *server, int way, struct times *times) {
    struct peer bob;
    int64_t started = sam_now();
    begin_talk(&bob, way, server, "bob");
    say(&bob, next_words());
    times_add(times, sam_now() - started);
    peer_close(&bob);
}

static void send_together(const struct server_process *server, int way) {
    struct peer peers[TOGETHER];
    for (size_t i = 0; i < TOGETHER; i++) {
        begin_talk(&peers[i], way, server, "bob");
        const char *text = next_words();
        peer_request(&peers[i], SAM_KIND_SEND, text, strlen(text));
    }
    for (size_t i = 0; i < TOGETHER; i++) {
        peer_expect(&peers[i], SAM_KIND_REPLY, "", 0);
        peer_close(&peers[i]);
    }
}

static void send_by_program(const struct server_process *server) {
    struct run_result result =
        run_client(server, "--name", "carol", "send_msg", next_words(), NULL);
    assert_code(&result, 0);
    assert_says(&result, "signed a receipt");
    run_result_free(&result);
}

static void be_honest(const struct server_process *server, int way) {
    for (size_t turn = 0; !atomic_load(&crowd.over); turn++) {
        send_one(server, way, &crowded);
        if (turn % 8 == 3)
            send_together(server, way);
        if (turn % 32 == 5)
            send_by_program(server);
    }
}

/* peak is what the server had of memory, KiB. */
static void tell(int way, size_t requests, size_t peak) {
    static const char *const names[WAYS] = {"mode 1", "mode 2", "sessions"};
    fprintf(stderr,
            "torture: crowd: %s: %zu hostile connections, %zu requests of %d who flood: 0 of %zu "
            "honest\ntorture: crowd: messages lost; p50 x%.1f (%.1f ms), p99 x%.1f (%.1f ms) of a "
            "quiet server's;\ntorture: crowd: the longest stay %.1f s, peak %.1f MiB\n",
            names[way], crowd.begun, requests, FLOOD_KINDS, said,
            (double)times_at(&crowded, 500) / (double)times_at(&quiet, 500),
            (double)times_at(&crowded, 500) / 1000,
            (double)times_at(&crowded, 990) / (double)times_at(&quiet, 990),
            (double)times_at(&crowded, 990) / 1000, (double)crowd.longest_stay / SAM_SECOND,
            (double)peak / 1024);
}

START_TEST(no_honest_message_is_lost_in_a_crowd) {
    struct server_process server;
    size_t requests = 0;
    allow_descriptors(AT_ONCE_OPEN + 200);
    start_server(&server, mode_of(_i), lab, "--quiet", "--timeout", DEADLINE_WORD, NULL);
    struct calm before = calm_of(&server);
    for (size_t i = 0; i < QUIET; i++)
        send_one(&server, _i, &quiet);
    crowd = (struct crowd){.server = &server, .at_once = AT_ONCE_OPEN};
    crowd.in_all = torture_scale(IN_ALL);
    crowd.kinds = FOE_KINDS;
    crowd_start(&crowd);
    for (size_t i = 0; i < FLOOD_KINDS; i++) {
        floods[i] = (struct flood){.server = &server, .way = _i, .kind = (enum flood_kind)i};
        flood_start(&floods[i]);
    }
    be_honest(&server, _i);
    crowd_end(&crowd);
    for (size_t i = 0; i < FLOOD_KINDS; i++) {
        flood_end(&floods[i]);
        requests += floods[i].requests;
    }
    assert_calm_again(&server, &before, AT_ONCE_OPEN);
    ck_assert_int_le(crowd.longest_stay, (DEADLINE + 5) * SAM_SECOND + SANITIZED * PATIENT);
    ck_assert_int_le(times_at(&crowded, 1000), DEADLINE * SAM_SECOND + SANITIZED * PATIENT);
    ck_assert_uint_gt(crowd.refused, 0);
    send_one(&server, _i, &quiet);
    size_t peak = peak_memory(&server);
    assert_all_shown(&server, "honest ", said);
    tell(_i, requests, peak);
}
END_TEST

static void tell_seed(void) {
    make_chat_lab();
    fprintf(stderr, "torture: crowd: seed %llu\n", (unsigned long long)chance_seed());
}

Suite *crowd_suite(void) {
    Suite *suite = suite_create("crowd");
    TCase *ways = tcase_create("ways");
    tcase_set_timeout(ways, TEST_SECONDS);
    tcase_add_unchecked_fixture(ways, tell_seed, remove_lab);
    tcase_add_loop_test(ways, no_honest_message_is_lost_in_a_crowd, 0, WAYS);
    TCase *cases[] = {ways, crowd_chat_case(), crowd_places_case()};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        suite_add_tcase(suite, cases[i]);
    return suite;
}
