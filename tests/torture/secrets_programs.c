/* What the real programs leave: the client and sam, whose code runs here, and a server, a process
 * that runs on. */
#include "secrets.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "exchange.h"
#include "sam.h"

enum { LETTER = 3000, PHRASE = 40 };

static const char *in_lab(const char *name) {
    static char paths[8][PATH_MAX + 32];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", lab, name);
    return path;
}

/* Aside: the letter and the passphrase as files, and both pairs under that passphrase. */
static void fill_lab(struct aside *aside) {
    struct sam_passphrase passphrase;
    secret_passphrase(&aside->passphrase, &passphrase);
    const struct sam_key *keys[] = {&people.alice, &people.bob};
    const char *names[] = {"client.private.pem", "server.private.pem"};
    uint8_t letter[LETTER];
    for (size_t i = 0; i < 2; i++) {
        struct sam_bytes pem = {0};
        ck_status(sam_rsa_write_private(keys[i]->rsa, &passphrase, &pem), SAM_OK);
        write_file(in_lab(names[i]), 0600, pem.data, pem.length);
    }
    secret_reveal(&aside->letter, letter);
    write_file(in_lab("letter"), 0600, letter, LETTER);
    write_file(in_lab("passphrase"), 0600, passphrase.text, passphrase.length);
}

static struct aside *new_lab_aside(const struct sam_mode *mode) {
    struct aside *aside = new_aside();
    aside->mode = mode;
    secret_draw_text(&aside->letter, "letter", LETTER);
    secret_draw_text(&aside->passphrase, "passphrase", PHRASE);
    run_aside(fill_lab, aside);
    return aside;
}

/* Aside: what the client, or sam, has sealed for the server. */
static void look_at_sealed(struct aside *aside) {
    struct sam_bytes sealed = read_file(in_lab("sealed"));
    find_keys(aside, 0, &people.bob, &sealed);
}

/* What programs print is not for the eyes of who runs the tests. */
static void print_nothing(void) {
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ck_assert(nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) == STDOUT_FILENO);
    close(nowhere);
}

/* The whole program but its main, from its words to its exit code. */
#define CLIENT(mode, ...) run_client_here(mode, (const char *const[]){"client", __VA_ARGS__, NULL})
static void run_client_here(const struct sam_mode *mode, const char *const words[]) {
    char *argv[16];
    int argc = 0;
    for (; words[argc] != NULL; argc++)
        memcpy(&argv[argc], &words[argc],
               sizeof argv[0]); /* main wants char *, and writes nothing */
    argv[argc] = NULL;
    ck_assert_int_eq(sam_client_main(mode, argc, argv), 0);
}

/* The server sends the letter back, so it comes as well as goes. */
START_TEST(send_msg_leaves_nothing) {
    struct aside *aside = new_lab_aside(modes[_i]);
    struct server_process server;
    char port[8];
    start_server(&server, aside->mode, lab, "--handler", "echo", "--passphrase-file",
                 in_lab("passphrase"), NULL);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    print_nothing();
    CLIENT(aside->mode, "--keys", lab, "--port", port, "--passphrase-file", in_lab("passphrase"),
           "--quiet", "--save", in_lab("sealed"), "send_msg", "--file", in_lab("letter"));
    run_aside(look_at_sealed, aside);
    assert_nothing_left(aside, "send_msg");
    stop_server_well(&server);
}
END_TEST

START_TEST(generate_key_pair_leaves_nothing) {
    struct aside *aside = new_lab_aside(modes[0]);
    print_nothing();
    CLIENT(aside->mode, "--keys", lab, "--name", "new", "--bits", "2048", "--passphrase-file",
           in_lab("passphrase"), "--quiet", "generate_key_pair");
    assert_nothing_left(aside, "generate_key_pair");
}
END_TEST

/* Aside: sends the letter to a server that sends it back, in an envelope, and in mode 2 then under
 * the keys of a session. */
static void converse(struct aside *aside) {
    struct peer client;
    struct sam_incoming answer = {0};
    uint8_t letter[LETTER];
    secret_reveal(&aside->letter, letter);
    peer_join(&client, aside->mode, &people.alice, aside->port, &people.bob);
    struct sam_envelope request = peer_seal(&client, SAM_KIND_SEND, letter, LETTER);
    find_keys(aside, 0, &people.bob, &request.bytes);
    ck_status(sam_connection_send(&client.connection, &request), SAM_OK);
    ck_status(sam_connection_receive(&client.connection, &answer), SAM_OK);
    find_keys(aside, 1, &people.alice, &answer.envelope.bytes);
    ck_status(sam_connection_open(&client.connection, &answer), SAM_OK);
    ck_assert(secret_is(&aside->letter, answer.envelope.message, answer.envelope.message_length));
    sam_connection_drop(&client.connection, &answer);
    peer_close(&client);
}

static void converse_in_session(struct aside *aside) {
    struct peer client;
    struct sam_incoming answer = {0};
    uint8_t letter[LETTER];
    secret_reveal(&aside->letter, letter);
    peer_join(&client, aside->mode, &people.alice, aside->port, &people.bob);
    watch_session_keys(aside);
    ck_status(sam_exchange_ask(&client.connection, &answer), SAM_OK);
    sam_connection_drop(&client.connection, &answer);
    peer_request(&client, SAM_KIND_SEND, letter, LETTER);
    peer_expect(&client, SAM_KIND_REPLY, letter, LETTER);
    peer_request(&client, SAM_KIND_CLOSE, "", 0);
    peer_expect(&client, SAM_KIND_CLOSE, "", 0);
    peer_close(&client);
}

START_TEST(answering_leaves_nothing_in_a_server) {
    struct aside *aside = new_lab_aside(modes[_i]);
    struct server_process server;
    start_server(&server, aside->mode, lab, "--handler", "echo", "--passphrase-file",
                 in_lab("passphrase"), NULL);
    aside->port = server.port;
    run_aside(converse, aside);
    if (_i == 1)
        run_aside(converse_in_session, aside);
    assert_nothing_left_of(server.process.pid, aside, "answering");
    stop_server_well(&server);
}
END_TEST

static struct sam_tool tool(void) {
    struct sam_tool tool = {
        .options = {.passphrase_file = in_lab("passphrase"), .quiet = true, .color = "never"},
        .keys = lab,
        .talk = sam_talk_start("sam", "never", true)};
    return tool;
}

START_TEST(sam_seal_and_sam_open_leave_nothing) {
    struct aside *aside = new_lab_aside(modes[_i]);
    struct sam_tool sealing = tool(), opening = tool();
    sealing.options.mode = aside->mode->name;
    sealing.options.from = "client";
    sealing.options.to = "server";
    sealing.options.in = in_lab("letter");
    sealing.options.out = in_lab("sealed");
    ck_assert_int_eq(sam_tool_seal(&sealing), 0);
    run_aside(look_at_sealed, aside);
    assert_nothing_left(aside, "sam seal");
    opening.options.in = in_lab("sealed");
    print_nothing();
    ck_assert_int_eq(sam_tool_open(&opening), 0);
    assert_nothing_left(aside, "sam open");
}
END_TEST

TCase *secret_programs_case(void) {
    TCase *tcase = tcase_create("programs");
    tcase_add_unchecked_fixture(tcase, make_lab, remove_lab);
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_loop_test(tcase, send_msg_leaves_nothing, 0, 2);
    tcase_add_test(tcase, generate_key_pair_leaves_nothing);
    tcase_add_loop_test(tcase, answering_leaves_nothing_in_a_server, 0, 2);
    tcase_add_loop_test(tcase, sam_seal_and_sam_open_leave_nothing, 0, 2);
    return tcase;
}
