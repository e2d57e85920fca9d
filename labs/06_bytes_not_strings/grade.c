/* Lab 06: Bytes, not strings. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "grade_boxes.h"
#include "real.h"

#define HONEST_ORDER "PAY CAROL 0100"
#define APOSTROPHE "it's late"
#define QUOTES "to='BOB' \"it's\" = ''"

enum {
    LONG = 200,  /* random orders */
    SHORT = 600, /* so short that many of them are joined to the same bytes */
    FEW = 4
};

static void alice_signs(uint8_t *signature, const void *bytes, size_t length) {
    ck_status(sam_pss_sign(people.crypto, people.alice.rsa, signature, bytes, length, NULL, 0),
              SAM_OK);
}

static enum sam_status bob_verifies(const uint8_t *signature, const void *bytes, size_t length) {
    return sam_pss_verify(people.crypto, people.alice.rsa, signature, bytes, length, NULL, 0);
}

/* What Bob reads in the text that Alice signed. */
static struct order travels_as_text(const struct order *order) {
    uint8_t signature[SAM_RSA_SIZE_MAX];
    struct order read;
    char text[TEXT_MAX];
    bytes_not_strings_write(text, order);
    alice_signs(signature, text, strlen(text));
    tell("Alice signs and sends: %s", text);
    ck_status(bob_verifies(signature, text, strlen(text)), SAM_OK);
    if (!bytes_not_strings_read(&read, text))
        lose("a text that Bob can read", "one that he cannot: the order is lost");
    tell("Her signature of this text verifies, and Bob reads %s.", text_of(&read));
    return read;
}

static void honest_orders_arrive(void) {
    int ends[2];
    uint8_t signature[SAM_RSA_SIZE_MAX], got[sizeof HONEST_ORDER];
    struct order order = payment("rent"), read = travels_as_text(&order);
    if (!same_order(&read, &order))
        lose("the order that she signed", "%s", text_of(&read));
    ck_status(bytes_not_strings_sign(people.crypto, people.alice.rsa, signature, &order), SAM_OK);
    ck_status(bytes_not_strings_verify(people.crypto, people.alice.rsa, signature, &order), SAM_OK);
    socket_pair(ends);
    write_raw(ends[0], HONEST_ORDER, sizeof got);
    ck_status(bytes_not_strings_receive(ends[1], got, sizeof got), SAM_OK);
    ck_assert_mem_eq(got, HONEST_ORDER, sizeof got);
    close(ends[0]);
    close(ends[1]);
    struct server_process server = real_start(&sam_mode_asymmetric_only, HONEST_ORDER);
    real_stop(&server, HONEST_ORDER "\n");
}

/* What inject() and collide() were given and made last. */
static struct attack *attack;

static void notes_win(void) {
    attack = box_shared(sizeof *attack);
    for (int round = 0; round < 3; round++) {
        size_t wanted = 1000 + below(9000);
        snprintf(attack->amount, sizeof attack->amount, "%zu", wanted);
        box_call("inject", call_inject, attack);
        if (attack->length == 0 || attack->length > FIELD_MAX)
            lose("a note", "one of %zu bytes", attack->length);
        attack->note[attack->length] = '\0';
        for (size_t i = 0; i < attack->length; i++)
            if (attack->note[i] < ' ' || attack->note[i] > '~')
                lose("printable ASCII", "byte %d in the note", attack->note[i]);
        struct order order = payment(attack->note);
        tell("Alice enters %s. The amount is to become %zu.", text_of(&order), wanted);
        struct order read = travels_as_text(&order);
        if (number_of(&read.part[ORDER_AMOUNT]) != (long)wanted)
            lose("that amount", "%s", text_of(&read));
    }
}

static void collisions_win(void) {
    uint8_t signature[SAM_RSA_SIZE_MAX];
    attack = box_shared(sizeof *attack);
    for (int round = 0; round < 5; round++) {
        struct order order = payment(round > 0 ? "rent" : "2 lamps"), *other = &attack->other;
        attack->order = order;
        tell("Alice signs %s.", text_of(&order));
        ck_status(bytes_not_strings_sign(people.crypto, people.alice.rsa, signature, &order),
                  SAM_OK);
        box_call("collide", call_collide, attack);
        tell("collide() makes %s of it.", text_of(other));
        if (!order_fits(other))
            lose("fields of at most FIELD_MAX bytes", "%s", text_of(other));
        enum sam_status status =
            bytes_not_strings_verify(people.crypto, people.alice.rsa, signature, other);
        if (status != SAM_OK)
            lose("Alice's signature to verify", "%s", sam_status_name(status));
        if (number_of(&other->part[ORDER_TO]) < 0 ||
            number_of(&other->part[ORDER_AMOUNT]) <= number_of(&order.part[ORDER_AMOUNT]))
            lose("an account and a higher amount", "%s", text_of(other));
    }
}

/* The mended encoding. */

static struct packed *add(struct packing *all) {
    ck_assert_uint_lt(all->count, PACKED_MAX);
    return &all->packed[all->count++];
}

static struct packing *new_packing(void) {
    struct packing *all = box_shared(sizeof *all);
    all->end = guarded_end();
    return all;
}

static void encode_all(struct packing *all) {
    box_call("encode", call_encode, all);
    for (struct packed *one = all->packed; one < all->packed + all->count; one++)
        if (one->length == 0 || one->length > ENCODED_MAX)
            lose("1 to ENCODED_MAX bytes", "%zu for %s", one->length, text_of(&one->order));
}

/* An empty order, a full one, and others. */
static struct packing *encoded(size_t any, size_t tiny) {
    struct packing *all = new_packing();
    for (size_t i = 0; i < any + tiny; i++) {
        struct packed *one = add(all);
        for (size_t k = 0; k < ORDER_PARTS; k++)
            one->order.part[k] =
                i >= any ? random_field(below(3), "'\0 =", 4)
                         : random_field(i < 2 ? i * FIELD_MAX : below(FIELD_MAX + 1), NULL, 0);
    }
    tell("encode() gets %zu orders: any bytes, and any lengths up to FIELD_MAX.", all->count);
    encode_all(all);
    return all;
}

static void encodings_are_of_one_order(void) {
    uint8_t signature[SAM_RSA_SIZE_MAX];
    struct packing *all = encoded(LONG, SHORT);
    struct packed *last = all->packed + all->count - 1;
    for (struct packed *a = all->packed; a <= last; a++)
        for (struct packed *b = all->packed; b < a; b++) {
            bool same = a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
            if (same == same_order(&a->order, &b->order))
                continue;
            tell("One of them is %s.", text_of(&a->order));
            lose(same ? "other bytes for another order" : "the same bytes for the same order",
                 "%s for %s", same ? "the same" : "others", text_of(&b->order));
        }
    tell("Alice signs the last of the encodings, %s.", text_of(&last->order));
    alice_signs(signature, last->bytes, last->length);
    for (struct packed *a = all->packed; a <= last; a++)
        if ((bob_verifies(signature, a->bytes, a->length) == SAM_OK) !=
            same_order(&a->order, &last->order))
            lose("it to verify for this order alone", "another: %s", text_of(&a->order));
}

static uint8_t *add_bytes(struct packing *all, const struct packed *from, size_t length) {
    struct packed *one = add(all);
    memcpy(one->bytes, from->bytes, from->length);
    one->length = length;
    return one->bytes;
}

static void orders_come_back(void) {
    struct packing *all = encoded(LONG, SHORT), *got = new_packing(); /* without the answers */
    for (const struct packed *one = all->packed; one < all->packed + all->count; one++)
        add_bytes(got, one, one->length);
    box_call("decode", call_decode, got);
    for (size_t i = 0; i < all->count; i++) {
        const struct packed *one = &got->packed[i];
        if (one->status == SAM_OK && same_order(&all->packed[i].order, &one->decoded))
            continue;
        tell("One of them is %s.", text_of(&all->packed[i].order));
        lose("decode() to give it back", "%s and %s", sam_status_name(one->status),
             text_of(&one->decoded));
    }
}

/* Ends the check unless none is decoded, and all with this status. */
static void expect_none_decoded(struct packing *all, const char *what, enum sam_status status) {
    tell("decode() gets %zu encodings %s; behind them is no memory.", all->count, what);
    box_call("decode", call_decode, all);
    for (struct packed *one = all->packed; one < all->packed + all->count; one++)
        if (one->status != status ||
            !sam_is_zero((const uint8_t *)&one->decoded, sizeof one->decoded))
            lose(sam_status_name(status), "%s and %s", sam_status_name(one->status),
                 text_of(&one->decoded));
}

/* Other bytes, and so other lengths, in every place of an encoding: what decode still takes must be
 * what encode makes of it again. */
static void expect_one_encoding(const struct packing *from) {
    struct packing *all = new_packing(), *again = new_packing();
    for (const struct packed *one = from->packed; one < from->packed + from->count; one++)
        for (size_t at = 0; at < one->length; at++) {
            for (size_t size = 1; size <= 4 && at + size <= one->length; size *= 2)
                memset(add_bytes(all, one, one->length) + at, 0xff, size);
            add_bytes(all, one, one->length + 1)[at]++;
        }
    tell("decode() gets %zu encodings with other bytes somewhere.", all->count);
    box_call("decode", call_decode, all);
    for (const struct packed *one = all->packed; one < all->packed + all->count; one++)
        if (one->status == SAM_OK && order_fits(&one->decoded))
            add(again)->order = one->decoded;
        else if (!sam_is_zero((const uint8_t *)&one->decoded, sizeof one->decoded))
            lose("an order that fits, or zeros", "%s and %s", sam_status_name(one->status),
                 text_of(&one->decoded));
    encode_all(again);
    const struct packed *next = again->packed;
    for (const struct packed *one = all->packed; one < all->packed + all->count; one++) {
        if (one->status != SAM_OK)
            continue;
        if (one->length != next->length || memcmp(one->bytes, next->bytes, one->length) != 0)
            lose("no order from bytes that encode() never makes", "%s", text_of(&one->decoded));
        next++;
    }
}

static void nothing_else_is_decoded(void) {
    orders_come_back();
    struct packing *few = encoded(FEW, 0), *cut = new_packing(), *longer = new_packing();
    for (const struct packed *one = few->packed; one < few->packed + few->count; one++) {
        for (size_t length = 0; length < one->length; length++)
            add_bytes(cut, one, length);
        add_bytes(longer, one, one->length + 1);
    }
    expect_none_decoded(cut, "without their last bytes", SAM_TRUNCATED);
    expect_none_decoded(longer, "with a byte more", SAM_LENGTH);
    expect_one_encoding(few);
}

/* The stream. */

/* Writes it in pieces of so many bytes, each when the one before has been taken; and now and then a
 * signal comes, while the box waits for more. */
static void feed(const struct box *box, const struct reading *reading, const int ends[2],
                 const uint8_t *bytes, size_t length, size_t piece) {
    const struct process process = {.pid = box->pid};
    for (size_t at = 0, size; at < length; at += size) {
        size = piece < length - at ? piece : length - at;
        write_raw(ends[0], bytes + at, size);
        bool waits = true;
        while (waits && readable_until(ends[1], sam_now()))
            waits = !has_ended(&process) && nap_until(box->deadline);
        sig_atomic_t before = reading->signals;
        if (at % 8 == 0 && kill(box->pid, SIGUSR1) != 0)
            return;
        while (waits && at % 8 == 0 && reading->signals == before)
            waits = !has_ended(&process) && nap_until(box->deadline);
    }
}

static void expect_read(const struct reading *reading, size_t i, enum sam_status status,
                        const uint8_t *bytes) {
    size_t length = reading->length[i];
    if (reading->status[i] != status)
        lose(sam_status_name(status), "%s for message %zu", sam_status_name(reading->status[i]),
             i + 1);
    if (status == SAM_OK && memcmp(reading->message[i], bytes, length) != 0)
        lose("the bytes that were sent", "others in message %zu", i + 1);
    if (status != SAM_OK && !sam_is_zero(reading->message[i], length))
        lose("zeros", "something of message %zu, which did not arrive", i + 1);
}

/* Two messages, and then the end; it comes before the second, when that is to be CLOSED, or in it
 * (TRUNCATED), or behind it (OK). */
static void messages_travel(size_t piece, enum sam_status second) {
    int ends[2];
    uint8_t bytes[2 * STREAM_MAX];
    struct reading *reading = box_shared(sizeof *reading);
    size_t first = 20 + below(40), last = 20 + below(40);
    size_t come = second == SAM_OK ? last : second == SAM_TRUNCATED ? last - 1 : 0;
    socket_pair(ends);
    ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0); /* blocking */
    *reading = (struct reading){.fd = ends[1], .end = guarded_end(), .length = {first, last}};
    ck_status(sam_random(bytes, sizeof bytes), SAM_OK);
    tell("Of two messages of %zu and %zu bytes %zu come, in pieces of %zu.", first, last,
         first + come, piece);
    struct box box = box_start("read_full", call_read_full, reading, (int[]){ends[1], -1});
    feed(&box, reading, ends, bytes, first + come, piece);
    close(ends[0]);
    box_finish(&box);
    close(ends[1]);
    expect_read(reading, 0, SAM_OK, bytes);
    expect_read(reading, 1, second, bytes + first);
}

static void flawed_receiver_takes_a_piece(void) {
    int ends[2];
    uint8_t got[sizeof HONEST_ORDER];
    socket_pair(ends);
    write_raw(ends[0], HONEST_ORDER, 1);
    ck_status(bytes_not_strings_receive(ends[1], got, sizeof got), SAM_OK);
    tell("The flawed receiver is to get %zu bytes. One comes, and it says OK.", sizeof got);
    close(ends[0]);
    close(ends[1]);
}

static void whole_messages_are_read(void) {
    flawed_receiver_takes_a_piece();
    messages_travel(1, SAM_OK);
    messages_travel(7, SAM_OK);
    messages_travel(1000, SAM_OK); /* at once */
    messages_travel(9, SAM_TRUNCATED);
    messages_travel(9, SAM_CLOSED);
    struct reading *reading = box_shared(sizeof *reading);
    *reading = (struct reading){.fd = -1, .end = guarded_end(), .length = {1, 2}};
    tell("There is no socket at all.");
    box_call("read_full", call_read_full, reading);
    expect_read(reading, 0, SAM_NETWORK, NULL);
}

/* The real programs. */

static void two_orders_arrive(const struct server_process *server, size_t piece) {
    struct peer alice;
    peer_join(&alice, server->mode, &people.alice, server->port, &people.bob);
    struct sam_envelope one = peer_seal(&alice, SAM_KIND_SEND, "one", 3);
    struct sam_envelope two = peer_seal(&alice, SAM_KIND_SEND, "two", 3);
    ck_status(sam_bytes_append(&one.bytes, two.bytes.data, two.bytes.length), SAM_OK);
    for (size_t at = 0; at < one.bytes.length; at += piece)
        write_raw(alice.connection.fd, one.bytes.data + at,
                  piece < one.bytes.length - at ? piece : one.bytes.length - at);
    shutdown(alice.connection.fd, SHUT_WR);
    struct sam_bytes answers = read_to_end(alice.connection.fd);
    tell("Two orders of %zu bytes together, in pieces of %zu: %zu bytes of answers.",
         one.bytes.length, piece, answers.length);
    sam_bytes_free(&answers);
    sam_envelope_free(&one);
    sam_envelope_free(&two);
    peer_close(&alice);
}

/* As collide() does: the bytes are Alice's, and where one part of them ends is somebody else's. */
static void border_moves(const struct server_process *server, int signature, int body,
                         enum sam_status status) {
    static const uint8_t order[400] = "PAY CAROL 0100";
    struct peer alice;
    peer_join(&alice, server->mode, &people.alice, server->port, &people.bob);
    struct sam_envelope sealed = peer_seal(&alice, SAM_KIND_SEND, order, sizeof order);
    ck_status(sam_bytes_append(&sealed.bytes, "", 1), SAM_OK);
    size_t length = (size_t)(sealed.header.body_length + (int64_t)body);
    sam_put16(sealed.bytes.data + 8, (uint16_t)(sealed.header.signature_length + signature));
    sam_put32(sealed.bytes.data + 12, (uint32_t)length);
    tell("The header says %d bytes more for the signature, %d more for the body.", signature, body);
    real_expect_refused(server, alice.connection.fd, sealed.bytes.data, SAM_HEADER_SIZE + length,
                        status);
    sam_envelope_free(&sealed);
    peer_close(&alice);
}

static void real_programs_keep_every_border(void) {
    char shown[512];
    collisions_win();
    notes_win();
    for (size_t i = 0; i < 2; i++) {
        struct server_process server = real_start(modes[i], APOSTROPHE);
        const char *const notes[] = {QUOTES, attack->note};
        for (size_t k = 0; k < 2; k++) {
            tell("The real client sends %s", notes[k]);
            struct run_result sent = run_client(&server, "send_msg", "--", notes[k], NULL);
            if (sent.code != 0)
                lose("a receipt", "exit code %d of the real client", sent.code);
            run_result_free(&sent);
        }
        two_orders_arrive(&server, 1);
        two_orders_arrive(&server, 4096); /* at once */
        border_moves(&server, 1, 1, SAM_KEY_MISMATCH);
        /* A block less in mode 1, where every other length is wrong already; a byte in mode 2. */
        border_moves(&server, 0, i == 0 ? -(int)sam_rsa_size(people.bob.rsa) : -1, SAM_DECRYPT);
        snprintf(shown, sizeof shown, "%s\n%s\n%s\none\ntwo\none\ntwo\n", APOSTROPHE, QUOTES,
                 attack->note);
        real_stop(&server, shown);
    }
}

static const struct graded checks[] = {
    {"an honest order arrives, here and there", HONEST, 0, honest_orders_arrive, NULL},
    {"Bob reads your amount in Alice's signed text", WINS, 1, notes_win,
     "with the note that you chose, what does her text look like?"},
    {"Alice's signature verifies for your order", WINS, 2, collisions_win,
     "what exactly did she sign? look at join() in flawed.c"},
    {"your encoding is of one order, whatever its bytes", MENDED, 2, encodings_are_of_one_order,
     "what tells your reader where a field ends, when any byte can be in it?"},
    {"your decode() gives the order back, and takes nothing else", MENDED, 3,
     nothing_else_is_decoded, "before each byte that you read: how do you know that it is there?"},
    {"your read_full() reads whole messages, or none", MENDED, 2, whole_messages_are_read,
     "what can recv() return, and what has happened then?"},
    {"the real programs keep every border", LOSES, 2, real_programs_keep_every_border,
     "this one passes once both attacks win"},
};

LAB(bytes_not_strings, "06_bytes_not_strings", "Bytes, not strings");
