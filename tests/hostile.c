#include "hostile.h"

#include <string.h>
#include <unistd.h>

uint32_t longest_body(const struct sam_mode *mode, const struct sam_header *header,
                      uint32_t max_message) {
    return (uint32_t)mode
        ->layout(SAM_SALT_SIZE + (size_t)max_message, header->signature_length,
                 header->block_length)
        .length;
}

void bob_joins(struct peer *bob, const struct server_process *server) {
    peer_join(bob, server->mode, person("bob"), server->port, person("alice"));
}

int64_t honest_client(const struct server_process *server) {
    int64_t started = sam_now();
    struct run_result result =
        run_client(server, "--name", "carol", "--to", "client", "send_msg", "I am honest", NULL);
    int64_t took = sam_now() - started;
    assert_code(&result, 0);
    run_result_free(&result);
    ck_assert_msg(took <= AT_ONCE, "an honest client waited %lld us", (long long)took);
    return took;
}

size_t open_descriptors(const struct server_process *server) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd", (long)server->process.pid);
    return access(path, R_OK) == 0 ? count_entries(path) : 0;
}

size_t peak_memory(const struct server_process *server) {
    char path[64], line[128];
    size_t kibibytes = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)server->process.pid);
    FILE *status = fopen(path, "r");
    if (status == NULL)
        return 0;
    while (fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %zu", &kibibytes) == 1)
            break;
    fclose(status);
    return kibibytes;
}

void wait_for_descriptors(const struct server_process *server, size_t before) {
    int64_t deadline = sam_now() + PATIENT;
    while (open_descriptors(server) != before)
        ck_assert_msg(nap_until(deadline), "%zu descriptors before, %zu after", before,
                      open_descriptors(server));
}
