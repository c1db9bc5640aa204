/*
 * A rewrite: all rows of the day's file sorted by key in large row groups (regroup.c), those that were fetched again in
 * the place of the ones they were fetched for. What is replaced is decided anew for each version that it is made from.
 */
#include "base/mem.h"
#include "base/random.h"
#include "day/data_int.h"
#include "day/layout.h"
#include "day/regroup.h"
#include "day/renewals.h"
#include "model/model.h"
#include "parquet/chunk_reader.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 5 /* versions lost to others: a whole rewrite each */

struct place { /* of one row in the sources: the day's file, then the rows fetched again */
    struct pncp_packed_key key;
    uint32_t row; /* counted through all groups of both */
};

struct plan {
    struct pncp_renewals *renewals; /* NULL: none */
    struct place *places;
    size_t count, cap;
    uint32_t file_rows, row; /* of the day's file; met so far */
    int64_t renewed, itens, arquivos;
};

static void add_place(struct plan *plan, struct pncp_packed_key key, uint32_t row, int64_t itens, int64_t arquivos)
{
    plan->places[plan->count++] = (struct place){.key = key, .row = row};
    plan->itens += PNCP_MAX(itens, (int64_t)0);
    plan->arquivos += PNCP_MAX(arquivos, (int64_t)0);
}

static void add_fetched(struct plan *plan, const struct pncp_renewal *renewal)
{
    add_place(plan, renewal->key, plan->file_rows + renewal->row - 1, renewal->itens_total, renewal->arquivos_total);
}

/* A row of the day's file: stays, or is replaced while it is still the one that was seen. */
static enum pncp_code take_row(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct plan *plan = ctx;
    struct pncp_packed_key key = pncp_key_pack(&row->key);
    struct pncp_renewal *renewal = plan->renewals == NULL ? NULL : pncp_renewals_find(plan->renewals, key);
    uint32_t number = plan->row++;
    (void)err;
    if (renewal != NULL)
        renewal->met = true;
    if (renewal != NULL && renewal->row != 0 && renewal->mark == row->mark) {
        add_fetched(plan, renewal);
        plan->renewed++;
        return PNCP_OK;
    }
    add_place(plan, key, number, row->itens_total, row->arquivos_total);
    return PNCP_OK;
}

/* Every row that the new file has. */
static enum pncp_code make_plan(const struct pncp_data *data, const struct pncp_source *source,
                                struct pncp_renewals *renewals, struct plan *plan, struct pncp_err *err)
{
    *plan = (struct plan){.renewals = renewals, .file_rows = (uint32_t)data->footer.rows};
    plan->cap = (size_t)data->footer.rows + (renewals == NULL ? 0 : renewals->count);
    plan->places = pncp_calloc(plan->cap, sizeof(*plan->places));
    if (plan->places == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "rewrite: out of memory");
    for (size_t i = 0; renewals != NULL && i < renewals->count; i++)
        renewals->entries[i].met = false;
    const struct pncp_columns file = {source, &data->footer, data->schema, NULL};
    enum pncp_code rc = pncp_data_each_row_of(&file, take_row, plan, err);
    for (size_t i = 0; rc == PNCP_OK && renewals != NULL && i < renewals->count; i++) {
        if (renewals->entries[i].row != 0 && !renewals->entries[i].met)
            add_fetched(plan, &renewals->entries[i]);
    }
    return rc;
}

static void swap(struct place *a, struct place *b)
{
    struct place place = *a;
    *a = *b;
    *b = place;
}

static void sift_down(struct place *places, size_t root, size_t count)
{
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && pncp_packed_key_cmp(places[child].key, places[child + 1].key) < 0)
            child++;
        if (pncp_packed_key_cmp(places[root].key, places[child].key) >= 0)
            return;
        swap(&places[root], &places[child]);
    }
}

/* By key. A heap sort, because glibc's qsort takes as much memory again (2.4 MB for 100,000 rows). */
static void sort_places(struct place *places, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(places, i, count);
    for (size_t end = count; end-- > 1;) {
        swap(&places[0], &places[end]);
        sift_down(places, 0, end);
    }
}

struct rewrite {
    struct pncp_stage stage;
    struct pncp_columns_writer *writer; /* makes the footer of what is staged */
    struct pncp_stage entries;          /* … of this */
    struct pncp_footer footer;
    struct pncp_history history;
    char id[PNCP_ID_BYTES];
};

static void release_rewrite(struct rewrite *rewrite)
{
    pncp_stage_release(&rewrite->stage);
    pncp_stage_release(&rewrite->entries);
    pncp_columns_writer_free(rewrite->writer);
    pncp_footer_release(&rewrite->footer);
    pncp_history_release(&rewrite->history);
}

/* The rows in the order of the keys: from here on the keys are not needed. *places, which held them, is freed. */
static enum pncp_code order_rows(struct place **places, size_t count, uint32_t **ret_order, struct pncp_err *err)
{
    sort_places(*places, count);
    *ret_order = pncp_calloc(count, sizeof(**ret_order));
    if (*ret_order == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "rewrite: out of memory");
    for (size_t i = 0; i < count; i++)
        (*ret_order)[i] = (*places)[i].row;
    pncp_free_ptr(places);
    return PNCP_OK;
}

static enum pncp_code stage_rows(struct pncp_data *data, const struct plan *plan, uint32_t **order,
                                 const struct pncp_source *source, struct rewrite *rewrite, const volatile bool *stop,
                                 struct pncp_err *err)
{
    struct pncp_footer whole; /* data->footer has left groups in the file */
    enum pncp_code rc = pncp_footer_read(source, &whole, err);
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_footer_unpack(&whole, source, err);
    const struct pncp_schema *newest = pncp_details_schema();
    AUTO(pncp_chunk_reader_release) struct pncp_chunk_reader reader = {0};
    struct pncp_columns inputs[2] = {{source, &whole, data->schema, &reader}};
    struct pncp_source fetched;
    size_t input_count = 1;
    if (rc == PNCP_OK && plan->renewals != NULL && plan->renewals->rows > 0) {
        struct pncp_group_file *file = &plan->renewals->file;
        rc = pncp_group_file_source(file, &fetched, err);
        if (rc == PNCP_OK)
            rc = pncp_footer_unpack(&file->footer, &fetched, err);
        inputs[input_count++] = (struct pncp_columns){&fetched, &file->footer, newest, &reader};
    }
    const struct pncp_regroup regroup = {
        .schema = newest, .inputs = inputs, .input_count = input_count, .rows = plan->count, .stop = stop};
    if (rc == PNCP_OK)
        rc = pncp_stage_open(data->lake, &rewrite->stage, err);
    if (rc == PNCP_OK)
        rc = pncp_regroup(&regroup, order, &rewrite->stage, &rewrite->writer, &rewrite->entries, err);
    pncp_footer_release(&whole);
    return rc;
}

/* Footer with history and id behind the staged rows. */
static enum pncp_code stage_footer(struct pncp_data *data, const char *run_id, struct rewrite *rewrite,
                                   const struct pncp_commit_result *result, struct pncp_err *err)
{
    struct pncp_data_kvs kvs;
    struct pncp_history_entry entry = {.rewrite = true,
                                       .at_s = pncp_clock_now_us() / 1000000,
                                       .contratacoes = result->contratacoes,
                                       .itens = result->itens,
                                       .arquivos = result->arquivos,
                                       .bytes = (int64_t)rewrite->stage.bytes,
                                       .ms_encode = result->ms_encode};
    pncp_random_hex(16, rewrite->id);
    memcpy(entry.id, rewrite->id, sizeof(entry.id));
    strncpy(entry.run, run_id, sizeof(entry.run) - 1);
    enum pncp_code rc = pncp_data_next_history(data, &entry, &rewrite->history, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_data_kvs_make(data->date, pncp_details_schema(), pncp_buf_view(&rewrite->history.text), rewrite->id, &kvs);
    const struct pncp_source entries = pncp_source_of_fd(&rewrite->entries.fd, rewrite->entries.bytes);
    rc = pncp_columns_writer_footer(rewrite->writer, &entries, kvs.pairs, PNCP_DATA_KVS, &rewrite->footer, err);
    if (rc != PNCP_OK)
        return rc;
    if (rewrite->footer.rows != (uint64_t)result->contratacoes || rewrite->footer.rows < data->footer.rows)
        return pncp_err_set(err, PNCP_E_PARSE, "rewrite: %" PRIu64 " rows from %" PRIu64, rewrite->footer.rows,
                            data->footer.rows);                                        /* never fewer than before */
    struct pncp_view tail = pncp_footer_tail(&rewrite->footer, &rewrite->footer).rest; /* all of it */
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

static void release_plan(struct plan *plan)
{
    pncp_free(plan->places);
}

/* Is there anything to gain? */
static bool is_compact(const struct pncp_data *data)
{
    const struct pncp_history_entry *newest = pncp_data_newest(data);
    return data->footer.rows == 0 || (newest != NULL && newest->rewrite && data->schema == pncp_details_schema());
}

/* The staged file becomes the day's. */
static enum pncp_code commit(struct pncp_data *data, struct rewrite *rewrite, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    struct pncp_version version;
    const struct pncp_version before = data->version;
    const struct pncp_body body = {.stage = &rewrite->stage, .id = rewrite->id};
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    pncp_place_format(PNCP_PLACE_DATA_LOCK, data->date, lock);
    enum pncp_code rc = pncp_lake_write_if(data->lake, path, lock, &before, &body, &version, err);
    if (rc != PNCP_OK)
        return find_out(data, rewrite->id, &before, rc, err);
    pncp_data_adopt(data, &rewrite->footer, pncp_details_schema(), &rewrite->history, rewrite->id, &version);
    return PNCP_OK;
}

/* From the version that `data` knows, which is `object`'s. */
static enum pncp_code rewrite_version(struct pncp_data *data, const struct pncp_rewrite *how,
                                      const struct pncp_object *object, bool *ret_done,
                                      struct pncp_commit_result *result, struct pncp_err *err)
{
    AUTO(release_rewrite) struct rewrite rewrite = {.stage = PNCP_STAGE_INIT, .entries = PNCP_STAGE_INIT};
    AUTO(release_plan) struct plan plan;
    AUTO(pncp_free_ptr) uint32_t *order = NULL;
    uint64_t begun = pncp_clock_mono_ms();
    enum pncp_code rc = make_plan(data, &object->source, how->renewals, &plan, err);
    if (rc != PNCP_OK)
        return rc;
    bool same_rows = plan.renewed == 0 && plan.count == plan.file_rows;
    if (same_rows && is_compact(data))
        return PNCP_OK;
    *result = (struct pncp_commit_result){
        .contratacoes = (int64_t)plan.count, .itens = plan.itens, .arquivos = plan.arquivos, .renewed = plan.renewed};
    rc = order_rows(&plan.places, plan.count, &order, err);
    if (rc == PNCP_OK)
        rc = stage_rows(data, &plan, &order, &object->source, &rewrite, how->stop, err);
    result->ms_encode = (uint32_t)(pncp_clock_mono_ms() - begun);
    if (rc == PNCP_OK)
        rc = stage_footer(data, how->run_id, &rewrite, result, err);
    if (rc != PNCP_OK)
        return rc;
    result->bytes_sent = rewrite.stage.bytes;
    result->row_groups = rewrite.footer.group_count;
    result->file_bytes = rewrite.footer.file_bytes;
    rc = commit(data, &rewrite, err);
    *ret_done = rc == PNCP_OK;
    return rc;
}

static enum pncp_code rewrite_once(struct pncp_data *data, const struct pncp_rewrite *how, bool *ret_done,
                                   struct pncp_commit_result *result, struct pncp_err *err)
{
    struct pncp_object object;
    enum pncp_code rc = pncp_data_open_known(data, &object, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_object_want_all(&object);
    rc = rewrite_version(data, how, &object, ret_done, result, err);
    pncp_object_release(&object);
    return rc;
}

enum pncp_code pncp_data_rewrite(struct pncp_data *data, const struct pncp_rewrite *rewrite, bool *ret_done,
                                 struct pncp_commit_result *ret_result, struct pncp_err *err)
{
    *ret_done = false;
    if (!data->exists)
        return PNCP_OK;
    for (int tries = 0;; tries++) {
        struct pncp_commit_result result = {0};
        enum pncp_code rc = rewrite_once(data, rewrite, ret_done, &result, err);
        if (rc == PNCP_OK)
            *ret_result = result;
        if (rc != PNCP_E_CONFLICT || tries == TRIES_MAX)
            return rc;
        rc = pncp_data_gone(pncp_data_reload(data, err), err);
        if (rc != PNCP_OK)
            return rc;
    }
}
