/* Bytes as lower-case hex digits. */
#ifndef PNCP_HEX_H
#define PNCP_HEX_H

#include "base/base.h"

#define PNCP_HEX_BYTES(bytes) (2 * (bytes) + 1)
/* `data` may be the second half of ret_text, which holds PNCP_HEX_BYTES(bytes): each byte is read before it is written
 * over. */
void pncp_hex(const void *data, size_t bytes, char *ret_text);

#endif
