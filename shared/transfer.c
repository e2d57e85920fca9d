#include "transfer.h"

#include <string.h>

int64_t sam_deadline_of(const struct sam_connection *connection) {
    return sam_now() + connection->timeout;
}

enum sam_status sam_read_ahead(struct sam_connection *connection, int64_t deadline) {
    connection->ahead_from = 0;
    return sam_read_some(connection->fd, connection->stop, deadline, connection->ahead,
                         sizeof connection->ahead, &connection->ahead_to);
}

/* Reads what is there: of a long rest into its place, of a short one what follows it, too. */
static enum sam_status read_some(struct sam_connection *connection, int64_t deadline, uint8_t *data,
                                 size_t size, size_t *length) {
    bool is_long = size >= sizeof connection->ahead;
    enum sam_status status = SAM_OK;
    *length = 0;
    if (connection->ahead_from == connection->ahead_to && is_long)
        return sam_read_some(connection->fd, connection->stop, deadline, data, size, length);
    if (connection->ahead_from == connection->ahead_to)
        status = sam_read_ahead(connection, deadline);
    size_t there = connection->ahead_to - connection->ahead_from;
    *length = there < size ? there : size;
    memcpy(data, connection->ahead + connection->ahead_from, *length);
    connection->ahead_from += *length;
    return status;
}

static enum sam_status read_bytes(struct sam_connection *connection, int64_t deadline,
                                  uint8_t *data, size_t length) {
    for (size_t have = 0, n = 0; have < length; have += n) {
        enum sam_status status = read_some(connection, deadline, data + have, length - have, &n);
        if (status != SAM_OK)
            return status == SAM_CLOSED && have > 0 ? SAM_TRUNCATED : status;
    }
    connection->bytes_received += length;
    return SAM_OK;
}

enum sam_status sam_read_rest(struct sam_connection *connection, int64_t deadline, uint8_t *data,
                              size_t length) {
    enum sam_status status = read_bytes(connection, deadline, data, length);
    return status == SAM_CLOSED ? SAM_TRUNCATED : status;
}

enum sam_status sam_write_unit(struct sam_connection *connection, const uint8_t *data,
                               size_t length) {
    int64_t deadline = sam_deadline_of(connection);
    enum sam_status status =
        connection->hold ? sam_write_more(connection->fd, connection->stop, deadline, data, length)
                         : sam_write_all(connection->fd, connection->stop, deadline, data, length);
    if (status == SAM_OK)
        connection->bytes_sent += length;
    return status;
}

enum sam_status sam_read_fixed(struct sam_connection *connection, int64_t deadline,
                               const char *types, unsigned kinds, uint8_t *unit, size_t size) {
    struct sam_prologue prologue;
    enum sam_status status = read_bytes(connection, deadline, unit, SAM_PROLOGUE_SIZE);
    if (status == SAM_OK)
        status = sam_prologue_read(&prologue, unit, types, connection->party->mode->number, kinds);
    if (status != SAM_OK)
        return status;
    if (prologue.type != SAM_REJECTION)
        return sam_read_rest(connection, deadline, unit + SAM_PROLOGUE_SIZE,
                             size - SAM_PROLOGUE_SIZE);
    size_t rest = SAM_REJECTION_SIZE - SAM_PROLOGUE_SIZE;
    status = sam_read_rest(connection, deadline, unit + SAM_PROLOGUE_SIZE, rest);
    if (status != SAM_OK)
        return status;
    return sam_is_zero(unit + SAM_PROLOGUE_SIZE, rest) ? SAM_REJECTED : SAM_RESERVED;
}
