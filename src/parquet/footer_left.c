/*
 * A footer without RowGroup structs that are in its file: those of 137 columns have 11 KB a group, and a day of 100,000
 * contratações has more than a hundred groups that nothing will change but a rewrite.
 */
#include "base/mem.h"
#include "parquet/footer_int.h"

#include <string.h>

/* A view into the bytes `from`, of which `cut` at `at` were left out of `to`, as one into `to`. */
static struct pncp_view follow(struct pncp_view view, const char *from, const char *to, size_t at, size_t cut)
{
    if (view.len == 0)
        return (struct pncp_view){"", 0};
    size_t offset = (size_t)(view.data - from);
    return (struct pncp_view){to + offset - (offset >= at ? cut : 0), view.len};
}

void pncp_footer_leave(struct pncp_footer *footer, size_t groups)
{
    const struct pncp_footer_left before = footer->left;
    if (groups <= before.groups)
        return;
    const struct pncp_group *first = &footer->groups[before.groups], *last = &footer->groups[groups - 1];
    size_t at = first->footer_offset - before.bytes; /* in raw */
    size_t cut = last->footer_offset + last->footer_bytes - first->footer_offset;
    const struct pncp_buf *raw = &footer->raw;
    struct pncp_buf rest = {0};
    if (pncp_buf_reserve(&rest, raw->len - cut) != PNCP_OK || pncp_buf_append(&rest, raw->data, at) != PNCP_OK ||
        pncp_buf_append(&rest, raw->data + at + cut, raw->len - at - cut) != PNCP_OK)
        return; /* it serves as well as it is */
    footer->left =
        (struct pncp_footer_left){.groups = groups,
                                  .at = before.groups > 0 ? before.at : first->footer_offset,
                                  .bytes = before.bytes + (uint32_t)cut,
                                  .crc = pncp_footer_crc_more(&before, (struct pncp_view){raw->data + at, cut})};
    footer->schema = follow(footer->schema, raw->data, rest.data, at, cut);
    footer->created_by = follow(footer->created_by, raw->data, rest.data, at, cut);
    footer->column_orders = follow(footer->column_orders, raw->data, rest.data, at, cut);
    for (size_t i = 0; i < footer->kv_count; i++) {
        footer->kvs[i].key = follow(footer->kvs[i].key, raw->data, rest.data, at, cut);
        footer->kvs[i].value = follow(footer->kvs[i].value, raw->data, rest.data, at, cut);
    }
    pncp_buf_release(&footer->raw);
    footer->raw = rest;
    size_t kept = (footer->group_count - groups) * footer->leaf_count;
    memmove(footer->chunk_at, footer->chunk_at + (groups - before.groups) * footer->leaf_count,
            kept * sizeof(*footer->chunk_at));
}

/* The bytes of the group's RowGroup struct into one->raw, and what is known of it. */
static enum pncp_code recall(const struct pncp_footer *footer, const struct pncp_source *source, size_t group,
                             struct pncp_footer *one, struct pncp_err *err)
{
    const struct pncp_group *is = &footer->groups[group];
    one->leaves = pncp_calloc(footer->leaf_count, sizeof(*one->leaves));
    one->groups = pncp_calloc(1, sizeof(*one->groups));
    one->chunk_at = pncp_calloc(footer->leaf_count, sizeof(*one->chunk_at));
    if (one->leaves == NULL || one->groups == NULL || one->chunk_at == NULL ||
        pncp_buf_reserve(&one->raw, is->footer_bytes) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "parquet footer: out of memory");
    memcpy(one->leaves, footer->leaves, footer->leaf_count * sizeof(*one->leaves));
    one->raw.len = is->footer_bytes;
    enum pncp_code rc =
        source->read_at(source->ctx, pncp_footer_at(footer) + is->footer_offset, one->raw.data, one->raw.len, err);
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&one->raw));
    if (rc == PNCP_OK)
        rc = pncp_footer_read_group(&r, one, &one->groups[0], err);
    if (rc == PNCP_OK && (r.at != r.end || one->groups[0].rows != is->rows || one->groups[0].offset != is->offset ||
                          one->groups[0].bytes != is->bytes))
        rc = pncp_err_set(err, PNCP_E_PARSE, "damaged parquet footer: row group %zu is not what it was", group);
    return rc;
}

enum pncp_code pncp_footer_recall(const struct pncp_footer **footer, size_t *group, const struct pncp_source *source,
                                  struct pncp_footer *recalled, struct pncp_err *err)
{
    if (*group >= (*footer)->left.groups)
        return PNCP_OK;
    *recalled = (struct pncp_footer){.file_bytes = (*footer)->file_bytes,
                                     .data_end = (*footer)->data_end,
                                     .rows = (*footer)->groups[*group].rows,
                                     .group_count = 1,
                                     .recalled_group = *group,
                                     .leaf_count = (*footer)->leaf_count};
    enum pncp_code rc = recall(*footer, source, *group, recalled, err);
    *footer = recalled;
    *group = 0;
    return rc;
}

static enum pncp_code unpack_group(const struct pncp_footer *footer, const struct pncp_source *source, size_t group,
                                   struct pncp_chunk_numbers *numbers, struct pncp_err *err)
{
    AUTO(pncp_footer_release) struct pncp_footer recalled = {0};
    size_t no = group;
    enum pncp_code rc = pncp_footer_recall(&footer, &no, source, &recalled, err);
    for (size_t leaf = 0; rc == PNCP_OK && leaf < footer->leaf_count; leaf++) {
        struct pncp_chunk chunk;
        rc = pncp_footer_chunk(footer, no, leaf, &chunk, err);
        if (rc == PNCP_OK &&
            (chunk.bytes > UINT32_MAX || chunk.raw_bytes > UINT32_MAX || chunk.value_slots > UINT32_MAX))
            rc = pncp_err_set(err, PNCP_E_PARSE, "damaged parquet footer: a column chunk of row group %zu is too large",
                              group);
        if (rc == PNCP_OK)
            numbers[leaf] = (struct pncp_chunk_numbers){.offset = chunk.offset,
                                                        .bytes = (uint32_t)chunk.bytes,
                                                        .raw_bytes = (uint32_t)chunk.raw_bytes,
                                                        .value_slots = (uint32_t)chunk.value_slots,
                                                        .codec = chunk.codec};
    }
    return rc;
}

enum pncp_code pncp_footer_unpack(struct pncp_footer *footer, const struct pncp_source *source, struct pncp_err *err)
{
    if (footer->numbers != NULL)
        return PNCP_OK;
    AUTO(pncp_free_ptr)
    struct pncp_chunk_numbers *numbers = pncp_calloc(footer->group_count * footer->leaf_count, sizeof(*numbers));
    if (numbers == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "parquet footer: out of memory");
    for (size_t group = 0; group < footer->group_count; group++) {
        enum pncp_code rc = unpack_group(footer, source, group, &numbers[group * footer->leaf_count], err);
        if (rc != PNCP_OK)
            return rc;
    }
    pncp_footer_leave(footer, footer->group_count);
    footer->numbers = numbers;
    numbers = NULL;
    return PNCP_OK;
}
