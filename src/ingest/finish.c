#include "base/clock.h"
#include "base/mem.h"
#include "day/complete.h"
#include "day/falhas_rows.h"
#include "day/state.h"
#include "ingest/run.h"

#include <stdio.h>
#include <string.h>

static void count_calls(struct pncp_run *run)
{
    if (run->fetch == NULL)
        return;
    struct pncp_fetch_counts consulta = pncp_fetch_counts(run->fetch, PNCP_API_CONSULTA),
                             detail = pncp_fetch_counts(run->fetch, PNCP_API_DETAIL);
    run->day->list_calls = (int64_t)consulta.requests;
    run->day->api_calls = (int64_t)detail.requests;
    run->day->retries = (int64_t)(consulta.retries + detail.retries);
}

static void count_remaining(struct pncp_run *run)
{
    struct pncp_day_summary *day = run->day;
    int64_t now_s = pncp_clock_now_us() / 1000000;
    day->listed = (int64_t)pncp_keyset_count(run->keys, PNCP_KEY_LISTED, 0);
    day->remaining = (int64_t)pncp_keyset_count(run->keys, PNCP_KEY_LISTED, PNCP_KEY_SAVED);
    const unsigned saved = PNCP_KEY_LISTED | PNCP_KEY_SAVED;
    day->done_before = (int64_t)(pncp_keyset_count(run->keys, saved, PNCP_KEY_TAKEN) +
                                 pncp_keyset_count(run->keys, saved | PNCP_KEY_TAKEN | PNCP_KEY_OLD, 0));
    day->failed_due = day->failed_waiting = 0;
    for (size_t i = 0; i < run->falhas.count; i++) {
        const struct pncp_falha *falha = &run->falhas.entries[i];
        unsigned flags = pncp_keyset_get(run->keys, falha->key);
        if (falha->kind != PNCP_FALHA_FAILED || (flags & PNCP_KEY_LISTED) == 0 || (flags & PNCP_KEY_SAVED) != 0)
            continue;
        day->failed_due += falha->not_before_s <= now_s;
        day->failed_waiting += falha->not_before_s > now_s;
    }
    day->untried = day->remaining - day->failed_due - day->failed_waiting;
}

static void list_failures(struct pncp_run *run)
{
    struct pncp_listing_failure failures[PNCP_MODALIDADES_MAX];
    size_t count = run->listing == NULL ? 0 : pncp_listing_failures(run->listing, failures);
    char names[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        char reason[PNCP_REASON_TEXT_BYTES];
        pncp_reason_format(failures[i].reason, failures[i].http_status, reason);
        run->day->modalidades_failed[run->day->modalidades_failed_count++] = failures[i].modalidade;
        int len = snprintf(names + used, sizeof(names) - used, "%s%d (%s)", i == 0 ? "" : ", ", failures[i].modalidade,
                           reason);
        used = PNCP_MIN(used + (size_t)PNCP_MAX(len, 0), sizeof(names) - 1);
    }
    if (count > 0)
        (void)snprintf(run->day->error, sizeof(run->day->error),
                       "modalidade %s could not be listed: the day is not complete, run again", names);
}

static enum pncp_code write_complete(struct pncp_run *run, struct pncp_err *err)
{
    struct pncp_situations situations;
    enum pncp_code rc = pncp_data_situations(&run->data, &situations, err);
    if (rc != PNCP_OK)
        return rc;
    const struct pncp_day_totals totals = pncp_data_totals(&run->data);
    const struct pncp_complete complete = {.contratacoes = run->data.rows,
                                           .itens = totals.itens,
                                           .arquivos = totals.arquivos,
                                           .ausente = situations.ausente,
                                           .vazio = situations.vazio,
                                           .list_at_s = run->list.info.list_at_s};
    return pncp_complete_write(&run->data, &complete, err);
}

/* The rows are saved: what comes after them says so when it fails. */
static enum pncp_code rows_are_saved(enum pncp_code rc, const char *what, struct pncp_err *err)
{
    return rc == PNCP_OK ? PNCP_OK : pncp_err_wrap(err, rc, "the rows are saved, %s", what);
}

/* Give back what fetching has used: a rewrite needs as much. */
static void end_fetching(struct pncp_run *run)
{
    if (run->fetching_ended)
        return;
    run->fetching_ended = true;
    pncp_saver_release(&run->saver);
    if (run->fetch != NULL)
        pncp_fetch_close(run->fetch);
    pncp_listing_free(run->listing);
    run->listing = NULL;
    pncp_works_release(&run->works);
    pncp_plan_release(&run->plan);
    pncp_list_close(&run->list);
    pncp_falhas_release(&run->falhas_before);
    pncp_mem_trim();
}

/* What follows may take long and reports nothing before its end: the progress file says so now. */
static void begin_rewriting(struct pncp_run *run)
{
    run->phase = PNCP_PHASE_REWRITING;
    pncp_report_progress(run);
    end_fetching(run);
}

/* The rows fetched again take their places. With --no-auto-resume only when all were asked for: the old rows stand when
 * it was interrupted. */
static enum pncp_code renew_rows(struct pncp_run *run, enum pncp_code rc, struct pncp_err *err)
{
    const struct pncp_rewrite rewrite = {.run_id = run->run_id, .stop = pncp_stop_flag(), .renewals = &run->renewals};
    struct pncp_commit_result result;
    uint64_t begun = pncp_clock_mono_ms();
    bool done, ended = rc == PNCP_OK || (rc == PNCP_E_UNAVAILABLE && !run->options->again.everything);
    if (run->renewals.rows == 0 || !ended)
        return PNCP_OK;
    begin_rewriting(run);
    rc = pncp_data_rewrite(&run->data, &rewrite, &done, &result, err);
    if (rc == PNCP_OK && done)
        pncp_report_renewed(run, &result, (double)(pncp_clock_mono_ms() - begun) / 1000);
    return rows_are_saved(rc, "those fetched again are not and will be asked for once more", err);
}

/* A final day that is whole: compacted, then `completo`. */
static enum pncp_code complete_day(struct pncp_run *run, struct pncp_err *err)
{
    struct pncp_commit_result result;
    bool done, there;
    enum pncp_code rc = pncp_complete_check(&run->data, &there, err);
    if (rc != PNCP_OK || there)
        return rc;
    begin_rewriting(run);
    uint64_t begun = pncp_clock_mono_ms();
    const struct pncp_rewrite rewrite = {.run_id = run->run_id, .stop = pncp_stop_flag()};
    rc = pncp_data_rewrite(&run->data, &rewrite, &done, &result, err);
    if (rc != PNCP_OK)
        return rows_are_saved(rc, "the day is not compacted", err);
    if (done) {
        pncp_event_log(run->event, PNCP_LEVEL_INFO, "rewrite",
                       "compacted: %" PRIu64 " row groups, %" PRIu64 " bytes, %.1f s", (uint64_t)result.row_groups,
                       result.file_bytes, (double)(pncp_clock_mono_ms() - begun) / 1000);
        rc = rows_are_saved(pncp_state_save(&run->data, err), "the state files are not", err);
    }
    return rc == PNCP_OK ? rows_are_saved(write_complete(run, err), "completo is not", err) : rc;
}

static bool empty_list(const struct pncp_run *run)
{
    return run->list_whole && run->day->listed == 0 && !run->options->allow_empty;
}

/* State and falhas as the data is now; their loss would cost only time, but a run that says it is done leaves them
 * right. */
static enum pncp_code save_rest(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_state_health health;
    char what[PNCP_STATE_WHAT_BYTES];
    enum pncp_code rc = rows_are_saved(pncp_falhas_settle(&run->falhas, &run->data, err), "falhas is not", err);
    bool stale = false;
    for (int part = 0; rc == PNCP_OK && part < PNCP_PARTS && !stale; part++) {
        rc = pncp_state_check(&run->data, (enum pncp_part)part, &health, what, err);
        stale = rc == PNCP_OK && health != PNCP_STATE_SOUND;
        if (stale && health == PNCP_STATE_DAMAGED)
            pncp_event_warning(run->event, "%s: rebuilt from the data", what);
    }
    if (rc == PNCP_OK && stale && run->data.exists)
        rc = rows_are_saved(pncp_state_save(&run->data, err), "the state files are not", err);
    return rc;
}

/* Are there more failed ones than --max-failed lets pass? */
static bool too_many_failed(const struct pncp_run *run)
{
    const struct pncp_share *max = &run->options->max_failed;
    int64_t failed = run->day->failed_due + run->day->failed_waiting + run->not_renewed + run->malformed;
    return max->percent ? failed * PNCP_SHARE_WHOLE > max->value * run->day->listed : failed > max->value;
}

static int exit_of_day(struct pncp_run *run)
{
    struct pncp_day_summary *day = run->day;
    if (day->modalidades_failed_count > 0)
        return 75;
    if (empty_list(run)) {
        (void)snprintf(day->error, sizeof(day->error),
                       "the list is empty: the day is not complete; run again later, or say --allow-empty");
        return 75;
    }
    return too_many_failed(run) ? 3 : 0;
}

enum pncp_code pncp_run_finish(struct pncp_run *run, enum pncp_code rc, struct pncp_err *err)
{
    struct pncp_day_summary *day = run->day;
    struct pncp_err finish_err = PNCP_ERR_INIT;
    if (run->keys == NULL || run->data.lake == NULL) { /* the day could not even be opened */
        day->exit_code = pncp_exit_of(err);
        return rc;
    }
    count_calls(run);
    list_failures(run);
    count_remaining(run);
    day->listed_final = run->list_whole && run->list.info.final && run->options->max_contratacoes == 0;
    enum pncp_code rest = renew_rows(run, rc, &finish_err);
    if (rest == PNCP_OK)
        rest = save_rest(run, &finish_err);
    day->complete = rc == PNCP_OK && day->listed_final && day->remaining == 0 && !empty_list(run);
    if (rest == PNCP_OK && day->complete)
        rest = complete_day(run, &finish_err);
    else if (rest == PNCP_OK && (day->remaining > 0 || run->malformed > 0))
        rest = pncp_complete_remove(run->lake, run->options->date, &finish_err);
    if (rc == PNCP_OK && rest != PNCP_OK) {
        rc = rest;
        *err = finish_err;
        day->complete = false;
    }
    day->exit_code = rc == PNCP_OK ? exit_of_day(run) : pncp_exit_of(err);
    return rc;
}

enum pncp_code pncp_run_finish_list(struct pncp_run *run, enum pncp_code rc, struct pncp_err *err)
{
    struct pncp_day_summary *day = run->day;
    count_calls(run);
    list_failures(run);
    day->listed = run->list.rows;
    day->listed_final = run->list_whole && run->list.info.final;
    day->exit_code = rc == PNCP_OK ? exit_of_day(run) : pncp_exit_of(err);
    return rc;
}
