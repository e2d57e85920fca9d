/* Tests of key files that cannot be used: each is named in one sentence, and none is changed. */
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"

/* Keys that the protocol does not take, and one that it takes, but not in the format of PKCS #1. */
enum odd { EC, PSS, SHORT, EXPONENT_3, PKCS1, ODD_KEYS };
static EVP_PKEY *odd_keys[ODD_KEYS];

static EVP_PKEY *generate(const char *algorithm, size_t bits, unsigned long exponent) {
    EVP_PKEY *key = NULL;
    BIGNUM *number = BN_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    ck_assert_int_eq(EVP_PKEY_keygen_init(context), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits), 1);
    ck_assert_int_eq(BN_set_word(number, exponent), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, number), 1);
    ck_assert_int_eq(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    BN_free(number);
    return key;
}

static void make_odd_keys(void) {
    odd_keys[EC] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    odd_keys[PSS] = generate("RSA-PSS", 2048, 65537);
    odd_keys[SHORT] = generate("RSA", 1024, 65537);
    odd_keys[EXPONENT_3] = generate("RSA", 2048, 3);
    odd_keys[PKCS1] = generate("RSA", 2048, 65537);
    ck_assert_ptr_nonnull(odd_keys[EC]);
}

static void free_odd_keys(void) {
    for (int i = 0; i < ODD_KEYS; i++)
        EVP_PKEY_free(odd_keys[i]);
}

/* The key files that a program reads when it starts, and whose keys they are. */
static const struct victim {
    const char *program, *file, *who;
    bool is_private, may_miss;
} victims[] = {
    {"client", "client.private.pem", "alice", true, false},
    {"client", "client.public.pem", "alice", false, true},
    {"client", "server.public.pem", "bob", false, false},
    {"server", "server.private.pem", "bob", true, false},
    {"server", "server.public.pem", "bob", false, true},
    {"server", "client.public.pem", "alice", false, true}, /* one of the ring */
};

static void write_odd(const char *path, bool is_private, enum odd odd) {
    char *data = NULL;
    EVP_PKEY *key = odd_keys[odd];
    BIO *bio = BIO_new(BIO_s_mem());
    int written = odd == PKCS1
                      ? PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL)
                  : is_private ? PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
                               : PEM_write_bio_PUBKEY(bio, key);
    ck_assert_int_eq(written, 1);
    long length = BIO_get_mem_data(bio, &data);
    write_file(path, is_private ? 0600 : 0644, data, (size_t)length);
    BIO_free(bio);
}

enum what {
    MISSING,
    EMPTY,
    FOLDER,
    FIFO,
    LINK_TO_ITSELF,
    UNREADABLE,
    GARBAGE,
    CUT,
    HUGE_FILE,
    ODD_KEY,
    WRONG_HALF,
    EXPOSED_TO_GROUP,
    EXPOSED_TO_OTHERS,
    MISMATCHED
};

static const struct {
    enum what what;
    enum odd odd;
    enum sam_status status; /* what is said about it */
} troubles[] = {
    {MISSING, 0, SAM_KEY_MISSING},
    {EMPTY, 0, SAM_KEY_EMPTY},
    {FOLDER, 0, SAM_KEY_NOT_FILE},
    {FIFO, 0, SAM_KEY_NOT_FILE},
    {LINK_TO_ITSELF, 0, SAM_KEY_UNREADABLE},
    {UNREADABLE, 0, SAM_KEY_UNREADABLE},
    {GARBAGE, 0, SAM_KEY_FORMAT},
    {CUT, 0, SAM_KEY_FORMAT},
    {HUGE_FILE, 0, SAM_KEY_FORMAT},
    {ODD_KEY, EC, SAM_KEY_NOT_RSA},
    {ODD_KEY, PSS, SAM_KEY_PSS_ONLY},
    {ODD_KEY, SHORT, SAM_KEY_BITS},
    {ODD_KEY, EXPONENT_3, SAM_KEY_EXPONENT},
    {ODD_KEY, PKCS1, SAM_KEY_FORMAT},
    {WRONG_HALF, 0, SAM_KEY_FORMAT},
    {EXPOSED_TO_GROUP, 0, SAM_KEY_EXPOSED},
    {EXPOSED_TO_OTHERS, 0, SAM_KEY_EXPOSED},
    {MISMATCHED, 0, SAM_KEY_HALVES},
};

static bool applies(enum what what, const struct victim *victim) {
    switch (what) {
    case MISSING:
        return !victim->may_miss;
    case UNREADABLE:
        return geteuid() != 0;
    case EXPOSED_TO_GROUP:
    case EXPOSED_TO_OTHERS:
        return victim->is_private;
    case MISMATCHED: /* the own public half */
        return !victim->is_private && strncmp(victim->file, victim->program, 6) == 0;
    default:
        return true;
    }
}

/* A good key's bytes, spoiled. */
static void spoil(const char *path, const struct victim *victim, enum what what) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s.pem", victim->who,
             victim->is_private ? "private" : "public");
    struct sam_bytes pem = read_vector(name);
    size_t length = what == CUT ? pem.length / 2 : pem.length;
    if (what == HUGE_FILE) {
        ck_status(sam_bytes_reserve(&pem, 70000), SAM_OK);
        memset(pem.data + length, '\n', 70000 - length);
        length = 70000;
    }
    write_file(path, victim->is_private ? 0600 : 0644, pem.data, length);
    sam_bytes_free(&pem);
}

static void make_trouble(const struct victim *victim, enum what what, enum odd odd) {
    const char *path = in_keys(victim->file);
    if (what == EXPOSED_TO_GROUP || what == EXPOSED_TO_OTHERS || what == UNREADABLE) {
        mode_t permissions = what == UNREADABLE ? 0 : what == EXPOSED_TO_GROUP ? 0640 : 0604;
        ck_assert_int_eq(chmod(path, permissions), 0);
        return;
    }
    ck_assert_int_eq(unlink(path), 0);
    if (what == EMPTY)
        write_file(path, victim->is_private ? 0600 : 0644, "", 0);
    else if (what == FOLDER)
        ck_assert_int_eq(mkdir(path, 0700), 0);
    else if (what == FIFO)
        ck_assert_int_eq(mkfifo(path, 0600), 0);
    else if (what == LINK_TO_ITSELF)
        ck_assert_int_eq(symlink(victim->file, path), 0);
    else if (what == GARBAGE)
        write_file(path, victim->is_private ? 0600 : 0644, "\033[2J\xff not a key\n", 16);
    else if (what == ODD_KEY)
        write_odd(path, victim->is_private, odd);
    else if (what == WRONG_HALF || what == MISMATCHED) {
        char other[64];
        bool give_private_half = what == WRONG_HALF && !victim->is_private;
        snprintf(other, sizeof other, "%s.%s.pem", what == MISMATCHED ? "carol" : victim->who,
                 give_private_half ? "private" : "public");
        struct sam_bytes pem = read_vector(other);
        write_file(path, 0600, pem.data, pem.length);
        sam_bytes_free(&pem);
    } else if (what != MISSING)
        spoil(path, victim, what);
}

/* What each program does first of all. Both would be heard of on success: 0, or a port file. */
static struct run_result try_to_start(const char *program, const struct sam_mode *mode) {
    if (strcmp(program, "client") == 0)
        return RUN(mode, "client", "send_msg", "hello", "--keys", keys, "--port", "1");
    return RUN(mode, "server", "--keys", keys, "--port", "0", "--port-file", in_place("port"));
}

static void assert_key_trouble(const struct run_result *result, enum sam_status status) {
    assert_code(result, SAM_EXIT_KEYS);
    assert_text(&result->out, "");
    assert_one_line(&result->err);
    assert_says(result, sam_status_sentence(status));
    ck_assert_uint_eq(count_text(&result->err, "\033"), 0);
    ck_assert(!exists(in_place("port")));
}

START_TEST(a_key_file_in_trouble_is_named_with_what_to_do) {
    const struct victim *victim = &victims[_i % COUNT(victims)];
    int i = _i / COUNT(victims);
    if (!applies(troubles[i].what, victim))
        return;
    make_trouble(victim, troubles[i].what, troubles[i].odd);
    size_t entries = count_entries(keys);
    struct run_result result = try_to_start(victim->program, modes[_i % 2]);
    enum sam_status status = troubles[i].status;
    if (!victim->is_private && (troubles[i].what == WRONG_HALF || troubles[i].odd == PKCS1))
        status = SAM_KEY_PRIVATE;
    if (victim->is_private && troubles[i].what == WRONG_HALF)
        status = SAM_KEY_PUBLIC;
    assert_key_trouble(&result, status);
    char start[2 * PATH_MAX];
    snprintf(start, sizeof start, "%s: %s: ", victim->program, in_keys(victim->file));
    ck_assert_msg(strncmp((const char *)result.err.data, start, strlen(start)) == 0,
                  "expected %s... in %s", start, (const char *)result.err.data);
    ck_assert_uint_eq(count_entries(keys), entries);
    run_result_free(&result);
}
END_TEST

/* One key under two names: for the server in its ring, for the client as both ends. */
static const struct {
    const char *program, *who, *as;
    const char *words[5], *names[2];
} twins[] = {
    {"server", "alice", "twin", {NULL}, {"client.public.pem", "twin.public.pem"}},
    {"server", "bob", "twin", {NULL}, {"server.public.pem", "twin.public.pem"}},
    {"client", "alice", "twin", {"recv_msg", "--to", "twin"}, {"client", "twin"}},
    {"client", "bob", "twin", {"recv_msg", "--to", "client"}, {"client", "client"}},
};

START_TEST(one_key_under_two_names_is_refused_and_both_are_named) {
    give_public(keys, twins[_i].who, twins[_i].as);
    const char *const *w = twins[_i].words;
    struct run_result result = strcmp(twins[_i].program, "server") == 0
                                   ? try_to_start("server", modes[_i % 2])
                                   : RUN(modes[_i % 2], "client", "--keys", keys, w[0], w[1], w[2]);
    bool client = strcmp(twins[_i].program, "client") == 0;
    assert_key_trouble(&result, client ? SAM_KEY_SELF : SAM_KEY_TWICE);
    assert_says(&result, twins[_i].names[0]);
    assert_says(&result, twins[_i].names[1]);
    run_result_free(&result);
}
END_TEST

#define SIXTEEN "abcdefghijklmnop"
static const char *const bad_names[] = {
    "",    "..",  ".hidden",  "../client",  "a/b",      "/etc/passwd",
    "a b", "a:b", "\xc3\xbc", "two\nlines", "\033[31m", SIXTEEN SIXTEEN SIXTEEN SIXTEEN "q"};

START_TEST(what_is_not_a_name_is_refused_everywhere) {
    const char *name = bad_names[_i];
    const struct sam_mode *mode = modes[_i % 2];
    size_t entries = count_entries(keys);
    struct run_result results[] = {
        RUN(mode, "client", "--keys", keys, "recv_msg", "--name", name),
        RUN(mode, "client", "--keys", keys, "recv_msg", "--to", name),
        RUN(mode, "client", "--keys", keys, "fingerprint", "--name", name),
        RUN(mode, "client", "--keys", keys, "generate_key_pair", "--name", name),
        RUN(mode, "server", "--keys", keys, "--port", "0", "--name", name),
        RUN(mode, "server", "--keys", keys, "fingerprint", "--name", name),
        RUN(mode, "server", "--keys", keys, "generate_key_pair", "--name", name, "--force"),
    };
    for (int i = 0; i < COUNT(results); i++) {
        assert_key_trouble(&results[i], SAM_NAME);
        run_result_free(&results[i]);
    }
    ck_assert_uint_eq(count_entries(keys), entries);
    ck_assert_uint_eq(count_entries(place), 1);
}
END_TEST

START_TEST(a_file_of_the_ring_that_has_no_name_is_refused) {
    static const char *const files[] = {"a b", SIXTEEN SIXTEEN SIXTEEN SIXTEEN "q"};
    give_public(keys, "carol", files[_i]);
    struct run_result result = try_to_start("server", modes[_i]);
    assert_key_trouble(&result, SAM_NAME);
    assert_says(&result, files[_i]);
    run_result_free(&result);
}
END_TEST

START_TEST(other_files_of_the_folder_are_left_alone) {
    struct server_process server;
    static const char *const files[] = {"README.md", ".hidden.public.pem", ".public.pem",
                                        "carol.public.pem~", "carol.private.pem"};
    for (int i = 0; i < COUNT(files); i++)
        write_file(in_keys(files[i]), 0644, "nothing", 7);
    start_server(&server, modes[_i], keys, NULL);
    struct run_result result = run_client(&server, "recv_msg", NULL);
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    result = stop_server(&server);
    assert_says(&result, "trusting 1 key(s)");
    run_result_free(&result);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named) {
    static const char *const words[][4] = {{"client", "recv_msg"},
                                           {"client", "fingerprint"},
                                           {"server", NULL},
                                           {"server", "fingerprint"}};
    const char *folders[] = {in_place("missing"), in_keys("client.public.pem")};
    for (int i = 0; i < COUNT(folders); i++) {
        struct run_result result =
            RUN(modes[_i % 2], words[_i][0], "--keys", folders[i], words[_i][1]);
        assert_key_trouble(&result, i == 0 ? SAM_KEY_MISSING : SAM_KEY_UNREADABLE);
        assert_says(&result, folders[i]);
        run_result_free(&result);
    }
    ck_assert_uint_eq(count_entries(place), 1);
    ck_assert_uint_eq(count_entries(keys), 4);
}
END_TEST

TCase *keyfiles_case(void) {
    TCase *tcase = tcase_create("keyfiles");
    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, make_odd_keys, free_odd_keys);
    tcase_add_checked_fixture(tcase, set_up_pairs, tear_down_place);
    tcase_add_loop_test(tcase, a_key_file_in_trouble_is_named_with_what_to_do, 0,
                        COUNT(victims) * COUNT(troubles));
    tcase_add_loop_test(tcase, one_key_under_two_names_is_refused_and_both_are_named, 0,
                        COUNT(twins));
    tcase_add_loop_test(tcase, what_is_not_a_name_is_refused_everywhere, 0, COUNT(bad_names));
    tcase_add_loop_test(tcase, a_file_of_the_ring_that_has_no_name_is_refused, 0, 2);
    tcase_add_loop_test(tcase, other_files_of_the_folder_are_left_alone, 0, COUNT(modes));
    tcase_add_loop_test(tcase, a_folder_that_is_not_there_is_named, 0, 4);
    return tcase;
}
