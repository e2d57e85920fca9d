/* A crowd that takes all places there are: it is not promised that others get one at once, but that
 * none is kept beyond its deadline. */
#include <stdio.h>

#include "crowd.h"
#include "scale.h"

enum {
    PLACES = 60,
    WAVES = 3, /* so many times as there are places want one at any moment */
    SECONDS = SANITIZED ? 4 : 2,
    MORE_WAVES = 6,                      /* of them, one after the other */
    LONGEST_WAIT = (WAVES + 2) * SECONDS /* the last in the queue, and a wave to spare */
};

static struct crowd crowd;

START_TEST(who_waits_for_a_place_gets_one_when_deadlines_free_them) {
    struct server_process server;
    int64_t waited = 0;
    size_t messages = 0;
    allow_descriptors(PLACES * WAVES + 200);
    start_server(&server, modes[1], lab, "--quiet", "--max-clients", "60", "--timeout",
                 SANITIZED ? "4" : "2", NULL);
    struct calm before = calm_of(&server);
    crowd = (struct crowd){.server = &server, .at_once = (size_t)PLACES * WAVES};
    crowd.in_all = PLACES * (WAVES + torture_scale(MORE_WAVES));
    crowd.kinds = DRIPPING + 1;
    crowd_start(&crowd);
    while (!atomic_load(&crowd.over)) {
        struct peer bob;
        int64_t started = sam_now();
        begin_talk(&bob, 1, &server, "bob");
        say(&bob, "I have waited");
        peer_close(&bob);
        int64_t took = sam_now() - started;
        waited = took > waited ? took : waited;
        messages++;
    }
    crowd_end(&crowd);
    fprintf(stderr,
            "torture: crowd: all %d places wanted by %zu, kept %d s each: an honest "
            "client\ntorture: crowd: waits %.1f s at most for its place, and loses 0 of %zu "
            "messages\n",
            PLACES, crowd.at_once, SECONDS, (double)waited / SAM_SECOND, messages);
    ck_assert_int_gt(waited, SECONDS * SAM_SECOND / 2); /* or there was no crowd */
    ck_assert_int_le(waited, LONGEST_WAIT * SAM_SECOND + SANITIZED * PATIENT);
    assert_calm_again(&server, &before, PLACES);
    stop_server_well(&server);
}
END_TEST

TCase *crowd_places_case(void) {
    TCase *places = tcase_create("places");
    tcase_set_timeout(places, TEST_SECONDS);
    tcase_add_unchecked_fixture(places, make_chat_lab, remove_lab);
    tcase_add_test(places, who_waits_for_a_place_gets_one_when_deadlines_free_them);
    return places;
}
