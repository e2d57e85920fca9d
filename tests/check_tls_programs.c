/* Tests of TLS through the real programs: what passes inside it, and what is refused with a
 * sentence and an exit code, before anything is sent. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chatting.h"
#include "commands.h"
#include "tunnels.h"

#define SAYS(result, status) assert_says(result, sam_status_sentence(status))

/* A server whose secret message nobody may get in a test that refuses. */
static const char hidden[] = "the server's own words";

#define START(server, mode, ...)                                                                   \
    start_server(server, mode, lab, "--message", hidden, __VA_ARGS__, NULL)
#define PAIR_OF(name) "--tls-cert", pem(name), "--tls-key", key_of(name)
#define TLS_WITH(name) "--tls", PAIR_OF(name)
#define BOB "--name", "bob"
#define TRUSTING(name) BOB, "--tls", "--ca", pem(name)

static void make_all(void) {
    make_chat_lab();
    make_pki();
    /* The address alone, so that another name of the same machine is a wrong one. */
    make_certificate(pki, &(struct certificate){.name = "numeric",
                                                .issuer = "ca",
                                                .alt = "IP:127.0.0.1",
                                                .purpose = "serverAuth"});
}

static void remove_all(void) {
    remove_pki();
    remove_lab();
}

/* A client that ended without a word of its own having gone out, and without one that came. */
static void expect_nothing_sent(struct run_result *result, enum sam_status status, int code) {
    assert_code(result, code);
    SAYS(result, status);
    assert_says(result, "client: nothing was sent\n");
    assert_text(&result->out, "");
    run_result_free(result);
}

/* Stops a server that has taken no message, and of the others says that. */
static void expect_nothing_taken(struct server_process *server, enum sam_status status) {
    wait_for_log(server, sam_status_sentence(status), 1);
    struct run_result result = stop_server(server);
    assert_code(&result, 0);
    assert_text(&result.out, "");
    run_result_free(&result);
}

START_TEST(a_message_passes_each_way) {
    static const char text[] = "grüß dich, inside TLS";
    struct server_process server;
    START(&server, modes[_i], TLS_WITH("server"));
    wait_for_log(&server, ", inside TLS\n", 1);
    struct run_result result = run_client(&server, TRUSTING("ca"), "send_msg", text, NULL);
    assert_code(&result, 0);
    assert_says(&result, "delivered: server signed a receipt");
    run_result_free(&result);
    /* By name, and with a list that the CA keeps, in which this server is not. */
    result = run_client(&server, TRUSTING("ca"), "--host", "localhost", "--crl", pem("crl"),
                        "recv_msg", "--quiet", NULL);
    assert_code(&result, 0);
    assert_text(&result.out, hidden);
    run_result_free(&result);
    result = stop_server(&server);
    assert_code(&result, 0);
    ck_assert_uint_eq(count_text(&result.out, text), 1);
    run_result_free(&result);
}
END_TEST

START_TEST(what_make_certs_makes_is_what_programs_look_for) {
    char folder[PATH_MAX + 8];
    struct server_process server;
    snprintf(folder, sizeof folder, "%s/tls", lab);
    const char *const words[] = {"tools/certs.sh", folder, NULL};
    struct run_result result = run(words, NULL, 0);
    assert_code(&result, 0);
    run_result_free(&result);
    START(&server, modes[_i], "--tls");
    result = run_client(&server, BOB, "--tls", "send_msg", "hello", NULL);
    assert_code(&result, 0);
    run_result_free(&result);
    stop_server_well(&server);
    remove_folder(folder);
}
END_TEST

START_TEST(a_chat_passes) {
    static const char *const names[2] = {"bob", "carol"};
    struct server_process server;
    struct typist members[2];
    START(&server, mode_of(_i), TLS_WITH("server"), "--chat");
    for (size_t i = 0; i < 2; i++) {
        start_typist(&members[i], false, &server, "--name", names[i], "--tls", "--ca", pem("ca"),
                     "chat", session_word(_i), NULL);
        wait_for_log(&server, "join from", i + 1);
    }
    wait_to_see(&members[0], "server: carol has joined\n", 1);
    type(&members[0], "is anybody here?\n");
    wait_to_see(&members[1], "bob: is anybody here?\n", 1);
    type(&members[1], "I am\nand stay\n");
    wait_to_see(&members[0], "carol: I am\ncarol: and stay\n", 1);
    struct run_result result = end_typist(&members[1]);
    assert_code(&result, 0);
    assert_text(&result.out, "bob: is anybody here?\n");
    run_result_free(&result);
    wait_to_see(&members[0], "server: carol has left\n", 1);
    type(&members[0], "/quit\n");
    result = end_typist(&members[0]);
    assert_code(&result, 0);
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

START_TEST(a_client_with_tls_and_a_plain_server_part_at_once) {
    struct server_process server;
    START(&server, modes[_i], "--quiet");
    int64_t started = sam_now();
    struct run_result result = run_client(&server, TRUSTING("ca"), "send_msg", "hello", NULL);
    if (!SANITIZED)
        ck_assert_int_lt(sam_now() - started, 2 * SAM_SECOND);
    expect_nothing_sent(&result, SAM_TLS_NOT_TLS, 3);
    result = stop_server(&server);
    assert_code(&result, 0);
    assert_text(&result.out, "");
    run_result_free(&result);
}
END_TEST

/* All at once: each is told after some seconds. */
START_TEST(plain_clients_and_a_server_with_tls_part_with_the_reason) {
    struct server_process servers[2];
    struct process clients[2][2];
    int64_t started = sam_now();
    for (size_t i = 0; i < 2; i++) {
        START(&servers[i], modes[i], TLS_WITH("server"));
        clients[i][0] = start_client(&servers[i], NULL, 0, BOB, "send_msg", "hello", NULL);
        clients[i][1] = start_client(&servers[i], NULL, 0, BOB, "recv_msg", NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct run_result result = finish(&clients[i][k]);
            expect_nothing_sent(&result, SAM_TLS_SPOKEN, 3);
        }
        expect_nothing_taken(&servers[i], SAM_TLS_NOT_TLS);
    }
    if (!SANITIZED)
        ck_assert_int_lt(sam_now() - started, 10 * SAM_SECOND);
}
END_TEST

/* What a server shows, what a client is told besides, and what it finds. */
static const struct {
    const char *certificate, *ca, *host;
    bool asks_crl;
    enum sam_status status;
} refused[] = {
    {"strange", "ca", "127.0.0.1", false, SAM_TLS_UNKNOWN_CA},
    {"server", "other", "127.0.0.1", false, SAM_TLS_UNKNOWN_CA},
    {"elsewhere", "ca", "127.0.0.1", false, SAM_TLS_NAME},
    {"numeric", "ca", "localhost", false, SAM_TLS_NAME},
    {"old", "ca", "127.0.0.1", false, SAM_TLS_EXPIRED},
    {"young", "ca", "127.0.0.1", false, SAM_TLS_NOT_YET},
    {"common", "ca", "localhost", false, SAM_TLS_NO_SAN},
    {"alone", "ca", "127.0.0.1", false, SAM_TLS_SELF_SIGNED},
    {"revoked", "ca", "127.0.0.1", true, SAM_TLS_REVOKED},
};

/* In each mode, and in a session of mode 2. */
START_TEST(a_certificate_that_fails_is_refused) {
    for (int way = 0; way < WAYS; way++) {
        struct server_process server;
        START(&server, mode_of(way), TLS_WITH(refused[_i].certificate), "--chat");
        if (way == IN_SESSION) {
            struct typist typist;
            start_typist(&typist, false, &server, TRUSTING(refused[_i].ca), "--host",
                         refused[_i].host, "chat", "--session",
                         refused[_i].asks_crl ? "--crl" : NULL, pem("crl"), NULL);
            struct run_result result = end_typist(&typist);
            assert_code(&result, 1);
            SAYS(&result, refused[_i].status);
            assert_text(&result.out, "");
            run_result_free(&result);
        } else {
            struct run_result result = run_client(
                &server, TRUSTING(refused[_i].ca), "--host", refused[_i].host, "send_msg", "hello",
                refused[_i].asks_crl ? "--crl" : NULL, pem("crl"), NULL);
            expect_nothing_sent(&result, refused[_i].status, 1);
        }
        expect_nothing_taken(&server, SAM_TLS_REFUSED);
    }
}
END_TEST

/* The two that a client without --host, or without --crl, has nothing against. */
START_TEST(only_what_was_asked_for_is_refused) {
    static const char *const names[] = {"numeric", "revoked"};
    for (size_t i = 0; i < 2; i++) {
        struct server_process server;
        START(&server, modes[_i], TLS_WITH(names[i]));
        struct run_result result = run_client(&server, TRUSTING("ca"), "send_msg", "hello", NULL);
        assert_code(&result, 0);
        run_result_free(&result);
        stop_server_well(&server);
    }
}
END_TEST

/* Neither the one that is named, nor without a name the one of make certs. */
START_TEST(a_client_without_a_ca_does_not_even_connect) {
    struct server_process server;
    START(&server, modes[_i], TLS_WITH("server"));
    for (int named = 0; named < 2; named++) {
        const char *wanted = named ? pem("missing") : made_file(lab, "tls/ca", "pem");
        struct run_result result = run_client(&server, BOB, "--tls", "send_msg", "hello",
                                              named ? "--ca" : NULL, wanted, NULL);
        assert_code(&result, 4);
        assert_says(&result, wanted);
        SAYS(&result, SAM_TLS_FILE);
        assert_text(&result.out, "");
        run_result_free(&result);
    }
    struct run_result result = stop_server(&server);
    assert_code(&result, 0);
    assert_text(&result.out, "");
    ck_assert_uint_eq(count_text(&result.err, "#1 "), 0);
    run_result_free(&result);
}
END_TEST

/* A client's certificate where the server wants one of its CA, and what the server finds. */
static const struct {
    const char *certificate;
    enum sam_status status;
} shown[] = {
    {NULL, SAM_TLS_NO_CERTIFICATE},
    {"stranger", SAM_TLS_UNKNOWN_CA},
    {"past", SAM_TLS_EXPIRED},
};

START_TEST(mutual_tls_refuses_whom_the_ca_does_not_know) {
    for (size_t i = 0; i < 2; i++) {
        struct server_process server;
        const char *name = shown[_i].certificate;
        START(&server, modes[i], TLS_WITH("server"), "--tls-client-ca", pem("ca"));
        struct run_result result =
            name == NULL ? run_client(&server, TRUSTING("ca"), "recv_msg", NULL)
                         : run_client(&server, TRUSTING("ca"), "--tls-client-cert", pem(name),
                                      "--tls-client-key", key_of(name), "recv_msg", NULL);
        expect_nothing_sent(&result, SAM_TLS_REFUSED, 1);
        expect_nothing_taken(&server, shown[_i].status);
    }
}
END_TEST

START_TEST(mutual_tls_passes) {
    struct server_process server;
    START(&server, modes[_i], TLS_WITH("server"), "--tls-client-ca", pem("ca"));
    struct run_result result =
        run_client(&server, TRUSTING("ca"), "--tls-client-cert", pem("client"), "--tls-client-key",
                   key_of("client"), "recv_msg", "--quiet", NULL);
    assert_code(&result, 0);
    assert_text(&result.out, hidden);
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

/* A program that does not begin, for this reason. */
static void expect_usage(struct run_result result, const char *reason) {
    assert_code(&result, 2);
    assert_says(&result, reason);
    assert_text(&result.out, "");
    run_result_free(&result);
}

#define CLIENT(...)                                                                                \
    RUN(modes[_i], "client", "--keys", lab, BOB, "--port", "1", "send_msg", "hello", __VA_ARGS__)
#define SERVER(...) RUN(modes[_i], "server", "--keys", lab, "--port", "0", __VA_ARGS__)

START_TEST(a_cipher_without_forward_secrecy_is_refused_with_the_reason) {
    char said[512];
    snprintf(said, sizeof said, "AES128-SHA: %s\n", sam_status_sentence(SAM_TLS_WEAK_CIPHER));
    ck_assert_ptr_nonnull(strstr(said, "lacks forward secrecy"));
    expect_usage(CLIENT("--tls", "--ca", pem("ca"), "--tls-ciphers", "AES128-SHA"), said);
    expect_usage(SERVER(TLS_WITH("server"), "--tls-ciphers", "AES128-SHA"), said);
}
END_TEST

START_TEST(what_is_said_of_tls_needs_tls) {
    static const char reason[] = "what is said of TLS needs --tls";
    static const char *const clients[] = {"--ca", "--crl", "--tls-ciphers"};
    static const char *const servers[] = {"--tls-cert", "--tls-key", "--tls-client-ca",
                                          "--tls-ciphers"};
    for (int i = 0; i < COUNT(clients); i++)
        expect_usage(CLIENT(clients[i], "any"), reason);
    for (int i = 0; i < COUNT(servers); i++)
        expect_usage(SERVER(servers[i], "any"), reason);
    expect_usage(CLIENT("--tls-client-cert", "any", "--tls-client-key", "any"), reason);
}
END_TEST

START_TEST(a_certificate_and_its_key_go_together) {
    static const char reason[] = "--tls-client-cert and --tls-client-key go together";
    expect_usage(CLIENT("--tls", "--ca", pem("ca"), "--tls-client-cert", pem("client")), reason);
    expect_usage(CLIENT("--tls", "--ca", pem("ca"), "--tls-client-key", key_of("client")), reason);
}
END_TEST

TCase *tls_programs_case(void) {
    TCase *programs = tcase_create("programs");
    tcase_set_timeout(programs, TEST_SECONDS);
    tcase_add_unchecked_fixture(programs, make_all, remove_all);
    tcase_add_loop_test(programs, a_certificate_that_fails_is_refused, 0, COUNT(refused));
    tcase_add_loop_test(programs, only_what_was_asked_for_is_refused, 0, 2);
    tcase_add_loop_test(programs, a_client_without_a_ca_does_not_even_connect, 0, 2);
    tcase_add_loop_test(programs, mutual_tls_refuses_whom_the_ca_does_not_know, 0, COUNT(shown));
    tcase_add_loop_test(programs, mutual_tls_passes, 0, 2);
    tcase_add_loop_test(programs, a_client_with_tls_and_a_plain_server_part_at_once, 0, 2);
    tcase_add_test(programs, plain_clients_and_a_server_with_tls_part_with_the_reason);
    tcase_add_loop_test(programs, a_cipher_without_forward_secrecy_is_refused_with_the_reason, 0,
                        2);
    tcase_add_loop_test(programs, what_is_said_of_tls_needs_tls, 0, 2);
    tcase_add_loop_test(programs, a_certificate_and_its_key_go_together, 0, 2);
    tcase_add_loop_test(programs, a_message_passes_each_way, 0, 2);
    tcase_add_loop_test(programs, what_make_certs_makes_is_what_programs_look_for, 0, 2);
    tcase_add_loop_test(programs, a_chat_passes, 0, WAYS);
    return programs;
}
