/*
 * A JSON file for --input, as a stream of rows.
 * Input: sizes of the reads · the text of the file.
 * True: however the bytes come in, the rows are the same, and so is the complaint. When the stream comes to its end and
 * every row is sound, yyjson reads the whole text and finds the same rows; and what yyjson finds sound is not refused.
 * Linked with --wrap=pncp_sys_read, so that a read can be short.
 */
#include "base/file.h"
#include "base/sys.h"
#include "fuzz.h"
#include "ingest/json_stream.h"
#include "record.h"
#include "json/json.h"

#include <sys/mman.h>
#include <unistd.h>

#define ROWS_MAX 4096

static unsigned short_reads; /* 0: as asked for; else at most 1 + (it & 15) bytes, now and then more */

ssize_t __real_pncp_sys_read(int fd, void *data, size_t len);
ssize_t __wrap_pncp_sys_read(int fd, void *data, size_t len);

ssize_t __wrap_pncp_sys_read(int fd, void *data, size_t len)
{
    static unsigned calls;
    size_t most = calls++ % 7 == 6 ? len : 1 + (short_reads & 15);
    return __real_pncp_sys_read(fd, data, short_reads == 0 ? len : PNCP_MIN(len, most));
}

/* ---- what comes out -------------------------------------------------------------------------- */

struct rows {
    char *text[ROWS_MAX];
    size_t len[ROWS_MAX], count;
    bool end;  /* all is read, no complaint */
    bool more; /* there were more than can be held here */
    struct pncp_err err;
};

static void rows_release(struct rows **rows)
{
    for (size_t i = 0; i < (*rows)->count; i++)
        pncp_free((*rows)->text[i]);
    pncp_free(*rows);
}

static struct rows *rows_new(void)
{
    struct rows *rows = pncp_calloc(1, sizeof(*rows));
    FUZZ_CHECK(rows != NULL);
    return rows;
}

static void rows_add(struct rows *rows, struct pncp_view text)
{
    rows->more = rows->more || rows->count == ROWS_MAX;
    if (rows->more)
        return;
    rows->text[rows->count] = fuzz_exact(text);
    rows->len[rows->count++] = text.len;
}

static struct pncp_view row_of(const struct rows *rows, size_t i)
{
    return (struct pncp_view){rows->text[i], rows->len[i]};
}

static struct rows *stream(int fd, unsigned reads)
{
    AUTO(pncp_json_stream_release) struct pncp_json_stream stream;
    struct rows *rows = rows_new();
    struct pncp_view row;
    enum pncp_code rc;
    short_reads = reads;
    FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
    pncp_json_stream_init(&stream, fd);
    while ((rc = pncp_json_stream_next(&stream, &row, &rows->err)) == PNCP_OK && row.len > 0)
        rows_add(rows, row);
    rows->end = rc == PNCP_OK;
    FUZZ_CHECK(rc == PNCP_OK || (rc == PNCP_E_PARSE && fuzz_is_message(rows->err.msg, sizeof(rows->err.msg))));
    return rows;
}

static void check_same(const struct rows *a, const struct rows *b)
{
    FUZZ_CHECK(a->count == b->count && a->end == b->end && a->more == b->more);
    FUZZ_CHECK(strcmp(a->err.msg, b->err.msg) == 0);
    for (size_t i = 0; i < a->count; i++)
        FUZZ_CHECK(pncp_view_eq(row_of(a, i), row_of(b, i)));
}

/* ---- the same by yyjson ---------------------------------------------------------------------- */

/* An object with `data` emptied, as the envelope around rows. */
static bool is_sound_envelope(yyjson_val *object)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    AUTO(pncp_json_release) struct pncp_json json = {0};
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &text);
    pncp_json_object_begin(&w);
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(object, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        yyjson_val *val = yyjson_obj_iter_get_val(key);
        bool data = yyjson_is_arr(val) && pncp_view_eq_text(pncp_json_text(key), "data");
        pncp_json_key_view(&w, pncp_json_text(key));
        if (data)
            pncp_json_put_raw(&w, PNCP_VIEW_LIT("[]"));
        else
            pncp_json_put_val(&w, val);
    }
    pncp_json_object_end(&w);
    FUZZ_CHECK(pncp_json_writer_end(&w) == PNCP_OK);
    return pncp_json_parse(pncp_buf_view(&text), &json, NULL, NULL) == PNCP_OK;
}

static bool add_object(struct rows *rows, yyjson_val *object)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    AUTO(pncp_json_release) struct pncp_json json = {0};
    struct pncp_json_writer w;
    if (!yyjson_is_obj(object))
        return false;
    pncp_json_writer_init(&w, &text);
    pncp_json_put_val(&w, object);
    FUZZ_CHECK(pncp_json_writer_end(&w) == PNCP_OK);
    rows_add(rows, pncp_buf_view(&text));
    return pncp_json_parse(pncp_buf_view(&text), &json, NULL, NULL) == PNCP_OK;
}

static bool add_array(struct rows *rows, yyjson_val *array)
{
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(array, &iter);
    for (yyjson_val *element; (element = yyjson_arr_iter_next(&iter)) != NULL;) {
        if (!add_object(rows, element))
            return false;
    }
    return true;
}

static bool add_value(struct rows *rows, yyjson_val *root)
{
    if (yyjson_is_arr(root))
        return add_array(rows, root);
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(root, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        yyjson_val *val = yyjson_obj_iter_get_val(key);
        if (yyjson_is_arr(val) && pncp_view_eq_text(pncp_json_text(key), "data"))
            return is_sound_envelope(root) && add_array(rows, val);
    }
    return add_object(rows, root);
}

/* All values of the text, one behind the other. */
static struct rows *read_whole(struct pncp_view text)
{
    struct rows *rows = rows_new();
    if (pncp_view_starts(text, "\xEF\xBB\xBF"))
        text = (struct pncp_view){text.data + 3, text.len - 3};
    for (;;) {
        while (text.len > 0 && (text.data[0] == ' ' || (text.data[0] >= '\t' && text.data[0] <= '\r')) &&
               text.data[0] != '\v' && text.data[0] != '\f')
            text = (struct pncp_view){text.data + 1, text.len - 1};
        if (text.len == 0)
            break;
        yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text.data, text.len,
                                           YYJSON_READ_NUMBER_AS_RAW | YYJSON_READ_STOP_WHEN_DONE, NULL, NULL);
        bool sound = doc != NULL && add_value(rows, yyjson_doc_get_root(doc));
        size_t used = doc == NULL ? 0 : yyjson_doc_get_read_size(doc);
        yyjson_doc_free(doc);
        if (!sound)
            return rows;
        text = (struct pncp_view){text.data + used, text.len - used};
    }
    rows->end = true;
    return rows;
}

static bool all_sound(const struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        AUTO(pncp_json_release) struct pncp_json json = {0};
        if (pncp_json_parse(row_of(rows, i), &json, NULL, NULL) != PNCP_OK)
            return false;
    }
    return rows->end;
}

static void check_whole(struct pncp_view text, const struct rows *rows)
{
    AUTO(rows_release) struct rows *whole = read_whole(text);
    FUZZ_CHECK(all_sound(rows) == whole->end);
    if (!whole->end)
        return;
    FUZZ_CHECK(rows->count == whole->count);
    for (size_t i = 0; i < rows->count; i++) {
        AUTO(pncp_json_release) struct pncp_json a = {0}, b = {0};
        FUZZ_CHECK(pncp_json_parse(row_of(rows, i), &a, NULL, NULL) == PNCP_OK);
        FUZZ_CHECK(pncp_json_parse(row_of(whole, i), &b, NULL, NULL) == PNCP_OK);
        FUZZ_CHECK(record_same_json(a.root, b.root));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    unsigned reads = 1 + fuzz_byte(&in);
    struct pncp_view text = fuzz_rest(&in);
    AUTO(pncp_fd_close) int fd = memfd_create("input.json", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && pncp_file_write(fd, text.data, text.len, "memfd", NULL) == PNCP_OK);
    AUTO(rows_release) struct rows *rows = stream(fd, 0), *again = stream(fd, reads);
    check_same(rows, again);
    /* a key that is "data" only when its escapes are read is no envelope: the stream looks at bytes */
    if (!rows->more && memmem(text.data, text.len, "\\u", 2) == NULL)
        check_whole(text, rows);
    return 0;
}
