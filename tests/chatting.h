/* What the tests of the chat and of the interactive client share: a folder of keys with four names,
 * members of a chat in the hands of a test, and real clients with a keyboard. Failures fail the
 * test, and nothing waits without a bound. */
#ifndef SAM_TESTS_CHATTING_H
#define SAM_TESTS_CHATTING_H

#include "peer.h"
#include "process.h"

/* The ways to talk: envelopes of both modes, and a session's records. For loop tests. */
enum { WAYS = 3, IN_SESSION = 2 };
const struct sam_mode *mode_of(int way);

/* "--session" where the way is one, otherwise a word that changes nothing. */
const char *session_word(int way);

/* Fixture: as make_lab, but alice, who has the smallest key, is the server, and bob, carol and
 * mallory are trusted under their own names. Undone by remove_lab. */
void make_chat_lab(void);

/* A peer with a connection, in a session where the way is one. */
void begin_talk(struct peer *peer, int way, const struct server_process *server, const char *who);

/* The same, and a member of the chat. */
void join_chat(struct peer *peer, int way, const struct server_process *server, const char *who);

/* Says a text, and takes the receipt, which must be next. */
void say(struct peer *peer, const char *text);

/* The next that comes is a push of that text. */
void hear(struct peer *peer, const char *text);

/* The next that comes is a refuse whose reason contains that text. */
void hear_refusal(struct peer *peer, const char *reason);

/* A real client, and what is typed for it: on a terminal, or through a pipe. */
struct typist {
    struct process process;
    int keys;                /* the terminal, or the pipe; -1 once it has ended */
    int kept;                /* the terminal's other side, or what was shown last may be lost; -1 */
    struct sam_bytes screen; /* all that the terminal has shown */
};

/* Starts the client of the server's mode with words up to NULL. Without a terminal its output goes
 * where process_out and process_err find it. */
void start_typist(struct typist *typist, bool terminal, const struct server_process *server, ...)
    __attribute__((sentinel));

void type(struct typist *typist, const char *text);

/* Waits until the terminal has shown text, or standard output without a terminal holds it, at least
 * count times. */
void wait_to_see(struct typist *typist, const char *text, size_t count);

/* Ends the input where it is a pipe, waits for the client's end and hands over what it left; what
 * the terminal showed stays in screen, which forget_screen frees. */
struct run_result end_typist(struct typist *typist);
void forget_screen(struct typist *typist);

/* The parts of the suite chat that lie in files of their own. */
TCase *handler_case(void);  /* check_room.c */
TCase *room_case(void);     /* check_room.c */
TCase *many_case(void);     /* check_chat_many.c */
TCase *dialogue_case(void); /* check_dialogue.c */
TCase *terminal_case(void); /* check_terminal.c */

#endif
