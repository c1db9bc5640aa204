/* So many requests a second: counted over long times, short ones, and after a pause. */
#include "fetch/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* How many are let through from `from` on, in `ms` milliseconds that are looked at `step` apart. */
static unsigned count(struct pncp_rate *rate, uint64_t from, uint64_t ms, uint64_t step)
{
    unsigned sent = 0;
    for (uint64_t now = from; now < from + ms; now += step) {
        while (pncp_rate_take(rate, now))
            sent++;
    }
    return sent;
}

static void as_many_as_said(void **state)
{
    (void)state;
    static const unsigned RATES[] = {1, 3, 7, 40, 333, 1000, PNCP_RATE_MAX};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(RATES); i++) {
        for (uint64_t step = 1; step <= 21; step += 10) {
            struct pncp_rate rate;
            pncp_rate_init(&rate, RATES[i], 5000);
            unsigned sent = count(&rate, 5000, 10000, step), most = RATES[i] * 10 + RATES[i] / 20 + 2;
            if (sent > most || sent + RATES[i] / 20 + 1 < RATES[i] * 10)
                fail_msg("%u a second, looked at every %u ms: %u in ten seconds", RATES[i], (unsigned)step, sent);
        }
    }
}

static void a_pause_is_not_made_up_for(void **state)
{
    (void)state;
    struct pncp_rate rate;
    pncp_rate_init(&rate, 100, 0);
    (void)count(&rate, 0, 1000, 1);
    assert_in_range(count(&rate, 60 * 60 * 1000, 1, 1), 1, 5); /* a twentieth of a second's worth */
    pncp_rate_init(&rate, 2, 0);
    (void)count(&rate, 0, 1000, 1);
    assert_int_equal(count(&rate, UINT64_MAX - 10, 1, 1), 2);
}

/* Asked again exactly then, it may; a millisecond before, it may not. */
static void the_next_one_is_told(void **state)
{
    (void)state;
    static const unsigned RATES[] = {1, 3, 7, 40, 333, 999};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(RATES); i++) {
        struct pncp_rate rate;
        uint64_t now = 1000;
        pncp_rate_init(&rate, RATES[i], now);
        assert_true(pncp_rate_next_ms(&rate) == UINT64_MAX); /* one may be sent at once */
        while (pncp_rate_take(&rate, now))
            ;
        for (int k = 0; k < 100; k++) {
            uint64_t next = pncp_rate_next_ms(&rate);
            assert_true(next > now);
            if (next - now > 1)
                assert_false(pncp_rate_take(&rate, next - 1));
            assert_int_equal(pncp_rate_next_ms(&rate), next);
            assert_true(pncp_rate_take(&rate, next));
            while (pncp_rate_take(&rate, next))
                ;
            now = next;
        }
    }
}

static void no_limit_is_none(void **state)
{
    (void)state;
    struct pncp_rate rate;
    pncp_rate_init(&rate, 0, 7);
    for (int i = 0; i < 100000; i++)
        assert_true(pncp_rate_take(&rate, 7));
    assert_true(pncp_rate_next_ms(&rate) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_said),
        cmocka_unit_test(a_pause_is_not_made_up_for),
        cmocka_unit_test(the_next_one_is_told),
        cmocka_unit_test(no_limit_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
