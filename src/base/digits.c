#include "base/digits.h"

#include <string.h>

size_t pncp_digits_int(int64_t value, char *ret_text)
{
    char text[PNCP_INT_TEXT_BYTES], *at = text + sizeof(text);
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    *--at = '\0';
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (value < 0)
        *--at = '-';
    size_t bytes = (size_t)(text + sizeof(text) - at);
    memcpy(ret_text, at, bytes);
    return bytes - 1;
}

void pncp_digits_pad(unsigned value, size_t count, char *ret_text)
{
    for (size_t i = count; i-- > 0; value /= 10)
        ret_text[i] = (char)('0' + value % 10);
}
