/* Lab 01: Read the wire. What is right is worked out from the two files, whatever they hold. */
#include <stdio.h>
#include <string.h>

#include "real.h"

#define FOLDER "labs/01_read_the_wire/"

enum { ANSWER_SIZE = 80 };

/* One of the two files, as Eve has it. */
struct sealed {
    const char *path;
    const struct sam_mode *mode;
    struct sam_bytes bytes;
    struct sam_header header;
};
static struct sealed mode1 = {.path = FOLDER "mode1.sam", .mode = &sam_mode_asymmetric_only};
static struct sealed mode2 = {.path = FOLDER "mode2.sam", .mode = &sam_mode_asymmetric_symmetric};

struct question {
    const char *name;
    void (*answer)(char right[ANSWER_SIZE], const struct question *question);
    const struct sealed *of;
    const char *part; /* what it is about: a name of the library's own tables */
    const char *look; /* where, when the answer is wrong */
};

static void read_envelope(struct sealed *sealed) {
    sealed->bytes = read_file(sealed->path);
    if (sealed->bytes.length < SAM_HEADER_SIZE ||
        sam_header_read(&sealed->header, sealed->bytes.data, sealed->mode->number, SAM_KINDS_ALL) !=
            SAM_OK ||
        !sealed->mode->fits(&sealed->header, sealed->mode->max_message) ||
        sealed->bytes.length != SAM_HEADER_SIZE + (size_t)sealed->header.body_length)
        lose("an envelope", "something else in %s: was it changed?", sealed->path);
}

static void read_both(void) {
    read_envelope(&mode1);
    read_envelope(&mode2);
}

/* Opens a copy of it with its recipient's private key. The caller frees the envelope. */
static enum sam_status open_copy(struct sam_envelope *copy, const struct sealed *sealed) {
    const struct sam_key *sender, *to = sam_ring_find(&people.trusted, sealed->header.recipient);
    struct sam_expectation expected = {.trusted = &people.trusted,
                                       .kinds = 1 << SAM_KIND_SEND,
                                       .max_message = sealed->mode->max_message};
    *copy = (struct sam_envelope){0};
    if (to == NULL)
        return SAM_RECIPIENT;
    struct sam_party party = {
        .mode = sealed->mode, .crypto = people.crypto, .own = person(to->name)};
    ck_status(sam_bytes_append(&copy->bytes, sealed->bytes.data, sealed->bytes.length), SAM_OK);
    return sam_envelope_accept(copy, &sender, &party, &expected);
}

/* The last part of that name. */
static bool find_part(struct sam_field *found, const struct sealed *sealed, const char *name) {
    size_t count;
    bool is_there = false;
    struct sam_field part;
    const struct sam_field *fields = sam_unit_fields(SAM_ENVELOPE, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0) {
            *found = fields[i];
            is_there = true;
        }
    for (size_t i = 0; sealed->mode->part(&sealed->header, i, &part); i++)
        if (strcmp(part.name, name) == 0) {
            *found = part;
            is_there = true;
        }
    return is_there;
}

static const uint8_t *field_of(struct sam_field *field, const struct question *question) {
    ck_assert(find_part(field, question->of, question->part));
    return question->of->bytes.data + field->offset;
}

static void place(char right[ANSWER_SIZE], const struct question *question) {
    struct sam_field part;
    if (find_part(&part, question->of, question->part))
        snprintf(right, ANSWER_SIZE, "%zu %zu", part.offset, part.size);
    else
        snprintf(right, ANSWER_SIZE, "encrypted");
}

static void number(char right[ANSWER_SIZE], const struct question *question) {
    struct sam_field field;
    const uint8_t *data = field_of(&field, question);
    snprintf(right, ANSWER_SIZE, "%llu", (unsigned long long)sam_field_number(&field, data));
}

static void utc(char right[ANSWER_SIZE], const struct question *question) {
    struct sam_field field;
    char reading[SAM_READING_SIZE];
    const uint8_t *data = field_of(&field, question);
    sam_field_reading(reading, &field, data);
    snprintf(right, ANSWER_SIZE, "%.19s", reading); /* to the second */
}

static void who(char right[ANSWER_SIZE], const struct question *question) {
    struct sam_field field;
    const struct sam_key *key = sam_ring_find(&people.trusted, field_of(&field, question));
    snprintf(right, ANSWER_SIZE, "%s", key != NULL ? key->name : "nobody");
}

static void how_many(char right[ANSWER_SIZE], const struct question *question) {
    struct sam_field part;
    size_t count = 0;
    for (size_t i = 0; question->of->mode->part(&question->of->header, i, &part); i++)
        count += strcmp(part.name, question->part) == 0;
    snprintf(right, ANSWER_SIZE, "%zu", count);
}

/* How long an envelope from one's sender to its recipient is, in a mode. */
static size_t sealed_length(const struct sealed *like, const struct sam_mode *mode,
                            size_t message_length) {
    return SAM_HEADER_SIZE + mode->layout(SAM_SALT_SIZE + message_length,
                                          like->header.signature_length, like->header.block_length)
                                 .length;
}

/* The lengths that its message can have: all are tried. */
struct range {
    size_t shortest, longest;
};
static struct range message_lengths(const struct sealed *sealed) {
    struct range range = {.shortest = SIZE_MAX};
    for (size_t length = 0; length < sealed->bytes.length; length++)
        if (sealed_length(sealed, sealed->mode, length) == sealed->bytes.length) {
            range.longest = length;
            if (range.shortest == SIZE_MAX)
                range.shortest = length;
        }
    return range;
}

static void shortest(char right[ANSWER_SIZE], const struct question *question) {
    snprintf(right, ANSWER_SIZE, "%zu", message_lengths(question->of).shortest);
}

static void longest(char right[ANSWER_SIZE], const struct question *question) {
    snprintf(right, ANSWER_SIZE, "%zu", message_lengths(question->of).longest);
}

static void same_message(char right[ANSWER_SIZE], const struct question *question) {
    struct range a = message_lengths(&mode1), b = message_lengths(&mode2);
    bool can_be = a.shortest <= b.longest && b.shortest <= a.longest;
    (void)question;
    snprintf(right, ANSWER_SIZE, "%s", can_be ? "unknown" : "different");
}

static void yes_if(char right[ANSWER_SIZE], bool is_so) {
    snprintf(right, ANSWER_SIZE, "%s", is_so ? "yes" : "no");
}

static void in_clear(char right[ANSWER_SIZE], const struct question *question) {
    struct sam_field part;
    yes_if(right, find_part(&part, question->of, question->part));
}

static void one_length(char right[ANSWER_SIZE], const struct question *question) {
    struct range range = message_lengths(question->of);
    yes_if(right, range.shortest == range.longest);
}

static void confirms_a_guess(char right[ANSWER_SIZE], const struct question *question) {
    struct sam_envelope opened;
    struct sam_field signature;
    const uint8_t *bytes = question->of->bytes.data;
    const struct sam_key *sender = sam_ring_find(&people.trusted, question->of->header.sender);
    const uint8_t *at = field_of(&signature, question);
    ck_status(open_copy(&opened, question->of), SAM_OK);
    yes_if(right, sam_pss_verify(people.crypto, sender->rsa, at, bytes, SAM_HEADER_SIZE,
                                 opened.message, opened.message_length) == SAM_OK);
    sam_envelope_free(&opened);
}

static void same_bytes_again(char right[ANSWER_SIZE], const struct question *question) {
    struct sam_envelope opened;
    const struct sealed *sealed = question->of;
    const struct sam_key *to = sam_ring_find(&people.trusted, sealed->header.recipient);
    const struct sam_key *from = sam_ring_find(&people.trusted, sealed->header.sender);
    ck_status(open_copy(&opened, sealed), SAM_OK);
    struct sam_party party = {
        .mode = sealed->mode, .crypto = people.crypto, .own = person(from->name)};
    struct sam_address address = {.kind = SAM_KIND_SEND, .sent_at = sealed->header.sent_at};
    struct sam_envelope again =
        seal_at(&party, to, &address, opened.message, opened.message_length);
    bool is_found = false;
    for (size_t at = SAM_HEADER_SIZE; at + 16 <= sealed->bytes.length; at++)
        is_found = is_found || memcmp(sealed->bytes.data + at, again.bytes.data + at, 16) == 0;
    yes_if(right, is_found);
    sam_envelope_free(&again);
    sam_envelope_free(&opened);
}

static void opens_later(char right[ANSWER_SIZE], const struct question *question) {
    struct sam_envelope opened;
    yes_if(right, open_copy(&opened, question->of) == SAM_OK);
    sam_envelope_free(&opened);
}

static void same_fields(char right[ANSWER_SIZE], const struct question *question) {
    size_t count, used = 0;
    const struct sam_field *fields = sam_unit_fields(SAM_ENVELOPE, &count);
    (void)question;
    right[0] = '\0';
    for (size_t i = 0; i < count; i++)
        if (fields[i].offset >= SAM_PROLOGUE_SIZE &&
            memcmp(mode1.bytes.data + fields[i].offset, mode2.bytes.data + fields[i].offset,
                   fields[i].size) == 0)
            used += (size_t)snprintf(right + used, ANSWER_SIZE - used, "%s%zu", used > 0 ? " " : "",
                                     fields[i].offset);
}

static void one_byte_more(char right[ANSWER_SIZE], const struct question *question) {
    const struct sealed *sealed = question->of;
    snprintf(right, ANSWER_SIZE, "%zu",
             sealed_length(sealed, sealed->mode, message_lengths(sealed).longest + 1));
}

static void in_the_other_mode(char right[ANSWER_SIZE], const struct question *question) {
    snprintf(right, ANSWER_SIZE, "%zu",
             sealed_length(question->of, mode1.mode, message_lengths(question->of).longest));
}

/* Blanks at the ends go, others become one space; capitals become small letters; what is no
 * printable ASCII becomes a question mark. What is too long is cut: no answer is that long. */
static void tidy(char out[ANSWER_SIZE], const uint8_t *text, size_t length) {
    size_t used = 0;
    for (size_t i = 0; i < length && used < ANSWER_SIZE - 1; i++) {
        uint8_t byte = text[i];
        bool is_blank = byte == ' ' || byte == '\t' || byte == '\r';
        if (is_blank && (used == 0 || out[used - 1] == ' '))
            continue;
        if (byte >= 'A' && byte <= 'Z')
            byte = (uint8_t)(byte - 'A' + 'a');
        out[used++] = (char)(is_blank ? ' ' : byte > ' ' && byte <= '~' ? byte : '?');
    }
    if (used > 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
}

/* The answer of that name. Ends the check unless there is one, and only one, that is not empty. */
static void read_answer(char out[ANSWER_SIZE], const struct sam_bytes *answers, const char *name) {
    size_t found = 0;
    const uint8_t *end = answers->data + answers->length, *next;
    out[0] = '\0';
    for (const uint8_t *line = answers->data; line < end; line = next + 1) {
        char key[ANSWER_SIZE];
        next = memchr(line, '\n', (size_t)(end - line));
        if (next == NULL)
            next = end;
        const uint8_t *equals = memchr(line, '=', (size_t)(next - line));
        if (equals == NULL)
            continue;
        tidy(key, line, (size_t)(equals - line));
        if (strcmp(key, name) != 0)
            continue;
        found++;
        tidy(out, equals + 1, (size_t)(next - equals - 1));
    }
    if (found != 1)
        lose("a line for each answer", "%zu that begin with \"%s =\" in answers.txt", found, name);
    if (out[0] == '\0')
        lose("an answer", "nothing behind \"%s =\" in answers.txt", name);
}

enum telling { EACH, ONLY_ALL };

/* Where two words are all there is to choose from, it is not told which of the answers is wrong. */
static void judge(const struct question *questions, size_t count, enum telling telling) {
    size_t wrong = 0;
    read_both();
    struct sam_bytes answers = student_answers();
    for (size_t i = 0; i < count; i++) {
        char given[ANSWER_SIZE], right[ANSWER_SIZE], wanted[2 * ANSWER_SIZE];
        read_answer(given, &answers, questions[i].name);
        questions[i].answer(right, &questions[i]);
        bool is_right = strcmp(given, right) == 0;
        snprintf(wanted, sizeof wanted, "another answer to %s", questions[i].name);
        if (!is_right && telling == EACH)
            lose(wanted, "\"%s\". Look at %s", given, questions[i].look);
        if (telling == ONLY_ALL && strcmp(given, "yes") != 0 && strcmp(given, "no") != 0)
            lose("yes or no", "\"%s\" for %s", given, questions[i].name);
        wrong += !is_right;
        tell("%s = %s%s", questions[i].name, given, telling == EACH ? ": right." : "");
    }
    sam_bytes_free(&answers);
    if (wrong > 0)
        lose("right answers to all of these", "at least one that is wrong");
}
#define JUDGE(questions, telling)                                                                  \
    judge(questions, sizeof(questions) / sizeof(questions)[0], telling)

static void both_open_for_their_recipient(void) {
    read_both();
    const struct sealed *const both[] = {&mode1, &mode2};
    for (size_t i = 0; i < 2; i++) {
        struct sam_envelope opened;
        tell("%s is opened with its recipient's private key.", both[i]->path);
        enum sam_status status = open_copy(&opened, both[i]);
        if (status != SAM_OK)
            lose("OK", "%s: was the file changed?", sam_status_name(status));
        sam_envelope_free(&opened);
    }
}

static void the_header(void) {
    static const struct question questions[] = {
        {"mode_byte", place, &mode1, "mode", "section 1: the prologue"},
        {"body_length", number, &mode1, "body length", "section 2: four bytes, the largest first"},
        {"message_id", place, &mode1, "message id", "section 2: offset, then size"},
        {"sent_at", utc, &mode1, "sent at", "section 2: in which unit does it count, from when?"},
        {"mode1.sender", who, &mode1, "sender key id", "the head of section 1: what a key id is"},
        {"mode2.sender", who, &mode2, "sender key id", "the head of section 1: what a key id is"},
    };
    JUDGE(questions, EACH);
}

static void the_body_of_mode_1(void) {
    static const struct question questions[] = {
        {"mode1.blocks", how_many, &mode1, "OAEP block", "section 6: L, and S and B of this file"},
        {"mode1.last_block", place, &mode1, "OAEP block", "section 6: what stands before it?"},
        {"mode1.signature", place, &mode1, "signature", "section 6: how long is it, and why?"},
    };
    JUDGE(questions, EACH);
}

static void the_body_of_mode_2(void) {
    static const struct question questions[] = {
        {"mode2.wrapped_key", place, &mode2, "wrapped key",
         "section 6: whose modulus is it under?"},
        {"mode2.nonce", place, &mode2, "nonce", "section 6: what stands before it?"},
        {"mode2.signature", place, &mode2, "signature", "section 6: what goes into the GCM?"},
        {"mode2.tag", place, &mode2, "tag", "section 6: in which order does the body come?"},
    };
    JUDGE(questions, EACH);
}

static void the_lengths(void) {
    static const struct question questions[] = {
        {"mode2.message", longest, &mode2, NULL,
         "the L of mode 2 in section 6, and S of this file"},
        {"mode1.shortest", shortest, &mode1, NULL, "section 6: when does one more block begin?"},
        {"mode1.longest", longest, &mode1, NULL, "section 5: what else is in the letter?"},
        {"same_message", same_message, NULL, NULL, "the three numbers above"},
    };
    JUDGE(questions, EACH);
}

static void what_eve_learns(void) {
    static const struct question questions[] = {
        {"eve.who", in_clear, &mode1, "sender key id", NULL},
        {"eve.when", in_clear, &mode1, "sent at", NULL},
        {"eve.length", one_length, &mode1, NULL, NULL},
        {"eve.guess", confirms_a_guess, &mode1, "signature", NULL},
        {"eve.again", same_bytes_again, &mode1, NULL, NULL},
        {"eve.later", opens_later, &mode1, NULL, NULL},
    };
    JUDGE(questions, ONLY_ALL);
}

static void what_changes(void) {
    static const struct question questions[] = {
        {"same_fields", same_fields, NULL, NULL, "each field from offset 8 on, in both files"},
        {"one_byte_more", one_byte_more, &mode1, NULL, "your mode1.longest: what no longer fits?"},
        {"in_mode_1", in_the_other_mode, &mode2, NULL, "section 6: n, then L; and the header"},
    };
    JUDGE(questions, EACH);
}

static const struct graded checks[] = {
    {"both files are envelopes that open for their recipient", HONEST, 0,
     both_open_for_their_recipient, NULL},
    {"you find your way through the header", MENDED, 2, the_header,
     "docs/protocol.md, sections 1 and 2, beside od -A d -t x1"},
    {"you find what the body of mode 1 is made of", MENDED, 2, the_body_of_mode_1,
     "the body begins where the header ends: take the numbers of this file"},
    {"you find what the body of mode 2 is made of", MENDED, 2, the_body_of_mode_2,
     "the other file has another S"},
    {"you know how long the messages are", MENDED, 2, the_lengths,
     "sealing adds known lengths: take them off again"},
    {"you know what Eve learns, and what she does not", MENDED, 1, what_eve_learns,
     "sections 5 and 6 say why; docs/threat-model.md says what is not promised"},
    {"you know what changes from envelope to envelope", MENDED, 1, what_changes,
     "work it out first, then try it with tools/sam seal"},
};

LAB(read_the_wire, "01_read_the_wire", "Read the wire");
