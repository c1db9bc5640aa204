#include "parquet/group_check.h"
#include "base/random.h"

static enum pncp_code malformed(struct pncp_err *err, const struct pncp_leaf_info *info, const char *what)
{
    return pncp_err_set(err, PNCP_E_PARSE, "column %s: %s", info->path, what);
}

/* The innermost LIST node that `leaf_no` lies in, or 0. */
static size_t list_of(const struct pncp_schema *schema, size_t leaf_no)
{
    size_t list = 0;
    for (size_t i = 1; i < schema->node_count; i++) {
        const struct pncp_node *node = &schema->nodes[i];
        bool inside = leaf_no >= node->leaf && leaf_no < (size_t)node->leaf + node->leaf_count;
        if (inside && node->col->type == PNCP_T_LIST && (list == 0 || node->rep > schema->nodes[list].rep))
            list = i;
    }
    return list;
}

/* The leaves of a list have the same lengths: those of the first one. */
static enum pncp_code check_list(struct pncp_group_check *check, const struct pncp_leaf_info *info,
                                 const struct pncp_leaf *leaf, struct pncp_err *err)
{
    size_t list = list_of(check->schema, check->leaf_count);
    uint64_t hash = pncp_hash64(leaf->rep, leaf->level_count * sizeof(*leaf->rep), 1);
    if (check->leaf_count == check->schema->nodes[list].leaf) {
        check->seen[list].slots = leaf->level_count;
        check->seen[list].hash = hash;
    } else if (check->seen[list].slots != leaf->level_count || check->seen[list].hash != hash) {
        return malformed(err, info, "its lists are of other lengths than those of the column before");
    }
    return PNCP_OK;
}

static enum pncp_code check_leaf(struct pncp_group_check *check, const struct pncp_leaf_info *info,
                                 const struct pncp_leaf *leaf, struct pncp_err *err)
{
    size_t values = leaf->level_count;
    if (leaf->type != info->type || leaf->max_def != info->max_def || leaf->max_rep != info->max_rep)
        return malformed(err, info, "it is of another type");
    if (leaf->max_def > 0) {
        values = 0;
        for (size_t i = 0; i < leaf->level_count; i++) {
            if (leaf->def[i] > leaf->max_def)
                return malformed(err, info, "a definition level is out of range");
            values += leaf->def[i] == leaf->max_def;
        }
    }
    if (values != leaf->value_count)
        return malformed(err, info, "the values are not as many as the levels say");
    if (leaf->max_rep == 0)
        return leaf->level_count == check->rows ? PNCP_OK
                                                : malformed(err, info, "its length is not the number of rows");
    uint64_t rows = 0;
    for (size_t i = 0; i < leaf->level_count; i++) {
        if (leaf->rep[i] > leaf->max_rep)
            return malformed(err, info, "a repetition level is out of range");
        rows += leaf->rep[i] == 0;
    }
    if (rows != check->rows || (leaf->level_count > 0 && leaf->rep[0] != 0))
        return malformed(err, info, "its lists are not as many as the rows");
    return check_list(check, info, leaf, err);
}

enum pncp_code pncp_group_check_leaf(struct pncp_group_check *check, const struct pncp_leaf *leaf, struct pncp_err *err)
{
    enum pncp_code rc = check_leaf(check, &check->schema->leaves[check->leaf_count], leaf, err);
    check->leaf_count += rc == PNCP_OK;
    return rc;
}
