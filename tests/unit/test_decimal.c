/* Decimal texts to exact integers: what fits, what does not, and nothing in between. */
#include "base/random.h"
#include "json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct decimal_case {
    const char *text;
    int scale;
    bool fits;
    int64_t value;
};

static const struct decimal_case CASES[] = {
    {"0", 4, true, 0},
    {"-0", 4, true, 0},
    {"0.00", 4, true, 0},
    {"100720.00", 4, true, INT64_C(1007200000)},
    {"0.0545", 4, true, 545},
    {"-0.0001", 4, true, -1},
    {"28.6666", 4, true, 286666},
    {"1.50000000000000000000000000000", 4, true, 15000},
    {"1.00001", 4, false, 0},
    {"0.00001", 4, false, 0},
    {"12", 0, true, 12},
    {"12.0", 0, true, 12},
    {"12.5", 0, false, 0},
    {"1e3", 4, true, INT64_C(10000000)},
    {"1E+3", 0, true, 1000},
    {"1000e-3", 0, true, 1},
    {"1e-4", 4, true, 1},
    {"1e-5", 4, false, 0},
    {"12345e-5", 4, false, 0},
    {"123450e-5", 4, true, 12345},
    {"0e400", 4, true, 0},
    {"0e401", 4, false, 0}, /* beyond the exponents that are read at all */
    {"1e400", 4, false, 0},
    {"1e-400", 4, false, 0},
    {"1e99999999999999999999", 4, false, 0},
    {"9223372036854775807", 0, true, INT64_MAX},
    {"-9223372036854775807", 0, true, -INT64_MAX},
    {"9223372036854775808", 0, false, 0},
    {"-9223372036854775808", 0, true, INT64_MIN},
    {"-9223372036854775809", 0, false, 0},
    {"-922337203685477.5808", 4, true, INT64_MIN},
    {"-922337203685477.5809", 4, false, 0},
    {"-9223372036854775808e0", 0, true, INT64_MIN},
    {"-18446744073709551616", 0, false, 0},
    {"922337203685477.5807", 4, true, INT64_MAX},
    {"922337203685477.5808", 4, false, 0},
    {"99999999999999999999999999999999", 0, false, 0},
    {"18446744073709551616", 0, false, 0}, /* 2^64 must not wrap to 0 */
    {"", 4, false, 0},
    {"-", 4, false, 0},
    {".", 4, false, 0},
    {"12a", 4, false, 0},
    {"1e", 4, false, 0},
    {"1e+", 4, false, 0},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(CASES); i++) {
        const struct decimal_case *c = &CASES[i];
        int64_t value = INT64_C(0x5EED);
        bool fits = pncp_decimal_parse(pncp_view_of(c->text), c->scale, &value);
        if (fits != c->fits || value != (c->fits ? c->value : INT64_C(0x5EED)))
            fail_msg("\"%s\" at scale %d: %s %" PRId64, c->text, c->scale, fits ? "fits as" : "does not fit", value);
    }
}

/* Any count of ten-thousandths, written in any of three ways, is read back as itself. */
static void test_text_of_any_value_reads_back(void **state)
{
    (void)state;
    uint64_t seed = 20251022;
    for (int round = 0; round < 20000; round++) {
        int64_t want = (int64_t)(pncp_splitmix(&seed) >> (1 + pncp_splitmix(&seed) % 62)), got[3];
        bool negative = (pncp_splitmix(&seed) & 1) != 0;
        char plain[64], shifted[64], raised[64];
        (void)snprintf(plain, sizeof(plain), "%s%" PRId64 ".%04" PRId64, negative ? "-" : "", want / 10000,
                       want % 10000);
        (void)snprintf(shifted, sizeof(shifted), "%s%" PRId64 "e-4", negative ? "-" : "", want);
        (void)snprintf(raised, sizeof(raised), "%s0.%020" PRId64 "E16", negative ? "-" : "", want);
        assert_true(pncp_decimal_parse(pncp_view_of(plain), 4, &got[0]));
        assert_true(pncp_decimal_parse(pncp_view_of(shifted), 4, &got[1]));
        assert_true(pncp_decimal_parse(pncp_view_of(raised), 4, &got[2]));
        for (size_t i = 0; i < PNCP_ARRAY_LEN(got); i++)
            assert_true(got[i] == (negative ? -want : want));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_text_of_any_value_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
