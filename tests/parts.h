/* The parts of suites that lie in files of their own and share nothing else. */
#ifndef SAM_TESTS_PARTS_H
#define SAM_TESTS_PARTS_H

#include <check.h>

TCase *units_case(void);   /* check_units.c, wire */
TCase *reading_case(void); /* check_reading.c, file */

#endif
