/* Lab 02: Fail open. */
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "fail_open.h"
#include "real.h"

#define HONEST_ORDER "PAY CAROL 0100"
#define CAROLS_ORDER "PAY ALICE 0042"
#define FORGED_ORDER "PAY MALLORY 9000"

enum { ENVELOPE_MAX = 8192 };

static const uint8_t challenge[SAM_ID_SIZE] = "bob's challenge";

static struct sam_party party_of(const struct sam_key *own) {
    return (struct sam_party){
        .mode = &sam_mode_asymmetric_only, .crypto = people.crypto, .own = own};
}

static struct sam_expectation expectation(void) {
    struct sam_expectation expected = {
        .trusted = &people.trusted, .kinds = SAM_KINDS_OF_CLIENT, .max_message = DELIVERY_MAX};
    memcpy(expected.reference, challenge, sizeof challenge);
    return expected;
}

static struct sam_envelope sealed_by(const struct sam_key *sender, const char *order,
                                     const uint8_t *reference) {
    struct sam_party party = party_of(sender);
    struct sam_address address = {.kind = SAM_KIND_SEND, .sent_at = sam_unix_time()};
    memcpy(address.reference, reference, sizeof address.reference);
    return seal_at(&party, &people.bob, &address, order, strlen(order));
}

static struct sam_envelope honest_envelope(void) {
    tell("Alice seals \"%s\" for Bob.", HONEST_ORDER);
    return sealed_by(&people.alice, HONEST_ORDER, challenge);
}

/* What goes into forge() and comes out of it. */
struct forging {
    uint8_t challenge[SAM_ID_SIZE];
    size_t length;
    uint8_t envelope[ENVELOPE_MAX];
};

static void call_forge(void *shared) {
    struct forging *forging = shared;
    const struct sam_key *alice = sam_ring_find(&people.trusted, people.alice.id);
    const struct sam_key *bob = sam_ring_find(&people.trusted, people.bob.id);
    forging->length = STUDENT(forge)(forging->envelope, sizeof forging->envelope, people.crypto,
                                     alice, bob, forging->challenge, FORGED_ORDER);
}

static struct forging *forged_for(const uint8_t reference[SAM_ID_SIZE]) {
    struct forging *forging = box_shared(sizeof *forging);
    memcpy(forging->challenge, reference, SAM_ID_SIZE);
    box_call("forge", call_forge, forging);
    tell("forge() makes an envelope of %zu bytes: from Alice, for Bob, \"%s\".", forging->length,
         FORGED_ORDER);
    if (forging->length == 0 || forging->length > sizeof forging->envelope)
        lose("an envelope", "%zu bytes", forging->length);
    return forging;
}

/* The desk that Bob's receiver hands orders to. It pays what it is handed. */
static void desk_pays(const struct delivery *delivery, const char *order) {
    struct delivery handed = *delivery;
    if (handed.length > 0)
        handed.status = SAM_OK; /* it does not look at that */
    expect_handed(&handed, order, "alice");
    tell("The desk pays.");
}

static void flawed_receives(struct delivery *out, uint8_t *envelope, size_t length) {
    struct sam_party bob = party_of(&people.bob);
    struct sam_expectation expected = expectation();
    fail_open_receive(out, &bob, &expected, envelope, length);
    tell("The flawed receiver says %s.", sam_status_name(out->status));
}

static void honest_orders_arrive(void) {
    struct delivery delivery;
    struct sam_envelope envelope = honest_envelope();
    flawed_receives(&delivery, envelope.bytes.data, envelope.bytes.length);
    desk_pays(&delivery, HONEST_ORDER);
    sam_envelope_free(&envelope);
    struct server_process server = real_start(&sam_mode_asymmetric_only, HONEST_ORDER);
    real_stop(&server, HONEST_ORDER "\n");
}

static void forged_order_wins(void) {
    struct delivery delivery;
    struct forging *forging = forged_for(challenge);
    flawed_receives(&delivery, forging->envelope, forging->length);
    desk_pays(&delivery, FORGED_ORDER);
}

/* What goes into receive() and comes out of it. */
struct receiving {
    size_t length;
    uint8_t envelope[ENVELOPE_MAX];
    struct delivery delivery;
};

static void call_receive(void *shared) {
    struct receiving *receiving = shared;
    struct sam_party bob = party_of(&people.bob);
    struct sam_expectation expected = expectation();
    STUDENT(receive)(&receiving->delivery, &bob, &expected, receiving->envelope, receiving->length);
}

/* With one bit of the envelope turned over, unless bit is 0. */
static struct receiving *received(const struct sam_envelope *envelope, size_t bit) {
    struct receiving *receiving = box_shared(sizeof *receiving);
    memset(&receiving->delivery, 'x', sizeof receiving->delivery); /* what was there before */
    receiving->length = envelope->bytes.length;
    memcpy(receiving->envelope, envelope->bytes.data, receiving->length);
    receiving->envelope[bit / 8] ^= (uint8_t)(bit > 0 ? 1 << bit % 8 : 0);
    box_call("receive", call_receive, receiving);
    return receiving;
}

static void mended_receiver_takes_honest_orders(void) {
    struct sam_envelope envelope = honest_envelope();
    struct receiving *receiving = received(&envelope, 0);
    tell("Your receive() gets it as it is.");
    expect_handed(&receiving->delivery, HONEST_ORDER, "alice");
    tell("Carol seals \"%s\" for Bob.", CAROLS_ORDER);
    envelope = sealed_by(&people.carol, CAROLS_ORDER, challenge);
    expect_handed(&received(&envelope, 0)->delivery, CAROLS_ORDER, "carol");
}

/* What receive() got has a status, hands nothing over and holds no order. */
static void expect_closed(const struct receiving *receiving, enum sam_status status) {
    expect_refused(&receiving->delivery, status);
    tell("Does the envelope's memory still hold the order?");
    for (size_t i = 0; i + strlen(HONEST_ORDER) <= receiving->length; i++)
        if (memcmp(receiving->envelope + i, HONEST_ORDER, strlen(HONEST_ORDER)) == 0)
            lose("a letter that is wiped", "\"%s\" at byte %zu of it", HONEST_ORDER, i);
}

static void mended_receiver_refuses_what_does_not_verify(void) {
    mended_receiver_takes_honest_orders();
    struct sam_envelope envelope = honest_envelope();
    size_t signature = envelope.bytes.length - sam_rsa_size(people.alice.rsa);
    for (size_t at = signature; at < envelope.bytes.length; at += 51) {
        tell("Your receive() gets it with a bit of byte %zu turned over.", at);
        expect_closed(received(&envelope, 8 * at + at % 8), SAM_SIGNATURE);
    }
}

/* Before there is a signature to look at. */
static void mended_receiver_is_closed_everywhere(void) {
    static const uint8_t another[SAM_ID_SIZE] = "somebody else's";
    static char order[DELIVERY_MAX + 2] = HONEST_ORDER;
    mended_receiver_refuses_what_does_not_verify();
    struct sam_envelope envelope = honest_envelope();
    tell("Your receive() gets it with a bit of its block turned over.");
    expect_closed(received(&envelope, 8 * (SAM_HEADER_SIZE + 7)), SAM_DECRYPT);
    tell("Your receive() gets it with a byte behind it.");
    ck_status(sam_bytes_append(&envelope.bytes, "", 1), SAM_OK);
    expect_closed(received(&envelope, 0), SAM_LENGTH);
    tell("Your receive() gets an order that Alice sealed for another connection.");
    envelope = sealed_by(&people.alice, HONEST_ORDER, another);
    expect_closed(received(&envelope, 0), SAM_STALE);
    tell("Your receive() gets an honest order of %d bytes.", DELIVERY_MAX + 1);
    memset(order + strlen(order), '.', sizeof order - 1 - strlen(order));
    envelope = sealed_by(&people.alice, order, challenge);
    expect_closed(received(&envelope, 0), SAM_TOO_LONG);
}

static void forged_order_loses(void) {
    struct sam_greeting greeting;
    forged_order_wins();
    struct server_process server = real_start(&sam_mode_asymmetric_only, HONEST_ORDER);
    int fd = real_connect(&server, &greeting);
    struct forging *forging = forged_for(greeting.challenge);
    real_expect_refused(&server, fd, forging->envelope, forging->length, SAM_SIGNATURE);
    close(fd);
    real_stop(&server, HONEST_ORDER "\n");
}

static const struct graded checks[] = {
    {"an honest order arrives, here and there", HONEST, 0, honest_orders_arrive, NULL},
    {"the flawed receiver takes your forged order", WINS, 3, forged_order_wins,
     "forge() seals as anyone can: read docs/protocol.md, sections 2 and 6"},
    {"your receive() hands over an honest order", MENDED, 1, mended_receiver_takes_honest_orders,
     "begin with what fail_open_receive does right"},
    {"your receive() hands over nothing that does not verify", MENDED, 2,
     mended_receiver_refuses_what_does_not_verify,
     "nothing is handed over, and nothing is left: what does every way out need?"},
    {"your receive() hands over nothing that fails before", MENDED, 2,
     mended_receiver_is_closed_everywhere, "fail_open_unseal has a verdict, too"},
    {"the real server refuses your forged order", LOSES, 2, forged_order_loses,
     "this one passes once the flawed receiver takes it"},
};

LAB(fail_open, "02_fail_open", "Fail open");
