/* Is a modalidade's list whole? A server that cuts, moves, repeats and hides rows, and what may be believed of it. */
#include "base/random.h"
#include "pncp/modalidade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_MAX 2000

/* ---- a server --------------------------------------------------------------------------------- */

/* Rows are numbered from 0; those of another day from OTHER_DAY on. */
#define OTHER_DAY 1500
struct server {
    int rows;
    int cut;             /* pages have at most that many rows; 0: as many as asked for */
    bool cut_moves;      /* and page P begins where the cut pages before it end */
    int twice_after;     /* the row before this place stands there again, counted again */
    int displaced_after; /* the same at the end of that page, and the row that was there is hidden; pages */
    int inserted_after;  /* answers until a row comes at the front */
    int removed_after;   /* answers until the first row goes */
    int appended_after;  /* answers until a row comes at the end */
    int other_days;      /* of the last rows */
    bool total_false;    /* one more than there are */
    bool empty_end;      /* beyond the end: an empty page instead of one without a body */
    bool same_page;      /* page 1 whatever is asked for */
    bool wrong_number;   /* pages say that they are page 1 */
    /* what happened */
    int answers, first;
    uint32_t pages_asked[1024];
    size_t asked;
};

static int count(const struct server *s)
{
    return s->rows - s->first + (s->twice_after > 0) + s->total_false;
}

/* Row at `place`, or -1 beyond the end. */
static int row_at(const struct server *s, int place, int page_rows)
{
    if (s->twice_after > 0 && place >= s->twice_after)
        place--;
    if (s->displaced_after > 0 && place == s->displaced_after * page_rows)
        place--;
    int row = place + s->first;
    if (row >= s->rows)
        return -1;
    return row >= s->rows - s->other_days ? OTHER_DAY + row : row;
}

/* ---- a client, as ingest/listing.c is one, with one page in flight ----------------------------- */

struct client {
    bool met[2 * ROWS_MAX], added[2 * ROWS_MAX];
    int added_count;
};

static void take_rows(struct pncp_modalidade *m, struct client *client, const struct server *s, uint32_t page,
                      int64_t *ret_rows)
{
    int size = s->cut > 0 && s->cut < (int)m->page_rows ? s->cut : (int)m->page_rows;
    int step = s->cut_moves ? size : (int)m->page_rows;
    for (int i = 0; i < size; i++) {
        int row = row_at(s, (int)(page - 1) * step + i, step);
        if (row < 0)
            break;
        uint64_t hash = (uint64_t)row;
        bool ours = row < OTHER_DAY;
        const struct pncp_modalidade_row is = {.met_before = client->met[row],
                                               .ours = ours,
                                               .added_before = client->added[row],
                                               .key_hash = pncp_splitmix(&hash)};
        pncp_modalidade_row(m, &is);
        client->added_count += ours && !client->added[row];
        client->met[row] = true;
        client->added[row] = client->added[row] || ours;
        ++*ret_rows;
    }
}

static enum pncp_modalidade_next answer(struct pncp_modalidade *m, struct client *client, struct server *s,
                                        uint32_t asked)
{
    uint32_t page = s->same_page ? 1 : asked;
    struct pncp_modalidade_page taken = {.number = s->wrong_number ? 1 : page, .total = count(s)};
    take_rows(m, client, s, page, &taken.rows);
    if (taken.rows == 0)
        taken.total = s->empty_end ? 0 : -1; /* neither is to be believed */
    s->answers++;
    s->first -= s->inserted_after == s->answers;
    s->first += s->removed_after == s->answers;
    s->rows += s->appended_after == s->answers;
    return pncp_modalidade_page(m, &taken);
}

/* Ask as the rules say, answer in turn. */
static enum pncp_modalidade_next run(struct pncp_modalidade *m, struct client *client, struct server *s, bool final)
{
    enum pncp_modalidade_next next = PNCP_MODALIDADE_AGAIN;
    *client = (struct client){0};
    s->first = s->inserted_after > 0; /* row 0 is the one that comes */
    pncp_modalidade_init(m, final);
    uint32_t last = 0;
    while (next == PNCP_MODALIDADE_AGAIN || next == PNCP_MODALIDADE_MORE) {
        uint32_t page;
        if (next == PNCP_MODALIDADE_AGAIN) {
            memset(client->met, 0, sizeof(client->met));
            last = 0;
        }
        while (pncp_modalidade_ask(m, 0, &page)) {
            assert_int_equal(page, last + 1);
            last = page;
            s->pages_asked[s->asked++ % 1024] = page;
        }
        assert_true(m->turn <= last); /* or nobody would ever answer */
        assert_true(last < m->turn + PNCP_LISTING_PAGES_AHEAD);
        next = answer(m, client, s, m->turn);
    }
    assert_int_equal(client->added_count, m->added);
    return next;
}

/* ---- what is whole ----------------------------------------------------------------------------- */

struct example {
    const char *name;
    struct server server;
    enum pncp_modalidade_next end;
    int readings; /* begun */
    int64_t added, repeated;
};
#define WHOLE PNCP_MODALIDADE_WHOLE
#define CONTRADICTS PNCP_MODALIDADE_CONTRADICTS

static const struct example EXAMPLES[] = {
    {"nothing", {.rows = 0}, WHOLE, 1, 0, 0},
    {"nothing, with a body", {.rows = 0, .empty_end = true}, WHOLE, 1, 0, 0},
    {"one row", {.rows = 1}, WHOLE, 1, 1, 0},
    {"a page", {.rows = 50}, WHOLE, 1, 50, 0},
    {"a page and a row", {.rows = 51}, WHOLE, 1, 51, 0},
    {"twenty pages", {.rows = 1000}, WHOLE, 1, 1000, 0},
    {"cut", {.rows = 120, .cut = 20}, WHOLE, 2, 120, 0},
    {"cut, the pages go on where they end", {.rows = 120, .cut = 20, .cut_moves = true}, WHOLE, 1, 120, 0},
    {"cut below the smallest size", {.rows = 120, .cut = 9}, CONTRADICTS, 4, 108, 0},
    {"a row came between pages", {.rows = 120, .inserted_after = 1}, WHOLE, 2, 120, 0},
    {"a row went between pages", {.rows = 120, .removed_after = 1}, WHOLE, 2, 120, 0},
    {"one row counted twice", {.rows = 120, .twice_after = 50}, WHOLE, 2, 120, 1},
    {"one row counted twice, on one page", {.rows = 120, .twice_after = 7}, WHOLE, 2, 120, 1},
    {"one row hides another at the end of a page", {.rows = 120, .displaced_after = 1}, WHOLE, 2, 120, 0},
    {"the same, on pages that cannot be smaller",
     {.rows = 120, .displaced_after = 1, .cut = 10, .cut_moves = true},
     CONTRADICTS,
     4,
     119,
     0},
    {"a total that is one too high", {.rows = 120, .total_false = true}, CONTRADICTS, 4, 120, 0},
    {"a total that is one too high, empty page at the end",
     {.rows = 120, .total_false = true, .empty_end = true},
     CONTRADICTS,
     4,
     120,
     0},
    {"rows of another day", {.rows = 120, .other_days = 5}, WHOLE, 1, 115, 0},
    {"rows of another day, and a hidden one",
     {.rows = 120, .other_days = 5, .displaced_after = 1},
     CONTRADICTS,
     4,
     115,
     0},
    {"a row came at the end", {.rows = 120, .appended_after = 1}, WHOLE, 2, 121, 0},
    {"pages that say they are another", {.rows = 120, .wrong_number = true}, CONTRADICTS, 4, 120, 0},
    {"the same page again and again", {.rows = 120, .same_page = true}, CONTRADICTS, 4, 50, 0},
};

static void ends_as_it_should(void **state)
{
    (void)state;
    static struct client client;
    for (size_t i = 0; i < sizeof(EXAMPLES) / sizeof(EXAMPLES[0]); i++) {
        const struct example *e = &EXAMPLES[i];
        struct pncp_modalidade m;
        struct server server = e->server;
        enum pncp_modalidade_next end = run(&m, &client, &server, true);
        int readings = m.readings + (end == WHOLE);
        if (end != e->end || readings != e->readings || m.added != e->added || m.repeated != e->repeated)
            fail_msg("%s: end %d, %d readings, %lld added, %lld repeated", e->name, (int)end, readings,
                     (long long)m.added, (long long)m.repeated);
    }
}

/* Is a list of `rows` rows called whole by a server with that fault? Then it must be. */
static bool is_called_whole(int rows, int cut, int fault)
{
    static struct client client;
    struct server server = {.rows = rows, .cut = cut, .cut_moves = fault % 2 == 1};
    server.displaced_after = fault / 2 == 1 ? 1 : fault / 2 == 2 ? 2 : 0;
    server.twice_after = fault / 2 == 3 && rows > 60 ? 50 : fault / 2 == 4 && rows > 60 ? 33 : 0;
    server.total_false = fault / 2 == 5;
    struct pncp_modalidade m;
    if (run(&m, &client, &server, true) != WHOLE)
        return false;
    if (m.added != rows)
        fail_msg("%d rows, cut %d, fault %d: %lld were called all", rows, cut, fault, (long long)m.added);
    return true;
}

/* Whatever a static list's pages do, what is called whole is whole. */
static void what_is_whole_has_every_row(void **state)
{
    (void)state;
    int whole = 0;
    for (int rows = 0; rows <= 170; rows += 17) {
        for (int cut = 0; cut <= 50; cut++) {
            for (int fault = 0; fault < 12; fault++)
                whole += is_called_whole(rows, cut, fault);
        }
    }
    assert_true(whole > 4000);
}

static void an_open_day_may_grow(void **state)
{
    (void)state;
    static struct client client;
    struct pncp_modalidade m;
    struct server grows = {.rows = 120, .inserted_after = 1};
    assert_int_equal(run(&m, &client, &grows, false), WHOLE);
    assert_int_equal(m.readings, 1); /* the row that came has pushed another to the next page: 119 of 120 were seen */
    assert_int_equal(m.added, 120);
    struct server longer = {.rows = 120, .appended_after = 1};
    assert_int_equal(run(&m, &client, &longer, false), WHOLE);
    assert_int_equal(m.readings, 0);
    assert_int_equal(m.added, 121);
    struct server shrinks = {.rows = 120, .removed_after = 1};
    assert_int_equal(run(&m, &client, &shrinks, false), WHOLE);
    assert_int_equal(m.readings, 1);
}

/* ---- what is asked for ------------------------------------------------------------------------- */

static void take_full_page(struct pncp_modalidade *m, int64_t total)
{
    for (uint32_t i = 0; i < m->page_rows; i++) {
        const struct pncp_modalidade_row row = {.ours = true, .key_hash = (uint64_t)m->turn * 1000 + i};
        pncp_modalidade_row(m, &row);
    }
    const struct pncp_modalidade_page page = {.rows = m->page_rows, .total = total, .number = m->turn};
    assert_int_equal(pncp_modalidade_page(m, &page), PNCP_MODALIDADE_MORE);
}

static void asks_one_page_then_eight_ahead(void **state)
{
    (void)state;
    struct pncp_modalidade m;
    uint32_t page;
    pncp_modalidade_init(&m, true);
    assert_true(pncp_modalidade_ask(&m, 0, &page));
    assert_int_equal(page, 1);
    assert_false(pncp_modalidade_ask(&m, 0, &page));
    m.total = 5000; /* its answer is there, but not taken */
    assert_false(pncp_modalidade_ask(&m, 0, &page));
    take_full_page(&m, 5000);
    for (uint32_t i = 2; i < 2 + PNCP_LISTING_PAGES_AHEAD; i++) {
        assert_true(pncp_modalidade_ask(&m, 0, &page));
        assert_int_equal(page, i);
    }
    assert_false(pncp_modalidade_ask(&m, 0, &page));
    take_full_page(&m, 5000);
    assert_true(pncp_modalidade_ask(&m, 0, &page));
    assert_false(pncp_modalidade_ask(&m, 0, &page));
}

static void asks_for_no_more_than_is_wanted(void **state)
{
    (void)state;
    struct pncp_modalidade m;
    uint32_t page;
    pncp_modalidade_init(&m, true);
    assert_true(pncp_modalidade_ask(&m, 120, &page));
    take_full_page(&m, 5000);
    assert_true(pncp_modalidade_ask(&m, 70, &page)); /* on pages 2 and 3 */
    assert_true(pncp_modalidade_ask(&m, 70, &page));
    assert_false(pncp_modalidade_ask(&m, 70, &page));
    assert_int_equal(page, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_as_it_should),
        cmocka_unit_test(what_is_whole_has_every_row),
        cmocka_unit_test(an_open_day_may_grow),
        cmocka_unit_test(asks_one_page_then_eight_ahead),
        cmocka_unit_test(asks_for_no_more_than_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
