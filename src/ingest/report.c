#include "base/clock.h"
#include "day/progress.h"
#include "ingest/run.h"

#include <stdio.h>
#include <unistd.h>

#define PROGRESS_EVERY_MS 2000 /* on a folder (design section 3) */
/* In a bucket, where each may be kept as a version: 30 an hour, beside 120 of the lease and 36 of state. */
#define PROGRESS_REMOTE_EVERY_MS 120000
#define MALFORMED_TOLD 20 /* rows of --input told one by one: a file that is wrong is wrong in every row */

static const char *phase_name(enum pncp_phase phase)
{
    static const char *const names[] = {"listing", "fetching", "saving", "rewriting", "ended"};
    return names[phase];
}

static double seconds_so_far(const struct pncp_run *run)
{
    return (double)(pncp_clock_mono_ms() - run->started_ms) / 1000.0;
}

static double rate_so_far(const struct pncp_run *run)
{
    double seconds = seconds_so_far(run);
    return seconds > 0 ? (double)(run->day->saved + run->renewed) / seconds : 0;
}

static int64_t eta_of(const struct pncp_run *run)
{
    double rate = rate_so_far(run);
    int64_t left = run->announced - run->day->saved - run->renewed - run->day->errors;
    return rate > 0 && run->announced >= 0 && left >= 0 ? (int64_t)((double)left / rate) : -1;
}

void pncp_report_total(struct pncp_run *run)
{
    int64_t total = pncp_run_total(run);
    if (total == run->announced)
        return;
    run->announced = total;
    pncp_event_processing(run->event, total);
}

void pncp_report_saved(struct pncp_run *run, const struct pncp_saved *saved)
{
    struct pncp_day_summary *day = run->day;
    const struct pncp_commit_result *commit = &saved->commit;
    if (!saved->committed)
        return;
    day->saved += commit->contratacoes;
    day->itens += commit->itens;
    day->arquivos += commit->arquivos;
    day->checkpoints++;
    day->has_checkpoint = true;
    day->last_checkpoint = (struct pncp_checkpoint_summary){.n = saved->n,
                                                            .at_s = pncp_clock_now_us() / 1000000,
                                                            .contratacoes = commit->contratacoes,
                                                            .bytes_sent = commit->bytes_sent,
                                                            .row_groups = commit->row_groups,
                                                            .file_bytes = commit->file_bytes,
                                                            .ms_encode = commit->ms_encode,
                                                            .ms_read = commit->ms_read,
                                                            .ms_send = commit->ms_send,
                                                            .ms_commit = commit->ms_commit};
    run->cpu_encode_us += commit->cpu_us_encode;
    run->cpu_fold_us += commit->cpu_us_fold;
    run->cpu_commit_us += commit->cpu_us_commit;
    const struct pncp_event_checkpoint line = {
        .n = saved->n,
        .saved = commit->contratacoes,
        .saved_so_far = day->saved,
        .total = run->announced,
        .itens = commit->itens,
        .arquivos = commit->arquivos,
        .seconds = (commit->ms_encode + commit->ms_read + commit->ms_send + commit->ms_commit) / 1000.0,
        .bytes_sent = commit->bytes_sent,
        .rate = rate_so_far(run),
        .by_size = saved->by_size,
        .last = saved->last};
    pncp_event_checkpoint(run->event, &line);
}

void pncp_report_failure(struct pncp_run *run, const struct pncp_work_failure *failure)
{
    char reason[PNCP_REASON_TEXT_BYTES], text[PNCP_KEY_TEXT_BYTES];
    struct pncp_key key;
    pncp_reason_format(failure->reason, failure->http_status, reason);
    pncp_key_unpack(failure->key, &key);
    pncp_key_format(&key, text);
    if (!failure->renew || run->options->again.everything) {
        run->day->errors++;
        pncp_summary_count_reason(run->day, reason);
    }
    pncp_event_log(run->event, PNCP_LEVEL_WARNING, "failure", "%s: %s could not be fetched%s: %s; %s", text,
                   failure->contratacao                   ? "the contratacao"
                   : failure->part == PNCP_FALHA_ITENS    ? "itens"
                   : failure->part == PNCP_FALHA_ARQUIVOS ? "arquivos"
                                                          : "itens and arquivos",
                   failure->renew ? " again" : "", reason, failure->renew ? "the row stays" : "kept in falhas");
}

void pncp_report_renewed(struct pncp_run *run, const struct pncp_commit_result *rewrite, double seconds)
{
    struct pncp_day_summary *day = run->day;
    day->renewed = rewrite->renewed;
    for (size_t i = 0; i < run->renewals.count; i++) {
        const struct pncp_renewal *renewal = &run->renewals.entries[i];
        day->itens += renewal->row == 0 ? 0 : renewal->itens_total;
        day->arquivos += renewal->row == 0 ? 0 : renewal->arquivos_total;
    }
    pncp_event_log(run->event, PNCP_LEVEL_INFO, "rewrite",
                   "renewed: %" PRId64 " contratacoes, %zu row groups, %" PRIu64 " bytes, %.1f s", rewrite->renewed,
                   rewrite->row_groups, rewrite->file_bytes, seconds);
}

void pncp_report_malformed(void *ctx, const char *path, int64_t row, const char *why)
{
    struct pncp_run *run = ctx;
    char reason[PNCP_REASON_TEXT_BYTES];
    pncp_reason_format(PNCP_REASON_MALFORMED_KEY, 0, reason);
    run->malformed++;
    run->day->errors++;
    pncp_summary_count_reason(run->day, reason);
    if (run->malformed <= MALFORMED_TOLD)
        pncp_event_warning(run->event, "--input %s: row %" PRId64 " left out: %s", path, row, why);
}

void pncp_report_malformed_end(struct pncp_run *run)
{
    if (run->malformed > MALFORMED_TOLD)
        pncp_event_warning(run->event, "--input %s: %" PRId64 " rows left out in all", run->options->input,
                           run->malformed);
}

void pncp_report_note(void *ctx, const struct pncp_fetch_note *note)
{
    struct pncp_run *run = ctx;
    char reason[PNCP_REASON_TEXT_BYTES];
    const char *api = note->api == PNCP_API_CONSULTA ? "listing" : "detail";
    pncp_reason_format(note->verdict->reason, note->verdict->http_status, reason);
    double wait_s = (double)note->wait_ms / 1000;
    switch (note->kind) {
    case PNCP_FETCH_NOTE_BRAKE:
        pncp_event_log(run->event, PNCP_LEVEL_INFO, "brake", "the %s API asks for a pause (%s): waiting %.1f s", api,
                       reason, wait_s);
        break;
    case PNCP_FETCH_NOTE_RETRY:
        pncp_event_log(run->event, PNCP_LEVEL_DEBUG, "retry", "%s: %s, again in %.1f s %s%s", note->url, reason, wait_s,
                       note->verdict->detail[0] == '\0' ? "" : ": ", note->verdict->detail);
        break;
    case PNCP_FETCH_NOTE_OUTAGE:
        pncp_event_log(run->event, PNCP_LEVEL_WARNING, "outage",
                       "the %s API answers nothing good (%s): one request probes, for %.0f s at most", api, reason,
                       wait_s);
        break;
    case PNCP_FETCH_NOTE_ALIVE:
        pncp_event_log(run->event, PNCP_LEVEL_INFO, "outage", "the %s API answers again after %.0f s", api, wait_s);
        break;
    }
}

void pncp_report_progress(struct pncp_run *run)
{
    if (!pncp_hold_is_held(&run->hold)) /* a day's progress is told by the run that holds the day; others only read */
        return;
    const struct pncp_day_summary *day = run->day;
    const struct pncp_progress progress = {
        .run_id = run->run_id,
        .phase = phase_name(run->phase),
        .total = PNCP_MAX(run->announced, (int64_t)0),
        .saved = day->saved,
        .errors = day->errors,
        .eta_s = eta_of(run),
        .in_flight = run->fetch == NULL ? 0 : (int64_t)pncp_fetch_in_flight(run->fetch, PNCP_API_DETAIL),
        .in_flight_limit = run->fetch == NULL ? 0 : pncp_fetch_limit(run->fetch, PNCP_API_DETAIL),
        .rate = rate_so_far(run),
        .itens = day->itens,
        .arquivos = day->arquivos,
        .api_calls =
            run->fetch == NULL ? day->api_calls : (int64_t)pncp_fetch_counts(run->fetch, PNCP_API_DETAIL).requests,
        .checkpoints = day->checkpoints,
        .last_checkpoint = day->has_checkpoint ? day->last_checkpoint.n : 0};
    if (pncp_progress_save(run->lake, run->options->date, &progress, NULL) != PNCP_OK)
        return; /* only for those who watch: the next one may do */
}

void pncp_report_tick(struct pncp_run *run)
{
    uint64_t now = pncp_clock_mono_ms();
    const struct pncp_event_live live = {.done = run->day->saved + run->renewed,
                                         .total = PNCP_MAX(run->announced, (int64_t)0),
                                         .errors = run->day->errors,
                                         .rate = rate_so_far(run),
                                         .in_flight = pncp_fetch_in_flight(run->fetch, PNCP_API_DETAIL),
                                         .limit = pncp_fetch_limit(run->fetch, PNCP_API_DETAIL),
                                         .last_checkpoint = run->day->has_checkpoint ? run->day->last_checkpoint.n : 0,
                                         .eta_s = eta_of(run),
                                         .phase = phase_name(run->phase)};
    pncp_event_live(run->event, &live);
    if (now - run->progress_at_ms >= (pncp_lake_is_remote(run->lake) ? PROGRESS_REMOTE_EVERY_MS : PROGRESS_EVERY_MS)) {
        run->progress_at_ms = now;
        pncp_report_progress(run);
    }
}

static void tell_end(struct pncp_run *run, enum pncp_code rc, const struct pncp_err *err)
{
    const struct pncp_day_summary *day = run->day;
    if (day->already_complete && day->exit_code == 0) {
        pncp_event_log(run->event, PNCP_LEVEL_INFO, "summary",
                       "the day is complete: %lld contratacoes, nothing left to do", (long long)day->listed);
        return;
    }
    if (day->exit_code == 0 || day->exit_code == 3) {
        pncp_event_done(run->event, day, day->saved + day->renewed + day->errors);
        if (day->failed_due + day->failed_waiting > 0)
            pncp_event_warning(run->event,
                               "%lld contratacoes could not be fetched: kept in falhas, the next run asks again",
                               (long long)(day->failed_due + day->failed_waiting));
        return;
    }
    if (day->exit_code == 2) { /* nothing was begun, so nothing has stopped */
        pncp_event_log(run->event, PNCP_LEVEL_ERROR, "summary", "%s", err->msg);
        return;
    }
    pncp_event_stopped(run->event, day->saved, PNCP_MAX(run->announced, (int64_t)0),
                       rc == PNCP_OK ? day->error : err->msg);
}

static void tell_cpu(struct pncp_run *run)
{
    struct pncp_fetch_cpu fetch = pncp_fetch_cpu(run->fetch);
    const struct {
        const char *stage;
        uint64_t us;
    } parts[] = {{"transport", fetch.transport_us}, {"json", fetch.json_us},    {"rows", run->cpu_rows_us},
                 {"encode", run->cpu_encode_us},    {"fold", run->cpu_fold_us}, {"commit", run->cpu_commit_us},
                 {"finish", run->cpu_finish_us}};
    char text[200] = "";
    size_t used = 0;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(parts); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %" PRIu64, i == 0 ? "" : ", ", parts[i].stage,
                                 parts[i].us / 1000);
    pncp_event_log(run->event, PNCP_LEVEL_DEBUG, "cpu", "cpu ms by stage: %s", text);
}

void pncp_report_end(struct pncp_run *run, enum pncp_code rc, const struct pncp_err *err)
{
    run->day->seconds = seconds_so_far(run);
    if (run->day->exit_code == 0 && rc != PNCP_OK)
        run->day->exit_code = pncp_exit_of(err);
    if (rc != PNCP_OK)
        (void)snprintf(run->day->error, sizeof(run->day->error), "%s", err->msg);
    tell_end(run, rc, err);
    if (run->options->fetch.measure_cpu && run->fetch != NULL)
        tell_cpu(run);
}
