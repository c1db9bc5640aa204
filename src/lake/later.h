/*
 * What nobody misses, written by a thread of its own, so that whoever reports progress never waits for a store. One
 * object at a time: what has not been written when the next comes is forgotten.
 */
#ifndef PNCP_LATER_H
#define PNCP_LATER_H

#include "lake/lake.h"

struct pncp_later;
/* Writes one object; called in the thread. What becomes of it is nobody's concern. */
typedef void pncp_later_fn(void *ctx, const char *path, struct pncp_view bytes);
MUST_CHECK enum pncp_code pncp_later_new(pncp_later_fn *write, void *ctx, struct pncp_later **ret_later,
                                         struct pncp_err *err);
/* Copies both; without memory it is not written. */
void pncp_later_put(struct pncp_later *later, const char *path, struct pncp_view bytes);
/* Writes what is left, then ends. NULL is fine. */
void pncp_later_free(struct pncp_later *later);

#endif
