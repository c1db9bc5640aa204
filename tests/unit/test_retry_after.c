/* Retry-After: seconds or an IMF-fixdate (RFC 9110 sections 10.2.3 and 5.6.7). */
#include "base/clock.h"
#include "pncp/verdict.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char NOW[] = "2025-10-22T08:00:00"; /* UTC */

static const struct {
    const char *text;
    int64_t seconds;
} CASES[] = {
    {"0", 0},
    {"60", 60},
    {"  60\t", 60},
    {"60\r", 60},
    {"86400", 86400},
    {"86401", 86400},
    {"18446744073709551615", 86400},
    {"18446744073709551616", -1},
    {"Wed, 22 Oct 2025 08:01:30 GMT", 90},
    {"Wed, 22 Oct 2025 07:00:00 GMT", 0}, /* over already */
    {"Mon, 22 Oct 2035 08:00:00 GMT", 86400},
    {"Wed, 22 Oct 2025 08:01:30 UTC", -1},
    {"Wed, 22 Xxx 2025 08:01:30 GMT", -1},
    {"Wed, 31 Feb 2025 08:01:30 GMT", -1},
    {"Wed, 22 Oct 2025 24:01:30 GMT", -1},
    {"Wednesday, 22-Oct-25 08:01:30 GMT", -1}, /* the obsolete form: nobody sends it */
    {"-1", -1},
    {"1.5", -1},
    {"60 s", -1},
    {"", -1},
    {"soon", -1},
};

static void test_table(void **state)
{
    (void)state;
    int64_t now_us;
    assert_true(pncp_datetime_parse(PNCP_VIEW_LIT(NOW), &now_us));
    for (size_t i = 0; i < PNCP_ARRAY_LEN(CASES); i++) {
        int64_t seconds = pncp_retry_after_parse(pncp_view_of(CASES[i].text), now_us);
        if (seconds != CASES[i].seconds)
            fail_msg("\"%s\" gives %" PRId64, CASES[i].text, seconds);
    }
}

/* A wait until an instant is rounded up: never asked again before it. */
static void test_fraction_of_a_second_waits_it_out(void **state)
{
    (void)state;
    int64_t now_us;
    assert_true(pncp_datetime_parse(PNCP_VIEW_LIT("2025-10-22T08:00:00.000001"), &now_us));
    assert_int_equal(pncp_retry_after_parse(PNCP_VIEW_LIT("Wed, 22 Oct 2025 08:00:02 GMT"), now_us), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_fraction_of_a_second_waits_it_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
