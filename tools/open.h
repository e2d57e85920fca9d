/* Opening an envelope that lies in a file: for open, and for inspect with keys. */
#ifndef SAM_TOOLS_OPEN_H
#define SAM_TOOLS_OPEN_H

#include "sam.h"

/* Zero-initialise it ({0}) and fill envelope.bytes; free it with sam_opening_free. */
struct sam_opening {
    struct sam_envelope envelope;
    struct sam_crypto *crypto;
    struct sam_key own;
    struct sam_ring ring;
    const struct sam_key *sender; /* in ring, once the envelope has been opened */
};

/* Opens opening->envelope, all of whose bytes are there, with the key of whom it is for. Of its
 * place in a conversation its header is believed, and the verdict says so. path names it in
 * complaints; verdicts go to a stream. SAM_EXIT_OK when the message can be read in the envelope;
 * otherwise what failed has been told and nothing of the message is left. */
enum sam_exit sam_opening_run(struct sam_opening *opening, const struct sam_tool *tool,
                              const char *path, const struct sam_trace *trace, FILE *verdicts);
void sam_opening_free(struct sam_opening *opening);

#endif
