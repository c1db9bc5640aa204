/* When to try again: pure, tested as a table. */
#ifndef PNCP_BACKOFF_H
#define PNCP_BACKOFF_H

#include "base/base.h"

#define PNCP_BACKOFF_MAX_MS 60000
#define PNCP_BRAKE_MIN_MS 1000         /* a 429 whose Retry-After says "now" would be asked again without end */
#define PNCP_RETRY_AFTER_MAX_MS 300000 /* a 5xx that asks for longer is asked again after five minutes */

/* Milliseconds before try number `failures` + 1 (failures ≥ 1): first_ms doubled each time, at most
 * PNCP_BACKOFF_MAX_MS, jittered to 50-100 %; at least retry_after_s when that is given (≥ 0). */
uint64_t pncp_backoff_ms(uint32_t first_ms, unsigned failures, int64_t retry_after_s, uint64_t *random_state);
/* Pause of a whole API after 429: Retry-After when given (but a second at least, or brake_ms when that is shorter),
 * else brake_ms; plus up to a tenth, so that runs side by side do not come back together. */
uint64_t pncp_brake_ms(uint32_t brake_ms, int64_t retry_after_s, uint64_t *random_state);

#endif
