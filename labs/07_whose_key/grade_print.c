#include "grade_print.h"

#include <stdio.h>
#include <string.h>

#include "../tests/support.h"
#include "box.h"
#include "grader.h"
#include "show.h"

const char *whose_key_show(char out[SHOWN_MAX], const char *text) {
    memset(out, 0, SHOWN_MAX);
    FILE *stream = fmemopen(out, SHOWN_MAX - 1, "w");
    ck_assert_ptr_nonnull(stream);
    sam_show_text(stream, (const uint8_t *)text, strlen(text), TEXT_SIZE);
    fclose(stream);
    return out;
}

void whose_key_expect(const char *what, const char *wanted, const char *got) {
    char sentence[2 * SHOWN_MAX], shown[SHOWN_MAX];
    snprintf(sentence, sizeof sentence, "%s \"%s\"", what, whose_key_show(shown, wanted));
    if (strcmp(wanted, got) != 0)
        lose(sentence, "\"%s\"", whose_key_show(shown, got));
}

/* What goes into fingerprint() and comes out of it. */
struct printing {
    struct message pem;
    enum sam_status status;
    char print[SAM_FINGERPRINT_SIZE];
};

static void call_fingerprint(void *shared) {
    struct printing *printing = shared;
    printing->status = STUDENT(fingerprint)(printing->print, people.crypto, &printing->pem);
}

/* wanted is "" when the text is not one public key. */
static void expect_print(const char *text, const char *wanted) {
    struct printing *printing = box_shared(sizeof *printing);
    printing->pem.length = strlen(text);
    ck_assert_uint_le(printing->pem.length, MESSAGE_MAX);
    memcpy(printing->pem.data, text, printing->pem.length);
    memset(printing->print, '?', sizeof printing->print);
    box_call("fingerprint", call_fingerprint, printing);
    printing->print[SAM_FINGERPRINT_SIZE - 1] = '\0';
    whose_key_expect("the fingerprint", wanted, printing->print);
    if ((printing->status == SAM_OK) != (wanted[0] != '\0'))
        lose(wanted[0] != '\0' ? "OK" : "a failure", "%s", sam_status_name(printing->status));
}

void whose_key_has_one_print(void) {
    static const char *const keys[][2] = {
        {"alice", ALICES}, {"bob", BOBS}, {"carol", CAROLS}, {"mallory", MALLORYS}};
    char text[MESSAGE_MAX];
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct sam_bytes pem = {0};
        ck_status(sam_rsa_write_public(person(keys[i][0])->rsa, &pem), SAM_OK);
        ck_status(sam_bytes_append(&pem, "", 1), SAM_OK);
        tell("fingerprint() gets the key of %s, then the same laid out otherwise.", keys[i][0]);
        expect_print((char *)pem.data, keys[i][1]);
        int length = snprintf(text, sizeof text, "Our key:\r\n");
        for (char *line = strtok((char *)pem.data, "\n"); line != NULL; line = strtok(NULL, "\n"))
            length += snprintf(text + length, sizeof text - (size_t)length, "%s  \r\n", line);
        expect_print(text, keys[i][1]);
        sam_bytes_free(&pem);
    }
    tell("fingerprint() gets nothing, then a text that is no key, then two keys.");
    expect_print("", "");
    expect_print("Our key:\n", "");
    struct sam_bytes two = {0};
    ck_status(sam_rsa_write_public(people.alice.rsa, &two), SAM_OK);
    ck_status(sam_rsa_write_public(people.mallory.rsa, &two), SAM_OK);
    ck_status(sam_bytes_append(&two, "", 1), SAM_OK);
    expect_print((char *)two.data, "");
    sam_bytes_free(&two);
}
