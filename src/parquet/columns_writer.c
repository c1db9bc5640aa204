#include "base/mem.h"
#include "parquet/chunk_writer.h"
#include "parquet/footer_int.h"
#include "parquet/group_check.h"

#include <assert.h>

struct group {
    struct pncp_group_check check;
    struct pncp_buf chunks; /* ColumnChunk structs, with places in the temporary place */
    uint64_t raw_bytes;
};

struct pncp_columns_writer {
    const struct pncp_schema *schema;
    struct pncp_encode_options options;
    struct pncp_chunk_writer chunk_writer;
    struct pncp_buf chunk; /* the newest */
    uint64_t place;        /* of the next chunk: counted as if the magic stood before them, because 0 means none */
    struct group *groups;
    size_t group_count;
};

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "encoding row groups: out of memory");
}

enum pncp_code pncp_columns_writer_open(const struct pncp_schema *schema, const uint64_t *rows, size_t group_count,
                                        const struct pncp_encode_options *options,
                                        struct pncp_columns_writer **ret_writer, struct pncp_err *err)
{
    struct pncp_columns_writer *writer = pncp_calloc(1, sizeof(*writer));
    if (writer == NULL)
        return no_memory(err);
    *writer = (struct pncp_columns_writer){
        .schema = schema, .options = *options, .place = PNCP_PARQUET_MAGIC_BYTES, .group_count = group_count};
    writer->groups = pncp_calloc(group_count, sizeof(*writer->groups));
    if (writer->groups == NULL) {
        pncp_columns_writer_free(writer);
        return no_memory(err);
    }
    for (size_t i = 0; i < group_count; i++) {
        writer->groups[i].check.schema = schema;
        writer->groups[i].check.rows = rows[i];
    }
    *ret_writer = writer;
    return PNCP_OK;
}

void pncp_columns_writer_free(struct pncp_columns_writer *writer)
{
    if (writer == NULL)
        return;
    for (size_t i = 0; writer->groups != NULL && i < writer->group_count; i++)
        pncp_buf_release(&writer->groups[i].chunks);
    pncp_free(writer->groups);
    pncp_buf_release(&writer->chunk);
    pncp_chunk_writer_release(&writer->chunk_writer);
    pncp_free(writer);
}

enum pncp_code pncp_columns_writer_put(struct pncp_columns_writer *writer, size_t group, const struct pncp_leaf *leaf,
                                       struct pncp_view *ret_chunk, struct pncp_err *err)
{
    struct group *to = &writer->groups[group];
    const struct pncp_leaf_info *info = &writer->schema->leaves[to->check.leaf_count];
    assert(group < writer->group_count && to->check.leaf_count < writer->schema->leaf_count && to->check.rows > 0);
    enum pncp_code rc = pncp_group_check_leaf(&to->check, leaf, err);
    pncp_buf_clear(&writer->chunk);
    if (rc == PNCP_OK)
        rc = pncp_chunk_write(&writer->chunk_writer, info, leaf, &writer->options, writer->place, &writer->chunk,
                              &to->chunks, &to->raw_bytes, err);
    if (rc != PNCP_OK)
        return rc;
    writer->place += writer->chunk.len;
    *ret_chunk = pncp_buf_view(&writer->chunk);
    return PNCP_OK;
}

enum pncp_code pncp_columns_writer_each_chunk(const struct pncp_columns_writer *writer,
                                              enum pncp_code (*each)(void *ctx, uint64_t at, uint64_t bytes,
                                                                     struct pncp_err *err),
                                              void *ctx, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < writer->group_count; i++) {
        struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&writer->groups[i].chunks));
        while (rc == PNCP_OK && r.at < r.end) {
            struct pncp_chunk chunk = {0};
            pncp_footer_read_chunk(&r, &chunk);
            assert(!r.failed); /* it was written here */
            rc = each(ctx, chunk.offset - PNCP_PARQUET_MAGIC_BYTES, chunk.bytes, err);
        }
    }
    return rc;
}

/* RowGroup of `group`, which begins at *at in the file; *at moves behind it. */
static enum pncp_code put_group(const struct group *group, size_t ordinal, size_t leaf_count, uint64_t *at,
                                struct pncp_buf *out)
{
    AUTO(pncp_buf_release) struct pncp_buf chunks = {0};
    struct pncp_group_head head = {
        .raw_bytes = group->raw_bytes, .rows = group->check.rows, .offset = *at, .ordinal = ordinal};
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&group->chunks));
    enum pncp_code rc = PNCP_OK;
    while (rc == PNCP_OK && r.at < r.end) {
        struct pncp_chunk chunk = {0};
        struct pncp_thrift_reader entry = r;
        pncp_footer_read_chunk(&r, &chunk);
        rc = pncp_footer_copy_chunk(&entry, (int64_t)*at - (int64_t)chunk.offset, &chunks);
        *at += chunk.bytes;
    }
    head.bytes = *at - head.offset;
    return rc == PNCP_OK ? pncp_footer_put_group(out, &head, pncp_buf_view(&chunks), leaf_count) : rc;
}

enum pncp_code pncp_columns_writer_footer(const struct pncp_columns_writer *writer, struct pncp_footer *ret_footer,
                                          struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf groups = {0};
    AUTO(pncp_buf_release) struct pncp_buf raw = {0};
    uint64_t at = PNCP_PARQUET_MAGIC_BYTES, rows = 0;
    enum pncp_code rc = PNCP_OK;
    if (writer->group_count > PNCP_PARQUET_GROUPS_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "%zu row groups, at most %d are possible", writer->group_count,
                            PNCP_PARQUET_GROUPS_MAX);
    for (size_t i = 0; rc == PNCP_OK && i < writer->group_count; i++) {
        assert(writer->groups[i].check.leaf_count == writer->schema->leaf_count);
        rc = put_group(&writer->groups[i], i, writer->schema->leaf_count, &at, &groups);
        rows += writer->groups[i].check.rows;
    }
    if (rc == PNCP_OK)
        rc = pncp_footer_put_new(writer->schema, rows, writer->group_count, pncp_buf_view(&groups), NULL, 0, &raw);
    if (rc == PNCP_E_LIMIT)
        return pncp_err_set(err, rc, "a footer of more than %zu bytes", PNCP_FOOTER_MAX_BYTES);
    if (rc != PNCP_OK)
        return no_memory(err);
    uint64_t file_bytes = at + raw.len;
    raw.len -= PNCP_PARQUET_TRAILER_BYTES;
    return pncp_footer_parse(&raw, file_bytes, ret_footer, err);
}
