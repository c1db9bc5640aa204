#include "ingest/ingest.h"
#include "base/mem.h"
#include "base/random.h"
#include "day/complete.h"
#include "day/layout.h"
#include "ingest/input.h"
#include "ingest/run.h"
#include "ingest/task.h"
#include "pncp/rows.h"
#include "pncp/url.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STOP_SAVE_MS 2000 /* after a signal: one attempt to save, so long at most (design section 5, Signals) */
#define SAVE_RETRY_MS 30000
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

static bool is_listing(const struct pncp_run *run)
{
    return run->listing != NULL && !pncp_listing_finished(run->listing);
}

int64_t pncp_run_total(const struct pncp_run *run)
{
    bool all;
    int64_t listed = (int64_t)pncp_keyset_count(run->keys, PNCP_KEY_LISTED, 0);
    int64_t done_before = (int64_t)pncp_keyset_count(run->keys, PNCP_KEY_LISTED | PNCP_KEY_SAVED, PNCP_KEY_TAKEN);
    if (is_listing(run))
        listed = PNCP_MAX(listed, pncp_listing_expected(run->listing, &all));
    if (run->options->max_contratacoes > 0)
        listed = PNCP_MIN(listed, run->options->max_contratacoes);
    int64_t total = PNCP_MAX(listed - done_before, (int64_t)0);
    return run->batch > 0 ? PNCP_MIN(total, run->batch) : total;
}

/* The sizes, as soon as they can be told: only `auto` waits for the size of the day. Then the number of line 1: exact
 * with a list at hand, else the sum of totalRegistros once all have said theirs. */
static void announce(struct pncp_run *run)
{
    bool listing = is_listing(run), all = true,
         fixed = run->options->checkpoint_every != PNCP_AUTO && run->options->batch_size != PNCP_BATCH_AUTO;
    int64_t size = listing ? pncp_listing_expected(run->listing, &all) : run->list.rows;
    if (!run->sizes_known && (fixed || all))
        settle_sizes(run, size);
    if (all && (run->announced < 0 || !listing))
        pncp_report_total(run);
}

/* ---- lots ------------------------------------------------------------------------------------ */

static bool lot_full(const struct pncp_run *run)
{
    size_t rows = run->lot.table.rows;
    return rows > 0 && (rows >= run->checkpoint_every || run->lot_bytes >= PNCP_LOT_BYTES_MAX);
}

static enum pncp_code lot_begin(struct pncp_run *run, struct pncp_err *err)
{
    if (run->lot.n != 0)
        return PNCP_OK;
    run->lot.n = run->lots_closed + 1;
    run->lot_bytes = 0;
    if (run->lot.table.leaves == NULL && pncp_table_init(&run->lot.table, pncp_details_schema()) != PNCP_OK)
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
    bool measure = run->options->fetch.measure_cpu;
    uint64_t cpu = measure ? pncp_clock_cpu_us() : 0;
    struct pncp_row_counts counts;
    const struct pncp_part_fetch parts[PNCP_PARTS] = {work->sides[0].fetch, work->sides[1].fetch}; /* read only */
    enum pncp_code rc = lot_begin(run, err); /* gives the lot its number */
    const struct pncp_row_stamp stamp = {
        .obtido_em_us = work->obtained_us, .run_id = pncp_view_of(run->run_id), .checkpoint = (int32_t)run->lot.n};
    if (rc == PNCP_OK)
        rc = pncp_rows_put_details(&run->lot.table, &work->item.chunk->rows, work->item.row, parts, &stamp, &counts,
                                   err);
    if (rc == PNCP_OK)
        rc = note_parts(run, work, err);
    if (rc != PNCP_OK)
        return rc;
    run->day->values_out_of_type += counts.misfits;
    run->lot_bytes = pncp_table_bytes(&run->lot.table);
    run->cpu_rows_us += measure ? pncp_clock_cpu_us() - cpu : 0;
    return PNCP_OK;
}

static void collect_saved(struct pncp_run *run)
{
    struct pncp_saved saved;
    if (pncp_saver_result(&run->saver, &saved)) {
        if (run->announced < 0) /* the listing is slower than a whole lot: the number so far */
            pncp_report_total(run);
        pncp_report_saved(run, &saved);
    }
    if (pncp_saver_idle(&run->saver))
        run->saving_bytes = 0;
}

/* The saver is idle; what became of the lot before is told first. */
static void hand_over(struct pncp_run *run, bool last)
{
    collect_saved(run);
    run->lot.last = last;
    run->lot.by_size = run->lot.table.rows > 0 && run->lot.table.rows < run->checkpoint_every && !last;
    run->lots_closed += run->lot.table.rows > 0;
    run->saving_bytes = run->lot_bytes;
    run->lot_bytes = 0;
    pncp_saver_give(&run->saver, &run->lot);
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
    if (max == 0 || run->out_of_time || pncp_clock_mono_ms() - run->started_ms < max)
        return;
    run->out_of_time = run->plan_ended = true;
    pncp_event_log(run->event, PNCP_LEVEL_INFO, "stop", "--max-duration is over: %zu contratacoes are under way",
                   run->works.open);
}

static bool all_fetched(const struct pncp_run *run, bool listing_ended)
{
    uint64_t end = run->started_ms + run->options->max_duration_ms + DRAIN_MS;
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
        look_at_the_time(run);
        if (rc == PNCP_OK)
            rc = fill_lots(run, false, err);
        if (rc == PNCP_OK)
            rc = start_more(run, err);
        if (rc != PNCP_OK)
            return rc;
        if (all_fetched(run, listing_ended) && pncp_saver_idle(&run->saver)) {
            collect_saved(run);
            if (run->lot.table.rows == 0 && run->lot.note_count == 0)
                return ended(run, err);
            run->phase = PNCP_PHASE_SAVING;
            hand_over(run, true);
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
    run->saver.run_id = run->run_id;
    run->saver.retry_ms = SAVE_RETRY_MS;
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
    if (rc == PNCP_OK)
        rc = pncp_run_start_fetcher(run, err);
    if (rc == PNCP_OK)
        pncp_fetch_set_candidates(run->fetch, probe_candidate);
    pncp_works_init(&run->works, run->fetch, run->options->detail_url, run->options->confirm, work_failed, run);
    if (rc == PNCP_OK)
        rc = pncp_run_open_list(run, err);
    if (rc != PNCP_OK)
        return rc;
    if (run->listing == NULL && run->list_whole && pncp_run_total(run) == 0 && run->list.info.final &&
        run->list.rows > 0) {
        run->day->already_complete = true;
        return PNCP_OK;
    }
    if (run->listing == NULL && pncp_run_total(run) > 0) /* sensors must not see it while the day grows */
        rc = pncp_complete_remove(run->lake, run->options->date, err);
    if (rc == PNCP_OK)
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
    if (run->saver.started)
        collect_saved(run);
    pncp_filled_lot_release(&run->lot);
    return rc;
}

enum pncp_code pncp_ingest_run(const struct pncp_ingest_options *options, struct pncp_event *event,
                               struct pncp_summary *ret_summary, struct pncp_err *err)
{
    struct pncp_run run;
    pncp_run_init(&run, options, event, ret_summary);
    enum pncp_code rc = pncp_run_open_lake(&run, ret_summary, err);
    bool held = rc == PNCP_OK;
    if (held) {
        rc = run_day(&run, err);
        uint64_t cpu = pncp_clock_cpu_us();
        rc = pncp_run_finish(&run, rc, err);
        run.cpu_finish_us = pncp_clock_cpu_us() - cpu;
    } else {
        run.day->exit_code = pncp_exit_of(err);
    }
    ret_summary->exit_code = run.day->exit_code;
    pncp_report_end(&run, rc, err);
    if (held)
        pncp_run_record(&run, ret_summary);
    pncp_run_release(&run);
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
