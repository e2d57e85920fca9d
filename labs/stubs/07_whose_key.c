/* Lab 07: Whose key is it. What to write stands at each TODO; what each function promises, in
 * whose_key.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "whose_key.h"

/* You are Mallory, between the two. */
bool mitm(const struct end *client, const struct end *bank, struct exchange *out) {
    *out = (struct exchange){0};
    /* TODO: take the bank's key, and give the client yours. Then the same the other way round.
     * TODO: read the order into out->order. The bank gets "PAY MALLORY" and the same amount.
     * TODO: read the answer into out->answer. The client gets the one that it expects. */
    (void)client, (void)bank;
    return false;
}

/* From here on you are the client's programmer. */
enum sam_status fingerprint(char out[SAM_FINGERPRINT_SIZE], struct sam_crypto *crypto,
                            const struct message *pem) {
    out[0] = '\0';
    /* TODO: shared/rsa.h reads the key and names it, shared/keys.h writes the name as people do. */
    (void)crypto, (void)pem;
    return SAM_KEY_FORMAT;
}

enum trust known_peer(const char *store, const char *name, const char *print) {
    /* TODO: read the store whole (open, sam_file_read of shared/file.h). What if it cannot be
     *       opened: is it not there (ENOENT), or not for you?
     * TODO: look at each line. One that is none makes the verdict UNSURE, wherever it stands.
     * TODO: a name that is not there: write the store anew, with one line more (sam_file_replace,
     *       0600). */
    (void)store, (void)name, (void)print;
    return UNSURE;
}

enum trust careful_order(const struct end *bank, const char *store, const char *name,
                         const char *order) {
    /* TODO: whose_key_order, with the question that it never asks. */
    (void)bank, (void)store, (void)name, (void)order;
    return UNSURE;
}
