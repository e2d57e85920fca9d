/* What holds for every record of every session: as for envelopes in properties.c. */
#include <stdio.h>
#include <string.h>

#include "properties.h"

enum { TRIPS = 11, BITS = 12 }; /* of draws_of */
enum { LONGEST = 2 << 20, OF_A_SESSION = 10 };

/* A session, its two ends, and the record between them. */
struct drawn {
    struct sam_session sender, receiver;
    enum sam_kind kind;
    struct sam_bytes message, record;
};

static void begin_any(struct draws *draws, struct drawn *drawn) {
    struct sam_agreement agreement;
    bool client_sends = draw_below(draws, 2) == 0;
    draw_bytes(draws, (uint8_t *)&agreement, sizeof agreement);
    ck_status(sam_session_begin(&drawn->sender, people.crypto, client_sends, &agreement, LONGEST),
              SAM_OK);
    ck_status(
        sam_session_begin(&drawn->receiver, people.crypto, !client_sends, &agreement, LONGEST),
        SAM_OK);
    drawn->kind = client_sends ? SAM_KIND_SEND : SAM_KIND_REPLY;
}

/* Seals the session's next record, of a length below limit. */
static void seal_any(struct draws *draws, struct drawn *drawn, size_t limit) {
    size_t length = draw_below(draws, (size_t)1 << draw_below(draws, 22)) % limit;
    if (draw_below(draws, 4) == 0)
        length = draw_below(draws, 2);
    ck_status(sam_bytes_reserve(&drawn->message, length + 1), SAM_OK);
    drawn->message.length = length;
    draw_bytes(draws, drawn->message.data, length);
    ck_status(sam_bytes_reserve(&drawn->record, SAM_RECORD_OVERHEAD + length), SAM_OK);
    drawn->record.length = SAM_RECORD_OVERHEAD + length;
    memcpy(drawn->record.data + SAM_RECORD_SIZE, drawn->message.data, length);
    ck_status(sam_record_seal(&drawn->sender, drawn->kind, drawn->record.data, length), SAM_OK);
}

static void free_drawn(struct drawn *drawn) {
    sam_session_end(&drawn->sender);
    sam_session_end(&drawn->receiver);
    sam_bytes_free(&drawn->message);
    sam_bytes_free(&drawn->record);
}

/* Checks and opens a record that is here as a whole. One that claims more than there is would have
 * to wait for bytes that never come: SAM_CUT, as from a connection. */
static enum sam_status take(struct sam_session *receiver, struct sam_bytes *record) {
    uint32_t length = 0;
    enum sam_status status = sam_record_check(receiver, record->data, &length);
    if (status == SAM_OK && length > record->length - SAM_RECORD_SIZE)
        status = SAM_CUT;
    if (status == SAM_OK)
        status = sam_record_open(receiver, record->data, length);
    return status;
}

static void assert_comes_back(struct drawn *drawn) {
    ck_status(take(&drawn->receiver, &drawn->record), SAM_OK);
    ck_assert_mem_eq(drawn->record.data + SAM_RECORD_SIZE, drawn->message.data,
                     drawn->message.length);
}

START_TEST(records_come_back_as_they_went_in) {
    size_t count = cases(300), longest = 0;
    for (size_t i = 0; i < count; i++) {
        struct draws draws = draws_of(TRIPS, i);
        struct drawn drawn = {0};
        begin_any(&draws, &drawn);
        for (size_t n = 0; n < OF_A_SESSION; n++) {
            seal_any(&draws, &drawn, LONGEST);
            assert_comes_back(&drawn);
            if (drawn.message.length > longest)
                longest = drawn.message.length;
        }
        free_drawn(&drawn);
    }
    fprintf(stderr,
            "torture: properties: seed %llu, %zu records of %zu sessions, 0 to %zu bytes, came "
            "back as they went in\n",
            (unsigned long long)chance_seed(), count * OF_A_SESSION, count, longest);
}
END_TEST

static void assert_bit_refused(const struct drawn *drawn, struct sam_bytes *changed, size_t bit) {
    struct sam_session receiver = drawn->receiver;
    memcpy(changed->data, drawn->record.data, changed->length);
    changed->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    enum sam_status status = take(&receiver, changed);
    ck_assert_msg(status != SAM_OK, "seed %llu: bit %zu of a record of %zu bytes, and it opens",
                  (unsigned long long)chance_seed(), bit, changed->length);
    /* Where nothing was opened there is no message; the sealed one stays as it came. */
    uint32_t length = sam_get32(changed->data + 12);
    if (status == SAM_DECRYPT)
        ck_assert(sam_is_zero(changed->data + SAM_RECORD_SIZE, length - SAM_GCM_TAG_SIZE));
    ck_assert_mem_eq(&receiver.in, &drawn->receiver.in, sizeof receiver.in);
}

START_TEST(every_changed_bit_of_a_record_is_refused) {
    enum { SHORT = 64, EACH = 200 };
    size_t count = cases(100), changes = 0;
    for (size_t i = 0; i < count; i++) {
        struct draws draws = draws_of(BITS, i);
        struct drawn drawn = {0};
        begin_any(&draws, &drawn);
        for (size_t n = 0; n < 2; n++) { /* the second one's sequence is not 0 */
            seal_any(&draws, &drawn, i % 2 == 0 ? SHORT : 20000);
            size_t bits = 8 * drawn.record.length;
            struct sam_bytes changed = {0};
            ck_status(sam_bytes_append(&changed, drawn.record.data, bits / 8), SAM_OK);
            size_t tried = i % 2 == 0 ? bits : EACH;
            for (size_t k = 0; k < tried; k++)
                assert_bit_refused(&drawn, &changed, i % 2 == 0 ? k : draw_below(&draws, bits));
            changes += tried;
            sam_bytes_free(&changed);
            assert_comes_back(&drawn);
        }
        free_drawn(&drawn);
    }
    fprintf(stderr, "torture: properties: seed %llu, %zu changed bits of %zu records refused\n",
            (unsigned long long)chance_seed(), changes, 2 * count);
}
END_TEST

TCase *record_properties(void) {
    TCase *tcase = tcase_create("records");
    tcase_add_unchecked_fixture(tcase, load_people, free_people);
    tcase_set_timeout(tcase, TEST_SECONDS);
    tcase_add_test(tcase, records_come_back_as_they_went_in);
    tcase_add_test(tcase, every_changed_bit_of_a_record_is_refused);
    return tcase;
}
