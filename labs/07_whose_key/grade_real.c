/* Lab 07: the attack against the real client and server. */
#include "grade_real.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "real.h"

#define ORDER "PAY CAROL 0100"
#define FORGED_ORDER "PAY MALLORY 0100"

/* Where a real client calls, the client, and Mallory, who takes the call. */
static struct server_process line;
static struct process caller;
static struct peer mallory;

/* name's client calls to; Mallory, with her own private key, greets under this id. */
static void take_call(const struct sam_mode *mode, const char *name, const char *to,
                      const uint8_t id[SAM_KEY_ID_SIZE]) {
    int listener, fd;
    char address[SAM_ADDRESS_MAX];
    struct sam_key impostor = people.mallory;
    memcpy(impostor.id, id, sizeof impostor.id);
    line = (struct server_process){.mode = mode};
    snprintf(line.folder, sizeof line.folder, "%s", lab);
    ck_status(sam_listen(&listener, "127.0.0.1", &line.port, NULL), SAM_OK);
    caller = start_client(&line, NULL, 0, "--name", name, "--to", to, "send_msg", ORDER, NULL);
    ck_assert(readable_until(listener, sam_now() + PATIENT));
    ck_status(sam_accept(&fd, listener, address), SAM_OK);
    close(listener);
    peer_open(&mallory, mode, &impostor, fd);
    ck_status(sam_connection_greet(&mallory.connection, &people.trusted, 1000), SAM_OK);
    tell("The real client of %s calls \"%s\"; Mallory takes the call.", mode->name, to);
}

static void expect_client_stops(enum sam_status status, const char *known) {
    struct run_result result = finish(&caller);
    const char *sentence = sam_status_sentence(status);
    if (result.code != 1 || count_text(&result.err, sentence) == 0 ||
        count_text(&result.err, known) == 0)
        lose(sentence, "exit code %d:\n%s", result.code, (char *)result.err.data);
    tell("Its exit code is 1. It says: %s; %s.", sentence, known);
    run_result_free(&result);
    peer_close(&mallory);
}

static void mallory_answers_as_herself(const struct sam_mode *mode) {
    take_call(mode, "client", "server", people.mallory.id);
    expect_client_stops(SAM_OTHER_SERVER, "nothing was sent");
}

/* Carol's client calls Alice, whose key is as long as Mallory's: nothing else gives her away. */
static void mallory_answers_as_alice(const struct sam_mode *mode) {
    struct sam_incoming request = {0};
    struct sam_connection *connection = &mallory.connection;
    take_call(mode, "carol", "client", people.alice.id);
    ck_status(sam_connection_receive(connection, &request), SAM_OK);
    enum sam_status status = sam_connection_open(connection, &request);
    if (status != SAM_DECRYPT)
        lose("DECRYPT", "%s", sam_status_name(status));
    tell("She cannot open the order (DECRYPT), and answers all the same.");
    status = sam_connection_answer(connection, &request.envelope.header, &people.carol,
                                   SAM_KIND_REPLY, "", 0);
    ck_status(status, SAM_OK);
    sam_connection_drop(connection, &request);
    expect_client_stops(SAM_SIGNATURE, "it may have been delivered");
}

/* Instead of Alice's order the real server gets one that Mallory signed, in the name of id. */
static void mallory_stands_between(const struct server_process *server,
                                   const uint8_t id[SAM_KEY_ID_SIZE], enum sam_status status) {
    struct sam_greeting greeting;
    struct sam_address address = {.kind = SAM_KIND_SEND};
    take_call(server->mode, "client", "server", people.bob.id);
    int fd = real_connect(server, &greeting);
    memcpy(address.reference, greeting.challenge, SAM_ID_SIZE);
    memcpy(mallory.own.id, id, SAM_KEY_ID_SIZE);
    tell("She sends the real server \"%s\" instead.", FORGED_ORDER);
    struct sam_envelope forged =
        seal_at(&mallory.party, &people.bob, &address, FORGED_ORDER, strlen(FORGED_ORDER));
    real_expect_refused(server, fd, forged.bytes.data, forged.bytes.length, status);
    sam_envelope_free(&forged);
    close(fd);
    sam_connection_reject(&mallory.connection);
    expect_client_stops(SAM_REJECTED, "it may have been delivered");
}

void whose_key_meet_real(const struct sam_mode *mode) {
    mallory_answers_as_herself(mode);
    mallory_answers_as_alice(mode);
    struct server_process server = real_start(mode, ORDER);
    mallory_stands_between(&server, people.mallory.id, SAM_STRANGER);
    mallory_stands_between(&server, people.alice.id, SAM_SIGNATURE);
    real_stop(&server, ORDER "\n");
}
