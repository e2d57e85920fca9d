/* A capture file (pcapng) of TCP conversations that are told, not sniffed: the wiretap ends both
 * connections itself, so it knows every byte that passed, and needs no privilege to write down the
 * packets that would have carried it.
 *
 * The format is draft-ietf-opsawg-pcapng; the link type is raw IP (LINKTYPE_RAW), version 4 or 6 as
 * the addresses are. Headers, sequence numbers and checksums are valid. Every function may be
 * called from any thread, and does nothing when capture is NULL. */
#ifndef SAM_TOOLS_CAPTURE_H
#define SAM_TOOLS_CAPTURE_H

#include <stdbool.h>
#include <sys/socket.h>

#include "bytes.h"

struct sam_capture;

/* The interface of the capture on which a packet appears: between the client and the wiretap, or
 * between the wiretap and the server. */
enum sam_leg { SAM_LEG_CLIENT, SAM_LEG_SERVER };

/* One TCP connection. Filled by sam_flow_begin; it has one writer at a time for each direction. */
struct sam_flow {
    enum sam_leg leg;
    struct sockaddr_storage ends[2]; /* 0: who connected, 1: who listened */
    uint32_t next[2];                /* the next sequence number of each */
};

/* Makes the file, or empties one that is there, and writes its head. SAM_FILE_WRITE: errno tells;
 * SAM_MEMORY. *out is NULL on failure; sam_capture_close frees it. */
SAM_MUST_CHECK enum sam_status sam_capture_open(struct sam_capture **out, const char *path);

/* Closes and frees. SAM_FILE_WRITE (errno tells) when this or any packet before it could not be
 * written: the file then ends with the last whole packet that could. */
SAM_MUST_CHECK enum sam_status sam_capture_close(struct sam_capture *capture);

/* A connection has been made: writes the three packets of its handshake. The addresses are IPv4 or
 * IPv6. */
void sam_flow_begin(struct sam_capture *capture, struct sam_flow *flow, enum sam_leg leg,
                    const struct sockaddr_storage *connected,
                    const struct sockaddr_storage *listened);

/* Bytes have passed from end (an index of ends), in as many packets as they need. comment, which
 * may be NULL, is attached to the first packet as a comment that Wireshark shows. */
void sam_flow_data(struct sam_capture *capture, struct sam_flow *flow, unsigned end,
                   const uint8_t *data, size_t length, const char *comment);

/* An end has said that it sends no more (FIN). */
void sam_flow_end(struct sam_capture *capture, struct sam_flow *flow, unsigned end);

#endif
