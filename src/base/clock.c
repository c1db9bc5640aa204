#include "base/clock.h"
#include "base/digits.h"

#include <string.h>
#include <time.h>

static int64_t clock_us(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t pncp_clock_now_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

uint64_t pncp_clock_mono_ms(void)
{
    return (uint64_t)clock_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t pncp_clock_cpu_us(void)
{
    return (uint64_t)clock_us(CLOCK_THREAD_CPUTIME_ID);
}

void pncp_clock_sleep_us(uint64_t us)
{
    const struct timespec wait = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};
    (void)nanosleep(&wait, NULL);
}

/* Days since 1970-01-01; years count from March so that the leap day is the last of its year. */
static int32_t days_of_civil(int year, int month, int day)
{
    year -= month <= 2;
    int era = year / 400, year_of_era = year - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void pncp_date_to_civil(struct pncp_date date, int *ret_year, int *ret_month, int *ret_day)
{
    int days = date.days + 719468, era = days / 146097, day_of_era = days - era * 146097;
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (5 * day_of_year + 2) / 153;
    *ret_day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *ret_month = month_from_march + (month_from_march < 10 ? 3 : -9);
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

bool pncp_date_from_civil(int year, int month, int day, struct pncp_date *ret_date)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > days[month - 1] + leap)
        return false;
    *ret_date = (struct pncp_date){days_of_civil(year, month, day)};
    return true;
}

/* `count` digits at `text`, or -1. */
static int digits(const char *text, size_t count)
{
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

bool pncp_date_parse(struct pncp_view text, struct pncp_date *ret_date)
{
    const char *t = text.data;
    if (text.len == 8)
        return pncp_date_from_civil(digits(t, 4), digits(t + 4, 2), digits(t + 6, 2), ret_date);
    if (text.len == 10 && t[4] == '-' && t[7] == '-')
        return pncp_date_from_civil(digits(t, 4), digits(t + 5, 2), digits(t + 8, 2), ret_date);
    return false;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

#define US_PER_S ((int64_t)1000000)
#define S_PER_DAY ((int64_t)86400)

struct pncp_date pncp_date_brasilia(int64_t utc_us)
{
    return (struct pncp_date){(int32_t)floor_div(floor_div(utc_us, US_PER_S) + PNCP_BRASILIA_OFFSET_S, S_PER_DAY)};
}

int64_t pncp_date_end_utc_us(struct pncp_date date)
{
    return (((int64_t)date.days + 1) * S_PER_DAY - PNCP_BRASILIA_OFFSET_S) * US_PER_S;
}

void pncp_date_format(struct pncp_date date, char ret_text[PNCP_DATE_TEXT_BYTES])
{
    int year, month, day;
    pncp_date_to_civil(date, &year, &month, &day);
    pncp_digits_pad((unsigned)year, 4, ret_text);
    pncp_digits_pad((unsigned)month, 2, ret_text + 4);
    pncp_digits_pad((unsigned)day, 2, ret_text + 6);
    ret_text[8] = '\0';
}

bool pncp_datetime_parse(struct pncp_view text, int64_t *ret_us)
{
    const char *t = text.data;
    struct pncp_date date;
    if (text.len < 19 || t[10] != 'T' || t[13] != ':' || t[16] != ':' ||
        !pncp_date_parse((struct pncp_view){t, 10}, &date))
        return false;
    int hour = digits(t + 11, 2), minute = digits(t + 14, 2), second = digits(t + 17, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    size_t at = 19;
    int64_t fraction = 0;
    if (at < text.len && t[at] == '.') {
        size_t count = 0;
        for (at++; at < text.len && t[at] >= '0' && t[at] <= '9'; at++, count++) {
            if (count == 6)
                return false;
            fraction = fraction * 10 + (t[at] - '0');
        }
        if (count == 0)
            return false;
        for (; count < 6; count++)
            fraction *= 10;
    }
    if (at < text.len && t[at] == 'Z')
        at++;
    if (at != text.len)
        return false;
    *ret_us = (date.days * S_PER_DAY + hour * 3600 + minute * 60 + second) * US_PER_S + fraction;
    return true;
}

void pncp_stamp_format(int64_t utc_us, char ret_text[PNCP_STAMP_TEXT_BYTES])
{
    int64_t seconds = floor_div(utc_us, US_PER_S), days = floor_div(seconds, S_PER_DAY),
            rest = seconds - days * S_PER_DAY;
    int year, month, day;
    pncp_date_to_civil((struct pncp_date){(int32_t)days}, &year, &month, &day);
    const unsigned fields[] = {(unsigned)month, (unsigned)day, (unsigned)(rest / 3600), (unsigned)(rest / 60 % 60),
                               (unsigned)(rest % 60)};
    memcpy(ret_text, "yyyy-mm-ddThh:mm:ssZ", PNCP_STAMP_TEXT_BYTES);
    pncp_digits_pad((unsigned)year, 4, ret_text);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(fields); i++)
        pncp_digits_pad(fields[i], 2, ret_text + 5 + 3 * i);
}

void pncp_stamp_format_basic(int64_t utc_us, char ret_text[PNCP_STAMP_BASIC_BYTES])
{
    char text[PNCP_STAMP_TEXT_BYTES];
    size_t len = 0;
    pncp_stamp_format(utc_us, text);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c != '-' && *c != ':')
            ret_text[len++] = *c;
    }
    ret_text[len] = '\0';
}
