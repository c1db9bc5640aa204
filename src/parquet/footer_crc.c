#include "parquet/footer_int.h"

#include <libdeflate.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h> /* crc32_combine, which libdeflate has not */

/* CRC-32 of `bytes`, what is left among them, with zeros instead of the digits at `at`, which are behind that. */
static void digits_of(struct pncp_view bytes, size_t at, const struct pncp_footer_left *left,
                      char ret_digits[PNCP_FOOTER_CRC_DIGITS + 1])
{
    size_t behind = at + PNCP_FOOTER_CRC_DIGITS;
    uint32_t crc = libdeflate_crc32(0, bytes.data, left->at);
    crc = (uint32_t)crc32_combine(crc, left->crc, (z_off_t)left->bytes);
    crc = libdeflate_crc32(crc, bytes.data + left->at, at - left->at);
    crc = libdeflate_crc32(crc, PNCP_FOOTER_CRC_BLANK, PNCP_FOOTER_CRC_DIGITS);
    crc = libdeflate_crc32(crc, bytes.data + behind, bytes.len - behind);
    (void)snprintf(ret_digits, PNCP_FOOTER_CRC_DIGITS + 1, "%08" PRIx32, crc);
}

uint32_t pncp_footer_crc_more(const struct pncp_footer_left *left, struct pncp_view more)
{
    return libdeflate_crc32(left->crc, more.data, more.len);
}

void pncp_footer_put_crc(struct pncp_buf *out, size_t footer_at, size_t digits_at, const struct pncp_footer_left *left)
{
    char digits[PNCP_FOOTER_CRC_DIGITS + 1];
    struct pncp_view footer = pncp_view_from(pncp_buf_view(out), footer_at);
    digits_of(footer, digits_at - footer_at, left, digits);
    memcpy(out->data + digits_at, digits, PNCP_FOOTER_CRC_DIGITS);
}

bool pncp_footer_crc_is_right(const struct pncp_footer *footer)
{
    struct pncp_view value;
    char digits[PNCP_FOOTER_CRC_DIGITS + 1];
    if (!pncp_footer_kv(footer, PNCP_FOOTER_CRC_KEY, &value) || value.len != PNCP_FOOTER_CRC_DIGITS)
        return false;
    digits_of(pncp_buf_view(&footer->raw), (size_t)(value.data - footer->raw.data), &footer->left, digits);
    return pncp_view_eq_text(value, digits);
}
