/* Lab 05: Blocks that answer. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answering_blocks.h"
#include "box.h"
#include "net.h"
#include "real.h"

#define HONEST_ORDER "PAY CAROL 0100."
#define KNOWN_CODE "170936"

enum { LINES_MAX = 1 + ANSWERING_DIGITS, FORM_TEXT = LINES_MAX * ANSWERING_TEXT };

static const struct {
    size_t modulus, hash, fits; /* bytes */
} capacities[] = {{256, 20, 214}, {256, 32, 190}, {256, 48, 158}, {256, 64, 126}, {257, 32, 191},
                  {384, 20, 342}, {384, 32, 318}, {384, 48, 286}, {384, 64, 254}, {511, 64, 381},
                  {512, 20, 470}, {512, 32, 446}, {512, 48, 414}, {512, 64, 382}, {128, 48, 30},
                  {128, 64, 0},   {130, 64, 0},   {131, 64, 1},   {64, 20, 22},   {64, 32, 0}};
enum { CAPACITIES = sizeof capacities / sizeof capacities[0] };

static void call_capacity(void *shared) {
    size_t *fits = shared;
    for (size_t i = 0; i < CAPACITIES; i++)
        fits[i] = STUDENT(capacity)(capacities[i].modulus, capacities[i].hash);
}

static void capacity_is_what_fits(void) {
    char wanted[32];
    size_t *fits = box_shared(CAPACITIES * sizeof *fits);
    box_call("capacity", call_capacity, fits);
    for (size_t i = 0; i < CAPACITIES; i++) {
        tell("You are asked: capacity(%zu, %zu).", capacities[i].modulus, capacities[i].hash);
        snprintf(wanted, sizeof wanted, "%zu", capacities[i].fits);
        if (fits[i] != capacities[i].fits)
            lose(wanted, "%zu", fits[i]);
    }
}

struct order {
    const char *lines[4], *wanted[4]; /* what alice seals, what mallory wants of it */
    size_t count;
};
static const struct order orders[] = {
    {{HONEST_ORDER, "DO NOT", "PAY MALLORY 900."}, {"PAY MALLORY 900.", "DO NOT", HONEST_ORDER}, 3},
    {{"LOCK GATE 1.", "DO NOT", "LOCK GATE 2."}, {"DO NOT", "LOCK GATE 2.", "LOCK GATE 1."}, 3},
    {{"NOW", "OPEN 1.", "DO NOT", "OPEN 2."}, {"NOW", "OPEN 1.", "OPEN 2.", "OPEN 2."}, 4},
};
enum { ORDERS = sizeof orders / sizeof orders[0] };

/* A form's way from alice by mallory to bob. Judge and boxes share it; what the student's functions
 * write stands last. */
struct trial {
    const struct answering_format *format; /* NULL: the second with the student's labels */
    size_t length;
    uint8_t message[ANSWERING_MAX]; /* the form: NUL behind length bytes */
    char text[FORM_TEXT];           /* its lines, for people */
    enum sam_status sealed;
    struct delivery delivery;
    int wire; /* of the panel that sends it again and again */
    char code[ANSWERING_DIGITS + 1];
    unsigned messages;
    enum sam_status said[ANSWERING_MESSAGES]; /* by bob */
    const struct order *order;                /* what cut_and_paste gets; NULL: replace_block */
    uint32_t number;                          /* what replace_block gets */
    char guess[ANSWERING_TEXT];
    uint8_t envelope[ANSWERING_MAX];
};

static void join(char text[FORM_TEXT], const char *const lines[], size_t count) {
    size_t length = 0;
    for (size_t i = 0; i < count && length < FORM_TEXT; i++)
        length +=
            (size_t)snprintf(text + length, FORM_TEXT - length, "%s%s", i > 0 ? " " : "", lines[i]);
}

static void write_form(struct trial *trial, const char *const lines[], size_t count) {
    size_t salt = trial->format == &answering_first ? 0 : SAM_SALT_SIZE;
    trial->length = answering_form(trial->message, people.bob.rsa, salt, lines, count);
    join(trial->text, lines, count);
}

static struct trial *ordered(const struct answering_format *format, const struct order *order) {
    struct trial *trial = box_shared(sizeof *trial);
    trial->format = format;
    trial->order = order;
    write_form(trial, order->lines, order->count);
    return trial;
}

/* A code, and a guess of one of its digits. */
static struct trial *coded(const struct answering_format *format, const char *code, uint32_t number,
                           char guess) {
    struct trial *trial = box_shared(sizeof *trial);
    char text[LINES_MAX][ANSWERING_TEXT] = {"CODE OF TODAY"};
    const char *lines[LINES_MAX] = {text[0]};
    for (uint32_t n = 1; n <= ANSWERING_DIGITS; n++) {
        answering_digit(text[n], n, code[n - 1]);
        lines[n] = text[n];
    }
    trial->format = format;
    write_form(trial, lines, LINES_MAX);
    trial->number = number;
    answering_digit(trial->guess, number, guess);
    return trial;
}

static const struct sam_key *public_bob(void) {
    return sam_ring_find(&people.trusted, people.bob.id);
}

/* In a box when the labels are the student's. */
static struct answering_ends ends_of(const struct answering_format *format) {
    struct answering_ends ends = {.trusted = &people.trusted};
    ends.alice = (struct sam_party){
        .mode = &sam_mode_asymmetric_only, .crypto = people.crypto, .own = &people.alice};
    ends.bob = ends.alice;
    ends.bob.own = &people.bob;
    if (format != NULL)
        ends.format = *format;
    else
        ends.format = (struct answering_format){STUDENT(label_of), SAM_SALT_SIZE, true};
    return ends;
}

static void seal(void *shared) {
    struct trial *trial = shared;
    struct answering_ends ends = ends_of(trial->format);
    trial->sealed = answering_seal(trial->envelope, &ends, trial->message, trial->length);
}

static void open_again(void *shared) {
    struct trial *trial = shared;
    struct answering_ends ends = ends_of(trial->format);
    struct delivery opened, *got = &trial->delivery;
    answering_open(&opened, &ends, trial->envelope);
    *got = opened;
    got->length = 0;
    for (size_t i = 0; i < opened.length; i++) /* the blanks that fill a line are not for people */
        if (opened.message[i] != ' ' || (i + 1 < opened.length && opened.message[i + 1] != ' '))
            got->message[got->length++] = opened.message[i];
}

static void in_its_place(struct trial *trial, void (*work)(void *)) {
    if (trial->format != NULL)
        work(trial);
    else
        box_call("label_of", work, trial);
}

static void call_attack(void *shared) {
    struct trial *trial = shared;
    const struct order *order = trial->order;
    uint8_t *envelope = trial->envelope;
    if (order != NULL)
        STUDENT(cut_and_paste)(envelope, order->lines, order->wanted, order->count);
    else
        STUDENT(replace_block)(envelope, people.crypto, public_bob(), trial->number, trial->guess);
}

static void mallory_has_it(struct trial *trial) {
    box_call(trial->order != NULL ? "cut_and_paste" : "replace_block", call_attack, trial);
    if (trial->order != NULL)
        tell("cut_and_paste() has it.");
    else
        tell("replace_block() puts \"%s\" into block %u.", trial->guess, trial->number);
}

/* From alice to bob, with mallory in between or not. */
static const struct delivery *passed(struct trial *trial, bool attacked) {
    tell("Alice seals%s: \"%s\".", trial->format == NULL ? ", with your labels" : "", trial->text);
    in_its_place(trial, seal);
    if (trial->sealed != SAM_OK)
        lose("an envelope", "%s", sam_status_name(trial->sealed));
    if (attacked)
        mallory_has_it(trial);
    in_its_place(trial, open_again);
    return &trial->delivery;
}

static void cut_and_pasted_orders_win(void) {
    char wanted[FORM_TEXT];
    for (size_t i = 0; i < ORDERS; i++) {
        join(wanted, orders[i].wanted, orders[i].count);
        expect_handed(passed(ordered(&answering_first, &orders[i]), true), wanted, "alice");
    }
}

static struct trial *guess_of(const struct answering_format *format, uint32_t number, bool right) {
    return coded(format, KNOWN_CODE, number, right ? KNOWN_CODE[number - 1] : '4');
}

static void right_guesses_win(void) {
    for (uint32_t number = 1; number <= ANSWERING_DIGITS; number++) {
        struct trial *right = guess_of(&answering_second, number, true);
        expect_handed(passed(right, true), right->text, "alice");
        expect_refused(passed(guess_of(&answering_second, number, false), true), SAM_SIGNATURE);
    }
}

/* Its patience ends before a box's, so that it is not blamed for a guess_code() that hangs. */
static void run_panel(void *shared) {
    struct trial *trial = shared;
    struct answering_ends ends = ends_of(trial->format);
    int64_t deadline = sam_now() + student_time() / 2;
    trial->messages =
        answering_panel(trial->said, trial->wire, deadline, &ends, trial->message, trial->length);
}

static int mallorys_wire;

static void call_guess(void *code) {
    STUDENT(guess_code)(code, people.crypto, public_bob(), mallorys_wire);
}

/* Alice's panel, mallory on its wire, bob. The code begins with so many zeros; it is drawn when
 * guess_code() runs already, in memory that its box does not have. */
static const struct trial *panel_runs(const struct answering_format *format, char *guess,
                                      size_t zeros) {
    int ends[2];
    uint8_t random[ANSWERING_DIGITS];
    char code[ANSWERING_DIGITS + 1] = "";
    socket_pair(ends);
    mallorys_wire = ends[1];
    struct box guesser = box_start("guess_code", call_guess, guess, (int[]){ends[1], -1});
    close(ends[1]);
    ck_status(sam_random(random, sizeof random), SAM_OK);
    for (size_t i = 0; i < ANSWERING_DIGITS; i++)
        code[i] = (char)('0' + (i < zeros ? 0 : random[i] % 10));
    struct trial *trial = coded(format, code, 1, '0');
    memcpy(trial->code, code, sizeof code);
    trial->wire = ends[0];
    if (format != NULL) {
        run_panel(trial);
    } else {
        struct box receiver = box_start("label_of", run_panel, trial, (int[]){ends[0], -1});
        box_finish(&receiver);
    }
    close(ends[0]);
    box_finish(&guesser);
    tell("The panel's code is %s; guess_code() passes on %u messages.", code, trial->messages);
    return trial;
}

static void codes_fall(void) {
    for (size_t zeros = 0; zeros <= 2; zeros += 2) {
        char *guess = box_shared(ANSWERING_DIGITS + 1);
        const struct trial *trial = panel_runs(&answering_second, guess, zeros);
        if (memcmp(guess, trial->code, ANSWERING_DIGITS) != 0)
            lose(trial->code, "\"%.*s\" after %u of %d messages", ANSWERING_DIGITS, guess,
                 trial->messages, ANSWERING_MESSAGES);
    }
}

static void expect_honest(const struct answering_format *format) {
    struct trial *order = ordered(format, &orders[0]), *code = guess_of(format, 1, true);
    expect_handed(passed(order, false), order->text, "alice");
    expect_handed(passed(code, false), code->text, "alice");
}

/* What a label is made of: header || salt || index. Block 1 comes first, then block 1 with each
 * byte changed in turn, then block 0 and that with each byte of its header changed. */
enum { INPUT = SAM_HEADER_SIZE + SAM_SALT_SIZE + 4, BLOCKS = 1 + INPUT + 1 + SAM_HEADER_SIZE };

static void write_input(uint8_t input[INPUT], size_t block) {
    size_t changed = block % (1 + INPUT);
    memset(input, 0, INPUT);
    sam_put32(input + INPUT - 4, block <= INPUT);
    if (changed > 0)
        input[changed - 1] ^= 2;
}

struct labelled {
    enum sam_status status;
    uint8_t label[SAM_LABEL_SIZE];
};

static void call_label(void *shared) {
    struct labelled *got = shared;
    uint8_t input[INPUT];
    for (size_t i = 0; i < BLOCKS; i++) {
        write_input(input, i);
        uint32_t index = sam_get32(input + INPUT - 4);
        got[i].status = STUDENT(label_of)(people.crypto, got[i].label, input,
                                          index == 0 ? NULL : input + SAM_HEADER_SIZE, index);
    }
}

static void mended_labels_differ(void) {
    struct labelled *got = box_shared(BLOCKS * sizeof *got);
    expect_honest(NULL);
    box_call("label_of", call_label, got);
    tell("label_of() labels %d blocks: other headers, other salts, other indices.", BLOCKS);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (got[i].status != SAM_OK)
            lose("a label", "%s", sam_status_name(got[i].status));
        for (size_t k = 0; k < i; k++)
            if (memcmp(got[i].label, got[k].label, SAM_LABEL_SIZE) == 0)
                lose("another label", "the same whatever byte %zu of header || salt || index is",
                     i % (1 + INPUT) - (i % (1 + INPUT) > 0));
    }
}

static void mended_labels_answer_no_guess(void) {
    cut_and_pasted_orders_win();
    right_guesses_win();
    for (size_t i = 0; i < ORDERS; i++)
        expect_refused(passed(ordered(NULL, &orders[i]), true), SAM_DECRYPT);
    for (uint32_t i = 2; i < 2 * (1 + ANSWERING_DIGITS); i++)
        expect_refused(passed(guess_of(NULL, i / 2, i % 2), true), SAM_DECRYPT);
    const struct trial *trial = panel_runs(NULL, box_shared(ANSWERING_DIGITS + 1), 0);
    if (trial->messages == 0)
        lose("some guesses by guess_code()", "none");
    for (unsigned i = 0; i < trial->messages && i < ANSWERING_MESSAGES; i++)
        if (trial->said[i] != SAM_DECRYPT)
            lose("DECRYPT, whatever the guess", "%s", sam_status_name(trial->said[i]));
}

static void honest_forms_arrive(void) {
    char shown[ANSWERING_MAX + 1];
    const char *form = (const char *)ordered(NULL, &orders[0])->message;
    expect_honest(&answering_first);
    expect_honest(&answering_second);
    struct server_process server = real_start(&sam_mode_asymmetric_only, form);
    snprintf(shown, sizeof shown, "%s\n", form);
    real_stop(&server, shown);
}

/* The real client sends the form, mallory has it in her hands, the real server gets it. */
static void expect_real_refusal(const struct server_process *server, struct trial *trial) {
    struct server_process tap = *server;
    struct sam_greeting greeting;
    uint8_t bytes[SAM_GREETING_SIZE];
    char address[SAM_ADDRESS_MAX];
    int listener, wire;
    tap.port = 0;
    ck_status(sam_listen(&listener, "127.0.0.1", &tap.port, NULL), SAM_OK);
    tell("The real client sends: \"%s\".", trial->text);
    struct process client =
        start_client(&tap, NULL, 0, "send_msg", (const char *)trial->message, NULL);
    ck_assert(readable_until(listener, sam_now() + PATIENT));
    ck_status(sam_accept(&wire, listener, address), SAM_OK);
    int onward = real_connect(server, &greeting);
    sam_greeting_write(bytes, &greeting);
    write_raw(wire, bytes, sizeof bytes);
    ck_assert(answering_take(wire, trial->envelope));
    size_t length = (size_t)sam_unit_length(trial->envelope, SAM_UNIT_SIZE);
    mallory_has_it(trial);
    real_expect_refused(server, onward, trial->envelope, length, SAM_DECRYPT);
    close(onward);
    close(wire);
    close(listener);
    struct run_result result = finish(&client);
    run_result_free(&result);
}

static void cut_and_pasted_orders_lose(void) {
    cut_and_pasted_orders_win();
    struct server_process server = real_start(&sam_mode_asymmetric_only, HONEST_ORDER);
    for (size_t i = 0; i < ORDERS; i++)
        expect_real_refusal(&server, ordered(NULL, &orders[i]));
    real_stop(&server, HONEST_ORDER "\n");
}

static void right_guesses_lose(void) {
    right_guesses_win();
    struct server_process server = real_start(&sam_mode_asymmetric_only, HONEST_ORDER);
    for (uint32_t number = 1; number <= ANSWERING_DIGITS; number += 5)
        expect_real_refusal(&server, guess_of(NULL, number, true));
    real_stop(&server, HONEST_ORDER "\n");
}

static const struct graded checks[] = {
    {"honest forms arrive, here and there", HONEST, 0, honest_forms_arrive, NULL},
    {"your capacity() is what fits in a block", MENDED, 1, capacity_is_what_fits,
     "RFC 8017, 7.1.1, step 1b; and is a size_t ever less than 0?"},
    {"orders that you cut and paste say what you want", WINS, 2, cut_and_pasted_orders_win,
     "what of a block says which block it is?"},
    {"your guess_code() finds codes of six digits", WINS, 3, codes_fall,
     "what is different for Bob when the block that you put there says what was there?"},
    {"with your labels honest forms arrive; all labels differ", MENDED, 1, mended_labels_differ,
     "docs/protocol.md, section 6"},
    {"with your labels Bob answers no guess, and misses no cut", MENDED, 1,
     mended_labels_answer_no_guess, "what does Mallory have to know for a label?"},
    {"the real server refuses orders that are cut and pasted", LOSES, 1, cut_and_pasted_orders_lose,
     "this one passes once cut_and_paste() wins"},
    {"the real server refuses a block with the right guess", LOSES, 1, right_guesses_lose,
     "this one passes once replace_block() makes Bob accept a right guess, and no wrong one"},
};

LAB(answering_blocks, "05_answering_blocks", "Blocks that answer");
