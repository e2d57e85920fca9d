#include "sealing.h"

#include <string.h>

enum { SENT_AT = 24, SENT_AT_SIZE = 8, S = 256, B = 256, CHUNK = B - SAM_OAEP_OVERHEAD };

/* Faults up to OTHER_FIELD leave what may be opened, or what another mutation may put right. */
enum fault {
    NONE,
    OTHER_HEADER, /* a byte of the header is another, and signed so */
    OTHER_SIZES,  /* those of a sender's larger key, with a body that fits them */
    OTHER_FIELD,  /* changed behind the sealer's back: of the header */
    OTHER_BODY,   /* or of the body */
    OTHER_LETTER, /* changed between signing and sealing */
    NO_SIGNATURE,
    OTHER_SIGNER,
    FROM_SELF,   /* alice to alice, who trusts nobody who has her key */
    SIGNED_LESS, /* the letter alone */
    SEALED_OTHERWISE,
    FAULTS
};

struct sealing {
    const struct sam_mode *mode;
    enum fault fault;
    uint64_t *state;
    struct sam_layout at;
    uint8_t *header, *body;
};

/* FNV-1a. */
static uint64_t checksum(const uint8_t header[SAM_HEADER_SIZE]) {
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < SAM_HEADER_SIZE; i++)
        if (i < SENT_AT || i >= SENT_AT + SENT_AT_SIZE)
            sum = (sum ^ header[i]) * 0x100000001b3u;
    return sum;
}

bool checksum_fits(const uint8_t header[SAM_HEADER_SIZE]) {
    return sam_get64(header + SENT_AT) == checksum(header);
}

/* Around the ends of blocks and of the limit. */
static size_t draw_length(uint64_t *state) {
    static const size_t near[] = {0, CHUNK - SAM_SALT_SIZE, 2 * CHUNK - SAM_SALT_SIZE, MOST_MESSAGE,
                                  4 * CHUNK - SAM_SALT_SIZE};
    size_t length =
        near[chance_below(state, sizeof near / sizeof near[0])] + chance_below(state, 4);
    return length > 0 ? length - 1 : 0;
}

static void write_header(const struct sealing *s) {
    struct sam_header header = {.mode = s->mode->number,
                                .kind = (uint8_t)(1 + chance_below(s->state, SAM_KIND_SESSION)),
                                .signature_length = S,
                                .block_length = B,
                                .body_length = (uint32_t)s->at.length,
                                .sequence = SEQUENCE};
    memset(header.reference, REFERENCE_BYTE, SAM_ID_SIZE);
    const struct sam_key *sender = s->fault == FROM_SELF ? &people.alice : &people.mallory;
    memcpy(header.sender, sender->id, SAM_KEY_ID_SIZE);
    memcpy(header.recipient, people.alice.id, SAM_KEY_ID_SIZE);
    for (size_t i = 0; i < SAM_ID_SIZE; i++)
        header.message_id[i] = (uint8_t)chance_below(s->state, 256);
    if (s->fault == OTHER_SIZES) {
        header.signature_length++;
        header.body_length++;
        s->body[s->at.length] = 0;
    }
    sam_header_write(s->header, &header);
    if (s->fault == OTHER_HEADER)
        s->header[chance_below(s->state, SAM_HEADER_SIZE)] ^=
            (uint8_t)(1u << chance_below(s->state, 8));
    sam_put64(s->header + SENT_AT, checksum(s->header));
}

/* salt || message. */
static void write_letter(const struct sealing *s) {
    uint8_t *letter = s->body + s->at.letter;
    size_t length = s->at.letter_length - SAM_SALT_SIZE;
    for (size_t i = 0; i < SAM_SALT_SIZE; i++)
        letter[i] = (uint8_t)chance_below(s->state, 256);
    memcpy(letter + SAM_SALT_SIZE, text(), length);
    for (size_t i = 0; i < length && s->fault > OTHER_BODY; i++)
        letter[SAM_SALT_SIZE + i] ^= 0xff;
}

static void sign(const struct sealing *s, const uint8_t *letter, size_t length) {
    bool by_alice = s->fault == OTHER_SIGNER || s->fault == FROM_SELF;
    const struct sam_key *signer = by_alice ? &people.alice : &people.mallory;
    size_t header_length = s->fault == SIGNED_LESS ? 0 : SAM_HEADER_SIZE;
    require(sam_pss_sign(people.crypto, signer->rsa, s->body + s->at.signature, s->header,
                         header_length, letter, length) == SAM_OK);
}

/* Changes what has been signed, before it is sealed. */
static void change_signed(const struct sealing *s) {
    uint8_t *letter = s->body + s->at.letter, *signature = s->body + s->at.signature;
    for (size_t i = 0; i < S && s->fault == NO_SIGNATURE; i++)
        signature[i] = (uint8_t)chance_below(s->state, 256);
    if (s->fault == OTHER_LETTER)
        letter[chance_below(s->state, s->at.letter_length)] ^=
            (uint8_t)(1u << chance_below(s->state, 8));
}

static void wrap(const struct sealing *s, size_t at, const uint8_t *salt, uint32_t index,
                 const uint8_t *what, size_t length) {
    uint8_t label[SAM_LABEL_SIZE];
    require(sam_label(people.crypto, label, s->header, salt, index) == SAM_OK);
    require(sam_oaep_encrypt(people.crypto, people.alice.rsa, s->body + at, label, sizeof label,
                             what, length) == SAM_OK);
}

/* Mode 1: one block has another number, another salt, no salt, too little or nothing, which is
 * signed so; or it stands in the place of the first. */
static void seal_blocks_otherwise(const struct sealing *s) {
    static const uint8_t other_salt[SAM_SALT_SIZE] = {1};
    enum { NUMBER, SALT, NO_SALT, SHORT, EMPTY, SWAPPED, WAYS };
    const size_t blocks = s->at.signature / B, odd = chance_below(s->state, blocks);
    size_t way = chance_below(s->state, WAYS), cut_length = 0;
    uint8_t letter[5 * CHUNK], cut[5 * CHUNK], swapped[B];
    if (odd == 0 && (way == NO_SALT || way == SWAPPED)) /* which is right for block 0 */
        way = NUMBER;
    if (odd > 0 && odd + 1 == blocks && way == SHORT) /* and this for the last one */
        way = EMPTY;
    memcpy(letter, s->body + s->at.letter, s->at.letter_length);
    for (size_t i = 0; i < blocks; i++) {
        size_t left = s->at.letter_length - i * CHUNK, length = left < CHUNK ? left : CHUNK;
        const uint8_t *salt = i == 0 ? NULL : letter;
        if (i == odd && (way == SALT || way == NO_SALT))
            salt = way == SALT ? other_salt : NULL;
        if (i == odd && (way == SHORT || way == EMPTY))
            length = way == SHORT ? chance_below(s->state, blocks > 1 ? CHUNK : SAM_SALT_SIZE) : 0;
        wrap(s, i * B, salt, (uint32_t)i + (i == odd && way == NUMBER), letter + i * CHUNK, length);
        memcpy(cut + cut_length, letter + i * CHUNK, length);
        cut_length += length;
    }
    sign(s, cut, cut_length);
    if (way != SWAPPED)
        return;
    memcpy(swapped, s->body, B);
    memmove(s->body, s->body + odd * B, B);
    memcpy(s->body + odd * B, swapped, B);
}

/* Mode 2: a key of another length, or under another label; or other data beside the ciphertext. */
static void seal_key_otherwise(const struct sealing *s) {
    enum { LENGTH, LABEL, DATA, WAYS };
    const size_t way = chance_below(s->state, WAYS);
    uint8_t key[CHUNK] = {0}, *body = s->body;
    size_t length = way == LENGTH ? chance_below(s->state, CHUNK) : SAM_GCM_KEY_SIZE;
    length += way == LENGTH && length >= SAM_GCM_KEY_SIZE; /* any but that one */
    memset(body + B, 0x11, SAM_GCM_NONCE_SIZE);
    wrap(s, 0, NULL, way == LABEL, key, length);
    require(sam_gcm_encrypt(people.crypto, key, body + B, s->header,
                            SAM_HEADER_SIZE - (way == DATA), body + s->at.letter,
                            s->at.letter_length + S,
                            body + s->at.length - SAM_GCM_TAG_SIZE) == SAM_OK);
}

/* Writes one envelope that the draws of state decide on. Returns how many bytes it has, 0 when it
 * is longer than max_size. All that a receiver may open says the start of text() and bears the
 * checksum of its header; what is sealed to be refused for good says something else. */
static size_t seal_one(uint8_t *out, size_t max_size, const struct sam_mode *mode,
                       uint64_t *state) {
    size_t letter_length = SAM_SALT_SIZE + draw_length(state);
    struct sealing s = {.mode = mode,
                        .fault = (enum fault)chance_below(state, FAULTS),
                        .state = state,
                        .at = mode->layout(letter_length, S, B),
                        .header = out,
                        .body = out + SAM_HEADER_SIZE};
    if (SAM_HEADER_SIZE + s.at.length + 1 > max_size)
        return 0;
    write_header(&s);
    write_letter(&s);
    sign(&s, s.body + s.at.letter, letter_length);
    change_signed(&s);
    if (s.fault == SEALED_OTHERWISE && mode->number == 1)
        seal_blocks_otherwise(&s);
    else if (s.fault == SEALED_OTHERWISE)
        seal_key_otherwise(&s);
    else
        require(mode->seal(people.crypto, people.alice.rsa, s.header, s.body, &s.at, NULL) ==
                SAM_OK);
    if (s.fault == OTHER_FIELD)
        s.header[chance_below(state, SAM_HEADER_SIZE)] ^= (uint8_t)(1u << chance_below(state, 8));
    if (s.fault == OTHER_BODY)
        s.body[chance_below(state, s.at.length)] ^= (uint8_t)(1u << chance_below(state, 8));
    return SAM_HEADER_SIZE + s.at.length + (s.fault == OTHER_SIZES);
}

size_t mutate_envelope(const struct sam_mode *mode, uint8_t *data, size_t size, size_t max_size,
                       unsigned seed) {
    uint64_t state = seed;
    size_t sealed = chance_below(&state, 3) == 0 ? seal_one(data, max_size, mode, &state) : 0;
    return sealed > 0 ? sealed : LLVMFuzzerMutate(data, size, max_size);
}
