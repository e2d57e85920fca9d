/* The programs under torture: how each is run, and what must be there when it says that it has done
 * it. Half of the runs find a file where they write theirs. */
#include "faults.h"

#include <stdlib.h>
#include <unistd.h>

static const char old_text[] = "what was there before";

#define FILL(words, ...)                                                                           \
    memcpy(words, ((const char *[]){__VA_ARGS__}), sizeof((const char *[]){__VA_ARGS__}))

static void prepare_out(unsigned number) {
    if (number % 2 == 1)
        write_file(in_place("out"), 0600, old_text, strlen(old_text));
    else
        unlink(in_place("out"));
}

/* A failed run leaves what was there, or nothing. */
static const char *judge_old(unsigned number) {
    if (number % 2 == 0)
        return exists(in_place("out")) ? "a file that was not to be made" : NULL;
    return is_file(in_place("out"), old_text, strlen(old_text)) ? NULL : "the old file is gone";
}

/* Whether a file holds an envelope of the client for the server with that message. */
static bool opens(const char *path, const void *message, size_t length) {
    struct sam_envelope envelope = {.bytes = read_file(path)};
    struct sam_party bob = {
        .crypto = people.crypto, .mode = &sam_mode_asymmetric_symmetric, .own = &people.bob};
    struct sam_expectation expected = {
        .trusted = &people.trusted, .kinds = SAM_KINDS_ALL, .max_message = SAM_MESSAGE_LIMIT};
    const struct sam_key *sender;
    bool good = sam_envelope_accept(&envelope, &sender, &bob, &expected) == SAM_OK &&
                sender == sam_ring_find(&people.trusted, people.alice.id) &&
                envelope.message_length == length && memcmp(envelope.message, message, length) == 0;
    sam_envelope_free(&envelope);
    return good;
}

static void prepare_seal(const char *words[FAULT_WORDS], unsigned number) {
    prepare_out(number);
    FILL(words, program_in("tools", "sam"), "seal", "--keys", keys, "--mode", "2", "--from",
         "client", "--to", "server", "--out", in_place("out"), in_place("message"));
}

static const char *judge_seal(const struct run_result *result, unsigned number) {
    if (result->code != SAM_EXIT_OK)
        return judge_old(number);
    return opens(in_place("out"), long_text.data, long_text.length)
               ? NULL
               : "what it sealed does not open";
}

const struct subject sam_seals = {"sam seal", prepare_seal, judge_seal, false};

static void prepare_open(const char *words[FAULT_WORDS], unsigned number) {
    prepare_out(number);
    FILL(words, program_in("tools", "sam"), "open", "--keys", keys, "--out", in_place("out"),
         in_place("envelope"));
}

static const char *judge_open(const struct run_result *result, unsigned number) {
    if (result->code != SAM_EXIT_OK)
        return judge_old(number);
    return is_file(in_place("out"), long_text.data, long_text.length) ? NULL
                                                                      : "it opened something else";
}

const struct subject sam_opens = {"sam open", prepare_open, judge_open, false};

static void prepare_inspect(const char *words[FAULT_WORDS], unsigned number) {
    (void)number;
    FILL(words, program_in("tools", "sam"), "inspect", "--json", in_place("envelope"));
}

static const char *judge_inspect(const struct run_result *result, unsigned number) {
    static const char first[] = "[{\"file\": ", last[] = "}]\n";
    (void)number;
    size_t length = result->out.length;
    const char *said = (const char *)result->out.data;
    bool whole = length > sizeof first + sizeof last &&
                 strncmp(said, first, sizeof first - 1) == 0 &&
                 strcmp(said + length - (sizeof last - 1), last) == 0;
    return result->code != SAM_EXIT_OK || whole ? NULL : "half of what it was to say";
}

const struct subject sam_inspects = {"sam inspect --json", prepare_inspect, judge_inspect, false};

static void prepare_key(const char *words[FAULT_WORDS], unsigned number) {
    (void)number;
    unlink(in_keys("new.private.pem"));
    unlink(in_keys("new.public.pem"));
    FILL(words, program_in("asymmetric_symmetric", "client"), "generate_key_pair", "--keys", keys,
         "--name", "new", "--bits", "2048");
}

/* Whether there is a private key, whose public half, where it is there, is its own. */
static bool is_pair(const char *name) {
    struct sam_key key = {0};
    bool good = sam_key_load_private(&key, people.crypto, keys, name, NULL, NULL) == SAM_OK;
    sam_key_free(&key);
    return good;
}

static const char *judge_key(const struct run_result *result, unsigned number) {
    (void)number;
    bool has_private = exists(in_keys("new.private.pem"));
    bool has_public = exists(in_keys("new.public.pem"));
    if (has_private != has_public)
        return "half a pair";
    if (has_private && !is_pair("new"))
        return "the halves do not fit";
    return result->code != SAM_EXIT_OK || has_private ? NULL : "there is no key";
}

const struct subject key_is_made = {"generate_key_pair", prepare_key, judge_key, false};

static void prepare_replacement(const char *words[FAULT_WORDS], unsigned number) {
    (void)number;
    give_pair(keys, "carol", "new");
    FILL(words, program_in("asymmetric_symmetric", "client"), "generate_key_pair", "--keys", keys,
         "--name", "new", "--bits", "2048", "--force");
}

/* No moment replaces two files: the old public half goes first, and the old private one is there
 * until the new one is in its place. Either will do: a public half is made from it again. */
static const char *judge_replacement(const struct run_result *result, unsigned number) {
    (void)number;
    struct sam_bytes old = read_vector("carol.private.pem");
    bool is_old = is_file(in_keys("new.private.pem"), old.data, old.length);
    sam_bytes_free(&old);
    if (result->code == SAM_EXIT_OK)
        return !is_old && is_pair("new") ? NULL : "the new pair is not there";
    return is_old || is_pair("new") ? NULL : "the old private key is lost";
}

const struct subject key_is_replaced = {"generate_key_pair --force", prepare_replacement,
                                        judge_replacement, false};

static const char *live_port(void) {
    static char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)live.port);
    return port;
}

static const char *text_of(unsigned number) {
    static char text[32];
    snprintf(text, sizeof text, "message %u.", number);
    return text;
}

static void prepare_send(const char *words[FAULT_WORDS], unsigned number) {
    FILL(words, program_in("asymmetric_symmetric", "client"), "--keys", keys, "--port", live_port(),
         "--timeout", "3", "send_msg", text_of(number));
}

static const char *judge_send(const struct run_result *result, unsigned number) {
    struct sam_bytes shown = process_out(&live.process);
    bool arrived = count_text(&shown, text_of(number)) > 0;
    sam_bytes_free(&shown);
    if (has_ended(&live.process))
        return "the server has ended";
    return result->code != SAM_EXIT_OK || arrived ? NULL : "the server never showed the message";
}

const struct subject client_sends = {"client send_msg", prepare_send, judge_send, false};

static void prepare_receive(const char *words[FAULT_WORDS], unsigned number) {
    (void)number;
    FILL(words, program_in("asymmetric_symmetric", "client"), "--keys", keys, "--port", live_port(),
         "--timeout", "3", "recv_msg");
}

static const char *judge_receive(const struct run_result *result, unsigned number) {
    (void)number;
    static const char message[] = "This is a message from the server!";
    bool same = result->out.length == strlen(message) &&
                memcmp(result->out.data, message, strlen(message)) == 0;
    return result->code != SAM_EXIT_OK || same ? NULL : "this is not the server's message";
}

const struct subject client_receives = {"client recv_msg", prepare_receive, judge_receive, false};

static void prepare_save(const char *words[FAULT_WORDS], unsigned number) {
    prepare_out(number);
    FILL(words, program_in("asymmetric_symmetric", "client"), "--keys", keys, "--port", live_port(),
         "--timeout", "3", "--save", in_place("out"), "recv_msg");
}

static const char *judge_save(const struct run_result *result, unsigned number) {
    const char *wrong = judge_receive(result, number);
    bool whole = exists(in_place("out")) && !is_file(in_place("out"), old_text, strlen(old_text));
    if (wrong == NULL && result->code == SAM_EXIT_OK && !whole)
        wrong = "it kept no envelope";
    return wrong == NULL && result->code != SAM_EXIT_OK && !whole ? judge_old(number) : wrong;
}

const struct subject client_saves = {"client --save", prepare_save, judge_save, false};

static void prepare_server(const char *words[FAULT_WORDS], unsigned number) {
    (void)number;
    unlink(in_place("port"));
    FILL(words, program_in("asymmetric_symmetric", "server"), "--keys", keys, "--port", "0",
         "--port-file", in_place("port"));
}

/* It may end with 0 only by being told to. */
static const char *judge_server(const struct run_result *result, unsigned number) {
    (void)number;
    if (result->code == SAM_EXIT_OK && count_text(&result->err, "server: stopped\n") != 1)
        return "it stopped by itself";
    return NULL;
}

const struct subject server_starts = {"server, start and stop", prepare_server, judge_server, true};

static void prepare_example(const char *words[FAULT_WORDS], unsigned number) {
    (void)number;
    FILL(words, program_in("examples", "secure"), live_port(), "attack at dawn");
}

static const char *judge_example(const struct run_result *result, unsigned number) {
    (void)number;
    bool same =
        result->out.length > 0 && strcmp((const char *)result->out.data, "ATTACK AT DAWN\n") == 0;
    return result->code != SAM_EXIT_OK || same ? NULL : "this is not the answer";
}

const struct subject example_asks = {"docs/examples/secure", prepare_example, judge_example, false};
