/*
 * The rows of a JSON text that is too large to hold. A text is any number of values, one after the other, with or
 * without blanks and line ends between them, so that NDJSON and a plain JSON file are the same thing. A value is
 *   {…}                        a row
 *   [{…},{…}]                  an array of rows
 *   {…,"data":[{…},{…}],…}     a listing envelope: the rows are in its array `data`, wherever that stands
 * A byte order mark at the beginning is passed over. A text without values has no rows.
 *
 * Only objects are told apart here, each byte looked at once; what is in a row is for the strict parser. All else that
 * is JSON (brackets and commas between the rows, the rest of an envelope) is checked here, so that a file that was cut
 * off or has something else behind its rows never passes for a whole one.
 */
#ifndef PNCP_JSON_STREAM_H
#define PNCP_JSON_STREAM_H

#include "base/buf.h"
#include "base/err.h"

/* One row, or an envelope without its rows; the API's largest rows have 20 KB. Memory is this and one read of 64 KiB.
 */
#define PNCP_JSON_STREAM_OBJECT_MAX ((size_t)4 * 1024 * 1024)

enum pncp_json_place { /* where in the text the next byte is */
                       PNCP_JSON_PLACE_START,
                       PNCP_JSON_PLACE_TOP,     /* between values */
                       PNCP_JSON_PLACE_FIRST,   /* behind '[' */
                       PNCP_JSON_PLACE_ELEMENT, /* behind ',' */
                       PNCP_JSON_PLACE_AFTER,   /* behind an element */
                       PNCP_JSON_PLACE_OBJECT,  /* inside an object, which begins at `begin` */
                       PNCP_JSON_PLACE_REST,    /* the same, for what stands behind the rows of an envelope */
};

struct pncp_json_stream {
    int fd;               /* borrowed */
    struct pncp_buf text; /* read, and not yet done with */
    uint64_t passed;      /* bytes of the file before text.data */
    size_t at, begin;     /* next byte to look at; where the object under way begins */
    bool eof;
    enum pncp_json_place place;
    bool in_array;
    /* inside an object */
    size_t depth;
    bool quoted, escaped;
    size_t key_begin, key_end; /* the last string at depth 1, counted from `begin`: before a '[' it is its key */
    struct pncp_buf envelope;  /* the envelope under way, with "data":[ and nothing in it */
};

void pncp_json_stream_init(struct pncp_json_stream *stream, int fd);
void pncp_json_stream_release(struct pncp_json_stream *stream);
/* The next row, valid until the next call; an empty view at the end. PNCP_E_PARSE: the text is not of this form, or
 * ends within a value; the message has the byte's offset · PNCP_E_LIMIT: PNCP_JSON_STREAM_OBJECT_MAX · PNCP_E_IO ·
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_json_stream_next(struct pncp_json_stream *stream, struct pncp_view *ret_row,
                                                struct pncp_err *err);

#endif
