/*
 * Days, times and the values of flags.
 * Input: eight bytes of a number · a text, which every parser gets.
 * True: each parser accepts exactly what the reference (libc's calendar) accepts and gives the same value; formatted,
 * it reads back; a value of a flag is within the flag's bounds.
 */
#include "base/clock.h"
#include "cli/cli.h"
#include "fuzz.h"
#include "reference.h"

#include <math.h>
#include <time.h>

#define US_PER_S INT64_C(1000000)
#define YEAR_1_S INT64_C(-62135596800)          /* 0001-01-01 */
#define YEAR_9999_S INT64_C(253402300799)       /* 9999-12-31T23:59:59 */
#define NOW_US (INT64_C(1761199262) * US_PER_S) /* 2025-10-23T06:01:02Z */

static void check_date(struct pncp_view text)
{
    struct pncp_date date, again;
    int64_t days;
    char formatted[PNCP_DATE_TEXT_BYTES];
    bool is_date = pncp_date_parse(text, &date);
    FUZZ_CHECK(is_date == reference_date(text, &days));
    if (!is_date)
        return;
    FUZZ_CHECK(date.days == days);
    pncp_date_format(date, formatted);
    FUZZ_CHECK(pncp_date_parse(pncp_view_of(formatted), &again) && again.days == date.days);
    FUZZ_CHECK(pncp_date_brasilia(pncp_date_end_utc_us(date)).days == date.days + 1);
    FUZZ_CHECK(pncp_date_brasilia(pncp_date_end_utc_us(date) - 1).days == date.days);
}

static void check_datetime(struct pncp_view text)
{
    int64_t us, expected;
    char stamp[PNCP_STAMP_TEXT_BYTES];
    bool is_time = pncp_datetime_parse(text, &us);
    FUZZ_CHECK(is_time == reference_datetime(text, &expected));
    if (!is_time)
        return;
    FUZZ_CHECK(us == expected);
    pncp_stamp_format(us, stamp);
    FUZZ_CHECK(strlen(stamp) == 20 && memcmp(stamp, text.data, 19) == 0);
}

/* Any instant of the years 1 to 9999. */
static void check_stamp(int64_t us)
{
    time_t seconds = YEAR_1_S + (int64_t)((uint64_t)us % (uint64_t)(YEAR_9999_S - YEAR_1_S + 1));
    struct tm civil;
    char stamp[PNCP_STAMP_TEXT_BYTES], expected[64];
    int64_t again;
    int fraction = (int)((uint64_t)us % US_PER_S);
    pncp_stamp_format(seconds * US_PER_S + fraction, stamp);
    FUZZ_CHECK(gmtime_r(&seconds, &civil) != NULL);
    (void)snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02dZ", civil.tm_year + 1900, civil.tm_mon + 1,
                   civil.tm_mday, civil.tm_hour, civil.tm_min, civil.tm_sec);
    FUZZ_CHECK(strcmp(stamp, expected) == 0);
    FUZZ_CHECK(pncp_datetime_parse(pncp_view_of(stamp), &again) && again == seconds * US_PER_S);
}

static void check_refusal(enum pncp_code rc, const struct pncp_err *err)
{
    FUZZ_CHECK(rc == PNCP_E_USAGE && err->code == rc && fuzz_is_message(err->msg, sizeof(err->msg)));
}

/* A day as --date has it; false when it is none. */
static bool reference_day(struct pncp_view text, int64_t *ret_days)
{
    bool yesterday = pncp_view_eq_text(text, "yesterday");
    *ret_days = pncp_date_brasilia(NOW_US).days - (int64_t)yesterday;
    return yesterday || pncp_view_eq_text(text, "today") || reference_date(text, ret_days);
}

static void check_flag_days(const char *text)
{
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_days days;
    struct pncp_view first = pncp_view_of(text), last = first;
    const char *dots = strstr(text, "..");
    int64_t from, to;
    if (dots != NULL) {
        first.len = (size_t)(dots - text);
        last = pncp_view_of(dots + 2);
    }
    bool right = reference_day(first, &from) && reference_day(last, &to) && from <= to &&
                 to <= pncp_date_brasilia(NOW_US).days && to - from < PNCP_SUMMARY_DAYS_MAX;
    enum pncp_code rc = pncp_value_days(text, NOW_US, &days, &err);
    FUZZ_CHECK((rc == PNCP_OK) == right);
    if (rc != PNCP_OK)
        check_refusal(rc, &err);
    else
        FUZZ_CHECK(days.first.days == from && days.last.days == to && days.range == (dots != NULL));
}

static void check_count(const char *text, const struct pncp_flag *flag)
{
    struct pncp_err err = PNCP_ERR_INIT;
    int64_t count;
    enum pncp_code rc = pncp_value_count(text, flag, &count, &err);
    if (rc != PNCP_OK)
        check_refusal(rc, &err);
    else if (flag->word == NULL || strcmp(text, flag->word) != 0)
        FUZZ_CHECK(count >= flag->min && count <= flag->max && count == strtoll(text, NULL, 10));
}

static void check_duration(const char *text, const struct pncp_flag *flag)
{
    struct pncp_err err = PNCP_ERR_INIT;
    uint32_t ms;
    enum pncp_code rc = pncp_value_duration(text, flag, &ms, &err);
    if (rc != PNCP_OK) {
        check_refusal(rc, &err);
        return;
    }
    char *unit;
    double number = strtod(text, &unit);
    double expected = number * (strcmp(unit, "ms") == 0  ? 1
                                : strcmp(unit, "m") == 0 ? 60000
                                : strcmp(unit, "h") == 0 ? 3600000
                                                         : 1000);
    FUZZ_CHECK(unit[0] == '\0' || strcmp(unit, "ms") == 0 || strcmp(unit, "s") == 0 || strcmp(unit, "m") == 0 ||
               strcmp(unit, "h") == 0);
    FUZZ_CHECK(ms >= flag->min && ms <= flag->max && fabs(expected - ms) < 1.001); /* parts of a millisecond are cut */
}

static void check_flags(const char *text)
{
    check_flag_days(text);
    for (size_t i = 0; i < pncp_flag_count; i++) {
        if (pncp_flags[i].kind == PNCP_FLAG_COUNT)
            check_count(text, &pncp_flags[i]);
        else if (pncp_flags[i].kind == PNCP_FLAG_DURATION)
            check_duration(text, &pncp_flags[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | fuzz_byte(&in);
    struct pncp_view rest = fuzz_rest(&in);
    AUTO(pncp_free_ptr) char *exact = fuzz_exact(rest), *text = fuzz_string(rest);
    check_date((struct pncp_view){exact, rest.len});
    check_datetime((struct pncp_view){exact, rest.len});
    check_stamp((int64_t)number);
    check_flags(text);
    return 0;
}
