/*
 * The record that each run leaves in the lake when it ends (docs/FORMATS.md, execucoes): for those who ask what was
 * run, by whom and how it ended. Nothing here decides anything.
 */
#ifndef PNCP_RUN_RECORD_H
#define PNCP_RUN_RECORD_H

#include "base/clock.h"
#include "lake/lake.h"
#include "json/json.h"

struct pncp_run_record {
    const char *run_id, *version, *host, *scheduler_run_id, *consulta_url, *detail_url;
    int64_t started_us, ended_us;
    int argc;
    const char *const *argv;  /* without secrets */
    struct pncp_view summary; /* JSON */
};
/* Errors of the lake · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_run_record_save(struct pncp_lake *lake, const struct pncp_run_record *record,
                                               struct pncp_err *err);
/* The records of the runs that began at `since_us` or later, the oldest first; each as JSON, valid during the call,
 * whose error ends the walk. What is no record is passed over. PNCP_E_NOMEM · errors of the lake. */
MUST_CHECK enum pncp_code pncp_run_record_each(struct pncp_lake *lake, int64_t since_us,
                                               enum pncp_code (*each)(void *ctx, yyjson_val *record,
                                                                      struct pncp_err *err),
                                               void *ctx, struct pncp_err *err);

#endif
