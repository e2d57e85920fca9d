#include "instruments.h"

#include "suites.h"

Suite *instruments_suite(void) {
    Suite *suite = suite_create("instruments");
    suite_add_tcase(suite, capture_case());
    suite_add_tcase(suite, compare_case());
    suite_add_tcase(suite, compare_show_case());
    return suite;
}
