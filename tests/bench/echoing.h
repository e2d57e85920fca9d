/* Round trips with a server that echoes, in a process of its own: over secure sockets, and over
 * plain ones in the same loop. */
#ifndef SAM_BENCH_ECHOING_H
#define SAM_BENCH_ECHOING_H

/* The group of figures. */
void session_group(void);

#endif
