/* Between the files of table/ only. */
#ifndef PNCP_TABLE_INT_H
#define PNCP_TABLE_INT_H

#include "table/table.h"

/* Append row `row` of `from` without an index: scans up to that row. */
MUST_CHECK enum pncp_code pncp_leaf_copy_scanned(struct pncp_leaf *to, const struct pncp_leaf *from, size_t row);

#endif
