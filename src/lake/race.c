#include "lake/race.h"
#include "base/clock.h"
#include "base/random.h"

#define WAIT_FIRST_MS 20

enum pncp_code pncp_race_lost(unsigned *losses, const char *path, struct pncp_err *err)
{
    if (++*losses >= PNCP_RACE_TRIES)
        return pncp_err_transient(
            err, pncp_err_set(err, PNCP_E_CONFLICT, "%s was changed by others %u times in a row", path, *losses));
    uint64_t longest_ms = PNCP_MIN((uint64_t)WAIT_FIRST_MS << (*losses - 1), (uint64_t)PNCP_RACE_WAIT_MAX_MS), random;
    pncp_random_bytes(&random, sizeof(random));
    pncp_clock_sleep_us(random % (longest_ms * 1000 + 1));
    return PNCP_OK;
}
