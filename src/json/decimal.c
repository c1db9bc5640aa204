#include "json/json.h"

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

bool pncp_decimal_parse(struct pncp_view number, int scale, int64_t *ret_value)
{
    bool negative = number.len > 0 && number.data[0] == '-';
    size_t i = negative;
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
    uint64_t value = 0;
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
    if (!any || value > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value; /* INT64_MIN has no positive counterpart */
    return true;
}
