/* Parquet's RLE / bit-packing hybrid (Encodings.md, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)"). */
#ifndef PNCP_RLE_H
#define PNCP_RLE_H

#include "base/buf.h"

/* Bits that hold 0 … max. */
unsigned pncp_rle_width(size_t max);

/* Append `count` values, each below 1 << width (width 1 to 16), without the length that precedes levels in a v1 page.
 * PNCP_E_LIMIT, PNCP_E_NOMEM: as pncp_buf_reserve. */
MUST_CHECK enum pncp_code pncp_rle_put(struct pncp_buf *out, const uint16_t *values, size_t count, unsigned width);
/* The first `count` of the values in `bytes`; false: there are fewer, or a run is unsound. Values that fill up the last
 * group, and bytes behind it, are passed over. */
MUST_CHECK bool pncp_rle_get(struct pncp_view bytes, unsigned width, size_t count, uint16_t *ret_values);

#endif
