#include "tunnels.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/time.h>
#include <unistd.h>

char pki[PATH_MAX];

#define HERE "DNS:localhost,IP:127.0.0.1,IP:::1"

static const struct certificate certificates[] = {
    {.name = "ca"},
    {.name = "other"},
    {.name = "server", .issuer = "ca", .alt = HERE, .purpose = "serverAuth"},
    {.name = "rsa", .issuer = "ca", .alt = HERE, .purpose = "serverAuth", .is_rsa = true},
    {.name = "client", .issuer = "ca", .alt = "DNS:client", .purpose = "clientAuth"},
    {.name = "strange", .issuer = "other", .alt = HERE, .purpose = "serverAuth"},
    {.name = "stranger", .issuer = "other", .alt = "DNS:client", .purpose = "clientAuth"},
    {.name = "elsewhere",
     .issuer = "ca",
     .alt = "DNS:example.org,IP:127.0.0.2",
     .purpose = "serverAuth"},
    {.name = "old",
     .issuer = "ca",
     .alt = HERE,
     .purpose = "serverAuth",
     .from_day = -9,
     .to_day = -1},
    {.name = "young",
     .issuer = "ca",
     .alt = HERE,
     .purpose = "serverAuth",
     .from_day = 1,
     .to_day = 9},
    {.name = "common", .issuer = "ca", .purpose = "serverAuth", .subject = "localhost"},
    {.name = "alone", .alt = HERE, .purpose = "serverAuth"},
    {.name = "lax", .issuer = "ca", .alt = HERE, .purpose = "serverAuth", .is_lax = true},
    {.name = "revoked", .issuer = "ca", .alt = HERE, .purpose = "serverAuth"},
    {.name = "past",
     .issuer = "ca",
     .alt = "DNS:client",
     .purpose = "clientAuth",
     .from_day = -9,
     .to_day = -1},
};

void make_pki(void) {
    make_folder(pki);
    for (size_t i = 0; i < sizeof certificates / sizeof certificates[0]; i++)
        make_certificate(pki, &certificates[i]);
    make_crl(pki, "crl", "ca", "revoked", 9);
    make_crl(pki, "crl_old", "ca", NULL, -1);
    make_crl(pki, "crl_other", "other", NULL, 9);
}

void remove_pki(void) {
    remove_folder(pki);
}

const char *pem(const char *name) {
    return made_file(pki, name, "pem");
}

const char *key_of(const char *name) {
    return made_file(pki, name, "key");
}

struct sam_tls *tls_client(const char *ca, const char *certificate, const char *crl) {
    struct sam_tls *tls;
    struct sam_where where;
    struct sam_tls_client wanted = {.ca = pem(ca), .host = "127.0.0.1"};
    if (certificate != NULL) {
        wanted.certificate = pem(certificate);
        wanted.key = key_of(certificate);
    }
    wanted.crl = crl != NULL ? pem(crl) : NULL;
    ck_status(sam_tls_client_new(&tls, &wanted, &where), SAM_OK);
    return tls;
}

struct sam_tls *tls_server(const char *certificate, const char *ca) {
    struct sam_tls *tls;
    struct sam_where where;
    struct sam_tls_server wanted = {.certificate = pem(certificate), .key = key_of(certificate)};
    wanted.ca = ca != NULL ? pem(ca) : NULL;
    ck_status(sam_tls_server_new(&tls, &wanted, &where), SAM_OK);
    return tls;
}

/* A peer whose TLS is as weak as the test wants it: level 0 allows all that libssl still has. */
static void shake_hands_as_stranger(struct side *side) {
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    struct timeval patient = {.tv_sec = TEST_SECONDS};
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, side->newest);
    if (side->ciphers != NULL)
        ck_assert_int_eq(SSL_CTX_set_cipher_list(context, side->ciphers), 1);
    if (side->is_server) {
        ck_assert_int_eq(SSL_CTX_use_certificate_file(context, pem("rsa"), SSL_FILETYPE_PEM), 1);
        ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(context, key_of("rsa"), SSL_FILETYPE_PEM), 1);
    }
    SSL *ssl = SSL_new(context);
    ck_assert_int_eq(SSL_set_fd(ssl, side->fd), 1);
    ck_assert_int_eq(fcntl(side->fd, F_SETFL, 0), 0);
    setsockopt(side->fd, SOL_SOCKET, SO_RCVTIMEO, &patient, sizeof patient);
    bool done = (side->is_server ? SSL_accept(ssl) : SSL_connect(ssl)) == 1;
    side->status = done ? SAM_OK : SAM_TLS_BROKEN;
    side->version = SSL_version(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
    shutdown(side->fd, SHUT_WR);
}

static void *open_side(void *argument) {
    struct side *side = argument;
    side->tunnel.fd = -1;
    if (side->tls == NULL)
        shake_hands_as_stranger(side);
    else
        side->status = sam_tls_open(&side->tunnel, side->tls, side->fd, side->stop, side->deadline);
    return NULL;
}

void meet_sides(struct meeting *meeting) {
    pthread_t client;
    ck_assert_int_eq(pthread_create(&client, NULL, open_side, &meeting->client), 0);
    open_side(&meeting->server);
    ck_assert_int_eq(pthread_join(client, NULL), 0);
}

void meet(struct meeting *meeting, struct sam_tls *client, struct sam_tls *server) {
    int ends[2];
    int64_t deadline = sam_now() + PATIENT;
    tcp_pair(ends);
    meeting->client.tls = client;
    meeting->server.tls = server;
    meeting->server.is_server = true;
    meeting->client.fd = ends[0];
    meeting->server.fd = ends[1];
    meeting->client.stop = meeting->server.stop = -1;
    meeting->client.deadline = meeting->server.deadline = deadline;
    meet_sides(meeting);
}

void end_meeting(struct meeting *meeting) {
    sam_tls_close(&meeting->client.tunnel);
    sam_tls_close(&meeting->server.tunnel);
    if (meeting->client.fd >= 0)
        close(meeting->client.fd);
    close(meeting->server.fd);
}

void meet_well(struct meeting *meeting) {
    *meeting = (struct meeting){0};
    meet(meeting, tls_client("ca", NULL, NULL), tls_server("server", NULL));
    ck_status(meeting->client.status, SAM_OK);
    ck_status(meeting->server.status, SAM_OK);
}

void end_good(struct meeting *meeting) {
    end_meeting(meeting);
    sam_tls_free(meeting->client.tls);
    sam_tls_free(meeting->server.tls);
}
