#include "dialogue.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "editor.h"
#include "exchange.h"

enum { TYPED_SHOWN = 1024 };

struct state {
    const struct sam_dialogue *dialogue;
    struct sam_connection *connection;
    struct sam_editor editor;
    enum sam_exit code; /* of the worst that happened and let the dialogue go on */
    int64_t due;        /* when an answer must be here, where one is due */
    bool done;          /* we say no more */
    bool over;          /* nor does the server */
};

/* What is said in a chat is harmless everywhere: with an end of line in it, one member's text could
 * pass for another's. */
static enum sam_exit show_said(const struct sam_talk *talk, const struct sam_envelope *message) {
    static const struct sam_where output = {"standard output"};
    bool shown = sam_show_line(message->message, message->message_length, SIZE_MAX);
    return shown ? SAM_EXIT_OK : sam_complain(talk, &output, SAM_FILE_WRITE);
}

/* One line on standard output: harmless on a terminal, byte for byte elsewhere. */
static enum sam_exit show(const struct state *state, const struct sam_envelope *message) {
    if (state->dialogue->options->command == SAM_CHAT)
        return show_said(state->dialogue->talk, message);
    enum sam_exit code = sam_tell_message(state->dialogue->talk, message);
    if (code == SAM_EXIT_OK && !isatty(STDOUT_FILENO) && write(STDOUT_FILENO, "\n", 1) != 1)
        code = SAM_EXIT_USAGE;
    return code;
}

/* What has come and verified. */
static enum sam_exit take(struct state *state, const struct sam_envelope *message) {
    switch (message->header.kind) {
    case SAM_KIND_REFUSE:
        sam_tell_refusal(state->dialogue->talk, state->dialogue->server, message);
        state->code = SAM_EXIT_UNVERIFIED;
        return SAM_EXIT_OK;
    case SAM_KIND_CLOSE: /* it goes because we go, or by itself */
        state->over = true;
        return state->done ? SAM_EXIT_OK
                           : sam_complain(state->dialogue->talk, state->dialogue->peer, SAM_CLOSED);
    default: /* an empty reply is a receipt */
        return message->message_length > 0 ? show(state, message) : SAM_EXIT_OK;
    }
}

/* Why it may have ended, and what was typed and did not leave. */
static void tell_end(const struct state *state, enum sam_status status) {
    const struct sam_bytes *typed = &state->editor.read;
    const char *program = state->dialogue->talk->program;
    if (status == SAM_CLOSED)
        fprintf(stderr, "%s: a server ends what is silent for its --timeout, 30 s by default\n",
                program);
    if (state->connection->unanswered_count > 0)
        fprintf(stderr, "%s: %zu line(s) sent, no receipt: they may have been delivered\n", program,
                state->connection->unanswered_count);
    if (typed->length > 0) {
        fprintf(stderr, "%s: not sent: ", program);
        sam_show_text(stderr, typed->data, typed->length, TYPED_SHOWN);
        fputc('\n', stderr);
    }
}

/* Everything that arrives, once something is there to be read. */
static enum sam_exit receive(struct state *state) {
    struct sam_connection *connection = state->connection;
    const struct sam_dialogue *dialogue = state->dialogue;
    struct sam_incoming incoming = {0};
    enum sam_exit code = SAM_EXIT_OK;
    enum sam_status status = sam_connection_receive(connection, &incoming);
    state->due = sam_now() + connection->timeout;
    if (status == SAM_OK) {
        sam_envelope_trace(connection->party, "what arrives", &incoming.envelope);
        status = sam_connection_open(connection, &incoming);
    }
    sam_editor_hide(&state->editor);
    if (status == SAM_OK) {
        code = take(state, &incoming.envelope);
    } else if (status == SAM_CLOSED && state->done && connection->unanswered_count == 0) {
        state->over = true;
    } else {
        if (sam_status_step(status) > 0)
            sam_tell_verdicts(dialogue->talk, stderr, status, incoming.sender, connection->party,
                              NULL);
        code = sam_complain(dialogue->talk, dialogue->peer, status);
        tell_end(state, status);
    }
    if (code == SAM_EXIT_OK)
        sam_editor_show(&state->editor);
    sam_connection_drop(connection, &incoming);
    return code;
}

/* A line of a chat that is for us: blank, or a word behind a slash. True when it is done with. */
static bool obey(struct state *state, const struct sam_bytes *line) {
    const char *text = (const char *)line->data;
    if (line->length == 0)
        return true;
    if (text[0] != '/' || (line->length == 4 && memcmp(text, "/who", 4) == 0))
        return false;
    if (line->length == 5 && memcmp(text, "/quit", 5) == 0) {
        state->editor.ended = true;
        state->editor.read.length = 0;
    } else {
        fprintf(stderr, "%s: not sent: /who asks who is there, /quit leaves\n",
                state->dialogue->talk->program);
    }
    return true;
}

static enum sam_exit say(struct state *state, struct sam_bytes *line) {
    const struct sam_dialogue *dialogue = state->dialogue;
    size_t most = state->connection->greeting.max_message;
    if (dialogue->options->command == SAM_CHAT) {
        while (line->length > 0 && line->data[line->length - 1] == ' ')
            line->length--;
        if (obey(state, line))
            return SAM_EXIT_OK;
    }
    if (line->length > most) {
        fprintf(stderr, "%s: a line of %zu bytes was not sent: %s takes at most %zu\n",
                dialogue->talk->program, line->length, dialogue->server, most);
        state->code = SAM_EXIT_USAGE;
        return SAM_EXIT_OK;
    }
    enum sam_status status =
        sam_connection_ask(state->connection, SAM_KIND_SEND, line->data, line->length);
    state->due = sam_now() + state->connection->timeout;
    return status == SAM_OK ? SAM_EXIT_OK : sam_complain(dialogue->talk, dialogue->peer, status);
}

/* In a dialogue with a server alone each line waits for the answer to the one before. */
static size_t most_unanswered(const struct sam_dialogue *dialogue) {
    return dialogue->options->command == SAM_CHAT ? SAM_UNANSWERED_MAX : 1;
}

/* Sends the lines that are there, as long as not too many wait for their answers. */
static enum sam_exit say_lines(struct state *state) {
    const struct sam_dialogue *dialogue = state->dialogue;
    size_t most = most_unanswered(dialogue);
    static const struct sam_where input = {"standard input"};
    struct sam_bytes line = {0};
    enum sam_exit code = SAM_EXIT_OK;
    bool found = true;
    while (code == SAM_EXIT_OK && found && state->connection->unanswered_count < most) {
        enum sam_status status = sam_editor_line(&state->editor, &line, &found);
        if (status != SAM_OK)
            code = sam_complain(dialogue->talk, &input, status);
        else if (found)
            code = say(state, &line);
    }
    sam_bytes_free(&line);
    return code;
}

/* We have said all: in a session by a close, otherwise by ending our side. */
static enum sam_status finish(struct state *state) {
    state->done = true;
    state->due = sam_now() + state->connection->timeout;
    enum sam_status status = sam_connection_close(state->connection);
    if (!state->connection->session.begun)
        shutdown(state->connection->fd, SHUT_WR);
    return status;
}

/* Waits for a line or for the server, as long as it takes; for an answer until it is due. */
static enum sam_exit await_either(struct state *state) {
    const struct sam_dialogue *dialogue = state->dialogue;
    static const struct sam_where input = {"standard input"};
    bool waits = state->done || state->connection->unanswered_count > 0;
    bool full = state->connection->unanswered_count == most_unanswered(dialogue);
    bool wanted = !state->editor.ended && (state->editor.terminal || !full);
    bool ahead = sam_connection_is_ahead(state->connection);
    int64_t left = ahead ? 0 : (state->due - sam_now()) / 1000 + 1;
    struct pollfd polled[] = {
        {.fd = wanted ? STDIN_FILENO : -1, .events = POLLIN},
        {.fd = state->connection->fd, .events = POLLIN},
    };
    int ready = poll(polled, 2, !waits && !ahead ? -1 : left > 0 ? (int)left : 0);
    enum sam_status status = ready < 0 && errno != EINTR ? SAM_NETWORK : SAM_OK;
    if (ready == 0 && !ahead && state->due <= sam_now())
        status = SAM_TIMEOUT;
    if (status != SAM_OK) {
        enum sam_exit code = sam_complain(dialogue->talk, dialogue->peer, status);
        tell_end(state, status);
        return code;
    }
    if (ready > 0 && polled[0].revents != 0)
        status = sam_editor_read(&state->editor);
    if (status != SAM_OK)
        return sam_complain(dialogue->talk, &input, status);
    return ahead || (ready > 0 && polled[1].revents != 0) ? receive(state) : SAM_EXIT_OK;
}

static enum sam_exit converse(struct state *state) {
    const struct sam_dialogue *dialogue = state->dialogue;
    enum sam_exit code = SAM_EXIT_OK;
    while (code == SAM_EXIT_OK && !state->over) {
        code = say_lines(state);
        if (code != SAM_EXIT_OK)
            break;
        bool said = state->editor.ended && state->editor.read.length == 0;
        if (said && !state->done && state->connection->unanswered_count == 0) {
            enum sam_status status = finish(state);
            if (status != SAM_OK)
                return sam_complain(dialogue->talk, dialogue->peer, status);
        }
        code = await_either(state);
    }
    return code;
}

/* The exchange of a session, or the join: an answer that lets us go on. */
static enum sam_exit begin(const struct sam_dialogue *dialogue, struct sam_incoming *answer,
                           enum sam_status status) {
    if (status == SAM_OK || sam_status_step(status) > 0)
        sam_tell_verdicts(dialogue->talk, stderr, status, answer->sender,
                          dialogue->connection->party, NULL);
    if (status != SAM_OK)
        return sam_complain(dialogue->talk, dialogue->peer, status);
    if (answer->envelope.header.kind != SAM_KIND_REFUSE)
        return SAM_EXIT_OK;
    sam_tell_refusal(dialogue->talk, dialogue->server, &answer->envelope);
    return SAM_EXIT_UNVERIFIED;
}

static enum sam_exit begin_session(const struct sam_dialogue *dialogue) {
    struct sam_incoming answer = {0};
    enum sam_status status = sam_exchange_ask(dialogue->connection, &answer);
    enum sam_exit code = begin(dialogue, &answer, status);
    sam_connection_drop(dialogue->connection, &answer);
    return code;
}

static enum sam_exit join(const struct state *state) {
    const struct sam_dialogue *dialogue = state->dialogue;
    struct sam_incoming answer = {0};
    enum sam_status status = sam_connection_ask(state->connection, SAM_KIND_JOIN, NULL, 0);
    if (status == SAM_OK)
        status = sam_connection_receive(dialogue->connection, &answer);
    if (status == SAM_OK)
        status = sam_connection_open(dialogue->connection, &answer);
    bool was_session = dialogue->connection->session.begun;
    enum sam_exit code = SAM_EXIT_OK;
    if (was_session && status == SAM_OK && answer.envelope.header.kind != SAM_KIND_REFUSE)
        sam_tell_record(dialogue->talk, stderr, answer.sender);
    else
        code = begin(dialogue, &answer, status);
    sam_connection_drop(dialogue->connection, &answer);
    return code;
}

enum sam_exit sam_dialogue_run(const struct sam_dialogue *dialogue) {
    struct state state = {.dialogue = dialogue, .connection = dialogue->connection};
    enum sam_exit code = SAM_EXIT_OK;
    if (dialogue->options->session)
        code = begin_session(dialogue);
    if (code == SAM_EXIT_OK && dialogue->options->command == SAM_CHAT)
        code = join(&state);
    if (code != SAM_EXIT_OK)
        return code;
    sam_editor_open(&state.editor);
    code = converse(&state);
    sam_editor_close(&state.editor);
    /* Who goes says so, also behind the server's close; if it does not arrive, nothing is lost. */
    (void)!sam_connection_close(dialogue->connection);
    sam_session_end(&dialogue->connection->session);
    return code != SAM_EXIT_OK ? code : state.code;
}
