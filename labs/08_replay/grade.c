/* Lab 08: Replay. */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "box.h"
#include "grade_scenes.h"
#include "real.h"
#include "replay.h"

enum { ORDERS = 4, RECORDED_MAX = 8192, ENVELOPE_MAX = 2048, TEXT_MAX = 512 };

static const struct sam_mode *const mode = &sam_mode_asymmetric_symmetric;

static uint32_t any(uint32_t below) {
    uint8_t bytes[4];
    ck_status(sam_random(bytes, sizeof bytes), SAM_OK);
    return sam_get32(bytes) % below;
}

/* Not as long as the one before, nor are the envelopes then. */
static void any_order(char out[ORDER_MAX + 1], const char *whom) {
    static int orders;
    snprintf(out, ORDER_MAX + 1, "PAY %s %0*u", whom, 4 + orders++ % 6, 1 + any(9999));
}

static struct sam_party party_of(const struct sam_key *own) {
    return (struct sam_party){.mode = mode, .crypto = people.crypto, .own = own};
}

/* A connection to bob. His clients are three, and Mallory is one of them. */
static struct desk new_desk(struct ledger *ledger) {
    static struct sam_party bob;
    static struct sam_key keys[3];
    static const struct sam_ring clients = {keys, 3};
    keys[0] = people.alice, keys[1] = people.carol, keys[2] = people.mallory;
    bob = party_of(&people.bob);
    struct desk desk = {.bob = &bob, .trusted = &clients, .ledger = ledger};
    ck_status(sam_random(desk.challenge, SAM_ID_SIZE), SAM_OK);
    desk.challenge[2] = 0; /* it is no string */
    return desk;
}

/* Seals an order for bob, to out with room for ENVELOPE_MAX; returns its length. */
static size_t seal(uint8_t *out, const struct sam_key *from, const uint8_t challenge[SAM_ID_SIZE],
                   uint32_t sequence, const char *order) {
    struct sam_party party = party_of(from);
    struct sam_address address = {.kind = SAM_KIND_SEND, .sequence = sequence};
    memcpy(address.reference, challenge, SAM_ID_SIZE);
    struct sam_envelope envelope = seal_at(&party, &people.bob, &address, order, strlen(order));
    size_t length = envelope.bytes.length;
    ck_assert_uint_le(length, ENVELOPE_MAX);
    memcpy(out, envelope.bytes.data, length);
    sam_envelope_free(&envelope);
    return length;
}

static void owe(struct ledger *ledger, const char *account, const char *order) {
    ck_assert_uint_lt(ledger->count, LEDGER_MAX);
    snprintf(ledger->paid[ledger->count].account, SAM_NAME_MAX + 1, "%s", account);
    snprintf(ledger->paid[ledger->count++].order, ORDER_MAX + 1, "%s", order);
}

/* A line of a ledger that anybody may have written. */
static void show_line(char out[TEXT_MAX], const struct ledger *ledger, size_t line) {
    snprintf(out, TEXT_MAX, "nothing");
    if (line < ledger->count)
        snprintf(out, TEXT_MAX, "%.*s pays \"%.*s\"", SAM_NAME_MAX, ledger->paid[line].account,
                 ORDER_MAX, ledger->paid[line].order);
    for (char *at = out; *at != '\0'; at++)
        if (!isprint((unsigned char)*at))
            *at = '?';
}

static void expect_ledger(const struct ledger *ledger, const struct ledger *wanted) {
    char due[TEXT_MAX], got[TEXT_MAX];
    if (ledger->count > LEDGER_MAX)
        lose("a ledger", "one of %zu lines", ledger->count);
    for (size_t line = 0; line < ledger->count || line < wanted->count; line++) {
        show_line(due, wanted, line);
        show_line(got, ledger, line);
        tell("Line %zu of Bob's ledger: %s.", line + 1, got);
        if (strcmp(due, got) != 0)
            lose(due, "%s", got);
    }
}

/* What goes into the attacks and comes out of them. */
struct attack {
    uint8_t challenge[SAM_ID_SIZE];
    uint8_t recorded[RECORDED_MAX];
    size_t length, number;
    uint32_t sent;
    char order[ORDER_MAX + 1];
    int same, another;
    enum sam_status status;
};

static void call_replay(void *shared) {
    struct attack *attack = shared;
    attack->status = STUDENT(replay)(attack->recorded, attack->length, attack->number, attack->same,
                                     attack->another);
}

static void call_intrude(void *shared) {
    struct attack *attack = shared;
    struct sam_party mallory = party_of(&people.mallory);
    attack->status = STUDENT(intrude)(attack->same, &mallory, &people.bob, attack->challenge,
                                      attack->sent, attack->order);
}

/* What it writes is in the sockets when this returns, and no more comes: our ends are closed. */
static void launch(const char *name, void (*work)(void *), struct attack *attack, int same,
                   int another) {
    attack->same = same;
    attack->another = another;
    struct box box = box_start(name, work, attack, (const int[]){same, another, -1});
    box_finish(&box);
    close(same);
    if (another >= 0)
        close(another);
    tell("%s() has done its work, and returns %s.", name, sam_status_name(attack->status));
}

/* Two connections to the flawed desk, one of Alice's, one of Mallory's. */
static struct {
    struct ledger ledger;
    struct desk desk[2];
    int ends[2][2]; /* of each: the client's, bob's */
    struct attack *attack;
    char orders[ORDERS][ORDER_MAX + 1];
    struct ledger wanted;
} flawed;

/* One of them favours Mallory. */
static void flawed_gets_alices_orders(size_t favour) {
    memset(&flawed, 0, sizeof flawed);
    for (size_t i = 0; i < 2; i++) {
        flawed.desk[i] = new_desk(&flawed.ledger);
        socket_pair(flawed.ends[i]);
    }
    struct attack *attack = flawed.attack = box_shared(sizeof *attack);
    memcpy(attack->challenge, flawed.desk[0].challenge, SAM_ID_SIZE);
    for (; attack->sent < ORDERS; attack->sent++) {
        char *order = flawed.orders[attack->sent];
        any_order(order, attack->sent == favour ? "MALLORY" : "CAROL");
        attack->length += seal(attack->recorded + attack->length, &people.alice, attack->challenge,
                               attack->sent, order);
        tell("Alice sends envelope %u: \"%s\".", attack->sent, order);
        owe(&flawed.wanted, "alice", order);
    }
    write_raw(flawed.ends[0][0], attack->recorded, attack->length);
}

static void flawed_serves(size_t which) {
    enum sam_status status = replay_serve(&flawed.desk[which], flawed.ends[which][1]);
    close(flawed.ends[which][1]);
    tell("The flawed desk takes what came on %s connection, until: %s.",
         which == 0 ? "Alice's" : "Mallory's", sam_status_name(status));
    expect_ledger(&flawed.ledger, &flawed.wanted);
}

static void honest_orders_are_carried_out(void) {
    char shown[ORDER_MAX + 2];
    flawed_gets_alices_orders(any(ORDERS));
    close(flawed.ends[0][0]);
    flawed_serves(0);
    struct server_process server = real_start(mode, flawed.orders[0]);
    snprintf(shown, sizeof shown, "%s\n", flawed.orders[0]);
    real_stop(&server, shown);
}

static void replayed_order_wins(void) {
    const size_t numbers[] = {any(2), 2 + any(2)};
    for (size_t i = 0; i < 2; i++) {
        flawed_gets_alices_orders(numbers[i]);
        tell("Mallory sees her account grow, and wants envelope %zu twice more.", numbers[i]);
        flawed.attack->number = numbers[i];
        launch("replay", call_replay, flawed.attack, flawed.ends[0][0], flawed.ends[1][0]);
        for (size_t connection = 0; connection < 2; connection++) {
            owe(&flawed.wanted, "alice", flawed.orders[numbers[i]]);
            flawed_serves(connection);
        }
    }
}

static void intruding_order_wins(void) {
    flawed_gets_alices_orders(any(ORDERS));
    any_order(flawed.attack->order, "MALLORY");
    owe(&flawed.wanted, "alice", flawed.attack->order);
    tell("Mallory wants \"%s\" behind them.", flawed.attack->order);
    launch("intrude", call_intrude, flawed.attack, flawed.ends[0][0], flawed.ends[1][0]);
    flawed_serves(0);
    flawed_serves(1);
}

/* What goes into fresh() or take() and comes out of it. What they should say stays outside. */
struct taking {
    struct desk desk;
    struct ledger ledger;
    size_t count;
    struct step {
        const struct sam_key *from;
        bool altered;
        uint32_t place;
        char order[ORDER_MAX + 1];
        size_t length;
        uint8_t bytes[ENVELOPE_MAX];
        enum sam_status got;
    } steps[STEPS];
};

static const struct sam_key *who(char initial) {
    return initial == 'A'   ? &people.alice
           : initial == 'B' ? &people.bob
           : initial == 'C' ? &people.carol
                            : &people.mallory;
}

static void seal_step(struct taking *taking, struct step *step, const char *what) {
    char mark = what[2];
    uint8_t challenge[SAM_ID_SIZE];
    memcpy(challenge, taking->desk.challenge, sizeof challenge);
    step->from = who(what[0]);
    step->altered = strchr(what, '!') != NULL;
    step->place = taking->desk.sequence + (uint32_t)(what[1] - '0') + (mark == '~' ? 65536 : 0);
    challenge[step->place % 2 == 0 ? 0 : SAM_ID_SIZE - 1] ^= mark == '*' ? 1 : 0;
    any_order(step->order, "CAROL");
    step->length = seal(step->bytes, step->from, challenge, step->place, step->order);
    step->bytes[step->length - 1] ^= step->altered ? 1 : 0;
    if (mark == '=') {
        step->length = step[-1].length;
        memcpy(step->bytes, step[-1].bytes, step->length);
    }
}

static struct taking set_up(const struct scene *scene) {
    struct taking taking = {.desk = new_desk(NULL)};
    taking.desk.sequence = scene->start;
    taking.desk.client = scene->start > 0 ? &people.alice : NULL;
    if (scene->zeros)
        memset(taking.desk.challenge, 0, SAM_ID_SIZE);
    for (size_t i = 0; i < STEPS && scene->steps[i].what != NULL; i++)
        seal_step(&taking, &taking.steps[taking.count++], scene->steps[i].what);
    return taking;
}

/* The judge moves on for fresh(), as it says: what follows its first mistake does not count. */
static void call_fresh(void *shared) {
    struct taking *taking = shared;
    for (struct step *step = taking->steps; step < taking->steps + taking->count; step++) {
        struct desk desk = taking->desk;
        struct sam_header header;
        ck_status(sam_header_read(&header, step->bytes, mode->number, SAM_KINDS_ALL), SAM_OK);
        step->got = STUDENT(fresh)(&desk, &header);
        if (step->got == SAM_OK && !step->altered) {
            taking->desk.sequence++;
            taking->desk.client = step->from;
        }
    }
}

static void call_take(void *shared) {
    struct taking *taking = shared;
    for (size_t i = 0; i < taking->count; i++) {
        struct step *step = &taking->steps[i];
        struct sam_envelope envelope = {0};
        ck_status(sam_bytes_append(&envelope.bytes, step->bytes, step->length), SAM_OK);
        step->got = STUDENT(take)(&taking->desk, &envelope);
        sam_envelope_free(&envelope);
    }
}

static void plays_all_scenes(const char *name, void (*work)(void *), bool opens) {
    for (const struct scene *scene = scenes; scene < scenes + SCENES; scene++) {
        if (!opens && scene->steps[0].wanted == SAM_STRANGER)
            continue; /* fresh() is not asked before step 1 has passed */
        struct ledger wanted = {0};
        const struct taking asked = set_up(scene);
        struct taking *taking = box_shared(sizeof *taking);
        *taking = asked;
        taking->desk.ledger = &taking->ledger;
        box_call(name, work, taking);
        tell("A connection, %u envelopes so far. What comes: %s.", scene->start, scene->story);
        for (size_t i = 0; i < asked.count; i++) {
            const struct step *step = &asked.steps[i];
            enum sam_status status = scene->steps[i].wanted, got = taking->steps[i].got;
            if (!opens && status == SAM_DECRYPT)
                status = SAM_OK; /* a header does not show it */
            tell("From %s for place %u%s: your %s() says %s.", step->from->name, step->place,
                 marks[(unsigned char)scene->steps[i].what[2]], name, sam_status_name(got));
            if (got != status)
                lose(sam_status_name(status), "%s", sam_status_name(got));
            if (opens && status == SAM_OK)
                owe(&wanted, step->from->name, step->order);
        }
        if (opens)
            expect_ledger(&taking->ledger, &wanted);
    }
}

static void fresh_tells_what_is_in_its_place(void) {
    plays_all_scenes("fresh", call_fresh, false);
}

static void take_carries_out_each_order_once(void) {
    plays_all_scenes("take", call_take, true);
}

/* Two of Alice's orders on a connection of hers to the real server, and the receipts. */
static void real_gets_orders(struct attack *attack, struct peer *alice,
                             const struct server_process *server) {
    peer_join(alice, mode, &people.alice, server->port, &people.bob);
    memcpy(attack->challenge, alice->connection.greeting.challenge, SAM_ID_SIZE);
    for (attack->length = attack->sent = 0; attack->sent < 2; attack->sent++) {
        const char *order = flawed.orders[attack->sent];
        struct sam_envelope envelope = peer_seal(alice, SAM_KIND_SEND, order, strlen(order));
        memcpy(attack->recorded + attack->length, envelope.bytes.data, envelope.bytes.length);
        attack->length += envelope.bytes.length;
        ck_status(sam_connection_send(&alice->connection, &envelope), SAM_OK);
        peer_expect(alice, SAM_KIND_REPLY, "", 0);
        sam_envelope_free(&envelope);
    }
    tell("Alice sends the real server two orders, and gets two receipts.");
}

/* What the attack wrote to a connection reaches the real server, on fd. */
static void real_refuses(const struct server_process *server, int fd, int written,
                         enum sam_status status) {
    struct sam_bytes bytes = read_to_end(written);
    if (bytes.length == 0 || sam_unit_length(bytes.data, bytes.length) != bytes.length)
        lose("one envelope", "%zu bytes that are none", bytes.length);
    real_expect_refused(server, fd, bytes.data, bytes.length, status);
    sam_bytes_free(&bytes);
    close(written);
}

static void attacks_lose(void) {
    int same[2], another[2];
    struct peer alice;
    struct sam_greeting greeting;
    struct attack *attack = box_shared(sizeof *attack);
    char shown[TEXT_MAX];
    replayed_order_wins();
    intruding_order_wins();
    give_public(lab, "mallory", "mallory"); /* whom the real server then trusts too */
    struct server_process server = real_start(mode, flawed.orders[0]);
    for (size_t number = 0; number < 2; number++) {
        real_gets_orders(attack, &alice, &server);
        attack->number = number;
        socket_pair(same);
        socket_pair(another);
        launch("replay", call_replay, attack, same[0], another[0]);
        real_refuses(&server, alice.connection.fd, same[1], SAM_ORDER);
        int fd = real_connect(&server, &greeting);
        real_refuses(&server, fd, another[1], SAM_STALE);
        close(fd);
        peer_close(&alice);
    }
    real_gets_orders(attack, &alice, &server);
    socket_pair(same);
    launch("intrude", call_intrude, attack, same[0], -1);
    real_refuses(&server, alice.connection.fd, same[1], SAM_OTHER_SENDER);
    peer_close(&alice);
    const char *a = flawed.orders[0], *b = flawed.orders[1];
    snprintf(shown, sizeof shown, "%s\n%s\n%s\n%s\n%s\n%s\n%s\n", a, a, b, a, b, a, b);
    real_stop(&server, shown);
}

static const struct graded checks[] = {
    {"honest orders arrive, here and there", HONEST, 0, honest_orders_are_carried_out, NULL},
    {"the flawed desk carries a replayed order out three times", WINS, 2, replayed_order_wins,
     "which of Alice's bytes are one envelope, and how does the desk know?"},
    {"the flawed desk has Alice pay your own order", WINS, 1, intruding_order_wins,
     "whose name does it remember, and since when?"},
    {"your fresh() tells what is in its place", MENDED, 2, fresh_tells_what_is_in_its_place,
     "docs/protocol.md, section 4, and the order in replay.h"},
    {"your take() carries each order out once", MENDED, 2, take_carries_out_each_order_once,
     "what has the desk learnt from an envelope that it refused?"},
    {"your decide() never sends what may have arrived", MENDED, 1, replay_decide_sends_once,
     "what does the client know, and what does it only hear?"},
    {"the real server refuses the replays and the intruder", LOSES, 2, attacks_lose,
     "this one passes once both attacks win, and the intruder is where she claims to be"},
};

LAB(replay, "08_replay", "Replay");
