#include "options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "handler.h"
#include "talk.h"

enum {
    CONVERSES = SAM_INTERACT | SAM_CHAT,
    ASKS = SAM_SEND_MSG | SAM_RECV_MSG | CONVERSES,
    TALKS = SAM_SERVE | ASKS,
    ALL = TALKS | SAM_GENERATE | SAM_FINGERPRINT,
    OF_SERVER = SAM_SERVE | SAM_GENERATE | SAM_FINGERPRINT,
    OF_CLIENT = ASKS | SAM_GENERATE | SAM_FINGERPRINT,
    CLIENTS_MAX = 100000,
    SECONDS_MAX = 86400
};

#define AT(field) offsetof(struct sam_options, field)

static const struct sam_option rows[] = {
    {"host", SAM_TEXT, AT(host), 0, 0, TALKS, "ADDRESS\tIPv4, IPv6 or a name (127.0.0.1)"},
    {"port", SAM_NUMBER, AT(port), 0, UINT16_MAX, TALKS,
     "N\tTCP port (8000); a server takes 0: any"},
    {"port-file", SAM_TEXT, AT(port_file), 0, 0, SAM_SERVE,
     "PATH\twrite the port there once it listens"},
    {"keys", SAM_TEXT, AT(keys), 0, 0, ALL, "DIR\tfolder of the key files (the lab's keys/)"},
    {"name", SAM_TEXT, AT(name), 0, 0, ALL, "NAME\twhose key pair (client, server)"},
    {"to", SAM_TEXT, AT(to), 0, 0, ASKS, "NAME\twhose public key the server must have (server)"},
    {"passphrase-file", SAM_TEXT, AT(passphrase_file), 0, 0, TALKS | SAM_GENERATE,
     "PATH\tholds the key's passphrase"},
    {"passphrase", SAM_FLAG, AT(passphrase), 0, 0, SAM_GENERATE, "\task for one, for the new key"},
    {"bits", SAM_NUMBER, AT(bits), SAM_RSA_BITS_MIN, SAM_RSA_BITS_MAX, SAM_GENERATE,
     "N\t2048, 3072 or 4096 (3072)"},
    {"force", SAM_FLAG, AT(force), 0, 0, SAM_GENERATE, "\treplace a pair that exists"},
    {"file", SAM_TEXT, AT(file), 0, 0, SAM_SEND_MSG, "PATH\tsend this file's bytes"},
    {"session", SAM_FLAG, AT(session), 0, 0, CONVERSES,
     "\tunder the keys of one session, mode 2 only"},
    {"save", SAM_TEXT, AT(save), 0, 0, SAM_SEND_MSG | SAM_RECV_MSG,
     "PATH\tkeep the envelope that was sent, or got"},
    {"message", SAM_TEXT, AT(message), 0, 0, SAM_SERVE, "TEXT\twhat recv_msg gets"},
    {"handler", SAM_TEXT, AT(handler), 0, 0, SAM_SERVE,
     "NAME\tanswers a send: receipt, upper, echo (receipt)"},
    {"chat", SAM_FLAG, AT(chat), 0, 0, SAM_SERVE, "\tpush what a member says to the others"},
    {"max-message", SAM_NUMBER, AT(max_message), 0, SAM_MESSAGE_LIMIT, SAM_SERVE,
     "BYTES\tthe longest message that is taken"},
    {"max-clients", SAM_NUMBER, AT(max_clients), 1, CLIENTS_MAX, SAM_SERVE,
     "N\tat once; the next one waits (1000)"},
    {"tls", SAM_FLAG, AT(tls), 0, 0, TALKS, "\tinside TLS 1.3, or 1.2"},
    {"tls-cert", SAM_TEXT, AT(tls_cert), 0, 0, SAM_SERVE,
     "PATH\tthe server's certificate (keys/tls/server.pem)"},
    {"tls-key", SAM_TEXT, AT(tls_key), 0, 0, SAM_SERVE,
     "PATH\tits private key (keys/tls/server.key)"},
    {"tls-client-ca", SAM_TEXT, AT(tls_client_ca), 0, 0, SAM_SERVE,
     "PATH\tclients must show a certificate of this CA"},
    {"ca", SAM_TEXT, AT(ca), 0, 0, ASKS, "PATH\twhose certificates are trusted (keys/tls/ca.pem)"},
    {"crl", SAM_TEXT, AT(crl), 0, 0, ASKS, "PATH\twhat that CA has revoked"},
    {"tls-client-cert", SAM_TEXT, AT(tls_client_cert), 0, 0, ASKS, "PATH\ta certificate to show"},
    {"tls-client-key", SAM_TEXT, AT(tls_client_key), 0, 0, ASKS, "PATH\tits private key"},
    {"tls-ciphers", SAM_TEXT, AT(tls_ciphers), 0, 0, TALKS, "LIST\tof TLS 1.2, as openssl ciphers"},
    {"timeout", SAM_NUMBER, AT(timeout), 1, SECONDS_MAX, TALKS,
     "SECONDS\tfor one whole envelope, either way (30)"},
    {"trace", SAM_FLAG, AT(trace), 0, 0, TALKS, "\ttell every step and what it cost"},
    {"quiet", SAM_FLAG, AT(quiet), 0, 0, ALL, "\tsay nothing but messages and failures"},
    {"color", SAM_TEXT, AT(color), 0, 0, ALL, "WHEN\tauto, always or never (auto)"},
    {"help", SAM_FLAG, AT(help), 0, 0, ALL, "\tthis text"},
    {"version", SAM_FLAG, AT(version), 0, 0, ALL, "\twhich release this is"},
};

_Static_assert(sizeof rows / sizeof rows[0] <= SAM_OPTIONS_MAX, "too many options");

static const struct sam_command commands[] = {
    {"", "", "answer clients until SIGINT or SIGTERM", SAM_SERVE, 0},
    {"", "", "on a terminal: send each line, show the answer", SAM_INTERACT, 0},
    {"chat", "", "join the chat; /who asks for names, /quit ends", SAM_CHAT, 0},
    {"send_msg", "TEXT", "send TEXT, - for standard input, or a --file", SAM_SEND_MSG, 1},
    {"recv_msg", "", "ask for the server's message", SAM_RECV_MSG, 0},
    {"generate_key_pair", "", "make NAME's key pair", SAM_GENERATE, 0},
    {"fingerprint", "", "print the fingerprint of NAME's public key", SAM_FINGERPRINT, 0},
};

/* What the tables cannot say. */
static bool check(struct sam_options *options, const struct sam_words *words) {
    const char *program = options->program;
    options->command = words->command->bit;
    options->text = words->count == 1 ? words->operands[0] : NULL;
    options->from_stdin =
        options->text != NULL && !words->literal && strcmp(options->text, "-") == 0;
    if (options->command == SAM_SEND_MSG && (options->text == NULL) == (options->file == NULL))
        return sam_arguments_complain(program, "send_msg takes either a text or --file", NULL);
    bool tells_tls = options->ca != NULL || options->crl != NULL || options->tls_cert != NULL ||
                     options->tls_key != NULL || options->tls_client_ca != NULL ||
                     options->tls_client_cert != NULL || options->tls_client_key != NULL ||
                     options->tls_ciphers != NULL;
    if (tells_tls && !options->tls)
        return sam_arguments_complain(program, "what is said of TLS needs --tls", NULL);
    if ((options->tls_client_key == NULL) != (options->tls_client_cert == NULL))
        return sam_arguments_complain(program, "--tls-client-cert and --tls-client-key go together",
                                      NULL);
    if (options->bits % 8 != 0)
        return sam_arguments_complain(program, "--bits takes a multiple of 8", NULL);
    if (!sam_talk_takes_color(options->color))
        return sam_arguments_complain(program, "--color takes auto, always or never, not",
                                      options->color);
    if (options->command == SAM_INTERACT && !isatty(STDIN_FILENO))
        return sam_arguments_complain(program, "a command is missing", NULL);
    if (options->chat && options->handler != NULL)
        return sam_arguments_complain(program, "--chat and --handler: choose one of them", NULL);
    if (options->handler == NULL)
        options->handler = "receipt";
    if (sam_handler_find(options->handler) == NULL)
        return sam_arguments_complain(program, "--handler takes receipt, upper or echo, not",
                                      options->handler);
    if (options->passphrase && options->passphrase_file != NULL)
        return sam_arguments_complain(program, "use --passphrase or --passphrase-file, not both",
                                      NULL);
    return true;
}

const char *sam_default_keys(char folder[PATH_MAX], const char *called_as) {
    const char *slash = strrchr(called_as, '/');
    int length = slash == NULL ? 0 : (int)(slash - called_as);
    if (slash == NULL)
        return "keys";
    if (length == 1 && called_as[0] == '.')
        return "../keys";
    snprintf(folder, PATH_MAX, "%.*s/../keys", length, called_as);
    return folder;
}

bool sam_options_read(struct sam_options *options, bool is_server, const struct sam_mode *mode,
                      int argc, char **argv, enum sam_exit *code) {
    *options = (struct sam_options){
        .program = is_server ? "server" : "client",
        .host = "127.0.0.1",
        .name = is_server ? "server" : "client",
        .to = "server",
        .color = "auto",
        .message = "This is a message from the server!",
        .port = 8000,
        .max_message = mode->max_message,
        .max_clients = 1000,
        .timeout = 30,
        .bits = SAM_RSA_BITS_DEFAULT,
    };
    options->keys = sam_default_keys(options->default_keys, argc > 0 ? argv[0] : "");
    char title[64];
    snprintf(title, sizeof title, "%s of mode %u, %s", options->program, mode->number, mode->name);
    const struct sam_arguments arguments = {
        .program = options->program,
        .title = title,
        .commands = commands,
        .command_count = sizeof commands / sizeof commands[0],
        .options = rows,
        .option_count = sizeof rows / sizeof rows[0],
        .mine = is_server ? OF_SERVER : OF_CLIENT,
        .closing =
            "Exit: 0 done and verified, 1 refused or not verified, 2 usage, 3 network, 4 keys",
    };
    struct sam_words words;
    *code = SAM_EXIT_USAGE;
    if (!sam_arguments_read(&arguments, options, argc, argv, &words))
        return false;
    if (options->help)
        sam_arguments_help(&arguments, &words);
    else if (options->version)
        printf("%s %s, mode %u, %s\n", options->program, SAM_RELEASE, mode->number, mode->name);
    else
        return sam_arguments_check(&arguments, &words) && check(options, &words);
    *code = fflush(stdout) == 0 ? SAM_EXIT_OK : SAM_EXIT_USAGE;
    return false;
}
