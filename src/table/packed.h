/*
 * What some leaves hold, in one block of memory: for cells that wait until they are put into a table. Leaves grow by
 * allocations of their own, each with room to spare; a block has neither.
 */
#ifndef PNCP_PACKED_H
#define PNCP_PACKED_H

#include "table/table.h"

/* Append the content of `count` leaves to `out`, which holds nothing else than such. PNCP_E_NOMEM · PNCP_E_LIMIT. */
MUST_CHECK enum pncp_code pncp_packed_put(struct pncp_buf *out, const struct pncp_leaf *leaves, size_t count);
/* Append what was put once to `count` leaves of the same types and levels as then; *at, the place in `packed` where it
 * begins, goes on to its end. PNCP_E_NOMEM · PNCP_E_LIMIT: 4 GiB of text or slots. */
MUST_CHECK enum pncp_code pncp_packed_append(const struct pncp_buf *packed, size_t *at, struct pncp_leaf *leaves,
                                             size_t count);

#endif
