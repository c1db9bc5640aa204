/* Decimal digits for what is written once a row or a request: there printf takes ten times as long. */
#ifndef PNCP_DIGITS_H
#define PNCP_DIGITS_H

#include "base/base.h"

#define PNCP_INT_TEXT_BYTES 21 /* "-9223372036854775808" and its NUL */

/* `value` and a NUL, PNCP_INT_TEXT_BYTES at most; returns the length without the NUL. */
size_t pncp_digits_int(int64_t value, char *ret_text);
/* The last `count` digits of `value`, leading zeros included, without a NUL. */
void pncp_digits_pad(unsigned value, size_t count, char *ret_text);

#endif
