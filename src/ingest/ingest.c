#include "ingest/ingest.h"
#include "base/mem.h"
#include "base/random.h"
#include "day/complete.h"
#include "day/layout.h"
#include "day/spool.h"
#include "ingest/run.h"
#include "ingest/task.h"
#include "pncp/rows.h"
#include "pncp/url.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STOP_SAVE_MS 2000 /* after a signal: one attempt to save, so long at most (design section 5, Signals) */
#define STATE_EVERY_MS 10000
#define DRAIN_MS 5000 /* after --max-duration: for the answers under way */

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

/* Is the list still growing? */
static bool is_listing(const struct pncp_run *run)
{
    return (run->listing != NULL && !pncp_listing_finished(run->listing)) ||
           (run->compras != NULL && !pncp_compras_finished(run->compras));
}

/* Size of the day as far as a growing list tells; *ret_all: nothing is missing. */
static int64_t expected(const struct pncp_run *run, bool *ret_all)
{
    if (run->listing != NULL)
        return pncp_listing_expected(run->listing, ret_all);
    *ret_all = true;
    return run->list.rows + pncp_compras_left(run->compras);
}

int64_t pncp_run_total(const struct pncp_run *run)
{
    bool all;
    const unsigned listed_and_saved = PNCP_KEY_LISTED | PNCP_KEY_SAVED;
    int64_t listed = (int64_t)pncp_keyset_count(run->keys, PNCP_KEY_LISTED, 0);
    int64_t done_before = (int64_t)pncp_keyset_count(run->keys, listed_and_saved, PNCP_KEY_TAKEN | PNCP_KEY_DUE);
    int64_t waiting =
        (int64_t)pncp_keyset_count(run->keys, PNCP_KEY_LISTED | PNCP_KEY_FAILED, PNCP_KEY_TAKEN | PNCP_KEY_DUE);
    if (is_listing(run))
        listed = PNCP_MAX(listed, expected(run, &all));
    if (run->options->max_contratacoes > 0)
        listed = PNCP_MIN(listed, run->options->max_contratacoes);
    int64_t total = PNCP_MAX(listed - done_before - waiting, (int64_t)0);
    if (run->options->again.only)
        total = (int64_t)pncp_keyset_count(run->keys, PNCP_KEY_LISTED | PNCP_KEY_DUE, 0);
    return run->batch > 0 ? PNCP_MIN(total, run->batch) : total;
}

/* The sizes, as soon as they can be told: only `auto` waits for the size of the day. Then the number of line 1: exact
 * with a list at hand, else the sum of totalRegistros once all have said theirs. */
static void announce(struct pncp_run *run)
{
    bool listing = is_listing(run), all = true,
         fixed = run->options->checkpoint_every != PNCP_AUTO && run->options->batch_size != PNCP_BATCH_AUTO;
    int64_t size = listing ? expected(run, &all) : run->list.rows;
    if (!run->sizes_known && (fixed || all))
        settle_sizes(run, size);
    if (all && (run->announced < 0 || !listing))
        pncp_report_total(run);
}

/* ---- lots ------------------------------------------------------------------------------------ */

static bool lot_full(const struct pncp_run *run, enum pncp_lot_kind kind)
{
    size_t rows = run->lots[kind].table.rows;
    return rows > 0 && (rows >= run->checkpoint_every || run->lot_bytes[kind] >= PNCP_LOT_BYTES_MAX);
}

static bool any_lot_full(const struct pncp_run *run)
{
    return lot_full(run, PNCP_LOT_NEW) || lot_full(run, PNCP_LOT_RENEWED);
}

static bool lot_empty(const struct pncp_run *run, enum pncp_lot_kind kind)
{
    return run->lots[kind].table.rows == 0 && run->lots[kind].note_count == 0;
}

static enum pncp_code lot_begin(struct pncp_run *run, enum pncp_lot_kind kind, struct pncp_err *err)
{
    struct pncp_filled_lot *lot = &run->lots[kind];
    if (lot->n != 0)
        return PNCP_OK;
    lot->n = run->lots_closed + 1;
    lot->renewed = kind == PNCP_LOT_RENEWED;
    run->lot_bytes[kind] = 0;
    if (lot->table.leaves == NULL && pncp_table_init(&lot->table, pncp_details_schema()) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "lot: out of memory");
    return PNCP_OK;
}

static enum pncp_code note_part(struct pncp_run *run, enum pncp_lot_kind kind, struct pncp_packed_key key,
                                enum pncp_part part, enum pncp_situacao situacao, struct pncp_err *err)
{
    bool absent = situacao == PNCP_SITUACAO_AUSENTE;
    if (situacao == PNCP_SITUACAO_OK)
        return PNCP_OK;
    run->day->ausente += absent;
    run->day->vazio += !absent;
    const struct pncp_saver_note note = {.key = key,
                                         .part = part == PNCP_PART_ITENS ? PNCP_FALHA_ITENS : PNCP_FALHA_ARQUIVOS,
                                         .kind = absent ? PNCP_FALHA_AUSENTE : PNCP_FALHA_VAZIO,
                                         .reason = absent ? PNCP_REASON_HTTP : PNCP_REASON_NONE,
                                         .http_status = absent ? 404 : 0};
    if (pncp_filled_lot_note(&run->lots[kind], &note) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "lot: out of memory");
    return PNCP_OK;
}

static enum pncp_code note_parts(struct pncp_run *run, enum pncp_lot_kind kind, struct pncp_packed_key key,
                                 enum pncp_situacao itens, enum pncp_situacao arquivos, struct pncp_err *err)
{
    enum pncp_code rc = note_part(run, kind, key, PNCP_PART_ITENS, itens, err);
    return rc == PNCP_OK ? note_part(run, kind, key, PNCP_PART_ARQUIVOS, arquivos, err) : rc;
}

static enum pncp_code put_row(struct pncp_run *run, enum pncp_lot_kind kind, const struct pncp_work *work,
                              struct pncp_err *err)
{
    struct pncp_filled_lot *lot = &run->lots[kind];
    struct pncp_row_counts counts;
    const struct pncp_part_fetch parts[PNCP_PARTS] = {work->sides[0].fetch, work->sides[1].fetch}; /* read only */
    enum pncp_code rc = lot_begin(run, kind, err); /* gives the lot its number */
    const struct pncp_row_stamp stamp = {
        .obtido_em_us = work->obtained_us, .run_id = pncp_view_of(run->run_id), .checkpoint = (int32_t)lot->n};
    if (rc == PNCP_OK)
        rc = pncp_rows_put_details(&lot->table, &work->item.chunk->rows, work->item.row, parts, &stamp, &counts, err);
    if (rc != PNCP_OK)
        return rc;
    run->day->values_out_of_type += counts.misfits;
    run->lot_bytes[kind] = pncp_table_bytes(&lot->table);
    return PNCP_OK;
}

/* A finished contratação becomes a row of a lot; one that was fetched again and is no better than the row that is there
 * only a note of when it was asked. */
static enum pncp_code add_to_lot(struct pncp_run *run, const struct pncp_work *work, struct pncp_err *err)
{
    bool measure = run->options->fetch.measure_cpu;
    uint64_t cpu = measure ? pncp_clock_cpu_us() : 0;
    const struct pncp_renewal *seen = work->item.renew ? pncp_renewals_find(&run->renewals, work->item.key) : NULL;
    enum pncp_lot_kind kind = seen == NULL ? PNCP_LOT_NEW : PNCP_LOT_RENEWED;
    enum pncp_situacao itens = work->sides[PNCP_PART_ITENS].fetch.situacao,
                       arquivos = work->sides[PNCP_PART_ARQUIVOS].fetch.situacao;
    for (size_t i = 0; i < PNCP_PARTS; i++)
        run->day->quantidade_differs += work->sides[i].fetch.differs;
    enum pncp_code rc = PNCP_OK;
    if (seen == NULL || run->options->again.everything || pncp_renewal_is_better(seen, itens, arquivos)) {
        rc = put_row(run, kind, work, err);
    } else {
        itens = (enum pncp_situacao)seen->itens;
        arquivos = (enum pncp_situacao)seen->arquivos;
    }
    if (rc == PNCP_OK)
        rc = note_parts(run, kind, work->item.key, itens, arquivos, err);
    run->cpu_rows_us += measure ? pncp_clock_cpu_us() - cpu : 0;
    return rc;
}

static void collect_saved(struct pncp_run *run)
{
    struct pncp_saved saved;
    if (pncp_saver_result(&run->saver, &saved)) {
        if (run->announced < 0) /* the listing is slower than a whole lot: the number so far */
            pncp_report_total(run);
        run->renewed += (int64_t)saved.renewed;
        pncp_report_saved(run, &saved);
    }
    if (pncp_saver_idle(&run->saver))
        run->saving_bytes = 0;
}

/* The saver is idle; what became of the lot before is told first. */
static void hand_over(struct pncp_run *run, enum pncp_lot_kind kind, bool last)
{
    struct pncp_filled_lot *lot = &run->lots[kind];
    collect_saved(run);
    lot->last = last;
    lot->by_size = lot->table.rows > 0 && lot->table.rows < run->checkpoint_every && !last;
    run->lots_closed += lot->table.rows > 0 && kind == PNCP_LOT_NEW;
    run->saving_bytes = run->lot_bytes[kind];
    run->lot_bytes[kind] = 0;
    pncp_saver_give(&run->saver, lot);
}

/* Finished contratações into the lots; a full lot to the saver when it is free. */
static enum pncp_code fill_lots(struct pncp_run *run, bool everything, struct pncp_err *err)
{
    for (;;) {
        for (int kind = 0; kind < PNCP_LOTS && !everything; kind++) {
            if (!lot_full(run, (enum pncp_lot_kind)kind))
                continue;
            if (!pncp_saver_idle(&run->saver))
                return PNCP_OK;
            hand_over(run, (enum pncp_lot_kind)kind, false);
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

/* A row that could not be fetched again stays; when it was asked is noted with the parts that are asked for. */
static enum pncp_code note_not_renewed(struct pncp_run *run, const struct pncp_work_failure *failure)
{
    const struct pncp_renewal *seen = pncp_renewals_find(&run->renewals, failure->key);
    run->not_renewed += run->options->again.everything;
    if (seen == NULL)
        return PNCP_OK;
    return note_parts(run, PNCP_LOT_RENEWED, failure->key, (enum pncp_situacao)seen->itens,
                      (enum pncp_situacao)seen->arquivos, NULL);
}

static enum pncp_code note_failed(struct pncp_run *run, const struct pncp_work_failure *failure)
{
    const struct pncp_saver_note note = {.key = failure->key,
                                         .part = failure->part,
                                         .kind = PNCP_FALHA_FAILED,
                                         .reason = failure->reason,
                                         .http_status = failure->http_status};
    enum pncp_code rc = pncp_filled_lot_note(&run->lots[PNCP_LOT_NEW], &note);
    return rc == PNCP_OK ? pncp_keyset_set(run->keys, failure->key, PNCP_KEY_FAILED, NULL) : rc;
}

static void work_failed(void *ctx, const struct pncp_work_failure *failure)
{
    struct pncp_run *run = ctx;
    if ((failure->renew ? note_not_renewed(run, failure) : note_failed(run, failure)) != PNCP_OK)
        (void)pncp_err_set(&run->works.error, PNCP_E_NOMEM, "falhas: out of memory");
    pncp_report_failure(run, failure);
}

static bool room_for_more(const struct pncp_run *run)
{
    if (any_lot_full(run)) /* one is being saved and the next is full: fetching waits */
        return false;
    if (pncp_fetch_queued(run->fetch, PNCP_API_DETAIL) >= pncp_fetch_limit(run->fetch, PNCP_API_DETAIL))
        return false;
    size_t held = run->works.bytes + run->lot_bytes[PNCP_LOT_NEW] + run->lot_bytes[PNCP_LOT_RENEWED] +
                  run->saving_bytes + pncp_fetch_body_bytes(run->fetch);
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

static enum pncp_code end_listing(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_run_end_listing(run, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_plan_list_complete(&run->plan);
    announce(run);
    run->phase = PNCP_PHASE_FETCHING;
    return PNCP_OK;
}

/* Nothing new once --max-duration is over. */
static void look_at_the_time(struct pncp_run *run)
{
    uint32_t max = run->options->max_duration_ms;
    if (max == 0 || run->out_of_time || pncp_clock_mono_ms() - run->began->at_ms < max)
        return;
    run->out_of_time = run->plan_ended = true;
    pncp_event_log(run->event, PNCP_LEVEL_INFO, "stop", "--max-duration is over: %zu contratacoes are under way",
                   run->works.open);
}

static bool all_fetched(const struct pncp_run *run, bool listing_ended)
{
    uint64_t end = run->began->at_ms + run->options->max_duration_ms + DRAIN_MS;
    bool outage = run->outage.code != PNCP_OK;
    bool drained = run->works.open == 0 || outage || (run->out_of_time && pncp_clock_mono_ms() >= end);
    return (listing_ended || outage || run->out_of_time) && run->plan_ended && drained && run->works.ready_count == 0;
}

/* Wait for answers or for the saver. */
static enum pncp_code wait_for_more(struct pncp_run *run, struct pncp_err *err)
{
    if (run->outage.code != PNCP_OK) {
        (void)pncp_saver_wait(&run->saver, PNCP_POLL_MS);
        return PNCP_OK;
    }
    enum pncp_code rc = pncp_fetch_poll(run->fetch, PNCP_POLL_MS, pncp_stop_fd(), err);
    if (rc != PNCP_E_UNAVAILABLE)
        return rc;
    run->outage = *err;
    run->plan_ended = true; /* what is under way is dropped: it has not failed */
    return PNCP_OK;
}

/* The last lot is saved: how has it ended? */
static enum pncp_code ended(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_saver_error(&run->saver, err);
    if (rc == PNCP_OK && run->outage.code != PNCP_OK) {
        *err = run->outage;
        rc = err->code;
    }
    return rc;
}

/* Fetch and save until everything is in the file. */
static enum pncp_code fetch_and_save(struct pncp_run *run, struct pncp_err *err)
{
    bool listing_ended = run->listing == NULL && run->compras == NULL;
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
            listing_ended = !is_listing(run);
            if (listing_ended)
                rc = end_listing(run, err);
        }
        look_at_the_time(run);
        if (rc == PNCP_OK)
            rc = fill_lots(run, false, err);
        if (rc == PNCP_OK)
            rc = start_more(run, err);
        if (rc != PNCP_OK)
            return rc;
        if (run->plan_ended && run->compras != NULL)
            pncp_compras_stop(run->compras);
        if (all_fetched(run, listing_ended) && pncp_saver_idle(&run->saver)) {
            collect_saved(run);
            bool renewed_only = lot_empty(run, PNCP_LOT_NEW);
            if (renewed_only && lot_empty(run, PNCP_LOT_RENEWED))
                return ended(run, err);
            run->phase = PNCP_PHASE_SAVING;
            hand_over(run, renewed_only ? PNCP_LOT_RENEWED : PNCP_LOT_NEW, true);
        }
        pncp_report_tick(run);
        rc = wait_for_more(run, err);
        if (rc != PNCP_OK)
            return rc;
    }
}

static void wake(void *ctx)
{
    struct pncp_run *run = ctx;
    pncp_fetch_wake(run->fetch);
}

/* ---- what could not be saved ----------------------------------------------------------------- */

static void spool_lot(struct pncp_run *run, struct pncp_filled_lot *lot)
{
    struct pncp_err err = PNCP_ERR_INIT;
    const struct pncp_lot rows = {.table = &lot->table, .run_id = run->run_id, .n = lot->n};
    if (lot->table.rows == 0 || run->options->spool == NULL)
        return;
    if (pncp_spool_put(run->options->spool, &run->data, &rows, &err) != PNCP_OK) {
        pncp_event_warning(run->event, "%zu contratacoes are lost to the next run, which asks for them again: %s",
                           lot->table.rows, err.msg);
        return;
    }
    run->day->spooled += (int64_t)lot->table.rows;
    pncp_event_log(run->event, PNCP_LEVEL_WARNING, "spool",
                   "%zu contratacoes wait in %s: the next run of the day commits them", lot->table.rows,
                   run->options->spool);
}

/* The store is in trouble, or there is no time: finished contratações wait for the next run. Rows fetched again do not:
 * those that they were to replace are there. The saver has ended. */
static void spool_unsaved(struct pncp_run *run)
{
    struct pncp_filled_lot failed;
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_saver_take_failed(&run->saver, &failed)) {
        if (!failed.renewed)
            spool_lot(run, &failed);
        pncp_filled_lot_release(&failed);
    }
    if (fill_lots(run, true, &err) == PNCP_OK)
        spool_lot(run, &run->lots[PNCP_LOT_NEW]);
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
    if (lot_empty(run, PNCP_LOT_NEW)) /* rows fetched again are only worth a rewrite, for which there is no time */
        return true;
    hand_over(run, PNCP_LOT_NEW, true);
    uint64_t used = pncp_clock_mono_ms() - begun;
    bool saved = pncp_saver_wait(&run->saver, used < STOP_SAVE_MS ? (uint32_t)(STOP_SAVE_MS - used) : 0);
    collect_saved(run);
    return saved;
}

/* Any contratação of the list: hardly all of them fail. */
static bool probe_candidate(void *ctx, enum pncp_api api, unsigned nth, enum pncp_kind *ret_kind,
                            struct pncp_buf *ret_url)
{
    struct pncp_run *run = ctx;
    AUTO(pncp_table_release) struct pncp_table table = {0};
    struct pncp_key key;
    uint64_t random = nth;
    size_t groups = pncp_list_groups(&run->list);
    if (api != PNCP_API_DETAIL || groups == 0 || pncp_table_init(&table, pncp_list_schema()) != PNCP_OK)
        return false;
    if (pncp_list_read_keys(&run->list, pncp_splitmix(&random) % groups, &table, NULL) != PNCP_OK || table.rows == 0)
        return false;
    *ret_kind = PNCP_KIND_COUNT;
    return pncp_list_row_key(&table, pncp_splitmix(&random) % table.rows, &key, NULL) == PNCP_OK &&
           pncp_url_quantidade(ret_url, run->options->detail_url, &key, PNCP_PART_ITENS) == PNCP_OK;
}

static enum pncp_code start_saver(struct pncp_run *run, struct pncp_err *err)
{
    run->saver.data = &run->data;
    run->saver.falhas = &run->falhas;
    run->saver.renewals = &run->renewals;
    run->saver.run_id = run->run_id;
    run->saver.retry_ms = run->options->fetch.outage_wait_ms;
    run->saver.state_every_ms = STATE_EVERY_MS;
    run->saver.wake = wake;
    run->saver.wake_ctx = run;
    return pncp_saver_start(&run->saver, err);
}

/* ---- the run --------------------------------------------------------------------------------- */

static enum pncp_code run_day(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_run_open_day(run, err);
    pncp_plan_init(&run->plan, &run->list, run->keys, &run->falhas_before);
    run->plan.rows_max = run->options->max_contratacoes;
    run->plan.order =
        (struct pncp_again_order){.only = run->options->again.only, .everything = run->options->again.everything};
    if (rc == PNCP_OK)
        rc = pncp_run_start_fetcher(run, err);
    if (rc == PNCP_OK)
        pncp_fetch_set_candidates(run->fetch, probe_candidate);
    pncp_works_init(&run->works, run->fetch, run->options->detail_url, run->options->confirm, work_failed, run);
    if (rc == PNCP_OK)
        rc = pncp_run_open_list(run, err);
    if (rc != PNCP_OK)
        return rc;
    bool at_hand = run->listing == NULL && run->compras == NULL;
    bool remaining = pncp_keyset_count(run->keys, PNCP_KEY_LISTED, PNCP_KEY_SAVED) > 0;
    if (at_hand && run->list_whole && !remaining && pncp_run_total(run) == 0 && run->list.info.final &&
        pncp_keyset_count(run->keys, PNCP_KEY_LISTED, 0) > 0) {
        run->day->already_complete = true;
        return PNCP_OK;
    }
    if (run->listing == NULL && remaining) /* sensors must not see it while the day grows */
        rc = pncp_complete_remove(run->lake, run->options->date, err);
    if (rc == PNCP_OK)
        rc = start_saver(run, err);
    if (rc == PNCP_OK)
        rc = fetch_and_save(run, err);
    if (rc == PNCP_E_CANCELLED && !save_what_is_finished(run)) {
        /* the saver hangs in its store and cannot be joined: leave as a kill would; the file is old or new, never half.
         * What it holds is asked for again */
        struct pncp_err full = PNCP_ERR_INIT;
        if (fill_lots(run, true, &full) == PNCP_OK)
            spool_lot(run, &run->lots[PNCP_LOT_NEW]);
        pncp_report_end(run, rc, err);
        _exit(128 + pncp_stop_signal());
    }
    pncp_saver_finish(&run->saver);
    if (run->saver.started)
        collect_saved(run);
    if (run->saver.started && rc != PNCP_OK && (err->transient || rc == PNCP_E_CANCELLED))
        spool_unsaved(run);
    for (int kind = 0; kind < PNCP_LOTS; kind++)
        pncp_filled_lot_release(&run->lots[kind]);
    return rc;
}

static enum pncp_code ingest_day(struct pncp_run *run, const void *ctx, struct pncp_err *err)
{
    (void)ctx;
    enum pncp_code rc = pncp_run_open_lake(run, err);
    if (rc == PNCP_OK) {
        rc = run_day(run, err);
        uint64_t cpu = pncp_clock_cpu_us();
        rc = pncp_run_finish(run, rc, err);
        run->cpu_finish_us = pncp_clock_cpu_us() - cpu;
    } else {
        run->day->exit_code = pncp_exit_of(err);
    }
    pncp_report_end(run, rc, err);
    return rc;
}

enum pncp_code pncp_ingest_run(const struct pncp_ingest_options *options, struct pncp_event *event,
                               struct pncp_summary *ret_summary, struct pncp_err *err)
{
    return pncp_range_run(options, event, ingest_day, NULL, ret_summary, err);
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
