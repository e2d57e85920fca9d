#include "fuzzing.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "net.h"

struct people people;

struct sam_bytes read_vector(const char *name) {
    char path[PATH_MAX];
    struct sam_bytes bytes = {0};
    const char *folder = getenv("SAM_VECTORS");
    snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : "tests/vectors", name);
    int fd = open(path, O_RDONLY);
    require(fd >= 0 && sam_file_read(fd, (size_t)1 << 20, &bytes) == SAM_OK);
    close(fd);
    return bytes;
}

static void load_person(struct sam_key *key, const char *name) {
    char file[64];
    snprintf(key->name, sizeof key->name, "%s", name);
    snprintf(file, sizeof file, "%s.private.pem", name);
    struct sam_bytes pem = read_vector(file);
    require(sam_rsa_read_private(&key->rsa, pem.data, pem.length, NULL) == SAM_OK);
    require(sam_rsa_id(key->rsa, people.crypto, key->id) == SAM_OK);
    sam_bytes_free(&pem);
}

void load_people(void) {
    static struct sam_key trusted[3];
    require(sam_crypto_new(&people.crypto) == SAM_OK);
    load_person(&people.alice, "alice");
    load_person(&people.bob, "bob");
    load_person(&people.carol, "carol");
    load_person(&people.mallory, "mallory");
    trusted[0] = people.alice;
    trusted[1] = people.bob;
    trusted[2] = people.mallory;
    people.ring = (struct sam_ring){trusted, 3};
}

const uint8_t *text(void) {
    static uint8_t bytes[TEXT_SIZE];
    uint64_t state = 1;
    if (bytes[0] == 0 && bytes[1] == 0)
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)chance_below(&state, 256);
    return bytes;
}

uint8_t *own_copy(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size);
    require(copy != NULL || size == 0);
    if (copy != NULL && size > 0)
        memcpy(copy, data, size);
    return copy;
}

uint8_t take_byte(const uint8_t **data, size_t *size) {
    if (*size == 0)
        return 0;
    --*size;
    return *(*data)++;
}

void open_pair(int ends[2], int type) {
    const int room = 1 << 18;
    require(socketpair(AF_UNIX, type, 0, ends) == 0);
    for (int i = 0; i < 2; i++)
        require(sam_unblock(ends[i]) &&
                setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room) == 0);
}

void give(int fd, const uint8_t *data, size_t size, size_t piece) {
    for (size_t at = 0; at < size; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        require(sam_write_all(fd, -1, sam_now() + SAM_SECOND, data + at, length) == SAM_OK);
    }
    require(shutdown(fd, SHUT_WR) == 0);
}

void begin_told(struct told *told) {
    *told = (struct told){0};
    told->out = open_memstream(&told->text, &told->length);
    require(told->out != NULL);
}

void finish_told(struct told *told) {
    require(fclose(told->out) == 0);
}

void free_told(struct told *told) {
    free(told->text);
}
