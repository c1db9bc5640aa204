/* Random bytes for ids (getrandom) and a small seeded generator for jitter and tests (splitmix64; never for secrets).
 */
#ifndef PNCP_RANDOM_H
#define PNCP_RANDOM_H

#include "base/hex.h"

void pncp_random_bytes(void *data, size_t len);
void pncp_random_hex(size_t bytes, char *ret_text); /* ret_text holds PNCP_HEX_BYTES(bytes) */
uint64_t pncp_splitmix(uint64_t *state);
uint64_t pncp_hash64(const void *data, size_t len, uint64_t seed); /* not for hostile input */

#endif
