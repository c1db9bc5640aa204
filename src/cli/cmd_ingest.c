#include "cli/cli.h"
#include "day/spool.h"

/* The summary as --json prints it; the exit code. */
static int print_summary(const struct pncp_summary *summary)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    if (pncp_summary_json(summary, &text) == PNCP_OK && pncp_buf_append(&text, "\n", 1) == PNCP_OK)
        return pncp_cli_print(pncp_buf_view(&text), summary->exit_code);
    struct pncp_err err = PNCP_ERR_INIT;
    (void)pncp_err_set(&err, PNCP_E_NOMEM, "summary: out of memory");
    return pncp_cli_fail(&err);
}

int pncp_cmd_ingest(const struct pncp_cli *cli)
{
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_summary summary;
    AUTO(pncp_buf_release) struct pncp_buf spool = {0};
    struct pncp_ingest_options job = pncp_cli_job(cli);
    job.spool = cli->spool;
    if (job.spool == NULL && pncp_spool_default(&spool) == PNCP_OK)
        job.spool = spool.data;
    struct pncp_event *event = pncp_cli_event(cli);
    if (event == NULL)
        return 75;
    (void)pncp_ingest_run(&job, event, &summary, &err); /* what went wrong has been told, and is in the summary */
    pncp_event_free(event);
    return cli->json ? print_summary(&summary) : summary.exit_code;
}

int pncp_cmd_retry(const struct pncp_cli *cli)
{
    return pncp_cmd_ingest(cli); /* the job's options say what it takes */
}

int pncp_cmd_list(const struct pncp_cli *cli)
{
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_summary summary;
    const struct pncp_ingest_options job = pncp_cli_job(cli);
    struct pncp_event *event = pncp_cli_event(cli);
    if (event == NULL)
        return 75;
    (void)pncp_list_run(&job, cli->again, event, &summary, &err);
    const struct pncp_day_summary *day = &summary.days[0];
    if (day->error[0] != '\0')
        pncp_event_log(event, PNCP_LEVEL_ERROR, "list", "%s", day->error);
    else
        pncp_event_log(event, PNCP_LEVEL_INFO, "list", "%" PRId64 " contratacoes listed%s (%" PRId64 " requests)",
                       day->listed,
                       day->already_complete ? " before, nothing asked"
                       : day->listed_final   ? ""
                                             : ", the day is not over",
                       day->list_calls);
    pncp_event_free(event);
    return cli->json ? print_summary(&summary) : summary.exit_code;
}
