#include "suites.h"

Suite *kills_suite(void) {
    return suite_create("kills");
}
