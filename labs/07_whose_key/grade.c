#include "grader.h"
const struct lab lab_whose_key = {"07_whose_key", "whose_key", NULL, 0};
