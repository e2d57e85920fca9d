/* The texts of the page, and what they claim: tests hold every status here against the library. */
#include "explain.h"

const struct sam_group_text sam_group_texts[SAM_GROUPS] = {
    [SAM_GROUP_PROLOGUE] = {"Prologue",
                            "What this is. Every unit of the protocol starts with these "
                            "8 bytes, and nothing else is read before them."},
    [SAM_GROUP_LENGTHS] = {"Lengths", "Where everything ends. A receiver checks these numbers "
                                      "before it divides by them or makes room for them."},
    [SAM_GROUP_PLACE] = {"Place in the conversation",
                         "Which one this is, and what it belongs to: what keeps a recorded message "
                         "from being used a second time."},
    [SAM_GROUP_KEYS] = {"Keys",
                        "Whose keys. A key id is a name for a public key: anybody can write "
                        "it, only the holder of the private key can act under it."},
    [SAM_GROUP_RSA] = {"Locked with RSA", "What only the recipient's private key opens."},
    [SAM_GROUP_AES] = {"Locked with AES", "What only the secret key of this envelope or session "
                                          "opens."},
    [SAM_GROUP_PROOF] = {"Proof", "What shows that nothing was changed, and by whom it was made."},
    [SAM_GROUP_OTHER] = {"Not told apart", "Bytes that cannot be given a name."},
};

const struct sam_guard_text sam_guard_texts[SAM_GUARDS] = {
    {"signature", "The sender signs header and letter with RSASSA-PSS. Whoever changes a bit of "
                  "either needs the sender's private key to sign again."},
    {"label", "Each OAEP block is sealed with a label that is computed from the header. With "
              "another header the label is another one, and the block does not open."},
    {"tag", "AES-256-GCM computes a tag of 16 bytes over the header and the ciphertext. With "
            "another bit in either, or another key or nonce, the tag does not fit."},
    {"secret by RSA", "RSAES-OAEP with the recipient's public key: only the private key reads it."},
    {"secret by AES", "AES-256-GCM: only who has the secret key reads it."},
};

const struct sam_step_text sam_step_texts[SAM_STEPS] = {
    {"the header",
     "Is it this protocol and mode? Do its lengths make sense? Is it for this key, "
     "and from a key that is trusted here? All of it is asked of the first 128 bytes, "
     "before the body has arrived."},
    {"freshness and order", "Does it belong to this connection, and is it the one that is due?"},
    {"decryption", "Do the blocks open with this private key and this header? In mode 2: does the "
                   "tag fit?"},
    {"the signature", "Did the named sender sign exactly this header and this letter?"},
    {"handing over", "Only now the message leaves. Keys and copies are wiped from memory, whatever "
                     "happened."},
};

enum {
    SIGNED = SAM_GUARD_SIGNATURE,
    LABEL = SAM_GUARD_LABEL,
    TAG = SAM_GUARD_TAG,
    BY_RSA = SAM_GUARD_RSA,
    BY_AES = SAM_GUARD_AES,
    HEADER = SIGNED | LABEL | TAG /* of an envelope */
};

#define ZEROS "Always 0: room for a later version of the protocol."
#define ZEROS_CHANGED                                                                              \
    "If programs of today took any value here, a later version could not use the field: it would " \
    "not know whether the value that it finds is meant."
#define BY_THE_SEAL                                                                                \
    "No check reads this field, and still the change is found: the body was sealed together with " \
    "the header as it was, and does not open with another one."

#define PROLOGUE(guards, kind_depends, kind_what, kind_changed)                                    \
    {"magic",                                                                                      \
     0,                                                                                            \
     SAM_GROUP_PROLOGUE,                                                                           \
     guards,                                                                                       \
     SAM_MAGIC,                                                                                    \
     false,                                                                                        \
     "Three letters that every unit starts with: Secure Application Messages. They tell this "     \
     "protocol from any other that may have reached the port.",                                    \
     "",                                                                                           \
     "Nothing more is read. This check stops no attacker, who can write three letters too: it "    \
     "gives an honest mistake a clear error."},                                                    \
        {"type",                                                                                   \
         3,                                                                                        \
         SAM_GROUP_PROLOGUE,                                                                       \
         guards,                                                                                   \
         SAM_TYPE,                                                                                 \
         false,                                                                                    \
         "One letter for the kind of unit: <code>G</code> greeting, <code>E</code> envelope, "     \
         "<code>R</code> rejection, <code>S</code> session record. It decides how the rest is "    \
         "read.",                                                                                  \
         "",                                                                                       \
         "Each side knows which units may come next and takes no other, whatever it says it is."}, \
        {"version",                                                                                \
         4,                                                                                        \
         SAM_GROUP_PROLOGUE,                                                                       \
         guards,                                                                                   \
         SAM_VERSION,                                                                              \
         false,                                                                                    \
         "The version of the protocol. A later one may lay out everything behind it in another "   \
         "way, "                                                                                   \
         "so it stands in front.",                                                                 \
         "",                                                                                       \
         "A receiver does not guess what another version may mean."},                              \
        {"mode",                                                                                   \
         5,                                                                                        \
         SAM_GROUP_PROLOGUE,                                                                       \
         guards,                                                                                   \
         SAM_MODE,                                                                                 \
         false,                                                                                    \
         "How bodies are sealed: 1 with RSA alone, 2 with AES under a key that RSA carries.",      \
         "",                                                                                       \
         "A program speaks one mode. Nothing is negotiated, so nobody in between can talk the "    \
         "two "                                                                                    \
         "ends down to the weaker choice."},                                                       \
        {"kind",    6,  SAM_GROUP_PROLOGUE, guards, SAM_KIND, kind_depends,                        \
         kind_what, "", kind_changed},                                                             \
    {                                                                                              \
        "reserved", 7, SAM_GROUP_PROLOGUE, guards, SAM_RESERVED, false, ZEROS, "", ZEROS_CHANGED   \
    }

#define NO_KIND "Always 0: only envelopes and records are of a kind."
#define NO_KIND_CHANGED "There is one value, and it is compared."
#define KIND_CHANGED                                                                               \
    "It depends on the kind. Of one that the sender's side may not send, the header already "      \
    "fails. Where it is one that this side may send, as join in the place of recv, the header "    \
    "passes, but the body does not open: it was sealed with the header as it was."

static const struct sam_explanation envelope[] = {
    PROLOGUE(HEADER, true,
             "What it asks for, or answers: 1 send, 2 recv, 3 join, 4 reply, 5 push, 6 refuse, "
             "7 session. A client sends 1, 2, 3 and 7, a server 4, 5 and 6.",
             KIND_CHANGED),
    {"signature length", 8, SAM_GROUP_LENGTHS, HEADER, SAM_KEY_MISMATCH, true,
     "<var>S</var>, the bytes of the sender's RSA modulus. A signature is a number below the "
     "modulus, so it has that length too: 256 to 512 bytes are keys of 2048 to 4096 bits.",
     "The size of the key that the header names.",
     "Checked three times: it must be 256 to 512, the body length must be possible with it, and it "
     "must be the size of the sender's key. Which of them fails depends on the mode and the "
     "numbers."},
    {"block length", 10, SAM_GROUP_LENGTHS, HEADER, SAM_KEY_MISMATCH, true,
     "<var>B</var>, the bytes of the recipient's RSA modulus, and so of each OAEP block.",
     "The size of the key that the header names.",
     "Checked like the signature length, and before anything is divided by it: mode 1 has "
     "(<var>L</var> - <var>S</var>) / <var>B</var> blocks, and a 0 here must not reach that line."},
    {"body length", 12, SAM_GROUP_LENGTHS, HEADER, SAM_LENGTH, true,
     "<var>L</var>, the bytes behind the header. Mode 1 can make <var>n</var> &times; <var>B</var> "
     "+ <var>S</var>, mode 2 <var>B</var> + <var>S</var> + 44 + the length of the message.",
     "What the mode can produce, and the receiver's limit.",
     "If the mode can have that length at all, a file now has bytes too few or too many. On a "
     "connection the receiver would wait for bytes that do not come, or stop too early, and then "
     "the body does not open. Memory grows with bytes that arrived, never with this number."},
    {"sequence", 16, SAM_GROUP_PLACE, HEADER, SAM_ORDER, false,
     "Its number among those of its side: a client counts the envelopes of a connection from 0. An "
     "answer has 0, the pushes that follow a join count from 1.",
     "The receiver counts too.",
     "One that is repeated, left out or overtaken has another number than the one that is due. "
     "Whoever opens a file has nothing to compare it with: there, the body does not open."},
    {"reserved", 20, SAM_GROUP_PLACE, HEADER, SAM_RESERVED, false, ZEROS, "", ZEROS_CHANGED},
    {"sent at", 24, SAM_GROUP_PLACE, HEADER, SAM_DECRYPT, false,
     "When the sender says that it was sealed, in milliseconds since 1970 (Unix time). For people "
     "only: clocks are wrong, and freshness must not rest on one.",
     "", BY_THE_SEAL},
    {"message id", 32, SAM_GROUP_PLACE, HEADER, SAM_DECRYPT, false,
     "16 random bytes, new for every envelope. Its answer repeats them as its reference: so the "
     "answer can belong to no other.",
     "", BY_THE_SEAL},
    {"reference", 48, SAM_GROUP_PLACE, HEADER, SAM_STALE, false,
     "What ties it to this conversation. A client repeats the challenge of the server's greeting; "
     "a server repeats the message id that it answers. An envelope made for a file has zeros.",
     "Each side compares it with what it gave out itself.",
     "This stops a replay. What was recorded on another connection has another challenge, and no "
     "clock or list of old messages is needed to see it. Whoever opens a file has nothing to "
     "compare it with: there, the body does not open."},
    {"sender key id", 64, SAM_GROUP_KEYS, HEADER, SAM_STRANGER, false,
     "SHA-256 of the sender's public key. It tells which key must verify the signature.",
     "The list of trusted keys.",
     "No trusted key has that id. An attacker can put the id of another trusted key here, but not "
     "sign with it."},
    {"recipient key id", 96, SAM_GROUP_KEYS, HEADER, SAM_RECIPIENT, false,
     "SHA-256 of the recipient's public key: with which private key it opens.",
     "The receiver's own key.",
     "It is not for this key. That the id is signed matters: otherwise a recipient could seal a "
     "signed letter anew for a third person, who would believe that it was written to them."},
    {"OAEP block", SAM_HEADER_SIZE, SAM_GROUP_RSA, SIGNED | LABEL | BY_RSA, SAM_DECRYPT, false,
     "The start of the letter, at most <var>B</var> - 66 bytes of it: a salt of 16 random bytes, "
     "then the message. The 66 are what OAEP needs: two hashes of 32 bytes, and two bytes more.",
     "Its label is SHA-256(header) || 0: this header, first block.",
     "The private key then yields another number altogether, in which the label's hash is not "
     "found. The receiver says that the block did not open and never why: from the why, attackers "
     "have decrypted messages."},
    {"OAEP block", SAM_ANYWHERE, SAM_GROUP_RSA, SIGNED | LABEL | BY_RSA, SAM_DECRYPT, false,
     "The next piece of the letter. Every block but the last is full.",
     "Its label is SHA-256(header || salt) || its number. Who does not know the salt, which "
     "travels in the first block, cannot make a block for this place.",
     "Blocks that are swapped, repeated or taken from another envelope do not open either: their "
     "labels are for another place."},
    {"signature", SAM_ANYWHERE, SAM_GROUP_PROOF, 0, SAM_SIGNATURE, false,
     "RSASSA-PSS with the sender's private key over header || letter, the letter being salt || "
     "message. It travels in clear; anybody could try guesses of the message against it if the "
     "letter did not start with a secret salt.",
     "Nothing has to: who changes it has no signature any more, and only the sender's private key "
     "makes another.",
     "Header and blocks are as they were, so the letter opens, but nobody vouches for it: it is "
     "not shown."},
    {"wrapped key", SAM_ANYWHERE, SAM_GROUP_RSA, LABEL | BY_RSA, SAM_DECRYPT, false,
     "The secret key of 32 bytes, drawn for this envelope alone, sealed with the recipient's "
     "public key in one OAEP block.",
     "Its label is SHA-256(header) || 0.",
     "Unwrapping fails, and the receiver goes on with a random key until the tag does not fit. So "
     "a bad key and a bad tag look the same, and an attacker learns nothing from the difference."},
    {"nonce", SAM_ANYWHERE, SAM_GROUP_AES, TAG, SAM_DECRYPT, false,
     "12 random bytes. With the key they decide the stream of bytes that AES lays over the letter. "
     "A nonce is no secret, but must never come twice under one key; here every envelope has its "
     "own key as well.",
     "", "Another nonce means another stream and another tag: the tag at the end does not fit."},
    {"ciphertext", SAM_ANYWHERE, SAM_GROUP_AES, SIGNED | TAG | BY_AES, SAM_DECRYPT, false,
     "Salt, message and signature, each byte combined with one of AES's stream. It is as long as "
     "what it hides: the length of the message shows, to the byte.",
     "",
     "Without the tag, a bit turned over here would turn over the same bit of the message and "
     "nothing else. So not a byte is handed on before the whole tag has been checked."},
    {"tag", SAM_ANYWHERE, SAM_GROUP_PROOF, TAG, SAM_DECRYPT, false,
     "16 bytes that AES-256-GCM computes from the key, the nonce, the header and the ciphertext.",
     "Only who has the secret key can compute it.",
     "The receiver computes the tag itself, and the two differ. It cannot tell, and does not say, "
     "which of key, nonce, header, ciphertext and tag was changed."},
};

static const struct sam_explanation greeting[] = {
    PROLOGUE(0, false, NO_KIND, NO_KIND_CHANGED),
    {"max message", 8, SAM_GROUP_LENGTHS, 0, SAM_OK, true,
     "The longest message, in bytes, that this server takes: at most 2<sup>30</sup>.", "",
     "Nobody notices, unless it is now over that limit. A client that is told too little sends "
     "less than it could; one that is told too much is rejected. What a client itself accepts "
     "does not depend on it."},
    {"reserved", 12, SAM_GROUP_LENGTHS, 0, SAM_RESERVED, false,
     "Always 0. Here other units say how many bytes follow, and nothing follows a greeting.", "",
     ZEROS_CHANGED},
    {"challenge", 16, SAM_GROUP_PLACE, 0, SAM_STALE, true,
     "16 random bytes, new for every connection. Every envelope of the client must repeat them as "
     "its reference, so none can have been recorded before.",
     "",
     "The client cannot know. It repeats a challenge that the server has not given, and the server "
     "takes that for a replay. All zeros, which a broken generator might give, are not taken even "
     "by the client."},
    {"server key id", 32, SAM_GROUP_KEYS, 0, SAM_OTHER_SERVER, false,
     "SHA-256 of the server's public key. A hint for a clear error and never a proof: anybody can "
     "write it.",
     "",
     "The client compares it with the key of the server it means, and stops before it sends "
     "anything. Who lies here gains nothing: without the private key, nothing of what the client "
     "sends will open."},
};

static const struct sam_explanation rejection[] = {
    PROLOGUE(0, false, NO_KIND, NO_KIND_CHANGED),
    {"reserved", 8, SAM_GROUP_OTHER, 0, SAM_RESERVED, false,
     "Always 0. A rejection gives no reason: every one has the same bytes. The reason goes to the "
     "server's own log, where attackers do not read it.",
     "", "The client takes no rejection that tries to say more."},
};

static const struct sam_explanation record[] = {
    PROLOGUE(TAG, true,
             "As in an envelope: 1 send, 2 recv, 3 join, 4 reply, 5 push, 6 refuse; and 8 close, "
             "the last record of each side.",
             KIND_CHANGED),
    {"sequence", 8, SAM_GROUP_PLACE, TAG, SAM_ORDER, false,
     "0, 1, 2, ... in each direction. It is also the nonce, with 8 zero bytes before it: so none "
     "comes twice under one key.",
     "The receiver counts too.",
     "One that is repeated, left out or overtaken has another number than the one that is due, and "
     "the session ends."},
    {"length", 12, SAM_GROUP_LENGTHS, TAG, SAM_LENGTH, true,
     "The bytes behind these 16: those of the message, and 16 of the tag.", "",
     "Bytes are now missing or left over. On a connection the tag would be looked for in another "
     "place, and not fit. At least 16 and not over the limit it must be in any case."},
    {"ciphertext", SAM_ANYWHERE, SAM_GROUP_AES, TAG | BY_AES, SAM_DECRYPT, false,
     "The message, each byte combined with one of AES's stream. It is as long as the message.", "",
     "The tag does not fit, and the session ends: its keys are wiped."},
    {"tag", SAM_ANYWHERE, SAM_GROUP_PROOF, TAG, SAM_DECRYPT, false,
     "16 bytes that AES-256-GCM computes from the key of this direction, the sequence, the header "
     "and the ciphertext. There is no signature: a record convinces the two ends and nobody else.",
     "Only the two ends have the key.",
     "The receiver computes the tag itself, the two differ, and the session ends."},
};

static const struct sam_explanation foreign[] = {
    {"body", SAM_ANYWHERE, SAM_GROUP_OTHER, 0, SAM_NO_CLAIM, false,
     "What stands behind the fixed part. Which parts it has cannot be told, because the fixed part "
     "is not as it must be.",
     "", "It is never looked at: the fixed part has failed before."},
    {"surplus", SAM_ANYWHERE, SAM_GROUP_OTHER, 0, SAM_NO_CLAIM, false,
     "Bytes behind the end that the unit claims to have.", "",
     "In a file, that they are there is an error, whatever they are. On a connection they would be "
     "the start of the next unit."},
    {"unknown", SAM_ANYWHERE, SAM_GROUP_OTHER, 0, SAM_NO_CLAIM, false,
     "These bytes begin no unit of this protocol.", "",
     "It is refused now, and would be so with most other bytes."},
};

#define ROWS(table) table, sizeof(table) / sizeof(table)[0]

const struct sam_explanation *sam_explanations(uint8_t type, size_t *count) {
    static const struct {
        uint8_t type;
        const struct sam_explanation *rows;
        size_t count;
    } units[] = {{SAM_GREETING, ROWS(greeting)},
                 {SAM_ENVELOPE, ROWS(envelope)},
                 {SAM_REJECTION, ROWS(rejection)},
                 {SAM_RECORD, ROWS(record)},
                 {0, ROWS(foreign)}};
    size_t i = 0;
    while (units[i].type != type && units[i].type != 0)
        i++;
    *count = units[i].count;
    return units[i].rows;
}

const struct sam_sealing_text *sam_sealing_text(const struct sam_anatomy *anatomy) {
    static const struct sam_sealing_text texts[] = {
        {SAM_ENVELOPE, 1, "How this body is sealed: RSA alone",
         "The sender writes a letter, signs it, and cuts it into pieces that fit into RSA blocks. "
         "Each block is sealed for the recipient's key. The signature follows in clear.",
         "letter    = salt (16 random bytes) || message\n"
         "signature = RSASSA-PSS(sender's private key, header || letter)\n"
         "label(0)  = SHA-256(header)         || 0\n"
         "label(i)  = SHA-256(header || salt) || i\n"
         "body      = OAEP(piece 0, label(0)) || OAEP(piece 1, label(1)) || ... || signature",
         SIGNED | LABEL | BY_RSA,
         "docs/protocol.md, sections 5 and 6; RFC 8017, sections 7.1 (RSAES-OAEP) and 8.1 "
         "(RSASSA-PSS)"},
        {SAM_ENVELOPE, 2, "How this body is sealed: AES under a key that RSA carries",
         "The sender writes a letter, signs it, and draws a secret key for this envelope alone. "
         "RSA "
         "seals that key for the recipient; AES seals letter and signature under it.",
         "letter    = salt (16 random bytes) || message\n"
         "signature = RSASSA-PSS(sender's private key, header || letter)\n"
         "label(0)  = SHA-256(header) || 0\n"
         "body      = OAEP(key, label(0)) || nonce ||\n"
         "            AES-256-GCM(key, nonce, header, letter || signature) || tag",
         SIGNED | LABEL | TAG | BY_RSA | BY_AES,
         "docs/protocol.md, sections 5 and 6; RFC 8017, sections 7.1 (RSAES-OAEP) and 8.1 "
         "(RSASSA-PSS); RFC 5116, section 5.2 (AES-256-GCM)"},
        {SAM_ENVELOPE, 0, "How an envelope is sealed",
         "A header of 128 bytes, readable for everybody, and a body that only the recipient opens. "
         "Of this one the header is not as it must be.",
         "", SIGNED | LABEL | TAG, "docs/protocol.md, sections 2 and 6"},
        {SAM_RECORD, 0, "How this record is sealed",
         "Both ends have agreed on two secret keys, one for each direction, and every record is "
         "sealed with AES under one of them. No RSA operation is needed for a message.",
         "record = header (16) || AES-256-GCM(key of the direction, nonce, header, message) || "
         "tag\n"
         "nonce  = 8 zero bytes || sequence",
         TAG | BY_AES, "docs/protocol.md, section 9; RFC 5116, section 5.2 (AES-256-GCM)"},
        {SAM_GREETING, 0, "What a greeting is worth",
         "It is what a server says first. Nothing in it is secret and nothing protects it: whoever "
         "stands in between can write another. It is enough all the same, because what follows is "
         "signed and sealed, and repeats the challenge.",
         "", 0, "docs/protocol.md, sections 1 and 4"},
        {SAM_REJECTION, 0, "What a rejection is worth",
         "A server sends it for an envelope that fails, and closes. Nothing protects it, so it "
         "proves nothing: anybody in between can write one, and the message may have been carried "
         "out before.",
         "", 0, "docs/protocol.md, sections 1 and 4"},
        {0, 0, "What this may be",
         "A unit of this protocol starts with the letters SAM and a letter for its type. These "
         "bytes do not, so nothing more can be said of them.",
         "", 0, "docs/protocol.md, section 1"}};
    uint8_t mode = anatomy->mode != NULL ? anatomy->mode->number : 0;
    size_t i = 0;
    while (texts[i].type != 0 &&
           (texts[i].type != anatomy->type || (texts[i].mode != 0 && texts[i].mode != mode)))
        i++;
    return &texts[i];
}
