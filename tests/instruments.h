/* The test cases of the instruments, one for each module of tools/. */
#ifndef SAM_TESTS_INSTRUMENTS_H
#define SAM_TESTS_INSTRUMENTS_H

#include <check.h>

TCase *capture_case(void);           /* check_capture.c */
TCase *compare_case(void);           /* check_compare.c */
TCase *compare_show_case(void);      /* check_compare_show.c */
TCase *explain_case(void);           /* check_explain.c */
TCase *explain_page_case(void);      /* check_explain_page.c */
TCase *anatomy_case(void);           /* check_anatomy.c */
TCase *anatomy_names_case(void);     /* check_anatomy_names.c */
TCase *envelope_files_case(void);    /* check_envelope_files.c */
TCase *envelope_failures_case(void); /* check_envelope_failures.c */
TCase *envelope_keys_case(void);     /* check_envelope_keys.c */
TCase *passphrases_case(void);       /* check_envelope_keys.c */
TCase *inspect_case(void);           /* check_inspect.c */
TCase *sam_case(void);               /* check_sam.c */
TCase *rules_case(void);             /* check_rules.c */
TCase *wiretap_case(void);           /* check_wiretap.c */
TCase *wiretap_rules_case(void);     /* check_wiretap_rules.c */
TCase *wiretap_answers_case(void);   /* check_wiretap_answers.c */
TCase *wiretap_kept_case(void);      /* check_wiretap_kept.c */
TCase *wiretap_usage_case(void);     /* check_wiretap_usage.c */
TCase *wiretap_hostile_case(void);   /* check_wiretap_hostile.c */
TCase *wiretap_tls_case(void);       /* check_wiretap_tls.c */
TCase *tls_records_case(void);       /* check_tls_records.c */
TCase *tls_told_case(void);          /* check_tls_told.c */

#endif
