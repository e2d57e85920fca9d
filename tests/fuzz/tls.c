/* TLS as the wiretap reads it. An input is what both sides say, record by record; the first byte
 * says which side says the first. */
#include <string.h>

#include "fuzzing.h"
#include "tls_records.h"

enum { COLUMNS = 80 };

/* Whole lines of printable ASCII, none longer than a terminal is wide. */
static void check_told(struct told *told) {
    size_t column = 0;
    finish_told(told);
    for (size_t i = 0; i < told->length; i++) {
        char c = told->text[i];
        require(c == '\n' || (c >= ' ' && c <= '~'));
        column = c == '\n' ? 0 : column + 1;
        require(column <= COLUMNS);
    }
    require(column == 0 && told->length > 0);
    free_told(told);
}

static void check_span(const struct sam_tap_tls_span *span, const uint8_t *data, size_t size) {
    if (span->data != NULL)
        require(span->data >= data && span->length <= size - (size_t)(span->data - data));
}

static void read_messages(const uint8_t *data, size_t size) {
    struct sam_tap_tls_hello hello;
    struct sam_tap_tls_chain chain;
    for (int k = 0; k < 2; k++) {
        bool fine = k == 0 ? sam_tap_tls_read_client_hello(&hello, data, size)
                           : sam_tap_tls_read_server_hello(&hello, data, size);
        require(fine == (hello.version_count > 0));
        check_span(&hello.server_name, data, size);
        check_span(&hello.protocols, data, size);
    }
    size_t all = 0;
    if (sam_tap_tls_read_chain(&chain, data, size))
        for (size_t i = 0; i < chain.count && i < SAM_TAP_TLS_CERTIFICATES; i++)
            all += chain.sizes[i] + 3;
    else
        require(chain.count == 0);
    require(all <= size);
}

static void tell_all(const uint8_t *data, size_t size, unsigned first, bool brief) {
    struct sam_tap_tls tls = {0};
    struct told told;
    for (unsigned side = first; size > 0; side = 1 - side) {
        size_t whole = sam_tap_tls_length(data, size);
        require(whole != 0 || !sam_tap_tls_begins(data, size));
        size_t length = whole == 0 || whole > size ? size : whole;
        uint8_t *record = own_copy(data, length);
        begin_told(&told);
        sam_tap_tls_tell(told.out, &tls, side, record, length, brief);
        check_told(&told);
        free(record);
        data += length;
        size -= length;
    }
    begin_told(&told);
    sam_tap_tls_summary(told.out, &tls, (int64_t)1 << 40);
    check_told(&told);
    sam_tap_tls_free(&tls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *body = own_copy(data, size);
    read_messages(body, size);
    free(body);
    unsigned first = take_byte(&data, &size) % 2;
    tell_all(data, size, first, false);
    tell_all(data, size, first, true);
    return 0;
}
