/* A body that waits comes back as it was, and takes less room meanwhile. */
#include "ingest/waiting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void put_rows(struct pncp_buf *ret_body, unsigned rows)
{
    for (unsigned i = 0; i < rows; i++)
        assert_int_equal(pncp_buf_format(ret_body, "{\"numeroControlePNCP\":\"83102277000152-1-%06u/2025\"},", i),
                         PNCP_OK);
}

static void test_it_comes_back(void **state)
{
    (void)state;
    static const unsigned rows[] = {1, 2, 50, 10000};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(rows); i++) {
        AUTO(pncp_buf_release) struct pncp_buf body = {0}, want = {0};
        AUTO(pncp_waiting_release) struct pncp_waiting waiting = {0};
        put_rows(&want, rows[i]);
        put_rows(&body, rows[i]);
        pncp_waiting_put(&waiting, &body);
        if (rows[i] >= 50) {
            assert_int_equal(body.len, 0);
            assert_null(body.data);
            assert_true(waiting.packed.cap < want.len / 3);
        }
        assert_int_equal(pncp_waiting_take(&waiting, &body, NULL), PNCP_OK);
        assert_true(pncp_view_eq(pncp_buf_view(&body), pncp_buf_view(&want)));
        assert_null(waiting.packed.data);
        assert_int_equal(pncp_waiting_take(&waiting, &body, NULL), PNCP_OK); /* there is nothing any more */
        assert_true(pncp_view_eq(pncp_buf_view(&body), pncp_buf_view(&want)));
    }
}

static void test_what_gets_no_smaller_stays(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "{}"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(bodies); i++) {
        AUTO(pncp_buf_release) struct pncp_buf body = {0};
        struct pncp_waiting waiting = {0};
        assert_int_equal(pncp_buf_text(&body, bodies[i]), PNCP_OK);
        pncp_waiting_put(&waiting, &body);
        assert_true(pncp_view_eq_text(pncp_buf_view(&body), bodies[i]));
        assert_int_equal(waiting.len, 0);
        assert_int_equal(pncp_waiting_take(&waiting, &body, NULL), PNCP_OK);
        assert_true(pncp_view_eq_text(pncp_buf_view(&body), bodies[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_comes_back),
        cmocka_unit_test(test_what_gets_no_smaller_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
