/* Floor 5. Lines from standard input. On a terminal the line that is being typed stays whole while
 * others speak: what they say appears above it. */
#ifndef SAM_EDITOR_H
#define SAM_EDITOR_H

#include "bytes.h"

/* Where in a sequence that an arrow sends what comes next is. */
enum sam_editor_skip { SAM_SKIP_NOTHING, SAM_SKIP_ESCAPE, SAM_SKIP_SEQUENCE };

/* Zero-initialise it ({0}); begin with sam_editor_open. */
struct sam_editor {
    bool terminal;         /* standard input is one, and so is standard error */
    bool ended;            /* no more comes */
    struct sam_bytes read; /* what was read and is no whole line yet */
    enum sam_editor_skip skip;
};

/* From now on the terminal shows and keeps what is typed as we say; a signal that ends or stops the
 * program puts it back. */
void sam_editor_open(struct sam_editor *editor);

/* Puts the terminal back, and wipes what is there. */
void sam_editor_close(struct sam_editor *editor);

/* Reads what there is of standard input, once; it must be readable. SAM_FILE_READ: errno tells,
 * SAM_MEMORY. */
SAM_MUST_CHECK enum sam_status sam_editor_read(struct sam_editor *editor);

/* Takes the next whole line, without its end, into *line, or, once the input has ended, what is
 * left. *found is false when there is none. SAM_MEMORY. */
SAM_MUST_CHECK enum sam_status sam_editor_line(struct sam_editor *editor, struct sam_bytes *line,
                                               bool *found);

/* Take the line that is being typed off the terminal, and show it again, around what others say. */
void sam_editor_hide(const struct sam_editor *editor);
void sam_editor_show(const struct sam_editor *editor);

#endif
