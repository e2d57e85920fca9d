#include "talk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sam_talk sam_talk_start(const struct sam_options *options) {
    const char *forbidden = getenv("NO_COLOR");
    bool automatic = isatty(STDERR_FILENO) && (forbidden == NULL || forbidden[0] == '\0');
    bool always = strcmp(options->color, "always") == 0;
    bool never = strcmp(options->color, "never") == 0;
    return (struct sam_talk){.program = options->program,
                             .colour = always || (automatic && !never),
                             .quiet = options->quiet};
}

/* Whether the system's own reason, in errno, says more. */
static bool has_errno(enum sam_status status) {
    return status == SAM_LISTEN || status == SAM_CONNECT || status == SAM_KEY_UNREADABLE ||
           status == SAM_FILE_READ || status == SAM_FILE_WRITE || status == SAM_FOLDER ||
           status == SAM_NETWORK || status == SAM_SYSTEM;
}

static enum sam_exit exit_code(enum sam_status status) {
    if (sam_status_step(status) > 0 || status == SAM_REJECTED || status == SAM_OTHER_SERVER ||
        status == SAM_CHALLENGE)
        return SAM_EXIT_UNVERIFIED;
    if (status >= SAM_KEY_MISSING && status <= SAM_FOLDER)
        return SAM_EXIT_KEYS;
    if (status >= SAM_CLOSED && status <= SAM_LAST_SEQUENCE)
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

enum { VERDICT_WIDTH = 80 - 27 }; /* what is left of a line behind "  name  passed  " */

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

static void verdict(const struct sam_talk *talk, FILE *out, enum promise promise, bool passed,
                    const char *why) {
    const char *colour = !talk->colour ? "" : passed ? "\033[32m" : "\033[31m";
    const char *gap = strlen(why) <= VERDICT_WIDTH ? "  " : "\n    ";
    fprintf(out, "  %-15s  %s%s%s%s%s\n", promise_names[promise], colour,
            passed ? "passed" : "FAILED", talk->colour ? "\033[0m" : "", gap, why);
}

void sam_tell_verdicts(const struct sam_talk *talk, FILE *out, enum sam_status status,
                       const struct sam_key *sender, const struct sam_party *party) {
    char text[SAM_NAME_MAX + 64];
    bool decrypted = status == SAM_OK || status == SAM_SIGNATURE;
    if (decrypted && !talk->quiet) {
        snprintf(text, sizeof text, "opened with the private key of %s alone", party->own->name);
        verdict(talk, out, CONFIDENTIALITY, true, text);
    }
    if (status != SAM_OK) {
        verdict(talk, out, broken(status), false, sam_status_sentence(status));
        if (status == SAM_SIGNATURE) /* it cannot tell an altered letter from a false sender */
            verdict(talk, out, SENDER, false, "for the same reason");
        return;
    }
    if (talk->quiet)
        return;
    snprintf(text, sizeof text, "signed with the private key of %s", sender->name);
    verdict(talk, out, INTEGRITY, true, "header and message are as they were signed");
    verdict(talk, out, SENDER, true, text);
    verdict(talk, out, FRESHNESS, true, "made for this connection and this place in it");
}

void sam_tell_cost(FILE *out, const struct sam_cost *cost) {
    fprintf(out, "cost: %llu bytes sent, %llu received; RSA %llu private, %llu public; %lld us\n",
            (unsigned long long)cost->sent, (unsigned long long)cost->received,
            (unsigned long long)cost->rsa.private_operations,
            (unsigned long long)cost->rsa.public_operations, (long long)cost->microseconds);
}
