/* Lab 07: the attack against the real client and server. */
#ifndef WHOSE_KEY_GRADE_REAL_H
#define WHOSE_KEY_GRADE_REAL_H

#include "mode.h"

/* Mallory answers a real client, under her own name and under another's, and stands between the
 * real client and the real server. Ends the check unless both refuse her, with the named status. */
void whose_key_meet_real(const struct sam_mode *mode);

#endif
