#include "base/mem.h"
#include "parquet/chunk_writer.h"
#include "parquet/footer_int.h"
#include "parquet/group_check.h"

#include <assert.h>

#define FOOTER_TOO_LARGE "a footer of more than %zu bytes"

struct place { /* of a chunk and its ColumnChunk struct, in the temporary places */
    uint64_t chunk_at;
    uint32_t chunk_bytes, entry_at, entry_bytes;
};

struct group {
    struct pncp_group_check check;
    uint64_t raw_bytes;
};

struct pncp_columns_writer {
    const struct pncp_schema *schema;
    struct pncp_encode_options options;
    struct pncp_chunk_writer chunk_writer;
    struct pncp_buf chunk, entry; /* the newest */
    uint64_t chunk_at;            /* of the next: counted as if the magic stood before them, because 0 means none */
    uint64_t entry_at;
    struct group *groups;
    struct place *places; /* group by group */
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
        .schema = schema, .options = *options, .chunk_at = PNCP_PARQUET_MAGIC_BYTES, .group_count = group_count};
    writer->groups = pncp_calloc(group_count, sizeof(*writer->groups));
    writer->places = pncp_calloc(group_count * schema->leaf_count, sizeof(*writer->places));
    if (writer->groups == NULL || writer->places == NULL) {
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
    pncp_free(writer->groups);
    pncp_free(writer->places);
    pncp_buf_release(&writer->chunk);
    pncp_buf_release(&writer->entry);
    pncp_chunk_writer_release(&writer->chunk_writer);
    pncp_free(writer);
}

void pncp_columns_writer_rest(struct pncp_columns_writer *writer)
{
    pncp_buf_release(&writer->chunk);
    pncp_chunk_writer_release(&writer->chunk_writer);
}

enum pncp_code pncp_columns_writer_put(struct pncp_columns_writer *writer, size_t group, const struct pncp_leaf *leaf,
                                       struct pncp_view *ret_chunk, struct pncp_view *ret_entry, struct pncp_err *err)
{
    struct group *to = &writer->groups[group];
    size_t leaf_no = to->check.leaf_count;
    assert(group < writer->group_count && leaf_no < writer->schema->leaf_count && to->check.rows > 0);
    enum pncp_code rc = pncp_group_check_leaf(&to->check, leaf, err);
    pncp_buf_clear(&writer->chunk);
    pncp_buf_clear(&writer->entry);
    if (rc == PNCP_OK)
        rc = pncp_chunk_write(&writer->chunk_writer, &writer->schema->leaves[leaf_no], leaf, &writer->options,
                              writer->chunk_at, &writer->chunk, &writer->entry, &to->raw_bytes, err);
    if (rc == PNCP_OK && writer->entry_at + writer->entry.len > PNCP_FOOTER_MAX_BYTES)
        rc = pncp_err_set(err, PNCP_E_LIMIT, FOOTER_TOO_LARGE, PNCP_FOOTER_MAX_BYTES);
    if (rc != PNCP_OK)
        return rc;
    writer->places[group * writer->schema->leaf_count + leaf_no] =
        (struct place){.chunk_at = writer->chunk_at,
                       .chunk_bytes = (uint32_t)writer->chunk.len, /* a chunk of more than 256 MiB is not made */
                       .entry_at = (uint32_t)writer->entry_at,
                       .entry_bytes = (uint32_t)writer->entry.len};
    writer->chunk_at += writer->chunk.len;
    writer->entry_at += writer->entry.len;
    *ret_chunk = pncp_buf_view(&writer->chunk);
    *ret_entry = pncp_buf_view(&writer->entry);
    return PNCP_OK;
}

enum pncp_code pncp_columns_writer_each_chunk(const struct pncp_columns_writer *writer,
                                              enum pncp_code (*each)(void *ctx, uint64_t at, uint64_t bytes,
                                                                     struct pncp_err *err),
                                              void *ctx, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < writer->group_count * writer->schema->leaf_count; i++)
        rc = each(ctx, writer->places[i].chunk_at - PNCP_PARQUET_MAGIC_BYTES, writer->places[i].chunk_bytes, err);
    return rc;
}

/* RowGroup of group `no`, which begins at *at in the file; *at moves behind it. */
static enum pncp_code put_group(const struct pncp_columns_writer *writer, size_t no, const struct pncp_source *entries,
                                uint64_t *at, struct pncp_buf *out, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf chunks = {0};
    AUTO(pncp_buf_release) struct pncp_buf entry = {0};
    size_t leaf_count = writer->schema->leaf_count;
    struct pncp_group_head head = {
        .raw_bytes = writer->groups[no].raw_bytes, .rows = writer->groups[no].check.rows, .offset = *at, .ordinal = no};
    for (size_t leaf = 0; leaf < leaf_count; leaf++) {
        const struct place *place = &writer->places[no * leaf_count + leaf];
        pncp_buf_clear(&entry);
        if (pncp_buf_reserve(&entry, place->entry_bytes) != PNCP_OK)
            return no_memory(err);
        entry.len = place->entry_bytes;
        enum pncp_code rc = entries->read_at(entries->ctx, place->entry_at, entry.data, entry.len, err);
        if (rc != PNCP_OK)
            return rc;
        struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&entry));
        if (pncp_footer_copy_chunk(&r, (int64_t)*at - (int64_t)place->chunk_at, &chunks) != PNCP_OK)
            return no_memory(err);
        *at += place->chunk_bytes;
    }
    head.bytes = *at - head.offset;
    return pncp_footer_put_group(out, &head, pncp_buf_view(&chunks), leaf_count) == PNCP_OK ? PNCP_OK : no_memory(err);
}

static enum pncp_code footer_error(enum pncp_code rc, struct pncp_err *err)
{
    return rc == PNCP_E_LIMIT ? pncp_err_set(err, rc, FOOTER_TOO_LARGE, PNCP_FOOTER_MAX_BYTES) : no_memory(err);
}

enum pncp_code pncp_columns_writer_footer(const struct pncp_columns_writer *writer, const struct pncp_source *entries,
                                          const struct pncp_kv_pair *kvs, size_t kv_count,
                                          struct pncp_footer *ret_footer, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf raw = {0};
    uint64_t at = PNCP_PARQUET_MAGIC_BYTES, rows = 0;
    if (writer->group_count > PNCP_PARQUET_GROUPS_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "%zu row groups, at most %d are possible", writer->group_count,
                            PNCP_PARQUET_GROUPS_MAX);
    for (size_t i = 0; i < writer->group_count; i++)
        rows += writer->groups[i].check.rows;
    enum pncp_code rc = pncp_footer_begin_new(writer->schema, rows, writer->group_count, &raw);
    if (rc != PNCP_OK)
        return footer_error(rc, err);
    for (size_t i = 0; i < writer->group_count; i++) {
        assert(writer->groups[i].check.leaf_count == writer->schema->leaf_count);
        rc = put_group(writer, i, entries, &at, &raw, err);
        if (rc != PNCP_OK)
            return rc;
    }
    rc = pncp_footer_end_new(writer->schema, kvs, kv_count, 0, &raw);
    if (rc != PNCP_OK)
        return footer_error(rc, err);
    uint64_t file_bytes = at + raw.len;
    raw.len -= PNCP_PARQUET_TRAILER_BYTES;
    return pncp_footer_parse(&raw, file_bytes, ret_footer, err);
}
