#include "grade_boxes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/support.h"
#include "box.h"

enum { MEMORY = 4096 }; /* bytes before one that nobody may touch */

size_t below(size_t limit) {
    uint8_t random[4];
    ck_status(sam_random(random, sizeof random), SAM_OK);
    return sam_get32(random) % limit;
}

struct field random_field(size_t length, const char *alphabet, size_t size) {
    struct field field = {.length = length};
    ck_status(sam_random(field.bytes, sizeof field.bytes), SAM_OK);
    for (size_t i = 0; i < length && alphabet != NULL; i++)
        field.bytes[i] = (uint8_t)alphabet[field.bytes[i] % size];
    return field;
}

struct order payment(const char *note) {
    struct order order = {{random_field(4 + below(4), "123456789", 9),
                           random_field(4, "123456789", 9),
                           {.length = strlen(note)}}};
    order.part[ORDER_AMOUNT].bytes[0] = '0';
    memcpy(order.part[ORDER_NOTE].bytes, note, strlen(note));
    return order;
}

bool same_order(const struct order *a, const struct order *b) {
    bool same = true;
    for (size_t i = 0; i < ORDER_PARTS; i++)
        same = same && a->part[i].length == b->part[i].length &&
               memcmp(a->part[i].bytes, b->part[i].bytes, a->part[i].length) == 0;
    return same;
}

bool order_fits(const struct order *order) {
    bool fits = true;
    for (size_t i = 0; i < ORDER_PARTS; i++)
        fits = fits && order->part[i].length <= FIELD_MAX;
    return fits;
}

const char *text_of(const struct order *order) {
    static char text[1024];
    FILE *stream = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(stream);
    for (size_t i = 0; i < ORDER_PARTS; i++) {
        size_t length = order->part[i].length;
        fputs(i > 0 ? ", \"" : "\"", stream);
        sam_show_text(stream, order->part[i].bytes, length < FIELD_MAX ? length : FIELD_MAX, 24);
        fputs(length > FIELD_MAX ? "\" and more" : "\"", stream);
    }
    fclose(stream);
    return text;
}

long number_of(const struct field *field) {
    char text[11] = "";
    if (field->length > 0 && field->length < sizeof text - 1)
        memcpy(text, field->bytes, field->length);
    return text[0] != '\0' && strspn(text, "0123456789") == field->length ? atol(text) : -1;
}

void call_inject(void *shared) {
    struct attack *attack = shared;
    attack->length = STUDENT(inject)(attack->note, FIELD_MAX, attack->amount);
}

void call_collide(void *shared) {
    struct attack *attack = shared;
    STUDENT(collide)(&attack->other, &attack->order);
}

void call_encode(void *shared) {
    struct packing *all = shared;
    for (struct packed *one = all->packed; one < all->packed + all->count; one++) {
        one->length = STUDENT(encode)(all->end - ENCODED_MAX, &one->order);
        memcpy(one->bytes, all->end - ENCODED_MAX, ENCODED_MAX);
    }
}

void call_decode(void *shared) {
    struct packing *all = shared;
    for (struct packed *one = all->packed; one < all->packed + all->count; one++) {
        memcpy(all->end - one->length, one->bytes, one->length);
        memset(&one->decoded, GARBAGE, sizeof one->decoded);
        one->status = STUDENT(decode)(&one->decoded, all->end - one->length, one->length);
    }
}

static struct reading *my_reading; /* in the box */

static void count_signal(int number) {
    (void)number;
    my_reading->signals++;
}

void call_read_full(void *shared) {
    struct sigaction action = {.sa_handler = count_signal}; /* no SA_RESTART */
    my_reading = shared;
    sigaction(SIGUSR1, &action, NULL);
    for (size_t i = 0; i < 2; i++) {
        size_t length = my_reading->length[i];
        uint8_t *message = my_reading->end - length;
        memset(message, GARBAGE, length);
        my_reading->status[i] = STUDENT(read_full)(my_reading->fd, message, length);
        memcpy(my_reading->message[i], message, length);
    }
}

uint8_t *guarded_end(void) {
    return (uint8_t *)box_shared(MEMORY) + MEMORY;
}
