/* A wiretap in front of TLS: the records pass as they come, are told, kept and attacked, and what
 * the openssl command says to itself through it shows what TLS does not hide. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "commands.h"
#include "instruments.h"
#include "tapping.h"
#include "tls_samples.h"

#define DATA "\x17\3\3\0\4data"
#define DATA_SIZE (sizeof(DATA) - 1)

static void send_sample(int from, int to, const struct tls_sample *sample) {
    write_raw(from, sample->data, sample->length);
    expect_bytes(to, sample->data, sample->length);
}

START_TEST(records_pass_byte_by_byte) {
    struct ends ends;
    open_ends(&ends, modes[0], NONE);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < tls_samples[k].length; i++) {
            write_raw(k == 0 ? ends.near : ends.far, tls_samples[k].data + i, 1);
            expect_bytes(k == 0 ? ends.far : ends.near, tls_samples[k].data + i, 1);
        }
    struct run_result told = close_ends(&ends, 1);
    assert_told(&told, "#1 client 1: TLS handshake, 261 bytes: ClientHello for localhost\n", 1);
    assert_told(&told, "#1 server 1: TLS handshake, 127 bytes: ServerHello, TLS 1.3, 0x1302\n", 1);
    assert_told(&told, "#1 what TLS did not hide, in ", 1);
    assert_told(&told, "attack", 0);
    run_result_free(&told);
}
END_TEST

START_TEST(what_begins_like_a_record_and_is_none_passes_unseen) {
    static const uint8_t begins[][6] = {
        {22, 3, 3, 0xff, 0xff, 0}, {22, 2, 3, 0, 1, 0}, {21, 3, 9, 0, 2, 0}, {23, 3, 3, 0, 1, 0}};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        struct ends ends;
        open_ends(&ends, modes[0], NONE);
        for (size_t k = 0; k < sizeof begins[i]; k++) {
            write_raw(ends.near, begins[i] + k, 1);
            expect_bytes(ends.far, begins[i] + k, 1);
        }
        send_sample(ends.near, ends.far, &tls_samples[0]);
        struct run_result told = close_ends(&ends, 1);
        assert_told(&told, "no unit of this protocol", 1);
        assert_told(&told, "TLS", 0);
        run_result_free(&told);
    }
}
END_TEST

START_TEST(what_follows_a_record_and_is_none_passes_unseen) {
    struct ends ends;
    open_ends(&ends, modes[0], RULES("--drop", "2", "--replay", "3"));
    send_sample(ends.near, ends.far, &tls_samples[0]);
    write_raw(ends.near, "SAME", 4);
    expect_bytes(ends.far, (const uint8_t *)"SAME", 4);
    send_sample(ends.near, ends.far, &tls_samples[0]);
    struct run_result told = close_ends(&ends, 1);
    assert_told(&told, "#1 client 2: no TLS record, 4 bytes\n  what follows passes unseen\n", 1);
    assert_told(&told, "attack", 0);
    run_result_free(&told);
}
END_TEST

/* What a plain server says to a client that wants TLS. */
START_TEST(one_side_may_speak_tls_alone) {
    struct ends ends;
    uint8_t greeting[SAMPLE_MAX];
    size_t length = make_sample(greeting, SAM_GREETING, modes[0], 1);
    open_ends(&ends, modes[0], NONE);
    send_sample(ends.near, ends.far, &tls_samples[0]);
    write_raw(ends.far, greeting, length);
    expect_bytes(ends.near, greeting, length);
    struct run_result told = close_ends(&ends, 1);
    assert_told(&told, "#1 server 0: greeting, mode 1, 64 bytes\n", 1);
    assert_told(&told, "  agreed       nothing: no ServerHello\n", 1);
    run_result_free(&told);
}
END_TEST

START_TEST(rules_count_records) {
    struct ends ends;
    uint8_t changed[] = DATA;
    open_ends(&ends, modes[0],
              RULES("--drop", "2", "--replay", "3", "--envelope", "4", "--flip", "5"));
    send_sample(ends.near, ends.far, &tls_samples[0]);
    for (int i = 2; i <= 5; i++)
        write_raw(ends.near, DATA, DATA_SIZE);
    changed[5] ^= 1;
    expect_bytes(ends.far, (const uint8_t *)DATA DATA, 2 * DATA_SIZE);
    expect_bytes(ends.far, changed, DATA_SIZE);
    expect_bytes(ends.far, (const uint8_t *)DATA, DATA_SIZE);
    send_sample(ends.far, ends.near, &tls_samples[1]);
    struct run_result told = close_ends(&ends, 1);
    assert_told(&told, "#1 client 2: TLS application data, 9 bytes\n  attack: dropped\n", 1);
    assert_told(&told, "#1 client 3: TLS application data, 9 bytes\n  attack: sent twice\n", 1);
    assert_told(&told, "  attack: turned over bit 0 of \"byte\" at offset 5\n", 1);
    assert_told(&told, "attack: ", 3);
    assert_told(&told, "do nothing", 0);
    run_result_free(&told);
}
END_TEST

START_TEST(a_server_s_records_are_attacked_from_1_on) {
    struct ends ends;
    open_ends(&ends, modes[0],
              RULES("--side", "server", "--drop", "1", "--envelope", "0", "--truncate", "1"));
    write_raw(ends.far, tls_samples[1].data, tls_samples[1].length);
    write_raw(ends.far, DATA, DATA_SIZE);
    expect_bytes(ends.near, (const uint8_t *)DATA, DATA_SIZE);
    struct run_result told = close_ends(&ends, 1);
    assert_told(&told, "attack: dropped\n", 1);
    assert_told(&told, "attack: ", 1);
    run_result_free(&told);
}
END_TEST

START_TEST(rules_that_do_nothing_to_tls_are_told_at_its_start) {
    static const char line[] =
        "#1 client: TLS, where names of fields and --replay-new do nothing\n";
    static const char *const rules[][2] = {{"--flip", "sequence"}, {"--replay-new", "1"}};
    for (size_t i = 0; i < 2; i++) {
        struct ends ends;
        open_ends(&ends, modes[0], RULES(rules[i][0], rules[i][1]));
        send_sample(ends.near, ends.far, &tls_samples[0]);
        send_sample(ends.far, ends.near, &tls_samples[1]);
        struct run_result told = close_ends(&ends, 1);
        assert_told(&told, line, 1);
        const char *said = strstr((const char *)told.out.data, line);
        ck_assert_ptr_nonnull(strstr(said, "#1 client 1: "));
        assert_told(&told, "attack: nothing done: it has no field called \"sequence\"\n", i == 0);
        assert_told(&told, "on the new connection", 0);
        run_result_free(&told);
    }
}
END_TEST

static bool holds(const struct sam_bytes *file, const uint8_t *data, size_t length) {
    for (size_t i = 0; i + length <= file->length; i++)
        if (memcmp(file->data + i, data, length) == 0)
            return true;
    return false;
}

START_TEST(records_are_kept) {
    struct ends ends;
    open_ends(&ends, modes[0],
              RULES("--save", in_place("kept"), "--pcap", in_place("capture"), "--envelope", "1",
                    "--set", "1=09"));
    write_raw(ends.near, tls_samples[0].data, tls_samples[0].length);
    expect_bytes(ends.far, (const uint8_t *)"\x16\x09", 2);
    send_sample(ends.far, ends.near, &tls_samples[1]);
    struct run_result told = close_ends(&ends, 1);
    run_result_free(&told);
    struct sam_bytes capture = read_file(in_place("capture"));
    const char *const names[] = {"kept/1-client-1.tls", "kept/1-server-1.tls"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t *copy = own_copy(tls_samples[i].data, tls_samples[i].length);
        const struct sam_bytes sample = {copy, tls_samples[i].length, tls_samples[i].length};
        assert_file(in_place(names[i]), &sample);
        ck_assert(holds(&capture, sample.data, sample.length));
        free(copy);
    }
    ck_assert(exists(in_place("kept/1-client-1-changed.tls")));
    ck_assert_uint_eq(count_entries(in_place("kept")), 3);
    sam_bytes_free(&capture);
}
END_TEST

START_TEST(a_record_that_is_cut_is_told_at_the_end) {
    struct ends ends;
    open_ends(&ends, modes[0], NONE);
    write_raw(ends.near, tls_samples[0].data, 100);
    shutdown(ends.near, SHUT_WR);
    expect_bytes_and_end(ends.far, tls_samples[0].data, 100);
    struct run_result told = close_ends(&ends, 1);
    assert_told(&told, "#1 client 1: TLS handshake, 100 of 261 bytes: it was cut short\n", 1);
    assert_told(&told, "  server name  not named\n", 1);
    run_result_free(&told);
}
END_TEST

/* Whether there is an OpenSSL to talk through the wiretap, and it has made itself a certificate. */
static bool have_openssl(void) {
    struct run_result result = run(RULES("openssl", "version"), NULL, 0);
    bool here = result.code == 0 && count_text(&result.out, "OpenSSL 3") == 1;
    run_result_free(&result);
    if (!here)
        return false;
    result =
        run(RULES("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                  "/CN=localhost", "-keyout", in_place("key"), "-out", in_place("certificate")),
            NULL, 0);
    assert_code(&result, 0);
    run_result_free(&result);
    return true;
}

/* Starts openssl s_server, which turns every line around, serves one connection, and says where. */
static struct process start_tls_server(struct server_process *at, const char *version) {
    static const char word[] = "ACCEPT 127.0.0.1:";
    struct process process =
        start(RULES("openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-rev",
                    "-cert", in_place("certificate"), "-key", in_place("key"), version),
              NULL, 0);
    int64_t deadline = sam_now() + PATIENT;
    *at = (struct server_process){.mode = modes[0]};
    snprintf(at->folder, sizeof at->folder, "%s", lab);
    while (at->port == 0) {
        struct sam_bytes said = process_out(&process);
        const char *found = strstr((const char *)said.data, word);
        if (found != NULL && strchr(found, '\n') != NULL)
            at->port = (uint16_t)strtoul(found + sizeof word - 1, NULL, 10);
        sam_bytes_free(&said);
        ck_assert_msg(at->port != 0 || (nap_until(deadline) && !has_ended(&process)),
                      "openssl s_server does not listen");
    }
    return process;
}

/* What the wiretap tells of one connection between openssl and openssl. */
static struct run_result overhear(const char *version, const char *const rules[]) {
    struct server_process at, tap;
    char to[32];
    struct process server = start_tls_server(&at, version);
    start_wiretap(&tap, &at, rules);
    snprintf(to, sizeof to, "127.0.0.1:%u", (unsigned)tap.port);
    struct run_result client =
        run(RULES("openssl", "s_client", "-connect", to, "-servername", "localhost", version),
            "a secret word\n", 14);
    struct run_result told = stop_wiretap(&tap, 1), said = finish(&server);
    run_result_free(&client);
    run_result_free(&said);
    assert_columns(&told.out);
    assert_told(&told, "secret", 0);
    return told;
}

START_TEST(tls_1_3_hides_the_certificate_and_not_the_name) {
    if (!have_openssl())
        return;
    struct run_result told = overhear("-tls1_3", NONE);
    assert_told(&told, "ClientHello for localhost\n", 1);
    assert_told(&told, ": ServerHello, TLS 1.3, 0x13", 1);
    assert_told(&told, ": Certificate", 0);
    assert_told(&told, "  server name  localhost\n", 1);
    assert_told(&told, "  server cert  not seen: TLS 1.3 encrypts it\n", 1);
    assert_told(&told, "TLS application data, 36 bytes\n", 1); /* 14, a type, a tag, a header */
    run_result_free(&told);
}
END_TEST

START_TEST(tls_1_2_shows_both) {
    if (!have_openssl())
        return;
    struct run_result told = overhear("-tls1_2", NONE);
    assert_told(&told, "ClientHello for localhost\n", 1);
    assert_told(&told, ": ServerHello, TLS 1.2, 0x", 1);
    assert_told(&told, ": Certificate\n", 1);
    assert_told(&told, "  server cert  in clear: 1 certificate(s), bytes: ", 1);
    assert_told(&told, ", encrypted\n", 3); /* both Finished, and the client's close notify */
    run_result_free(&told);
}
END_TEST

/* One bit of what the client says first under its new keys. */
START_TEST(a_changed_record_ends_tls) {
    if (!have_openssl())
        return;
    struct run_result told = overhear("-tls1_3", RULES("--envelope", "3", "--flip", "20"));
    assert_told(&told, "  attack: turned over bit 0 of \"byte\" at offset 20\n", 1);
    assert_told(&told, "#1 server ends\n", 1);
    run_result_free(&told);
}
END_TEST

TCase *wiretap_tls_case(void) {
    TCase *tls = tcase_create("wiretap tls");
    tcase_set_timeout(tls, TEST_SECONDS);
    tcase_add_unchecked_fixture(tls, make_lab, remove_lab);
    tcase_add_checked_fixture(tls, set_up_place, tear_down_place);
    tcase_add_test(tls, records_pass_byte_by_byte);
    tcase_add_test(tls, what_begins_like_a_record_and_is_none_passes_unseen);
    tcase_add_test(tls, what_follows_a_record_and_is_none_passes_unseen);
    tcase_add_test(tls, one_side_may_speak_tls_alone);
    tcase_add_test(tls, rules_count_records);
    tcase_add_test(tls, a_server_s_records_are_attacked_from_1_on);
    tcase_add_test(tls, rules_that_do_nothing_to_tls_are_told_at_its_start);
    tcase_add_test(tls, records_are_kept);
    tcase_add_test(tls, a_record_that_is_cut_is_told_at_the_end);
    tcase_add_test(tls, tls_1_3_hides_the_certificate_and_not_the_name);
    tcase_add_test(tls, tls_1_2_shows_both);
    tcase_add_test(tls, a_changed_record_ends_tls);
    return tls;
}
