#include "base/backoff.h"
#include "base/random.h"

uint64_t pncp_backoff_ms(uint32_t first_ms, unsigned failures, int64_t retry_after_s, uint64_t *random_state)
{
    uint64_t wait = first_ms;
    for (unsigned i = 1; i < failures && wait < PNCP_BACKOFF_MAX_MS; i++)
        wait *= 2;
    wait = PNCP_MIN(wait, (uint64_t)PNCP_BACKOFF_MAX_MS);
    wait = wait / 2 + (wait == 0 ? 0 : pncp_splitmix(random_state) % (wait / 2 + 1));
    if (retry_after_s < 0)
        return wait;
    return PNCP_MAX(wait, PNCP_MIN((uint64_t)retry_after_s * 1000, (uint64_t)PNCP_RETRY_AFTER_MAX_MS));
}

uint64_t pncp_brake_ms(uint32_t brake_ms, int64_t retry_after_s, uint64_t *random_state)
{
    uint64_t wait = brake_ms;
    if (retry_after_s >= 0)
        wait = PNCP_MAX((uint64_t)retry_after_s * 1000, (uint64_t)PNCP_MIN(brake_ms, (uint32_t)PNCP_BRAKE_MIN_MS));
    return wait + pncp_splitmix(random_state) % (wait / 10 + 1);
}
