/* Is a list whole? Conversations to the letter, and a server that cuts pages at any size in either way. */
#include "pncp/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- conversations --------------------------------------------------------------------------- */

/* "1x500=3-7": page 1 of 500 rows is asked for and shows the ids 3 to 7 · "=?4": four rows without an id · "=[]" ·
 * "=204" · "=404" "q=12": /quantidade is asked and says 12 · "!": the request failed for good (http_503) */
struct talk {
    enum pncp_confirm confirm;
    const char *words;
    enum pncp_part_state state;
    enum pncp_situacao situacao;
    int64_t total, quantidade;
    bool differs;
    enum pncp_reason reason;
    long http_status;
};

#define AUTO_ PNCP_CONFIRM_AUTO
#define ALWAYS PNCP_CONFIRM_ALWAYS
#define NEVER PNCP_CONFIRM_NEVER
#define OK(total, quantidade) PNCP_PART_DONE, PNCP_SITUACAO_OK, total, quantidade, false, PNCP_REASON_NONE, 0
#define DIFFERS(total, quantidade) PNCP_PART_DONE, PNCP_SITUACAO_OK, total, quantidade, true, PNCP_REASON_NONE, 0
#define VAZIO(quantidade) PNCP_PART_DONE, PNCP_SITUACAO_VAZIO, 0, quantidade, false, PNCP_REASON_NONE, 0
#define AUSENTE(quantidade) PNCP_PART_DONE, PNCP_SITUACAO_AUSENTE, -1, quantidade, false, PNCP_REASON_NONE, 0
#define FAILED(reason, status) PNCP_PART_FAILED, PNCP_SITUACAO_OK, 0, 0, false, PNCP_REASON_##reason, status

static const struct talk TALKS[] = {
    /* one request is enough for a short list */
    {AUTO_, "1x500=1-9", OK(9, -1)},
    {AUTO_, "1x500=[]", VAZIO(-1)},
    {AUTO_, "1x500=204", VAZIO(-1)},
    {NEVER, "1x500=1-499", OK(499, -1)},
    /* ten rows or more, and any list with `always`, are confirmed */
    {AUTO_, "1x500=1-10 q=10", OK(10, 10)},
    {AUTO_, "1x500=1-500 q=500", OK(500, 500)},
    {ALWAYS, "1x500=1-1 q=1", OK(1, 1)},
    {ALWAYS, "1x500=204 q=0", VAZIO(0)},
    {ALWAYS, "1x500=[] q=204", VAZIO(0)},
    {ALWAYS, "1x500=[] q=404", VAZIO(-1)},
    /* longer than a page */
    {AUTO_, "1x500=1-500 q=620 2x500=501-620", OK(620, 620)},
    {NEVER, "1x500=1-500 2x500=501-620", OK(620, -1)},
    {NEVER, "1x500=1-500 2x500=[]", OK(500, -1)},
    {NEVER, "1x500=1-500 2x500=204", OK(500, -1)},
    {NEVER, "1x500=1-500 2x500=404", OK(500, -1)},
    /* cut: the rest comes in pages of the size received */
    {AUTO_, "1x500=1-10 q=25 2x10=11-20 3x10=21-25", OK(25, 25)},
    {ALWAYS, "1x500=1-2 q=3 2x2=3-3", OK(3, 3)},
    {AUTO_, "1x500=1-12 q=20 2x12=10-20", OK(20, 20)}, /* a row on two pages counts once */
    {AUTO_, "1x500=2100054-2100063 q=10", OK(10, 10)}, /* numbers need not begin at 1 */
    /* cut further while we read */
    {AUTO_, "1x500=1-12 q=30 2x12=13-20 3x12=25-30 1x8=1-8 2x8=9-16 3x8=17-24 4x8=25-30", OK(30, 30)},
    /* a number that stays wrong is accepted after a second reading */
    {AUTO_, "1x500=1-12 q=13 2x12=[] 1x500=1-12 q=13 2x12=204", DIFFERS(12, 13)},
    {AUTO_, "1x500=1-12 q=11 1x500=1-12 q=11", DIFFERS(12, 11)},
    {AUTO_, "1x500=1-12 q=11 1x500=1-12 q=12", OK(12, 12)},
    {AUTO_, "1x500=1-12 q=13 2x12=404 1x500=1-13 q=13", OK(13, 13)},
    {AUTO_, "1x500=1-12 q=11 1x500=1-5 q=5", OK(5, 5)}, /* doubted once: confirmed although short */
    /* but not a list that is another one, or counted otherwise, each time: asked until two readings are alike */
    {AUTO_, "1x500=1-12 q=24 2x12=1-12 1x500=13-24 q=24 2x12=13-24 1x500=1-12 q=24 2x12=13-24", OK(24, 24)},
    {AUTO_, "1x500=1-12 q=11 1x500=1-12 q=10 1x500=1-12 q=11 1x500=1-12 q=11", DIFFERS(12, 11)},
    {AUTO_, "1x500=1-12 q=13 2x12=[] 1x500=2-13 q=14 2x12=[] 1x500=2-13 q=14 2x12=[]", DIFFERS(12, 14)},
    {AUTO_, "1x500=1-12 q=11 1x500=1-12 q=10 1x500=1-12 q=9 1x500=1-12 q=8", FAILED(PAGE_MISMATCH, 200)},
    {AUTO_, "1x500=1-12 q=11 1x500=2-13 q=11 1x500=3-14 q=11 1x500=4-15 q=11", FAILED(PAGE_MISMATCH, 200)},
    /* one row too many is counted: it costs one more page, not a reading in pages of one */
    {AUTO_, "1x500=1-12 q=26 2x12=13-24 3x12=25-25 4x12=[] 1x500=1-12 q=26 2x12=13-24 3x12=25-25 4x12=[]",
     DIFFERS(25, 26)},
    /* a server that ignores `pagina` */
    {AUTO_, "1x500=1-12 q=20 2x12=1-12 1x500=1-12 q=20 2x12=1-12", DIFFERS(12, 20)},
    {AUTO_, "1x500=?12 q=24 2x12=?12 1x500=?12 q=24 2x12=?12", DIFFERS(12, 24)},
    {NEVER, "1x500=1-500 2x500=1-500", OK(500, -1)},
    /* absent: only when nothing is counted either */
    {AUTO_, "1x500=404 q=404", AUSENTE(-1)},
    {AUTO_, "1x500=404 q=204", AUSENTE(0)},
    {NEVER, "1x500=404 q=0", AUSENTE(0)},
    {AUTO_, "1x500=404 q=3 1x500=1-3 q=3", OK(3, 3)},
    {AUTO_, "1x500=404 q=3 1x500=404 q=404", AUSENTE(-1)},
    {AUTO_, "1x500=404 q=3 1x500=404 q=3 1x500=404 q=3", FAILED(HTTP, 404)},
    {AUTO_, "1x500=1-12 q=404 1x500=1-12 q=12", OK(12, 12)},
    {AUTO_, "1x500=1-12 q=404 1x500=1-12 q=404 1x500=1-12 q=404", FAILED(HTTP, 404)},
    /* counted and never shown */
    {ALWAYS, "1x500=204 q=5 1x500=1-5 q=5", OK(5, 5)},
    {ALWAYS, "1x500=204 q=5 1x500=[] q=5", FAILED(PAGE_MISMATCH, 200)},
    {AUTO_, "1x500=1-12 q=13 2x12=[] 1x500=204 q=13 1x500=[] q=13", FAILED(PAGE_MISMATCH, 200)},
    /* failures end it, whatever was there */
    {AUTO_, "1x500=!", FAILED(HTTP, 503)},
    {AUTO_, "1x500=1-12 q=!", FAILED(HTTP, 503)},
    {AUTO_, "1x500=1-12 q=20 2x12=!", FAILED(HTTP, 503)},
    {AUTO_, "1x500=404 q=!", FAILED(HTTP, 503)},
};

static struct pncp_buf list_body(int64_t first, int64_t last, bool with_ids)
{
    struct pncp_buf body = {0};
    assert_int_equal(pncp_buf_text(&body, "["), PNCP_OK);
    for (int64_t id = first; id <= last; id++) {
        const char *comma = id == first ? "" : ",";
        enum pncp_code rc = with_ids ? pncp_buf_format(&body, "%s{\"numeroItem\":%" PRId64 "}", comma, id)
                                     : pncp_buf_format(&body, "%s{\"descricao\":\"x\"}", comma);
        assert_int_equal(rc, PNCP_OK);
    }
    assert_int_equal(pncp_buf_text(&body, "]"), PNCP_OK);
    return body;
}

static struct pncp_part_scratch scratch; /* of all parts here */

/* Hand an answer to the part as the fetcher would: through the verdict. */
static enum pncp_code give(struct pncp_part_fetch *part, long status, struct pncp_buf *body)
{
    struct pncp_answer answer = {.status = status, .body = pncp_buf_view(body)};
    struct pncp_verdict verdict;
    pncp_verdict_make(pncp_part_next(part).quantidade ? PNCP_KIND_COUNT : PNCP_KIND_LIST, &answer, 0, &verdict);
    enum pncp_code rc = pncp_part_answer(part, &verdict, pncp_buf_view(body), &scratch);
    pncp_json_release(&verdict.json);
    return rc;
}

/* One word of a talk; false when the part asks for something else. */
static bool say(struct pncp_part_fetch *part, const char *word)
{
    struct pncp_part_request ask = pncp_part_next(part);
    char asked[32];
    if (ask.quantidade)
        (void)snprintf(asked, sizeof(asked), "q");
    else
        (void)snprintf(asked, sizeof(asked), "%" PRIu32 "x%" PRIu32, ask.page, ask.page_rows);
    const char *equals = strchr(word, '=');
    assert_non_null(equals);
    if (strlen(asked) != (size_t)(equals - word) || strncmp(asked, word, strlen(asked)) != 0) {
        print_error("asked for %s where the talk has %s\n", asked, word);
        return false;
    }
    const char *said = equals + 1;
    AUTO(pncp_buf_release) struct pncp_buf body = {0};
    long status = 200;
    char *end;
    if (strcmp(said, "!") == 0)
        status = 503;
    else if (strcmp(said, "404") == 0 || strcmp(said, "204") == 0)
        status = strtol(said, NULL, 10);
    else if (ask.quantidade)
        assert_int_equal(pncp_buf_text(&body, said), PNCP_OK);
    else if (strcmp(said, "[]") == 0)
        body = list_body(1, 0, true);
    else if (said[0] == '?')
        body = list_body(1, strtol(said + 1, NULL, 10), false);
    else {
        long first = strtol(said, &end, 10);
        body = list_body(first, strtol(end + 1, NULL, 10), true);
    }
    assert_int_equal(give(part, status, &body), PNCP_OK);
    return true;
}

static void hold_talk(const struct talk *talk)
{
    AUTO(pncp_part_release) struct pncp_part_fetch part;
    char words[512];
    pncp_part_init(&part, PNCP_PART_ITENS, talk->confirm);
    assert_true((size_t)snprintf(words, sizeof(words), "%s", talk->words) < sizeof(words));
    char *rest;
    for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (part.state != PNCP_PART_ASKING || !say(&part, word))
            fail_msg("\"%s\": over or astray before %s", talk->words, word);
    }
    if (part.state != talk->state)
        fail_msg("\"%s\": ends in state %d", talk->words, (int)part.state);
    if (talk->state == PNCP_PART_FAILED) {
        assert_int_equal(part.reason, talk->reason);
        assert_int_equal(part.http_status, talk->http_status);
        assert_int_equal(part.rows.cells.len, 0); /* nothing is kept of what is not whole */
        assert_int_equal(part.rows.cells.cap, 0);
        return;
    }
    if (part.situacao != talk->situacao || part.total != talk->total || part.quantidade != talk->quantidade ||
        part.differs != talk->differs)
        fail_msg("\"%s\": situacao %d, total %" PRId64 ", quantidade %" PRId64 ", differs %d", talk->words,
                 (int)part.situacao, part.total, part.quantidade, part.differs);
}

static void test_conversations(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(TALKS); i++)
        hold_talk(&TALKS[i]);
}

/* ---- a server that cuts ---------------------------------------------------------------------- */

enum cut {
    CUT_CLAMPS,   /* takes the size for its own: page p begins at (p - 1) × the size it allows */
    CUT_SHORTENS, /* begins where the size asked says, and stops early */
};

struct server {
    int64_t rows, cap;
    enum cut cut;
    bool end_is_204;
    unsigned requests;
};

static enum pncp_code serve(struct server *server, struct pncp_part_fetch *part)
{
    struct pncp_part_request ask = pncp_part_next(part);
    AUTO(pncp_buf_release) struct pncp_buf body = {0};
    server->requests++;
    if (ask.quantidade) {
        assert_int_equal(pncp_buf_format(&body, "%" PRId64, server->rows), PNCP_OK);
        return give(part, 200, &body);
    }
    int64_t shown = PNCP_MIN((int64_t)ask.page_rows, server->cap);
    int64_t first = ((int64_t)ask.page - 1) * (server->cut == CUT_CLAMPS ? shown : (int64_t)ask.page_rows);
    int64_t last = PNCP_MIN(first + shown, server->rows);
    if (first >= last && server->end_is_204)
        return give(part, 204, &body);
    body = list_body(first + 1, last, true);
    return give(part, 200, &body);
}

/* Rows of the accepted reading: the ids 1, 2 … in their order. */
static int64_t rows_kept(const struct pncp_part_fetch *part)
{
    AUTO(pncp_table_release) struct pncp_table table;
    assert_int_equal(pncp_table_init(&table, pncp_details_schema()), PNCP_OK);
    assert_int_equal(pncp_part_rows_put(&part->rows, &table), PNCP_OK);
    const struct pncp_leaf *ids = &table.leaves[pncp_details_leaves()->itens_numero];
    for (size_t i = 0; i < ids->value_count; i++) {
        assert_int_equal(pncp_leaf_int(ids, i), (int64_t)i + 1);
        assert_int_equal(ids->rep[i], i > 0);
    }
    assert_int_equal(ids->value_count, part->rows.count);
    return part->rows.count;
}

static void read_all(struct server server, enum pncp_confirm confirm, unsigned requests_max)
{
    AUTO(pncp_part_release) struct pncp_part_fetch part;
    pncp_part_init(&part, PNCP_PART_ITENS, confirm);
    while (part.state == PNCP_PART_ASKING && server.requests <= requests_max)
        assert_int_equal(serve(&server, &part), PNCP_OK);
    if (part.state != PNCP_PART_DONE || part.total != server.rows || part.differs || rows_kept(&part) != server.rows)
        fail_msg("%" PRId64 " rows cut to %" PRId64 " (cut %d, confirm %d): state %d, total %" PRId64 ", %u requests",
                 server.rows, server.cap, (int)server.cut, (int)confirm, (int)part.state, part.total, server.requests);
}

/* Pages of the size that the first one came in, and one /quantidade. */
static unsigned requests_needed(int64_t rows, int64_t cap)
{
    int64_t size = PNCP_MIN(cap, (int64_t)PNCP_CONFIRM_FROM_ROWS * 50);
    return (unsigned)(PNCP_MAX((rows + size - 1) / size, (int64_t)1) + 1);
}

static void read_in_all_ways(int64_t rows, int64_t cap)
{
    for (int way = 0; way < 4; way++) {
        struct server server = {
            .rows = rows, .cap = cap, .cut = way & 1 ? CUT_CLAMPS : CUT_SHORTENS, .end_is_204 = (way & 2) != 0};
        read_all(server, PNCP_CONFIRM_ALWAYS, requests_needed(rows, cap));
        if (cap >= PNCP_CONFIRM_FROM_ROWS)
            read_all(server, PNCP_CONFIRM_AUTO, requests_needed(rows, cap));
        if (cap >= 500) /* `never` trusts the size it asks for */
            read_all(server, PNCP_CONFIRM_NEVER, requests_needed(rows, cap));
    }
}

static void test_nothing_is_lost_however_pages_are_cut(void **state)
{
    (void)state;
    static const int64_t sizes[] = {60, 99, 100, 101, 333, 499, 500, 501, 999, 1000, 1001, 1200};
    static const int64_t caps[] = {1, 2, 3, 7, 9, 10, 11, 49, 50, 100, 499, 500, 501, 1000, 2000};
    for (int64_t rows = 0; rows <= 48; rows++) {
        for (int64_t cap = 1; cap <= rows + 1; cap++)
            read_in_all_ways(rows, cap);
        read_in_all_ways(rows, 1000);
    }
    for (size_t i = 0; i < PNCP_ARRAY_LEN(sizes); i++) {
        for (size_t k = 0; k < PNCP_ARRAY_LEN(caps); k++)
            read_in_all_ways(sizes[i], caps[k]);
        read_in_all_ways(sizes[i], sizes[i] - 1);
        read_in_all_ways(sizes[i], sizes[i]);
    }
}

static void test_ordinary_lists_cost_one_request_or_two(void **state)
{
    (void)state;
    for (int64_t rows = 0; rows < 500; rows++) {
        struct server server = {.rows = rows, .cap = 1000};
        AUTO(pncp_part_release) struct pncp_part_fetch part;
        pncp_part_init(&part, PNCP_PART_ITENS, PNCP_CONFIRM_AUTO);
        while (part.state == PNCP_PART_ASKING)
            assert_int_equal(serve(&server, &part), PNCP_OK);
        assert_int_equal(server.requests, rows < PNCP_CONFIRM_FROM_ROWS ? 1 : 2);
    }
}

static void test_pages_of_one_reading_have_a_ceiling(void **state)
{
    (void)state;
    struct server server = {.rows = PNCP_PART_PAGES_MAX + 1, .cap = 1};
    AUTO(pncp_part_release) struct pncp_part_fetch part;
    pncp_part_init(&part, PNCP_PART_ITENS, PNCP_CONFIRM_ALWAYS);
    enum pncp_code rc = PNCP_OK;
    while (part.state == PNCP_PART_ASKING && rc == PNCP_OK)
        rc = serve(&server, &part);
    assert_int_equal(rc, PNCP_E_LIMIT);
    assert_int_equal(part.state, PNCP_PART_FAILED);
    assert_int_equal(part.reason, PNCP_REASON_TOO_LARGE);
    assert_int_equal(server.requests, PNCP_PART_PAGES_MAX + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversations),
        cmocka_unit_test(test_nothing_is_lost_however_pages_are_cut),
        cmocka_unit_test(test_ordinary_lists_cost_one_request_or_two),
        cmocka_unit_test(test_pages_of_one_reading_have_a_ceiling),
    };
    if (pncp_part_scratch_init(&scratch) != PNCP_OK)
        return 1;
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    pncp_part_scratch_release(&scratch);
    return failures;
}
