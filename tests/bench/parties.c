#include "parties.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "figure.h"

static char root[PATH_MAX];
static pid_t owner;
static struct parties made[3];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

/* At the end of the program, not of what it has forked. */
static void remove_keys(void) {
    enum { DESCRIPTORS = 8 };
    if (getpid() == owner)
        nftw(root, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

static void make_root(void) {
    const char *folder = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/sam-bench-XXXXXX", folder != NULL ? folder : "/tmp");
    must(mkdtemp(root) != NULL, root);
    owner = getpid();
    atexit(remove_keys);
}

static void make(struct parties *parties, unsigned bits) {
    struct sam_where where;
    if (root[0] == '\0')
        make_root();
    int length = snprintf(parties->folder, sizeof parties->folder, "%s/%u", root, bits);
    must(length < (int)sizeof parties->folder, "the path of a folder for keys");
    parties->bits = bits;
    must_be_ok(sam_crypto_new(&parties->crypto), "libcrypto");
    must_be_ok(sam_key_generate(parties->folder, "server", bits, NULL, false, &where), "a key");
    must_be_ok(sam_key_generate(parties->folder, "client", bits, NULL, false, &where), "a key");
    must_be_ok(sam_key_load_private(&parties->server, parties->crypto, parties->folder, "server",
                                    NULL, &where),
               "a key");
    must_be_ok(sam_key_load_private(&parties->client, parties->crypto, parties->folder, "client",
                                    NULL, &where),
               "a key");
    must_be_ok(sam_ring_load(&parties->trusted, parties->crypto, parties->folder, &where), "keys");
}

const struct parties *parties_of(unsigned bits) {
    struct parties *parties = made;
    while (parties->bits != 0 && parties->bits != bits)
        parties++;
    if (parties->bits == 0)
        make(parties, bits);
    return parties;
}
