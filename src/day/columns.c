#include "day/columns.h"
#include "base/mem.h"
#include "pncp/decode.h"

enum pncp_code pncp_columns_find_schema(const struct pncp_footer *footer, struct pncp_schema_versions versions,
                                        const struct pncp_schema **ret_schema, struct pncp_err *err)
{
    struct pncp_view text;
    uint64_t version;
    if (pncp_footer_kv(footer, "pncp.schema", &text) && pncp_view_u64(text, &version) && version > versions.count)
        return pncp_err_set(err, PNCP_E_NEWER,
                            "schema version %" PRIu64 ", this version knows %zu: use a newer pncp-details", version,
                            versions.count);
    return pncp_footer_find_schema(footer, versions, ret_schema, err);
}

/* Columns that are made from the `extra` of one level. */
struct lifting {
    const struct pncp_columns *from;
    const struct pncp_schema *as;
    size_t first_group, group_count;
    struct pncp_table file, made; /* of the schema `as`, some leaves only: as the file has them; as they become */
    struct pncp_decode_older older;
    struct pncp_decoder decoder;
    int64_t *misfits; /* of each row, in all levels lifted so far */
    size_t rows;
};

static void lifting_release(struct lifting *l)
{
    if (l->file.schema != NULL)
        pncp_table_release(&l->file);
    if (l->made.schema != NULL)
        pncp_table_release(&l->made);
    pncp_decoder_release(&l->decoder);
    pncp_free(l->misfits);
}

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "columns of an older file: out of memory");
}

static enum pncp_code lifting_init(struct lifting *l, struct pncp_err *err)
{
    for (size_t i = 0; i < l->group_count; i++)
        l->rows += (size_t)l->from->footer->groups[l->first_group + i].rows;
    l->misfits = pncp_calloc(l->rows, sizeof(*l->misfits));
    if (l->misfits == NULL || pncp_table_init(&l->file, l->as) != PNCP_OK ||
        pncp_table_init(&l->made, l->as) != PNCP_OK)
        return no_memory(err);
    l->older = (struct pncp_decode_older){.version = l->from->schema->version, .rows = &l->file};
    pncp_decoder_init(&l->decoder, &l->made);
    l->decoder.older = &l->older;
    return PNCP_OK;
}

static const struct pncp_node *child_of(const struct pncp_schema *schema, const struct pncp_node *node, size_t i)
{
    return &schema->nodes[node->first_child + i];
}

/* A column that the file has. */
static enum pncp_code read_own(const struct pncp_columns *from, const struct pncp_schema *as, size_t leaf,
                               size_t first_group, size_t count, struct pncp_leaf *ret_leaf, struct pncp_err *err)
{
    size_t own = from->schema == as ? leaf : (size_t)pncp_schema_find(from->schema, as->leaves[leaf].path);
    return pncp_parquet_read_leaf(from->reader, from->source, from->footer, own, first_group, count, ret_leaf, err);
}

static enum pncp_code load(struct lifting *l, size_t leaf, struct pncp_err *err)
{
    struct pncp_leaf *to = &l->file.leaves[leaf];
    return to->level_count > 0 ? PNCP_OK : read_own(l->from, l->as, leaf, l->first_group, l->group_count, to, err);
}

/* The first leaf of each struct that has got fields. */
static enum pncp_code load_structs(struct lifting *l, const struct pncp_node *node, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < node->child_count; i++) {
        const struct pncp_node *child = child_of(l->as, node, i);
        if (child->col->type != PNCP_T_STRUCT || child->since > l->older.version ||
            !pncp_schema_has_grown(l->as, child, l->older.version))
            continue;
        rc = load(l, child->leaf, err);
        if (rc == PNCP_OK)
            rc = load_structs(l, child, err);
    }
    return rc;
}

/* One record; `text` is its extra, empty where that is null. */
static enum pncp_code lift_record(struct lifting *l, const struct pncp_node *record, struct pncp_view text, int16_t rep,
                                  struct pncp_err *err)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    enum pncp_code rc = text.len == 0 ? PNCP_OK : pncp_json_parse(text, &json, NULL, err);
    if (rc == PNCP_OK && text.len > 0 && !yyjson_is_obj(json.root))
        rc = pncp_err_set(err, PNCP_E_PARSE, "not an object");
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "row groups from %zu on: an extra", l->first_group);
    rc = pncp_decode_record(&l->decoder, record, json.root, rep);
    return rc == PNCP_OK ? rc : no_memory(err);
}

/* The level of `record`: its newer columns and its extra. */
static enum pncp_code lift_level(struct lifting *l, const struct pncp_node *record, struct pncp_err *err)
{
    const struct pncp_node *extra = pncp_schema_extra(l->as, record);
    const struct pncp_leaf *texts = &l->file.leaves[extra->leaf];
    size_t value = 0, begun = 0; /* rows */
    enum pncp_code rc = load(l, extra->leaf, err);
    if (rc == PNCP_OK)
        rc = load_structs(l, record, err);
    for (size_t slot = 0; rc == PNCP_OK && slot < texts->level_count; slot++) {
        int16_t rep = texts->rep == NULL ? 0 : texts->rep[slot], def = texts->def[slot];
        int64_t before = l->decoder.misfits;
        begun += rep == 0;
        l->older.slot = slot;
        if (def < extra->def_null) {
            if (pncp_decode_absent(&l->decoder, record, rep, def) != PNCP_OK)
                rc = no_memory(err);
            continue;
        }
        struct pncp_view none = {"", 0};
        rc = lift_record(l, record, def == texts->max_def ? pncp_leaf_text(texts, value++) : none, rep, err);
        l->misfits[begun - 1] += l->decoder.misfits - before;
    }
    return rc;
}

/* All levels below and with `node`. */
static enum pncp_code lift_levels(struct lifting *l, const struct pncp_node *node, struct pncp_err *err)
{
    bool record = node->col == NULL || node->col->type == PNCP_T_LIST;
    enum pncp_code rc = PNCP_OK;
    if (record && pncp_schema_has_grown(l->as, node, l->older.version))
        rc = lift_level(l, node, err);
    for (size_t i = 0; rc == PNCP_OK && i < node->child_count; i++) {
        const struct pncp_node *child = child_of(l->as, node, i);
        if (child->since <= l->older.version)
            rc = lift_levels(l, child, err);
    }
    return rc;
}

/* valores_fora_do_tipo of the rows: the file's count, and what does not fit the newer columns. */
static enum pncp_code count_misfits(struct lifting *l, size_t leaf, struct pncp_leaf *ret_leaf, struct pncp_err *err)
{
    const struct pncp_leaf *counts = &l->file.leaves[leaf];
    enum pncp_code rc = load(l, leaf, err);
    if (rc == PNCP_OK)
        rc = lift_levels(l, &l->as->nodes[0], err);
    for (size_t row = 0; rc == PNCP_OK && row < l->rows; row++) {
        if (pncp_leaf_put_int(ret_leaf, 0, pncp_leaf_int(counts, row) + l->misfits[row]) != PNCP_OK)
            rc = no_memory(err);
    }
    return rc;
}

/* The record of the file whose `extra` has what the leaf is made of: the root, or the innermost list around it that the
 * file has. */
static const struct pncp_node *record_of(const struct pncp_columns *from, const struct pncp_schema *as, size_t leaf)
{
    const struct pncp_node *node = &as->nodes[0], *record = node;
    while (node->child_count > 0 && node->since <= from->schema->version) {
        const struct pncp_node *child = child_of(as, node, 0);
        while (leaf >= (size_t)child->leaf + child->leaf_count)
            child++;
        node = child;
        if (node->col->type == PNCP_T_LIST && node->since <= from->schema->version)
            record = node;
    }
    return record;
}

/* Is the leaf, as the file has it, not what it is today? */
static bool is_made(const struct pncp_columns *from, const struct pncp_schema *as, size_t leaf)
{
    const struct pncp_leaf_info *info = &as->leaves[leaf];
    const unsigned version = from->schema->version;
    if (version == as->version)
        return false;
    return info->since > version || (info->col->flags & PNCP_COL_MISFITS) != 0 ||
           ((info->col->flags & PNCP_COL_EXTRA) != 0 && pncp_schema_has_grown(as, record_of(from, as, leaf), version));
}

enum pncp_code pncp_columns_read(const struct pncp_columns *from, const struct pncp_schema *as, size_t leaf,
                                 size_t first_group, size_t count, struct pncp_leaf *ret_leaf, struct pncp_err *err)
{
    AUTO(lifting_release)
    struct lifting l = {.from = from, .as = as, .first_group = first_group, .group_count = count};
    if (!is_made(from, as, leaf))
        return read_own(from, as, leaf, first_group, count, ret_leaf, err);
    enum pncp_code rc = lifting_init(&l, err);
    if (rc == PNCP_OK && (as->leaves[leaf].col->flags & PNCP_COL_MISFITS) != 0)
        return count_misfits(&l, leaf, ret_leaf, err);
    if (rc == PNCP_OK)
        rc = lift_level(&l, record_of(from, as, leaf), err);
    if (rc == PNCP_OK && pncp_leaf_append(ret_leaf, &l.made.leaves[leaf]) != PNCP_OK)
        rc = no_memory(err);
    return rc;
}
