#include "grader.h"
const struct lab lab_bytes_not_strings = {"06_bytes_not_strings", "bytes_not_strings", NULL, 0};
