#include "suites.h"

Suite *properties_suite(void) {
    return suite_create("properties");
}
