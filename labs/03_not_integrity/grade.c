#include "grader.h"
const struct lab lab_not_integrity = {"03_not_integrity", "not_integrity", NULL, 0};
