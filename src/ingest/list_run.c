/* `list`: only the day's list, fetched and saved. */
#include "base/mem.h"
#include "day/complete.h"
#include "ingest/ingest.h"
#include "ingest/run.h"

#include <stdio.h>

static enum pncp_code fetch_list(struct pncp_run *run, struct pncp_err *err)
{
    enum pncp_code rc = pncp_run_start_fetcher(run, err);
    if (rc == PNCP_OK)
        rc = pncp_run_fetch_list(run, err);
    return rc == PNCP_OK ? pncp_run_end_listing(run, err) : rc;
}

/* A list that has grown: the day is not complete any more. Data that cannot be read is for ingest to tell. */
static enum pncp_code reopen_day(struct pncp_run *run, struct pncp_err *err)
{
    if (!run->list_whole || pncp_data_open(run->lake, run->options->date, run->keys, &run->data, NULL) != PNCP_OK ||
        pncp_keyset_count(run->keys, PNCP_KEY_LISTED, PNCP_KEY_SAVED) == 0)
        return PNCP_OK;
    return pncp_complete_remove(run->lake, run->options->date, err);
}

static enum pncp_code list_day(struct pncp_run *run, bool again, struct pncp_err *err)
{
    if (pncp_keyset_new(&run->keys) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "keys: out of memory");
    enum pncp_code rc = again ? PNCP_E_NOTFOUND : pncp_run_open_saved_list(run, err);
    if (rc == PNCP_OK) {
        run->list_whole = true;
        run->day->already_complete = true;
        return PNCP_OK;
    }
    if (rc == PNCP_E_NOTFOUND)
        rc = fetch_list(run, err);
    return rc == PNCP_OK ? reopen_day(run, err) : rc;
}

static void tell_end(struct pncp_run *run)
{
    const struct pncp_day_summary *day = run->day;
    if (day->error[0] != '\0')
        pncp_event_log(run->event, PNCP_LEVEL_ERROR, "list", "%s", day->error);
    else
        pncp_event_log(run->event, PNCP_LEVEL_INFO, "list", "%" PRId64 " contratacoes listed%s (%" PRId64 " requests)",
                       day->listed,
                       day->already_complete ? " before, nothing asked"
                       : day->listed_final   ? ""
                                             : ", the day is not over",
                       day->list_calls);
}

static enum pncp_code list_job(struct pncp_run *run, const void *again, struct pncp_err *err)
{
    enum pncp_code rc = pncp_run_open_lake(run, err);
    if (rc == PNCP_OK)
        rc = list_day(run, *(const bool *)again, err);
    rc = pncp_run_finish_list(run, rc, err);
    if (rc != PNCP_OK)
        (void)snprintf(run->day->error, sizeof(run->day->error), "%s", err->msg);
    run->day->seconds = (double)(pncp_clock_mono_ms() - run->started_ms) / 1000.0;
    tell_end(run);
    return rc;
}

enum pncp_code pncp_list_run(const struct pncp_ingest_options *options, bool again, struct pncp_event *event,
                             struct pncp_summary *ret_summary, struct pncp_err *err)
{
    return pncp_range_run(options, event, list_job, &again, ret_summary, err);
}
