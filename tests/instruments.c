#include "instruments.h"

#include "suites.h"

static TCase *(*const cases[])(void) = {
    capture_case,       compare_case,         compare_show_case,
    explain_case,       explain_page_case,    anatomy_case,
    anatomy_names_case, envelope_files_case,  envelope_failures_case,
    envelope_keys_case, passphrases_case,     inspect_case,
    sam_case,           rules_case,           wiretap_case,
    wiretap_rules_case, wiretap_answers_case, wiretap_kept_case,
    wiretap_usage_case, wiretap_hostile_case, wiretap_tls_case,
    tls_records_case,   tls_told_case,
};

Suite *instruments_suite(void) {
    Suite *suite = suite_create("instruments");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        suite_add_tcase(suite, cases[i]());
    return suite;
}
