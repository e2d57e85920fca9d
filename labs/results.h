/* What a grading comes to: told to a person, and to Gradescope. */
#ifndef SAM_LABS_RESULTS_H
#define SAM_LABS_RESULTS_H

#include "grader.h"

enum { STORY_MAX = 8192 };

struct outcome {
    bool passed;
    int steps;
    char story[STORY_MAX];
};

struct results {
    FILE *file; /* writes json: malloc'd by it, length bytes */
    char *json;
    size_t length;
    const char *path; /* where it goes, borrowed; NULL: nowhere */
    bool in_full;     /* one lab, told with its stories, or a table */
    size_t told;      /* checks so far */
    int points, most;
    int64_t started;
};

/* path is where the JSON goes, in the shape that Gradescope documents for autograders; NULL: none.
 * False, and told, when it cannot be written. */
bool results_open(struct results *results, const char *path, bool in_full);

/* Tells of a lab: outcomes has one for each of its checks. Its points are kept in folder/LAB.score
 * for make status. */
void results_add(struct results *results, const char *folder, const struct lab *which,
                 const struct outcome *outcomes);

/* Tells the sum. False, and told, when the JSON could not be written whole. */
bool results_close(struct results *results);

#endif
