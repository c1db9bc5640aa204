/* The same questions answered another way, to compare with: slower, by libc where it can, without the product's code.
 */
#ifndef PNCP_FUZZ_REFERENCE_H
#define PNCP_FUZZ_REFERENCE_H

#include "base/view.h"

/* pncp_decimal_parse of a JSON number. */
bool reference_decimal(struct pncp_view number, int scale, int64_t *ret_value);
/* pncp_datetime_parse. */
bool reference_datetime(struct pncp_view text, int64_t *ret_us);
/* pncp_date_parse: days since 1970-01-01. */
bool reference_date(struct pncp_view text, int64_t *ret_days);
/* Does `text` look like `shape`, in which 9 stands for any digit? */
bool reference_shape(struct pncp_view text, const char *shape);

#endif
