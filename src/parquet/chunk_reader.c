#include "parquet/chunk_reader.h"
#include "base/mem.h"
#include "parquet/footer_int.h"
#include "parquet/plain.h"
#include "parquet/rle.h"

#include <assert.h>
#include <libdeflate.h>
#include <string.h>

struct page { /* what a PageHeader says */
    int64_t type, raw_bytes, bytes, crc, values, encoding, def_encoding, rep_encoding;
    bool has_crc;
};

struct reading {
    struct pncp_chunk_reader *reader;
    const struct pncp_chunk *chunk;
    struct pncp_leaf *to;
    struct pncp_view bytes; /* pages to come */
    size_t slots;           /* read */
    size_t raw_bytes;       /* of the pages read, decompressed */
    size_t text_bytes;      /* unfolded from the dictionary */
    bool has_dictionary;
    const char *damage;
};

void pncp_chunk_reader_release(struct pncp_chunk_reader *reader)
{
    (void)ZSTD_freeDCtx(reader->zstd);
    pncp_buf_release(&reader->page);
    pncp_buf_release(&reader->indexes);
    pncp_leaf_release(&reader->dictionary);
    *reader = (struct pncp_chunk_reader){0};
}

static enum pncp_code damaged(struct reading *reading, const char *what)
{
    reading->damage = what;
    return PNCP_E_PARSE;
}

/* ---- a page ---------------------------------------------------------------------------------- */

/* DataPageHeader and DictionaryPageHeader have their first two fields in common. */
static void read_page_kind(struct pncp_thrift_reader *r, struct page *page)
{
    struct pncp_thrift_field field = {0};
    while (pncp_thrift_next(r, &field)) {
        int64_t *to = field.id == 1   ? &page->values
                      : field.id == 2 ? &page->encoding
                      : field.id == 3 ? &page->def_encoding
                      : field.id == 4 ? &page->rep_encoding
                                      : NULL;
        if (to != NULL && field.type == PNCP_THRIFT_I32)
            *to = pncp_thrift_int(r, field.type);
        else
            pncp_thrift_skip(r, field.type);
    }
}

/* Take the PageHeader that the bytes begin with. */
static enum pncp_code take_header(struct reading *reading, struct page *ret_page)
{
    struct page page = {
        .type = -1, .raw_bytes = -1, .bytes = -1, .values = -1, .encoding = -1, .def_encoding = -1, .rep_encoding = -1};
    struct pncp_thrift_reader r = pncp_thrift_open(reading->bytes);
    struct pncp_thrift_field field = {0};
    while (pncp_thrift_next(&r, &field)) {
        int64_t *to = field.id == 1   ? &page.type
                      : field.id == 2 ? &page.raw_bytes
                      : field.id == 3 ? &page.bytes
                      : field.id == 4 ? &page.crc
                                      : NULL;
        if (to != NULL && field.type == PNCP_THRIFT_I32)
            *to = pncp_thrift_int(&r, field.type);
        else if ((field.id == 5 || field.id == 7) && field.type == PNCP_THRIFT_STRUCT)
            read_page_kind(&r, &page);
        else
            pncp_thrift_skip(&r, field.type);
        page.has_crc = page.has_crc || field.id == 4;
    }
    if (r.failed || page.raw_bytes < 0 || page.bytes < 0 || page.values < 0)
        return damaged(reading, "a page header cannot be read");
    reading->bytes = pncp_view_from(reading->bytes, (size_t)(r.at - r.begin));
    if ((uint64_t)page.bytes > reading->bytes.len ||
        (uint64_t)page.raw_bytes > reading->chunk->raw_bytes - reading->raw_bytes)
        return damaged(reading, "a page is longer than the chunk");
    reading->raw_bytes += (size_t)page.raw_bytes;
    *ret_page = page;
    return PNCP_OK;
}

/* Take the page's bytes, checked and decompressed; they lie in the chunk or in reader->page. */
static enum pncp_code take_data(struct reading *reading, const struct page *page, struct pncp_view *ret_data)
{
    struct pncp_chunk_reader *reader = reading->reader;
    struct pncp_view packed = {reading->bytes.data, (size_t)page->bytes};
    reading->bytes = pncp_view_from(reading->bytes, packed.len);
    if (page->has_crc && libdeflate_crc32(0, packed.data, packed.len) != (uint32_t)page->crc)
        return damaged(reading, "the checksum of a page differs");
    if (reading->chunk->codec == PNCP_PARQUET_UNCOMPRESSED) {
        *ret_data = packed;
        return page->bytes == page->raw_bytes ? PNCP_OK : damaged(reading, "a page has two lengths");
    }
    if (reading->chunk->codec != PNCP_PARQUET_ZSTD)
        return damaged(reading, "it is compressed as this program does not");
    pncp_buf_clear(&reader->page);
    if (pncp_buf_reserve(&reader->page, (size_t)page->raw_bytes + 1) != PNCP_OK)
        return PNCP_E_NOMEM;
    if (reader->zstd == NULL && (reader->zstd = ZSTD_createDCtx()) == NULL)
        return PNCP_E_NOMEM;
    size_t len = ZSTD_decompressDCtx(reader->zstd, reader->page.data, (size_t)page->raw_bytes, packed.data, packed.len);
    if (ZSTD_isError(len) || len != (size_t)page->raw_bytes)
        return damaged(reading, "a page cannot be decompressed");
    *ret_data = (struct pncp_view){reader->page.data, len};
    return PNCP_OK;
}

static enum pncp_code take_dictionary(struct reading *reading, const struct page *page, struct pncp_view data)
{
    struct pncp_leaf *dictionary = &reading->reader->dictionary;
    if (reading->has_dictionary || reading->slots > 0 || page->encoding != PNCP_PARQUET_PLAIN)
        return damaged(reading, "its dictionary is not as this program writes it");
    pncp_leaf_release(dictionary);
    pncp_leaf_init(dictionary, &(const struct pncp_leaf_info){.type = reading->to->type});
    reading->has_dictionary = true;
    enum pncp_code rc = pncp_plain_get(data, (size_t)page->values, dictionary);
    return rc == PNCP_E_PARSE ? damaged(reading, "its dictionary is cut off") : rc;
}

/* ---- levels and values ----------------------------------------------------------------------- */

/* Levels of `slots` slots go to `ret_levels`, by way of `wide`; a column that has but one level has none. */
static bool take_levels(struct pncp_view *data, size_t slots, int16_t max, uint16_t *wide, pncp_level *ret_levels)
{
    uint32_t len;
    if (max == 0)
        return true;
    assert(ret_levels != NULL); /* there is room for them */
    if (data->len < PNCP_PLAIN_LENGTH_BYTES)
        return false;
    memcpy(&len, data->data, PNCP_PLAIN_LENGTH_BYTES);
    *data = pncp_view_from(*data, PNCP_PLAIN_LENGTH_BYTES);
    if (len > data->len || !pncp_rle_get((struct pncp_view){data->data, len}, pncp_rle_width((size_t)max), slots, wide))
        return false;
    *data = pncp_view_from(*data, len);
    unsigned highest = 0;
    for (size_t i = 0; i < slots; i++) {
        highest = PNCP_MAX(highest, (unsigned)wide[i]);
        ret_levels[i] = (pncp_level)wide[i];
    }
    return highest <= (unsigned)max;
}

static enum pncp_code append_texts(struct reading *reading, const uint16_t *indexes, size_t count)
{
    const struct pncp_leaf *dictionary = &reading->reader->dictionary;
    struct pncp_leaf *to = reading->to;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += pncp_leaf_text(dictionary, indexes[i]).len;
    /* a text may stand for many values: the size of the chunk says nothing */
    if (bytes > PNCP_CHUNK_MAX_BYTES - reading->text_bytes)
        return PNCP_E_LIMIT;
    reading->text_bytes += bytes;
    enum pncp_code rc = pncp_leaf_reserve(to, 0, count, bytes);
    for (size_t i = 0; rc == PNCP_OK && i < count; i++) {
        struct pncp_view text = pncp_leaf_text(dictionary, indexes[i]);
        if (text.len > 0)
            memcpy(to->values.data + to->values.len, text.data, text.len);
        to->values.len += text.len;
        to->ends[to->value_count++] = (uint32_t)to->values.len;
    }
    return rc;
}

static enum pncp_code append_fixed(struct reading *reading, const uint16_t *indexes, size_t count)
{
    const struct pncp_leaf *dictionary = &reading->reader->dictionary;
    struct pncp_leaf *to = reading->to;
    size_t width = to->width;
    enum pncp_code rc = pncp_leaf_reserve(to, 0, count, count * width);
    for (size_t i = 0; rc == PNCP_OK && i < count; i++) {
        memcpy(to->values.data + to->values.len, dictionary->values.data + indexes[i] * width, width);
        to->values.len += width;
    }
    to->value_count += rc == PNCP_OK ? count : 0;
    return rc;
}

/* Values as places in the dictionary: the width of a place, then the hybrid. */
static enum pncp_code take_references(struct reading *reading, struct pncp_view data, size_t count)
{
    struct pncp_buf *buf = &reading->reader->indexes;
    unsigned width = data.len > 0 ? (unsigned char)data.data[0] : 0;
    pncp_buf_clear(buf);
    if (count == 0)
        return PNCP_OK;
    if (!reading->has_dictionary || width == 0 || width > 16)
        return damaged(reading, "its dictionary is not as this program writes it");
    if (pncp_buf_reserve(buf, count * sizeof(uint16_t)) != PNCP_OK)
        return PNCP_E_NOMEM;
    uint16_t *indexes = (uint16_t *)(void *)buf->data;
    if (!pncp_rle_get(pncp_view_from(data, 1), width, count, indexes))
        return damaged(reading, "its values are cut off");
    for (size_t i = 0; i < count; i++) {
        if (indexes[i] >= reading->reader->dictionary.value_count)
            return damaged(reading, "a value is not in its dictionary");
    }
    return reading->to->type == PNCP_T_TEXT ? append_texts(reading, indexes, count)
                                            : append_fixed(reading, indexes, count);
}

static enum pncp_code take_slots(struct reading *reading, const struct page *page, struct pncp_view data)
{
    struct pncp_leaf *to = reading->to;
    size_t slots = (size_t)page->values;
    bool plain = page->encoding == PNCP_PARQUET_PLAIN;
    if ((!plain && page->encoding != PNCP_PARQUET_RLE_DICTIONARY) ||
        (to->max_def > 0 && page->def_encoding != PNCP_PARQUET_RLE) ||
        (to->max_rep > 0 && page->rep_encoding != PNCP_PARQUET_RLE))
        return damaged(reading, "it is encoded as this program does not");
    if (slots == 0 || slots > reading->chunk->value_slots - reading->slots)
        return damaged(reading, "it is not as long as the footer says");
    struct pncp_buf *wide = &reading->reader->indexes; /* free until values are taken */
    pncp_buf_clear(wide);
    enum pncp_code rc = pncp_leaf_reserve(to, slots, 0, 0);
    if (rc == PNCP_OK)
        rc = pncp_buf_reserve(wide, slots * sizeof(uint16_t));
    if (rc != PNCP_OK)
        return rc;
    uint16_t *levels = (uint16_t *)(void *)wide->data;
    pncp_level *rep = to->max_rep > 0 ? to->rep + to->level_count : NULL;
    pncp_level *def = to->max_def > 0 ? to->def + to->level_count : NULL;
    if (!take_levels(&data, slots, to->max_rep, levels, rep) || !take_levels(&data, slots, to->max_def, levels, def) ||
        (reading->slots == 0 && rep != NULL && rep[0] != 0))
        return damaged(reading, "its levels are unsound");
    size_t values = pncp_leaf_count_values(def, slots, to->max_def);
    rc = plain ? pncp_plain_get(data, values, to) : take_references(reading, data, values);
    if (rc == PNCP_E_PARSE && reading->damage == NULL)
        return damaged(reading, "its values are cut off");
    to->level_count += rc == PNCP_OK ? slots : 0;
    reading->slots += slots;
    return rc;
}

enum pncp_code pncp_chunk_read(struct pncp_chunk_reader *reader, const struct pncp_chunk *chunk, struct pncp_view bytes,
                               struct pncp_leaf *to, const char **ret_damage)
{
    struct reading reading = {.reader = reader, .chunk = chunk, .to = to, .bytes = bytes};
    enum pncp_code rc = chunk->value_slots > PNCP_CHUNK_MAX_SLOTS ? PNCP_E_LIMIT : PNCP_OK;
    while (rc == PNCP_OK && reading.bytes.len > 0) {
        struct page page;
        struct pncp_view data = {"", 0};
        rc = take_header(&reading, &page);
        if (rc == PNCP_OK)
            rc = take_data(&reading, &page, &data);
        if (rc == PNCP_OK && page.type != PNCP_PARQUET_DATA_PAGE && page.type != PNCP_PARQUET_DICTIONARY_PAGE)
            rc = damaged(&reading, "a page is of a kind that this program does not write");
        if (rc == PNCP_OK)
            rc = page.type == PNCP_PARQUET_DATA_PAGE ? take_slots(&reading, &page, data)
                                                     : take_dictionary(&reading, &page, data);
    }
    if (rc == PNCP_OK && reading.slots != chunk->value_slots)
        rc = damaged(&reading, "it is not as long as the footer says");
    *ret_damage = reading.damage;
    return rc;
}
