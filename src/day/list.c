#include "day/list.h"
#include "base/mem.h"
#include "day/columns.h"
#include "day/layout.h"
#include "model/model.h"
#include "parquet/chunk_reader.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>

#define LIST_FORMAT "contratacoes 1"
static const struct pncp_encode_options LIST_ENCODE = {.zstd_level = 1, .small = true};

void pncp_list_info_init(struct pncp_list_info *info)
{
    *info = (struct pncp_list_info){0};
    for (size_t i = 0; i <= PNCP_MODALIDADES_MAX; i++)
        info->totals[i] = -1;
}

/* ---- the file ---------------------------------------------------------------------------------- */

static enum pncp_code totals_json(const struct pncp_list_info *info, struct pncp_buf *ret_json)
{
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, ret_json);
    pncp_json_object_begin(&w);
    for (int code = 1; code <= PNCP_MODALIDADES_MAX; code++) {
        char name[4];
        (void)snprintf(name, sizeof(name), "%d", code);
        if (info->totals[code] >= 0)
            pncp_json_field_int(&w, name, info->totals[code]);
    }
    pncp_json_object_end(&w);
    return pncp_json_writer_end(&w);
}

/* Write the footer with the list's key-values and put the file at `path`. The stage is gone then, the footer stays. */
static enum pncp_code file_put(struct pncp_group_file *file, struct pncp_list *list, const char *path,
                               struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf totals = {0}, empty = {0};
    char day[PNCP_DATE_TEXT_BYTES], at[PNCP_STAMP_TEXT_BYTES], schema[12];
    pncp_date_format(list->date, day);
    pncp_stamp_format(list->info.list_at_s * 1000000, at);
    (void)snprintf(schema, sizeof(schema), "%u", list->schema->version);
    if (totals_json(&list->info, &totals) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "save %s: out of memory", path);
    const struct pncp_kv_pair kvs[] = {{"pncp.format", PNCP_VIEW_LIT(LIST_FORMAT)},
                                       {"pncp.schema", pncp_view_of(schema)},
                                       {"pncp.day", pncp_view_of(day)},
                                       {"pncp.list_at", pncp_view_of(at)},
                                       {"pncp.final", pncp_view_of(list->info.final ? "true" : "false")},
                                       {"pncp.totals", pncp_buf_view(&totals)}};
    if (!file->has_footer) { /* an empty day: a file without row groups */
        enum pncp_code rc = pncp_parquet_empty(pncp_list_schema(), kvs, PNCP_ARRAY_LEN(kvs), &empty, err);
        const struct pncp_body body = {.bytes = pncp_buf_view(&empty)};
        return rc != PNCP_OK ? rc : pncp_lake_put(list->lake, path, &body, err);
    }
    enum pncp_code rc = pncp_group_file_end(file, kvs, PNCP_ARRAY_LEN(kvs), err);
    const struct pncp_body body = {.stage = &file->stage};
    return rc != PNCP_OK ? rc : pncp_lake_put(list->lake, path, &body, err);
}

/* ---- a list under construction --------------------------------------------------------------- */

enum pncp_code pncp_list_create(struct pncp_lake *lake, struct pncp_date date, struct pncp_list *ret_list,
                                struct pncp_err *err)
{
    struct pncp_list list = {.lake = lake,
                             .date = date,
                             .schema = pncp_list_schema(),
                             .writing = true,
                             .all = PNCP_GROUP_FILE_INIT,
                             .part = PNCP_GROUP_FILE_INIT};
    pncp_list_info_init(&list.info);
    if (pncp_table_init(&list.pending, pncp_list_schema()) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "list: out of memory");
    enum pncp_code rc = pncp_group_file_open(&list.all, lake, err);
    if (rc != PNCP_OK) {
        pncp_list_release(&list);
        return pncp_err_wrap(err, rc, "list");
    }
    *ret_list = list;
    return PNCP_OK;
}

void pncp_list_close(struct pncp_list *list)
{
    pncp_group_file_release(&list->all);
    pncp_group_file_release(&list->part);
    if (list->pending.schema != NULL)
        pncp_table_release(&list->pending);
    pncp_object_release(&list->object);
}

void pncp_list_release(struct pncp_list *list)
{
    pncp_list_close(list);
    *list = (struct pncp_list){.all = PNCP_GROUP_FILE_INIT, .part = PNCP_GROUP_FILE_INIT};
}

enum pncp_code pncp_list_part_begin(struct pncp_list *list, int modalidade, struct pncp_err *err)
{
    enum pncp_code rc = pncp_list_flush(list, err); /* a group holds rows of one modalidade */
    if (rc == PNCP_OK)
        rc = pncp_group_file_open(&list->part, list->lake, err);
    if (rc == PNCP_OK)
        list->part_modalidade = modalidade;
    return rc;
}

enum pncp_code pncp_list_part_end(struct pncp_list *list, int64_t total, bool save, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    enum pncp_code rc = pncp_list_flush(list, err);
    list->info.totals[list->part_modalidade] = total;
    if (rc == PNCP_OK && save) {
        pncp_place_list_part(list->date, list->part_modalidade, path);
        rc = file_put(&list->part, list, path, err);
    }
    pncp_group_file_release(&list->part);
    list->part_modalidade = 0;
    return rc;
}

struct pncp_table *pncp_list_pending(struct pncp_list *list)
{
    return &list->pending;
}

enum pncp_code pncp_list_added(struct pncp_list *list, struct pncp_err *err)
{
    list->rows++;
    return list->pending.rows < PNCP_LIST_GROUP_ROWS ? PNCP_OK : pncp_list_flush(list, err);
}

enum pncp_code pncp_list_flush(struct pncp_list *list, struct pncp_err *err)
{
    if (list->pending.rows == 0)
        return PNCP_OK;
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    struct pncp_footer footer;
    enum pncp_code rc = pncp_group_encode(&list->pending, &LIST_ENCODE, &bytes, &footer, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "list");
    rc = pncp_group_file_append(&list->all, &bytes, &footer, err);
    if (rc == PNCP_OK && list->part_modalidade != 0)
        rc = pncp_group_file_append(&list->part, &bytes, &footer, err);
    pncp_footer_release(&footer);
    pncp_table_clear(&list->pending);
    pncp_buf_release(&bytes);
    pncp_mem_trim(); /* a group in the making and pages that waited for their turn leave holes */
    return rc == PNCP_OK ? PNCP_OK : pncp_err_wrap(err, rc, "list");
}

/* ---- reading --------------------------------------------------------------------------------- */

size_t pncp_list_groups(const struct pncp_list *list)
{
    return list->all.has_footer ? list->all.footer.group_count : 0;
}

static enum pncp_code read_leaves(struct pncp_list *list, size_t group, struct pncp_table *table, const int *only,
                                  size_t only_count, struct pncp_err *err)
{
    AUTO(pncp_footer_release) struct pncp_footer recalled = {0};
    AUTO(pncp_chunk_reader_release) struct pncp_chunk_reader reader = {0};
    const struct pncp_footer *footer = &list->all.footer;
    pncp_table_clear(table);
    struct pncp_source source = list->object.source;
    enum pncp_code rc = list->writing ? pncp_group_file_source(&list->all, &source, err) : PNCP_OK;
    if (rc == PNCP_OK)
        rc = pncp_footer_recall(&footer, &group, &source, &recalled, err);
    const struct pncp_columns file = {&source, footer, list->schema, &reader};
    size_t count = only == NULL ? table->schema->leaf_count : only_count;
    for (size_t i = 0; rc == PNCP_OK && i < count; i++) {
        size_t leaf = only == NULL ? i : (size_t)only[i];
        rc = pncp_columns_read(&file, table->schema, leaf, group, 1, &table->leaves[leaf], err);
    }
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "list");
    table->rows = (size_t)footer->groups[group].rows;
    return PNCP_OK;
}

enum pncp_code pncp_list_read_group(struct pncp_list *list, size_t group, struct pncp_table *table,
                                    struct pncp_err *err)
{
    return read_leaves(list, group, table, NULL, 0, err);
}

enum pncp_code pncp_list_read_keys(struct pncp_list *list, size_t group, struct pncp_table *table, struct pncp_err *err)
{
    const struct pncp_list_leaves *leaf = pncp_list_leaves();
    const int only[] = {leaf->cnpj, leaf->ano, leaf->sequencial, leaf->data_publicacao, leaf->modalidade_id};
    return read_leaves(list, group, table, only, PNCP_ARRAY_LEN(only), err);
}

enum pncp_code pncp_list_row_key(const struct pncp_table *table, size_t row, struct pncp_key *ret_key,
                                 struct pncp_err *err)
{
    const struct pncp_list_leaves *leaf = pncp_list_leaves(); /* the key columns are required: value i is row i */
    return pncp_key_make(pncp_leaf_text(&table->leaves[leaf->cnpj], row), pncp_leaf_int(&table->leaves[leaf->ano], row),
                         pncp_leaf_int(&table->leaves[leaf->sequencial], row), ret_key, err);
}

struct pncp_date pncp_list_row_date(const struct pncp_table *table, size_t row)
{
    return (struct pncp_date){(int32_t)pncp_leaf_int(&table->leaves[pncp_list_leaves()->data_publicacao], row)};
}

static enum pncp_code read_info(struct pncp_list *list, const char *path, struct pncp_err *err)
{
    const struct pncp_footer *footer = &list->all.footer;
    struct pncp_view format, day, at, final, totals;
    struct pncp_date date;
    int64_t at_us;
    if (!pncp_footer_kv(footer, "pncp.format", &format))
        return pncp_err_set(err, PNCP_E_FOREIGN, "%s was not written by pncp-details", path);
    if (!pncp_view_eq_text(format, LIST_FORMAT))
        return pncp_err_set(err, PNCP_E_NEWER,
                            "%s has format \"" PNCP_VIEW_FMT "\", this version reads \"" LIST_FORMAT "\"", path,
                            PNCP_VIEW_ARG(format));
    if (!pncp_footer_kv(footer, "pncp.day", &day) || !pncp_date_parse(day, &date) ||
        !pncp_footer_kv(footer, "pncp.list_at", &at) || !pncp_datetime_parse(at, &at_us) ||
        !pncp_footer_kv(footer, "pncp.final", &final))
        return pncp_err_set(err, PNCP_E_PARSE, "%s: damaged key-value metadata", path);
    if (date.days != list->date.days)
        return pncp_err_set(err, PNCP_E_PARSE, "%s is the list of another day: " PNCP_VIEW_FMT, path,
                            PNCP_VIEW_ARG(day));
    pncp_list_info_init(&list->info);
    list->info.list_at_s = at_us / 1000000;
    list->info.final = pncp_view_eq_text(final, "true");
    struct pncp_json json;
    if (pncp_footer_kv(footer, "pncp.totals", &totals) && pncp_json_parse(totals, &json, NULL, NULL) == PNCP_OK) {
        for (int code = 1; code <= PNCP_MODALIDADES_MAX; code++) {
            char name[4];
            (void)snprintf(name, sizeof(name), "%d", code);
            yyjson_val *total = pncp_json_get(json.root, name);
            if (total == NULL || !pncp_json_int(total, &list->info.totals[code]))
                list->info.totals[code] = -1;
        }
        pncp_json_release(&json);
    }
    return PNCP_OK;
}

enum pncp_code pncp_list_open_path(struct pncp_lake *lake, struct pncp_date date, const char *path,
                                   struct pncp_list *ret_list, struct pncp_err *err)
{
    struct pncp_list list = {.lake = lake, .date = date, .all = PNCP_GROUP_FILE_INIT, .part = PNCP_GROUP_FILE_INIT};
    enum pncp_code rc = pncp_lake_open_object(lake, path, NULL, &list.object, err);
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_footer_read(&list.object.source, &list.all.footer, err);
    if (rc == PNCP_OK) {
        list.all.has_footer = true;
        rc = read_info(&list, path, err);
    } else {
        rc = pncp_err_wrap(err, rc, "%s", path);
    }
    if (rc == PNCP_OK) {
        rc = pncp_columns_find_schema(&list.all.footer, pncp_list_versions(), &list.schema, err);
        if (rc != PNCP_OK)
            (void)pncp_err_wrap(err, rc, "%s", path);
    }
    if (rc != PNCP_OK) {
        pncp_list_release(&list);
        return rc;
    }
    list.rows = (int64_t)list.all.footer.rows;
    if (!pncp_lake_is_remote(lake)) /* else each would be fetched once more */
        pncp_footer_leave(&list.all.footer, list.all.footer.group_count);
    *ret_list = list;
    return PNCP_OK;
}

enum pncp_code pncp_list_open(struct pncp_lake *lake, struct pncp_date date, struct pncp_list *ret_list,
                              struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_LIST, date, path);
    return pncp_list_open_path(lake, date, path, ret_list, err);
}

enum pncp_code pncp_list_part_open(struct pncp_lake *lake, struct pncp_date date, int modalidade,
                                   struct pncp_list *ret_list, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    pncp_place_list_part(date, modalidade, path);
    enum pncp_code rc = pncp_list_open_path(lake, date, path, ret_list, err);
    if (rc == PNCP_OK && !ret_list->info.final) { /* taken while the day was open: it served that run only */
        pncp_list_release(ret_list);
        rc = PNCP_E_NOTFOUND;
    }
    bool unusable = rc == PNCP_E_PARSE || rc == PNCP_E_FOREIGN || rc == PNCP_E_NEWER;
    return unusable ? pncp_err_set(err, PNCP_E_NOTFOUND, "%s: not usable, listed again", path) : rc;
}

enum pncp_code pncp_list_save(struct pncp_list *list, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    enum pncp_code rc = pncp_list_flush(list, err);
    pncp_place_format(PNCP_PLACE_LIST, list->date, path);
    if (rc == PNCP_OK)
        rc = file_put(&list->all, list, path, err);
    if (rc == PNCP_OK) {
        struct pncp_lake *lake = list->lake;
        struct pncp_date date = list->date;
        pncp_list_release(list); /* first: the footer that is read now is as large as what it held */
        rc = pncp_list_open(lake, date, list, err);
    }
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "save the list");
    for (int code = 1; code <= PNCP_MODALIDADES_MAX; code++) {
        pncp_place_list_part(list->date, code, path);
        rc = pncp_lake_remove(list->lake, path, err);
        if (rc != PNCP_OK)
            return pncp_err_wrap(err, rc, "save the list");
    }
    return PNCP_OK;
}
