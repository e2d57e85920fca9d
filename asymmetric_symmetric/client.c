#include "client.h"

int main(int argc, char **argv) {
    return (int)sam_client_main(&sam_mode_asymmetric_symmetric, argc, argv);
}
