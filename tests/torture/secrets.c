/* After every operation, the memory of the process is searched for what was secret in it: the
 * letter, its salt, the keys it was under, a passphrase. */
#include "secrets.h"

#include <string.h>
#include <unistd.h>

#include "sessions.h"
#include "suites.h"

enum { LETTER = 3000 };

/* What is looked for is masked; without the mask it is the same, and nothing else is. */
START_TEST(a_masked_secret_is_told_from_all_else) {
    struct secret secret;
    uint8_t letter[LETTER];
    secret_draw(&secret, "letter", LETTER);
    secret_reveal(&secret, letter);
    ck_assert_mem_ne(letter, secret.masked, LETTER);
    ck_assert(secret_is(&secret, letter, LETTER));
    ck_assert(!secret_is(&secret, letter, LETTER - 1));
    letter[LETTER - 1] ^= 1;
    ck_assert(!secret_is(&secret, letter, LETTER));
}
END_TEST

/* The search itself: on the heap, on the stack, in static memory. */
START_TEST(a_secret_that_is_left_is_found) {
    static uint8_t fixed[LETTER];
    uint8_t automatic[LETTER];
    struct sam_bytes bytes = {0};
    struct aside *aside = new_aside();
    secret_draw(&aside->letter, "letter", LETTER);
    ck_assert_uint_eq(search(getpid(), aside), 0);
    ck_status(sam_bytes_reserve(&bytes, LETTER), SAM_OK);
    uint8_t *const places[] = {fixed + 1, automatic + 1, bytes.data};
    for (size_t i = 0; i < 3; i++) {
        secret_reveal(&aside->letter, fixed);
        memcpy(places[i], fixed + 100, 15); /* whatever its alignment, it holds a piece */
        if (i > 0)
            sam_wipe(fixed, sizeof fixed);
        else
            sam_wipe(fixed + 16, sizeof fixed - 16);
        ck_assert_uint_ge(search(getpid(), aside), 1);
        sam_wipe(places[i], 15);
        sam_wipe(fixed, sizeof fixed);
        ck_assert_uint_eq(search(getpid(), aside), 0);
    }
    sam_bytes_free(&bytes);
}
END_TEST

/* A message of unknown size, which moves as it grows. */
START_TEST(growing_leaves_nothing) {
    struct aside *aside = new_aside();
    struct sam_bytes bytes = {0};
    secret_draw(&aside->letter, "letter", LETTER);
    ck_status(sam_bytes_reserve(&bytes, LETTER), SAM_OK);
    secret_reveal(&aside->letter, bytes.data);
    bytes.length = LETTER;
    ck_status(sam_bytes_append(&bytes, "more", 4), SAM_OK);
    sam_bytes_free(&bytes);
    assert_nothing_left(aside, "growing");
}
END_TEST

/* The operations run deep in the stack, below all that the test itself does before the search: that
 * would overwrite what they leave. */
enum { DEPTH = 32768 };

__attribute__((noinline)) static enum sam_status
accept_deep(struct sam_envelope *envelope, const struct sam_party *opener,
            const struct sam_expectation *expected) {
    volatile uint8_t gap[DEPTH];
    const struct sam_key *sender;
    gap[0] = 0;
    enum sam_status status = sam_envelope_accept(envelope, &sender, opener, expected);
    gap[DEPTH - 1] = gap[0];
    return status;
}

__attribute__((noinline)) static enum sam_status seal_deep(struct sam_envelope *envelope,
                                                           const struct sam_party *sealer,
                                                           const struct sam_address *address) {
    volatile uint8_t gap[DEPTH];
    gap[0] = 0;
    enum sam_status status = sam_envelope_seal(envelope, sealer, &people.bob, address);
    gap[DEPTH - 1] = gap[0];
    return status;
}

/* Alice by name, and somebody else by signature. */
static struct sam_key pretender(void) {
    struct sam_key key = people.alice;
    key.rsa = people.mallory.rsa; /* of one size */
    return key;
}

static struct sam_expectation any_place(void) {
    struct sam_expectation expected = expectation();
    expected.trusted = &people.trusted;
    return expected;
}

/* Puts the letter of aside in an envelope. */
static struct sam_envelope seal_letter(const struct aside *aside, const struct sam_key *from) {
    struct sam_party sealer = party(aside->mode, from);
    struct sam_envelope envelope;
    struct sam_address address = {.kind = SAM_KIND_SEND, .sequence = SEQUENCE};
    memcpy(address.reference, challenge, sizeof challenge);
    ck_status(sam_envelope_start(&envelope, &sealer, &people.bob, LETTER), SAM_OK);
    secret_reveal(&aside->letter, envelope.message);
    ck_status(seal_deep(&envelope, &sealer, &address), SAM_OK);
    return envelope;
}

/* Keeps a sealed envelope, as it travels. */
static void put_aside(struct aside *aside, const struct sam_envelope *envelope) {
    aside->length = envelope->bytes.length;
    ck_assert_uint_le(aside->length, sizeof aside->bytes);
    memcpy(aside->bytes, envelope->bytes.data, aside->length);
}

static struct sam_envelope taken_from(const struct aside *aside) {
    struct sam_envelope envelope = {0};
    ck_status(sam_bytes_append(&envelope.bytes, aside->bytes, aside->length), SAM_OK);
    return envelope;
}

void find_keys(struct aside *aside, size_t number, const struct sam_key *own,
               const struct sam_bytes *bytes) {
    struct sam_envelope envelope = {.bytes = *bytes};
    ck_status(sam_header_read(&envelope.header, bytes->data, aside->mode->number, SAM_KINDS_ALL),
              SAM_OK);
    struct secrets secrets = secrets_of(aside->mode, own, &envelope);
    secret_hide(&aside->salts[number], "salt", secrets.letter.data, SAM_SALT_SIZE);
    if (aside->mode->number == 2)
        secret_hide(&aside->keys[number], "key", secrets.key, SAM_GCM_KEY_SIZE);
}

/* Aside: the same of the envelope that lies there. */
static void look_at_sealed(struct aside *aside) {
    struct sam_envelope envelope = taken_from(aside);
    find_keys(aside, 0, &people.bob, &envelope.bytes);
}

START_TEST(sealing_leaves_nothing) {
    struct aside *aside = new_aside();
    aside->mode = modes[_i];
    secret_draw(&aside->letter, "letter", LETTER);
    struct sam_envelope envelope = seal_letter(aside, &people.alice);
    put_aside(aside, &envelope);
    run_aside(look_at_sealed, aside);
    assert_nothing_left(aside, "sealing"); /* not even while the envelope travels */
    sam_envelope_free(&envelope);
}
END_TEST

static void seal_aside(struct aside *aside) {
    struct sam_envelope envelope = seal_letter(aside, &people.alice);
    put_aside(aside, &envelope);
    look_at_sealed(aside);
}

START_TEST(opening_leaves_nothing) {
    struct aside *aside = new_aside();
    aside->mode = modes[_i];
    secret_draw(&aside->letter, "letter", LETTER);
    run_aside(seal_aside, aside);
    struct sam_party opener = party(modes[_i], &people.bob);
    struct sam_expectation expected = any_place();
    struct sam_envelope envelope = taken_from(aside);
    ck_status(accept_deep(&envelope, &opener, &expected), SAM_OK);
    ck_assert(secret_is(&aside->letter, envelope.message, envelope.message_length));
    ck_assert_uint_gt(search(getpid(), aside), 0);
    aside->letter.length = 0; /* its reader has it, and nothing but that */
    assert_nothing_left(aside, "opening, as long as the letter is read");
    aside->letter.length = LETTER;
    sam_envelope_free(&envelope);
    assert_nothing_left(aside, "opening");
}
END_TEST

static void seal_falsely(struct aside *aside) {
    struct sam_key key = pretender();
    struct sam_envelope envelope = seal_letter(aside, &key);
    put_aside(aside, &envelope);
    look_at_sealed(aside);
}

/* Its last byte changed, its whole signature somebody else's, or in mode 1 longer than it may be:
 * all are decrypted before that shows. */
START_TEST(refusing_leaves_nothing) {
    struct aside *aside = new_aside();
    bool too_long = _i == 4;
    aside->mode = modes[_i / 2 % 2];
    secret_draw(&aside->letter, "letter", LETTER);
    run_aside(_i % 2 == 0 ? seal_aside : seal_falsely, aside);
    aside->bytes[aside->length - 1] ^= _i % 2 == 0 && !too_long;
    struct sam_party opener = party(aside->mode, &people.bob);
    struct sam_expectation expected = any_place();
    if (too_long)
        expected.max_message = LETTER - 100; /* of so many blocks some are that short */
    struct sam_envelope envelope = taken_from(aside);
    enum sam_status status = accept_deep(&envelope, &opener, &expected);
    ck_status(status, too_long ? SAM_TOO_LONG : _i == 2 ? SAM_DECRYPT : SAM_SIGNATURE);
    assert_nothing_left(aside, "refusing");
    sam_envelope_free(&envelope);
}
END_TEST

/* The linker puts it in the place of sam_gcm_new (torture.mk): a session keeps no key that could be
 * looked at afterwards. */
static _Thread_local struct aside *watching;
enum sam_status __real_sam_gcm_new(struct sam_gcm **out, struct sam_crypto *crypto,
                                   const uint8_t *key, enum sam_gcm_use use);
enum sam_status __wrap_sam_gcm_new(struct sam_gcm **out, struct sam_crypto *crypto,
                                   const uint8_t *key, enum sam_gcm_use use);
enum sam_status __wrap_sam_gcm_new(struct sam_gcm **out, struct sam_crypto *crypto,
                                   const uint8_t *key, enum sam_gcm_use use) {
    bool seals = use == SAM_GCM_SEALS;
    if (watching != NULL)
        secret_hide(&watching->keys[seals ? 2 : 3], seals ? "key that seals" : "key that opens",
                    key, SAM_GCM_KEY_SIZE);
    return __real_sam_gcm_new(out, crypto, key, use);
}

void watch_session_keys(struct aside *aside) {
    watching = aside;
}

/* Begins a session, and keeps aside what it is made of. */
static void begin_searched(struct aside *aside, struct peer *client, struct peer *server) {
    struct asking asking;
    struct sam_incoming request;
    start_asking(&asking, client, server, &request);
    secret_hide(&aside->keys[0], "client share", request.envelope.message, SAM_SHARE_SIZE);
    watch_session_keys(aside);
    ck_status(sam_exchange_grant(&server->connection, &request), SAM_OK);
    watch_session_keys(NULL);
    sam_connection_drop(&server->connection, &request);
    ck_assert_int_eq(pthread_join(asking.thread, NULL), 0);
    ck_status(asking.status, SAM_OK);
    secret_hide(&aside->keys[1], "server share", asking.answer.envelope.message, SAM_SHARE_SIZE);
    sam_connection_drop(&client->connection, &asking.answer);
}

/* A session over a connection, from its beginning to its end, with a record of the letter. */
START_TEST(sessions_leave_nothing) {
    struct aside *aside = new_aside();
    struct peer client, server;
    struct sam_incoming incoming;
    struct sam_bytes message = {0};
    secret_draw(&aside->letter, "letter", LETTER);
    begin_searched(aside, &client, &server);
    ck_status(sam_bytes_reserve(&message, LETTER), SAM_OK);
    secret_reveal(&aside->letter, message.data);
    ck_status(sam_connection_ask(&client.connection, SAM_KIND_SEND, message.data, LETTER), SAM_OK);
    sam_bytes_free(&message);
    ck_status(peer_take(&server, &incoming), SAM_OK);
    ck_assert(secret_is(&aside->letter, incoming.envelope.message, LETTER));
    sam_connection_drop(&server.connection, &incoming);
    ck_assert_uint_gt(search(getpid(), aside), 0); /* the keys are in use */
    sam_session_end(&client.connection.session);
    sam_session_end(&server.connection.session);
    assert_nothing_left(aside, "a session");
    peer_close(&client);
    peer_close(&server);
}
END_TEST

/* Aside: the keys that follow from two shares. */
static void derive(struct aside *aside) {
    struct sam_agreement agreement = {.transcript = {1}};
    struct sam_session session;
    secret_reveal(&aside->keys[0], agreement.client_share);
    secret_reveal(&aside->keys[1], agreement.server_share);
    watch_session_keys(aside);
    ck_status(sam_session_begin(&session, people.crypto, true, &agreement, LETTER), SAM_OK);
}

START_TEST(deriving_keys_leaves_nothing) {
    struct aside *aside = new_aside();
    struct sam_agreement agreement = {.transcript = {1}};
    struct sam_session session;
    secret_draw(&aside->keys[0], "client share", SAM_SHARE_SIZE);
    secret_draw(&aside->keys[1], "server share", SAM_SHARE_SIZE);
    run_aside(derive, aside);
    secret_reveal(&aside->keys[0], agreement.client_share);
    secret_reveal(&aside->keys[1], agreement.server_share);
    ck_status(sam_session_begin(&session, people.crypto, true, &agreement, LETTER), SAM_OK);
    sam_wipe(&agreement, sizeof agreement);
    sam_session_end(&session);
    assert_nothing_left(aside, "deriving the keys of a session");
}
END_TEST

Suite *secrets_suite(void) {
    Suite *suite = suite_create("secrets");
    TCase *masks = tcase_create("masks");
    tcase_add_test(masks, a_masked_secret_is_told_from_all_else);
    suite_add_tcase(suite, masks);
    if (!can_search())
        return suite;
    TCase *tcase = tcase_create("library");
    tcase_add_unchecked_fixture(tcase, open_searches, NULL);
    tcase_add_unchecked_fixture(tcase, load_sealing, free_people);
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_test(tcase, a_secret_that_is_left_is_found);
    tcase_add_test(tcase, growing_leaves_nothing);
    tcase_add_loop_test(tcase, sealing_leaves_nothing, 0, 2);
    tcase_add_loop_test(tcase, opening_leaves_nothing, 0, 2);
    tcase_add_loop_test(tcase, refusing_leaves_nothing, 0, 5);
    tcase_add_test(tcase, sessions_leave_nothing);
    tcase_add_test(tcase, deriving_keys_leaves_nothing);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, secret_keys_case());
    TCase *programs = secret_programs_case();
    tcase_add_unchecked_fixture(programs, NULL, tell_searches); /* the last */
    suite_add_tcase(suite, programs);
    return suite;
}
