#include "table/schema.h"

#include <stdio.h>
#include <string.h>

static bool has_children(enum pncp_type type)
{
    return type == PNCP_T_STRUCT || type == PNCP_T_LIST;
}

/* Where a node's children live: their levels and the start of their dotted path. */
struct place {
    int16_t def, rep;
    char path[sizeof(((struct pncp_leaf_info *)0)->path)];
};

static enum pncp_code add_leaf(struct pncp_schema *schema, struct pncp_node *node, const char *path,
                               struct pncp_err *err)
{
    if (schema->leaf_count == PNCP_SCHEMA_LEAVES_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "schema has more than %d columns", PNCP_SCHEMA_LEAVES_MAX);
    struct pncp_leaf_info *leaf = &schema->leaves[schema->leaf_count];
    *leaf = (struct pncp_leaf_info){
        .col = node->col, .type = node->col->type, .max_def = node->def_present, .max_rep = node->rep};
    (void)snprintf(leaf->path, sizeof(leaf->path), "%s", path);
    schema->leaf_count++;
    return PNCP_OK;
}

/* Adds `cols` as consecutive nodes, then what is below each: depth first in leaves, although not in nodes. */
static enum pncp_code add_level(struct pncp_schema *schema, uint16_t parent, const struct pncp_col *cols, size_t count,
                                const struct place *place, struct pncp_err *err)
{
    if (schema->node_count + count > PNCP_SCHEMA_NODES_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "schema has more than %d nodes", PNCP_SCHEMA_NODES_MAX);
    size_t first = schema->node_count;
    schema->nodes[parent].first_child = (uint16_t)first;
    schema->nodes[parent].child_count = (uint16_t)count;
    schema->node_count += count;
    for (size_t i = 0; i < count; i++) {
        const struct pncp_col *col = &cols[i];
        struct pncp_node *node = &schema->nodes[first + i];
        bool required = (col->flags & PNCP_COL_REQUIRED) != 0;
        *node = (struct pncp_node){.col = col,
                                   .leaf = (uint16_t)schema->leaf_count,
                                   .def_null = place->def,
                                   .def_present = (int16_t)(place->def + !required),
                                   .rep = place->rep};
        struct place below = {.def = node->def_present, .rep = place->rep};
        const char *dot = place->path[0] == '\0' ? "" : ".";
        const char *tail = col->type == PNCP_T_LIST ? ".list.element" : "";
        int len = snprintf(below.path, sizeof(below.path), "%s%s%s%s", place->path, dot, col->name, tail);
        if (len < 0 || (size_t)len >= sizeof(below.path))
            return pncp_err_set(err, PNCP_E_LIMIT, "column path %s.%s is too long", place->path, col->name);
        if (col->type == PNCP_T_LIST) {
            node->rep = (int16_t)(place->rep + 1);
            below.rep = node->rep;
            below.def = (int16_t)(node->def_present + 2); /* repeated list (+1), optional element (+1) */
        }
        enum pncp_code rc = has_children(col->type)
                                ? add_level(schema, (uint16_t)(first + i), col->children, col->child_count, &below, err)
                                : add_leaf(schema, node, below.path, err);
        if (rc != PNCP_OK)
            return rc;
        schema->nodes[first + i].leaf_count = (uint16_t)(schema->leaf_count - schema->nodes[first + i].leaf);
    }
    return PNCP_OK;
}

enum pncp_code pncp_schema_init(struct pncp_schema *schema, const struct pncp_col *cols, size_t col_count,
                                struct pncp_err *err)
{
    *schema = (struct pncp_schema){.node_count = 1};
    struct place root = {0};
    enum pncp_code rc = add_level(schema, 0, cols, col_count, &root, err);
    schema->nodes[0].leaf_count = (uint16_t)schema->leaf_count;
    return rc;
}

int pncp_schema_find(const struct pncp_schema *schema, const char *path)
{
    for (size_t i = 0; i < schema->leaf_count; i++) {
        if (strcmp(schema->leaves[i].path, path) == 0)
            return (int)i;
    }
    return -1;
}
