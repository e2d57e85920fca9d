/* Tests of keys: which files are trusted and which refused, under which name, and that no pair is
 * lost or left half made. */
#include "keys.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "suites.h"
#include "support.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static char folder[PATH_MAX];
static struct sam_where where;
static char endless[100000]; /* a text */

static void set_up(void) {
    make_folder(folder);
    sam_where_set(&where, "%s", "");
    memset(endless, '\n', sizeof endless - 1);
}

static void tear_down(void) {
    remove_folder(folder);
}

/* folder/file; the next call overwrites it. */
static const char *in_folder(const char *file) {
    static char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    return path;
}

/* Puts a vector's key into the folder under another name. */
static void put(const char *vector, const char *file, mode_t permissions) {
    struct sam_bytes pem = read_vector(vector);
    write_file(in_folder(file), permissions, pem.data, pem.length);
    sam_bytes_free(&pem);
}

static void check_where(const char *file) {
    ck_assert_str_eq(where.text, in_folder(file));
}

static mode_t mode_of(const char *path) {
    struct stat file;
    ck_assert_int_eq(lstat(path, &file), 0);
    return file.st_mode;
}

static bool is_empty(const struct sam_key *key) {
    return key->rsa == NULL && key->name[0] == '\0' && sam_is_zero(key->id, sizeof key->id);
}

static void load_public(const char *name, enum sam_status expected) {
    struct sam_key key;
    memset(&key, 0xa5, sizeof key);
    ck_status(sam_key_load_public(&key, people.crypto, folder, name, &where), expected);
    ck_assert(expected == SAM_OK ? strcmp(key.name, name) == 0 : is_empty(&key));
    sam_key_free(&key);
    ck_assert(is_empty(&key));
}

static void load_private(const char *name, const struct sam_passphrase *under,
                         enum sam_status expected) {
    struct sam_key key;
    memset(&key, 0xa5, sizeof key);
    ck_status(sam_key_load_private(&key, people.crypto, folder, name, under, &where), expected);
    ck_assert(expected == SAM_OK ? strcmp(key.name, name) == 0 : is_empty(&key));
    sam_key_free(&key);
}

static void load_ring(size_t count, enum sam_status expected) {
    struct sam_ring ring = {NULL, 99};
    ck_status(sam_ring_load(&ring, people.crypto, folder, &where), expected);
    ck_assert_uint_eq(ring.count, count);
    ck_assert((ring.keys == NULL) == (count == 0));
    sam_ring_free(&ring);
    ck_assert(ring.count == 0 && ring.keys == NULL);
}

/* Names */

#define A64 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
#define A65 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddde"
static const char *const bad_names[] = {
    "", A65, "a b", "a/b", "/", "../a", "a\n", "\x1b[31m", "a\\b", "\xc3\xa4", "~", "a*", "%s%n",
};

START_TEST(a_bad_name_touches_no_file) {
    ck_assert(!sam_name_is_valid(bad_names[_i]));
    load_public(bad_names[_i], SAM_NAME);
    ck_assert_str_eq(where.text, bad_names[_i]);
    load_private(bad_names[_i], NULL, SAM_NAME);
    ck_status(sam_key_generate(in_folder("sub"), bad_names[_i], 2048, NULL, true, &where),
              SAM_NAME);
    ck_assert_uint_eq(count_entries(folder), 0);
    if (strchr(bad_names[_i], '/') != NULL || bad_names[_i][0] == '\0')
        return;
    /* A public key under no name is not left out of the ring without a word. */
    char file[128];
    snprintf(file, sizeof file, "%s.public.pem", bad_names[_i]);
    put("alice.public.pem", file, 0644);
    load_ring(0, SAM_NAME);
    bool cut = strlen(bad_names[_i]) > SAM_NAME_MAX + 1; /* of a name too long, the start is said */
    ck_assert(cut || strstr(where.text, file) != NULL);
}
END_TEST

START_TEST(a_name_is_1_to_64_harmless_bytes) {
    ck_assert(sam_name_is_valid("a") && sam_name_is_valid(A64));
    load_public(A64, SAM_KEY_MISSING);
    for (int byte = 1; byte < 256; byte++) {
        char name[] = {'a', (char)byte, 'b', '\0'};
        bool good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                    (byte >= '0' && byte <= '9') || strchr("._-", byte) != NULL;
        ck_assert_msg(sam_name_is_valid(name) == good, "byte %d", byte);
    }
}
END_TEST

/* Computed with: openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64 */
START_TEST(a_fingerprint_is_what_openssl_says_for_both_halves) {
    static const char expected[] = "SHA256:v3B0eU7kPdL9uBrLXLfuC1vchQJ56+cDvzDQtx85c8g";
    struct sam_key key;
    char text[SAM_FINGERPRINT_SIZE];
    ck_status(sam_key_load_public(&key, people.crypto, vectors_folder(), "alice", NULL), SAM_OK);
    sam_fingerprint(text, key.id);
    ck_assert_str_eq(text, expected);
    sam_key_free(&key);
    sam_fingerprint(text, people.alice.id);
    ck_assert_str_eq(text, expected);
}
END_TEST

/* Files. What lies where a key should, and what is said of it. */

static const struct {
    const char *content; /* NULL: not a file */
    enum sam_status status;
} files[] = {
    {NULL, SAM_KEY_MISSING},
    {NULL, SAM_KEY_NOT_FILE},   /* a folder */
    {NULL, SAM_KEY_NOT_FILE},   /* a FIFO with nobody at the other end */
    {NULL, SAM_KEY_NOT_FILE},   /* a link to a device */
    {NULL, SAM_KEY_MISSING},    /* a link to nothing */
    {NULL, SAM_KEY_UNREADABLE}, /* a link to itself */
    {"", SAM_KEY_EMPTY},
    {"not a key\n", SAM_KEY_FORMAT},
    {endless, SAM_KEY_FORMAT},
    {"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", SAM_KEY_FORMAT},
};

static void make_file(int i, const char *file) {
    const char *path = in_folder(file);
    static const char *const targets[] = {"/dev/null", "nothing", NULL};
    if (files[i].content != NULL)
        write_file(path, 0600, files[i].content, strlen(files[i].content));
    else if (i == 1)
        ck_assert_int_eq(mkdir(path, 0700), 0);
    else if (i == 2)
        ck_assert_int_eq(mkfifo(path, 0600), 0);
    else if (i > 2)
        ck_assert_int_eq(symlink(i == 5 ? file : targets[i - 3], path), 0);
}

START_TEST(what_is_no_key_is_said_by_name) {
    make_file(_i, "x.public.pem");
    load_public("x", files[_i].status);
    check_where("x.public.pem");
    make_file(_i, "y.private.pem");
    load_private("y", NULL, files[_i].status);
    check_where("y.private.pem");
    /* One bad file fails the whole ring. A hole would turn somebody away without a word. */
    put("bob.public.pem", "bob.public.pem", 0644);
    load_ring(_i == 0 ? 1 : 0, _i == 0 ? SAM_OK : files[_i].status);
    if (_i != 0)
        check_where("x.public.pem");
}
END_TEST

static const mode_t exposed[] = {0640, 0620, 0610, 0604, 0602, 0601, 0644, 0660, 0666, 0777, 0440};

START_TEST(an_exposed_private_key_is_refused) {
    put("alice.private.pem", "x.private.pem", exposed[_i]);
    load_private("x", NULL, SAM_KEY_EXPOSED);
    check_where("x.private.pem");
    ck_assert_int_eq(chmod(in_folder("x.private.pem"), exposed[_i] & 0700), 0);
    load_private("x", NULL, SAM_OK);
}
END_TEST

/* Root reads everything, so root becomes nobody for the while. Where that is not possible either,
 * there is nothing to see. */
START_TEST(what_may_not_be_read_is_said) {
    put("alice.public.pem", "x.public.pem", 0000);
    bool is_root = geteuid() == 0;
    ck_assert_int_eq(chmod(folder, 0755), 0);
    if (is_root && seteuid(65534) != 0)
        return;
    struct sam_key key;
    struct sam_ring ring;
    enum sam_status file = sam_key_load_public(&key, people.crypto, folder, "x", &where);
    enum sam_status all = sam_ring_load(&ring, people.crypto, folder, NULL);
    if (is_root)
        ck_assert_int_eq(seteuid(0), 0);
    ck_status(file, SAM_KEY_UNREADABLE);
    ck_assert(all == SAM_KEY_UNREADABLE || (all == SAM_FOLDER && is_root));
    check_where("x.public.pem");
}
END_TEST

START_TEST(two_halves_of_different_pairs_are_refused) {
    put("alice.private.pem", "x.private.pem", 0600);
    load_private("x", NULL, SAM_OK); /* no other half is fine */
    put("mallory.public.pem", "x.public.pem", 0644);
    load_private("x", NULL, SAM_KEY_HALVES);
    check_where("x.public.pem");
    write_file(in_folder("x.public.pem"), 0644, "?", 1);
    load_private("x", NULL, SAM_KEY_FORMAT);
    check_where("x.public.pem");
    put("alice.public.pem", "x.public.pem", 0644);
    load_private("x", NULL, SAM_OK);
}
END_TEST

/* The ring */

START_TEST(a_ring_is_every_public_key_by_name_and_nothing_else) {
    static const char *const others[] = {".dave.public.pem", ".public.pem",  "public.pem",
                                         "x.public.pem~",    "x.PUBLIC.PEM", "x.private.pem",
                                         "README.md",        "xpublic.pem",  "x.public.pem.1.tmp"};
    put("carol.public.pem", "zoe.public.pem", 0644);
    put("alice.public.pem", "B.public.pem", 0644);
    put("bob.public.pem", A64 ".public.pem", 0644);
    for (int i = 0; i < COUNT(others); i++)
        write_file(in_folder(others[i]), 0666, "\x1b no key", 8);
    struct sam_ring ring;
    ck_status(sam_ring_load(&ring, people.crypto, folder, &where), SAM_OK);
    ck_assert_uint_eq(ring.count, 3);
    ck_assert_str_eq(ring.keys[0].name, "B");
    ck_assert_str_eq(ring.keys[1].name, A64);
    ck_assert_str_eq(ring.keys[2].name, "zoe");
    ck_assert_ptr_eq(sam_ring_find(&ring, people.alice.id), &ring.keys[0]);
    ck_assert_ptr_eq(sam_ring_find(&ring, people.bob.id), &ring.keys[1]);
    ck_assert_ptr_eq(sam_ring_find(&ring, people.carol.id), &ring.keys[2]);
    ck_assert_ptr_null(sam_ring_find(&ring, people.mallory.id));
    for (size_t bit = 0; bit < 8 * sizeof people.alice.id; bit++) {
        uint8_t id[SAM_KEY_ID_SIZE];
        memcpy(id, people.alice.id, sizeof id);
        id[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_ptr_null(sam_ring_find(&ring, id));
    }
    sam_ring_free(&ring);
    ck_assert_ptr_null(sam_ring_find(&ring, people.alice.id));
}
END_TEST

START_TEST(an_empty_folder_is_an_empty_ring_and_a_missing_one_is_not) {
    load_ring(0, SAM_OK);
    struct sam_ring ring = {NULL, 99};
    write_file(in_folder("plain"), 0600, "", 0);
    for (int i = 0; i < 2; i++) {
        const char *bad = i == 0 ? "missing" : "plain";
        ck_status(sam_ring_load(&ring, people.crypto, in_folder(bad), &where), SAM_FOLDER);
        ck_assert(ring.count == 0 && ring.keys == NULL);
        check_where(bad);
    }
}
END_TEST

START_TEST(one_key_under_two_names_is_refused) {
    put("alice.public.pem", "first.public.pem", 0644);
    put("alice.public.pem", "second.public.pem", 0644);
    load_ring(0, SAM_KEY_TWICE);
    ck_assert_ptr_nonnull(strstr(where.text, "first.public.pem"));
    ck_assert_ptr_nonnull(strstr(where.text, "second.public.pem"));
}
END_TEST

/* Making pairs. Each costs a fraction of a second, so a test makes few. */

static const struct sam_passphrase passphrase = {5, "sesam"};

static void generate(const char *name, const struct sam_passphrase *under, bool replace,
                     enum sam_status expected) {
    mode_t before = umask(0);
    enum sam_status status = sam_key_generate(folder, name, 2048, under, replace, &where);
    umask(before);
    ck_status(status, expected);
}

/* The pair called x in the folder is whole, and alice's or not. */
static void x_is_alice(bool expected, const struct sam_passphrase *under) {
    struct sam_key key;
    ck_status(sam_key_load_private(&key, people.crypto, folder, "x", under, NULL), SAM_OK);
    ck_assert(sam_equal(key.id, people.alice.id, sizeof key.id) == expected);
    sam_key_free(&key);
    load_public("x", SAM_OK);
}

START_TEST(a_pair_is_made_where_there_is_none_and_nowhere_else) {
    put("alice.private.pem", "x.private.pem", 0600);
    put("alice.public.pem", "x.public.pem", 0644);
    generate("x", NULL, false, SAM_KEY_EXISTS);
    check_where("x.private.pem");
    x_is_alice(true, NULL);
    /* Either file alone is in the way. */
    ck_assert_int_eq(unlink(in_folder("x.private.pem")), 0);
    generate("x", NULL, false, SAM_KEY_EXISTS);
    check_where("x.public.pem");
    ck_assert_uint_eq(count_entries(folder), 1);
    ck_assert_int_eq(unlink(in_folder("x.public.pem")), 0);
    ck_status(sam_key_generate(folder, "x", 2052, NULL, true, &where), SAM_KEY_BITS);
    ck_assert_uint_eq(count_entries(folder), 0);
    generate("x", NULL, false, SAM_OK);
    ck_assert_uint_eq(count_entries(folder), 2);
    ck_assert_uint_eq(mode_of(in_folder("x.private.pem")), S_IFREG | 0600);
    ck_assert_uint_eq(mode_of(in_folder("x.public.pem")), S_IFREG | 0644);
    x_is_alice(false, NULL);
}
END_TEST

START_TEST(a_pair_is_replaced_whole_and_a_passphrase_locks_it) {
    static const struct sam_passphrase other = {5, "Sesam"};
    put("alice.private.pem", "x.private.pem", 0644);
    put("alice.public.pem", "x.public.pem", 0600);
    generate("x", &passphrase, true, SAM_OK);
    ck_assert_uint_eq(count_entries(folder), 2);
    ck_assert_uint_eq(mode_of(in_folder("x.private.pem")), S_IFREG | 0600);
    ck_assert_uint_eq(mode_of(in_folder("x.public.pem")), S_IFREG | 0644);
    load_private("x", NULL, SAM_KEY_LOCKED);
    check_where("x.private.pem");
    load_private("x", &other, SAM_KEY_PASSPHRASE);
    x_is_alice(false, &passphrase);
}
END_TEST

START_TEST(a_missing_folder_is_made_for_its_owner_alone) {
    char sub[2 * PATH_MAX];
    snprintf(sub, sizeof sub, "%s", in_folder("sub"));
    mode_t before = umask(0);
    enum sam_status status = sam_key_generate(sub, "x", 2048, NULL, false, &where);
    umask(before);
    ck_status(status, SAM_OK);
    ck_assert_uint_eq(mode_of(sub), S_IFDIR | 0700);
    ck_assert_uint_eq(count_entries(sub), 2);
    /* But not the folders above it. */
    ck_status(sam_key_generate(in_folder("no/where"), "x", 2048, NULL, false, &where), SAM_FOLDER);
    check_where("no/where");
}
END_TEST

/* A limit on the size of files stands for a full disk. No assertion while it stands. */
START_TEST(a_pair_that_cannot_be_written_leaves_the_old_one) {
    struct rlimit before;
    put("alice.private.pem", "x.private.pem", 0600);
    put("alice.public.pem", "x.public.pem", 0644);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {1000, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    enum sam_status status = sam_key_generate(folder, "x", 2048, NULL, true, &where);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    ck_status(status, SAM_FILE_WRITE);
    ck_assert_uint_eq(count_entries(folder), 2);
    x_is_alice(true, NULL);
}
END_TEST

Suite *keys_suite(void) {
    Suite *suite = suite_create("keys");
    TCase *tcase = tcase_create("keys");
    tcase_add_unchecked_fixture(tcase, load_people, free_people);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_bad_name_touches_no_file, 0, COUNT(bad_names));
    tcase_add_test(tcase, a_name_is_1_to_64_harmless_bytes);
    tcase_add_test(tcase, a_fingerprint_is_what_openssl_says_for_both_halves);
    tcase_add_loop_test(tcase, what_is_no_key_is_said_by_name, 0, COUNT(files));
    tcase_add_loop_test(tcase, an_exposed_private_key_is_refused, 0, COUNT(exposed));
    tcase_add_test(tcase, what_may_not_be_read_is_said);
    tcase_add_test(tcase, two_halves_of_different_pairs_are_refused);
    tcase_add_test(tcase, a_ring_is_every_public_key_by_name_and_nothing_else);
    tcase_add_test(tcase, an_empty_folder_is_an_empty_ring_and_a_missing_one_is_not);
    tcase_add_test(tcase, one_key_under_two_names_is_refused);
    tcase_add_test(tcase, a_pair_is_made_where_there_is_none_and_nowhere_else);
    tcase_add_test(tcase, a_pair_is_replaced_whole_and_a_passphrase_locks_it);
    tcase_add_test(tcase, a_missing_folder_is_made_for_its_owner_alone);
    tcase_add_test(tcase, a_pair_that_cannot_be_written_leaves_the_old_one);
    suite_add_tcase(suite, tcase);
    return suite;
}
