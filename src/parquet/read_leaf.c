/* One column back from a file: nothing but its chunks of the row groups asked for is read, wherever the file is. */
#include "parquet/chunk_reader.h"
#include "parquet/footer_int.h"

struct column { /* of a file */
    const struct pncp_source *source;
    const struct pncp_footer *footer;
    size_t leaf;
    struct pncp_chunk_reader *reader, own;
    struct pncp_buf bytes; /* of the chunk at hand */
};

static void column_release(struct column *column)
{
    pncp_chunk_reader_release(&column->own);
    pncp_buf_release(&column->bytes);
}

static size_t number_of(const struct column *column, size_t group)
{
    return column->footer->recalled_group + group;
}

static enum pncp_code damaged(const struct column *column, size_t group, struct pncp_err *err, const char *what)
{
    return pncp_err_set(err, PNCP_E_PARSE, "damaged parquet file: row group %zu, column %zu: %s",
                        number_of(column, group), column->leaf, what);
}

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "reading a parquet column: out of memory");
}

static enum pncp_code read_bytes(struct column *column, const struct pncp_chunk *chunk, size_t group,
                                 struct pncp_err *err)
{
    pncp_buf_clear(&column->bytes);
    if (chunk->bytes > PNCP_CHUNK_MAX_BYTES || chunk->raw_bytes > PNCP_CHUNK_MAX_BYTES)
        return pncp_err_set(err, PNCP_E_LIMIT, "row group %zu, column %zu: %" PRIu64 " bytes, at most %zu can be read",
                            number_of(column, group), column->leaf, PNCP_MAX(chunk->bytes, chunk->raw_bytes),
                            PNCP_CHUNK_MAX_BYTES);
    if (pncp_buf_reserve(&column->bytes, (size_t)chunk->bytes) != PNCP_OK)
        return no_memory(err);
    column->bytes.len = (size_t)chunk->bytes;
    return column->source->read_at(column->source->ctx, chunk->offset, column->bytes.data, column->bytes.len, err);
}

static enum pncp_code read_group(struct column *column, size_t group, struct pncp_leaf *to, struct pncp_err *err)
{
    const uint64_t rows = column->footer->groups[group].rows;
    struct pncp_chunk chunk;
    if (rows == 0)
        return PNCP_OK;
    enum pncp_code rc = pncp_footer_chunk(column->footer, group, column->leaf, &chunk, err);
    if (rc == PNCP_OK && to->max_rep == 0 && chunk.value_slots != rows)
        return damaged(column, group, err, "it is not as long as the row group");
    if (rc == PNCP_OK)
        rc = read_bytes(column, &chunk, group, err);
    if (rc != PNCP_OK)
        return rc;
    const char *damage = NULL;
    size_t before = to->level_count;
    switch (pncp_chunk_read(column->reader, &chunk, pncp_buf_view(&column->bytes), to, &damage)) {
    case PNCP_OK:
        break;
    case PNCP_E_PARSE:
        return damaged(column, group, err, damage);
    case PNCP_E_LIMIT:
        return pncp_err_set(err, PNCP_E_LIMIT, "row group %zu, column %zu: too many values or bytes of text to hold",
                            number_of(column, group), column->leaf);
    default:
        return no_memory(err);
    }
    if (to->max_rep > 0 && pncp_level_count(to->rep + before, to->level_count - before, 0) != rows)
        return damaged(column, group, err, "it is not as long as the footer says");
    return PNCP_OK;
}

enum pncp_code pncp_parquet_read_leaf(struct pncp_chunk_reader *reader, const struct pncp_source *source,
                                      const struct pncp_footer *footer, size_t leaf, size_t first_group, size_t count,
                                      struct pncp_leaf *ret_leaf, struct pncp_err *err)
{
    AUTO(column_release) struct column column = {.source = source, .footer = footer, .leaf = leaf};
    column.reader = reader == NULL ? &column.own : reader;
    if (leaf >= footer->leaf_count || first_group > footer->group_count || count > footer->group_count - first_group)
        return pncp_err_set(err, PNCP_E_PARSE, "the parquet file has no column %zu in row groups %zu to %zu", leaf,
                            first_group, first_group + count);
    const struct pncp_footer_leaf *is = &footer->leaves[leaf];
    if (count > 0 && (is->physical != pncp_schema_physical(ret_leaf->type) || is->max_def != ret_leaf->max_def ||
                      is->max_rep != ret_leaf->max_rep))
        return damaged(&column, first_group, err, "it is of another type than expected");
    enum pncp_code rc = PNCP_OK;
    for (size_t group = first_group; rc == PNCP_OK && group < first_group + count; group++)
        rc = read_group(&column, group, ret_leaf, err);
    return rc;
}
