/* A bank and its client. All that they say is sealed. Which question does the client never ask? */
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "whose_key.h"

#define PATIENCE (10 * SAM_SECOND)

static const uint8_t label[] = "whose key";

enum sam_status whose_key_write(const struct end *end, const void *data, size_t length) {
    uint8_t bytes[2 + MESSAGE_MAX];
    if (length > MESSAGE_MAX)
        return SAM_TOO_LONG;
    sam_put16(bytes, (uint16_t)length);
    memcpy(bytes + 2, data, length);
    return sam_write_all(end->fd, -1, sam_now() + PATIENCE, bytes, 2 + length);
}

enum sam_status whose_key_read(const struct end *end, struct message *out) {
    uint8_t length[2];
    int64_t deadline = sam_now() + PATIENCE;
    out->length = 0;
    enum sam_status status = sam_read_all(end->fd, -1, deadline, length, sizeof length);
    if (status != SAM_OK)
        return status;
    if (sam_get16(length) > MESSAGE_MAX)
        return SAM_TOO_LONG;
    status = sam_read_all(end->fd, -1, deadline, out->data, sam_get16(length));
    if (status == SAM_OK)
        out->length = sam_get16(length);
    return status;
}

enum sam_status whose_key_introduce(const struct end *end) {
    struct sam_bytes pem = {0};
    enum sam_status status = sam_rsa_write_public(end->own->rsa, &pem);
    if (status == SAM_OK)
        status = whose_key_write(end, pem.data, pem.length);
    sam_bytes_free(&pem);
    return status;
}

enum sam_status whose_key_send(const struct end *end, const struct message *pem, const char *text) {
    struct sam_rsa *rsa = NULL;
    uint8_t block[SAM_RSA_SIZE_MAX];
    enum sam_status status = sam_rsa_read_public(&rsa, pem->data, pem->length);
    if (status == SAM_OK && strlen(text) >= TEXT_SIZE)
        status = SAM_TOO_LONG;
    if (status == SAM_OK)
        status = sam_oaep_encrypt(end->crypto, rsa, block, label, sizeof label,
                                  (const uint8_t *)text, strlen(text));
    if (status == SAM_OK)
        status = whose_key_write(end, block, sam_rsa_size(rsa));
    sam_rsa_free(rsa);
    return status;
}

enum sam_status whose_key_take(const struct end *end, char text[TEXT_SIZE]) {
    struct message sealed;
    uint8_t opened[SAM_RSA_SIZE_MAX];
    size_t length = 0;
    enum sam_status status = whose_key_read(end, &sealed);
    text[0] = '\0';
    if (status == SAM_OK && sealed.length != sam_rsa_size(end->own->rsa))
        status = SAM_DECRYPT;
    if (status == SAM_OK)
        status = sam_oaep_decrypt(end->crypto, end->own->rsa, opened, &length, label, sizeof label,
                                  sealed.data);
    if (status == SAM_OK && length >= TEXT_SIZE)
        status = SAM_TOO_LONG;
    if (status == SAM_OK) {
        memcpy(text, opened, length);
        text[length] = '\0';
    }
    sam_wipe(opened, sizeof opened);
    return status;
}

const char *whose_key_line(const char *text, char name[SAM_NAME_MAX + 1],
                           char print[SAM_FINGERPRINT_SIZE]) {
    size_t name_length = strcspn(text, " \n"), print_length = SAM_FINGERPRINT_SIZE - 1;
    const char *at = text + name_length;
    if (name_length > SAM_NAME_MAX || *at != ' ' || strcspn(at + 1, " \n") != print_length)
        return NULL;
    snprintf(name, SAM_NAME_MAX + 1, "%.*s", (int)name_length, text);
    snprintf(print, SAM_FINGERPRINT_SIZE, "%.*s", (int)print_length, at + 1);
    at += 1 + print_length;
    return !sam_name_is_valid(name) || *at == ' ' ? NULL : *at == '\n' ? at + 1 : at;
}

enum sam_status whose_key_place(const struct end *bank, const struct message *pem,
                                const char *order) {
    enum sam_status status = whose_key_introduce(bank);
    return status == SAM_OK ? whose_key_send(bank, pem, order) : status;
}

enum sam_status whose_key_order(const struct end *bank, const char *order) {
    struct message pem;
    enum sam_status status = whose_key_read(bank, &pem);
    return status == SAM_OK ? whose_key_place(bank, &pem, order) : status;
}

enum sam_status whose_key_serve(const struct end *client, struct exchange *out) {
    struct message pem;
    uint8_t number[4];
    char payee[WORD_SIZE], amount[WORD_SIZE];
    *out = (struct exchange){.answer = "NO ORDER"};
    enum sam_status status = whose_key_read(client, &pem);
    if (status == SAM_OK)
        status = whose_key_take(client, out->order);
    if (status == SAM_OK)
        status = sam_random(number, sizeof number);
    if (status == SAM_OK && sscanf(out->order, "PAY %31s %31s", payee, amount) == 2)
        snprintf(out->answer, sizeof out->answer, "PAID %s %s RECEIPT %08lu", payee, amount,
                 (unsigned long)sam_get32(number) % 100000000);
    return status == SAM_OK ? whose_key_send(client, &pem, out->answer) : status;
}
