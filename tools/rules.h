/* What the wiretap does to what passes, as its options say it. */
#ifndef SAM_TOOLS_RULES_H
#define SAM_TOOLS_RULES_H

#include "sam.h"

/* A change of bytes: --flip FIELD[:BIT] or --set FIELD=HEX. FIELD is a name as sam_anatomy_find
 * takes it, or an offset from the start of the unit. */
struct sam_edit {
    char field[32]; /* the name; "" for an offset */
    size_t offset;
    bool flips;
    uint32_t bit; /* to turn over: of a field counted from its last byte's lowest */
    uint8_t value[SAM_HEADER_SIZE]; /* to put there */
    size_t value_size;
};

/* Reads one from the command line. False when it is none: a name that no unit has, a bit that a
 * named field does not have, a value of another size than a field of the header, or no hex. */
bool sam_edit_parse(struct sam_edit *edit, bool flips, const char *text);

/* Changes a unit and tells in one line, without its end, what was done, or why nothing was. True
 * when it was changed. */
bool sam_edit_apply(const struct sam_edit *edit, uint8_t *bytes, size_t length, FILE *told);

enum { SAM_EDITS_MAX = 2 * SAM_TEXTS_MAX };

/* All that is asked of the wiretap. Numbers count the units of the attacked side on one connection:
 * a client's first is 1, a server's greeting is 0 and its first answer 1. */
struct sam_plan {
    unsigned side;     /* whose units are attacked: 0 the client's, 1 the server's */
    uint32_t envelope; /* number of the one that edits, truncate and delay are for */
    struct sam_edit edits[SAM_EDITS_MAX];
    size_t edit_count;
    uint32_t truncate, delay;          /* 0: not asked for */
    uint32_t drop, replay, replay_new; /* numbers, 0: not asked for */
    uint32_t swap[2];                  /* the lower number first */
};

/* Makes the plan of the options. False, with a complaint, when a rule is none, or when two want
 * different things of one unit. */
bool sam_plan_read(struct sam_plan *plan, const struct sam_tool_options *options);

/* What is done to a unit, in this order; bits of a set. */
enum {
    SAM_CHANGE = 1,      /* its bytes, by the edits */
    SAM_DELAY = 2,       /* before it is passed on */
    SAM_DROP = 4,        /* instead of passing it on */
    SAM_HOLD = 8,        /* until another has overtaken it, or its stream ends */
    SAM_TRUNCATE = 16,   /* pass on its first bytes and end the stream */
    SAM_REPLAY = 32,     /* pass it on twice */
    SAM_RELEASE = 64,    /* what was held follows it */
    SAM_REPLAY_NEW = 128 /* send it again on a new connection */
};

/* What the plan does to unit number of side; 0: nothing. */
unsigned sam_plan_actions(const struct sam_plan *plan, unsigned side, uint32_t number);

#endif
