/* Floor 5. The keys that a program starts with, and the commands that make and show them. */
#ifndef SAM_IDENTITY_H
#define SAM_IDENTITY_H

#include "options.h"
#include "talk.h"

/* Loads the pair keys/name; its passphrase, where it has one, comes from passphrase_file or, when
 * that is NULL, from the terminal. On failure *own is zeroed and *where names the file. */
SAM_MUST_CHECK enum sam_status sam_identity_load(struct sam_key *own, struct sam_crypto *crypto,
                                                 const char *keys, const char *name,
                                                 const char *passphrase_file,
                                                 struct sam_where *where);

/* Loads own as above, and other, the public key keys/to, which must be another key (SAM_KEY_SELF).
 * On failure both are to be freed all the same. */
SAM_MUST_CHECK enum sam_status sam_identity_load_both(struct sam_key *own, struct sam_key *other,
                                                      struct sam_crypto *crypto, const char *keys,
                                                      const char *name, const char *to,
                                                      const char *passphrase_file,
                                                      struct sam_where *where);

/* generate_key_pair and fingerprint, complete: returns the exit code. */
enum sam_exit sam_identity_generate(const struct sam_options *options, const struct sam_talk *talk);
enum sam_exit sam_identity_fingerprint(const struct sam_options *options,
                                       const struct sam_talk *talk);

#endif
