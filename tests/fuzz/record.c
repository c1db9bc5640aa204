#include "record.h"
#include "fuzz.h"
#include "reference.h"

/* The extra of a record, or what stands there under a nested object's name. */
struct extra {
    yyjson_val *object; /* NULL: nothing */
    size_t met;         /* members that had to be there */
};

/* NULL when it has none, or is no object. */
static yyjson_val *member(yyjson_val *object, struct pncp_view name)
{
    yyjson_obj_iter iter;
    if (object == NULL)
        return NULL;
    yyjson_obj_iter_init(object, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        if (pncp_view_eq(pncp_json_text(key), name))
            return yyjson_obj_iter_get_val(key);
    }
    return NULL;
}

bool record_same_json(yyjson_val *a, yyjson_val *b)
{
    AUTO(pncp_buf_release) struct pncp_buf one = {0}, other = {0};
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &one);
    pncp_json_put_val(&w, a);
    FUZZ_CHECK(pncp_json_writer_end(&w) == PNCP_OK);
    pncp_json_writer_init(&w, &other);
    pncp_json_put_val(&w, b);
    FUZZ_CHECK(pncp_json_writer_end(&w) == PNCP_OK);
    return pncp_view_eq(pncp_buf_view(&one), pncp_buf_view(&other));
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* The next slot of a leaf: its definition level. */
static int16_t take_slot(struct record_walk *walk, size_t leaf_no, int16_t rep)
{
    const struct pncp_leaf *leaf = &walk->table->leaves[leaf_no];
    size_t slot = walk->slot[leaf_no]++;
    FUZZ_CHECK(slot < leaf->level_count);
    FUZZ_CHECK(leaf->max_rep == 0 ? rep == 0 : leaf->rep[slot] == rep);
    return leaf->max_def == 0 ? 0 : leaf->def[slot];
}

/* Every leaf below `node` has a slot that says no more than `def`. */
static void check_nothing(struct record_walk *walk, const struct pncp_node *node, int16_t rep, int16_t def)
{
    for (size_t i = 0; i < node->leaf_count; i++)
        FUZZ_CHECK(take_slot(walk, (size_t)node->leaf + i, rep) == def);
}

/* The value that a leaf of that type holds for `val`; false: it cannot hold it. */
static bool fitting(enum pncp_type type, yyjson_val *val, int64_t *ret_number)
{
    struct pncp_view text = pncp_json_text(val);
    switch (type) {
    case PNCP_T_BOOL:
        *ret_number = yyjson_is_true(val);
        return yyjson_is_bool(val);
    case PNCP_T_INT32:
        return yyjson_is_raw(val) && reference_decimal(pncp_json_raw(val), 0, ret_number) && *ret_number <= INT32_MAX &&
               *ret_number >= INT32_MIN;
    case PNCP_T_INT64:
        return yyjson_is_raw(val) && reference_decimal(pncp_json_raw(val), 0, ret_number);
    case PNCP_T_DEC18_4:
        return yyjson_is_raw(val) && reference_decimal(pncp_json_raw(val), 4, ret_number) &&
               *ret_number < 1000000000000000000 && *ret_number > -1000000000000000000;
    case PNCP_T_LOCAL_US:
        return yyjson_is_str(val) && !pncp_view_ends(text, "Z") && reference_datetime(text, ret_number);
    case PNCP_T_TEXT:
        *ret_number = 0;
        return yyjson_is_str(val);
    case PNCP_T_DATE:
    case PNCP_T_UTC_US:
    case PNCP_T_STRUCT:
    case PNCP_T_LIST:
        break;
    }
    return false;
}

static void check_scalar(struct record_walk *walk, const struct pncp_node *node, yyjson_val *val, int16_t rep,
                         int64_t number)
{
    const struct pncp_leaf *leaf = &walk->table->leaves[node->leaf];
    FUZZ_CHECK(take_slot(walk, node->leaf, rep) == leaf->max_def);
    size_t value = walk->value[node->leaf]++;
    FUZZ_CHECK(value < leaf->value_count);
    if (leaf->type == PNCP_T_TEXT)
        FUZZ_CHECK(pncp_view_eq(pncp_leaf_text(leaf, value), pncp_json_text(val)));
    else
        FUZZ_CHECK(pncp_leaf_int(leaf, value) == number);
}

/* ---- objects --------------------------------------------------------------------------------- */

static void check_children(struct record_walk *walk, const struct pncp_node *node, yyjson_val *object, int16_t rep,
                           struct extra *extra);

static void check_misfit(struct record_walk *walk, const struct pncp_node *node, yyjson_val *val, int16_t rep,
                         struct extra *extra)
{
    yyjson_val *kept = member(extra->object, pncp_view_of(node->col->name));
    FUZZ_CHECK(kept != NULL && record_same_json(kept, val));
    check_nothing(walk, node, rep, node->def_null);
    walk->misfits++;
    extra->met++;
}

static void check_struct(struct record_walk *walk, const struct pncp_node *node, yyjson_val *val, int16_t rep,
                         struct extra *extra)
{
    struct extra inner = {.object = member(extra->object, pncp_view_of(node->col->name))};
    FUZZ_CHECK(inner.object == NULL || yyjson_is_obj(inner.object));
    check_children(walk, node, val, rep, &inner);
    FUZZ_CHECK((inner.object != NULL) == (inner.met > 0)); /* opened only when something goes there */
    extra->met += inner.object != NULL;
}

static void check_array(struct record_walk *walk, const struct pncp_node *node, yyjson_val *val, int16_t rep)
{
    size_t count = yyjson_arr_size(val), i = 0;
    if (count == 0) {
        check_nothing(walk, node, rep, node->def_present);
        return;
    }
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(val, &iter);
    for (yyjson_val *element; (element = yyjson_arr_iter_next(&iter)) != NULL; i++)
        record_check(walk, node, element, i == 0 ? rep : node->rep);
}

static bool is_rows(yyjson_val *val)
{
    size_t objects = 0;
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(val, &iter);
    for (yyjson_val *element; (element = yyjson_arr_iter_next(&iter)) != NULL;)
        objects += yyjson_is_obj(element);
    return yyjson_is_arr(val) && objects == yyjson_arr_size(val);
}

static void check_value(struct record_walk *walk, const struct pncp_node *node, yyjson_val *val, int16_t rep,
                        struct extra *extra)
{
    enum pncp_type type = node->col->type;
    int64_t number;
    if (val == NULL || yyjson_is_null(val))
        check_nothing(walk, node, rep, node->def_null);
    else if (type == PNCP_T_STRUCT && yyjson_is_obj(val))
        check_struct(walk, node, val, rep, extra);
    else if (type == PNCP_T_LIST && is_rows(val))
        check_array(walk, node, val, rep);
    else if (fitting(type, val, &number))
        check_scalar(walk, node, val, rep, number);
    else
        check_misfit(walk, node, val, rep, extra);
}

static bool is_own(const struct pncp_node *node)
{
    return (node->col->flags & PNCP_COL_DERIVED) != 0;
}

/* Members of `object` that no column names must be in `extra` as they are. */
static void check_unknown(const struct pncp_node *children, size_t count, yyjson_val *object, struct extra *extra)
{
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(object, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        struct pncp_view name = pncp_json_text(key);
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known = known || (!is_own(&children[i]) && pncp_view_eq_text(name, children[i].col->name));
        if (known)
            continue;
        yyjson_val *kept = member(extra->object, name);
        FUZZ_CHECK(kept != NULL && record_same_json(kept, yyjson_obj_iter_get_val(key)));
        extra->met++;
    }
}

static void check_children(struct record_walk *walk, const struct pncp_node *node, yyjson_val *object, int16_t rep,
                           struct extra *extra)
{
    const struct pncp_node *children = &walk->table->schema->nodes[node->first_child];
    for (size_t i = 0; i < node->child_count; i++) {
        if (!is_own(&children[i]))
            check_value(walk, &children[i], member(object, pncp_view_of(children[i].col->name)), rep, extra);
    }
    check_unknown(children, node->child_count, object, extra);
    FUZZ_CHECK(extra->met == yyjson_obj_size(extra->object));
}

/* The record's extra cell, parsed. */
static void take_extra(struct record_walk *walk, const struct pncp_node *last, int16_t rep, struct pncp_json *ret_json)
{
    const struct pncp_leaf *leaf = &walk->table->leaves[last->leaf];
    FUZZ_CHECK((last->col->flags & PNCP_COL_EXTRA) != 0);
    int16_t def = take_slot(walk, last->leaf, rep);
    if (def < leaf->max_def) {
        FUZZ_CHECK(def == last->def_null);
        return;
    }
    struct pncp_view text = pncp_leaf_text(leaf, walk->value[last->leaf]++);
    FUZZ_CHECK(pncp_json_parse(text, ret_json, NULL, NULL) == PNCP_OK);
    FUZZ_CHECK(yyjson_is_obj(ret_json->root) && yyjson_obj_size(ret_json->root) > 0);
}

void record_check(struct record_walk *walk, const struct pncp_node *node, yyjson_val *object, int16_t rep)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    take_extra(walk, &walk->table->schema->nodes[node->first_child + node->child_count - 1], rep, &json);
    struct extra extra = {.object = json.root};
    check_children(walk, node, object, rep, &extra);
}

void record_check_list(struct record_walk *walk, const struct pncp_node *list, yyjson_val *const *elements,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        record_check(walk, list, elements[i], i == 0 ? 0 : list->rep);
}

bool record_ended(const struct record_walk *walk, const struct pncp_node *node)
{
    for (size_t i = node->leaf; i < (size_t)node->leaf + node->leaf_count; i++) {
        const struct pncp_leaf *leaf = &walk->table->leaves[i];
        bool own = (leaf->level_count > 0 && walk->slot[i] == 0); /* a column of the program's own: not walked */
        if (!own && (walk->slot[i] != leaf->level_count || walk->value[i] != leaf->value_count))
            return false;
    }
    return true;
}
