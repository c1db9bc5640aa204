#include "pncp/part_rows.h"
#include "base/mem.h"
#include "base/random.h"
#include "table/packed.h"

#include <string.h>

#define SLICE_ROWS 64 /* decoded before they are packed: so many of a large page lie in the scratch at once */
#define SLACK_MAX_BYTES ((size_t)4096)      /* of what waits for its lot */
#define SPARE_MAX_BYTES ((size_t)16 * 1024) /* that a column of the scratch keeps between pages */

enum pncp_code pncp_part_scratch_init(struct pncp_part_scratch *scratch)
{
    enum pncp_code rc = pncp_table_init(&scratch->table, pncp_details_schema());
    pncp_decoder_init(&scratch->decoder, &scratch->table);
    return rc;
}

void pncp_part_scratch_release(struct pncp_part_scratch *scratch)
{
    pncp_decoder_release(&scratch->decoder);
    if (scratch->table.schema != NULL)
        pncp_table_release(&scratch->table);
}

static const struct pncp_node *node_of(enum pncp_part part)
{
    const struct pncp_details_leaves *at = pncp_details_leaves();
    return &pncp_details_schema()->nodes[part == PNCP_PART_ITENS ? at->itens_node : at->arquivos_node];
}

void pncp_part_rows_init(struct pncp_part_rows *rows, enum pncp_part part)
{
    *rows = (struct pncp_part_rows){.part = part};
}

void pncp_part_rows_release(struct pncp_part_rows *rows)
{
    pncp_buf_release(&rows->cells);
    pncp_free(rows->ids);
    pncp_part_rows_init(rows, rows->part);
}

void pncp_part_rows_clear(struct pncp_part_rows *rows)
{
    pncp_buf_release(&rows->cells);
    rows->count = rows->misfits = 0;
    rows->ids_sum = 0;
    rows->id_count = 0;
    rows->zero_seen = false;
    if (rows->ids != NULL)
        memset(rows->ids, 0, rows->id_cap * sizeof(*rows->ids));
}

void pncp_part_rows_seal(struct pncp_part_rows *rows)
{
    pncp_free(rows->ids);
    rows->ids = NULL;
    rows->id_cap = rows->id_count = 0;
    if (rows->cells.cap - rows->cells.len > SLACK_MAX_BYTES)
        pncp_buf_fit(&rows->cells);
}

/* ---- which are new: open addressing, 0 marks a free slot ------------------------------------- */

static size_t slot_of(const int64_t *ids, size_t cap, int64_t id)
{
    size_t i = ((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15)) >> 32 & (cap - 1);
    while (ids[i] != 0 && ids[i] != id)
        i = (i + 1) & (cap - 1);
    return i;
}

static enum pncp_code put_id(struct pncp_part_rows *rows, int64_t id, bool *ret_new)
{
    if (id == 0) {
        *ret_new = !rows->zero_seen;
        rows->zero_seen = true;
        return PNCP_OK;
    }
    if ((rows->id_count + 1) * 4 > rows->id_cap * 3) {
        size_t cap = rows->id_cap == 0 ? 32 : rows->id_cap * 2;
        int64_t *ids = pncp_calloc(cap, sizeof(*ids));
        if (ids == NULL)
            return PNCP_E_NOMEM;
        for (size_t i = 0; i < rows->id_cap; i++) {
            if (rows->ids[i] != 0)
                ids[slot_of(ids, cap, rows->ids[i])] = rows->ids[i];
        }
        pncp_free(rows->ids);
        rows->ids = ids;
        rows->id_cap = cap;
    }
    size_t slot = slot_of(rows->ids, rows->id_cap, id);
    *ret_new = rows->ids[slot] == 0;
    rows->id_count += *ret_new;
    rows->ids[slot] = id;
    return PNCP_OK;
}

static enum pncp_code is_new(struct pncp_part_rows *rows, yyjson_val *element, bool *ret_new)
{
    int64_t id;
    *ret_new = true;
    const char *name = rows->part == PNCP_PART_ITENS ? "numeroItem" : "sequencialDocumento";
    if (!pncp_json_int(pncp_json_get(element, name), &id))
        return PNCP_OK;
    uint64_t hash = (uint64_t)id;
    enum pncp_code rc = put_id(rows, id, ret_new);
    if (rc == PNCP_OK && *ret_new)
        rows->ids_sum += pncp_splitmix(&hash);
    return rc;
}

/* ---- a page ---------------------------------------------------------------------------------- */

static void clear_scratch(struct pncp_part_scratch *scratch, const struct pncp_node *node)
{
    for (size_t i = 0; i < node->leaf_count; i++) {
        struct pncp_leaf *leaf = &scratch->table.leaves[node->leaf + i];
        if (pncp_leaf_bytes(leaf) > SPARE_MAX_BYTES)
            pncp_leaf_release(leaf);
        else
            pncp_leaf_clear(leaf);
    }
}

/* The next new ones, SLICE_ROWS at most, into the scratch; *ret_new fewer: there are no more. */
static enum pncp_code decode(struct pncp_part_rows *rows, struct pncp_part_scratch *scratch,
                             const struct pncp_node *node, yyjson_arr_iter *elements, int64_t *ret_new)
{
    *ret_new = 0;
    for (yyjson_val *element; *ret_new < SLICE_ROWS && (element = yyjson_arr_iter_next(elements)) != NULL;) {
        bool fresh;
        enum pncp_code rc = is_new(rows, element, &fresh);
        if (rc == PNCP_OK && fresh)
            rc = pncp_decode_record(&scratch->decoder, node, element, rows->count + *ret_new == 0 ? 0 : node->rep);
        if (rc != PNCP_OK)
            return rc;
        *ret_new += fresh;
    }
    return PNCP_OK;
}

enum pncp_code pncp_part_rows_add(struct pncp_part_rows *rows, struct pncp_part_scratch *scratch, yyjson_val *page,
                                  int64_t *ret_new)
{
    const struct pncp_node *node = node_of(rows->part);
    int64_t fresh = SLICE_ROWS;
    yyjson_arr_iter elements;
    yyjson_arr_iter_init(page, &elements);
    *ret_new = 0;
    while (fresh == SLICE_ROWS) {
        scratch->decoder.misfits = 0;
        enum pncp_code rc = decode(rows, scratch, node, &elements, &fresh);
        if (rc == PNCP_OK && fresh > 0)
            rc = pncp_packed_put(&rows->cells, &scratch->table.leaves[node->leaf], node->leaf_count);
        clear_scratch(scratch, node);
        if (rc != PNCP_OK)
            return rc;
        rows->count += fresh;
        rows->misfits += scratch->decoder.misfits;
        *ret_new += fresh;
    }
    return PNCP_OK;
}

enum pncp_code pncp_part_rows_put(const struct pncp_part_rows *rows, struct pncp_table *details)
{
    const struct pncp_node *node = node_of(rows->part);
    enum pncp_code rc = PNCP_OK;
    for (size_t at = 0; rc == PNCP_OK && at < rows->cells.len;)
        rc = pncp_packed_append(&rows->cells, &at, &details->leaves[node->leaf], node->leaf_count);
    return rc;
}
