#include "base/hex.h"

void pncp_hex(const void *data, size_t bytes, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = data;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = from[i];
        ret_text[2 * i] = digits[byte >> 4];
        ret_text[2 * i + 1] = digits[byte & 15];
    }
    ret_text[2 * bytes] = '\0';
}
