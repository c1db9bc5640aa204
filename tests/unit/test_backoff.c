/* When to try again: bounds of the waits, whatever the dice say. */
#include "base/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void backoff_doubles_between_half_and_whole(void **state)
{
    (void)state;
    static const struct {
        uint32_t first_ms;
        unsigned failures;
        int64_t retry_after_s;
        uint64_t low, high;
    } cases[] = {
        {1000, 1, -1, 500, 1000},
        {1000, 2, -1, 1000, 2000},
        {1000, 6, -1, 16000, 32000},
        {1000, 7, -1, 30000, 60000}, /* 64 s: the ceiling */
        {1000, 4000000000U, -1, 30000, 60000},
        {90000, 1, -1, 30000, 60000},
        {UINT32_MAX, 100, -1, 30000, 60000},
        {1, 1, -1, 0, 1},
        {0, 5, -1, 0, 0},
        /* what the server asks for is a floor, up to five minutes */
        {1000, 1, 0, 500, 1000},
        {1000, 1, 10, 10000, 10000},
        {1000, 6, 20, 20000, 32000},
        {1000, 1, 86400, 300000, 300000},
    };
    uint64_t random = 1;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        uint64_t least = UINT64_MAX, most = 0;
        for (int k = 0; k < 2000; k++) {
            uint64_t wait = pncp_backoff_ms(cases[i].first_ms, cases[i].failures, cases[i].retry_after_s, &random);
            least = PNCP_MIN(least, wait);
            most = PNCP_MAX(most, wait);
        }
        assert_in_range(least, cases[i].low, cases[i].high);
        assert_in_range(most, cases[i].low, cases[i].high);
        if (cases[i].retry_after_s < 0 && cases[i].high > 100) { /* the dice are used */
            assert_true(least < cases[i].low + (cases[i].high - cases[i].low) / 10);
            assert_true(most > cases[i].high - (cases[i].high - cases[i].low) / 10);
        }
    }
}

static void a_brake_lasts_as_long_as_asked_and_a_little(void **state)
{
    (void)state;
    static const struct {
        uint32_t brake_ms;
        int64_t retry_after_s;
        uint64_t low, high;
    } cases[] = {
        {60000, -1, 60000, 66000},
        {60000, 7, 7000, 7700},
        {60000, 600, 600000, 660000},
        {100, 7, 7000, 7700},
        {100, -1, 100, 110},
        {0, -1, 0, 0},
        /* "now" is not an invitation to hammer: a second, or less where less was chosen */
        {60000, 0, 1000, 1100},
        {100, 0, 100, 110},
    };
    uint64_t random = 1;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        for (int k = 0; k < 500; k++)
            assert_in_range(pncp_brake_ms(cases[i].brake_ms, cases[i].retry_after_s, &random), cases[i].low,
                            cases[i].high);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_doubles_between_half_and_whole),
        cmocka_unit_test(a_brake_lasts_as_long_as_asked_and_a_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
