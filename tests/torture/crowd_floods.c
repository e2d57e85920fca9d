/* Clients that the server trusts, and that ask of it what it can give. All of them are carol. */
#include "crowd.h"

enum { PIPELINED = 32 };

static void join(struct peer *carol, const struct flood *flood) {
    begin_talk(carol, flood->way, flood->server, "carol");
    if (flood->chat && flood->kind != JOINS)
        peer_request(carol, SAM_KIND_JOIN, "", 0);
}

/* Takes answers until count have come, and pushes that stand between them. False: it was cut. */
static bool take_answers(struct peer *carol, size_t count) {
    while (count > 0) {
        struct sam_incoming incoming;
        if (peer_take(carol, &incoming) != SAM_OK)
            return false;
        count -= incoming.envelope.header.kind != SAM_KIND_PUSH;
        sam_connection_drop(&carol->connection, &incoming);
    }
    return true;
}

/* Some requests of that kind and then their answers. False: it was cut. */
static bool ask(struct peer *carol, struct flood *flood, enum sam_kind kind, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t length = kind == SAM_KIND_SEND ? 5 : 0;
        if (sam_connection_ask(&carol->connection, kind, "flood", length) != SAM_OK)
            return false;
        flood->requests++;
    }
    return take_answers(carol, count);
}

static void flood_once(struct flood *flood) {
    struct peer carol;
    enum sam_kind kind = flood->kind == JOINS ? SAM_KIND_JOIN : SAM_KIND_SEND;
    bool goes_on = true;
    join(&carol, flood);
    if (flood->kind == DEAF) {
        peer_asks_without_reading(&carol);
        for (int64_t until = sam_now() + SAM_SECOND; nap_until(until);)
            continue;
    } else if (flood->kind == VANISHES) {
        (void)!sam_connection_ask(&carol.connection, kind, "flood", 5);
        reset_connection(carol.connection.fd);
        carol.connection.fd = -1;
        flood->requests++;
    } else {
        if (flood->chat && flood->kind != JOINS)
            goes_on = take_answers(&carol, 1);
        while (goes_on && !atomic_load(&flood->stop))
            goes_on = ask(&carol, flood, kind, flood->kind == PIPELINES ? PIPELINED : 1);
    }
    peer_close(&carol);
}

static void *run_flood(void *argument) {
    struct flood *flood = argument;
    while (!atomic_load(&flood->stop))
        flood_once(flood);
    return NULL;
}

void flood_start(struct flood *flood) {
    ck_assert_int_eq(pthread_create(&flood->thread, NULL, run_flood, flood), 0);
}

void flood_end(struct flood *flood) {
    atomic_store(&flood->stop, true);
    ck_assert_int_eq(pthread_join(flood->thread, NULL), 0);
}
