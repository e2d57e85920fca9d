#include "grader.h"
const struct lab lab_replay = {"08_replay", "replay", NULL, 0};
