#include "room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

struct sam_note {
    size_t readers; /* members that it waits for */
    size_t length;
    uint8_t text[];
};

enum sam_status sam_room_open(struct sam_room *room, const char *host) {
    *room = (struct sam_room){.host = host};
    errno = pthread_mutex_init(&room->lock, NULL);
    return errno == 0 ? SAM_OK : SAM_SYSTEM;
}

void sam_room_close(struct sam_room *room) {
    pthread_mutex_destroy(&room->lock);
}

/* The lock is held by whoever calls what follows. */

static void release(struct sam_note *note) {
    if (--note->readers > 0)
        return;
    sam_wipe(note->text, note->length);
    free(note);
}

/* Keeps the time since when more than half of the queue is taken. */
static void note_fill(struct sam_member *member) {
    bool behind = member->count > SAM_ROOM_NOTES / 2 || member->bytes > SAM_ROOM_BYTES / 2;
    if (!behind)
        member->behind = 0;
    else if (member->behind == 0)
        member->behind = sam_now();
}

static struct sam_note *take_first(struct sam_member *member) {
    struct sam_note *note = member->notes[member->first];
    member->first = (member->first + 1) % SAM_ROOM_NOTES;
    member->count--;
    member->bytes -= note->length;
    note_fill(member);
    return note;
}

/* A member that does not read hurts nobody: its connection is shut down, which its own thread
 * notices, wherever it waits. It is never told some and not all. */
static void drop(struct sam_member *member) {
    member->dropped = true;
    while (member->count > 0)
        release(take_first(member));
    shutdown(member->fd, SHUT_RDWR);
}

static void hand(struct sam_member *member, struct sam_note *note) {
    if (member->dropped)
        return;
    if (member->count == SAM_ROOM_NOTES || member->bytes + note->length > SAM_ROOM_BYTES) {
        drop(member);
        return;
    }
    member->notes[(member->first + member->count) % SAM_ROOM_NOTES] = note;
    member->count++;
    member->bytes += note->length;
    note_fill(member);
    note->readers++;
    /* A full pipe wakes as well as one with a byte more. */
    ssize_t woken = write(member->wake[1], "", 1);
    (void)woken;
}

/* Returns where the next goes. */
static uint8_t *put(uint8_t *to, const void *data, size_t length) {
    if (length > 0)
        memcpy(to, data, length);
    return to + length;
}

/* Tells "name: text" to everybody but one. */
static enum sam_status tell_others(struct sam_room *room, const struct sam_member *but,
                                   const char *name, const void *text, size_t length) {
    size_t name_length = strlen(name);
    struct sam_note *note = malloc(sizeof *note + name_length + 2 + length);
    if (note == NULL)
        return SAM_MEMORY;
    note->readers = 1; /* us */
    note->length = name_length + 2 + length;
    uint8_t *end = put(note->text, name, name_length);
    end = put(end, ": ", 2);
    put(end, text, length);
    for (struct sam_member *member = room->members; member != NULL; member = member->next)
        if (member != but)
            hand(member, note);
    release(note);
    return SAM_OK;
}

static enum sam_status tell_news(const struct sam_member *member, const char *what) {
    char text[128];
    int length = snprintf(text, sizeof text, "%s %s", member->name, what);
    return tell_others(member->room, member, member->room->host, text, (size_t)length);
}

/* From here on the lock is taken. */

/* One that blocked would hold everybody up: it is read under the lock. */
static bool make_wake(struct sam_member *member) {
    if (pipe(member->wake) != 0)
        return false;
    if (sam_unblock(member->wake[0]) && sam_unblock(member->wake[1]))
        return true;
    close(member->wake[0]);
    close(member->wake[1]);
    return false;
}

enum sam_status sam_room_join(struct sam_room *room, struct sam_member *member) {
    if (!make_wake(member))
        return SAM_SYSTEM;
    pthread_mutex_lock(&room->lock);
    member->room = room;
    enum sam_status status = tell_news(member, "has joined");
    if (status == SAM_OK) {
        struct sam_member **last = &room->members;
        while (*last != NULL)
            last = &(*last)->next;
        *last = member;
    }
    pthread_mutex_unlock(&room->lock);
    if (status != SAM_OK) {
        close(member->wake[0]);
        close(member->wake[1]);
        member->room = NULL;
    }
    return status;
}

void sam_room_leave(struct sam_member *member) {
    struct sam_room *room = member->room;
    if (room == NULL)
        return;
    pthread_mutex_lock(&room->lock);
    struct sam_member **at = &room->members;
    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    while (member->count > 0)
        release(take_first(member));
    /* Who stays and is not told for want of memory sees it by /who. */
    enum sam_status told = tell_news(member, "has left");
    (void)told;
    pthread_mutex_unlock(&room->lock);
    close(member->wake[0]);
    close(member->wake[1]);
    member->room = NULL;
}

enum sam_status sam_room_say(struct sam_member *member, const uint8_t *text, size_t length) {
    pthread_mutex_lock(&member->room->lock);
    enum sam_status status = tell_others(member->room, member, member->name, text, length);
    pthread_mutex_unlock(&member->room->lock);
    return status;
}

enum sam_status sam_room_names(struct sam_room *room, struct sam_bytes *names) {
    enum sam_status status = SAM_OK;
    pthread_mutex_lock(&room->lock);
    for (const struct sam_member *member = room->members; member != NULL && status == SAM_OK;
         member = member->next) {
        if (names->length > 0)
            status = sam_bytes_append(names, " ", 1);
        if (status == SAM_OK)
            status = sam_bytes_append(names, member->name, strlen(member->name));
    }
    pthread_mutex_unlock(&room->lock);
    return status;
}

enum sam_status sam_room_next(struct sam_member *member, struct sam_bytes *text, bool *more) {
    char woken[64];
    enum sam_status status = SAM_OK;
    pthread_mutex_lock(&member->room->lock);
    *more = member->count > 0;
    if (*more) {
        struct sam_note *note = take_first(member);
        status = sam_bytes_append(text, note->text, note->length);
        release(note);
    }
    if (member->count == 0) /* nothing waits: let it sleep */
        while (read(member->wake[0], woken, sizeof woken) > 0)
            continue;
    pthread_mutex_unlock(&member->room->lock);
    return status;
}

bool sam_room_is_crowded(struct sam_room *room) {
    bool crowded = false;
    int64_t now = sam_now();
    pthread_mutex_lock(&room->lock);
    for (const struct sam_member *member = room->members; member != NULL; member = member->next)
        crowded = crowded || (member->behind > 0 && now - member->behind < SAM_SECOND);
    pthread_mutex_unlock(&room->lock);
    return crowded;
}

bool sam_room_dropped(const struct sam_member *member) {
    if (member->room == NULL)
        return false;
    pthread_mutex_lock(&member->room->lock);
    bool dropped = member->dropped;
    pthread_mutex_unlock(&member->room->lock);
    return dropped;
}
