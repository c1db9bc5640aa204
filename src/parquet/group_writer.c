#include "base/mem.h"
#include "parquet/chunk_writer.h"
#include "parquet/footer_int.h"
#include "parquet/group_check.h"

#include <assert.h>
#include <string.h>

/* A row group is 8 MiB at most, or one contratação admitted alone; encoded it is smaller. */
#define GROUP_MAX_BYTES ((size_t)1024 * 1024 * 1024)

struct pncp_group_writer {
    struct pncp_group_check check;
    struct pncp_encode_options options;
    struct pncp_chunk_writer chunk;
    struct pncp_chunk_begun begun; /* of the column that comes in pieces; without info: none does */
    struct pncp_buf file;          /* "PAR1", the chunks so far */
    struct pncp_buf chunks;        /* their ColumnChunk structs */
    uint64_t raw_bytes;
};

/* ---- opening --------------------------------------------------------------------------------- */

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "encoding a row group: out of memory");
}

enum pncp_code pncp_group_writer_open(const struct pncp_schema *schema, uint64_t rows,
                                      const struct pncp_encode_options *options, struct pncp_group_writer **ret_writer,
                                      struct pncp_err *err)
{
    struct pncp_group_writer *writer = pncp_calloc(1, sizeof(*writer));
    if (writer == NULL)
        return no_memory(err);
    *writer = (struct pncp_group_writer){
        .check = {.schema = schema, .rows = rows}, .options = *options, .file = PNCP_BUF_INIT(GROUP_MAX_BYTES)};
    if (pncp_buf_text(&writer->file, "PAR1") != PNCP_OK) {
        pncp_group_writer_abort(writer);
        return no_memory(err);
    }
    *ret_writer = writer;
    return PNCP_OK;
}

void pncp_group_writer_abort(struct pncp_group_writer *writer)
{
    if (writer == NULL)
        return;
    pncp_chunk_writer_release(&writer->chunk);
    pncp_buf_release(&writer->file);
    pncp_buf_release(&writer->chunks);
    pncp_free(writer);
}

enum pncp_code pncp_group_writer_leaf(struct pncp_group_writer *writer, const struct pncp_leaf *leaf,
                                      struct pncp_err *err)
{
    const struct pncp_schema *schema = writer->check.schema;
    const struct pncp_leaf_info *info = &schema->leaves[writer->check.leaf_count];
    assert(writer->check.leaf_count < schema->leaf_count && writer->check.rows > 0);
    enum pncp_code rc = pncp_group_check_leaf(&writer->check, leaf, err);
    return rc == PNCP_OK ? pncp_chunk_write(&writer->chunk, info, leaf, &writer->options, 0, &writer->file,
                                            &writer->chunks, &writer->raw_bytes, err)
                         : rc;
}

enum pncp_code pncp_group_writer_piece(struct pncp_group_writer *writer, struct pncp_leaf *leaf, bool last,
                                       struct pncp_err *err)
{
    const struct pncp_schema *schema = writer->check.schema;
    const struct pncp_leaf_info *info = &schema->leaves[writer->check.leaf_count];
    const bool at_once = pncp_chunk_takes_pieces(info, &writer->options);
    assert(writer->check.leaf_count < schema->leaf_count && writer->check.rows > 0);
    enum pncp_code rc = pncp_group_check_piece(&writer->check, leaf, last, err);
    if (rc == PNCP_OK && at_once && writer->begun.info == NULL)
        rc = pncp_chunk_begin(&writer->chunk, info, &writer->options, 0, &writer->file, &writer->begun, err);
    if (rc == PNCP_OK && at_once)
        rc = pncp_chunk_piece(&writer->chunk, &writer->begun, leaf, last, err);
    if (rc == PNCP_OK && at_once && last)
        rc = pncp_chunk_end(&writer->begun, &writer->chunks, &writer->raw_bytes, err);
    else if (rc == PNCP_OK && last)
        rc = pncp_chunk_write(&writer->chunk, info, leaf, &writer->options, 0, &writer->file, &writer->chunks,
                              &writer->raw_bytes, err);
    if (last) {
        writer->begun.info = NULL;
    } else {
        writer->check.now.kept_slots = leaf->level_count;
        writer->check.now.kept_values = leaf->value_count;
    }
    return rc;
}

/* ---- finishing ------------------------------------------------------------------------------- */

enum pncp_code pncp_group_writer_finish(struct pncp_group_writer *writer, struct pncp_buf *ret_file,
                                        struct pncp_footer *ret_footer, struct pncp_err *err)
{
    assert(writer->check.leaf_count == writer->check.schema->leaf_count);
    struct pncp_group_head head = {.raw_bytes = writer->raw_bytes,
                                   .bytes = writer->file.len - PNCP_PARQUET_MAGIC_BYTES,
                                   .rows = writer->check.rows,
                                   .offset = PNCP_PARQUET_MAGIC_BYTES};
    size_t data_end = writer->file.len;
    const struct pncp_schema *schema = writer->check.schema;
    enum pncp_code rc = pncp_footer_begin_new(schema, head.rows, 1, &writer->file);
    if (rc == PNCP_OK)
        rc = pncp_footer_put_group(&writer->file, &head, pncp_buf_view(&writer->chunks), schema->leaf_count);
    if (rc == PNCP_OK)
        rc = pncp_footer_end_new(schema, NULL, 0, data_end, &writer->file);
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
        rc = pncp_footer_begin_new(schema, 0, 0, &file);
    if (rc == PNCP_OK)
        rc = pncp_footer_end_new(schema, kvs, kv_count, PNCP_PARQUET_MAGIC_BYTES, &file);
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
    if (pncp_schema_put(schema, &elements) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "comparing schemas: out of memory");
    if (!pncp_view_eq(footer->schema, pncp_buf_view(&elements)))
        return pncp_err_set(err, PNCP_E_FOREIGN, "the file's columns are not those of this program's format");
    return PNCP_OK;
}

enum pncp_code pncp_footer_find_schema(const struct pncp_footer *footer, struct pncp_schema_versions versions,
                                       const struct pncp_schema **ret_schema, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_E_FOREIGN;
    for (size_t i = versions.count; rc == PNCP_E_FOREIGN && i-- > 0;) {
        rc = pncp_footer_check_schema(footer, &versions.schemas[i], err);
        if (rc == PNCP_OK)
            *ret_schema = &versions.schemas[i];
    }
    return rc;
}
