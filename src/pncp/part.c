#include "pncp/part.h"
#include "base/random.h"
#include "pncp/url.h"

#include <assert.h>

#define READS_MAX 4         /* of a list whose rows and count disagree in another way each time */
#define ABSENT_ROUNDS_MAX 2 /* a page absent although /quantidade counts rows: asked again so often */
#define SHRINKS_MAX 8       /* readings begun anew because pages were cut further while reading */
#define UNKNOWN (-1)

void pncp_part_init(struct pncp_part_fetch *part, enum pncp_part which, enum pncp_confirm confirm)
{
    *part = (struct pncp_part_fetch){.part = which,
                                     .confirm = confirm,
                                     .quantidade = UNKNOWN,
                                     .rows = {.part = which},
                                     .ask = {.page = 1, .page_rows = PNCP_PAGE_ROWS_DETAIL}};
}

static void drop_rows(struct pncp_part_fetch *part)
{
    pncp_part_rows_clear(&part->rows);
    part->pages = 0;
    part->total = 0;
}

void pncp_part_release(struct pncp_part_fetch *part)
{
    pncp_part_rows_release(&part->rows);
}

struct pncp_part_request pncp_part_next(const struct pncp_part_fetch *part)
{
    assert(part->state == PNCP_PART_ASKING);
    return part->ask;
}

static void done(struct pncp_part_fetch *part, enum pncp_situacao situacao)
{
    part->state = PNCP_PART_DONE;
    part->situacao = situacao;
    if (situacao == PNCP_SITUACAO_AUSENTE)
        part->total = UNKNOWN;
    pncp_part_rows_seal(&part->rows);
}

static void fail(struct pncp_part_fetch *part, enum pncp_reason reason, long http_status)
{
    part->state = PNCP_PART_FAILED;
    part->reason = reason;
    part->http_status = http_status;
    drop_rows(part);
}

static void ask_page(struct pncp_part_fetch *part, uint32_t page, uint32_t page_rows)
{
    part->ask = (struct pncp_part_request){.page = page, .page_rows = page_rows};
}

static void ask_quantidade(struct pncp_part_fetch *part)
{
    part->resume = part->ask;
    part->ask = (struct pncp_part_request){.quantidade = true};
}

/* ---- readings -------------------------------------------------------------------------------- */

static void begin_reading(struct pncp_part_fetch *part, uint32_t page_rows)
{
    drop_rows(part);
    part->counted = false;
    part->quantidade = UNKNOWN;
    part->short_rows = 0;
    ask_page(part, 1, page_rows);
}

/* Did this reading end as the one before did: with the same rows and the same number? Only then does a disagreement
 * stay; two readings that each missed another page have only their being wrong in common. */
static bool ended_alike(struct pncp_part_fetch *part)
{
    bool alike = part->reads > 0 && part->total == part->before_total && part->quantidade == part->before_counted &&
                 part->rows.ids_sum == part->before_sum;
    part->before_total = part->total;
    part->before_counted = part->quantidade;
    part->before_sum = part->rows.ids_sum;
    return alike;
}

/* The list has come to its end with part->total rows, and with a number from /quantidade where one was needed. */
static void end_reading(struct pncp_part_fetch *part)
{
    bool agrees = part->quantidade == UNKNOWN || part->quantidade == part->total, stays = ended_alike(part);
    part->reads++;
    if (!agrees && !stays && part->reads < READS_MAX) {
        begin_reading(part, PNCP_PAGE_ROWS_DETAIL);
        return;
    }
    part->differs = !agrees;
    if (!agrees && (!stays || part->total == 0)) /* or rows that are counted and not shown: nothing is proven */
        fail(part, PNCP_REASON_PAGE_MISMATCH, 200);
    else
        done(part, part->total > 0 ? PNCP_SITUACAO_OK : PNCP_SITUACAO_VAZIO);
}

/* Does what we have so far need a word from /quantidade? */
static bool wants_count(const struct pncp_part_fetch *part, bool full)
{
    if (part->confirm != PNCP_CONFIRM_AUTO)
        return part->confirm == PNCP_CONFIRM_ALWAYS;
    bool doubted = part->reads > 0 || part->absent_rounds > 0; /* answers contradicted each other before */
    return full || part->total >= PNCP_CONFIRM_FROM_ROWS || doubted;
}

/* A page after the first came shorter than its size although rows are missing: the end of a list that /quantidade
 * counts too high, or pages are cut further than before. The next page tells: when it has rows, all is read anew with
 * the smaller size. */
static void look_past_short_page(struct pncp_part_fetch *part, int64_t rows, struct pncp_part_request page)
{
    if (part->short_rows == 0) {
        part->short_rows = rows;
        ask_page(part, page.page + 1, page.page_rows);
        return;
    }
    if (++part->shrinks > SHRINKS_MAX) {
        end_reading(part);
        return;
    }
    int64_t quantidade = part->quantidade, size = part->short_rows;
    begin_reading(part, (uint32_t)size);
    part->counted = true;
    part->quantidade = quantidade;
}

/* After a page or a /quantidade: is it the whole, is a number needed, or is there more to ask? `fresh`: rows the last
 * page brought. */
static void go_on(struct pncp_part_fetch *part, int64_t rows, int64_t fresh, struct pncp_part_request page)
{
    bool full = rows >= (int64_t)page.page_rows;
    if (!part->counted && wants_count(part, full)) {
        part->last_rows = rows;
        part->last_fresh = fresh;
        ask_quantidade(part);
    } else if (!part->counted) {
        if (full && fresh > 0)
            ask_page(part, page.page + 1, page.page_rows);
        else
            end_reading(part);
    } else if (part->total >= part->quantidade || rows == 0) {
        end_reading(part);
    } else if (part->short_rows > 0 || (!full && page.page > 1)) {
        look_past_short_page(part, rows, page);
    } else if (fresh == 0) {
        end_reading(part);
    } else {
        /* what a cut first page gave is the size to ask for: then the page's start is the same however the API cuts */
        ask_page(part, page.page + 1, full ? page.page_rows : (uint32_t)rows);
    }
}

static enum pncp_code take_rows(struct pncp_part_fetch *part, yyjson_val *page, struct pncp_view body,
                                struct pncp_part_scratch *scratch, int64_t *ret_fresh)
{
    /* where the page was parsed in the body, that has changed both times in the same way */
    uint64_t hash = pncp_hash64(body.data, body.len, body.len);
    *ret_fresh = 0;
    /* the page before once more? A server that ignores `pagina` never ends, and rows without an id always look new */
    if (part->pages > 0 && hash == part->page_hash)
        return PNCP_OK;
    enum pncp_code rc = pncp_part_rows_add(&part->rows, scratch, page, ret_fresh);
    part->total = part->rows.count;
    if (rc != PNCP_OK || *ret_fresh == 0)
        return rc;
    part->page_hash = hash;
    return ++part->pages > PNCP_PART_PAGES_MAX ? PNCP_E_LIMIT : PNCP_OK;
}

static enum pncp_code take_page(struct pncp_part_fetch *part, const struct pncp_verdict *verdict, struct pncp_view body,
                                struct pncp_part_scratch *scratch)
{
    int64_t fresh = 0;
    struct pncp_part_request page = part->ask;
    if (verdict->kind == PNCP_VERDICT_ROWS) {
        enum pncp_code rc = take_rows(part, verdict->json.root, body, scratch, &fresh);
        if (rc != PNCP_OK)
            return rc;
    }
    go_on(part, verdict->kind == PNCP_VERDICT_ROWS ? verdict->count : 0, fresh, page);
    return PNCP_OK;
}

static void take_absent(struct pncp_part_fetch *part, const struct pncp_verdict *verdict)
{
    if (part->ask.page > 1) { /* beyond the end, as some answers have it */
        go_on(part, 0, 0, part->ask);
        return;
    }
    part->absent_status = verdict->http_status;
    part->absent_seen = true;
    ask_quantidade(part);
}

/* /quantidade after an absent page: nothing there either, or was the 404 false? */
static void settle_absent(struct pncp_part_fetch *part, int64_t quantidade)
{
    part->absent_seen = false;
    if (quantidade <= 0) {
        part->quantidade = quantidade;
        done(part, PNCP_SITUACAO_AUSENTE);
    } else if (++part->absent_rounds > ABSENT_ROUNDS_MAX) {
        fail(part, PNCP_REASON_HTTP, part->absent_status);
    } else {
        begin_reading(part, PNCP_PAGE_ROWS_DETAIL);
    }
}

static int64_t quantidade_of(const struct pncp_verdict *verdict)
{
    if (verdict->kind == PNCP_VERDICT_ABSENT)
        return UNKNOWN;
    return verdict->kind == PNCP_VERDICT_ROWS ? verdict->count : 0;
}

static void take_quantidade(struct pncp_part_fetch *part, const struct pncp_verdict *verdict)
{
    struct pncp_part_request page = part->resume;
    if (part->absent_seen) {
        settle_absent(part, quantidade_of(verdict));
    } else if (verdict->kind == PNCP_VERDICT_ABSENT &&
               part->total > 0) { /* rows without a count: one of the two is false */
        if (++part->absent_rounds > ABSENT_ROUNDS_MAX)
            fail(part, PNCP_REASON_HTTP, verdict->http_status);
        else
            begin_reading(part, PNCP_PAGE_ROWS_DETAIL);
    } else {
        part->counted = true;
        part->quantidade = quantidade_of(verdict);
        go_on(part, part->last_rows, part->last_fresh, page);
    }
}

enum pncp_code pncp_part_answer(struct pncp_part_fetch *part, const struct pncp_verdict *verdict, struct pncp_view body,
                                struct pncp_part_scratch *scratch)
{
    assert(part->state == PNCP_PART_ASKING);
    enum pncp_code rc = PNCP_OK;
    switch (verdict->kind) {
    case PNCP_VERDICT_ROWS:
    case PNCP_VERDICT_NO_ROWS:
        if (part->ask.quantidade)
            take_quantidade(part, verdict);
        else
            rc = take_page(part, verdict, body, scratch);
        break;
    case PNCP_VERDICT_ABSENT:
        if (part->ask.quantidade)
            take_quantidade(part, verdict);
        else
            take_absent(part, verdict);
        break;
    case PNCP_VERDICT_RETRY:
    case PNCP_VERDICT_RETRY_FEW:
    case PNCP_VERDICT_BRAKE:
    case PNCP_VERDICT_REFUSED:
        fail(part, verdict->reason, verdict->http_status);
        break;
    }
    if (rc != PNCP_OK)
        fail(part, PNCP_REASON_TOO_LARGE, 200);
    return rc;
}
