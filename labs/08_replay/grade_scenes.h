/* Lab 08: what the judge plays to fresh() and take(), and what they should say. */
#ifndef SCENES_H
#define SCENES_H

#include "../tests/support.h"
#include "replay.h"

enum { STEPS = 4 };

/* What comes on one connection: who and in which place after start, then perhaps marks. */
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
    {"Bob does not trust himself", 0, false, {{"B0", SAM_STRANGER}, {"A0", SAM_OK}}},
    {"one is stale, and altered too", 0, false, {{"A0*!", SAM_STALE}, {"A0", SAM_OK}}},
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

/* The check of decide(). */
void replay_decide_sends_once(void);

#endif
