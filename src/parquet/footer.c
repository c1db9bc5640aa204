#include "base/mem.h"
#include "parquet/footer_int.h"
#include "parquet/parquet.h"
#include "parquet/thrift.h"

#include <assert.h>
#include <string.h>

static enum pncp_code damaged(struct pncp_err *err, const char *what)
{
    return pncp_err_set(err, PNCP_E_PARSE, "damaged parquet footer: %s", what);
}

/* ---- schema ---------------------------------------------------------------------------------- */

struct element { /* of SchemaElement (parquet.thrift) */
    int64_t physical, repetition, children;
};

static struct element read_element(struct pncp_thrift_reader *r)
{
    struct pncp_thrift_field field = {0};
    struct element element = {.physical = -1, .repetition = PNCP_PARQUET_REQUIRED};
    while (pncp_thrift_next(r, &field)) {
        int64_t *to = field.id == 1   ? &element.physical
                      : field.id == 3 ? &element.repetition
                      : field.id == 5 ? &element.children
                                      : NULL;
        if (to != NULL && field.type == PNCP_THRIFT_I32)
            *to = pncp_thrift_int(r, field.type);
        else
            pncp_thrift_skip(r, field.type);
    }
    return element;
}

/* The columns; the elements must be one tree, depth first. */
static enum pncp_code read_schema(struct pncp_thrift_reader *r, struct pncp_footer *footer, struct pncp_err *err)
{
    enum pncp_thrift_type type;
    struct {
        int64_t left; /* children still to come */
        int16_t def, rep;
    } open[PNCP_PARQUET_SCHEMA_DEPTH_MAX] = {{.left = 1}}; /* the root is the only one at level 0, and has no level */
    size_t depth = 0;
    size_t count = pncp_thrift_list(r, &type);
    if (type != PNCP_THRIFT_STRUCT || count == 0)
        return damaged(err, "no schema");
    footer->leaves = pncp_calloc(count, sizeof(*footer->leaves));
    if (footer->leaves == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "parquet footer: out of memory");
    for (size_t i = 0; i < count && !r->failed; i++) {
        while (depth > 0 && open[depth].left == 0)
            depth--;
        if (open[depth].left-- <= 0)
            return damaged(err, "the schema is not a tree");
        struct element element = read_element(r);
        if (element.children < 0 || element.children > (int64_t)count)
            return damaged(err, "the schema is not a tree");
        int16_t def = (int16_t)(open[depth].def + (i > 0 && element.repetition != PNCP_PARQUET_REQUIRED));
        int16_t rep = (int16_t)(open[depth].rep + (i > 0 && element.repetition == PNCP_PARQUET_REPEATED));
        if (element.children == 0) {
            if (i > 0)
                footer->leaves[footer->leaf_count++] = (struct pncp_footer_leaf){(int32_t)element.physical, def, rep};
            continue;
        }
        if (++depth == PNCP_PARQUET_SCHEMA_DEPTH_MAX)
            return damaged(err, "the schema is nested too deep");
        open[depth].left = element.children;
        open[depth].def = def;
        open[depth].rep = rep;
    }
    for (size_t i = 0; i <= depth; i++) {
        if (open[i].left != 0)
            return damaged(err, "the schema is not a tree");
    }
    return PNCP_OK;
}

/* ---- row groups ------------------------------------------------------------------------------ */

/* ColumnMetaData: sizes and where the pages begin. */
static void column_metadata(struct pncp_thrift_reader *r, struct pncp_chunk *chunk)
{
    struct pncp_thrift_field field = {0};
    int64_t slots = -1, raw = -1, packed = -1, data = -1, dictionary = 0, codec = 0;
    while (pncp_thrift_next(r, &field)) {
        int64_t *to = field.id == 5    ? &slots
                      : field.id == 6  ? &raw
                      : field.id == 7  ? &packed
                      : field.id == 9  ? &data
                      : field.id == 11 ? &dictionary
                                       : NULL;
        if (to != NULL && field.type == PNCP_THRIFT_I64)
            *to = pncp_thrift_int(r, field.type);
        else if (field.id == 4 && field.type == PNCP_THRIFT_I32)
            codec = pncp_thrift_int(r, field.type);
        else
            pncp_thrift_skip(r, field.type);
    }
    if (slots < 0 || raw < 0 || packed < 0 || data < 0 || dictionary < 0) {
        r->failed = true;
        return;
    }
    bool has_dictionary = dictionary > 0 && (data == 0 || dictionary < data); /* 0: a chunk without data pages */
    *chunk = (struct pncp_chunk){.offset = (uint64_t)(has_dictionary ? dictionary : data),
                                 .bytes = (uint64_t)packed,
                                 .raw_bytes = (uint64_t)raw,
                                 .value_slots = (uint64_t)slots,
                                 .codec = (int32_t)codec};
}

void pncp_footer_read_chunk(struct pncp_thrift_reader *r, struct pncp_chunk *chunk)
{
    struct pncp_thrift_field field = {0};
    bool has_metadata = false;
    while (pncp_thrift_next(r, &field)) {
        if (field.id == 1 || field.id == 8) { /* file_path: data elsewhere; encrypted metadata */
            r->failed = true;
            return;
        }
        if (field.id == 3 && field.type == PNCP_THRIFT_STRUCT) {
            column_metadata(r, chunk);
            has_metadata = true;
        } else {
            pncp_thrift_skip(r, field.type);
        }
    }
    if (!has_metadata)
        r->failed = true;
}

size_t pncp_footer_bytes(const struct pncp_footer *footer)
{
    return footer->raw.len + footer->left.bytes;
}

uint64_t pncp_footer_at(const struct pncp_footer *footer)
{
    return footer->file_bytes - PNCP_PARQUET_TRAILER_BYTES - pncp_footer_bytes(footer);
}

static uint32_t *chunks_of(const struct pncp_footer *footer, size_t group)
{
    return &footer->chunk_at[(group - footer->left.groups) * footer->leaf_count];
}

/* `group` is one of footer->groups, whose RowGroup struct begins at `group_begin`. */
static enum pncp_code read_columns(const char *group_begin, struct pncp_thrift_reader *r,
                                   const struct pncp_footer *footer, struct pncp_group *group, struct pncp_err *err)
{
    enum pncp_thrift_type element;
    size_t count = pncp_thrift_list(r, &element);
    if (count != footer->leaf_count || element != PNCP_THRIFT_STRUCT)
        return damaged(err, "a row group has another number of columns than the schema");
    uint32_t *chunk_at = chunks_of(footer, (size_t)(group - footer->groups));
    uint64_t begin = UINT64_MAX, end = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        struct pncp_chunk chunk = {0};
        uint64_t chunk_end;
        chunk_at[i] = (uint32_t)(r->at - group_begin);
        pncp_footer_read_chunk(r, &chunk);
        if (r->failed)
            return damaged(err, "a column chunk cannot be read");
        if (chunk.bytes == 0 && chunk.value_slots == 0) /* of a group without rows: it lies nowhere (pyarrow: at 0) */
            continue;
        if (__builtin_add_overflow(chunk.offset, chunk.bytes, &chunk_end) || chunk.offset < PNCP_PARQUET_MAGIC_BYTES ||
            chunk_end > pncp_footer_at(footer))
            return damaged(err, "a column chunk lies outside the file");
        begin = PNCP_MIN(begin, chunk.offset);
        end = PNCP_MAX(end, chunk_end);
        sum +=
            chunk.bytes; /* cannot overflow: each is below the file's size, and a footer has fewer than 2^26 chunks */
    }
    if (sum > 0 && sum > end - begin)
        return damaged(err, "column chunks overlap");
    group->offset = end == 0 ? 0 : begin;
    group->bytes = end == 0 ? 0 : end - begin;
    return PNCP_OK;
}

enum pncp_code pncp_footer_read_group(struct pncp_thrift_reader *r, const struct pncp_footer *footer,
                                      struct pncp_group *group, struct pncp_err *err)
{
    struct pncp_thrift_field field = {0};
    const char *begin = r->at;
    int64_t rows = -1;
    bool has_columns = false;
    while (pncp_thrift_next(r, &field)) {
        if (field.id == 1 && field.type == PNCP_THRIFT_LIST) {
            enum pncp_code rc = read_columns(begin, r, footer, group, err);
            if (rc != PNCP_OK)
                return rc;
            has_columns = true;
        } else if (field.id == 3 && field.type == PNCP_THRIFT_I64) {
            rows = pncp_thrift_int(r, field.type);
        } else {
            pncp_thrift_skip(r, field.type);
        }
    }
    if (r->failed || rows < 0 || !has_columns)
        return damaged(err, "a row group cannot be read");
    group->rows = (uint64_t)rows;
    group->footer_offset = (uint32_t)(begin - r->begin) + footer->left.bytes;
    group->footer_bytes = (uint32_t)(r->at - begin);
    return PNCP_OK;
}

/* Row group `no` is in the file, where it was read when `known` was. */
static bool take_left_group(struct pncp_footer *footer, const struct pncp_footer *known, size_t no)
{
    footer->groups[no] = known->groups[no];
    footer->groups[no].footer_offset = known->groups[no].footer_offset - known->left.at + footer->left.at;
    return footer->groups[no].offset + footer->groups[no].bytes <= pncp_footer_at(footer);
}

/* Row group `no` is byte for byte the same in `known`: what was found out about it holds here as well. */
static bool take_known_group(struct pncp_thrift_reader *r, struct pncp_footer *footer, const struct pncp_footer *known,
                             size_t no)
{
    if (known == NULL || no >= known->group_count || known->leaf_count != footer->leaf_count)
        return false;
    struct pncp_view bytes = pncp_footer_group_bytes(known, no);
    const struct pncp_group *group = &known->groups[no];
    if (bytes.len > (size_t)(r->end - r->at) || memcmp(bytes.data, r->at, bytes.len) != 0 ||
        group->offset + group->bytes > pncp_footer_at(footer))
        return false; /* to be read, which says what is wrong with it if anything is */
    footer->groups[no] = *group;
    footer->groups[no].footer_offset = (uint32_t)(r->at - r->begin) + footer->left.bytes;
    memcpy(chunks_of(footer, no), chunks_of(known, no), footer->leaf_count * sizeof(*footer->chunk_at));
    r->at += bytes.len;
    return true;
}

static enum pncp_code read_groups(struct pncp_thrift_reader *r, struct pncp_footer *footer,
                                  const struct pncp_footer *known, struct pncp_err *err)
{
    enum pncp_thrift_type element;
    size_t count = pncp_thrift_list(r, &element);
    if (r->failed || (count > 0 && element != PNCP_THRIFT_STRUCT))
        return damaged(err, "the row groups cannot be read");
    if (count > PNCP_PARQUET_GROUPS_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "%zu row groups, at most %d are possible", count,
                            PNCP_PARQUET_GROUPS_MAX);
    size_t left = footer->left.groups;
    if (count < left || (left > 0 && (size_t)(r->at - r->begin) != footer->left.at))
        return damaged(err, "the row groups left in the file are not where they should be");
    if (footer->leaf_count > 0 && count - left > footer->raw.len / footer->leaf_count) /* a chunk has a byte at least */
        return damaged(err, "a row group has another number of columns than the schema");
    footer->groups = pncp_calloc(count, sizeof(*footer->groups));
    footer->chunk_at = pncp_calloc((count - left) * footer->leaf_count, sizeof(*footer->chunk_at));
    if (footer->groups == NULL || footer->chunk_at == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "parquet footer: out of memory");
    uint64_t end = PNCP_PARQUET_MAGIC_BYTES;
    for (size_t i = 0; i < count; i++) {
        struct pncp_group *group = &footer->groups[i];
        enum pncp_code rc = PNCP_OK;
        if (i < left && !take_left_group(footer, known, i))
            rc = damaged(err, "a row group lies outside the file");
        else if (i >= left && !take_known_group(r, footer, known, i))
            rc = pncp_footer_read_group(r, footer, group, err);
        if (rc != PNCP_OK)
            return rc;
        if (group->bytes == 0)
            group->offset = end;
        if (group->offset < end)
            return damaged(err, "row groups overlap or are out of order");
        end = group->offset + group->bytes;
        footer->group_count++;
    }
    footer->data_end = end;
    return PNCP_OK;
}

/* ---- key-values and the whole ---------------------------------------------------------------- */

static enum pncp_code read_kvs(struct pncp_thrift_reader *r, struct pncp_footer *footer, struct pncp_err *err)
{
    enum pncp_thrift_type element;
    size_t count = pncp_thrift_list(r, &element);
    if (r->failed || (count > 0 && element != PNCP_THRIFT_STRUCT))
        return damaged(err, "the key-values cannot be read");
    if (count > PNCP_PARQUET_KVS_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "%zu key-values in a parquet footer, at most %d are read", count,
                            PNCP_PARQUET_KVS_MAX);
    footer->kvs = pncp_calloc(count, sizeof(*footer->kvs));
    if (footer->kvs == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "parquet footer: out of memory");
    for (size_t i = 0; i < count; i++) {
        struct pncp_thrift_field field = {0};
        struct pncp_kv kv = {.key = {"", 0}, .value = {"", 0}};
        while (pncp_thrift_next(r, &field)) {
            if (field.type == PNCP_THRIFT_BINARY && (field.id == 1 || field.id == 2))
                *(field.id == 1 ? &kv.key : &kv.value) = pncp_thrift_binary(r);
            else
                pncp_thrift_skip(r, field.type);
        }
        footer->kvs[footer->kv_count++] = kv;
    }
    return PNCP_OK;
}

static struct pncp_view span(const char *from, const struct pncp_thrift_reader *r)
{
    return (struct pncp_view){from, (size_t)(r->at - from)};
}

/* Of FileMetaData, by field id. What is copied through is written again under these types. */
static const enum pncp_thrift_type FIELD_TYPES[] = {
    [1] = PNCP_THRIFT_I32,    /* version */
    [2] = PNCP_THRIFT_LIST,   /* schema */
    [3] = PNCP_THRIFT_I64,    /* num_rows */
    [4] = PNCP_THRIFT_LIST,   /* row_groups */
    [5] = PNCP_THRIFT_LIST,   /* key_value_metadata */
    [6] = PNCP_THRIFT_BINARY, /* created_by */
    [7] = PNCP_THRIFT_LIST,   /* column_orders */
};

static enum pncp_code parse(struct pncp_footer *footer, const struct pncp_footer *known, struct pncp_err *err)
{
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&footer->raw));
    struct pncp_thrift_field field = {0};
    int64_t rows = -1;
    enum pncp_code rc = PNCP_OK;
    bool has_groups = false;
    while (rc == PNCP_OK && pncp_thrift_next(&r, &field)) {
        const char *value = r.at;
        if ((size_t)field.id < PNCP_ARRAY_LEN(FIELD_TYPES) && field.type != FIELD_TYPES[field.id])
            return damaged(err, "a field is of another type than it should be");
        if (field.id == 1)
            footer->version = (int32_t)pncp_thrift_int(&r, field.type);
        else if (field.id == 2)
            rc = read_schema(&r, footer, err);
        else if (field.id == 3)
            rows = pncp_thrift_int(&r, field.type);
        else if (field.id == 4 && footer->schema.len > 0)
            rc = read_groups(&r, footer, known, err);
        else if (field.id == 5)
            rc = read_kvs(&r, footer, err);
        else
            pncp_thrift_skip(&r, field.type);
        has_groups = has_groups || field.id == 4;
        if (field.id == 2)
            footer->schema = span(value, &r);
        if (field.id == 6)
            footer->created_by = span(value, &r);
        if (field.id == 7)
            footer->column_orders = span(value, &r);
    }
    if (rc != PNCP_OK)
        return rc;
    if (r.failed || footer->schema.len == 0 || rows < 0 || !has_groups)
        return damaged(err, "a field is missing or cut off");
    bool fits = true;
    for (size_t i = 0; i < footer->group_count; i++)
        fits = fits && !__builtin_add_overflow(footer->rows, footer->groups[i].rows, &footer->rows);
    if (!fits || footer->rows != (uint64_t)rows)
        return damaged(err, "the row groups do not add up to the number of rows");
    return PNCP_OK;
}

enum pncp_code pncp_footer_parse(struct pncp_buf *raw, uint64_t file_bytes, struct pncp_footer *ret_footer,
                                 struct pncp_err *err)
{
    return pncp_footer_parse_known(raw, file_bytes, NULL, 0, ret_footer, err);
}

enum pncp_code pncp_footer_parse_known(struct pncp_buf *raw, uint64_t file_bytes, const struct pncp_footer *known,
                                       size_t left_at, struct pncp_footer *ret_footer, struct pncp_err *err)
{
    struct pncp_footer footer = {
        .raw = pncp_buf_take(raw), .file_bytes = file_bytes, .data_end = PNCP_PARQUET_MAGIC_BYTES};
    if (known != NULL && known->left.groups > 0) {
        footer.left = known->left;
        footer.left.at = (uint32_t)left_at;
    }
    enum pncp_code rc;
    if (pncp_footer_bytes(&footer) > PNCP_FOOTER_MAX_BYTES)
        rc = pncp_err_set(err, PNCP_E_LIMIT, "parquet footer of %zu bytes", pncp_footer_bytes(&footer));
    else if (file_bytes < pncp_footer_bytes(&footer) + PNCP_PARQUET_TRAILER_BYTES + PNCP_PARQUET_MAGIC_BYTES)
        rc = damaged(err, "longer than the file");
    else
        rc = parse(&footer, known, err);
    if (rc != PNCP_OK) {
        pncp_footer_release(&footer);
        return rc;
    }
    *ret_footer = footer;
    return PNCP_OK;
}

enum pncp_code pncp_footer_read(const struct pncp_source *source, struct pncp_footer *ret_footer, struct pncp_err *err)
{
    unsigned char ends[PNCP_PARQUET_TRAILER_BYTES];
    AUTO(pncp_buf_release) struct pncp_buf raw = {0};
    if (source->size < PNCP_PARQUET_MAGIC_BYTES + PNCP_PARQUET_TRAILER_BYTES)
        return pncp_err_set(err, PNCP_E_PARSE, "not a parquet file: %" PRIu64 " bytes", source->size);
    enum pncp_code rc = source->read_at(source->ctx, 0, ends, PNCP_PARQUET_MAGIC_BYTES, err);
    if (rc == PNCP_OK && memcmp(ends, "PAR1", 4) != 0)
        rc = pncp_err_set(err, PNCP_E_PARSE, "not a parquet file: it does not begin with PAR1");
    if (rc == PNCP_OK)
        rc = source->read_at(source->ctx, source->size - PNCP_PARQUET_TRAILER_BYTES, ends, PNCP_PARQUET_TRAILER_BYTES,
                             err);
    if (rc == PNCP_OK && memcmp(ends + 4, "PAR1", 4) != 0)
        rc = pncp_err_set(err, PNCP_E_PARSE, "not a whole parquet file: it does not end with PAR1");
    if (rc != PNCP_OK)
        return rc;
    size_t len = ends[0] | (size_t)ends[1] << 8 | (size_t)ends[2] << 16 | (size_t)ends[3] << 24;
    if (len > PNCP_FOOTER_MAX_BYTES || len > source->size - PNCP_PARQUET_TRAILER_BYTES - PNCP_PARQUET_MAGIC_BYTES)
        return damaged(err, "its length is beyond the file");
    if (pncp_buf_reserve(&raw, len) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "parquet footer: out of memory");
    rc = source->read_at(source->ctx, source->size - PNCP_PARQUET_TRAILER_BYTES - len, raw.data, len, err);
    if (rc != PNCP_OK)
        return rc;
    raw.len = len;
    return pncp_footer_parse(&raw, source->size, ret_footer, err);
}

void pncp_footer_release(struct pncp_footer *footer)
{
    pncp_buf_release(&footer->raw);
    pncp_free(footer->groups);
    pncp_free(footer->chunk_at);
    pncp_free(footer->numbers);
    pncp_free(footer->leaves);
    pncp_free(footer->kvs);
    *footer = (struct pncp_footer){0};
}

bool pncp_footer_kv(const struct pncp_footer *footer, const char *key, struct pncp_view *ret_value)
{
    for (size_t i = footer->kv_count; i-- > 0;) {
        if (pncp_view_eq_text(footer->kvs[i].key, key)) {
            *ret_value = footer->kvs[i].value;
            return true;
        }
    }
    return false;
}

struct pncp_view pncp_footer_group_bytes(const struct pncp_footer *footer, size_t group)
{
    const struct pncp_group *g = &footer->groups[group];
    assert(group >= footer->left.groups);
    return (struct pncp_view){footer->raw.data + g->footer_offset - footer->left.bytes, g->footer_bytes};
}

enum pncp_code pncp_footer_seek_chunk(const struct pncp_footer *footer, size_t group, size_t leaf,
                                      struct pncp_thrift_reader *ret_reader, struct pncp_err *err)
{
    if (group < footer->left.groups || group >= footer->group_count || leaf >= footer->leaf_count)
        return damaged(err, "no such column");
    *ret_reader = pncp_thrift_open(pncp_footer_group_bytes(footer, group));
    ret_reader->at += chunks_of(footer, group)[leaf];
    return PNCP_OK;
}

enum pncp_code pncp_footer_chunk(const struct pncp_footer *footer, size_t group, size_t leaf,
                                 struct pncp_chunk *ret_chunk, struct pncp_err *err)
{
    struct pncp_thrift_reader r;
    struct pncp_chunk chunk = {0};
    if (footer->numbers != NULL && group < footer->group_count && leaf < footer->leaf_count) {
        const struct pncp_chunk_numbers *is = &footer->numbers[group * footer->leaf_count + leaf];
        *ret_chunk = (struct pncp_chunk){.offset = is->offset,
                                         .bytes = is->bytes,
                                         .raw_bytes = is->raw_bytes,
                                         .value_slots = is->value_slots,
                                         .codec = is->codec};
        return PNCP_OK;
    }
    enum pncp_code rc = pncp_footer_seek_chunk(footer, group, leaf, &r, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_footer_read_chunk(&r, &chunk);
    if (r.failed)
        return damaged(err, "a column chunk cannot be read");
    *ret_chunk = chunk;
    return PNCP_OK;
}
