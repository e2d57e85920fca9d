/* Floor 4, private to connection.c and duplex.c: units of a connection read and written, each by
 * one deadline, and their bytes counted. */
#ifndef SAM_TRANSFER_H
#define SAM_TRANSFER_H

#include "connection.h"

/* By when a unit that begins now has to be over. */
int64_t sam_deadline_of(const struct sam_connection *connection);

/* Reads a unit's fixed part of size bytes. A rejection in its place is SAM_REJECTED, where types
 * allow one. Statuses of sam_read_all and sam_prologue_read. */
SAM_MUST_CHECK enum sam_status sam_read_fixed(struct sam_connection *connection, int64_t deadline,
                                              const char *types, unsigned kinds, uint8_t *unit,
                                              size_t size);

/* As sam_read_all, where a unit has begun: an end is SAM_TRUNCATED. */
SAM_MUST_CHECK enum sam_status sam_read_rest(struct sam_connection *connection, int64_t deadline,
                                             uint8_t *data, size_t length);

/* Waits for the next bytes, which nothing has asked for yet, and keeps them. There must be none. As
 * sam_read_some. */
SAM_MUST_CHECK enum sam_status sam_read_ahead(struct sam_connection *connection, int64_t deadline);

/* As sam_write_all. */
SAM_MUST_CHECK enum sam_status sam_write_unit(struct sam_connection *connection,
                                              const uint8_t *data, size_t length);

#endif
