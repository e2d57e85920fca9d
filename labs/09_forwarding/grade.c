/* Lab 09: Surreptitious forwarding. */
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "forwarding.h"
#include "real.h"

enum { LENGTHS = 4 };
static const size_t lengths[LENGTHS] = {0, 1, 333, DELIVERY_MAX};

/* Offsets of header fields that are changed here. */
enum {
    AT_SEQUENCE = 16,
    AT_SENT_AT = 24,
    AT_MESSAGE_ID = 32,
    AT_REFERENCE = 48,
    AT_SENDER = 64,
    AT_RECIPIENT = 96
};

static const struct sam_mode *const mode = &sam_mode_asymmetric_symmetric;

static struct sam_party party_of(const struct sam_key *own) {
    return (struct sam_party){.mode = mode, .crypto = people.crypto, .own = own};
}

static void draw(void *out, size_t length) {
    ck_status(sam_random(out, length), SAM_OK);
}

/* Letters that nobody can know beforehand. */
static void draw_debt(char text[64]) {
    uint8_t random[2];
    draw(random, sizeof random);
    snprintf(text, 64, "I owe you %04u. Alice", sam_get16(random) % 10000u);
}

static void draw_text(char text[DELIVERY_MAX + 1], size_t length) {
    draw(text, length);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + (uint8_t)text[i] % 26);
    text[length] = '\0';
}

/* The signed bytes of the student's. */
struct signing {
    uint8_t header[SAM_HEADER_SIZE];
    uint8_t letter[LETTER_MAX];
    size_t letter_length;
    size_t length;
    uint8_t bytes[SIGNED_MAX];
};

static void call_signed_bytes(void *shared) {
    struct signing *signing = shared;
    signing->length = STUDENT(signed_bytes)(signing->bytes, signing->header, signing->letter,
                                            signing->letter_length);
}

static size_t students(uint8_t out[SIGNED_MAX], const uint8_t header[SAM_HEADER_SIZE],
                       const uint8_t *letter, size_t letter_length) {
    struct signing *signing = box_shared(sizeof *signing);
    memcpy(signing->header, header, SAM_HEADER_SIZE);
    memcpy(signing->letter, letter, letter_length);
    signing->letter_length = letter_length;
    box_call("signed_bytes", call_signed_bytes, signing);
    size_t length = signing->length;
    if (length == 0 || length > SIGNED_MAX)
        lose("bytes to sign, SIGNED_MAX at most", "%zu of them", length);
    memcpy(out, signing->bytes, length);
    return length;
}

/* Envelope number sequence of a connection with this challenge. */
static struct sealed sealed_for(const struct sam_key *recipient, const char *message,
                                const uint8_t challenge[SAM_ID_SIZE], uint32_t sequence,
                                signed_bytes_function *what) {
    struct sealed sealed;
    struct sam_party alice = party_of(&people.alice);
    struct sam_address address = {
        .kind = SAM_KIND_SEND, .sequence = sequence, .sent_at = sam_unix_time()};
    memcpy(address.reference, challenge, SAM_ID_SIZE);
    ck_status(forwarding_seal(&sealed, &alice, recipient, &address, message, what), SAM_OK);
    tell("Alice seals a letter of %zu bytes: \"%.60s\".", strlen(message), message);
    return sealed;
}

static void opened_by(struct delivery *out, const struct sam_key *recipient,
                      const struct sealed *sealed, const uint8_t challenge[SAM_ID_SIZE],
                      uint32_t sequence, signed_bytes_function *what) {
    struct sam_party party = party_of(recipient);
    struct sam_expectation expected = {.trusted = &people.trusted,
                                       .kinds = SAM_KINDS_OF_CLIENT,
                                       .sequence = sequence,
                                       .max_message = DELIVERY_MAX};
    memcpy(expected.reference, challenge, SAM_ID_SIZE);
    forwarding_open(out, &party, &expected, sealed, what);
    tell("The receiver of %s says %s.", recipient->name, sam_status_name(out->status));
}

static void honest_letters_arrive(void) {
    char letter[64], shown[80];
    struct delivery delivery;
    uint8_t challenge[SAM_ID_SIZE];
    draw_debt(letter);
    draw(challenge, sizeof challenge);
    struct sealed sealed = sealed_for(&people.bob, letter, challenge, 0, forwarding_signed_bytes);
    opened_by(&delivery, &people.bob, &sealed, challenge, 0, forwarding_signed_bytes);
    expect_handed(&delivery, letter, "alice");
    tell("As it is, it is not for Carol.");
    opened_by(&delivery, &people.carol, &sealed, challenge, 0, forwarding_signed_bytes);
    expect_refused(&delivery, SAM_RECIPIENT);
    struct server_process server = real_start(mode, letter);
    snprintf(shown, sizeof shown, "%s\n", letter);
    real_stop(&server, shown);
}

/* What goes into forward() and comes out of it. */
struct forwarding {
    const struct sam_key *from, *to;
    uint8_t challenge[SAM_ID_SIZE];
    struct sealed got, made;
};

static void call_forward(void *shared) {
    struct forwarding *forwarding = shared;
    struct sam_party from = party_of(forwarding->from);
    const struct sam_key *to = sam_ring_find(&people.trusted, forwarding->to->id);
    STUDENT(forward)(&forwarding->made, &from, to, forwarding->challenge, &forwarding->got);
}

static struct sealed forwarded(const struct sam_key *from, const struct sealed *got,
                               const struct sam_key *to, const uint8_t challenge[SAM_ID_SIZE]) {
    struct forwarding *forwarding = box_shared(sizeof *forwarding);
    forwarding->from = from;
    forwarding->to = to;
    forwarding->got = *got;
    memcpy(forwarding->challenge, challenge, SAM_ID_SIZE);
    box_call("forward", call_forward, forwarding);
    struct sealed made = forwarding->made;
    tell("forward() makes %zu bytes of it, from the hands of %s, for %s.", made.length, from->name,
         to->name);
    if (made.length == 0 || made.length > SEALED_MAX)
        lose("an envelope", "%zu bytes", made.length);
    return made;
}

/* A letter of alice's to bob goes on to carol, whose receiver (of what) makes *out of it. */
static void goes_on_to_carol(struct delivery *out, const char *letter,
                             signed_bytes_function *what) {
    uint8_t bobs[SAM_ID_SIZE], carols[SAM_ID_SIZE];
    draw(bobs, sizeof bobs);
    draw(carols, sizeof carols);
    struct sealed got = sealed_for(&people.bob, letter, bobs, 0, what);
    struct sealed made = forwarded(&people.bob, &got, &people.carol, carols);
    opened_by(out, &people.carol, &made, carols, 0, what);
}

static void forwarded_letter_wins(void) {
    char letter[64];
    struct delivery delivery;
    for (int i = 0; i < 2; i++) {
        draw_debt(letter);
        goes_on_to_carol(&delivery, letter, forwarding_signed_bytes);
        expect_handed(&delivery, letter, "alice");
    }
    tell("Carol asks Alice for her money.");
}

static void forwarded_letter_wins_again(void) {
    char letter[DELIVERY_MAX + 1];
    struct delivery delivery;
    uint8_t challenges[4][SAM_ID_SIZE];
    for (size_t i = 0; i < LENGTHS; i++) {
        draw_text(letter, lengths[i]);
        draw(challenges, sizeof challenges);
        uint32_t place = 1 + (uint32_t)i;
        struct sealed got =
            sealed_for(&people.bob, letter, challenges[0], place, forwarding_signed_bytes);
        tell("It is number %u that she sends him.", place);
        struct sealed made = {0};
        for (size_t k = 1; k <= 2; k++) {
            made = forwarded(&people.bob, &got, &people.carol, challenges[k]);
            opened_by(&delivery, &people.carol, &made, challenges[k], 0, forwarding_signed_bytes);
            expect_handed(&delivery, letter, "alice");
        }
        tell("Carol does as Bob did, and he gets it back.");
        made = forwarded(&people.carol, &made, &people.bob, challenges[3]);
        opened_by(&delivery, &people.bob, &made, challenges[3], 0, forwarding_signed_bytes);
        expect_handed(&delivery, letter, "alice");
    }
}

/* What is signed together. In here lie zero bytes in wait for who takes bytes for text. */
struct signable {
    uint8_t header[SAM_HEADER_SIZE];
    uint8_t letter[LETTER_MAX];
    size_t letter_length;
};

/* Sequence and time are numbers that look alike when they are written one behind the other. */
static struct signable signable(size_t letter_length, uint32_t sequence, uint64_t sent_at) {
    struct signable signable = {.letter_length = letter_length};
    size_t signature = sam_rsa_size(people.alice.rsa), block = sam_rsa_size(people.bob.rsa);
    struct sam_header header = {
        .mode = mode->number,
        .kind = SAM_KIND_SEND,
        .signature_length = (uint16_t)signature,
        .block_length = (uint16_t)block,
        .body_length = (uint32_t)mode->layout(letter_length, signature, block).length,
        .sequence = sequence,
        .sent_at = sent_at,
        .message_id = "\0 message's id",
        .reference = "\0 challenge",
        .sender = "\0 alice's key id",
        .recipient = "\0 bob's key id",
    };
    sam_header_write(signable.header, &header);
    for (size_t i = 0; i < letter_length; i++)
        signable.letter[i] = (uint8_t)i;
    return signable;
}

static void expect_other_bytes(const struct signable *one, const struct signable *other) {
    uint8_t first[SIGNED_MAX], second[SIGNED_MAX];
    size_t length = students(first, one->header, one->letter, one->letter_length);
    if (students(second, other->header, other->letter, other->letter_length) == length &&
        memcmp(first, second, length) == 0)
        lose("other bytes under the signature", "the same %zu bytes for both", length);
}

static void expect_others(const struct signable *one, const struct signable *other,
                          const char *difference) {
    tell("Two envelopes are alike, but for %s.", difference);
    expect_other_bytes(one, other);
}

static void mended_letter_is_for_its_recipient(void) {
    char letter[DELIVERY_MAX + 1];
    struct delivery delivery;
    uint8_t challenge[SAM_ID_SIZE];
    for (size_t i = 0; i < LENGTHS; i++) {
        draw_text(letter, lengths[i]);
        draw(challenge, sizeof challenge);
        struct sealed sealed = sealed_for(&people.bob, letter, challenge, 0, students);
        opened_by(&delivery, &people.bob, &sealed, challenge, 0, students);
        expect_handed(&delivery, letter, "alice");
    }
    const struct signable bobs = signable(SAM_SALT_SIZE + 20, 0, 0);
    struct signable other = bobs;
    other.header[AT_RECIPIENT + SAM_KEY_ID_SIZE - 1] ^= 1;
    expect_others(&bobs, &other, "another recipient");
    other = bobs;
    other.letter[SAM_SALT_SIZE] ^= 1;
    expect_others(&bobs, &other, "another message");
}

/* Carol is to have all that Bob had: a letter that does not even open would be refused too. */
static void expect_content(const struct sealed *made, const char *letter) {
    struct content content;
    struct sam_header header;
    struct sam_party carol = party_of(&people.carol);
    enum sam_status status = forwarding_decrypt(&content, &header, &carol, made);
    if (status != SAM_OK || content.letter_length != SAM_SALT_SIZE + strlen(letter) ||
        memcmp(content.letter + SAM_SALT_SIZE, letter, strlen(letter)) != 0)
        lose("Alice's letter in it", "%s and %zu bytes", sam_status_name(status),
             content.letter_length);
    tell("Carol's key opens it, and Alice's letter is in it.");
}

static void mended_receiver_refuses_what_was_sent_on(void) {
    char letter[64];
    struct delivery delivery;
    forwarded_letter_wins();
    tell("Now Alice and Carol have your signed_bytes().");
    for (int i = 0; i < 2; i++) {
        draw_debt(letter);
        goes_on_to_carol(&delivery, letter, students);
        expect_refused(&delivery, SAM_SIGNATURE);
    }
}

/* Fields that a sender chooses, and that a receiver does not know already from its own. */
static void no_other_field_can_change(void) {
    static const struct {
        size_t offset, size;
        uint8_t change; /* bits to turn over in a byte */
        const char *name;
    } fields[] = {{SAM_AT_MODE, 1, 3, "mode"},
                  {SAM_AT_KIND, 1, 2, "kind"},
                  {AT_SEQUENCE, 4, 1, "place in the conversation"},
                  {AT_SENT_AT, 8, 1, "time"},
                  {AT_MESSAGE_ID, SAM_ID_SIZE, 1, "message id"},
                  {AT_REFERENCE, SAM_ID_SIZE, 1, "reference"},
                  {AT_SENDER, SAM_KEY_ID_SIZE, 1, "sender"},
                  {AT_RECIPIENT, SAM_KEY_ID_SIZE, 1, "recipient"}};
    const struct signable one = signable(SAM_SALT_SIZE + 20, 1, 12);
    struct signable other;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        tell("Two are alike, but for one byte of the %s, each in its turn.", fields[i].name);
        for (size_t at = 0; at < fields[i].size; at++) {
            other = one;
            other.header[fields[i].offset + at] ^= fields[i].change;
            expect_other_bytes(&one, &other);
        }
    }
    other = one;
    memcpy(other.header + AT_SENDER, one.header + AT_RECIPIENT, SAM_KEY_ID_SIZE);
    memcpy(other.header + AT_RECIPIENT, one.header + AT_SENDER, SAM_KEY_ID_SIZE);
    expect_others(&one, &other, "their sender and recipient, which are exchanged");
    other = signable(SAM_SALT_SIZE + 20, 11, 2);
    expect_others(&one, &other, "sequence and time: 1 and 12, 11 and 2");
}

static void nothing_signed_can_change(void) {
    no_other_field_can_change();
    for (size_t i = 0; i < LENGTHS; i++) {
        size_t length = SAM_SALT_SIZE + lengths[i];
        const struct signable one = signable(length, 0, 0);
        struct signable other = one;
        other.letter[0] ^= 1;
        expect_others(&one, &other, "another salt");
        other = one;
        other.letter[length - 1] ^= 1;
        expect_others(&one, &other, "the last byte of the letter");
        other = one;
        other.letter[length - 2] = one.letter[length - 1];
        other.letter[length - 1] = one.letter[length - 2];
        expect_others(&one, &other, "two bytes of the letter, which are exchanged");
        if (length < LETTER_MAX) {
            other = signable(length + 1, 0, 0);
            other.letter[length] = 0;
            expect_others(&one, &other, "a zero byte at the end of a letter");
        }
    }
}

/* What the real client sends to bob's real server; bob keeps it. */
static struct sealed real_letter_to_bob(const char *letter) {
    char path[PATH_MAX], shown[80];
    struct server_process bob;
    struct sealed got = {0};
    ck_assert_int_lt(snprintf(path, sizeof path, "%s/letter.sam", lab), (int)sizeof path);
    start_server(&bob, mode, lab, NULL);
    struct run_result sent = run_client(&bob, "--save", path, "send_msg", letter, NULL);
    assert_code(&sent, 0);
    run_result_free(&sent);
    snprintf(shown, sizeof shown, "%s\n", letter);
    real_stop(&bob, shown);
    struct sam_bytes file = read_file(path);
    ck_assert_uint_le(file.length, sizeof got.bytes);
    memcpy(got.bytes, file.data, file.length);
    got.length = file.length;
    sam_bytes_free(&file);
    tell("The real client sends Bob's real server \"%s\".", letter);
    return got;
}

static void forwarded_letter_loses(void) {
    char to_bob[64], to_carol[64], shown[80];
    struct server_process carol;
    struct sam_greeting greeting;
    forwarded_letter_wins();
    draw_debt(to_bob);
    draw_debt(to_carol);
    struct sealed got = real_letter_to_bob(to_bob);
    start_server(&carol, mode, lab, "--name", "carol", NULL);
    struct run_result sent = run_client(&carol, "--to", "carol", "send_msg", to_carol, NULL);
    assert_code(&sent, 0);
    run_result_free(&sent);
    tell("It sends Carol's \"%s\", which is for her.", to_carol);
    int fd = real_connect(&carol, &greeting);
    struct sealed made = forwarded(&people.bob, &got, &people.carol, greeting.challenge);
    expect_content(&made, to_bob);
    real_expect_refused(&carol, fd, made.bytes, made.length, SAM_SIGNATURE);
    close(fd);
    snprintf(shown, sizeof shown, "%s\n", to_carol);
    real_stop(&carol, shown);
}

static const struct graded checks[] = {
    {"an honest letter arrives, here and there", HONEST, 0, honest_letters_arrive, NULL},
    {"Carol takes Alice's letter to Bob for one to her", WINS, 3, forwarded_letter_wins,
     "what of a header does Carol's receiver look at? docs/protocol.md, sections 2 and 4"},
    {"so with letters of any length, from any place, onwards", WINS, 1, forwarded_letter_wins_again,
     "nothing in forward() may depend on who is who, or on where the letter stood"},
    {"with your signed_bytes() a letter names its recipient", MENDED, 2,
     mended_letter_is_for_its_recipient,
     "Bob must still be able to verify it: sign nothing that he does not have"},
    {"Carol then refuses what Bob sends on", MENDED, 1, mended_receiver_refuses_what_was_sent_on,
     "forward() must win before it can lose: see the second check"},
    {"no two envelopes have the same signed bytes", MENDED, 2, nothing_signed_can_change,
     "what else would you not want changed behind the sender's back?"},
    {"Carol's real server refuses what Bob sends on", LOSES, 1, forwarded_letter_loses,
     "this one passes once the flawed receiver takes it"},
};

LAB(forwarding, "09_forwarding", "Surreptitious forwarding");
