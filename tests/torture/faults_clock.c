/* The clock is set a day ahead or back, at every look at it. Only times that are shown change. */
#include "faults.h"

#include <sys/socket.h>

static void set_at_each(const struct subject *subject, struct outcomes *outcomes) {
    unsigned long calls = count_calls(subject, "clock");
    try_calls(subject, "clock", "day", calls, calls, outcomes);
    try_calls(subject, "clock", "back", calls, calls, outcomes);
}

START_TEST(a_clock_that_is_set_changes_nothing) {
    static const struct subject *const subjects[] = {&sam_seals, &sam_opens, &client_sends,
                                                     &client_receives, &server_starts};
    struct outcomes outcomes = {0};
    if (!have_shim())
        return;
    start_live(true);
    for (int i = 0; i < COUNT(subjects); i++)
        set_at_each(subjects[i], &outcomes);
    stop_live();
    outcomes.wrong += outcomes.told;
    tell_outcomes(&outcomes, "a clock set a day ahead or back, at each look");
}
END_TEST

/* Who says nothing is cut when its time is over, whatever the clock on the wall says. */
START_TEST(a_deadline_holds_though_the_clock_is_set) {
    static const char *const orders[] = {"clock:1:back", "clock:1:day"};
    struct peer silent;
    if (!have_shim())
        return;
    start_live(true);
    peer_join(&silent, live.mode, person("alice"), live.port, person("bob"));
    int64_t started = sam_now();
    ck_assert(fault_order(board, orders[_i]));
    struct sam_bytes rest = read_to_end(silent.connection.fd);
    int64_t took = sam_now() - started;
    sam_bytes_free(&rest);
    peer_close(&silent);
    stop_live();
    fprintf(stderr, "torture: faults: %s: a silent client is cut after %.1f s of %d\n", orders[_i],
            (double)took / SAM_SECOND, LIVE_SECONDS);
    ck_assert_int_ge(took, (LIVE_SECONDS - 1) * SAM_SECOND);
    ck_assert_int_le(took, (LIVE_SECONDS + 5 + 30 * SANITIZED) * SAM_SECOND);
}
END_TEST

TCase *clock_faults(void) {
    TCase *tests = tcase_create("clock");
    tcase_add_test(tests, a_clock_that_is_set_changes_nothing);
    tcase_add_loop_test(tests, a_deadline_holds_though_the_clock_is_set, 0, 2);
    return tests;
}
