#include "identity.h"

enum sam_status sam_identity_load(struct sam_key *own, struct sam_crypto *crypto, const char *keys,
                                  const char *name, const char *passphrase_file,
                                  struct sam_where *where) {
    struct sam_passphrase passphrase;
    char prompt[SAM_NAME_MAX + 32];
    enum sam_status status = sam_key_load_private(own, crypto, keys, name, NULL, where);
    if (status != SAM_KEY_LOCKED)
        return status;
    if (passphrase_file != NULL) {
        status = sam_passphrase_read(&passphrase, passphrase_file);
        if (status != SAM_OK)
            sam_where_set(where, "%s", passphrase_file);
    } else {
        snprintf(prompt, sizeof prompt, "Passphrase of %s: ", name);
        if (sam_passphrase_ask(&passphrase, prompt, false) == SAM_OK)
            status = SAM_OK;
    }
    if (status == SAM_OK)
        status = sam_key_load_private(own, crypto, keys, name, &passphrase, where);
    sam_wipe(&passphrase, sizeof passphrase);
    return status;
}

enum sam_status sam_identity_load_both(struct sam_key *own, struct sam_key *other,
                                       struct sam_crypto *crypto, const char *keys,
                                       const char *name, const char *to,
                                       const char *passphrase_file, struct sam_where *where) {
    enum sam_status status = sam_identity_load(own, crypto, keys, name, passphrase_file, where);
    if (status == SAM_OK)
        status = sam_key_load_public(other, crypto, keys, to, where);
    if (status != SAM_OK || !sam_equal(own->id, other->id, SAM_KEY_ID_SIZE))
        return status;
    sam_where_set(where, "%s and %s", name, to);
    return SAM_KEY_SELF;
}

static enum sam_status show_fingerprint(const struct sam_options *options,
                                        struct sam_where *where) {
    struct sam_crypto *crypto;
    struct sam_key key = {0};
    char fingerprint[SAM_FINGERPRINT_SIZE];
    sam_where_set(where, "%s", options->name);
    enum sam_status status = sam_crypto_new(&crypto);
    if (status == SAM_OK)
        status = sam_key_load_public(&key, crypto, options->keys, options->name, where);
    if (status == SAM_OK) {
        sam_fingerprint(fingerprint, key.id);
        printf("%s %s\n", fingerprint, key.name);
        if (fflush(stdout) != 0) {
            sam_where_set(where, "standard output");
            status = SAM_FILE_WRITE;
        }
    }
    sam_key_free(&key);
    sam_crypto_free(crypto);
    return status;
}

enum sam_exit sam_identity_fingerprint(const struct sam_options *options,
                                       const struct sam_talk *talk) {
    struct sam_where where;
    enum sam_status status = show_fingerprint(options, &where);
    return status == SAM_OK ? SAM_EXIT_OK : sam_complain(talk, &where, status);
}

enum sam_exit sam_identity_generate(const struct sam_options *options,
                                    const struct sam_talk *talk) {
    struct sam_where where;
    struct sam_passphrase passphrase = {0};
    enum sam_status status = SAM_OK;
    bool locked = options->passphrase || options->passphrase_file != NULL;
    if (options->passphrase_file != NULL) {
        sam_where_set(&where, "%s", options->passphrase_file);
        status = sam_passphrase_read(&passphrase, options->passphrase_file);
    } else if (options->passphrase) {
        sam_where_set(&where, "%s", options->name);
        status = sam_passphrase_ask(&passphrase, "Passphrase for the new key: ", true);
    }
    if (status == SAM_OK)
        status = sam_key_generate(options->keys, options->name, options->bits,
                                  locked ? &passphrase : NULL, options->force, &where);
    sam_wipe(&passphrase, sizeof passphrase);
    if (status != SAM_OK)
        return sam_complain(talk, &where, status);
    if (!talk->quiet)
        fprintf(stderr,
                "%s: made %s/%s.private.pem, %u bits: keep it secret\n"
                "%s: made %s/%s.public.pem: give it to those who shall trust %s\n",
                talk->program, options->keys, options->name, options->bits, talk->program,
                options->keys, options->name, options->name);
    return sam_identity_fingerprint(options, talk);
}
