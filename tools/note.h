/* What the wiretap says at one moment: gathered, so that the lines of two streams never mix. */
#ifndef SAM_TOOLS_NOTE_H
#define SAM_TOOLS_NOTE_H

#include <stdbool.h>
#include <stdio.h>

struct sam_note {
    FILE *log; /* to write to */
    char *text;
    size_t length;
};

/* Begins a note on connection number; false, and there is none, when there is no memory for it. */
bool sam_note_open(struct sam_note *note, unsigned long number);

/* Puts it on standard output, whole. */
void sam_note_tell(struct sam_note *note);

/* A note of one line, in two pieces. */
void sam_note_line(unsigned long number, const char *what, const char *about);

#endif
