#include "ingest/work.h"
#include "base/clock.h"
#include "base/mem.h"
#include "pncp/url.h"

#include <assert.h>

static void side_done(struct pncp_task *task, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                      struct pncp_buf *body);

enum pncp_code pncp_works_init(struct pncp_works *works, struct pncp_fetch *fetch, const char *detail_url,
                               enum pncp_confirm confirm,
                               void (*failed)(void *ctx, const struct pncp_work_failure *failure), void *ctx,
                               struct pncp_err *err)
{
    *works =
        (struct pncp_works){.fetch = fetch, .detail_url = detail_url, .confirm = confirm, .failed = failed, .ctx = ctx};
    works->ready_tail = &works->ready;
    enum pncp_code rc = pncp_part_scratch_init(&works->scratch);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_set(err, rc, "fetch: out of memory");
}

void pncp_work_free(struct pncp_work *work)
{
    if (work == NULL)
        return;
    for (size_t i = 0; i < PNCP_PARTS; i++) {
        work->works->bytes -= work->sides[i].fetch.rows.cells.cap;
        pncp_part_release(&work->sides[i].fetch);
        pncp_buf_release(&work->sides[i].url);
    }
    pncp_rows_chunk_drop(work->item.chunk);
    pncp_free(work);
}

static void link_open(struct pncp_work *work)
{
    struct pncp_works *works = work->works;
    work->next = works->all;
    work->previous = NULL;
    if (works->all != NULL)
        works->all->previous = work;
    works->all = work;
    works->open++;
}

static void unlink_open(struct pncp_work *work)
{
    struct pncp_works *works = work->works;
    *(work->previous == NULL ? &works->all : &work->previous->next) = work->next;
    if (work->next != NULL)
        work->next->previous = work->previous;
    work->next = work->previous = NULL;
    works->open--;
}

void pncp_works_release(struct pncp_works *works)
{
    struct pncp_work *work;
    while ((work = works->all) != NULL) {
        unlink_open(work);
        pncp_work_free(work);
    }
    while ((work = pncp_works_take(works)) != NULL)
        pncp_work_free(work);
    pncp_part_scratch_release(&works->scratch);
}

struct pncp_work *pncp_works_take(struct pncp_works *works)
{
    struct pncp_work *work = works->ready;
    if (work == NULL)
        return NULL;
    works->ready = work->next;
    if (works->ready == NULL)
        works->ready_tail = &works->ready;
    works->ready_count--;
    work->next = NULL;
    return work;
}

/* Send the request that the part wants now. */
static enum pncp_code ask(struct pncp_work_side *side, bool urgent)
{
    struct pncp_works *works = side->work->works;
    struct pncp_part_request want = pncp_part_next(&side->fetch);
    struct pncp_key key;
    pncp_key_unpack(side->work->item.key, &key);
    enum pncp_code rc = want.quantidade ? pncp_url_quantidade(&side->url, works->detail_url, &key, side->fetch.part)
                                        : pncp_url_part(&side->url, works->detail_url, &key, side->fetch.part,
                                                        want.page, want.page_rows);
    if (rc != PNCP_OK)
        return rc;
    side->request = (struct pncp_fetch_request){.api = PNCP_API_DETAIL,
                                                .kind = want.quantidade ? PNCP_KIND_COUNT : PNCP_KIND_LIST,
                                                .url = side->url.data,
                                                .owner = &side->task};
    side->asking = true;
    pncp_fetch_submit(works->fetch, &side->request, urgent);
    return PNCP_OK;
}

enum pncp_code pncp_works_start(struct pncp_works *works, const struct pncp_plan_item *item, struct pncp_err *err)
{
    struct pncp_work *work = pncp_calloc(1, sizeof(*work));
    if (work == NULL) {
        pncp_rows_chunk_drop(item->chunk);
        return pncp_err_set(err, PNCP_E_NOMEM, "fetch: out of memory");
    }
    work->works = works;
    work->item = *item;
    for (int i = 0; i < PNCP_PARTS; i++) {
        struct pncp_work_side *side = &work->sides[i];
        side->task.done = side_done;
        side->work = work;
        pncp_part_init(&side->fetch, (enum pncp_part)i, works->confirm);
    }
    link_open(work);
    for (int i = 0; i < PNCP_PARTS; i++) {
        if (ask(&work->sides[i], false) !=
            PNCP_OK) /* a first request that is under way stays so: released with the fetcher */
            return pncp_err_set(err, PNCP_E_NOMEM, "fetch: out of memory");
    }
    return PNCP_OK;
}

static void report_failure(struct pncp_work *work)
{
    const struct pncp_part_fetch *itens = &work->sides[PNCP_PART_ITENS].fetch,
                                 *arquivos = &work->sides[PNCP_PART_ARQUIVOS].fetch;
    bool itens_failed = itens->state == PNCP_PART_FAILED, arquivos_failed = arquivos->state == PNCP_PART_FAILED;
    const struct pncp_part_fetch *why = itens_failed ? itens : arquivos;
    struct pncp_work_failure failure = {.key = work->item.key,
                                        .renew = work->item.renew,
                                        .part = (itens_failed ? PNCP_FALHA_ITENS : 0) |
                                                (arquivos_failed ? PNCP_FALHA_ARQUIVOS : 0),
                                        .reason = why->reason,
                                        .http_status = why->http_status};
    work->works->failed(work->works->ctx, &failure);
}

static void finish(struct pncp_work *work)
{
    struct pncp_works *works = work->works;
    unlink_open(work);
    for (size_t i = 0; i < PNCP_PARTS; i++) {
        if (work->sides[i].fetch.state == PNCP_PART_FAILED) {
            report_failure(work);
            pncp_work_free(work);
            return;
        }
    }
    work->obtained_us = pncp_clock_now_us();
    *works->ready_tail = work;
    works->ready_tail = &work->next;
    works->ready_count++;
}

static void side_done(struct pncp_task *task, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                      struct pncp_buf *body)
{
    (void)request;
    struct pncp_work_side *side = (struct pncp_work_side *)task;
    struct pncp_work *work = side->work;
    struct pncp_works *works = work->works;
    side->asking = false;
    size_t before = side->fetch.rows.cells.cap;
    enum pncp_code rc = pncp_part_answer(&side->fetch, verdict, pncp_buf_view(body), &works->scratch);
    works->bytes = works->bytes - before + side->fetch.rows.cells.cap;
    const struct pncp_work_side *other = &work->sides[side == &work->sides[0]];
    bool hopeless = other->fetch.state == PNCP_PART_FAILED && !other->asking;
    if (rc == PNCP_OK && side->fetch.state == PNCP_PART_ASKING && !hopeless)
        rc = ask(side, true);
    if (rc == PNCP_E_NOMEM && works->error.code == PNCP_OK)
        (void)pncp_err_set(&works->error, rc, "fetch: out of memory");
    if (!side->asking && !other->asking)
        finish(work);
}
