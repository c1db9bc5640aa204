#include "base/json_writer.h"
#include "cli/cli.h"
#include "day/run_record.h"

#define DAYS_BYTES 48

/* The records as they come, for people or for programs. */
struct runs {
    const struct pncp_cli *cli;
    struct pncp_buf text;
    struct pncp_json_writer w;
    size_t count;
};

static struct pncp_view text_of(yyjson_val *object, const char *name)
{
    return pncp_json_text(pncp_json_get(object, name));
}

static int64_t int_of(yyjson_val *object, const char *name)
{
    int64_t value = 0;
    return pncp_json_int(pncp_json_get(object, name), &value) ? value : 0;
}

static int64_t seconds_between(struct pncp_view from, struct pncp_view to)
{
    int64_t from_us = 0, to_us = 0;
    bool both = pncp_datetime_parse(from, &from_us) && pncp_datetime_parse(to, &to_us);
    return both ? (to_us - from_us) / 1000000 : 0;
}

/* The days of a run, and what it did on them together; `error`: of the last one that has any. */
struct sums {
    char days[DAYS_BYTES];
    int64_t saved, errors;
    struct pncp_view error;
};

static struct sums add_up(yyjson_val *days)
{
    struct sums sums = {.error = {"", 0}};
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(days, &iter);
    struct pncp_view first = {"", 0}, last = {"", 0};
    for (yyjson_val *day; (day = yyjson_arr_iter_next(&iter)) != NULL; last = text_of(day, "date")) {
        first = first.len == 0 ? text_of(day, "date") : first;
        sums.saved += int_of(day, "saved") + int_of(day, "renewed");
        sums.errors += int_of(day, "errors");
        if (text_of(day, "error").len > 0)
            sums.error = text_of(day, "error");
    }
    size_t used = (size_t)snprintf(sums.days, sizeof(sums.days), PNCP_VIEW_FMT, PNCP_VIEW_ARG(first));
    if (!pncp_view_eq(first, last) && used < sizeof(sums.days))
        (void)snprintf(sums.days + used, sizeof(sums.days) - used, ".." PNCP_VIEW_FMT, PNCP_VIEW_ARG(last));
    return sums;
}

static enum pncp_code put_line(struct runs *runs, yyjson_val *record)
{
    yyjson_val *summary = pncp_json_get(record, "summary");
    const struct sums sums = add_up(pncp_json_get(summary, "days"));
    struct pncp_view began = text_of(record, "started_at"), scheduler = text_of(record, "scheduler_run_id");
    enum pncp_code rc = PNCP_OK;
    if (runs->count == 0)
        rc = pncp_buf_format(&runs->text, "%-25s  %-18s  %8s  %4s  %7s  %6s  %s\n", "run", "days", "took", "exit",
                             "saved", "errors", "by");
    if (rc == PNCP_OK)
        rc = pncp_buf_format(
            &runs->text,
            "%-25.*s  %-18s  %6" PRId64 " s  %4" PRId64 "  %7" PRId64 "  %6" PRId64 "  " PNCP_VIEW_FMT "\n",
            PNCP_VIEW_ARG(text_of(record, "run_id")), sums.days, seconds_between(began, text_of(record, "ended_at")),
            int_of(summary, "exit_code"), sums.saved, sums.errors,
            PNCP_VIEW_ARG(scheduler.len > 0 ? scheduler : text_of(record, "host")));
    if (rc == PNCP_OK && sums.error.len > 0)
        rc = pncp_buf_format(&runs->text, "    " PNCP_VIEW_FMT "\n", PNCP_VIEW_ARG(sums.error));
    return rc;
}

static enum pncp_code take_record(void *ctx, yyjson_val *record, struct pncp_err *err)
{
    struct runs *runs = ctx;
    const char *wanted = runs->cli->scheduler_run_id;
    if (wanted != NULL && !pncp_view_eq_text(text_of(record, "scheduler_run_id"), wanted))
        return PNCP_OK;
    enum pncp_code rc = PNCP_OK;
    if (runs->cli->json)
        pncp_json_put_val(&runs->w, record);
    else
        rc = put_line(runs, record);
    runs->count++;
    return rc == PNCP_OK ? PNCP_OK : pncp_err_set(err, rc, "runs: out of memory");
}

static enum pncp_code collect(struct runs *runs, struct pncp_err *err)
{
    struct pncp_lake *lake = NULL;
    const struct pncp_lake_options options = {.unsafe_store = runs->cli->unsafe_store};
    enum pncp_code rc = pncp_lake_open(runs->cli->lake, &options, &lake, err);
    if (rc == PNCP_OK)
        rc = pncp_run_record_each(lake, pncp_clock_now_us() - (int64_t)runs->cli->since_ms * 1000, take_record, runs,
                                  err);
    pncp_lake_free(lake);
    return rc;
}

static enum pncp_code end(struct runs *runs)
{
    if (!runs->cli->json)
        return runs->count > 0 ? PNCP_OK : pncp_buf_text(&runs->text, "no run has ended in that time\n");
    pncp_json_array_end(&runs->w);
    pncp_json_object_end(&runs->w);
    enum pncp_code rc = pncp_json_writer_end(&runs->w);
    return rc == PNCP_OK ? pncp_buf_text(&runs->text, "\n") : rc;
}

int pncp_cmd_runs(const struct pncp_cli *cli)
{
    struct runs runs = {.cli = cli};
    struct pncp_err err = PNCP_ERR_INIT;
    pncp_json_writer_init(&runs.w, &runs.text);
    if (cli->json) {
        pncp_json_object_begin(&runs.w);
        pncp_json_field_int(&runs.w, "v", 1);
        pncp_json_field_text(&runs.w, "lake", pncp_view_of(cli->lake));
        pncp_json_key(&runs.w, "runs");
        pncp_json_array_begin(&runs.w);
    }
    enum pncp_code rc = collect(&runs, &err);
    if (rc == PNCP_OK && end(&runs) != PNCP_OK)
        rc = pncp_err_set(&err, PNCP_E_NOMEM, "runs: out of memory");
    int code = rc == PNCP_OK ? pncp_cli_print(pncp_buf_view(&runs.text), 0) : pncp_cli_fail(&err);
    pncp_buf_release(&runs.text);
    return code;
}
