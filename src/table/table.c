#include "table/table.h"
#include "base/mem.h"
#include "table/table_int.h"

#include <assert.h>

enum pncp_code pncp_table_init(struct pncp_table *table, const struct pncp_schema *schema)
{
    *table = (struct pncp_table){.schema = schema};
    table->leaves = pncp_calloc(schema->leaf_count, sizeof(*table->leaves));
    table->marks = pncp_calloc(schema->leaf_count, sizeof(*table->marks));
    if (table->leaves == NULL || table->marks == NULL) {
        pncp_table_release(table);
        return PNCP_E_NOMEM;
    }
    for (size_t i = 0; i < schema->leaf_count; i++)
        pncp_leaf_init(&table->leaves[i], &schema->leaves[i]);
    return PNCP_OK;
}

void pncp_table_release(struct pncp_table *table)
{
    for (size_t i = 0; table->leaves != NULL && i < table->schema->leaf_count; i++)
        pncp_leaf_release(&table->leaves[i]);
    pncp_free(table->leaves);
    pncp_free(table->marks);
    *table = (struct pncp_table){.schema = table->schema};
}

void pncp_table_clear(struct pncp_table *table)
{
    for (size_t i = 0; i < table->schema->leaf_count; i++)
        pncp_leaf_clear(&table->leaves[i]);
    table->rows = 0;
    table->in_row = false;
}

struct pncp_table pncp_table_take(struct pncp_table *table)
{
    struct pncp_table taken = *table;
    *table = (struct pncp_table){.schema = table->schema};
    return taken;
}

size_t pncp_table_bytes(const struct pncp_table *table)
{
    size_t bytes = 0;
    for (size_t i = 0; i < table->schema->leaf_count; i++) {
        const struct pncp_leaf *leaf = &table->leaves[i];
        bytes += leaf->values.len + leaf->level_count * 2 * sizeof(pncp_level);
        bytes += leaf->type == PNCP_T_TEXT ? leaf->value_count * sizeof(uint32_t) : 0;
    }
    return bytes;
}

void pncp_table_row_begin(struct pncp_table *table)
{
    assert(!table->in_row);
    table->in_row = true;
    for (size_t i = 0; i < table->schema->leaf_count; i++) {
        const struct pncp_leaf *leaf = &table->leaves[i];
        table->marks[i] = (struct pncp_table_mark){.levels = (uint32_t)leaf->level_count,
                                                   .values = (uint32_t)leaf->value_count,
                                                   .bytes = (uint32_t)leaf->values.len};
    }
}

void pncp_table_row_end(struct pncp_table *table)
{
    assert(table->in_row);
    for (size_t i = 0; i < table->schema->leaf_count; i++) { /* each leaf: exactly one slot that starts a row */
        const struct pncp_leaf *leaf = &table->leaves[i];
        size_t first = table->marks[i].levels;
        assert(leaf->level_count > first);
        assert(leaf->max_rep > 0 ? leaf->rep[first] == 0 : leaf->level_count == first + 1);
        (void)leaf, (void)first;
    }
    table->in_row = false;
    table->rows++;
}

void pncp_table_row_undo(struct pncp_table *table)
{
    if (!table->in_row)
        return;
    for (size_t i = 0; i < table->schema->leaf_count; i++) {
        struct pncp_leaf *leaf = &table->leaves[i];
        leaf->level_count = table->marks[i].levels;
        leaf->value_count = table->marks[i].values;
        leaf->values.len = table->marks[i].bytes;
    }
    table->in_row = false;
}

static enum pncp_code put_slots(struct pncp_table *table, const struct pncp_node *node, int16_t rep, int16_t def)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < node->leaf_count; i++)
        rc = pncp_leaf_put_null(&table->leaves[node->leaf + i], rep, def);
    return rc;
}

enum pncp_code pncp_table_put_null(struct pncp_table *table, const struct pncp_node *node, int16_t rep)
{
    return put_slots(table, node, rep, node->def_null);
}

enum pncp_code pncp_table_put_empty(struct pncp_table *table, const struct pncp_node *list, int16_t rep)
{
    assert(list->col->type == PNCP_T_LIST);
    return put_slots(table, list, rep, list->def_present);
}

enum pncp_code pncp_table_copy_cells(struct pncp_table *to, size_t to_leaf, struct pncp_table *from, size_t from_leaf,
                                     size_t count, size_t row)
{
    assert(row < from->rows && to->in_row);
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < count; i++)
        rc = pncp_leaf_copy_scanned(&to->leaves[to_leaf + i], &from->leaves[from_leaf + i], row);
    return rc;
}
