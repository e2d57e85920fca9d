#include "tls_records.h"

#include <string.h>

#include "tls_names.h"

enum { CHANGE_CIPHER_SPEC = 20, ALERT = 21, HANDSHAKE = 22, APPLICATION_DATA = 23 };

enum {
    MESSAGE_HEADER = 4,
    MESSAGE_MAX = 1 << 14, /* bytes of a handshake message that is kept */
    SHOWN = 16             /* messages of one record */
};

bool sam_tap_tls_begins(const uint8_t *bytes, size_t length) {
    return length > 0 && (bytes[0] == HANDSHAKE || bytes[0] == ALERT) &&
           sam_tap_tls_length(bytes, length) != 0;
}

size_t sam_tap_tls_length(const uint8_t *bytes, size_t length) {
    bool record =
        (length < 1 || (bytes[0] >= CHANGE_CIPHER_SPEC && bytes[0] <= APPLICATION_DATA)) &&
        (length < 2 || bytes[1] == 3) && (length < 3 || bytes[2] <= 4);
    if (!record || length < SAM_TAP_TLS_HEADER_SIZE)
        return record ? SAM_TAP_TLS_HEADER_SIZE : 0;
    size_t whole = SAM_TAP_TLS_HEADER_SIZE + (size_t)sam_get16(bytes + 3);
    bool empty = whole == SAM_TAP_TLS_HEADER_SIZE && bytes[0] != APPLICATION_DATA;
    return whole > SAM_TAP_TLS_RECORD_MAX || empty ? 0 : whole;
}

/* Reads a handshake message that is in clear, and keeps what is worth it. A side's own kind of
 * hello counts, not one that it says in the other's place. */
static struct sam_tap_tls_message learn(struct sam_tap_tls *tls, unsigned side,
                                        const uint8_t *bytes, size_t length) {
    const uint8_t *body = bytes + MESSAGE_HEADER;
    struct sam_tap_tls_message message = {.type = bytes[0], .length = length};
    length -= MESSAGE_HEADER;
    if (message.type == SAM_TAP_TLS_CLIENT_HELLO) {
        message.fine = sam_tap_tls_read_client_hello(&message.hello, body, length);
        const struct sam_tap_tls_span *name = &message.hello.server_name;
        if (message.fine && side == 0) {
            tls->name_length = name->length < sizeof tls->name ? name->length : sizeof tls->name;
            if (tls->name_length > 0)
                memcpy(tls->name, name->data, tls->name_length);
        }
    } else if (message.type == SAM_TAP_TLS_SERVER_HELLO) {
        message.fine = sam_tap_tls_read_server_hello(&message.hello, body, length);
        if (message.fine && side == 1) {
            tls->version = message.hello.versions[0];
            tls->suite = message.hello.suite;
        }
    } else if (message.type == SAM_TAP_TLS_CERTIFICATE) {
        message.fine = sam_tap_tls_read_chain(&message.chain, body, length);
        if (message.fine) {
            tls->sides[side].certified = true;
            tls->sides[side].chain = message.chain;
        }
    }
    return message;
}

/* Of several messages the first goes into the first line when it has to be brief. */
static void tell_message(FILE *out, const struct sam_tap_tls_message *message, size_t index,
                         bool brief) {
    if (brief && index == 0)
        sam_tap_tls_show_brief(out, message);
    else if (!brief && index < SHOWN)
        sam_tap_tls_show_message(out, message);
}

/* Adds to the message that is coming, of which only its header, then its whole, is waited for.
 * Returns how many bytes it took; *whole says whether it is there now. */
static size_t gather(struct sam_tap_tls_side *side, const uint8_t *bytes, size_t length,
                     bool *whole) {
    struct sam_bytes *message = &side->message;
    size_t wanted = MESSAGE_HEADER;
    *whole = false;
    if (side->skipped > 0) {
        size_t taken = length < side->skipped ? length : side->skipped;
        side->skipped -= taken;
        return taken;
    }
    if (message->length >= MESSAGE_HEADER)
        wanted += sam_get32(message->data) & 0xffffff;
    size_t taken = wanted - message->length < length ? wanted - message->length : length;
    if (sam_bytes_reserve(message, wanted) != SAM_OK ||
        sam_bytes_append(message, bytes, taken) != SAM_OK) {
        sam_bytes_free(message); /* without memory the rest of the record cannot be told */
        return length;
    }
    *whole = message->length >= MESSAGE_HEADER &&
             message->length == MESSAGE_HEADER + (sam_get32(message->data) & 0xffffff);
    return taken;
}

/* The handshake messages of a record in clear: a record may hold several, or a part of one (RFC
 * 8446, section 5.1). */
static void tell_handshake(FILE *out, struct sam_tap_tls *tls, unsigned number,
                           const uint8_t *bytes, size_t length, bool brief) {
    struct sam_tap_tls_side *side = &tls->sides[number];
    size_t told = 0;
    while (length > 0) {
        bool whole = false;
        size_t taken = gather(side, bytes, length, &whole);
        bytes += taken;
        length -= taken;
        size_t claimed =
            side->message.length == MESSAGE_HEADER ? sam_get32(side->message.data) & 0xffffff : 0;
        if (claimed > MESSAGE_MAX) {
            const struct sam_tap_tls_message large = {
                .type = side->message.data[0], .length = MESSAGE_HEADER + claimed, .large = true};
            tell_message(out, &large, told++, brief);
            side->skipped = claimed;
            sam_bytes_free(&side->message);
        } else if (whole) {
            const struct sam_tap_tls_message message =
                learn(tls, number, side->message.data, side->message.length);
            tell_message(out, &message, told++, brief);
            sam_bytes_free(&side->message);
        }
    }
    if (told == 0)
        fputs(brief ? ": part of a message" : "\n  part of a message", out);
    size_t most = brief ? 1 : SHOWN;
    if (told > most)
        fprintf(out, "%s and %zu more", brief ? "" : "\n ", told - most);
}

/* What is behind a header, by its type. */
static void tell_content(FILE *out, struct sam_tap_tls *tls, unsigned number, const uint8_t *record,
                         size_t length, bool brief) {
    struct sam_tap_tls_side *side = &tls->sides[number];
    const uint8_t *content = record + SAM_TAP_TLS_HEADER_SIZE;
    size_t size = length - SAM_TAP_TLS_HEADER_SIZE;
    /* In TLS 1.3 a record that is encrypted calls itself application data, and a change cipher spec
     * means nothing (RFC 8446, section 5 and appendix D.4). */
    bool encrypted = side->changed && tls->version != SAM_TAP_TLS_1_3;
    switch (record[0]) {
    case APPLICATION_DATA:
        if (side->data_records < SAM_TAP_TLS_SIZES)
            side->sizes[side->data_records] = (uint16_t)length;
        side->data_records++;
        side->data_bytes += length;
        break;
    case CHANGE_CIPHER_SPEC:
        if (size == 1 && content[0] == 1)
            side->changed = true;
        else
            fputs(", malformed", out);
        break;
    case ALERT:
        if (encrypted)
            fputs(", encrypted", out);
        else
            sam_tap_tls_show_alert(out, content, size);
        break;
    default:
        if (encrypted)
            fputs(", encrypted", out);
        else
            tell_handshake(out, tls, number, content, size, brief);
    }
}

void sam_tap_tls_tell(FILE *out, struct sam_tap_tls *tls, unsigned side, const uint8_t *record,
                      size_t length, bool brief) {
    static const char *const types[] = {"change cipher spec", "alert", "handshake",
                                        "application data"};
    size_t whole = sam_tap_tls_length(record, length);
    tls->sides[side].bytes += length;
    if (whole == 0 || length < SAM_TAP_TLS_HEADER_SIZE) {
        fprintf(out, "%s, %zu bytes\n", whole == 0 ? "no TLS record" : "part of a TLS record",
                length);
        return;
    }
    tls->sides[side].records++;
    fprintf(out, "TLS %s, %zu", types[record[0] - CHANGE_CIPHER_SPEC], length);
    if (length < whole) {
        fprintf(out, " of %zu bytes: it was cut short\n", whole);
        return;
    }
    fputs(" bytes", out);
    tell_content(out, tls, side, record, length, brief);
    fputc('\n', out);
}

static void sum_up_side(FILE *out, const char *who, const struct sam_tap_tls_side *side) {
    fprintf(out, "  %-12s %llu records, %llu bytes; called application data: %llu\n", who,
            (unsigned long long)side->records, (unsigned long long)side->bytes,
            (unsigned long long)side->data_records);
    if (side->data_records == 0)
        return;
    fprintf(out, "  %-12s ", "  their sizes");
    for (size_t i = 0; i < SAM_TAP_TLS_SIZES && i < side->data_records; i++)
        fprintf(out, "%s%u", i > 0 ? " " : "", (unsigned)side->sizes[i]);
    if (side->data_records > SAM_TAP_TLS_SIZES)
        fputs(" ...", out);
    fprintf(out, "\n  %-12s %llu bytes\n", "  together", (unsigned long long)side->data_bytes);
}

/* Whose certificates were there to be seen. */
static void sum_up_certificate(FILE *out, const struct sam_tap_tls *tls, unsigned side) {
    fprintf(out, "  %-12s ", side == 0 ? "client cert" : "server cert");
    if (tls->sides[side].certified)
        sam_tap_tls_show_chain(out, &tls->sides[side].chain);
    else if (tls->version == SAM_TAP_TLS_1_3)
        fprintf(out, "not seen: TLS 1.3 encrypts it%s", side == 0 ? ", if there is one" : "");
    else
        fputs("none was shown", out);
    fputc('\n', out);
}

void sam_tap_tls_summary(FILE *out, const struct sam_tap_tls *tls, int64_t microseconds) {
    const struct sam_tap_tls_side *client = &tls->sides[0], *server = &tls->sides[1];
    const char *suite = sam_tap_tls_suite(tls->suite);
    bool sealed =
        client->changed || server->changed || client->data_records > 0 || server->data_records > 0;
    fprintf(out, "what TLS did not hide, in %lld.%03lld seconds\n",
            (long long)(microseconds / 1000000), (long long)(microseconds / 1000 % 1000));
    fprintf(out, "  %-12s ", "agreed");
    if (tls->version == 0)
        fputs("nothing: no ServerHello", out);
    else
        fprintf(out, "%s, 0x%04X%s%s", sam_tap_tls_version(tls->version), tls->suite,
                suite != NULL ? " " : "", suite != NULL ? suite : "");
    fprintf(out, "\n  %-12s ", "server name");
    sam_tap_tls_show_text(out, tls->name, tls->name_length, SAM_TAP_TLS_COLUMNS);
    fputs(tls->name_length == 0 ? "not named\n" : "\n", out);
    sum_up_certificate(out, tls, 1);
    if (client->certified || tls->version == SAM_TAP_TLS_1_3)
        sum_up_certificate(out, tls, 0);
    sum_up_side(out, "client sent", client);
    sum_up_side(out, "server sent", server);
    fputs("  as ever      both addresses and ports, when who spoke, and how much\n", out);
    fprintf(out, "  %-12s %s\n", "hidden",
            !sealed                           ? "nothing: no encryption began"
            : tls->version == SAM_TAP_TLS_1_3 ? "what was said, and the handshake after ServerHello"
                                              : "what was said");
    if (sealed && sam_tap_tls_is_static(tls->suite))
        fputs("               but not for ever: the server's private key opens all of it\n", out);
}

void sam_tap_tls_free(struct sam_tap_tls *tls) {
    sam_bytes_free(&tls->sides[0].message);
    sam_bytes_free(&tls->sides[1].message);
}
