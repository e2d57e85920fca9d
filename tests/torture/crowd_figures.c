/* What is measured in a crowd: times, descriptors, threads, memory, and what was shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crowd.h"

/* KiB: what large envelopes share, and of each connection its own memory and its thread's. */
enum { COMMON = 64 * 1024, EACH = SAM_OWN_MEMORY / 1024 + 32 };

void times_add(struct times *times, int64_t took) {
    ck_assert_uint_lt(times->count, TIMES_MOST);
    times->each[times->count++] = took;
}

static int compare_times(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t times_at(struct times *times, size_t of_thousand) {
    ck_assert_uint_gt(times->count, 0);
    qsort(times->each, times->count, sizeof times->each[0], compare_times);
    size_t at = times->count * of_thousand / 1000;
    return times->each[at < times->count ? at : times->count - 1];
}

static size_t count_threads(const struct server_process *server) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/task", (long)server->process.pid);
    return access(path, R_OK) == 0 ? count_entries(path) : 0;
}

struct calm calm_of(const struct server_process *server) {
    return (struct calm){open_descriptors(server), count_threads(server), peak_memory(server)};
}

void assert_calm_again(const struct server_process *server, const struct calm *before,
                       size_t connections) {
    int64_t deadline = sam_now() + PATIENT;
    wait_for_descriptors(server, before->descriptors);
    while (count_threads(server) != before->threads)
        ck_assert_msg(nap_until(deadline), "%zu threads before, %zu after", before->threads,
                      count_threads(server));
    if (!SANITIZED)
        ck_assert_msg(peak_memory(server) < before->memory + COMMON + connections * EACH,
                      "the server had %zu KiB", peak_memory(server));
}

void assert_all_shown(struct server_process *server, const char *prefix, size_t count) {
    struct run_result result = stop_server(server);
    size_t length = strlen(prefix);
    unsigned char *seen = calloc(count + 1, 1);
    ck_assert_ptr_nonnull(seen);
    assert_code(&result, 0);
    for (const char *line = (const char *)result.out.data; *line != '\0';) {
        if (strncmp(line, prefix, length) == 0) {
            size_t number = strtoul(line + length, NULL, 10);
            ck_assert_msg(number < count && !seen[number], "shown twice: %zu", number);
            seen[number] = 1;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(seen[i], "lost: %s%zu", prefix, i);
    free(seen);
    run_result_free(&result);
}
