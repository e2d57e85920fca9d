/* What the fuzz targets share: keys, chance, places for what is told. A target stands in the
 * file of its name and defines LLVMFuzzerTestOneInput. */
#ifndef SAM_TESTS_FUZZ_FUZZING_H
#define SAM_TESTS_FUZZ_FUZZING_H

#include <stdio.h>
#include <stdlib.h>

#include "chance.h"
#include "envelope.h"

/* libFuzzer's own; a target defines what it needs of them. Standard output and standard error lead
 * nowhere while it runs. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* What must hold for every input. libFuzzer keeps the one for which it does not, and the stack says
 * which this was. */
#define require(condition) ((condition) ? (void)0 : abort())

/* The parties of tests/vectors, pairs, loaded once by load_people. ring holds alice, bob and
 * mallory. alice and mallory have 2048 bits. Not those of tests/support.h: there Check judges,
 * which ends a test, and here a failure has to end the process. */
struct people {
    struct sam_crypto *crypto;
    struct sam_key alice, bob, carol, mallory;
    struct sam_ring ring;
};
extern struct people people;
void load_people(void);

/* A file of tests/vectors, whole; the caller frees it. */
struct sam_bytes read_vector(const char *name);

/* All that is sealed here says the start of this, and so does all that opens. */
enum { TEXT_SIZE = 4096 };
const uint8_t *text(void);

/* The bytes at an address of their own, so that a sanitizer sees who reads behind them. */
uint8_t *own_copy(const uint8_t *data, size_t size);

/* Takes the next byte of what is left of an input; 0 when nothing is. */
uint8_t take_byte(const uint8_t **data, size_t *size);

/* Two connected sockets, non-blocking as the library makes them. With SOCK_SEQPACKET each piece
 * that is written is read on its own. give writes all of the bytes in such pieces, for which there
 * is room, and says that no more come. */
void open_pair(int ends[2], int type);
void give(int fd, const uint8_t *data, size_t size, size_t piece);

/* Told to memory: begin, write to out, then look at text[0..length), which free_told frees. */
struct told {
    FILE *out;
    char *text;
    size_t length;
};
void begin_told(struct told *told);
void finish_told(struct told *told);
void free_told(struct told *told);

#endif
