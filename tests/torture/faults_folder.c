/* The folder of keys changes while it is read, at every call that reads it. Whoever changes it may
 * get a program to take the old key or the new, or to fail: never both, never to wait. */
#include "faults.h"

#include <stdlib.h>
#include <sys/stat.h>

/* Each is run in the folder; ../spare has another pair. */
static const char *const changes[] = {
    "rm server.public.pem",
    "rm client.private.pem server.private.pem",
    "mv server.public.pem other.public.pem",
    "cp client.public.pem server.public.pem",
    ": > server.public.pem",
    "printf nonsense > zoe.public.pem",
    "cp ../spare.public.pem zoe.public.pem",
    "for i in 1 2 3 4 5 6 7 8 9; do cp ../spare.public.pem $i.public.pem; done",
    "rm *.private.pem; mkfifo -m 600 client.private.pem server.private.pem server.pem",
    "rm server.public.pem; mkfifo server.public.pem zoe.public.pem",
    "rm *.private.pem; mkdir client.private.pem server.private.pem",
    "rm server.public.pem; ln -s a server.public.pem; ln -s server.public.pem a",
    "rm client.private.pem; ln -s /dev/zero client.private.pem",
    "rm client.public.pem; ln -s /dev/zero client.public.pem",
    "cat server.public.pem client.public.pem > both; mv both server.public.pem",
    "head -c 200 server.public.pem > half; mv half server.public.pem",
    "chmod 644 *.private.pem",
    "cp ../spare.private.pem client.private.pem; cp ../spare.public.pem client.public.pem",
    "cp ../spare.private.pem server.private.pem; cp ../spare.public.pem server.public.pem",
    "head -c 1000000 /dev/zero > server.public.pem",
    "rm *",
    "mv ../keys ../gone; mkdir ../keys",
    "rm -r ../keys",
};

enum { MOST_INSTANTS = 5 }; /* of each function */

static const struct subject *changed;

static void prepare_folder(const char *words[FAULT_WORDS], unsigned number) {
    const char *const clear[] = {"rm", "-rf", keys, in_place("gone"), NULL};
    struct run_result result = run(clear, NULL, 0);
    assert_code(&result, 0);
    run_result_free(&result);
    ck_assert_int_eq(mkdir(keys, 0700), 0);
    give_pair(keys, "bob", "server");
    give_pair(keys, "alice", "client");
    changed->prepare(words, number);
}

static void change_at_each(const struct subject *subject) {
    static const char *const functions[] = {"open", "opendir", "readdir", "fstat", "read"};
    char command[PATH_MAX + 256];
    struct outcomes outcomes = {0};
    struct subject prepared = *subject;
    unsigned long instants = 0, most = torture_scale(MOST_INSTANTS);
    changed = subject;
    prepared.prepare = prepare_folder;
    give_pair(place, "carol", "spare");
    for (int f = 0; f < COUNT(functions); f++) {
        unsigned long calls = count_calls(&prepared, functions[f]);
        instants += calls < most ? calls : most;
        for (int i = 0; i < COUNT(changes); i++) {
            snprintf(command, sizeof command, "cd '%s' && { %s; }", keys, changes[i]);
            setenv("SAM_FAULT_RUN", command, 1);
            try_calls(&prepared, functions[f], "run", calls, most, &outcomes);
        }
    }
    unsetenv("SAM_FAULT_RUN");
    tell_outcomes(&outcomes, "%s, its keys changed in %d ways at %lu instants", subject->name,
                  COUNT(changes), instants);
}

START_TEST(keys_that_change_while_they_are_read_do_no_harm) {
    static const struct subject *const readers[] = {&sam_opens, &server_starts, &client_sends};
    if (!have_shim())
        return;
    bool talks = readers[_i] == &client_sends;
    if (talks)
        start_live(false);
    change_at_each(readers[_i]);
    if (talks)
        stop_live();
}
END_TEST

TCase *folder_faults(void) {
    TCase *tests = tcase_create("folder");
    tcase_add_loop_test(tests, keys_that_change_while_they_are_read_do_no_harm, 0, 3);
    return tests;
}
