/*
 * Rows to test with: a small schema that has every type, a nested object, a list of objects with an object inside, and
 * a table of rows of it made from a seed, with nulls at every level. Included by tests of table/ and parquet/.
 */
#ifndef PNCP_TEST_SAMPLE_H
#define PNCP_TEST_SAMPLE_H

#include "base/random.h"
#include "table/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLE_REQ PNCP_COL_REQUIRED
#define SAMPLE_STATS PNCP_COL_STATS
#define SAMPLE_DICT PNCP_COL_DICT
#define SAMPLE_COL(name, type, flags)                                                                                  \
    {                                                                                                                  \
        name, PNCP_T_##type, flags, NULL, 0, "sample"                                                                  \
    }
#define SAMPLE_TREE(name, type, cols)                                                                                  \
    {                                                                                                                  \
        name, PNCP_T_##type, 0, (cols), PNCP_ARRAY_LEN(cols), "sample"                                                 \
    }

static const struct pncp_col SAMPLE_LUGAR[] = {SAMPLE_COL("codigo", INT64, SAMPLE_DICT),
                                               SAMPLE_COL("nome", TEXT, SAMPLE_DICT)};
static const struct pncp_col SAMPLE_ITEM[] = {
    SAMPLE_COL("numero", INT64, 0),        SAMPLE_COL("ativo", BOOL, 0), SAMPLE_COL("valor", DEC18_4, 0),
    SAMPLE_COL("quando", LOCAL_US, 0),     SAMPLE_COL("texto", TEXT, 0), SAMPLE_TREE("lugar", STRUCT, SAMPLE_LUGAR),
    SAMPLE_COL("nome", TEXT, SAMPLE_DICT),
};
static const struct pncp_col SAMPLE_COLS[] = {
    SAMPLE_COL("id", INT32, SAMPLE_REQ | SAMPLE_STATS),
    SAMPLE_COL("nome", TEXT, SAMPLE_REQ),
    SAMPLE_COL("sim", BOOL, 0),
    SAMPLE_COL("pequeno", INT32, SAMPLE_STATS | SAMPLE_DICT),
    SAMPLE_COL("grande", INT64, SAMPLE_STATS),
    SAMPLE_COL("valor", DEC18_4, SAMPLE_STATS),
    SAMPLE_COL("dia", DATE, SAMPLE_STATS | SAMPLE_DICT),
    SAMPLE_COL("local", LOCAL_US, SAMPLE_STATS),
    SAMPLE_COL("utc", UTC_US, SAMPLE_STATS | SAMPLE_REQ),
    SAMPLE_COL("chave", TEXT, SAMPLE_STATS),
    SAMPLE_COL("texto", TEXT, SAMPLE_DICT),
    SAMPLE_TREE("lugar", STRUCT, SAMPLE_LUGAR),
    SAMPLE_TREE("itens", LIST, SAMPLE_ITEM),
    SAMPLE_COL("fim", INT32, 0),
};

static inline const struct pncp_schema *sample_schema(void)
{
    static struct pncp_schema schema;
    if (schema.node_count == 0)
        assert_int_equal(pncp_schema_init(&schema, SAMPLE_COLS, PNCP_ARRAY_LEN(SAMPLE_COLS), NULL), PNCP_OK);
    return &schema;
}

/* A root column's node; there must be one of that name. */
static inline const struct pncp_node *sample_node(const char *name)
{
    const struct pncp_node *nodes = sample_schema()->nodes, *node = &nodes[nodes[0].first_child];
    for (uint16_t i = 1; strcmp(node->col->name, name) != 0; i++, node++)
        assert_true(i < nodes[0].child_count);
    return node;
}

static inline int64_t sample_number(enum pncp_type type, uint64_t *seed)
{
    static const int64_t edges[] = {0, 1, -1, INT32_MAX, INT32_MIN};
    uint64_t dice = pncp_splitmix(seed);
    if (type == PNCP_T_BOOL)
        return dice & 1;
    if (dice % 8 < PNCP_ARRAY_LEN(edges))
        return edges[dice % 8];
    if (pncp_type_width(type) == 4)
        return (int32_t)(dice >> 32);
    return dice % 8 == 5 ? INT64_MAX : dice % 8 == 6 ? INT64_MIN : (int64_t)(dice >> 20);
}

static inline struct pncp_view sample_text(uint64_t *seed)
{
    static const char letters[] = "Aquisição de pães, açúcar e café — lote nº 7 \xC2\xA0\xEF\xBF\xBE 😀 "
                                  "conforme especificações e quantidades do Termo de Referência";
    uint64_t dice = pncp_splitmix(seed);
    size_t len = dice % 4 == 0 ? 0 : (dice >> 8) % (sizeof(letters) - 1);
    return (struct pncp_view){letters, pncp_view_utf8_len((struct pncp_view){letters, len})};
}

static inline void sample_put(struct pncp_table *table, const struct pncp_node *node, int16_t rep, uint64_t *seed);

static inline void sample_put_list(struct pncp_table *table, const struct pncp_node *list, int16_t rep, uint64_t *seed)
{
    uint64_t elements = pncp_splitmix(seed) % 4;
    if (elements == 0)
        assert_int_equal(pncp_table_put_empty(table, list, rep), PNCP_OK);
    for (uint64_t i = 0; i < elements; i++) {
        int16_t at = i == 0 ? rep : list->rep;
        if (pncp_splitmix(seed) % 5 == 0) { /* an element that is null */
            for (size_t k = 0; k < list->leaf_count; k++)
                assert_int_equal(
                    pncp_leaf_put_null(&table->leaves[list->leaf + k], at, (int16_t)(list->def_present + 1)), PNCP_OK);
            continue;
        }
        for (size_t k = 0; k < list->child_count; k++)
            sample_put(table, &table->schema->nodes[list->first_child + k], at, seed);
    }
}

static inline void sample_put(struct pncp_table *table, const struct pncp_node *node, int16_t rep, uint64_t *seed)
{
    struct pncp_leaf *leaf = &table->leaves[node->leaf];
    if ((node->col->flags & PNCP_COL_REQUIRED) == 0 && pncp_splitmix(seed) % 4 == 0) {
        assert_int_equal(pncp_table_put_null(table, node, rep), PNCP_OK);
    } else if (node->col->type == PNCP_T_LIST) {
        sample_put_list(table, node, rep, seed);
    } else if (node->col->type == PNCP_T_STRUCT) {
        for (size_t i = 0; i < node->child_count; i++)
            sample_put(table, &table->schema->nodes[node->first_child + i], rep, seed);
    } else if (node->col->type == PNCP_T_TEXT) {
        assert_int_equal(pncp_leaf_put_text(leaf, rep, sample_text(seed)), PNCP_OK);
    } else {
        assert_int_equal(pncp_leaf_put_int(leaf, rep, sample_number(node->col->type, seed)), PNCP_OK);
    }
}

/* Add `rows` rows to a table of any schema. */
static inline void sample_fill(struct pncp_table *table, size_t rows, uint64_t seed)
{
    const struct pncp_node *root = &table->schema->nodes[0];
    for (size_t i = 0; i < rows; i++) {
        pncp_table_row_begin(table);
        for (size_t k = 0; k < root->child_count; k++)
            sample_put(table, &table->schema->nodes[root->first_child + k], 0, &seed);
        pncp_table_row_end(table);
    }
}

static inline struct pncp_table sample_table(size_t rows, uint64_t seed)
{
    struct pncp_table table;
    assert_int_equal(pncp_table_init(&table, sample_schema()), PNCP_OK);
    sample_fill(&table, rows, seed);
    return table;
}

static inline void sample_same_leaf(const struct pncp_leaf *a, const struct pncp_leaf *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->level_count, b->level_count);
    assert_int_equal(a->value_count, b->value_count);
    assert_int_equal(a->values.len, b->values.len);
    if (a->level_count > 0 && a->max_def > 0)
        assert_memory_equal(a->def, b->def, a->level_count * sizeof(*a->def));
    if (a->level_count > 0 && a->max_rep > 0)
        assert_memory_equal(a->rep, b->rep, a->level_count * sizeof(*a->rep));
    if (a->values.len > 0)
        assert_memory_equal(a->values.data, b->values.data, a->values.len);
    if (a->type == PNCP_T_TEXT && a->value_count > 0)
        assert_memory_equal(a->ends, b->ends, a->value_count * sizeof(*a->ends));
}

static inline void sample_same_table(const struct pncp_table *a, const struct pncp_table *b)
{
    assert_int_equal(a->rows, b->rows);
    for (size_t i = 0; i < a->schema->leaf_count; i++)
        sample_same_leaf(&a->leaves[i], &b->leaves[i]);
}

#endif
