/* A strict reader of JSON (RFC 8259): what the instruments print for programs must be that. */
#ifndef SAM_TESTS_JSON_H
#define SAM_TESTS_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Told of every member of an object whose value is neither object nor array, in their order. value
 * is a string's text, or a number or literal as it stands there; NUL behind its length bytes. */
typedef void json_visit(void *context, const char *key, const char *value, size_t length);

/* Whether text is one value of JSON, in UTF-8, with nothing but white space around it. What stood
 * before a mistake has been told. visit may be NULL. */
bool json_read(const char *text, size_t length, json_visit *visit, void *context);

#endif
