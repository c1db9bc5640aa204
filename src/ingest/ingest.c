#include "ingest/ingest.h"
#include "base/mem.h"
#include "base/random.h"
#include "day/complete.h"
#include "day/layout.h"
#include "ingest/run.h"
#include "ingest/task.h"
#include "pncp/url.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STOP_SAVE_MS 2000 /* after a signal: one attempt to save, so long at most (design section 5, Signals) */
#define STATE_EVERY_MS 10000
#define STATE_REMOTE_EVERY_MS 300000 /* a versioned bucket keeps each of them (design section 5) */
#define DRAIN_MS 5000                /* after --max-duration: for the answers under way */

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

/* ---- fetching -------------------------------------------------------------------------------- */

static bool room_for_more(const struct pncp_run *run)
{
    if (pncp_lots_any_full(run)) /* one is being saved and the next is full: fetching waits */
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
        pncp_lots_collect(run);
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
            rc = pncp_lots_fill(run, false, err);
        if (rc == PNCP_OK)
            rc = start_more(run, err);
        if (rc != PNCP_OK)
            return rc;
        if (run->plan_ended && run->compras != NULL)
            pncp_compras_stop(run->compras);
        if (all_fetched(run, listing_ended) && pncp_saver_idle(&run->saver)) {
            pncp_lots_collect(run);
            bool renewed_only = pncp_lots_empty(run, PNCP_LOT_NEW);
            if (renewed_only && pncp_lots_empty(run, PNCP_LOT_RENEWED))
                return ended(run, err);
            run->phase = PNCP_PHASE_SAVING;
            pncp_lots_hand_over(run, renewed_only ? PNCP_LOT_RENEWED : PNCP_LOT_NEW, true);
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
    pncp_lots_collect(run);
    if (pncp_saver_error(&run->saver, NULL) != PNCP_OK || pncp_lots_fill(run, true, &err) != PNCP_OK)
        return true;
    if (pncp_lots_empty(run,
                        PNCP_LOT_NEW)) /* rows fetched again are only worth a rewrite, for which there is no time */
        return true;
    pncp_lots_hand_over(run, PNCP_LOT_NEW, true);
    uint64_t used = pncp_clock_mono_ms() - begun;
    bool saved = pncp_saver_wait(&run->saver, used < STOP_SAVE_MS ? (uint32_t)(STOP_SAVE_MS - used) : 0);
    pncp_lots_collect(run);
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
    run->saver.state_every_ms = pncp_lake_is_remote(run->lake) ? STATE_REMOTE_EVERY_MS : STATE_EVERY_MS;
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
    if (rc == PNCP_OK)
        rc = pncp_works_init(&run->works, run->fetch, run->options->detail_url, run->options->confirm,
                             pncp_lots_note_failure, run, err);
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
        pncp_lots_spool(run);
        pncp_report_end(run, rc, err);
        _exit(128 + pncp_stop_signal());
    }
    pncp_saver_finish(&run->saver);
    if (run->saver.started)
        pncp_lots_collect(run);
    if (run->saver.started && rc != PNCP_OK && (err->transient || rc == PNCP_E_CANCELLED))
        pncp_lots_spool(run);
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
