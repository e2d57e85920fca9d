#include "suites.h"

Suite *faults_suite(void) {
    return suite_create("faults");
}
