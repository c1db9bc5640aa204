/* Who asked: the owner of every request handed to the fetcher starts with one of these, so that one fetcher serves
 * several drivers (listing, details, verify). */
#ifndef PNCP_TASK_H
#define PNCP_TASK_H

#include "fetch/fetch.h"

struct pncp_task {
    /* The final answer to `request` (fetch/fetch.h, pncp_fetch_done_fn). */
    void (*done)(struct pncp_task *task, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                 struct pncp_buf *body);
};

/* The done function to give to pncp_fetch_new: hands the answer to request->owner, a struct pncp_task. */
void pncp_task_dispatch(void *ctx, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                        struct pncp_buf *body);

#endif
