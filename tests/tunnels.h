/* Both ends of a TLS tunnel in the hands of a test. Shared by the parts of the suite tls. */
#ifndef SAM_TESTS_TUNNELS_H
#define SAM_TESTS_TUNNELS_H

#include "certificates.h"
#include "peer.h"
#include "tls.h"

/* A folder with a CA "ca" and another one, and of ca certificates: server, client, and bad ones
 * (see tunnels.c). An unchecked fixture. */
extern char pki[];
void make_pki(void);
void remove_pki(void);

/* A file of that folder. */
const char *pem(const char *name);
const char *key_of(const char *name);

/* Configurations for 127.0.0.1. crl, certificate, ca: NULL for none. */
struct sam_tls *tls_client(const char *ca, const char *certificate, const char *crl);
struct sam_tls *tls_server(const char *certificate, const char *ca);

/* One end; set the first four. Without tls it is a stranger, made with libssl by hand. */
struct side {
    struct sam_tls *tls; /* borrowed */
    int fd, stop;
    int64_t deadline;
    int newest;          /* of a stranger: the newest version that it has, e.g. 0x0303 */
    const char *ciphers; /* ... and its ciphers for TLS 1.2 */
    bool is_server;      /* ... and which side it is */

    enum sam_status status;   /* of sam_tls_open; of a stranger SAM_OK or SAM_TLS_BROKEN */
    struct sam_tunnel tunnel; /* closed by end_meeting */
    int version;              /* that a stranger has got */
};

/* Client and server, a pair of TCP sockets between them, shake hands at once. */
struct meeting {
    struct side client, server;
};
void meet(struct meeting *meeting, struct sam_tls *client, struct sam_tls *server);
void meet_sides(struct meeting *meeting); /* fd, stop, deadline and the rest are set */
void end_meeting(struct meeting *meeting);

/* A meeting that works, with its own configurations; end_good frees all. */
void meet_well(struct meeting *meeting);
void end_good(struct meeting *meeting);

/* The parts of the suite that lie in files of their own. */
TCase *tls_refused_case(void);  /* check_tls_refused.c */
TCase *tls_programs_case(void); /* check_tls_programs.c */

#endif
