/* Lab 08: Replay. What to write stands at each TODO; what the functions get, in replay.h. */
#include <string.h>

#include "replay.h"

/* You are Mallory, and have no key that opens anything. */
enum sam_status replay(const uint8_t *recorded, size_t length, size_t number, int same,
                       int another) {
    /* TODO: find envelope number in recorded. How long each is says its header, in clear
     * (shared/wire.h); they differ.
     * TODO: send it on both connections (sam_write_all; 10 * SAM_SECOND from sam_now() on are
     * enough). */
    (void)recorded, (void)length, (void)number, (void)same, (void)another;
    return SAM_OK;
}

/* You are Mallory, and have a key of your own. */
enum sam_status intrude(int fd, const struct sam_party *mallory, const struct sam_key *bob,
                        const uint8_t challenge[SAM_ID_SIZE], uint32_t sent, const char *order) {
    /* TODO: seal the order under your own name (sam_envelope_start, sam_envelope_seal), at a place
     * where even a server that counts would expect the next envelope. Send it. */
    (void)fd, (void)mallory, (void)bob, (void)challenge, (void)sent, (void)order;
    return SAM_OK;
}

/* You are Bob's programmer. */
enum sam_status fresh(const struct desk *desk, const struct sam_header *header) {
    /* TODO: is it made for this connection, for this place in it, and by the one who speaks here?
     */
    (void)desk, (void)header;
    return SAM_OK;
}

enum sam_status take(struct desk *desk, struct sam_envelope *envelope) {
    /* TODO: what replay_take does, and what it lacks. When does the desk move on to the next place?
     */
    (void)desk, (void)envelope;
    return SAM_STALE;
}

/* You are the programmer of Alice's client. */
enum next decide(bool left, enum sam_status answer) {
    /* TODO: a client that never gives up is a friendly client. Is it? */
    (void)left, (void)answer;
    return SEND_AGAIN;
}
