/* A hostile crowd around a real server, and the honest in it. */
#ifndef SAM_TORTURE_CROWD_H
#define SAM_TORTURE_CROWD_H

#include <pthread.h>
#include <stdatomic.h>

#include "chance.h"
#include "chatting.h"
#include "hostile.h"

/* What the server of a crowd is told: within how many seconds an envelope must be there. */
enum { DEADLINE = SANITIZED ? 8 : 3 };
#define DEADLINE_WORD (SANITIZED ? "8" : "3")

/* What a connection of the crowd does once it is greeted. None of them has a key. */
enum foe_kind {
    SILENT,         /* nothing, ever */
    DRIPPING,       /* a byte now and then */
    HALF_CLOSED,    /* a part of an envelope, and then the end of its side */
    RESETTING,      /* the same, and then it is gone by a reset */
    GARBAGE,        /* random bytes */
    CLAIMS_ALL,     /* a good header, but of a body of 4 GiB; no more */
    CLAIMS_LONGEST, /* the same with the longest body that is permitted */
    PUSHES,         /* the same, and sends of it as much as is taken */
    FOE_KINDS
};

/* The crowd: a thread that keeps so many connections open at once until there were so many in all.
 * Set the first part, then crowd_start. */
struct crowd {
    const struct server_process *server;
    size_t at_once, in_all, kinds; /* the kinds below that one, by turns */

    uint8_t header[SAM_HEADER_SIZE];
    uint32_t longest;
    uint64_t chance;
    struct foe *foes;
    size_t begun, refused; /* how many connections; of them the server refused with a rejection */
    int64_t longest_stay;  /* from the greeting to the end by the server, microseconds */
    atomic_bool over;
    pthread_t thread;
};
void crowd_start(struct crowd *crowd);

/* Waits until the last has gone. */
void crowd_end(struct crowd *crowd);

/* What a client does that the server trusts. */
enum flood_kind {
    SENDS,     /* one message after the other, as fast as receipts come */
    DEAF,      /* requests without reading an answer, until it is cut; and anew */
    JOINS,     /* a chat that it is in, or that there is none of */
    PIPELINES, /* many requests at once, and only then their answers */
    VANISHES,  /* joins, says something and is gone by a reset; and anew */
    FLOOD_KINDS
};

/* A thread that floods. way is one of chatting.h. */
struct flood {
    const struct server_process *server;
    int way;
    enum flood_kind kind;
    bool chat;
    size_t requests;
    atomic_bool stop;
    pthread_t thread;
};
void flood_start(struct flood *flood);
void flood_end(struct flood *flood);

/* Closes a connection by a reset. */
void reset_connection(int fd);

/* Times of honest messages, from connecting to the receipt, microseconds. */
enum { TIMES_MOST = 200000 };
struct times {
    size_t count;
    int64_t each[TIMES_MOST];
};
void times_add(struct times *times, int64_t took);

/* That of 1000 which so many are at most; sorts. */
int64_t times_at(struct times *times, size_t of_thousand);

/* A server as it is before and after a crowd. */
struct calm {
    size_t descriptors, threads, memory; /* memory: KiB at most until now */
};
struct calm calm_of(const struct server_process *server);

/* Waits until it has as many descriptors and threads as before, and asserts that it never had more
 * memory than so many connections may cost. */
void assert_calm_again(const struct server_process *server, const struct calm *before,
                       size_t connections);

/* Stops the server, and asserts that it ends well and that its output has each of the texts
 * "PREFIX0" to "PREFIX(count-1)" once, a line each. */
void assert_all_shown(struct server_process *server, const char *prefix, size_t count);

TCase *crowd_chat_case(void);   /* crowd_chat.c */
TCase *crowd_places_case(void); /* crowd_places.c */

#endif
