#include "parquet/footer_int.h"

#include <string.h>

enum pncp_code pncp_footer_put_head(struct pncp_buf *out, const struct pncp_footer_head *head)
{
    struct pncp_thrift_writer w = {.out = out};
    pncp_thrift_put_int_field(&w, 1, PNCP_THRIFT_I32, head->version);
    pncp_thrift_put_field(&w, 2, PNCP_THRIFT_LIST);
    pncp_thrift_put_raw(&w, head->schema);
    pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I64, (int64_t)head->rows);
    pncp_thrift_put_field(&w, 4, PNCP_THRIFT_LIST);
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, head->group_count);
    return w.rc;
}

/* Gives where the digits of the footer's CRC stand, 0 when the key is not among them. */
static size_t put_kvs(struct pncp_thrift_writer *w, const struct pncp_kv_pair *kvs, size_t kv_count)
{
    size_t crc_at = 0;
    pncp_thrift_put_field(w, 5, PNCP_THRIFT_LIST);
    pncp_thrift_put_list(w, PNCP_THRIFT_STRUCT, kv_count);
    for (size_t i = 0; i < kv_count; i++) {
        int16_t outer = pncp_thrift_struct_begin(w);
        pncp_thrift_put_field(w, 1, PNCP_THRIFT_BINARY);
        pncp_thrift_put_binary(w, pncp_view_of(kvs[i].key));
        pncp_thrift_put_field(w, 2, PNCP_THRIFT_BINARY);
        pncp_thrift_put_binary(w, kvs[i].value);
        if (strcmp(kvs[i].key, PNCP_FOOTER_CRC_KEY) == 0)
            crc_at = w->out->len - PNCP_FOOTER_CRC_DIGITS;
        pncp_thrift_struct_end(w, outer);
    }
    return crc_at;
}

enum pncp_code pncp_footer_put_foot(struct pncp_buf *out, size_t footer_at, const struct pncp_footer_foot *foot)
{
    struct pncp_thrift_writer w = {.out = out, .last = 4};
    size_t crc_at = foot->kv_count > 0 ? put_kvs(&w, foot->kvs, foot->kv_count) : 0;
    if (foot->created_by.len > 0) {
        pncp_thrift_put_field(&w, 6, PNCP_THRIFT_BINARY);
        pncp_thrift_put_raw(&w, foot->created_by);
    }
    if (foot->column_orders.len > 0) {
        pncp_thrift_put_field(&w, 7, PNCP_THRIFT_LIST);
        pncp_thrift_put_raw(&w, foot->column_orders);
    }
    pncp_thrift_struct_end(&w, 0);
    if (w.rc != PNCP_OK)
        return w.rc;
    if (crc_at != 0)
        pncp_footer_put_crc(out, footer_at, crc_at, &foot->left);
    size_t len = out->len - footer_at + foot->left.bytes;
    if (len > PNCP_FOOTER_MAX_BYTES)
        return PNCP_E_LIMIT;
    const unsigned char trailer[PNCP_PARQUET_TRAILER_BYTES] = {(unsigned char)len,
                                                               (unsigned char)(len >> 8),
                                                               (unsigned char)(len >> 16),
                                                               (unsigned char)(len >> 24),
                                                               'P',
                                                               'A',
                                                               'R',
                                                               '1'};
    return pncp_buf_append(out, trailer, sizeof(trailer));
}

enum pncp_code pncp_footer_put_group(struct pncp_buf *out, const struct pncp_group_head *head, struct pncp_view chunks,
                                     size_t leaf_count)
{
    struct pncp_thrift_writer w = {.out = out};
    pncp_thrift_put_field(&w, 1, PNCP_THRIFT_LIST);
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, leaf_count);
    pncp_thrift_put_raw(&w, chunks);
    pncp_thrift_put_int_field(&w, 2, PNCP_THRIFT_I64, (int64_t)head->raw_bytes);
    pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I64, (int64_t)head->rows);
    pncp_thrift_put_int_field(&w, 5, PNCP_THRIFT_I64, (int64_t)head->offset);
    pncp_thrift_put_int_field(&w, 6, PNCP_THRIFT_I64, (int64_t)head->bytes);
    pncp_thrift_put_int_field(&w, 7, PNCP_THRIFT_I16, (int64_t)head->ordinal);
    pncp_thrift_struct_end(&w, 0);
    return w.rc;
}

enum pncp_code pncp_footer_begin_new(const struct pncp_schema *schema, uint64_t rows, size_t group_count,
                                     struct pncp_buf *out)
{
    AUTO(pncp_buf_release) struct pncp_buf elements = {0};
    enum pncp_code rc = pncp_schema_put(schema, &elements);
    struct pncp_footer_head head = {
        .version = 2, .schema = pncp_buf_view(&elements), .rows = rows, .group_count = group_count};
    return rc == PNCP_OK ? pncp_footer_put_head(out, &head) : rc;
}

enum pncp_code pncp_footer_end_new(const struct pncp_schema *schema, const struct pncp_kv_pair *kvs, size_t kv_count,
                                   size_t footer_at, struct pncp_buf *out)
{
    AUTO(pncp_buf_release) struct pncp_buf orders = {0};
    AUTO(pncp_buf_release) struct pncp_buf created_by = {0};
    struct pncp_thrift_writer w = {.out = &created_by, .rc = pncp_schema_put_orders(schema, &orders)};
    pncp_thrift_put_binary(&w, PNCP_VIEW_LIT(PNCP_PARQUET_CREATED_BY));
    struct pncp_footer_foot foot = {.kvs = kvs,
                                    .kv_count = kv_count,
                                    .created_by = pncp_buf_view(&created_by),
                                    .column_orders = pncp_buf_view(&orders)};
    return w.rc == PNCP_OK ? pncp_footer_put_foot(out, footer_at, &foot) : w.rc;
}

/* ---- copying a column chunk ------------------------------------------------------------------ */

/* The value of the field just read, as it stands. */
static struct pncp_view take_value(struct pncp_thrift_reader *r, enum pncp_thrift_type type)
{
    const char *value = r->at;
    pncp_thrift_skip(r, type);
    return (struct pncp_view){value, (size_t)(r->at - value)};
}

static void copy_field(struct pncp_thrift_reader *r, const struct pncp_thrift_field *field,
                       struct pncp_thrift_writer *w)
{
    struct pncp_view value = take_value(r, field->type);
    pncp_thrift_put_field(w, field->id, field->type);
    pncp_thrift_put_raw(w, value);
}

static void shift_field(struct pncp_thrift_reader *r, const struct pncp_thrift_field *field, int64_t shift,
                        struct pncp_thrift_writer *w)
{
    int64_t offset = pncp_thrift_int(r, field->type), moved;
    if (field->type != PNCP_THRIFT_I64 || offset < 0 ||
        (offset > 0 && (__builtin_add_overflow(offset, shift, &moved) || moved < 0))) {
        r->failed = true;
        return;
    }
    /* zero stands for "none" in dictionary_page_offset, and in file_offset since format 2.10 */
    pncp_thrift_put_int_field(w, field->id, PNCP_THRIFT_I64, offset > 0 ? moved : 0);
}

/* Statistics: null_count; max_value and min_value with their exactness, when both are exact. A bound cut at 32 bytes
 * may end within a character, and readers refuse such text (pyarrow 26, polars 2.1). */
static void copy_statistics(struct pncp_thrift_reader *r, struct pncp_thrift_writer *w)
{
    struct pncp_thrift_field field = {0};
    struct pncp_view null_count = {0}, max = {0}, min = {0};
    bool exact = true;
    while (pncp_thrift_next(r, &field)) {
        bool inexact = (field.id == 7 || field.id == 8) && field.type == PNCP_THRIFT_FALSE;
        struct pncp_view value = take_value(r, field.type);
        if (field.id == 3 && field.type == PNCP_THRIFT_I64)
            null_count = value;
        else if (field.id == 5 && field.type == PNCP_THRIFT_BINARY)
            max = value;
        else if (field.id == 6 && field.type == PNCP_THRIFT_BINARY)
            min = value;
        exact = exact && !inexact;
    }
    if (r->failed)
        return;
    bool bounds = exact && max.len > 0 && min.len > 0;
    if (null_count.len == 0 && !bounds)
        return;
    pncp_thrift_put_field(w, 12, PNCP_THRIFT_STRUCT);
    int16_t outer = pncp_thrift_struct_begin(w);
    if (null_count.len > 0) {
        pncp_thrift_put_field(w, 3, PNCP_THRIFT_I64);
        pncp_thrift_put_raw(w, null_count);
    }
    if (bounds) {
        pncp_thrift_put_field(w, 5, PNCP_THRIFT_BINARY);
        pncp_thrift_put_raw(w, max);
        pncp_thrift_put_field(w, 6, PNCP_THRIFT_BINARY);
        pncp_thrift_put_raw(w, min);
        pncp_thrift_put_field(w, 7, PNCP_THRIFT_TRUE);
        pncp_thrift_put_field(w, 8, PNCP_THRIFT_TRUE);
    }
    pncp_thrift_struct_end(w, outer);
}

static void copy_metadata(struct pncp_thrift_reader *r, int64_t shift, struct pncp_thrift_writer *w)
{
    struct pncp_thrift_field field = {0};
    int16_t outer = pncp_thrift_struct_begin(w);
    while (w->rc == PNCP_OK && pncp_thrift_next(r, &field)) {
        if (field.id >= 1 && field.id <= 7) /* type, encodings, path, codec, value count, sizes */
            copy_field(r, &field, w);
        else if (field.id == 9 || field.id == 11) /* data_page_offset, dictionary_page_offset */
            shift_field(r, &field, shift, w);
        else if (field.id == 12 && field.type == PNCP_THRIFT_STRUCT)
            copy_statistics(r, w);
        else
            pncp_thrift_skip(r, field.type);
    }
    pncp_thrift_struct_end(w, outer);
}

enum pncp_code pncp_footer_copy_chunk(struct pncp_thrift_reader *r, int64_t shift, struct pncp_buf *out)
{
    struct pncp_thrift_writer w = {.out = out};
    struct pncp_thrift_field field = {0};
    while (w.rc == PNCP_OK && pncp_thrift_next(r, &field)) {
        if (field.id == 2) {
            shift_field(r, &field, shift, &w);
        } else if (field.id == 3 && field.type == PNCP_THRIFT_STRUCT) {
            pncp_thrift_put_field(&w, 3, PNCP_THRIFT_STRUCT);
            copy_metadata(r, shift, &w);
        } else {
            pncp_thrift_skip(r, field.type);
        }
    }
    pncp_thrift_struct_end(&w, 0);
    return r->failed && w.rc == PNCP_OK ? PNCP_E_PARSE : w.rc;
}
