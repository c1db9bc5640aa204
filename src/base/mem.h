/*
 * Allocation, through one seam: the fault suite wraps these (-Wl,--wrap=pncp_malloc …) to fail the n-th one.
 * Libraries (curl, yyjson, carquet, zstd) allocate for themselves.
 */
#ifndef PNCP_MEM_H
#define PNCP_MEM_H

#include "base/base.h"

MUST_CHECK void *pncp_malloc(size_t bytes);
MUST_CHECK void *pncp_calloc(size_t count, size_t bytes); /* overflow gives NULL */
/* Grow or shrink to count × bytes; NULL on failure, the old block stays. */
MUST_CHECK void *pncp_realloc(void *old, size_t count, size_t bytes);
MUST_CHECK char *pncp_strdup(const char *text);
MUST_CHECK char *pncp_asprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
void pncp_free(void *block);              /* NULL is fine */
void pncp_free_ptr(void *ptr_to_pointer); /* for AUTO(pncp_free_ptr) char *x; sets it to NULL */

/* Give free memory back to the system, before a phase that needs it in other sizes. */
void pncp_mem_trim(void);

/* Next capacity for an array that must hold `need` elements: at least 16, half as much again each time. */
size_t pncp_grow(size_t cap, size_t need);

#endif
