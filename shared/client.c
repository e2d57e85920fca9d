#include "client.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "dialogue.h"
#include "file.h"
#include "identity.h"
#include "process.h"
#include "tls_options.h"

/* One run of the client: who talks to whom about what. */
struct client {
    const struct sam_options *options;
    struct sam_talk talk;
    struct sam_trace trace;
    struct sam_party party;
    struct sam_key own;
    struct sam_key server;
    struct sam_ring trusted; /* the server and nobody else */
    struct sam_connection connection;
    int fd; /* of the connection, or around which it is a tunnel */
    struct sam_tls *tls;
    struct sam_tunnel tunnel;
    struct sam_bytes message; /* to send */
    struct sam_where peer;    /* the server's address */
    bool begun;               /* some of the request may have left */
    bool sent;                /* all of it has left: it may be carried out */
    bool answered;            /* with an answer that verified */
};

/* The message is read before the server is bothered: who types slowly loses no connection. */
static enum sam_status read_message(struct client *client, struct sam_where *where) {
    const struct sam_options *options = client->options;
    if (options->command != SAM_SEND_MSG)
        return SAM_OK;
    if (options->file == NULL && !options->from_stdin)
        return sam_bytes_append(&client->message, options->text, strlen(options->text));
    int fd = STDIN_FILENO;
    sam_where_set(where, "%s", options->file != NULL ? options->file : "standard input");
    if (options->file != NULL)
        fd = open(options->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SAM_FILE_READ;
    /* One byte over every limit is enough to see that it is too long. */
    enum sam_status status = sam_file_read(fd, SAM_MESSAGE_LIMIT + 1, &client->message);
    if (options->file != NULL)
        close(fd);
    return status == SAM_TOO_LONG ? SAM_OK : status;
}

/* Connects and takes the greeting. */
static enum sam_status meet(struct client *client) {
    const struct sam_options *options = client->options;
    struct sam_connection *connection = &client->connection;
    connection->timeout = options->timeout * SAM_SECOND;
    connection->party = &client->party;
    client->trusted = (struct sam_ring){&client->server, 1};
    int64_t deadline = sam_now() + connection->timeout;
    enum sam_status status = sam_connect(&client->fd, options->host, (uint16_t)options->port, -1,
                                         deadline, &client->peer);
    connection->fd = client->fd;
    if (status == SAM_OK && client->tls != NULL) {
        status = sam_tls_open(&client->tunnel, client->tls, client->fd, -1, deadline);
        connection->fd = client->tunnel.fd;
    }
    if (status == SAM_OK)
        status = sam_connection_meet(connection, &client->trusted);
    return sam_tls_reason(&client->tunnel, status);
}

/* --save keeps what this command is about: send_msg what it sends, recv_msg what it gets. */
static enum sam_exit save(const struct client *client, unsigned command,
                          const struct sam_envelope *envelope) {
    const struct sam_options *options = client->options;
    if (options->save == NULL || options->command != command)
        return SAM_EXIT_OK;
    struct sam_where where;
    sam_where_set(&where, "%s", options->save);
    enum sam_status status =
        sam_file_replace(options->save, 0666, envelope->bytes.data, envelope->bytes.length);
    if (status == SAM_OK && !options->quiet)
        fprintf(stderr, "%s: kept the envelope, %zu bytes, in %s\n", client->talk.program,
                envelope->bytes.length, options->save);
    return status == SAM_OK ? SAM_EXIT_OK : sam_complain(&client->talk, &where, status);
}

static enum sam_exit send_request(struct client *client) {
    struct sam_envelope envelope;
    enum sam_exit code = SAM_EXIT_OK;
    enum sam_kind kind = client->options->command == SAM_SEND_MSG ? SAM_KIND_SEND : SAM_KIND_RECV;
    enum sam_status status =
        sam_envelope_start(&envelope, &client->party, &client->server, client->message.length);
    if (status == SAM_OK && client->message.length > 0)
        memcpy(envelope.message, client->message.data, client->message.length);
    if (status == SAM_OK)
        status = sam_connection_seal(&client->connection, &envelope, kind);
    if (status == SAM_OK)
        code = save(client, SAM_SEND_MSG, &envelope);
    if (status == SAM_OK && code == SAM_EXIT_OK) {
        sam_envelope_trace(&client->party, "what leaves", &envelope);
        client->begun = true;
        status = sam_connection_send(&client->connection, &envelope);
        client->sent = status == SAM_OK;
    }
    sam_envelope_free(&envelope);
    return status == SAM_OK ? code : sam_complain(&client->talk, &client->peer, status);
}

/* What an answer that has verified means. */
static enum sam_exit conclude(const struct client *client, const struct sam_envelope *answer) {
    if (answer->header.kind == SAM_KIND_REFUSE) {
        sam_tell_refusal(&client->talk, client->server.name, answer);
        return SAM_EXIT_UNVERIFIED;
    }
    if (client->options->command == SAM_RECV_MSG)
        return sam_tell_message(&client->talk, answer);
    if (!client->talk.quiet)
        fprintf(stderr, "%s: delivered: %s signed a receipt for these %zu bytes\n",
                client->talk.program, client->server.name, client->message.length);
    return answer->message_length > 0 ? sam_tell_message(&client->talk, answer) : SAM_EXIT_OK;
}

static enum sam_exit await_answer(struct client *client) {
    struct sam_incoming answer = {0};
    enum sam_exit code = SAM_EXIT_OK, saved = SAM_EXIT_OK;
    enum sam_status status = sam_connection_receive(&client->connection, &answer);
    if (status == SAM_OK) {
        sam_envelope_trace(&client->party, "what arrives", &answer.envelope);
        saved = save(client, SAM_RECV_MSG, &answer.envelope);
        status = sam_connection_open(&client->connection, &answer);
    }
    if (status == SAM_OK || sam_status_step(status) > 0)
        sam_tell_verdicts(&client->talk, stderr, status, answer.sender, &client->party, NULL);
    if (status == SAM_OK) {
        client->answered = true;
        code = conclude(client, &answer.envelope);
    } else {
        code = sam_complain(&client->talk, &client->peer, status);
    }
    sam_connection_drop(&client->connection, &answer);
    return code == SAM_EXIT_OK ? saved : code;
}

/* Without an answer that verifies, what is known and what is not. Nothing is ever sent again by
 * itself: the second would be as fresh as the first, and both may be carried out. */
static void tell_uncertainty(const struct client *client) {
    if (client->answered)
        return;
    const char *known = "nothing was sent";
    if (client->sent && client->options->command == SAM_SEND_MSG)
        known = "sent, no receipt: it may have been delivered";
    else if (client->sent)
        known = "asked, no answer that verifies";
    else if (client->begun)
        known = "not all of it was sent: it cannot have been delivered";
    fprintf(stderr, "%s: %s\n", client->talk.program, known);
}

static enum sam_exit go_on_talking(struct client *client) {
    const struct sam_dialogue dialogue = {
        .options = client->options,
        .talk = &client->talk,
        .connection = &client->connection,
        .server = client->server.name,
        .peer = &client->peer,
    };
    return sam_dialogue_run(&dialogue);
}

static enum sam_exit converse(struct client *client) {
    bool talks = client->options->command & (SAM_INTERACT | SAM_CHAT);
    int64_t started = sam_now();
    enum sam_exit code = SAM_EXIT_OK;
    enum sam_status status = meet(client);
    size_t limit = client->connection.greeting.max_message;
    if (status != SAM_OK) {
        code = sam_complain(&client->talk, &client->peer, status);
    } else if (talks) {
        code = go_on_talking(client);
    } else if (client->message.length > limit) {
        fprintf(stderr, "%s: the message has %zu bytes, %s takes at most %zu: send it in parts\n",
                client->talk.program, client->message.length, client->server.name, limit);
        code = SAM_EXIT_USAGE;
    } else {
        code = send_request(client);
        if (client->sent)
            code = await_answer(client);
    }
    if (!talks)
        tell_uncertainty(client);
    if (client->party.trace != NULL) {
        struct sam_cost cost = {client->connection.bytes_sent, client->connection.bytes_received,
                                sam_crypto_count(client->party.crypto), sam_now() - started};
        sam_tell_cost(stderr, &cost);
    }
    return code;
}

static enum sam_exit run(struct client *client) {
    struct sam_where where = {"libcrypto"};
    enum sam_exit code = SAM_EXIT_OK;
    enum sam_status status = sam_crypto_new(&client->party.crypto);
    if (status == SAM_OK)
        status = sam_identity_load_both(
            &client->own, &client->server, client->party.crypto, client->options->keys,
            client->options->name, client->options->to, client->options->passphrase_file, &where);
    if (status == SAM_OK)
        status = sam_tls_options_client(&client->tls, client->options, &where);
    if (status == SAM_OK)
        status = read_message(client, &where);
    if (status == SAM_OK)
        code = converse(client);
    else
        code = sam_complain(&client->talk, &where, status);
    sam_tls_close(&client->tunnel);
    sam_tls_free(client->tls);
    if (client->fd >= 0)
        close(client->fd);
    sam_bytes_free(&client->message);
    sam_key_free(&client->own);
    sam_key_free(&client->server);
    sam_crypto_free(client->party.crypto);
    return code;
}

enum sam_exit sam_client_main(const struct sam_mode *mode, int argc, char **argv) {
    struct sam_options options;
    enum sam_exit code;
    sam_process_start();
    if (!sam_options_read(&options, false, mode, argc, argv, &code))
        return code;
    struct client client = {
        .options = &options,
        .talk = sam_talk_start(options.program, options.color, options.quiet),
        .connection = {.fd = -1, .stop = -1},
        .fd = -1,
        .tunnel = {.fd = -1},
    };
    client.trace = (struct sam_trace){stderr, client.talk.colour};
    client.party = (struct sam_party){.mode = mode, .own = &client.own};
    client.party.trace = options.trace ? &client.trace : NULL;
    if (options.command == SAM_GENERATE)
        return sam_identity_generate(&options, &client.talk);
    if (options.command == SAM_FINGERPRINT)
        return sam_identity_fingerprint(&options, &client.talk);
    return run(&client);
}
