#include "parquet/plain.h"

#include <string.h>

/* Fixed widths are taken over from memory as they lie there. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Parquet values are little-endian");

size_t pncp_plain_bytes(const struct pncp_leaf *leaf, size_t first, size_t count)
{
    size_t bytes = pncp_leaf_value_offset(leaf, first + count) - pncp_leaf_value_offset(leaf, first);
    return leaf->type == PNCP_T_TEXT ? bytes + count * PNCP_PLAIN_LENGTH_BYTES : bytes;
}

void pncp_plain_put_length(struct pncp_buf *out, size_t len)
{
    uint32_t length = (uint32_t)len;
    memcpy(out->data + out->len, &length, PNCP_PLAIN_LENGTH_BYTES);
    out->len += PNCP_PLAIN_LENGTH_BYTES;
}

static void put_texts(struct pncp_buf *out, const struct pncp_leaf *leaf, size_t first, size_t count)
{
    size_t at = pncp_leaf_value_offset(leaf, first);
    for (size_t i = first; i < first + count; i++) {
        size_t len = leaf->ends[i] - at;
        pncp_plain_put_length(out, len);
        if (len > 0)
            memcpy(out->data + out->len, leaf->values.data + at, len);
        out->len += len;
        at = leaf->ends[i];
    }
}

/* One bit each, least significant first. */
static void put_booleans(struct pncp_buf *out, const char *values, size_t count)
{
    for (size_t i = 0; i < count; i += 8) {
        unsigned byte = 0;
        for (size_t bit = 0; bit < 8 && i + bit < count; bit++)
            byte |= (unsigned)(values[i + bit] != 0) << bit;
        out->data[out->len++] = (char)byte;
    }
}

enum pncp_code pncp_plain_put(struct pncp_buf *out, const struct pncp_leaf *leaf, size_t first, size_t count)
{
    size_t bytes = pncp_plain_bytes(leaf, first, count);
    enum pncp_code rc = count == 0 ? PNCP_OK : pncp_buf_reserve(out, bytes);
    if (rc != PNCP_OK || count == 0)
        return rc;
    if (leaf->type == PNCP_T_TEXT) {
        put_texts(out, leaf, first, count);
    } else if (leaf->type == PNCP_T_BOOL) {
        put_booleans(out, leaf->values.data + first, count);
    } else {
        memcpy(out->data + out->len, leaf->values.data + pncp_leaf_value_offset(leaf, first), bytes);
        out->len += bytes;
    }
    return PNCP_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum pncp_code get_texts(struct pncp_view bytes, size_t count, struct pncp_leaf *to)
{
    if (count > bytes.len / PNCP_PLAIN_LENGTH_BYTES)
        return PNCP_E_PARSE;
    enum pncp_code rc = pncp_leaf_reserve(to, 0, count, bytes.len - count * PNCP_PLAIN_LENGTH_BYTES);
    if (rc != PNCP_OK)
        return rc;
    for (size_t i = 0; i < count; i++) {
        uint32_t len;
        if (bytes.len < PNCP_PLAIN_LENGTH_BYTES)
            return PNCP_E_PARSE;
        memcpy(&len, bytes.data, PNCP_PLAIN_LENGTH_BYTES);
        bytes = pncp_view_from(bytes, PNCP_PLAIN_LENGTH_BYTES);
        /* the lengths of the texts behind it must be there as well: no more than what was reserved can be text */
        if (len > bytes.len || len > to->values.cap - to->values.len)
            return PNCP_E_PARSE;
        if (len > 0)
            memcpy(to->values.data + to->values.len, bytes.data, len);
        bytes = pncp_view_from(bytes, len);
        to->values.len += len;
        to->ends[to->value_count++] = (uint32_t)to->values.len;
    }
    return PNCP_OK;
}

static enum pncp_code get_booleans(struct pncp_view bytes, size_t count, struct pncp_leaf *to)
{
    if (count > bytes.len * 8)
        return PNCP_E_PARSE;
    enum pncp_code rc = pncp_leaf_reserve(to, 0, count, count);
    for (size_t i = 0; rc == PNCP_OK && i < count; i++)
        to->values.data[to->values.len++] = (char)((unsigned char)bytes.data[i / 8] >> (i % 8) & 1);
    to->value_count += rc == PNCP_OK ? count : 0;
    return rc;
}

enum pncp_code pncp_plain_get(struct pncp_view bytes, size_t count, struct pncp_leaf *to)
{
    size_t width = to->width;
    if (count == 0)
        return PNCP_OK;
    if (to->type == PNCP_T_TEXT)
        return get_texts(bytes, count, to);
    if (to->type == PNCP_T_BOOL)
        return get_booleans(bytes, count, to);
    if (count > bytes.len / width)
        return PNCP_E_PARSE;
    enum pncp_code rc = pncp_buf_append(&to->values, bytes.data, count * width);
    to->value_count += rc == PNCP_OK ? count : 0;
    return rc;
}
