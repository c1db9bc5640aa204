/*
 * Contratações under way: for each its two parts are asked, confirmed and kept until both are proven or one has failed.
 * What is finished waits here, in order of completion, for a lot. Whole or not at all: a contratação whose one part
 * failed gives no row.
 */
#ifndef PNCP_WORK_H
#define PNCP_WORK_H

#include "day/falhas.h"
#include "ingest/plan.h"
#include "ingest/task.h"
#include "pncp/part.h"

struct pncp_works;

struct pncp_work_side {    /* one part and the request under way for it */
    struct pncp_task task; /* first */
    struct pncp_fetch_request request;
    struct pncp_work *work;
    struct pncp_part_fetch fetch;
    struct pncp_buf url;
    bool asking;
};

struct pncp_work {
    struct pncp_works *works;
    struct pncp_plan_item item;
    struct pncp_work_side sides[PNCP_PARTS];
    int64_t obtained_us; /* when its last answer came */
    struct pncp_work *next, *previous;
};

struct pncp_work_failure {
    struct pncp_packed_key key;
    bool renew; /* its row stays as it was */
    enum pncp_falha_part part;
    bool contratacao; /* its own fields could not be got: the parts were not asked for (compras.h) */
    enum pncp_reason reason;
    long http_status;
};

struct pncp_works {
    struct pncp_fetch *fetch; /* borrowed, as is detail_url */
    const char *detail_url;
    enum pncp_confirm confirm;
    /* Called once for each contratação that could not be fetched. */
    void (*failed)(void *ctx, const struct pncp_work_failure *failure);
    void *ctx;
    size_t open;  /* contratações with a part still asked for */
    size_t bytes; /* held by all works: rows of their parts */
    struct pncp_part_scratch scratch;
    struct pncp_work *ready, **ready_tail; /* finished, oldest first */
    size_t ready_count;
    struct pncp_work *all; /* open ones, for release */
    struct pncp_err error; /* the first that ends the run (no memory) */
};

/* PNCP_E_NOMEM; release it then too. It must stay where it is in memory. */
MUST_CHECK enum pncp_code pncp_works_init(struct pncp_works *works, struct pncp_fetch *fetch, const char *detail_url,
                                          enum pncp_confirm confirm,
                                          void (*failed)(void *ctx, const struct pncp_work_failure *failure), void *ctx,
                                          struct pncp_err *err);
/* Only after the fetcher was freed. */
void pncp_works_release(struct pncp_works *works);
/* Start on an item; its chunk use is taken over, also on error. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_works_start(struct pncp_works *works, const struct pncp_plan_item *item,
                                           struct pncp_err *err);
/* The oldest finished one, or NULL; the caller's, to be freed with pncp_work_free. */
struct pncp_work *pncp_works_take(struct pncp_works *works);
void pncp_work_free(struct pncp_work *work);

#endif
