/* A lake in memory for the targets that need one: a folder in /dev/shm where there is one, made with the first use and
 * removed when the process ends. Its day is 2025-10-22. */
#ifndef PNCP_FUZZ_MEMORY_LAKE_H
#define PNCP_FUZZ_MEMORY_LAKE_H

#include "base/clock.h"
#include "lake/lake.h"

#define MEMORY_LAKE_RUN "20251023T060102Z-4f1c9a20"

struct pncp_lake *memory_lake(void);
struct pncp_date memory_lake_date(void);

#endif
