/* The system gives no more descriptors: to a program from its start, to a server while it runs. */
#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include <sys/resource.h>
#include <unistd.h>

#include "faults.h"

enum {
    FEWEST = 5, /* the standard streams, one of Check's, one to load libraries with */
    ENOUGH = 24,
    CROWD = 5
};

static const struct subject *limited;

/* The run's number is the limit. */
static void prepare_limited(const char *words[FAULT_WORDS], unsigned number) {
    static char line[64];
    snprintf(line, sizeof line, "ulimit -n %u; exec \"$0\" \"$@\"", number);
    words[0] = "/bin/sh";
    words[1] = "-c";
    words[2] = line;
    limited->prepare(words + 3, number);
}

START_TEST(a_program_with_few_descriptors_says_so) {
    static const struct subject *const subjects[] = {&sam_seals,    &sam_opens,    &sam_inspects,
                                                     &key_is_made,  &client_sends, &client_saves,
                                                     &server_starts};
    if (!have_shim())
        return;
    limited = subjects[_i];
    struct subject subject = *limited;
    struct outcomes outcomes = {0};
    subject.prepare = prepare_limited;
    start_live(false);
    for (unsigned limit = FEWEST; limit <= ENOUGH; limit++)
        try_subject(&subject, NULL, limit, &outcomes);
    stop_live();
    tell_outcomes(&outcomes, "%s with %d to %d descriptors", subject.name, FEWEST, ENOUGH);
}
END_TEST

#if defined(__linux__)
/* The first number that a new descriptor of the server would have. */
static rlim_t next_descriptor(void) {
    char path[64];
    rlim_t next = 0;
    do
        snprintf(path, sizeof path, "/proc/%ld/fd/%lu", (long)live.process.pid,
                 (unsigned long)next++);
    while (access(path, F_OK) == 0);
    return next - 1;
}

/* Those that found no place wait, and are served when there is one. */
START_TEST(a_server_out_of_descriptors_serves_again) {
    struct process clients[CROWD];
    struct rlimit none, before;
    start_live(false);
    none.rlim_cur = next_descriptor();
    ck_assert_int_eq(prlimit(live.process.pid, RLIMIT_NOFILE, NULL, &before), 0);
    none.rlim_max = before.rlim_max;
    ck_assert_int_eq(prlimit(live.process.pid, RLIMIT_NOFILE, &none, NULL), 0);
    for (int i = 0; i < CROWD; i++)
        clients[i] = start_client(&live, NULL, 0, "--timeout", "60", "send_msg", "room?", NULL);
    int64_t until = sam_now() + SAM_SECOND;
    while (nap_until(until))
        continue;
    int waiting = 0;
    for (int i = 0; i < CROWD; i++)
        waiting += !has_ended(&clients[i]);
    ck_assert_int_eq(waiting, CROWD);
    ck_assert_int_eq(prlimit(live.process.pid, RLIMIT_NOFILE, &before, NULL), 0);
    for (int i = 0; i < CROWD; i++) {
        struct run_result result = finish(&clients[i]);
        assert_code(&result, SAM_EXIT_OK);
        run_result_free(&result);
    }
    stop_live();
    fprintf(stderr,
            "torture: faults: a server without descriptors for a second: %d of %d waited, "
            "all were served\n",
            waiting, CROWD);
}
END_TEST
#endif

TCase *descriptor_faults(void) {
    TCase *tests = tcase_create("descriptors");
    tcase_add_loop_test(tests, a_program_with_few_descriptors_says_so, 0, 7);
#if defined(__linux__)
    tcase_add_test(tests, a_server_out_of_descriptors_serves_again);
#endif
    return tests;
}
