#include "parquet/group_check.h"
#include "base/random.h"

#include <assert.h>
#include <string.h>

static enum pncp_code malformed(struct pncp_err *err, const struct pncp_leaf_info *info, const char *what)
{
    return pncp_err_set(err, PNCP_E_PARSE, "column %s: %s", info->path, what);
}

/* The innermost LIST that `leaf_no`, which is in one, lies in. Its number among the lists. */
static size_t list_of(const struct pncp_schema *schema, size_t leaf_no, const struct pncp_node **ret_list)
{
    size_t lists = 0, number = 0;
    *ret_list = NULL;
    for (size_t i = 1; i < schema->node_count; i++) {
        const struct pncp_node *node = &schema->nodes[i];
        if (node->col->type != PNCP_T_LIST)
            continue;
        bool inside = leaf_no >= node->leaf && leaf_no < (size_t)node->leaf + node->leaf_count;
        if (inside && (*ret_list == NULL || node->rep > (*ret_list)->rep)) {
            *ret_list = node;
            number = lists;
        }
        lists++;
    }
    assert(*ret_list != NULL && number < PNCP_GROUP_LISTS_MAX);
    return number;
}

/* The leaves of a list have the same lengths: those of the first one. */
static enum pncp_code check_list(struct pncp_group_check *check, const struct pncp_leaf_info *info,
                                 struct pncp_err *err)
{
    const struct pncp_node *list;
    struct pncp_group_levels *seen = &check->seen[list_of(check->schema, check->leaf_count, &list)];
    if (check->leaf_count == list->leaf)
        *seen = check->now.levels;
    else if (seen->slots != check->now.levels.slots || seen->hash != check->now.levels.hash)
        return malformed(err, info, "its lists are of other lengths than those of the column before");
    return PNCP_OK;
}

/* Without a way out of the loop: the compiler takes many at once. */
static pncp_level highest_of(const pncp_level *levels, size_t count)
{
    pncp_level highest = 0;
    for (size_t i = 0; i < count; i++)
        highest = PNCP_MAX(highest, levels[i]);
    return highest;
}

/* What holds for every piece by itself. */
static enum pncp_code check_piece(struct pncp_group_check *check, const struct pncp_leaf_info *info,
                                  const struct pncp_leaf *leaf, struct pncp_err *err)
{
    size_t first = check->now.kept_slots, slots = leaf->level_count - first;
    if (leaf->type != info->type || leaf->max_def != info->max_def || leaf->max_rep != info->max_rep)
        return malformed(err, info, "it is of another type");
    if (leaf->max_def > 0 && highest_of(leaf->def + first, slots) > leaf->max_def)
        return malformed(err, info, "a definition level is out of range");
    size_t values = leaf->max_def == 0 ? slots : pncp_leaf_count_values(leaf->def + first, slots, leaf->max_def);
    if (values != leaf->value_count - check->now.kept_values)
        return malformed(err, info, "the values are not as many as the levels say");
    check->now.levels.slots += slots;
    if (leaf->max_rep == 0) {
        check->now.rows += slots;
        return PNCP_OK;
    }
    if (slots == 0)
        return PNCP_OK;
    if (highest_of(leaf->rep + first, slots) > leaf->max_rep)
        return malformed(err, info, "a repetition level is out of range");
    check->now.rows += pncp_level_count(leaf->rep + first, slots, 0);
    check->now.levels.hash = pncp_hash64(leaf->rep + first, slots * sizeof(*leaf->rep), check->now.levels.hash + 1);
    return leaf->rep[first] == 0 ? PNCP_OK : malformed(err, info, "its lists are not as many as the rows");
}

static enum pncp_code check_end(struct pncp_group_check *check, const struct pncp_leaf_info *info, struct pncp_err *err)
{
    if (check->now.rows != check->rows)
        return malformed(err, info,
                         info->max_rep == 0 ? "its length is not the number of rows"
                                            : "its lists are not as many as the rows");
    return info->max_rep == 0 ? PNCP_OK : check_list(check, info, err);
}

enum pncp_code pncp_group_check_piece(struct pncp_group_check *check, const struct pncp_leaf *leaf, bool last,
                                      struct pncp_err *err)
{
    const struct pncp_leaf_info *info = &check->schema->leaves[check->leaf_count];
    assert(check->now.kept_slots <= leaf->level_count && check->now.kept_values <= leaf->value_count);
    enum pncp_code rc = check_piece(check, info, leaf, err);
    if (rc == PNCP_OK && last) {
        rc = check_end(check, info, err);
        check->leaf_count += rc == PNCP_OK;
        memset(&check->now, 0, sizeof(check->now));
    }
    return rc;
}

enum pncp_code pncp_group_check_leaf(struct pncp_group_check *check, const struct pncp_leaf *leaf, struct pncp_err *err)
{
    return pncp_group_check_piece(check, leaf, true, err);
}
