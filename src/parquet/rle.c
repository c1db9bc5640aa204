#include "parquet/rle.h"

#include <assert.h>
#include <string.h>

#define GROUP 8         /* values that are packed together; also the shortest run worth a header of its own */
#define HEADER_BYTES 5u /* of a varint of 32 bits, at most */
#define WRITTEN_BYTES (2 * sizeof(uint64_t)) /* at once, of which a group's bits are the beginning */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a group's bits are written as words");

unsigned pncp_rle_width(size_t max)
{
    unsigned width = 0;
    for (; max > 0; max >>= 1)
        width++;
    return width;
}

/* How many of the values from the first on are the same as it; four at a time. */
static size_t run_length(const uint16_t *values, size_t count)
{
    enum { WORD_VALUES = sizeof(uint64_t) / sizeof(uint16_t) };
    const uint64_t same = values[0] * UINT64_C(0x0001000100010001);
    size_t run = 0;
    for (uint64_t word; run + WORD_VALUES <= count; run += WORD_VALUES) {
        memcpy(&word, values + run, sizeof(word));
        if (word != same)
            break;
    }
    while (run < count && values[run] == values[0])
        run++;
    return run;
}

static void put_varint(struct pncp_buf *out, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        out->data[out->len++] = (char)(value | 0x80);
    out->data[out->len++] = (char)value;
}

static void put_run(struct pncp_buf *out, uint16_t value, size_t count, unsigned width)
{
    put_varint(out, (uint32_t)count << 1);
    out->data[out->len++] = (char)value;
    if (width > 8)
        out->data[out->len++] = (char)(value >> 8);
}

/* The bits of a group, least significant first: GROUP / 2 * width of `low`, as many of `high`. */
static void put_bits(struct pncp_buf *out, uint64_t low, uint64_t high, unsigned width)
{
    unsigned half = GROUP / 2 * width; /* 4 to 64 bits */
    const uint64_t words[] = {half < 64 ? low | high << half : low, high >> (64 - half)};
    _Static_assert(sizeof(words) == WRITTEN_BYTES, "reserved for the last group");
    memcpy(out->data + out->len, words, sizeof(words));
    out->len += width;
}

/* Least significant bit first; the last group is filled up with zeros. */
static void put_packed(struct pncp_buf *out, const uint16_t *values, size_t count, unsigned width)
{
    size_t groups = (count + GROUP - 1) / GROUP;
    if (count == 0)
        return;
    put_varint(out, (uint32_t)groups << 1 | 1);
    for (size_t i = 0; i < groups; i++) { /* half a group has 64 bits at most */
        uint16_t group[GROUP] = {0};
        uint64_t low = 0, high = 0;
        memcpy(group, values + i * GROUP, PNCP_MIN(count - i * GROUP, (size_t)GROUP) * sizeof(*group));
        for (unsigned k = 0; k < GROUP / 2; k++) {
            low |= (uint64_t)group[k] << (k * width);
            high |= (uint64_t)group[GROUP / 2 + k] << (k * width);
        }
        put_bits(out, low, high, width);
    }
}

enum pncp_code pncp_rle_put(struct pncp_buf *out, const uint16_t *values, size_t count, unsigned width)
{
    assert(width >= 1 && width <= 16 && count <= INT32_MAX);
    /* Per group of values at most: its bits, or a run of it (header and value) with the packed groups' header before.
     */
    size_t bytes = (count / GROUP + 1) * (width + 2 * HEADER_BYTES + sizeof(*values));
    enum pncp_code rc = pncp_buf_reserve(out, bytes + WRITTEN_BYTES);
    if (rc != PNCP_OK)
        return rc;
    size_t packed = 0, at = 0; /* values from `packed` on wait to be packed; `at` is whole groups behind it */
    while (count - at >= GROUP) {
        size_t run = run_length(values + at, count - at);
        if (run < GROUP) {
            at += GROUP;
            continue;
        }
        put_packed(out, values + packed, at - packed, width);
        put_run(out, values[at], run, width);
        packed = at += run;
    }
    put_packed(out, values + packed, count - packed, width);
    return PNCP_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct cursor {
    const unsigned char *at, *end;
};

static bool get_varint(struct cursor *c, uint32_t *ret_value)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 32 && c->at < c->end; shift += 7) {
        unsigned char byte = *c->at++;
        if (shift == 28 && byte > 15)
            return false;
        value |= (uint32_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool get_run(struct cursor *c, unsigned width, size_t count, uint16_t *ret_values)
{
    uint16_t value;
    if ((size_t)(c->end - c->at) < (width + 7) / 8)
        return false;
    value = *c->at++;
    if (width > 8)
        value = (uint16_t)(value | *c->at++ << 8);
    if (value >> width != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        ret_values[i] = value;
    return true;
}

/* `count` of the values of so many packed groups. */
static bool get_packed(struct cursor *c, unsigned width, size_t groups, size_t count, uint16_t *ret_values)
{
    const uint64_t mask = (1u << width) - 1;
    const unsigned half = GROUP / 2 * width; /* 4 to 64 bits */
    if (groups > (size_t)(c->end - c->at) / width)
        return false;
    for (size_t done = 0; done < count; done += GROUP, c->at += width) {
        uint64_t words[2] = {0}; /* the bits of a group, in two halves */
        uint16_t group[GROUP];
        if ((size_t)(c->end - c->at) >= sizeof(words))
            memcpy(words, c->at, sizeof(words));
        else
            memcpy(words, c->at, width);
        const uint64_t low = words[0], high = half < 64 ? words[0] >> half | words[1] << (64 - half) : words[1];
        for (unsigned k = 0; k < GROUP / 2; k++) {
            group[k] = (uint16_t)(low >> (k * width) & mask);
            group[GROUP / 2 + k] = (uint16_t)(high >> (k * width) & mask);
        }
        memcpy(ret_values + done, group, PNCP_MIN(count - done, (size_t)GROUP) * sizeof(*group));
    }
    return true;
}

bool pncp_rle_get(struct pncp_view bytes, unsigned width, size_t count, uint16_t *ret_values)
{
    assert(width >= 1 && width <= 16);
    const unsigned char *begin = (const unsigned char *)bytes.data;
    struct cursor c = {.at = begin, .end = begin + bytes.len};
    for (size_t done = 0, some = 0; done < count; done += some) {
        uint32_t header;
        if (!get_varint(&c, &header) || header >> 1 == 0)
            return false;
        bool packed = (header & 1) != 0;
        some = PNCP_MIN((size_t)(header >> 1) * (packed ? GROUP : 1), count - done);
        if (packed ? !get_packed(&c, width, header >> 1, some, ret_values + done)
                   : !get_run(&c, width, some, ret_values + done))
            return false;
    }
    return true;
}
