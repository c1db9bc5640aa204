/*
 * Writing JSON text: an appender over base/buf.h whose common path is a bounds check and a memcpy. Errors stick: after
 * the first failed growth every append does nothing, and the caller looks at `failed` once, at the end.
 */
#ifndef SIM_JSON_TEXT_H
#define SIM_JSON_TEXT_H

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

/* Largest text built in memory: a page of 1,000 itens of 12 KiB (a 5,120-character text of four-byte characters each
 * way), doubled. */
#define SIM_TEXT_MAX_BYTES ((size_t)24 * 1024 * 1024)

struct sim_text {
    struct pncp_buf buf;
    bool failed;
};

#define SIM_TEXT_INIT ((struct sim_text){.buf = PNCP_BUF_INIT(SIM_TEXT_MAX_BYTES)})

void sim_text_release(struct sim_text *text);
void sim_text_clear(struct sim_text *text);
/* Room for `more` bytes; sets failed otherwise. */
void sim_text_grow(struct sim_text *text, size_t more);

static inline void sim_text_put(struct sim_text *text, const char *data, size_t len)
{
    struct pncp_buf *buf = &text->buf;
    if (buf->cap - buf->len < len)
        sim_text_grow(text, len);
    if (text->failed || len == 0)
        return;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}

/* A literal, length known at compile time. */
#define SIM_PUT(text, literal) sim_text_put((text), "" literal, sizeof(literal) - 1)

static inline void sim_text_str(struct sim_text *text, const char *str)
{
    sim_text_put(text, str, strlen(str));
}

/* In quotes, as it is: nothing in it needs an escape. */
static inline void sim_text_quoted(struct sim_text *text, const char *str)
{
    SIM_PUT(text, "\"");
    sim_text_str(text, str);
    SIM_PUT(text, "\"");
}

static inline void sim_text_view(struct sim_text *text, struct pncp_view view)
{
    sim_text_put(text, view.data, view.len);
}

static inline void sim_text_char(struct sim_text *text, char c)
{
    sim_text_put(text, &c, 1);
}

void sim_text_u64(struct sim_text *text, uint64_t value);
/* At least `digits` digits, zero-padded; digits <= 20. */
void sim_text_u64_padded(struct sim_text *text, uint64_t value, unsigned digits);
void sim_text_i64(struct sim_text *text, int64_t value);
/* value / 10^scale with `scale` decimals, of which trailing zeros are dropped down to `decimals_min` (0: no point
 * either). */
void sim_text_decimal(struct sim_text *text, int64_t value, unsigned scale, unsigned decimals_min);
void sim_text_bool(struct sim_text *text, bool value);
/* Quoted and escaped the way Jackson does it: only the quote, the backslash and control characters. */
void sim_text_string(struct sim_text *text, struct pncp_view value);
/* "2025-10-22T08:41:33" with its quotes. second: 0..86399; `date` + whole days when larger. */
void sim_text_datetime(struct sim_text *text, struct pncp_date date, uint32_t second);

#endif
