/* Contratações got one by one: in the order of their keys, some tens at a time, and what is no such contratação. The
 * fetcher is played by the test. */
#include "base/mem.h"
#include "ingest/compras.h"
#include "rows_fixture.h"

#include <stdio.h>
#include <string.h>

#define DAY "2025-10-22T08:41:33"

/* ---- the fetcher ----------------------------------------------------------------------------- */

static struct pncp_fetch_request *submitted[PNCP_COMPRAS_ASKING];
static size_t submitted_count, submitted_all;

void __wrap_pncp_fetch_submit(struct pncp_fetch *fetch, struct pncp_fetch_request *request, bool urgent);
void __wrap_pncp_fetch_submit(struct pncp_fetch *fetch, struct pncp_fetch_request *request, bool urgent)
{
    (void)fetch;
    assert_true(submitted_count < PNCP_ARRAY_LEN(submitted));
    assert_int_equal(request->api, PNCP_API_CONSULTA);
    assert_int_equal(request->kind, PNCP_KIND_OBJECT);
    assert_false(urgent);
    submitted[submitted_count++] = request;
    submitted_all++;
}

static void give(size_t i, struct pncp_verdict *verdict)
{
    struct pncp_fetch_request *request = submitted[i];
    struct pncp_buf body = {0};
    memmove(&submitted[i], &submitted[i + 1], (submitted_count - i - 1) * sizeof(*submitted));
    submitted_count--;
    pncp_task_dispatch(NULL, request, verdict, &body);
    pncp_json_release(&verdict->json); /* unless it was taken */
}

static size_t find_request(uint32_t number)
{
    char end[100];
    const struct pncp_key key = rows_key(number);
    (void)snprintf(end, sizeof(end), "http://api/v1/orgaos/%s/compras/%d/%d", key.cnpj, key.ano, key.sequencial);
    for (size_t i = 0; i < submitted_count; i++) {
        if (strcmp(submitted[i]->url, end) == 0)
            return i;
    }
    fail_msg("nobody asks for %s", end);
    return 0;
}

/* Answer the request for `asked` with the contratação `number` of that day; without a day when it is "". */
static void answer(uint32_t asked, uint32_t number, const char *day)
{
    char text[300];
    const struct pncp_key key = rows_key(number);
    struct pncp_verdict verdict = {.kind = PNCP_VERDICT_ROWS, .http_status = 200};
    (void)snprintf(text, sizeof(text),
                   "{\"orgaoEntidade\":{\"cnpj\":\"%s\"},\"anoCompra\":%d,\"sequencialCompra\":%d%s%s%s}", key.cnpj,
                   key.ano, key.sequencial, day[0] == '\0' ? "" : ",\"dataPublicacaoPncp\":\"", day,
                   day[0] == '\0' ? "" : "\"");
    assert_int_equal(pncp_json_parse(pncp_view_of(text), &verdict.json, NULL, NULL), PNCP_OK);
    give(find_request(asked), &verdict);
}

static void refuse(uint32_t asked, enum pncp_verdict_kind kind, enum pncp_reason reason, long status)
{
    struct pncp_verdict verdict = {.kind = kind, .reason = reason, .http_status = status};
    give(find_request(asked), &verdict);
}

/* ---- the owner ------------------------------------------------------------------------------- */

struct bench {
    struct rows_lake lake;
    struct pncp_list list;
    struct pncp_keyset *keys;
    struct pncp_compras *compras;
    struct pncp_work_failure failures[8];
    size_t failed;
};

static void on_failed(void *ctx, const struct pncp_work_failure *failure)
{
    struct bench *b = ctx;
    b->failures[b->failed++] = *failure;
}

/* Asks for contratações 1 … count, the last one first. */
static void bench_open(struct bench *b, uint32_t count)
{
    *b = (struct bench){.failed = 0};
    submitted_count = submitted_all = 0;
    rows_lake_open(&b->lake);
    assert_int_equal(pncp_list_create(b->lake.lake, b->lake.date, &b->list, NULL), PNCP_OK);
    assert_int_equal(pncp_keyset_new(&b->keys), PNCP_OK);
    struct pncp_packed_key *asks = pncp_calloc(count, sizeof(*asks));
    assert_non_null(asks);
    for (uint32_t i = 0; i < count; i++) {
        asks[i] = rows_packed(count - i);
        assert_int_equal(pncp_keyset_set(b->keys, asks[i], PNCP_KEY_LISTED, NULL), PNCP_OK);
    }
    const struct pncp_compras_options options = {
        .consulta_url = "http://api", .list = &b->list, .keys = b->keys, .failed = on_failed, .ctx = b};
    assert_int_equal(pncp_compras_new(&options, NULL, asks, count, &b->compras, NULL), PNCP_OK);
}

static void bench_close(struct bench *b)
{
    pncp_compras_free(b->compras);
    pncp_list_release(&b->list);
    pncp_keyset_free(b->keys);
    rows_lake_close(&b->lake);
}

/* The list must hold first, first - 1 … last. */
static void assert_listed(struct bench *b, uint32_t first, uint32_t last)
{
    AUTO(pncp_table_release) struct pncp_table rows;
    uint32_t number = first;
    assert_int_equal(pncp_table_init(&rows, pncp_list_schema()), PNCP_OK);
    assert_int_equal(pncp_list_flush(&b->list, NULL), PNCP_OK);
    assert_int_equal(b->list.rows, first - last + 1);
    for (size_t group = 0; group < pncp_list_groups(&b->list); group++) {
        assert_int_equal(pncp_list_read_group(&b->list, group, &rows, NULL), PNCP_OK);
        for (size_t row = 0; row < rows.rows; row++, number--) {
            struct pncp_key key, wanted = rows_key(number);
            assert_int_equal(pncp_list_row_key(&rows, row, &key, NULL), PNCP_OK);
            assert_true(pncp_key_eq(&key, &wanted));
        }
    }
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* Answers come in any order; rows wait for their turn, and for so many that they make a group. */
static void rows_come_in_order(void **state)
{
    (void)state;
    enum { COUNT = PNCP_COMPRAS_ROWS + 10 };
    struct bench b;
    bench_open(&b, COUNT);
    for (uint32_t done = 1; done < COUNT; done++) { /* the very first stays open */
        char *last = strrchr(submitted[submitted_count - 1]->url, '/');
        uint64_t number;
        assert_true(pncp_view_u64(pncp_view_of(last + 1), &number));
        if (number == COUNT)
            break;
        answer((uint32_t)number, (uint32_t)number, DAY);
        assert_int_equal(b.list.rows, 0);
    }
    /* the window is full: what came is held, no more is asked for */
    assert_int_equal(submitted_all, PNCP_COMPRAS_WINDOW);
    assert_int_equal(submitted_count, 1);
    assert_int_equal(pncp_compras_left(b.compras), COUNT);
    answer(COUNT, COUNT, DAY);
    assert_int_equal(b.list.rows, PNCP_COMPRAS_WINDOW);
    assert_int_equal(pncp_compras_left(b.compras), COUNT - PNCP_COMPRAS_WINDOW);
    assert_false(pncp_compras_finished(b.compras));
    answer(1, 1, DAY);
    assert_int_equal(b.list.rows, PNCP_COMPRAS_WINDOW); /* too few for a group, and more to come */
    answer(2, 2, DAY);
    assert_true(pncp_compras_finished(b.compras));
    assert_int_equal(pncp_compras_left(b.compras), 0);
    assert_int_equal(pncp_compras_error(b.compras, NULL), PNCP_OK);
    assert_listed(&b, COUNT, 1);
    assert_int_equal(b.failed, 0);
    bench_close(&b);
}

/* The first one at once, then twice as many each time, up to a whole group. */
static void groups_grow(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    static const int64_t rows_after[] = {1, 3, 7, 15, 31, 63, 113, 163, 200};
    struct bench b;
    size_t at = 0;
    bench_open(&b, COUNT);
    for (uint32_t number = COUNT; number > 0; number--) {
        answer(number, number, DAY);
        if (COUNT - number + 1 == rows_after[at])
            at++;
        assert_int_equal(b.list.rows, at == 0 ? 0 : rows_after[at - 1]);
    }
    assert_int_equal(at, PNCP_ARRAY_LEN(rows_after));
    assert_listed(&b, COUNT, 1);
    bench_close(&b);
}

static void what_is_no_such_contratacao(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 8);
    answer(8, 8, DAY);
    refuse(7, PNCP_VERDICT_ABSENT, PNCP_REASON_HTTP, 404);
    refuse(6, PNCP_VERDICT_RETRY, PNCP_REASON_TIMEOUT, 0);
    refuse(5, PNCP_VERDICT_NO_ROWS, PNCP_REASON_NONE, 204);
    answer(4, 3, DAY); /* another one than was asked for */
    answer(3, 3, "");
    answer(2, 2, "2025-10-23T00:00:00");
    struct pncp_verdict nameless = {.kind = PNCP_VERDICT_ROWS, .http_status = 200};
    assert_int_equal(pncp_json_parse(PNCP_VIEW_LIT("{\"a\":1}"), &nameless.json, NULL, NULL), PNCP_OK);
    give(find_request(1), &nameless);
    static const struct {
        uint32_t number;
        enum pncp_reason reason;
        long status;
    } told[] = {{7, PNCP_REASON_HTTP, 404},     {6, PNCP_REASON_TIMEOUT, 0},    {5, PNCP_REASON_HTTP, 204},
                {4, PNCP_REASON_WRONG_KIND, 0}, {3, PNCP_REASON_WRONG_KIND, 0}, {1, PNCP_REASON_MALFORMED_KEY, 0}};
    assert_int_equal(b.failed, PNCP_ARRAY_LEN(told));
    for (size_t i = 0; i < PNCP_ARRAY_LEN(told); i++) {
        assert_int_equal(pncp_packed_key_cmp(b.failures[i].key, rows_packed(told[i].number)), 0);
        assert_int_equal(b.failures[i].reason, told[i].reason);
        assert_int_equal(b.failures[i].http_status, told[i].status);
        assert_int_equal(b.failures[i].part, PNCP_FALHA_AMBAS);
        assert_true(b.failures[i].contratacao);
        assert_true((pncp_keyset_get(b.keys, b.failures[i].key) & PNCP_KEY_LISTED) != 0);
    }
    assert_true(pncp_compras_finished(b.compras));
    assert_int_equal(pncp_compras_other_days(b.compras), 1);
    assert_int_equal(pncp_keyset_get(b.keys, rows_packed(2)) & PNCP_KEY_LISTED, 0);
    assert_listed(&b, 8, 8);
    bench_close(&b);
}

/* What is under way when it is stopped comes back and changes nothing. */
static void stopped_is_finished(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 20);
    pncp_compras_stop(b.compras);
    assert_true(pncp_compras_finished(b.compras));
    size_t asked = submitted_all;
    answer(20, 20, DAY);
    refuse(19, PNCP_VERDICT_ABSENT, PNCP_REASON_HTTP, 404);
    assert_int_equal(submitted_all, asked);
    assert_int_equal(b.list.rows, 0);
    assert_int_equal(b.failed, 0);
    assert_int_equal(pncp_compras_left(b.compras), 20);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_in_order),
        cmocka_unit_test(groups_grow),
        cmocka_unit_test(what_is_no_such_contratacao),
        cmocka_unit_test(stopped_is_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
