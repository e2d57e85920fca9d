/* Envelopes that an attacker makes: an insider with a key of her own, or an outsider with the
 * public keys alone. Each comes with its control, the same made rightly, which opens. */
#include <string.h>

#include "sealing.h"

/* alice sends to bob: chunks of 318 bytes, of which the salt takes 16 in the first. */
enum { LENGTH = 500, S = 256, B = 384, CHUNK = B - SAM_OAEP_OVERHEAD };

/* Takes the envelope over. */
static void assert_bob_says(int i, struct sam_envelope *envelope, enum sam_status status,
                            size_t length) {
    struct sam_party bob = party(modes[i], &people.bob);
    struct sam_expectation expected = expectation();
    if (status == SAM_OK)
        assert_opens(envelope, &bob, &expected, &people.alice, length);
    else
        assert_refused(envelope, &bob, &expected, status);
}

/* The header that alice would write to somebody, before a body of that length. */
static struct sam_envelope begin(int i, const struct sam_key *to, size_t body_length) {
    struct sam_envelope envelope = {0};
    ck_status(sam_bytes_reserve(&envelope.bytes, SAM_HEADER_SIZE + body_length), SAM_OK);
    envelope.bytes.length = envelope.bytes.capacity;
    envelope.header = (struct sam_header){.mode = modes[i]->number,
                                          .kind = SAM_KIND_SEND,
                                          .signature_length = S,
                                          .block_length = (uint16_t)sam_rsa_size(to->rsa),
                                          .body_length = (uint32_t)body_length,
                                          .sequence = SEQUENCE,
                                          .sent_at = sent_at};
    ck_status(sam_random(envelope.header.message_id, SAM_ID_SIZE), SAM_OK);
    memcpy(envelope.header.reference, challenge, SAM_ID_SIZE);
    memcpy(envelope.header.sender, people.alice.id, SAM_KEY_ID_SIZE);
    memcpy(envelope.header.recipient, to->id, SAM_KEY_ID_SIZE);
    sam_header_write(envelope.bytes.data, &envelope.header);
    return envelope;
}

static uint8_t *body_of(struct sam_envelope *envelope) {
    return envelope->bytes.data + SAM_HEADER_SIZE;
}

/* salt || text. The salt is no secret of these tests. */
static void write_letter(uint8_t *letter, size_t length) {
    memset(letter, 0x5a, SAM_SALT_SIZE);
    memcpy(letter + SAM_SALT_SIZE, text, length);
}

static void sign(const struct sam_key *by, uint8_t *signature, const uint8_t *a, size_t a_length,
                 const uint8_t *b, size_t b_length) {
    ck_status(sam_pss_sign(people.crypto, by->rsa, signature, a, a_length, b, b_length), SAM_OK);
}

/* Begins an envelope and puts letter into place. *at is where; the signature is still to come. */
static struct sam_envelope place(int i, const struct sam_key *to, const uint8_t *letter,
                                 size_t letter_length, struct sam_layout *at) {
    *at = modes[i]->layout(letter_length, S, sam_rsa_size(to->rsa));
    struct sam_envelope envelope = begin(i, to, at->length);
    memcpy(body_of(&envelope) + at->letter, letter, letter_length);
    return envelope;
}

static void seal_placed(int i, const struct sam_key *to, struct sam_envelope *envelope,
                        const struct sam_layout *at) {
    ck_status(
        modes[i]->seal(people.crypto, to->rsa, envelope->bytes.data, body_of(envelope), at, NULL),
        SAM_OK);
}

START_TEST(letter_that_another_signed_under_alices_name_does_not_verify) {
    const struct sam_key *const signers[] = {&people.alice, &people.mallory};
    uint8_t letter[SAM_SALT_SIZE + LENGTH];
    write_letter(letter, LENGTH);
    for (int k = 0; k < 2; k++) {
        struct sam_layout at;
        struct sam_envelope envelope = place(_i, &people.bob, letter, sizeof letter, &at);
        sign(signers[k], body_of(&envelope) + at.signature, envelope.bytes.data, SAM_HEADER_SIZE,
             letter, sizeof letter);
        seal_placed(_i, &people.bob, &envelope, &at);
        assert_bob_says(_i, &envelope, k == 0 ? SAM_OK : SAM_SIGNATURE, LENGTH);
    }
}
END_TEST

/* carol opens what alice wrote to her and seals it again for bob. */
START_TEST(letter_that_alice_signed_for_another_does_not_verify) {
    struct sam_envelope to_carol = seal(modes[_i], &people.alice, &people.carol, LENGTH);
    struct secrets got = secrets_of(modes[_i], &people.carol, &to_carol);
    const struct sam_key *const recipients[] = {&people.carol, &people.bob};
    for (int k = 0; k < 2; k++) {
        struct sam_layout at;
        struct sam_envelope envelope =
            place(_i, recipients[k], got.letter.data, got.letter.length, &at);
        /* All of the signed header is kept, but for what bob's key makes necessary. */
        memcpy(envelope.header.message_id, to_carol.header.message_id, SAM_ID_SIZE);
        sam_header_write(envelope.bytes.data, &envelope.header);
        memcpy(body_of(&envelope) + at.signature, got.signature, S);
        seal_placed(_i, recipients[k], &envelope, &at);
        if (k == 0) {
            struct sam_party carol = party(modes[_i], &people.carol);
            struct sam_expectation expected = expectation();
            assert_opens(&envelope, &carol, &expected, &people.alice, LENGTH);
        } else {
            assert_bob_says(_i, &envelope, SAM_SIGNATURE, 0);
        }
    }
    sam_bytes_free(&got.letter);
    sam_envelope_free(&to_carol);
}
END_TEST

/* The same letter from alice to bob as another envelope: each signature is good for one header. */
START_TEST(signature_of_an_earlier_envelope_does_not_verify_in_a_new_one) {
    struct sam_envelope earlier = seal(modes[_i], &people.alice, &people.bob, LENGTH);
    struct secrets got = secrets_of(modes[_i], &people.bob, &earlier);
    struct sam_layout at;
    struct sam_envelope envelope = place(_i, &people.bob, got.letter.data, got.letter.length, &at);
    memcpy(body_of(&envelope) + at.signature, got.signature, S);
    seal_placed(_i, &people.bob, &envelope, &at);
    assert_bob_says(_i, &envelope, SAM_SIGNATURE, 0);
    sam_bytes_free(&got.letter);
    sam_envelope_free(&earlier);
}
END_TEST

START_TEST(signature_of_less_than_header_salt_and_message_does_not_verify) {
    uint8_t letter[SAM_SALT_SIZE + LENGTH];
    write_letter(letter, LENGTH);
    for (int k = 0; k < 5; k++) {
        struct sam_layout at;
        struct sam_envelope envelope = place(_i, &people.bob, letter, sizeof letter, &at);
        const uint8_t *header = envelope.bytes.data;
        const struct {
            const uint8_t *a;
            size_t a_length;
            const uint8_t *b;
            size_t b_length;
        } signed_bytes[] = {{header, SAM_HEADER_SIZE, letter, sizeof letter},
                            {letter, sizeof letter, NULL, 0},
                            {header, SAM_HEADER_SIZE, letter + SAM_SALT_SIZE, LENGTH},
                            {header, SAM_HEADER_SIZE, letter, sizeof letter - 1},
                            {letter, sizeof letter, header, SAM_HEADER_SIZE}};
        sign(&people.alice, body_of(&envelope) + at.signature, signed_bytes[k].a,
             signed_bytes[k].a_length, signed_bytes[k].b, signed_bytes[k].b_length);
        seal_placed(_i, &people.bob, &envelope, &at);
        assert_bob_says(_i, &envelope, k == 0 ? SAM_OK : SAM_SIGNATURE, LENGTH);
    }
}
END_TEST

/* Mode 1. Seals one block as anybody can, under a salt known, guessed or (NULL) left out. */
static void put_block(struct sam_envelope *envelope, uint32_t index, const uint8_t *salt,
                      const uint8_t *chunk, size_t length) {
    uint8_t label[SAM_LABEL_SIZE];
    ck_status(sam_label(people.crypto, label, envelope->bytes.data, salt, index), SAM_OK);
    ck_status(sam_oaep_encrypt(people.crypto, people.bob.rsa, body_of(envelope) + index * B, label,
                               sizeof label, chunk, length),
              SAM_OK);
}

/* An outsider knows a whole later chunk, and would learn from an envelope that opens that he does.
 * Nothing but the salt keeps him from it. */
START_TEST(outsiders_block_with_the_right_guess_does_not_open) {
    static const uint8_t wrong_salt[SAM_SALT_SIZE] = {1};
    struct sam_envelope original = seal(&sam_mode_asymmetric_only, &people.alice, &people.bob, 900);
    struct secrets secrets = secrets_of(&sam_mode_asymmetric_only, &people.bob, &original);
    ck_assert_uint_eq(original.header.body_length, 3 * B + S);
    const uint8_t *const salts[] = {secrets.letter.data, wrong_salt, NULL};
    for (uint32_t block = 1; block < 3; block++) {
        for (int k = 0; k < 3; k++) {
            const uint8_t *chunk = secrets.letter.data + block * CHUNK;
            size_t left = secrets.letter.length - block * CHUNK;
            struct sam_envelope guessed = copy_of(&original);
            put_block(&guessed, block, salts[k], chunk, left < CHUNK ? left : CHUNK);
            assert_bob_says(0, &guessed, k == 0 ? SAM_OK : SAM_DECRYPT, 900);
        }
    }
    sam_bytes_free(&secrets.letter);
    sam_envelope_free(&original);
}
END_TEST

/* He can always replace block 0, whose label is public, with a salt of his own. The signature then
 * fails, as it does when the guess is wrong, and at the same cost. */
START_TEST(outsiders_first_block_fails_alike_for_a_right_and_a_wrong_guess) {
    for (int right = 0; right < 2; right++) {
        struct sam_envelope guessed =
            seal(&sam_mode_asymmetric_only, &people.alice, &people.bob, 100);
        uint8_t letter[SAM_SALT_SIZE + 100];
        write_letter(letter, 100);
        letter[SAM_SALT_SIZE] ^= !right;
        put_block(&guessed, 0, NULL, letter, sizeof letter);
        struct sam_rsa_count before = sam_crypto_count(people.crypto);
        assert_bob_says(0, &guessed, SAM_SIGNATURE, 0);
        struct sam_rsa_count after = sam_crypto_count(people.crypto);
        ck_assert_uint_eq(after.private_operations - before.private_operations, 1);
        ck_assert_uint_eq(after.public_operations - before.public_operations, 1);
        /* With more blocks, those sealed under the true salt no longer open. */
        struct sam_envelope longer =
            seal(&sam_mode_asymmetric_only, &people.alice, &people.bob, LENGTH);
        uint8_t first[CHUNK];
        write_letter(first, CHUNK - SAM_SALT_SIZE);
        first[SAM_SALT_SIZE] ^= !right;
        put_block(&longer, 0, NULL, first, sizeof first);
        assert_bob_says(0, &longer, SAM_DECRYPT, 0);
    }
}
END_TEST

/* Mode 1. alice herself cuts the letter otherwise than section 6 tells, and signs it rightly. */
START_TEST(letter_cut_into_other_chunks_does_not_open) {
    static const struct {
        enum sam_status status;
        size_t chunks[3], count;
    } rows[] = {
        {SAM_OK, {16}, 1},
        {SAM_DECRYPT, {15}, 1}, /* no whole salt */
        {SAM_DECRYPT, {1}, 1},
        {SAM_DECRYPT, {0}, 1},
        {SAM_OK, {CHUNK, CHUNK, 1}, 3},
        {SAM_DECRYPT, {CHUNK, CHUNK, 0}, 3},
        {SAM_DECRYPT, {CHUNK, CHUNK - 1, 2}, 3},
        {SAM_DECRYPT, {CHUNK - 1, CHUNK, 2}, 3},
        {SAM_DECRYPT, {16, CHUNK, CHUNK}, 3},
        {SAM_DECRYPT, {CHUNK, 0, CHUNK}, 3},
        {SAM_DECRYPT, {0, CHUNK, CHUNK}, 3},
    };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        uint8_t letter[3 * CHUNK];
        size_t length = 0;
        write_letter(letter, sizeof letter - SAM_SALT_SIZE);
        struct sam_envelope envelope = begin(0, &people.bob, rows[r].count * B + S);
        for (size_t k = 0; k < rows[r].count; k++) {
            put_block(&envelope, (uint32_t)k, k == 0 ? NULL : letter, letter + length,
                      rows[r].chunks[k]);
            length += rows[r].chunks[k];
        }
        sign(&people.alice, body_of(&envelope) + rows[r].count * B, envelope.bytes.data,
             SAM_HEADER_SIZE, letter, length);
        assert_bob_says(0, &envelope, rows[r].status, length - SAM_SALT_SIZE);
    }
}
END_TEST

/* Mode 2. Wraps length bytes of key and encrypts under the first 32 of them, zeros where there are
 * fewer: what a careless opener would go on with. */
static struct sam_envelope wrap_key(const uint8_t *key, size_t length) {
    uint8_t label[SAM_LABEL_SIZE], used[SAM_GCM_KEY_SIZE] = {0}, letter[SAM_SALT_SIZE + LENGTH];
    struct sam_layout at;
    write_letter(letter, LENGTH);
    struct sam_envelope envelope = place(1, &people.bob, letter, sizeof letter, &at);
    uint8_t *header = envelope.bytes.data, *body = body_of(&envelope);
    sign(&people.alice, body + at.signature, header, SAM_HEADER_SIZE, letter, sizeof letter);
    ck_status(sam_random(body + B, SAM_GCM_NONCE_SIZE), SAM_OK);
    memcpy(used, key, length < sizeof used ? length : sizeof used);
    ck_status(sam_label(people.crypto, label, header, NULL, 0), SAM_OK);
    ck_status(
        sam_oaep_encrypt(people.crypto, people.bob.rsa, body, label, sizeof label, key, length),
        SAM_OK);
    ck_status(sam_gcm_encrypt(people.crypto, used, body + B, header, SAM_HEADER_SIZE,
                              body + at.letter, sizeof letter + S,
                              body + at.length - SAM_GCM_TAG_SIZE),
              SAM_OK);
    return envelope;
}

/* What did not unwrap, a key of another length and a wrong tag are one failure at one cost. */
START_TEST(wrapped_key_of_another_length_fails_as_a_wrong_tag_does) {
    static const size_t lengths[] = {SAM_GCM_KEY_SIZE, 0, 1, 16, 24, 31, 33, 64, CHUNK};
    uint8_t key[CHUNK];
    ck_status(sam_random(key, sizeof key), SAM_OK);
    for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
        struct sam_envelope envelope = wrap_key(key, lengths[k]);
        struct sam_rsa_count before = sam_crypto_count(people.crypto);
        assert_bob_says(1, &envelope, k == 0 ? SAM_OK : SAM_DECRYPT, LENGTH);
        struct sam_rsa_count after = sam_crypto_count(people.crypto);
        ck_assert_uint_eq(after.private_operations - before.private_operations, 1);
        ck_assert_uint_eq(after.public_operations - before.public_operations, k == 0);
    }
    struct sam_envelope other_tag = wrap_key(key, SAM_GCM_KEY_SIZE);
    other_tag.bytes.data[other_tag.bytes.length - 1] ^= 1;
    struct sam_rsa_count before = sam_crypto_count(people.crypto);
    assert_bob_says(1, &other_tag, SAM_DECRYPT, 0);
    struct sam_rsa_count after = sam_crypto_count(people.crypto);
    ck_assert_uint_eq(after.private_operations - before.private_operations, 1);
    ck_assert_uint_eq(after.public_operations, before.public_operations);
}
END_TEST

/* Mode 2 shows the length: a letter too short for a salt is noticed in the header. */
START_TEST(letter_without_a_whole_salt_is_noticed_in_the_header) {
    uint8_t letter[SAM_SALT_SIZE] = {0};
    for (size_t length = 0; length <= SAM_SALT_SIZE; length++) {
        struct sam_layout at;
        struct sam_envelope envelope = place(1, &people.bob, letter, length, &at);
        sign(&people.alice, body_of(&envelope) + at.signature, envelope.bytes.data, SAM_HEADER_SIZE,
             letter, length);
        seal_placed(1, &people.bob, &envelope, &at);
        assert_bob_says(1, &envelope, length == SAM_SALT_SIZE ? SAM_OK : SAM_LENGTH, 0);
    }
}
END_TEST

/* Two blocks and a signature are as long as a mode 2 body with a message of 312 bytes. */
enum { EITHER = 2 * B + S - (B + S + 44) };
START_TEST(envelope_under_the_other_modes_number_does_not_open) {
    struct sam_envelope envelope = seal(modes[_i], &people.alice, &people.bob, EITHER);
    ck_assert_uint_eq(envelope.header.body_length, 2 * B + S);
    envelope.bytes.data[5] ^= 1 ^ 2;
    assert_bob_says(1 - _i, &envelope, SAM_DECRYPT, 0);
}
END_TEST

/* The first B bytes of either body are one OAEP block; its label binds it to its own header. */
START_TEST(first_block_of_the_other_mode_does_not_open) {
    struct sam_envelope envelope = seal(modes[_i], &people.alice, &people.bob, EITHER);
    struct sam_envelope other = seal(modes[1 - _i], &people.alice, &people.bob, EITHER);
    memcpy(body_of(&envelope), body_of(&other), B);
    assert_bob_says(_i, &envelope, SAM_DECRYPT, 0);
    sam_envelope_free(&other);
}
END_TEST

TCase *forgery_case(void) {
    TCase *tcase = tcase_create("forged");
    tcase_add_unchecked_fixture(tcase, load_sealing, free_people);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, letter_that_another_signed_under_alices_name_does_not_verify, 0, 2);
    tcase_add_loop_test(tcase, letter_that_alice_signed_for_another_does_not_verify, 0, 2);
    tcase_add_loop_test(tcase, signature_of_an_earlier_envelope_does_not_verify_in_a_new_one, 0, 2);
    tcase_add_loop_test(tcase, signature_of_less_than_header_salt_and_message_does_not_verify, 0,
                        2);
    tcase_add_test(tcase, outsiders_block_with_the_right_guess_does_not_open);
    tcase_add_test(tcase, outsiders_first_block_fails_alike_for_a_right_and_a_wrong_guess);
    tcase_add_test(tcase, letter_cut_into_other_chunks_does_not_open);
    tcase_add_test(tcase, wrapped_key_of_another_length_fails_as_a_wrong_tag_does);
    tcase_add_test(tcase, letter_without_a_whole_salt_is_noticed_in_the_header);
    tcase_add_loop_test(tcase, envelope_under_the_other_modes_number_does_not_open, 0, 2);
    tcase_add_loop_test(tcase, first_block_of_the_other_mode_does_not_open, 0, 2);
    return tcase;
}
