/*
 * The top-level objects of a JSON text that is too large to hold: elements of an array, of the array under "data" of a
 * listing envelope, or objects one after the other (NDJSON). Only finds where each object begins and ends; what is in
 * it is for the strict parser.
 */
#ifndef PNCP_JSON_STREAM_H
#define PNCP_JSON_STREAM_H

#include "base/buf.h"
#include "base/err.h"

#define PNCP_JSON_STREAM_OBJECT_MAX ((size_t)4 * 1024 * 1024)

struct pncp_json_stream {
    int fd;               /* borrowed */
    struct pncp_buf text; /* read and not yet given out */
    size_t at;            /* begin of what is not given out */
    bool eof;
};

void pncp_json_stream_init(struct pncp_json_stream *stream, int fd);
void pncp_json_stream_release(struct pncp_json_stream *stream);
/* The next object, valid until the next call; an empty view at the end. PNCP_E_PARSE · PNCP_E_LIMIT · PNCP_E_IO ·
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_json_stream_next(struct pncp_json_stream *stream, struct pncp_view *ret_object,
                                                struct pncp_err *err);

#endif
