/* Two ways to seal a long letter in blocks. Each designer wrote down why it is safe. Which sentence
 * would you not have signed? */
#include <stdio.h>
#include <string.h>

#include "answering_blocks.h"
#include "net.h"

enum { LINE_SECONDS = 60 };

/* "The header is in every label, and Alice signs the header. So the blocks are bound." */
static enum sam_status first_label(struct sam_crypto *crypto, uint8_t label[SAM_LABEL_SIZE],
                                   const uint8_t header[SAM_HEADER_SIZE], const uint8_t *salt,
                                   uint32_t index) {
    (void)salt, (void)index;
    sam_put32(label + SAM_SHA256_SIZE, 0);
    return sam_sha256(crypto, label, header, SAM_HEADER_SIZE, NULL, 0);
}

/* "Now each block has its place, and Alice signs all of it. A secret salt is in the letter, so that
 * nobody can test a guess against the signature. So nobody can test a guess." */
static enum sam_status second_label(struct sam_crypto *crypto, uint8_t label[SAM_LABEL_SIZE],
                                    const uint8_t header[SAM_HEADER_SIZE], const uint8_t *salt,
                                    uint32_t index) {
    (void)salt;
    sam_put32(label + SAM_SHA256_SIZE, index);
    return sam_sha256(crypto, label, header, SAM_HEADER_SIZE, NULL, 0);
}

const struct answering_format answering_first = {first_label, 0, false};
const struct answering_format answering_second = {second_label, SAM_SALT_SIZE, true};

enum sam_status answering_seal(uint8_t out[ANSWERING_MAX], const struct answering_ends *ends,
                               const void *message, size_t length) {
    const struct answering_format *format = &ends->format;
    const struct sam_party *alice = &ends->alice;
    const struct sam_key *bob = ends->bob.own;
    uint8_t letter[ANSWERING_MAX], label[SAM_LABEL_SIZE];
    size_t block = sam_rsa_size(bob->rsa), chunk = block - SAM_OAEP_OVERHEAD;
    size_t signature = sam_rsa_size(alice->own->rsa), total = format->salt_size + length;
    size_t blocks = (total + chunk - 1) / chunk;
    if (SAM_HEADER_SIZE + blocks * block + signature > ANSWERING_MAX)
        return SAM_TOO_LONG;
    struct sam_header header = {.mode = 1, .kind = SAM_KIND_SEND, .sent_at = sam_unix_time()};
    header.signature_length = (uint16_t)signature;
    header.block_length = (uint16_t)block;
    header.body_length = (uint32_t)(blocks * block + signature);
    memcpy(header.sender, alice->own->id, sizeof header.sender);
    memcpy(header.recipient, bob->id, sizeof header.recipient);
    enum sam_status status = sam_random(header.message_id, sizeof header.message_id);
    if (status == SAM_OK)
        status = sam_random(letter, format->salt_size);
    memcpy(letter + format->salt_size, message, length);
    sam_header_write(out, &header);

    uint8_t *at = out + SAM_HEADER_SIZE;
    if (status == SAM_OK)
        status = sam_pss_sign(alice->crypto, alice->own->rsa, at + blocks * block, out,
                              SAM_HEADER_SIZE, letter, format->signs_letter ? total : 0);
    for (uint32_t i = 0; i < blocks && status == SAM_OK; i++, at += block) {
        size_t left = total - i * chunk;
        status = format->label(alice->crypto, label, out, i == 0 ? NULL : letter, i);
        if (status == SAM_OK)
            status = sam_oaep_encrypt(alice->crypto, bob->rsa, at, label, sizeof label,
                                      letter + i * chunk, left < chunk ? left : chunk);
    }
    sam_wipe(letter, sizeof letter);
    return status;
}

/* Step 3 of opening (docs/protocol.md, section 7): the letter, which holds ANSWERING_MAX bytes. */
static enum sam_status open_blocks(uint8_t *letter, size_t *length,
                                   const struct answering_ends *ends, const uint8_t *envelope,
                                   const struct sam_header *header) {
    const struct answering_format *format = &ends->format;
    const struct sam_party *bob = &ends->bob;
    uint8_t label[SAM_LABEL_SIZE], opened[SAM_RSA_SIZE_MAX];
    size_t block = header->block_length, chunk = block - SAM_OAEP_OVERHEAD, got = 0;
    size_t blocks = (header->body_length - header->signature_length) / block;
    enum sam_status status = SAM_OK;
    *length = 0;
    for (uint32_t i = 0; i < blocks && status == SAM_OK; i++) {
        const uint8_t *at = envelope + SAM_HEADER_SIZE + i * block;
        status = format->label(bob->crypto, label, envelope, i == 0 ? NULL : letter, i);
        if (status == SAM_OK)
            status =
                sam_oaep_decrypt(bob->crypto, bob->own->rsa, opened, &got, label, sizeof label, at);
        bool last = i + 1 == blocks;
        size_t least = !last ? chunk : i == 0 ? format->salt_size : 1;
        if (status == SAM_OK && got < least)
            status = SAM_DECRYPT;
        if (status == SAM_OK) {
            memcpy(letter + *length, opened, got);
            *length += got;
        }
    }
    sam_wipe(opened, sizeof opened);
    return status;
}

void answering_open(struct delivery *out, const struct answering_ends *ends,
                    const uint8_t envelope[ANSWERING_MAX]) {
    const struct answering_format *format = &ends->format;
    const struct sam_party *bob = &ends->bob;
    uint8_t letter[ANSWERING_MAX];
    size_t length = 0;
    struct sam_header header;
    const struct sam_key *sender = NULL;
    struct sam_expectation expected = {
        .trusted = ends->trusted, .kinds = 1 << SAM_KIND_SEND, .max_message = ANSWERING_MAX};
    *out = (struct delivery){0};
    enum sam_status status = sam_envelope_check(&header, &sender, bob, &expected, envelope);
    if (status == SAM_OK && header.body_length > ANSWERING_MAX - SAM_HEADER_SIZE)
        status = SAM_LENGTH;
    if (status == SAM_OK)
        status = open_blocks(letter, &length, ends, envelope, &header);
    if (status == SAM_OK)
        status = sam_pss_verify(
            bob->crypto, sender->rsa,
            envelope + SAM_HEADER_SIZE + header.body_length - header.signature_length, envelope,
            SAM_HEADER_SIZE, letter, format->signs_letter ? length : 0);
    if (status == SAM_OK) {
        out->length = length - format->salt_size;
        memcpy(out->message, letter + format->salt_size, out->length);
        snprintf(out->sender, sizeof out->sender, "%s", sender->name);
    }
    out->status = status;
    sam_wipe(letter, sizeof letter);
}

void answering_line(uint8_t *out, size_t length, const char *text) {
    size_t written = strlen(text);
    memset(out, ' ', length);
    memcpy(out, text, written < length ? written : length);
}

size_t answering_form(uint8_t out[ANSWERING_MAX], const struct sam_rsa *recipient, size_t salt_size,
                      const char *const lines[], size_t count) {
    size_t length = 0, room = sam_rsa_size(recipient) - SAM_OAEP_OVERHEAD;
    for (size_t i = 0; i < count; i++) {
        size_t size = i == 0 ? room - salt_size : room;
        answering_line(out + length, size, lines[i]);
        length += size;
    }
    return length;
}

void answering_digit(char text[ANSWERING_TEXT], uint32_t number, char digit) {
    snprintf(text, ANSWERING_TEXT, "DIGIT %u: %c", number, digit);
}

unsigned answering_panel(enum sam_status said[ANSWERING_MESSAGES], int wire, int64_t deadline,
                         const struct answering_ends *ends, const void *form, size_t length) {
    uint8_t envelope[ANSWERING_MAX];
    struct delivery delivery;
    for (unsigned count = 0; count < ANSWERING_MESSAGES; count++) {
        if (answering_seal(envelope, ends, form, length) != SAM_OK)
            return count;
        size_t size = (size_t)sam_unit_length(envelope, SAM_UNIT_SIZE);
        if (sam_write_all(wire, -1, deadline, envelope, size) != SAM_OK ||
            sam_read_all(wire, -1, deadline, envelope, size) != SAM_OK)
            return count;
        answering_open(&delivery, ends, envelope);
        said[count] = delivery.status;
        uint8_t accepted = delivery.status == SAM_OK;
        if (sam_write_all(wire, -1, deadline, &accepted, 1) != SAM_OK)
            return count + 1;
    }
    return ANSWERING_MESSAGES;
}

bool answering_take(int wire, uint8_t envelope[ANSWERING_MAX]) {
    int64_t deadline = sam_now() + LINE_SECONDS * SAM_SECOND;
    if (sam_read_all(wire, -1, deadline, envelope, SAM_HEADER_SIZE) != SAM_OK)
        return false;
    uint64_t length = sam_unit_length(envelope, SAM_UNIT_SIZE);
    return length > SAM_HEADER_SIZE && length <= ANSWERING_MAX &&
           sam_read_all(wire, -1, deadline, envelope + SAM_HEADER_SIZE,
                        (size_t)length - SAM_HEADER_SIZE) == SAM_OK;
}

bool answering_pass_on(int wire, const uint8_t envelope[ANSWERING_MAX]) {
    int64_t deadline = sam_now() + LINE_SECONDS * SAM_SECOND;
    uint64_t length = sam_unit_length(envelope, SAM_UNIT_SIZE);
    uint8_t accepted = 0;
    return length <= ANSWERING_MAX &&
           sam_write_all(wire, -1, deadline, envelope, (size_t)length) == SAM_OK &&
           sam_read_all(wire, -1, deadline, &accepted, 1) == SAM_OK && accepted == 1;
}
