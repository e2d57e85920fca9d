#include "chatting.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "exchange.h"

enum { WORDS = 32, SHOWN = 2000 /* bytes of what a test tells that fails */ };

const struct sam_mode *mode_of(int way) {
    return modes[way > 0];
}

const char *session_word(int way) {
    return way == IN_SESSION ? "--session" : "--color=never";
}

void make_chat_lab(void) {
    load_people();
    make_folder(lab);
    give_pair(lab, "alice", "server");
    give_pair(lab, "bob", "bob");
    give_pair(lab, "carol", "carol");
    give_pair(lab, "mallory", "mallory");
}

void begin_talk(struct peer *peer, int way, const struct server_process *server, const char *who) {
    struct sam_incoming answer = {0};
    peer_join(peer, mode_of(way), person(who), server->port, person("alice"));
    if (way != IN_SESSION)
        return;
    ck_status(sam_exchange_ask(&peer->connection, &answer), SAM_OK);
    ck_assert(peer->connection.session.begun);
    sam_connection_drop(&peer->connection, &answer);
}

void join_chat(struct peer *peer, int way, const struct server_process *server, const char *who) {
    begin_talk(peer, way, server, who);
    peer_request(peer, SAM_KIND_JOIN, "", 0);
    peer_expect(peer, SAM_KIND_REPLY, "", 0);
}

void say(struct peer *peer, const char *text) {
    peer_request(peer, SAM_KIND_SEND, text, strlen(text));
    peer_expect(peer, SAM_KIND_REPLY, "", 0);
}

void hear(struct peer *peer, const char *text) {
    peer_expect(peer, SAM_KIND_PUSH, text, strlen(text));
}

void hear_refusal(struct peer *peer, const char *reason) {
    struct sam_incoming answer;
    ck_status(peer_take(peer, &answer), SAM_OK);
    ck_assert_str_eq(sam_kind_name(answer.envelope.header.kind), sam_kind_name(SAM_KIND_REFUSE));
    struct sam_bytes text = {0};
    ck_status(sam_bytes_append(&text, answer.envelope.message, answer.envelope.message_length),
              SAM_OK);
    ck_status(sam_bytes_append(&text, "", 1), SAM_OK);
    ck_assert_msg(strstr((const char *)text.data, reason) != NULL,
                  "refused with \"%s\", not \"%s\"", (const char *)text.data, reason);
    sam_bytes_free(&text);
    sam_connection_drop(&peer->connection, &answer);
}

static int unnamed_file(void) {
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    int fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    ck_assert_int_ge(fd, 0);
    fclose(file);
    return fd;
}

/* In the child: in is a pipe's end, or -1 where slave names the terminal for all three streams. */
static void become(int in, const char *slave, const struct process *process, const char *argv[]) {
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    bool terminal = in < 0;
    if (terminal)
        in = open(slave, O_RDWR);
#ifdef TIOCSCTTY
    if (terminal)
        ioctl(in, TIOCSCTTY, 0);
#endif
    char *words[WORDS] = {NULL};
    for (size_t i = 0; i < WORDS - 1 && argv[i] != NULL; i++)
        memcpy(&words[i], &argv[i], sizeof words[i]); /* exec wants char *, and writes nothing */
    if (in >= 0 && dup2(in, STDIN_FILENO) >= 0 &&
        dup2(terminal ? in : process->out, STDOUT_FILENO) >= 0 &&
        dup2(terminal ? in : process->err, STDERR_FILENO) >= 0)
        execv(words[0], words);
    _exit(127);
}

static void launch(struct typist *typist, bool terminal, const char *argv[]) {
    char slave[PATH_MAX] = "";
    int pipe_ends[2] = {-1, -1};
    *typist = (struct typist){.keys = -1, .kept = -1};
    typist->process = (struct process){.out = unnamed_file(), .err = unnamed_file()};
    if (terminal) {
        typist->keys = open_terminal(slave);
        typist->kept = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
        ck_assert_int_ge(typist->kept, 0);
    } else {
        ck_assert_int_eq(pipe(pipe_ends), 0);
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(fcntl(pipe_ends[i], F_SETFD, FD_CLOEXEC), 0);
        typist->keys = pipe_ends[1];
    }
    typist->process.pid = fork();
    ck_assert_int_ge(typist->process.pid, 0);
    if (typist->process.pid == 0)
        become(pipe_ends[0], slave, &typist->process, argv);
    if (!terminal)
        close(pipe_ends[0]);
}

void start_typist(struct typist *typist, bool terminal, const struct server_process *server, ...) {
    char path[PATH_MAX], port[8];
    snprintf(port, sizeof port, "%u", (unsigned)server->port);
    const char *argv[WORDS] = {program_path(path, server->mode, "client"), "--keys", server->folder,
                               "--port", port};
    size_t count = 5;
    va_list words;
    va_start(words, server);
    do {
        ck_assert_uint_lt(count, WORDS);
        argv[count] = va_arg(words, const char *);
    } while (argv[count++] != NULL);
    va_end(words);
    launch(typist, terminal, argv);
}

void type(struct typist *typist, const char *text) {
    size_t length = strlen(text);
    ck_assert_int_eq(write(typist->keys, text, length), (ssize_t)length);
}

/* Appends what the terminal shows now, a NUL behind it. */
static void look(struct typist *typist) {
    char chunk[4096];
    ssize_t n;
    while ((n = read(typist->keys, chunk, sizeof chunk)) > 0)
        ck_status(sam_bytes_append(&typist->screen, chunk, (size_t)n), SAM_OK);
    ck_status(sam_bytes_append(&typist->screen, "", 1), SAM_OK);
    typist->screen.length--;
}

void wait_to_see(struct typist *typist, const char *text, size_t count) {
    int64_t deadline = sam_now() + PATIENT / 2;
    bool seen = false, late = false;
    while (!seen) {
        struct sam_bytes out = {0};
        if (typist->kept >= 0)
            look(typist);
        else
            out = process_out(&typist->process);
        const struct sam_bytes *shown = typist->kept >= 0 ? &typist->screen : &out;
        seen = count_text(shown, text) >= count;
        size_t skipped = shown->length > SHOWN ? shown->length - SHOWN : 0;
        ck_assert_msg(seen || !late, "waited for %zu times \"%s\" in:\n%s", count, text,
                      (const char *)shown->data + skipped);
        late = !seen && !nap_until(deadline);
        sam_bytes_free(&out);
    }
}

struct run_result end_typist(struct typist *typist) {
    int64_t deadline = sam_now() + PATIENT;
    if (typist->kept < 0) {
        close(typist->keys);
        return finish(&typist->process);
    }
    while (!has_ended(&typist->process) && nap_until(deadline))
        look(typist); /* or it may wait for room to show more */
    struct run_result result = finish(&typist->process);
    look(typist);
    close(typist->kept);
    close(typist->keys);
    return result;
}

void forget_screen(struct typist *typist) {
    sam_bytes_free(&typist->screen);
}
