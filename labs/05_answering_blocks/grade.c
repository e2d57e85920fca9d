#include "grader.h"
const struct lab lab_answering_blocks = {"05_answering_blocks", "answering_blocks", NULL, 0};
