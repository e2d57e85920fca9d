/* What making and reading keys leaves of a passphrase, and of the private key itself. */
#include "secrets.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "openssl.h"

enum { PHRASE = 40, BITS = 2048 };

#define PROMPT "Passphrase: "

/* A number of the private key as libcrypto computes with it. (As it stands in a file it is not
 * looked for: libcrypto's encoders and decoders, behind EVP_PKEY2PKCS8 and EVP_PKCS82PKEY, make a
 * dozen copies of a key's DER and free them as they are, OpenSSL 3.0.) */
static void hide_number(struct secret *secret, const EVP_PKEY *pkey, const char *name) {
    BIGNUM *number = NULL;
    uint8_t bytes[BITS / 8];
    ck_assert(EVP_PKEY_get_bn_param(pkey, name, &number) == 1);
    int size = (int)BN_num_bytes(number);
    ck_assert_int_eq(BN_bn2nativepad(number, bytes, size), size);
    secret_hide(secret, name, bytes, (size_t)size);
    BN_clear_free(number);
}

static const char *in_folder(const struct aside *aside, const char *name) {
    static char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", aside->folder, name);
    return path;
}

/* Aside: the numbers of the key that lies in the folder. */
static void look_at_key(struct aside *aside) {
    struct sam_key key;
    struct sam_passphrase passphrase;
    secret_passphrase(&aside->passphrase, &passphrase);
    ck_status(sam_key_load_private(&key, people.crypto, aside->folder, "new", &passphrase, NULL),
              SAM_OK);
    hide_number(&aside->keys[0], key.rsa->pkey, OSSL_PKEY_PARAM_RSA_FACTOR1);
    hide_number(&aside->keys[1], key.rsa->pkey, OSSL_PKEY_PARAM_RSA_FACTOR2);
    hide_number(&aside->keys[2], key.rsa->pkey, OSSL_PKEY_PARAM_RSA_D);
}

static void generate(struct aside *aside) {
    struct sam_passphrase passphrase;
    secret_passphrase(&aside->passphrase, &passphrase);
    ck_status(sam_key_generate(aside->folder, "new", BITS, &passphrase, false, NULL), SAM_OK);
    sam_wipe(&passphrase, sizeof passphrase);
}

static void generate_aside(struct aside *aside) {
    generate(aside);
    struct sam_passphrase passphrase;
    secret_passphrase(&aside->passphrase, &passphrase);
    write_file(in_folder(aside, "passphrase"), 0600, passphrase.text, passphrase.length);
}

static struct aside *new_key_aside(void) {
    struct aside *aside = new_aside();
    make_folder(aside->folder);
    secret_draw_text(&aside->passphrase, "passphrase", PHRASE);
    return aside;
}

START_TEST(making_a_key_leaves_nothing) {
    struct aside *aside = new_key_aside();
    generate(aside);
    run_aside(look_at_key, aside);
    remove_folder(aside->folder);
    assert_nothing_left(aside, "making a key");
}
END_TEST

/* Aside: the private key's file without a passphrase. The last lines have a piece of the next. */
static void look_at_text(struct aside *aside) {
    struct sam_bytes pem = read_file(in_folder(aside, "new.private.pem"));
    const size_t start = 28; /* after the first line, which is always the same */
    secret_hide(&aside->letter, "key file", pem.data + start, pem.length - 2 * start);
}

START_TEST(making_a_key_without_a_passphrase_leaves_no_file_of_it) {
    struct aside *aside = new_key_aside();
    ck_status(sam_key_generate(aside->folder, "new", BITS, NULL, false, NULL), SAM_OK);
    run_aside(look_at_text, aside);
    assert_nothing_left(aside, "making a key without a passphrase");
    struct sam_key key;
    ck_status(sam_key_load_private(&key, people.crypto, aside->folder, "new", NULL, NULL), SAM_OK);
    sam_key_free(&key);
    remove_folder(aside->folder);
    assert_nothing_left(aside, "loading a key without a passphrase");
}
END_TEST

/* With the passphrase, and with one that is wrong in its first letter. */
START_TEST(loading_a_key_leaves_nothing) {
    struct aside *aside = new_key_aside();
    struct sam_key key;
    run_aside(generate_aside, aside);
    run_aside(look_at_key, aside);
    struct sam_passphrase passphrase;
    secret_passphrase(&aside->passphrase, &passphrase);
    passphrase.text[0] = _i == 0 ? passphrase.text[0] : '!';
    ck_status(sam_key_load_private(&key, people.crypto, aside->folder, "new", &passphrase, NULL),
              _i == 0 ? SAM_OK : SAM_KEY_PASSPHRASE);
    sam_wipe(&passphrase, sizeof passphrase);
    sam_key_free(&key);
    remove_folder(aside->folder);
    assert_nothing_left(aside, "loading a key");
}
END_TEST

START_TEST(reading_a_passphrase_leaves_nothing) {
    struct aside *aside = new_key_aside();
    struct sam_passphrase passphrase;
    run_aside(generate_aside, aside);
    ck_status(sam_passphrase_read(&passphrase, in_folder(aside, "passphrase")), SAM_OK);
    ck_assert(secret_is(&aside->passphrase, passphrase.text, passphrase.length));
    sam_wipe(&passphrase, sizeof passphrase);
    remove_folder(aside->folder);
    assert_nothing_left(aside, "reading a passphrase");
}
END_TEST

/* In the child, whose terminal that is. */
static void ask(const struct aside *aside, const char *terminal) {
    struct sam_passphrase passphrase;
    setsid();
    ck_assert_int_ge(open(terminal, O_RDWR), 0); /* the first that a new session opens is its own */
    ck_status(sam_passphrase_ask(&passphrase, PROMPT, false), SAM_OK);
    ck_assert(secret_is(&aside->passphrase, passphrase.text, passphrase.length));
    sam_wipe(&passphrase, sizeof passphrase);
    assert_nothing_left(aside, "asking for a passphrase");
    _exit(0);
}

static void type(int terminal, const struct aside *aside) {
    char shown[256] = "", typed[PHRASE + 1];
    for (size_t length = 0; strstr(shown, PROMPT) == NULL;) {
        ck_assert_msg(readable_until(terminal, sam_now() + PATIENT), "it does not ask");
        ssize_t n = read(terminal, shown + length, sizeof shown - 1 - length);
        ck_assert_int_gt(n, 0);
        length += (size_t)n;
    }
    secret_reveal(&aside->passphrase, typed);
    typed[PHRASE] = '\n';
    ck_assert_int_eq(write(terminal, typed, sizeof typed), sizeof typed);
}

START_TEST(asking_for_a_passphrase_leaves_nothing) {
    struct aside *aside = new_aside();
    int how = 0, terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(terminal, 0);
    ck_assert(grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    secret_draw_text(&aside->passphrase, "passphrase", PHRASE);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        ask(aside, ptsname(terminal));
    type(terminal, aside);
    ck_assert_int_eq(waitpid(pid, &how, 0), pid);
    ck_assert_msg(WIFEXITED(how) && WEXITSTATUS(how) == 0, "who asked has ended badly");
    close(terminal);
}
END_TEST

TCase *secret_keys_case(void) {
    TCase *tcase = tcase_create("keys");
    tcase_add_unchecked_fixture(tcase, load_people, free_people);
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_test(tcase, making_a_key_leaves_nothing);
    tcase_add_test(tcase, making_a_key_without_a_passphrase_leaves_no_file_of_it);
    tcase_add_loop_test(tcase, loading_a_key_leaves_nothing, 0, 2);
    tcase_add_test(tcase, reading_a_passphrase_leaves_nothing);
    tcase_add_test(tcase, asking_for_a_passphrase_leaves_nothing);
    return tcase;
}
