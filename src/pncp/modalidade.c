#include "pncp/modalidade.h"
#include "pncp/url.h"

#define READINGS_MAX 4
#define PAGE_ROWS_MIN 10 /* the API refuses less */
#define PAGES_MAX 100000

static void begin_reading(struct pncp_modalidade *m, uint32_t page_rows)
{
    m->page_rows = page_rows;
    m->next_ask = m->turn = 1;
    m->total = -1;
    m->total_moved = m->ended = false;
    m->rows = m->unique = 0;
    m->keys_sum = 0;
    m->rows_short = 0;
}

void pncp_modalidade_init(struct pncp_modalidade *m, bool final_day)
{
    *m = (struct pncp_modalidade){.final_day = final_day};
    begin_reading(m, PNCP_PAGE_ROWS_LISTING);
}

bool pncp_modalidade_ask(struct pncp_modalidade *m, int64_t wanted, uint32_t *ret_page)
{
    int64_t until = 1;
    if (m->total >= 0 && m->turn > 1) {
        int64_t pages = (m->total + m->page_rows - 1) / m->page_rows;
        until = m->rows_short > 0 ? (int64_t)m->turn : PNCP_MAX(pages, (int64_t)m->turn);
        if (wanted > 0)
            until = PNCP_MIN(until, (int64_t)m->turn + (wanted - 1) / m->page_rows);
    }
    if ((int64_t)m->next_ask > until || m->next_ask >= m->turn + PNCP_LISTING_PAGES_AHEAD)
        return false;
    *ret_page = m->next_ask++;
    return true;
}

void pncp_modalidade_row(struct pncp_modalidade *m, const struct pncp_modalidade_row *row)
{
    m->rows++;
    if (!row->met_before) {
        m->unique++;
        m->keys_sum += row->key_hash;
    }
    m->added += row->ours && !row->added_before;
}

/* ---- the end of a reading -------------------------------------------------------------------- */

/* A row that stands on two pages, and is counted twice, may be so for good; or it has pushed another one out between
 * two pages. Then pages of another size give that one. So: the same rows twice, from pages of different sizes, are all.
 */
static bool repeats_for_good(const struct pncp_reading *before, const struct pncp_reading *now)
{
    return now->is_whole && before->is_whole && now->total == before->total && now->unique == before->unique &&
           now->keys_sum == before->keys_sum && now->page_rows != before->page_rows;
}

/* A row that another one has pushed out of one reading may stand in the next. As many distinct rows as every reading
 * was told there are: all of them, though no single reading has them. Rows of another day are counted by
 * totalRegistros and not here: then it stays unproven. */
static bool whole_together(const struct pncp_modalidade *m)
{
    return m->steady && m->added == m->total;
}

static enum pncp_modalidade_next end_reading(struct pncp_modalidade *m)
{
    /* pages that were cut have the same size whatever was asked for: they prove nothing beside each other */
    const struct pncp_reading now = {.is_whole =
                                         m->ended && m->rows == m->total && !m->total_moved && m->rows_short == 0,
                                     .total = m->total,
                                     .unique = m->unique,
                                     .keys_sum = m->keys_sum,
                                     .page_rows = m->page_rows};
    bool repeats = repeats_for_good(&m->before, &now);
    m->steady = !m->total_moved && (m->readings == 0 || (m->steady && m->total == m->before.total));
    if (repeats)
        m->repeated = m->total - m->unique;
    if (repeats || (m->unique == m->total && !m->total_moved) || whole_together(m))
        return PNCP_MODALIDADE_WHOLE;
    m->before = now;
    m->readings++;
    if (m->readings == READINGS_MAX)
        return PNCP_MODALIDADE_CONTRADICTS;
    /* pages cut silently: ask for what is given, then both ways of cutting agree */
    uint32_t page_rows = now.is_whole ? m->page_rows - 1 : m->rows_short == 0 ? m->page_rows : m->rows_short;
    begin_reading(m, PNCP_MAX(page_rows, (uint32_t)PAGE_ROWS_MIN));
    return PNCP_MODALIDADE_AGAIN;
}

enum pncp_modalidade_next pncp_modalidade_page(struct pncp_modalidade *m, const struct pncp_modalidade_page *page)
{
    /* a page beyond the end says nothing of the total */
    int64_t total = page->rows > 0 ? page->total : PNCP_MAX(m->total, (int64_t)0);
    m->ended = m->ended || page->rows == 0;
    bool grew = total > m->total && !m->final_day;
    /* another page than the one asked for is as good as drift */
    m->total_moved = m->total_moved || (m->total >= 0 && total != m->total && !grew) || page->number != m->turn;
    m->total = total;
    int64_t due = PNCP_MIN(total - (int64_t)(m->turn - 1) * m->page_rows, (int64_t)m->page_rows);
    if (page->rows > 0 && page->rows < due && m->rows_short == 0)
        m->rows_short = (uint32_t)page->rows;
    m->turn++;
    return m->ended || m->turn > PAGES_MAX || m->unique >= m->total ? end_reading(m) : PNCP_MODALIDADE_MORE;
}
