/* Lab 08. The envelopes are those of docs/protocol.md, mode 2; the server's memory is another. */
#ifndef REPLAY_H
#define REPLAY_H

#include "envelope.h"
#include "net.h"

enum { ORDER_MAX = 64, LEDGER_MAX = 16 };

/* The orders that were carried out, first to last, and whose account paid. */
struct ledger {
    size_t count;
    struct {
        char account[SAM_NAME_MAX + 1];
        char order[ORDER_MAX + 1];
    } paid[LEDGER_MAX];
};

/* Bob's end of one connection. The clients on the other end send orders, and nothing else. */
struct desk {
    const struct sam_party *bob;
    const struct sam_ring *trusted;
    struct ledger *ledger;          /* one for all connections */
    uint8_t challenge[SAM_ID_SIZE]; /* what the greeting of this connection said */
    uint32_t sequence;              /* of the next envelope: 0 at first */
    const struct sam_key *client;   /* who sent the first that was carried out; NULL: none yet */
};

/* flawed.c. There is nothing wrong with these two. */

/* Step 1 of opening (docs/protocol.md, section 7) and no other: reads envelope->bytes, fills
 * envelope->header, and finds the sender's key. On failure *sender is NULL. */
SAM_MUST_CHECK enum sam_status replay_header(struct sam_envelope *envelope,
                                             const struct sam_key **sender,
                                             const struct desk *desk);

/* Carries an order out: envelope has been opened. SAM_MEMORY: the ledger is full. */
SAM_MUST_CHECK enum sam_status replay_book(struct ledger *ledger, const char *account,
                                           const struct sam_envelope *envelope);

/* With this one there is: takes an envelope of which bytes are all that is set. */
SAM_MUST_CHECK enum sam_status replay_take(struct desk *desk, struct sam_envelope *envelope);

/* Takes what comes on fd, to the end of the connection (SAM_CLOSED) or the first envelope that is
 * refused. No receipts: the real server has them. */
enum sam_status replay_serve(struct desk *desk, int fd);

/* student.c, all of what follows. Mallory's first: each returns the first status that was not
 * SAM_OK. */

/* recorded are all the bytes that Alice sent on one connection, envelope after envelope. Mallory
 * has seen her account grow after one of them: number, counted from 0. same is that connection,
 * which goes through her hands; another is one of her own. The order is carried out once more on
 * each, and no other order is. */
enum sam_status replay(const uint8_t *recorded, size_t length, size_t number, int same,
                       int another);

/* Alice has sent so many envelopes on the connection fd, whose greeting had this challenge; it goes
 * through Mallory's hands. Mallory is a client of Bob's too. Alice's account pays her order. */
enum sam_status intrude(int fd, const struct sam_party *mallory, const struct sam_key *bob,
                        const uint8_t challenge[SAM_ID_SIZE], uint32_t sent, const char *order);

/* Step 2 of opening: the verdict on a header that passed step 1. The first of these that is so:
 * SAM_CHALLENGE: this connection's challenge is all zeros; SAM_LAST_SEQUENCE: desk->sequence is
 * UINT32_MAX, which no envelope may have; SAM_STALE, SAM_ORDER, SAM_OTHER_SENDER: what
 * docs/protocol.md, section 4, demands is not there; SAM_OK. */
SAM_MUST_CHECK enum sam_status fresh(const struct desk *desk, const struct sam_header *header);

/* replay_take, mended. A refused envelope books nothing and leaves the desk as it was: it may be
 * asked again. */
SAM_MUST_CHECK enum sam_status take(struct desk *desk, struct sam_envelope *envelope);

/* What Alice's client does by itself after it has tried to send an order. */
enum next {
    SEND_AGAIN,    /* connect once more, seal the order anew, send it */
    STOP_AND_TELL, /* send nothing; a person decides */
    DONE           /* tell the person that the order arrived */
};

/* left: bytes of the envelope have left this machine. answer: SAM_OK when a receipt for this
 * envelope came and verified; otherwise what came instead: any status. An order that can be sent
 * safely is sent. */
enum next decide(bool left, enum sam_status answer);

#endif
