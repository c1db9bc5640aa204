/*
 * Each column is encoded by itself: carquet writes a file of one column and one row group to the end of the output, its
 * chunk stays there, its footer is taken over into ours. So one column's pages are in memory besides the output,
 * whatever the number of columns (carquet holds all columns of a row group until it ends), and carquet's threads stay
 * off.
 */
#include "base/mem.h"
#include "base/random.h"
#include "parquet/footer_int.h"
#include "parquet/pages.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A row group is 8 MiB at most, or one contratação admitted alone; encoded it is smaller. */
#define GROUP_MAX_BYTES ((size_t)1024 * 1024 * 1024)
#define PAGE_BYTES ((int64_t)256 * 1024)
#define PAGE_CHECK_VALUES 128 /* texts between two looks at the page's size */
#define DICTIONARY_MAX_BYTES ((int64_t)128 * 1024)

struct list_seen { /* the repetition levels that all leaves of a list share */
    size_t slots;
    uint64_t hash;
};

struct pncp_group_writer {
    const struct pncp_schema *schema;
    uint64_t rows;
    struct pncp_encode_options options;
    struct pncp_buf file;   /* "PAR1", the chunks so far */
    struct pncp_buf chunks; /* their ColumnChunk structs */
    struct pncp_buf texts;  /* carquet_byte_array_t of the column at hand */
    size_t leaf_count;      /* written so far */
    uint64_t raw_bytes;
    struct list_seen seen[PNCP_SCHEMA_NODES_MAX]; /* by LIST node */
    FILE *stream;                                 /* appends to `file` */
    enum pncp_code stream_rc;
};

/* ---- opening --------------------------------------------------------------------------------- */

static ssize_t stream_write(void *cookie, const char *data, size_t len)
{
    struct pncp_group_writer *writer = cookie;
    if (writer->stream_rc == PNCP_OK)
        writer->stream_rc = pncp_buf_append(&writer->file, data, len);
    return writer->stream_rc == PNCP_OK ? (ssize_t)len : 0; /* 0: stdio sets the stream's error (fopencookie(3)) */
}

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "encoding a row group: out of memory");
}

enum pncp_code pncp_group_writer_open(const struct pncp_schema *schema, uint64_t rows,
                                      const struct pncp_encode_options *options, struct pncp_group_writer **ret_writer,
                                      struct pncp_err *err)
{
    enum pncp_code rc = pncp_pages_prepare(err);
    if (rc != PNCP_OK)
        return rc;
    struct pncp_group_writer *writer = pncp_calloc(1, sizeof(*writer));
    if (writer == NULL)
        return no_memory(err);
    *writer = (struct pncp_group_writer){
        .schema = schema, .rows = rows, .options = *options, .file = PNCP_BUF_INIT(GROUP_MAX_BYTES)};
    writer->stream = fopencookie(writer, "wb", (cookie_io_functions_t){.write = stream_write});
    if (writer->stream == NULL || pncp_buf_text(&writer->file, "PAR1") != PNCP_OK) {
        pncp_group_writer_abort(writer);
        return no_memory(err);
    }
    (void)setvbuf(writer->stream, NULL, _IONBF, 0); /* carquet hands over whole chunks; a second copy gains nothing */
    *ret_writer = writer;
    return PNCP_OK;
}

void pncp_group_writer_abort(struct pncp_group_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->stream != NULL)
        (void)fclose(writer->stream); /* unbuffered: nothing is left to write */
    pncp_buf_release(&writer->file);
    pncp_buf_release(&writer->chunks);
    pncp_buf_release(&writer->texts);
    pncp_free(writer);
}

/* ---- what carquet does not check ------------------------------------------------------------- */

static enum pncp_code malformed(struct pncp_err *err, const struct pncp_leaf_info *info, const char *what)
{
    return pncp_err_set(err, PNCP_E_PARSE, "column %s: %s", info->path, what);
}

/* The innermost LIST node that `leaf_no` lies in, or 0. */
static size_t list_of(const struct pncp_schema *schema, size_t leaf_no)
{
    size_t list = 0;
    for (size_t i = 1; i < schema->node_count; i++) {
        const struct pncp_node *node = &schema->nodes[i];
        bool inside = leaf_no >= node->leaf && leaf_no < (size_t)node->leaf + node->leaf_count;
        if (inside && node->col->type == PNCP_T_LIST && (list == 0 || node->rep > schema->nodes[list].rep))
            list = i;
    }
    return list;
}

/* Slots, values and levels must agree with each other, with the number of rows, and with the list's other columns. */
static enum pncp_code check_leaf(struct pncp_group_writer *writer, const struct pncp_leaf_info *info,
                                 const struct pncp_leaf *leaf, struct pncp_err *err)
{
    size_t values = leaf->level_count;
    if (leaf->type != info->type || leaf->max_def != info->max_def || leaf->max_rep != info->max_rep)
        return malformed(err, info, "it is of another type");
    if (leaf->max_def > 0) {
        values = 0;
        for (size_t i = 0; i < leaf->level_count; i++) {
            if (leaf->def[i] < 0 || leaf->def[i] > leaf->max_def)
                return malformed(err, info, "a definition level is out of range");
            values += leaf->def[i] == leaf->max_def;
        }
    }
    if (values != leaf->value_count)
        return malformed(err, info, "the values are not as many as the levels say");
    if (leaf->max_rep == 0)
        return leaf->level_count == writer->rows ? PNCP_OK
                                                 : malformed(err, info, "its length is not the number of rows");
    uint64_t rows = 0;
    for (size_t i = 0; i < leaf->level_count; i++) {
        if (leaf->rep[i] < 0 || leaf->rep[i] > leaf->max_rep)
            return malformed(err, info, "a repetition level is out of range");
        rows += leaf->rep[i] == 0;
    }
    if (rows != writer->rows || (leaf->level_count > 0 && leaf->rep[0] != 0))
        return malformed(err, info, "its lists are not as many as the rows");
    size_t list = list_of(writer->schema, writer->leaf_count);
    struct list_seen seen = {leaf->level_count, pncp_hash64(leaf->rep, leaf->level_count * sizeof(*leaf->rep), 1)};
    if (writer->leaf_count == writer->schema->nodes[list].leaf)
        writer->seen[list] = seen;
    else if (seen.slots != writer->seen[list].slots || seen.hash != writer->seen[list].hash)
        return malformed(err, info, "its lists are of other lengths than those of the column before");
    return PNCP_OK;
}

/* ---- one column through carquet -------------------------------------------------------------- */

static carquet_field_repetition_t repetition_of(const struct pncp_col *col)
{
    return (col->flags & PNCP_COL_REQUIRED) != 0 ? CARQUET_REPETITION_REQUIRED : CARQUET_REPETITION_OPTIONAL;
}

static carquet_logical_type_t logical_of(enum pncp_type type)
{
    carquet_logical_type_t logical = {.id = CARQUET_LOGICAL_UNKNOWN};
    if (type == PNCP_T_TEXT) {
        logical.id = CARQUET_LOGICAL_STRING;
    } else if (type == PNCP_T_DATE) {
        logical.id = CARQUET_LOGICAL_DATE;
    } else if (type == PNCP_T_DEC18_4) {
        logical.id = CARQUET_LOGICAL_DECIMAL;
        logical.params.decimal.precision = 18;
        logical.params.decimal.scale = 4;
    } else if (type == PNCP_T_LOCAL_US || type == PNCP_T_UTC_US) {
        logical.id = CARQUET_LOGICAL_TIMESTAMP;
        logical.params.timestamp.unit = CARQUET_TIME_UNIT_MICROS;
        logical.params.timestamp.is_adjusted_to_utc = type == PNCP_T_UTC_US;
    }
    return logical;
}

/* The path from the root to column `leaf_no`, each node with one child. */
static enum pncp_code add_path(carquet_schema_t *to, const struct pncp_schema *schema, size_t leaf_no)
{
    const struct pncp_node *node = &schema->nodes[0];
    int32_t parent = 0;
    for (;;) {
        const struct pncp_node *child = &schema->nodes[node->first_child];
        while (leaf_no >= (size_t)child->leaf + child->leaf_count)
            child++;
        const struct pncp_col *col = child->col;
        if (col->type == PNCP_T_LIST) {
            parent = carquet_schema_add_list_group(to, col->name, repetition_of(col), parent);
            if (parent >= 0)
                parent = carquet_schema_add_group(to, "element", CARQUET_REPETITION_OPTIONAL, parent);
        } else if (col->type == PNCP_T_STRUCT) {
            parent = carquet_schema_add_group(to, col->name, repetition_of(col), parent);
        } else {
            carquet_logical_type_t logical = logical_of(col->type);
            return pncp_pages_code(carquet_schema_add_column(
                to, col->name, (carquet_physical_type_t)pncp_schema_physical(col->type),
                logical.id == CARQUET_LOGICAL_UNKNOWN ? NULL : &logical, repetition_of(col), 0, parent));
        }
        if (parent < 0)
            return PNCP_E_NOMEM;
        node = child;
    }
}

static carquet_writer_t *start_column(struct pncp_group_writer *writer, const struct pncp_leaf_info *info)
{
    carquet_writer_options_t options;
    carquet_writer_options_init(&options);
    options.compression = CARQUET_COMPRESSION_ZSTD;
    options.compression_level = writer->options.zstd_level;
    options.page_size = PAGE_BYTES;
    options.write_batch_size = info->type == PNCP_T_TEXT ? PAGE_CHECK_VALUES : 0;
    options.dictionary_page_size = DICTIONARY_MAX_BYTES;
    options.write_statistics = (info->col->flags & PNCP_COL_STATS) != 0;
    options.write_crc = true;
    options.write_page_index = false; /* its blobs hold absolute offsets: a merged footer would leave them wrong */
    options.write_bloom_filters = false;
    options.async_io = false;
    carquet_schema_t *schema = carquet_schema_create(NULL);
    if (schema == NULL)
        return NULL;
    carquet_writer_t *column = add_path(schema, writer->schema, writer->leaf_count) == PNCP_OK
                                   ? carquet_writer_create_file(writer->stream, schema, &options, NULL)
                                   : NULL;
    carquet_schema_free(schema);
    if (column != NULL && (info->col->flags & PNCP_COL_DICT) != 0 && !writer->options.plain &&
        carquet_writer_set_column_encoding(column, 0, CARQUET_ENCODING_RLE_DICTIONARY) != CARQUET_OK) {
        carquet_writer_abort(column);
        return NULL;
    }
    return column;
}

/* The values as carquet wants them: fixed widths as they are, texts as an array of pointers. */
static const void *values_of(struct pncp_group_writer *writer, const struct pncp_leaf *leaf)
{
    if (leaf->value_count == 0)
        return ""; /* declared nonnull */
    if (leaf->type != PNCP_T_TEXT)
        return leaf->values.data;
    pncp_buf_clear(&writer->texts);
    if (pncp_buf_reserve(&writer->texts, leaf->value_count * sizeof(carquet_byte_array_t)) != PNCP_OK)
        return NULL;
    carquet_byte_array_t *texts = (carquet_byte_array_t *)(void *)writer->texts.data;
    for (size_t i = 0; i < leaf->value_count; i++) {
        struct pncp_view text = pncp_leaf_text(leaf, i);
        texts[i] = (carquet_byte_array_t){.data = (uint8_t *)(uintptr_t)text.data, .length = (int32_t)text.len};
    }
    return texts;
}

/* The file of one column now at `from` in writer->file becomes a chunk there: its footer goes to writer->chunks. */
static enum pncp_code take_chunk(struct pncp_group_writer *writer, size_t from, const struct pncp_leaf *leaf,
                                 struct pncp_err *err)
{
    struct pncp_view bytes = {writer->file.data + from, writer->file.len - from};
    struct pncp_source source = pncp_source_of_view(&bytes);
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    struct pncp_thrift_reader chunk_bytes;
    struct pncp_chunk chunk;
    enum pncp_code rc = pncp_footer_read(&source, &footer, err);
    if (rc == PNCP_OK)
        rc = pncp_footer_chunk(&footer, 0, 0, &chunk, err);
    if (rc == PNCP_OK)
        rc = pncp_footer_seek_chunk(&footer, 0, 0, &chunk_bytes, err);
    if (rc != PNCP_OK)
        return rc;
    if (footer.rows != writer->rows || chunk.value_slots != leaf->level_count ||
        chunk.offset != PNCP_PARQUET_MAGIC_BYTES)
        return pncp_err_set(err, PNCP_E_PARSE, "the encoder wrote another number of values than it was given");
    rc = pncp_footer_copy_chunk(&chunk_bytes, (int64_t)from - PNCP_PARQUET_MAGIC_BYTES, &writer->chunks);
    if (rc != PNCP_OK)
        return no_memory(err);
    memmove(writer->file.data + from, writer->file.data + from + PNCP_PARQUET_MAGIC_BYTES, chunk.bytes);
    writer->file.len = from + chunk.bytes;
    writer->raw_bytes += chunk.raw_bytes;
    return PNCP_OK;
}

static carquet_status_t write_column(struct pncp_group_writer *writer, const struct pncp_leaf_info *info,
                                     const struct pncp_leaf *leaf, const void *values)
{
    carquet_writer_t *column = start_column(writer, info);
    if (column == NULL)
        return CARQUET_ERROR_OUT_OF_MEMORY;
    carquet_status_t status =
        carquet_writer_write_batch(column, 0, values, (int64_t)leaf->level_count, leaf->def, leaf->rep);
    if (status == CARQUET_OK)
        return carquet_writer_close(column);
    carquet_writer_abort(column);
    return status;
}

static enum pncp_code encode_leaf(struct pncp_group_writer *writer, const struct pncp_leaf_info *info,
                                  const struct pncp_leaf *leaf, struct pncp_err *err)
{
    const void *values = values_of(writer, leaf);
    if (values == NULL)
        return no_memory(err);
    pncp_pages_begin();
    carquet_status_t status = write_column(writer, info, leaf, values);
    enum pncp_code refused = pncp_pages_end();
    if (refused == PNCP_E_LIMIT)
        return pncp_err_set(err, refused, "column %s cannot be encoded in %zu bytes", info->path,
                            PNCP_PAGES_ALLOC_MAX_BYTES);
    if (writer->stream_rc == PNCP_E_LIMIT)
        return pncp_err_set(err, PNCP_E_LIMIT, "a row group of more than %zu bytes", GROUP_MAX_BYTES);
    if (refused != PNCP_OK || writer->stream_rc != PNCP_OK || fflush(writer->stream) != 0 ||
        ferror(writer->stream) != 0)
        return no_memory(err);
    if (status != CARQUET_OK)
        return pncp_err_set(err, pncp_pages_code(status), "column %s cannot be encoded: %s", info->path,
                            carquet_status_string(status));
    return PNCP_OK;
}

enum pncp_code pncp_group_writer_leaf(struct pncp_group_writer *writer, const struct pncp_leaf *leaf,
                                      struct pncp_err *err)
{
    assert(writer->leaf_count < writer->schema->leaf_count && writer->rows > 0);
    const struct pncp_leaf_info *info = &writer->schema->leaves[writer->leaf_count];
    size_t from = writer->file.len;
    enum pncp_code rc = check_leaf(writer, info, leaf, err);
    if (rc == PNCP_OK)
        rc = encode_leaf(writer, info, leaf, err);
    if (rc == PNCP_OK)
        rc = take_chunk(writer, from, leaf, err);
    if (rc == PNCP_OK)
        writer->leaf_count++;
    return rc;
}

/* ---- finishing ------------------------------------------------------------------------------- */

static enum pncp_code put_footer(const struct pncp_schema *schema, const struct pncp_group_head *group,
                                 struct pncp_view chunks, const struct pncp_kv_pair *kvs, size_t kv_count,
                                 struct pncp_buf *file)
{
    AUTO(pncp_buf_release) struct pncp_buf elements = {0};
    AUTO(pncp_buf_release) struct pncp_buf orders = {0};
    AUTO(pncp_buf_release) struct pncp_buf created_by = {0};
    enum pncp_code rc = pncp_schema_put(schema, &elements, &orders);
    struct pncp_thrift_writer w = {.out = &created_by, .rc = rc};
    pncp_thrift_put_binary(&w, PNCP_VIEW_LIT(PNCP_PARQUET_CREATED_BY));
    size_t footer_at = file->len;
    struct pncp_footer_head head = {.version = 2,
                                    .schema = pncp_buf_view(&elements),
                                    .rows = group == NULL ? 0 : group->rows,
                                    .group_count = group != NULL};
    struct pncp_footer_foot foot = {.kvs = kvs,
                                    .kv_count = kv_count,
                                    .created_by = pncp_buf_view(&created_by),
                                    .column_orders = pncp_buf_view(&orders)};
    rc = w.rc == PNCP_OK ? pncp_footer_put_head(file, &head) : w.rc;
    if (rc == PNCP_OK && group != NULL)
        rc = pncp_footer_put_group(file, group, chunks, schema->leaf_count);
    return rc == PNCP_OK ? pncp_footer_put_foot(file, footer_at, &foot) : rc;
}

enum pncp_code pncp_group_writer_finish(struct pncp_group_writer *writer, struct pncp_buf *ret_file,
                                        struct pncp_footer *ret_footer, struct pncp_err *err)
{
    assert(writer->leaf_count == writer->schema->leaf_count);
    struct pncp_group_head head = {.raw_bytes = writer->raw_bytes,
                                   .bytes = writer->file.len - PNCP_PARQUET_MAGIC_BYTES,
                                   .rows = writer->rows,
                                   .offset = PNCP_PARQUET_MAGIC_BYTES};
    size_t data_end = writer->file.len;
    enum pncp_code rc = put_footer(writer->schema, &head, pncp_buf_view(&writer->chunks), NULL, 0, &writer->file);
    if (rc != PNCP_OK) {
        writer->file.len = data_end;
        return no_memory(err);
    }
    struct pncp_view bytes = pncp_buf_view(&writer->file);
    struct pncp_source source = pncp_source_of_view(&bytes);
    rc = pncp_footer_read(&source, ret_footer, err);
    if (rc == PNCP_OK)
        *ret_file = pncp_buf_take(&writer->file);
    return rc;
}

enum pncp_code pncp_group_encode(const struct pncp_table *table, const struct pncp_encode_options *options,
                                 struct pncp_buf *ret_file, struct pncp_footer *ret_footer, struct pncp_err *err)
{
    struct pncp_group_writer *writer = NULL;
    assert(!table->in_row);
    enum pncp_code rc = pncp_group_writer_open(table->schema, table->rows, options, &writer, err);
    if (rc != PNCP_OK)
        return rc;
    for (size_t i = 0; rc == PNCP_OK && i < table->schema->leaf_count; i++)
        rc = pncp_group_writer_leaf(writer, &table->leaves[i], err);
    if (rc == PNCP_OK)
        rc = pncp_group_writer_finish(writer, ret_file, ret_footer, err);
    pncp_group_writer_abort(writer);
    return rc;
}

enum pncp_code pncp_parquet_empty(const struct pncp_schema *schema, const struct pncp_kv_pair *kvs, size_t kv_count,
                                  struct pncp_buf *ret_file, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf file = {0};
    enum pncp_code rc = pncp_buf_text(&file, "PAR1");
    if (rc == PNCP_OK)
        rc = put_footer(schema, NULL, (struct pncp_view){"", 0}, kvs, kv_count, &file);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "making an empty parquet file: %s",
                            rc == PNCP_E_LIMIT ? "too large" : "out of memory");
    *ret_file = pncp_buf_take(&file);
    return PNCP_OK;
}

enum pncp_code pncp_footer_check_schema(const struct pncp_footer *footer, const struct pncp_schema *schema,
                                        struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf elements = {0};
    AUTO(pncp_buf_release) struct pncp_buf orders = {0};
    if (pncp_schema_put(schema, &elements, &orders) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "comparing schemas: out of memory");
    if (!pncp_view_eq(footer->schema, pncp_buf_view(&elements)))
        return pncp_err_set(err, PNCP_E_FOREIGN, "the file's columns are not those of this program's format");
    return PNCP_OK;
}
