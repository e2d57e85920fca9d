/* Lab 07: Whose key is it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box.h"
#include "grade_print.h"
#include "grade_real.h"
#include "real.h"
#include "whose_key.h"

#define REAL_ORDER "PAY CAROL 0100"

/* Alice's client orders something of her bank. All of this is the judge's, and no box shares it. */
struct scene {
    char order[TEXT_SIZE], edited[TEXT_SIZE], paid[TEXT_SIZE], answer[TEXT_SIZE];
    struct end client, bank, near, far; /* near and far are mitm()'s, towards the other two */
    struct exchange served;             /* what the bank saw */
    enum sam_status end;                /* how it ended */
};

/* Who answers has sent this key, or (NULL) something else; there is room for somebody between. */
static struct scene any_scene(const struct sam_key *key, bool between) {
    static const char *const payees[] = {"CAROL", "DAVE", "ERIN", "THE-GREENGROCER", "Z"};
    struct scene scene = {.end = SAM_NETWORK};
    uint8_t chosen[4];
    int near[2], far[2];
    ck_status(sam_random(chosen, sizeof chosen), SAM_OK);
    const char *payee = payees[chosen[0] % 5];
    unsigned amount = sam_get16(chosen + 2) % 10000U;
    snprintf(scene.order, TEXT_SIZE, "PAY %s %04u", payee, amount);
    snprintf(scene.edited, TEXT_SIZE, "PAY MALLORY %04u", amount);
    snprintf(scene.paid, TEXT_SIZE, "PAID %s %04u ", payee, amount);
    socket_pair(near);
    socket_pair(far);
    scene.client = (struct end){near[0], people.crypto, &people.alice};
    scene.bank = (struct end){between ? far[0] : near[1], people.crypto, key};
    scene.near = (struct end){near[1], people.crypto, &people.mallory};
    scene.far = (struct end){far[1], people.crypto, &people.mallory};
    tell("Alice wants \"%s\" of her bank%s. It has the key of %s.", scene.order,
         between ? ", somebody between" : "", key != NULL ? key->name : "nobody");
    ck_status(key != NULL ? whose_key_introduce(&scene.bank)
                          : whose_key_write(&scene.bank, "Our key:\n", 9),
              SAM_OK);
    return scene;
}

static void finish_order(struct scene *scene, enum sam_status status) {
    close(scene->client.fd);
    close(scene->bank.fd);
    scene->end = status;
    char order[SHOWN_MAX], answer[SHOWN_MAX], got[SHOWN_MAX];
    tell("The bank got \"%s\" and answered \"%s\"; the client got \"%s\", at the end %s.",
         whose_key_show(order, scene->served.order), whose_key_show(answer, scene->served.answer),
         whose_key_show(got, scene->answer), sam_status_name(status));
}

/* Goes on when the client has sent its order, with this status. */
static void carry_out(struct scene *scene, enum sam_status status) {
    if (status == SAM_OK)
        status = whose_key_serve(&scene->bank, &scene->served);
    if (status == SAM_OK)
        status = whose_key_take(&scene->client, scene->answer);
    finish_order(scene, status);
}

static void expect_carried_out(const struct scene *scene, const char *order) {
    char answer[2 * TEXT_SIZE];
    whose_key_expect("the bank to get", order, scene->served.order);
    snprintf(answer, sizeof answer, "%s%s", scene->paid, strstr(scene->served.answer, "RECEIPT"));
    whose_key_expect("the client to get", answer, scene->answer);
    if (scene->end != SAM_OK)
        lose("OK", "%s", sam_status_name(scene->end));
}

static void pass_on(const struct end *from, const struct end *to) {
    struct message message;
    ck_status(whose_key_read(from, &message), SAM_OK);
    ck_status(whose_key_write(to, message.data, message.length), SAM_OK);
}

static void honest_orders(void) {
    struct scene scene = any_scene(&people.bob, true);
    tell("Who stands between passes all on as it is.");
    pass_on(&scene.far, &scene.near);
    ck_status(whose_key_order(&scene.client, scene.order), SAM_OK);
    pass_on(&scene.near, &scene.far);
    pass_on(&scene.near, &scene.far);
    ck_status(whose_key_serve(&scene.bank, &scene.served), SAM_OK);
    pass_on(&scene.far, &scene.near);
    finish_order(&scene, whose_key_take(&scene.client, scene.answer));
    expect_carried_out(&scene, scene.order);
    struct server_process server = real_start(&sam_mode_asymmetric_only, REAL_ORDER);
    real_stop(&server, REAL_ORDER "\n");
}

/* What goes into mitm() and comes out of it. */
struct between {
    struct end near, far;
    struct exchange seen;
    bool done;
};

static void call_mitm(void *shared) {
    struct between *between = shared;
    between->done = STUDENT(mitm)(&between->near, &between->far, &between->seen);
}

static struct between *start_mitm(struct box *box, const struct scene *scene) {
    const int fds[] = {scene->near.fd, scene->far.fd, -1};
    struct between *between = box_shared(sizeof *between);
    between->near = scene->near;
    between->far = scene->far;
    *box = box_start("mitm", call_mitm, between, fds);
    close(fds[0]);
    close(fds[1]);
    return between;
}

static void finish_mitm(struct box *box, struct between *between) {
    box_finish(box);
    tell("mitm() returns %s.", between->done ? "true" : "false");
    between->seen.order[TEXT_SIZE - 1] = between->seen.answer[TEXT_SIZE - 1] = '\0';
}

static void mallory_wins(void) {
    for (int round = 0; round < 3; round++) {
        struct box box;
        struct scene scene = any_scene(&people.bob, true);
        struct between *between = start_mitm(&box, &scene);
        carry_out(&scene, whose_key_order(&scene.client, scene.order));
        finish_mitm(&box, between);
        expect_carried_out(&scene, scene.edited);
        whose_key_expect("mitm() to tell the order", scene.order, between->seen.order);
        whose_key_expect("mitm() to tell the answer", scene.served.answer, between->seen.answer);
    }
}

/* A folder that a box may write, and the store in it; how many bytes a file of the box may have. */
static char folder[PATH_MAX], store[PATH_MAX + 16];
static rlim_t room;

static void new_store(void) {
    ck_assert_int_eq(chmod(lab, 0711), 0); /* a box of root's is nobody, and has to get through */
    ck_assert_int_lt(snprintf(folder, sizeof folder, "%s/peers.XXXXXX", lab), PATH_MAX);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0777), 0);
    snprintf(store, sizeof store, "%s/known_peers", folder);
}

static void expect_trust(enum trust wanted, enum trust got, const char *left) {
    static const char *const names[] = {"UNSURE", "FIRST", "KNOWN", "CHANGED"};
    if (got != wanted)
        lose(names[wanted], "%s", (unsigned)got <= CHANGED ? names[got] : "no such verdict");
    tell("It says %s.", names[wanted]);
    if (count_entries(folder) != 1)
        lose("the store and no other file", "%zu files", count_entries(folder));
    struct sam_bytes bytes = read_file(store);
    ck_status(sam_bytes_append(&bytes, "", 1), SAM_OK);
    whose_key_expect("the store", left, (char *)bytes.data);
    sam_bytes_free(&bytes);
}

/* What known_peer() is asked, with this text in the store (NULL: no file). */
struct question {
    const char *before, *name, *print;
    enum trust trust;
};

static void call_known_peer(void *shared) {
    struct question *asked = shared;
    signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit then fails, as on a full disk */
    if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){room, room}) == 0)
        asked->trust = STUDENT(known_peer)(store, asked->name, asked->print);
}

enum obstacle { NOTHING, FULL_DISK, UNREADABLE, NUL_AT_ITS_END };

static void ask(const struct question *question, enum obstacle obstacle) {
    static const char *const obstacles[] = {"", ", on a full disk", ", unreadable", ", with a NUL"};
    struct question *asked = box_shared(sizeof *asked);
    const char *before = question->before != NULL ? question->before : "";
    size_t length = strlen(before);
    const char *end = length > 0 && before[length - 1] != '\n' ? "\n" : "";
    char after[1024];
    snprintf(after, sizeof after, "%s%s%s %s\n", before, end, question->name, question->print);
    new_store();
    if (question->before != NULL)
        write_file(store, obstacle == UNREADABLE ? 0 : 0666, before,
                   length + (obstacle == NUL_AT_ITS_END));
    tell("The store%s: \"%.200s\". known_peer() is asked for \"%s\", %s.", obstacles[obstacle],
         before, question->name, question->print);
    *asked = *question;
    asked->trust = (enum trust)(CHANGED + 1);
    room = length + (obstacle == FULL_DISK ? 10 : STORE_MAX);
    box_call("known_peer", call_known_peer, asked);
    ck_assert(obstacle != UNREADABLE || chmod(store, 0666) == 0);
    expect_trust(question->trust, asked->trust, question->trust == FIRST ? after : before);
}

static void known_peer_remembers(void) {
    static const struct question questions[] = {
        {NULL, "bank", BOBS, FIRST},
        {"", "bank", MALLORYS, FIRST},
        {"bank " BOBS "\n", "bank", BOBS, KNOWN},
        {"bank " BOBS "\n", "bank", "SHA256:4zXYRgzFK5iqV/Wr+sqessnd0UghqrdYhxk+vVkmyxC", CHANGED},
        {"bank " BOBS "\n", "shop", CAROLS, FIRST},
        {"bank " BOBS "\nshop " CAROLS "\n", "shop", CAROLS, KNOWN},
        {"bank " BOBS "\nshop " CAROLS "\n", "shop", BOBS, CHANGED},
        {"ban " BOBS "\nbank2 " BOBS "\n", "bank", BOBS, FIRST},
        {"ban " CAROLS "\nbank " BOBS "\nbank2 " CAROLS "\n", "bank", CAROLS, CHANGED},
        {"bank " BOBS, "shop", CAROLS, FIRST},
        {"bank " BOBS, "bank", BOBS, KNOWN},
        {"Bank " BOBS "\n", "bank", ALICES, FIRST},
    };
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        ask(&questions[i], NOTHING);
}

/* A store with nothing else against it. */
static const char *too_long(void) {
    static const char line[] = "bank2 " BOBS "\n";
    static char text[STORE_MAX + sizeof line];
    for (size_t length = 0; length <= STORE_MAX; length += sizeof line - 1)
        memcpy(text + length, line, sizeof line);
    return text;
}

static void known_peer_fails_closed(void) {
    const struct question questions[] = {
        {"bank " BOBS "\nsho", "shop", CAROLS, UNSURE},
        {"bank SHA256:4zXYRgzF", "bank", MALLORYS, UNSURE},
        {"bank " BOBS "\nshop:" CAROLS "\n", "bank", BOBS, UNSURE},
        {"bank\n" BOBS "\n", "bank", BOBS, UNSURE},
        {"bank " BOBS "\nbank " CAROLS "\n", "bank", CAROLS, UNSURE},
        {"bank " BOBS "\n", "", BOBS, UNSURE},
        {"bank " BOBS "\n", "x " MALLORYS "\nshop", CAROLS, UNSURE},
        {"bank " BOBS "\n", "sh\nop", CAROLS, UNSURE},
        {"bank " BOBS "\n", "../shop", CAROLS, UNSURE},
        {"bank " BOBS "\n", "shop", "", UNSURE},
        {"bank " BOBS "\n", "shop", "SHA256:MrNEJDgyEMJ3bSgX", UNSURE},
        {"bank " BOBS "\n", "shop", CAROLS "=", UNSURE},
        {too_long(), "shop", CAROLS, UNSURE},
    };
    static const struct question new_peer = {"bank " BOBS "\n", "shop", CAROLS, UNSURE};
    known_peer_remembers();
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        ask(&questions[i], NOTHING);
    ask(&new_peer, FULL_DISK);
    ask(&new_peer, UNREADABLE);
    ask(&new_peer, NUL_AT_ITS_END);
}

/* What goes into careful_order() and comes out of it. */
struct ordering {
    struct end client;
    const char *name;
    char order[TEXT_SIZE];
    enum trust trust;
};

static void call_careful_order(void *shared) {
    struct ordering *ordering = shared;
    ordering->trust =
        STUDENT(careful_order)(&ordering->client, store, ordering->name, ordering->order);
}

static void order_carefully(const struct scene *scene, const char *name, enum trust wanted,
                            const char *left) {
    struct ordering *ordering = box_shared(sizeof *ordering);
    *ordering = (struct ordering){scene->client, name, "", (enum trust)(CHANGED + 1)};
    memcpy(ordering->order, scene->order, TEXT_SIZE);
    struct box box =
        box_start("careful_order", call_careful_order, ordering, (int[]){scene->client.fd, -1});
    box_finish(&box);
    shutdown(scene->client.fd, SHUT_WR); /* all that it sends is there */
    expect_trust(wanted, ordering->trust, left);
}

static void visit(const struct sam_key *key, const char *name, enum trust wanted,
                  const char *left) {
    struct scene scene = any_scene(key, false);
    tell("careful_order() knows it as \"%s\".", name);
    order_carefully(&scene, name, wanted, left);
    if (wanted == FIRST || wanted == KNOWN) {
        carry_out(&scene, SAM_OK);
        expect_carried_out(&scene, scene.order);
        return;
    }
    struct sam_bytes sent = read_to_end(scene.bank.fd);
    if (sent.length > 0)
        lose("that nothing leaves", "%zu bytes from careful_order()", sent.length);
}

static void careful_client_stops(void) {
    static const char one[] = "bank " BOBS "\n", both[] = "bank " BOBS "\nshop " CAROLS "\n";
    struct box box;
    new_store();
    visit(&people.bob, "bank", FIRST, one);
    visit(&people.bob, "bank", KNOWN, one);
    visit(&people.mallory, "bank", CHANGED, one);
    visit(NULL, "bank", UNSURE, one);
    visit(&people.carol, "shop", FIRST, both);
    visit(&people.bob, "shop", CHANGED, both);
    struct scene scene = any_scene(&people.bob, false);
    tell("It is gone before the order comes.");
    close(scene.bank.fd);
    order_carefully(&scene, "bank", UNSURE, both);
    scene = any_scene(&people.bob, true);
    struct between *between = start_mitm(&box, &scene);
    order_carefully(&scene, "bank", CHANGED, both);
    finish_order(&scene, SAM_CLOSED);
    finish_mitm(&box, between);
    whose_key_expect("mitm() to read nothing:", "", between->seen.order);
}

static void mallory_loses(void) {
    mallory_wins();
    for (int i = 0; i < 2; i++)
        whose_key_meet_real(modes[i]);
}

static const struct graded checks[] = {
    {"an honest order is carried out, here and there", HONEST, 0, honest_orders, NULL},
    {"mitm() reads and edits both ways, unseen", WINS, 3, mallory_wins,
     "whose key does each of the two hold, and whose does each believe to hold?"},
    {"fingerprint() names a key however it is laid out", MENDED, 1, whose_key_has_one_print,
     "a key is numbers: its title and its line ends are no part of it"},
    {"known_peer() remembers, recognises, notices", MENDED, 2, known_peer_remembers,
     "compare whole names, and whole fingerprints"},
    {"known_peer() fails closed", MENDED, 2, known_peer_fails_closed,
     "what cannot be read, understood or written says nothing about anybody"},
    {"careful_order() meets Mallory and sends nothing", MENDED, 2, careful_client_stops,
     "the question comes before the first byte; mitm() is part of this check"},
    {"real client and server refuse Mallory between them", LOSES, 2, mallory_loses,
     "this one passes once mitm() wins against the flawed client"},
};

LAB(whose_key, "07_whose_key", "Whose key is it");
