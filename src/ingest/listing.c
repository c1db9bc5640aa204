#include "ingest/listing.h"
#include "base/mem.h"
#include "base/random.h"
#include "ingest/task.h"
#include "ingest/waiting.h"
#include "pncp/modalidade.h"
#include "pncp/rows.h"
#include "pncp/url.h"

#include <assert.h>
#include <string.h>

#define MODALIDADES_ALWAYS 13 /* codes that carry data (pncp-api section 8); later ones only while accepted */
#define FIRST_AHEAD 4         /* modalidades begun before their turn when only the first rows of a day are wanted */

enum modalidade_state {
    ASKING,
    STORED /* finished by an earlier run, its rows wait for their turn */,
    DONE,
    FAILED,
    NOT_ACCEPTED
};

struct modalidade {
    enum modalidade_state state;
    enum pncp_reason reason;
    long http_status;
    bool begun; /* its rows are being released */
    struct pncp_modalidade pages;
};

struct page {
    struct pncp_task task; /* first: what the fetcher gives back */
    struct pncp_fetch_request request;
    struct pncp_listing *listing;
    struct pncp_buf url, body;
    struct pncp_waiting waiting; /* the body, while others have their turn */
    struct page *next;
    int modalidade;
    int reading;
    uint32_t number;
    bool arrived, no_rows;
};

struct pncp_listing {
    struct pncp_listing_options options;
    struct pncp_fetch *fetch;
    struct pncp_list *list;
    struct pncp_keyset *keys;
    struct modalidade modalidades[PNCP_MODALIDADES_MAX + 1];
    int current, last_begun, last_asked; /* codes: being released; first page asked for; to be asked for */
    struct page *pages;                  /* in flight or arrived and not released */
    int64_t other_days;
    bool stopped_early, finished;
    struct pncp_err error;
};

static void fail(struct pncp_listing *listing, const struct pncp_err *err, enum pncp_code rc)
{
    if (listing->error.code != PNCP_OK)
        return;
    listing->error = *err;
    listing->error.code = rc;
    listing->finished = true;
}

/* ---- pages ----------------------------------------------------------------------------------- */

static void page_done(struct pncp_task *task, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                      struct pncp_buf *body);

static void page_free(struct page *page)
{
    pncp_buf_release(&page->url);
    pncp_buf_release(&page->body);
    pncp_waiting_release(&page->waiting);
    pncp_free(page);
}

static void page_unlink(struct pncp_listing *listing, struct page *page)
{
    struct page **at = &listing->pages;
    while (*at != page)
        at = &(*at)->next;
    *at = page->next;
}

static void ask(struct pncp_listing *listing, int code, uint32_t number)
{
    struct pncp_err err = PNCP_ERR_INIT;
    struct modalidade *m = &listing->modalidades[code];
    struct page *page = pncp_calloc(1, sizeof(*page));
    if (page == NULL) {
        fail(listing, &err, pncp_err_set(&err, PNCP_E_NOMEM, "listing: out of memory"));
        return;
    }
    *page = (struct page){
        .task = {page_done}, .listing = listing, .modalidade = code, .reading = m->pages.readings, .number = number};
    if (pncp_url_listing(&page->url, listing->options.consulta_url, listing->options.date, code, number,
                         m->pages.page_rows) != PNCP_OK) {
        page_free(page);
        fail(listing, &err, pncp_err_set(&err, PNCP_E_NOMEM, "listing: out of memory"));
        return;
    }
    page->request = (struct pncp_fetch_request){
        .api = PNCP_API_CONSULTA, .kind = PNCP_KIND_PAGE, .url = page->url.data, .owner = &page->task};
    page->next = listing->pages;
    listing->pages = page;
    pncp_fetch_submit(listing->fetch, &page->request, false);
}

static void drop_arrived(struct pncp_listing *listing, int code)
{
    for (struct page *page = listing->pages, *next; page != NULL; page = next) {
        next = page->next;
        if (page->modalidade == code && page->arrived) {
            page_unlink(listing, page);
            page_free(page);
        }
    }
}

/* ---- one page's rows ------------------------------------------------------------------------- */

/* One row: counted in the reading, added to the list when it is new and of our day. */
static enum pncp_code release_row(struct pncp_listing *listing, struct modalidade *m, yyjson_val *row,
                                  struct pncp_err *err)
{
    struct pncp_key key;
    struct pncp_date date;
    unsigned before;
    enum pncp_code rc = pncp_rows_key(row, &key, err);
    if (rc != PNCP_OK)
        return rc;
    bool ours = pncp_rows_day(row, &date) && date.days == listing->options.date.days;
    unsigned flags = PNCP_KEY_SEEN | (ours ? (unsigned)PNCP_KEY_LISTED : 0);
    const struct pncp_packed_key packed = pncp_key_pack(&key);
    rc = pncp_keyset_set(listing->keys, packed, flags, &before);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "listing: out of memory");
    const struct pncp_modalidade_row is = {.met_before = (before & PNCP_KEY_SEEN) != 0,
                                           .ours = ours,
                                           .added_before = (before & PNCP_KEY_LISTED) != 0,
                                           .key_hash = pncp_hash64(&packed, sizeof(packed), 0)};
    listing->other_days += !ours && !is.met_before && m->pages.readings == 0;
    pncp_modalidade_row(&m->pages, &is);
    if (!ours || is.added_before)
        return PNCP_OK;
    rc = pncp_rows_put_contratacao(pncp_list_pending(listing->list), row, err);
    return rc != PNCP_OK ? rc : pncp_list_added(listing->list, err);
}

static bool limit_reached(const struct pncp_listing *listing)
{
    return listing->options.rows_max > 0 && listing->list->rows >= listing->options.rows_max;
}

static int64_t envelope_total(yyjson_val *root)
{
    int64_t total = -1;
    return pncp_json_int(pncp_json_get(root, "totalRegistros"), &total) ? total : -1;
}

/* The rows of a page, which is read no more; what it says of itself goes to *ret_page. PNCP_E_PARSE: a row without a
 * key · PNCP_E_NOMEM · the list's errors. */
static enum pncp_code release_rows(struct pncp_listing *listing, struct modalidade *m, struct page *page,
                                   struct pncp_modalidade_page *ret_page, struct pncp_err *err)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    *ret_page = (struct pncp_modalidade_page){.number = page->number};
    if (page->no_rows)
        return PNCP_OK;
    enum pncp_code rc = pncp_waiting_take(&page->waiting, &page->body, err);
    if (rc == PNCP_OK)
        rc = pncp_json_parse_again(&page->body, &json, err); /* accepted when it arrived */
    if (rc != PNCP_OK)
        return rc;
    ret_page->total = envelope_total(json.root);
    if (!pncp_json_int(pncp_json_get(json.root, "numeroPagina"), &ret_page->number))
        ret_page->number = page->number;
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(pncp_json_get(json.root, "data"), &iter);
    for (yyjson_val *row; rc == PNCP_OK && !limit_reached(listing) && (row = yyjson_arr_iter_next(&iter)) != NULL;
         ret_page->rows++)
        rc = release_row(listing, m, row, err);
    return rc;
}

/* ---- a modalidade's pages -------------------------------------------------------------------- */

static void end_modalidade(struct pncp_listing *listing, int code, enum modalidade_state state)
{
    struct pncp_err err = PNCP_ERR_INIT;
    struct modalidade *m = &listing->modalidades[code];
    m->state = state;
    drop_arrived(listing, code);
    if (!m->begun)
        return;
    /* small ones cost one request to list again: not worth a file each */
    bool save = state == DONE && listing->options.keep_parts && !limit_reached(listing) &&
                m->pages.added > PNCP_PAGE_ROWS_LISTING;
    enum pncp_code rc = pncp_list_part_end(listing->list, state == DONE ? m->pages.total : -1, save, &err);
    if (rc != PNCP_OK)
        fail(listing, &err, rc);
}

static void give_up(struct pncp_listing *listing, int code, enum modalidade_state state, enum pncp_reason reason,
                    long http_status)
{
    listing->modalidades[code].reason = reason;
    listing->modalidades[code].http_status = http_status;
    end_modalidade(listing, code, state);
}

static void ask_pages(struct pncp_listing *listing, int code)
{
    uint32_t number;
    struct modalidade *m = &listing->modalidades[code];
    int64_t rows_max = listing->options.rows_max, wanted = rows_max > 0 ? rows_max - listing->list->rows : 0;
    while (listing->error.code == PNCP_OK && pncp_modalidade_ask(&m->pages, wanted, &number))
        ask(listing, code, number);
}

static void begin_modalidade(struct pncp_listing *listing, int code)
{
    struct modalidade *m = &listing->modalidades[code];
    m->state = ASKING;
    pncp_modalidade_init(&m->pages, listing->options.final_day);
    ask_pages(listing, code);
}

/* The page whose turn it is, and what follows from it. */
static void release_page(struct pncp_listing *listing, int code, struct page *page)
{
    struct pncp_err err = PNCP_ERR_INIT;
    struct modalidade *m = &listing->modalidades[code];
    struct pncp_modalidade_page taken;
    enum pncp_code rc = release_rows(listing, m, page, &taken, &err);
    if (rc == PNCP_E_PARSE) { /* a row without a key: the modalidade cannot be trusted */
        give_up(listing, code, FAILED, PNCP_REASON_MALFORMED_KEY, 200);
        return;
    }
    if (rc != PNCP_OK) {
        fail(listing, &err, rc);
        return;
    }
    if (limit_reached(listing)) { /* what is wanted is there; the page may be half read */
        end_modalidade(listing, code, DONE);
        return;
    }
    switch (pncp_modalidade_page(&m->pages, &taken)) {
    case PNCP_MODALIDADE_MORE:
        break;
    case PNCP_MODALIDADE_AGAIN:
        drop_arrived(listing, code);
        pncp_keyset_clear_all(listing->keys, PNCP_KEY_SEEN);
        break;
    case PNCP_MODALIDADE_WHOLE:
        end_modalidade(listing, code, DONE);
        return;
    case PNCP_MODALIDADE_CONTRADICTS:
        give_up(listing, code, FAILED, PNCP_REASON_PAGE_MISMATCH, 200);
        return;
    }
    ask_pages(listing, code);
}

static struct page *next_arrived(const struct pncp_listing *listing, int code)
{
    const struct pncp_modalidade *m = &listing->modalidades[code].pages;
    for (struct page *page = listing->pages; page != NULL; page = page->next) {
        if (page->modalidade == code && page->reading == m->readings && page->number == m->turn)
            return page->arrived ? page : NULL;
    }
    return NULL;
}

/* ---- rows that an earlier run listed --------------------------------------------------------- */

static enum pncp_code copy_row(struct pncp_listing *listing, struct pncp_table *rows, size_t row, struct pncp_err *err)
{
    struct pncp_key key;
    unsigned before;
    enum pncp_code rc = pncp_list_row_key(rows, row, &key, err);
    if (rc == PNCP_OK)
        rc = pncp_keyset_set(listing->keys, pncp_key_pack(&key), PNCP_KEY_LISTED, &before);
    if (rc != PNCP_OK || (before & PNCP_KEY_LISTED) != 0)
        return rc;
    struct pncp_table *pending = pncp_list_pending(listing->list);
    pncp_table_row_begin(pending);
    rc = pncp_table_copy_cells(pending, 0, rows, 0, rows->schema->leaf_count, row);
    if (rc != PNCP_OK) {
        pncp_table_row_undo(pending);
        return pncp_err_set(err, rc, "listing: out of memory");
    }
    pncp_table_row_end(pending);
    listing->modalidades[listing->current].pages.added++;
    return pncp_list_added(listing->list, err);
}

static enum pncp_code copy_part(struct pncp_listing *listing, struct pncp_list *part, struct pncp_err *err)
{
    struct pncp_table rows;
    enum pncp_code rc = pncp_table_init(&rows, pncp_list_schema());
    for (size_t group = 0; rc == PNCP_OK && group < pncp_list_groups(part); group++) {
        rc = pncp_list_read_group(part, group, &rows, err);
        for (size_t row = 0; rc == PNCP_OK && row < rows.rows && !limit_reached(listing); row++)
            rc = copy_row(listing, &rows, row, err);
    }
    pncp_table_release(&rows);
    return rc;
}

static void release_stored(struct pncp_listing *listing, int code)
{
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_list part;
    struct modalidade *m = &listing->modalidades[code];
    enum pncp_code rc = pncp_list_part_open(listing->list->lake, listing->options.date, code, &part, &err);
    if (rc != PNCP_OK) { /* it was there a moment ago: list it */
        begin_modalidade(listing, code);
        return;
    }
    rc = pncp_list_part_begin(listing->list, code, &err);
    if (rc == PNCP_OK)
        rc = copy_part(listing, &part, &err);
    if (rc == PNCP_OK)
        rc = pncp_list_part_end(listing->list, m->pages.total, false, &err);
    pncp_list_release(&part);
    m->state = DONE;
    if (rc != PNCP_OK)
        fail(listing, &err, rc);
}

/* Did an earlier run finish this modalidade? */
static bool is_stored(struct pncp_listing *listing, int code)
{
    struct pncp_list part;
    if (!listing->options.keep_parts ||
        pncp_list_part_open(listing->list->lake, listing->options.date, code, &part, NULL) != PNCP_OK)
        return false;
    struct modalidade *m = &listing->modalidades[code];
    m->state = STORED;
    m->pages.total = part.info.totals[code];
    listing->list->info.list_at_s = PNCP_MIN(listing->list->info.list_at_s, part.info.list_at_s);
    pncp_list_release(&part);
    return true;
}

/* This code was accepted: the next one beyond the fixed ones is tried only then. */
static void accepted(struct pncp_listing *listing, int code)
{
    if (code == listing->last_asked && code > MODALIDADES_ALWAYS && code < PNCP_MODALIDADES_MAX)
        listing->last_asked++;
}

/* Ask for the first page of the modalidades to come: of all of them, since only then the size of the day is known; of
 * the next few when no more than the first rows are wanted. */
static void ask_first_pages(struct pncp_listing *listing)
{
    while (listing->error.code == PNCP_OK && listing->last_begun < listing->last_asked &&
           (listing->options.rows_max == 0 || listing->last_begun < listing->current + FIRST_AHEAD - 1)) {
        int code = ++listing->last_begun;
        if (is_stored(listing, code))
            accepted(listing, code);
        else
            begin_modalidade(listing, code);
    }
}

/* Release what is there, in order; go on to the next modalidade when one is over. */
static void advance(struct pncp_listing *listing)
{
    struct pncp_err err = PNCP_ERR_INIT;
    while (!listing->finished) {
        int code = listing->current;
        if (limit_reached(listing) || code > listing->last_asked) {
            listing->stopped_early = limit_reached(listing);
            listing->finished = true;
            return;
        }
        struct modalidade *m = &listing->modalidades[code];
        if (m->state == STORED) {
            release_stored(listing, code);
            continue;
        }
        if (m->state != ASKING) {
            listing->current++;
            ask_first_pages(listing);
            continue;
        }
        struct page *page = next_arrived(listing, code);
        if (page == NULL)
            return;
        if (!m->begun) {
            m->begun = true;
            enum pncp_code rc = pncp_list_part_begin(listing->list, code, &err);
            if (rc != PNCP_OK) {
                fail(listing, &err, rc);
                return;
            }
        }
        page_unlink(listing, page);
        release_page(listing, code, page);
        page_free(page);
        if (listing->error.code != PNCP_OK)
            return;
    }
}

static void page_done(struct pncp_task *task, struct pncp_fetch_request *request, struct pncp_verdict *verdict,
                      struct pncp_buf *body)
{
    (void)request;
    struct page *page = (struct page *)task;
    struct pncp_listing *listing = page->listing;
    struct modalidade *m = &listing->modalidades[page->modalidade];
    if (listing->finished || m->state != ASKING || page->reading != m->pages.readings) {
        page_unlink(listing, page);
        page_free(page);
        return;
    }
    switch (verdict->kind) {
    case PNCP_VERDICT_ROWS:
        page->body = pncp_buf_take(body);
        if (page->number == 1 && m->pages.total < 0)
            m->pages.total =
                envelope_total(verdict->json.root); /* known before its turn comes: for pncp_listing_expected */
        pncp_json_release(&verdict->json);          /* megabytes; its turn may be now, and then it is parsed again */
        if (page->modalidade != listing->current)
            pncp_waiting_put(&page->waiting, &page->body);
        page->arrived = true;
        accepted(listing, page->modalidade);
        ask_first_pages(listing);
        break;
    case PNCP_VERDICT_NO_ROWS:
        page->arrived = page->no_rows = true;
        if (page->number == 1)
            m->pages.total = 0;
        accepted(listing, page->modalidade);
        ask_first_pages(listing);
        break;
    case PNCP_VERDICT_ABSENT:
    case PNCP_VERDICT_RETRY:
    case PNCP_VERDICT_RETRY_FEW:
    case PNCP_VERDICT_BRAKE:
    case PNCP_VERDICT_REFUSED: {
        bool beyond_end =
            verdict->http_status == 400 && page->number > 1 && m->pages.turn > 1; /* reported February 2026 */
        bool refused = verdict->http_status == 422 && page->modalidade > MODALIDADES_ALWAYS && page->number == 1;
        if (beyond_end) {
            page->arrived = page->no_rows = true;
            break;
        }
        int code = page->modalidade;
        page_unlink(listing, page);
        page_free(page);
        give_up(listing, code, refused ? NOT_ACCEPTED : FAILED, verdict->reason, verdict->http_status);
        break;
    }
    }
    advance(listing);
}

/* ---- public ---------------------------------------------------------------------------------- */

enum pncp_code pncp_listing_new(const struct pncp_listing_options *options, struct pncp_fetch *fetch,
                                struct pncp_list *list, struct pncp_keyset *keys, struct pncp_listing **ret_listing,
                                struct pncp_err *err)
{
    struct pncp_listing *listing = pncp_calloc(1, sizeof(*listing));
    if (listing == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "listing: out of memory");
    listing->options = *options;
    listing->fetch = fetch;
    listing->list = list;
    listing->keys = keys;
    listing->current = 1;
    listing->last_asked = MODALIDADES_ALWAYS + 1;
    for (int code = 1; code <= PNCP_MODALIDADES_MAX; code++)
        listing->modalidades[code].pages.total = -1;
    ask_first_pages(listing);
    advance(listing);
    *ret_listing = listing;
    return PNCP_OK;
}

void pncp_listing_free(struct pncp_listing *listing)
{
    if (listing == NULL)
        return;
    for (struct page *page = listing->pages, *next; page != NULL; page = next) {
        next = page->next;
        page_free(page);
    }
    pncp_free(listing);
}

bool pncp_listing_finished(const struct pncp_listing *listing)
{
    return listing->finished;
}

bool pncp_listing_stopped_early(const struct pncp_listing *listing)
{
    return listing->stopped_early;
}

enum pncp_code pncp_listing_error(const struct pncp_listing *listing, struct pncp_err *ret_err)
{
    if (listing->error.code != PNCP_OK && ret_err != NULL)
        *ret_err = listing->error;
    return listing->error.code;
}

int64_t pncp_listing_expected(const struct pncp_listing *listing, bool *ret_all)
{
    int64_t sum = 0;
    *ret_all = true;
    for (int code = 1; code <= listing->last_asked; code++) {
        const struct modalidade *m = &listing->modalidades[code];
        if (m->state == FAILED || m->state == NOT_ACCEPTED)
            sum += m->pages.added;
        else if (m->pages.total >= 0)
            sum += m->pages.total - m->pages.repeated;
        else if (code <= MODALIDADES_ALWAYS) /* the later ones are tried with pauses and seldom have rows */
            *ret_all = false;
    }
    return sum;
}

size_t pncp_listing_failures(const struct pncp_listing *listing,
                             struct pncp_listing_failure ret_failures[PNCP_MODALIDADES_MAX])
{
    size_t count = 0;
    for (int code = 1; code <= listing->last_asked; code++) {
        const struct modalidade *m = &listing->modalidades[code];
        if (m->state == FAILED)
            ret_failures[count++] = (struct pncp_listing_failure){code, m->reason, m->http_status};
    }
    return count;
}

int64_t pncp_listing_other_days(const struct pncp_listing *listing)
{
    return listing->other_days;
}

int64_t pncp_listing_repeated(const struct pncp_listing *listing)
{
    int64_t sum = 0;
    for (int code = 1; code <= listing->last_asked; code++)
        sum += listing->modalidades[code].pages.repeated;
    return sum;
}
