/* A folder of keys: names and contents that somebody else chose.
 *
 * An input is a run of entries: the length of a name, the name, what the entry is, and for a file
 * with contents of its own their length and they. */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "fuzzing.h"
#include "keys.h"

enum { ENTRIES = 6, NAME_MOST = 90 };
enum {
    ALICE,
    BOB,
    CAROL,
    MALLORY,
    A_PAIR,
    A_SHOWN_PAIR,
    A_FOLDER,
    A_FIFO,
    A_LINK,
    EMPTY,
    OWN_CONTENT,
    KINDS
};

static char folder[256];
static struct sam_bytes pems[A_PAIR + 1];

static void remove_folder(void) {
    rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    static const char *const files[] = {"alice.public.pem", "bob.public.pem", "carol.public.pem",
                                        "mallory.public.pem", "alice.private.pem"};
    const char *base = getenv("TMPDIR");
    (void)argc, (void)argv;
    load_people();
    for (size_t i = 0; i <= A_PAIR; i++)
        pems[i] = read_vector(files[i]);
    int n = snprintf(folder, sizeof folder, "%s/fuzz_sam.XXXXXX", base != NULL ? base : "/tmp");
    require(n > 0 && (size_t)n < sizeof folder && mkdtemp(folder) != NULL &&
            atexit(remove_folder) == 0);
    return 0;
}

static void write_entry(const char *path, mode_t permissions, const uint8_t *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, permissions);
    if (fd < 0) /* no name of a file */
        return;
    require(sam_file_write(fd, data, size) == SAM_OK && close(fd) == 0);
}

/* Takes the next entry of the input and makes it. False when there can be none of that name. */
static bool make_entry(char path[PATH_MAX], char name[NAME_MOST + 1], const uint8_t **data,
                       size_t *size) {
    size_t length = take_byte(data, size) % NAME_MOST;
    for (size_t i = 0; i <= NAME_MOST; i++)
        name[i] = i < length ? (char)take_byte(data, size) : '\0';
    unsigned kind = take_byte(data, size) % KINDS;
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    struct stat there;
    if (name[0] == '\0' || strchr(name, '/') != NULL || lstat(path, &there) == 0)
        return false;
    if (kind <= A_SHOWN_PAIR) {
        const struct sam_bytes *pem = &pems[kind < A_PAIR ? kind : A_PAIR];
        write_entry(path, kind == A_PAIR ? 0600 : 0640, pem->data, pem->length);
    } else if (kind == OWN_CONTENT) {
        size_t most = take_byte(data, size), own = most < *size ? most : *size;
        write_entry(path, 0600, *data, own);
        *data += own;
        *size -= own;
    } else if (kind == EMPTY) {
        write_entry(path, 0640, NULL, 0);
    } else {
        int made = kind == A_FOLDER ? mkdir(path, 0700)
                   : kind == A_FIFO ? mkfifo(path, 0600)
                                    : symlink("nowhere", path);
        require(made == 0);
    }
    return lstat(path, &there) == 0;
}

/* What a name is, said another way. */
static bool is_name(const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        char c = text[i], lower = (char)(c | 0x20);
        bool letter = lower >= 'a' && lower <= 'z', digit = c >= '0' && c <= '9';
        if (!letter && !digit && c != '.' && c != '_' && c != '-')
            return false;
    }
    return length >= 1 && length <= 64 && text[0] != '.';
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), size = strlen(end);
    return length > size && strcmp(text + length - size, end) == 0;
}

/* A ring has every public key that is not hidden, once, under a good name; or it is none. */
static void load_ring(size_t expected) {
    struct sam_ring ring;
    struct sam_where where;
    enum sam_status status = sam_ring_load(&ring, people.crypto, folder, &where);
    if (status != SAM_OK) {
        require(ring.keys == NULL && ring.count == 0 && memchr(where.text, '\0', 512) != NULL);
        require(strncmp(where.text, folder, strlen(folder)) == 0);
        return;
    }
    require(ring.count == expected);
    for (size_t i = 0; i < ring.count; i++) {
        require(is_name(ring.keys[i].name) &&
                sam_ring_find(&ring, ring.keys[i].id) == &ring.keys[i]);
        require(i == 0 || strcmp(ring.keys[i - 1].name, ring.keys[i].name) < 0);
    }
    sam_ring_free(&ring);
}

/* Loads a pair by the name of an entry; only a file that nobody else can read may be one. */
static void load_pair(const char *path, const char *name) {
    struct sam_key key;
    struct stat file;
    char stem[NAME_MOST + 1];
    snprintf(stem, sizeof stem, "%s", name);
    require(sam_name_is_valid(stem) == is_name(stem));
    if (!ends_with(name, ".private.pem"))
        return;
    stem[strlen(name) - strlen(".private.pem")] = '\0';
    enum sam_status status = sam_key_load_private(&key, people.crypto, folder, stem, NULL, NULL);
    if (status == SAM_OK)
        require(stat(path, &file) == 0 && S_ISREG(file.st_mode) && (file.st_mode & 077) == 0 &&
                strcmp(key.name, stem) == 0 && is_name(stem));
    else
        require(key.rsa == NULL && key.name[0] == '\0');
    require(is_name(stem) || status == SAM_NAME);
    sam_key_free(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char paths[ENTRIES][PATH_MAX];
    char names[ENTRIES][NAME_MOST + 1];
    size_t count = 0, public_keys = 0;
    while (size > 0 && count < ENTRIES)
        count += make_entry(paths[count], names[count], &data, &size);
    for (size_t i = 0; i < count; i++) {
        public_keys += names[i][0] != '.' && ends_with(names[i], ".public.pem");
        load_pair(paths[i], names[i]);
    }
    load_ring(public_keys);
    for (size_t i = 0; i < count; i++)
        require(remove(paths[i]) == 0);
    return 0;
}
