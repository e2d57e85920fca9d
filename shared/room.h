/* Floor 5. The chat's room: who is in it, and what each member is still to be told. Every function
 * may be called by any thread; a member is served by one. */
#ifndef SAM_ROOM_H
#define SAM_ROOM_H

#include <pthread.h>

#include "bytes.h"

enum {
    /* What may wait for a member that does not read; one more, and it is disconnected. */
    SAM_ROOM_NOTES = 256,
    SAM_ROOM_BYTES = 4 * 1024 * 1024,
    SAM_ROOM_TEXT = 16 * 1024 /* the longest text: so many fit that none throws anybody out */
};

/* One text for all members, "name: text". */
struct sam_note;

struct sam_member {
    const char *name; /* borrowed */
    int fd;           /* of its connection; borrowed: it is shut down when it does not read */
    int wake[2];      /* wake[0] is readable while something waits */

    struct sam_room *room;
    struct sam_member *next;
    struct sam_note *notes[SAM_ROOM_NOTES]; /* a ring: count of them from first on */
    size_t first, count, bytes;
    int64_t behind; /* since when more than half of the queue is taken (of sam_now); 0: it is not */
    bool dropped;
};

struct sam_room {
    pthread_mutex_t lock;
    struct sam_member *members; /* in the order of their coming */
    const char *host;           /* in whose name joins and leaves are told; borrowed */
};

/* Makes an empty room. SAM_SYSTEM: errno tells. */
SAM_MUST_CHECK enum sam_status sam_room_open(struct sam_room *room, const char *host);

/* Everybody must have left. */
void sam_room_close(struct sam_room *room);

/* Lets somebody in; name and fd are set, the rest is zeros. All others are told. SAM_SYSTEM (errno
 * tells), SAM_MEMORY: nobody came in. Who came in leaves by sam_room_leave. */
SAM_MUST_CHECK enum sam_status sam_room_join(struct sam_room *room, struct sam_member *member);

/* Out again, and all others are told; a member of zeros never was inside. */
void sam_room_leave(struct sam_member *member);

/* Tells all others what a member says, in one order for all. SAM_MEMORY: nobody was told. */
SAM_MUST_CHECK enum sam_status sam_room_say(struct sam_member *member, const uint8_t *text,
                                            size_t length);

/* Appends the names of all who are inside, a blank between them. */
SAM_MUST_CHECK enum sam_status sam_room_names(struct sam_room *room, struct sam_bytes *names);

/* The next text for a member, appended to *text; *more is false, and nothing appended, when none
 * waits. SAM_MEMORY. */
SAM_MUST_CHECK enum sam_status sam_room_next(struct sam_member *member, struct sam_bytes *text,
                                             bool *more);

/* Whether who wants to speak should wait a moment: a member who reads is behind, because telling it
 * costs more than speaking. Who is behind for a second is waited for no longer. */
bool sam_room_is_crowded(struct sam_room *room);

/* Whether a member was disconnected because too much waited for it. */
bool sam_room_dropped(const struct sam_member *member);

#endif
