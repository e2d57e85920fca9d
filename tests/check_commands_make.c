/* Tests of the makefiles as a student uses them: make run-client hands a text over as typed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"

/* place is made to look like the project's folder, built: the makefiles, the programs behind links,
 * and older objects, so that make has nothing to do and touches nothing of the real folder. */
static void copy_file(const char *path) {
    struct sam_bytes bytes = read_file(path);
    write_file(in_place(path), 0644, bytes.data, bytes.length);
    sam_bytes_free(&bytes);
}

static void make_folder_in_place(const char *name) {
    ck_assert_int_eq(mkdir(in_place(name), 0700), 0);
}

static void make_old_file(const char *path) {
    const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    write_file(in_place(path), 0600, "", 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, in_place(path), old, 0), 0);
}

/* A program that is built, in its place in the folder. */
static void link_program(const char *folder, const char *program) {
    const char *base = getenv("SAM_BIN");
    char path[PATH_MAX], target[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/%s", base != NULL && base[0] != '\0' ? base : ".", folder,
             program);
    ck_assert_msg(realpath(path, target) != NULL, "there is no %s", path);
    snprintf(path, sizeof path, "%s/%s", folder, program);
    ck_assert_int_eq(symlink(target, in_place(path)), 0);
}

static void set_up_mode(const char *mode) {
    static const char *const objects[] = {"client.o", "server.o", "seal.o"};
    char path[PATH_MAX];
    make_folder_in_place(mode);
    snprintf(path, sizeof path, "%s/Makefile", mode);
    copy_file(path);
    link_program(mode, "client");
    link_program(mode, "server");
    snprintf(path, sizeof path, "build/%s", mode);
    make_folder_in_place(path);
    for (int i = 0; i < COUNT(objects); i++) {
        snprintf(path, sizeof path, "build/%s/%s", mode, objects[i]);
        make_old_file(path);
    }
}

static void set_up_project(void) {
    set_up_pairs();
    copy_file("Makefile");
    make_folder_in_place("shared");
    copy_file("shared/mode.mk");
    copy_file("shared/run.mk");
    make_folder_in_place("tests");
    copy_file("tests/check.mk");
    make_folder_in_place("labs");
    copy_file("labs/labs.mk");
    make_folder_in_place("build");
    make_old_file("build/libsam.a");
    make_folder_in_place("tools");
    for (int m = 0; m < COUNT(modes); m++)
        set_up_mode(modes[m]->name);
    link_program("tools", "sam");
}

/* Where make is called: in the folder, or in that of the mode. */
enum { FROM_TOP, FROM_MODE, FROM_ENVIRONMENT, WAYS };

/* What a make above this test, or a person's shell, may have left in the environment. */
static const char *const inherited[] = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEFILES", "BUILD",
                                        "BIN",       "MODE",   "MSG",       "CMD",       "PORT"};

static struct run_result make(int way, const struct sam_mode *mode, const char *goal,
                              const char *variable, const char *port) {
    char mode_word[64], port_word[32], folder[2 * PATH_MAX];
    snprintf(mode_word, sizeof mode_word, "MODE=%s", mode->name);
    snprintf(port_word, sizeof port_word, "PORT=%s", port);
    snprintf(folder, sizeof folder, "%s/%s", place, way == FROM_MODE ? mode->name : "");
    const char *argv[48] = {"env"};
    size_t count = 1;
    for (int i = 0; i < COUNT(inherited); i++) {
        argv[count++] = "-u";
        argv[count++] = inherited[i];
    }
    if (way == FROM_ENVIRONMENT)
        argv[count++] = variable;
    argv[count++] = "make";
    argv[count++] = "--no-print-directory";
    argv[count++] = "-C";
    argv[count++] = folder;
    argv[count++] = goal;
    argv[count++] = port_word;
    if (way != FROM_MODE)
        argv[count++] = mode_word;
    if (way != FROM_ENVIRONMENT)
        argv[count++] = variable;
    return run(argv, NULL, 0);
}

/* What is typed behind MSG=, and the line that the server shows. make itself drops blanks at the
 * start of a value, wherever it comes from on its command line. */
static const struct {
    const char *typed, *shown;
} texts[] = {
    {"hello", "hello"},
    {"", ""},
    {"two  words and a blank at the end ", "two  words and a blank at the end "},
    {"\"double\" and 'single' and `ticks`", "\"double\" and 'single' and `ticks`"},
    {"it's \"", "it's \""},
    {"$HOME $$ ${x} $(MAKE) $@ $", "$HOME $$ ${x} $(MAKE) $@ $"},
    {"$(shell touch owned) $(error no) $(info no)", "$(shell touch owned) $(error no) $(info no)"},
    {"`touch owned`; touch owned & | > owned", "`touch owned`; touch owned & | > owned"},
    {"back\\slash \\n \\\\ \\", "back\\slash \\n \\\\ \\"},
    {"100% %s %d # not a comment", "100% %s %d # not a comment"},
    {"one\ntwo\n", "one\\x0atwo\\x0a"},
    {"a\\\nb", "a\\\\x0ab"},
    {"--help", "--help"},
    {"--", "--"},
    {"a=b := c", "a=b := c"},
    {"gr\xc3\xbc\xc3\x9f dich \033[31m!", "gr\xc3\xbc\xc3\x9f dich \\x1b[31m!"},
    {"* ? [a-z] ~ {a,b} !", "* ? [a-z] ~ {a,b} !"},
};

START_TEST(make_run_client_sends_a_text_as_it_was_typed) {
    struct server_process server;
    struct sam_bytes expected = {0};
    char port[8], variable[128];
    int way = _i % WAYS;
    start_server(&server, modes[_i / WAYS], keys, "--quiet", NULL);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    for (int i = 0; i < COUNT(texts); i++) {
        snprintf(variable, sizeof variable, "MSG=%s", texts[i].typed);
        struct run_result result = make(way, server.mode, "run-client", variable, port);
        assert_code(&result, 0);
        assert_text(&result.out, "");
        assert_says(&result, "client: delivered");
        run_result_free(&result);
        ck_status(sam_bytes_append(&expected, texts[i].shown, strlen(texts[i].shown)), SAM_OK);
        ck_status(sam_bytes_append(&expected, "\n", 1), SAM_OK);
    }
    ck_status(sam_bytes_append(&expected, "", 1), SAM_OK);
    struct run_result stopped = stop_server(&server);
    assert_text(&stopped.out, (const char *)expected.data);
    run_result_free(&stopped);
    sam_bytes_free(&expected);
    ck_assert(!exists(in_place("owned")) && !exists("owned"));
}
END_TEST

START_TEST(make_run_client_asks_for_the_servers_message) {
    struct server_process server;
    char port[8];
    start_server(&server, modes[_i / 2], keys, NULL);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    struct run_result result = make(_i % 2, server.mode, "run-client", "CMD=recv_msg", port);
    assert_code(&result, 0);
    assert_text(&result.out, "This is a message from the server!");
    ck_assert_uint_eq(count_verdicts(&result.err, "freshness", "passed"), 1);
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

/* The server of make run-server finds the port taken: so it used PORT, and the keys of the folder.
 */
START_TEST(make_run_server_listens_on_port) {
    struct server_process server;
    char port[8], address[64];
    start_server(&server, modes[_i / 2], keys, NULL);
    snprintf(port, sizeof port, "%u", (unsigned)server.port);
    snprintf(address, sizeof address, "server: 127.0.0.1:%s: ", port);
    struct run_result result = make(_i % 2, server.mode, "run-server", "MSG=unused", port);
    ck_assert_int_ne(result.code, 0);
    assert_says(&result, address);
    run_result_free(&result);
    stop_server_well(&server);
}
END_TEST

START_TEST(make_keys_makes_the_pair_that_is_missing_and_no_other) {
    struct sam_bytes pem = read_vector("bob.private.pem");
    ck_assert_int_eq(unlink(in_keys("client.private.pem")), 0);
    ck_assert_int_eq(unlink(in_keys("client.public.pem")), 0);
    struct run_result result = make(_i, modes[_i], "keys", "MSG=unused", "1");
    assert_code(&result, 0);
    assert_says(&result, "client.private.pem");
    ck_assert_uint_eq(count_entries(keys), 4);
    assert_file(in_keys("server.private.pem"), &pem);
    run_result_free(&result);
    result = make(_i, modes[_i], "keys", "MSG=unused", "1");
    assert_code(&result, 0);
    assert_text(&result.out, "");
    assert_text(&result.err, "");
    run_result_free(&result);
    sam_bytes_free(&pem);
}
END_TEST

TCase *make_case(void) {
    TCase *tcase = tcase_create("make");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, set_up_project, tear_down_place);
    tcase_add_loop_test(tcase, make_run_client_sends_a_text_as_it_was_typed, 0,
                        WAYS * COUNT(modes));
    tcase_add_loop_test(tcase, make_run_client_asks_for_the_servers_message, 0, 4);
    tcase_add_loop_test(tcase, make_run_server_listens_on_port, 0, 4);
    tcase_add_loop_test(tcase, make_keys_makes_the_pair_that_is_missing_and_no_other, 0, 2);
    return tcase;
}
