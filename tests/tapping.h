/* What the tests of the wiretap share: it stands between a real server and real clients or peers,
 * or between two sockets in the hands of a test. Every failure here fails the test. */
#ifndef SAM_TESTS_TAPPING_H
#define SAM_TESTS_TAPPING_H

#include "peer.h"
#include "process.h"

/* Words of a command line: RULES("--drop", "1"), or NONE. */
#define RULES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NONE ((const char *const[]){NULL})

/* The path of sam: $SAM_BIN, or the current folder, has a folder tools. */
const char *sam_path(char path[PATH_MAX]);

/* Starts sam wiretap, brief, on a port that the system chooses, with extra words, to pass on to
 * server, and waits until it listens. To start_client and peer_join *tap is a server like the one
 * behind it. The port file lies in the folder of keys. */
void start_wiretap(struct server_process *tap, const struct server_process *server,
                   const char *const words[]);

/* The same with all words but --listen, --port-file and --to, and not brief. */
void start_long_wiretap(struct server_process *tap, const struct server_process *server,
                        const char *const words[]);

/* Waits, bounded, until the wiretap's standard output holds text at least count times. */
void wait_for_word(const struct server_process *tap, const char *text, size_t count);

/* Waits until both sides of so many connections have ended, stops the wiretap, asserts that it
 * exited with 0 and took its port file with it, and hands over what it left. */
struct run_result stop_wiretap(struct server_process *tap, size_t connections);

/* Fails the test unless the wiretap told text on standard output that often. */
#define assert_told(result, text, count)                                                           \
    ck_assert_msg(count_text(&(result)->out, text) == (size_t)(count),                             \
                  "expected \"%s\" %d times in:\n%s%s", text, (int)(count),                        \
                  (const char *)(result)->out.data, (const char *)(result)->err.data)

/* A wiretap between two sockets: near is the client's, far the server's. listen_ends leaves them to
 * be made. */
struct ends {
    struct server_process at, tap;
    int listener, near, far;
};
void listen_ends(struct ends *ends, const struct sam_mode *mode, const char *const words[]);

/* The same and a connection, as connect_ends makes it. */
void open_ends(struct ends *ends, const struct sam_mode *mode, const char *const words[]);

/* Closes what is open of both sockets, and stops the wiretap as stop_wiretap does. */
struct run_result close_ends(struct ends *ends, size_t connections);

/* Closes both sockets, and looks no further. */
void close_ends_well(struct ends *ends);

/* One more connection through the wiretap of ends. */
void connect_ends(struct ends *ends);

/* Reads exactly these bytes, or fails. */
void expect_bytes(int fd, const uint8_t *data, size_t length);

/* What comes until the end is exactly this. */
void expect_bytes_and_end(int fd, const uint8_t *data, size_t length);

/* A unit of that type with a body that fits, sealed by nobody: the same seed, the same bytes.
 * Returns how many they are. */
enum { SAMPLE_MAX = 2048 };
size_t make_sample(uint8_t out[SAMPLE_MAX], uint8_t type, const struct sam_mode *mode,
                   uint32_t seed);

/* Always the same numbers in one process. */
uint32_t any_below(uint32_t limit);

#endif
