#include "json/json.h"

#define DIGITS_MAX 19    /* with a point: no 18 digits overflow 64 bits, and 19 none either */
#define EXPONENT_MAX 400 /* beyond it nothing but zero can be exact in 18 digits */

static bool read_exponent(struct pncp_view text, int *ret_exponent)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    size_t sign = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
    uint64_t value;
    if (!pncp_view_u64((struct pncp_view){text.data + sign, text.len - sign}, &value) || value > EXPONENT_MAX)
        return false;
    *ret_exponent = negative ? -(int)value : (int)value;
    return true;
}

/* Nearly all numbers: digits and perhaps a point, all of them within the scale. False: not so, or it does not fit. */
static bool parse_plain(struct pncp_view digits, int scale, uint64_t *ret_value)
{
    uint64_t value = 0;
    int zeros = scale; /* to be added */
    bool point = false;
    if (digits.len == 0 || digits.len > DIGITS_MAX)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)(unsigned char)digits.data[i] - '0';
        if (digit > 9) {
            if (digits.data[i] != '.' || point || digits.len == 1)
                return false;
            point = true;
            continue;
        }
        value = value * 10 + digit;
        zeros -= point;
    }
    for (; zeros > 0; zeros--) {
        if (__builtin_mul_overflow(value, (uint64_t)10, &value))
            return false;
    }
    *ret_value = value;
    return zeros == 0;
}

static bool to_signed(uint64_t value, bool negative, int64_t *ret_value)
{
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value; /* INT64_MIN has no positive counterpart */
    return true;
}

bool pncp_decimal_parse(struct pncp_view number, int scale, int64_t *ret_value)
{
    bool negative = number.len > 0 && number.data[0] == '-';
    size_t i = negative;
    uint64_t value = 0;
    if (parse_plain((struct pncp_view){number.data + i, number.len - i}, scale, &value))
        return to_signed(value, negative, ret_value);
    int exponent = 0, fraction = 0;
    bool point = false, any = false;
    size_t end = number.len;
    for (size_t at = i; at < number.len; at++) { /* the exponent first: it says where the digits stand */
        if (number.data[at] == 'e' || number.data[at] == 'E') {
            if (!read_exponent((struct pncp_view){number.data + at + 1, number.len - at - 1}, &exponent))
                return false;
            end = at;
            break;
        }
    }
    for (size_t at = i; at < end; at++) {
        if (number.data[at] == '.')
            point = true;
        else
            fraction += point;
    }
    /* digit k from the left of the point's right side has power exponent - k; value × 10^scale */
    value = 0;
    int power = exponent - fraction + scale; /* of the last digit, after scaling */
    int left = 0;                            /* digits still to come */
    for (size_t at = i; at < end; at++)
        left += number.data[at] != '.';
    for (size_t at = i; at < end; at++) {
        if (number.data[at] == '.')
            continue;
        unsigned digit = (unsigned)(unsigned char)number.data[at] - '0';
        if (digit > 9)
            return false;
        any = true;
        left--;
        if (power + left < 0) { /* below the scale: only a zero is not lost */
            if (digit != 0)
                return false;
            continue;
        }
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    for (int zeros = power; zeros > 0 && value != 0; zeros--) {
        if (__builtin_mul_overflow(value, (uint64_t)10, &value))
            return false;
    }
    return any && to_signed(value, negative, ret_value);
}
