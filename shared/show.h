/* Floor 2. Bytes for a person's eyes: foreign text made harmless, hexdumps with names, the trace.
 */
#ifndef SAM_SHOW_H
#define SAM_SHOW_H

#include <stdio.h>

#include "wire.h"

/* Writes text that somebody else chose. UTF-8 passes; control bytes, what is not UTF-8, and the
 * characters that turn the direction of a line become \xNN. After limit bytes the rest is only
 * counted. */
void sam_show_text(FILE *out, const uint8_t *text, size_t length, size_t limit);

/* sam_show_text and the end of the line, on standard output, and no copy of it is kept. False when
 * it could not be written: errno tells. */
bool sam_show_line(const uint8_t *text, size_t length, size_t limit);

/* Writes such text as the inside of a JSON string (RFC 8259, 7): as sam_show_text does, with quotes
 * and backslashes escaped. */
void sam_show_json(FILE *out, const char *text, size_t length);

/* Writes a hexdump of 80 columns in which the run bears its field's name: one line for each 16
 * bytes, its number or letters beside it unless it reads as bytes. data points to the field's first
 * byte. */
void sam_show_field(FILE *out, const struct sam_field *field, const uint8_t *data);

/* Writes every field of a unit's fixed part. */
void sam_show_unit(FILE *out, unsigned type, const uint8_t *unit);

/* Where a trace goes. A NULL trace is silent, everywhere. */
struct sam_trace {
    FILE *out;
    bool colour;
};

/* Tells one step: what is done, and as printf would, how: from what, with which parameters. */
void sam_trace_step(const struct sam_trace *trace, const char *what, const char *how, ...)
    __attribute__((format(printf, 3, 4)));

/* Shows a value of the last step that may be shown. */
void sam_trace_value(const struct sam_trace *trace, const char *name, const uint8_t *data,
                     size_t length);

/* Tells of a value of the last step that a real program would never print: its length alone. */
void sam_trace_secret(const struct sam_trace *trace, const char *name, size_t length);

#endif
