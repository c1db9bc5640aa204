/*
 * A growable byte buffer with a ceiling. Zeroed is a valid empty buffer without a ceiling.
 * All appends either do the whole thing or change nothing.
 */
#ifndef PNCP_BUF_H
#define PNCP_BUF_H

#include "base/base.h"
#include "base/err.h"
#include "base/view.h"

#include <string.h>

struct pncp_buf {
    char *data;
    size_t len, cap;
    size_t max_bytes; /* 0: no ceiling */
};

#define PNCP_BUF_INIT(max) ((struct pncp_buf){.max_bytes = (max)})

void pncp_buf_release(struct pncp_buf *buf);
/* Ownership moves to the caller, *buf becomes empty. */
struct pncp_buf pncp_buf_take(struct pncp_buf *buf);
struct pncp_view pncp_buf_view(const struct pncp_buf *buf);
/* Give back what is beyond the content, where that is possible. */
void pncp_buf_fit(struct pncp_buf *buf);
/* Keep the memory, forget the content. */
void pncp_buf_clear(struct pncp_buf *buf);

MUST_CHECK enum pncp_code pncp_buf_grow(struct pncp_buf *buf, size_t more); /* for pncp_buf_reserve only */

/* Room for `more` bytes beyond len. PNCP_E_LIMIT: past max_bytes · PNCP_E_NOMEM. */
MUST_CHECK static inline enum pncp_code pncp_buf_reserve(struct pncp_buf *buf, size_t more)
{
    bool fits = more <= buf->cap && buf->len <= buf->cap - more; /* cap is never past max_bytes */
    return fits ? PNCP_OK : pncp_buf_grow(buf, more);
}

MUST_CHECK static inline enum pncp_code pncp_buf_append(struct pncp_buf *buf, const void *data, size_t len)
{
    enum pncp_code rc = pncp_buf_reserve(buf, len);
    if (rc != PNCP_OK || len == 0)
        return rc;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    return PNCP_OK;
}
MUST_CHECK enum pncp_code pncp_buf_text(struct pncp_buf *buf, const char *text);
/* Needs room for one byte more than the text: vsnprintf writes a NUL behind it. */
MUST_CHECK enum pncp_code pncp_buf_format(struct pncp_buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
