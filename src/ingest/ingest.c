#include "ingest/ingest.h"
#include "base/mem.h"
#include "base/random.h"
#include "day/complete.h"
#include "day/layout.h"
#include "ingest/input.h"
#include "ingest/run.h"
#include "ingest/task.h"
#include "pncp/rows.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POLL_MS 250       /* live line, progress and signals are looked at this often at least */
#define STOP_SAVE_MS 2000 /* after a signal: one attempt to save, so long at most (design section 5, Signals) */
#define SAVE_RETRY_MS 30000
#define STATE_EVERY_MS 10000

/* ---- sizes ----------------------------------------------------------------------------------- */

/* `auto` by size of the day (design section 2). */
static void settle_sizes(struct pncp_run *run, int64_t day_size)
{
    const struct pncp_ingest_options *o = run->options;
    bool small = day_size < 500, middle = !small && day_size <= 2000;
    run->checkpoint_every = o->checkpoint_every != PNCP_AUTO ? o->checkpoint_every : small ? 50 : 100;
    run->batch = o->batch_size != PNCP_BATCH_AUTO ? o->batch_size : small ? 0 : middle ? 500 : 200;
    run->plan.take_max = run->batch;
    run->sizes_known = true;
}

int64_t pncp_run_total(const struct pncp_run *run)
{
    int64_t listed = (int64_t)pncp_keyset_count(run->keys, PNCP_KEY_LISTED, 0);
    int64_t done_before = (int64_t)pncp_keyset_count(run->keys, PNCP_KEY_LISTED | PNCP_KEY_SAVED, PNCP_KEY_TAKEN);
    if (run->listing != NULL && !pncp_listing_finished(run->listing))
        listed = PNCP_MAX(listed, pncp_listing_expected(run->listing));
    if (run->options->max_contratacoes > 0)
        listed = PNCP_MIN(listed, run->options->max_contratacoes);
    int64_t total = PNCP_MAX(listed - done_before, (int64_t)0);
    return run->batch > 0 ? PNCP_MIN(total, run->batch) : total;
}

/* The number of line 1: exact with a list at hand, else the sum of totalRegistros as soon as it is known. */
static void announce(struct pncp_run *run)
{
    bool listing = run->listing != NULL && !pncp_listing_finished(run->listing);
    if (listing && pncp_listing_expected(run->listing) < 0)
        return;
    if (!run->sizes_known) {
        int64_t size = listing ? pncp_listing_expected(run->listing) : run->list.rows;
        settle_sizes(run, size);
    }
    if (run->announced < 0 || !listing)
        pncp_report_total(run);
}

/* ---- lots ------------------------------------------------------------------------------------ */

static bool lot_full(const struct pncp_run *run)
{
    return run->lot.table.rows >= run->checkpoint_every || run->lot_bytes >= PNCP_LOT_BYTES_MAX;
}

static enum pncp_code lot_begin(struct pncp_run *run, struct pncp_err *err)
{
    if (run->lot.table.leaves != NULL)
        return PNCP_OK;
    run->lot.n = run->lots_closed + 1;
    run->lot_bytes = 0;
    if (pncp_table_init(&run->lot.table, pncp_details_schema()) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "lot: out of memory");
    return PNCP_OK;
}

static enum pncp_code note_parts(struct pncp_run *run, const struct pncp_work *work, struct pncp_err *err)
{
    for (size_t i = 0; i < PNCP_PARTS; i++) {
        const struct pncp_part_fetch *part = &work->sides[i].fetch;
        run->day->quantidade_differs += part->differs;
        if (part->situacao == PNCP_SITUACAO_OK)
            continue;
        bool absent = part->situacao == PNCP_SITUACAO_AUSENTE;
        run->day->ausente += absent;
        run->day->vazio += !absent;
        const struct pncp_saver_note note = {.key = work->item.key,
                                             .part = i == PNCP_PART_ITENS ? PNCP_FALHA_ITENS : PNCP_FALHA_ARQUIVOS,
                                             .kind = absent ? PNCP_FALHA_AUSENTE : PNCP_FALHA_VAZIO,
                                             .reason = absent ? PNCP_REASON_HTTP : PNCP_REASON_NONE,
                                             .http_status = absent ? 404 : 0};
        if (pncp_filled_lot_note(&run->lot, &note) != PNCP_OK)
            return pncp_err_set(err, PNCP_E_NOMEM, "lot: out of memory");
    }
    return PNCP_OK;
}

static enum pncp_code add_to_lot(struct pncp_run *run, struct pncp_work *work, struct pncp_err *err)
{
    uint64_t cpu = pncp_clock_cpu_us();
    struct pncp_row_counts counts;
    const struct pncp_part_fetch parts[PNCP_PARTS] = {work->sides[0].fetch, work->sides[1].fetch}; /* read only */
    const struct pncp_row_stamp stamp = {
        .obtido_em_us = work->obtained_us, .run_id = pncp_view_of(run->run_id), .checkpoint = (int32_t)run->lot.n};
    enum pncp_code rc = lot_begin(run, err);
    if (rc == PNCP_OK)
        rc = pncp_rows_put_details(&run->lot.table, &work->item.chunk->rows, work->item.row, parts, &stamp, &counts,
                                   err);
    if (rc == PNCP_OK)
        rc = note_parts(run, work, err);
    if (rc != PNCP_OK)
        return rc;
    run->day->values_out_of_type += counts.misfits;
    run->lot_bytes = pncp_table_bytes(&run->lot.table);
    run->cpu_rows_us += pncp_clock_cpu_us() - cpu;
    return PNCP_OK;
}

static void hand_over(struct pncp_run *run, bool last)
{
    run->lot.last = last;
    run->lot.by_size = run->lot.table.rows > 0 && run->lot.table.rows < run->checkpoint_every && !last;
    run->lots_closed += run->lot.table.rows > 0;
    run->saving_bytes = run->lot_bytes;
    run->lot_bytes = 0;
    pncp_saver_give(&run->saver, &run->lot);
}

static void collect_saved(struct pncp_run *run)
{
    struct pncp_saved saved;
    if (pncp_saver_result(&run->saver, &saved))
        pncp_report_saved(run, &saved);
    if (pncp_saver_idle(&run->saver))
        run->saving_bytes = 0;
}

/* Finished contratações into the lot; a full lot to the saver when it is free. */
static enum pncp_code fill_lots(struct pncp_run *run, bool everything, struct pncp_err *err)
{
    for (;;) {
        if (lot_full(run) && !everything) {
            if (!pncp_saver_idle(&run->saver))
                return PNCP_OK;
            hand_over(run, false);
        }
        struct pncp_work *work = pncp_works_take(&run->works);
        if (work == NULL)
            return PNCP_OK;
        enum pncp_code rc = add_to_lot(run, work, err);
        pncp_work_free(work);
        if (rc != PNCP_OK)
            return rc;
    }
}

/* ---- fetching -------------------------------------------------------------------------------- */

static void work_failed(void *ctx, const struct pncp_work_failure *failure)
{
    struct pncp_run *run = ctx;
    const struct pncp_saver_note note = {.key = failure->key,
                                         .part = failure->part,
                                         .kind = PNCP_FALHA_FAILED,
                                         .reason = failure->reason,
                                         .http_status = failure->http_status};
    if (pncp_filled_lot_note(&run->lot, &note) != PNCP_OK ||
        pncp_keyset_set(run->keys, failure->key, PNCP_KEY_FAILED, NULL) != PNCP_OK)
        (void)pncp_err_set(&run->works.error, PNCP_E_NOMEM, "falhas: out of memory");
    pncp_report_failure(run, failure);
}

static bool room_for_more(const struct pncp_run *run)
{
    if (lot_full(run)) /* one is being saved and the next is full: fetching waits */
        return false;
    if (pncp_fetch_queued(run->fetch, PNCP_API_DETAIL) >= pncp_fetch_limit(run->fetch, PNCP_API_DETAIL))
        return false;
    size_t held = run->works.bytes + run->lot_bytes + run->saving_bytes + pncp_fetch_body_bytes(run->fetch);
    return held < PNCP_BUDGET_BYTES ||
           (run->works.open == 0 && run->works.ready_count == 0); /* a huge one is admitted alone */
}

static enum pncp_code start_more(struct pncp_run *run, struct pncp_err *err)
{
    while (run->sizes_known && !run->plan_ended && room_for_more(run)) {
        enum pncp_plan_state state;
        struct pncp_plan_item item;
        enum pncp_code rc = pncp_plan_next(&run->plan, &state, &item, err);
        if (rc != PNCP_OK)
            return rc;
        if (state == PNCP_PLAN_WAIT)
            return PNCP_OK;
        if (state == PNCP_PLAN_END) {
            run->plan_ended = true;
            return PNCP_OK;
        }
        rc = pncp_works_start(&run->works, &item, err);
        if (rc != PNCP_OK)
            return rc;
    }
    return PNCP_OK;
}

/* The listing has come to its end: save the list, tell the plan. */
static enum pncp_code end_listing(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_listing_error(run->listing, err);
    if (rc != PNCP_OK)
        return rc;
    struct pncp_listing_failure failures[PNCP_MODALIDADES_MAX];
    bool early = pncp_listing_stopped_early(run->listing);
    run->list_whole = !early && pncp_listing_failures(run->listing, failures) == 0;
    rc = pncp_list_flush(&run->list, err);
    if (rc == PNCP_OK && run->list_whole && run->list.rows > 0)
        rc = pncp_list_save(&run->list, err);
    if (rc == PNCP_OK)
        pncp_plan_list_complete(&run->plan);
    announce(run);
    run->phase = PNCP_PHASE_FETCHING;
    return rc;
}

static bool all_fetched(const struct pncp_run *run, bool listing_ended)
{
    return listing_ended && run->plan_ended && run->works.open == 0 && run->works.ready_count == 0;
}

/* Fetch and save until everything is in the file. */
static enum pncp_code fetch_and_save(struct pncp_run *run, struct pncp_err *err)
{
    bool listing_ended = run->listing == NULL;
    announce(run);
    for (;;) {
        enum pncp_code rc = pncp_saver_error(&run->saver, err);
        collect_saved(run);
        if (rc == PNCP_OK && run->works.error.code != PNCP_OK) {
            *err = run->works.error;
            rc = err->code;
        }
        if (rc == PNCP_OK && pncp_stop_signal() != 0)
            rc = pncp_err_set(err, PNCP_E_CANCELLED, "stopped by a signal");
        if (rc == PNCP_OK && !listing_ended) {
            announce(run);
            listing_ended = pncp_listing_finished(run->listing);
            if (listing_ended)
                rc = end_listing(run, err);
        }
        if (rc == PNCP_OK)
            rc = fill_lots(run, false, err);
        if (rc == PNCP_OK)
            rc = start_more(run, err);
        if (rc != PNCP_OK)
            return rc;
        if (all_fetched(run, listing_ended) && pncp_saver_idle(&run->saver)) {
            collect_saved(run);
            if (run->lot.table.rows == 0 && run->lot.note_count == 0)
                return pncp_saver_error(&run->saver, err);
            run->phase = PNCP_PHASE_SAVING;
            hand_over(run, true);
        }
        pncp_report_tick(run);
        rc = pncp_fetch_poll(run->fetch, POLL_MS, pncp_stop_fd(), err);
        if (rc != PNCP_OK)
            return rc;
    }
}

static void wake(void *ctx)
{
    struct pncp_run *run = ctx;
    pncp_fetch_wake(run->fetch);
}

/* After a signal: what is finished is saved in one attempt. False: the saver is still stuck in its store. */
static bool save_what_is_finished(struct pncp_run *run)
{
    struct pncp_err err = PNCP_ERR_INIT;
    uint64_t begun = pncp_clock_mono_ms();
    pncp_saver_hurry(&run->saver);
    if (!pncp_saver_wait(&run->saver, STOP_SAVE_MS))
        return false;
    collect_saved(run);
    if (pncp_saver_error(&run->saver, NULL) != PNCP_OK || fill_lots(run, true, &err) != PNCP_OK)
        return true;
    if (run->lot.table.rows == 0 && run->lot.note_count == 0)
        return true;
    hand_over(run, true);
    uint64_t used = pncp_clock_mono_ms() - begun;
    bool saved = pncp_saver_wait(&run->saver, used < STOP_SAVE_MS ? (uint32_t)(STOP_SAVE_MS - used) : 0);
    collect_saved(run);
    return saved;
}

/* ---- opening --------------------------------------------------------------------------------- */

static enum pncp_code open_lake(struct pncp_run *run, struct pncp_err *err)
{
    const struct pncp_lake_options options = {
        .run_id = run->run_id, .create = true, .writable = true, .unsafe_store = run->options->unsafe_store};
    return pncp_lake_open(run->options->lake_url, &options, &run->lake, err);
}

static enum pncp_code hold_day(struct pncp_run *run, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf holder = {0};
    char path[PNCP_PLACE_BYTES], since[PNCP_STAMP_TEXT_BYTES], host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    pncp_stamp_format(run->started_us, since);
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &holder);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_field_text(&w, "run_id", pncp_view_of(run->run_id));
    pncp_json_field_text(&w, "host", pncp_view_of(host));
    pncp_json_field_int(&w, "pid", getpid());
    pncp_json_field_text(&w, "since", pncp_view_of(since));
    pncp_json_object_end(&w);
    if (pncp_json_writer_end(&w) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "hold the day: out of memory");
    pncp_place_format(PNCP_PLACE_RUN_LOCK, run->options->date, path);
    return pncp_lake_hold(run->lake, path, pncp_buf_view(&holder), &run->hold, err);
}

/* What is done and what has failed before, into `keys`. */
static enum pncp_code open_day(struct pncp_run *run, struct pncp_err *err)
{
    if (pncp_keyset_new(&run->keys) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "keys: out of memory");
    enum pncp_code rc = pncp_data_open(run->lake, run->options->date, run->keys, &run->data, err);
    bool rebuilt = false;
    if (rc == PNCP_OK)
        rc = pncp_falhas_load(run->lake, run->options->date, &run->falhas_before, &rebuilt, err);
    if (rc == PNCP_OK)
        rc = pncp_falhas_load(run->lake, run->options->date, &run->falhas, NULL, err);
    if (rebuilt)
        pncp_event_warning(run->event, "falhas of the day was damaged: rebuilt from the data");
    for (size_t i = 0; rc == PNCP_OK && i < run->falhas_before.count; i++) {
        const struct pncp_falha *falha = &run->falhas_before.entries[i];
        if (falha->kind == PNCP_FALHA_FAILED && (pncp_keyset_get(run->keys, falha->key) & PNCP_KEY_SAVED) == 0 &&
            pncp_keyset_set(run->keys, falha->key, PNCP_KEY_FAILED, NULL) != PNCP_OK)
            rc = pncp_err_set(err, PNCP_E_NOMEM, "keys: out of memory");
    }
    return rc;
}

/* Mark the keys of a list at hand (the first rows_max of them). */
static enum pncp_code mark_listed(struct pncp_run *run, int64_t rows_max, struct pncp_err *err)
{
    struct pncp_table table;
    if (pncp_table_init(&table, pncp_list_schema()) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "list: out of memory");
    enum pncp_code rc = PNCP_OK;
    int64_t seen = 0;
    for (size_t group = 0; rc == PNCP_OK && group < pncp_list_groups(&run->list); group++) {
        rc = pncp_list_read_keys(&run->list, group, &table, err);
        for (size_t row = 0; rc == PNCP_OK && row < table.rows && (rows_max == 0 || seen < rows_max); row++, seen++) {
            struct pncp_key key;
            rc = pncp_list_row_key(&table, row, &key, err);
            if (rc == PNCP_OK && pncp_keyset_set(run->keys, pncp_key_pack(&key), PNCP_KEY_LISTED, NULL) != PNCP_OK)
                rc = pncp_err_set(err, PNCP_E_NOMEM, "list: out of memory");
        }
    }
    pncp_table_release(&table);
    return rc;
}

static bool day_is_final(const struct pncp_ingest_options *options, int64_t at_us)
{
    return at_us >= pncp_date_end_utc_us(options->date) + options->final_after_s * 1000000;
}

static enum pncp_code begin_listing(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_list_create(run->lake, run->options->date, &run->list, err);
    if (rc != PNCP_OK)
        return rc;
    run->list.info.list_at_s = run->started_us / 1000000;
    run->list.info.final = day_is_final(run->options, run->started_us);
    const struct pncp_listing_options options = {.consulta_url = run->options->consulta_url,
                                                 .date = run->options->date,
                                                 .final_day = run->list.info.final,
                                                 .keep_parts =
                                                     run->list.info.final && run->options->max_contratacoes == 0,
                                                 .rows_max = run->options->max_contratacoes};
    return pncp_listing_new(&options, run->fetch, &run->list, run->keys, &run->listing, err);
}

/* The day's list: given, saved by an earlier run when the day was final, or fetched while the details begin. */
static enum pncp_code open_list(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc;
    if (run->options->input != NULL) {
        rc = pncp_list_create(run->lake, run->options->date, &run->list, err);
        if (rc != PNCP_OK)
            return rc;
        run->list.info.list_at_s = run->started_us / 1000000;
        run->list.info.final = day_is_final(run->options, run->started_us);
        struct pncp_input_counts counts;
        rc = pncp_input_load(run->options->input, &run->list, run->options->max_contratacoes, run->keys, &counts, err);
        if (rc == PNCP_OK && counts.other_days > 0)
            pncp_event_warning(run->event, "%s: %lld rows of another publication day left out", run->options->input,
                               (long long)counts.other_days);
    } else {
        rc = pncp_list_open(run->lake, run->options->date, &run->list, err);
        if (rc == PNCP_OK && !run->list.info.final) {
            pncp_list_release(&run->list);
            rc = PNCP_E_NOTFOUND;
        }
        if (rc == PNCP_E_PARSE) { /* it can be fetched again: nothing is lost */
            pncp_event_warning(run->event, "%s: listing again", err->msg);
            rc = PNCP_E_NOTFOUND;
        }
        if (rc == PNCP_E_NOTFOUND)
            return begin_listing(run, err);
        if (rc == PNCP_OK)
            rc = mark_listed(run, run->options->max_contratacoes, err);
    }
    run->list_whole = run->options->max_contratacoes == 0 || run->list.rows <= run->options->max_contratacoes;
    run->phase = PNCP_PHASE_FETCHING;
    pncp_plan_list_complete(&run->plan);
    return rc;
}

static enum pncp_code start_fetcher(struct pncp_run *run, struct pncp_err *err)
{
    return pncp_fetch_new(&run->options->fetch, pncp_task_dispatch, pncp_report_note, run, &run->fetch, err);
}

static enum pncp_code start_saver(struct pncp_run *run, struct pncp_err *err)
{
    run->saver.data = &run->data;
    run->saver.falhas = &run->falhas;
    run->saver.run_id = run->run_id;
    run->saver.retry_ms = SAVE_RETRY_MS;
    run->saver.state_every_ms = STATE_EVERY_MS;
    run->saver.wake = wake;
    run->saver.wake_ctx = run;
    return pncp_saver_start(&run->saver, err);
}

/* ---- the run --------------------------------------------------------------------------------- */

static void release(struct pncp_run *run)
{
    pncp_saver_finish(&run->saver);
    pncp_fetch_free(run->fetch);
    pncp_listing_free(run->listing);
    pncp_works_release(&run->works);
    pncp_plan_release(&run->plan);
    pncp_filled_lot_release(&run->lot);
    pncp_list_release(&run->list);
    pncp_falhas_release(&run->falhas);
    pncp_falhas_release(&run->falhas_before);
    pncp_data_release(&run->data);
    pncp_keyset_free(run->keys);
    pncp_hold_release(&run->hold);
    pncp_lake_free(run->lake);
}

static enum pncp_code run_day(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = open_day(run, err);
    pncp_plan_init(&run->plan, &run->list, run->keys, &run->falhas_before);
    run->plan.rows_max = run->options->max_contratacoes;
    if (rc == PNCP_OK)
        rc = start_fetcher(run, err);
    pncp_works_init(&run->works, run->fetch, run->options->detail_url, run->options->confirm, work_failed, run);
    if (rc == PNCP_OK)
        rc = open_list(run, err);
    if (rc != PNCP_OK)
        return rc;
    run->day->done_before = (int64_t)pncp_keyset_count(run->keys, PNCP_KEY_LISTED | PNCP_KEY_SAVED, 0);
    if (run->listing == NULL && run->list_whole && pncp_run_total(run) == 0 && run->list.info.final &&
        run->list.rows > 0) {
        run->day->already_complete = true;
        return PNCP_OK;
    }
    rc = start_saver(run, err);
    if (rc == PNCP_OK)
        rc = fetch_and_save(run, err);
    if (rc == PNCP_E_CANCELLED && !save_what_is_finished(run)) {
        /* the saver hangs in its store and cannot be joined: leave as a kill would; the file is old or new, never half
         */
        pncp_report_end(run, rc, err);
        _exit(128 + pncp_stop_signal());
    }
    pncp_saver_finish(&run->saver);
    collect_saved(run);
    return rc;
}

static void make_run_id(struct pncp_run *run)
{
    char stamp[PNCP_STAMP_TEXT_BYTES], hex[PNCP_HEX_BYTES(4)];
    pncp_stamp_format(run->started_us, stamp);
    pncp_random_hex(4, hex);
    (void)snprintf(run->run_id, sizeof(run->run_id), "%.4s%.2s%.5s%.2s%.3s-%s", stamp, stamp + 5, stamp + 8, stamp + 14,
                   stamp + 17, hex);
}

enum pncp_code pncp_ingest_run(const struct pncp_ingest_options *options, struct pncp_event *event,
                               struct pncp_summary *ret_summary, struct pncp_err *err)
{
    struct pncp_run run = {.options = options,
                           .event = event,
                           .hold = PNCP_HOLD_INIT,
                           .announced = -1,
                           .started_us = pncp_clock_now_us(),
                           .started_ms = pncp_clock_mono_ms(),
                           .list = {.all = {.stage = PNCP_STAGE_INIT}, .part = {.stage = PNCP_STAGE_INIT}}};
    make_run_id(&run);
    pncp_summary_init(ret_summary, run.run_id, options->lake_url, options->date);
    run.day = &ret_summary->days[0];
    enum pncp_code rc = open_lake(&run, err);
    if (rc == PNCP_OK) {
        pncp_summary_set_lake(ret_summary, pncp_lake_url(run.lake));
        pncp_lake_sweep(run.lake);
        rc = hold_day(&run, err);
    }
    bool held = rc == PNCP_OK;
    if (held) {
        rc = run_day(&run, err);
        rc = pncp_run_finish(&run, rc, err);
    } else {
        run.day->exit_code = pncp_exit_of(err);
    }
    ret_summary->exit_code = run.day->exit_code;
    pncp_report_end(&run, rc, err);
    if (held)
        pncp_run_record(&run, ret_summary);
    release(&run);
    return rc;
}

int pncp_exit_of(const struct pncp_err *err)
{
    switch (err->code) {
    case PNCP_OK:
        return 0;
    case PNCP_E_USAGE:
        return 2;
    case PNCP_E_CANCELLED:
        return 128 + pncp_stop_signal();
    case PNCP_E_BUSY:
    case PNCP_E_CONFLICT:
    case PNCP_E_UNAVAILABLE:
    case PNCP_E_NOMEM: /* the machine may have more at another time */
        return 75;
    case PNCP_E_NOTFOUND:
    case PNCP_E_PARSE:
    case PNCP_E_FOREIGN:
    case PNCP_E_NEWER:
    case PNCP_E_LIMIT:
    case PNCP_E_IO:
    case PNCP_E_UNSUPPORTED:
        break;
    }
    return err->transient ? 75 : 1;
}
