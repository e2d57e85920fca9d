/* The test cases of the instruments, one for each module of tools/. */
#ifndef SAM_TESTS_INSTRUMENTS_H
#define SAM_TESTS_INSTRUMENTS_H

#include <check.h>

TCase *capture_case(void);      /* check_capture.c */
TCase *compare_case(void);      /* check_compare.c */
TCase *compare_show_case(void); /* check_compare_show.c */
TCase *explain_case(void);      /* check_explain.c */
TCase *explain_page_case(void); /* check_explain_page.c */
TCase *anatomy_case(void);      /* check_anatomy.c */

#endif
