/* `compact`: one rewrite of a day, by hand. */
#include "day/state.h"
#include "ingest/ingest.h"
#include "ingest/run.h"

static enum pncp_code compact_day(struct pncp_run *run, void *ctx, struct pncp_err *err)
{
    struct pncp_compacted *ret_compacted = ctx;
    struct pncp_compacted compacted = {.rows = 0};
    struct pncp_commit_result result;
    enum pncp_code rc = pncp_run_open_day(run, err);
    if (rc != PNCP_OK)
        return rc;
    compacted.there = run->data.exists;
    compacted.rows = run->data.rows;
    compacted.groups_before = run->data.footer.group_count;
    compacted.bytes_before = run->data.footer.file_bytes;
    const struct pncp_rewrite rewrite = {.run_id = run->run_id, .stop = pncp_stop_flag()};
    rc = pncp_data_rewrite(&run->data, &rewrite, &compacted.done, &result, err);
    if (rc == PNCP_OK && compacted.done)
        rc = pncp_state_save(&run->data, err);
    compacted.groups_after = run->data.footer.group_count;
    compacted.bytes_after = run->data.footer.file_bytes;
    *ret_compacted = compacted;
    return rc;
}

enum pncp_code pncp_compact_run(const struct pncp_ingest_options *options, struct pncp_event *event,
                                struct pncp_compacted *ret_compacted, struct pncp_err *err)
{
    return pncp_run_on_old_lake(options, event, compact_day, ret_compacted, err);
}
