/* Civil dates against a slow count, the Brasília day and its end, and what is a date and a time to the letter. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Every day of the years 1 to 9999, one after the other. */
/* NOLINTNEXTLINE(readability-function-size): the macro fail_msg is a level of nesting of its own */
static void test_every_day_there_and_back(void **state)
{
    (void)state;
    int32_t expected = -719162; /* 0001-01-01 */
    for (int year = 1; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= days_in(year, month); day++, expected++) {
                struct pncp_date date = {0};
                int back_year, back_month, back_day;
                bool is_day = pncp_date_from_civil(year, month, day, &date);
                pncp_date_to_civil(date, &back_year, &back_month, &back_day);
                if (!is_day || date.days != expected || back_year != year || back_month != month || back_day != day)
                    fail_msg("%04d-%02d-%02d is day %d and back %d-%d-%d", year, month, day, date.days, back_year,
                             back_month, back_day);
            }
        }
    }
    assert_int_equal(expected, 2932897); /* 10000-01-01 */
}

static void test_no_such_day(void **state)
{
    (void)state;
    static const int cases[][3] = {
        {2025, 2, 29}, {1900, 2, 29}, {2025, 4, 31}, {2025, 1, 32}, {2025, 0, 1},
        {2025, 13, 1}, {2025, 1, 0},  {0, 1, 1},     {10000, 1, 1}, {-1, 1, 1},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_date date = {77};
        assert_false(pncp_date_from_civil(cases[i][0], cases[i][1], cases[i][2], &date));
        assert_int_equal(date.days, 77);
    }
}

static void test_date_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *back; /* back NULL: not a date */
    } cases[] = {
        {"20251022", "20251022"}, {"2025-10-22", "20251022"}, {"2024-02-29", "20240229"},
        {"00010101", "00010101"}, {"99991231", "99991231"},   {"2025-02-29", NULL},
        {"20251301", NULL},       {"00000101", NULL},         {"2025-1-22", NULL},
        {"2025/10/22", NULL},     {"22-10-2025", NULL},       {"2025102a", NULL},
        {"+2025102", NULL},       {" 2025102", NULL},         {"2025-10-2 ", NULL},
        {"202510221", NULL},      {"2025-10-22T", NULL},      {"", NULL},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_date date;
        char back[PNCP_DATE_TEXT_BYTES];
        bool is_date = pncp_date_parse(pncp_view_of(cases[i].text), &date);
        if (is_date != (cases[i].back != NULL))
            fail_msg("\"%s\" is %sa date", cases[i].text, is_date ? "" : "not ");
        if (!is_date)
            continue;
        pncp_date_format(date, back);
        assert_string_equal(back, cases[i].back);
    }
}

#define SECOND INT64_C(1000000)

static void test_time_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us; /* INT64_MIN: not a time */
    } cases[] = {
        {"1970-01-01T00:00:00", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:01.5", SECOND + SECOND / 2},
        {"1970-01-01T00:00:01.000001Z", SECOND + 1},
        {"1970-01-01T00:00:00.123456", 123456},
        {"1970-01-01T00:00:00.1", 100000},
        {"1969-12-31T23:59:59.999999", -1},
        {"1969-12-31T00:00:00", -86400 * SECOND},
        {"2025-10-22T08:41:33", INT64_C(1761122493) * SECOND},
        {"2024-02-29T23:59:59", INT64_C(1709251199) * SECOND},
        {"0001-01-01T00:00:00", INT64_C(-62135596800) * SECOND},
        {"9999-12-31T23:59:59.999999", INT64_C(253402300800) * SECOND - 1},
        {"2025-10-22T08:41:33.1234567", INT64_MIN},
        {"2025-10-22T08:41:33.", INT64_MIN},
        {"2025-10-22T08:41:33.Z", INT64_MIN},
        {"2025-10-22T08:41:33ZZ", INT64_MIN},
        {"2025-10-22T08:41:33-03:00", INT64_MIN},
        {"2025-10-22T08:41:33 ", INT64_MIN},
        {"2025-10-22 08:41:33", INT64_MIN},
        {"2025-10-22T8:41:33", INT64_MIN},
        {"2025-10-22T24:00:00", INT64_MIN},
        {"2025-10-22T23:60:00", INT64_MIN},
        {"2025-10-22T23:59:60", INT64_MIN},
        {"2025-10-22T-1:59:00", INT64_MIN},
        {"2025-02-30T00:00:00", INT64_MIN},
        {"20251022T08:41:33", INT64_MIN},
        {"2025-10-22T08:41", INT64_MIN},
        {"2025-10-22", INT64_MIN},
        {"", INT64_MIN},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        int64_t us = INT64_MIN;
        bool is_time = pncp_datetime_parse(pncp_view_of(cases[i].text), &us);
        if (is_time != (cases[i].us != INT64_MIN) || us != cases[i].us)
            fail_msg("\"%s\" gives %d, %" PRId64, cases[i].text, is_time, us);
    }
}

static void test_stamp(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {999999, "1970-01-01T00:00:00Z"}, /* a fraction is cut, not rounded */
        {INT64_C(1761247800) * SECOND, "2025-10-23T19:30:00Z"},
        {INT64_C(1709251199) * SECOND, "2024-02-29T23:59:59Z"},
        {INT64_C(253402300799) * SECOND, "9999-12-31T23:59:59Z"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        char text[PNCP_STAMP_TEXT_BYTES];
        pncp_stamp_format(cases[i].us, text);
        assert_string_equal(text, cases[i].text);
    }
    char basic[PNCP_STAMP_BASIC_BYTES];
    pncp_stamp_format_basic(INT64_C(1761247800) * SECOND, basic);
    assert_string_equal(basic, "20251023T193000Z");
}

/* Brasília is three hours behind: its day turns at 03:00 UTC. */
static void test_brasilia_day(void **state)
{
    (void)state;
    static const struct {
        const char *utc, *day;
    } cases[] = {
        {"2025-10-22T02:59:59.999999Z", "20251021"}, {"2025-10-22T03:00:00Z", "20251022"},
        {"2025-10-23T02:59:59Z", "20251022"},        {"2025-03-01T00:00:00Z", "20250228"},
        {"1970-01-01T02:59:59Z", "19691231"},        {"1970-01-01T03:00:00Z", "19700101"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        int64_t us;
        char day[PNCP_DATE_TEXT_BYTES];
        assert_true(pncp_datetime_parse(pncp_view_of(cases[i].utc), &us));
        struct pncp_date date = pncp_date_brasilia(us);
        pncp_date_format(date, day);
        assert_string_equal(day, cases[i].day);
        int64_t end = pncp_date_end_utc_us(date);
        assert_true(us < end && end - us <= 86400 * SECOND);
        assert_int_equal(pncp_date_brasilia(end - 1).days, date.days);
        assert_int_equal(pncp_date_brasilia(end).days, date.days + 1);
    }
}

static void test_clocks_go_on(void **state)
{
    (void)state;
    int64_t start;
    assert_true(pncp_datetime_parse(PNCP_VIEW_LIT("2025-01-01T00:00:00Z"), &start));
    assert_true(pncp_clock_now_us() > start); /* microseconds, and of this century */
    assert_true(pncp_clock_now_us() < start + INT64_C(200) * 366 * 86400 * SECOND);
    uint64_t mono = pncp_clock_mono_ms(), cpu = pncp_clock_cpu_us();
    volatile unsigned sum = 0;
    for (unsigned i = 0; i < 5000000; i++)
        sum = sum + i;
    assert_true(pncp_clock_mono_ms() >= mono);
    assert_in_range(pncp_clock_cpu_us() - cpu, 100, 10000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day_there_and_back),
        cmocka_unit_test(test_no_such_day),
        cmocka_unit_test(test_date_text),
        cmocka_unit_test(test_time_text),
        cmocka_unit_test(test_stamp),
        cmocka_unit_test(test_brasilia_day),
        cmocka_unit_test(test_clocks_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
