/*
 * The state files (docs/FORMATS.md): which keys are done and how the day grew, for programs that do not read Parquet.
 * Made from the data alone, and thrown away and made again whenever their commit id is not the data's. Nothing here
 * decides what is done.
 */
#ifndef PNCP_STATE_H
#define PNCP_STATE_H

#include "day/data.h"

/* Write both files (itens, arquivos) from the data as it is in the lake now. Memory is flat: keys are read and written
 * group by group. When others have committed meanwhile, data is read anew. Errors of lake and data. */
MUST_CHECK enum pncp_code pncp_state_save(struct pncp_data *data, struct pncp_err *err);

#define PNCP_STATE_WHAT_BYTES 224
enum pncp_state_health {
    PNCP_STATE_SOUND,
    PNCP_STATE_MISSING,
    PNCP_STATE_STALE /* of another commit, or another run commits just now */,
    PNCP_STATE_DAMAGED
};
/* Is the part's file that of the data's commit? Compared whole: keys in the file's row order, executions with the
 * history. ret_what: one line about the first difference. */
MUST_CHECK enum pncp_code pncp_state_check(struct pncp_data *data, enum pncp_part part,
                                           enum pncp_state_health *ret_health, char ret_what[PNCP_STATE_WHAT_BYTES],
                                           struct pncp_err *err);

#endif
