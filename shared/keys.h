/* Floor 2. Key files, names and the ring of trusted keys.
 *
 * A pair is two files in one folder: NAME.private.pem (mode 0600) and NAME.public.pem. Every public
 * key in the folder is trusted under its file's name: that is the whole trust store. */
#ifndef SAM_KEYS_H
#define SAM_KEYS_H

#include "rsa.h"

enum {
    SAM_NAME_MAX = 64,
    SAM_FINGERPRINT_SIZE = 7 + 43 + 1 /* "SHA256:", base64 without padding, NUL */
};

/* A key with a name. */
struct sam_key {
    char name[SAM_NAME_MAX + 1];
    uint8_t id[SAM_KEY_ID_SIZE];
    struct sam_rsa *rsa; /* owned; a pair or a public key */
};

/* The trusted keys. Never changes once loaded, so threads may share it. */
struct sam_ring {
    struct sam_key *keys; /* owned, sorted by name */
    size_t count;
};

/* Whether text is 1 to 64 of A-Z a-z 0-9 . _ - (docs/protocol.md, section 3) and does not start
 * with a dot, as hidden files do. */
bool sam_name_is_valid(const char *text);

/* A key id as ssh prints a fingerprint: "SHA256:" and base64. */
void sam_fingerprint(char out[SAM_FINGERPRINT_SIZE], const uint8_t id[SAM_KEY_ID_SIZE]);

/* Every function below: on failure *out is zeroed and *where, which may be NULL, names the file; on
 * success the caller frees *out. Failures are SAM_NAME (where is the name), SAM_FOLDER, the
 * SAM_KEY_ ones, SAM_MEMORY and SAM_CRYPTO. */

/* Loads folder/NAME.public.pem. */
SAM_MUST_CHECK enum sam_status sam_key_load_public(struct sam_key *out, struct sam_crypto *crypto,
                                                   const char *folder, const char *name,
                                                   struct sam_where *where);

/* Loads folder/NAME.private.pem, which nobody else may be able to read, and where NAME.public.pem
 * lies beside it makes sure that it is the other half. passphrase may be NULL; SAM_KEY_LOCKED tells
 * that one is needed. */
SAM_MUST_CHECK enum sam_status sam_key_load_private(struct sam_key *out, struct sam_crypto *crypto,
                                                    const char *folder, const char *name,
                                                    const struct sam_passphrase *passphrase,
                                                    struct sam_where *where);

void sam_key_free(struct sam_key *key);

/* Loads every *.public.pem of a folder that is not hidden. One key under two names is
 * SAM_KEY_TWICE, an unreadable folder SAM_FOLDER; one bad file fails it all, because a ring with a
 * hole would turn somebody away without a word. */
SAM_MUST_CHECK enum sam_status sam_ring_load(struct sam_ring *out, struct sam_crypto *crypto,
                                             const char *folder, struct sam_where *where);

/* The key of that id, or NULL. The ring keeps it. */
const struct sam_key *sam_ring_find(const struct sam_ring *ring, const uint8_t id[SAM_KEY_ID_SIZE]);

void sam_ring_free(struct sam_ring *ring);

/* Makes a pair and its two files; the folder is made (0700) when it is missing. Without replace,
 * either file's being there is SAM_KEY_EXISTS. With a passphrase the private key is written under
 * it. On failure (as above, or SAM_FILE_WRITE: errno tells) no private key that was there is lost
 * before the new one is in its place, though its public half may be, and without replace no new
 * file is left. Whoever is killed meanwhile leaves the old pair, the new one, or a private half
 * alone. */
SAM_MUST_CHECK enum sam_status sam_key_generate(const char *folder, const char *name, unsigned bits,
                                                const struct sam_passphrase *passphrase,
                                                bool replace, struct sam_where *where);

#endif
