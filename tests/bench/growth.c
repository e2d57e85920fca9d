#include "growth.h"

#include <stdio.h>

#include "letters.h"
#include "serving.h"
#include "together.h"

enum { US_PER_S = 1000000, SIZE_STEP = 4 };

/* 1 B, 4 B, 16 B, ... to the longest message of the mode. */
static void grow_messages(const struct sam_mode *mode) {
    static const struct {
        const char *name;
        rate_of *rate;
    } sides[] = {{"seal", seals}, {"open", opens}};
    for (size_t side = 0; side < 2; side++)
        for (size_t length = 1; length <= mode->max_message; length *= SIZE_STEP) {
            struct letter letter;
            char name[32];
            snprintf(name, sizeof name, "%s_mode%d", sides[side].name, mode->number);
            letter_open(&letter, mode, SAM_RSA_BITS_DEFAULT, length, false);
            series_tell(name, (double)length,
                        US_PER_S / median_rate(sides[side].rate, &letter, pace_of(5, 0.03)), "us");
            letter_close(&letter);
        }
}

/* Messages per second, of so many clients on that many cores. */
static double throughput(unsigned clients, struct pace pace) {
    struct serving serving;
    serving_open(&serving, SAM_RSA_BITS_MIN, clients, true);
    double rate = median_rate(kept_connections, &serving, pace) / PRIVATE_PER_MESSAGE;
    serving_close(&serving);
    return rate;
}

static void grow_clients(void) {
    static const unsigned counts[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        series_tell("clients", counts[i], throughput(counts[i], pace_of(3, 0.2)), "messages/s");
}

static void grow_cores(void) {
    enum { CLIENTS = 8 };
    unsigned most = cores_here();
    for (unsigned cores = 1; cores <= most; cores++) {
        confine_to(cores);
        series_tell("cores", cores, throughput(CLIENTS, pace_of(5, 0.4)), "messages/s");
    }
    confine_to(most);
}

void growth_group(void) {
    grow_messages(&sam_mode_asymmetric_only);
    grow_messages(&sam_mode_asymmetric_symmetric);
    grow_clients();
    grow_cores();
}
