#include "note.h"

#include <stdlib.h>

bool sam_note_open(struct sam_note *note, unsigned long number) {
    *note = (struct sam_note){0};
    note->log = open_memstream(&note->text, &note->length);
    if (note->log != NULL)
        fprintf(note->log, "#%lu ", number);
    return note->log != NULL;
}

void sam_note_tell(struct sam_note *note) {
    fclose(note->log);
    flockfile(stdout);
    fwrite(note->text, 1, note->length, stdout);
    fflush(stdout);
    funlockfile(stdout);
    free(note->text);
}

void sam_note_line(unsigned long number, const char *what, const char *about) {
    struct sam_note note;
    if (!sam_note_open(&note, number))
        return;
    fprintf(note.log, "%s%s\n", what, about);
    sam_note_tell(&note);
}
