#include "pncp/older.h"
#include "base/clock.h"
#include "base/mem.h"
#include "pncp/extra.h"

#include <stdio.h>
#include <string.h>

struct cursor { /* the next slot of a leaf, and the next of its values */
    size_t slot, value;
};

/* Rows on their way down. */
struct lowering {
    const struct pncp_table *rows;
    const struct pncp_schema *older;
    struct pncp_table *to;
    struct cursor *at;    /* per leaf of rows; only those of newer columns, and of `extra`, move */
    int64_t *misfits;     /* per row: what is no misfit any more */
    struct pncp_buf text; /* of the record at hand: its new extra */
    struct pncp_json_writer writer;
    size_t slot, row; /* of the record at hand */
};

static const struct pncp_node *child_of(const struct lowering *l, const struct pncp_node *node, size_t i)
{
    return &l->rows->schema->nodes[node->first_child + i];
}

static bool is_newer(const struct lowering *l, const struct pncp_node *node)
{
    return node->since > l->older->version;
}

static bool has_grown(const struct lowering *l, const struct pncp_node *node)
{
    return node->col->type == PNCP_T_STRUCT && pncp_schema_has_grown(l->rows->schema, node, l->older->version);
}

/* ---- cells ----------------------------------------------------------------------------------- */

static int16_t def_at(const struct lowering *l, size_t leaf)
{
    return l->rows->leaves[leaf].def[l->at[leaf].slot];
}

/* Beyond the next slot; *ret_value is its value's number. False: it is null. */
static bool take(struct lowering *l, size_t leaf, size_t *ret_value)
{
    bool there = def_at(l, leaf) == l->rows->leaves[leaf].max_def;
    l->at[leaf].slot++;
    *ret_value = l->at[leaf].value;
    l->at[leaf].value += there;
    return there;
}

/* The record or struct is not there: beyond the one slot that each newer column has for it. */
static void skip_newer(struct lowering *l, const struct pncp_node *node)
{
    for (size_t i = 0; i < node->child_count; i++) {
        const struct pncp_node *child = child_of(l, node, i);
        for (size_t k = 0; is_newer(l, child) && k < child->leaf_count; k++)
            l->at[child->leaf + k].slot++;
        if (!is_newer(l, child) && has_grown(l, child))
            skip_newer(l, child);
    }
}

static void put_decimal(struct pncp_json_writer *w, int64_t value)
{
    char text[32];
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int len = snprintf(text, sizeof(text), "%s%" PRIu64 ".%04u", value < 0 ? "-" : "", size / 10000,
                       (unsigned)(size % 10000));
    pncp_json_put_raw(w, (struct pncp_view){text, (size_t)len});
}

static void put_civil(struct pncp_json_writer *w, int64_t us)
{
    char text[PNCP_STAMP_TEXT_BYTES + 8];
    int64_t fraction = (us % 1000000 + 1000000) % 1000000;
    pncp_stamp_format(us, text);
    size_t len = strlen(text) - 1; /* without the Z: it has no zone */
    text[len] = '\0';
    if (fraction != 0)
        (void)snprintf(text + len, sizeof(text) - len, ".%06u", (unsigned)fraction);
    pncp_json_put_text(w, pncp_view_of(text));
}

static void put_scalar(struct pncp_json_writer *w, const struct pncp_leaf *leaf, size_t value)
{
    switch (leaf->type) {
    case PNCP_T_BOOL:
        pncp_json_put_bool(w, pncp_leaf_int(leaf, value) != 0);
        return;
    case PNCP_T_DEC18_4:
        put_decimal(w, pncp_leaf_int(leaf, value));
        return;
    case PNCP_T_LOCAL_US:
        put_civil(w, pncp_leaf_int(leaf, value));
        return;
    case PNCP_T_TEXT:
        pncp_json_put_text(w, pncp_leaf_text(leaf, value));
        return;
    default:
        pncp_json_put_int(w, pncp_leaf_int(leaf, value));
    }
}

/* ---- records --------------------------------------------------------------------------------- */

static enum pncp_code put_newer(struct lowering *l, const struct pncp_node *node, yyjson_val *rest,
                                struct pncp_extra *extra, struct pncp_err *err);

static bool is_there(const struct lowering *l, const struct pncp_node *node)
{
    size_t slot = is_newer(l, node) ? l->at[node->leaf].slot : l->slot;
    return l->rows->leaves[node->leaf].def[slot] >= node->def_present;
}

static const struct pncp_node *field_named(const struct lowering *l, const struct pncp_node *node, struct pncp_view key)
{
    for (size_t i = 0; i < node->child_count; i++) {
        const struct pncp_node *child = child_of(l, node, i);
        if ((child->col->flags & PNCP_COL_DERIVED) == 0 && pncp_view_eq_text(key, child->col->name))
            return child;
    }
    return NULL;
}

/* What `rest`, the level's extra (NULL: none), has already; of a struct that is there it goes with the struct. */
static void put_rest(struct lowering *l, const struct pncp_node *node, yyjson_val *rest, struct pncp_extra *extra)
{
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(rest, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        yyjson_val *val = yyjson_obj_iter_get_val(key);
        const struct pncp_node *field = field_named(l, node, pncp_json_text(key));
        if (field != NULL && has_grown(l, field) && yyjson_is_obj(val) && is_there(l, field))
            continue;
        l->misfits[l->row] += field != NULL && is_newer(l, field);
        pncp_extra_put(extra, pncp_json_text(key), val);
    }
}

/* The members of the level's new extra: what is there, and the newer columns. */
static enum pncp_code put_members(struct lowering *l, const struct pncp_node *node, yyjson_val *rest,
                                  struct pncp_extra *extra, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    put_rest(l, node, rest, extra);
    for (size_t i = 0; rc == PNCP_OK && i < node->child_count; i++) {
        const struct pncp_node *child = child_of(l, node, i);
        yyjson_val *inner_rest = pncp_json_get(rest, child->col->name);
        struct pncp_extra inner = {.writer = extra->writer, .parent = extra, .name = child->col->name};
        if ((child->col->flags & PNCP_COL_DERIVED) != 0)
            continue;
        if (is_newer(l, child)) {
            rc = put_newer(l, child, inner_rest, extra, err);
        } else if (has_grown(l, child) && is_there(l, child)) {
            rc = put_members(l, child, inner_rest, &inner, err);
            pncp_extra_close(&inner);
        } else if (has_grown(l, child)) {
            skip_newer(l, child);
        }
    }
    return rc;
}

/* The next text of an `extra`, parsed; *ret_json stays empty where it is null. */
static enum pncp_code take_extra(struct lowering *l, const struct pncp_node *extra, struct pncp_json *ret_json,
                                 struct pncp_err *err)
{
    size_t value = 0;
    if (!take(l, extra->leaf, &value))
        return PNCP_OK;
    enum pncp_code rc = pncp_json_parse(pncp_leaf_text(&l->rows->leaves[extra->leaf], value), ret_json, NULL, err);
    if (rc == PNCP_OK && !yyjson_is_obj(ret_json->root))
        rc = pncp_err_set(err, PNCP_E_PARSE, "not an object");
    return rc == PNCP_OK ? rc : pncp_err_wrap(err, rc, "%s", extra->col->name);
}

/* One element of a newer list, its own extra among its members. */
static enum pncp_code put_element(struct lowering *l, const struct pncp_node *list, struct pncp_err *err)
{
    AUTO(pncp_json_release) struct pncp_json rest = {0};
    struct pncp_extra object = {.writer = &l->writer};
    const struct pncp_node *extra = pncp_schema_extra(l->rows->schema, list);
    enum pncp_code rc = extra == NULL ? PNCP_OK : take_extra(l, extra, &rest, err);
    pncp_extra_open(&object);
    if (rc == PNCP_OK)
        rc = put_members(l, list, rest.root, &object, err);
    pncp_extra_close(&object);
    return rc;
}

static enum pncp_code put_elements(struct lowering *l, const struct pncp_node *list, struct pncp_err *err)
{
    const struct pncp_leaf *first = &l->rows->leaves[list->leaf];
    const struct cursor *at = &l->at[list->leaf];
    enum pncp_code rc = PNCP_OK;
    do
        rc = put_element(l, list, err);
    while (rc == PNCP_OK && at->slot < first->level_count && first->rep[at->slot] == list->rep);
    return rc;
}

/* A column that the file has not, as a member; none where it is null. */
static enum pncp_code put_newer(struct lowering *l, const struct pncp_node *node, yyjson_val *rest,
                                struct pncp_extra *extra, struct pncp_err *err)
{
    const bool nested = node->col->type == PNCP_T_STRUCT || node->col->type == PNCP_T_LIST;
    enum pncp_code rc = PNCP_OK;
    size_t value = 0;
    if (!nested && !take(l, node->leaf, &value))
        return PNCP_OK;
    if (nested && !is_there(l, node)) {
        for (size_t i = 0; i < node->leaf_count; i++)
            l->at[node->leaf + i].slot++;
        return PNCP_OK;
    }
    pncp_extra_open(extra);
    pncp_json_key(&l->writer, node->col->name);
    if (node->col->type == PNCP_T_LIST) {
        bool empty = def_at(l, node->leaf) == node->def_present;
        pncp_json_array_begin(&l->writer);
        for (size_t i = 0; empty && i < node->leaf_count; i++)
            l->at[node->leaf + i].slot++;
        if (!empty)
            rc = put_elements(l, node, err);
        pncp_json_array_end(&l->writer);
    } else if (node->col->type == PNCP_T_STRUCT) {
        struct pncp_extra object = {.writer = &l->writer};
        pncp_extra_open(&object);
        rc = put_members(l, node, rest, &object, err);
        pncp_extra_close(&object);
    } else {
        put_scalar(&l->writer, &l->rows->leaves[node->leaf], value);
    }
    return rc;
}

/* ---- columns --------------------------------------------------------------------------------- */

static enum pncp_code put_extra(struct lowering *l, const struct pncp_node *record, const struct pncp_node *extra,
                                int16_t rep, struct pncp_leaf *to, struct pncp_err *err)
{
    AUTO(pncp_json_release) struct pncp_json rest = {0};
    struct pncp_extra object = {.writer = &l->writer};
    pncp_buf_clear(&l->text);
    pncp_json_writer_init(&l->writer, &l->text);
    enum pncp_code rc = take_extra(l, extra, &rest, err);
    if (rc == PNCP_OK)
        rc = put_members(l, record, rest.root, &object, err);
    pncp_extra_close(&object);
    if (rc != PNCP_OK)
        return rc;
    rc = l->writer.failed;
    if (rc == PNCP_OK)
        rc = l->text.len == 0 ? pncp_leaf_put_null(to, rep, extra->def_null)
                              : pncp_leaf_put_text(to, rep, pncp_buf_view(&l->text));
    return rc == PNCP_OK ? rc : pncp_err_set(err, rc, "out of memory");
}

/* The `extra` of one level, slot by slot. */
static enum pncp_code lower_level(struct lowering *l, const struct pncp_node *record, struct pncp_err *err)
{
    const struct pncp_node *extra = pncp_schema_extra(l->rows->schema, record);
    const struct pncp_leaf *from = &l->rows->leaves[extra->leaf];
    struct pncp_leaf *to = &l->to->leaves[pncp_schema_find(l->older, l->rows->schema->leaves[extra->leaf].path)];
    enum pncp_code rc = PNCP_OK;
    size_t begun = 0; /* rows */
    for (l->slot = 0; rc == PNCP_OK && l->slot < from->level_count; l->slot++) {
        int16_t rep = from->rep == NULL ? 0 : from->rep[l->slot], def = from->def[l->slot];
        begun += rep == 0;
        l->row = begun - 1;
        if (def >= extra->def_null) {
            rc = put_extra(l, record, extra, rep, to, err);
            continue;
        }
        l->at[extra->leaf].slot++;
        skip_newer(l, record);
        if (pncp_leaf_put_null(to, rep, def) != PNCP_OK)
            rc = pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
    }
    return rc;
}

/* The levels below and with `node` that have got columns since. */
static enum pncp_code lower_levels(struct lowering *l, const struct pncp_node *node, struct pncp_err *err)
{
    bool record = node->col == NULL || node->col->type == PNCP_T_LIST;
    enum pncp_code rc = PNCP_OK;
    if (record && pncp_schema_has_grown(l->rows->schema, node, l->older->version))
        rc = lower_level(l, node, err);
    for (size_t i = 0; rc == PNCP_OK && i < node->child_count; i++) {
        const struct pncp_node *child = child_of(l, node, i);
        if (!is_newer(l, child))
            rc = lower_levels(l, child, err);
    }
    return rc;
}

static enum pncp_code copy_misfits(const struct lowering *l, const struct pncp_leaf *from, struct pncp_leaf *to)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t row = 0; rc == PNCP_OK && row < l->rows->rows; row++)
        rc = pncp_leaf_put_int(to, 0, pncp_leaf_int(from, row) - l->misfits[row]);
    return rc;
}

/* The columns that are alike, after the levels that are not. */
static enum pncp_code copy_columns(const struct lowering *l)
{
    const struct pncp_schema *older = l->older;
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < older->leaf_count; i++) {
        const struct pncp_leaf *from = &l->rows->leaves[pncp_schema_find(l->rows->schema, older->leaves[i].path)];
        struct pncp_leaf *to = &l->to->leaves[i];
        if ((older->leaves[i].col->flags & PNCP_COL_MISFITS) != 0)
            rc = copy_misfits(l, from, to);
        else if (to->level_count == 0) /* not made already */
            rc = pncp_leaf_append(to, from);
    }
    return rc;
}

enum pncp_code pncp_rows_to_older(const struct pncp_table *rows, const struct pncp_schema *older,
                                  struct pncp_table *ret_rows, struct pncp_err *err)
{
    AUTO(pncp_free_ptr) struct cursor *at = pncp_calloc(rows->schema->leaf_count, sizeof(*at));
    AUTO(pncp_free_ptr) int64_t *misfits = pncp_calloc(rows->rows, sizeof(*misfits));
    struct pncp_table to;
    if (at == NULL || misfits == NULL || pncp_table_init(&to, older) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
    struct lowering l = {.rows = rows, .older = older, .to = &to, .at = at, .misfits = misfits};
    enum pncp_code rc = lower_levels(&l, &rows->schema->nodes[0], err);
    pncp_buf_release(&l.text);
    if (rc == PNCP_OK && copy_columns(&l) != PNCP_OK)
        rc = pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
    if (rc != PNCP_OK) {
        pncp_table_release(&to);
        return rc;
    }
    to.rows = rows->rows;
    *ret_rows = to;
    return PNCP_OK;
}
