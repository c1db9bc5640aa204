/* Compaction: the same rows sorted by key in large row groups (regroup.c), as one rewrite. */
#include "base/mem.h"
#include "base/random.h"
#include "day/data_int.h"
#include "day/layout.h"
#include "day/regroup.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 5 /* versions lost to others: a whole rewrite each */

struct place { /* of one row in the source */
    struct pncp_packed_key key;
    uint32_t row; /* counted through all groups */
};

struct plan {
    struct place *places;
    size_t count, rows;
};

static enum pncp_code add_place(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct plan *plan = ctx;
    if (plan->count == plan->rows)
        return pncp_err_set(err, PNCP_E_CONFLICT, "the day's file was changed while it was being compacted");
    plan->places[plan->count] = (struct place){.key = pncp_key_pack(&row->key), .row = (uint32_t)plan->count};
    plan->count++;
    return PNCP_OK;
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
    struct pncp_buf history;
    char id[PNCP_ID_BYTES];
};

static void release_rewrite(struct rewrite *rewrite)
{
    pncp_stage_release(&rewrite->stage);
    pncp_stage_release(&rewrite->entries);
    pncp_columns_writer_free(rewrite->writer);
    pncp_footer_release(&rewrite->footer);
    pncp_buf_release(&rewrite->history);
}

/* The rows in the order of the keys: from here on the keys are not needed. *places, which held them, is freed. */
static enum pncp_code order_rows(struct place **places, size_t count, uint32_t **ret_order, struct pncp_err *err)
{
    sort_places(*places, count);
    *ret_order = pncp_calloc(count, sizeof(**ret_order));
    if (*ret_order == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "compact: out of memory");
    for (size_t i = 0; i < count; i++)
        (*ret_order)[i] = (*places)[i].row;
    pncp_free_ptr(places);
    return PNCP_OK;
}

static enum pncp_code stage_rows(struct pncp_data *data, uint32_t **order, const struct pncp_source *source,
                                 struct rewrite *rewrite, const volatile bool *stop, struct pncp_err *err)
{
    struct pncp_footer whole; /* data->footer has left groups in the file */
    enum pncp_code rc = pncp_footer_read(source, &whole, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_footer_unpack(&whole);
    const struct pncp_regroup regroup = {
        .schema = pncp_details_schema(), .source = source, .footer = &whole, .stop = stop};
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
    const struct pncp_source entries = pncp_source_of_fd(&rewrite->entries.fd, rewrite->entries.bytes);
    enum pncp_code rc =
        pncp_columns_writer_footer(rewrite->writer, &entries, kvs, PNCP_DATA_KVS, &rewrite->footer, err);
    if (rc != PNCP_OK)
        return rc;
    if (rewrite->footer.rows != data->footer.rows) /* never fewer rows than before */
        return pncp_err_set(err, PNCP_E_PARSE, "compact: %" PRIu64 " rows instead of %" PRIu64, rewrite->footer.rows,
                            data->footer.rows);
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

static enum pncp_code rewrite_once(struct pncp_data *data, const char *run_id, const volatile bool *stop,
                                   struct pncp_commit_result *result, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    struct pncp_object object;
    struct pncp_version version;
    AUTO(release_rewrite) struct rewrite rewrite = {.stage = PNCP_STAGE_INIT, .entries = PNCP_STAGE_INIT};
    uint64_t begun = pncp_clock_mono_ms();
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    pncp_place_format(PNCP_PLACE_DATA_LOCK, data->date, lock);
    AUTO(pncp_free_ptr) struct place *places = pncp_calloc((size_t)data->footer.rows, sizeof(*places));
    if (places == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "compact: out of memory");
    struct plan plan = {.places = places, .rows = (size_t)data->footer.rows};
    enum pncp_code rc = pncp_lake_open_object(data->lake, path, lock, &object, err);
    if (rc != PNCP_OK)
        return pncp_data_gone(rc, err);
    if (strcmp(object.version.text, data->version.text) != 0)
        rc = pncp_err_set(err, PNCP_E_CONFLICT, "%s was changed by someone else", path);
    if (rc == PNCP_OK)
        rc = pncp_data_each_row(data, add_place, &plan, NULL, err);
    if (rc == PNCP_OK && plan.count != data->footer.rows)
        rc = pncp_err_set(err, PNCP_E_CONFLICT, "%s was changed by someone else", path);
    AUTO(pncp_free_ptr) uint32_t *order = NULL;
    if (rc == PNCP_OK)
        rc = order_rows(&places, plan.count, &order, err);
    if (rc == PNCP_OK)
        rc = stage_rows(data, &order, &object.source, &rewrite, stop, err);
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
