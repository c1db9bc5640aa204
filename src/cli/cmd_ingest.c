#include "cli/cli.h"
#include "day/spool.h"

/* The summary where --json wants it; the exit code. */
static int end_with(const struct pncp_cli *cli, const struct pncp_summary *summary)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    if (!cli->json)
        return summary->exit_code;
    if (pncp_summary_json(summary, &text) == PNCP_OK && pncp_buf_append(&text, "\n", 1) == PNCP_OK)
        return pncp_cli_print(pncp_buf_view(&text), summary->exit_code);
    struct pncp_err err = PNCP_ERR_INIT;
    (void)pncp_err_set(&err, PNCP_E_NOMEM, "summary: out of memory");
    return pncp_cli_fail(&err);
}

int pncp_cmd_ingest(const struct pncp_cli *cli)
{
    AUTO(pncp_summary_release) struct pncp_summary summary = {.day_count = 0};
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_buf_release) struct pncp_buf spool = {0};
    struct pncp_ingest_options job = pncp_cli_job(cli);
    job.spool = cli->spool;
    if (job.spool == NULL && pncp_spool_default(&spool) == PNCP_OK)
        job.spool = spool.data;
    struct pncp_event *event;
    if (pncp_cli_event(cli, &event, &err) != PNCP_OK)
        return pncp_cli_fail(&err);
    (void)pncp_ingest_run(&job, event, &summary, &err); /* what went wrong has been told, and is in the summary */
    pncp_event_free(event);
    return end_with(cli, &summary);
}

int pncp_cmd_retry(const struct pncp_cli *cli)
{
    return pncp_cmd_ingest(cli); /* the job's options say what it takes */
}

int pncp_cmd_list(const struct pncp_cli *cli)
{
    AUTO(pncp_summary_release) struct pncp_summary summary = {.day_count = 0};
    struct pncp_err err = PNCP_ERR_INIT;
    const struct pncp_ingest_options job = pncp_cli_job(cli);
    struct pncp_event *event;
    if (pncp_cli_event(cli, &event, &err) != PNCP_OK)
        return pncp_cli_fail(&err);
    (void)pncp_list_run(&job, cli->again, event, &summary, &err);
    pncp_event_free(event);
    return end_with(cli, &summary);
}
