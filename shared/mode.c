#include "mode.h"

enum sam_status sam_label(struct sam_crypto *crypto, uint8_t label[SAM_LABEL_SIZE],
                          const uint8_t header[SAM_HEADER_SIZE], const uint8_t *salt,
                          uint32_t index) {
    sam_put32(label + SAM_SHA256_SIZE, index);
    return sam_sha256(crypto, label, header, SAM_HEADER_SIZE, salt,
                      salt == NULL ? 0 : SAM_SALT_SIZE);
}
