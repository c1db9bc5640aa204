/*
 * Compaction: the same rows sorted by key in large row groups, as one rewrite. The order is known from the keys alone;
 * then, for each output group and column, the column of every source group that gives rows to it is read and its rows
 * are put in order: one output column in memory at a time, twice while it is made. A day of 20,000 has four output
 * groups, so its columns are decoded four times (docs/decisions/0003-compaction-gathers-by-column.md).
 */
#include "base/mem.h"
#include "base/random.h"
#include "day/data_int.h"
#include "day/layout.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_ROWS_MAX 5000
#define GROUP_BYTES_MAX ((uint64_t)4 * 1024 * 1024)
#define TRIES_MAX 5 /* versions lost to others: a whole rewrite each */

struct place { /* of one row in the source */
    struct pncp_packed_key key;
    uint32_t group, row;
};

struct plan {
    struct place *places;
    size_t count;
    uint32_t group, row; /* while it is made: the next row */
    const struct pncp_footer *footer;
};

static enum pncp_code add_place(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct plan *plan = ctx;
    while (plan->group < plan->footer->group_count && plan->row == plan->footer->groups[plan->group].rows) {
        plan->group++;
        plan->row = 0;
    }
    if (plan->count == plan->footer->rows || plan->group == plan->footer->group_count)
        return pncp_err_set(err, PNCP_E_CONFLICT, "the day's file was changed while it was being compacted");
    plan->places[plan->count++] =
        (struct place){.key = pncp_key_pack(&row->key), .group = plan->group, .row = plan->row++};
    return PNCP_OK;
}

static int by_key(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return pncp_packed_key_cmp(x->key, y->key);
}

/* How many of the sorted rows from `first` make the next output group. */
static size_t group_size(const struct plan *plan, size_t first)
{
    uint64_t bytes = 0;
    size_t count = 0;
    for (; first + count < plan->count && count < GROUP_ROWS_MAX; count++) {
        const struct pncp_group *from = &plan->footer->groups[plan->places[first + count].group];
        bytes += from->bytes / PNCP_MAX(from->rows, (uint64_t)1);
        if (count > 0 && bytes > GROUP_BYTES_MAX)
            break;
    }
    return count;
}

struct source_row { /* one row of an output group, where it comes from and which it becomes */
    uint32_t group, row, out;
};

static int by_source(const void *a, const void *b)
{
    const struct source_row *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* The rows of one output group in the order of the source, and for each of them which of its source group's it is. */
struct selection {
    struct source_row *rows;
    uint32_t *within;
    size_t count;
};

static void release_selection(struct selection *selection)
{
    pncp_free(selection->rows);
    pncp_free(selection->within);
}

static enum pncp_code select_rows(const struct plan *plan, size_t first, size_t count, struct selection *selection,
                                  struct pncp_err *err)
{
    selection->rows = pncp_calloc(count, sizeof(*selection->rows));
    selection->within = pncp_calloc(count, sizeof(*selection->within));
    selection->count = count;
    if (selection->rows == NULL || selection->within == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "compact: out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct place *place = &plan->places[first + i];
        selection->rows[i] = (struct source_row){.group = place->group, .row = place->row, .out = (uint32_t)i};
    }
    qsort(selection->rows, count, sizeof(*selection->rows), by_source);
    uint32_t within = 0;
    for (size_t i = 0; i < count; i++) {
        within = i > 0 && selection->rows[i].group == selection->rows[i - 1].group ? within + 1 : 0;
        selection->within[selection->rows[i].out] = within;
    }
    return PNCP_OK;
}

struct loaded { /* one column of a source group: the rows that were selected */
    struct pncp_leaf leaf;
    struct pncp_leaf_index index;
};

static void release_loaded(struct loaded *loaded, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pncp_leaf_release(&loaded[i].leaf);
        pncp_leaf_index_release(&loaded[i].index);
    }
    memset(loaded, 0, count * sizeof(*loaded));
}

/* Of `from` only the `count` rows wanted: an output group holds one column of its own rows twice, never of others. */
static enum pncp_code keep_selected(struct pncp_leaf *from, const struct source_row *rows, size_t count,
                                    const struct pncp_leaf_info *info)
{
    AUTO(pncp_leaf_release) struct pncp_leaf kept;
    AUTO(pncp_leaf_index_release) struct pncp_leaf_index index = {0};
    pncp_leaf_init(&kept, info);
    enum pncp_code rc = pncp_leaf_index_make(from, &index);
    for (size_t i = 0; rc == PNCP_OK && i < count; i++)
        rc = pncp_leaf_copy_row(&kept, from, &index, rows[i].row);
    if (rc == PNCP_OK) {
        struct pncp_leaf all = *from;
        *from = kept;
        kept = all;
    }
    return rc;
}

/* Load the group of the selected row *at, which moves on behind its rows. */
static enum pncp_code load_group(const struct plan *plan, const struct pncp_source *source,
                                 const struct selection *selection, size_t leaf, size_t *at, struct loaded *loaded,
                                 struct pncp_err *err)
{
    const struct pncp_leaf_info *info = &pncp_details_schema()->leaves[leaf];
    const struct source_row *rows = &selection->rows[*at];
    size_t group = rows->group, count = 0;
    while (*at + count < selection->count && rows[count].group == group)
        count++;
    *at += count;
    pncp_leaf_init(&loaded[group].leaf, info);
    enum pncp_code rc = pncp_parquet_read_leaf(source, plan->footer, leaf, group, 1, &loaded[group].leaf, err);
    if (rc != PNCP_OK)
        return rc;
    if (count < plan->footer->groups[group].rows)
        rc = keep_selected(&loaded[group].leaf, rows, count, info);
    if (rc == PNCP_OK)
        rc = pncp_leaf_index_make(&loaded[group].leaf, &loaded[group].index);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_set(err, rc, "compact: out of memory");
}

static enum pncp_code gather(const struct plan *plan, const struct pncp_source *source, size_t first,
                             const struct selection *selection, size_t leaf, struct loaded *loaded,
                             struct pncp_leaf *column, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t at = 0; rc == PNCP_OK && at < selection->count;)
        rc = load_group(plan, source, selection, leaf, &at, loaded, err);
    for (size_t i = 0; rc == PNCP_OK && i < selection->count; i++) {
        const struct loaded *from = &loaded[plan->places[first + i].group];
        if (pncp_leaf_copy_row(column, &from->leaf, &from->index, selection->within[i]) != PNCP_OK)
            rc = pncp_err_set(err, PNCP_E_NOMEM, "compact: out of memory");
    }
    release_loaded(loaded, plan->footer->group_count);
    return rc;
}

static enum pncp_code write_group(const struct plan *plan, const struct pncp_source *source, size_t first, size_t count,
                                  const volatile bool *stop, struct pncp_buf *ret_file, struct pncp_footer *ret_footer,
                                  struct pncp_err *err)
{
    const struct pncp_encode_options options = {.zstd_level = 3};
    const struct pncp_schema *schema = pncp_details_schema();
    AUTO(release_selection) struct selection selection = {0};
    AUTO(pncp_free_ptr) struct loaded *loaded = pncp_calloc(plan->footer->group_count, sizeof(*loaded));
    struct pncp_group_writer *writer;
    if (loaded == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "compact: out of memory");
    enum pncp_code rc = select_rows(plan, first, count, &selection, err);
    if (rc == PNCP_OK)
        rc = pncp_group_writer_open(schema, count, &options, &writer, err);
    if (rc != PNCP_OK)
        return rc;
    for (size_t leaf = 0; rc == PNCP_OK && leaf < schema->leaf_count; leaf++) {
        AUTO(pncp_leaf_release) struct pncp_leaf column;
        pncp_leaf_init(&column, &schema->leaves[leaf]);
        if (*stop)
            rc = pncp_err_set(err, PNCP_E_CANCELLED, "compaction stopped by a signal");
        if (rc == PNCP_OK)
            rc = gather(plan, source, first, &selection, leaf, loaded, &column, err);
        if (rc == PNCP_OK)
            rc = pncp_group_writer_leaf(writer, &column, err);
    }
    if (rc == PNCP_OK)
        rc = pncp_group_writer_finish(writer, ret_file, ret_footer, err);
    pncp_group_writer_abort(writer);
    return rc;
}

/* Append one encoded group to the stage and to the growing footer. */
static enum pncp_code stage_group(struct pncp_stage *stage, struct pncp_footer *all, bool *has_all,
                                  const struct pncp_buf *file, const struct pncp_footer *added, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf tail = {0};
    struct pncp_footer merged;
    enum pncp_code rc = pncp_footer_merge(*has_all ? all : NULL, *has_all ? all->group_count : 0, added, stage->bytes,
                                          NULL, 0, &tail, &merged, err);
    if (rc != PNCP_OK)
        return rc;
    if (*has_all)
        pncp_footer_release(all);
    *all = merged;
    *has_all = true;
    return pncp_stage_append(stage, file->data + PNCP_PARQUET_MAGIC_BYTES,
                             (size_t)(added->data_end - PNCP_PARQUET_MAGIC_BYTES), err);
}

struct rewrite {
    struct pncp_stage stage;
    struct pncp_footer footer;
    bool has_footer;
    struct pncp_buf history;
    char id[PNCP_ID_BYTES];
};

static void release_rewrite(struct rewrite *rewrite)
{
    pncp_stage_release(&rewrite->stage);
    if (rewrite->has_footer)
        pncp_footer_release(&rewrite->footer);
    pncp_buf_release(&rewrite->history);
}

static enum pncp_code stage_rows(struct pncp_data *data, const struct plan *plan, const struct pncp_source *source,
                                 struct rewrite *rewrite, const volatile bool *stop, struct pncp_err *err)
{
    enum pncp_code rc = pncp_stage_open(data->lake, &rewrite->stage, err);
    if (rc == PNCP_OK)
        rc = pncp_stage_append(&rewrite->stage, "PAR1", PNCP_PARQUET_MAGIC_BYTES, err);
    for (size_t first = 0; rc == PNCP_OK && first < plan->count;) {
        AUTO(pncp_buf_release) struct pncp_buf file = {0};
        struct pncp_footer footer = {0};
        size_t count = group_size(plan, first);
        rc = write_group(plan, source, first, count, stop, &file, &footer, err);
        if (rc == PNCP_OK) {
            rc = stage_group(&rewrite->stage, &rewrite->footer, &rewrite->has_footer, &file, &footer, err);
            pncp_footer_release(&footer);
        }
        first += count;
    }
    if (rc == PNCP_OK && rewrite->footer.rows != data->footer.rows) /* never fewer rows than before */
        rc = pncp_err_set(err, PNCP_E_PARSE, "compact: %" PRIu64 " rows instead of %" PRIu64, rewrite->footer.rows,
                          data->footer.rows);
    return rc;
}

/* Footer with history and id behind the staged rows. */
static enum pncp_code stage_footer(struct pncp_data *data, const char *run_id, struct rewrite *rewrite,
                                   const struct pncp_commit_result *result, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf tail = {0};
    struct pncp_kv_pair kvs[PNCP_DATA_KVS];
    char day[PNCP_DATE_TEXT_BYTES];
    struct pncp_history_entry entry = {.rewrite = true,
                                       .at_s = pncp_clock_now_us() / 1000000,
                                       .contratacoes = data->rows,
                                       .itens = result->itens,
                                       .arquivos = result->arquivos,
                                       .bytes = (int64_t)rewrite->stage.bytes,
                                       .ms_encode = result->ms_encode};
    pncp_random_hex(16, rewrite->id);
    memcpy(entry.id, rewrite->id, sizeof(entry.id));
    strncpy(entry.run, run_id, sizeof(entry.run) - 1);
    if (pncp_history_format(data->history, data->history_count, &entry, &rewrite->history) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "history: out of memory");
    pncp_data_kvs(data, pncp_buf_view(&rewrite->history), rewrite->id, day, kvs);
    struct pncp_footer merged;
    const struct pncp_footer_piece piece = {
        .footer = &rewrite->footer, .count = rewrite->footer.group_count, .at = PNCP_PARQUET_MAGIC_BYTES};
    enum pncp_code rc = pncp_footer_build(&piece, 1, kvs, PNCP_DATA_KVS, &tail, &merged, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_footer_release(&rewrite->footer);
    rewrite->footer = merged;
    return pncp_stage_append(&rewrite->stage, tail.data, tail.len, err);
}

/* The answer `rc` was not a clean yes: the history tells. PNCP_E_CONFLICT: the version was lost, all is read anew. */
static enum pncp_code find_out(struct pncp_data *data, const char *id, const struct pncp_version *before,
                               enum pncp_code rc, struct pncp_err *err)
{
    bool committed;
    struct pncp_err lookup_err = PNCP_ERR_INIT;
    enum pncp_code looked = pncp_data_look_up(data, id, &committed, &lookup_err);
    if (looked != PNCP_OK && err != NULL)
        *err = lookup_err;
    if (looked != PNCP_OK)
        return looked;
    if (committed)
        return PNCP_OK;
    return strcmp(before->text, data->version.text) == 0 ? rc : PNCP_E_CONFLICT;
}

static enum pncp_code rewrite_once(struct pncp_data *data, const char *run_id, const volatile bool *stop,
                                   struct pncp_commit_result *result, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    struct pncp_object object;
    struct pncp_version version;
    AUTO(release_rewrite) struct rewrite rewrite = {.stage = PNCP_STAGE_INIT};
    uint64_t begun = pncp_clock_mono_ms();
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    pncp_place_format(PNCP_PLACE_DATA_LOCK, data->date, lock);
    AUTO(pncp_free_ptr) struct place *places = pncp_calloc((size_t)data->footer.rows, sizeof(*places));
    if (places == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "compact: out of memory");
    struct plan plan = {.places = places, .footer = &data->footer};
    enum pncp_code rc = pncp_lake_open_object(data->lake, path, lock, &object, err);
    if (rc != PNCP_OK)
        return pncp_data_gone(rc, err);
    if (strcmp(object.version.text, data->version.text) != 0)
        rc = pncp_err_set(err, PNCP_E_CONFLICT, "%s was changed by someone else", path);
    if (rc == PNCP_OK)
        rc = pncp_data_each_row(data, add_place, &plan, NULL, err);
    if (rc == PNCP_OK && plan.count != data->footer.rows)
        rc = pncp_err_set(err, PNCP_E_CONFLICT, "%s was changed by someone else", path);
    if (rc == PNCP_OK) {
        qsort(plan.places, plan.count, sizeof(*plan.places), by_key);
        rc = stage_rows(data, &plan, &object.source, &rewrite, stop, err);
    }
    pncp_object_release(&object);
    result->ms_encode = (uint32_t)(pncp_clock_mono_ms() - begun);
    if (rc == PNCP_OK)
        rc = stage_footer(data, run_id, &rewrite, result, err);
    if (rc != PNCP_OK)
        return rc;
    result->bytes_sent = rewrite.stage.bytes;
    result->row_groups = rewrite.footer.group_count;
    result->file_bytes = rewrite.footer.file_bytes;
    const struct pncp_body body = {.stage = &rewrite.stage};
    const struct pncp_version before = data->version;
    rc = pncp_lake_write_if(data->lake, path, lock, &before, &body, &version, err);
    if (rc != PNCP_OK)
        return find_out(data, rewrite.id, &before, rc, err);
    rewrite.has_footer = false;
    return pncp_data_adopt(data, &rewrite.footer, pncp_buf_view(&rewrite.history), rewrite.id, &version, err);
}

/* Is there anything to gain? */
static bool is_compact(const struct pncp_data *data)
{
    const struct pncp_history_entry *newest = pncp_data_newest(data);
    return data->footer.rows == 0 || (newest != NULL && newest->rewrite);
}

static void sum_history(const struct pncp_data *data, struct pncp_commit_result *result)
{
    for (size_t i = 0; i < data->history_count; i++) {
        if (!data->history[i].rewrite) {
            result->itens += data->history[i].itens;
            result->arquivos += data->history[i].arquivos;
        }
    }
}

enum pncp_code pncp_data_compact(struct pncp_data *data, const char *run_id, const volatile bool *stop, bool *ret_done,
                                 struct pncp_commit_result *ret_result, struct pncp_err *err)
{
    *ret_done = false;
    for (int tries = 0; data->exists && !is_compact(data); tries++) {
        struct pncp_commit_result result = {.contratacoes = data->rows};
        sum_history(data, &result);
        enum pncp_code rc = rewrite_once(data, run_id, stop, &result, err);
        if (rc == PNCP_OK) {
            *ret_done = true;
            *ret_result = result;
            return PNCP_OK;
        }
        if (rc != PNCP_E_CONFLICT || tries == TRIES_MAX)
            return rc;
        rc = pncp_data_gone(pncp_data_reload(data, err), err);
        if (rc != PNCP_OK)
            return rc;
    }
    return PNCP_OK;
}
