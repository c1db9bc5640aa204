#include "day/race.h"
#include "base/random.h"

#include <time.h>

#define WAIT_FIRST_MS 20

enum pncp_code pncp_race_lost(unsigned *losses, const char *path, struct pncp_err *err)
{
    if (++*losses >= PNCP_RACE_TRIES) {
        (void)pncp_err_set(err, PNCP_E_CONFLICT, "%s was changed by others %u times while it was being written", path,
                           *losses);
        if (err != NULL)
            err->transient = true;
        return PNCP_E_CONFLICT;
    }
    uint64_t longest_ms = WAIT_FIRST_MS, random;
    for (unsigned i = 1; i < *losses && longest_ms < PNCP_RACE_WAIT_MAX_MS; i++)
        longest_ms *= 2;
    longest_ms = PNCP_MIN(longest_ms, (uint64_t)PNCP_RACE_WAIT_MAX_MS);
    pncp_random_bytes(&random, sizeof(random));
    const struct timespec wait = {.tv_nsec = (long)(random % (longest_ms * 1000 + 1)) * 1000};
    (void)nanosleep(&wait, NULL);
    return PNCP_OK;
}
