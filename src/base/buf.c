#include "base/buf.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pncp_buf_release(struct pncp_buf *buf)
{
    pncp_free(buf->data);
    *buf = (struct pncp_buf){.max_bytes = buf->max_bytes};
}

struct pncp_buf pncp_buf_take(struct pncp_buf *buf)
{
    struct pncp_buf taken = *buf;
    *buf = (struct pncp_buf){.max_bytes = buf->max_bytes};
    return taken;
}

struct pncp_view pncp_buf_view(const struct pncp_buf *buf)
{
    return (struct pncp_view){buf->data == NULL ? "" : buf->data, buf->len};
}

void pncp_buf_fit(struct pncp_buf *buf)
{
    char *data = buf->len == 0 || buf->len == buf->cap ? NULL : pncp_realloc(buf->data, buf->len, 1);
    if (data == NULL)
        return;
    buf->data = data;
    buf->cap = buf->len;
}

void pncp_buf_clear(struct pncp_buf *buf)
{
    buf->len = 0;
}

enum pncp_code pncp_buf_grow(struct pncp_buf *buf, size_t more)
{
    size_t need;
    if (__builtin_add_overflow(buf->len, more, &need))
        return PNCP_E_NOMEM;
    if (buf->max_bytes != 0 && need > buf->max_bytes)
        return PNCP_E_LIMIT;
    size_t cap = PNCP_MAX(pncp_grow(buf->cap, need), (size_t)64);
    if (buf->max_bytes != 0)
        cap = PNCP_MIN(cap, buf->max_bytes);
    char *data = pncp_realloc(buf->data, cap, 1);
    if (data == NULL)
        return PNCP_E_NOMEM;
    buf->data = data;
    buf->cap = cap;
    return PNCP_OK;
}

enum pncp_code pncp_buf_text(struct pncp_buf *buf, const char *text)
{
    return pncp_buf_append(buf, text, strlen(text));
}

enum pncp_code pncp_buf_format(struct pncp_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        return PNCP_E_NOMEM;
    enum pncp_code rc = pncp_buf_reserve(buf, (size_t)len + 1); /* vsnprintf writes a NUL beyond the text */
    if (rc != PNCP_OK)
        return rc;
    va_start(args, fmt);
    (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)len;
    return PNCP_OK;
}
