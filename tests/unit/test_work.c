/* A contratação under way: both parts or none, in order of completion, and nothing left behind. The fetcher is played
 * by the test. */
#include "base/mem.h"
#include "ingest/work.h"
#include "rows_fixture.h"

#include <stdio.h>
#include <string.h>

/* ---- the fetcher ----------------------------------------------------------------------------- */

static struct pncp_fetch_request *submitted[16];
static bool urgent_ones[16];
static size_t submitted_count;

void __wrap_pncp_fetch_submit(struct pncp_fetch *fetch, struct pncp_fetch_request *request, bool urgent);
void __wrap_pncp_fetch_submit(struct pncp_fetch *fetch, struct pncp_fetch_request *request, bool urgent)
{
    (void)fetch;
    assert_true(submitted_count < PNCP_ARRAY_LEN(submitted));
    assert_int_equal(request->api, PNCP_API_DETAIL);
    urgent_ones[submitted_count] = urgent;
    submitted[submitted_count++] = request;
}

/* Answer the oldest request whose address has `part` in it: rows "[{},{}…]" of `rows`, or another verdict. */
static void answer(const char *part, enum pncp_verdict_kind kind, unsigned rows, long status)
{
    for (size_t i = 0; i < submitted_count; i++) {
        struct pncp_fetch_request *request = submitted[i];
        struct pncp_verdict verdict = {.kind = kind, .http_status = status, .count = rows};
        struct pncp_buf body = {0};
        if (strstr(request->url, part) == NULL)
            continue;
        memmove(&submitted[i], &submitted[i + 1], (submitted_count - i - 1) * sizeof(*submitted));
        memmove(&urgent_ones[i], &urgent_ones[i + 1], (submitted_count - i - 1) * sizeof(*urgent_ones));
        submitted_count--;
        if (kind == PNCP_VERDICT_RETRY)
            verdict.reason = PNCP_REASON_HTTP;
        if (kind == PNCP_VERDICT_ROWS && request->kind == PNCP_KIND_LIST) {
            assert_int_equal(pncp_buf_text(&body, "["), PNCP_OK);
            for (unsigned k = 0; k < rows; k++)
                assert_int_equal(pncp_buf_format(&body, "%s{\"numeroItem\":%u,\"sequencialDocumento\":%u}",
                                                 k == 0 ? "" : ",", k + 1, k + 1),
                                 PNCP_OK);
            assert_int_equal(pncp_buf_text(&body, "]"), PNCP_OK);
            assert_int_equal(pncp_json_parse(pncp_buf_view(&body), &verdict.json, NULL, NULL), PNCP_OK);
        }
        pncp_task_dispatch(NULL, request, &verdict, &body);
        pncp_json_release(&verdict.json);
        pncp_buf_release(&body);
        return;
    }
    fail_msg("nobody asks for %s", part);
}

/* ---- the owner ------------------------------------------------------------------------------- */

struct bench {
    struct pncp_works works;
    struct pncp_work_failure failures[8];
    size_t failed;
    struct pncp_rows_chunk *chunk;
};

static void on_failed(void *ctx, const struct pncp_work_failure *failure)
{
    struct bench *b = ctx;
    b->failures[b->failed++] = *failure;
}

static void bench_open(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    submitted_count = 0;
    assert_int_equal(pncp_works_init(&b->works, NULL, "http://api", PNCP_CONFIRM_AUTO, on_failed, b, NULL), PNCP_OK);
    b->chunk = pncp_calloc(1, sizeof(*b->chunk));
    assert_non_null(b->chunk);
    rows_table(&b->chunk->rows, pncp_list_schema(), 1, 5);
    b->chunk->uses = 1; /* ours, to look at the count */
}

static void bench_close(struct bench *b)
{
    pncp_works_release(&b->works);
    assert_int_equal(b->works.bytes, 0);
    assert_int_equal(b->chunk->uses, 1); /* every work gave its use back */
    pncp_rows_chunk_drop(b->chunk);
}

static void start(struct bench *b, uint32_t number)
{
    const struct pncp_plan_item item = {.key = rows_packed(number), .chunk = b->chunk, .row = number - 1};
    b->chunk->uses++;
    assert_int_equal(pncp_works_start(&b->works, &item, NULL), PNCP_OK);
}

/* The number of the oldest finished one; 0 when there is none. */
static uint32_t take(struct bench *b, enum pncp_situacao itens, enum pncp_situacao arquivos)
{
    struct pncp_work *work = pncp_works_take(&b->works);
    struct pncp_key key;
    if (work == NULL)
        return 0;
    assert_int_equal(work->sides[PNCP_PART_ITENS].fetch.state, PNCP_PART_DONE);
    assert_int_equal(work->sides[PNCP_PART_ARQUIVOS].fetch.state, PNCP_PART_DONE);
    assert_int_equal(work->sides[PNCP_PART_ITENS].fetch.situacao, itens);
    assert_int_equal(work->sides[PNCP_PART_ARQUIVOS].fetch.situacao, arquivos);
    assert_true(work->obtained_us > 0);
    pncp_key_unpack(work->item.key, &key);
    pncp_work_free(work);
    return (uint32_t)key.sequencial;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void two_requests_make_one_contratacao(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    start(&b, 1);
    assert_int_equal(submitted_count, 2);
    assert_false(urgent_ones[0] || urgent_ones[1]);
    assert_int_equal(b.works.open, 1);
    answer("/itens", PNCP_VERDICT_ROWS, 3, 200);
    assert_true(b.works.bytes > 0);
    assert_int_equal(take(&b, PNCP_SITUACAO_OK, PNCP_SITUACAO_OK), 0); /* whole or not at all */
    answer("/arquivos", PNCP_VERDICT_NO_ROWS, 0, 204);
    assert_int_equal(b.works.open, 0);
    assert_int_equal(b.works.ready_count, 1);
    assert_int_equal(take(&b, PNCP_SITUACAO_OK, PNCP_SITUACAO_VAZIO), 1);
    assert_int_equal(b.works.bytes, 0);
    assert_int_equal(b.failed, 0);
    bench_close(&b);
}

static void a_long_list_is_confirmed_before_new_ones(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    start(&b, 1);
    answer("/itens", PNCP_VERDICT_ROWS, 12, 200);
    assert_int_equal(submitted_count, 2);
    assert_non_null(strstr(submitted[1]->url, "/itens/quantidade"));
    assert_int_equal(submitted[1]->kind, PNCP_KIND_COUNT);
    assert_true(urgent_ones[1]);
    answer("/arquivos", PNCP_VERDICT_ROWS, 1, 200);
    assert_int_equal(b.works.open, 1);
    answer("/itens/quantidade", PNCP_VERDICT_ROWS, 12, 200);
    assert_int_equal(take(&b, PNCP_SITUACAO_OK, PNCP_SITUACAO_OK), 1);
    bench_close(&b);
}

static void they_finish_in_their_own_order(void **state)
{
    (void)state;
    struct bench b;
    struct pncp_key keys[3] = {rows_key(1), rows_key(2), rows_key(3)};
    char parts[3][2][40];
    bench_open(&b);
    for (uint32_t i = 0; i < 3; i++) {
        start(&b, i + 1);
        (void)snprintf(parts[i][0], sizeof(parts[i][0]), "/%d/%d/itens", keys[i].ano, keys[i].sequencial);
        (void)snprintf(parts[i][1], sizeof(parts[i][1]), "/%d/%d/arquivos", keys[i].ano, keys[i].sequencial);
    }
    answer(parts[2][0], PNCP_VERDICT_ROWS, 1, 200);
    answer(parts[0][1], PNCP_VERDICT_ROWS, 1, 200);
    answer(parts[2][1], PNCP_VERDICT_ROWS, 1, 200);
    answer(parts[1][1], PNCP_VERDICT_ROWS, 1, 200);
    answer(parts[0][0], PNCP_VERDICT_ROWS, 1, 200);
    answer(parts[1][0], PNCP_VERDICT_ROWS, 1, 200);
    static const uint32_t order[] = {3, 1, 2, 0};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(order); i++)
        assert_int_equal(take(&b, PNCP_SITUACAO_OK, PNCP_SITUACAO_OK), order[i]);
    /* one more after the queue ran empty */
    start(&b, 4);
    answer("/itens", PNCP_VERDICT_ROWS, 1, 200);
    answer("/arquivos", PNCP_VERDICT_ROWS, 1, 200);
    assert_int_equal(take(&b, PNCP_SITUACAO_OK, PNCP_SITUACAO_OK), 4);
    bench_close(&b);
}

static void a_failed_part_fails_the_whole(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    start(&b, 1);
    answer("/itens", PNCP_VERDICT_RETRY, 0, 503); /* its attempts are over */
    assert_int_equal(b.failed, 0);                /* the other answer is still out */
    answer("/arquivos", PNCP_VERDICT_ROWS, 12, 200);
    assert_int_equal(submitted_count, 0); /* no /quantidade for what is lost anyway */
    assert_int_equal(b.failed, 1);
    assert_int_equal(pncp_packed_key_cmp(b.failures[0].key, rows_packed(1)), 0);
    assert_int_equal(b.failures[0].part, PNCP_FALHA_ITENS);
    assert_int_equal(b.failures[0].reason, PNCP_REASON_HTTP);
    assert_int_equal(b.failures[0].http_status, 503);
    assert_int_equal(b.works.open + b.works.ready_count + b.works.bytes, 0);
    start(&b, 2);
    answer("/arquivos", PNCP_VERDICT_RETRY, 0, 500);
    answer("/itens", PNCP_VERDICT_RETRY, 0, 502);
    assert_int_equal(b.failures[1].part, PNCP_FALHA_AMBAS);
    assert_int_equal(b.failures[1].http_status, 502); /* that of itens, when both failed */
    start(&b, 3);
    answer("/itens", PNCP_VERDICT_ROWS, 1, 200);
    answer("/arquivos", PNCP_VERDICT_REFUSED, 0, 400);
    assert_int_equal(b.failures[2].part, PNCP_FALHA_ARQUIVOS);
    assert_int_equal(b.failed, 3);
    assert_int_equal(take(&b, PNCP_SITUACAO_OK, PNCP_SITUACAO_OK), 0);
    bench_close(&b);
}

/* A run that ends in the middle: some open, some finished, none taken. */
static void what_is_under_way_is_released(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    for (uint32_t i = 1; i <= 5; i++)
        start(&b, i);
    for (int i = 0; i < 3; i++)
        answer("/itens", PNCP_VERDICT_ROWS, 2, 200);
    answer("/arquivos", PNCP_VERDICT_ROWS, 2, 200);
    assert_int_equal(b.works.ready_count, 1);
    assert_int_equal(b.works.open, 4);
    bench_close(&b);
    pncp_work_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_requests_make_one_contratacao), cmocka_unit_test(a_long_list_is_confirmed_before_new_ones),
        cmocka_unit_test(they_finish_in_their_own_order),    cmocka_unit_test(a_failed_part_fails_the_whole),
        cmocka_unit_test(what_is_under_way_is_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
