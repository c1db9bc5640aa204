/* What must hold between the columns of a row group, and what no reader survives when it does not. */
#ifndef PNCP_GROUP_CHECK_H
#define PNCP_GROUP_CHECK_H

#include "table/table.h"

#define PNCP_GROUP_LISTS_MAX 16 /* of a schema; the largest has three */

struct pncp_group_check { /* set schema and rows, the rest zeroed */
    const struct pncp_schema *schema;
    uint64_t rows;
    size_t leaf_count; /* looked at so far */
    struct pncp_group_levels {
        uint64_t slots, hash;
    } seen[PNCP_GROUP_LISTS_MAX]; /* by LIST, in the schema's order: the repetition levels that its leaves share */
    struct {                      /* the column that comes in pieces */
        struct pncp_group_levels levels;
        uint64_t rows;
        size_t kept_slots, kept_values; /* at the beginning of the leaf, and looked at before */
    } now;
};

/* The next column: slots, values and levels must agree with each other, with the number of rows, and with the list's
 * other columns. PNCP_E_PARSE, naming the column. */
MUST_CHECK enum pncp_code pncp_group_check_leaf(struct pncp_group_check *check, const struct pncp_leaf *leaf,
                                                struct pncp_err *err);
/* The same in pieces of whole rows, which end at the same rows in all columns of a list. Between two pieces the caller
 * sets now.kept_… to what is left of the pieces before in `leaf`. After an error no more can be looked at. */
MUST_CHECK enum pncp_code pncp_group_check_piece(struct pncp_group_check *check, const struct pncp_leaf *leaf,
                                                 bool last, struct pncp_err *err);

#endif
