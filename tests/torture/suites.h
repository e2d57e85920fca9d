/* Every suite of make torture, one for each way to break a promise; main.c runs them. */
#ifndef SAM_TORTURE_SUITES_H
#define SAM_TORTURE_SUITES_H

#include "runner.h"

#define TORTURES(X)                                                                                \
    X(properties)                                                                                  \
    X(secrets)                                                                                     \
    X(faults)                                                                                      \
    X(crowd)                                                                                       \
    X(kills)

TORTURES(SUITE_DECLARE)

#endif
