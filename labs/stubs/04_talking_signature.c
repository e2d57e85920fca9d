/* Lab 04: The signature that talks. What to write stands at each TODO; what the functions get, in
 * talking_signature.h. */
#include <stdio.h>
#include <string.h>

#include "talking_signature.h"

/* You are Eve. You have recorded an envelope, and you know what Alice's messages look like. */
enum sam_status recover_pin(char pin[PIN_SIZE + 1], struct sam_crypto *crypto,
                            const struct sam_key *sender, const struct sealed *envelope,
                            const struct text *before) {
    pin[0] = '\0';
    /* TODO: where in the envelope is something that only one message fits?
     * TODO: write down, for each PIN that can be, what Alice would have signed. Is it that one? */
    (void)crypto, (void)sender, (void)envelope, (void)before;
    return SAM_SIGNATURE;
}

/* You are Alice's programmer. */
enum sam_status write_letter(struct text *letter, const struct text *message) {
    *letter = (struct text){0};
    /* TODO: what has to be in the letter besides the message, so that Eve's list is too long? */
    (void)message;
    return SAM_CRYPTO;
}

/* You are Bob's. */
enum sam_status read_letter(struct text *message, const struct text *letter) {
    *message = (struct text){0};
    /* TODO: the message of a letter, and nothing of what is none. */
    (void)letter;
    return SAM_CRYPTO;
}
