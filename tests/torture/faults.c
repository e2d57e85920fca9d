#include "suites.h"

#include "faults.h"

Suite *faults_suite(void) {
    Suite *suite = suite_create("faults");
    TCase *(*const parts[])(void) = {memory_faults, call_faults,  server_faults,    disk_faults,
                                     folder_faults, clock_faults, descriptor_faults};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        TCase *part = parts[i]();
        tcase_add_unchecked_fixture(part, load_people, free_people);
        tcase_add_checked_fixture(part, set_up_faults, tear_down_faults);
        tcase_set_timeout(part, 1200);
        suite_add_tcase(suite, part);
    }
    return suite;
}
