#include "day/data.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/version.h"
#include "day/data_int.h"
#include "day/layout.h"
#include "lake/race.h"
#include "model/model.h"
#include "parquet/chunk_reader.h"

#include <stdio.h>
#include <string.h>

/* ---- opening --------------------------------------------------------------------------------- */

static enum pncp_code foreign(const struct pncp_data *data, const char *path, struct pncp_err *err)
{
    char day[PNCP_DATE_TEXT_BYTES];
    pncp_date_format(data->date, day);
    return pncp_err_set(err, PNCP_E_FOREIGN,
                        "%s was written by another tool, nothing was changed; to keep a copy of it elsewhere in the "
                        "lake and make room: pncp-details adopt --date %s --lake %s",
                        path, day, pncp_lake_url(data->lake));
}

enum pncp_code pncp_data_check(const struct pncp_data *data, const struct pncp_footer *footer, const char *path,
                               const struct pncp_schema **ret_schema, struct pncp_err *err)
{
    const struct pncp_schema_versions known = pncp_details_versions();
    struct pncp_view format, schema, day = {"", 0};
    uint64_t schema_version;
    char expected[PNCP_DATE_TEXT_BYTES];
    pncp_date_format(data->date, expected);
    if (!pncp_footer_kv(footer, "pncp.format", &format))
        return foreign(data, path, err);
    if (!pncp_view_eq_text(format, PNCP_DATA_FORMAT))
        return pncp_err_set(err, PNCP_E_NEWER,
                            "%s has format \"" PNCP_VIEW_FMT "\", this version knows \"" PNCP_DATA_FORMAT
                            "\": use a newer pncp-details",
                            path, PNCP_VIEW_ARG(format));
    if (!pncp_footer_kv(footer, "pncp.schema", &schema) || !pncp_view_u64(schema, &schema_version) ||
        schema_version == 0) /* the first is 1 */
        return pncp_err_set(err, PNCP_E_PARSE, "%s: damaged key-value metadata", path);
    if (schema_version > known.count)
        return pncp_err_set(err, PNCP_E_NEWER,
                            "%s has schema version %" PRIu64 ", this version knows %zu: use a newer pncp-details", path,
                            schema_version, known.count);
    const struct pncp_schema *its = &known.schemas[schema_version - 1];
    if (!pncp_footer_kv(footer, "pncp.day", &day) || !pncp_view_eq_text(day, expected))
        return pncp_err_set(err, PNCP_E_PARSE, "%s holds another day: " PNCP_VIEW_FMT, path, PNCP_VIEW_ARG(day));
    enum pncp_code rc = pncp_footer_check_schema(footer, its, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "%s", path);
    if (!pncp_footer_crc_is_right(footer))
        return pncp_err_set(err, PNCP_E_PARSE, "%s: damaged parquet footer: its checksum differs", path);
    *ret_schema = its;
    return PNCP_OK;
}

enum pncp_code pncp_data_row_key(const struct pncp_table *rows, size_t row, struct pncp_packed_key *ret_key,
                                 struct pncp_err *err)
{
    const struct pncp_details_leaves *at = pncp_details_leaves();
    struct pncp_key key;
    enum pncp_code rc =
        pncp_key_make(pncp_leaf_text(&rows->leaves[at->cnpj], row), pncp_leaf_int(&rows->leaves[at->ano], row),
                      pncp_leaf_int(&rows->leaves[at->sequencial], row), &key, err);
    if (rc == PNCP_OK)
        *ret_key = pncp_key_pack(&key);
    return rc;
}

/* One group's keys and situations. */
struct key_columns {
    struct pncp_leaf cnpj, ano, sequencial, itens, arquivos, itens_total, arquivos_total, obtido_em, run_id, checkpoint;
};

static void release_columns(struct key_columns *columns)
{
    pncp_leaf_release(&columns->cnpj);
    pncp_leaf_release(&columns->ano);
    pncp_leaf_release(&columns->sequencial);
    pncp_leaf_release(&columns->itens);
    pncp_leaf_release(&columns->arquivos);
    pncp_leaf_release(&columns->itens_total);
    pncp_leaf_release(&columns->arquivos_total);
    pncp_leaf_release(&columns->obtido_em);
    pncp_leaf_release(&columns->run_id);
    pncp_leaf_release(&columns->checkpoint);
}

static enum pncp_code read_columns(const struct pncp_columns *file, size_t group, struct key_columns *columns,
                                   struct pncp_err *err)
{
    struct pncp_columns from = *file;
    AUTO(pncp_footer_release) struct pncp_footer recalled = {0};
    const struct pncp_details_leaves *at = pncp_details_leaves();
    const struct {
        int leaf;
        struct pncp_leaf *to;
    } wanted[] = {{at->cnpj, &columns->cnpj},
                  {at->ano, &columns->ano},
                  {at->sequencial, &columns->sequencial},
                  {at->itens_situacao, &columns->itens},
                  {at->arquivos_situacao, &columns->arquivos},
                  {at->itens_total, &columns->itens_total},
                  {at->arquivos_total, &columns->arquivos_total},
                  {at->obtido_em, &columns->obtido_em},
                  {at->run_id, &columns->run_id},
                  {at->checkpoint, &columns->checkpoint}};
    enum pncp_code rc = pncp_footer_recall(&from.footer, &group, from.source, &recalled, err);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(wanted); i++)
        pncp_leaf_init(wanted[i].to, &pncp_details_schema()->leaves[wanted[i].leaf]);
    for (size_t i = 0; rc == PNCP_OK && i < PNCP_ARRAY_LEN(wanted); i++)
        rc = pncp_columns_read(&from, pncp_details_schema(), (size_t)wanted[i].leaf, group, 1, wanted[i].to, err);
    return rc;
}

static bool read_situacao(struct pncp_view text, enum pncp_situacao *ret_situacao)
{
    for (int i = PNCP_SITUACAO_OK; i <= PNCP_SITUACAO_AUSENTE; i++) {
        if (pncp_view_eq_text(text, pncp_situacao_text((enum pncp_situacao)i))) {
            *ret_situacao = (enum pncp_situacao)i;
            return true;
        }
    }
    return false;
}

int64_t pncp_data_next_total(const struct pncp_leaf *leaf, size_t row, size_t *value)
{
    return leaf->def[row] == leaf->max_def ? pncp_leaf_int(leaf, (*value)++) : -1;
}

static uint64_t mark_of(const struct key_columns *columns, size_t row)
{
    struct pncp_view run = pncp_leaf_text(&columns->run_id, row);
    const int64_t rest[] = {pncp_leaf_int(&columns->checkpoint, row), pncp_leaf_int(&columns->obtido_em, row)};
    return pncp_hash64(rest, sizeof(rest), pncp_hash64(run.data, run.len, 0));
}

typedef enum pncp_code each_row_fn(void *ctx, const struct pncp_data_row *row, struct pncp_err *err);

enum pncp_code pncp_data_each_row_of(const struct pncp_columns *file, each_row_fn *each, void *ctx,
                                     struct pncp_err *err)
{
    AUTO(pncp_chunk_reader_release) struct pncp_chunk_reader reader = {0};
    struct pncp_columns from = *file;
    from.reader = &reader;
    for (size_t group = 0; group < file->footer->group_count; group++) {
        AUTO(release_columns) struct key_columns columns;
        enum pncp_code rc = read_columns(&from, group, &columns, err);
        size_t itens = 0, arquivos = 0;
        for (size_t i = 0; rc == PNCP_OK && i < file->footer->groups[group].rows; i++) {
            struct pncp_data_row row;
            rc = pncp_key_make(pncp_leaf_text(&columns.cnpj, i), pncp_leaf_int(&columns.ano, i),
                               pncp_leaf_int(&columns.sequencial, i), &row.key, err);
            if (rc == PNCP_OK && (!read_situacao(pncp_leaf_text(&columns.itens, i), &row.itens) ||
                                  !read_situacao(pncp_leaf_text(&columns.arquivos, i), &row.arquivos)))
                rc = pncp_err_set(err, PNCP_E_PARSE, "row group %zu: a situacao is not ok, vazio or ausente", group);
            row.itens_total = pncp_data_next_total(&columns.itens_total, i, &itens);
            row.arquivos_total = pncp_data_next_total(&columns.arquivos_total, i, &arquivos);
            row.obtido_em_us = pncp_leaf_int(&columns.obtido_em, i);
            row.mark = mark_of(&columns, i);
            if (rc == PNCP_OK)
                rc = each(ctx, &row, err);
        }
        if (rc != PNCP_OK)
            return rc;
    }
    return PNCP_OK;
}

static enum pncp_code mark_read(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct pncp_keyset *keys = ctx;
    unsigned before;
    if (pncp_keyset_set(keys, pncp_key_pack(&row->key), PNCP_KEY_READ, &before) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "keys: out of memory");
    char text[PNCP_KEY_TEXT_BYTES];
    pncp_key_format(&row->key, text);
    return (before & PNCP_KEY_READ) == 0 ? PNCP_OK : pncp_err_set(err, PNCP_E_PARSE, "key %s is there twice", text);
}

static enum pncp_code read_history(const struct pncp_footer *footer, struct pncp_data *ret_data, struct pncp_err *err)
{
    struct pncp_view history, commit;
    if (!pncp_footer_kv(footer, "pncp.history", &history) || !pncp_footer_kv(footer, "pncp.commit", &commit) ||
        commit.len + 1 != PNCP_ID_BYTES)
        return pncp_err_set(err, PNCP_E_PARSE, "damaged key-value metadata");
    enum pncp_code rc = pncp_history_parse(history, &ret_data->history, &ret_data->history_count, err);
    if (rc != PNCP_OK)
        return rc;
    memcpy(ret_data->commit, commit.data, commit.len);
    return PNCP_OK;
}

/* All of one version into *ret_data (zeroed but for lake, date and keys); the keys in it get PNCP_KEY_READ. */
static enum pncp_code read_version(const struct pncp_object *object, const char *path, struct pncp_data *ret_data,
                                   struct pncp_err *err)
{
    enum pncp_code rc = pncp_footer_read(&object->source, &ret_data->footer, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "%s", path);
    ret_data->exists = true; /* from here on its footer is released with it */
    rc = pncp_data_check(ret_data, &ret_data->footer, path, &ret_data->schema, err);
    if (rc != PNCP_OK)
        return rc;
    rc = read_history(&ret_data->footer, ret_data, err);
    const struct pncp_columns file = {&object->source, &ret_data->footer, ret_data->schema, NULL};
    if (rc == PNCP_OK)
        rc = pncp_data_each_row_of(&file, mark_read, ret_data->keys, err);
    ret_data->version = object->version;
    ret_data->rows = (int64_t)ret_data->footer.rows;
    return rc == PNCP_OK ? PNCP_OK : pncp_err_wrap(err, rc, "%s", path);
}

/* Over a network the settled groups of the footer are at hand: a commit sends them, and would have to fetch them. */
static void leave_settled(struct pncp_data *data)
{
    if (!pncp_lake_is_remote(data->lake))
        pncp_footer_leave(&data->footer, pncp_fold_tail(&data->footer));
}

/* PNCP_E_CONFLICT: it was replaced while it was being read. */
static enum pncp_code reload_once(struct pncp_data *data, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    struct pncp_object object;
    struct pncp_data now = {.lake = data->lake, .date = data->date, .keys = data->keys};
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    pncp_place_format(PNCP_PLACE_DATA_LOCK, data->date, lock);
    enum pncp_code rc = pncp_lake_open_object(data->lake, path, lock, &object, err);
    if (rc != PNCP_OK)
        return rc;
    rc = read_version(&object, path, &now, err);
    pncp_object_release(&object);
    if (rc != PNCP_OK) {
        pncp_keyset_clear_all(data->keys, PNCP_KEY_READ);
        pncp_data_release(&now);
        return rc;
    }
    pncp_keyset_become(data->keys, PNCP_KEY_READ, PNCP_KEY_SAVED);
    memcpy(now.unclear, data->unclear, sizeof(now.unclear));
    now.unclear_contratacoes = data->unclear_contratacoes;
    now.unclear_itens = data->unclear_itens;
    now.unclear_arquivos = data->unclear_arquivos;
    now.sent_bytes = data->sent_bytes;
    now.resent_bytes = data->resent_bytes;
    pncp_data_release(data);
    *data = now;
    leave_settled(data);
    return PNCP_OK;
}

enum pncp_code pncp_data_reload(struct pncp_data *data, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    unsigned losses = 0;
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    enum pncp_code rc = reload_once(data, err);
    while (rc == PNCP_E_CONFLICT && pncp_race_lost(&losses, path, err) == PNCP_OK)
        rc = reload_once(data, err);
    return rc;
}

enum pncp_code pncp_data_gone(enum pncp_code rc, struct pncp_err *err)
{
    if (rc != PNCP_E_NOTFOUND)
        return rc;
    return pncp_err_transient(
        err, pncp_err_set(err, PNCP_E_UNAVAILABLE, "the day's details.parquet is gone although this run has seen it"));
}

enum pncp_code pncp_data_open_known(const struct pncp_data *data, struct pncp_object *ret_object, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    pncp_place_format(PNCP_PLACE_DATA_LOCK, data->date, lock);
    return pncp_data_gone(
        pncp_lake_open_version(data->lake, path, lock, &data->version, data->footer.file_bytes, ret_object, err), err);
}

enum pncp_code pncp_data_look_up(struct pncp_data *data, const char *id, bool *ret_committed, struct pncp_err *err)
{
    bool newest;
    enum pncp_code rc = pncp_data_reload(data, err);
    if (rc == PNCP_E_NOTFOUND && !data->exists) { /* a first commit that did not happen */
        *ret_committed = false;
        return PNCP_OK;
    }
    if (rc != PNCP_OK)
        return pncp_data_gone(rc, err);
    *ret_committed = pncp_history_has(data, id, &newest);
    return PNCP_OK;
}

bool pncp_data_is_strange(const char *name)
{
    return pncp_view_ends(pncp_view_of(name), ".parquet") && strcmp(name, PNCP_DATA_NAME) != 0;
}

struct strange {
    char name[128];
};

static bool find_strange(void *ctx, const char *name)
{
    struct strange *strange = ctx;
    if (!pncp_data_is_strange(name))
        return true;
    (void)snprintf(strange->name, sizeof(strange->name), "%s", name);
    return false;
}

enum pncp_code pncp_data_open(struct pncp_lake *lake, struct pncp_date date, struct pncp_keyset *keys,
                              struct pncp_data *ret_data, struct pncp_err *err)
{
    struct pncp_data data = {.lake = lake, .date = date, .keys = keys, .schema = pncp_details_schema()};
    char folder[PNCP_PLACE_BYTES];
    struct strange strange = {.name = ""};
    pncp_place_format(PNCP_PLACE_DATA_FOLDER, date, folder);
    enum pncp_code rc = pncp_lake_list(lake, folder, find_strange, &strange, err);
    if (rc == PNCP_OK && strange.name[0] != '\0') {
        char path[PNCP_PLACE_BYTES + sizeof(strange.name) + 1];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, strange.name);
        rc = foreign(&data, path, err);
    }
    if (rc == PNCP_OK)
        rc = pncp_data_reload(&data, err);
    if (rc != PNCP_OK && rc != PNCP_E_NOTFOUND) {
        pncp_data_release(&data);
        return rc;
    }
    *ret_data = data;
    return PNCP_OK;
}

void pncp_data_release(struct pncp_data *data)
{
    if (data->exists)
        pncp_footer_release(&data->footer);
    pncp_free(data->history);
    *data = (struct pncp_data){0};
}

const struct pncp_history_entry *pncp_data_newest(const struct pncp_data *data)
{
    const struct pncp_history_entry *last = data->history_count == 0 ? NULL : &data->history[data->history_count - 1];
    return last == NULL || last->sum ? NULL : last;
}

struct pncp_day_totals pncp_data_totals(const struct pncp_data *data)
{
    struct pncp_day_totals totals = {0};
    for (size_t i = 0; i < data->history_count; i++) {
        const struct pncp_history_entry *entry = &data->history[i];
        if (entry->rewrite) /* it counts all rows, some of which may have been renewed */
            totals = (struct pncp_day_totals){0};
        totals.contratacoes += entry->contratacoes;
        totals.itens += entry->itens;
        totals.arquivos += entry->arquivos;
    }
    return totals;
}

static enum pncp_code walk_once(struct pncp_data *data, const struct pncp_row_walk *walk,
                                char ret_commit[PNCP_ID_BYTES], struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    struct pncp_object object;
    if (ret_commit != NULL)
        ret_commit[0] = '\0';
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    pncp_place_format(PNCP_PLACE_DATA_LOCK, data->date, lock);
    enum pncp_code rc = pncp_lake_open_object(data->lake, path, lock, &object, err);
    if (rc == PNCP_E_NOTFOUND && !data->exists)
        return PNCP_OK;
    if (rc != PNCP_OK)
        return pncp_data_gone(rc, err);
    AUTO(pncp_footer_release) struct pncp_footer other = {0};
    struct pncp_columns file = {&object.source, &data->footer, data->schema, NULL};
    if (!data->exists || strcmp(object.version.text, data->version.text) != 0) { /* another run's version */
        file.footer = &other;
        rc = pncp_footer_read(&object.source, &other, err);
        if (rc == PNCP_OK)
            rc = pncp_data_check(data, &other, path, &file.schema, err);
    }
    if (rc == PNCP_OK) {
        struct pncp_view commit;
        if (ret_commit != NULL && pncp_footer_kv(file.footer, "pncp.commit", &commit) &&
            commit.len + 1 == PNCP_ID_BYTES)
            (void)snprintf(ret_commit, PNCP_ID_BYTES, PNCP_VIEW_FMT, PNCP_VIEW_ARG(commit));
        rc = pncp_data_each_row_of(&file, walk->each, walk->ctx, err);
    }
    pncp_object_release(&object);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_wrap(err, rc, "%s", path);
}

enum pncp_code pncp_data_each_row(struct pncp_data *data, const struct pncp_row_walk *walk,
                                  char ret_commit[PNCP_ID_BYTES], struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    unsigned losses = 0;
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    enum pncp_code rc = walk_once(data, walk, ret_commit, err);
    while (rc == PNCP_E_CONFLICT && walk->again != NULL && pncp_race_lost(&losses, path, err) == PNCP_OK) {
        walk->again(walk->ctx);
        rc = walk_once(data, walk, ret_commit, err);
    }
    return rc;
}

static enum pncp_code count_situations(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    (void)err;
    struct pncp_situations *s = ctx;
    s->ausente += (row->itens == PNCP_SITUACAO_AUSENTE) + (row->arquivos == PNCP_SITUACAO_AUSENTE);
    s->vazio += (row->itens == PNCP_SITUACAO_VAZIO) + (row->arquivos == PNCP_SITUACAO_VAZIO);
    return PNCP_OK;
}

static void count_anew(void *ctx)
{
    struct pncp_situations *s = ctx;
    *s = (struct pncp_situations){0};
}

enum pncp_code pncp_data_situations(struct pncp_data *data, struct pncp_situations *ret_situations,
                                    struct pncp_err *err)
{
    *ret_situations = (struct pncp_situations){0};
    return pncp_data_each_row(data, &(struct pncp_row_walk){count_situations, count_anew, ret_situations}, NULL, err);
}

/* ---- a new version --------------------------------------------------------------------------- */

void pncp_data_kvs_make(struct pncp_date date, const struct pncp_schema *schema, struct pncp_view history,
                        const char *commit, struct pncp_data_kvs *ret_kvs)
{
    pncp_date_format(date, ret_kvs->day);
    (void)snprintf(ret_kvs->schema, sizeof(ret_kvs->schema), "%u", schema->version);
    const struct pncp_kv_pair kvs[PNCP_DATA_KVS] = {
        {"pncp.format", PNCP_VIEW_LIT(PNCP_DATA_FORMAT)},
        {"pncp.schema", pncp_view_of(ret_kvs->schema)},
        {"pncp.day", pncp_view_of(ret_kvs->day)},
        {"pncp.writer", PNCP_VIEW_LIT("pncp-details " PNCP_VERSION)},
        {"pncp.history", history},
        {PNCP_FOOTER_CRC_KEY, PNCP_VIEW_LIT(PNCP_FOOTER_CRC_BLANK)},
        {"pncp.commit", pncp_view_of(commit)}}; /* last: it is in the bytes that a folder's version hashes */
    memcpy(ret_kvs->pairs, kvs, sizeof(kvs));
}

void pncp_data_adopt(struct pncp_data *data, struct pncp_footer *footer, const struct pncp_schema *schema,
                     struct pncp_history *history, const char *commit, const struct pncp_version *version)
{
    if (data->exists)
        pncp_footer_release(&data->footer);
    pncp_free(data->history);
    data->history = history->entries;
    data->history_count = history->count;
    history->entries = NULL;
    data->footer = *footer;
    data->schema = schema;
    *footer = (struct pncp_footer){0};
    leave_settled(data);
    data->version = *version;
    data->rows = (int64_t)data->footer.rows;
    data->exists = true;
    memcpy(data->commit, commit, PNCP_ID_BYTES);
}
