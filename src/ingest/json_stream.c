#include "ingest/json_stream.h"
#include "base/sys.h"
#include "json/json.h"

#include <errno.h>
#include <string.h>

#define READ_BYTES ((size_t)64 * 1024)

void pncp_json_stream_init(struct pncp_json_stream *stream, int fd)
{
    *stream = (struct pncp_json_stream){.fd = fd, .envelope = PNCP_BUF_INIT(PNCP_JSON_STREAM_OBJECT_MAX)};
}

void pncp_json_stream_release(struct pncp_json_stream *stream)
{
    pncp_buf_release(&stream->text);
    pncp_buf_release(&stream->envelope);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static bool in_object(const struct pncp_json_stream *stream)
{
    return stream->place == PNCP_JSON_PLACE_OBJECT || stream->place == PNCP_JSON_PLACE_REST;
}

static enum pncp_code too_large(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_LIMIT, "an object of more than %zu bytes", PNCP_JSON_STREAM_OBJECT_MAX);
}

/* Read on; what is done with is forgotten. At the end of the file `eof` is set. */
static enum pncp_code read_more(struct pncp_json_stream *stream, struct pncp_err *err)
{
    struct pncp_buf *text = &stream->text;
    size_t keep = in_object(stream) ? stream->begin : stream->at;
    if (keep > 0) {
        memmove(text->data, text->data + keep, text->len - keep);
        text->len -= keep;
        stream->at -= keep;
        stream->begin = 0;
        stream->passed += keep;
    }
    if (text->len > PNCP_JSON_STREAM_OBJECT_MAX)
        return too_large(err);
    if (pncp_buf_reserve(text, READ_BYTES) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
    ssize_t done;
    do
        done = pncp_sys_read(stream->fd, text->data + text->len, READ_BYTES);
    while (done < 0 && errno == EINTR);
    if (done < 0)
        return pncp_err_sys(err, errno, "read");
    text->len += (size_t)done;
    stream->eof = done == 0;
    return PNCP_OK;
}

static enum pncp_code unexpected(const struct pncp_json_stream *stream, const char *expected, struct pncp_err *err)
{
    unsigned char c = (unsigned char)stream->text.data[stream->at];
    uint64_t offset = stream->passed + stream->at;
    if (c > 0x20 && c < 0x7F)
        return pncp_err_set(err, PNCP_E_PARSE, "byte %" PRIu64 ": expected %s, found '%c'", offset, expected, c);
    return pncp_err_set(err, PNCP_E_PARSE, "byte %" PRIu64 ": expected %s, found 0x%02X", offset, expected, c);
}

/* ---- objects --------------------------------------------------------------------------------- */

static void begin_object(struct pncp_json_stream *stream, enum pncp_json_place place)
{
    stream->place = place;
    stream->begin = stream->at++;
    stream->depth = 1;
    stream->quoted = stream->escaped = false;
    stream->key_begin = stream->key_end = 0;
}

static bool key_is_data(const struct pncp_json_stream *stream)
{
    const char *key = stream->text.data + stream->begin + stream->key_begin;
    return stream->key_end - stream->key_begin == 4 && memcmp(key, "data", 4) == 0;
}

static void scan_quoted(struct pncp_json_stream *stream, char c)
{
    if (stream->escaped) {
        stream->escaped = false;
    } else if (c == '\\') {
        stream->escaped = true;
    } else if (c == '"') {
        stream->quoted = false;
        if (stream->depth == 1)
            stream->key_end = stream->at - stream->begin;
    }
}

enum scanned { SCANNED_ALL, SCANNED_OBJECT, SCANNED_DATA };

/* Look at the bytes of an object: to its end, to the array `data` of what may be an envelope (`at` is its '['), or as
 * far as they go. */
static enum scanned scan_object(struct pncp_json_stream *stream, bool may_be_envelope)
{
    for (; stream->at < stream->text.len; stream->at++) {
        char c = stream->text.data[stream->at];
        bool outer = stream->depth == 1;
        if (stream->quoted) {
            scan_quoted(stream, c);
        } else if (c == '"') {
            stream->quoted = true;
            if (outer)
                stream->key_begin = stream->at + 1 - stream->begin;
        } else if (c == '{' || c == '[') {
            if (c == '[' && outer && may_be_envelope && key_is_data(stream))
                return SCANNED_DATA;
            stream->depth++;
        } else if ((c == '}' || c == ']') && --stream->depth == 0) {
            stream->at++;
            return SCANNED_OBJECT;
        }
    }
    return SCANNED_ALL;
}

/* Append the bytes of the object under way, up to `at`, to the envelope's text. */
static enum pncp_code keep_envelope(struct pncp_json_stream *stream, struct pncp_err *err)
{
    enum pncp_code rc =
        pncp_buf_append(&stream->envelope, stream->text.data + stream->begin, stream->at - stream->begin);
    if (rc == PNCP_E_LIMIT)
        return too_large(err);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_set(err, rc, "out of memory");
}

/* The envelope is over: what was not rows must be JSON too. */
static enum pncp_code end_envelope(struct pncp_json_stream *stream, struct pncp_err *err)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    enum pncp_code rc = keep_envelope(stream, err);
    if (rc == PNCP_OK) {
        rc = pncp_json_parse(pncp_buf_view(&stream->envelope), &json, NULL, err);
        if (rc != PNCP_OK)
            (void)pncp_err_wrap(err, rc, "the envelope around \"data\", which ends at byte %" PRIu64,
                                stream->passed + stream->at);
    }
    pncp_buf_clear(&stream->envelope);
    stream->place = PNCP_JSON_PLACE_TOP;
    return rc;
}

/* Inside an object. `ret_row` is set when it is over and a row. */
static enum pncp_code step_object(struct pncp_json_stream *stream, struct pncp_view *ret_row, struct pncp_err *err)
{
    bool row = stream->place == PNCP_JSON_PLACE_OBJECT;
    enum pncp_code rc = PNCP_OK;
    switch (scan_object(stream, row && !stream->in_array)) {
    case SCANNED_ALL:
        break;
    case SCANNED_DATA:
        stream->at++;
        rc = keep_envelope(stream, err);
        stream->in_array = true;
        stream->place = PNCP_JSON_PLACE_FIRST;
        break;
    case SCANNED_OBJECT:
        if (!row)
            return end_envelope(stream, err);
        if (stream->at - stream->begin > PNCP_JSON_STREAM_OBJECT_MAX)
            return too_large(err);
        *ret_row = (struct pncp_view){stream->text.data + stream->begin, stream->at - stream->begin};
        stream->place = stream->in_array ? PNCP_JSON_PLACE_AFTER : PNCP_JSON_PLACE_TOP;
        break;
    }
    return rc;
}

/* ---- between objects ------------------------------------------------------------------------- */

static void end_array(struct pncp_json_stream *stream)
{
    stream->in_array = false;
    if (stream->envelope.len > 0) {
        begin_object(stream, PNCP_JSON_PLACE_REST); /* the ']' is the first byte of the rest */
    } else {
        stream->at++;
        stream->place = PNCP_JSON_PLACE_TOP;
    }
}

/* One byte outside of objects. */
static enum pncp_code step_between(struct pncp_json_stream *stream, struct pncp_err *err)
{
    char c = stream->text.data[stream->at];
    enum pncp_json_place place = stream->place;
    bool value_follows = place != PNCP_JSON_PLACE_AFTER;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        stream->at++;
    } else if (c == '{' && value_follows) {
        begin_object(stream, PNCP_JSON_PLACE_OBJECT);
    } else if (c == '[' && place == PNCP_JSON_PLACE_TOP) {
        stream->at++;
        stream->in_array = true;
        stream->place = PNCP_JSON_PLACE_FIRST;
    } else if (c == ']' && (place == PNCP_JSON_PLACE_FIRST || place == PNCP_JSON_PLACE_AFTER)) {
        end_array(stream);
    } else if (c == ',' && place == PNCP_JSON_PLACE_AFTER) {
        stream->at++;
        stream->place = PNCP_JSON_PLACE_ELEMENT;
    } else {
        return unexpected(stream,
                          place == PNCP_JSON_PLACE_TOP     ? "an object or an array"
                          : place == PNCP_JSON_PLACE_AFTER ? "',' or ']'"
                                                           : "an object",
                          err);
    }
    return PNCP_OK;
}

/* Pass over a byte order mark, which a text in UTF-8 need not but may have. */
static enum pncp_code step_start(struct pncp_json_stream *stream, struct pncp_err *err)
{
    if (stream->text.len < 3 && !stream->eof)
        return read_more(stream, err);
    if (stream->text.len >= 3 && memcmp(stream->text.data, "\xEF\xBB\xBF", 3) == 0)
        stream->at = 3;
    stream->place = PNCP_JSON_PLACE_TOP;
    return PNCP_OK;
}

enum pncp_code pncp_json_stream_next(struct pncp_json_stream *stream, struct pncp_view *ret_row, struct pncp_err *err)
{
    struct pncp_view row = {"", 0};
    enum pncp_code rc = PNCP_OK;
    while (rc == PNCP_OK && row.len == 0) {
        if (stream->place == PNCP_JSON_PLACE_START) {
            rc = step_start(stream, err);
        } else if (stream->at == stream->text.len) {
            if (stream->eof && stream->place != PNCP_JSON_PLACE_TOP)
                return pncp_err_set(err, PNCP_E_PARSE, "byte %" PRIu64 ": the file ends inside %s",
                                    stream->passed + stream->at, in_object(stream) ? "an object" : "an array");
            if (stream->eof)
                break;
            rc = read_more(stream, err);
        } else {
            rc = in_object(stream) ? step_object(stream, &row, err) : step_between(stream, err);
        }
    }
    if (rc == PNCP_OK)
        *ret_row = row;
    return rc;
}
