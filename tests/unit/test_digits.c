#include "base/digits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_int(int64_t value)
{
    char text[PNCP_INT_TEXT_BYTES], expected[32];
    memset(text, 'x', sizeof(text));
    size_t len = pncp_digits_int(value, text);
    (void)snprintf(expected, sizeof(expected), "%" PRId64, value);
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
}

static void integers_are_as_printf_writes_them(void **state)
{
    (void)state;
    check_int(0);
    check_int(INT64_MIN);
    check_int(INT64_MAX);
    for (int64_t power = 1; power < INT64_MAX / 10; power *= 10) {
        for (int64_t value = power - 1; value <= power + 1; value++) {
            check_int(value);
            check_int(-value);
        }
    }
}

static void padded_digits_are_the_last_ones(void **state)
{
    (void)state;
    char text[6] = "......";
    pncp_digits_pad(7, 4, text + 1);
    assert_memory_equal(text, ".0007.", 6);
    pncp_digits_pad(12345, 4, text + 1);
    assert_memory_equal(text, ".2345.", 6);
    pncp_digits_pad(9, 0, text);
    assert_memory_equal(text, ".2345.", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_as_printf_writes_them),
        cmocka_unit_test(padded_digits_are_the_last_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
