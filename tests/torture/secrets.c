#include "suites.h"

Suite *secrets_suite(void) {
    return suite_create("secrets");
}
