#include "base/mem.h"
#include "parquet/chunk_writer.h"
#include "parquet/footer_int.h"

#include <assert.h>
#include <string.h>

/* A row group is 8 MiB at most, or one contratação admitted alone; encoded it is smaller. */
#define GROUP_MAX_BYTES ((size_t)1024 * 1024 * 1024)

struct pncp_group_writer {
    const struct pncp_schema *schema;
    uint64_t rows;
    struct pncp_encode_options options;
    struct pncp_chunk_writer chunk;
    struct pncp_buf file;   /* "PAR1", the chunks so far */
    struct pncp_buf chunks; /* their ColumnChunk structs */
    size_t leaf_count;      /* written so far */
    uint64_t raw_bytes;
    struct pncp_buf rep[PNCP_SCHEMA_NODES_MAX]; /* by LIST node: the repetition levels that its leaves share */
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
        .schema = schema, .rows = rows, .options = *options, .file = PNCP_BUF_INIT(GROUP_MAX_BYTES)};
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
    for (size_t i = 0; i < PNCP_ARRAY_LEN(writer->rep); i++)
        pncp_buf_release(&writer->rep[i]);
    pncp_free(writer);
}

/* ---- what must hold between columns ---------------------------------------------------------- */

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

/* The leaves of a list have the same lengths: those of the first one. */
static enum pncp_code check_list(struct pncp_group_writer *writer, const struct pncp_leaf_info *info,
                                 const struct pncp_leaf *leaf, struct pncp_err *err)
{
    size_t list = list_of(writer->schema, writer->leaf_count), bytes = leaf->level_count * sizeof(*leaf->rep);
    struct pncp_buf *rep = &writer->rep[list];
    if (writer->leaf_count == writer->schema->nodes[list].leaf)
        return pncp_buf_append(rep, leaf->rep, bytes) == PNCP_OK ? PNCP_OK : no_memory(err);
    if (rep->len != bytes || memcmp(rep->data, leaf->rep, bytes) != 0)
        return malformed(err, info, "its lists are of other lengths than those of the column before");
    return PNCP_OK;
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
    return check_list(writer, info, leaf, err);
}

/* ---- columns --------------------------------------------------------------------------------- */

enum pncp_code pncp_group_writer_leaf(struct pncp_group_writer *writer, const struct pncp_leaf *leaf,
                                      struct pncp_err *err)
{
    assert(writer->leaf_count < writer->schema->leaf_count && writer->rows > 0);
    const struct pncp_leaf_info *info = &writer->schema->leaves[writer->leaf_count];
    enum pncp_code rc = check_leaf(writer, info, leaf, err);
    if (rc == PNCP_OK)
        rc = pncp_chunk_write(&writer->chunk, info, leaf, &writer->options, &writer->file, &writer->chunks,
                              &writer->raw_bytes, err);
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
