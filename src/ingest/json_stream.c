#include "ingest/json_stream.h"
#include "base/sys.h"

#include <errno.h>
#include <string.h>

#define READ_BYTES ((size_t)64 * 1024)

void pncp_json_stream_init(struct pncp_json_stream *stream, int fd)
{
    *stream = (struct pncp_json_stream){.fd = fd, .text = PNCP_BUF_INIT(PNCP_JSON_STREAM_OBJECT_MAX + READ_BYTES)};
}

void pncp_json_stream_release(struct pncp_json_stream *stream)
{
    pncp_buf_release(&stream->text);
}

/* Read on; what was given out is forgotten. At the end of the file `eof` is set. */
static enum pncp_code more(struct pncp_json_stream *stream, struct pncp_err *err)
{
    struct pncp_buf *text = &stream->text;
    if (stream->at > 0) {
        memmove(text->data, text->data + stream->at, text->len - stream->at);
        text->len -= stream->at;
        stream->at = 0;
    }
    enum pncp_code rc = pncp_buf_reserve(text, READ_BYTES);
    if (rc == PNCP_E_LIMIT)
        return pncp_err_set(err, rc, "an object of more than %zu bytes", PNCP_JSON_STREAM_OBJECT_MAX);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "out of memory");
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

/* The end of the object that begins at `from`, or 0 when it is not all there. */
static size_t object_end(const struct pncp_buf *text, size_t from)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = from; i < text->len; i++) {
        char c = text->data[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* An envelope {"data":[ … is opened like an array; the keys after its array are passed over with its end. */
static bool opens_envelope(const struct pncp_buf *text, size_t from, size_t *ret_inside)
{
    static const char key[] = "\"data\"";
    size_t i = from + 1;
    while (i < text->len && strchr(" \t\r\n", text->data[i]) != NULL)
        i++;
    if (text->len - i < sizeof(key) - 1 || memcmp(text->data + i, key, sizeof(key) - 1) != 0)
        return false;
    for (i += sizeof(key) - 1; i < text->len && strchr(" \t\r\n:", text->data[i]) != NULL; i++)
        ;
    *ret_inside = i;
    return i < text->len && text->data[i] == '[';
}

enum pncp_code pncp_json_stream_next(struct pncp_json_stream *stream, struct pncp_view *ret_object,
                                     struct pncp_err *err)
{
    struct pncp_buf *text = &stream->text;
    size_t inside;
    for (;;) {
        /* between objects: blanks, commas, brackets, and the rest of an envelope behind its rows */
        while (stream->at < text->len && strchr(" \t\r\n,[]", text->data[stream->at]) != NULL)
            stream->at++;
        bool known = stream->at < text->len;
        if (known && text->data[stream->at] == '{') {
            size_t end = object_end(text, stream->at);
            bool enough = end != 0 || text->len - stream->at > 4096;
            if (enough && opens_envelope(text, stream->at, &inside)) {
                stream->at = inside + 1;
                continue;
            }
            if (end != 0) {
                *ret_object = (struct pncp_view){text->data + stream->at, end - stream->at};
                stream->at = end;
                return PNCP_OK;
            }
        } else if (known && text->data[stream->at] == '"' &&
                   memchr(text->data + stream->at, '}', text->len - stream->at) != NULL) {
            const char *end =
                memchr(text->data + stream->at, '}', text->len - stream->at); /* "totalRegistros":…} of an envelope */
            stream->at = (size_t)(end - text->data) + 1;
            continue;
        } else if (known && text->data[stream->at] != '"') {
            return pncp_err_set(err, PNCP_E_PARSE, "expected an object, found '%c'", text->data[stream->at]);
        }
        if (stream->eof) {
            *ret_object = (struct pncp_view){"", 0};
            return stream->at == text->len ? PNCP_OK : pncp_err_set(err, PNCP_E_PARSE, "ends inside an object");
        }
        enum pncp_code rc = more(stream, err);
        if (rc != PNCP_OK)
            return rc;
    }
}
