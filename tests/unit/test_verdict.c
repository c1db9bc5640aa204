/* What an answer means, as one table: kind expected × transport, status, body. */
#include "pncp/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOW_US INT64_C(1761120000000000) /* 2025-10-22T08:00:00Z */

struct body_case {
    enum pncp_kind kind;
    const char *body;
    enum pncp_verdict_kind verdict;
    enum pncp_reason reason;
    int64_t count;
};

#define ROWS(n) PNCP_VERDICT_ROWS, PNCP_REASON_NONE, n
#define EMPTY PNCP_VERDICT_NO_ROWS, PNCP_REASON_NONE, 0
#define RETRY(why) PNCP_VERDICT_RETRY, PNCP_REASON_##why, 0

/* Answers with status 200. */
static const struct body_case BODIES[] = {
    {PNCP_KIND_LIST, "[{\"numeroItem\":1},{}]", ROWS(2)},
    {PNCP_KIND_LIST, "\r\n\t [{}]\n", ROWS(1)},
    {PNCP_KIND_LIST, "[]", EMPTY},
    {PNCP_KIND_LIST, "[{},1]", RETRY(WRONG_KIND)},
    {PNCP_KIND_LIST, "[null]", RETRY(WRONG_KIND)},
    {PNCP_KIND_LIST, "{}", RETRY(WRONG_KIND)},
    {PNCP_KIND_LIST, "12", RETRY(WRONG_KIND)},
    {PNCP_KIND_LIST, "null", RETRY(WRONG_KIND)},
    {PNCP_KIND_LIST, "", RETRY(EMPTY_200)},
    {PNCP_KIND_LIST, " \n ", RETRY(EMPTY_200)},
    {PNCP_KIND_LIST, "<html>Request Rejected</html>", RETRY(HTML_200)},
    {PNCP_KIND_LIST, "\n\n  <!DOCTYPE html>", RETRY(HTML_200)},
    {PNCP_KIND_LIST, "[{\"numeroItem\":1},{\"nume", RETRY(TRUNCATED)},
    {PNCP_KIND_LIST, "Erro na comunica\xC3\xA7\xC3\xA3o", RETRY(BAD_JSON)},
    {PNCP_KIND_LIST, "\xEF\xBB\xBF[]", RETRY(BAD_JSON)},
    {PNCP_KIND_LIST, "[{\"a\":1,\"a\":1}]", RETRY(DUPLICATE_KEY)},
    {PNCP_KIND_LIST, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", RETRY(TOO_DEEP)},
    {PNCP_KIND_PAGE, "{\"data\":[{}],\"totalRegistros\":1,\"totalPaginas\":1,\"numeroPagina\":1}", ROWS(1)},
    {PNCP_KIND_PAGE, "{\"data\":[{}],\"totalRegistros\":1}", ROWS(1)},
    {PNCP_KIND_PAGE, "{\"data\":[],\"totalRegistros\":0,\"empty\":true}", EMPTY},
    {PNCP_KIND_PAGE, "{\"data\":[{}]}", RETRY(WRONG_KIND)},
    {PNCP_KIND_PAGE, "{\"data\":[{}],\"totalRegistros\":\"1\"}", RETRY(WRONG_KIND)},
    {PNCP_KIND_PAGE, "{\"data\":[{}],\"totalRegistros\":-1}", RETRY(WRONG_KIND)},
    {PNCP_KIND_PAGE, "{\"data\":[{}],\"totalRegistros\":1.5}", RETRY(WRONG_KIND)},
    {PNCP_KIND_PAGE, "{\"data\":[{}],\"totalRegistros\":1,\"totalPaginas\":null}", RETRY(WRONG_KIND)},
    {PNCP_KIND_PAGE, "{\"data\":[{}],\"totalRegistros\":1,\"numeroPagina\":\"x\"}", RETRY(WRONG_KIND)},
    {PNCP_KIND_PAGE, "{\"data\":[3],\"totalRegistros\":1}", RETRY(WRONG_KIND)},
    {PNCP_KIND_PAGE, "{\"data\":null,\"totalRegistros\":1}", RETRY(WRONG_KIND)},
    {PNCP_KIND_PAGE, "[{}]", RETRY(WRONG_KIND)},
    {PNCP_KIND_COUNT, "10", ROWS(10)},
    {PNCP_KIND_COUNT, " 0\n", ROWS(0)},
    {PNCP_KIND_COUNT, "-1", RETRY(WRONG_KIND)},
    {PNCP_KIND_COUNT, "1.0", RETRY(WRONG_KIND)},
    {PNCP_KIND_COUNT, "\"10\"", RETRY(WRONG_KIND)},
    {PNCP_KIND_COUNT, "[]", RETRY(WRONG_KIND)},
    {PNCP_KIND_COUNT, "99999999999999999999", RETRY(WRONG_KIND)},
    {PNCP_KIND_COUNT, "", RETRY(EMPTY_200)},
    {PNCP_KIND_OBJECT, "{\"anoCompra\":2025}", ROWS(1)},
    {PNCP_KIND_OBJECT, "{}", RETRY(WRONG_KIND)},
    {PNCP_KIND_OBJECT, "[]", RETRY(WRONG_KIND)},
};

static void test_bodies_of_a_200(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(BODIES); i++) {
        const struct body_case *c = &BODIES[i];
        struct pncp_answer answer = {.status = 200, .body = pncp_view_of(c->body)};
        struct pncp_verdict v;
        pncp_verdict_make(c->kind, &answer, NOW_US, &v);
        if (v.kind != c->verdict || v.reason != c->reason || (v.kind != PNCP_VERDICT_RETRY && v.count != c->count))
            fail_msg("kind %d, %s: verdict %d, reason %d, count %" PRId64, (int)c->kind, c->body, (int)v.kind,
                     (int)v.reason, v.count);
        assert_int_equal(v.json.root != NULL, v.kind != PNCP_VERDICT_RETRY); /* a failure leaves nothing to release */
        assert_int_equal(v.http_status, 200);
        pncp_json_release(&v.json);
    }
}

/* In memory of its own, in a room, and where the body lies. */
static void test_alike_wherever_it_is_parsed(void **state)
{
    (void)state;
    struct pncp_json_room room, none = {0};
    assert_int_equal(pncp_json_room_init(&room), PNCP_OK);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(BODIES); i++) {
        const struct body_case *c = &BODIES[i];
        AUTO(pncp_buf_release) struct pncp_buf text = {0};
        assert_int_equal(pncp_buf_text(&text, c->body), PNCP_OK);
        struct pncp_answer answer = {.status = 200, .body = pncp_buf_view(&text)};
        struct pncp_verdict v[3];
        pncp_verdict_make(c->kind, &answer, NOW_US, &v[0]);
        answer.text = &text;
        answer.room = &room;
        pncp_verdict_make(c->kind, &answer, NOW_US, &v[1]);
        answer.room = &none;
        pncp_verdict_make(c->kind, &answer, NOW_US, &v[2]);
        for (size_t k = 1; k < 3; k++) {
            if (v[k].kind != v[0].kind || v[k].reason != v[0].reason || v[k].count != v[0].count ||
                strcmp(v[k].detail, v[0].detail) != 0)
                fail_msg("%s: verdict %d, %d; \"%s\", \"%s\"", c->body, (int)v[0].kind, (int)v[k].kind, v[0].detail,
                         v[k].detail);
            assert_int_equal(v[k].json.root != NULL, v[0].json.root != NULL);
            assert_true(v[0].json.root == NULL || yyjson_equals(v[k].json.root, v[0].json.root));
        }
        for (size_t k = 0; k < 3; k++)
            pncp_json_release(&v[k].json);
    }
    pncp_json_room_release(&room);
}

static const struct {
    long status;
    enum pncp_verdict_kind page, other; /* for the listing; for LIST, COUNT and OBJECT */
} STATUSES[] = {
    {204, PNCP_VERDICT_NO_ROWS, PNCP_VERDICT_NO_ROWS},     {201, PNCP_VERDICT_REFUSED, PNCP_VERDICT_REFUSED},
    {301, PNCP_VERDICT_REFUSED, PNCP_VERDICT_REFUSED},     {400, PNCP_VERDICT_REFUSED, PNCP_VERDICT_REFUSED},
    {401, PNCP_VERDICT_REFUSED, PNCP_VERDICT_REFUSED},     {403, PNCP_VERDICT_RETRY, PNCP_VERDICT_RETRY},
    {404, PNCP_VERDICT_RETRY, PNCP_VERDICT_ABSENT},        {408, PNCP_VERDICT_RETRY, PNCP_VERDICT_RETRY},
    {410, PNCP_VERDICT_RETRY, PNCP_VERDICT_ABSENT},        {418, PNCP_VERDICT_REFUSED, PNCP_VERDICT_REFUSED},
    {422, PNCP_VERDICT_RETRY_FEW, PNCP_VERDICT_RETRY_FEW}, {429, PNCP_VERDICT_BRAKE, PNCP_VERDICT_BRAKE},
    {500, PNCP_VERDICT_RETRY, PNCP_VERDICT_RETRY},         {502, PNCP_VERDICT_RETRY, PNCP_VERDICT_RETRY},
    {503, PNCP_VERDICT_RETRY, PNCP_VERDICT_RETRY},         {504, PNCP_VERDICT_RETRY, PNCP_VERDICT_RETRY},
    {520, PNCP_VERDICT_RETRY, PNCP_VERDICT_RETRY},         {524, PNCP_VERDICT_RETRY, PNCP_VERDICT_RETRY},
};

static void test_statuses(void **state)
{
    (void)state;
    static const enum pncp_kind kinds[] = {PNCP_KIND_PAGE, PNCP_KIND_LIST, PNCP_KIND_COUNT, PNCP_KIND_OBJECT};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(STATUSES); i++) {
        for (size_t k = 0; k < PNCP_ARRAY_LEN(kinds); k++) {
            /* a body that would be rows under 200 changes nothing */
            struct pncp_answer answer = {.status = STATUSES[i].status, .body = PNCP_VIEW_LIT("[{}]")};
            struct pncp_verdict v;
            pncp_verdict_make(kinds[k], &answer, NOW_US, &v);
            enum pncp_verdict_kind want = kinds[k] == PNCP_KIND_PAGE ? STATUSES[i].page : STATUSES[i].other;
            if (v.kind != want)
                fail_msg("status %ld, kind %d: verdict %d", STATUSES[i].status, (int)kinds[k], (int)v.kind);
            assert_int_equal(v.reason, want == PNCP_VERDICT_NO_ROWS ? PNCP_REASON_NONE : PNCP_REASON_HTTP);
            assert_int_equal(v.http_status, STATUSES[i].status);
            assert_int_equal(v.count, 0);
            assert_null(v.json.root);
        }
    }
}

static void test_transport_failures_are_retried_whatever_came(void **state)
{
    (void)state;
    static const struct {
        enum pncp_transport transport;
        enum pncp_reason reason;
    } cases[] = {
        {PNCP_NET_RESET, PNCP_REASON_RESET},         {PNCP_NET_UNREACHABLE, PNCP_REASON_RESET},
        {PNCP_NET_TIMEOUT, PNCP_REASON_TIMEOUT},     {PNCP_NET_TRUNCATED, PNCP_REASON_TRUNCATED},
        {PNCP_NET_TOO_LARGE, PNCP_REASON_TOO_LARGE},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_answer answer = {.transport = cases[i].transport, .status = 200, .body = PNCP_VIEW_LIT("[{}]")};
        struct pncp_verdict v;
        pncp_verdict_make(PNCP_KIND_LIST, &answer, NOW_US, &v);
        assert_int_equal(v.kind, PNCP_VERDICT_RETRY);
        assert_int_equal(v.reason, cases[i].reason);
        assert_null(v.json.root);
    }
}

static void test_retry_after_is_kept(void **state)
{
    (void)state;
    static const long statuses[] = {429, 503};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(statuses); i++) {
        struct pncp_answer answer = {.status = statuses[i],
                                     .retry_after = PNCP_VIEW_LIT("Wed, 22 Oct 2025 08:00:30 GMT")};
        struct pncp_verdict v;
        pncp_verdict_make(PNCP_KIND_PAGE, &answer, NOW_US, &v);
        assert_int_equal(v.retry_after_s, 30);
        answer.retry_after = (struct pncp_view){"", 0};
        pncp_verdict_make(PNCP_KIND_PAGE, &answer, NOW_US, &v);
        assert_int_equal(v.retry_after_s, -1);
    }
}

static void test_detail_is_one_printable_line(void **state)
{
    (void)state;
    char body[300];
    memset(body, '\n', sizeof(body));
    memcpy(body, "<html>\r\n\x1b[31m\xC3\xA7", 16);
    struct pncp_answer answer = {.status = 500, .body = {body, sizeof(body)}};
    struct pncp_verdict v;
    pncp_verdict_make(PNCP_KIND_LIST, &answer, NOW_US, &v);
    assert_int_equal(strncmp(v.detail, "<html>   [31m", 13), 0);
    assert_true(strlen(v.detail) < sizeof(v.detail));
    for (const char *c = v.detail; *c != '\0'; c++)
        assert_true(*c >= ' ' && *c <= '~');
}

static void test_reasons_read_back(void **state)
{
    (void)state;
    char text[PNCP_REASON_TEXT_BYTES];
    enum pncp_reason back;
    long status;
    for (int reason = PNCP_REASON_NONE; reason <= PNCP_REASON_MALFORMED_KEY; reason++) {
        pncp_reason_format((enum pncp_reason)reason, 503, text);
        assert_true(pncp_reason_parse(pncp_view_of(text), &back, &status));
        assert_int_equal(back, reason);
        assert_int_equal(status, reason == PNCP_REASON_HTTP ? 503 : 0);
    }
    pncp_reason_format(PNCP_REASON_HTTP, 404, text);
    assert_string_equal(text, "http_404");
    pncp_reason_format(PNCP_REASON_HTML_200, 200, text);
    assert_string_equal(text, "html_200");
    static const char *const bad[] = {"", "http", "http_", "http_x", "http_1000", "html_404", "Timeout"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(bad); i++)
        assert_false(pncp_reason_parse(pncp_view_of(bad[i]), &back, &status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_of_a_200),
        cmocka_unit_test(test_alike_wherever_it_is_parsed),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_transport_failures_are_retried_whatever_came),
        cmocka_unit_test(test_retry_after_is_kept),
        cmocka_unit_test(test_detail_is_one_printable_line),
        cmocka_unit_test(test_reasons_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
