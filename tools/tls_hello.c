#include "tls_hello.h"

#include <string.h>

enum { RANDOM_SIZE = 32, SESSION_ID_MAX = 32 };

/* Extensions that are read, as IANA numbers them; a bit of each says that it has come. */
enum { SERVER_NAME = 0, ALPN = 16, SUPPORTED_VERSIONS = 43 };

/* The random bytes of a ServerHello that is a HelloRetryRequest: SHA-256 of that word (RFC 8446,
 * section 4.1.3). */
static const uint8_t again[RANDOM_SIZE] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* What is left to be read. Reading more than there is makes it bad for good, and empty, so that one
 * question at the end is enough. */
struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static const uint8_t *take(struct reader *reader, size_t length) {
    const uint8_t *taken = reader->at;
    if (length > reader->left) {
        *reader = (struct reader){.bad = true};
        return NULL;
    }
    if (length > 0)
        reader->at += length;
    reader->left -= length;
    return taken;
}

/* A big-endian number of size bytes, at most 3; 0 when it is not there. */
static size_t take_number(struct reader *reader, size_t size) {
    const uint8_t *bytes = take(reader, size);
    size_t number = 0;
    for (size_t i = 0; bytes != NULL && i < size; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* A vector: its length in size bytes, then so many bytes (RFC 8446, section 3.4). */
static struct reader take_vector(struct reader *reader, size_t size) {
    size_t length = take_number(reader, size);
    const uint8_t *bytes = take(reader, length);
    struct reader part = {bytes, length, false};
    if (reader->bad)
        part = (struct reader){.bad = true};
    return part;
}

/* Whether it was read to its end, and no further. */
static bool is_done(const struct reader *reader) {
    return !reader->bad && reader->left == 0;
}

/* A list of host names, of which there is one (RFC 6066, section 3). */
static bool read_server_name(struct sam_tap_tls_hello *hello, struct reader data) {
    struct reader list = take_vector(&data, 2);
    size_t type = take_number(&list, 1);
    struct reader name = take_vector(&list, 2);
    hello->server_name = (struct sam_tap_tls_span){name.at, name.left};
    return type == 0 && name.left > 0 && is_done(&list) && is_done(&data);
}

static bool read_protocols(struct sam_tap_tls_hello *hello, struct reader data) {
    struct reader list = take_vector(&data, 2);
    hello->protocols = (struct sam_tap_tls_span){list.at, list.left};
    bool any = list.left > 0;
    while (!list.bad && list.left > 0)
        if (take_vector(&list, 1).left == 0)
            return false;
    return any && is_done(&list) && is_done(&data);
}

static void add_version(struct sam_tap_tls_hello *hello, size_t version) {
    if (hello->version_count < SAM_TAP_TLS_VERSIONS)
        hello->versions[hello->version_count] = (uint16_t)version;
    hello->version_count++;
}

/* Takes the place of the version at the beginning of a hello, which is 1.2 in a 1.3 one. */
static bool read_versions(struct sam_tap_tls_hello *hello, struct reader data, bool client) {
    struct reader list = client ? take_vector(&data, 1) : data;
    if (list.bad || list.left == 0 || list.left % 2 != 0 ||
        (client ? data.left != 0 : list.left != 2))
        return false;
    hello->version_count = 0;
    while (list.left > 0)
        add_version(hello, take_number(&list, 2));
    return true;
}

/* What stands behind all else in a hello, and may be missing there. */
static bool read_extensions(struct sam_tap_tls_hello *hello, struct reader *reader, bool client) {
    uint64_t come = 0;
    if (reader->left == 0)
        return !reader->bad;
    struct reader list = take_vector(reader, 2);
    while (!list.bad && list.left > 0) {
        size_t type = take_number(&list, 2);
        struct reader data = take_vector(&list, 2);
        if (list.bad || (type < 64 && come >> type & 1))
            return false;
        come |= type < 64 ? (uint64_t)1 << type : 0;
        /* A server says with an empty one that it has heeded the name. */
        bool fine = type == SERVER_NAME          ? !client || read_server_name(hello, data)
                    : type == ALPN               ? read_protocols(hello, data)
                    : type == SUPPORTED_VERSIONS ? read_versions(hello, data, client)
                                                 : true;
        if (!fine)
            return false;
    }
    return is_done(&list) && is_done(reader);
}

static bool finish(struct sam_tap_tls_hello *out, bool fine) {
    if (!fine)
        *out = (struct sam_tap_tls_hello){0};
    return fine;
}

bool sam_tap_tls_read_client_hello(struct sam_tap_tls_hello *out, const uint8_t *body,
                                   size_t length) {
    struct reader reader = {body, length, false};
    *out = (struct sam_tap_tls_hello){0};
    add_version(out, take_number(&reader, 2));
    take(&reader, RANDOM_SIZE);
    struct reader session = take_vector(&reader, 1);
    struct reader suites = take_vector(&reader, 2);
    struct reader compressions = take_vector(&reader, 1);
    out->suite_count = suites.left / 2;
    bool fine = !reader.bad && session.left <= SESSION_ID_MAX && suites.left > 0 &&
                suites.left % 2 == 0 && compressions.left > 0;
    return finish(out, fine && read_extensions(out, &reader, true));
}

bool sam_tap_tls_read_server_hello(struct sam_tap_tls_hello *out, const uint8_t *body,
                                   size_t length) {
    struct reader reader = {body, length, false};
    *out = (struct sam_tap_tls_hello){0};
    add_version(out, take_number(&reader, 2));
    const uint8_t *random = take(&reader, RANDOM_SIZE);
    struct reader session = take_vector(&reader, 1);
    out->suite = (uint16_t)take_number(&reader, 2);
    take_number(&reader, 1); /* compression */
    out->again = random != NULL && memcmp(random, again, RANDOM_SIZE) == 0;
    bool fine = !reader.bad && session.left <= SESSION_ID_MAX;
    return finish(out, fine && read_extensions(out, &reader, false));
}

bool sam_tap_tls_read_chain(struct sam_tap_tls_chain *out, const uint8_t *body, size_t length) {
    struct reader reader = {body, length, false};
    struct reader list = take_vector(&reader, 3);
    *out = (struct sam_tap_tls_chain){0};
    bool fine = is_done(&reader);
    while (fine && list.left > 0) {
        struct reader certificate = take_vector(&list, 3);
        fine = !list.bad && certificate.left > 0;
        if (out->count < SAM_TAP_TLS_CERTIFICATES)
            out->sizes[out->count] = certificate.left;
        out->count++;
    }
    if (!fine)
        *out = (struct sam_tap_tls_chain){0};
    return fine;
}
