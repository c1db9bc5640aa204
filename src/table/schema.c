#include "table/schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool has_children(enum pncp_type type)
{
    return type == PNCP_T_STRUCT || type == PNCP_T_LIST;
}

static unsigned since_of(const struct pncp_col *col)
{
    return PNCP_MAX(col->flags >> PNCP_COL_SINCE_SHIFT, 1U);
}

/* Where a node's children live: their levels and the start of their dotted path. */
struct place {
    int16_t def, rep;
    unsigned since; /* of what they are in */
    char path[sizeof(((struct pncp_leaf_info *)0)->path)];
};

static enum pncp_code add_leaf(struct pncp_schema *schema, struct pncp_node *node, const char *path,
                               struct pncp_err *err)
{
    if (schema->leaf_count == PNCP_SCHEMA_LEAVES_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "schema has more than %d columns", PNCP_SCHEMA_LEAVES_MAX);
    struct pncp_leaf_info *leaf = &schema->leaves[schema->leaf_count];
    *leaf = (struct pncp_leaf_info){.col = node->col,
                                    .type = node->col->type,
                                    .max_def = node->def_present,
                                    .max_rep = node->rep,
                                    .since = node->since};
    (void)snprintf(leaf->path, sizeof(leaf->path), "%s", path);
    schema->leaf_count++;
    return PNCP_OK;
}

/* How many of the columns a version has: the first ones. */
static size_t count_known(const struct pncp_col *cols, size_t count, unsigned version)
{
    size_t known = 0;
    while (known < count && since_of(&cols[known]) <= version)
        known++;
    for (size_t i = 1; i < count; i++)
        assert(since_of(&cols[i]) >= since_of(&cols[i - 1])); /* added in the middle */
    return known;
}

/* Adds `cols` as consecutive nodes, then what is below each: depth first in leaves, although not in nodes. */
static enum pncp_code add_level(struct pncp_schema *schema, uint16_t parent, const struct pncp_col *cols, size_t all,
                                const struct place *place, struct pncp_err *err)
{
    size_t count = count_known(cols, all, schema->version);
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
                                   .name_len = (uint16_t)strlen(col->name),
                                   .leaf = (uint16_t)schema->leaf_count,
                                   .def_null = place->def,
                                   .def_present = (int16_t)(place->def + !required),
                                   .rep = place->rep,
                                   .since = PNCP_MAX(since_of(col), place->since)};
        struct place below = {.def = node->def_present, .rep = place->rep, .since = node->since};
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

unsigned pncp_schema_newest(const struct pncp_col *cols, size_t col_count)
{
    unsigned newest = 1;
    for (size_t i = 0; i < col_count; i++) {
        unsigned below = pncp_schema_newest(cols[i].children, cols[i].child_count);
        newest = PNCP_MAX(newest, PNCP_MAX(since_of(&cols[i]), below));
    }
    return newest;
}

enum pncp_code pncp_schema_init(struct pncp_schema *schema, const struct pncp_col *cols, size_t col_count,
                                struct pncp_err *err)
{
    return pncp_schema_init_version(schema, cols, col_count, pncp_schema_newest(cols, col_count), err);
}

enum pncp_code pncp_schema_init_version(struct pncp_schema *schema, const struct pncp_col *cols, size_t col_count,
                                        unsigned version, struct pncp_err *err)
{
    *schema = (struct pncp_schema){.nodes = {{.since = 1}}, .node_count = 1, .version = version};
    struct place root = {0};
    enum pncp_code rc = add_level(schema, 0, cols, col_count, &root, err);
    schema->nodes[0].leaf_count = (uint16_t)schema->leaf_count;
    return rc;
}

const struct pncp_node *pncp_schema_extra(const struct pncp_schema *schema, const struct pncp_node *node)
{
    for (uint16_t i = 0; i < node->child_count; i++) {
        const struct pncp_node *child = &schema->nodes[node->first_child + i];
        if ((child->col->flags & PNCP_COL_EXTRA) != 0)
            return child;
    }
    return NULL;
}

bool pncp_schema_has_grown(const struct pncp_schema *schema, const struct pncp_node *node, unsigned version)
{
    for (uint16_t i = 0; i < node->child_count; i++) {
        const struct pncp_node *child = &schema->nodes[node->first_child + i];
        if (child->since > version ||
            (child->col->type == PNCP_T_STRUCT && pncp_schema_has_grown(schema, child, version)))
            return true;
    }
    return false;
}

int pncp_schema_find(const struct pncp_schema *schema, const char *path)
{
    for (size_t i = 0; i < schema->leaf_count; i++) {
        if (strcmp(schema->leaves[i].path, path) == 0)
            return (int)i;
    }
    return -1;
}
