#include "base/mem.h"
#include "table/table.h"
#include "table/table_int.h"

#include <assert.h>
#include <string.h>

#define FIRST_SLOTS ((size_t)64) /* of the first allocation: an ordinary lot has 50 rows */

size_t pncp_type_width(enum pncp_type type)
{
    switch (type) {
    case PNCP_T_BOOL:
        return 1;
    case PNCP_T_INT32:
    case PNCP_T_DATE:
        return 4;
    case PNCP_T_INT64:
    case PNCP_T_DEC18_4:
    case PNCP_T_LOCAL_US:
    case PNCP_T_UTC_US:
        return 8;
    case PNCP_T_TEXT:
    case PNCP_T_STRUCT:
    case PNCP_T_LIST:
        break;
    }
    return 0;
}

void pncp_leaf_init(struct pncp_leaf *leaf, const struct pncp_leaf_info *info)
{
    *leaf = (struct pncp_leaf){.type = info->type,
                               .width = (uint8_t)pncp_type_width(info->type),
                               .max_def = info->max_def,
                               .max_rep = info->max_rep,
                               .values = PNCP_BUF_INIT(UINT32_MAX)}; /* offsets are 32 bits */
}

void pncp_leaf_release(struct pncp_leaf *leaf)
{
    pncp_buf_release(&leaf->values);
    pncp_free(leaf->ends);
    pncp_free(leaf->def);
    pncp_free(leaf->rep);
    leaf->ends = NULL;
    leaf->def = leaf->rep = NULL;
    leaf->ends_cap = leaf->value_count = leaf->level_count = leaf->level_cap = 0;
    leaf->last_row = leaf->last_value = 0;
}

void pncp_leaf_clear(struct pncp_leaf *leaf)
{
    pncp_buf_clear(&leaf->values);
    leaf->value_count = leaf->level_count = 0;
    leaf->last_row = leaf->last_value = 0;
}

static size_t level_bytes(const struct pncp_leaf *leaf)
{
    return sizeof(pncp_level) * ((size_t)(leaf->max_def > 0) + (size_t)(leaf->max_rep > 0));
}

size_t pncp_leaf_bytes(const struct pncp_leaf *leaf)
{
    return leaf->values.cap + leaf->ends_cap * sizeof(*leaf->ends) + leaf->level_cap * level_bytes(leaf);
}

size_t pncp_leaf_rows(const struct pncp_leaf *leaf)
{
    return leaf->max_rep == 0 ? leaf->level_count : pncp_level_count(leaf->rep, leaf->level_count, 0);
}

static enum pncp_code grow_levels(struct pncp_leaf *leaf, size_t more)
{
    size_t need = leaf->level_count + more;
    if (need > UINT32_MAX)
        return PNCP_E_LIMIT;
    if (need <= leaf->level_cap)
        return PNCP_OK;
    size_t cap = PNCP_MAX(pncp_grow(leaf->level_cap, need), FIRST_SLOTS);
    if (leaf->max_def > 0) {
        pncp_level *def = pncp_realloc(leaf->def, cap, sizeof(*def));
        if (def == NULL)
            return PNCP_E_NOMEM;
        leaf->def = def;
    }
    if (leaf->max_rep > 0) {
        pncp_level *rep = pncp_realloc(leaf->rep, cap, sizeof(*rep));
        if (rep == NULL)
            return PNCP_E_NOMEM;
        leaf->rep = rep;
    }
    leaf->level_cap = cap;
    return PNCP_OK;
}

static enum pncp_code grow_ends(struct pncp_leaf *leaf, size_t more)
{
    size_t need = leaf->value_count + more;
    if (leaf->type != PNCP_T_TEXT || need <= leaf->ends_cap)
        return PNCP_OK;
    size_t cap = PNCP_MAX(pncp_grow(leaf->ends_cap, need), FIRST_SLOTS);
    uint32_t *ends = pncp_realloc(leaf->ends, cap, sizeof(*ends));
    if (ends == NULL)
        return PNCP_E_NOMEM;
    leaf->ends = ends;
    leaf->ends_cap = cap;
    return PNCP_OK;
}

enum pncp_code pncp_leaf_reserve(struct pncp_leaf *leaf, size_t slots, size_t values, size_t bytes)
{
    enum pncp_code rc = grow_levels(leaf, slots);
    if (rc == PNCP_OK)
        rc = grow_ends(leaf, values);
    return rc == PNCP_OK ? pncp_buf_reserve(&leaf->values, bytes) : rc;
}

static void push_level(struct pncp_leaf *leaf, int16_t rep, int16_t def)
{
    if (leaf->max_def > 0)
        leaf->def[leaf->level_count] = (pncp_level)def;
    if (leaf->max_rep > 0)
        leaf->rep[leaf->level_count] = (pncp_level)rep;
    leaf->level_count++;
}

enum pncp_code pncp_leaf_put_null(struct pncp_leaf *leaf, int16_t rep, int16_t def)
{
    assert(def < leaf->max_def && rep <= leaf->max_rep);
    enum pncp_code rc = grow_levels(leaf, 1);
    if (rc == PNCP_OK)
        push_level(leaf, rep, def);
    return rc;
}

enum pncp_code pncp_leaf_put_int(struct pncp_leaf *leaf, int16_t rep, int64_t value)
{
    enum pncp_code rc = grow_levels(leaf, 1);
    if (rc != PNCP_OK)
        return rc;
    size_t width = leaf->width;
    assert(width != 0);
    rc = pncp_buf_reserve(&leaf->values, width);
    if (rc != PNCP_OK)
        return rc;
    char *at = leaf->values.data + leaf->values.len;
    int32_t middle = (int32_t)value;
    if (width == 1)
        *at = (char)value;
    else if (width == 4)
        memcpy(at, &middle, sizeof(middle));
    else
        memcpy(at, &value, sizeof(value));
    leaf->values.len += width;
    leaf->value_count++;
    push_level(leaf, rep, leaf->max_def);
    return PNCP_OK;
}

enum pncp_code pncp_leaf_put_text(struct pncp_leaf *leaf, int16_t rep, struct pncp_view text)
{
    assert(leaf->type == PNCP_T_TEXT);
    enum pncp_code rc = grow_levels(leaf, 1);
    if (rc == PNCP_OK)
        rc = grow_ends(leaf, 1);
    if (rc == PNCP_OK)
        rc = pncp_buf_append(&leaf->values, text.data, text.len);
    if (rc != PNCP_OK)
        return rc;
    leaf->ends[leaf->value_count++] = (uint32_t)leaf->values.len;
    push_level(leaf, rep, leaf->max_def);
    return PNCP_OK;
}

enum pncp_code pncp_leaf_index_make(const struct pncp_leaf *leaf, struct pncp_leaf_index *ret_index)
{
    size_t rows = pncp_leaf_rows(leaf);
    struct pncp_leaf_index index = {.rows = rows};
    index.slot = pncp_calloc(rows + 1, sizeof(*index.slot));
    index.value = pncp_calloc(rows + 1, sizeof(*index.value));
    if (index.slot == NULL || index.value == NULL) {
        pncp_leaf_index_release(&index);
        return PNCP_E_NOMEM;
    }
    size_t row = 0;
    uint32_t value = 0;
    for (size_t slot = 0; slot < leaf->level_count; slot++) { /* no branch: of a slot within a row nothing stays */
        index.slot[row] = (uint32_t)slot;
        index.value[row] = value;
        row += leaf->max_rep == 0 || leaf->rep[slot] == 0;
        value += pncp_leaf_has_value(leaf, slot);
    }
    index.slot[rows] = (uint32_t)leaf->level_count;
    index.value[rows] = (uint32_t)leaf->value_count;
    *ret_index = index;
    return PNCP_OK;
}

void pncp_leaf_index_release(struct pncp_leaf_index *index)
{
    pncp_free(index->slot);
    pncp_free(index->value);
    *index = (struct pncp_leaf_index){0};
}

/* Append slots [slot, slot_end) of `from`, which hold the values [value, value_end). */
static enum pncp_code append_span(struct pncp_leaf *to, const struct pncp_leaf *from, size_t slot, size_t slot_end,
                                  size_t value, size_t value_end)
{
    assert(to->type == from->type && to->max_def == from->max_def && to->max_rep == from->max_rep);
    size_t slots = slot_end - slot, values = value_end - value;
    enum pncp_code rc = grow_levels(to, slots);
    if (rc == PNCP_OK)
        rc = grow_ends(to, values);
    size_t byte = pncp_leaf_value_offset(from, value), bytes = pncp_leaf_value_offset(from, value_end) - byte;
    size_t base = to->values.len;
    if (rc == PNCP_OK && bytes > 0)
        rc = pncp_buf_append(&to->values, from->values.data + byte, bytes);
    if (rc != PNCP_OK)
        return rc;
    if (to->type == PNCP_T_TEXT) {
        for (size_t i = 0; i < values; i++)
            to->ends[to->value_count + i] = (uint32_t)(base + (from->ends[value + i] - byte));
    }
    if (to->max_def > 0)
        memcpy(to->def + to->level_count, from->def + slot, slots * sizeof(*to->def));
    if (to->max_rep > 0)
        memcpy(to->rep + to->level_count, from->rep + slot, slots * sizeof(*to->rep));
    to->level_count += slots;
    to->value_count += values;
    return PNCP_OK;
}

enum pncp_code pncp_leaf_copy_row(struct pncp_leaf *to, const struct pncp_leaf *from,
                                  const struct pncp_leaf_index *from_index, size_t row)
{
    assert(row < from_index->rows);
    return append_span(to, from, from_index->slot[row], from_index->slot[row + 1], from_index->value[row],
                       from_index->value[row + 1]);
}

enum pncp_code pncp_leaf_append(struct pncp_leaf *to, const struct pncp_leaf *from)
{
    return from->level_count == 0 ? PNCP_OK : append_span(to, from, 0, from->level_count, 0, from->value_count);
}

void pncp_leaf_drop(struct pncp_leaf *leaf, size_t slots, size_t values)
{
    assert(slots <= leaf->level_count && values <= leaf->value_count);
    if (slots == 0)
        return;
    size_t bytes = pncp_leaf_value_offset(leaf, values);
    size_t slots_left = leaf->level_count - slots, values_left = leaf->value_count - values;
    leaf->values.len -= bytes;
    if (bytes > 0)
        memmove(leaf->values.data, leaf->values.data + bytes, leaf->values.len);
    for (size_t i = 0; leaf->type == PNCP_T_TEXT && i < values_left; i++)
        leaf->ends[i] = leaf->ends[values + i] - (uint32_t)bytes;
    if (leaf->max_def > 0)
        memmove(leaf->def, leaf->def + slots, slots_left * sizeof(*leaf->def));
    if (leaf->max_rep > 0)
        memmove(leaf->rep, leaf->rep + slots, slots_left * sizeof(*leaf->rep));
    leaf->level_count = slots_left;
    leaf->value_count = values_left;
    leaf->last_row = leaf->last_value = 0;
}

/* Many at a time, because every row of a list asks this of every column. */
size_t pncp_level_count(const pncp_level *levels, size_t slots, pncp_level level)
{
    enum { LANES = 16 };
    typedef pncp_level lanes __attribute__((vector_size(LANES)));
    typedef int8_t truths __attribute__((vector_size(LANES)));
    size_t count = 0, at = 0;
    while (slots - at >= LANES) {
        truths equal = {0}; /* minus the number, per lane */
        for (size_t end = PNCP_MIN(slots, at + LANES * (size_t)INT8_MAX); end - at >= LANES; at += LANES) {
            lanes some;
            memcpy(&some, levels + at, sizeof(some));
            equal += some == level;
        }
        for (size_t i = 0; i < LANES; i++)
            count += (size_t)-equal[i];
    }
    for (; at < slots; at++)
        count += levels[at] == level;
    return count;
}

size_t pncp_leaf_count_values(const pncp_level *def, size_t slots, int16_t max_def)
{
    return max_def == 0 ? slots : pncp_level_count(def, slots, (pncp_level)max_def);
}

/* How many values stand before slot `row` of a flat leaf: told from the last row asked for, which is near. */
static size_t values_before(struct pncp_leaf *leaf, size_t row)
{
    size_t from = PNCP_MIN(row, leaf->last_row), slots = PNCP_MAX(row, leaf->last_row) - from;
    size_t between = leaf->max_def == 0 ? slots : pncp_leaf_count_values(leaf->def + from, slots, leaf->max_def);
    leaf->last_value = row < leaf->last_row ? leaf->last_value - between : leaf->last_value + between;
    leaf->last_row = row;
    return leaf->last_value;
}

enum pncp_code pncp_leaf_copy_scanned(struct pncp_leaf *to, struct pncp_leaf *from, size_t row)
{
    size_t slot, seen = 0;
    if (from->max_rep == 0) {
        size_t value = values_before(from, row);
        return append_span(to, from, row, row + 1, value, value + pncp_leaf_has_value(from, row));
    }
    for (slot = 0; slot < from->level_count; slot++) { /* up to the first slot of `row` */
        if (from->rep[slot] == 0 && seen++ == row)
            break;
    }
    size_t value = pncp_leaf_count_values(from->def, slot, from->max_def), slot_end = slot, value_end = value;
    do
        value_end += pncp_leaf_has_value(from, slot_end++);
    while (slot_end < from->level_count && from->rep[slot_end] != 0);
    return append_span(to, from, slot, slot_end, value, value_end);
}
