/* Floor 4. How a session begins: one exchange of envelopes, then records (docs/protocol.md, section
 * 9). */
#ifndef SAM_EXCHANGE_H
#define SAM_EXCHANGE_H

#include "connection.h"

/* Client: asks to go on with records, as the first request of the connection. *answer, which the
 * caller drops in every case, is the server's: after a reply the session has begun; after a refuse,
 * which holds the reason, envelopes go on. Statuses of sealing, sending, receiving and opening;
 * SAM_LENGTH: the server's share is none. */
SAM_MUST_CHECK enum sam_status sam_exchange_ask(struct sam_connection *connection,
                                                struct sam_incoming *answer);

/* Server: grants it to a request that has been opened and carries SAM_SHARE_SIZE bytes. Failures as
 * sam_connection_answer. */
SAM_MUST_CHECK enum sam_status sam_exchange_grant(struct sam_connection *connection,
                                                  const struct sam_incoming *request);

#endif
