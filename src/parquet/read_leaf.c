/*
 * One column back from a file: its chunks of some row groups are put into a small Parquet file in memory that has only
 * this column, and carquet reads that. Nothing but these chunks is read from the source, wherever it is, and carquet
 * never sees the footer of the whole file (opening one of 200 row groups takes it 65 ms).
 */
#include "base/mem.h"
#include "parquet/footer_int.h"
#include "parquet/pages.h"

#include <string.h>

#define WINDOW_BYTES ((size_t)1024 * 1024) /* of chunks in one small file; a larger chunk is taken alone */
#define BATCH_SLOTS ((size_t)2048)         /* decoded at a time */

struct reading {
    const struct pncp_source *source;
    const struct pncp_footer *footer;
    size_t leaf_no;
    struct pncp_leaf *to;
    struct pncp_buf file;   /* "PAR1", chunks, footer */
    struct pncp_buf groups; /* RowGroup structs of that footer */
    struct pncp_buf chunk;  /* ColumnChunk struct at hand */
    struct batch *batch;
};

struct batch { /* what one call of carquet gives, and the leaf that is made of it */
    int16_t def[BATCH_SLOTS], rep[BATCH_SLOTS];
    union {
        unsigned char bytes[BATCH_SLOTS * sizeof(int64_t)];
        carquet_byte_array_t texts[BATCH_SLOTS];
    } values;
    uint32_t ends[BATCH_SLOTS];
    struct pncp_buf text;
};

static void reading_release(struct reading *reading)
{
    pncp_buf_release(&reading->file);
    pncp_buf_release(&reading->groups);
    pncp_buf_release(&reading->chunk);
    if (reading->batch != NULL)
        pncp_buf_release(&reading->batch->text);
    pncp_free(reading->batch);
    reading->batch = NULL;
}

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "reading a parquet column: out of memory");
}

static enum pncp_code damaged(const struct reading *reading, size_t group, struct pncp_err *err, const char *what)
{
    return pncp_err_set(err, PNCP_E_PARSE, "damaged parquet file: row group %zu, column %zu: %s", group,
                        reading->leaf_no, what);
}

/* ---- the small file -------------------------------------------------------------------------- */

/* Append the chunk of `group` to the small file; *ret_fits is false when others are there and it would be too large. */
static enum pncp_code add_group(struct reading *reading, size_t group, bool *ret_fits, struct pncp_err *err)
{
    struct pncp_chunk chunk;
    struct pncp_thrift_reader r;
    enum pncp_code rc = pncp_footer_seek_chunk(reading->footer, group, reading->leaf_no, &r, err);
    if (rc != PNCP_OK)
        return rc;
    struct pncp_thrift_reader again = r;
    pncp_footer_read_chunk(&again, &chunk);
    if (again.failed)
        return damaged(reading, group, err, "its footer entry cannot be read");
    if (chunk.bytes > PNCP_PAGES_ALLOC_MAX_BYTES || chunk.raw_bytes > PNCP_PAGES_ALLOC_MAX_BYTES)
        return pncp_err_set(err, PNCP_E_LIMIT, "row group %zu, column %zu: %" PRIu64 " bytes, at most %zu can be read",
                            group, reading->leaf_no, PNCP_MAX(chunk.bytes, chunk.raw_bytes),
                            PNCP_PAGES_ALLOC_MAX_BYTES);
    if (reading->to->max_rep == 0 && chunk.value_slots != reading->footer->groups[group].rows)
        return damaged(reading, group, err, "it is not as long as the row group");
    struct pncp_buf *file = &reading->file;
    *ret_fits = reading->groups.len == 0 || file->len + chunk.bytes <= WINDOW_BYTES;
    if (!*ret_fits)
        return PNCP_OK;
    if (pncp_buf_reserve(file, (size_t)chunk.bytes) != PNCP_OK)
        return no_memory(err);
    rc = reading->source->read_at(reading->source->ctx, chunk.offset, file->data + file->len, (size_t)chunk.bytes, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_buf_clear(&reading->chunk);
    rc = pncp_footer_copy_chunk(&r, (int64_t)file->len - (int64_t)chunk.offset, &reading->chunk);
    if (rc == PNCP_E_PARSE)
        return damaged(reading, group, err, "its footer entry cannot be read");
    struct pncp_group_head head = {.raw_bytes = chunk.raw_bytes,
                                   .bytes = chunk.bytes,
                                   .rows = reading->footer->groups[group].rows,
                                   .offset = file->len};
    if (rc == PNCP_OK)
        rc = pncp_footer_put_group(&reading->groups, &head, pncp_buf_view(&reading->chunk), 1);
    file->len += (size_t)chunk.bytes;
    return rc == PNCP_OK ? PNCP_OK : no_memory(err);
}

/* The footer of the small file, over `count` groups from `first`. */
static enum pncp_code close_file(struct reading *reading, size_t first, size_t count, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf schema = {0};
    struct pncp_schema_path path;
    enum pncp_code rc = pncp_schema_put_path(reading->footer->schema, reading->leaf_no, &schema, &path, err);
    if (rc != PNCP_OK)
        return rc;
    const struct pncp_leaf *to = reading->to;
    if (path.physical != pncp_schema_physical(to->type) || path.max_def != to->max_def || path.max_rep != to->max_rep)
        return damaged(reading, first, err, "it is of another type than expected");
    struct pncp_footer_head head = {.version = 2, .schema = pncp_buf_view(&schema), .group_count = count};
    for (size_t i = 0; i < count; i++)
        head.rows += reading->footer->groups[first + i].rows;
    struct pncp_footer_foot foot = {.kv_count = 0};
    size_t footer_at = reading->file.len;
    rc = pncp_footer_put_head(&reading->file, &head);
    if (rc == PNCP_OK)
        rc = pncp_buf_append(&reading->file, reading->groups.data, reading->groups.len);
    if (rc == PNCP_OK)
        rc = pncp_footer_put_foot(&reading->file, footer_at, &foot);
    return rc == PNCP_OK ? PNCP_OK : no_memory(err);
}

/* ---- decoding -------------------------------------------------------------------------------- */

/* Append a batch of `slots` slots to the result; *rows counts those that begin a row. */
static enum pncp_code take_batch(struct reading *reading, size_t slots, uint64_t *rows)
{
    struct batch *batch = reading->batch;
    const struct pncp_leaf *to = reading->to;
    struct pncp_leaf leaf = {.type = to->type, .max_def = to->max_def, .max_rep = to->max_rep, .level_count = slots};
    for (size_t i = 0; i < slots; i++) {
        bool present = true;
        if (to->max_def > 0) {
            if (batch->def[i] < 0 || batch->def[i] > to->max_def)
                return PNCP_E_PARSE;
            present = batch->def[i] == to->max_def;
        }
        if (to->max_rep > 0 && (batch->rep[i] < 0 || batch->rep[i] > to->max_rep))
            return PNCP_E_PARSE;
        leaf.value_count += present;
        *rows += to->max_rep == 0 || batch->rep[i] == 0;
    }
    leaf.def = to->max_def > 0 ? batch->def : NULL;
    leaf.rep = to->max_rep > 0 ? batch->rep : NULL;
    if (to->type != PNCP_T_TEXT) {
        leaf.values.data = (char *)batch->values.bytes;
        leaf.values.len = leaf.value_count * pncp_type_width(to->type);
        return pncp_leaf_append(reading->to, &leaf);
    }
    uint64_t bytes = 0;
    for (size_t i = 0; i < leaf.value_count; i++) {
        const carquet_byte_array_t *text = &batch->values.texts[i];
        if (text->length < 0 || (text->length > 0 && text->data == NULL))
            return PNCP_E_PARSE;
        bytes += (uint64_t)text->length;
    }
    /* a text of the dictionary may stand for many values: the size of the chunk says nothing */
    if (bytes > PNCP_PAGES_ALLOC_MAX_BYTES)
        return PNCP_E_LIMIT;
    pncp_buf_clear(&batch->text);
    enum pncp_code rc = pncp_buf_reserve(&batch->text, (size_t)bytes);
    for (size_t i = 0; rc == PNCP_OK && i < leaf.value_count; i++) {
        rc = pncp_buf_append(&batch->text, batch->values.texts[i].data, (size_t)batch->values.texts[i].length);
        batch->ends[i] = (uint32_t)batch->text.len;
    }
    if (rc != PNCP_OK)
        return rc;
    leaf.values = batch->text;
    leaf.ends = batch->ends;
    return pncp_leaf_append(reading->to, &leaf);
}

static enum pncp_code read_column(struct reading *reading, carquet_column_reader_t *column, size_t group,
                                  struct pncp_err *err)
{
    struct batch *batch = reading->batch;
    carquet_error_t error = CARQUET_ERROR_INIT;
    struct pncp_chunk chunk;
    enum pncp_code rc = pncp_footer_chunk(reading->footer, group, reading->leaf_no, &chunk, err);
    if (rc != PNCP_OK)
        return rc;
    uint64_t slots = 0, rows = 0;
    for (;;) {
        int64_t got =
            carquet_column_read_batch_ex(column, &batch->values, (int64_t)BATCH_SLOTS, batch->def, batch->rep, &error);
        if (got < 0 || carquet_error_is_set(&error)) /* a count with an error is a batch that was cut off */
            return damaged(reading, group, err, error.message);
        if (got == 0)
            break;
        if ((uint64_t)got > BATCH_SLOTS || (slots == 0 && reading->to->max_rep > 0 && batch->rep[0] != 0))
            return damaged(reading, group, err, "its levels are unsound");
        slots += (uint64_t)got;
        rc = take_batch(reading, (size_t)got, &rows);
        if (rc == PNCP_E_PARSE)
            return damaged(reading, group, err, "a level or length is unsound");
        if (rc == PNCP_E_LIMIT)
            return pncp_err_set(err, rc, "row group %zu, column %zu: too many bytes of text to hold", group,
                                reading->leaf_no);
        if (rc != PNCP_OK)
            return no_memory(err);
    }
    if (slots != chunk.value_slots || rows != reading->footer->groups[group].rows)
        return damaged(reading, group, err, "it is not as long as the footer says");
    return PNCP_OK;
}

static enum pncp_code read_columns(struct reading *reading, size_t first, size_t count, struct pncp_err *err)
{
    carquet_error_t error = CARQUET_ERROR_INIT;
    carquet_reader_options_t options;
    carquet_reader_options_init(&options);
    options.verify_checksums = true;
    options.num_threads = 1;
    carquet_reader_t *reader = carquet_reader_open_buffer(reading->file.data, reading->file.len, &options, &error);
    if (reader == NULL)
        return damaged(reading, first, err, error.message);
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < count; i++) {
        if (reading->footer->groups[first + i].rows == 0)
            continue;
        carquet_column_reader_t *column = carquet_reader_get_column(reader, (int32_t)i, 0, &error);
        rc = column == NULL ? damaged(reading, first + i, err, error.message)
                            : read_column(reading, column, first + i, err);
        carquet_column_reader_free(column);
    }
    carquet_reader_close(reader);
    return rc;
}

/* The small file's groups are [first, first + count) of the footer. */
static enum pncp_code read_file(struct reading *reading, size_t first, size_t count, struct pncp_err *err)
{
    pncp_pages_begin();
    enum pncp_code rc = read_columns(reading, first, count, err);
    switch (pncp_pages_end()) { /* before what carquet said: it takes a refused allocation for many things */
    case PNCP_OK:
        return rc;
    case PNCP_E_LIMIT:
        return damaged(reading, first, err, "a length in it is beyond all bounds");
    default:
        return no_memory(err);
    }
}

enum pncp_code pncp_parquet_read_leaf(const struct pncp_source *source, const struct pncp_footer *footer, size_t leaf,
                                      size_t first_group, size_t count, struct pncp_leaf *ret_leaf,
                                      struct pncp_err *err)
{
    AUTO(reading_release)
    struct reading reading = {.source = source, .footer = footer, .leaf_no = leaf, .to = ret_leaf};
    enum pncp_code rc = pncp_pages_prepare(err);
    if (rc != PNCP_OK)
        return rc;
    if (leaf >= footer->leaf_count || first_group > footer->group_count || count > footer->group_count - first_group)
        return pncp_err_set(err, PNCP_E_PARSE, "the parquet file has no column %zu in row groups %zu to %zu", leaf,
                            first_group, first_group + count);
    reading.batch = pncp_malloc(sizeof(*reading.batch));
    if (reading.batch == NULL)
        return no_memory(err);
    reading.batch->text = (struct pncp_buf){0}; /* the rest is written before it is read */
    for (size_t done = 0; done < count;) {
        size_t taken = 0;
        bool fits = true;
        pncp_buf_clear(&reading.file);
        pncp_buf_clear(&reading.groups);
        if (pncp_buf_text(&reading.file, "PAR1") != PNCP_OK)
            return no_memory(err);
        while (done + taken < count) {
            rc = add_group(&reading, first_group + done + taken, &fits, err);
            if (rc != PNCP_OK)
                return rc;
            if (!fits)
                break;
            taken++;
        }
        rc = close_file(&reading, first_group + done, taken, err);
        if (rc == PNCP_OK)
            rc = read_file(&reading, first_group + done, taken, err);
        if (rc != PNCP_OK)
            return rc;
        done += taken;
    }
    return PNCP_OK;
}
