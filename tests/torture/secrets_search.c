#include "secrets.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"
#include "peer.h"

static const uint8_t mask[8] = {0x5a, 0xc3, 0x96, 0x0f, 0xe1, 0x78, 0x2d, 0xb4};

void secret_draw(struct secret *secret, const char *name, size_t length) {
    ck_assert_uint_le(length, SECRET_MAX);
    *secret = (struct secret){.name = name, .length = length};
    ck_status(sam_random(secret->masked, length), SAM_OK);
}

void secret_draw_text(struct secret *secret, const char *name, size_t length) {
    secret_draw(secret, name, length);
    for (size_t i = 0; i < length; i++)
        secret->masked[i] = (uint8_t)('a' + secret->masked[i] % 26) ^ mask[i % 8];
}

void secret_hide(struct secret *secret, const char *name, const void *bytes, size_t length) {
    ck_assert_uint_le(length, SECRET_MAX);
    *secret = (struct secret){.name = name, .length = length};
    for (size_t i = 0; i < length; i++)
        secret->masked[i] = ((const volatile uint8_t *)bytes)[i] ^ mask[i % 8];
}

void secret_reveal(const struct secret *secret, void *out) {
    for (size_t i = 0; i < secret->length; i++)
        ((volatile uint8_t *)out)[i] = secret->masked[i] ^ mask[i % 8];
}

void secret_passphrase(const struct secret *secret, struct sam_passphrase *out) {
    *out = (struct sam_passphrase){.length = secret->length};
    secret_reveal(secret, out->text);
}

bool secret_is(const struct secret *secret, const void *bytes, size_t length) {
    uint8_t other = length != secret->length;
    for (size_t i = 0; i < length && i < secret->length; i++)
        other |= ((const volatile uint8_t *)bytes)[i] ^ mask[i % 8] ^ secret->masked[i];
    return other == 0;
}

struct aside *new_aside(void) {
    return shared_memory(sizeof(struct aside));
}

void run_aside(void (*work)(struct aside *aside), struct aside *aside) {
    int how = 0;
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        work(aside);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &how, 0), pid);
    ck_assert_msg(WIFEXITED(how) && WEXITSTATUS(how) == 0, "what was worked out aside failed");
}

/* The pieces that are looked for: 8 bytes each, masked, one behind the other, so that every 15
 * bytes of a secret hold one. known has a bit for the first two bytes of each. */
enum { PIECE = 8, PIECES_MAX = SECRET_MAX / PIECE * 2, KNOWN = 65536 };
struct piece {
    uint64_t masked;
    const struct secret *secret;
    size_t offset;
};
struct pieces {
    struct piece all[PIECES_MAX];
    size_t count, found;
    uint8_t known[KNOWN];
    char first[PATH_MAX]; /* where that was */
};
static struct pieces pieces;

static uint64_t load(const uint8_t *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static void add_secret(const struct secret *secret) {
    for (size_t at = 0; at + PIECE <= secret->length; at += PIECE) {
        ck_assert_uint_lt(pieces.count, PIECES_MAX);
        uint64_t masked = load(secret->masked + at);
        pieces.all[pieces.count++] = (struct piece){masked, secret, at};
        pieces.known[masked % KNOWN] = 1;
    }
}

static void add_secrets(const struct aside *aside) {
    memset(&pieces, 0, sizeof pieces);
    add_secret(&aside->letter);
    add_secret(&aside->passphrase);
    for (size_t i = 0; i < sizeof aside->salts / sizeof aside->salts[0]; i++)
        add_secret(&aside->salts[i]);
    for (size_t i = 0; i < sizeof aside->keys / sizeof aside->keys[0]; i++)
        add_secret(&aside->keys[i]);
}

static void found(const struct piece *piece, uintptr_t address, const char *where) {
    if (pieces.found++ == 0)
        snprintf(pieces.first, sizeof pieces.first, "%s, byte %zu of it, at %#" PRIxPTR " in %s",
                 piece->secret->name, piece->offset, address, where);
}

static void search_bytes(const uint8_t *bytes, size_t length, uintptr_t address,
                         const char *where) {
    const uint64_t over = load(mask);
    for (size_t i = 0; i + PIECE <= length; i++) {
        uint64_t masked = load(bytes + i) ^ over;
        if (!pieces.known[masked % KNOWN])
            continue;
        for (size_t k = 0; k < pieces.count; k++)
            if (pieces.all[k].masked == masked)
                found(&pieces.all[k], address + i, where);
    }
}

/* What the search itself writes to, and leaves out. stack gets the registers too, as they were when
 * the search began: those change with the next call, and are no memory. */
static struct {
    uint8_t window[1 << 20];
    uint8_t stack[1 << 18];
} own;

/* Searches one mapping; returns how much of it could be read. */
static size_t search_mapping(int memory, uintptr_t start, uintptr_t end, const char *where) {
    size_t searched = 0;
    for (uintptr_t at = start; at < end;) {
        size_t size = end - at < sizeof own.window ? end - at : sizeof own.window;
        ssize_t n = pread(memory, own.window, size, (off_t)at);
        if (n <= 0)
            break;
        search_bytes(own.window, (size_t)n, at, where);
        searched += (size_t)n;
        /* What lies over the border of two windows is seen in the next. */
        at += (size_t)n > PIECE && at + (size_t)n < end ? (size_t)n - (PIECE - 1) : (size_t)n;
    }
    memset(own.window, 0, sizeof own.window);
    return searched;
}

/* All but our own. */
static size_t search_around(int memory, uintptr_t start, uintptr_t end, bool ours,
                            const char *where) {
    uintptr_t first = (uintptr_t)&own, last = first + sizeof own;
    if (!ours || end <= first || start >= last)
        return search_mapping(memory, start, end, where);
    return search_mapping(memory, start, first, where) + search_mapping(memory, last, end, where);
}

/* Shared by all tests, which are processes. */
struct searches {
    size_t operations, bytes, left;
};
static struct searches *searches;

/* What is searched, and for what. */
static struct {
    pid_t pid;
    const struct aside *aside;
} asked;

static void search_now(void) {
    pid_t pid = asked.pid;
    char path[64], line[PATH_MAX], rights[8];
    uintptr_t start, end;
    snprintf(path, sizeof path, "/proc/%ld/maps", (long)pid);
    FILE *maps = fopen(path, "r");
    snprintf(path, sizeof path, "/proc/%ld/mem", (long)pid);
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(maps != NULL && memory >= 0, "cannot read %s", path);
    add_secrets(asked.aside);
    while (fgets(line, sizeof line, maps) != NULL)
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &start, &end, rights) == 3 &&
            rights[0] == 'r' && rights[1] == 'w')
            searches->bytes += search_around(memory, start, end, pid == getpid(), line);
    fclose(maps);
    close(memory);
}

/* The search has a stack of its own: on ours it would overwrite what it looks for. */
static void search_on_signal(int number) {
    (void)number;
    search_now();
}

static void prepare_stack(void) {
    const stack_t other = {.ss_sp = own.stack, .ss_size = sizeof own.stack};
    struct sigaction action = {.sa_handler = search_on_signal, .sa_flags = SA_ONSTACK};
    ck_assert_int_eq(sigaltstack(&other, NULL), 0);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

size_t search(pid_t pid, const struct aside *aside) {
    asked.pid = pid;
    asked.aside = aside;
    raise(SIGUSR1);
    return pieces.found;
}

void assert_nothing_left(const struct aside *aside, const char *what) {
    searches->operations++;
    size_t left = search(getpid(), aside);
    searches->left += left;
    ck_assert_msg(left == 0, "%s leaves %zu pieces; the first: %s", what, left, pieces.first);
}

void assert_nothing_left_of(pid_t pid, const struct aside *aside, const char *what) {
    int64_t deadline = sam_now() + 2 * SAM_SECOND;
    searches->operations++;
    size_t left = search(pid, aside);
    while (left > 0 && nap_until(deadline))
        left = search(pid, aside);
    searches->left += left;
    ck_assert_msg(left == 0, "%s leaves %zu pieces; the first: %s", what, left, pieces.first);
}

void open_searches(void) {
    searches = shared_memory(sizeof *searches);
    prepare_stack();
}

void tell_searches(void) {
    fprintf(stderr,
            "torture: secrets: %zu operations, %zu MiB of memory searched, %zu copies of key, "
            "letter, passphrase left\n",
            searches->operations, searches->bytes >> 20, searches->left);
    munmap(searches, sizeof *searches);
}

bool can_search(void) {
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    const char *why = SANITIZED    ? "a sanitizer keeps what was freed"
                      : memory < 0 ? "the system shows no /proc/self/mem"
                                   : NULL;
    if (memory >= 0)
        close(memory);
    if (why != NULL)
        fprintf(stderr, "torture: secrets: memory is not searched: %s\n", why);
    return why == NULL;
}
