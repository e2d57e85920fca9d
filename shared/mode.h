/* Floor 3. What the two modes differ in, and nothing else: how a body is sealed and opened. */
#ifndef SAM_MODE_H
#define SAM_MODE_H

#include "rsa.h"
#include "show.h"
#include "wire.h"

enum {
    SAM_SHARE_SIZE = 32,                 /* what a session request carries */
    SAM_SALT_SIZE = 16,                  /* a letter is salt || message */
    SAM_LABEL_SIZE = SAM_SHA256_SIZE + 4 /* hash || block number */
};

/* Where letter and signature stand in a body, as offsets, when they are not encrypted. Sealing and
 * opening work in place, so a message is copied once and no plaintext is left behind. */
struct sam_layout {
    size_t length; /* of the body: L */
    size_t letter;
    size_t letter_length;
    size_t signature;
};

struct sam_mode {
    uint8_t number;
    const char *name;
    uint32_t max_message;        /* the default limit M, bytes */
    const char *session_refusal; /* why a session (section 9) is refused; NULL: it is not */

    /* The size rule of docs/protocol.md, section 2: whether header->body_length can be, when no
     * message is longer than max_message. header is as sam_header_read leaves it. */
    bool (*fits)(const struct sam_header *header, uint32_t max_message);

    /* Where letter and signature must stand before sealing. signature_length is S, block_length B;
     * letter_length is at least SAM_SALT_SIZE. */
    struct sam_layout (*layout)(size_t letter_length, size_t signature_length, size_t block_length);

    /* Seals the body in place (section 6): body holds layout->length bytes with letter and
     * signature where layout says. header is the 128 bytes as they travel. On failure (SAM_CRYPTO)
     * the body may hold anything, and the caller wipes it. */
    enum sam_status (*seal)(struct sam_crypto *crypto, const struct sam_rsa *recipient,
                            const uint8_t header[SAM_HEADER_SIZE], uint8_t *body,
                            const struct sam_layout *layout, const struct sam_trace *trace);

    /* Opens the body in place (section 7, step 3) and says in *layout where letter and signature
     * stand. parsed is header read and found to fit. layout->length is L. On failure (SAM_DECRYPT,
     * SAM_CRYPTO) the body may hold anything, and the caller wipes it. */
    enum sam_status (*open)(struct sam_crypto *crypto, const struct sam_rsa *own,
                            const uint8_t header[SAM_HEADER_SIZE], const struct sam_header *parsed,
                            uint8_t *body, struct sam_layout *layout,
                            const struct sam_trace *trace);

    /* Names part number index of a sealed body, offset counted from the start of the envelope.
     * False when there are no more. */
    bool (*part)(const struct sam_header *header, size_t index, struct sam_field *part);
};

/* Each defined by the seal.c of the directory of that name. */
extern const struct sam_mode sam_mode_asymmetric_only;
extern const struct sam_mode sam_mode_asymmetric_symmetric;

/* OAEP's label for a block (section 6): SHA-256(header) || 0 for block 0, where salt is NULL, and
 * SHA-256(header || salt) || index for the others. On failure (SAM_CRYPTO) its hash is zeroed. */
SAM_MUST_CHECK enum sam_status sam_label(struct sam_crypto *crypto, uint8_t label[SAM_LABEL_SIZE],
                                         const uint8_t header[SAM_HEADER_SIZE], const uint8_t *salt,
                                         uint32_t index);

#endif
