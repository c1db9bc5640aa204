#include "base/json_writer.h"
#include "base/clock.h"
#include "base/digits.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void put(struct pncp_json_writer *w, const char *text, size_t len)
{
    if (w->failed == PNCP_OK)
        w->failed = pncp_buf_append(w->out, text, len);
}

void pncp_json_writer_init(struct pncp_json_writer *w, struct pncp_buf *out)
{
    *w = (struct pncp_json_writer){.out = out};
}

/* A comma before every value but the first of its container; a value after a key needs none. */
static void before_value(struct pncp_json_writer *w)
{
    uint64_t bit = UINT64_C(1) << w->depth;
    if ((w->need_comma & bit) != 0)
        put(w, ",", 1);
    w->need_comma |= bit;
}

static void begin(struct pncp_json_writer *w, char bracket)
{
    assert(w->depth < 63);
    before_value(w);
    put(w, &bracket, 1);
    w->depth++;
    w->need_comma &= ~(UINT64_C(1) << w->depth);
}

static void end(struct pncp_json_writer *w, char bracket)
{
    assert(w->depth > 0);
    w->depth--;
    put(w, &bracket, 1);
}

void pncp_json_object_begin(struct pncp_json_writer *w)
{
    begin(w, '{');
}

void pncp_json_object_end(struct pncp_json_writer *w)
{
    end(w, '}');
}

void pncp_json_array_begin(struct pncp_json_writer *w)
{
    begin(w, '[');
}

void pncp_json_array_end(struct pncp_json_writer *w)
{
    end(w, ']');
}

static size_t plain_run(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && (unsigned char)text[i] >= 0x20 && text[i] != '"' && text[i] != '\\')
        i++;
    return i;
}

static void put_escaped(struct pncp_json_writer *w, struct pncp_view text)
{
    for (size_t i = 0; i < text.len && w->failed == PNCP_OK;) {
        size_t run = plain_run(text.data + i, text.len - i);
        put(w, text.data + i, run);
        i += run;
        if (i == text.len || w->failed != PNCP_OK)
            return;
        unsigned char c = (unsigned char)text.data[i++];
        if (c == '"' || c == '\\')
            w->failed = pncp_buf_format(w->out, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            w->failed = pncp_buf_format(w->out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else
            w->failed = pncp_buf_format(w->out, "\\u%04x", c);
    }
}

/* ASCII without anything to escape: all keys and nearly all texts of ours. Without exits, so that many bytes are looked
 * at together. */
static bool is_plain(struct pncp_view text)
{
    bool odd = false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        odd |= c < 0x20 || c >= 0x7F || c == '"' || c == '\\';
    }
    return !odd;
}

static void put_plain(struct pncp_json_writer *w, struct pncp_view text)
{
    if (w->failed == PNCP_OK)
        w->failed = pncp_buf_reserve(w->out, text.len + 2);
    if (w->failed != PNCP_OK)
        return;
    char *at = w->out->data + w->out->len;
    *at++ = '"';
    if (text.len > 0)
        at = mempcpy(at, text.data, text.len);
    *at = '"';
    w->out->len += text.len + 2;
}

/* Nothing of ours is not UTF-8: only a file name, a host name or a message that was cut within a letter is. */
static void put_quoted(struct pncp_json_writer *w, struct pncp_view text)
{
    if (is_plain(text)) {
        put_plain(w, text);
        return;
    }
    put(w, "\"", 1);
    for (;;) {
        size_t sound = pncp_view_utf8_len(text);
        put_escaped(w, (struct pncp_view){text.data, sound});
        if (sound == text.len)
            break;
        put(w, "\xEF\xBF\xBD", 3);
        text = (struct pncp_view){text.data + sound + 1, text.len - sound - 1};
    }
    put(w, "\"", 1);
}

void pncp_json_key_view(struct pncp_json_writer *w, struct pncp_view key)
{
    before_value(w);
    put_quoted(w, key);
    put(w, ":", 1);
    w->need_comma &= ~(UINT64_C(1) << w->depth); /* the value follows directly */
}

void pncp_json_key(struct pncp_json_writer *w, const char *key)
{
    pncp_json_key_view(w, pncp_view_of(key));
}

void pncp_json_put_text(struct pncp_json_writer *w, struct pncp_view text)
{
    before_value(w);
    put_quoted(w, text);
}

void pncp_json_put_int(struct pncp_json_writer *w, int64_t value)
{
    char text[PNCP_INT_TEXT_BYTES];
    before_value(w);
    put(w, text, pncp_digits_int(value, text));
}

void pncp_json_put_bool(struct pncp_json_writer *w, bool value)
{
    before_value(w);
    put(w, value ? "true" : "false", value ? 4 : 5);
}

void pncp_json_put_null(struct pncp_json_writer *w)
{
    before_value(w);
    put(w, "null", 4);
}

void pncp_json_put_fixed(struct pncp_json_writer *w, double value, int decimals)
{
    if (!isfinite(value)) { /* JSON has no such number */
        pncp_json_put_null(w);
        return;
    }
    before_value(w);
    if (w->failed == PNCP_OK)
        w->failed = pncp_buf_format(w->out, "%.*f", decimals, value);
}

void pncp_json_put_raw(struct pncp_json_writer *w, struct pncp_view json)
{
    before_value(w);
    put(w, json.data, json.len);
}

void pncp_json_field_text(struct pncp_json_writer *w, const char *key, struct pncp_view text)
{
    pncp_json_key(w, key);
    pncp_json_put_text(w, text);
}

void pncp_json_field_int(struct pncp_json_writer *w, const char *key, int64_t value)
{
    pncp_json_key(w, key);
    pncp_json_put_int(w, value);
}

void pncp_json_field_bool(struct pncp_json_writer *w, const char *key, bool value)
{
    pncp_json_key(w, key);
    pncp_json_put_bool(w, value);
}

void pncp_json_field_time(struct pncp_json_writer *w, const char *key, int64_t utc_us)
{
    char stamp[PNCP_STAMP_TEXT_BYTES];
    pncp_stamp_format(utc_us, stamp);
    pncp_json_field_text(w, key, pncp_view_of(stamp));
}

enum pncp_code pncp_json_writer_end(struct pncp_json_writer *w)
{
    assert(w->depth == 0 || w->failed != PNCP_OK);
    return w->failed;
}
