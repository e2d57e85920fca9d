#include "keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

/* Far above the largest key that is allowed (4096 bits: 3.3 KB), far below what would hurt. */
enum { KEY_FILE_MAX = 65536 };

#define PUBLIC_SUFFIX ".public.pem"
#define PRIVATE_SUFFIX ".private.pem"

bool sam_name_is_valid(const char *text) {
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strlen(text);
    return length >= 1 && length <= SAM_NAME_MAX && text[0] != '.' &&
           strspn(text, allowed) == length;
}

/* folder/NAMEsuffix into path, and into where. */
static enum sam_status key_path(char path[PATH_MAX], const char *folder, const char *name,
                                const char *suffix, struct sam_where *where) {
    if (!sam_name_is_valid(name)) {
        sam_where_set(where, "%s", name);
        return SAM_NAME;
    }
    int n = snprintf(path, PATH_MAX, "%s/%s%s", folder, name, suffix);
    sam_where_set(where, "%s", path);
    return n > 0 && n < PATH_MAX ? SAM_OK : SAM_FOLDER;
}

/* Appends a key file's bytes. Private ones must be closed to group and others. */
static enum sam_status read_key_file(struct sam_bytes *out, const char *path, bool is_private) {
    /* O_NONBLOCK: a FIFO in the folder must not hold up the program. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? SAM_KEY_MISSING : SAM_KEY_UNREADABLE;
    struct stat file;
    enum sam_status status = SAM_OK;
    if (fstat(fd, &file) != 0)
        status = SAM_KEY_UNREADABLE;
    else if (!S_ISREG(file.st_mode))
        status = SAM_KEY_NOT_FILE;
    else if (is_private && (file.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        status = SAM_KEY_EXPOSED;
    else
        status = sam_file_read(fd, KEY_FILE_MAX, out);
    close(fd);
    if (status == SAM_FILE_READ)
        return SAM_KEY_UNREADABLE;
    return status == SAM_TOO_LONG ? SAM_KEY_FORMAT : status;
}

enum sam_status sam_key_load_public(struct sam_key *out, struct sam_crypto *crypto,
                                    const char *folder, const char *name, struct sam_where *where) {
    *out = (struct sam_key){0};
    char path[PATH_MAX];
    struct sam_bytes pem = {0};
    enum sam_status status = key_path(path, folder, name, PUBLIC_SUFFIX, where);
    if (status == SAM_OK)
        status = read_key_file(&pem, path, false);
    if (status == SAM_OK)
        status = sam_rsa_read_public(&out->rsa, pem.data, pem.length);
    if (status == SAM_OK)
        status = sam_rsa_id(out->rsa, crypto, out->id);
    if (status == SAM_OK)
        memcpy(out->name, name, strlen(name) + 1);
    else
        sam_key_free(out);
    sam_bytes_free(&pem);
    return status;
}

/* A public key beside the private one is its other half, or somebody mixed up two pairs. */
static enum sam_status check_halves(const struct sam_key *pair, struct sam_crypto *crypto,
                                    const char *folder, struct sam_where *where) {
    struct sam_key half;
    enum sam_status status = sam_key_load_public(&half, crypto, folder, pair->name, where);
    if (status == SAM_KEY_MISSING)
        return SAM_OK;
    if (status == SAM_OK && !sam_equal(half.id, pair->id, sizeof half.id))
        status = SAM_KEY_HALVES;
    sam_key_free(&half);
    return status;
}

enum sam_status sam_key_load_private(struct sam_key *out, struct sam_crypto *crypto,
                                     const char *folder, const char *name,
                                     const struct sam_passphrase *passphrase,
                                     struct sam_where *where) {
    *out = (struct sam_key){0};
    char path[PATH_MAX];
    struct sam_bytes pem = {0};
    enum sam_status status = key_path(path, folder, name, PRIVATE_SUFFIX, where);
    if (status == SAM_OK)
        status = read_key_file(&pem, path, true);
    if (status == SAM_OK)
        status = sam_rsa_read_private(&out->rsa, pem.data, pem.length, passphrase);
    if (status == SAM_OK)
        status = sam_rsa_id(out->rsa, crypto, out->id);
    if (status == SAM_OK) {
        memcpy(out->name, name, strlen(name) + 1);
        status = check_halves(out, crypto, folder, where);
    }
    if (status != SAM_OK)
        sam_key_free(out);
    sam_bytes_free(&pem);
    return status;
}

void sam_key_free(struct sam_key *key) {
    sam_rsa_free(key->rsa);
    *key = (struct sam_key){0};
}

void sam_fingerprint(char out[SAM_FINGERPRINT_SIZE], const uint8_t id[SAM_KEY_ID_SIZE]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = out + snprintf(out, SAM_FINGERPRINT_SIZE, "SHA256:");
    for (size_t bit = 0; bit / 8 < SAM_KEY_ID_SIZE; bit += 6) {
        size_t byte = bit / 8;
        unsigned next = byte + 1 < SAM_KEY_ID_SIZE ? id[byte + 1] : 0;
        unsigned pair = (unsigned)id[byte] << 8 | next;
        *at++ = digits[pair >> (10 - bit % 8) & 63];
    }
    *at = '\0';
}

/* The NAME of NAME.public.pem; false for any other or hidden file. A name too long to be one is
 * cut one byte past the longest, so that loading it fails with SAM_NAME. */
static bool public_name(char name[SAM_NAME_MAX + 2], const char *file) {
    size_t length = strlen(file);
    size_t suffix = strlen(PUBLIC_SUFFIX);
    if (file[0] == '.' || length <= suffix || strcmp(file + length - suffix, PUBLIC_SUFFIX) != 0)
        return false;
    size_t taken = length - suffix < SAM_NAME_MAX + 1 ? length - suffix : SAM_NAME_MAX + 1;
    memcpy(name, file, taken);
    name[taken] = '\0';
    return true;
}

static enum sam_status ring_add(struct sam_ring *ring, struct sam_crypto *crypto,
                                const char *folder, const char *name, struct sam_where *where) {
    struct sam_key *grown = realloc(ring->keys, (ring->count + 1) * sizeof *grown);
    if (grown == NULL)
        return SAM_MEMORY;
    ring->keys = grown;
    struct sam_key *key = &grown[ring->count];
    enum sam_status status = sam_key_load_public(key, crypto, folder, name, where);
    if (status == SAM_NAME)
        sam_where_set(where, "%s/%s" PUBLIC_SUFFIX, folder, name);
    if (status != SAM_OK)
        return status;
    const struct sam_key *twin = sam_ring_find(ring, key->id);
    ring->count++;
    if (twin == NULL)
        return SAM_OK;
    sam_where_set(where, "%s/%s" PUBLIC_SUFFIX " and %s" PUBLIC_SUFFIX, folder, twin->name, name);
    return SAM_KEY_TWICE;
}

static int compare_names(const void *a, const void *b) {
    const struct sam_key *left = a, *right = b;
    return strcmp(left->name, right->name);
}

enum sam_status sam_ring_load(struct sam_ring *out, struct sam_crypto *crypto, const char *folder,
                              struct sam_where *where) {
    *out = (struct sam_ring){0};
    sam_where_set(where, "%s", folder);
    DIR *listing = opendir(folder);
    if (listing == NULL)
        return SAM_FOLDER;
    enum sam_status status = SAM_OK;
    while (status == SAM_OK) {
        char name[SAM_NAME_MAX + 2];
        errno = 0;
        const struct dirent *entry = readdir(listing);
        if (entry == NULL) {
            status = errno == 0 ? SAM_OK : SAM_FOLDER;
            break;
        }
        if (public_name(name, entry->d_name))
            status = ring_add(out, crypto, folder, name, where);
    }
    closedir(listing);
    if (status != SAM_OK)
        sam_ring_free(out);
    else if (out->count > 0)
        qsort(out->keys, out->count, sizeof *out->keys, compare_names);
    return status;
}

const struct sam_key *sam_ring_find(const struct sam_ring *ring,
                                    const uint8_t id[SAM_KEY_ID_SIZE]) {
    for (size_t i = 0; i < ring->count; i++)
        if (sam_equal(ring->keys[i].id, id, SAM_KEY_ID_SIZE))
            return &ring->keys[i];
    return NULL;
}

void sam_ring_free(struct sam_ring *ring) {
    for (size_t i = 0; i < ring->count; i++)
        sam_key_free(&ring->keys[i]);
    free(ring->keys);
    *ring = (struct sam_ring){0};
}

/* Whether a key file may be put at path: nothing may be there, or with replace another file. */
static enum sam_status check_place(const char *path, bool replace, struct sam_where *where) {
    struct stat there;
    if (lstat(path, &there) != 0 || (replace && S_ISREG(there.st_mode)))
        return SAM_OK;
    sam_where_set(where, "%s", path);
    return replace ? SAM_KEY_NOT_FILE : SAM_KEY_EXISTS;
}

/* Puts both files in their places, so that whoever is killed between two steps leaves a private
 * half alone, the old one or the new one, and never two that do not fit or a public one alone: the
 * private one can be used. Meanwhile the old public half lies aside. */
static enum sam_status place_pair(struct sam_staged *private_file, struct sam_staged *public_file,
                                  bool replace, struct sam_where *where) {
    char aside[PATH_MAX + 32];
    snprintf(aside, sizeof aside, "%s.%ld.old", public_file->path, (long)getpid());
    sam_where_set(where, "%s", public_file->path);
    if (replace && rename(public_file->path, aside) != 0 && errno != ENOENT)
        return SAM_FILE_WRITE;
    sam_where_set(where, "%s", private_file->path);
    enum sam_status status = sam_file_place(private_file, replace);
    if (status != SAM_OK) {
        int reason = errno;
        if (replace)
            rename(aside, public_file->path);
        errno = reason;
        return status;
    }
    sam_where_set(where, "%s", public_file->path);
    status = sam_file_place(public_file, replace);
    if (replace)
        unlink(aside);
    else if (status != SAM_OK)
        unlink(private_file->path);
    return status;
}

/* Both files are on the disk before either takes its place, so a full disk costs no key; and no
 * signal ends the program in between, so none leaves a piece of a private key behind. */
static enum sam_status write_pair(const char *private_path, const char *public_path, bool replace,
                                  const struct sam_bytes *private_pem,
                                  const struct sam_bytes *public_pem, struct sam_where *where) {
    struct sam_staged private_file = {0}, public_file = {0};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    sam_where_set(where, "%s", private_path);
    enum sam_status status = sam_file_stage(&private_file, private_path, S_IRUSR | S_IWUSR,
                                            private_pem->data, private_pem->length);
    if (status == SAM_OK) {
        sam_where_set(where, "%s", public_path);
        status = sam_file_stage(&public_file, public_path, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH,
                                public_pem->data, public_pem->length);
    }
    if (status == SAM_OK)
        status = place_pair(&private_file, &public_file, replace, where);
    sam_file_discard(&private_file);
    sam_file_discard(&public_file);
    int reason = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return status;
}

enum sam_status sam_key_generate(const char *folder, const char *name, unsigned bits,
                                 const struct sam_passphrase *passphrase, bool replace,
                                 struct sam_where *where) {
    char private_path[PATH_MAX], public_path[PATH_MAX];
    struct sam_rsa *rsa = NULL;
    struct sam_bytes private_pem = {0}, public_pem = {0};
    enum sam_status status = key_path(private_path, folder, name, PRIVATE_SUFFIX, where);
    if (status == SAM_OK)
        status = key_path(public_path, folder, name, PUBLIC_SUFFIX, NULL);
    if (status == SAM_OK)
        status = check_place(private_path, replace, where);
    if (status == SAM_OK)
        status = check_place(public_path, replace, where);
    if (status == SAM_OK)
        status = sam_rsa_generate(&rsa, bits);
    if (status == SAM_OK && mkdir(folder, S_IRWXU) != 0 && errno != EEXIST) {
        sam_where_set(where, "%s", folder);
        status = SAM_FOLDER;
    }
    if (status == SAM_OK)
        status = sam_rsa_write_private(rsa, passphrase, &private_pem);
    if (status == SAM_OK)
        status = sam_rsa_write_public(rsa, &public_pem);
    if (status == SAM_OK)
        status = write_pair(private_path, public_path, replace, &private_pem, &public_pem, where);
    sam_bytes_free(&private_pem);
    sam_bytes_free(&public_pem);
    sam_rsa_free(rsa);
    return status;
}
