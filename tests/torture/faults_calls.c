/* Every call of the system that a program makes is interrupted, cut short, or fails, in turn. What
 * is interrupted or short has no effect at all. */
#include "faults.h"

static const struct {
    const char *function, *action;
    bool harmless;
} orders[] = {
    {"read", "short", true},
    {"read", "EINTR", true},
    {"read", "EIO", false},
    {"write", "short", true},
    {"write", "EINTR", true},
    {"write", "ENOSPC", false},
    {"write", "EIO", false},
    {"recv", "short", true},
    {"recv", "EINTR", true},
    {"recv", "EIO", false},
    {"recv", "ECONNRESET", false},
    {"send", "short", true},
    {"send", "EINTR", true},
    {"send", "EIO", false},
    {"send", "EPIPE", false},
    {"poll", "EINTR", true},
    {"poll", "ENOMEM", false},
    {"socket", "EMFILE", false},
    {"connect", "EIO", false},
    {"open", "EMFILE", false},
    {"open", "EACCES", false},
    {"close", "EIO", false},
    {"fsync", "EIO", false},
    {"fsync", "ENOSPC", false},
    {"rename", "EIO", false},
    {"link", "EIO", false},
    {"fstat", "EIO", false},
    {"opendir", "EMFILE", false},
    {"readdir", "EIO", false},
    {"pipe", "EMFILE", false},
    {"pthread_create", "EAGAIN", false},
};

static void fail_each(const struct subject *subject) {
    struct outcomes harmless = {0}, failing = {0};
    for (int i = 0; i < COUNT(orders); i++) {
        struct outcomes *outcomes = orders[i].harmless ? &harmless : &failing;
        unsigned long calls = count_calls(subject, orders[i].function);
        try_calls(subject, orders[i].function, orders[i].action, calls, torture_scale(100),
                  outcomes);
        if (orders[i].harmless && calls > 0)
            try_calls(subject, orders[i].function,
                      strcmp(orders[i].action, "short") == 0 ? "short+" : "EINTR", 1, 1, outcomes);
    }
    if (harmless.told > 0)
        fprintf(stderr, "%s: what is interrupted or short must not matter\n", subject->name);
    harmless.wrong += harmless.told;
    tell_outcomes(&harmless, "%s: each call interrupted or cut short", subject->name);
    tell_outcomes(&failing, "%s: each call failing", subject->name);
}

START_TEST(a_call_that_fails_is_told) {
    static const struct subject *const alone[] = {&sam_seals,   &sam_opens,       &sam_inspects,
                                                  &key_is_made, &key_is_replaced, &server_starts};
    if (have_shim())
        fail_each(alone[_i]);
}
END_TEST

START_TEST(a_call_of_a_client_that_fails_is_told) {
    static const struct subject *const clients[] = {&client_sends, &client_receives, &client_saves};
    if (!have_shim())
        return;
    start_live(false);
    fail_each(clients[_i]);
    stop_live();
}
END_TEST

TCase *call_faults(void) {
    TCase *tests = tcase_create("calls");
    tcase_add_loop_test(tests, a_call_that_fails_is_told, 0, 6);
    tcase_add_loop_test(tests, a_call_of_a_client_that_fails_is_told, 0, 3);
    return tests;
}
