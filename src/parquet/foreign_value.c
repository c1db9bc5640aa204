#include "base/clock.h"
#include "parquet/foreign_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECIMAL_DIGITS_MAX 78 /* of PNCP_FOREIGN_DECIMAL_MAX_BYTES, and one to spare */
#define NANOS 1000000000
#define SECONDS_PER_DAY 86400
#define JULIAN_UNIX_EPOCH 2440588 /* Julian day of 1970-01-01 */

/* ---- numbers --------------------------------------------------------------------------------- */

/* Digits d1d2d3… times 10^exponent with the point behind d1, as JSON: plain where it is short, else with an exponent.
 */
static void put_digits(struct pncp_json_writer *w, bool negative, const char *digits, int count, int exponent)
{
    char text[128];
    char *at = text;
    if (negative)
        *at++ = '-';
    bool plain = exponent >= -7 && exponent < 21;
    if (!plain) {
        *at++ = digits[0];
        if (count > 1) {
            *at++ = '.';
            memcpy(at, digits + 1, (size_t)count - 1);
            at += count - 1;
        }
        at += snprintf(at, (size_t)(text + sizeof(text) - at), "e%d", exponent);
        pncp_json_put_raw(w, (struct pncp_view){text, (size_t)(at - text)});
        return;
    }
    if (exponent < 0) {
        *at++ = '0';
        *at++ = '.';
        for (int zeros = exponent + 1; zeros < 0; zeros++)
            *at++ = '0';
    }
    for (int i = 0; i < count || i <= exponent; i++) {
        if (i > 0 && i == exponent + 1)
            *at++ = '.';
        *at++ = i < count ? digits[i] : '0';
    }
    pncp_json_put_raw(w, (struct pncp_view){text, (size_t)(at - text)});
}

/* The shortest digits that read back as the same number: few enough, one more, until they do. */
static const char *put_double(struct pncp_json_writer *w, double value, bool single, bool *ret_null)
{
    if (isnan(value)) {
        pncp_json_put_null(w);
        *ret_null = true;
        return NULL;
    }
    if (isinf(value))
        return "an infinite number";
    char text[40] = "";
    for (int precision = single ? 6 : 15; precision <= (single ? 9 : 17); precision++) {
        (void)snprintf(text, sizeof(text), "%.*e", precision - 1, value);
        if (single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
            break;
    }
    char digits[20] = "0";
    int count = 0;
    const char *at = text;
    for (; *at != '\0' && *at != 'e'; at++) { /* all but the point, which a locale may write differently */
        if (*at >= '0' && *at <= '9' && count < (int)sizeof(digits))
            digits[count++] = *at;
    }
    int exponent = *at == 'e' ? (int)strtol(at + 1, NULL, 10) : 0;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    put_digits(w, text[0] == '-', digits, count, exponent);
    return NULL;
}

/* Two's complement, highest byte first (LogicalTypes.md, "DECIMAL"), times 10^-scale. */
static void put_decimal(struct pncp_json_writer *w, const unsigned char *bytes, size_t len, int32_t scale)
{
    unsigned char rest[PNCP_FOREIGN_DECIMAL_MAX_BYTES] = {0};
    char digits[2 * DECIMAL_DIGITS_MAX]; /* the last digit first; then zeros up to the point */
    size_t count = 0, begin = 0, zeros = 0;
    bool negative = (bytes[0] & 0x80) != 0;
    unsigned carry = negative;
    for (size_t i = len; i-- > 0;) { /* the magnitude: complement and one more */
        unsigned byte = (negative ? (unsigned)(unsigned char)~bytes[i] : bytes[i]) + carry;
        rest[i] = (unsigned char)byte;
        carry = byte >> 8;
    }
    while (begin < len) { /* divide by ten until nothing is left */
        unsigned remainder = 0;
        for (size_t i = begin; i < len; i++) {
            unsigned dividend = remainder << 8 | rest[i];
            rest[i] = (unsigned char)(dividend / 10);
            remainder = dividend % 10;
        }
        while (begin < len && rest[begin] == 0)
            begin++;
        digits[count++] = (char)('0' + remainder);
    }
    while (count <= (size_t)scale)
        digits[count++] = '0';
    while (zeros < (size_t)scale && digits[zeros] == '0')
        zeros++;
    char text[2 * DECIMAL_DIGITS_MAX + 2];
    char *at = text;
    if (negative)
        *at++ = '-';
    for (size_t i = count; i-- > zeros;) {
        *at++ = digits[i];
        if (i == (size_t)scale && i > zeros)
            *at++ = '.';
    }
    pncp_json_put_raw(w, (struct pncp_view){text, (size_t)(at - text)});
}

static const char *put_stored_decimal(struct pncp_json_writer *w, const struct pncp_foreign_type *type,
                                      struct pncp_view stored)
{
    unsigned char bytes[PNCP_FOREIGN_DECIMAL_MAX_BYTES] = {0};
    if (type->physical == CARQUET_PHYSICAL_INT32 || type->physical == CARQUET_PHYSICAL_INT64) {
        for (size_t i = 0; i < stored.len; i++) /* lowest byte first */
            bytes[i] = (unsigned char)stored.data[stored.len - 1 - i];
    } else {
        if (stored.len == 0 || stored.len > sizeof(bytes))
            return "a decimal of an impossible length";
        memcpy(bytes, stored.data, stored.len);
    }
    put_decimal(w, bytes, stored.len, type->scale);
    return NULL;
}

/* ---- times ----------------------------------------------------------------------------------- */

static const char *format_day(int64_t days, char text[static 11])
{
    int year, month, day;
    if (days < -719162 || days > 2932896) /* 0001-01-01, 9999-12-31 */
        return "a day outside the years 1 to 9999";
    pncp_date_to_civil((struct pncp_date){(int32_t)days}, &year, &month, &day);
    (void)snprintf(text, 11, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100, (unsigned)day % 100);
    return NULL;
}

static const char *put_day(struct pncp_json_writer *w, int64_t days)
{
    char text[11];
    const char *why = format_day(days, text);
    if (why == NULL)
        pncp_json_put_text(w, pncp_view_of(text));
    return why;
}

/* `nanos` 0..999,999,999 beside whole seconds since 1970-01-01. */
static const char *put_moment(struct pncp_json_writer *w, int64_t seconds, int64_t nanos)
{
    char text[40];
    int64_t days = seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
    int64_t rest = seconds - days * SECONDS_PER_DAY;
    const char *why = format_day(days, text);
    if (why != NULL)
        return why;
    int len = snprintf(text + 10, sizeof(text) - 10, "T%02u:%02u:%02u", (unsigned)(rest / 3600) % 100,
                       (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
    if (nanos != 0) {
        len += snprintf(text + 10 + len, sizeof(text) - 10 - (size_t)len, ".%09u", (unsigned)nanos);
        while (text[10 + len - 1] == '0')
            len--;
    }
    pncp_json_put_text(w, (struct pncp_view){text, 10 + (size_t)len});
    return NULL;
}

static const char *put_timestamp(struct pncp_json_writer *w, const struct pncp_foreign_type *type, int64_t ticks,
                                 bool *ret_null)
{
    if (ticks == INT64_MIN) { /* numpy's NaT, which a writer of plain arrays stores as it stands */
        pncp_json_put_null(w);
        *ret_null = true;
        return NULL;
    }
    int64_t seconds = ticks / type->ticks_per_second, fraction = ticks % type->ticks_per_second;
    if (fraction < 0) {
        fraction += type->ticks_per_second;
        seconds--;
    }
    return put_moment(w, seconds + (type->instant ? PNCP_BRASILIA_OFFSET_S : 0),
                      fraction * (NANOS / type->ticks_per_second));
}

/* Nanoseconds of the day, then the Julian day (parquet-format, "INT96 timestamps" as Impala and Spark write them). */
static const char *put_int96(struct pncp_json_writer *w, const char *stored)
{
    uint64_t nanos;
    uint32_t day;
    memcpy(&nanos, stored, sizeof(nanos));
    memcpy(&day, stored + sizeof(nanos), sizeof(day));
    if (nanos >= (uint64_t)SECONDS_PER_DAY * NANOS)
        return "a time beyond its day";
    int64_t seconds = ((int64_t)day - JULIAN_UNIX_EPOCH) * SECONDS_PER_DAY + (int64_t)(nanos / NANOS);
    return put_moment(w, seconds, (int64_t)(nanos % NANOS));
}

/* ---- all ------------------------------------------------------------------------------------- */

static int64_t stored_int(struct pncp_view stored)
{
    if (stored.len == sizeof(int32_t)) {
        int32_t value;
        memcpy(&value, stored.data, sizeof(value));
        return value;
    }
    int64_t value;
    memcpy(&value, stored.data, sizeof(value));
    return value;
}

static void put_unsigned(struct pncp_json_writer *w, struct pncp_view stored)
{
    char text[24];
    uint64_t value = (uint64_t)stored_int(stored);
    if (stored.len == sizeof(uint32_t))
        value = (uint32_t)value;
    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    pncp_json_put_raw(w, pncp_view_of(text));
}

const char *pncp_foreign_put_value(struct pncp_json_writer *w, const struct pncp_foreign_type *type,
                                   struct pncp_view stored, bool *ret_null)
{
    float single;
    double number;
    *ret_null = false;
    switch (type->kind) {
    case PNCP_FOREIGN_BOOL:
        pncp_json_put_bool(w, stored.data[0] != 0);
        return NULL;
    case PNCP_FOREIGN_INT:
        pncp_json_put_int(w, stored_int(stored));
        return NULL;
    case PNCP_FOREIGN_UINT:
        put_unsigned(w, stored);
        return NULL;
    case PNCP_FOREIGN_FLOAT:
        memcpy(&single, stored.data, sizeof(single));
        return put_double(w, (double)single, true, ret_null);
    case PNCP_FOREIGN_DOUBLE:
        memcpy(&number, stored.data, sizeof(number));
        return put_double(w, number, false, ret_null);
    case PNCP_FOREIGN_TEXT:
        if (!pncp_view_is_utf8(stored))
            return "text that is not UTF-8";
        pncp_json_put_text(w, stored);
        return NULL;
    case PNCP_FOREIGN_DECIMAL:
        return put_stored_decimal(w, type, stored);
    case PNCP_FOREIGN_DATE:
        return put_day(w, stored_int(stored));
    case PNCP_FOREIGN_TIMESTAMP:
        return put_timestamp(w, type, stored_int(stored), ret_null);
    case PNCP_FOREIGN_INT96:
        return put_int96(w, stored.data);
    }
    return "an unknown kind of value";
}
