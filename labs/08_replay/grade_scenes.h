/* Lab 08: what the judge plays to fresh(), take() and decide(), and what they should say. */
#ifndef SCENES_H
#define SCENES_H

#include "../tests/support.h"
#include "replay.h"

enum { STEPS = 4 };

/* What comes on one connection: who and in which place after start, then perhaps a mark. */
static const struct scene {
    const char *story;
    uint32_t start; /* so many of Alice's were carried out before */
    bool zeros;     /* the challenge */
    struct {
        const char *what;
        enum sam_status wanted;
    } steps[STEPS]; /* up to NULL */
} scenes[] = {
    {"all in their places", 0, false, {{"A0", SAM_OK}, {"A1", SAM_OK}, {"A2", SAM_OK}}},
    {"another client's", 0, false, {{"C0", SAM_OK}, {"C1", SAM_OK}}},
    {"each comes twice",
     0,
     false,
     {{"A0", SAM_OK}, {"A0=", SAM_ORDER}, {"A1", SAM_OK}, {"A1=", SAM_ORDER}}},
    {"two change places", 0, false, {{"A1", SAM_ORDER}, {"A0", SAM_OK}, {"A1", SAM_OK}}},
    {"some of another connection",
     0,
     false,
     {{"A0*", SAM_STALE}, {"A0", SAM_OK}, {"A1*", SAM_STALE}, {"A1", SAM_OK}}},
    {"one is too far on", 70000, false, {{"A0~", SAM_ORDER}, {"A0", SAM_OK}, {"A1", SAM_OK}}},
    {"others go on",
     0,
     false,
     {{"A0", SAM_OK}, {"M1", SAM_OTHER_SENDER}, {"A1", SAM_OK}, {"C2", SAM_OTHER_SENDER}}},
    {"wrong in more than one way",
     7,
     false,
     {{"M2*", SAM_STALE}, {"M2", SAM_ORDER}, {"A0", SAM_OK}}},
    {"some are altered",
     0,
     false,
     {{"C0!", SAM_DECRYPT}, {"A0", SAM_OK}, {"A1!", SAM_DECRYPT}, {"A1", SAM_OK}}},
    {"the last places",
     UINT32_MAX - 1,
     false,
     {{"A0", SAM_OK}, {"A1", SAM_LAST_SEQUENCE}, {"A2", SAM_LAST_SEQUENCE}}},
    {"the challenge is zeros", 0, true, {{"A0", SAM_CHALLENGE}}},
};
enum { SCENES = sizeof scenes / sizeof scenes[0] };

/* The marks, by their character. */
static const char *const marks[] = {['='] = ", the same bytes again",
                                    ['*'] = ", sealed for another connection",
                                    ['~'] = " (65536 too far)",
                                    ['!'] = ", one bit turned over",
                                    ['\0'] = ""};

/* How an attempt of Alice's client ends, and what it should do next. */
static const struct fate {
    const char *what;
    bool left;
    enum sam_status answer;
    enum next next;
} fates[] = {
    {"Nobody listens", false, SAM_CONNECT, SEND_AGAIN},
    {"The server is full, and says so", false, SAM_REJECTED, SEND_AGAIN},
    {"The order is lost on its way", true, SAM_TIMEOUT, STOP_AND_TELL},
    {"Bob carries the order out; the receipt is lost", true, SAM_TIMEOUT, STOP_AND_TELL},
    {"Bob carries the order out; Mallory closes", true, SAM_CLOSED, STOP_AND_TELL},
    {"Bob carries the order out; Mallory rejects it", true, SAM_REJECTED, STOP_AND_TELL},
    {"Bob carries the order out; an older receipt comes", true, SAM_STALE, STOP_AND_TELL},
    {"Bob carries the order out; a forged receipt comes", true, SAM_SIGNATURE, STOP_AND_TELL},
    {"Bob carries the order out; the receipt comes", true, SAM_OK, DONE},
};
static const char *const next_names[] = {"SEND_AGAIN", "STOP_AND_TELL", "DONE"};
enum { FATES = sizeof fates / sizeof fates[0] };

#endif
