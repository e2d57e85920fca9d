/* Every allocation fails in turn: those of the programs all, libcrypto's, of which there are tens
 * of thousands, spread evenly; alone, and with all that follow. */
#include "faults.h"

#include <signal.h>
#include <unistd.h>

/* Runs of a program in which an allocation of libcrypto's fails. */
enum { MOST = 500, MOST_OF_KEYS = 120, MOST_EXHAUSTED = 100 };

static void exhaust(const struct subject *subject, size_t most) {
    struct outcomes own = {0}, all = {0}, gone = {0};
    unsigned long own_calls = count_calls(subject, "own_malloc");
    unsigned long calls = count_calls(subject, "malloc");
    unsigned long tried = torture_scale(most), exhausted = torture_scale(MOST_EXHAUSTED);
    try_calls(subject, "own_malloc", "ENOMEM", own_calls, own_calls, &own);
    tell_outcomes(&own, "%s: each of its own %lu allocations", subject->name, own_calls);
    try_calls(subject, "malloc", "ENOMEM", calls, tried, &all);
    tell_outcomes(&all, "%s: %lu of all %lu", subject->name, tried < calls ? tried : calls, calls);
    try_calls(subject, "malloc", "ENOMEM+", calls, exhausted, &gone);
    tell_outcomes(&gone, "%s: all from one of %lu on", subject->name,
                  exhausted < calls ? exhausted : calls);
}

START_TEST(a_program_without_memory_says_so) {
    static const struct subject *const alone[] = {&sam_seals, &sam_opens, &sam_inspects,
                                                  &server_starts};
    if (have_shim())
        exhaust(alone[_i], MOST / (1 + 3 * SANITIZED));
}
END_TEST

START_TEST(a_key_pair_is_whole_or_not_there) {
    if (have_shim())
        exhaust(_i == 0 ? &key_is_made : &key_is_replaced, MOST_OF_KEYS);
}
END_TEST

START_TEST(a_client_without_memory_says_so) {
    if (!have_shim())
        return;
    start_live(false);
    exhaust(_i == 0 ? &client_sends : &client_receives, MOST / (1 + 3 * SANITIZED));
    stop_live();
}
END_TEST

/* The example looks for its keys where it is started. */
START_TEST(the_example_without_memory_says_so) {
    if (!have_shim())
        return;
    const char *const words[] = {program_in("examples", "secure"), "0", NULL};
    ck_assert_int_eq(chdir(place), 0);
    struct process server = start(words, NULL, 0);
    int64_t deadline = sam_now() + PATIENT;
    unsigned port = 0;
    while (port == 0 && nap_until(deadline)) {
        struct sam_bytes said = process_out(&server);
        if (count_text(&said, "\n") == 1)
            sscanf((const char *)said.data, "listening on port %u", &port);
        sam_bytes_free(&said);
    }
    live.port = (uint16_t)port;
    exhaust(&example_asks, MOST / (1 + 3 * SANITIZED));
    ck_assert_msg(!has_ended(&server), "the example's server has ended");
    kill(server.pid, SIGTERM);
    struct run_result result = finish(&server);
    run_result_free(&result);
}
END_TEST

TCase *memory_faults(void) {
    TCase *tests = tcase_create("memory");
    tcase_add_loop_test(tests, a_program_without_memory_says_so, 0, 4);
    tcase_add_loop_test(tests, a_key_pair_is_whole_or_not_there, 0, 2);
    tcase_add_loop_test(tests, a_client_without_memory_says_so, 0, 2);
    tcase_add_test(tests, the_example_without_memory_says_so);
    return tests;
}
