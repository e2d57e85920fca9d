#include "talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

bool sam_talk_takes_color(const char *when) {
    return strcmp(when, "auto") == 0 || strcmp(when, "always") == 0 || strcmp(when, "never") == 0;
}

struct sam_talk sam_talk_start(const char *program, const char *when, bool quiet) {
    const char *forbidden = getenv("NO_COLOR");
    bool automatic = isatty(STDERR_FILENO) && (forbidden == NULL || forbidden[0] == '\0');
    bool always = strcmp(when, "always") == 0, never = strcmp(when, "never") == 0;
    return (struct sam_talk){
        .program = program, .colour = always || (automatic && !never), .quiet = quiet};
}

/* Whether the system's own reason, in errno, says more. */
static bool has_errno(enum sam_status status) {
    return status == SAM_LISTEN || status == SAM_CONNECT || status == SAM_KEY_UNREADABLE ||
           status == SAM_FILE_READ || status == SAM_FILE_WRITE || status == SAM_FOLDER ||
           status == SAM_NETWORK || status == SAM_SYSTEM;
}

static enum sam_exit exit_code(enum sam_status status) {
    if (sam_status_step(status) > 0 || status == SAM_REJECTED || status == SAM_REFUSED ||
        status == SAM_OTHER_SERVER || status == SAM_CHALLENGE ||
        (status >= SAM_TLS_UNKNOWN_CA && status <= SAM_TLS_BROKEN))
        return SAM_EXIT_UNVERIFIED;
    if (status >= SAM_TLS_FILE && status <= SAM_FOLDER)
        return SAM_EXIT_KEYS;
    if (status >= SAM_CLOSED && status <= SAM_TLS_SPOKEN)
        return SAM_EXIT_NETWORK;
    return SAM_EXIT_USAGE;
}

enum sam_exit sam_complain(const struct sam_talk *talk, const struct sam_where *where,
                           enum sam_status status) {
    int reason = errno;
    fprintf(stderr, "%s: ", talk->program);
    const char *about = where->text[0] != '\0' ? where->text : "\"\"";
    sam_show_text(stderr, (const uint8_t *)about, strlen(about), SIZE_MAX);
    fprintf(stderr, ": %s", sam_status_sentence(status));
    if (has_errno(status) && reason != 0)
        fprintf(stderr, " (%s)", strerror(reason));
    fputc('\n', stderr);
    return exit_code(status);
}

enum {
    REFUSAL_SHOWN = 1024,   /* bytes */
    VERDICT_WIDTH = 80 - 27 /* what is left of a line behind "  name  passed  " */
};

enum promise { CONFIDENTIALITY, INTEGRITY, SENDER, FRESHNESS, PROMISES };

static const char *const promise_names[PROMISES] = {"confidentiality", "integrity", "sender",
                                                    "freshness"};

/* Which promise a failure breaks. One signature carries two of them: see sam_tell_verdicts. */
static enum promise broken(enum sam_status status) {
    switch (status) {
    case SAM_RECIPIENT:
        return CONFIDENTIALITY;
    case SAM_STRANGER:
    case SAM_OTHER_SENDER:
        return SENDER;
    case SAM_STALE:
    case SAM_ORDER:
        return FRESHNESS;
    default:
        return INTEGRITY;
    }
}

enum verdict { PASSED, FAILED, ABSENT };

static void tell(const struct sam_talk *talk, FILE *out, enum promise promise, enum verdict verdict,
                 const char *why) {
    static const char *const words[] = {"passed", "FAILED", "none  "};
    static const char *const colours[] = {"\033[32m", "\033[31m", "\033[33m"};
    const char *gap = strlen(why) <= VERDICT_WIDTH ? "  " : "\n    ";
    fprintf(out, "  %-15s  %s%s%s%s%s\n", promise_names[promise],
            talk->colour ? colours[verdict] : "", words[verdict], talk->colour ? "\033[0m" : "",
            gap, why);
}

void sam_tell_verdicts(const struct sam_talk *talk, FILE *out, enum sam_status status,
                       const struct sam_key *sender, const struct sam_party *party,
                       const char *unfresh) {
    char text[SAM_NAME_MAX + 64];
    bool decrypted = status == SAM_OK || status == SAM_SIGNATURE;
    if (decrypted && !talk->quiet) {
        snprintf(text, sizeof text, "opened with the private key of %s alone", party->own->name);
        tell(talk, out, CONFIDENTIALITY, PASSED, text);
    }
    if (status != SAM_OK) {
        tell(talk, out, broken(status), FAILED, sam_status_sentence(status));
        if (status == SAM_SIGNATURE) /* it cannot tell an altered letter from a false sender */
            tell(talk, out, SENDER, FAILED, "for the same reason");
        return;
    }
    if (talk->quiet)
        return;
    snprintf(text, sizeof text, "signed with the private key of %s", sender->name);
    tell(talk, out, INTEGRITY, PASSED, "header and message are as they were signed");
    tell(talk, out, SENDER, PASSED, text);
    tell(talk, out, FRESHNESS, unfresh == NULL ? PASSED : ABSENT,
         unfresh == NULL ? "made for this connection and this place in it" : unfresh);
}

void sam_tell_record(const struct sam_talk *talk, FILE *out, const struct sam_key *sender) {
    char text[SAM_NAME_MAX + 64];
    if (talk->quiet)
        return;
    snprintf(text, sizeof text, "under a key that only %s and we have", sender->name);
    tell(talk, out, CONFIDENTIALITY, PASSED, "opened with this session's key");
    tell(talk, out, INTEGRITY, PASSED, "header and message are as the tag says");
    tell(talk, out, SENDER, PASSED, text);
    tell(talk, out, FRESHNESS, PASSED, "made for this session and this place in it");
}

void sam_tell_refusal(const struct sam_talk *talk, const char *server,
                      const struct sam_envelope *answer) {
    fprintf(stderr, "%s: %s refused: ", talk->program, server);
    sam_show_text(stderr, answer->message, answer->message_length, REFUSAL_SHOWN);
    fputc('\n', stderr);
}

enum sam_exit sam_tell_message(const struct sam_talk *talk, const struct sam_envelope *envelope) {
    enum sam_status status = SAM_OK;
    if (isatty(STDOUT_FILENO)) {
        bool shown = sam_show_line(envelope->message, envelope->message_length, SIZE_MAX);
        status = shown ? SAM_OK : SAM_FILE_WRITE;
    } else {
        status = sam_file_write(STDOUT_FILENO, envelope->message, envelope->message_length);
    }
    static const struct sam_where output = {"standard output"};
    return status == SAM_OK ? SAM_EXIT_OK : sam_complain(talk, &output, status);
}

void sam_tell_cost(FILE *out, const struct sam_cost *cost) {
    fprintf(out, "cost: %llu bytes sent, %llu received; RSA %llu private, %llu public; %lld us\n",
            (unsigned long long)cost->sent, (unsigned long long)cost->received,
            (unsigned long long)cost->rsa.private_operations,
            (unsigned long long)cost->rsa.public_operations, (long long)cost->microseconds);
}
