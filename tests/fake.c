#include "fake.h"

#include <stdio.h>
#include <unistd.h>

struct fake fake;

void fake_open(const struct sam_mode *mode) {
    fake = (struct fake){.at = {.mode = mode}};
    snprintf(fake.at.folder, sizeof fake.at.folder, "%s", lab);
    ck_status(sam_listen(&fake.listener, "127.0.0.1", &fake.at.port, NULL), SAM_OK);
}

void fake_accept(void) {
    int fd;
    char address[SAM_ADDRESS_MAX];
    ck_assert_msg(readable_until(fake.listener, sam_now() + PATIENT), "the client does not come");
    ck_status(sam_accept(&fd, fake.listener, address), SAM_OK);
    peer_open(&fake.bob, fake.at.mode, person("bob"), fd);
}

void fake_greet(uint32_t max_message) {
    fake_accept();
    ck_status(sam_connection_greet(&fake.bob.connection, &people.trusted, max_message), SAM_OK);
}

void fake_close(void) {
    peer_close(&fake.bob);
    close(fake.listener);
}
