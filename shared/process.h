/* Floor 5. What a program does before anything else. */
#ifndef SAM_PROCESS_H
#define SAM_PROCESS_H

/* Makes the process fit to hold secrets and sockets:
 * - standard input, output and error are open: otherwise the next socket would take the number of
 * one that is closed, and a message printed on it would go to the network in clear. What was closed
 *   fails when it is read or, for output, written.
 * - a peer or a file that takes no more (SIGPIPE, SIGXFSZ) is an error to handle, not the end.
 * - no core dump: it would hold private keys. */
void sam_process_start(void);

#endif
