/*
 * Rows of one or more files in another order and in larger row groups. The sources' columns are decoded one at a time
 * and once each, whatever the number of row groups; what does not fit into memory waits in temporary files of the lake.
 */
#ifndef PNCP_REGROUP_H
#define PNCP_REGROUP_H

#include "day/columns.h"
#include "lake/lake.h"

struct pncp_regroup {
    const struct pncp_schema *schema; /* borrowed, as all of it; of the new file */
    const struct pncp_columns *inputs;
    size_t input_count;
    size_t rows;               /* of the new file */
    const volatile bool *stop; /* looked at before each column */
};

/* Append "PAR1" and the row groups to `stage`, an empty one; *ret_writer (caller frees) makes the footer that belongs
 * behind them from ret_entries (caller releases). *order: the rows of the new file, each one of the inputs' and none
 * twice, counted through all row groups of all inputs; it is taken and freed as soon as it was read. Memory: one column
 * of one new row group twice, 8 bytes a row, 16 bytes per column of each new row group. PNCP_E_CANCELLED: stop was set
 * · PNCP_E_PARSE: an input is damaged · PNCP_E_LIMIT · PNCP_E_NOMEM · errors of sources and lake. */
MUST_CHECK enum pncp_code pncp_regroup(const struct pncp_regroup *regroup, uint32_t **order, struct pncp_stage *stage,
                                       struct pncp_columns_writer **ret_writer, struct pncp_stage *ret_entries,
                                       struct pncp_err *err);

#endif
