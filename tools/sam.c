#include "sam.h"

#include <stddef.h>

#include "options.h"
#include "process.h"

enum {
    SEAL = 1 << 0,
    OPEN = 1 << 1,
    INSPECT = 1 << 2,
    WIRETAP = 1 << 3,
    COMPARE = 1 << 4,
    EXPLAIN = 1 << 5,
    ALL = (1 << 6) - 1,
    WITH_KEYS = SEAL | OPEN | INSPECT,
    DELAY_MAX = 600000 /* ms */
};

static const struct sam_command commands[] = {
    {"seal", "F", "seal a file into an envelope", SEAL, 1},
    {"open", "F", "open an envelope and give out its message", OPEN, 1},
    {"inspect", "F...", "show what anyone can read of envelopes", INSPECT, UINT32_MAX},
    {"wiretap", "", "stand between a client and a server, and attack", WIRETAP, 0},
    {"compare", "", "measure both modes side by side", COMPARE, 0},
    {"explain", "F", "explain every byte of an envelope on a page", EXPLAIN, 1},
};

static const struct {
    unsigned bit;
    enum sam_exit (*run)(const struct sam_tool *tool);
} tools[] = {{SEAL, sam_tool_seal},       {OPEN, sam_tool_open},       {INSPECT, sam_tool_inspect},
             {WIRETAP, sam_tool_wiretap}, {COMPARE, sam_tool_compare}, {EXPLAIN, sam_tool_explain}};

#define AT(field) offsetof(struct sam_tool_options, field)

static const struct sam_option options[] = {
    {"mode", SAM_TEXT, AT(mode), 0, 0, SEAL, "M\t1, 2, asymmetric_only or asymmetric_symmetric"},
    {"from", SAM_TEXT, AT(from), 0, 0, SEAL, "NAME\twho seals: whose private key signs"},
    {"to", SAM_TEXT, AT(to), 0, 0, SEAL | WIRETAP,
     "TO\tseal: for whom; wiretap: HOST:PORT to pass on to"},
    {"in", SAM_TEXT, AT(in), 0, 0, SEAL | OPEN, "F\tread this file (standard input)"},
    {"out", SAM_TEXT, AT(out), 0, 0, SEAL | OPEN | EXPLAIN, "F\twrite this file (standard output)"},
    {"keys", SAM_TEXT, AT(keys), 0, 0, WITH_KEYS, "DIR\tfolder of the key files (the lab's keys/)"},
    {"name", SAM_TEXT, AT(name), 0, 0, OPEN | INSPECT, "NAME\twhose key opens (whom it is for)"},
    {"passphrase-file", SAM_TEXT, AT(passphrase_file), 0, 0, WITH_KEYS,
     "PATH\tholds the key's passphrase"},
    {"trace", SAM_FLAG, AT(trace), 0, 0, SEAL | OPEN, "\ttell every step"},
    {"listen", SAM_TEXT, AT(listen), 0, 0, WIRETAP, "PORT\tor HOST:PORT; port 0: any"},
    {"port-file", SAM_TEXT, AT(port_file), 0, 0, WIRETAP,
     "PATH\twrite the port there once it listens"},
    {"save", SAM_TEXT, AT(save), 0, 0, WIRETAP, "DIR\tkeep every unit there, a file each"},
    {"pcap", SAM_TEXT, AT(pcap), 0, 0, WIRETAP, "F\tkeep all of it as a capture for Wireshark"},
    {"brief", SAM_FLAG, AT(brief), 0, 0, WIRETAP, "\tone line for each unit"},
    {"side", SAM_TEXT, AT(side), 0, 0, WIRETAP, "SIDE\tclient or server (client): whom to attack"},
    {"envelope", SAM_NUMBER, AT(envelope), 0, UINT32_MAX, WIRETAP,
     "N\twhich of them (1); a server's greeting is 0"},
    {"flip", SAM_TEXTS, AT(flip), 0, 0, WIRETAP, "FIELD[:B]\tturn over bit B (0, the lowest)"},
    {"set", SAM_TEXTS, AT(set), 0, 0, WIRETAP, "FIELD=HEX\tput other bytes there"},
    {"truncate", SAM_NUMBER, AT(truncate), 1, UINT32_MAX, WIRETAP,
     "BYTES\tpass so much of it, then end"},
    {"delay", SAM_NUMBER, AT(delay), 1, DELAY_MAX, WIRETAP, "MS\thold it back so long"},
    {"drop", SAM_NUMBER, AT(drop), 1, UINT32_MAX, WIRETAP, "N\tkeep number N from the other end"},
    {"replay", SAM_NUMBER, AT(replay), 1, UINT32_MAX, WIRETAP, "N\tsend number N twice"},
    {"replay-new", SAM_NUMBER, AT(replay_new), 1, UINT32_MAX, WIRETAP,
     "N\tsend number N again, on a new connection"},
    {"swap", SAM_TEXT, AT(swap), 0, 0, WIRETAP, "N,M\tlet M overtake N"},
    {"sizes", SAM_TEXT, AT(sizes), 0, 0, COMPARE, "N,N,...\tof the messages, bytes"},
    {"bits", SAM_NUMBER, AT(bits), SAM_RSA_BITS_MIN, SAM_RSA_BITS_MAX, COMPARE,
     "N\tof the RSA keys (3072)"},
    {"json", SAM_FLAG, AT(json), 0, 0, INSPECT | COMPARE, "\tfor programs"},
    {"csv", SAM_FLAG, AT(csv), 0, 0, COMPARE, "\tfor spreadsheets"},
    {"quiet", SAM_FLAG, AT(quiet), 0, 0, ALL, "\tsay nothing but results and failures"},
    {"color", SAM_TEXT, AT(color), 0, 0, ALL, "WHEN\tauto, always or never (auto)"},
    {"help", SAM_FLAG, AT(help), 0, 0, ALL, "\tthis text"},
    {"version", SAM_FLAG, AT(version), 0, 0, ALL, "\twhich release this is"},
};

_Static_assert(sizeof options / sizeof options[0] <= SAM_OPTIONS_MAX, "too many options");

static const struct sam_arguments arguments = {
    .program = "sam",
    .title = "sam: the instruments of the lab. sam COMMAND --help tells of one.",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .mine = ALL,
    .closing = "Exit: 0 done, 1 does not verify, 2 usage or a file, 3 network, 4 keys",
};

int main(int argc, char **argv) {
    struct sam_tool tool = {
        .options = {
            .color = "auto", .side = "client", .envelope = 1, .bits = SAM_RSA_BITS_DEFAULT}};
    struct sam_words words;
    sam_process_start();
    if (!sam_arguments_read(&arguments, &tool.options, argc, argv, &words))
        return SAM_EXIT_USAGE;
    if (tool.options.help || tool.options.version) {
        if (tool.options.help)
            sam_arguments_help(&arguments, &words);
        else
            printf("sam %s\n", SAM_RELEASE);
        return fflush(stdout) == 0 ? SAM_EXIT_OK : SAM_EXIT_USAGE;
    }
    if (!sam_arguments_check(&arguments, &words))
        return SAM_EXIT_USAGE;
    if (!sam_talk_takes_color(tool.options.color)) {
        sam_arguments_complain("sam", "--color takes auto, always or never, not",
                               tool.options.color);
        return SAM_EXIT_USAGE;
    }
    char default_keys[PATH_MAX];
    tool.keys = tool.options.keys;
    if (tool.keys == NULL)
        tool.keys = sam_default_keys(default_keys, argv[0]);
    tool.talk = sam_talk_start("sam", tool.options.color, tool.options.quiet);
    tool.operands = words.operands;
    tool.operand_count = words.count;
    if (words.command->bit & (SEAL | OPEN) && words.count == 1) {
        if (tool.options.in != NULL) {
            sam_arguments_complain("sam", "one file at a time: --in or a word, not both", NULL);
            return SAM_EXIT_USAGE;
        }
        tool.options.in = words.operands[0];
    }
    size_t i = 0;
    while (tools[i].bit != words.command->bit)
        i++;
    return (int)tools[i].run(&tool);
}
