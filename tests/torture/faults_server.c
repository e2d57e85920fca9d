/* A server meets a fault while it talks to a client: this one may lose its connection, and knows;
 * the server goes on, and serves the next. */
#include "faults.h"

#include <unistd.h>

#include "hostile.h"

enum {
    MOST = 1000,
    AN_HONEST_ONE_AFTER = 8, /* conversations with a fault */
    MOST_SPOILT = 32,
    MOST_BUSY = 20 /* hundredths of the time that a server in want waits */
};

static size_t idle_descriptors; /* of the server, between two clients */

/* How many honest clients were turned away in a row, at most. */
static unsigned most_spoilt;

/* libcrypto renews what it blinds a private key with after every 32nd use; where memory fails just
 * then, the key gives nonsense until the next time. Nothing that is wrong comes of it but refusals.
 */
static void serve_an_honest_one(void) {
    unsigned spoilt = 0;
    ck_assert(fault_order(board, "malloc:0:none"));
    for (;; spoilt++) {
        struct process client = start_client(&live, NULL, 0, "send_msg", "I am honest", NULL);
        struct run_result result = finish(&client);
        int code = result.code;
        run_result_free(&result);
        if (code == SAM_EXIT_OK)
            break;
        ck_assert_msg(spoilt < MOST_SPOILT, "the server serves nobody any more");
    }
    most_spoilt = spoilt > most_spoilt ? spoilt : most_spoilt;
}

/* The shim stands before a server that has served, so that what is done once has been done. */
static void start_harmed(void) {
    most_spoilt = 0;
    start_live(true);
    idle_descriptors = open_descriptors(&live);
    serve_an_honest_one();
}

/* One conversation with a fault; the connection is over when this returns. */
static void converse(const char *order, unsigned number, struct outcomes *outcomes) {
    const char *words[FAULT_WORDS] = {NULL};
    client_sends.prepare(words, number);
    ck_assert(fault_order(board, order));
    struct process client = start(words, NULL, 0);
    struct run_result result = finish(&client);
    const char *wrong = judge_ending(&result);
    if (wrong == NULL)
        wrong = client_sends.judge(&result, number);
    if (wrong != NULL)
        tell_wrong(outcomes, "a server's client", order, wrong, &result);
    else if (result.code == SAM_EXIT_OK)
        outcomes->harmless++;
    else
        outcomes->told++;
    run_result_free(&result);
    ck_assert_msg(!has_ended(&live.process), "SAM_FAULT=%s: the server has ended", order);
    if (strchr(order, '+') != NULL)
        board->nth = 0; /* or it could not end the connection */
    wait_for_descriptors(&live, idle_descriptors);
}

static void converse_with_each(const char *function, const char *action, unsigned long most,
                               struct outcomes *outcomes, unsigned long *all) {
    static unsigned number;
    char order[64];
    struct outcomes first = {0};
    snprintf(order, sizeof order, "%s:0:none", function);
    converse(order, ++number, &first);
    ck_assert_uint_eq(first.harmless, 1);
    unsigned long calls = board->count, runs = calls < most ? calls : most;
    *all += calls;
    for (unsigned long i = 0; i < runs; i++) {
        snprintf(order, sizeof order, "%s:%lu:%s", function, 1 + i * calls / runs, action);
        converse(order, ++number, outcomes);
        if (i % AN_HONEST_ONE_AFTER == 0 || i + 1 == runs)
            serve_an_honest_one();
        wait_for_descriptors(&live, idle_descriptors);
    }
}

START_TEST(a_server_without_memory_serves_the_next) {
    static const char *const orders[][3] = {
        {"own_malloc", "ENOMEM", "each of its own"},
        {"malloc", "ENOMEM", "each of all"},
        {"malloc", "ENOMEM+", "all from each of all"},
    };
    struct outcomes outcomes = {0};
    unsigned long all = 0;
    if (!have_shim())
        return;
    start_harmed();
    converse_with_each(orders[_i][0], orders[_i][1], torture_scale(MOST), &outcomes, &all);
    stop_live();
    fprintf(stderr, "torture: faults: honest clients after these: at most %u refused in a row\n",
            most_spoilt);
    tell_outcomes(&outcomes, "a server's conversation: %s %lu allocations", orders[_i][2], all);
}
END_TEST

START_TEST(a_server_whose_calls_fail_serves_the_next) {
    static const char *const orders[][2] = {
        {"recv", "EIO"},
        {"recv", "ECONNRESET"},
        {"send", "EIO"},
        {"send", "EPIPE"},
        {"poll", "ENOMEM"},
        {"accept", "EMFILE"},
        {"accept", "ECONNABORTED"},
        {"fcntl", "EIO"},
        {"pthread_create", "EAGAIN"},
        {"close", "EIO"},
        {"write", "ENOSPC"},
        {"read", "EIO"},
    };
    struct outcomes outcomes = {0};
    unsigned long all = 0;
    if (!have_shim())
        return;
    start_harmed();
    for (int i = 0; i < COUNT(orders); i++)
        converse_with_each(orders[i][0], orders[i][1], torture_scale(MOST), &outcomes, &all);
    stop_live();
    tell_outcomes(&outcomes, "a server's conversation: each of %lu calls failing", all);
}
END_TEST

START_TEST(a_server_whose_calls_are_interrupted_or_short_serves_all) {
    static const char *const orders[][2] = {
        {"recv", "short"}, {"recv", "EINTR"},  {"recv", "short+"}, {"send", "short"},
        {"send", "EINTR"}, {"send", "short+"}, {"poll", "EINTR"},  {"accept", "EINTR"},
        {"read", "EINTR"}, {"write", "EINTR"}, {"write", "short"},
    };
    struct outcomes outcomes = {0};
    unsigned long all = 0;
    if (!have_shim())
        return;
    start_harmed();
    for (int i = 0; i < COUNT(orders); i++)
        converse_with_each(orders[i][0], orders[i][1], torture_scale(MOST), &outcomes, &all);
    stop_live();
    outcomes.wrong += outcomes.told;
    tell_outcomes(&outcomes, "a server's conversation: each of %lu calls interrupted or cut short",
                  all);
}
END_TEST

/* The processor time of the server, in clock ticks. */
static unsigned long ticks_used(void) {
    char path[64];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)live.process.pid);
    FILE *stat = fopen(path, "r");
    ck_assert_ptr_nonnull(stat);
    int found =
        fscanf(stat, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    fclose(stat);
    ck_assert_int_eq(found, 2);
    return user + system;
}

/* A system that refuses for a while is asked now and then, and not all the time. */
START_TEST(a_server_that_waits_for_the_system_does_not_spin) {
    static const char *const orders[] = {"poll:1:ENOMEM+", "accept:1:EMFILE+",
                                         "own_malloc:1:ENOMEM+"};
    if (!have_shim())
        return;
    start_harmed();
    long hertz = sysconf(_SC_CLK_TCK);
    ck_assert(fault_order(board, orders[_i]));
    struct process client =
        start_client(&live, NULL, 0, "--timeout", "30", "send_msg", "I am patient", NULL);
    unsigned long before = ticks_used();
    int64_t until = sam_now() + SAM_SECOND;
    while (nap_until(until))
        continue;
    unsigned long used = (ticks_used() - before) * 100 / (unsigned long)hertz;
    board->nth = 0;
    struct run_result result = finish(&client); /* it may have been let in a moment before */
    const char *wrong = judge_ending(&result);
    ck_assert_msg(wrong == NULL, "%s", wrong);
    run_result_free(&result);
    serve_an_honest_one();
    stop_live();
    fprintf(stderr, "torture: faults: a server under %s: %lu %% of a processor, then it serves\n",
            orders[_i], used);
    ck_assert_uint_le(used, MOST_BUSY);
}
END_TEST

TCase *server_faults(void) {
    TCase *tests = tcase_create("server");
    tcase_add_loop_test(tests, a_server_without_memory_serves_the_next, 0, 3);
    tcase_add_test(tests, a_server_whose_calls_fail_serves_the_next);
    tcase_add_test(tests, a_server_whose_calls_are_interrupted_or_short_serves_all);
    tcase_add_loop_test(tests, a_server_that_waits_for_the_system_does_not_spin, 0, 3);
    return tests;
}
