#include "day/columns.h"
#include "ingest/input_int.h"
#include "model/model.h"
#include "parquet/chunk_reader.h"
#include "parquet/foreign.h"

/* ---- a list of our own ----------------------------------------------------------------------- */

#define OWN_LIST "contratacoes "
#define OWN_LIST_NOW "contratacoes 1" /* docs/FORMATS.md; day/list.c writes it */

/* Did this program write the file, and can it be taken? */
static enum pncp_code check_format(const struct pncp_footer *footer, bool *ret_own, struct pncp_err *err)
{
    struct pncp_view format;
    *ret_own = pncp_footer_kv(footer, "pncp.format", &format);
    if (!*ret_own || pncp_view_eq_text(format, OWN_LIST_NOW))
        return PNCP_OK;
    if (!pncp_view_starts(format, OWN_LIST))
        return pncp_err_set(err, PNCP_E_USAGE, "a file of this program with format \"" PNCP_VIEW_FMT "\", not a list",
                            PNCP_VIEW_ARG(format));
    return pncp_err_set(err, PNCP_E_NEWER, "format \"" PNCP_VIEW_FMT "\", this version reads \"" OWN_LIST_NOW "\"",
                        PNCP_VIEW_ARG(format));
}

static enum pncp_code add_own_row(struct pncp_input *input, struct pncp_table *rows, size_t row, struct pncp_err *err)
{
    struct pncp_key key;
    bool add;
    enum pncp_code rc = pncp_list_row_key(rows, row, &key, err);
    if (rc == PNCP_OK)
        rc = pncp_input_admit(input, &key, pncp_list_row_date(rows, row), &add, err);
    if (rc != PNCP_OK || !add)
        return rc;
    struct pncp_table *pending = pncp_list_pending(input->list);
    pncp_table_row_begin(pending);
    rc = pncp_table_copy_cells(pending, 0, rows, 0, rows->schema->leaf_count, row);
    if (rc != PNCP_OK) {
        pncp_table_row_undo(pending);
        return pncp_err_set(err, rc, "out of memory");
    }
    pncp_table_row_end(pending);
    input->rows++;
    return pncp_list_added(input->list, err);
}

static enum pncp_code read_own_group(const struct pncp_columns *file, size_t group, struct pncp_table *rows,
                                     struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    pncp_table_clear(rows);
    for (size_t leaf = 0; rc == PNCP_OK && leaf < rows->schema->leaf_count; leaf++)
        rc = pncp_columns_read(file, rows->schema, leaf, group, 1, &rows->leaves[leaf], err);
    rows->rows = (size_t)file->footer->groups[group].rows;
    return rc;
}

static enum pncp_code load_own(struct pncp_input *input, const struct pncp_source *source,
                               const struct pncp_footer *footer, struct pncp_err *err)
{
    struct pncp_table rows;
    AUTO(pncp_chunk_reader_release) struct pncp_chunk_reader reader = {0};
    struct pncp_columns file = {.source = source, .footer = footer, .reader = &reader};
    enum pncp_code rc = pncp_columns_find_schema(footer, pncp_list_versions(), &file.schema, err);
    if (rc == PNCP_OK && pncp_table_init(&rows, pncp_list_schema()) != PNCP_OK)
        rc = pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
    if (rc != PNCP_OK)
        return rc;
    int64_t number = 1;
    for (size_t group = 0; rc == PNCP_OK && group < footer->group_count && !pncp_input_full(input); group++) {
        rc = read_own_group(&file, group, &rows, err);
        for (size_t row = 0; rc == PNCP_OK && row < rows.rows && !pncp_input_full(input); row++, number++) {
            rc = add_own_row(input, &rows, row, err);
            if (rc != PNCP_OK)
                (void)pncp_err_wrap(err, rc, "row %" PRId64, number);
        }
    }
    pncp_table_release(&rows);
    return rc;
}

/* ---- any file -------------------------------------------------------------------------------- */

static enum pncp_code next_row(void *source, struct pncp_view *ret_row, struct pncp_err *err)
{
    return pncp_foreign_next(source, ret_row, err);
}

enum pncp_code pncp_input_parquet(struct pncp_input *input, const char *path, int fd, uint64_t bytes,
                                  struct pncp_err *err)
{
    struct pncp_foreign *foreign;
    bool own;
    enum pncp_code rc = pncp_foreign_open(fd, &foreign, err);
    if (rc != PNCP_OK)
        return rc;
    struct pncp_source source = pncp_source_of_fd(&fd, bytes);
    rc = check_format(pncp_foreign_footer(foreign), &own, err);
    if (rc == PNCP_OK)
        rc = own ? load_own(input, &source, pncp_foreign_footer(foreign), err)
                 : pncp_input_rows(input, path, next_row, foreign, err);
    pncp_foreign_free(foreign);
    return rc;
}
