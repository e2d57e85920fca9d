/* Seals and opens under callgrind, which dumps what each took: tests/perf/check.sh. The same keys
 * and the same bytes each time, so that only the randomness of libcrypto moves the counts. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include "envelope.h"
#include "file.h"

enum { KIB = 1024, MIB = 1024 * KIB };

static const struct {
    const struct sam_mode *mode;
    size_t length;
    const char *seal, *open; /* what the dumps are called */
} cases[] = {
    {&sam_mode_asymmetric_only, 100, "seal, mode 1, 100 B", "open, mode 1, 100 B"},
    {&sam_mode_asymmetric_only, 16 * KIB, "seal, mode 1, 16 KiB", "open, mode 1, 16 KiB"},
    {&sam_mode_asymmetric_symmetric, 100, "seal, mode 2, 100 B", "open, mode 2, 100 B"},
    {&sam_mode_asymmetric_symmetric, MIB, "seal, mode 2, 1 MiB", "open, mode 2, 1 MiB"},
};

static struct sam_crypto *crypto;
static struct sam_key alice, mallory; /* both of 2048 bits */

static void must(enum sam_status status) {
    if (status == SAM_OK)
        return;
    fprintf(stderr, "counted: %s\n", sam_status_sentence(status));
    exit(EXIT_FAILURE);
}

static void load(struct sam_key *key, const char *path) {
    struct sam_bytes pem = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd < 0 ? SAM_FILE_READ : sam_file_read(fd, MIB, &pem));
    must(sam_rsa_read_private(&key->rsa, pem.data, pem.length, NULL));
    must(sam_rsa_id(key->rsa, crypto, key->id));
    close(fd);
    sam_bytes_free(&pem);
}

/* Seals and opens a message; the dumps are only made when the case is named. */
static void count(size_t row, bool counted) {
    const struct sam_address address = {.kind = SAM_KIND_SEND};
    const struct sam_party sealer = {cases[row].mode, crypto, &alice, NULL};
    const struct sam_party opener = {cases[row].mode, crypto, &mallory, NULL};
    const struct sam_expectation expected = {
        .trusted = &(struct sam_ring){&alice, 1}, .kinds = SAM_KINDS_ALL, .max_message = MIB};
    struct sam_envelope envelope;
    const struct sam_key *sender;
    CALLGRIND_ZERO_STATS;
    must(sam_envelope_start(&envelope, &sealer, &mallory, cases[row].length));
    memset(envelope.message, 'a', cases[row].length);
    must(sam_envelope_seal(&envelope, &sealer, &mallory, &address));
    if (counted)
        CALLGRIND_DUMP_STATS_AT(cases[row].seal);
    CALLGRIND_ZERO_STATS;
    must(sam_envelope_accept(&envelope, &sender, &opener, &expected));
    if (counted)
        CALLGRIND_DUMP_STATS_AT(cases[row].open);
    sam_envelope_free(&envelope);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("usage: counted SENDER.private.pem RECIPIENT.private.pem\n", stderr);
        return 2;
    }
    must(sam_crypto_new(&crypto));
    load(&alice, argv[1]);
    load(&mallory, argv[2]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        count(i, false); /* what is set up once is set up now */
        count(i, true);
    }
    sam_key_free(&alice);
    sam_key_free(&mallory);
    sam_crypto_free(crypto);
    return 0;
}
