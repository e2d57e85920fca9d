/* Lab 06, for grade.c: orders to try, and what goes into the student's functions and comes out of
 * them. */
#ifndef BYTES_NOT_STRINGS_GRADE_BOXES_H
#define BYTES_NOT_STRINGS_GRADE_BOXES_H

#include <signal.h>

#include "bytes_not_strings.h"

enum {
    PACKED_MAX = 4096, /* orders at a time */
    STREAM_MAX = 64,   /* bytes of a message */
    GARBAGE = 0xa5     /* what stood in memory before */
};

/* Below limit, random. */
size_t below(size_t limit);

/* length bytes, of an alphabet unless it is NULL, and garbage behind them. */
struct field random_field(size_t length, const char *alphabet, size_t size);

struct order payment(const char *note);

/* What came back from a student: its lengths may be any. */
bool same_order(const struct order *a, const struct order *b);
bool order_fits(const struct order *order);

/* For a person; good until the next call. */
const char *text_of(const struct order *order);

/* -1 when it is none of 1 to 9 digits. */
long number_of(const struct field *field);

/* Where memory ends that a box shares: who touches a byte more crashes. */
uint8_t *guarded_end(void);

/* What boxes do, and what they share with the judge. */
void call_inject(void *attack);
void call_collide(void *attack);
void call_encode(void *packing);
void call_decode(void *packing);
void call_read_full(void *reading);

struct attack {
    char amount[8];
    size_t length;
    char note[FIELD_MAX + 1];
    struct order order, other;
};

/* An order and its bytes. */
struct packed {
    struct order order, decoded;
    enum sam_status status;
    size_t length;
    uint8_t bytes[ENCODED_MAX + 1];
};

struct packing {
    uint8_t *end; /* of memory that may be used */
    size_t count;
    struct packed packed[PACKED_MAX];
};

/* Two messages, one after the other, from one socket. */
struct reading {
    int fd;
    volatile sig_atomic_t signals; /* that came */
    uint8_t *end;                  /* of memory that may be used */
    size_t length[2];
    enum sam_status status[2];
    uint8_t message[2][STREAM_MAX];
};

#endif
