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
    struct pncp_buf file;          /* "PAR1", the chunks so far, without those that were taken */
    uint64_t taken;                /* bytes */
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
    return rc == PNCP_OK ? pncp_chunk_write(&writer->chunk, info, leaf, &writer->options, writer->taken, &writer->file,
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
        rc =
            pncp_chunk_begin(&writer->chunk, info, &writer->options, writer->taken, &writer->file, &writer->begun, err);
    if (rc == PNCP_OK && at_once)
        rc = pncp_chunk_piece(&writer->chunk, &writer->begun, leaf, last, err);
    if (rc == PNCP_OK && at_once && last)
        rc = pncp_chunk_end(&writer->begun, &writer->chunks, &writer->raw_bytes, err);
    else if (rc == PNCP_OK && last)
        rc = pncp_chunk_write(&writer->chunk, info, leaf, &writer->options, writer->taken, &writer->file,
                              &writer->chunks, &writer->raw_bytes, err);
    if (last) {
        writer->begun.info = NULL;
    } else {
        writer->check.now.kept_slots = leaf->level_count;
        writer->check.now.kept_values = leaf->value_count;
    }
    return rc;
}

/* ---- finishing ------------------------------------------------------------------------------- */

struct pncp_view pncp_group_writer_ready(const struct pncp_group_writer *writer)
{
    assert(writer->begun.info == NULL);
    return pncp_buf_view(&writer->file);
}

void pncp_group_writer_taken(struct pncp_group_writer *writer)
{
    writer->taken += writer->file.len;
    pncp_buf_clear(&writer->file);
}

/* The file's footer, length and magic, to the end of `out`. */
static enum pncp_code put_footer(const struct pncp_group_writer *writer, struct pncp_buf *out)
{
    const struct pncp_schema *schema = writer->check.schema;
    const struct pncp_group_head head = {.raw_bytes = writer->raw_bytes,
                                         .bytes = writer->taken + writer->file.len - PNCP_PARQUET_MAGIC_BYTES,
                                         .rows = writer->check.rows,
                                         .offset = PNCP_PARQUET_MAGIC_BYTES};
    size_t begin = out->len;
    assert(writer->check.leaf_count == schema->leaf_count);
    enum pncp_code rc = pncp_footer_begin_new(schema, head.rows, 1, out);
    if (rc == PNCP_OK)
        rc = pncp_footer_put_group(out, &head, pncp_buf_view(&writer->chunks), schema->leaf_count);
    return rc == PNCP_OK ? pncp_footer_end_new(schema, NULL, 0, begin, out) : rc;
}

enum pncp_code pncp_group_writer_finish(struct pncp_group_writer *writer, struct pncp_buf *ret_file,
                                        struct pncp_footer *ret_footer, struct pncp_err *err)
{
    assert(writer->taken == 0);
    size_t data_end = writer->file.len;
    if (put_footer(writer, &writer->file) != PNCP_OK) {
        writer->file.len = data_end;
        return no_memory(err);
    }
    struct pncp_view bytes = pncp_buf_view(&writer->file);
    struct pncp_source source = pncp_source_of_view(&bytes);
    enum pncp_code rc = pncp_footer_read(&source, ret_footer, err);
    if (rc == PNCP_OK)
        *ret_file = pncp_buf_take(&writer->file);
    return rc;
}

enum pncp_code pncp_group_writer_footer(const struct pncp_group_writer *writer, struct pncp_footer *ret_footer,
                                        struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf raw = {0};
    assert(writer->file.len == 0);
    if (put_footer(writer, &raw) != PNCP_OK)
        return no_memory(err);
    uint64_t file_bytes = writer->taken + raw.len;
    raw.len -= PNCP_PARQUET_TRAILER_BYTES;
    return pncp_footer_parse(&raw, file_bytes, ret_footer, err);
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
