#include "pncp/part.h"
#include "base/mem.h"
#include "base/random.h"
#include "pncp/url.h"

#include <assert.h>
#include <string.h>

#define READS_MAX 4         /* of a list whose rows and count disagree in another way each time */
#define ABSENT_ROUNDS_MAX 2 /* a page absent although /quantidade counts rows: asked again so often */
#define SHRINKS_MAX 8       /* readings begun anew because pages were cut further while reading */
#define UNKNOWN (-1)

void pncp_part_init(struct pncp_part_fetch *part, enum pncp_part which, enum pncp_confirm confirm)
{
    *part = (struct pncp_part_fetch){.part = which,
                                     .confirm = confirm,
                                     .quantidade = UNKNOWN,
                                     .ask = {.page = 1, .page_rows = PNCP_PAGE_ROWS_DETAIL}};
}

static void drop_pages(struct pncp_part_fetch *part)
{
    for (size_t i = 0; i < part->page_count; i++)
        pncp_buf_release(&part->pages[i]);
    part->page_count = 0;
    part->bytes = 0;
    part->total = 0;
    part->ids_sum = 0;
    part->id_count = 0;
    if (part->ids != NULL)
        memset(part->ids, 0, part->id_cap * sizeof(*part->ids));
    part->zero_seen = false;
}

void pncp_part_release(struct pncp_part_fetch *part)
{
    drop_pages(part);
    pncp_free(part->pages);
    pncp_free(part->ids);
    part->pages = NULL;
    part->ids = NULL;
    part->page_cap = part->id_cap = 0;
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
    pncp_free(part->ids);
    part->ids = NULL;
    part->id_cap = part->id_count = 0;
}

static void fail(struct pncp_part_fetch *part, enum pncp_reason reason, long http_status)
{
    part->state = PNCP_PART_FAILED;
    part->reason = reason;
    part->http_status = http_status;
    drop_pages(part);
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

/* ---- the ids of one reading: open addressing, 0 marks a free slot ---------------------------- */

static size_t slot_of(const int64_t *ids, size_t cap, int64_t id)
{
    size_t i = ((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15)) >> 32 & (cap - 1);
    while (ids[i] != 0 && ids[i] != id)
        i = (i + 1) & (cap - 1);
    return i;
}

/* *ret_new: not met before in this reading. */
static enum pncp_code put_id(struct pncp_part_fetch *part, int64_t id, bool *ret_new)
{
    if (id == 0) {
        *ret_new = !part->zero_seen;
        part->zero_seen = true;
        return PNCP_OK;
    }
    if ((part->id_count + 1) * 4 > part->id_cap * 3) {
        size_t cap = part->id_cap == 0 ? 32 : part->id_cap * 2;
        int64_t *ids = pncp_calloc(cap, sizeof(*ids));
        if (ids == NULL)
            return PNCP_E_NOMEM;
        for (size_t i = 0; i < part->id_cap; i++) {
            if (part->ids[i] != 0)
                ids[slot_of(ids, cap, part->ids[i])] = part->ids[i];
        }
        pncp_free(part->ids);
        part->ids = ids;
        part->id_cap = cap;
    }
    size_t slot = slot_of(part->ids, part->id_cap, id);
    *ret_new = part->ids[slot] == 0;
    part->id_count += *ret_new;
    part->ids[slot] = id;
    return PNCP_OK;
}

static enum pncp_code add_id(struct pncp_part_fetch *part, int64_t id, bool *ret_new)
{
    uint64_t hash = (uint64_t)id;
    enum pncp_code rc = put_id(part, id, ret_new);
    if (rc == PNCP_OK && *ret_new)
        part->ids_sum += pncp_splitmix(&hash);
    return rc;
}

enum pncp_code pncp_part_row_is_new(struct pncp_part_fetch *seen, yyjson_val *row, bool *ret_new)
{
    int64_t id;
    *ret_new = true;
    const char *name = seen->part == PNCP_PART_ITENS ? "numeroItem" : "sequencialDocumento";
    return pncp_json_int(pncp_json_get(row, name), &id) ? add_id(seen, id, ret_new) : PNCP_OK;
}

static enum pncp_code count_new(struct pncp_part_fetch *part, yyjson_val *rows, int64_t *ret_new)
{
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(rows, &iter);
    int64_t count = 0;
    for (yyjson_val *row; (row = yyjson_arr_iter_next(&iter)) != NULL;) {
        bool is_new;
        enum pncp_code rc = pncp_part_row_is_new(part, row, &is_new);
        if (rc != PNCP_OK)
            return rc;
        count += is_new;
    }
    *ret_new = count;
    return PNCP_OK;
}

static enum pncp_code keep_page(struct pncp_part_fetch *part, struct pncp_buf *body)
{
    if (part->page_count == PNCP_PART_PAGES_MAX)
        return PNCP_E_LIMIT;
    if (part->page_count == part->page_cap) {
        size_t cap = part->page_cap == 0 ? 1 : part->page_cap * 2; /* nearly every list is one page */
        struct pncp_buf *pages = pncp_realloc(part->pages, cap, sizeof(*pages));
        if (pages == NULL)
            return PNCP_E_NOMEM;
        part->pages = pages;
        part->page_cap = cap;
    }
    part->bytes += body->cap;
    part->pages[part->page_count++] = pncp_buf_take(body);
    return PNCP_OK;
}

/* ---- readings -------------------------------------------------------------------------------- */

static void begin_reading(struct pncp_part_fetch *part, uint32_t page_rows)
{
    drop_pages(part);
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
                 part->ids_sum == part->before_sum;
    part->before_total = part->total;
    part->before_counted = part->quantidade;
    part->before_sum = part->ids_sum;
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

/* Is the page the one before once more? A server that ignores `pagina` never ends, and rows without an id always look
 * new. */
static bool repeats_last_page(const struct pncp_part_fetch *part, const struct pncp_buf *body)
{
    return part->page_count > 0 && pncp_view_eq(pncp_buf_view(&part->pages[part->page_count - 1]), pncp_buf_view(body));
}

static enum pncp_code take_page(struct pncp_part_fetch *part, const struct pncp_verdict *verdict, struct pncp_buf *body)
{
    int64_t fresh = 0;
    struct pncp_part_request page = part->ask;
    if (verdict->kind == PNCP_VERDICT_ROWS && !repeats_last_page(part, body)) {
        enum pncp_code rc = count_new(part, verdict->json.root, &fresh);
        if (rc == PNCP_OK && fresh > 0)
            rc = keep_page(part, body);
        if (rc != PNCP_OK)
            return rc;
        part->total += fresh;
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

enum pncp_code pncp_part_answer(struct pncp_part_fetch *part, const struct pncp_verdict *verdict, struct pncp_buf *body)
{
    assert(part->state == PNCP_PART_ASKING);
    enum pncp_code rc = PNCP_OK;
    switch (verdict->kind) {
    case PNCP_VERDICT_ROWS:
    case PNCP_VERDICT_NO_ROWS:
        if (part->ask.quantidade)
            take_quantidade(part, verdict);
        else
            rc = take_page(part, verdict, body);
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
