/* The wiretap between two ends that say what they like.
 *
 * Of an input the first byte says what is done to what passes, the second to which unit, the third
 * how much of the rest the client says; the server says what is left. The fourth says in what
 * pieces it comes. */
#include <string.h>
#include <unistd.h>

#include "fuzzing.h"
#include "net.h"
#include "stream.h"

enum { MOST = 2048, PIECES = 64 };
enum { FLIP = 1, SET = 2, DROP = 4, REPLAY = 8, SWAP = 16, CUT = 32, OF_SERVER = 64, BRIEF = 128 };

static struct sam_tap tap = {.stop = -1};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    require(sam_memory_init(&tap.memory, 1 << 20) == SAM_OK);
    return 0;
}

static struct sam_plan plan_of(unsigned wanted, unsigned number) {
    static const char *const flips[] = {"tag", "sequence", "20", "ciphertext",
                                        "signature-length:9"};
    struct sam_plan plan = {.side = (wanted & OF_SERVER) != 0, .envelope = number};
    if (wanted & FLIP)
        require(sam_edit_parse(&plan.edits[plan.edit_count++], true,
                               flips[number % (sizeof flips / sizeof flips[0])]));
    if (wanted & SET)
        require(sam_edit_parse(&plan.edits[plan.edit_count++], false, "kind=04"));
    plan.drop = wanted & DROP ? number : 0;
    plan.replay = wanted & REPLAY && !(wanted & DROP) ? number : 0;
    plan.truncate = wanted & CUT ? 1 + number : 0;
    if (wanted & SWAP) {
        plan.swap[0] = number + 1;
        plan.swap[1] = number + 2;
    }
    return plan;
}

/* All that came at an end; returns how many bytes. */
static size_t drain(int fd, uint8_t *out, size_t most) {
    size_t length = 0, all = 0;
    while (sam_read_some(fd, -1, sam_now() + SAM_SECOND, out + all, most - all, &length) == SAM_OK)
        all += length;
    return all;
}

/* What a side says arrives as it was, unless the plan is for that side: then a change keeps its
 * length, and a loss does not make it longer. */
static void check_passed(const struct sam_plan *plan, unsigned side, unsigned wanted, int fd,
                         const uint8_t *data, size_t size) {
    static uint8_t came[3 * MOST];
    size_t length = drain(fd, came, sizeof came);
    bool planned = plan->side == side;
    if (!planned || (wanted & (FLIP | SET | DROP | REPLAY | SWAP | CUT)) == 0)
        require(length == size && memcmp(came, data, size) == 0);
    else if ((wanted & (DROP | REPLAY | CUT)) == 0)
        require(length == size);
    else if (plan->replay == 0)
        require(length <= size);
}

static void run_side(struct sam_tapped *tapped, unsigned side) {
    struct sam_stream stream = {.tapped = tapped, .side = side, .number = side == 0};
    sam_stream_run(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned wanted = take_byte(&data, &size), number = take_byte(&data, &size) % 8;
    size_t sizes[2], part = take_byte(&data, &size);
    size_t piece = take_byte(&data, &size) + size / PIECES + 1;
    int client[2], server[2];
    struct sam_plan plan = plan_of(wanted, number);
    struct sam_tapped tapped = {.tap = &tap, .number = 1};
    if (size > MOST)
        return -1;
    sizes[0] = size * part / 255;
    sizes[1] = size - sizes[0];
    tap.plan = &plan;
    tap.brief = (wanted & BRIEF) != 0;
    open_pair(client, SOCK_SEQPACKET);
    open_pair(server, SOCK_SEQPACKET);
    tapped.fds[0] = client[0];
    tapped.fds[1] = server[0];
    require(pthread_mutex_init(&tapped.lock, NULL) == 0);
    give(client[1], data, sizes[0], piece);
    give(server[1], data + sizes[0], sizes[1], piece);
    run_side(&tapped, 0);
    run_side(&tapped, 1);
    check_passed(&plan, 0, wanted, server[1], data, sizes[0]);
    check_passed(&plan, 1, wanted, client[1], data + sizes[0], sizes[1]);
    sam_tap_tls_free(&tapped.tls);
    pthread_mutex_destroy(&tapped.lock);
    for (int i = 0; i < 2; i++) {
        close(client[i]);
        close(server[i]);
    }
    return 0;
}
