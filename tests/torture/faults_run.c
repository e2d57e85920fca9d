#include "faults.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    MESSAGE_SIZE = 100000,
    WRONG_TOLD = 10,                  /* of the runs that went wrong, so many in full */
    BUSY_SECONDS = 5 + 55 * SANITIZED /* of a processor, which nothing here needs */
};

struct sam_bytes long_text;
struct fault_board *board;
struct server_process live;

bool have_shim(void) {
    const char *shim = getenv("SAM_SHIM");
    if (shim == NULL || access(shim, R_OK) != 0)
        fprintf(stderr, "torture: faults: skipped, for want of the shim ($SAM_SHIM)\n");
    else if (strpbrk(shim, " :") != NULL) /* which part the names in LD_PRELOAD */
        fprintf(stderr, "torture: faults: skipped: the folder's path has a blank or a colon\n");
    else
        return true;
    return false;
}

static void map_board(void) {
    int fd = open(in_place("board"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, sizeof *board), 0);
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(board, MAP_FAILED);
    ck_assert_int_eq(close(fd), 0);
    board->call = FAULT_CALL_COUNT;
}

/* What start starts from now on has the shim, which a sanitizer need not be loaded before. What
 * libcrypto itself loses when it finds no memory is no leak of ours: it is forgiven where the
 * memory is refused to it, too. */
static void preload(bool forgiving) {
    char text[PATH_MAX + 64];
    const char *told = getenv("ASAN_OPTIONS");
    setenv("SAM_FAULT_BOARD", in_place("board"), 1);
    setenv("LD_PRELOAD", getenv("SAM_SHIM"), 1);
    if (told == NULL || strstr(told, "verify_asan_link_order") == NULL) {
        snprintf(text, sizeof text, "%.*s:verify_asan_link_order=0", PATH_MAX - 1,
                 told == NULL ? "" : told);
        setenv("ASAN_OPTIONS", text, 1);
    }
    snprintf(text, sizeof text, "suppressions=%.*s:print_suppressions=0", PATH_MAX - 1,
             in_place("lost"));
    if (forgiving)
        setenv("LSAN_OPTIONS", text, 1);
}

static void preload_nothing(void) {
    unsetenv("LD_PRELOAD");
    unsetenv("LSAN_OPTIONS");
}

/* A test may go to another folder. */
static void make_absolute(const char *variable) {
    char path[PATH_MAX];
    const char *now = getenv(variable);
    if (now != NULL && realpath(now[0] != '\0' ? now : ".", path) != NULL)
        setenv(variable, path, 1);
}

void set_up_faults(void) {
    static const char lost[] = "leak:libcrypto\nleak:libssl\n";
    make_absolute("SAM_BIN");
    make_absolute("SAM_BUILD");
    make_absolute("SAM_SHIM");
    set_up_pairs();
    write_file(in_place("lost"), 0600, lost, strlen(lost));
    map_board();
    ck_status(sam_bytes_reserve(&long_text, MESSAGE_SIZE), SAM_OK);
    for (size_t i = 0; i < MESSAGE_SIZE; i++)
        long_text.data[i] = (uint8_t)("abcdefghijklmnopqrstuvwxyz\n"[(i * i / 7) % 27]);
    long_text.length = MESSAGE_SIZE;
    write_file(in_place("message"), 0600, long_text.data, long_text.length);
    const char *const words[] = {program_in("tools", "sam"),
                                 "seal",
                                 "--keys",
                                 keys,
                                 "--mode",
                                 "2",
                                 "--from",
                                 "client",
                                 "--to",
                                 "server",
                                 "--out",
                                 in_place("envelope"),
                                 in_place("message"),
                                 NULL};
    struct run_result result = run(words, NULL, 0);
    assert_code(&result, 0);
    run_result_free(&result);
}

void tear_down_faults(void) {
    munmap(board, sizeof *board);
    sam_bytes_free(&long_text);
    tear_down_place();
}

const char *program_in(const char *folder, const char *program) {
    static char paths[4][PATH_MAX];
    static size_t turn;
    const char *base = getenv(strcmp(folder, "examples") == 0 ? "SAM_BUILD" : "SAM_BIN");
    char *path = paths[turn = (turn + 1) % 4];
    snprintf(path, PATH_MAX, "%s/%s/%s", base != NULL && base[0] != '\0' ? base : ".", folder,
             program);
    return path;
}

void start_live(bool with_shim) {
    char seconds[8];
    snprintf(seconds, sizeof seconds, "%d", LIVE_SECONDS);
    if (with_shim)
        preload(true);
    start_server(&live, &sam_mode_asymmetric_symmetric, keys, "--timeout", seconds, NULL);
    preload_nothing();
}

void stop_live(void) {
    stop_server_well(&live);
}

/* Whether a temporary file was left there. */
static bool has_left(const char *folder) {
    DIR *listing = opendir(folder);
    const struct dirent *entry;
    bool left = false;
    while (listing != NULL && (entry = readdir(listing)) != NULL) {
        size_t length = strlen(entry->d_name);
        left = left || (length > 4 && strcmp(entry->d_name + length - 4, ".tmp") == 0);
    }
    if (listing != NULL)
        closedir(listing);
    return left;
}

const char *judge_ending(const struct run_result *result) {
    if (result->code < SAM_EXIT_OK || result->code > SAM_EXIT_KEYS)
        return "no status that is documented";
    if (result->code != SAM_EXIT_OK && count_text(&result->err, ": ") == 0)
        return "no sentence";
    if (has_left(place) || has_left(keys))
        return "a temporary file is left";
    return NULL;
}

void tell_wrong(struct outcomes *outcomes, const char *subject, const char *order, const char *what,
                const struct run_result *result) {
    if (outcomes->wrong++ < WRONG_TOLD)
        fprintf(stderr, "%s, SAM_FAULT=%s: %s; exit code %d; it said:\n%s", subject,
                order == NULL ? "" : order, what, result->code, (const char *)result->err.data);
}

static double processor_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Once a server listens it is told to stop. */
static void stop_when_ready(const struct process *process) {
    int64_t deadline = sam_now() + PATIENT / 2;
    while (access(in_place("port"), R_OK) != 0 && !has_ended(process) && nap_until(deadline))
        continue;
    kill(process->pid, SIGTERM);
}

void try_subject(const struct subject *subject, const char *order, unsigned number,
                 struct outcomes *outcomes) {
    const char *words[FAULT_WORDS] = {NULL};
    subject->prepare(words, number);
    ck_assert(fault_order(board, order != NULL ? order : "malloc:0:none"));
    double before = processor_seconds();
    preload(order != NULL && strncmp(order, "malloc:", 7) == 0);
    struct process process = start(words, NULL, 0);
    preload_nothing();
    if (subject->serves)
        stop_when_ready(&process);
    struct run_result result = finish(&process);
    const char *wrong = judge_ending(&result);
    if (wrong == NULL)
        wrong = subject->judge(&result, number);
    if (wrong == NULL && processor_seconds() - before > BUSY_SECONDS)
        wrong = "it was busy without an end";
    if (wrong != NULL)
        tell_wrong(outcomes, subject->name, order, wrong, &result);
    else if (result.code == SAM_EXIT_OK)
        outcomes->harmless++;
    else
        outcomes->told++;
    run_result_free(&result);
}

unsigned long count_calls(const struct subject *subject, const char *function) {
    struct outcomes outcomes = {0};
    char order[64];
    snprintf(order, sizeof order, "%s:0:none", function);
    try_subject(subject, order, 0, &outcomes);
    ck_assert_msg(outcomes.harmless == 1, "%s does not work when nothing fails", subject->name);
    return board->count;
}

void try_calls(const struct subject *subject, const char *function, const char *action,
               unsigned long calls, unsigned long most, struct outcomes *outcomes) {
    unsigned long runs = calls < most ? calls : most;
    for (unsigned long i = 0; i < runs; i++) {
        char order[64];
        unsigned long first = runs < calls ? runs / 4 : runs;
        unsigned long nth =
            i < first ? i + 1 : calls - (runs - 1 - i) * (calls - first) / (runs - first);
        snprintf(order, sizeof order, "%s:%lu:%s", function, nth, action);
        try_subject(subject, order, (unsigned)(i + 1), outcomes);
    }
}

void tell_outcomes(const struct outcomes *outcomes, const char *format, ...) {
    va_list arguments;
    char what[FAULT_TEXT];
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    fprintf(stderr, "torture: faults: %s: %u without harm, %u told with a sentence and a status",
            what, outcomes->harmless, outcomes->told);
    fprintf(stderr, outcomes->wrong > 0 ? ", %u WRONG\n" : "\n", outcomes->wrong);
    ck_assert_msg(outcomes->wrong == 0, "%s: %u of them went wrong", what, outcomes->wrong);
}
