#include "base/mem.h"
#include "parquet/footer_int.h"
#include "parquet/foreign_int.h"

#include <stdio.h>
#include <string.h>

#define NODES_MAX 8192 /* groups and columns; bounds what a hostile schema can ask for */

/* parquet.thrift: FieldRepetitionType */
enum { REQUIRED = 0, OPTIONAL = 1, REPEATED = 2 };

struct building {
    struct pncp_foreign_schema *schema;
    struct pncp_thrift_reader reader;
    size_t leaves_max; /* allocated: what the footer counted */
    char path[256];    /* of the element at hand */
    struct pncp_err *err;
};

/* ---- nodes and leaves ------------------------------------------------------------------------ */

static enum pncp_code add_leaf(struct building *b, const struct pncp_foreign_element *e, struct pncp_foreign_node *node,
                               int16_t def, int16_t rep)
{
    struct pncp_foreign_type type;
    char text[PNCP_FOREIGN_TYPE_TEXT_BYTES];
    if (!pncp_foreign_element_type(e, &type)) {
        pncp_foreign_element_name_type(e, text);
        return pncp_err_set(b->err, PNCP_E_PARSE, "column %s: %s cannot be read", b->path, text);
    }
    struct pncp_foreign_schema *schema = b->schema;
    if (schema->leaf_count == b->leaves_max)
        return pncp_err_set(b->err, PNCP_E_PARSE, "damaged parquet footer: the schema cannot be read");
    struct pncp_foreign_leaf *leaf = &schema->leaves[schema->leaf_count];
    *leaf = (struct pncp_foreign_leaf){.type = type, .max_def = def, .max_rep = rep, .path = pncp_strdup(b->path)};
    if (leaf->path == NULL)
        return pncp_err_set(b->err, PNCP_E_NOMEM, "parquet schema: out of memory");
    node->shape = PNCP_FOREIGN_LEAF;
    node->leaf = (uint16_t)schema->leaf_count++;
    node->leaf_count = 1;
    return PNCP_OK;
}

/* ---- the tree -------------------------------------------------------------------------------- */

static enum pncp_code new_node(struct building *b, struct pncp_view name, uint16_t *ret_node)
{
    struct pncp_foreign_schema *schema = b->schema;
    if (schema->node_count == NODES_MAX)
        return pncp_err_set(b->err, PNCP_E_LIMIT, "more than %d groups and columns", NODES_MAX);
    if (schema->node_count == schema->node_cap) {
        size_t cap = pncp_grow(schema->node_cap, schema->node_count + 1);
        struct pncp_foreign_node *nodes = pncp_realloc(schema->nodes, cap, sizeof(*nodes));
        if (nodes == NULL)
            return pncp_err_set(b->err, PNCP_E_NOMEM, "parquet schema: out of memory");
        schema->nodes = nodes;
        schema->node_cap = cap;
    }
    *ret_node = (uint16_t)schema->node_count;
    schema->nodes[schema->node_count++] = (struct pncp_foreign_node){.name = name};
    return PNCP_OK;
}

static uint16_t find_child(const struct pncp_foreign_schema *schema, uint16_t parent, struct pncp_view name)
{
    uint16_t child = schema->nodes[parent].first_child;
    while (child != 0 && !pncp_view_eq(schema->nodes[child].name, name))
        child = schema->nodes[child].next;
    return child;
}

static void append_child(struct pncp_foreign_schema *schema, uint16_t parent, uint16_t child)
{
    uint16_t *link = &schema->nodes[parent].first_child;
    while (*link != 0)
        link = &schema->nodes[*link].next;
    *link = child;
}

/* Put `child` under its name into the object `parent`. PNCP_E_PARSE (without a message): the name is taken. */
static enum pncp_code attach(struct pncp_foreign_schema *schema, uint16_t parent, uint16_t child)
{
    uint16_t there = find_child(schema, parent, schema->nodes[child].name);
    if (there == 0) {
        append_child(schema, parent, child);
    } else if (schema->nodes[there].dotted && schema->nodes[there].plain == 0) {
        schema->nodes[there].plain = child;
    } else {
        return PNCP_E_PARSE;
    }
    return PNCP_OK;
}

/* The object `name` in `parent` that dotted columns go into; made when it is not there. */
static enum pncp_code dotted_object(struct building *b, uint16_t parent, struct pncp_view name, uint16_t *ret_node)
{
    struct pncp_foreign_schema *schema = b->schema;
    uint16_t there = find_child(schema, parent, name);
    if (there != 0 && schema->nodes[there].dotted) {
        *ret_node = there;
        return PNCP_OK;
    }
    uint16_t made = 0;
    enum pncp_code rc = new_node(b, name, &made);
    if (rc != PNCP_OK)
        return rc;
    if (there == 0) {
        append_child(schema, parent, made);
        there = made;
    } else { /* the bare column keeps its place in the row: it moves behind the object */
        schema->nodes[made] = schema->nodes[there];
        schema->nodes[made].next = 0;
        schema->nodes[there] =
            (struct pncp_foreign_node){.name = name, .next = schema->nodes[there].next, .plain = made};
    }
    schema->nodes[there].shape = PNCP_FOREIGN_OBJECT;
    schema->nodes[there].dotted = true;
    *ret_node = there;
    return PNCP_OK;
}

/* As attach, for a column of the root: "a.b" goes into the object a. */
static enum pncp_code attach_to_root(struct building *b, uint16_t child)
{
    struct pncp_view name = b->schema->nodes[child].name, rest = name;
    uint16_t parent = 0;
    if (pncp_view_is_dotted(name)) {
        for (name = pncp_view_cut_dot(&rest); rest.len > 0; name = pncp_view_cut_dot(&rest)) {
            enum pncp_code rc = dotted_object(b, parent, name, &parent);
            if (rc != PNCP_OK)
                return rc;
        }
    }
    b->schema->nodes[child].name = name;
    return attach(b->schema, parent, child);
}

static void extend_path(struct building *b, size_t len, struct pncp_view name)
{
    size_t room = sizeof(b->path) - len - 1;
    if (!pncp_view_is_utf8(name))
        name = PNCP_VIEW_LIT("?");
    (void)snprintf(b->path + len, room + 1, "%s" PNCP_VIEW_FMT, len > 0 ? "." : "", (int)PNCP_MIN(name.len, room),
                   name.data);
    for (char *at = b->path + len; *at != '\0'; at++) { /* messages are one line, whatever a file calls its columns */
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    }
}

static enum pncp_code build(struct building *b, const struct pncp_foreign_element *e, bool repeat_known, int16_t def,
                            int16_t rep, uint16_t *ret_node);

/* The members of group `e`; `first`, when not NULL, is the first one, which was read already. */
static enum pncp_code build_members(struct building *b, const struct pncp_foreign_element *e,
                                    const struct pncp_foreign_element *first, uint16_t node, int16_t def, int16_t rep)
{
    struct pncp_foreign_schema *schema = b->schema;
    size_t leaf = schema->leaf_count;
    for (int64_t i = 0; i < e->children; i++) {
        struct pncp_foreign_element member = i == 0 && first != NULL ? *first : pncp_foreign_element_read(&b->reader);
        uint16_t child = 0;
        enum pncp_code rc = build(b, &member, false, def, rep, &child);
        if (rc != PNCP_OK)
            return rc;
        rc = node == 0 ? attach_to_root(b, child) : attach(schema, node, child);
        if (rc == PNCP_E_PARSE) {
            extend_path(b, strlen(b->path), member.name);
            return pncp_err_set(b->err, rc, "column %s is there twice", b->path);
        }
        if (rc != PNCP_OK)
            return rc;
    }
    schema->nodes[node].shape = PNCP_FOREIGN_OBJECT;
    schema->nodes[node].leaf = (uint16_t)leaf;
    schema->nodes[node].leaf_count = (uint16_t)(schema->leaf_count - leaf);
    schema->nodes[node].def = def;
    return PNCP_OK;
}

/* What one element of the list `outer` is, whose repeated child is `repeated`: that child, or what is in it
 * (LogicalTypes.md, "Backward-compatibility rules"). The levels are the repeated child's. */
static enum pncp_code build_list_element(struct building *b, const struct pncp_foreign_element *outer,
                                         const struct pncp_foreign_element *repeated, int16_t def, int16_t rep,
                                         uint16_t *ret_node)
{
    char tuple[80];
    (void)snprintf(tuple, sizeof(tuple), PNCP_VIEW_FMT "_tuple", (int)PNCP_MIN(outer->name.len, (size_t)64),
                   outer->name.data);
    bool is_element = repeated->children != 1 || pncp_view_eq_text(repeated->name, "array") ||
                      pncp_view_eq_text(repeated->name, tuple);
    if (is_element)
        return build(b, repeated, true, def, rep, ret_node);
    struct pncp_foreign_element inner = pncp_foreign_element_read(&b->reader);
    if (inner.repetition != REPEATED)
        return build(b, &inner, false, def, rep, ret_node);
    enum pncp_code rc = new_node(b, repeated->name, ret_node);
    return rc != PNCP_OK ? rc : build_members(b, repeated, &inner, *ret_node, def, rep);
}

/* An array node; its element's levels begin at `def` + 1 and `rep` + 1. */
static enum pncp_code build_array(struct building *b, const struct pncp_foreign_element *e,
                                  const struct pncp_foreign_element *repeated, int16_t def, int16_t rep,
                                  uint16_t *ret_node)
{
    struct pncp_foreign_schema *schema = b->schema;
    uint16_t node = 0, element = 0;
    size_t leaf = schema->leaf_count;
    enum pncp_code rc = new_node(b, e->name, &node);
    if (rc != PNCP_OK)
        return rc;
    def++;
    rep++;
    rc = repeated == e ? build(b, e, true, def, rep, &element) : build_list_element(b, e, repeated, def, rep, &element);
    if (rc != PNCP_OK)
        return rc;
    schema->nodes[node] = (struct pncp_foreign_node){.name = e->name,
                                                     .shape = PNCP_FOREIGN_ARRAY,
                                                     .first_child = element,
                                                     .leaf = (uint16_t)leaf,
                                                     .leaf_count = (uint16_t)(schema->leaf_count - leaf),
                                                     .def = (int16_t)(def - 1),
                                                     .element_def = def,
                                                     .rep = rep};
    *ret_node = node;
    return PNCP_OK;
}

/* The node of `e` and all that is below it. `def` and `rep` are the parent's levels; with `repeat_known` they are e's
 * own: it is the element of an array that was made for it. */
static enum pncp_code build(struct building *b, const struct pncp_foreign_element *e, bool repeat_known, int16_t def,
                            int16_t rep, uint16_t *ret_node)
{
    size_t path = strlen(b->path);
    enum pncp_code rc;
    if (!repeat_known)
        extend_path(b, path, e->name);
    if (!pncp_view_is_utf8(e->name)) {
        rc = pncp_err_set(b->err, PNCP_E_PARSE, "column %s: its name is not UTF-8", b->path);
    } else if (e->repetition == REPEATED && !repeat_known) {
        rc = build_array(b, e, e, def, rep, ret_node);
    } else {
        if (e->repetition == OPTIONAL)
            def++;
        struct pncp_foreign_element first = {0};
        if (e->children > 0)
            first = pncp_foreign_element_read(&b->reader);
        if (e->children == 1 && pncp_foreign_element_is_list(e) && first.repetition == REPEATED) {
            size_t list = strlen(b->path);
            extend_path(b, list, first.name);
            rc = build_array(b, e, &first, def, rep, ret_node);
        } else {
            rc = new_node(b, e->name, ret_node);
            if (rc == PNCP_OK)
                rc = e->children > 0 ? build_members(b, e, &first, *ret_node, def, rep)
                                     : add_leaf(b, e, &b->schema->nodes[*ret_node], def, rep);
        }
        if (rc == PNCP_OK && e->children == 0)
            b->schema->nodes[*ret_node].def = def;
    }
    b->path[path] = '\0';
    return rc;
}

enum pncp_code pncp_foreign_schema_init(struct pncp_foreign_schema *schema, const struct pncp_footer *footer,
                                        struct pncp_err *err)
{
    struct building b = {
        .schema = schema, .reader = pncp_thrift_open(footer->schema), .leaves_max = footer->leaf_count, .err = err};
    enum pncp_thrift_type type;
    *schema = (struct pncp_foreign_schema){0};
    if (footer->leaf_count == 0)
        return pncp_err_set(err, PNCP_E_PARSE, "no columns");
    if (footer->leaf_count > PNCP_FOREIGN_COLUMNS_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "%zu columns, at most %d can be read", footer->leaf_count,
                            PNCP_FOREIGN_COLUMNS_MAX);
    schema->leaves = pncp_calloc(footer->leaf_count, sizeof(*schema->leaves));
    if (schema->leaves == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "parquet schema: out of memory");
    (void)pncp_thrift_list(&b.reader, &type);
    struct pncp_foreign_element root = pncp_foreign_element_read(&b.reader);
    uint16_t node = 0;
    enum pncp_code rc = new_node(&b, root.name, &node);
    if (rc == PNCP_OK)
        rc = build_members(&b, &root, NULL, node, 0, 0);
    if (rc == PNCP_OK && (b.reader.failed || schema->leaf_count != footer->leaf_count))
        rc = pncp_err_set(err, PNCP_E_PARSE, "damaged parquet footer: the schema cannot be read");
    if (rc != PNCP_OK)
        pncp_foreign_schema_release(schema);
    return rc;
}

void pncp_foreign_schema_release(struct pncp_foreign_schema *schema)
{
    for (size_t i = 0; i < schema->leaf_count; i++)
        pncp_free(schema->leaves[i].path);
    pncp_free(schema->leaves);
    pncp_free(schema->nodes);
    *schema = (struct pncp_foreign_schema){0};
}
