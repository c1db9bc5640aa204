/* `progresso` (docs/FORMATS.md): what dashboards and people read; nothing here decides anything. */
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

#endif
