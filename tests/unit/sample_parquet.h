/* Sample rows as Parquet: encoded groups, and files grown group by group as an append does it. */
#ifndef PNCP_TEST_SAMPLE_PARQUET_H
#define PNCP_TEST_SAMPLE_PARQUET_H

#include "parquet/footer_int.h"
#include "parquet/parquet.h"
#include "sample.h"

/* A key-value of static data; `text` is a literal. */
#define SAMPLE_KV(key, text)                                                                                           \
    {                                                                                                                  \
        (key),                                                                                                         \
        {                                                                                                              \
            (text), sizeof(text) - 1                                                                                   \
        }                                                                                                              \
    }

struct sample_file {
    struct pncp_buf bytes; /* the whole file */
    struct pncp_footer footer;
};

static inline void sample_file_release(struct sample_file *file)
{
    pncp_buf_release(&file->bytes);
    pncp_footer_release(&file->footer);
}

static inline void sample_ok(enum pncp_code rc, const struct pncp_err *err)
{
    if (rc != PNCP_OK)
        fail_msg("%s: %s", pncp_code_name(rc), err->msg);
}

static inline struct sample_file sample_encode(const struct pncp_table *table)
{
    static const struct pncp_encode_options options = {.zstd_level = 1};
    struct sample_file file = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    sample_ok(pncp_group_encode(table, &options, &file.bytes, &file.footer, &err), &err);
    return file;
}

/* A file of one group of `rows` sample rows. */
static inline struct sample_file sample_group(size_t rows, uint64_t seed)
{
    AUTO(pncp_table_release) struct pncp_table table = sample_table(rows, seed);
    return sample_encode(&table);
}

/* A new file: the first `keep` groups of `old` (NULL: none), then the groups of `added`. */
static inline struct sample_file sample_append(const struct sample_file *old, size_t keep,
                                               const struct sample_file *added, const struct pncp_kv_pair *kvs,
                                               size_t kv_count)
{
    struct sample_file file = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    uint64_t kept = keep == 0 ? 4 : old->footer.groups[keep - 1].offset + old->footer.groups[keep - 1].bytes;
    assert_int_equal(pncp_buf_append(&file.bytes, old == NULL ? "PAR1" : old->bytes.data, kept), PNCP_OK);
    assert_int_equal(pncp_buf_append(&file.bytes, added->bytes.data + 4, added->footer.data_end - 4), PNCP_OK);
    sample_ok(pncp_footer_merge(old == NULL ? NULL : &old->footer, keep, &added->footer, kept, kvs, kv_count,
                                &file.bytes, &file.footer, &err),
              &err);
    return file;
}

static inline enum pncp_code sample_read(const struct pncp_buf *bytes, struct pncp_footer *ret_footer,
                                         struct pncp_err *err)
{
    struct pncp_view view = pncp_buf_view(bytes);
    struct pncp_source source = pncp_source_of_view(&view);
    return pncp_footer_read(&source, ret_footer, err);
}

/* Groups [first, first + count) as a table of `schema`; it need not be the file's whole. */
static inline struct pncp_table sample_read_table(const struct pncp_source *source, const struct pncp_footer *footer,
                                                  const struct pncp_schema *schema, size_t first, size_t count)
{
    struct pncp_table table;
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_table_init(&table, schema), PNCP_OK);
    for (size_t i = 0; i < schema->leaf_count; i++)
        sample_ok(pncp_parquet_read_leaf(NULL, source, footer, i, first, count, &table.leaves[i], &err), &err);
    for (size_t i = first; i < first + count; i++)
        table.rows += footer->groups[i].rows;
    return table;
}

/* ---- Thrift taken apart ---------------------------------------------------------------------- */

/* Stand behind the header of field `id` of the struct at the reader; false when it has none. */
static inline bool sample_find(struct pncp_thrift_reader *r, int16_t id, enum pncp_thrift_type *ret_type)
{
    struct pncp_thrift_field field = {0};
    *ret_type = PNCP_THRIFT_STOP;
    while (pncp_thrift_next(r, &field)) {
        if (field.id == id) {
            *ret_type = field.type;
            return true;
        }
        pncp_thrift_skip(r, field.type);
    }
    assert_false(r->failed);
    return false;
}

/* Field `id` of a chunk's ColumnMetaData. */
static inline bool sample_chunk_field(const struct pncp_footer *footer, size_t group, size_t leaf, int16_t id,
                                      struct pncp_thrift_reader *ret_value)
{
    enum pncp_thrift_type type;
    assert_int_equal(pncp_footer_seek_chunk(footer, group, leaf, ret_value, NULL), PNCP_OK);
    assert_true(sample_find(ret_value, 3, &type));
    return sample_find(ret_value, id, &type);
}

#endif
