/* Envelopes of mode 1, opened with the recipient's key. */
#include "sealing.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    load_people();
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    return mutate_envelope(&sam_mode_asymmetric_only, data, size, max_size, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    open_any(&sam_mode_asymmetric_only, data, size);
    return 0;
}
