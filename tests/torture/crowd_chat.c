/* A chat in a crowd: members that flood, do not read or vanish, and connections without a key; what
 * the honest say is heard by the honest. */
#include <stdio.h>
#include <string.h>

#include "crowd.h"
#include "scale.h"

enum { OPEN = SANITIZED ? 50 : 200, IN_ALL = SANITIZED ? 100 : 400 };

static struct crowd crowd;
static struct flood floods[FLOOD_KINDS];

/* One of the two honest members, a thread: it says one text after the other, each once it has the
 * receipt for the last, and reads all the time. */
struct honest {
    const char *name, *others;
    struct peer peer;
    struct times times; /* until the receipt */
    size_t said, heard;
    int64_t due;          /* when it says the next */
    int64_t asked;        /* when the receipt was asked for that has not come; 0: none */
    atomic_size_t in_all; /* texts, once it says no more; before that SIZE_MAX */
    const struct honest *other;
    pthread_t thread;
};
static struct honest honest[2];
static atomic_bool enough;

static void say_next(struct honest *member) {
    char text[32];
    int length = snprintf(text, sizeof text, "%s %zu", member->name, member->said++);
    member->asked = sam_now();
    member->due = member->asked + SAM_SECOND / 20;
    peer_request(&member->peer, SAM_KIND_SEND, text, (size_t)length);
}

/* What the other honest member says comes in its order, none skipped; the rest passes by. */
static void take_push(struct honest *member, const struct sam_envelope *push) {
    char text[64];
    snprintf(text, sizeof text, "%s: %s ", member->others, member->others);
    size_t length = strlen(text);
    if (push->message_length < length || memcmp(push->message, text, length) != 0)
        return;
    snprintf(text + length, sizeof text - length, "%zu", member->heard++);
    ck_assert_uint_eq(push->message_length, strlen(text));
    ck_assert_mem_eq(push->message, text, strlen(text));
}

static void take_one(struct honest *member) {
    struct sam_incoming incoming;
    enum sam_status status = peer_take(&member->peer, &incoming);
    ck_assert_msg(status == SAM_OK, "%s after %zu texts: %s", member->name, member->said,
                  sam_status_sentence(status));
    if (incoming.envelope.header.kind == SAM_KIND_PUSH) {
        take_push(member, &incoming.envelope);
    } else {
        ck_assert_uint_eq(incoming.envelope.header.kind, SAM_KIND_REPLY);
        times_add(&member->times, sam_now() - member->asked);
        member->asked = 0;
    }
    sam_connection_drop(&member->peer.connection, &incoming);
}

static void *be_honest(void *argument) {
    struct honest *member = argument;
    int64_t deadline = sam_now() + TEST_SECONDS * SAM_SECOND;
    while (member->heard < atomic_load(&member->other->in_all) || member->asked != 0) {
        ck_assert_msg(sam_now() < deadline, "%s heard %zu", member->name, member->heard);
        if (member->asked == 0 && atomic_load(&enough))
            atomic_store(&member->in_all, member->said);
        else if (member->asked == 0 && sam_now() >= member->due)
            say_next(member);
        if (sam_connection_is_ahead(&member->peer.connection) ||
            readable_until(member->peer.connection.fd, sam_now() + SAM_SECOND / 50))
            take_one(member);
    }
    atomic_store(&member->in_all, member->said);
    return NULL;
}

static void start_honest(const struct server_process *server, int way) {
    static const char *const names[] = {"bob", "mallory"};
    atomic_store(&enough, false);
    for (int i = 0; i < 2; i++) {
        honest[i] = (struct honest){.name = names[i], .others = names[1 - i]};
        honest[i].other = &honest[1 - i];
        atomic_store(&honest[i].in_all, SIZE_MAX);
        join_chat(&honest[i].peer, way, server, names[i]);
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&honest[i].thread, NULL, be_honest, &honest[i]), 0);
}

static void end_honest(void) {
    atomic_store(&enough, true);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(honest[i].thread, NULL), 0);
    for (int i = 0; i < 2; i++)
        peer_close(&honest[i].peer);
}

static void tell(const struct server_process *server, int way, size_t requests) {
    fprintf(stderr,
            "torture: crowd: chat, %s: %zu hostile connections, %zu requests of members who "
            "flood:\ntorture: crowd: 0 of %zu honest texts lost; receipts after %.1f ms (p50), "
            "%.1f ms (p99); peak %.1f MiB\n",
            way == IN_SESSION ? "sessions" : mode_of(way)->name, crowd.begun, requests,
            honest[0].said + honest[1].said, (double)times_at(&honest[0].times, 500) / 1000,
            (double)times_at(&honest[0].times, 990) / 1000, (double)peak_memory(server) / 1024);
}

START_TEST(the_honest_hear_each_other_in_a_crowd) {
    struct server_process server;
    size_t requests = 0;
    allow_descriptors(OPEN + 200);
    start_server(&server, mode_of(_i), lab, "--chat", "--quiet", "--timeout", DEADLINE_WORD, NULL);
    struct calm before = calm_of(&server);
    start_honest(&server, _i);
    crowd = (struct crowd){.server = &server, .at_once = OPEN, .kinds = FOE_KINDS};
    crowd.in_all = torture_scale(IN_ALL);
    crowd_start(&crowd);
    for (size_t i = 0; i < FLOOD_KINDS; i++) {
        floods[i] = (struct flood){.server = &server, .way = _i, .kind = (enum flood_kind)i};
        floods[i].chat = true;
        flood_start(&floods[i]);
    }
    crowd_end(&crowd);
    for (size_t i = 0; i < FLOOD_KINDS; i++) {
        flood_end(&floods[i]);
        requests += floods[i].requests;
    }
    end_honest();
    assert_calm_again(&server, &before, OPEN);
    tell(&server, _i, requests);
    /* In envelopes it takes RSA to read what others say, and a receipt comes behind it. */
    for (int i = 0; i < 2; i++)
        ck_assert_int_le(times_at(&honest[i].times, 1000),
                         (_i == IN_SESSION ? DEADLINE * SAM_SECOND : PATIENT) +
                             SANITIZED * PATIENT);
    stop_server_well(&server);
}
END_TEST

TCase *crowd_chat_case(void) {
    TCase *chat = tcase_create("chat");
    tcase_set_timeout(chat, TEST_SECONDS);
    tcase_add_unchecked_fixture(chat, make_chat_lab, remove_lab);
    tcase_add_loop_test(chat, the_honest_hear_each_other_in_a_crowd, 0, WAYS);
    return chat;
}
