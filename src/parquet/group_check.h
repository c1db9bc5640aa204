/* What must hold between the columns of a row group, and what no reader survives when it does not. */
#ifndef PNCP_GROUP_CHECK_H
#define PNCP_GROUP_CHECK_H

#include "table/table.h"

struct pncp_group_check { /* set schema and rows, the rest zeroed */
    const struct pncp_schema *schema;
    uint64_t rows;
    size_t leaf_count; /* looked at so far */
    struct {
        size_t slots;
        uint64_t hash;
    } seen[PNCP_SCHEMA_NODES_MAX]; /* by LIST node: the repetition levels that its leaves share */
};

/* The next column: slots, values and levels must agree with each other, with the number of rows, and with the list's
 * other columns. PNCP_E_PARSE, naming the column. */
MUST_CHECK enum pncp_code pncp_group_check_leaf(struct pncp_group_check *check, const struct pncp_leaf *leaf,
                                                struct pncp_err *err);

#endif
