/* Parquet's PLAIN encoding (Encodings.md, "Plain (PLAIN = 0)") of the values of a leaf. */
#ifndef PNCP_PLAIN_H
#define PNCP_PLAIN_H

#include "table/table.h"

#define PNCP_PLAIN_LENGTH_BYTES ((size_t)4) /* before each text */

/* Bytes of values [first, first + count); a boolean counts as a byte, of which it takes an eighth. */
size_t pncp_plain_bytes(const struct pncp_leaf *leaf, size_t first, size_t count);
/* Append them. PNCP_E_LIMIT, PNCP_E_NOMEM: as pncp_buf_reserve. */
MUST_CHECK enum pncp_code pncp_plain_put(struct pncp_buf *out, const struct pncp_leaf *leaf, size_t first,
                                         size_t count);
/* Append the length before a text; the caller has reserved its bytes. */
void pncp_plain_put_length(struct pncp_buf *out, size_t len);
/* Append the values (no slots) that `bytes` begins with to a leaf of that type. PNCP_E_PARSE: there are fewer ·
 * PNCP_E_NOMEM · PNCP_E_LIMIT: as pncp_leaf_reserve. */
MUST_CHECK enum pncp_code pncp_plain_get(struct pncp_view bytes, size_t count, struct pncp_leaf *to);

#endif
