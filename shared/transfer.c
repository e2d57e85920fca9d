#include "transfer.h"

int64_t sam_deadline_of(const struct sam_connection *connection) {
    return sam_now() + connection->timeout;
}

static enum sam_status read_bytes(struct sam_connection *connection, int64_t deadline,
                                  uint8_t *data, size_t length) {
    enum sam_status status = sam_read_all(connection->fd, connection->stop, deadline, data, length);
    if (status == SAM_OK)
        connection->bytes_received += length;
    return status;
}

enum sam_status sam_read_rest(struct sam_connection *connection, int64_t deadline, uint8_t *data,
                              size_t length) {
    enum sam_status status = read_bytes(connection, deadline, data, length);
    return status == SAM_CLOSED ? SAM_TRUNCATED : status;
}

enum sam_status sam_write_unit(struct sam_connection *connection, const uint8_t *data,
                               size_t length) {
    enum sam_status status =
        sam_write_all(connection->fd, connection->stop, sam_deadline_of(connection), data, length);
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
