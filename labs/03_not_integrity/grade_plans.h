/* Lab 03: which orders the judge has patched. */
#ifndef NOT_INTEGRITY_GRADE_PLANS_H
#define NOT_INTEGRITY_GRADE_PLANS_H

enum { ORDER_MAX = 64 };

/* What Mallory knows of an order, and what she wants of it. The judge draws a digit for each # and
 * each ?: she knows those of #, and wants others. */
static const struct plan {
    const char *known, *wanted;
} plans[] = {
    {"PAY BOB 0100", "PAY BOB 9100"},
    {"PAY BOB #???", "PAY BOB #???"},
    {"PAY BOB 0#00", "PAY EVE 0#00"},
    {"FROM ACCOUNT ???? TO #### PAY 0##?", "FROM ACCOUNT ???? TO #### PAY 9##?"},
};
enum { PLANS = sizeof plans / sizeof plans[0] };

/* One order: what Alice writes, what Mallory knows and wants, what Bob should read in the end. */
struct order {
    char written[ORDER_MAX], known[ORDER_MAX], wanted[ORDER_MAX], read[ORDER_MAX];
};

#endif
