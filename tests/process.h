/* Runs the real programs: a client to its end, a server until it is told to stop. Every failure
 * here fails the test, and nothing here waits without a bound. What a process writes goes to
 * unnamed files, so it never blocks on us and can be looked at while it runs. */
#ifndef SAM_TESTS_PROCESS_H
#define SAM_TESTS_PROCESS_H

#include <limits.h>
#include <sys/types.h>

#include "support.h"

/* What a process left. data of both buffers is never NULL and has a NUL behind its length bytes,
 * so that text can be searched. Free it with run_result_free. */
struct run_result {
    int code; /* what it exited with; 128 + the signal's number when one ended it, as in a shell */
    struct sam_bytes out, err;
};
void run_result_free(struct run_result *result);

/* A running process. */
struct process {
    pid_t pid;
    int out, err; /* files that hold what it has written; see process_out and process_err */
};

/* What the next process that is started has to do without; start puts it back to nothing. */
struct shortage {
    unsigned closed;         /* bit n: descriptor n, of 0 to 2, is closed */
    unsigned long file_size; /* bytes that no file of it may exceed, also its output; 0: no limit */
};
extern struct shortage shortage;

/* Starts argv[0] (a path, or a name that is looked up in PATH) with the arguments up to NULL, and
 * with length bytes of input on its standard input. */
struct process start(const char *const argv[], const void *input, size_t length);

/* Waits until the process ends, at most a minute (then it is killed and the test fails). */
struct run_result finish(struct process *process);

/* Whether the process has ended. It is not reaped. */
bool has_ended(const struct process *process);

/* What it has written until now, NUL behind it; the caller frees it. */
struct sam_bytes process_out(const struct process *process);
struct sam_bytes process_err(const struct process *process);

/* start and finish. */
struct run_result run(const char *const argv[], const void *input, size_t length);

/* The path of a mode's program ("client" or "server"): $SAM_BIN, or the current folder, has a
 * folder of each mode. */
const char *program_path(char path[PATH_MAX], const struct sam_mode *mode, const char *program);

/* Copies the key files of one of the people of the vectors into folder, under the name as. */
void give_pair(const char *folder, const char *who, const char *as);
void give_public(const char *folder, const char *who, const char *as);
void give_private(const char *folder, const char *who, const char *as); /* no public half */

/* A folder of keys for real programs, made by make_lab (an unchecked fixture, with load_people) and
 * removed by remove_lab: bob as server, alice as client, and carol are pairs that trust each other;
 * of mallory there is the private half, whom nobody trusts. */
extern char lab[PATH_MAX];
void make_lab(void);
void remove_lab(void);

/* A running server and where it is. */
struct server_process {
    struct process process;
    const struct sam_mode *mode;
    char folder[PATH_MAX];
    char port_file[PATH_MAX];
    uint16_t port;
};

/* Starts the server of a mode with the keys of folder on a port that the system chooses, with
 * extra arguments up to NULL, and waits until it listens. The port file lies in folder. */
void start_server(struct server_process *server, const struct sam_mode *mode, const char *folder,
                  ...) __attribute__((sentinel));

/* Sends SIGTERM, waits, and hands over what the server left. */
struct run_result stop_server(struct server_process *server);

/* As stop_server, and asserts that it exited with 0. */
void stop_server_well(struct server_process *server);

/* Waits, bounded, until the server's standard error holds text at least count times. */
void wait_for_log(const struct server_process *server, const char *text, size_t count);

/* Starts the client of the server's mode with --keys and --port of this server and arguments up to
 * NULL, e.g. start_client(&server, NULL, 0, "send_msg", "hello", NULL). */
struct process start_client(const struct server_process *server, const void *input, size_t length,
                            ...) __attribute__((sentinel));

/* start_client without input, and finish. */
struct run_result run_client(const struct server_process *server, ...) __attribute__((sentinel));

/* Short bounded polling: sleeps a little; false once the deadline (of sam_now) has passed. */
bool nap_until(int64_t deadline);

/* How often text is in haystack, which has a NUL behind it. */
size_t count_text(const struct sam_bytes *haystack, const char *text);

/* Fails the test unless the exit code is that, and shows what the process said. */
#define assert_code(result, wanted)                                                                \
    ck_assert_msg((result)->code == (wanted), "expected exit code %d, got %d; it said:\n%s",       \
                  (int)(wanted), (result)->code, (const char *)(result)->err.data)

/* Fails the test unless the process said text on standard error. */
#define assert_says(result, text)                                                                  \
    ck_assert_msg(count_text(&(result)->err, text) > 0, "expected \"%s\" in:\n%s", text,           \
                  (const char *)(result)->err.data)

/* A terminal of the test's own: returns its master, which does not block; slave is its name. */
int open_terminal(char slave[PATH_MAX]);

#endif
