/* Reads index.json of the vectors: what each *.sam file there is, and what has to become of it. */
#ifndef SAM_TESTS_VECTOR_INDEX_H
#define SAM_TESTS_VECTOR_INDEX_H

#include "wire.h"

enum { VECTOR_ROWS = 204, VECTOR_ROWS_OPEN = 72, VECTOR_ROWS_REFUSED = 132 };

struct vector {
    char file[64];
    uint8_t mode;
    char from[16], to[16];
    bool opens;
    /* of one that opens */
    uint8_t kind;
    struct sam_bytes message;
    /* of one that is refused */
    int step;
    char why[96];
    /* what its opener expects; where the row says nothing, the index's reference and 0 */
    uint8_t reference[SAM_ID_SIZE];
    uint32_t sequence;
};

struct vector_index {
    struct vector rows[VECTOR_ROWS];
    size_t count; /* rows that the file has; more than VECTOR_ROWS fail the test */
};

/* Reads index.json of the vectors' folder. It takes the one layout that the file has, a
 * `"key": value` on each line in a fixed order, and fails the test, naming the line, on any other.
 */
void vector_index_load(struct vector_index *index);

void vector_index_free(struct vector_index *index);

#endif
