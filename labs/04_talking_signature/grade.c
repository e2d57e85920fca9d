/* Lab 04: The signature that talks. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "box.h"
#include "real.h"
#include "talking_signature.h"

#define HONEST_ORDER "PAY CAROL 0100"

enum {
    MESSAGE_MAX = LETTER_MAX - SAM_SALT_SIZE,
    RUNS = 2, /* of the student's program, with so many letters each */
    LETTERS = 32,
    ALL = RUNS * LETTERS,
    VALUES = 32 /* random bytes take more different ones in ALL letters */
};

static const struct text nothing;

static struct text text_of(const void *data, size_t length) {
    struct text text = {.length = length};
    memcpy(text.bytes, data, length);
    return text;
}

static bool same(const struct text *a, const struct text *b) {
    return a->length == b->length && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static struct text pin_message(const char *pin) {
    char line[32];
    snprintf(line, sizeof line, "PIN %s", pin);
    return text_of(line, strlen(line));
}

static void draw_pin(char pin[PIN_SIZE + 1], unsigned below) {
    uint8_t random[4];
    ck_status(sam_random(random, sizeof random), SAM_OK);
    snprintf(pin, PIN_SIZE + 1, "%04u", sam_get32(random) % below % PINS);
}

static struct sealed sealed_for(const struct sam_key *to, const struct text *letter) {
    struct sealed envelope = {0};
    struct sam_party alice = {
        .mode = &sam_mode_asymmetric_only, .crypto = people.crypto, .own = &people.alice};
    ck_status(talking_signature_seal(&envelope, &alice, to, letter), SAM_OK);
    return envelope;
}

/* Alice's flawed program, from message to envelope. */
static struct sealed flawed_envelope(const struct sam_key *to, const struct text *message) {
    struct text letter = {0};
    ck_status(talking_signature_write(&letter, message), SAM_OK);
    return sealed_for(to, &letter);
}

static struct text letter_at_bob(const struct sealed *envelope) {
    struct text letter = {0};
    struct sam_party bob = {
        .mode = &sam_mode_asymmetric_only, .crypto = people.crypto, .own = &people.bob};
    ck_status(talking_signature_open(&letter, &bob, &people.trusted, envelope), SAM_OK);
    return letter;
}

/* What goes into recover_pin() and comes out of it. */
struct recovering {
    atomic_bool ready; /* the envelope is there */
    struct sealed envelope;
    struct text before;
    char pin[PIN_SIZE + 1];
    enum sam_status status;
    size_t guesses;
};

static void call_recover(void *shared) {
    struct recovering *recovering = shared;
    const struct sam_key *alice = sam_ring_find(&people.trusted, people.alice.id);
    int64_t deadline = sam_now() + student_time();
    while (!atomic_load(&recovering->ready) && nap_until(deadline))
        continue;
    uint64_t before = sam_crypto_count(people.crypto).public_operations;
    recovering->status = STUDENT(recover_pin)(recovering->pin, people.crypto, alice,
                                              &recovering->envelope, &recovering->before);
    recovering->guesses = sam_crypto_count(people.crypto).public_operations - before;
}

/* The box begins before there is an envelope: what the judge draws for it afterwards is nowhere in
 * its memory. */
static struct recovering *begin_recovering(struct box *box) {
    struct recovering *recovering = box_shared(sizeof *recovering);
    *box = box_start("recover_pin", call_recover, recovering, NULL);
    return recovering;
}

static void finish_recovering(struct box *box, struct recovering *recovering,
                              const struct sealed *envelope, const struct text *before) {
    recovering->envelope = *envelope;
    recovering->before = *before;
    atomic_store(&recovering->ready, true);
    box_finish(box);
    tell("recover_pin() says %s after %zu guesses%s.", sam_status_name(recovering->status),
         recovering->guesses, recovering->status == SAM_OK ? ": Eve has the PIN" : "");
}

static struct recovering *recovered(const struct sealed *envelope, const struct text *before) {
    struct box box;
    struct recovering *recovering = begin_recovering(&box);
    finish_recovering(&box, recovering, envelope, before);
    return recovering;
}

static _Noreturn void lose_pin(const char *wanted, const struct recovering *recovering) {
    char shown[PIN_SIZE + 1] = "";
    memcpy(shown, recovering->pin, PIN_SIZE);
    for (size_t i = 0; shown[i] != '\0'; i++)
        if (shown[i] < '0' || shown[i] > '9')
            shown[i] = '?';
    lose(wanted, "%s \"%s\"%s", sam_status_name(recovering->status), shown,
         recovering->pin[PIN_SIZE] != '\0' ? " and no NUL behind it" : "");
}

static void expect_pin(const struct recovering *recovering, const char *pin) {
    char wanted[32];
    snprintf(wanted, sizeof wanted, "OK \"%s\"", pin);
    if (recovering->status != SAM_OK || memcmp(recovering->pin, pin, PIN_SIZE + 1) != 0)
        lose_pin(wanted, recovering);
}

/* Each guess was tried, and failed. */
static void expect_no_pin(const struct recovering *recovering) {
    if (recovering->status != SAM_SIGNATURE || recovering->pin[0] != '\0')
        lose_pin("SIGNATURE and no PIN", recovering);
    if (recovering->guesses < PINS)
        lose("SIGNATURE for each of 10000 guesses", "only %zu guesses", recovering->guesses);
}

static void flawed_program_loses_a_pin(const struct sam_key *to, unsigned below) {
    char pin[PIN_SIZE + 1];
    struct box box;
    struct recovering *recovering = begin_recovering(&box);
    draw_pin(pin, below);
    struct text message = pin_message(pin);
    struct sealed envelope = flawed_envelope(to, &message);
    tell("Alice's flawed program sends \"PIN %s\" to %s. Eve records it.", pin, to->name);
    finish_recovering(&box, recovering, &envelope, &nothing);
    expect_pin(recovering, pin);
}

static void honest_messages_arrive(void) {
    struct text read = {0}, letter, message = text_of(HONEST_ORDER, strlen(HONEST_ORDER));
    struct sealed envelope = flawed_envelope(&people.bob, &message);
    letter = letter_at_bob(&envelope);
    ck_status(talking_signature_read(&read, &letter), SAM_OK);
    ck_assert(same(&read, &message));
    struct server_process server = real_start(&sam_mode_asymmetric_only, HONEST_ORDER);
    real_stop(&server, HONEST_ORDER "\n");
}

static void pin_is_recovered(void) {
    struct text message = text_of("PIN lost", strlen("PIN lost"));
    flawed_program_loses_a_pin(&people.carol, PINS / 100);
    struct sealed envelope = flawed_envelope(&people.bob, &message);
    tell("Alice's flawed program sends \"PIN lost\" to bob. That is no PIN.");
    expect_no_pin(recovered(&envelope, &nothing));
    flawed_program_loses_a_pin(&people.bob, PINS);
}

/* What goes into write_letter() and comes out of it, one message in many letters. */
struct writing {
    struct text message;
    size_t count;
    enum sam_status status[LETTERS];
    struct text letters[LETTERS];
};

static void call_write(void *shared) {
    struct writing *writing = shared;
    for (size_t i = 0; i < writing->count; i++)
        writing->status[i] = STUDENT(write_letter)(&writing->letters[i], &writing->message);
}

/* Written, and each of them found to be some salt and the message. */
static const struct text *written(const struct text *message, size_t count) {
    struct writing *writing = box_shared(sizeof *writing);
    writing->message = *message;
    writing->count = count;
    box_call("write_letter", call_write, writing);
    tell("write_letter() makes %zu letter(s) of one message of %zu bytes.", count, message->length);
    for (size_t i = 0; i < count; i++) {
        const struct text *letter = &writing->letters[i];
        if (writing->status[i] != SAM_OK || letter->length != SAM_SALT_SIZE + message->length)
            lose("OK and a letter 16 bytes longer", "%s and %zu bytes",
                 sam_status_name(writing->status[i]), letter->length);
        if (memcmp(letter->bytes + SAM_SALT_SIZE, message->bytes, message->length) != 0)
            lose("the message behind 16 bytes", "something else there");
    }
    return writing->letters;
}

/* What goes into read_letter() and comes out of it. */
struct reading {
    struct text letter, message;
    enum sam_status status;
};

static void call_read(void *shared) {
    struct reading *reading = shared;
    reading->status = STUDENT(read_letter)(&reading->message, &reading->letter);
}

static void expect_read(const struct text *letter, enum sam_status status,
                        const struct text *message) {
    char wanted[64];
    struct reading *reading = box_shared(sizeof *reading);
    reading->letter = *letter;
    memset(&reading->message, 0x42, sizeof reading->message); /* what was there is no answer */
    box_call("read_letter", call_read, reading);
    tell("read_letter() says %s to a letter of %zu bytes.", sam_status_name(reading->status),
         letter->length);
    if (reading->status != status)
        lose(sam_status_name(status), "%s", sam_status_name(reading->status));
    snprintf(wanted, sizeof wanted, "%zu bytes, and zeros behind them", message->length);
    if (reading->message.length != message->length)
        lose(wanted, "%zu bytes", reading->message.length);
    if (memcmp(reading->message.bytes, message->bytes, sizeof message->bytes) != 0)
        lose(wanted, "other bytes");
}

static void expect_round_trip(const struct text *message) {
    const struct text *letter = written(message, 1);
    struct sealed envelope = sealed_for(&people.bob, letter);
    struct text opened = letter_at_bob(&envelope);
    tell("Alice signs and seals it; Bob's program opens it and verifies.");
    expect_read(&opened, SAM_OK, message);
}

static void letters_carry_messages(void) {
    uint8_t bytes[LETTER_MAX];
    ck_status(sam_random(bytes, sizeof bytes), SAM_OK);
    bytes[3] = bytes[SAM_SALT_SIZE + 3] = '\0'; /* no string */
    const size_t lengths[] = {0, 8, 16, 17, MESSAGE_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct text message = text_of(bytes, lengths[i]);
        expect_round_trip(&message);
    }
    tell("Now a letter that Alice's colleague wrote, then four that were cut short.");
    struct text letter = text_of(bytes, MESSAGE_MAX);
    struct text message = text_of(bytes + SAM_SALT_SIZE, MESSAGE_MAX - SAM_SALT_SIZE);
    expect_read(&letter, SAM_OK, &message);
    for (size_t length = 0; length < SAM_SALT_SIZE; length += 5) {
        letter = text_of(bytes, length);
        expect_read(&letter, SAM_TRUNCATED, &nothing);
    }
    struct writing *writing = box_shared(sizeof *writing);
    writing->message = text_of(bytes, MESSAGE_MAX + 1);
    writing->count = 1;
    box_call("write_letter", call_write, writing);
    tell("write_letter() gets a message of %d bytes: one too many.", MESSAGE_MAX + 1);
    if (writing->status[0] != SAM_TOO_LONG || !same(&writing->letters[0], &nothing))
        lose("TOO_LONG and zeros", "%s and %zu bytes", sam_status_name(writing->status[0]),
             writing->letters[0].length);
}

/* The salts of many letters, and a zero behind each. */
typedef uint8_t salts[ALL][SAM_SALT_SIZE + 1];

/* How many different values byte a takes, counted from byte b. */
static size_t values(salts all, size_t a, size_t b) {
    bool seen[256] = {false};
    size_t count = 0;
    for (size_t i = 0; i < ALL; i++) {
        uint8_t value = (uint8_t)(all[i][a] - all[i][b]);
        count += !seen[value];
        seen[value] = true;
    }
    return count;
}

static void salts_are_fresh(void) {
    char pin[PIN_SIZE + 1];
    salts all = {{0}};
    draw_pin(pin, PINS);
    struct text message = pin_message(pin);
    for (size_t run = 0; run < RUNS; run++) {
        const struct text *letters = written(&message, LETTERS);
        for (size_t i = 0; i < LETTERS; i++)
            memcpy(all[run * LETTERS + i], letters[i].bytes, SAM_SALT_SIZE);
    }
    tell("That is one message in %d letters, by two runs of the program.", ALL);
    for (size_t i = 0; i < ALL; i++)
        for (size_t j = 0; j < i; j++)
            if (memcmp(all[i], all[j], SAM_SALT_SIZE) == 0)
                lose("a new salt in every letter", "the same in letters %zu and %zu", j + 1, i + 1);
    for (size_t i = 0; i < SAM_SALT_SIZE; i++)
        if (values(all, i, SAM_SALT_SIZE) < VALUES)
            lose("16 bytes that nobody can guess", "a byte %zu that takes %zu values", i,
                 values(all, i, SAM_SALT_SIZE));
    for (size_t i = 0; i < SAM_SALT_SIZE; i++)
        for (size_t j = 0; j < i; j++)
            if (values(all, i, j) < VALUES)
                lose("16 bytes that nobody can guess", "byte %zu, which byte %zu tells", i, j);
}

static bool holds(const struct sealed *envelope, const uint8_t *salt) {
    for (size_t i = 0; i + SAM_SALT_SIZE <= envelope->length; i++)
        if (memcmp(envelope->bytes + i, salt, SAM_SALT_SIZE) == 0)
            return true;
    return false;
}

static void letters_keep_the_pin(void) {
    char pin[PIN_SIZE + 1];
    struct text zeros = {.length = SAM_SALT_SIZE};
    flawed_program_loses_a_pin(&people.bob, PINS / 10);
    draw_pin(pin, PINS / 10);
    struct text message = pin_message(pin);
    const struct text *letters = written(&message, 2);
    struct text earlier = text_of(letters[0].bytes, SAM_SALT_SIZE);
    struct text own = text_of(letters[1].bytes, SAM_SALT_SIZE);
    struct sealed envelope = sealed_for(&people.bob, &letters[1]);
    tell("Alice seals the second letter, with \"PIN %s\", for bob. Eve records it.", pin);
    if (holds(&envelope, own.bytes))
        lose("a salt that is nowhere in clear", "an envelope that shows it");
    tell("Eve guesses the message alone.");
    expect_no_pin(recovered(&envelope, &nothing));
    tell("Eve guesses the message behind 16 zeros.");
    expect_no_pin(recovered(&envelope, &zeros));
    tell("Eve guesses the message behind the salt of the first letter.");
    expect_no_pin(recovered(&envelope, &earlier));
    tell("Bob shows Eve the salt of this letter.");
    expect_pin(recovered(&envelope, &own), pin);
}

/* The salt of a real envelope for bob, as bob has it. */
static struct text salt_at_bob(const struct sealed *envelope) {
    uint8_t label[SAM_LABEL_SIZE], letter[SAM_RSA_SIZE_MAX];
    size_t length = 0;
    ck_status(sam_label(people.crypto, label, envelope->bytes, NULL, 0), SAM_OK);
    ck_status(sam_oaep_decrypt(people.crypto, people.bob.rsa, letter, &length, label, sizeof label,
                               envelope->bytes + SAM_HEADER_SIZE),
              SAM_OK);
    ck_assert_uint_ge(length, SAM_SALT_SIZE);
    return text_of(letter, SAM_SALT_SIZE);
}

/* The real client sends it: what went over the line. */
static struct sealed real_envelope(const struct server_process *server, const char *message) {
    struct sealed envelope = {0};
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.*s/recorded.sam", PATH_MAX - 32, lab);
    struct run_result sent =
        run_client(server, "--quiet", "--save", path, "send_msg", message, NULL);
    assert_code(&sent, 0);
    run_result_free(&sent);
    struct sam_bytes bytes = read_file(path);
    ck_assert_uint_le(bytes.length, sizeof envelope.bytes);
    envelope.length = bytes.length;
    memcpy(envelope.bytes, bytes.data, bytes.length);
    sam_bytes_free(&bytes);
    tell("The real client sends \"%s\" to the real server. Eve records it.", message);
    return envelope;
}

static void real_envelope_keeps_the_pin(void) {
    char pin[PIN_SIZE + 1], message[32], shown[64];
    flawed_program_loses_a_pin(&people.bob, PINS / 10);
    draw_pin(pin, PINS / 10);
    snprintf(message, sizeof message, "PIN %s", pin);
    snprintf(shown, sizeof shown, HONEST_ORDER "\n%s\n", message);
    struct server_process server = real_start(&sam_mode_asymmetric_only, HONEST_ORDER);
    struct sealed envelope = real_envelope(&server, message);
    struct text salt = salt_at_bob(&envelope);
    tell("Bob shows Eve the salt of this letter.");
    expect_pin(recovered(&envelope, &salt), pin);
    tell("He does not: she guesses without it.");
    expect_no_pin(recovered(&envelope, &nothing));
    real_stop(&server, shown);
}

static const struct graded checks[] = {
    {"an honest message arrives, here and there", HONEST, 0, honest_messages_arrive, NULL},
    {"recover_pin() reads PINs out of the flawed envelopes", WINS, 3, pin_is_recovered,
     "what does Bob do with the signature, and whose keys does he need for it?"},
    {"your letters carry messages of every length", MENDED, 1, letters_carry_messages,
     "talking_signature.h says what a letter is, and what becomes of one that is none"},
    {"no two of your letters begin alike", MENDED, 2, salts_are_fresh,
     "could Eve compute these bytes, or one that she has not seen from those that she has?"},
    {"your letters keep their PIN from recover_pin()", MENDED, 2, letters_keep_the_pin,
     "recover_pin() has to guess behind the bytes in before, and the salt to be another each time"},
    {"the real client's envelope keeps its PIN", LOSES, 2, real_envelope_keeps_the_pin,
     "it is found in the flawed envelope first; then no guess may verify, and all be tried"},
};

LAB(talking_signature, "04_talking_signature", "The signature that talks");
