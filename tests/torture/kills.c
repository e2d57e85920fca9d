/* SIGKILL, which nobody can prepare for: what is left is whole, the other side goes on or says what
 * is not known, and the next run works. */
#include "kills.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "chatting.h"
#include "suites.h"

enum { LOOK_NS = 20000 };

struct toll *toll;
static uint64_t chance;

/* Unchecked, so in the process that all tests come from. */
static void open_toll(void) {
    toll = shared_memory(sizeof *toll);
    chance = chance_seed();
    make_chat_lab();
    fprintf(stderr, "torture: kills: seed %llu\n", (unsigned long long)chance);
}

static void tell_toll(void) {
    if (toll->passed < KILL_TESTS)
        fprintf(stderr, "torture: kills: %d tests of %d passed\n", (int)toll->passed, KILL_TESTS);
    else
        fprintf(
            stderr,
            "torture: kills: %zu processes killed at random instants (%zu clients, %zu writers of\n"
            "torture: kills: files, %zu servers; %zu more had ended before), %zu files checked,\n"
            "torture: kills: all whole; %zu temporary ones lie about; every next run worked\n",
            toll->clients + toll->writers + toll->servers, toll->clients, toll->writers,
            toll->servers, toll->ended, toll->files, toll->left);
    munmap(toll, sizeof *toll);
    remove_lab();
}

int64_t random_time(int64_t limit) {
    return limit > 0 ? (int64_t)chance_below(&chance, (size_t)limit) : 0;
}

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
}

/* Exactly, as far as the system lets us. */
static void wait_until(int64_t instant) {
    while (sam_now() < instant)
        if (instant - sam_now() > 1000)
            nap();
}

/* Waits until the folder has another file or the process has ended: when that was. */
static int64_t await_file(const struct process *process, const char *folder, size_t entries) {
    int64_t deadline = sam_now() + PATIENT;
    while (count_entries(folder) == entries && !has_ended(process))
        ck_assert_msg(sam_now() < deadline, "nothing comes into %s", folder);
    return sam_now();
}

struct life measure_life(struct process *process, const char *folder, size_t entries) {
    int64_t started = sam_now(), deadline = started + PATIENT;
    int64_t seen = folder != NULL ? await_file(process, folder, entries) : started;
    while (!has_ended(process) && sam_now() < deadline)
        nap();
    int64_t ended = sam_now();
    struct run_result result = finish(process);
    assert_code(&result, 0);
    run_result_free(&result);
    return (struct life){ended - started, ended - seen};
}

struct run_result kill_in_life(struct process *process, const struct life *life, const char *folder,
                               size_t entries) {
    int64_t instant = sam_now() + random_time(life->whole);
    if (folder != NULL)
        instant = await_file(process, folder, entries) + random_time(life->writing);
    wait_until(instant);
    ck_assert_int_eq(kill(process->pid, SIGKILL), 0); /* it is not reaped yet */
    return finish(process);
}

bool was_killed(const struct run_result *result, size_t *killed) {
    bool is_killed = result->code == 128 + SIGKILL;
    ++*(is_killed ? killed : &toll->ended);
    return is_killed;
}

Suite *kills_suite(void) {
    Suite *suite = suite_create("kills");
    TCase *kills = tcase_create("kills");
    suite_add_tcase(suite, kills);
    tcase_set_timeout(kills, TEST_SECONDS);
    tcase_add_unchecked_fixture(kills, open_toll, tell_toll);
    add_kills_of_writers(kills);
    add_kills_of_peers(kills);
    return suite;
}
