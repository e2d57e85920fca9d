/* Every suite of make check, one for each module; main.c runs them. */
#ifndef SAM_TESTS_SUITES_H
#define SAM_TESTS_SUITES_H

#include "runner.h"

#define SUITES(X)                                                                                  \
    X(status)                                                                                      \
    X(bytes)                                                                                       \
    X(file)                                                                                        \
    X(primitives)                                                                                  \
    X(rsa)                                                                                         \
    X(wire)                                                                                        \
    X(keys)                                                                                        \
    X(show)                                                                                        \
    X(envelope)                                                                                    \
    X(vectors)                                                                                     \
    X(tampering)                                                                                   \
    X(connection)                                                                                  \
    X(session)                                                                                     \
    X(secure_socket)                                                                               \
    X(conversation)                                                                                \
    X(chat)                                                                                        \
    X(tls)                                                                                         \
    X(hostile)                                                                                     \
    X(commands)                                                                                    \
    X(process)                                                                                     \
    X(instruments)                                                                                 \
    X(labs)

SUITES(SUITE_DECLARE)

#endif
