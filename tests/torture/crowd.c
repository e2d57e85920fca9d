#include "suites.h"

Suite *crowd_suite(void) {
    return suite_create("crowd");
}
