/*
 * What differs from run to run stands still: the clock, and the ids, which follow from a seed; waits take no time. So
 * the same work on the same lake gives the same bytes, and a version that was looked at once need not be looked at
 * again. Linked with --wrap for base/clock.h, base/random.h, table/table.h and nanosleep.
 */
#ifndef STEADY_H
#define STEADY_H

#include "base/base.h"

#define STEADY_NOW_S INT64_C(1761202862) /* 2025-10-23T07:01:02Z */

/* The ids to come. No two seeds give the same ones. */
void steady_ids(uint32_t seed);
/* From now on a rewrite takes every column for one that is too large to be held whole, or not any longer. */
void steady_large_columns(bool large);

#endif
