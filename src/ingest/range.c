/* A job over its days, one run whatever their number. */
#include "base/version.h"
#include "day/run_record.h"
#include "ingest/run.h"

#include <unistd.h>

bool pncp_exit_goes_on(int exit_code)
{
    return exit_code == 0 || exit_code == 3;
}

int pncp_exit_worse(int a, int b)
{
    static const int rising[] = {0, 3, 75, 1, 2};
    size_t rank_a = 0, rank_b = 0; /* a signal's code is not in the list: the end of it */
    while (rank_a < PNCP_ARRAY_LEN(rising) && rising[rank_a] != a)
        rank_a++;
    while (rank_b < PNCP_ARRAY_LEN(rising) && rising[rank_b] != b)
        rank_b++;
    return rank_a >= rank_b ? a : b;
}

struct range {
    const struct pncp_ingest_options *options;
    struct pncp_event *event;
    struct pncp_began began;
    struct pncp_summary *summary;
    struct pncp_lake *lake; /* of the last day that was held: where the record goes; NULL: none was */
};

static enum pncp_code run_day(struct range *range, struct pncp_date date, pncp_day_job *job, const void *ctx,
                              struct pncp_err *err)
{
    struct pncp_run run;
    struct pncp_ingest_options options = *range->options;
    struct pncp_day_summary *day = pncp_summary_begin_day(range->summary, date);
    if (day == NULL) {
        enum pncp_code rc = pncp_err_set(err, PNCP_E_NOMEM, "summary: out of memory");
        pncp_event_log(range->event, PNCP_LEVEL_ERROR, "summary", "%s", err->msg);
        range->summary->exit_code = pncp_exit_worse(range->summary->exit_code, pncp_exit_of(err));
        return rc;
    }
    options.date = date;
    pncp_run_init(&run, &range->began, &options, range->event, day);
    enum pncp_code rc = job(&run, ctx, err);
    range->summary->exit_code = pncp_exit_worse(range->summary->exit_code, day->exit_code);
    if (run.lake != NULL)
        pncp_summary_set_lake(range->summary, pncp_lake_url(run.lake));
    if (pncp_hold_is_held(&run.hold)) {
        run.phase = PNCP_PHASE_ENDED;
        pncp_report_progress(&run);
        pncp_lake_free(range->lake);
        range->lake = run.lake;
        run.lake = NULL;
    }
    pncp_run_release(&run);
    return rc;
}

static void tell_day(struct range *range, struct pncp_date date)
{
    const struct pncp_days *days = &range->options->days;
    char text[PNCP_DATE_TEXT_BYTES];
    pncp_date_format(date, text);
    if (days->range)
        pncp_event_log(range->event, PNCP_LEVEL_INFO, "day", "%s begins, day %" PRId32 " of %" PRId32, text,
                       date.days - days->first.days + 1, days->last.days - days->first.days + 1);
}

/* What ends the run between two days, other than the first one's exit code: *ret_ends. */
static enum pncp_code look_around(struct range *range, struct pncp_date next, bool *ret_ends, struct pncp_err *err)
{
    uint32_t max_ms = range->options->max_duration_ms;
    char text[PNCP_DATE_TEXT_BYTES];
    pncp_date_format(next, text);
    *ret_ends = true;
    if (pncp_stop_signal() != 0) {
        enum pncp_code rc = pncp_err_set(err, PNCP_E_CANCELLED, "stopped by a signal before %s was begun", text);
        pncp_event_log(range->event, PNCP_LEVEL_ERROR, "summary", "%s", err->msg);
        range->summary->exit_code = pncp_exit_of(err);
        return rc;
    }
    *ret_ends = max_ms > 0 && pncp_clock_mono_ms() - range->began.at_ms >= max_ms;
    if (*ret_ends)
        pncp_event_log(range->event, PNCP_LEVEL_INFO, "stop",
                       "--max-duration is over: %s and what follows it was not begun", text);
    return PNCP_OK;
}

static void save_record(const struct range *range)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    const struct pncp_ingest_options *o = range->options;
    char host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    if (pncp_summary_json(range->summary, &text) != PNCP_OK)
        return;
    const struct pncp_run_record record = {.run_id = range->began.run_id,
                                           .version = PNCP_VERSION,
                                           .host = host,
                                           .scheduler_run_id = o->scheduler_run_id,
                                           .consulta_url = o->consulta_url,
                                           .detail_url = o->detail_url,
                                           .started_us = range->began.at_us,
                                           .ended_us = pncp_clock_now_us(),
                                           .argc = o->argc,
                                           .argv = o->argv,
                                           .summary = pncp_buf_view(&text)};
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_run_record_save(range->lake, &record, &err) != PNCP_OK)
        pncp_event_warning(range->event, "the run's record was not written: %s", err.msg);
}

enum pncp_code pncp_range_run(const struct pncp_ingest_options *options, struct pncp_event *event, pncp_day_job *job,
                              const void *ctx, struct pncp_summary *ret_summary, struct pncp_err *err)
{
    struct range range = {.options = options, .event = event, .began = pncp_began_now(), .summary = ret_summary};
    enum pncp_code rc = PNCP_OK;
    bool ends = false;
    pncp_summary_init(ret_summary, range.began.run_id, options->lake_url);
    for (struct pncp_date date = options->days.first; !ends; date.days++) {
        tell_day(&range, date);
        rc = run_day(&range, date, job, ctx, err);
        ends = date.days == options->days.last.days || !pncp_exit_goes_on(ret_summary->exit_code);
        if (!ends)
            rc = look_around(&range, (struct pncp_date){date.days + 1}, &ends, err);
    }
    if (range.lake != NULL)
        save_record(&range);
    pncp_lake_free(range.lake);
    return rc;
}
