/* Tests of the client against a server of the test: --save keeps exactly what travelled, and an
 * answer that fails is told as the promise that it breaks. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"
#include "peer.h"

/* What is wrong with the answer to a recv_msg. */
enum flaw { NONE, STALE, ORDER, STRANGER, RECIPIENT, FIRST_BIT, LAST_BIT };

static const char reply_text[] = "the reply: \033[0m";

/* As the client would seal it, but for the flaw. */
static struct sam_envelope seal_reply(struct peer *bob, const struct sam_header *request,
                                      enum flaw flaw) {
    struct sam_address address = {.kind = SAM_KIND_REPLY, .sequence = flaw == ORDER};
    memcpy(address.reference, request->message_id, SAM_ID_SIZE);
    address.reference[0] ^= flaw == STALE;
    if (flaw == STRANGER)
        bob->own = people.mallory;
    struct sam_envelope reply = seal_at(&bob->party, person(flaw == RECIPIENT ? "carol" : "alice"),
                                        &address, reply_text, sizeof reply_text - 1);
    reply.bytes.data[SAM_HEADER_SIZE] ^= flaw == FIRST_BIT;
    reply.bytes.data[reply.bytes.length - 1] ^= flaw == LAST_BIT;
    return reply;
}

/* Runs a client with these words against bob, whose answer has the flaw. request and reply get
 * what travelled; the caller frees them. */
static struct run_result converse(const struct sam_mode *mode, const char *const words[3],
                                  const char *last, enum flaw flaw, struct sam_bytes *request,
                                  struct sam_bytes *reply) {
    struct server_process at = {.mode = mode};
    struct peer bob;
    struct sam_incoming incoming = {0};
    char address[SAM_ADDRESS_MAX];
    int listener, fd;
    snprintf(at.folder, sizeof at.folder, "%s", keys);
    ck_status(sam_listen(&listener, "127.0.0.1", &at.port, NULL), SAM_OK);
    struct process client = start_client(&at, NULL, 0, words[0], words[1], words[2], last, NULL);
    ck_assert(readable_until(listener, sam_now() + PATIENT));
    ck_status(sam_accept(&fd, listener, address), SAM_OK);
    peer_open(&bob, mode, person("bob"), fd);
    ck_status(sam_connection_greet(&bob.connection, &people.trusted, mode->max_message), SAM_OK);
    ck_status(sam_connection_receive(&bob.connection, &incoming), SAM_OK);
    const struct sam_bytes *bytes = &incoming.envelope.bytes;
    ck_status(sam_bytes_append(request, bytes->data, bytes->length), SAM_OK);
    struct sam_envelope envelope = seal_reply(&bob, &incoming.envelope.header, flaw);
    write_raw(fd, envelope.bytes.data, envelope.bytes.length);
    ck_status(sam_bytes_append(reply, envelope.bytes.data, envelope.bytes.length), SAM_OK);
    sam_envelope_free(&envelope);
    sam_connection_drop(&bob.connection, &incoming);
    struct run_result result = finish(&client);
    peer_close(&bob);
    close(listener);
    return result;
}

static const struct {
    enum flaw flaw;
    enum sam_status status[2]; /* in each mode */
    const char *promise;
} flaws[] = {
    {STALE, {SAM_STALE, SAM_STALE}, "freshness"},
    {ORDER, {SAM_ORDER, SAM_ORDER}, "freshness"},
    {STRANGER, {SAM_STRANGER, SAM_STRANGER}, "sender"},
    {RECIPIENT, {SAM_RECIPIENT, SAM_RECIPIENT}, "confidentiality"},
    {FIRST_BIT, {SAM_DECRYPT, SAM_DECRYPT}, "integrity"},
    {LAST_BIT,
     {SAM_SIGNATURE, SAM_DECRYPT},
     "integrity"}, /* in mode 1 the signature stands there */
};

START_TEST(an_answer_that_fails_is_told_as_the_promise_that_it_breaks) {
    int i = _i / 2, mode = _i % 2;
    for (int quiet = 0; quiet < 2; quiet++) {
        const char *const words[] = {"recv_msg", "--color", "never"};
        struct sam_bytes request = {0}, reply = {0};
        struct run_result result =
            converse(modes[mode], words, quiet ? "--quiet" : NULL, flaws[i].flaw, &request, &reply);
        bool forged = flaws[i].status[mode] == SAM_SIGNATURE;
        assert_code(&result, SAM_EXIT_UNVERIFIED);
        assert_text(&result.out, "");
        assert_says(&result, sam_status_sentence(flaws[i].status[mode]));
        ck_assert_uint_eq(count_verdicts(&result.err, flaws[i].promise, "FAILED"), 1);
        ck_assert_uint_eq(count_text(&result.err, "FAILED"), forged ? 2 : 1);
        ck_assert_uint_eq(count_text(&result.err, "passed"), forged && !quiet ? 1 : 0);
        run_result_free(&result);
        sam_bytes_free(&request);
        sam_bytes_free(&reply);
    }
}
END_TEST

/* Opens a saved envelope with the key of own. */
static enum sam_status open_saved(const char *path, const struct sam_key *own,
                                  const uint8_t *reference, const struct sam_mode *mode,
                                  const char *message) {
    const struct sam_key *sender;
    struct sam_party party = {.mode = mode, .crypto = people.crypto, .own = own};
    struct sam_expectation expected = {
        .trusted = &people.trusted, .kinds = SAM_KINDS_ALL, .max_message = 1 << 20};
    struct sam_envelope envelope = {.bytes = read_file(path)};
    memcpy(expected.reference, reference, SAM_ID_SIZE);
    enum sam_status status = sam_envelope_accept(&envelope, &sender, &party, &expected);
    if (status == SAM_OK) {
        ck_assert_uint_eq(envelope.message_length, strlen(message));
        ck_assert_mem_eq(envelope.message, message, strlen(message));
    }
    sam_envelope_free(&envelope);
    return status;
}

/* The file is what travelled, and no mere file: whoever opens it must know the conversation. */
static void assert_saved(const char *path, const struct sam_bytes *travelled,
                         const struct sam_key *own, const struct sam_mode *mode,
                         const char *message) {
    static const uint8_t zeros[SAM_ID_SIZE];
    struct sam_header header;
    assert_file(path, travelled);
    ck_status(sam_header_read(&header, travelled->data, mode->number, SAM_KINDS_ALL), SAM_OK);
    ck_assert(!sam_is_zero(header.reference, SAM_ID_SIZE));
    ck_status(open_saved(path, own, zeros, mode, message), SAM_STALE);
    ck_status(open_saved(path, own, header.reference, mode, message), SAM_OK);
    ck_assert_uint_eq(count_entries(place), 2);
}

START_TEST(save_keeps_what_send_msg_sent_and_what_recv_msg_got) {
    bool sends = _i / 2 == 0;
    const char *path = in_place("kept.sam");
    const char *const words[] = {"--save", path, sends ? "send_msg" : "recv_msg"};
    struct sam_bytes request = {0}, reply = {0};
    write_file(path, 0600, "of an earlier run", 17);
    struct run_result result =
        converse(modes[_i % 2], words, sends ? "a message" : NULL, NONE, &request, &reply);
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.out, reply_text); /* a receipt may have a text as well */
    if (sends)
        assert_saved(path, &request, &people.bob, modes[_i % 2], "a message");
    else
        assert_saved(path, &reply, &people.alice, modes[_i % 2], reply_text);
    run_result_free(&result);
    sam_bytes_free(&request);
    sam_bytes_free(&reply);
}
END_TEST

/* Devices are reached by a link, so that a program gone wrong, run by root, replaces no device. */
static const char *const unwritable[] = {"missing/kept.sam", "keys", "", "full"};

START_TEST(what_cannot_be_saved_is_not_sent_and_what_arrived_is_not_lost) {
    struct server_process server;
    const char *name = unwritable[_i / 2], *path = name[0] == '\0' ? "" : in_place(name);
    if (strcmp(name, "full") == 0 && access("/dev/full", W_OK) != 0)
        return;
    if (strcmp(name, "full") == 0)
        ck_assert_int_eq(symlink("/dev/full", path), 0);
    size_t others = count_entries(place);
    start_server(&server, modes[_i % 2], keys, NULL);
    size_t entries = count_entries(keys);
    struct run_result result = run_client(&server, "send_msg", "hello", "--save", path, NULL);
    ck_assert_int_ne(result.code, SAM_EXIT_OK);
    assert_text(&result.out, "");
    assert_says(&result, sam_status_sentence(SAM_FILE_WRITE));
    assert_says(&result, "nothing was sent");
    ck_assert(path[0] == '\0' || count_text(&result.err, path) > 0);
    run_result_free(&result);
    ck_assert_uint_eq(count_entries(place), others);
    ck_assert_uint_eq(count_entries(keys), entries);
    result = run_client(&server, "recv_msg", "--save", path, NULL);
    ck_assert_int_ne(result.code, SAM_EXIT_OK);
    assert_text(&result.out, "This is a message from the server!");
    assert_says(&result, sam_status_sentence(SAM_FILE_WRITE));
    run_result_free(&result);
    result = stop_server(&server);
    assert_code(&result, SAM_EXIT_OK);
    assert_text(&result.out, "");
    ck_assert_uint_eq(count_text(&result.err, "send from"), 0);
    run_result_free(&result);
}
END_TEST

START_TEST(a_device_is_saved_to_and_not_replaced) {
    struct server_process server;
    struct stat file;
    const char *path = in_place("null");
    ck_assert_int_eq(symlink("/dev/null", path), 0);
    start_server(&server, modes[_i], keys, NULL);
    struct run_result result = run_client(&server, "send_msg", "hello", "--save", path, NULL);
    assert_code(&result, SAM_EXIT_OK);
    run_result_free(&result);
    ck_assert_int_eq(stat(path, &file), 0);
    ck_assert(S_ISCHR(file.st_mode));
    result = stop_server(&server);
    assert_text(&result.out, "hello\n");
    run_result_free(&result);
}
END_TEST

TCase *save_case(void) {
    TCase *tcase = tcase_create("save");
    tcase_set_timeout(tcase, 120);
    tcase_add_unchecked_fixture(tcase, load_people, free_people);
    tcase_add_checked_fixture(tcase, set_up_pairs, tear_down_place);
    tcase_add_loop_test(tcase, an_answer_that_fails_is_told_as_the_promise_that_it_breaks, 0,
                        2 * COUNT(flaws));
    tcase_add_loop_test(tcase, save_keeps_what_send_msg_sent_and_what_recv_msg_got, 0, 4);
    tcase_add_loop_test(tcase, what_cannot_be_saved_is_not_sent_and_what_arrived_is_not_lost, 0,
                        2 * COUNT(unwritable));
    tcase_add_loop_test(tcase, a_device_is_saved_to_and_not_replaced, 0, COUNT(modes));
    return tcase;
}
