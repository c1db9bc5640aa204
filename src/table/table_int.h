/* Between the files of table/ only. */
#ifndef PNCP_TABLE_INT_H
#define PNCP_TABLE_INT_H

#include "table/table.h"

/* Append row `row` of `from` without an index: scans from the row that was copied before, or up to that row when it is
 * a nested leaf. */
MUST_CHECK enum pncp_code pncp_leaf_copy_scanned(struct pncp_leaf *to, struct pncp_leaf *from, size_t row);

#endif
