/* One message in both modes: what it costs on the wire and in work. What can be known is counted
 * from the modes' own layout, what cannot is measured. */
#ifndef SAM_TOOLS_COMPARE_H
#define SAM_TOOLS_COMPARE_H

#include <stdio.h>

#include "anatomy.h"

enum {
    SAM_COMPARE_SIZES = 32, /* most sizes of one comparison */
    SAM_COMPARE_LARGEST = 16 * 1024 * 1024,
    SAM_COMPARE_RUNS = 9 /* most runs of one message in one mode */
};

/* An envelope's bytes by what they are for. header + rsa + aes + signature = total. */
struct sam_compare_bytes {
    size_t header;
    size_t rsa;       /* mode 1: the letter in OAEP blocks; mode 2: the wrapped key */
    size_t aes;       /* mode 2: nonce, the encrypted letter without the signature behind it, tag */
    size_t signature; /* mode 1: in clear; mode 2: inside the ciphertext */
    size_t total;
    size_t blocks; /* how many RSA blocks those of rsa are */
};

/* Counts an envelope by the mode's layout and parts. message, signature_length (S) and block_length
 * (B) are in bytes; message is at most SAM_COMPARE_LARGEST. */
struct sam_compare_bytes sam_compare_count(const struct sam_mode *mode, size_t message,
                                           size_t signature_length, size_t block_length);

/* A cost that sam_compare_cross looks at: the bytes of the whole, or RSA operations. */
enum sam_compare_cost { SAM_COMPARE_TOTAL, SAM_COMPARE_RSA };

/* Where mode 2 becomes the cheaper one. Sizes of messages in bytes; RSA keys of any size that the
 * protocol takes have both. */
struct sam_compare_crossing {
    uint32_t first;  /* the smallest message for which it costs less */
    uint32_t always; /* from here on it does for every message that mode 1 takes */
};

/* Counts every message that mode 1 takes. */
struct sam_compare_crossing sam_compare_cross(enum sam_compare_cost cost, size_t signature_length,
                                              size_t block_length);

/* Sizes of messages in bytes. */
struct sam_compare_sizes {
    uint32_t items[SAM_COMPARE_SIZES];
    size_t count;
};

/* Reads "N,N,...": decimal numbers up to SAM_COMPARE_LARGEST, at most SAM_COMPARE_SIZES of them.
 * False, with one sentence on standard error that names the wrong word; *sizes is then undefined.
 */
bool sam_compare_read_sizes(struct sam_compare_sizes *sizes, const char *text);

/* The sizes that are compared when nobody asks for others: around where the modes cross, up to the
 * limit of each. */
struct sam_compare_sizes sam_compare_default_sizes(size_t signature_length, size_t block_length);

/* One message in one mode. Of one that is over the mode's limit only the first three are set. */
struct sam_compare_row {
    const struct sam_mode *mode;
    uint32_t message; /* bytes */
    bool over_limit;
    struct sam_compare_bytes bytes;
    struct sam_rsa_count seal, open;              /* RSA operations of one run */
    int64_t seal_microseconds, open_microseconds; /* medians of the runs */
    unsigned runs;
};

struct sam_comparison {
    size_t signature_length, block_length; /* moduli of sender and recipient, bytes */
    struct sam_compare_row rows[SAM_COMPARE_SIZES * SAM_MODES]; /* both modes of a size together */
    size_t count;
};

/* Seals and opens a message of each size in both modes, several times each. sender and recipient
 * are pairs. On failure (any status of sealing and opening) *where names the message; nothing of a
 * message is left behind in any case. */
SAM_MUST_CHECK enum sam_status
sam_compare_measure(struct sam_comparison *out, struct sam_crypto *crypto,
                    const struct sam_key *sender, const struct sam_key *recipient,
                    const struct sam_compare_sizes *sizes, struct sam_where *where);

/* No message. */
#define SAM_COMPARE_NEVER UINT32_MAX

/* From which of the measured sizes on mode 2 is quicker, by more than one part in twenty at every
 * one of them: less is within what two measurements of the same thing differ. opening says which of
 * the two times is meant. SAM_COMPARE_NEVER where it is not quicker at the largest size that was
 * measured in both modes; *measured is that size, SAM_COMPARE_NEVER where there is none. */
uint32_t sam_compare_quicker(const struct sam_comparison *comparison, bool opening,
                             uint32_t *measured);

/* Writes the rows in at most 80 columns and where the modes cross, brief: without what explains the
 * columns. */
void sam_compare_show(FILE *out, const struct sam_comparison *comparison, bool brief);

/* Writes the rows as CSV (RFC 4180): a line of names, then a line for each row. What was not
 * measured is empty. */
void sam_compare_csv(FILE *out, const struct sam_comparison *comparison);

/* Writes the rows as a JSON array (RFC 8259) of objects, a line each. What was not measured is
 * null. */
void sam_compare_json(FILE *out, const struct sam_comparison *comparison);

#endif
