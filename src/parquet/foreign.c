/*
 * Rows from columns: every column is a stream of slots, and each row takes the slots that belong to it, in the order of
 * the schema (Dremel record assembly: a slot's definition level says how far down its path something is there, its
 * repetition level which list goes on). Columns of one list must agree on both; where they do not, the file is damaged.
 */
#include "base/mem.h"
#include "base/sys.h"
#include "parquet/foreign_int.h"

#include <errno.h>
#include <string.h>

struct pncp_foreign {
    struct pncp_footer footer;
    struct pncp_foreign_schema schema;
    struct pncp_foreign_file file;
    struct pncp_foreign_column *columns; /* one per leaf */
    struct pncp_buf text;                /* the row's JSON */
    struct pncp_json_writer writer;
    size_t next_group;
    uint64_t rows_left; /* of the group at hand */
    uint64_t row;       /* the last one begun, from 1 */
};

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "reading a parquet file: out of memory");
}

/* ---- slots ----------------------------------------------------------------------------------- */

static enum pncp_code bad_levels(const struct pncp_foreign *foreign, size_t leaf, struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_PARSE, "column %s: damaged: its levels do not fit the row's other columns",
                        foreign->schema.leaves[leaf].path);
}

/* The slot at hand of column `leaf`, which must be there. */
static enum pncp_code need_slot(struct pncp_foreign *foreign, size_t leaf, struct pncp_err *err)
{
    bool more = false;
    enum pncp_code rc = pncp_foreign_column_more(&foreign->columns[leaf], &more, err);
    return rc == PNCP_OK && !more ? bad_levels(foreign, leaf, err) : rc;
}

/* As above; it must have that repetition level, and a definition level in [low, high]. */
static enum pncp_code check_slot(struct pncp_foreign *foreign, size_t leaf, int16_t rep, int16_t low, int16_t high,
                                 struct pncp_err *err)
{
    enum pncp_code rc = need_slot(foreign, leaf, err);
    if (rc != PNCP_OK)
        return rc;
    const struct pncp_foreign_column *column = &foreign->columns[leaf];
    int16_t def = pncp_foreign_column_def(column);
    bool fits = pncp_foreign_column_rep(column) == rep && def >= low && def <= high;
    return fits ? PNCP_OK : bad_levels(foreign, leaf, err);
}

/* Take one slot of every column below `node`: it is null, or an empty list. */
static enum pncp_code drop_slots(struct pncp_foreign *foreign, const struct pncp_foreign_node *node, int16_t rep,
                                 int16_t low, int16_t high, struct pncp_err *err)
{
    for (size_t leaf = node->leaf; leaf < (size_t)node->leaf + node->leaf_count; leaf++) {
        enum pncp_code rc = check_slot(foreign, leaf, rep, low, high, err);
        if (rc != PNCP_OK)
            return rc;
        (void)pncp_foreign_column_take(&foreign->columns[leaf]);
    }
    return PNCP_OK;
}

/* ---- values ---------------------------------------------------------------------------------- */

static enum pncp_code put_node(struct pncp_foreign *foreign, uint16_t number, int16_t rep, int16_t def, bool *ret_null,
                               struct pncp_err *err);

/* In all of these `rep` is the repetition level of the value's first slot, `def` the level at which its parent is
 * there. */
static enum pncp_code put_leaf(struct pncp_foreign *foreign, const struct pncp_foreign_node *node, int16_t rep,
                               int16_t def, bool *ret_null, struct pncp_err *err)
{
    const struct pncp_foreign_leaf *leaf = &foreign->schema.leaves[node->leaf];
    struct pncp_foreign_column *column = &foreign->columns[node->leaf];
    enum pncp_code rc = check_slot(foreign, node->leaf, rep, def, leaf->max_def, err);
    if (rc != PNCP_OK)
        return rc;
    *ret_null = pncp_foreign_column_def(column) < leaf->max_def;
    struct pncp_view stored = pncp_foreign_column_take(column);
    if (*ret_null) {
        pncp_json_put_null(&foreign->writer);
        return PNCP_OK;
    }
    const char *why = pncp_foreign_put_value(&foreign->writer, &leaf->type, stored, ret_null);
    return why == NULL ? PNCP_OK : pncp_err_set(err, PNCP_E_PARSE, "column %s: %s", leaf->path, why);
}

/* A member that is null is left out: a column cannot say that a record does not have it. */
static enum pncp_code put_members(struct pncp_foreign *foreign, const struct pncp_foreign_node *node, int16_t rep,
                                  int16_t def, bool *ret_all_null, struct pncp_err *err)
{
    *ret_all_null = true;
    pncp_json_object_begin(&foreign->writer);
    for (uint16_t child = node->first_child; child != 0; child = foreign->schema.nodes[child].next) {
        struct pncp_json_writer before = foreign->writer;
        size_t len = foreign->text.len;
        bool is_null = false;
        pncp_json_key_view(&foreign->writer, foreign->schema.nodes[child].name);
        enum pncp_code rc = put_node(foreign, child, rep, def, &is_null, err);
        if (rc != PNCP_OK)
            return rc;
        if (is_null) {
            foreign->writer = before;
            foreign->text.len = len;
        }
        *ret_all_null = *ret_all_null && is_null;
    }
    pncp_json_object_end(&foreign->writer);
    return PNCP_OK;
}

/* An object of columns "name.member": null when they all are. Then the column that has the bare name, if there is one,
 * may say something. */
static enum pncp_code put_dotted(struct pncp_foreign *foreign, const struct pncp_foreign_node *node, bool *ret_null,
                                 struct pncp_err *err)
{
    struct pncp_json_writer before = foreign->writer, behind;
    size_t begin = foreign->text.len, end;
    bool plain_null = true;
    enum pncp_code rc = put_members(foreign, node, 0, 0, ret_null, err);
    if (rc != PNCP_OK || node->plain == 0)
        return rc;
    behind = foreign->writer;
    end = foreign->text.len;
    foreign->writer = before; /* both are a value for the same key: one of them goes */
    if (*ret_null) {
        foreign->text.len = begin;
        return put_node(foreign, node->plain, 0, 0, ret_null, err);
    }
    rc = put_node(foreign, node->plain, 0, 0, &plain_null, err);
    foreign->text.len = end;
    foreign->writer = behind;
    if (rc == PNCP_OK && !plain_null)
        rc = pncp_err_set(err, PNCP_E_PARSE, "column " PNCP_VIEW_FMT ": it has a value, and so has one that is in it",
                          (int)PNCP_MIN(node->name.len, (size_t)200), node->name.data);
    return rc;
}

static enum pncp_code put_object(struct pncp_foreign *foreign, const struct pncp_foreign_node *node, int16_t rep,
                                 int16_t def, bool *ret_null, struct pncp_err *err)
{
    if (node->dotted)
        return put_dotted(foreign, node, ret_null, err);
    enum pncp_code rc = need_slot(foreign, node->leaf, err);
    if (rc != PNCP_OK)
        return rc;
    bool all_null = false;
    *ret_null = pncp_foreign_column_def(&foreign->columns[node->leaf]) < node->def;
    if (!*ret_null)
        return put_members(foreign, node, rep, node->def, &all_null, err);
    pncp_json_put_null(&foreign->writer);
    return drop_slots(foreign, node, rep, def, (int16_t)(node->def - 1), err);
}

static enum pncp_code put_array(struct pncp_foreign *foreign, const struct pncp_foreign_node *node, int16_t rep,
                                int16_t def, bool *ret_null, struct pncp_err *err)
{
    const struct pncp_foreign_column *first = &foreign->columns[node->leaf];
    enum pncp_code rc = need_slot(foreign, node->leaf, err);
    if (rc != PNCP_OK)
        return rc;
    int16_t there = pncp_foreign_column_def(first);
    *ret_null = there < node->def;
    if (*ret_null) {
        pncp_json_put_null(&foreign->writer);
        return drop_slots(foreign, node, rep, def, (int16_t)(node->def - 1), err);
    }
    pncp_json_array_begin(&foreign->writer);
    if (there < node->element_def) {
        rc = drop_slots(foreign, node, rep, node->def, (int16_t)(node->element_def - 1), err);
    } else {
        bool more = true, is_null = false;
        for (int16_t at = rep; rc == PNCP_OK && more && foreign->writer.failed == PNCP_OK; at = node->rep) {
            rc = put_node(foreign, node->first_child, at, node->element_def, &is_null, err);
            if (rc == PNCP_OK)
                rc = pncp_foreign_column_more(&foreign->columns[node->leaf], &more, err);
            more = rc == PNCP_OK && more && pncp_foreign_column_rep(first) == node->rep;
        }
    }
    pncp_json_array_end(&foreign->writer);
    return rc;
}

static enum pncp_code put_node(struct pncp_foreign *foreign, uint16_t number, int16_t rep, int16_t def, bool *ret_null,
                               struct pncp_err *err)
{
    const struct pncp_foreign_node *node = &foreign->schema.nodes[number];
    if (foreign->writer.failed != PNCP_OK) /* a row beyond the ceiling need not be read to its end */
        return pncp_err_set(err, foreign->writer.failed, "a row of more than %zu bytes", PNCP_FOREIGN_ROW_MAX_BYTES);
    switch (node->shape) {
    case PNCP_FOREIGN_LEAF:
        return put_leaf(foreign, node, rep, def, ret_null, err);
    case PNCP_FOREIGN_OBJECT:
        return put_object(foreign, node, rep, def, ret_null, err);
    case PNCP_FOREIGN_ARRAY:
        return put_array(foreign, node, rep, def, ret_null, err);
    }
    return PNCP_OK;
}

/* ---- row groups ------------------------------------------------------------------------------ */

static enum pncp_code turn_group(struct pncp_foreign *foreign, struct pncp_err *err)
{
    size_t group = foreign->next_group++;
    foreign->rows_left = foreign->footer.groups[group].rows;
    if (foreign->rows_left == 0) /* some writers give it a page without values, which carquet refuses */
        return PNCP_OK;
    for (size_t i = 0; i < foreign->schema.leaf_count; i++)
        pncp_foreign_column_leave(&foreign->columns[i]);
    enum pncp_code rc = pncp_foreign_file_turn(&foreign->file, group, err);
    for (size_t i = 0; rc == PNCP_OK && i < foreign->schema.leaf_count; i++)
        rc = pncp_foreign_column_turn(&foreign->columns[i], err);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_wrap(err, rc, "row group %zu", group);
}

/* Behind the group's last row no column may have a slot left. */
static enum pncp_code end_group(struct pncp_foreign *foreign, struct pncp_err *err)
{
    for (size_t i = 0; i < foreign->schema.leaf_count; i++) {
        const struct pncp_foreign_column *column = &foreign->columns[i];
        if (column->at < column->count || column->slots_read < column->slots)
            return bad_levels(foreign, i, err);
    }
    return PNCP_OK;
}

/* ---- public ---------------------------------------------------------------------------------- */

static enum pncp_code open_file(struct pncp_foreign *foreign, int fd, struct pncp_err *err)
{
    struct stat stat;
    if (pncp_sys_fstat(fd, &stat) != 0)
        return pncp_err_sys(err, errno, "parquet file");
    struct pncp_source source = pncp_source_of_fd(&fd, (uint64_t)stat.st_size);
    enum pncp_code rc = pncp_footer_read(&source, &foreign->footer, err);
    if (rc == PNCP_OK)
        rc = pncp_foreign_schema_init(&foreign->schema, &foreign->footer, err);
    if (rc != PNCP_OK)
        return rc;
    foreign->file.fd = fd;
    foreign->file.footer = &foreign->footer;
    foreign->text.max_bytes = PNCP_FOREIGN_ROW_MAX_BYTES;
    foreign->columns = pncp_calloc(foreign->schema.leaf_count, sizeof(*foreign->columns));
    for (size_t i = 0; foreign->columns != NULL && rc == PNCP_OK && i < foreign->schema.leaf_count; i++)
        rc = pncp_foreign_column_init(&foreign->columns[i], &foreign->file, &foreign->schema.leaves[i], i);
    return foreign->columns == NULL || rc != PNCP_OK ? no_memory(err) : PNCP_OK;
}

enum pncp_code pncp_foreign_open(int fd, struct pncp_foreign **ret_foreign, struct pncp_err *err)
{
    struct pncp_foreign *foreign = pncp_calloc(1, sizeof(*foreign));
    if (foreign == NULL)
        return no_memory(err);
    enum pncp_code rc = open_file(foreign, fd, err);
    if (rc != PNCP_OK) {
        pncp_foreign_free(foreign);
        return rc;
    }
    *ret_foreign = foreign;
    return PNCP_OK;
}

void pncp_foreign_free(struct pncp_foreign *foreign)
{
    if (foreign == NULL)
        return;
    for (size_t i = 0; foreign->columns != NULL && i < foreign->schema.leaf_count; i++)
        pncp_foreign_column_release(&foreign->columns[i]);
    pncp_free(foreign->columns);
    pncp_foreign_file_release(&foreign->file);
    pncp_foreign_schema_release(&foreign->schema);
    pncp_footer_release(&foreign->footer);
    pncp_buf_release(&foreign->text);
    pncp_free(foreign);
}

const struct pncp_footer *pncp_foreign_footer(const struct pncp_foreign *foreign)
{
    return &foreign->footer;
}

static enum pncp_code put_row(struct pncp_foreign *foreign, struct pncp_err *err)
{
    foreign->row++;
    foreign->rows_left--;
    bool is_null = false;
    pncp_buf_clear(&foreign->text);
    pncp_json_writer_init(&foreign->writer, &foreign->text);
    enum pncp_code rc = put_members(foreign, &foreign->schema.nodes[0], 0, 0, &is_null, err);
    if (rc == PNCP_OK && foreign->writer.failed != PNCP_OK)
        rc = pncp_err_set(err, foreign->writer.failed, "a row of more than %zu bytes", PNCP_FOREIGN_ROW_MAX_BYTES);
    if (rc == PNCP_OK && foreign->rows_left == 0)
        rc = end_group(foreign, err);
    return rc;
}

enum pncp_code pncp_foreign_next(struct pncp_foreign *foreign, struct pncp_view *ret_row, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    while (rc == PNCP_OK && foreign->rows_left == 0) {
        if (foreign->next_group == foreign->footer.group_count) {
            *ret_row = (struct pncp_view){"", 0};
            return PNCP_OK;
        }
        rc = turn_group(foreign, err);
    }
    if (rc == PNCP_OK) {
        rc = put_row(foreign, err);
        if (rc != PNCP_OK)
            (void)pncp_err_wrap(err, rc, "row %" PRIu64, foreign->row);
    }
    if (rc == PNCP_E_NOMEM)
        return no_memory(err);
    if (rc == PNCP_OK)
        *ret_row = pncp_buf_view(&foreign->text);
    return rc;
}
