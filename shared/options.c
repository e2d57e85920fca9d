#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RELEASE "1.0.0"

enum {
    ASKS = SAM_SEND_MSG | SAM_RECV_MSG,
    TALKS = SAM_SERVE | ASKS,
    ALL = TALKS | SAM_GENERATE | SAM_FINGERPRINT,
    OF_SERVER = SAM_SERVE | SAM_GENERATE | SAM_FINGERPRINT,
    OF_CLIENT = ASKS | SAM_GENERATE | SAM_FINGERPRINT,
    CLIENTS_MAX = 100000,
    SECONDS_MAX = 86400
};

/* Where an option's value goes: a const char *, a uint32_t or a bool of struct sam_options. */
enum type { TEXT, NUMBER, FLAG };
#define AT(field) offsetof(struct sam_options, field)

static const struct row {
    const char *name;
    enum type type;
    size_t at;
    unsigned long least, most; /* of a NUMBER */
    unsigned commands;         /* that take it */
    const char *help;          /* the value's name and what it does, a tab between */
} rows[] = {
    {"host", TEXT, AT(host), 0, 0, TALKS, "ADDRESS\tIPv4, IPv6 or a name (127.0.0.1)"},
    {"port", NUMBER, AT(port), 0, UINT16_MAX, TALKS, "N\tTCP port (8000); a server takes 0: any"},
    {"port-file", TEXT, AT(port_file), 0, 0, SAM_SERVE,
     "PATH\twrite the port there once it listens"},
    {"keys", TEXT, AT(keys), 0, 0, ALL, "DIR\tfolder of the key files (the lab's keys/)"},
    {"name", TEXT, AT(name), 0, 0, ALL, "NAME\twhose key pair (client, server)"},
    {"to", TEXT, AT(to), 0, 0, ASKS, "NAME\twhose public key the server must have (server)"},
    {"passphrase-file", TEXT, AT(passphrase_file), 0, 0, ALL, "PATH\tholds the key's passphrase"},
    {"passphrase", FLAG, AT(passphrase), 0, 0, SAM_GENERATE, "\task for one, for the new key"},
    {"bits", NUMBER, AT(bits), SAM_RSA_BITS_MIN, SAM_RSA_BITS_MAX, SAM_GENERATE,
     "N\t2048, 3072 or 4096 (3072)"},
    {"force", FLAG, AT(force), 0, 0, SAM_GENERATE, "\treplace a pair that exists"},
    {"file", TEXT, AT(file), 0, 0, SAM_SEND_MSG, "PATH\tsend this file's bytes"},
    {"save", TEXT, AT(save), 0, 0, ASKS, "PATH\tkeep the envelope that was sent, or got"},
    {"message", TEXT, AT(message), 0, 0, SAM_SERVE, "TEXT\twhat recv_msg gets"},
    {"max-message", NUMBER, AT(max_message), 0, SAM_MESSAGE_LIMIT, SAM_SERVE,
     "BYTES\tthe longest message that is taken"},
    {"max-clients", NUMBER, AT(max_clients), 1, CLIENTS_MAX, SAM_SERVE,
     "N\tat once; the next one waits (1000)"},
    {"timeout", NUMBER, AT(timeout), 1, SECONDS_MAX, TALKS,
     "SECONDS\tfor one whole envelope, either way (30)"},
    {"trace", FLAG, AT(trace), 0, 0, TALKS, "\ttell every step and what it cost"},
    {"quiet", FLAG, AT(quiet), 0, 0, ALL, "\tsay nothing but messages and failures"},
    {"color", TEXT, AT(color), 0, 0, ALL, "WHEN\tauto, always or never (auto)"},
    {"help", FLAG, AT(help), 0, 0, ALL, "\tthis text"},
    {"version", FLAG, AT(version), 0, 0, ALL, "\twhich release this is"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static const struct {
    const char *name, *operand, *help;
    enum sam_command command;
} commands[] = {
    {"", "", "answer clients until SIGINT or SIGTERM", SAM_SERVE},
    {"send_msg", "TEXT", "send TEXT, - for standard input, or --file PATH", SAM_SEND_MSG},
    {"recv_msg", "", "ask for the server's message", SAM_RECV_MSG},
    {"generate_key_pair", "", "make NAME's key pair", SAM_GENERATE},
    {"fingerprint", "", "print the fingerprint of NAME's public key", SAM_FINGERPRINT},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(const char *program, unsigned mine, const struct sam_mode *mode) {
    printf("%s of mode %u, %s\n\n", program, mode->number, mode->name);
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].command & mine)
            printf("  %s %-17s %-5s %s\n", program, commands[i].name, commands[i].operand,
                   commands[i].help);
    printf("\nOptions, anywhere; -- ends them:\n");
    for (size_t i = 0; i < ROWS; i++) {
        const char *tab = strchr(rows[i].help, '\t');
        if (rows[i].commands & mine)
            printf("  --%-16s %-8.*s %s\n", rows[i].name, (int)(tab - rows[i].help), rows[i].help,
                   tab + 1);
    }
    printf("\nExit: 0 done and verified, 1 refused or not verified, 2 usage, 3 network, 4 keys\n");
}

/* about is quoted; NULL where there is nothing to quote. */
static bool complain(const struct sam_options *options, const char *what, const char *about) {
    fprintf(stderr, "%s: %s", options->program, what);
    if (about != NULL) {
        fputs(" \"", stderr);
        sam_show_text(stderr, (const uint8_t *)about, strlen(about), SIZE_MAX);
        fputc('"', stderr);
    }
    fprintf(stderr, "; see %s --help\n", options->program);
    return false;
}

static bool set_number(struct sam_options *options, const struct row *row, const char *value) {
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    bool digits = value[0] >= '0' && value[0] <= '9' && *end == '\0' && errno == 0;
    if (!digits || number < row->least || number > row->most) {
        char what[96];
        snprintf(what, sizeof what, "--%s takes a number from %lu to %lu, not", row->name,
                 row->least, row->most);
        return complain(options, what, value);
    }
    uint32_t small = (uint32_t)number;
    memcpy((char *)options + row->at, &small, sizeof small);
    return true;
}

static bool set(struct sam_options *options, const struct row *row, const char *value) {
    const bool on = true;
    if (row->type == NUMBER)
        return set_number(options, row, value);
    if (row->type == TEXT)
        memcpy((char *)options + row->at, &value, sizeof value);
    else
        memcpy((char *)options + row->at, &on, sizeof on);
    return true;
}

/* Options may stand before, behind and between the operands, on every system: getopt_long is told
 * to stop at an operand (+), and is called again behind it. */
static bool read_words(struct sam_options *options, unsigned mine, int argc, char **argv,
                       unsigned *used, const char *operands[2], int *count) {
    struct option known[ROWS + 1] = {0};
    for (int i = 0, k = 0; i < ROWS; i++)
        if (rows[i].commands & mine)
            known[k++] = (struct option){rows[i].name, rows[i].type != FLAG, NULL, i};
    bool only_operands = false;
    opterr = 0; /* it would name the program by its path */
    for (;;) {
        int before = optind;
        int code = only_operands ? -1 : getopt_long(argc, argv, "+", known, NULL);
        if (code < 0 && optind > before) /* it has passed a -- */
            only_operands = true;
        if (code >= 0 && code < ROWS) {
            *used |= 1u << code;
            if (!set(options, &rows[code], optarg))
                return false;
        } else if (code >= 0) {
            return complain(options,
                            "no such option (-- goes before a text that starts with a dash), or no "
                            "value for it:",
                            argv[optind == before ? optind : optind - 1]);
        } else if (optind == argc) {
            return true;
        } else {
            if (*count < 2)
                operands[*count] = argv[optind];
            options->from_stdin = !only_operands && strcmp(argv[optind], "-") == 0;
            ++*count;
            optind++;
        }
    }
}

/* Whether command, operands and options go together. */
static bool check(struct sam_options *options, unsigned mine, unsigned used,
                  const char *operands[2], int count) {
    const char *name = count == 0 ? "" : operands[0];
    size_t i = 0;
    while (i < COMMANDS && !(commands[i].command & mine && strcmp(commands[i].name, name) == 0))
        i++;
    if (i == COMMANDS)
        return count == 0 ? complain(options, "a command is missing", NULL)
                          : complain(options, "there is no command called", name);
    options->command = commands[i].command;
    if (count > (commands[i].operand[0] != '\0' ? 2 : 1))
        return complain(options, "too many words; put the text into quotes", NULL);
    options->text = count == 2 ? operands[1] : NULL;
    if (options->command == SAM_SEND_MSG && (options->text == NULL) == (options->file == NULL))
        return complain(options, "send_msg takes either a text or --file", NULL);
    for (size_t k = 0; k < ROWS; k++) {
        if (!(used >> k & 1) || rows[k].commands & options->command)
            continue;
        char what[64];
        snprintf(what, sizeof what, "--%s does not go with this command", rows[k].name);
        return complain(options, what, NULL);
    }
    if (options->bits % 8 != 0)
        return complain(options, "--bits takes a multiple of 8", NULL);
    if (strcmp(options->color, "auto") != 0 && strcmp(options->color, "always") != 0 &&
        strcmp(options->color, "never") != 0)
        return complain(options, "--color takes auto, always or never, not", options->color);
    if (options->passphrase && options->passphrase_file != NULL)
        return complain(options, "use --passphrase or --passphrase-file, not both", NULL);
    return true;
}

/* The lab's keys/ lies beside the folder of the program, wherever it was called from. A program
 * that was installed is found by PATH, and looks into the current folder. */
static void default_keys(struct sam_options *options, const char *called_as) {
    const char *slash = strrchr(called_as, '/');
    int folder = slash == NULL ? 0 : (int)(slash - called_as);
    if (slash == NULL || (folder == 1 && called_as[0] == '.'))
        options->keys = slash == NULL ? "keys" : "../keys";
    else
        snprintf(options->default_keys, sizeof options->default_keys, "%.*s/../keys", folder,
                 called_as);
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
    options->keys = options->default_keys;
    default_keys(options, argv[0]);
    unsigned mine = is_server ? OF_SERVER : OF_CLIENT, used = 0;
    const char *operands[2] = {NULL, NULL};
    int count = 0;
    *code = SAM_EXIT_USAGE;
    if (!read_words(options, mine, argc, argv, &used, operands, &count))
        return false;
    if (options->help)
        print_help(options->program, mine, mode);
    else if (options->version)
        printf("%s %s, mode %u, %s\n", options->program, RELEASE, mode->number, mode->name);
    else
        return check(options, mine, used, operands, count);
    *code = fflush(stdout) == 0 ? SAM_EXIT_OK : SAM_EXIT_USAGE;
    return false;
}
