/* Tests of the TLS tunnel: what is refused, each with a status of its own, and what is not. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tunnels.h"

/* Of both sides: a certificate of the server's, and what the client finds. */
static const struct {
    const char *certificate, *ca, *crl;
    enum sam_status client, server;
} shown[] = {
    {"strange", "ca", NULL, SAM_TLS_UNKNOWN_CA, SAM_TLS_REFUSED},
    {"server", "other", NULL, SAM_TLS_UNKNOWN_CA, SAM_TLS_REFUSED},
    {"elsewhere", "ca", NULL, SAM_TLS_NAME, SAM_TLS_REFUSED},
    {"old", "ca", NULL, SAM_TLS_EXPIRED, SAM_TLS_REFUSED},
    {"young", "ca", NULL, SAM_TLS_NOT_YET, SAM_TLS_REFUSED},
    {"common", "ca", NULL, SAM_TLS_NO_SAN, SAM_TLS_REFUSED},
    {"alone", "ca", NULL, SAM_TLS_SELF_SIGNED, SAM_TLS_REFUSED},
    {"revoked", "ca", "crl", SAM_TLS_REVOKED, SAM_TLS_REFUSED},
    {"server", "ca", "crl_old", SAM_TLS_CRL, SAM_TLS_REFUSED},
    {"server", "ca", "crl_other", SAM_TLS_CRL, SAM_TLS_REFUSED},
    {"client", "ca", NULL, SAM_TLS_BAD_CERTIFICATE, SAM_TLS_REFUSED},
    {"lax", "ca", NULL, SAM_TLS_BAD_CERTIFICATE, SAM_TLS_REFUSED},
    {"server", "ca", "crl", SAM_OK, SAM_OK},
    {"revoked", "ca", NULL, SAM_OK, SAM_OK},
    {"rsa", "ca", NULL, SAM_OK, SAM_OK},
};

START_TEST(a_server_is_judged_by_its_certificate) {
    struct meeting meeting = {0};
    struct sam_tls *client = tls_client(shown[_i].ca, NULL, shown[_i].crl);
    struct sam_tls *server = tls_server(shown[_i].certificate, NULL);
    meet(&meeting, client, server);
    ck_status(meeting.client.status, shown[_i].client);
    ck_status(meeting.server.status, shown[_i].server);
    ck_assert_int_eq(meeting.client.tunnel.fd < 0, shown[_i].client != SAM_OK);
    end_meeting(&meeting);
    sam_tls_free(client);
    sam_tls_free(server);
}
END_TEST

/* The name decides, not who answers at the address: DNS names and addresses, each as what it is. */
static const struct {
    const char *host, *certificate;
    enum sam_status status;
} hosts[] = {
    {"localhost", "server", SAM_OK},
    {"::1", "server", SAM_OK},
    {"LOCALHOST", "server", SAM_OK},
    {"127.0.0.2", "server", SAM_TLS_NAME},
    {"localhost.example.org", "server", SAM_TLS_NAME},
    {"local", "server", SAM_TLS_NAME},
    {"example.org", "elsewhere", SAM_OK},
    {"localhost", "common", SAM_TLS_NO_SAN},
};

START_TEST(a_client_wants_the_name_that_it_was_told) {
    struct meeting meeting = {0};
    struct sam_tls *client, *server = tls_server(hosts[_i].certificate, NULL);
    struct sam_where where;
    ck_status(sam_tls_client_new(&client,
                                 &(struct sam_tls_client){.ca = pem("ca"), .host = hosts[_i].host},
                                 &where),
              SAM_OK);
    meet(&meeting, client, server);
    ck_status(meeting.client.status, hosts[_i].status);
    end_meeting(&meeting);
    sam_tls_free(client);
    sam_tls_free(server);
}
END_TEST

/* Mutual TLS: a certificate of the client's, and what the server finds. */
static const struct {
    const char *certificate;
    enum sam_status server;
} clients[] = {
    {NULL, SAM_TLS_NO_CERTIFICATE}, {"stranger", SAM_TLS_UNKNOWN_CA},
    {"past", SAM_TLS_EXPIRED},      {"server", SAM_TLS_BAD_CERTIFICATE},
    {"alone", SAM_TLS_SELF_SIGNED}, {"client", SAM_OK},
};

START_TEST(a_client_is_judged_by_its_certificate) {
    struct meeting meeting = {0};
    struct sam_tls *client = tls_client("ca", clients[_i].certificate, NULL);
    struct sam_tls *server = tls_server("server", "ca");
    uint8_t byte;
    meet(&meeting, client, server);
    ck_status(meeting.server.status, clients[_i].server);
    ck_status(meeting.client.status, SAM_OK); /* in TLS 1.3 it learns of it later */
    if (clients[_i].server != SAM_OK) {
        ck_assert_int_lt(meeting.server.tunnel.fd, 0);
        int fd = meeting.client.tunnel.fd;
        ck_status(sam_read_all(fd, -1, sam_now() + PATIENT, &byte, 1), SAM_CLOSED);
        ck_status(sam_tls_reason(&meeting.client.tunnel, SAM_CLOSED), SAM_TLS_REFUSED);
    }
    end_meeting(&meeting);
    sam_tls_free(client);
    sam_tls_free(server);
}
END_TEST

enum { TLS1_1 = 0x0302, TLS1_2 = 0x0303, TLS1_3 = 0x0304 };

/* Peers with other versions and ciphers. */
static const struct {
    int newest;
    const char *ciphers;
    enum sam_status status;
} strangers[] = {
    {TLS1_1, NULL, SAM_TLS_TOO_WEAK},
    {TLS1_2, "AES128-SHA", SAM_TLS_TOO_WEAK},
    {TLS1_2, "AES128-GCM-SHA256", SAM_TLS_TOO_WEAK},
    {TLS1_2, "ECDHE-RSA-AES128-SHA", SAM_TLS_TOO_WEAK},
    {TLS1_2, "ECDHE-RSA-AES128-GCM-SHA256", SAM_OK},
    {TLS1_3, NULL, SAM_OK},
};

START_TEST(a_server_takes_no_weak_tls) {
    struct meeting meeting = {0};
    struct sam_tls *server = tls_server("rsa", NULL);
    meeting.client.newest = strangers[_i].newest;
    meeting.client.ciphers = strangers[_i].ciphers;
    meet(&meeting, NULL, server);
    ck_status(meeting.server.status, strangers[_i].status);
    if (strangers[_i].status == SAM_OK)
        ck_assert_int_eq(meeting.client.version, strangers[_i].newest);
    end_meeting(&meeting);
    sam_tls_free(server);
}
END_TEST

/* A server without a common cipher says no more than that the handshake failed. */
START_TEST(a_client_takes_no_weak_tls) {
    struct meeting meeting = {0};
    struct sam_tls *client = tls_client("ca", NULL, NULL);
    meeting.server.newest = strangers[_i].newest;
    meeting.server.ciphers = strangers[_i].ciphers;
    meet(&meeting, client, NULL);
    bool no_cipher = strangers[_i].ciphers != NULL && strangers[_i].status != SAM_OK;
    ck_status(meeting.client.status, no_cipher ? SAM_TLS_REFUSED : strangers[_i].status);
    if (strangers[_i].status == SAM_OK)
        ck_assert_int_eq(meeting.server.version, strangers[_i].newest);
    end_meeting(&meeting);
    sam_tls_free(client);
}
END_TEST

START_TEST(a_client_of_tls_and_a_plain_server_part_at_once) {
    int ends[2];
    struct sam_tunnel tunnel;
    struct sam_tls *tls = tls_client("ca", NULL, NULL);
    uint8_t greeting[SAM_GREETING_SIZE] = "SAMG";
    tcp_pair(ends);
    write_raw(ends[0], greeting, sizeof greeting);
    shutdown(ends[0], SHUT_WR);
    int64_t started = sam_now();
    ck_status(sam_tls_open(&tunnel, tls, ends[1], -1, started + PATIENT), SAM_TLS_NOT_TLS);
    ck_assert_int_eq(tunnel.fd, -1);
    if (!SANITIZED)
        ck_assert_int_lt(sam_now() - started, SAM_SECOND / 2);
    sam_tls_free(tls);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* What waits for a greeting gets at least a unit's beginning, which tells of TLS, and the end: 0:
 * not before a packet that was lost had its time; 1: at an earlier deadline. */
START_TEST(a_plain_client_that_waits_hears_that_this_is_tls) {
    int64_t silence = _i == 0 ? 3 * SAM_SECOND : SAM_SECOND / 2;
    int ends[2];
    struct sam_tunnel tunnel;
    struct sam_tls *tls = tls_server("server", NULL);
    tcp_pair(ends);
    int64_t started = sam_now(), deadline = started + (_i == 0 ? PATIENT : silence);
    ck_status(sam_tls_open(&tunnel, tls, ends[1], -1, deadline), SAM_TLS_NOT_TLS);
    int64_t passed = sam_now() - started;
    ck_assert_int_ge(passed, silence);
    ck_assert_int_lt(passed, silence + 2 * SAM_SECOND + SANITIZED * PATIENT);
    close(ends[1]);
    struct sam_bytes came = read_to_end(ends[0]);
    ck_assert_uint_ge(came.length, SAM_PROLOGUE_SIZE);
    ck_assert_int_eq(memcmp(came.data, "\x15\x03\x03", 3), 0);
    sam_bytes_free(&came);
    sam_tls_free(tls);
    close(ends[0]);
}
END_TEST

static const char *const plain[] = {"SAME and some more bytes of a plain client",
                                    "GET / HTTP/1.1\r\n\r\n"};

START_TEST(a_plain_client_that_speaks_is_refused_at_once) {
    int ends[2];
    struct sam_tunnel tunnel;
    struct sam_tls *tls = tls_server("server", NULL);
    tcp_pair(ends);
    write_raw(ends[0], plain[_i], strlen(plain[_i]));
    shutdown(ends[0], SHUT_WR);
    int64_t started = sam_now();
    ck_status(sam_tls_open(&tunnel, tls, ends[1], -1, started + PATIENT), SAM_TLS_NOT_TLS);
    if (!SANITIZED)
        ck_assert_int_lt(sam_now() - started, SAM_SECOND / 2);
    sam_tls_free(tls);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* What a configuration is refused for, and which file or cipher it names. */
static void refuse_server(const struct sam_tls_server *server, enum sam_status status,
                          const char *named) {
    struct sam_tls *tls;
    struct sam_where where;
    ck_status(sam_tls_server_new(&tls, server, &where), status);
    ck_assert_ptr_null(tls);
    ck_assert_str_eq(where.text, named);
}

static void refuse_client(const struct sam_tls_client *client, enum sam_status status,
                          const char *named) {
    struct sam_tls *tls;
    struct sam_where where;
    ck_status(sam_tls_client_new(&tls, client, &where), status);
    ck_assert_ptr_null(tls);
    ck_assert_str_eq(where.text, named);
}

static const struct {
    const char *list, *named;
    enum sam_status status;
} ciphers[] = {
    {"AES128-SHA", "AES128-SHA", SAM_TLS_WEAK_CIPHER},
    {"AES128-GCM-SHA256", "AES128-GCM-SHA256", SAM_TLS_WEAK_CIPHER},
    {"ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", SAM_TLS_WEAK_CIPHER},
    {"ECDHE+AESGCM:AES128-SHA", "AES128-SHA", SAM_TLS_WEAK_CIPHER},
    {"ECDHE-PSK-CHACHA20-POLY1305", "ECDHE-PSK-CHACHA20-POLY1305", SAM_TLS_WEAK_CIPHER},
    {"ADH-AES128-GCM-SHA256:@SECLEVEL=0", "ADH-AES128-GCM-SHA256", SAM_TLS_WEAK_CIPHER},
    {"no such cipher", "no such cipher", SAM_TLS_CIPHERS},
    {"", "", SAM_TLS_CIPHERS},
};

START_TEST(a_cipher_that_is_not_offered_is_refused_by_name) {
    refuse_server(&(struct sam_tls_server){.certificate = pem("server"),
                                           .key = key_of("server"),
                                           .ciphers = ciphers[_i].list},
                  ciphers[_i].status, ciphers[_i].named);
    refuse_client(
        &(struct sam_tls_client){.ca = pem("ca"), .host = "localhost", .ciphers = ciphers[_i].list},
        ciphers[_i].status, ciphers[_i].named);
}
END_TEST

START_TEST(a_client_without_a_host_or_a_ca_does_not_begin) {
    refuse_client(&(struct sam_tls_client){.ca = pem("ca"), .host = ""}, SAM_ADDRESS, "");
    struct sam_tls_client client = {.host = "localhost"};
    client.ca = pem("missing");
    refuse_client(&client, SAM_TLS_FILE, client.ca);
    client.ca = key_of("ca");
    refuse_client(&client, SAM_TLS_FILE, client.ca);
    client.ca = pki; /* a folder */
    refuse_client(&client, SAM_TLS_FILE, client.ca);
}
END_TEST

START_TEST(a_crl_file_adds_no_trust) {
    refuse_client(
        &(struct sam_tls_client){.ca = pem("ca"), .host = "localhost", .crl = pem("other")},
        SAM_TLS_FILE, pem("other"));
    refuse_client(
        &(struct sam_tls_client){.ca = pem("ca"), .host = "localhost", .crl = pem("missing")},
        SAM_TLS_FILE, pem("missing"));
}
END_TEST

START_TEST(a_certificate_needs_its_own_secret_key) {
    struct sam_tls_server server = {.certificate = pem("server"), .key = key_of("client")};
    refuse_server(&server, SAM_TLS_FILE, server.key);
    server.key = key_of("missing");
    refuse_server(&server, SAM_TLS_FILE, server.key);
    server.key = key_of("server");
    server.certificate = pem("missing");
    refuse_server(&server, SAM_TLS_FILE, server.certificate);
    server.certificate = pem("server");
    ck_assert_int_eq(chmod(server.key, 0640), 0);
    refuse_server(&server, SAM_KEY_EXPOSED, server.key);
    ck_assert_int_eq(chmod(server.key, 0600), 0);
    refuse_client(&(struct sam_tls_client){.ca = pem("ca"),
                                           .host = "localhost",
                                           .certificate = pem("client"),
                                           .key = key_of("server")},
                  SAM_TLS_FILE, key_of("server"));
}
END_TEST

TCase *tls_refused_case(void) {
    TCase *refused = tcase_create("refused");
    tcase_set_timeout(refused, TEST_SECONDS);
    tcase_add_unchecked_fixture(refused, make_pki, remove_pki);
    tcase_add_loop_test(refused, a_server_is_judged_by_its_certificate, 0,
                        sizeof shown / sizeof shown[0]);
    tcase_add_loop_test(refused, a_client_wants_the_name_that_it_was_told, 0,
                        sizeof hosts / sizeof hosts[0]);
    tcase_add_loop_test(refused, a_client_is_judged_by_its_certificate, 0,
                        sizeof clients / sizeof clients[0]);
    tcase_add_loop_test(refused, a_server_takes_no_weak_tls, 0,
                        sizeof strangers / sizeof strangers[0]);
    tcase_add_loop_test(refused, a_client_takes_no_weak_tls, 0,
                        sizeof strangers / sizeof strangers[0]);
    tcase_add_test(refused, a_client_of_tls_and_a_plain_server_part_at_once);
    tcase_add_loop_test(refused, a_plain_client_that_waits_hears_that_this_is_tls, 0, 2);
    tcase_add_loop_test(refused, a_plain_client_that_speaks_is_refused_at_once, 0,
                        sizeof plain / sizeof plain[0]);
    tcase_add_loop_test(refused, a_cipher_that_is_not_offered_is_refused_by_name, 0,
                        sizeof ciphers / sizeof ciphers[0]);
    tcase_add_test(refused, a_client_without_a_host_or_a_ca_does_not_begin);
    tcase_add_test(refused, a_crl_file_adds_no_trust);
    tcase_add_test(refused, a_certificate_needs_its_own_secret_key);
    return refused;
}
