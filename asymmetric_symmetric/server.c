#include "server.h"

int main(int argc, char **argv) {
    return (int)sam_server_main(&sam_mode_asymmetric_symmetric, argc, argv);
}
