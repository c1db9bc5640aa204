#include "reference.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EXPONENT_MAX 400 /* documented at pncp_decimal_parse */

/* ---- numbers --------------------------------------------------------------------------------- */

/* Digits without a sign, to which a decimal point belongs `fraction` places from the right. */
struct digits {
    char *text;
    size_t len;
    long fraction;
};

static void collect(struct pncp_view number, struct digits *digits)
{
    bool point = false;
    for (size_t i = 0; i < number.len; i++) {
        if (number.data[i] == '.')
            point = true;
        else if (number.data[i] != '-')
            digits->text[digits->len++] = number.data[i];
        digits->fraction += point && number.data[i] != '.';
    }
}

/* digits × 10^power, when it is whole and fits. */
static bool whole(const struct digits *digits, long power, uint64_t *ret_value)
{
    size_t first = 0, end = digits->len;
    while (first < end && digits->text[first] == '0')
        first++;
    for (; end > first && digits->text[end - 1] == '0'; end--)
        power++;
    __extension__ unsigned __int128 value = 0;
    if (first == end) {
        *ret_value = 0;
        return true;
    }
    if (power < 0 || (long)(end - first) + power > 19)
        return false;
    for (size_t i = first; i < end; i++)
        value = value * 10 + (unsigned)(digits->text[i] - '0');
    for (; power > 0; power--)
        value *= 10;
    *ret_value = (uint64_t)value;
    return value <= (uint64_t)INT64_MAX + 1;
}

bool reference_decimal(struct pncp_view number, int scale, int64_t *ret_value)
{
    char exponent_text[32] = "";
    struct pncp_view mantissa = number;
    for (size_t i = 0; i < number.len && mantissa.len == number.len; i++) {
        if (number.data[i] == 'e' || number.data[i] == 'E')
            mantissa.len = i;
    }
    if (mantissa.len < number.len) {
        const char *from = number.data + mantissa.len + 1;
        size_t len = number.len - mantissa.len - 1, sign = from[0] == '-' || from[0] == '+';
        while (len > sign + 1 && from[sign] == '0') /* e-00005: the zeros say nothing */
            sign++;
        if (len - sign > 4)
            return false;
        exponent_text[0] = from[0] == '-' ? '-' : '0';
        memcpy(exponent_text + 1, from + sign, len - sign);
    }
    long exponent = strtol(exponent_text, NULL, 10);
    if (exponent < -EXPONENT_MAX || exponent > EXPONENT_MAX)
        return false;
    struct digits digits = {.text = malloc(mantissa.len + 1)};
    if (digits.text == NULL)
        abort();
    collect(mantissa, &digits);
    uint64_t value;
    bool fits = whole(&digits, exponent - digits.fraction + scale, &value);
    free(digits.text);
    bool negative = number.data[0] == '-';
    if (!fits || (!negative && value > (uint64_t)INT64_MAX))
        return false;
    *ret_value = value > (uint64_t)INT64_MAX ? INT64_MIN : negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* ---- times ----------------------------------------------------------------------------------- */

bool reference_shape(struct pncp_view text, const char *shape)
{
    if (text.len != strlen(shape))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (shape[i] == '9' ? !digit : text.data[i] != shape[i])
            return false;
    }
    return true;
}

static int number_at(const char *text, size_t count)
{
    char digits[8] = "";
    memcpy(digits, text, count);
    return (int)strtol(digits, NULL, 10);
}

/* Seconds of a civil time; libc changes what is no such time, and is asked whether it did. */
static bool civil(int year, int month, int day, int hour, int minute, int second, int64_t *ret_s)
{
    struct tm asked = {.tm_year = year - 1900,
                       .tm_mon = month - 1,
                       .tm_mday = day,
                       .tm_hour = hour,
                       .tm_min = minute,
                       .tm_sec = second};
    struct tm given = asked;
    int64_t seconds = timegm(&given);
    if (year < 1 || given.tm_year != asked.tm_year || given.tm_mon != asked.tm_mon || given.tm_mday != asked.tm_mday ||
        given.tm_hour != asked.tm_hour || given.tm_min != asked.tm_min || given.tm_sec != asked.tm_sec)
        return false;
    *ret_s = seconds;
    return true;
}

bool reference_date(struct pncp_view text, int64_t *ret_days)
{
    int dashes = reference_shape(text, "9999-99-99") ? 1 : 0;
    int64_t seconds;
    if (dashes == 0 && !reference_shape(text, "99999999"))
        return false;
    if (!civil(number_at(text.data, 4), number_at(text.data + 4 + dashes, 2), number_at(text.data + 6 + 2 * dashes, 2),
               0, 0, 0, &seconds))
        return false;
    *ret_days = seconds / 86400; /* exact, also below zero */
    return true;
}

bool reference_datetime(struct pncp_view text, int64_t *ret_us)
{
    const char *t = text.data;
    size_t len = text.len;
    char fraction[7] = "000000";
    int64_t seconds;
    if (len > 19 && t[len - 1] == 'Z')
        len--;
    if (len < 19 || !reference_shape((struct pncp_view){t, 19}, "9999-99-99T99:99:99"))
        return false;
    if (len > 19) {
        size_t digits = len - 20;
        if (t[19] != '.' || digits < 1 || digits > 6 ||
            !reference_shape((struct pncp_view){t + 20, digits}, &"999999"[6 - digits]))
            return false;
        memcpy(fraction, t + 20, digits);
    }
    if (!civil(number_at(t, 4), number_at(t + 5, 2), number_at(t + 8, 2), number_at(t + 11, 2), number_at(t + 14, 2),
               number_at(t + 17, 2), &seconds))
        return false;
    *ret_us = seconds * 1000000 + strtol(fraction, NULL, 10);
    return true;
}
