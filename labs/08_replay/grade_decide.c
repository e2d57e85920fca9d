/* Lab 08: what the judge asks decide(). */
#include "box.h"
#include "grade_scenes.h"
#include "grader.h"

/* How an attempt of Alice's client ends. */
static const struct fate {
    const char *what;
    bool left;
    enum sam_status answer;
} fates[] = {
    {"Nobody listens", false, SAM_CONNECT},
    {"The server is full, and says so", false, SAM_REJECTED},
    {"The order is lost on its way", true, SAM_TIMEOUT},
    {"Bob carries the order out; the receipt is lost", true, SAM_TIMEOUT},
    {"Bob carries the order out; Mallory closes", true, SAM_CLOSED},
    {"Bob carries the order out; Mallory rejects it", true, SAM_REJECTED},
    {"Bob carries the order out; an older receipt comes", true, SAM_STALE},
    {"Bob carries the order out; a forged receipt comes", true, SAM_SIGNATURE},
    {"Bob carries the order out; the receipt comes", true, SAM_OK},
};
static const char *const next_names[] = {"SEND_AGAIN", "STOP_AND_TELL", "DONE"};
enum { FATES = sizeof fates / sizeof fates[0] };

/* What goes into decide() and comes out of it. */
struct deciding {
    bool left;
    enum sam_status answer;
    enum next next;
};

static void call_decide(void *shared) {
    struct deciding *deciding = shared;
    deciding->next = STUDENT(decide)(deciding->left, deciding->answer);
}

static void expect_next(const char *what, bool left, enum sam_status answer) {
    enum next wanted = answer == SAM_OK ? DONE : left ? STOP_AND_TELL : SEND_AGAIN;
    struct deciding *deciding = box_shared(sizeof *deciding);
    *deciding = (struct deciding){left, answer, (enum next)(DONE + 1)};
    box_call("decide", call_decide, deciding);
    enum next next = deciding->next;
    const char *said = (unsigned)next <= DONE ? next_names[next] : "none of the three";
    if (what == NULL && next == wanted)
        return; /* there are a hundred */
    tell("%s. The client knows: %s, %s. Your decide() says %s.",
         what != NULL ? what : "Something else happens", left ? "it has left" : "nothing has left",
         sam_status_name(answer), said);
    if (next == SEND_AGAIN && left)
        tell("A second one goes out, as fresh as the first. Bob carries out what he gets.");
    if (next != wanted)
        lose(next_names[wanted], "%s", said);
}

void replay_decide_sends_once(void) {
    for (const struct fate *fate = fates; fate < fates + FATES; fate++)
        expect_next(fate->what, fate->left, fate->answer);
    for (int answer = SAM_OK + 1; answer < SAM_STATUS_COUNT; answer++) {
        expect_next(NULL, false, (enum sam_status)answer);
        expect_next(NULL, true, (enum sam_status)answer);
    }
}
