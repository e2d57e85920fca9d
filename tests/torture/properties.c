/* What holds for every envelope, tried on many that a seed has drawn: it comes back as it went in,
 * and with any one bit changed nothing of it comes back at all. */
#include "properties.h"

#include <stdio.h>
#include <string.h>

#include "suites.h"

struct draws draws_of(uint64_t property, size_t i) {
    struct draws draws = {chance_seed() << 32 ^ property << 56 ^ i};
    return draws;
}

/* SplitMix64: every state gives a good number, neighbours too. */
uint64_t draw(struct draws *draws) {
    uint64_t z = draws->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

size_t draw_below(struct draws *draws, size_t limit) {
    return (size_t)(draw(draws) % limit);
}

void draw_bytes(struct draws *draws, uint8_t *out, size_t length) {
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)draw(draws);
}

size_t cases(size_t full) {
    return torture_scale(SANITIZED ? (full + 9) / 10 : full);
}

enum { ROUND_TRIPS = 1, ALL_BITS = 2, SOME_BITS = 3 }; /* of draws_of */
enum { LONGEST = 4 << 20, FEW_BLOCKS = 3 };

/* One envelope and what it was made of. */
struct sealed {
    struct sam_party sealer, opener;
    struct sam_address address;
    struct sam_bytes message;
    struct sam_envelope envelope;
    char told[160]; /* for a failure's sentence */
};

static void free_sealed(struct sealed *sealed) {
    sam_bytes_free(&sealed->message);
    sam_envelope_free(&sealed->envelope);
}

/* Lengths at which something changes: none, one, and around the end of each block of mode 1 (the
 * salt takes the first 16 bytes). Otherwise any. */
static size_t draw_length(struct draws *draws, const struct sam_mode *mode, size_t block,
                          size_t most) {
    size_t chunk = block - SAM_OAEP_OVERHEAD, blocks = 1 + draw_below(draws, FEW_BLOCKS);
    size_t around = blocks * chunk - SAM_SALT_SIZE - 1 + draw_below(draws, 3), length = 0;
    switch (draw_below(draws, 4)) {
    case 0:
        length = draw_below(draws, 2);
        break;
    case 1:
        length = around;
        break;
    case 2: /* rarely long: a power of two bounds it, so small ones come as often as large ones */
        length = draw_below(draws, (size_t)1 << draw_below(draws, mode->number == 1 ? 15 : 23));
        break;
    default:
        length = draw_below(draws, 2000);
    }
    return length <= most ? length : most;
}

static struct sealed seal_any(struct draws *draws, const struct sam_mode *mode,
                              const struct sam_key *from, const struct sam_key *to, size_t length) {
    static const enum sam_kind kinds[] = {SAM_KIND_SEND,   SAM_KIND_RECV, SAM_KIND_JOIN,
                                          SAM_KIND_REPLY,  SAM_KIND_PUSH, SAM_KIND_REFUSE,
                                          SAM_KIND_SESSION};
    struct sealed sealed = {
        .sealer = {.mode = mode, .crypto = people.crypto, .own = from},
        .opener = {.mode = mode, .crypto = people.crypto, .own = to},
        .address = {.kind = kinds[draw_below(draws, sizeof kinds / sizeof kinds[0])],
                    .sequence = (uint32_t)draw(draws),
                    .sent_at = draw(draws)},
    };
    draw_bytes(draws, sealed.address.reference, SAM_ID_SIZE);
    ck_status(sam_bytes_reserve(&sealed.message, length + 1), SAM_OK);
    sealed.message.length = length;
    draw_bytes(draws, sealed.message.data, length);
    sealed.envelope =
        seal_at(&sealed.sealer, to, &sealed.address, sealed.message.data, sealed.message.length);
    snprintf(sealed.told, sizeof sealed.told, "seed %llu, %s, %s to %s, %s, %zu bytes",
             (unsigned long long)chance_seed(), mode->name, from->name, to->name,
             sam_kind_name(sealed.address.kind), length);
    return sealed;
}

static struct sealed draw_sealed(uint64_t property, size_t i, size_t most) {
    struct draws draws = draws_of(property, i);
    const struct sam_key *all[] = {&people.alice, &people.bob, &people.carol};
    size_t from = draw_below(&draws, 3), to = (from + 1 + draw_below(&draws, 2)) % 3;
    const struct sam_mode *mode = modes[draw_below(&draws, 2)];
    size_t limit = most < mode->max_message ? most : mode->max_message;
    size_t length = draw_length(&draws, mode, sam_rsa_size(all[to]->rsa), limit);
    return seal_any(&draws, mode, all[from], all[to], length);
}

/* Opens bytes as an envelope in the place of sealed. */
static enum sam_status open_in_place(const struct sealed *sealed, struct sam_envelope *envelope,
                                     const struct sam_key **sender) {
    struct sam_expectation expected = {.trusted = &people.trusted,
                                       .kinds = SAM_KINDS_ALL,
                                       .sequence = sealed->address.sequence,
                                       .max_message = sealed->opener.mode->max_message};
    memcpy(expected.reference, sealed->address.reference, SAM_ID_SIZE);
    return sam_envelope_accept(envelope, sender, &sealed->opener, &expected);
}

static void assert_comes_back(struct sealed *sealed) {
    const struct sam_key *sender = NULL;
    enum sam_status status = open_in_place(sealed, &sealed->envelope, &sender);
    ck_assert_msg(status == SAM_OK, "%s: %s", sealed->told, sam_status_name(status));
    ck_assert_msg(sender == sam_ring_find(&people.trusted, sealed->sealer.own->id), "%s",
                  sealed->told);
    ck_assert_msg(sealed->envelope.header.kind == sealed->address.kind &&
                      sealed->envelope.header.sent_at == sealed->address.sent_at,
                  "%s", sealed->told);
    ck_assert_msg(
        sealed->envelope.message_length == sealed->message.length &&
            memcmp(sealed->envelope.message, sealed->message.data, sealed->message.length) == 0,
        "%s: another message came back", sealed->told);
}

START_TEST(what_was_sealed_comes_back_as_it_went_in) {
    size_t count = cases(1000), longest = 0;
    for (size_t i = 0; i < count; i++) {
        struct sealed sealed = draw_sealed(ROUND_TRIPS, i, LONGEST);
        if (sealed.message.length > longest)
            longest = sealed.message.length;
        assert_comes_back(&sealed);
        free_sealed(&sealed);
    }
    fprintf(stderr,
            "torture: properties: seed %llu, %zu envelopes of 0 to %zu bytes came back as they "
            "went in\n",
            (unsigned long long)chance_seed(), count, longest);
}
END_TEST

/* changed has room for the whole envelope. */
static void assert_bit_refused(const struct sealed *sealed, struct sam_envelope *changed,
                               size_t bit) {
    const struct sam_key *sender = sealed->sealer.own;
    size_t length = sealed->envelope.bytes.length;
    memcpy(changed->bytes.data, sealed->envelope.bytes.data, length);
    changed->bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    changed->message = changed->bytes.data;
    changed->message_length = 1;
    enum sam_status status = open_in_place(sealed, changed, &sender);
    ck_assert_msg(status != SAM_OK, "%s: bit %zu changed, and it opens", sealed->told, bit);
    ck_assert_msg(changed->message == NULL && changed->message_length == 0 && sender == NULL &&
                      sam_is_zero(changed->bytes.data + SAM_HEADER_SIZE, length - SAM_HEADER_SIZE),
                  "%s: bit %zu changed, %s, and something is left", sealed->told, bit,
                  sam_status_name(status));
}

/* Changes so many bits, drawn, or all when that is 0. Then the original still opens: what was
 * refused was refused for its bit. Returns how many. */
static size_t assert_bits_refused(struct sealed *sealed, struct draws *draws, size_t count) {
    size_t bits = 8 * sealed->envelope.bytes.length, tried = count == 0 ? bits : count;
    struct sam_envelope changed = {0};
    ck_status(sam_bytes_reserve(&changed.bytes, bits / 8), SAM_OK);
    changed.bytes.length = bits / 8;
    for (size_t i = 0; i < tried; i++)
        assert_bit_refused(sealed, &changed, count == 0 ? i : draw_below(draws, bits));
    sam_envelope_free(&changed);
    assert_comes_back(sealed);
    return tried;
}

static void tell_refused(size_t changes, size_t envelopes, const char *which) {
    fprintf(stderr,
            "torture: properties: seed %llu, %zu changed bits (%s) of %zu envelopes refused, each "
            "with an empty output\n",
            (unsigned long long)chance_seed(), changes, which, envelopes);
}

/* Short ones, and every bit of them. Mostly for alice, whose key is the fastest. */
START_TEST(every_bit_of_a_short_envelope_counts) {
    const struct sam_key *pairs[][2] = {
        {&people.bob, &people.alice}, {&people.carol, &people.alice}, {&people.alice, &people.bob}};
    size_t count = 2 * cases(4), changes = 0; /* both modes */
    for (size_t i = 0; i < count; i++) {
        struct draws draws = draws_of(ALL_BITS, i);
        const struct sam_key *const *pair = pairs[i / 2 % 3];
        struct sealed sealed =
            seal_any(&draws, modes[i % 2], pair[0], pair[1], draw_below(&draws, 20));
        changes += assert_bits_refused(&sealed, &draws, 0);
        free_sealed(&sealed);
    }
    tell_refused(changes, count, "all bits");
}
END_TEST

START_TEST(bits_anywhere_in_any_envelope_count) {
    enum { EACH = 30 };
    size_t count = cases(200), changes = 0;
    for (size_t i = 0; i < count; i++) {
        struct draws draws = draws_of(SOME_BITS, i);
        struct sealed sealed = draw_sealed(SOME_BITS, i, 20000);
        changes += assert_bits_refused(&sealed, &draws, EACH);
        free_sealed(&sealed);
    }
    tell_refused(changes, count, "drawn");
}
END_TEST

Suite *properties_suite(void) {
    Suite *suite = suite_create("properties");
    TCase *tcase = tcase_create("envelopes");
    tcase_add_unchecked_fixture(tcase, load_people, free_people);
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_test(tcase, what_was_sealed_comes_back_as_it_went_in);
    tcase_add_test(tcase, every_bit_of_a_short_envelope_counts);
    tcase_add_test(tcase, bits_anywhere_in_any_envelope_count);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, record_properties());
    return suite;
}
