/* Lab 07: Whose key is it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "whose_key.h"

bool mitm(const struct end *client, const struct end *bank, struct exchange *out) {
    struct message bank_key, client_key;
    char payee[WORD_SIZE], amount[WORD_SIZE], receipt[WORD_SIZE], text[TEXT_SIZE];
    *out = (struct exchange){0};
    if (whose_key_read(bank, &bank_key) != SAM_OK || whose_key_introduce(client) != SAM_OK ||
        whose_key_read(client, &client_key) != SAM_OK || whose_key_introduce(bank) != SAM_OK ||
        whose_key_take(client, out->order) != SAM_OK ||
        sscanf(out->order, "PAY %31s %31s", payee, amount) != 2)
        return false;
    snprintf(text, sizeof text, "PAY MALLORY %s", amount);
    if (whose_key_send(bank, &bank_key, text) != SAM_OK ||
        whose_key_take(bank, out->answer) != SAM_OK ||
        sscanf(out->answer, "PAID %*s %*s RECEIPT %31s", receipt) != 1)
        return false;
    snprintf(text, sizeof text, "PAID %s %s RECEIPT %s", payee, amount, receipt);
    return whose_key_send(client, &client_key, text) == SAM_OK;
}

enum sam_status fingerprint(char out[SAM_FINGERPRINT_SIZE], struct sam_crypto *crypto,
                            const struct message *pem) {
    struct sam_rsa *rsa = NULL;
    uint8_t id[SAM_KEY_ID_SIZE];
    enum sam_status status = sam_rsa_read_public(&rsa, pem->data, pem->length);
    out[0] = '\0';
    if (status == SAM_OK)
        status = sam_rsa_id(rsa, crypto, id);
    if (status == SAM_OK)
        sam_fingerprint(out, id);
    sam_rsa_free(rsa);
    return status;
}

/* All of the store, with a NUL behind it. A file that is not there is an empty one. */
static enum sam_status read_store(struct sam_bytes *text, const char *store) {
    int fd = open(store, O_RDONLY);
    enum sam_status status = fd >= 0 || errno == ENOENT ? SAM_OK : SAM_FILE_READ;
    if (fd >= 0) {
        status = sam_file_read(fd, STORE_MAX, text);
        close(fd);
    }
    if (status == SAM_OK)
        status = sam_bytes_append(text, "", 1);
    if (status == SAM_OK)
        text->length--;
    return status;
}

/* What the store says of name: FIRST when nothing. */
static enum trust look_up(const char *text, const char *name, const char *print) {
    char known[SAM_NAME_MAX + 1], known_print[SAM_FINGERPRINT_SIZE];
    enum trust trust = FIRST;
    while (*text != '\0') {
        text = whose_key_line(text, known, known_print);
        if (text == NULL)
            return UNSURE;
        if (strcmp(known, name) == 0 && trust != FIRST)
            return UNSURE;
        if (strcmp(known, name) == 0)
            trust = strcmp(known_print, print) == 0 ? KNOWN : CHANGED;
    }
    return trust;
}

enum trust known_peer(const char *store, const char *name, const char *print) {
    struct sam_bytes text = {0};
    char line[SAM_NAME_MAX + SAM_FINGERPRINT_SIZE + 4];
    enum trust trust = UNSURE;
    if (sam_name_is_valid(name) && strlen(print) == SAM_FINGERPRINT_SIZE - 1 &&
        read_store(&text, store) == SAM_OK && strlen((char *)text.data) == text.length)
        trust = look_up((char *)text.data, name, print);
    if (trust == FIRST) {
        bool unended = text.length > 0 && text.data[text.length - 1] != '\n';
        snprintf(line, sizeof line, "%s%s %s\n", unended ? "\n" : "", name, print);
        if (sam_bytes_append(&text, line, strlen(line)) != SAM_OK ||
            sam_file_replace(store, 0600, text.data, text.length) != SAM_OK)
            trust = UNSURE;
    }
    sam_bytes_free(&text);
    return trust;
}

enum trust careful_order(const struct end *bank, const char *store, const char *name,
                         const char *order) {
    struct message pem;
    char print[SAM_FINGERPRINT_SIZE];
    if (whose_key_read(bank, &pem) != SAM_OK || fingerprint(print, bank->crypto, &pem) != SAM_OK)
        return UNSURE;
    enum trust trust = known_peer(store, name, print);
    if ((trust == FIRST || trust == KNOWN) && whose_key_place(bank, &pem, order) != SAM_OK)
        trust = UNSURE;
    return trust;
}
