#include "tls_names.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct name {
    unsigned number;
    const char *text;
};

static const struct name versions[] = {
    {0x0300, "SSL 3.0"},          {0x0301, "TLS 1.0"},          {0x0302, "TLS 1.1"},
    {SAM_TAP_TLS_1_2, "TLS 1.2"}, {SAM_TAP_TLS_1_3, "TLS 1.3"},
};

/* Of some three hundred those that OpenSSL offers by itself, and the static ones beside them. */
static const struct name suites[] = {
    {0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA"},
    {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"},
    {0x003C, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
    {0x003D, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
    {0x009C, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009D, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    {0x1301, "TLS_AES_128_GCM_SHA256"},
    {0x1302, "TLS_AES_256_GCM_SHA384"},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
    {0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {0xC02C, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
};

static const struct name messages[] = {
    {0, "HelloRequest"},        {1, "ClientHello"},      {2, "ServerHello"},
    {4, "NewSessionTicket"},    {11, "Certificate"},     {12, "ServerKeyExchange"},
    {13, "CertificateRequest"}, {14, "ServerHelloDone"}, {15, "CertificateVerify"},
    {16, "ClientKeyExchange"},  {20, "Finished"},        {22, "CertificateStatus"},
};

static const struct name alerts[] = {
    {0, "close notify"},
    {10, "unexpected message"},
    {20, "bad record MAC"},
    {22, "record overflow"},
    {40, "handshake failure"},
    {42, "bad certificate"},
    {43, "certificate of no use"},
    {44, "certificate revoked"},
    {45, "certificate expired"},
    {46, "certificate unknown"},
    {47, "illegal parameter"},
    {48, "unknown CA"},
    {49, "access denied"},
    {50, "decode error"},
    {51, "decrypt error"},
    {70, "protocol version"},
    {71, "insufficient security"},
    {80, "internal error"},
    {86, "inappropriate fallback"},
    {90, "user canceled"},
    {100, "no renegotiation"},
    {109, "missing extension"},
    {112, "unrecognized name"},
    {116, "certificate required"},
    {120, "no application protocol"},
};

static const char *find(const struct name *names, size_t count, unsigned number) {
    for (size_t i = 0; i < count; i++)
        if (names[i].number == number)
            return names[i].text;
    return NULL;
}

const char *sam_tap_tls_version(unsigned version) {
    const char *name = find(versions, COUNT(versions), version);
    return name != NULL ? name : "unknown";
}

const char *sam_tap_tls_suite(unsigned suite) {
    return find(suites, COUNT(suites), suite);
}

bool sam_tap_tls_is_static(unsigned suite) {
    static const char begin[] = "TLS_RSA_WITH_";
    const char *name = sam_tap_tls_suite(suite);
    return name != NULL && strncmp(name, begin, sizeof begin - 1) == 0;
}

void sam_tap_tls_show_text(FILE *out, const uint8_t *text, size_t length, size_t columns) {
    enum { ESCAPED = 4, ELLIPSIS = 3 };
    for (size_t i = 0; i < length; i++) {
        bool plain = text[i] > ' ' && text[i] <= '~' && text[i] != '\\';
        size_t width = plain ? 1 : ESCAPED;
        if (width + (i + 1 < length ? ELLIPSIS : 0) > columns) {
            fputs("...", out);
            return;
        }
        if (plain)
            fputc(text[i], out);
        else
            fprintf(out, "\\x%02x", text[i]);
        columns -= width;
    }
}

/* The names of ALPN, with a space between them. */
static void show_protocols(FILE *out, const char *what, const struct sam_tap_tls_span *list) {
    enum { MOST = 4 };
    size_t at = 0;
    if (list->data == NULL)
        return;
    fprintf(out, "\n    %s (ALPN):", what);
    for (size_t i = 0; i < MOST && at < list->length; i++) {
        size_t size = list->data[at++];
        fputc(' ', out);
        sam_tap_tls_show_text(out, list->data + at, size, SAM_TAP_TLS_COLUMNS / MOST - 2);
        at += size;
    }
    if (at < list->length)
        fputs(" ...", out);
}

void sam_tap_tls_show_chain(FILE *out, const struct sam_tap_tls_chain *chain) {
    fprintf(out, "in clear: %zu certificate(s)", chain->count);
    for (size_t i = 0; i < chain->count && i < SAM_TAP_TLS_CERTIFICATES; i++)
        fprintf(out, "%s%zu", i == 0 ? ", bytes: " : " ", chain->sizes[i]);
    if (chain->count > SAM_TAP_TLS_CERTIFICATES)
        fputs(" ...", out);
}

void sam_tap_tls_show_alert(FILE *out, const uint8_t *content, size_t length) {
    if (length != 2) {
        fputs(", malformed", out);
        return;
    }
    const char *level = content[0] == 1 ? "warning" : content[0] == 2 ? "fatal" : "of no level";
    const char *name = find(alerts, COUNT(alerts), content[1]);
    fprintf(out, ": %s, %u%s%s", level, content[1], name != NULL ? " " : "",
            name != NULL ? name : "");
}

static void show_client_hello(FILE *out, const struct sam_tap_tls_hello *hello) {
    fputs("\n    offers ", out);
    for (size_t i = 0; i < hello->version_count && i < SAM_TAP_TLS_VERSIONS; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", sam_tap_tls_version(hello->versions[i]));
    if (hello->version_count > SAM_TAP_TLS_VERSIONS)
        fputs(", ...", out);
    fprintf(out, "\n    and %zu cipher suite(s)\n    server name (SNI): ", hello->suite_count);
    if (hello->server_name.data == NULL)
        fputs("none", out);
    else
        sam_tap_tls_show_text(out, hello->server_name.data, hello->server_name.length,
                              SAM_TAP_TLS_COLUMNS);
    show_protocols(out, "protocols", &hello->protocols);
}

static void show_server_hello(FILE *out, const struct sam_tap_tls_hello *hello) {
    const char *suite = sam_tap_tls_suite(hello->suite);
    fprintf(out, "\n    chose %s\n    and cipher suite 0x%04X%s%s",
            sam_tap_tls_version(hello->versions[0]), hello->suite, suite != NULL ? " " : "",
            suite != NULL ? suite : "");
    show_protocols(out, "protocol", &hello->protocols);
    if (hello->again)
        fputs("\n    a HelloRetryRequest: the client is to begin once more", out);
    else if (hello->versions[0] == SAM_TAP_TLS_1_3)
        fputs("\n    what follows is encrypted, the server's certificate too", out);
}

/* Its name; false when there is no more to be told. */
static bool show_name(FILE *out, const struct sam_tap_tls_message *message) {
    const char *name = find(messages, COUNT(messages), message->type);
    bool read = message->type == SAM_TAP_TLS_CLIENT_HELLO ||
                message->type == SAM_TAP_TLS_SERVER_HELLO ||
                message->type == SAM_TAP_TLS_CERTIFICATE;
    if (name != NULL)
        fputs(name, out);
    else
        fprintf(out, "message of type %u", message->type);
    if (read && !message->fine && !message->large)
        fputs(", malformed", out);
    return message->fine;
}

void sam_tap_tls_show_brief(FILE *out, const struct sam_tap_tls_message *message) {
    enum { NAME_COLUMNS = 22 };
    const struct sam_tap_tls_hello *hello = &message->hello;
    fputs(": ", out);
    if (!show_name(out, message))
        return;
    if (message->type == SAM_TAP_TLS_SERVER_HELLO) {
        fprintf(out, ", %s, 0x%04X", sam_tap_tls_version(hello->versions[0]), hello->suite);
    } else if (message->type == SAM_TAP_TLS_CLIENT_HELLO && hello->server_name.data != NULL) {
        fputs(" for ", out);
        sam_tap_tls_show_text(out, hello->server_name.data, hello->server_name.length,
                              NAME_COLUMNS);
    }
}

void sam_tap_tls_show_message(FILE *out, const struct sam_tap_tls_message *message) {
    fputs("\n  ", out);
    bool more = show_name(out, message);
    fprintf(out, ", %zu bytes%s", message->length,
            message->large ? ", too large to be looked into" : "");
    if (!more)
        return;
    if (message->type == SAM_TAP_TLS_CLIENT_HELLO) {
        show_client_hello(out, &message->hello);
    } else if (message->type == SAM_TAP_TLS_SERVER_HELLO) {
        show_server_hello(out, &message->hello);
    } else {
        fputs("\n    ", out);
        sam_tap_tls_show_chain(out, &message->chain);
    }
}
