/* The growable buffer: whole appends or none, its ceiling, and what take and clear leave behind. */
#include "base/buf.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check(const struct pncp_buf *buf, const char *text)
{
    if (!pncp_view_eq_text(pncp_buf_view(buf), text))
        fail_msg("\"" PNCP_VIEW_FMT "\" instead of \"%s\"", PNCP_VIEW_ARG(pncp_buf_view(buf)), text);
}

static void test_zeroed_is_an_empty_buffer(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    check(&buf, "");
    assert_non_null(pncp_buf_view(&buf).data);
    assert_int_equal(pncp_buf_append(&buf, NULL, 0), PNCP_OK);
    assert_null(buf.data);
    pncp_buf_release(&buf);
    pncp_buf_release(&buf);
    assert_int_equal(pncp_buf_text(&buf, "usable again"), PNCP_OK);
    check(&buf, "usable again");
}

static void test_appends_follow_each_other(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    assert_int_equal(pncp_buf_text(&buf, "ab"), PNCP_OK);
    assert_int_equal(pncp_buf_append(&buf, "c\0d", 3), PNCP_OK);
    assert_int_equal(pncp_buf_format(&buf, "%s=%d", "e", 5), PNCP_OK);
    assert_int_equal(buf.len, 8);
    assert_memory_equal(buf.data, "abc\0de=5", 8);
}

static void test_growth_keeps_the_content(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    size_t moves = 0;
    for (unsigned i = 0; i < 100000; i++) {
        unsigned char byte = (unsigned char)(i * 7);
        size_t cap = buf.cap;
        assert_int_equal(pncp_buf_append(&buf, &byte, 1), PNCP_OK);
        moves += buf.cap != cap;
    }
    assert_int_equal(buf.len, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal((unsigned char)buf.data[i], (unsigned char)(i * 7));
    assert_in_range(moves, 2, 40); /* half as much again each time: a fixed step would take thousands */
}

/* The ceiling is reached exactly and never passed; what does not fit changes nothing. */
static void test_ceiling(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf buf = PNCP_BUF_INIT(8);
    assert_int_equal(pncp_buf_text(&buf, "12345"), PNCP_OK);
    assert_int_equal(pncp_buf_text(&buf, "6789"), PNCP_E_LIMIT);
    check(&buf, "12345");
    assert_int_equal(pncp_buf_format(&buf, "%d", 6789), PNCP_E_LIMIT);
    check(&buf, "12345");
    assert_int_equal(pncp_buf_text(&buf, "678"), PNCP_OK);
    check(&buf, "12345678");
    assert_int_equal(pncp_buf_text(&buf, "9"), PNCP_E_LIMIT);
    assert_true(buf.cap <= 8);
    assert_int_equal(pncp_buf_reserve(&buf, 0), PNCP_OK);
}

static void test_format_needs_a_byte_beyond_its_text(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf buf = PNCP_BUF_INIT(4);
    assert_int_equal(pncp_buf_format(&buf, "%d", 1234), PNCP_E_LIMIT);
    assert_int_equal(pncp_buf_format(&buf, "%d", 123), PNCP_OK);
    check(&buf, "123");
}

static void test_lengths_that_overflow_are_refused(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    AUTO(pncp_buf_release) struct pncp_buf bounded = PNCP_BUF_INIT(SIZE_MAX);
    assert_int_equal(pncp_buf_text(&buf, "x"), PNCP_OK);
    assert_int_equal(pncp_buf_reserve(&buf, SIZE_MAX), PNCP_E_NOMEM);
    assert_int_equal(pncp_buf_text(&bounded, "x"), PNCP_OK);
    assert_int_equal(pncp_buf_reserve(&bounded, SIZE_MAX), PNCP_E_NOMEM);
    check(&buf, "x");
}

static void test_take_moves_and_keeps_the_ceiling(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf buf = PNCP_BUF_INIT(4);
    assert_int_equal(pncp_buf_text(&buf, "abcd"), PNCP_OK);
    AUTO(pncp_buf_release) struct pncp_buf taken = pncp_buf_take(&buf);
    check(&taken, "abcd");
    check(&buf, "");
    assert_null(buf.data);
    assert_int_equal(pncp_buf_text(&buf, "abcde"), PNCP_E_LIMIT);
}

static void test_clear_keeps_the_memory(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    assert_int_equal(pncp_buf_text(&buf, "abcd"), PNCP_OK);
    const char *data = buf.data;
    pncp_buf_clear(&buf);
    check(&buf, "");
    assert_int_equal(pncp_buf_text(&buf, "xy"), PNCP_OK);
    check(&buf, "xy");
    assert_ptr_equal(buf.data, data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_is_an_empty_buffer),
        cmocka_unit_test(test_appends_follow_each_other),
        cmocka_unit_test(test_growth_keeps_the_content),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_format_needs_a_byte_beyond_its_text),
        cmocka_unit_test(test_lengths_that_overflow_are_refused),
        cmocka_unit_test(test_take_moves_and_keeps_the_ceiling),
        cmocka_unit_test(test_clear_keeps_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
