/* Columns written, put on disk and read back: equal in every value and level; damaged ones are refused. */
#include "model/model.h"
#include "sample_parquet.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- there and back -------------------------------------------------------------------------- */

static int on_disk(const struct pncp_buf *bytes)
{
    char path[] = "/tmp/pncp-test-parquet-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0); /* gone with its descriptor */
    assert_int_equal(write(fd, bytes->data, bytes->len), bytes->len);
    return fd;
}

static void check_round_trip(const struct pncp_table *table)
{
    AUTO(sample_file_release) struct sample_file file = sample_encode(table);
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    int fd = on_disk(&file.bytes);
    struct pncp_source source = pncp_source_of_fd(&fd, file.bytes.len);
    sample_ok(pncp_footer_read(&source, &footer, &err), &err);
    sample_ok(pncp_footer_check_schema(&footer, table->schema, &err), &err);
    AUTO(pncp_table_release) struct pncp_table back = sample_read_table(&source, &footer, table->schema, 0, 1);
    sample_same_table(&back, table);
    (void)close(fd);
}

/* Around the number of slots decoded at a time (2,048), and around the encoder's pages. */
static void test_rows_of_every_type(void **state)
{
    (void)state;
    static const size_t rows[] = {1, 2, 3, 7, 50, 2047, 2048, 2049, 4097};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(rows); i++) {
        AUTO(pncp_table_release) struct pncp_table table = sample_table(rows[i], i);
        check_round_trip(&table);
    }
}

static void test_rows_of_the_real_schemas(void **state)
{
    (void)state;
    const struct pncp_schema *const schemas[] = {pncp_details_schema(), pncp_list_schema()};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(schemas); i++) {
        AUTO(pncp_table_release) struct pncp_table table;
        assert_int_equal(pncp_table_init(&table, schemas[i]), PNCP_OK);
        sample_fill(&table, 40, i);
        check_round_trip(&table);
    }
}

/* Each kind of nothing, alone and beside the others, by its levels. */
static void test_every_kind_of_null(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table table = sample_table(0, 0);
    const struct pncp_node *root = &table.schema->nodes[0];
    static const struct {
        int16_t rep, def;
    } slots[] = {
        /* of itens.list.element.lugar.codigo, max_def 5 */
        {0, 0},                                 /* null */
        {0, 1},                                 /* [] */
        {0, 2},                                 /* [null] */
        {0, 3},                                 /* [{lugar: null}] */
        {0, 4},                                 /* [{lugar: {codigo: null}}] */
        {0, 5},                                 /* [{lugar: {codigo: 1}}] */
        {0, 2}, {1, 5}, {1, 3}, {1, 2}, {1, 4}, /* all in one list */
        {0, 0},
    };
    const struct pncp_node *itens = sample_node("itens");
    for (size_t i = 0; i < PNCP_ARRAY_LEN(slots);) {
        uint64_t seed = i;
        pncp_table_row_begin(&table);
        for (size_t k = 0; k < root->child_count; k++) {
            const struct pncp_node *node = &table.schema->nodes[root->first_child + k];
            if (node != itens)
                sample_put(&table, node, 0, &seed);
        }
        do {
            for (size_t k = 0; k < itens->leaf_count; k++) {
                struct pncp_leaf *leaf = &table.leaves[itens->leaf + k];
                int16_t def = PNCP_MIN(slots[i].def, leaf->max_def);
                assert_int_equal(def < leaf->max_def         ? pncp_leaf_put_null(leaf, slots[i].rep, def)
                                 : leaf->type == PNCP_T_TEXT ? pncp_leaf_put_text(leaf, slots[i].rep, PNCP_VIEW_LIT(""))
                                                             : pncp_leaf_put_int(leaf, slots[i].rep, 1),
                                 PNCP_OK);
            }
            i++;
        } while (i < PNCP_ARRAY_LEN(slots) && slots[i].rep != 0);
        pncp_table_row_end(&table);
    }
    assert_int_equal(table.rows, 8);
    check_round_trip(&table);
    for (size_t i = 0; i < table.schema->leaf_count; i++) /* and a column of nothing else */
        pncp_leaf_clear(&table.leaves[i]);
    table.rows = 0;
    for (int row = 0; row < 5; row++) {
        uint64_t seed = 1;
        pncp_table_row_begin(&table);
        for (size_t k = 0; k < root->child_count; k++) {
            const struct pncp_node *node = &table.schema->nodes[root->first_child + k];
            if ((node->col->flags & PNCP_COL_REQUIRED) != 0)
                sample_put(&table, node, 0, &seed);
            else
                assert_int_equal(pncp_table_put_null(&table, node, 0), PNCP_OK);
        }
        pncp_table_row_end(&table);
    }
    check_round_trip(&table);
}

static const struct pncp_col TEXT_COL = SAMPLE_COL("t", TEXT, SAMPLE_REQ);

static const struct pncp_schema *text_schema(void)
{
    static struct pncp_schema schema;
    assert_int_equal(pncp_schema_init(&schema, &TEXT_COL, 1, NULL), PNCP_OK);
    return &schema;
}

/* Texts that zstd cannot shorten, so that chunks are larger than what is read at a time (1 MiB) and than a page. */
static struct pncp_table noise(size_t rows, size_t text_bytes, uint64_t seed)
{
    struct pncp_table table;
    assert_int_equal(pncp_table_init(&table, text_schema()), PNCP_OK);
    uint64_t *text = test_malloc(text_bytes);
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < text_bytes / sizeof(*text); i++)
            text[i] = pncp_splitmix(&seed);
        pncp_table_row_begin(&table);
        assert_int_equal(pncp_leaf_put_text(&table.leaves[0], 0, (struct pncp_view){(char *)text, text_bytes}),
                         PNCP_OK);
        pncp_table_row_end(&table);
    }
    test_free(text);
    return table;
}

static void test_chunks_larger_than_a_window(void **state)
{
    (void)state;
    static const size_t rows[] = {3, 12, 1, 5, 5};
    AUTO(sample_file_release) struct sample_file file = {0};
    AUTO(pncp_table_release) struct pncp_table want = noise(0, 8, 0);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(rows); i++) {
        AUTO(pncp_table_release) struct pncp_table table = noise(rows[i], (size_t)100 * 1024, i);
        AUTO(sample_file_release) struct sample_file added = sample_encode(&table);
        assert_true(added.bytes.len > rows[i] * 100 * 1024);
        struct sample_file grown = sample_append(i == 0 ? NULL : &file, i, &added, NULL, 0);
        sample_file_release(&file);
        file = grown;
        assert_int_equal(pncp_leaf_append(&want.leaves[0], &table.leaves[0]), PNCP_OK);
    }
    struct pncp_view view = pncp_buf_view(&file.bytes);
    struct pncp_source source = pncp_source_of_view(&view);
    AUTO(pncp_table_release)
    struct pncp_table got = sample_read_table(&source, &file.footer, text_schema(), 0, PNCP_ARRAY_LEN(rows));
    sample_same_leaf(&got.leaves[0], &want.leaves[0]);
}

static void test_any_range_of_groups(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = {0};
    for (size_t i = 0; i < 4; i++) {
        AUTO(sample_file_release) struct sample_file added = sample_group(1 + i, i);
        struct sample_file grown = sample_append(i == 0 ? NULL : &file, i, &added, NULL, 0);
        sample_file_release(&file);
        file = grown;
    }
    struct pncp_view view = pncp_buf_view(&file.bytes);
    struct pncp_source source = pncp_source_of_view(&view);
    for (size_t first = 0; first <= 4; first++) {
        for (size_t count = 0; count <= 4 - first; count++) {
            AUTO(pncp_table_release) struct pncp_table want = sample_table(0, 0);
            for (size_t i = first; i < first + count; i++)
                sample_fill(&want, 1 + i, i);
            AUTO(pncp_table_release)
            struct pncp_table got = sample_read_table(&source, &file.footer, sample_schema(), first, count);
            sample_same_table(&got, &want);
        }
    }
}

/* ---- what is refused ------------------------------------------------------------------------- */

static enum pncp_code read_leaf(const struct sample_file *file, size_t leaf, size_t as, size_t first, size_t count,
                                struct pncp_err *err)
{
    struct pncp_view view = pncp_buf_view(&file->bytes);
    struct pncp_source source = pncp_source_of_view(&view);
    AUTO(pncp_leaf_release) struct pncp_leaf column;
    pncp_leaf_init(&column, &sample_schema()->leaves[as]);
    enum pncp_code rc = pncp_parquet_read_leaf(NULL, &source, &file->footer, leaf, first, count, &column, err);
    if (rc == PNCP_OK && first == 0 && count == file->footer.group_count)
        assert_int_equal(pncp_leaf_rows(&column), file->footer.rows);
    return rc;
}

static void test_no_such_part(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = sample_group(5, 1);
    static const size_t cases[][3] = {{22, 0, 1}, {0, 1, 1}, {0, 0, 2}, {0, 2, 0}, {0, 1, SIZE_MAX}, {0, SIZE_MAX, 1}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(read_leaf(&file, cases[i][0], 0, cases[i][1], cases[i][2], &err), PNCP_E_PARSE);
        assert_int_equal(strncmp(err.msg, "the parquet file has no column ", 31), 0);
    }
}

static void test_column_of_another_type(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = sample_group(5, 1);
    const struct pncp_leaf_info *leaves = sample_schema()->leaves;
    for (size_t leaf = 0; leaf < sample_schema()->leaf_count; leaf++) {
        for (size_t as = 0; as < sample_schema()->leaf_count; as++) {
            struct pncp_err err = PNCP_ERR_INIT;
            bool alike = pncp_schema_physical(leaves[leaf].type) == pncp_schema_physical(leaves[as].type) &&
                         leaves[leaf].max_def == leaves[as].max_def && leaves[leaf].max_rep == leaves[as].max_rep;
            assert_int_equal(read_leaf(&file, leaf, as, 0, 1, &err), alike ? PNCP_OK : PNCP_E_PARSE);
            if (!alike)
                assert_int_equal(strncmp(err.msg, "damaged parquet file: row group 0, column ", 42), 0);
        }
    }
}

/* Every bit of page data is under a checksum; a header's fields are held against the footer. */
static void test_damaged_pages(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = sample_group(40, 3);
    uint64_t seed = 5;
    for (size_t leaf = 0; leaf < file.footer.leaf_count; leaf++) {
        struct pncp_chunk chunk;
        assert_int_equal(pncp_footer_chunk(&file.footer, 0, leaf, &chunk, NULL), PNCP_OK);
        for (unsigned round = 0; round < 60; round++) {
            size_t at = chunk.offset + (round == 0 ? chunk.bytes - 1 : pncp_splitmix(&seed) % chunk.bytes);
            char bit = (char)(1U << (pncp_splitmix(&seed) & 7)), was = file.bytes.data[at];
            struct pncp_err err = PNCP_ERR_INIT;
            file.bytes.data[at] = (char)(was ^ bit);
            enum pncp_code rc = read_leaf(&file, leaf, leaf, 0, 1, &err);
            file.bytes.data[at] = was;
            if (round == 0)
                assert_int_equal(rc, PNCP_E_PARSE); /* the last byte is data */
            assert_true(rc == PNCP_OK || err.msg[0] != '\0');
        }
    }
}

/* A list's slots may be any number: its rows are counted. Here the footer says one more, or one less, than there are.
 */
static void test_rows_of_lists_are_counted(void **state)
{
    (void)state;
    static const struct pncp_col list = SAMPLE_TREE("itens", LIST, SAMPLE_LUGAR);
    struct pncp_schema schema;
    AUTO(pncp_table_release) struct pncp_table table;
    assert_int_equal(pncp_schema_init(&schema, &list, 1, NULL), PNCP_OK);
    assert_int_equal(pncp_table_init(&table, &schema), PNCP_OK);
    sample_fill(&table, 30, 1);
    AUTO(sample_file_release) struct sample_file file = sample_encode(&table);
    struct pncp_thrift_reader r;
    assert_int_equal(pncp_footer_seek_chunk(&file.footer, 0, 0, &r, NULL), PNCP_OK);
    struct pncp_view chunks = {r.at, 0};
    for (size_t i = 0; i < schema.leaf_count; i++)
        pncp_thrift_skip(&r, PNCP_THRIFT_STRUCT);
    chunks.len = (size_t)(r.at - chunks.data);
    for (uint64_t rows = 29; rows <= 31; rows++) {
        AUTO(sample_file_release) struct sample_file said = {0};
        const struct pncp_footer_head head = {
            .version = 2, .schema = file.footer.schema, .rows = rows, .group_count = 1};
        const struct pncp_group_head group = {.rows = rows, .offset = 4, .bytes = file.footer.data_end - 4};
        const struct pncp_footer_foot foot = {.kv_count = 0};
        assert_int_equal(pncp_buf_append(&said.bytes, file.bytes.data, file.footer.data_end), PNCP_OK);
        assert_int_equal(pncp_footer_put_head(&said.bytes, &head), PNCP_OK);
        assert_int_equal(pncp_footer_put_group(&said.bytes, &group, chunks, schema.leaf_count), PNCP_OK);
        assert_int_equal(pncp_footer_put_foot(&said.bytes, file.footer.data_end, &foot), PNCP_OK);
        assert_int_equal(sample_read(&said.bytes, &said.footer, NULL), PNCP_OK);
        struct pncp_view view = pncp_buf_view(&said.bytes);
        struct pncp_source source = pncp_source_of_view(&view);
        for (size_t i = 0; i < schema.leaf_count; i++) {
            AUTO(pncp_leaf_release) struct pncp_leaf column;
            struct pncp_err err = PNCP_ERR_INIT;
            pncp_leaf_init(&column, &schema.leaves[i]);
            assert_int_equal(pncp_parquet_read_leaf(NULL, &source, &said.footer, i, 0, 1, &column, &err),
                             rows == 30 ? PNCP_OK : PNCP_E_PARSE);
            if (rows != 30)
                assert_non_null(strstr(err.msg, "it is not as long as the footer says"));
        }
    }
}

static enum pncp_code no_read(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err)
{
    (void)ctx, (void)offset, (void)data, (void)len;
    return pncp_err_set(err, PNCP_E_UNAVAILABLE, "store is away");
}

static void test_error_of_the_source_comes_through(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = sample_group(5, 1);
    AUTO(pncp_leaf_release) struct pncp_leaf column;
    struct pncp_source source = {.read_at = no_read, .size = file.bytes.len};
    struct pncp_err err = PNCP_ERR_INIT;
    pncp_leaf_init(&column, &sample_schema()->leaves[0]);
    assert_int_equal(pncp_parquet_read_leaf(NULL, &source, &file.footer, 0, 0, 1, &column, &err), PNCP_E_UNAVAILABLE);
    assert_string_equal(err.msg, "store is away");
}

/* ---- a chunk made by hand -------------------------------------------------------------------- */

/* One column of text, `rows` times the same one, as a dictionary and references to it. What is said of it may differ;
 * 0: the truth. */
struct made {
    size_t text_bytes;
    int64_t rows;
    int64_t slots_said, raw_said; /* in the footer */
    int64_t page_said;            /* in the dictionary's page header: its size when decompressed */
    int64_t codec;                /* 0: none, 6: ZSTD */
};

static int64_t or_truth(int64_t said, size_t truth)
{
    return said == 0 ? (int64_t)truth : said;
}

/* Page header and data. A dictionary of one text (type 2) or `slots` references to it (type 0). */
static void put_page(struct pncp_buf *out, int type, struct pncp_view data, int64_t raw_bytes, int64_t slots)
{
    struct pncp_thrift_writer w = {.out = out};
    pncp_thrift_put_int_field(&w, 1, PNCP_THRIFT_I32, type);
    pncp_thrift_put_int_field(&w, 2, PNCP_THRIFT_I32, raw_bytes);
    pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I32, (int64_t)data.len);
    pncp_thrift_put_field(&w, type == 2 ? 7 : 5, PNCP_THRIFT_STRUCT);
    int16_t outer = pncp_thrift_struct_begin(&w);
    pncp_thrift_put_int_field(&w, 1, PNCP_THRIFT_I32, slots);
    pncp_thrift_put_int_field(&w, 2, PNCP_THRIFT_I32, type == 2 ? 0 : 8); /* PLAIN, RLE_DICTIONARY */
    if (type == 0) {
        pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I32, 3); /* RLE levels: the column has none */
        pncp_thrift_put_int_field(&w, 4, PNCP_THRIFT_I32, 3);
    }
    pncp_thrift_struct_end(&w, outer);
    pncp_thrift_struct_end(&w, 0);
    pncp_thrift_put_raw(&w, data);
    assert_int_equal(w.rc, PNCP_OK);
}

/* Both pages behind "PAR1"; gives where the second one begins. */
static size_t put_pages(struct pncp_buf *out, const struct made *made)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0}, refs = {0};
    struct pncp_thrift_writer w = {.out = &refs};
    uint32_t text_bytes = (uint32_t)made->text_bytes;
    assert_int_equal(pncp_buf_append(&text, &text_bytes, 4), PNCP_OK);
    assert_int_equal(pncp_buf_reserve(&text, text_bytes), PNCP_OK);
    memset(text.data + 4, 'x', text_bytes);
    text.len += text_bytes;
    pncp_thrift_put_raw(&w, PNCP_VIEW_LIT("\x01")); /* one bit a reference; one run of zeros */
    for (uint64_t run = (uint64_t)made->rows << 1; run != 0; run >>= 7) {
        char byte = (char)((run & 0x7F) | (run > 0x7F ? 0x80 : 0));
        pncp_thrift_put_raw(&w, (struct pncp_view){&byte, 1});
    }
    pncp_thrift_put_raw(&w, (struct pncp_view){"\0", 1});
    assert_int_equal(w.rc, PNCP_OK);
    assert_int_equal(pncp_buf_text(out, "PAR1"), PNCP_OK);
    put_page(out, 2, pncp_buf_view(&text), or_truth(made->page_said, text.len), 1);
    size_t data_at = out->len;
    put_page(out, 0, pncp_buf_view(&refs), (int64_t)refs.len, made->rows);
    return data_at;
}

static void put_entry(struct pncp_buf *out, const struct made *made, size_t bytes, size_t data_at)
{
    struct pncp_thrift_writer w = {.out = out};
    pncp_thrift_put_int_field(&w, 2, PNCP_THRIFT_I64, 0);
    pncp_thrift_put_field(&w, 3, PNCP_THRIFT_STRUCT);
    int16_t outer = pncp_thrift_struct_begin(&w);
    pncp_thrift_put_int_field(&w, 1, PNCP_THRIFT_I32, 6);
    pncp_thrift_put_field(&w, 2, PNCP_THRIFT_LIST);
    pncp_thrift_put_raw(&w, (struct pncp_view){"\x25\x00\x10", 3}); /* PLAIN, RLE_DICTIONARY */
    pncp_thrift_put_field(&w, 3, PNCP_THRIFT_LIST);
    pncp_thrift_put_raw(&w, PNCP_VIEW_LIT("\x18\x01t"));
    pncp_thrift_put_int_field(&w, 4, PNCP_THRIFT_I32, made->codec);
    pncp_thrift_put_int_field(&w, 5, PNCP_THRIFT_I64, or_truth(made->slots_said, (size_t)made->rows));
    pncp_thrift_put_int_field(&w, 6, PNCP_THRIFT_I64, or_truth(made->raw_said, bytes));
    pncp_thrift_put_int_field(&w, 7, PNCP_THRIFT_I64, (int64_t)bytes);
    pncp_thrift_put_int_field(&w, 9, PNCP_THRIFT_I64, (int64_t)data_at);
    pncp_thrift_put_int_field(&w, 11, PNCP_THRIFT_I64, 4);
    pncp_thrift_struct_end(&w, outer);
    pncp_thrift_struct_end(&w, 0);
    assert_int_equal(w.rc, PNCP_OK);
}

static struct sample_file make(const struct made *made)
{
    struct sample_file file = {0};
    AUTO(pncp_buf_release) struct pncp_buf elements = {0}, entry = {0};
    size_t data_at = put_pages(&file.bytes, made), footer_at = file.bytes.len;
    uint64_t rows = (uint64_t)or_truth(made->slots_said, (size_t)made->rows);
    put_entry(&entry, made, footer_at - 4, data_at);
    assert_int_equal(pncp_schema_put(text_schema(), &elements), PNCP_OK);
    const struct pncp_footer_head head = {
        .version = 2, .schema = pncp_buf_view(&elements), .rows = rows, .group_count = 1};
    const struct pncp_group_head group = {.rows = rows, .offset = 4, .bytes = footer_at - 4};
    const struct pncp_footer_foot foot = {.kv_count = 0};
    assert_int_equal(pncp_footer_put_head(&file.bytes, &head), PNCP_OK);
    assert_int_equal(pncp_footer_put_group(&file.bytes, &group, pncp_buf_view(&entry), 1), PNCP_OK);
    assert_int_equal(pncp_footer_put_foot(&file.bytes, footer_at, &foot), PNCP_OK);
    assert_int_equal(sample_read(&file.bytes, &file.footer, NULL), PNCP_OK);
    return file;
}

#define DAMAGED "damaged parquet file: row group 0, column 0: "

static const struct {
    struct made made;
    enum pncp_code code;
    const char *msg_start;
} MADE[] = {
    {{.text_bytes = 10, .rows = 3000}, PNCP_OK, ""},
    {{.text_bytes = 10, .rows = 3000, .slots_said = 3001}, PNCP_E_PARSE, DAMAGED},
    {{.text_bytes = 10, .rows = 3000, .slots_said = 2999}, PNCP_E_PARSE, DAMAGED},
    {{.text_bytes = 10, .rows = 3000, .raw_said = 268435457},
     PNCP_E_LIMIT,
     "row group 0, column 0: 268435457 bytes, at most 268435456 can be read"},
    /* a length in a page beyond all bounds is damage, not a lack of memory */
    {{.text_bytes = 10, .rows = 3000, .page_said = 300000000, .codec = 6}, PNCP_E_PARSE, DAMAGED},
    {{.text_bytes = 10, .rows = 3000, .codec = 6}, PNCP_E_PARSE, DAMAGED},
    /* a small file whose texts would fill the memory: 2,048 values are decoded in one step */
    {{.text_bytes = 1000, .rows = 2048}, PNCP_OK, ""},
    {{.text_bytes = 200000, .rows = 2048},
     PNCP_E_LIMIT,
     "row group 0, column 0: too many values or bytes of text to hold"},
};

static void test_chunks_that_lie(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(MADE); i++) {
        AUTO(sample_file_release) struct sample_file file = make(&MADE[i].made);
        AUTO(pncp_leaf_release) struct pncp_leaf column;
        struct pncp_view view = pncp_buf_view(&file.bytes);
        struct pncp_source source = pncp_source_of_view(&view);
        struct pncp_err err = PNCP_ERR_INIT;
        pncp_leaf_init(&column, &text_schema()->leaves[0]);
        enum pncp_code rc = pncp_parquet_read_leaf(NULL, &source, &file.footer, 0, 0, 1, &column, &err);
        if (rc != MADE[i].code || strncmp(err.msg, MADE[i].msg_start, strlen(MADE[i].msg_start)) != 0)
            fail_msg("case %zu: %s: %s", i, pncp_code_name(rc), err.msg);
        if (rc == PNCP_OK) {
            assert_int_equal(column.value_count, MADE[i].made.rows);
            assert_int_equal(column.values.len, column.value_count * MADE[i].made.text_bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_of_every_type),        cmocka_unit_test(test_rows_of_the_real_schemas),
        cmocka_unit_test(test_every_kind_of_null),        cmocka_unit_test(test_chunks_larger_than_a_window),
        cmocka_unit_test(test_any_range_of_groups),       cmocka_unit_test(test_no_such_part),
        cmocka_unit_test(test_column_of_another_type),    cmocka_unit_test(test_damaged_pages),
        cmocka_unit_test(test_rows_of_lists_are_counted), cmocka_unit_test(test_error_of_the_source_comes_through),
        cmocka_unit_test(test_chunks_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
