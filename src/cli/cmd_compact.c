#include "cli/cli.h"

static enum pncp_code format(const struct pncp_cli *cli, struct pncp_date day, const struct pncp_compacted *c,
                             struct pncp_buf *text)
{
    if (!cli->json && !c->done)
        return pncp_buf_format(text, "nothing to do: %" PRId64 " contratacoes in %" PRIu64 " row groups\n", c->rows,
                               c->groups_after);
    if (!cli->json)
        return pncp_buf_format(text,
                               "compacted: %" PRId64 " contratacoes, %" PRIu64 " -> %" PRIu64 " row groups, %" PRIu64
                               " -> %" PRIu64 " bytes\n",
                               c->rows, c->groups_before, c->groups_after, c->bytes_before, c->bytes_after);
    char date[PNCP_DATE_TEXT_BYTES];
    pncp_date_format(day, date);
    return pncp_buf_format(
        text,
        "{\"v\":1,\"date\":\"%s\",\"compacted\":%s,\"contratacoes\":%" PRId64 ",\"row_groups_before\":%" PRIu64
        ",\"row_groups\":%" PRIu64 ",\"bytes_before\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n",
        date, c->done ? "true" : "false", c->rows, c->groups_before, c->groups_after, c->bytes_before, c->bytes_after);
}

/* A range may have days without contratações, a day that is asked for by name should have some. */
static enum pncp_code compact_day(const struct pncp_cli *cli, struct pncp_date date, struct pncp_day_answer *answer,
                                  struct pncp_err *err)
{
    struct pncp_compacted compacted;
    struct pncp_ingest_options job = pncp_cli_job(cli);
    struct pncp_event *event;
    job.date = date;
    enum pncp_code rc = pncp_cli_event(cli, &event, err);
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_compact_run(&job, event, &compacted, err);
    pncp_event_free(event);
    if (rc == PNCP_OK && !compacted.there && !cli->days.range)
        rc = pncp_err_set(err, PNCP_E_NOTFOUND, "lake %s: nothing is saved of that day", job.lake_url);
    return rc == PNCP_OK ? format(cli, date, &compacted, &answer->text) : rc;
}

int pncp_cmd_compact(const struct pncp_cli *cli)
{
    return pncp_cli_days(cli, compact_day);
}
