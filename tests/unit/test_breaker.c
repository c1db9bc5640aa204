/* Is the API there? The state machine alone. */
#include "fetch/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void trips_after_so_many_in_a_row(void **state)
{
    (void)state;
    struct pncp_breaker b;
    pncp_breaker_init(&b, 10, 1000);
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i < PNCP_BREAKER_TRIP; i++)
            assert_false(pncp_breaker_bad(&b, 100));
        assert_int_equal(b.state, PNCP_BREAKER_CLOSED);
        assert_false(pncp_breaker_good(&b, 50)); /* one good answer: it starts again */
    }
    for (int i = 1; i < PNCP_BREAKER_TRIP; i++)
        assert_false(pncp_breaker_bad(&b, 200));
    assert_true(pncp_breaker_bad(&b, 200));
    assert_int_equal(b.state, PNCP_BREAKER_PROBING);
    assert_int_equal(b.probe_at_ms, 200);
    assert_false(pncp_breaker_bad(&b, 300)); /* told once */
    assert_false(pncp_breaker_good(&b, 50)); /* suspected, but it was no outage */
    assert_int_equal(b.state, PNCP_BREAKER_CLOSED);
}

static void probes_come_less_and_less_often(void **state)
{
    (void)state;
    struct pncp_breaker b;
    uint64_t now = 1000;
    pncp_breaker_init(&b, 10000, 600000);
    for (int outage = 0; outage < 2; outage++) { /* the next one begins with the first wait again */
        static const uint64_t waits[] = {10000, 20000, PNCP_PROBE_LONGEST_MS, PNCP_PROBE_LONGEST_MS};
        pncp_breaker_suspect(&b, now);
        assert_int_equal(b.probe_at_ms, now);
        for (unsigned i = 0; i < PNCP_ARRAY_LEN(waits); i++) {
            assert_int_equal(b.state, i < PNCP_BREAKER_PROBES ? PNCP_BREAKER_PROBING : PNCP_BREAKER_OUTAGE);
            assert_int_equal(pncp_breaker_probe_failed(&b, now), i == PNCP_BREAKER_PROBES - 1); /* told once */
            assert_int_equal(b.probe_at_ms, now + waits[i]);
            now = b.probe_at_ms;
        }
        assert_true(pncp_breaker_good(&b, 50));
        assert_int_equal(b.state, PNCP_BREAKER_CLOSED);
    }
    pncp_breaker_suspect(&b, now);
    assert_false(pncp_breaker_probe_failed(&b, now));
    assert_false(pncp_breaker_good(&b, 50)); /* that probe failed by itself */
    assert_int_equal(b.state, PNCP_BREAKER_CLOSED);
}

static void silence_is_counted_from_the_first_trouble(void **state)
{
    (void)state;
    struct pncp_breaker b;
    pncp_breaker_init(&b, 10, 1000);
    assert_false(pncp_breaker_over(&b, 1000000)); /* nothing asked, nothing wrong */
    pncp_breaker_braked(&b, 100);
    (void)pncp_breaker_bad(&b, 300);
    assert_int_equal(pncp_breaker_silent_ms(&b, 400), 300);
    assert_false(pncp_breaker_long_silent(&b, 599));
    assert_true(pncp_breaker_long_silent(&b, 600));
    assert_false(pncp_breaker_over(&b, 1099));
    assert_true(pncp_breaker_over(&b, 1100));
    (void)pncp_breaker_good(&b, 50);
    assert_int_equal(pncp_breaker_silent_ms(&b, 5000), 0);
    assert_false(pncp_breaker_over(&b, 5000));
    assert_false(pncp_breaker_long_silent(&b, 5000));
    assert_int_equal(b.proven_ms, 50);
    (void)pncp_breaker_good(&b, 70);
    (void)pncp_breaker_good(&b, 60); /* a late answer proves nothing new */
    assert_int_equal(b.proven_ms, 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trips_after_so_many_in_a_row),
        cmocka_unit_test(probes_come_less_and_less_often),
        cmocka_unit_test(silence_is_counted_from_the_first_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
