/* The real client and a server of the test that greets as it should and then misbehaves: the exit
 * code tells, nothing unverified is printed, and nothing is ever sent twice. */
#include <string.h>
#include <unistd.h>

#include "fake.h"

/* Greets and takes the request. */
static struct sam_header fake_asked(void) {
    struct sam_incoming request;
    struct sam_connection *connection = &fake.bob.connection;
    fake_greet(fake.at.mode->max_message);
    ck_status(peer_take(&fake.bob, &request), SAM_OK);
    struct sam_header header = request.envelope.header;
    sam_connection_drop(connection, &request);
    return header;
}

/* Waits for the client and asserts that it has sent no more and has not come back. */
static struct run_result fake_end(struct process *client) {
    struct run_result result = finish(client);
    struct sam_bytes more = read_to_end(fake.bob.connection.fd);
    ck_assert_msg(more.length == 0, "the client sent %zu bytes more", more.length);
    sam_bytes_free(&more);
    ck_assert_msg(!sam_is_ready(fake.listener), "the client connected again");
    peer_close(&fake.bob);
    return result;
}

static struct sam_envelope reply_to(const struct sam_header *request) {
    struct sam_address address = {.kind = SAM_KIND_REPLY};
    memcpy(address.reference, request->message_id, SAM_ID_SIZE);
    return seal_at(&fake.bob.party, person("alice"), &address, "secret", 6);
}

static void write_reply(const struct sam_envelope *reply) {
    write_raw(fake.bob.connection.fd, reply->bytes.data, reply->bytes.length);
}

static struct sam_envelope earlier; /* the reply of an earlier conversation */

static void end(const struct sam_header *request) {
    (void)request;
    shutdown(fake.bob.connection.fd, SHUT_WR);
}

static void stay_silent(const struct sam_header *request) {
    (void)request;
}

static void reject(const struct sam_header *request) {
    uint8_t bytes[SAM_REJECTION_SIZE];
    (void)request;
    sam_rejection_write(bytes, fake.at.mode->number);
    write_raw(fake.bob.connection.fd, bytes, sizeof bytes);
}

static void talk_nonsense(const struct sam_header *request) {
    static const char nonsense[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    (void)request;
    write_raw(fake.bob.connection.fd, nonsense, sizeof nonsense);
}

static void answer_as_before(const struct sam_header *request) {
    (void)request;
    write_reply(&earlier);
}

static void answer_half(const struct sam_header *request) {
    struct sam_envelope reply = reply_to(request);
    write_raw(fake.bob.connection.fd, reply.bytes.data, reply.bytes.length / 2);
    shutdown(fake.bob.connection.fd, SHUT_WR);
    sam_envelope_free(&reply);
}

static void answer_half_and_wait(const struct sam_header *request) {
    struct sam_envelope reply = reply_to(request);
    write_raw(fake.bob.connection.fd, reply.bytes.data, reply.bytes.length / 2);
    sam_envelope_free(&reply);
}

static void alter_the_answer(const struct sam_header *request) {
    struct sam_envelope reply = reply_to(request);
    reply.bytes.data[reply.bytes.length - 1] ^= 1;
    write_reply(&reply);
    sam_envelope_free(&reply);
}

static void let_carol_answer(const struct sam_header *request) {
    fake.bob.own = *person("carol");
    struct sam_envelope reply = reply_to(request);
    write_reply(&reply);
    sam_envelope_free(&reply);
}

static const struct {
    void (*act)(const struct sam_header *request);
    int code;
    enum sam_status status[2]; /* what the client says, in each mode */
} tricks[] = {
    {end, 3, {SAM_CLOSED, SAM_CLOSED}},
    {reject, 1, {SAM_REJECTED, SAM_REJECTED}},
    {talk_nonsense, 1, {SAM_MAGIC, SAM_MAGIC}},
    {answer_as_before, 1, {SAM_STALE, SAM_STALE}},
    {answer_half, 1, {SAM_TRUNCATED, SAM_TRUNCATED}},
    {alter_the_answer, 1, {SAM_SIGNATURE, SAM_DECRYPT}},
    {let_carol_answer, 1, {SAM_STRANGER, SAM_STRANGER}},
    /* Each of these takes a second, so only a send_msg meets them. */
    {stay_silent, 3, {SAM_TIMEOUT, SAM_TIMEOUT}},
    {answer_half_and_wait, 3, {SAM_TIMEOUT, SAM_TIMEOUT}},
};
enum { TRICKS = sizeof tricks / sizeof tricks[0], QUICK_TRICKS = TRICKS - 2 };

/* One conversation as it should be, whose reply is kept. */
static void converse_honestly(void) {
    struct process client = start_client(&fake.at, NULL, 0, "recv_msg", NULL);
    struct sam_header request = fake_asked();
    earlier = reply_to(&request);
    write_reply(&earlier);
    struct run_result result = fake_end(&client);
    assert_code(&result, 0);
    ck_assert_str_eq((const char *)result.out.data, "secret");
    run_result_free(&result);
}

static void play(size_t trick, int mode, const char *command, const char *operand,
                 const char *known) {
    const char *timeout = trick < QUICK_TRICKS ? "60" : "1";
    struct process client =
        start_client(&fake.at, NULL, 0, "--timeout", timeout, command, operand, NULL);
    struct sam_header request = fake_asked();
    tricks[trick].act(&request);
    struct run_result result = fake_end(&client);
    assert_code(&result, tricks[trick].code);
    assert_says(&result, sam_status_sentence(tricks[trick].status[mode]));
    assert_says(&result, known);
    ck_assert_uint_eq(result.out.length, 0);
    run_result_free(&result);
}

START_TEST(no_trick_passes_for_a_receipt) {
    fake_open(modes[_i]);
    converse_honestly();
    for (size_t i = 0; i < TRICKS; i++)
        play(i, _i, "send_msg", "hello", "it may have been delivered");
    sam_envelope_free(&earlier);
    close(fake.listener);
}
END_TEST

START_TEST(no_trick_passes_for_a_message) {
    fake_open(modes[_i]);
    converse_honestly();
    for (size_t i = 0; i < QUICK_TRICKS; i++)
        play(i, _i, "recv_msg", NULL, "asked, no answer that verifies");
    sam_envelope_free(&earlier);
    close(fake.listener);
}
END_TEST

START_TEST(a_refusal_is_told_and_its_text_is_harmless) {
    fake_open(modes[_i]);
    struct process client = start_client(&fake.at, NULL, 0, "send_msg", "hello", NULL);
    struct sam_header request = fake_asked();
    ck_status(sam_connection_answer(&fake.bob.connection, &request, person("alice"),
                                    SAM_KIND_REFUSE, "no\033[2J", 6),
              SAM_OK);
    struct run_result result = fake_end(&client);
    assert_code(&result, 1);
    assert_says(&result, "refused: no\\x1b[2J");
    ck_assert_uint_eq(count_text(&result.err, "delivered"), 0);
    ck_assert_uint_eq(result.out.length, 0);
    run_result_free(&result);
    close(fake.listener);
}
END_TEST

/* What a server says in the place of a greeting. */
static const struct {
    size_t offset; /* of the byte that is altered */
    uint8_t change;
    size_t length; /* that is sent */
    bool ends;
    int code;
    enum sam_status status;
} greetings[] = {
    {0, 0x20, SAM_GREETING_SIZE, false, 1, SAM_MAGIC},
    {3, 0x02, SAM_GREETING_SIZE, false, 1, SAM_TYPE},
    {4, 0x03, SAM_GREETING_SIZE, false, 1, SAM_VERSION},
    {5, 0x03, SAM_GREETING_SIZE, false, 1, SAM_MODE},
    {15, 0x01, SAM_GREETING_SIZE, false, 1, SAM_RESERVED},
    {63, 0x01, SAM_GREETING_SIZE, false, 1, SAM_OTHER_SERVER},
    {8, 0x80, SAM_GREETING_SIZE, false, 1, SAM_LENGTH},
    {0, 0, SAM_GREETING_SIZE - 1, true, 1, SAM_TRUNCATED},
    {0, 0, 0, true, 3, SAM_CLOSED},
    {0, 0, SAM_GREETING_SIZE - 1, false, 3, SAM_TIMEOUT},
};

START_TEST(a_bad_greeting_gets_nothing) {
    fake_open(modes[_i]);
    for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
        struct sam_greeting greeting = {.mode = modes[_i]->number, .max_message = 1000};
        uint8_t bytes[SAM_GREETING_SIZE];
        memset(greeting.challenge, 7, sizeof greeting.challenge);
        memcpy(greeting.server, person("bob")->id, sizeof greeting.server);
        sam_greeting_write(bytes, &greeting);
        bytes[greetings[i].offset] ^= greetings[i].change;
        struct process client = start_client(&fake.at, NULL, 0, "--timeout",
                                             greetings[i].status == SAM_TIMEOUT ? "1" : "60",
                                             "send_msg", "hello", NULL);
        fake_accept();
        write_raw(fake.bob.connection.fd, bytes, greetings[i].length);
        if (greetings[i].ends)
            shutdown(fake.bob.connection.fd, SHUT_WR);
        struct run_result result = fake_end(&client);
        assert_code(&result, greetings[i].code);
        assert_says(&result, sam_status_sentence(greetings[i].status));
        assert_says(&result, "nothing was sent");
        run_result_free(&result);
    }
    close(fake.listener);
}
END_TEST

TCase *fake_case(void) {
    TCase *servers = tcase_create("fake servers");
    tcase_set_timeout(servers, TEST_SECONDS);
    tcase_add_unchecked_fixture(servers, make_lab, remove_lab);
    tcase_add_loop_test(servers, no_trick_passes_for_a_receipt, 0, 2);
    tcase_add_loop_test(servers, no_trick_passes_for_a_message, 0, 2);
    tcase_add_loop_test(servers, a_refusal_is_told_and_its_text_is_harmless, 0, 2);
    tcase_add_loop_test(servers, a_bad_greeting_gets_nothing, 0, 2);
    return servers;
}
