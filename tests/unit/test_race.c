/* A version lost to another run: how long is waited, and when it is enough. */
#include "base/clock.h"
#include "lake/race.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void waits_and_then_has_enough(void **state)
{
    (void)state;
    static const uint64_t longest_ms[PNCP_RACE_TRIES - 1] = {20, 40, 80, 160, 250, 250, 250, 250, 250, 250, 250};
    struct pncp_err err = PNCP_ERR_INIT;
    unsigned losses = 0;
    uint64_t waited_ms = 0;
    for (unsigned i = 0; i < PNCP_ARRAY_LEN(longest_ms); i++) {
        uint64_t begun = pncp_clock_mono_ms();
        assert_int_equal(pncp_race_lost(&losses, "a/b", &err), PNCP_OK);
        uint64_t took_ms = pncp_clock_mono_ms() - begun;
        assert_true(took_ms <= longest_ms[i] + 200); /* a slow machine */
        waited_ms += took_ms;
    }
    assert_true(waited_ms > 100); /* as good as surely: 950 on average */
    assert_int_equal(pncp_race_lost(&losses, "a/b", &err), PNCP_E_CONFLICT);
    assert_true(err.transient);
    assert_string_equal(err.msg, "a/b was changed by others 12 times in a row");
    losses = PNCP_RACE_TRIES - 1;
    assert_int_equal(pncp_race_lost(&losses, "a/b", NULL), PNCP_E_CONFLICT); /* nobody wants to know why */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_and_then_has_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
