#include "pncp/decode.h"
#include "base/clock.h"
#include "pncp/extra.h"

#include <assert.h>
#include <string.h>

#define CHILDREN_MAX 64                            /* of one node: the contratação has 60 */
#define DECIMAL_LIMIT INT64_C(1000000000000000000) /* DECIMAL(18,4): at most 18 digits */

void pncp_decoder_init(struct pncp_decoder *decoder, struct pncp_table *table)
{
    *decoder = (struct pncp_decoder){.table = table};
}

void pncp_decoder_release(struct pncp_decoder *decoder)
{
    pncp_buf_release(&decoder->extra);
}

/* ---- scalars --------------------------------------------------------------------------------- */

static bool in_range(enum pncp_type type, int64_t value)
{
    switch (type) {
    case PNCP_T_INT32:
        return value >= INT32_MIN && value <= INT32_MAX;
    case PNCP_T_DEC18_4:
        return value > -DECIMAL_LIMIT && value < DECIMAL_LIMIT;
    default:
        return true;
    }
}

/* The value as the leaf stores it; false: it does not fit exactly. */
static bool read_number(enum pncp_type type, yyjson_val *val, int64_t *ret_value)
{
    struct pncp_view text = pncp_json_text(val);
    switch (type) {
    case PNCP_T_BOOL:
        *ret_value = yyjson_is_true(val);
        return yyjson_is_bool(val);
    case PNCP_T_INT32:
    case PNCP_T_INT64:
        return yyjson_is_raw(val) && pncp_decimal_parse(pncp_json_raw(val), 0, ret_value) && in_range(type, *ret_value);
    case PNCP_T_DEC18_4:
        return yyjson_is_raw(val) && pncp_decimal_parse(pncp_json_raw(val), 4, ret_value) && in_range(type, *ret_value);
    case PNCP_T_LOCAL_US: /* a time with a zone is not what this column means */
        return text.len > 0 && text.data[text.len - 1] != 'Z' && pncp_datetime_parse(text, ret_value);
    case PNCP_T_DATE:
    case PNCP_T_UTC_US:
    case PNCP_T_TEXT:
    case PNCP_T_STRUCT:
    case PNCP_T_LIST:
        break;
    }
    return false;
}

/* ---- objects --------------------------------------------------------------------------------- */

static enum pncp_code put_value(struct pncp_decoder *d, const struct pncp_node *node, yyjson_val *val, int16_t rep,
                                struct pncp_extra *extra);

static bool child_has_name(const struct pncp_node *child, struct pncp_view key)
{
    return child->name_len == key.len && memcmp(child->col->name, key.data, key.len) == 0 &&
           (child->col->flags & PNCP_COL_DERIVED) == 0;
}

/* Is a field decoded, as a whole? Of an older file's row only one that the file has no column for. */
static bool is_decoded(const struct pncp_decoder *d, const struct pncp_node *child)
{
    return (child->col->flags & PNCP_COL_DERIVED) == 0 && (d->older == NULL || child->since > d->older->version);
}

/* Is it a struct that the file has, and that has got fields since? */
static bool has_grown(const struct pncp_decoder *d, const struct pncp_node *child)
{
    return d->older != NULL && child->since <= d->older->version && child->col->type == PNCP_T_STRUCT &&
           pncp_schema_has_grown(d->table->schema, child, d->older->version);
}

static bool is_there(const struct pncp_decoder *d, const struct pncp_node *grown)
{
    return d->older->rows->leaves[grown->leaf].def[d->older->slot] >= grown->def_present;
}

/* What has no place among the columns stays in extra: of an older file's row also what did not fit the file's. */
static bool has_place(const struct pncp_decoder *d, const struct pncp_node *child, yyjson_val *val)
{
    return is_decoded(d, child) || (has_grown(d, child) && yyjson_is_obj(val) && is_there(d, child));
}

/* Spread the members of `object` over the children of `node`; those that have no place there go to extra. */
static void spread(struct pncp_decoder *d, const struct pncp_node *node, yyjson_val *object, yyjson_val **ret_vals,
                   struct pncp_extra *extra)
{
    const struct pncp_node *children = &d->table->schema->nodes[node->first_child];
    uint8_t *hints = &d->hints[node->first_child];
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(object, &iter);
    size_t position = 0, count = node->child_count, next = 0; /* next: behind the child found last */
    for (yyjson_val *key_val; (key_val = yyjson_obj_iter_next(&iter)) != NULL; position++) {
        struct pncp_view key = pncp_json_text(key_val);
        yyjson_val *val = yyjson_obj_iter_get_val(key_val);
        size_t slot = PNCP_MIN(position, count - 1); /* keys come in one order within a response */
        size_t child = hints[slot], tried = 0;
        if (!child_has_name(&children[child], key)) { /* and mostly in the order of the table */
            for (child = next % count; tried < count && !child_has_name(&children[child], key); tried++)
                child = (child + 1) % count;
            if (tried == count) {
                pncp_extra_put(extra, key, val);
                continue;
            }
            hints[slot] = (uint8_t)child;
        }
        next = child + 1;
        if (has_place(d, &children[child], val))
            ret_vals[child] = val;
        else
            pncp_extra_put(extra, key, val);
    }
}

/* The record or struct is not there: neither are the fields that it has got since. */
static enum pncp_code put_absent(struct pncp_decoder *d, const struct pncp_node *node, int16_t rep, int16_t def)
{
    enum pncp_code rc = PNCP_OK;
    for (uint16_t i = 0; rc == PNCP_OK && i < node->child_count; i++) {
        const struct pncp_node *child = &d->table->schema->nodes[node->first_child + i];
        if (has_grown(d, child))
            rc = put_absent(d, child, rep, def);
        for (uint16_t k = 0; rc == PNCP_OK && is_decoded(d, child) && k < child->leaf_count; k++)
            rc = pncp_leaf_put_null(&d->table->leaves[child->leaf + k], rep, def);
    }
    return rc;
}

static enum pncp_code put_children(struct pncp_decoder *d, const struct pncp_node *node, yyjson_val *object,
                                   int16_t rep, struct pncp_extra *extra);

/* The fields that a struct has got since; `object` may be NULL. */
static enum pncp_code put_grown(struct pncp_decoder *d, const struct pncp_node *node, yyjson_val *object, int16_t rep,
                                struct pncp_extra *extra)
{
    struct pncp_extra inner = {.writer = extra->writer, .parent = extra, .name = node->col->name};
    if (!is_there(d, node))
        return put_absent(d, node, rep, node->def_null);
    enum pncp_code rc = put_children(d, node, object, rep, &inner);
    pncp_extra_close(&inner);
    return rc;
}

static enum pncp_code put_children(struct pncp_decoder *d, const struct pncp_node *node, yyjson_val *object,
                                   int16_t rep, struct pncp_extra *extra)
{
    const struct pncp_node *children = &d->table->schema->nodes[node->first_child];
    yyjson_val *vals[CHILDREN_MAX] = {NULL};
    assert(node->child_count <= CHILDREN_MAX);
    spread(d, node, object, vals, extra);
    enum pncp_code rc = PNCP_OK;
    for (size_t i = 0; rc == PNCP_OK && i < node->child_count; i++) {
        if (is_decoded(d, &children[i]))
            rc = put_value(d, &children[i], vals[i], rep, extra);
        else if (has_grown(d, &children[i]))
            rc = put_grown(d, &children[i], vals[i], rep, extra);
    }
    return rc;
}

static enum pncp_code put_misfit(struct pncp_decoder *d, const struct pncp_node *node, yyjson_val *val, int16_t rep,
                                 struct pncp_extra *extra)
{
    d->misfits++;
    pncp_extra_put(extra, pncp_view_of(node->col->name), val);
    return pncp_table_put_null(d->table, node, rep);
}

static enum pncp_code put_list(struct pncp_decoder *d, const struct pncp_node *node, yyjson_val *val, int16_t rep,
                               struct pncp_extra *extra)
{
    if (!yyjson_is_arr(val) || !pncp_json_all_objects(val))
        return put_misfit(d, node, val, rep, extra);
    if (yyjson_arr_size(val) == 0)
        return pncp_table_put_empty(d->table, node, rep);
    struct pncp_buf outer = pncp_buf_take(&d->extra); /* the element's extra is its own record */
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(val, &iter);
    enum pncp_code rc = PNCP_OK;
    int16_t at = rep;
    for (yyjson_val *element; rc == PNCP_OK && (element = yyjson_arr_iter_next(&iter)) != NULL; at = node->rep)
        rc = pncp_decode_record(d, node, element, at);
    pncp_buf_release(&d->extra);
    d->extra = outer;
    return rc;
}

static enum pncp_code put_struct(struct pncp_decoder *d, const struct pncp_node *node, yyjson_val *val, int16_t rep,
                                 struct pncp_extra *extra)
{
    if (!yyjson_is_obj(val))
        return put_misfit(d, node, val, rep, extra);
    struct pncp_extra inner = {.writer = extra->writer, .parent = extra, .name = node->col->name};
    enum pncp_code rc = put_children(d, node, val, rep, &inner);
    pncp_extra_close(&inner);
    return rc;
}

static enum pncp_code put_value(struct pncp_decoder *d, const struct pncp_node *node, yyjson_val *val, int16_t rep,
                                struct pncp_extra *extra)
{
    if (val == NULL || yyjson_is_null(val))
        return pncp_table_put_null(d->table, node, rep);
    struct pncp_leaf *leaf = &d->table->leaves[node->leaf];
    int64_t number;
    switch (node->col->type) {
    case PNCP_T_STRUCT:
        return put_struct(d, node, val, rep, extra);
    case PNCP_T_LIST:
        return put_list(d, node, val, rep, extra);
    case PNCP_T_TEXT:
        return yyjson_is_str(val) ? pncp_leaf_put_text(leaf, rep, pncp_json_text(val))
                                  : put_misfit(d, node, val, rep, extra);
    default:
        return read_number(node->col->type, val, &number) ? pncp_leaf_put_int(leaf, rep, number)
                                                          : put_misfit(d, node, val, rep, extra);
    }
}

enum pncp_code pncp_decode_record(struct pncp_decoder *decoder, const struct pncp_node *node, yyjson_val *object,
                                  int16_t rep)
{
    struct pncp_json_writer writer;
    pncp_buf_clear(&decoder->extra);
    pncp_json_writer_init(&writer, &decoder->extra);
    struct pncp_extra extra = {.writer = &writer};
    enum pncp_code rc = put_children(decoder, node, object, rep, &extra);
    pncp_extra_close(&extra);
    if (rc == PNCP_OK)
        rc = writer.failed;
    const struct pncp_node *rest = pncp_schema_extra(decoder->table->schema, node);
    if (rc != PNCP_OK || rest == NULL)
        return rc;
    if (decoder->extra.len == 0)
        return pncp_table_put_null(decoder->table, rest, rep);
    return pncp_leaf_put_text(&decoder->table->leaves[rest->leaf], rep, pncp_buf_view(&decoder->extra));
}

enum pncp_code pncp_decode_absent(struct pncp_decoder *decoder, const struct pncp_node *node, int16_t rep, int16_t def)
{
    const struct pncp_node *rest = pncp_schema_extra(decoder->table->schema, node);
    enum pncp_code rc = put_absent(decoder, node, rep, def);
    return rc == PNCP_OK ? pncp_leaf_put_null(&decoder->table->leaves[rest->leaf], rep, def) : rc;
}
