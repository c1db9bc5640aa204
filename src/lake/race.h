/*
 * Runs that use one object at the same time: each conditional write has one winner, and whoever reads a version that is
 * replaced meanwhile has lost, too. Losers wait a random time, longer each time, before they read the new version and
 * try again, so that every one of them gets its turn.
 */
#ifndef PNCP_RACE_H
#define PNCP_RACE_H

#include "base/err.h"

#define PNCP_RACE_TRIES 12
#define PNCP_RACE_WAIT_MAX_MS 250

/* Another was faster with the object at `path`: count it in *losses, which starts at 0. PNCP_OK: try again; it has
 * waited up to 20 ms the first time, twice as long each time after it, PNCP_RACE_WAIT_MAX_MS at most · PNCP_E_CONFLICT,
 * transient: that was try number PNCP_RACE_TRIES, enough for now. */
MUST_CHECK enum pncp_code pncp_race_lost(unsigned *losses, const char *path, struct pncp_err *err);

#endif
