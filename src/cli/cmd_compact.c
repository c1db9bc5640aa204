#include "cli/cli.h"

static enum pncp_code format(const struct pncp_cli *cli, const struct pncp_compacted *c, struct pncp_buf *text)
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
    pncp_date_format(cli->date, date);
    return pncp_buf_format(
        text,
        "{\"v\":1,\"date\":\"%s\",\"compacted\":%s,\"contratacoes\":%" PRId64 ",\"row_groups_before\":%" PRIu64
        ",\"row_groups\":%" PRIu64 ",\"bytes_before\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n",
        date, c->done ? "true" : "false", c->rows, c->groups_before, c->groups_after, c->bytes_before, c->bytes_after);
}

int pncp_cmd_compact(const struct pncp_cli *cli)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_compacted compacted;
    const struct pncp_ingest_options job = pncp_cli_job(cli);
    struct pncp_event *event = pncp_cli_event(cli);
    if (event == NULL)
        return 75;
    enum pncp_code rc = pncp_compact_run(&job, event, &compacted, &err);
    pncp_event_free(event);
    if (rc == PNCP_OK && format(cli, &compacted, &text) != PNCP_OK)
        rc = pncp_err_set(&err, PNCP_E_NOMEM, "out of memory");
    return rc == PNCP_OK ? pncp_cli_print(pncp_buf_view(&text), 0) : pncp_cli_fail(&err);
}
