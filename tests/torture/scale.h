/* How much of its full counts a torture takes. */
#ifndef SAM_TORTURE_SCALE_H
#define SAM_TORTURE_SCALE_H

#include <stddef.h>

/* That part of a full count that $TORTURE_SCALE, in percent, asks for; all of it by default. Never
 * 0. */
size_t torture_scale(size_t full);

#endif
