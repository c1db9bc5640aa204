/* `adopt`: what another tool has left in a day's folder. */
#include "day/adopt.h"
#include "day/state.h"
#include "ingest/ingest.h"
#include "ingest/run.h"

static enum pncp_code adopt_day(struct pncp_run *run, void *ctx, struct pncp_err *err)
{
    struct pncp_adopted *ret_adopted = ctx;
    enum pncp_code rc = pncp_day_adopt(run->lake, run->options->date, run->run_id, pncp_stop_flag(), ret_adopted, err);
    for (size_t i = 0; i < ret_adopted->count; i++)
        pncp_event_log(run->event, PNCP_LEVEL_DEBUG, "adopt", "%s is kept as %s", ret_adopted->files[i].name,
                       ret_adopted->files[i].copy);
    if (rc == PNCP_OK && ret_adopted->emptied)
        rc = pncp_run_open_day(run, err);
    return rc == PNCP_OK && ret_adopted->emptied ? pncp_state_save(&run->data, err) : rc;
}

enum pncp_code pncp_adopt_run(const struct pncp_ingest_options *options, struct pncp_event *event,
                              struct pncp_adopted *ret_adopted, struct pncp_err *err)
{
    *ret_adopted = (struct pncp_adopted){0};
    return pncp_run_on_old_lake(options, event, adopt_day, ret_adopted, err);
}
