#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

const struct sam_mode *const modes[2] = {&sam_mode_asymmetric_only, &sam_mode_asymmetric_symmetric};

const char *vectors_folder(void) {
    const char *folder = getenv("SAM_VECTORS");
    return folder != NULL ? folder : "tests/vectors";
}

struct sam_bytes read_file(const char *path) {
    struct sam_bytes bytes = {0};
    int fd = open(path, O_RDONLY);
    ck_assert_msg(fd >= 0, "cannot open %s", path);
    ck_status(sam_file_read(fd, (size_t)1 << 30, &bytes), SAM_OK);
    close(fd);
    return bytes;
}

struct sam_bytes read_vector(const char *name) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", vectors_folder(), name);
    return read_file(path);
}

bool is_file(const char *path, const void *data, size_t length) {
    struct sam_bytes file = read_file(path);
    bool same = file.length == length && memcmp(file.data, data, length) == 0;
    sam_bytes_free(&file);
    return same;
}

void write_file(const char *path, mode_t permissions, const void *data, size_t length) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, permissions);
    ck_assert_msg(fd >= 0, "cannot make %s", path);
    ck_assert_int_eq(fchmod(fd, permissions), 0);
    ck_status(sam_file_write(fd, data, length), SAM_OK);
    ck_assert_int_eq(close(fd), 0);
}

void make_folder(char *path) {
    const char *base = getenv("TMPDIR");
    snprintf(path, PATH_MAX, "%s/check_sam.XXXXXX", base != NULL ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(path));
}

static int remove_entry(const char *path, const struct stat *entry, int kind, struct FTW *walk) {
    (void)entry, (void)kind, (void)walk;
    return remove(path);
}

void remove_folder(const char *path) {
    ck_assert_int_eq(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

size_t count_entries(const char *path) {
    size_t count = 0;
    DIR *listing = opendir(path);
    ck_assert_ptr_nonnull(listing);
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(listing);
    return count;
}

/* Of a file without a name, as POSIX has it. */
void *shared_memory(size_t size) {
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(ftruncate(fileno(file), (off_t)size), 0);
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    ck_assert(shared != MAP_FAILED);
    fclose(file);
    return shared;
}

struct people people;

static void load_person(struct sam_key *key, const char *name) {
    char private_name[128];
    snprintf(private_name, sizeof private_name, "%s.private.pem", name);
    struct sam_bytes pem = read_vector(private_name);
    ck_status(sam_rsa_read_private(&key->rsa, pem.data, pem.length, NULL), SAM_OK);
    ck_status(sam_rsa_id(key->rsa, people.crypto, key->id), SAM_OK);
    snprintf(key->name, sizeof key->name, "%s", name);
    sam_bytes_free(&pem);
}

void load_people(void) {
    static const char *const names[] = {"alice", "bob", "carol"};
    ck_status(sam_crypto_new(&people.crypto), SAM_OK);
    load_person(&people.alice, "alice");
    load_person(&people.bob, "bob");
    load_person(&people.carol, "carol");
    load_person(&people.mallory, "mallory");
    people.trusted.keys = calloc(3, sizeof *people.trusted.keys);
    ck_assert_ptr_nonnull(people.trusted.keys);
    people.trusted.count = 3;
    for (size_t i = 0; i < 3; i++)
        ck_status(sam_key_load_public(&people.trusted.keys[i], people.crypto, vectors_folder(),
                                      names[i], NULL),
                  SAM_OK);
}

void free_people(void) {
    sam_key_free(&people.alice);
    sam_key_free(&people.bob);
    sam_key_free(&people.carol);
    sam_key_free(&people.mallory);
    sam_ring_free(&people.trusted);
    sam_crypto_free(people.crypto);
}

const struct sam_key *person(const char *name) {
    const struct sam_key *all[] = {&people.alice, &people.bob, &people.carol, &people.mallory};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    ck_abort_msg("nobody is called %s", name);
    return NULL;
}
