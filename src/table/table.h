/*
 * Rows of one schema in memory, column by column, in Parquet's own form: per leaf the definition and repetition levels
 * and the packed non-null values.
 * Sequence: row_begin -> for every leaf of the schema, in any order, one put/null/… at least -> row_end (or row_undo).
 * A row that is not ended leaves no trace. row_end checks that every leaf got its slots (an assert: a bug, not data).
 */
#ifndef PNCP_TABLE_H
#define PNCP_TABLE_H

#include "base/buf.h"
#include "base/err.h"
#include "table/schema.h"

#include <assert.h>
#include <string.h>

typedef uint8_t pncp_level; /* definition or repetition; a schema's are far below 127 */

/* The values of one leaf. Fixed-width types sit packed in `values` (bool 1 byte, int32/date 4, the others 8); text is
 * in `values` back to back with `ends[i]` the end offset of the i-th text. */
struct pncp_leaf {
    enum pncp_type type;
    uint8_t width; /* bytes of a packed value; 0 for text */
    int16_t max_def, max_rep;
    struct pncp_buf values;
    uint32_t *ends; /* text only: value_count of them */
    size_t ends_cap;
    size_t value_count;
    pncp_level *def, *rep; /* level_count of each; rep is NULL when max_rep is 0; def is NULL when max_def is 0 */
    size_t level_count, level_cap;
    size_t last_row, last_value; /* the row that was last copied without an index, and its first value */
};

void pncp_leaf_init(struct pncp_leaf *leaf, const struct pncp_leaf_info *info);
void pncp_leaf_release(struct pncp_leaf *leaf);
void pncp_leaf_clear(struct pncp_leaf *leaf);         /* keep memory */
size_t pncp_leaf_bytes(const struct pncp_leaf *leaf); /* allocated */
size_t pncp_type_width(enum pncp_type type);          /* bytes of a packed value; 0 for text */
size_t pncp_leaf_rows(const struct pncp_leaf *leaf);  /* slots with rep 0 */

/* Room for so many more slots, values and bytes in `values`. PNCP_E_NOMEM · PNCP_E_LIMIT: 4 GiB of text or slots. */
MUST_CHECK enum pncp_code pncp_leaf_reserve(struct pncp_leaf *leaf, size_t slots, size_t values, size_t bytes);
/* One slot. `def` == max_def for a value, less for a null at that level. PNCP_E_NOMEM · PNCP_E_LIMIT: 4 GiB of text. */
MUST_CHECK enum pncp_code pncp_leaf_put_null(struct pncp_leaf *leaf, int16_t rep, int16_t def);
MUST_CHECK enum pncp_code pncp_leaf_put_int(struct pncp_leaf *leaf, int16_t rep,
                                            int64_t value); /* bool, int32, date, 64-bit */
MUST_CHECK enum pncp_code pncp_leaf_put_text(struct pncp_leaf *leaf, int16_t rep, struct pncp_view text);
/* Where the i-th packed value begins in `values`; i may be value_count. */
static inline size_t pncp_leaf_value_offset(const struct pncp_leaf *leaf, size_t i)
{
    if (leaf->type != PNCP_T_TEXT)
        return i * leaf->width;
    return i == 0 ? 0 : leaf->ends[i - 1];
}

/* Its bytes there, of any type. */
static inline struct pncp_view pncp_leaf_value(const struct pncp_leaf *leaf, size_t i)
{
    assert(i < leaf->value_count);
    size_t from = pncp_leaf_value_offset(leaf, i);
    size_t len = leaf->type == PNCP_T_TEXT ? leaf->ends[i] - from : leaf->width;
    return (struct pncp_view){leaf->values.data == NULL ? "" : leaf->values.data + from, len};
}

static inline struct pncp_view pncp_leaf_text(const struct pncp_leaf *leaf, size_t i)
{
    assert(leaf->type == PNCP_T_TEXT);
    return pncp_leaf_value(leaf, i);
}

static inline int64_t pncp_leaf_int(const struct pncp_leaf *leaf, size_t i)
{
    assert(i < leaf->value_count && leaf->width > 0);
    const char *at = leaf->values.data + i * leaf->width;
    int8_t narrow;
    int32_t middle;
    int64_t wide;
    switch (leaf->width) {
    case 1:
        memcpy(&narrow, at, 1);
        return narrow;
    case 4:
        memcpy(&middle, at, 4);
        return middle;
    default:
        memcpy(&wide, at, 8);
        return wide;
    }
}

/* Does the slot hold a value? */
static inline bool pncp_leaf_has_value(const struct pncp_leaf *leaf, size_t slot)
{
    return leaf->max_def == 0 || leaf->def[slot] == leaf->max_def;
}

/* How many of the levels are `level`. */
size_t pncp_level_count(const pncp_level *levels, size_t slots, pncp_level level);
/* How many of `slots` definition levels say that a value is there; all when max_def is 0 (def is not looked at then).
 */
size_t pncp_leaf_count_values(const pncp_level *def, size_t slots, int16_t max_def);

/* Where the slots and values of each row begin: an index of rows + 1 entries, made in one pass. */
struct pncp_leaf_index {
    uint32_t *slot, *value;
    size_t rows;
};
MUST_CHECK enum pncp_code pncp_leaf_index_make(const struct pncp_leaf *leaf, struct pncp_leaf_index *ret_index);
void pncp_leaf_index_release(struct pncp_leaf_index *index);
/* Append row `row` of `from` (same type and levels). */
MUST_CHECK enum pncp_code pncp_leaf_copy_row(struct pncp_leaf *to, const struct pncp_leaf *from,
                                             const struct pncp_leaf_index *from_index, size_t row);
/* Append all rows of `from`. */
MUST_CHECK enum pncp_code pncp_leaf_append(struct pncp_leaf *to, const struct pncp_leaf *from);
/* Take away the first `slots` slots: whole rows, which hold the first `values` values. Memory is kept. */
void pncp_leaf_drop(struct pncp_leaf *leaf, size_t slots, size_t values);

struct pncp_table_mark { /* where an unfinished row began, per leaf */
    uint32_t levels, values, bytes;
};

struct pncp_table {
    const struct pncp_schema *schema; /* borrowed */
    struct pncp_leaf *leaves;         /* schema->leaf_count */
    struct pncp_table_mark *marks;
    size_t rows;
    bool in_row;
};

/* PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_table_init(struct pncp_table *table, const struct pncp_schema *schema);
void pncp_table_release(struct pncp_table *table);
void pncp_table_clear(struct pncp_table *table);
struct pncp_table pncp_table_take(struct pncp_table *table);
size_t
pncp_table_bytes(const struct pncp_table *table); /* bytes in use (not capacity): what the 8 MiB lot rule counts */

void pncp_table_row_begin(struct pncp_table *table);
void pncp_table_row_end(struct pncp_table *table);
void pncp_table_row_undo(struct pncp_table *table);

/* Inside a row: every leaf below `node` gets one null slot at that repetition level and node->def_null: the node is
 * null. */
MUST_CHECK enum pncp_code pncp_table_put_null(struct pncp_table *table, const struct pncp_node *node, int16_t rep);
/* A list that is present and empty. */
MUST_CHECK enum pncp_code pncp_table_put_empty(struct pncp_table *table, const struct pncp_node *list, int16_t rep);

/* Append row `row` of `from` to the unfinished row of `to`: leaves [from_leaf, from_leaf + count) of `from` to
 * [to_leaf, …) of `to`; the leaves must be of equal type and levels. Costs a scan of `from` between this row and the
 * one copied before it, for nested leaves up to `row`: meant for small chunks (a listing page) whose rows are wanted
 * nearly in their order. `from` keeps its content and remembers where it was. */
MUST_CHECK enum pncp_code pncp_table_copy_cells(struct pncp_table *to, size_t to_leaf, struct pncp_table *from,
                                                size_t from_leaf, size_t count, size_t row);

#endif
