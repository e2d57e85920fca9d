/* What a server answers with, and the chat's room, without a network. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chatting.h"
#include "handler.h"
#include "room.h"

enum { EVERY_BYTE = 256 };

static size_t answer(const char *handler, uint8_t *message, size_t length) {
    const struct sam_handler *found = sam_handler_find(handler);
    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found->name, handler);
    return found->answer(message, length);
}

START_TEST(there_are_three_handlers) {
    static const char *const none[] = {"", "Upper", "upper ", "receip", "lower", "chat"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        ck_assert_ptr_null(sam_handler_find(none[i]));
    uint8_t message[] = "x";
    ck_assert_uint_eq(answer("receipt", message, 1), 0);
    ck_assert_uint_eq(answer("echo", message, 1), 1);
    ck_assert_uint_eq(answer("echo", NULL, 0), 0);
    ck_assert_uint_eq(answer("upper", NULL, 0), 0);
    ck_assert_uint_eq(answer("receipt", NULL, 0), 0);
    ck_assert_str_eq((const char *)message, "x");
}
END_TEST

START_TEST(upper_changes_the_letters_of_ascii_and_nothing_else) {
    uint8_t message[EVERY_BYTE], before[EVERY_BYTE];
    for (size_t i = 0; i < EVERY_BYTE; i++)
        message[i] = before[i] = (uint8_t)i;
    ck_assert_uint_eq(answer("echo", message, EVERY_BYTE), EVERY_BYTE);
    ck_assert_mem_eq(message, before, EVERY_BYTE);
    ck_assert_uint_eq(answer("upper", message, EVERY_BYTE), EVERY_BYTE);
    for (size_t i = 0; i < EVERY_BYTE; i++)
        ck_assert_uint_eq(message[i], i >= 'a' && i <= 'z' ? i - 32 : i);
    uint8_t text[] = "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x99\x82 z";
    ck_assert_uint_eq(answer("upper", text, sizeof text - 1), sizeof text - 1);
    ck_assert_str_eq((const char *)text, "GR\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x99\x82 Z");
}
END_TEST

TCase *handler_case(void) {
    TCase *handlers = tcase_create("handlers");
    tcase_add_test(handlers, there_are_three_handlers);
    tcase_add_test(handlers, upper_changes_the_letters_of_ascii_and_nothing_else);
    return handlers;
}

/* Somebody in a room, and the other end of the connection. */
struct guest {
    struct sam_member member;
    int ends[2];
};

static struct sam_room room;

static void enter(struct guest *guest, const char *name) {
    socket_pair(guest->ends);
    guest->member = (struct sam_member){.name = name, .fd = guest->ends[0]};
    ck_status(sam_room_join(&room, &guest->member), SAM_OK);
}

static void leave(struct guest *guest) {
    sam_room_leave(&guest->member);
    close(guest->ends[0]);
    close(guest->ends[1]);
}

static void told(struct guest *guest, const char *expected) {
    struct sam_bytes text = {0};
    bool more = false;
    ck_assert(sam_is_ready(guest->member.wake[0]));
    ck_status(sam_room_next(&guest->member, &text, &more), SAM_OK);
    ck_assert_msg(more, "nothing instead of \"%s\"", expected);
    ck_status(sam_bytes_append(&text, "", 1), SAM_OK);
    ck_assert_str_eq((const char *)text.data, expected);
    sam_bytes_free(&text);
}

static void told_nothing(struct guest *guest) {
    struct sam_bytes text = {0};
    bool more = true;
    ck_status(sam_room_next(&guest->member, &text, &more), SAM_OK);
    ck_assert(!more);
    ck_assert_uint_eq(text.length, 0);
    ck_assert(!sam_is_ready(guest->member.wake[0]));
}

static void speak(struct guest *guest, const void *text, size_t length) {
    ck_status(sam_room_say(&guest->member, text, length), SAM_OK);
}

static void names_are(const char *expected) {
    struct sam_bytes names = {0};
    ck_status(sam_room_names(&room, &names), SAM_OK);
    ck_status(sam_bytes_append(&names, "", 1), SAM_OK);
    ck_assert_str_eq((const char *)names.data, expected);
    sam_bytes_free(&names);
}

static void open_room(void) {
    ck_status(sam_room_open(&room, "host"), SAM_OK);
}

static void close_room(void) {
    names_are("");
    sam_room_close(&room);
}

START_TEST(all_others_are_told_and_nobody_their_own_words) {
    struct guest ann, ben, cid;
    names_are("");
    enter(&ann, "ann");
    told_nothing(&ann);
    speak(&ann, "alone", 5);
    enter(&ben, "ben");
    enter(&cid, "cid");
    names_are("ann ben cid");
    speak(&ben, "hello", 5);
    speak(&cid, NULL, 0);
    told(&ann, "host: ben has joined");
    told(&ann, "host: cid has joined");
    told(&ann, "ben: hello");
    told(&ann, "cid: ");
    told_nothing(&ann);
    told(&ben, "host: cid has joined");
    told(&ben, "cid: ");
    told_nothing(&ben);
    leave(&ben);
    names_are("ann cid");
    told(&cid, "ben: hello");
    told(&cid, "host: ben has left");
    told_nothing(&cid);
    leave(&ann);
    leave(&cid);
}
END_TEST

START_TEST(one_name_may_be_there_more_than_once) {
    struct guest first, second;
    enter(&first, "ann");
    enter(&second, "ann");
    names_are("ann ann");
    speak(&second, "me", 2);
    told(&first, "host: ann has joined");
    told(&first, "ann: me");
    told_nothing(&second);
    leave(&first);
    told(&second, "host: ann has left");
    leave(&second);
}
END_TEST

START_TEST(who_never_came_leaves_unnoticed) {
    struct sam_member nobody = {0};
    struct guest ann;
    enter(&ann, "ann");
    sam_room_leave(&nobody);
    ck_assert(!sam_room_dropped(&nobody));
    told_nothing(&ann);
    leave(&ann);
}
END_TEST

/* What is said stays there for who reads late, as much as fits; then nothing of it does. */
static void assert_dropped(struct guest *deaf) {
    uint8_t byte;
    ck_assert(sam_room_dropped(&deaf->member));
    ck_assert_int_eq(read(deaf->ends[1], &byte, 1), 0);
    told_nothing(deaf);
}

START_TEST(one_note_too_many_drops_who_does_not_read) {
    struct guest ann, deaf, ben;
    char text[32];
    enter(&deaf, "deaf");
    enter(&ben, "ben");
    enter(&ann, "ann");
    told(&ben, "host: ann has joined");
    /* Two are news. */
    for (int i = 0; i < SAM_ROOM_NOTES - 2; i++) {
        ck_assert(!sam_room_dropped(&deaf.member));
        snprintf(text, sizeof text, "%d", i);
        speak(&ann, text, strlen(text));
        snprintf(text, sizeof text, "ann: %d", i);
        told(&ben, text);
    }
    ck_assert(!sam_room_dropped(&deaf.member));
    speak(&ann, "the last", 8);
    assert_dropped(&deaf);
    speak(&ann, "after it", 8);
    assert_dropped(&deaf);
    told(&ben, "ann: the last");
    told(&ben, "ann: after it");
    ck_assert(!sam_room_dropped(&ben.member));
    leave(&deaf);
    told(&ben, "host: deaf has left");
    told(&ann, "host: deaf has left");
    leave(&ben);
    leave(&ann);
}
END_TEST

START_TEST(a_queue_that_was_full_goes_round) {
    struct guest ann, ben;
    char text[32];
    enter(&ben, "ben");
    enter(&ann, "ann");
    told(&ben, "host: ann has joined");
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < SAM_ROOM_NOTES - round; i++) {
            snprintf(text, sizeof text, "%d.%d", round, i);
            speak(&ann, text, strlen(text));
        }
        for (int i = 0; i < SAM_ROOM_NOTES - round; i++) {
            snprintf(text, sizeof text, "ann: %d.%d", round, i);
            told(&ben, text);
        }
        told_nothing(&ben);
    }
    ck_assert(!sam_room_dropped(&ben.member));
    leave(&ann);
    leave(&ben);
}
END_TEST

START_TEST(too_many_bytes_drop_who_does_not_read) {
    enum { QUARTER = SAM_ROOM_BYTES / 4 };
    static const uint8_t text[QUARTER];
    struct guest ann, deaf;
    enter(&ann, "ann");
    enter(&deaf, "deaf");
    for (int i = 0; i < 3; i++) {
        speak(&ann, text, QUARTER);
        ck_assert(!sam_room_dropped(&deaf.member));
    }
    speak(&ann, text, QUARTER); /* with four times the name before it */
    assert_dropped(&deaf);
    leave(&ann);
    leave(&deaf);
}
END_TEST

/* All that the threads together say fits into a queue, so that nobody is dropped who is slow. */
enum { THREADS = 8, VISITS = 8, TEXTS = SAM_ROOM_NOTES / THREADS - 2, ALL = THREADS * TEXTS };

struct chatter {
    struct guest guest;
    char name[8];
    size_t heard_count;
    char heard[ALL][16];
};
static struct chatter chatters[THREADS];

/* Takes what waits; news, which come from the host, are not counted. */
static bool listen_once(struct chatter *chatter) {
    struct sam_bytes text = {0};
    bool more = false;
    bool good = sam_room_next(&chatter->guest.member, &text, &more) == SAM_OK;
    if (good && more && text.data[0] != 'h' && text.length < sizeof chatter->heard[0])
        memcpy(chatter->heard[chatter->heard_count++], text.data, text.length);
    sam_bytes_free(&text);
    return good && more;
}

static void *chat(void *argument) {
    struct chatter *chatter = argument;
    struct sam_bytes names = {0};
    int64_t deadline = sam_now() + PATIENT;
    bool good = true;
    for (int i = 0; good && i < TEXTS; i++) {
        char text[16];
        int length = snprintf(text, sizeof text, "%d", i);
        good =
            sam_room_say(&chatter->guest.member, (const uint8_t *)text, (size_t)length) == SAM_OK &&
            sam_room_names(&room, &names) == SAM_OK && !sam_room_dropped(&chatter->guest.member);
        listen_once(chatter);
    }
    while (good && chatter->heard_count < ALL - TEXTS && sam_now() < deadline)
        if (!listen_once(chatter))
            nap_until(deadline);
    sam_bytes_free(&names);
    return good ? chatter : NULL;
}

static void *come_and_go(void *argument) {
    struct guest *guest = argument;
    bool good = true;
    for (int i = 0; good && i < VISITS; i++) {
        guest->member = (struct sam_member){.name = "v", .fd = guest->ends[0]};
        good = sam_room_join(&room, &guest->member) == SAM_OK;
        sam_room_leave(&guest->member);
    }
    return good ? guest : NULL;
}

static bool is_by(const char *text, const struct chatter *chatter) {
    return strncmp(text, chatter->name, 2) == 0;
}

/* But for their own words, both have heard the same in the same order. */
static void assert_same(const struct chatter *a, const struct chatter *b) {
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a->heard_count && is_by(a->heard[i], b))
            i++;
        while (k < b->heard_count && is_by(b->heard[k], a))
            k++;
        if (i == a->heard_count || k == b->heard_count)
            break;
        ck_assert_str_eq(a->heard[i++], b->heard[k++]);
    }
    ck_assert_uint_eq(i, a->heard_count);
    ck_assert_uint_eq(k, b->heard_count);
}

START_TEST(threads_that_speak_at_once_hear_one_order) {
    pthread_t threads[THREADS], visiting;
    struct guest visitor;
    void *good = NULL;
    socket_pair(visitor.ends);
    for (size_t i = 0; i < THREADS; i++) {
        snprintf(chatters[i].name, sizeof chatters[i].name, "c%zu", i);
        enter(&chatters[i].guest, chatters[i].name);
    }
    for (size_t i = 0; i < THREADS; i++)
        while (chatters[i].guest.member.count > 0)
            listen_once(&chatters[i]);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, chat, &chatters[i]), 0);
    ck_assert_int_eq(pthread_create(&visiting, NULL, come_and_go, &visitor), 0);
    ck_assert_int_eq(pthread_join(visiting, &good), 0);
    ck_assert_ptr_nonnull(good);
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &good), 0);
        ck_assert_ptr_nonnull(good);
        ck_assert_uint_eq(chatters[i].heard_count, ALL - TEXTS);
    }
    for (size_t i = 0; i < THREADS; i++) {
        for (size_t k = 0; k < i; k++)
            assert_same(&chatters[i], &chatters[k]);
        leave(&chatters[i].guest);
    }
    close(visitor.ends[0]);
    close(visitor.ends[1]);
}
END_TEST

TCase *room_case(void) {
    TCase *rooms = tcase_create("room");
    tcase_set_timeout(rooms, TEST_SECONDS);
    tcase_add_checked_fixture(rooms, open_room, close_room);
    tcase_add_test(rooms, all_others_are_told_and_nobody_their_own_words);
    tcase_add_test(rooms, one_name_may_be_there_more_than_once);
    tcase_add_test(rooms, who_never_came_leaves_unnoticed);
    tcase_add_test(rooms, one_note_too_many_drops_who_does_not_read);
    tcase_add_test(rooms, a_queue_that_was_full_goes_round);
    tcase_add_test(rooms, too_many_bytes_drop_who_does_not_read);
    tcase_add_test(rooms, threads_that_speak_at_once_hear_one_order);
    return rooms;
}
