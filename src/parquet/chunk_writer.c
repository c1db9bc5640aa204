#include "parquet/chunk_writer.h"
#include "parquet/footer_int.h"
#include "parquet/plain.h"
#include "parquet/rle.h"

#include <assert.h>
#include <libdeflate.h>
#include <string.h>

#define PAGE_BYTES                                                                                                     \
    ((size_t)256 * 1024) /* a page ends with the row that passes this, or a slot for every four bytes                  \
                          */
#define SMALL_PAGE_BYTES ((size_t)64 * 1024)
#define STORED_MAX_BYTES ((size_t)512) /* zstd takes 2 us for so little, and saves 200 bytes until the next fold */
#define DICTIONARY_KEPT_BYTES ((size_t)96 * 1024) /* from one column to the next; most dictionaries are small */
#define HEADER_MAX_BYTES ((size_t)64) /* of a PageHeader: fourteen numbers of five bytes at most, with their fields */
#define BOUND_MAX_BYTES ((size_t)32)  /* a longer text is no bound: every checkpoint writes the footer anew */

struct span { /* slots of a page, and the values they hold */
    size_t slot, slot_end, value, value_end;
};

void pncp_chunk_writer_release(struct pncp_chunk_writer *writer)
{
    (void)ZSTD_freeCCtx(writer->zstd);
    pncp_buf_release(&writer->page);
    pncp_buf_release(&writer->levels);
    pncp_buf_release(&writer->header);
    pncp_dictionary_release(&writer->dictionary);
    *writer = (struct pncp_chunk_writer){0};
}

static enum pncp_code failed(enum pncp_code rc, const struct pncp_chunk_begun *chunk, struct pncp_err *err)
{
    return rc == PNCP_E_LIMIT ? pncp_err_set(err, rc, "column %s: a row group of more than %zu bytes",
                                             chunk->info->path, chunk->out->max_bytes)
                              : pncp_err_set(err, rc, "encoding column %s: out of memory", chunk->info->path);
}

/* ---- a page ---------------------------------------------------------------------------------- */

static enum pncp_code put_header(struct pncp_buf *out, const struct pncp_chunk_begun *chunk, const struct span *span,
                                 size_t raw_bytes, struct pncp_view packed, size_t distinct)
{
    struct pncp_thrift_writer w = {.out = out};
    uint32_t crc = libdeflate_crc32(0, packed.data, packed.len);
    pncp_thrift_put_int_field(&w, 1, PNCP_THRIFT_I32,
                              span != NULL ? PNCP_PARQUET_DATA_PAGE : PNCP_PARQUET_DICTIONARY_PAGE);
    pncp_thrift_put_int_field(&w, 2, PNCP_THRIFT_I32, (int64_t)raw_bytes);
    pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I32, (int64_t)packed.len);
    pncp_thrift_put_int_field(&w, 4, PNCP_THRIFT_I32, (int32_t)crc);
    pncp_thrift_put_field(&w, span != NULL ? 5 : 7, PNCP_THRIFT_STRUCT);
    int16_t outer = pncp_thrift_struct_begin(&w);
    if (span != NULL) {
        pncp_thrift_put_int_field(&w, 1, PNCP_THRIFT_I32, (int64_t)(span->slot_end - span->slot));
        pncp_thrift_put_int_field(&w, 2, PNCP_THRIFT_I32,
                                  chunk->dictionary ? PNCP_PARQUET_RLE_DICTIONARY : PNCP_PARQUET_PLAIN);
        pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I32, PNCP_PARQUET_RLE);
        pncp_thrift_put_int_field(&w, 4, PNCP_THRIFT_I32, PNCP_PARQUET_RLE);
    } else {
        pncp_thrift_put_int_field(&w, 1, PNCP_THRIFT_I32, (int64_t)distinct);
        pncp_thrift_put_int_field(&w, 2, PNCP_THRIFT_I32, PNCP_PARQUET_PLAIN);
    }
    pncp_thrift_struct_end(&w, outer);
    pncp_thrift_struct_end(&w, 0);
    return w.rc;
}

/* Put `raw` at `packed`, where `bound` bytes are free, as the chunk's codec has it. False: no memory. */
static bool pack(struct pncp_chunk_writer *writer, const struct pncp_chunk_begun *chunk, struct pncp_view raw,
                 char *packed, size_t bound, size_t *ret_len)
{
    if (chunk->stored) {
        memcpy(packed, raw.data, raw.len);
        *ret_len = raw.len;
        return true;
    }
    *ret_len = ZSTD_compressCCtx(writer->zstd, packed, bound, raw.data, raw.len, chunk->zstd_level);
    return !ZSTD_isError(*ret_len); /* there is room, and the level is clamped: it can only be its memory */
}

/* `raw` goes to the end of the output behind its header; `span` is NULL for the page of the dictionary. */
static enum pncp_code put_page(struct pncp_chunk_writer *writer, struct pncp_chunk_begun *chunk,
                               const struct span *span, struct pncp_view raw, struct pncp_err *err)
{
    struct pncp_buf *out = chunk->out;
    size_t len;
    size_t bound = ZSTD_compressBound(raw.len);
    if (raw.len > PNCP_CHUNK_MAX_BYTES)
        return pncp_err_set(err, PNCP_E_LIMIT, "column %s cannot be encoded in %zu bytes", chunk->info->path,
                            PNCP_CHUNK_MAX_BYTES);
    enum pncp_code rc = pncp_buf_reserve(out, HEADER_MAX_BYTES + bound);
    if (rc != PNCP_OK)
        return failed(rc, chunk, err);
    char *packed = out->data + out->len + HEADER_MAX_BYTES;
    if (!pack(writer, chunk, raw, packed, bound, &len))
        return failed(PNCP_E_NOMEM, chunk, err);
    pncp_buf_clear(&writer->header);
    rc = put_header(&writer->header, chunk, span, raw.len, (struct pncp_view){packed, len}, writer->dictionary.count);
    if (rc != PNCP_OK)
        return failed(rc, chunk, err);
    assert(writer->header.len <= HEADER_MAX_BYTES);
    memcpy(out->data + out->len, writer->header.data, writer->header.len);
    memmove(out->data + out->len + writer->header.len, packed, len);
    out->len += writer->header.len + len;
    chunk->raw_bytes += writer->header.len + raw.len;
    return PNCP_OK;
}

/* ---- the pages of a chunk -------------------------------------------------------------------- */

/* Levels of a v1 page: the hybrid's bytes after their number. A column that has but one level has none. */
static enum pncp_code put_levels(struct pncp_chunk_writer *writer, const pncp_level *levels, size_t first, size_t count,
                                 int16_t max)
{
    struct pncp_buf *page = &writer->page;
    if (max == 0)
        return PNCP_OK;
    pncp_buf_clear(&writer->levels);
    enum pncp_code rc = pncp_buf_reserve(&writer->levels, count * sizeof(uint16_t));
    if (rc == PNCP_OK)
        rc = pncp_buf_reserve(page, PNCP_PLAIN_LENGTH_BYTES);
    if (rc != PNCP_OK)
        return rc;
    uint16_t *wide = (uint16_t *)(void *)writer->levels.data;
    for (size_t i = 0; i < count; i++)
        wide[i] = levels[first + i];
    size_t at = page->len;
    pncp_plain_put_length(page, 0); /* known below */
    rc = pncp_rle_put(page, wide, count, pncp_rle_width((size_t)max));
    size_t end = page->len;
    page->len = at;
    pncp_plain_put_length(page, end - at - PNCP_PLAIN_LENGTH_BYTES);
    page->len = end;
    return rc;
}

static enum pncp_code put_indexes(const struct pncp_dictionary *dictionary, const struct span *span,
                                  struct pncp_buf *page)
{
    /* not zero for a dictionary of one: some readers refuse a width of zero */
    unsigned width = PNCP_MAX(pncp_rle_width(dictionary->count - 1), 1u);
    enum pncp_code rc = pncp_buf_append(page, &(char){(char)width}, 1);
    if (rc == PNCP_OK)
        rc =
            pncp_rle_put(page, pncp_dictionary_indexes(dictionary) + span->value, span->value_end - span->value, width);
    return rc;
}

/* `whole`: it is all of the chunk. */
static enum pncp_code put_data_page(struct pncp_chunk_writer *writer, struct pncp_chunk_begun *chunk,
                                    const struct span *span, bool whole, struct pncp_err *err)
{
    const struct pncp_leaf *leaf = chunk->leaf;
    struct pncp_buf *page = &writer->page;
    size_t slots = span->slot_end - span->slot;
    pncp_buf_clear(page);
    enum pncp_code rc = put_levels(writer, leaf->rep, span->slot, slots, leaf->max_rep);
    if (rc == PNCP_OK)
        rc = put_levels(writer, leaf->def, span->slot, slots, leaf->max_def);
    if (rc == PNCP_OK)
        rc = chunk->dictionary ? put_indexes(&writer->dictionary, span, page)
                               : pncp_plain_put(page, leaf, span->value, span->value_end - span->value);
    chunk->stored = chunk->plain && whole && page->len <= STORED_MAX_BYTES;
    return rc == PNCP_OK ? put_page(writer, chunk, span, pncp_buf_view(page), err) : failed(rc, chunk, err);
}

static size_t value_bytes(const struct pncp_chunk_begun *chunk, size_t first, size_t count)
{
    return chunk->dictionary ? count * sizeof(uint16_t) : pncp_plain_bytes(chunk->leaf, first, count);
}

/* Whole rows from *span's beginning on, until the page is full or the column ends. False: the next piece may have more
 * for it. */
static bool fill_span(const struct pncp_chunk_begun *chunk, bool last, struct span *span)
{
    const struct pncp_leaf *leaf = chunk->leaf;
    const size_t page_bytes = chunk->small ? SMALL_PAGE_BYTES : PAGE_BYTES, page_slots = page_bytes / 4;
    size_t rest = leaf->value_count - span->value;
    if (leaf->level_count - span->slot <= page_slots && value_bytes(chunk, span->value, rest) <= page_bytes) {
        span->slot_end = leaf->level_count;
        span->value_end = leaf->value_count;
        return last;
    }
    span->slot_end = span->slot;
    span->value_end = span->value;
    do {
        do
            span->value_end += pncp_leaf_has_value(leaf, span->slot_end++);
        while (span->slot_end < leaf->level_count && leaf->max_rep > 0 && leaf->rep[span->slot_end] != 0);
    } while (span->slot_end < leaf->level_count && span->slot_end - span->slot < page_slots &&
             value_bytes(chunk, span->value, span->value_end - span->value) < page_bytes);
    return true;
}

/* The pages that chunk->leaf fills, and when it is the last piece, the one that is not full; span->slot and span->value
 * are where the rest begins. */
static enum pncp_code put_pages(struct pncp_chunk_writer *writer, struct pncp_chunk_begun *chunk, bool last,
                                struct span *span, struct pncp_err *err)
{
    const struct pncp_leaf *leaf = chunk->leaf;
    enum pncp_code rc = PNCP_OK;
    if (leaf->level_count > PNCP_CHUNK_MAX_SLOTS - chunk->slots)
        return pncp_err_set(err, PNCP_E_LIMIT, "column %s: %zu values in a row group, at most %zu can be read again",
                            chunk->info->path, chunk->slots + leaf->level_count, PNCP_CHUNK_MAX_SLOTS);
    while (rc == PNCP_OK && span->slot < leaf->level_count && fill_span(chunk, last, span)) {
        bool whole = last && chunk->slots + span->slot == 0 && span->slot_end == leaf->level_count;
        rc = put_data_page(writer, chunk, span, whole, err);
        span->slot = span->slot_end;
        span->value = span->value_end;
    }
    chunk->slots += span->slot;
    return rc;
}

/* ---- the ColumnChunk struct ------------------------------------------------------------------ */

/* Order of values as statistics have it: texts by their bytes, the rest by number (ColumnOrder TYPE_ORDER). */
static bool is_less(const struct pncp_leaf *leaf, size_t a, size_t b)
{
    if (leaf->type != PNCP_T_TEXT)
        return pncp_leaf_int(leaf, a) < pncp_leaf_int(leaf, b);
    struct pncp_view x = pncp_leaf_text(leaf, a), y = pncp_leaf_text(leaf, b);
    int order = memcmp(x.data, y.data, PNCP_MIN(x.len, y.len));
    return order != 0 ? order < 0 : x.len < y.len;
}

static void put_statistics(struct pncp_thrift_writer *w, const struct pncp_leaf *leaf)
{
    size_t min = 0, max = 0;
    for (size_t i = 1; i < leaf->value_count; i++) {
        if (is_less(leaf, i, min))
            min = i;
        else if (is_less(leaf, max, i))
            max = i;
    }
    pncp_thrift_put_field(w, 12, PNCP_THRIFT_STRUCT);
    int16_t outer = pncp_thrift_struct_begin(w);
    pncp_thrift_put_int_field(w, 3, PNCP_THRIFT_I64, (int64_t)(leaf->level_count - leaf->value_count));
    if (leaf->value_count > 0 && pncp_leaf_value(leaf, min).len <= BOUND_MAX_BYTES &&
        pncp_leaf_value(leaf, max).len <= BOUND_MAX_BYTES) {
        pncp_thrift_put_field(w, 5, PNCP_THRIFT_BINARY);
        pncp_thrift_put_binary(w, pncp_leaf_value(leaf, max));
        pncp_thrift_put_field(w, 6, PNCP_THRIFT_BINARY);
        pncp_thrift_put_binary(w, pncp_leaf_value(leaf, min));
        pncp_thrift_put_field(w, 7, PNCP_THRIFT_TRUE); /* exact, both */
        pncp_thrift_put_field(w, 8, PNCP_THRIFT_TRUE);
    }
    pncp_thrift_struct_end(w, outer);
}

/* Names on the way to the column, from its dotted path: no name has a dot. */
static void put_path(struct pncp_thrift_writer *w, const char *path)
{
    size_t names = 1;
    for (const char *at = path; (at = strchr(at, '.')) != NULL; at++)
        names++;
    pncp_thrift_put_list(w, PNCP_THRIFT_BINARY, names);
    for (size_t i = 0; i < names; i++) {
        size_t len = strcspn(path, ".");
        pncp_thrift_put_binary(w, (struct pncp_view){path, len});
        path += len + 1;
    }
}

static enum pncp_code put_chunk(const struct pncp_chunk_begun *chunk, struct pncp_buf *chunks)
{
    struct pncp_thrift_writer w = {.out = chunks};
    size_t begin = chunk->begin;
    pncp_thrift_put_int_field(&w, 2, PNCP_THRIFT_I64, 0); /* file_offset: metadata stand in the footer alone */
    pncp_thrift_put_field(&w, 3, PNCP_THRIFT_STRUCT);
    int16_t outer = pncp_thrift_struct_begin(&w);
    pncp_thrift_put_int_field(&w, 1, PNCP_THRIFT_I32, pncp_schema_physical(chunk->info->type));
    pncp_thrift_put_field(&w, 2, PNCP_THRIFT_LIST);
    pncp_thrift_put_list(&w, PNCP_THRIFT_I32, chunk->dictionary ? 3 : 2);
    pncp_thrift_put_int(&w, PNCP_PARQUET_PLAIN);
    pncp_thrift_put_int(&w, PNCP_PARQUET_RLE);
    if (chunk->dictionary)
        pncp_thrift_put_int(&w, PNCP_PARQUET_RLE_DICTIONARY);
    pncp_thrift_put_field(&w, 3, PNCP_THRIFT_LIST);
    put_path(&w, chunk->info->path);
    pncp_thrift_put_int_field(&w, 4, PNCP_THRIFT_I32, chunk->stored ? PNCP_PARQUET_UNCOMPRESSED : PNCP_PARQUET_ZSTD);
    pncp_thrift_put_int_field(&w, 5, PNCP_THRIFT_I64, (int64_t)chunk->slots);
    pncp_thrift_put_int_field(&w, 6, PNCP_THRIFT_I64, (int64_t)chunk->raw_bytes);
    pncp_thrift_put_int_field(&w, 7, PNCP_THRIFT_I64, (int64_t)(chunk->out->len - begin));
    pncp_thrift_put_int_field(&w, 9, PNCP_THRIFT_I64, (int64_t)(chunk->base + chunk->data_at));
    if (chunk->dictionary)
        pncp_thrift_put_int_field(&w, 11, PNCP_THRIFT_I64, (int64_t)(chunk->base + begin));
    if ((chunk->info->col->flags & PNCP_COL_STATS) != 0)
        put_statistics(&w, chunk->leaf);
    pncp_thrift_struct_end(&w, outer);
    pncp_thrift_struct_end(&w, 0);
    return w.rc;
}

/* What a large dictionary took is not kept while the columns behind it are written, which have pages to be filled. */
static void drop_large_dictionary(struct pncp_dictionary *dictionary)
{
    if (dictionary->page.cap + dictionary->entries.cap + dictionary->table.cap + dictionary->indexes.cap >
        DICTIONARY_KEPT_BYTES)
        pncp_dictionary_release(dictionary);
}

/* ---- a chunk --------------------------------------------------------------------------------- */

bool pncp_chunk_takes_pieces(const struct pncp_leaf_info *info, const struct pncp_encode_options *options)
{
    unsigned whole = PNCP_COL_STATS | (options->plain ? 0U : (unsigned)PNCP_COL_DICT);
    return (info->col->flags & whole) == 0;
}

enum pncp_code pncp_chunk_begin(struct pncp_chunk_writer *writer, const struct pncp_leaf_info *info,
                                const struct pncp_encode_options *options, uint64_t base, struct pncp_buf *out,
                                struct pncp_chunk_begun *ret_chunk, struct pncp_err *err)
{
    *ret_chunk = (struct pncp_chunk_begun){.info = info,
                                           .zstd_level = options->zstd_level,
                                           .plain = options->plain,
                                           .small = options->small,
                                           .base = base,
                                           .out = out,
                                           .begin = out->len,
                                           .data_at = out->len};
    if (writer->zstd == NULL && (writer->zstd = ZSTD_createCCtx()) == NULL)
        return failed(PNCP_E_NOMEM, ret_chunk, err);
    return PNCP_OK;
}

enum pncp_code pncp_chunk_piece(struct pncp_chunk_writer *writer, struct pncp_chunk_begun *chunk,
                                struct pncp_leaf *leaf, bool last, struct pncp_err *err)
{
    struct span span = {0};
    chunk->leaf = leaf;
    enum pncp_code rc = put_pages(writer, chunk, last, &span, err);
    pncp_leaf_drop(leaf, span.slot, span.value);
    return rc;
}

enum pncp_code pncp_chunk_end(const struct pncp_chunk_begun *chunk, struct pncp_buf *chunks, uint64_t *raw_bytes,
                              struct pncp_err *err)
{
    *raw_bytes += chunk->raw_bytes;
    enum pncp_code rc = put_chunk(chunk, chunks);
    return rc == PNCP_OK ? PNCP_OK : failed(rc, chunk, err);
}

enum pncp_code pncp_chunk_write(struct pncp_chunk_writer *writer, const struct pncp_leaf_info *info,
                                const struct pncp_leaf *leaf, const struct pncp_encode_options *options, uint64_t base,
                                struct pncp_buf *out, struct pncp_buf *chunks, uint64_t *raw_bytes,
                                struct pncp_err *err)
{
    struct pncp_chunk_begun chunk;
    struct span span = {0};
    enum pncp_code rc = pncp_chunk_begin(writer, info, options, base, out, &chunk, err);
    if (rc != PNCP_OK)
        return rc;
    chunk.leaf = leaf;
    if (!options->plain && (info->col->flags & PNCP_COL_DICT) != 0) {
        rc = pncp_dictionary_make(&writer->dictionary, leaf, &chunk.dictionary);
        if (rc != PNCP_OK)
            return failed(rc, &chunk, err);
    }
    if (chunk.dictionary) {
        rc = put_page(writer, &chunk, NULL, pncp_buf_view(&writer->dictionary.page), err);
        chunk.data_at = out->len;
    }
    if (rc == PNCP_OK)
        rc = put_pages(writer, &chunk, true, &span, err);
    drop_large_dictionary(&writer->dictionary);
    return rc == PNCP_OK ? pncp_chunk_end(&chunk, chunks, raw_bytes, err) : rc;
}
