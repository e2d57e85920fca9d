/* Floor 5. Berkeley's sockets with the encryption far from the eye: the same names in the same
 * order (socket, bind, listen, accept, connect, send, recv, close), and what is sent travels in the
 * records of a session (docs/protocol.md, section 9). Mode 2 only: mode 1 has no symmetric key.
 * docs/secure-socket.md shows a program on both kinds of socket.
 *
 * accept and connect set the keys: one exchange of envelopes with RSA, and none after it. The
 * client then joins, so that the server may send whenever it likes: what a client sends are sends,
 * answered by empty replies that the library reads by itself, and what a server sends are pushes.
 *
 * What differs from a plain socket, because records are not a stream:
 * - send takes the whole message or fails, and recv never hands out two messages at once.
 * - a message may be empty. The end is SAM_CLOSED, never a length of 0; a cut is SAM_CUT.
 * - who is at the other end is known: sam_secure_peer.
 *
 * One thread may send while another receives; for anything else a socket is used by one thread at a
 * time, but that several may accept from one listener. */
#ifndef SAM_SECURE_SOCKET_H
#define SAM_SECURE_SOCKET_H

#include "duplex.h"

/* Zero-initialised ({0}) it is no socket yet, and may be closed. */
struct sam_secure_socket {
    /* Microseconds, less than a year. To be set before connect; accept hands them on. */
    int64_t timeout;  /* for what the other side owes: each envelope of the exchange, the rest of a
                         record, room for ours, an answer, its close. At first 30 seconds */
    int64_t patience; /* how long accept waits for a client, and recv for a message. At first 0: for
                         ever, as with plain sockets */
    uint16_t port;    /* that bind took */

    /* The library's own. */
    struct sam_crypto *crypto;
    struct sam_key own;
    struct sam_ring trusted;
    int listener; /* once bound */
    bool bound;
    struct sam_duplex *session; /* once connected */
};

/* Makes a socket that speaks as name, whose pair lies in the folder keys, with everybody whose
 * public key lies there. Keys are read now and never again; a passphrase is asked for on the
 * terminal. Calls sam_process_start: a peer that is gone must be a status, not SIGPIPE.
 * sam_secure_close is due in every case. SAM_NAME, SAM_FOLDER, the SAM_KEY_ ones, SAM_MEMORY,
 * SAM_CRYPTO: *where, which may be NULL here and below, tells what it is about. */
SAM_MUST_CHECK enum sam_status sam_secure_socket(struct sam_secure_socket *s, const char *keys,
                                                 const char *name, struct sam_where *where);

/* Once for a socket: takes host (a name or an address) and port, 0 for one that the system chooses.
 * *where is the address in use, or in question. SAM_ADDRESS; SAM_LISTEN: errno tells. */
SAM_MUST_CHECK enum sam_status sam_secure_bind(struct sam_secure_socket *s, const char *host,
                                               uint16_t port, struct sam_where *where);

/* Lets at most backlog clients wait to be accepted; the system may allow fewer. SAM_LISTEN: errno
 * tells, or the socket is not bound. */
SAM_MUST_CHECK enum sam_status sam_secure_listen(struct sam_secure_socket *s, int backlog);

/* Takes the next client, and sets the keys with it. *where is its address. On failure *accepted is
 * closed, and the listener goes on: SAM_TIMEOUT (nobody came, or who came took too long), any
 * status of opening (a stranger, a forgery: it was rejected), SAM_REFUSED (it asked for something
 * else than a session and a join, was told, and left or let the time pass), SAM_CLOSED, SAM_CUT,
 * SAM_NETWORK, SAM_MEMORY, SAM_SYSTEM, SAM_CRYPTO. SAM_LISTEN: s is not bound, nobody was taken.
 * Who comes and does not ask for a session holds up this call for timeout, who then does not join
 * for timeout once more: a server for many accepts in several threads. accepted may outlive s, and
 * has its timeouts. */
SAM_MUST_CHECK enum sam_status sam_secure_accept(struct sam_secure_socket *s,
                                                 struct sam_secure_socket *accepted,
                                                 struct sam_where *where);

/* Once for a socket that is not bound: connects to the server that holds the key of that name, and
 * sets the keys with it. *where is the address, on SAM_REFUSED with the reason of the server.
 * SAM_NAME, SAM_KEY_MISSING, SAM_KEY_SELF: there is no such key to trust. SAM_MODE: a server of
 * mode 1, which has no symmetric key: nothing was sent. SAM_REFUSED: it offers no sessions, or none
 * with pushes. As sam_connect, sam_connection_meet and sam_exchange_ask. On failure s is as before.
 */
SAM_MUST_CHECK enum sam_status sam_secure_connect(struct sam_secure_socket *s, const char *host,
                                                  uint16_t port, const char *peer,
                                                  struct sam_where *where);

/* Sends all of a message of length bytes; data may be NULL with length 0.
 *
 * Nothing was sent, and the socket goes on: SAM_TOO_LONG (a server's message over 16 MiB; a
 * client's over what the server's greeting says, which is 16 MiB where that is a secure socket too,
 * and never over 2^30 bytes), SAM_MEMORY, and for a client SAM_UNANSWERED: the server's library has
 * not taken the last SAM_UNANSWERED_MAX messages within timeout. While it waits for that, send
 * keeps what comes for recv, up to SAM_DUPLEX_QUEUE messages or the one that makes them 16 MiB;
 * then it reads no more answers until there is room. So on SAM_UNANSWERED call recv, and try again.
 *
 * The sending side has ended: SAM_TIMEOUT: the other side took too little within timeout, as when
 * both send more than the network holds and neither receives. SAM_CLOSED; SAM_NETWORK; SAM_CRYPTO;
 * SAM_LAST_SEQUENCE: close is all that is left to say; SAM_MEMORY with every further call too:
 * there was none for an answer that recv owed; or what recv ended with. What had come before can
 * still be received. */
SAM_MUST_CHECK enum sam_status sam_secure_send(struct sam_secure_socket *s, const void *data,
                                               size_t length);

/* Hands out the next message: *length of at most size bytes, which is at least 1. What does not fit
 * comes with the next calls. On failure *length is 0. SAM_TIMEOUT: none came within patience, and
 * the socket goes on. Otherwise it has ended, after all that had come whole was handed out, and
 * every further call says the same: SAM_CLOSED: the other side has said that this is the end;
 * SAM_CUT: it has not, what came last may be missing; any status of opening, and nothing of what
 * failed was handed out; SAM_REJECTED; SAM_REFUSED: the server refused what was sent; SAM_MEMORY,
 * SAM_NETWORK, SAM_CRYPTO; SAM_TIMEOUT for a record that stopped half way. */
SAM_MUST_CHECK enum sam_status sam_secure_recv(struct sam_secure_socket *s, void *data, size_t size,
                                               size_t *length);

/* Who holds the key at the other end: its name here, "" without a connection. It lasts until
 * close. */
const char *sam_secure_peer(const struct sam_secure_socket *s);

/* The RSA operations of this connection: all of them are those of accept or connect. */
struct sam_rsa_count sam_secure_count(const struct sam_secure_socket *s);

/* Ends the session: says so, waits for the other side to say so too, drops what still comes, wipes
 * all keys and frees what s holds, in every case; what failed may be closed, and twice. All of it
 * takes at most timeout, and a second more where a server rejects what comes. SAM_OK: the other
 * side has ended too, and its library has taken all of a client's messages. SAM_CLOSED: it ended
 * before it had taken them all. Otherwise what the socket ended with, SAM_TIMEOUT too. A server's
 * messages have no answers, and whether a message was read, not only taken, the other side's
 * program alone can say. */
enum sam_status sam_secure_close(struct sam_secure_socket *s);

#endif
