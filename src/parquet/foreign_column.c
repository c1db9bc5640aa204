#include "base/file.h"
#include "base/mem.h"
#include "parquet/footer_int.h"
#include "parquet/foreign_carquet.h"
#include "parquet/foreign_int.h"

#include <errno.h>
#include <string.h>

/* ---- the file as carquet sees it ------------------------------------------------------------- */

static ssize_t stream_read(void *cookie, char *data, size_t len)
{
    struct pncp_foreign_file *file = cookie;
    uint64_t end = file->tail_at + file->tail.len;
    file->reads++;
    if (file->at >= end)
        return 0;
    if (file->at >= file->tail_at) {
        len = (size_t)PNCP_MIN((uint64_t)len, end - file->at);
        memcpy(data, file->tail.data + (file->at - file->tail_at), len);
    } else {
        len = (size_t)PNCP_MIN((uint64_t)len, file->tail_at - file->at);
        if (pncp_file_pread(file->fd, data, len, file->at, "parquet file", &file->io) != PNCP_OK) {
            errno = EIO;
            return -1;
        }
    }
    file->at += len;
    return (ssize_t)len;
}

static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    struct pncp_foreign_file *file = cookie;
    uint64_t end = file->tail_at + file->tail.len;
    uint64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file->at : end;
    uint64_t to = base + (uint64_t)*offset; /* modulo 2^64: a negative offset counts back */
    if (to > end)
        return -1;
    file->at = to;
    *offset = (off64_t)to;
    return 0;
}

static enum pncp_code open_stream(struct pncp_foreign_file *file, struct pncp_err *err)
{
    const cookie_io_functions_t calls = {.read = stream_read, .seek = stream_seek};
    file->stream = fopencookie(file, "r", calls);
    if (file->stream == NULL || setvbuf(file->stream, file->buffer, _IOFBF, sizeof(file->buffer)) != 0)
        return pncp_err_set(err, PNCP_E_NOMEM, "parquet file: out of memory");
    return PNCP_OK;
}

/* The schema as it stands and one row group: its offsets are the file's own. */
static enum pncp_code make_tail(struct pncp_foreign_file *file, size_t group)
{
    const struct pncp_footer *footer = file->footer;
    const struct pncp_footer_head head = {
        .version = 2, .schema = footer->schema, .rows = footer->groups[group].rows, .group_count = 1};
    const struct pncp_footer_foot foot = {.kv_count = 0};
    struct pncp_view bytes = pncp_footer_group_bytes(footer, group);
    file->tail_at = footer->file_bytes - PNCP_PARQUET_TRAILER_BYTES - footer->raw.len;
    pncp_buf_clear(&file->tail);
    enum pncp_code rc = pncp_footer_put_head(&file->tail, &head);
    if (rc == PNCP_OK)
        rc = pncp_buf_append(&file->tail, bytes.data, bytes.len);
    return rc == PNCP_OK ? pncp_footer_put_foot(&file->tail, 0, &foot) : rc;
}

/* What carquet's failure means: the file's own error when reading failed. */
static enum pncp_code failure(struct pncp_foreign_file *file, const carquet_error_t *error, struct pncp_err *err)
{
    if (file->io.code != PNCP_OK) {
        if (err != NULL)
            *err = file->io;
        return file->io.code;
    }
    enum pncp_code rc = pncp_carquet_code(error->code);
    return pncp_err_set(err, rc == PNCP_OK ? PNCP_E_PARSE : rc, "%s",
                        error->message[0] != '\0' ? error->message : carquet_status_string(error->code));
}

/* Was memory refused since pncp_carquet_begin? carquet takes that for many things, silence among them. */
static enum pncp_code refused(struct pncp_err *err)
{
    enum pncp_code rc = pncp_carquet_end();
    if (rc == PNCP_OK)
        return PNCP_OK;
    return pncp_err_set(err, rc, rc == PNCP_E_LIMIT ? "a page that is too large" : "out of memory");
}

enum pncp_code pncp_foreign_file_turn(struct pncp_foreign_file *file, size_t group, struct pncp_err *err)
{
    carquet_error_t error = CARQUET_ERROR_INIT;
    carquet_reader_options_t options;
    enum pncp_code rc = pncp_carquet_prepare(err);
    if (rc == PNCP_OK && file->stream == NULL)
        rc = open_stream(file, err);
    if (rc != PNCP_OK)
        return rc;
    carquet_reader_close(file->reader);
    file->reader = NULL;
    rc = make_tail(file, group);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "its footer entry cannot be used");
    file->at = 0;
    file->group = group;
    carquet_reader_options_init(&options);
    options.verify_checksums = true;
    options.num_threads = 1;
    pncp_carquet_begin();
    file->reader = carquet_reader_open_file(file->stream, &options, &error);
    rc = refused(err);
    if (rc != PNCP_OK)
        return rc;
    return file->reader == NULL ? failure(file, &error, err) : PNCP_OK;
}

void pncp_foreign_file_release(struct pncp_foreign_file *file)
{
    carquet_reader_close(file->reader);
    if (file->stream != NULL)
        (void)fclose(file->stream); /* only read from */
    pncp_buf_release(&file->tail);
    file->reader = NULL;
    file->stream = NULL;
}

/* ---- one column ------------------------------------------------------------------------------ */

static size_t slot_bytes(const struct pncp_foreign_leaf *leaf)
{
    return leaf->type.width > 0 ? (size_t)leaf->type.width : sizeof(carquet_byte_array_t);
}

enum pncp_code pncp_foreign_column_init(struct pncp_foreign_column *column, struct pncp_foreign_file *file,
                                        const struct pncp_foreign_leaf *leaf, size_t leaf_no)
{
    column->file = file;
    column->leaf = leaf;
    column->leaf_no = leaf_no;
    column->values = pncp_calloc(PNCP_FOREIGN_BATCH_SLOTS, slot_bytes(leaf));
    return column->values == NULL ? PNCP_E_NOMEM : PNCP_OK;
}

void pncp_foreign_column_leave(struct pncp_foreign_column *column)
{
    carquet_column_reader_free(column->reader);
    column->reader = NULL;
}

void pncp_foreign_column_release(struct pncp_foreign_column *column)
{
    pncp_foreign_column_leave(column);
    pncp_free(column->values);
    column->values = NULL;
}

static enum pncp_code unsound(const struct pncp_foreign_column *column, struct pncp_err *err, const char *what)
{
    return pncp_err_set(err, PNCP_E_PARSE, "column %s: damaged: %s", column->leaf->path, what);
}

/* Open the chunk's reader and pass over what was read already: whole pages by their headers only. */
static enum pncp_code open_reader(struct pncp_foreign_column *column, struct pncp_err *err)
{
    carquet_error_t error = CARQUET_ERROR_INIT;
    pncp_foreign_column_leave(column);
    pncp_carquet_begin();
    column->reader = carquet_reader_get_column(column->file->reader, 0, (int32_t)column->leaf_no, &error);
    int64_t skip = (int64_t)column->slots_read;
    bool skipped = column->reader != NULL && carquet_column_skip(column->reader, skip) == skip;
    enum pncp_code rc = refused(err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "column %s", column->leaf->path);
    if (column->reader == NULL)
        return pncp_err_wrap(err, failure(column->file, &error, err), "column %s", column->leaf->path);
    if (!skipped) {
        error.code = CARQUET_ERROR_INVALID_PAGE;
        return pncp_err_wrap(err, failure(column->file, &error, err), "column %s: reading on", column->leaf->path);
    }
    column->text_bytes = 0;
    column->fresh = true;
    column->turned = false;
    return PNCP_OK;
}

enum pncp_code pncp_foreign_column_turn(struct pncp_foreign_column *column, struct pncp_err *err)
{
    const struct pncp_foreign_file *file = column->file;
    struct pncp_chunk chunk;
    enum pncp_code rc = pncp_footer_chunk(file->footer, file->group, column->leaf_no, &chunk, err);
    if (rc != PNCP_OK)
        return rc;
    uint64_t rows = file->footer->groups[file->group].rows;
    if (chunk.value_slots > INT64_MAX ||
        (column->leaf->max_rep == 0 ? chunk.value_slots != rows : chunk.value_slots < rows))
        return unsound(column, err, "it is not as long as the row group");
    column->slots = chunk.value_slots;
    column->slots_read = 0;
    column->at = column->count = column->value_at = 0;
    return open_reader(column, err);
}

/* Levels that the schema allows; the number of values among them. */
static bool check_levels(const struct pncp_foreign_column *column, size_t count, size_t *ret_values)
{
    const struct pncp_foreign_leaf *leaf = column->leaf;
    size_t values = 0;
    for (size_t i = 0; i < count; i++) {
        if (column->def[i] < 0 || column->def[i] > leaf->max_def || column->rep[i] < 0 ||
            column->rep[i] > leaf->max_rep)
            return false;
        values += column->def[i] == leaf->max_def;
    }
    *ret_values = values;
    return true;
}

static bool count_text(struct pncp_foreign_column *column, size_t values)
{
    const carquet_byte_array_t *texts = (const void *)column->values;
    for (size_t i = 0; i < values; i++) {
        if (texts[i].length < 0 || (texts[i].length > 0 && texts[i].data == NULL))
            return false;
        column->text_bytes += (uint64_t)texts[i].length;
    }
    return true;
}

/* A codec that was not built in, by name: carquet says its number at best. */
static enum pncp_code column_failure(const struct pncp_foreign_column *column, const carquet_error_t *error,
                                     struct pncp_err *err)
{
    carquet_column_chunk_metadata_t metadata;
    enum pncp_code rc = failure(column->file, error, err);
    if (error->code == CARQUET_ERROR_UNSUPPORTED_CODEC &&
        carquet_reader_column_chunk_metadata(column->file->reader, 0, (int32_t)column->leaf_no, &metadata) ==
            CARQUET_OK)
        rc = pncp_err_set(err, rc, "compressed by %s, which this program was built without",
                          carquet_compression_name(metadata.codec));
    return pncp_err_wrap(err, rc, "column %s", column->leaf->path);
}

static enum pncp_code read_batch(struct pncp_foreign_column *column, struct pncp_err *err)
{
    carquet_error_t error = CARQUET_ERROR_INIT;
    uint64_t reads = column->file->reads;
    pncp_carquet_begin();
    int64_t got = carquet_column_read_batch_ex(column->reader, column->values, PNCP_FOREIGN_BATCH_SLOTS, column->def,
                                               column->rep, &error);
    enum pncp_code rc = refused(err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "column %s", column->leaf->path);
    if (got < 0 || carquet_error_is_set(&error)) /* a count with an error is a batch that was cut off */
        return column_failure(column, &error, err);
    if (got == 0 || (uint64_t)got > column->slots - column->slots_read)
        return unsound(column, err, "it is not as long as the footer says");
    size_t values;
    if (!check_levels(column, (size_t)got, &values))
        return unsound(column, err, "its levels are beyond the schema's");
    if (column->leaf->type.width == 0 && !count_text(column, values))
        return unsound(column, err, "a length is negative");
    column->turned = column->turned || (!column->fresh && column->file->reads != reads);
    column->fresh = false;
    column->slots_read += (uint64_t)got;
    column->count = (size_t)got;
    column->at = column->value_at = 0;
    return PNCP_OK;
}

enum pncp_code pncp_foreign_column_more(struct pncp_foreign_column *column, bool *ret_more, struct pncp_err *err)
{
    *ret_more = column->at < column->count || column->slots_read < column->slots;
    if (column->at < column->count || !*ret_more)
        return PNCP_OK;
    /* carquet keeps every text page that it has read until the reader is freed: open it anew now and then. Not before
     * it has left the page that it began with, which would be decoded again in vain. */
    if (column->text_bytes > PNCP_FOREIGN_KEEP_BYTES && column->turned) {
        enum pncp_code rc = open_reader(column, err);
        if (rc != PNCP_OK)
            return rc;
    }
    return read_batch(column, err);
}

int16_t pncp_foreign_column_def(const struct pncp_foreign_column *column)
{
    return column->def[column->at];
}

int16_t pncp_foreign_column_rep(const struct pncp_foreign_column *column)
{
    return column->rep[column->at];
}

struct pncp_view pncp_foreign_column_take(struct pncp_foreign_column *column)
{
    const char *value = column->values + column->value_at * slot_bytes(column->leaf);
    bool present = column->def[column->at++] == column->leaf->max_def;
    column->value_at += present;
    if (column->leaf->type.width > 0)
        return (struct pncp_view){value, (size_t)column->leaf->type.width};
    if (!present)
        return (struct pncp_view){"", 0};
    const carquet_byte_array_t *text = (const void *)value;
    return (struct pncp_view){text->length > 0 ? (const char *)text->data : "", (size_t)text->length};
}
