/* Floor 0. Every way in which something here can fail, in one list. */
#ifndef SAM_STATUS_H
#define SAM_STATUS_H

/* The result of what can fail must be looked at. */
#define SAM_MUST_CHECK __attribute__((warn_unused_result))

/* X(name, step, sentence)
 *
 * step is the step of opening (docs/protocol.md, section 7) that fails with this status, 0 for what
 * is not a verdict on an envelope. The sentence says what happened and, to a person who can do
 * something about it, what to do next. It follows "<file, address or sender>: ". The groups stay
 * together and in their order: talk.c gives each an exit code. */
#define SAM_STATUS_LIST(X)                                                                         \
    X(OK, 0, "all checks passed")                                                                  \
    /* step 1: the header */                                                                       \
    X(MAGIC, 1, "does not start with SAM: this is another protocol")                               \
    X(TYPE, 1, "is not the kind of unit that is due here")                                         \
    X(VERSION, 1, "speaks another version of the protocol")                                        \
    X(MODE, 1, "is in the other mode: run both from one directory, or with one MODE=")             \
    X(KIND, 1, "is of a kind that this side may not send")                                         \
    X(RESERVED, 1, "has a reserved byte that is not 0")                                            \
    X(KEY_LENGTHS, 1, "names an RSA modulus outside 256 to 512 bytes")                             \
    X(LENGTH, 1, "has a length that this mode cannot have, or one over the limit")                 \
    X(TRUNCATED, 1, "was cut short")                                                               \
    X(RECIPIENT, 1, "is addressed to another key")                                                 \
    X(STRANGER, 1, "comes from a key that is not trusted here")                                    \
    X(KEY_MISMATCH, 1, "names a length of signature or block that does not fit the keys it names") \
    /* step 2: freshness and order */                                                              \
    X(STALE, 2, "was sealed for another connection: replayed, or held back and sent on")           \
    X(ORDER, 2, "is out of order: replayed, reordered, or one before it is missing")               \
    X(OTHER_SENDER, 2, "comes from another sender than the first on this connection")              \
    /* step 3: decryption */                                                                       \
    X(DECRYPT, 3, "does not open: altered, or not sealed for this key")                            \
    X(TOO_LONG, 3, "holds a message over the limit")                                               \
    /* step 4: signature */                                                                        \
    X(SIGNATURE, 4, "does not verify: altered, or not by the named sender")                        \
    /* the network */                                                                              \
    X(REJECTED, 0, "rejected this, unsigned, which proves nothing; the server's own log says why") \
    X(REFUSED, 0, "the request was refused: the answer, which is signed, says why")                \
    X(OTHER_SERVER, 0,                                                                             \
      "holds another key than expected: restart it if its key is new, or use --to")                \
    X(CHALLENGE, 0, "offers a challenge of zeros, which protects nobody from a replay")            \
    X(CLOSED, 0, "closed the connection")                                                          \
    X(CUT, 0, "ended the session without saying so: what came last may be missing")                \
    X(UNANSWERED, 0, "has not answered the last 64 requests: wait for it")                         \
    X(TIMEOUT, 0, "took too long: see --timeout")                                                  \
    X(STOPPED, 0, "ended because the server is being stopped")                                     \
    X(ADDRESS, 0, "no such address: check --host and --port")                                      \
    X(CONNECT, 0, "cannot connect: is the server running? Start it with make run-server")          \
    X(LISTEN, 0, "cannot listen: another server may be running; stop it, or try port 0")           \
    X(NETWORK, 0, "the network failed")                                                            \
    X(LAST_SEQUENCE, 0, "has used up its sequence numbers: connect again")                         \
    /* TLS: with another kind of peer; what did not pass; what is to be used */                    \
    X(TLS_NOT_TLS, 0, "does not speak TLS: use --tls on both sides, or on neither")                \
    X(TLS_SPOKEN, 0, "speaks TLS, this side does not: use --tls on both sides, or on neither")     \
    X(TLS_UNKNOWN_CA, 0,                                                                           \
      "shows a certificate of a CA that is not trusted here: check the CA's file")                 \
    X(TLS_SELF_SIGNED, 0, "shows a certificate that it signed itself: it needs one of a CA")       \
    X(TLS_NAME, 0, "shows a certificate for another name: check --host, or get one that holds it") \
    X(TLS_NO_SAN, 0,                                                                               \
      "shows a certificate without subject alternative name, all that counts: get one with it")    \
    X(TLS_EXPIRED, 0, "shows a certificate that has expired: it needs a new one")                  \
    X(TLS_NOT_YET, 0, "shows a certificate that is not valid yet: compare the clocks")             \
    X(TLS_REVOKED, 0, "shows a certificate that its CA has revoked: it needs a new one")           \
    X(TLS_CRL, 0,                                                                                  \
      "shows a certificate of a CA without a valid CRL in the file: get the CA's newest")          \
    X(TLS_NO_CERTIFICATE, 0,                                                                       \
      "shows no certificate: this server asks for one, see --tls-client-cert")                     \
    X(TLS_BAD_CERTIFICATE, 0,                                                                      \
      "shows a certificate that fails: openssl verify -x509_strict tells more")                    \
    X(TLS_TOO_WEAK, 0,                                                                             \
      "has no TLS 1.3, nor 1.2 with ECDHE and AEAD: renew it, or see --tls-ciphers")               \
    X(TLS_REFUSED, 0,                                                                              \
      "refused this side's TLS: it may want --tls-client-cert, or trust another CA")               \
    X(TLS_BROKEN, 0, "breaks the rules of TLS: altered on the way, or a fault there")              \
    X(TLS_CIPHERS, 0, "names no cipher of TLS 1.2 that is known here: see openssl ciphers")        \
    X(TLS_WEAK_CIPHER, 0,                                                                          \
      "lacks forward secrecy or AEAD, so it is not offered here: whoever gets the server's key "   \
      "later could read what is recorded now, or alter it unseen; leave it out")                   \
    X(TLS_FILE, 0,                                                                                 \
      "cannot be used for TLS: it must exist, be PEM, and fit its key; see make certs")            \
    /* keys */                                                                                     \
    X(KEY_MISSING, 0,                                                                              \
      "no such key file: check the name and --keys; its owner makes it with generate_key_pair")    \
    X(KEY_EMPTY, 0, "the key file is empty: get it from its owner again, or from a backup")        \
    X(KEY_NOT_FILE, 0, "is not a file: remove it, or check --keys")                                \
    X(KEY_UNREADABLE, 0, "cannot be read: check its permissions and those of its folder")          \
    X(KEY_EXPOSED, 0, "can be read by others: run chmod 600 on it")                                \
    X(KEY_FORMAT, 0, "is not one key in PEM (SubjectPublicKeyInfo or PKCS #8): make it anew")      \
    X(KEY_PRIVATE, 0,                                                                              \
      "holds a private key where a public one belongs: keep it secret, put only its public half "  \
      "there")                                                                                     \
    X(KEY_PUBLIC, 0, "holds a public key where a private one belongs: get the other half")         \
    X(KEY_NOT_RSA, 0, "is not an RSA key: make one with generate_key_pair")                        \
    X(KEY_PSS_ONLY, 0, "is an RSA-PSS key, which cannot decrypt: make a plain RSA key")            \
    X(KEY_BITS, 0, "is not of 2048 to 4096 bits in steps of 8: make it with generate_key_pair")    \
    X(KEY_EXPONENT, 0, "has a public exponent other than 65537: make it with generate_key_pair")   \
    X(KEY_TWICE, 0, "hold one and the same key: remove one of the two files")                      \
    X(KEY_SELF, 0, "have one and the same key: name another pair")                                 \
    X(KEY_HALVES, 0, "is not the public half of the private key beside it: remove one of them")    \
    X(KEY_EXISTS, 0, "exists already: use --force to replace the pair")                            \
    X(KEY_LOCKED, 0, "is under a passphrase: give it on a terminal or by --passphrase-file")       \
    X(KEY_PASSPHRASE, 0, "does not open with that passphrase: try again")                          \
    X(NO_PASSPHRASE, 0, "no passphrase: type one, twice the same, or use --passphrase-file")       \
    X(PASSPHRASE, 0, "holds no passphrase of 1 to 1023 bytes without NUL: write one into it")      \
    X(NAME, 0, "is not a name: use 1 to 64 of A-Z a-z 0-9 . _ - and no dot in front")              \
    X(FOLDER, 0, "is not a folder that can be used: check --keys")                                 \
    /* this machine */                                                                             \
    X(FILE_READ, 0, "cannot be read: check that it exists and may be read")                        \
    X(FILE_WRITE, 0, "cannot be written: check the folder, its permissions and the free space")    \
    X(MEMORY, 0, "there is not enough memory")                                                     \
    X(CRYPTO, 0, "libcrypto failed: check that OpenSSL is 3.0.8 or later and installed whole")     \
    X(SYSTEM, 0, "the system refused: try again, with fewer clients")

enum sam_status {
#define SAM_STATUS_CODE(name, step, sentence) SAM_##name,
    SAM_STATUS_LIST(SAM_STATUS_CODE)
#undef SAM_STATUS_CODE
        SAM_STATUS_COUNT
};

/* The status's name as it stands in the list, for logs and tests: "STALE". Never NULL. */
const char *sam_status_name(enum sam_status status);

/* What happened and what to do next, without a final full stop. Never NULL. */
const char *sam_status_sentence(enum sam_status status);

/* The step of opening, 1 to 4, that fails with this status; 0 where there is none. */
int sam_status_step(enum sam_status status);

/* What a status is about: a file, an address, a sender. */
struct sam_where {
    char text[512];
};

/* Sets where as printf would; what does not fit is cut off. where may be NULL. */
void sam_where_set(struct sam_where *where, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
