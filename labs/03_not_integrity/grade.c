/* Lab 03: Encryption is not integrity. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "grade_plans.h"
#include "not_integrity.h"
#include "real.h"

#define HONEST_ORDER "PAY CAROL 0100"

static unsigned below(unsigned most) {
    uint8_t bytes[4];
    ck_status(sam_random(bytes, sizeof bytes), SAM_OK);
    return sam_get32(bytes) % most;
}

/* What alice and bob, each for itself, have after they met: a new key, and this sequence. */
static struct direction agreed(uint32_t sequence) {
    struct direction direction = {.crypto = people.crypto, .sequence = sequence};
    ck_status(sam_random(direction.key, sizeof direction.key), SAM_OK);
    return direction;
}

/* The flawed session. */

struct flawed_record {
    size_t length;
    uint8_t bytes[RECORD_MAX];
};

static struct flawed_record flawed_seals(struct direction *alice, const char *order) {
    struct flawed_record record = {.length = strlen(order) + NOT_INTEGRITY_OVERHEAD};
    tell("Alice seals \"%s\" for Bob, as record %u.", order, (unsigned)alice->sequence);
    ck_status(not_integrity_seal(record.bytes, alice, SAM_KIND_SEND, order, strlen(order)), SAM_OK);
    return record;
}

static void flawed_opens(struct delivery *out, struct direction *bob,
                         const struct flawed_record *record) {
    struct flawed_record copy = *record;
    not_integrity_open(out, bob, copy.bytes, copy.length);
    tell("The flawed receiver says %s.", sam_status_name(out->status));
}

static void honest_orders_arrive(void) {
    static const char *const orders[] = {HONEST_ORDER, "", "PAY BOB 0001"};
    struct direction alice = agreed(0), bob = alice;
    struct delivery delivery;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct flawed_record record = flawed_seals(&alice, orders[i]);
        flawed_opens(&delivery, &bob, &record);
        expect_handed(&delivery, orders[i], NULL);
        tell("Bob gets it once more, as it is.");
        flawed_opens(&delivery, &bob, &record);
        expect_refused(&delivery, SAM_ORDER);
    }
    struct server_process server = real_start(&sam_mode_asymmetric_symmetric, HONEST_ORDER);
    real_stop(&server, HONEST_ORDER "\n");
}

static struct order drawn(const struct plan *plan) {
    struct order order = {0};
    for (size_t i = 0; plan->known[i] != '\0'; i++) {
        unsigned digit = below(10), other = (digit + 1 + below(9)) % 10;
        bool draw = plan->known[i] == '#', hidden = plan->known[i] == '?';
        order.written[i] = draw || hidden ? (char)('0' + digit) : plan->known[i];
        order.known[i] = hidden ? '?' : order.written[i];
        order.wanted[i] = plan->wanted[i] == '#' ? (char)('0' + other) : plan->wanted[i];
        order.read[i] = hidden ? order.written[i] : order.wanted[i];
    }
    return order;
}

/* What goes into patch() and comes out of it. */
struct patching {
    uint8_t ciphertext[ORDER_MAX];
    struct order order;
};

static void call_patch(void *shared) {
    struct patching *patching = shared;
    STUDENT(patch)(patching->ciphertext, patching->order.known, patching->order.wanted);
}

static void patch_order(uint8_t *ciphertext, const struct order *order) {
    size_t length = strlen(order->written);
    struct patching *patching = box_shared(sizeof *patching);
    memcpy(patching->ciphertext, ciphertext, length);
    memcpy(patching->order.known, order->known, length);
    memcpy(patching->order.wanted, order->wanted, length);
    tell("Mallory knows that it says \"%s\"; patch() shall make it \"%s\".", order->known,
         order->wanted);
    box_call("patch", call_patch, patching);
    memcpy(ciphertext, patching->ciphertext, length);
}

static void patched_orders_win(void) {
    struct direction alice = agreed(0), bob = alice;
    struct delivery delivery;
    for (size_t i = 0; i < PLANS; i++) {
        struct order order = drawn(&plans[i]);
        struct flawed_record record = flawed_seals(&alice, order.written);
        patch_order(record.bytes + NOT_INTEGRITY_OVERHEAD, &order);
        flawed_opens(&delivery, &bob, &record);
        expect_handed(&delivery, order.read, NULL);
    }
}

static void call_again(void *shared) {
    struct flawed_record *record = shared;
    STUDENT(again)(record->bytes);
}

static void repeated_orders_win(void) {
    static const uint32_t starts[] = {0, 254, 65534, 0x00fffffe};
    struct delivery delivery;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct direction alice = agreed(starts[i] + below(2)), bob = alice;
        struct flawed_record record = flawed_seals(&alice, HONEST_ORDER);
        flawed_opens(&delivery, &bob, &record);
        expect_handed(&delivery, HONEST_ORDER, NULL);
        for (int times = 2; times <= 3; times++) {
            struct flawed_record *copy = box_shared(sizeof *copy);
            memcpy(copy->bytes, record.bytes, record.length);
            box_call("again", call_again, copy);
            memcpy(record.bytes, copy->bytes, record.length);
            tell("Mallory sends it again, changed by again().");
            flawed_opens(&delivery, &bob, &record);
            expect_handed(&delivery, HONEST_ORDER, NULL);
            tell("Bob has the same order %d times.", times);
        }
    }
}

/* The student's session. */

/* What goes into record_seal() or record_open() and comes out of it. */
struct sealing {
    struct direction alice;
    uint8_t kind;
    char message[DELIVERY_MAX + 1];
    enum sam_status status;
    uint8_t record[RECORD_MAX];
};

struct opening {
    struct direction bob;
    size_t length;
    uint8_t record[RECORD_MAX];
    struct delivery delivery;
};

static void call_seal(void *shared) {
    struct sealing *sealing = shared;
    sealing->alice.crypto = people.crypto;
    sealing->status = STUDENT(record_seal)(sealing->record, &sealing->alice, sealing->kind,
                                           sealing->message, strlen(sealing->message));
}

static void call_open(void *shared) {
    struct opening *opening = shared;
    opening->bob.crypto = people.crypto;
    memset(&opening->delivery, 'x', sizeof opening->delivery); /* as memory is before its use */
    STUDENT(record_open)(&opening->delivery, &opening->bob, opening->record, opening->length);
}

/* The next record of alice's. She is one record further afterwards. */
static uint8_t *sealed(struct direction *alice, uint8_t kind, const char *message) {
    struct sealing *sealing = box_shared(sizeof *sealing);
    sealing->alice = *alice;
    sealing->kind = kind;
    memcpy(sealing->message, message, strlen(message));
    box_call("record_seal", call_seal, sealing);
    tell("Your record_seal() says %s to a message of %zu bytes, kind %u, as record %u.",
         sam_status_name(sealing->status), strlen(message), kind, (unsigned)alice->sequence);
    if (sealing->status != SAM_OK)
        lose("OK", "%s", sam_status_name(sealing->status));
    alice->sequence = sealing->alice.sequence;
    return sealing->record;
}

static const struct delivery *opened(struct direction *bob, const uint8_t *record, size_t length) {
    struct opening *opening = box_shared(sizeof *opening);
    opening->bob = *bob;
    opening->length = length;
    memcpy(opening->record, record, length);
    box_call("record_open", call_open, opening);
    bob->sequence = opening->bob.sequence;
    return &opening->delivery;
}

static void expect_opens(struct direction *bob, const uint8_t *record, const char *message) {
    const struct delivery *delivery = opened(bob, record, strlen(message) + RECORD_OVERHEAD);
    tell("Your record_open() gets it as it is.");
    expect_handed(delivery, message, NULL);
    if (delivery->sender[0] != '\0')
        lose("no sender", "one");
}

/* The bytes that the vectors give under a name; returns how many. */
static size_t from_vectors(const char *name, uint8_t *out, size_t max) {
    struct sam_bytes session = read_vector("session.json");
    char start[64];
    snprintf(start, sizeof start, "\"%s\": \"", name);
    ck_status(sam_bytes_append(&session, "", 1), SAM_OK);
    const char *hex = strstr((const char *)session.data, start);
    ck_assert_ptr_nonnull(hex);
    size_t length = 0;
    for (hex += strlen(start); *hex != '"' && length < max; hex += 2)
        out[length++] = (uint8_t)strtoul((const char[]){hex[0], hex[1], '\0'}, NULL, 16);
    sam_bytes_free(&session);
    return length;
}

/* A record that others have made, of the same key, sequence and message. */
static void expect_record(const char *name, uint8_t kind, uint32_t sequence, const char *message) {
    uint8_t theirs[RECORD_OVERHEAD + ORDER_MAX];
    struct direction alice = {.crypto = people.crypto, .sequence = sequence}, bob;
    ck_assert_uint_eq(from_vectors("client_key", alice.key, sizeof alice.key), sizeof alice.key);
    size_t length = from_vectors(name, theirs, sizeof theirs);
    ck_assert_uint_eq(length, strlen(message) + RECORD_OVERHEAD);
    bob = alice;
    const uint8_t *yours = sealed(&alice, kind, message);
    for (size_t i = 0; i < length; i++)
        if (yours[i] != theirs[i])
            lose("the record of tests/vectors/session.json", "another from byte %zu of %zu on", i,
                 length);
    tell("It is %s of tests/vectors/session.json.", name);
    expect_opens(&bob, theirs, message);
}

static void records_are_those_of_the_protocol(void) {
    static const size_t lengths[] = {0, 1, 16, 1000, DELIVERY_MAX};
    expect_record("client_record_0", SAM_KIND_SEND, 0, "hello");
    expect_record("client_close_2", SAM_KIND_CLOSE, 2, "");
    struct direction alice = agreed(1 + below(1000000)), bob = alice;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char message[DELIVERY_MAX + 1] = "";
        for (size_t at = 0; at < lengths[i]; at++)
            message[at] = (char)('A' + below(26));
        expect_opens(&bob, sealed(&alice, SAM_KIND_SEND, message), message);
    }
}

/* What bob gets instead of a record, told only when it is not refused: there are hundreds. */
__attribute__((format(printf, 5, 6))) static void
expect_failure(struct direction bob, const uint8_t *record, size_t length, enum sam_status status,
               const char *what, ...) {
    uint32_t due = bob.sequence;
    const struct delivery *delivery = opened(&bob, record, length);
    if (delivery->status != status || bob.sequence != due || delivery->sender[0] != '\0' ||
        !sam_is_zero(delivery->message, DELIVERY_MAX)) {
        char told[ORDER_MAX];
        va_list values;
        va_start(values, what);
        vsnprintf(told, sizeof told, what, values);
        va_end(values);
        tell("Your record_open() gets %s.", told);
    }
    expect_refused(delivery, status);
    if (bob.sequence != due)
        lose("the sequence left alone", "%u instead of %u", bob.sequence, due);
}

static void expect_changes_noticed(struct direction bob, uint8_t *record, size_t length) {
    for (size_t at = 0; at < length; at++) {
        enum sam_status status = at / 4 == 2 ? SAM_ORDER : SAM_DECRYPT; /* bytes 8 to 11 */
        for (unsigned bit = 0; bit < 8; bit++) {
            record[at] ^= (uint8_t)(1 << bit);
            expect_failure(bob, record, length, status, "it with bit %u of byte %zu turned over",
                           bit, at);
            record[at] ^= (uint8_t)(1 << bit);
        }
        expect_failure(bob, record, at, at < RECORD_OVERHEAD ? SAM_TRUNCATED : SAM_DECRYPT,
                       "its first %zu bytes of %zu", at, length);
    }
    expect_failure(bob, record, length + 1, SAM_DECRYPT, "it with a byte more");
}

static void changed_and_misplaced_records_are_refused(void) {
    size_t length = strlen(HONEST_ORDER) + RECORD_OVERHEAD;
    struct direction alice = agreed(below(1000)), bob = alice, later = bob;
    struct direction stranger = agreed(bob.sequence);
    uint8_t *first = sealed(&alice, SAM_KIND_SEND, HONEST_ORDER);
    uint8_t *second = sealed(&alice, SAM_KIND_SEND, HONEST_ORDER);
    expect_failure(bob, second, length, SAM_ORDER, "the second before the first");
    expect_opens(&later, first, HONEST_ORDER);
    expect_failure(later, first, length, SAM_ORDER, "it a second time");
    expect_failure(stranger, first, length, SAM_DECRYPT, "a record of another key");
    expect_changes_noticed(bob, first, length);
    memcpy(first, second, SAM_RECORD_SIZE);
    expect_failure(later, first, length, SAM_DECRYPT, "the first under the second's header");
}

/* Many records of zeros under one key: their ciphertexts are the keystream itself. */
enum { RUN = 311, LIMIT = RUN - 2, ZEROS = 16 }; /* two more than there can be */
static const struct {
    uint32_t start;
    size_t count;
} runs[] = {{0, 300}, {65535, 2}, {0x01000000, 2}, {0x7fffffff, 3}, {UINT32_MAX - 2, 4}};

struct running {
    struct direction alice;
    struct {
        enum sam_status status;
        uint8_t record[ZEROS + RECORD_OVERHEAD];
    } made[RUN];
};

static void call_run(void *shared) {
    static const uint8_t zeros[ZEROS];
    struct running *running = shared;
    size_t made = 0;
    for (size_t run = 0; run < sizeof runs / sizeof runs[0]; run++) {
        running->alice.sequence = runs[run].start;
        for (size_t i = 0; i < runs[run].count; i++, made++)
            running->made[made].status = STUDENT(record_seal)(
                running->made[made].record, &running->alice, SAM_KIND_SEND, zeros, ZEROS);
    }
}

static void no_nonce_comes_twice(void) {
    struct running *running = box_shared(sizeof *running);
    running->alice = agreed(0);
    tell("Your record_seal() makes %d records of zeros under one key, some far apart.", LIMIT);
    box_call("record_seal", call_run, running);
    for (size_t i = 0; i < LIMIT; i++) {
        if (running->made[i].status != SAM_OK)
            lose("OK", "%s for record %zu of them", sam_status_name(running->made[i].status), i);
        for (size_t j = 0; j < i; j++)
            if (memcmp(running->made[i].record + SAM_RECORD_SIZE,
                       running->made[j].record + SAM_RECORD_SIZE, ZEROS) == 0)
                lose("another keystream for each", "the same for %zu and %zu of them", j, i);
    }
    tell("The sequence has come to %u: there is no next one.", UINT32_MAX);
    for (size_t i = LIMIT; i < RUN; i++) {
        if (running->made[i].status != SAM_LAST_SEQUENCE)
            lose("LAST_SEQUENCE, as often as it is asked", "%s",
                 sam_status_name(running->made[i].status));
        if (!sam_is_zero(running->made[i].record, ZEROS + RECORD_OVERHEAD))
            lose("no record", "bytes of one");
    }
}

static void patched_order_loses(void) {
    patched_orders_win();
    struct sam_greeting greeting;
    struct sam_party alice = {
        .mode = &sam_mode_asymmetric_symmetric, .crypto = people.crypto, .own = &people.alice};
    struct sam_address address = {.kind = SAM_KIND_SEND, .sent_at = sam_unix_time()};
    struct order order = drawn(&plans[0]);
    struct server_process server = real_start(&sam_mode_asymmetric_symmetric, HONEST_ORDER);
    int fd = real_connect(&server, &greeting);
    memcpy(address.reference, greeting.challenge, SAM_ID_SIZE);
    tell("Alice seals \"%s\" for the real server, in an envelope.", order.written);
    struct sam_envelope envelope =
        seal_at(&alice, &people.bob, &address, order.written, strlen(order.written));
    uint8_t *bytes = envelope.bytes.data;
    size_t message = SAM_HEADER_SIZE + sam_rsa_size(people.bob.rsa) + SAM_GCM_NONCE_SIZE +
                     SAM_SALT_SIZE; /* its place in the ciphertext */
    patch_order(bytes + message, &order);
    real_expect_refused(&server, fd, bytes, envelope.bytes.length, SAM_DECRYPT);
    sam_envelope_free(&envelope);
    close(fd);
    real_stop(&server, HONEST_ORDER "\n");
}

static const struct graded checks[] = {
    {"honest orders arrive once, here and there", HONEST, 0, honest_orders_arrive, NULL},
    {"your patched orders are paid by the flawed receiver", WINS, 2, patched_orders_win,
     "what are ciphertext XOR keystream, and keystream XOR message?"},
    {"an order that you send again is paid again", WINS, 1, repeated_orders_win,
     "compare the headers of two records (docs/protocol.md, section 9)"},
    {"your records are those of docs/protocol.md, section 9", MENDED, 2,
     records_are_those_of_the_protocol,
     "header, nonce, associated data, tag: section 9 has a line for each"},
    {"changed and misplaced records are refused", MENDED, 3,
     changed_and_misplaced_records_are_refused,
     "which bytes does the tag cover? when may the first byte be handed over?"},
    {"no two records of yours share a nonce", MENDED, 1, no_nonce_comes_twice,
     "what does the nonce hang on, and what comes after the last one?"},
    {"the real server refuses your patched order", LOSES, 1, patched_order_loses,
     "this one passes once the flawed receiver pays"},
};

LAB(not_integrity, "03_not_integrity", "Encryption is not integrity");
