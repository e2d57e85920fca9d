/* Lab 07: fingerprints, and texts that came back from a student. */
#ifndef WHOSE_KEY_GRADE_PRINT_H
#define WHOSE_KEY_GRADE_PRINT_H

#include "whose_key.h"

/* Fingerprints as the openssl command makes them (keys/README.md). */
#define ALICES "SHA256:v3B0eU7kPdL9uBrLXLfuC1vchQJ56+cDvzDQtx85c8g"
#define BOBS "SHA256:4zXYRgzFK5iqV/Wr+sqessnd0UghqrdYhxk+vVkmyxc"
#define CAROLS "SHA256:MrNEJDgyEMJ3bSgXfnmr+KRTJasNvVCvHPc+vGaMucA"
#define MALLORYS "SHA256:UJXl9mseXgLEhe1HCqZMRgDnZzqV+hCGpkbrnWMWiMc"

enum { SHOWN_MAX = 4 * TEXT_SIZE + 32 };

/* Text that a student's bytes may have come into, made harmless. Returns out. */
const char *whose_key_show(char out[SHOWN_MAX], const char *text);

/* Ends the check unless the two are the same: "***** expected WHAT "WANTED", got "GOT"". */
void whose_key_expect(const char *what, const char *wanted, const char *got);

/* The check of fingerprint(). */
void whose_key_has_one_print(void);

#endif
