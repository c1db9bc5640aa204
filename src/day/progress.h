/* `progresso` and the run's record (docs/FORMATS.md): what dashboards and people read; nothing here decides anything.
 */
#ifndef PNCP_PROGRESS_H
#define PNCP_PROGRESS_H

#include "base/clock.h"
#include "lake/lake.h"

struct pncp_progress {
    const char *run_id, *phase;
    int64_t total, saved, errors, eta_s; /* eta_s -1: unknown */
    int64_t in_flight, in_flight_limit;
    double rate;
    int64_t itens, arquivos, api_calls, checkpoints;
    uint32_t last_checkpoint; /* its number; 0: none yet */
};
MUST_CHECK enum pncp_code pncp_progress_save(struct pncp_lake *lake, struct pncp_date date,
                                             const struct pncp_progress *progress, struct pncp_err *err);

struct pncp_run_record {
    const char *run_id, *version, *host, *scheduler_run_id, *consulta_url, *detail_url;
    int64_t started_us, ended_us;
    int argc;
    const char *const *argv;  /* without secrets */
    struct pncp_view summary; /* JSON */
};
MUST_CHECK enum pncp_code pncp_run_record_save(struct pncp_lake *lake, const struct pncp_run_record *record,
                                               struct pncp_err *err);

#endif
