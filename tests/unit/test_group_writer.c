/* Row groups encoded: what the encoder does not check is checked here, and the footer says what it should and no more.
 */
#include "sample_parquet.h"

/* ---- counts ---------------------------------------------------------------------------------- */

enum fault {
    ONE_SHORT,
    ONE_MORE,
    VALUE_MISSING,
    VALUE_TOO_MANY,
    DEF_TOO_HIGH,
    REP_TOO_HIGH,
    STARTS_INSIDE,
    ROW_SPLIT,
    ROWS_REGROUPED, /* as many rows and slots, but another row has them */
    OTHER_TYPE,
    OTHER_MAX_DEF,
};

static const struct {
    enum fault fault;
    const char *column; /* whose leaf is spoilt */
    const char *msg;
} FAULTS[] = {
    {ONE_SHORT, "id", "column id: its length is not the number of rows"},
    {ONE_SHORT, "fim", "column fim: its length is not the number of rows"},
    {ONE_SHORT, "lugar.codigo", "column lugar.codigo: its length is not the number of rows"},
    {ONE_SHORT, "itens.list.element.numero",
     "column itens.list.element.ativo: its lists are of other lengths than those of the column before"},
    {ONE_SHORT, "itens.list.element.nome",
     "column itens.list.element.nome: its lists are of other lengths than those of the column before"},
    {ONE_MORE, "sim", "column sim: its length is not the number of rows"},
    {ONE_MORE, "itens.list.element.nome", "column itens.list.element.nome: its lists are not as many as the rows"},
    {VALUE_MISSING, "grande", "column grande: the values are not as many as the levels say"},
    {VALUE_MISSING, "id", "column id: the values are not as many as the levels say"},
    {VALUE_TOO_MANY, "itens.list.element.texto",
     "column itens.list.element.texto: the values are not as many as the levels say"},
    {DEF_TOO_HIGH, "dia", "column dia: a definition level is out of range"},
    {REP_TOO_HIGH, "itens.list.element.valor", "column itens.list.element.valor: a repetition level is out of range"},
    {STARTS_INSIDE, "itens.list.element.numero",
     "column itens.list.element.numero: its lists are not as many as the rows"},
    {ROW_SPLIT, "itens.list.element.lugar.nome",
     "column itens.list.element.lugar.nome: its lists are not as many as the rows"},
    {ROWS_REGROUPED, "itens.list.element.lugar.nome",
     "column itens.list.element.lugar.nome: its lists are of other lengths than those of the column before"},
    {OTHER_TYPE, "local", "column local: it is of another type"},
    {OTHER_MAX_DEF, "id", "column id: it is of another type"},
};

static void spoil(struct pncp_leaf *leaf, enum fault fault)
{
    size_t last = leaf->level_count - 1;
    switch (fault) {
    case ONE_SHORT:
        leaf->value_count -= leaf->max_def == 0 || leaf->def[last] == leaf->max_def;
        leaf->level_count = last;
        break;
    case ONE_MORE:
        assert_int_equal(pncp_leaf_put_null(leaf, 0, 0), PNCP_OK);
        break;
    case VALUE_MISSING:
        leaf->value_count--;
        break;
    case VALUE_TOO_MANY:
        leaf->value_count++;
        break;
    case DEF_TOO_HIGH:
        leaf->def[last] = (pncp_level)(leaf->max_def + 1);
        break;
    case REP_TOO_HIGH:
        leaf->rep[last] = (pncp_level)(leaf->max_rep + 1);
        break;
    case STARTS_INSIDE:
        leaf->rep[0] = 1;
        leaf->rep[1] = 0;
        break;
    case ROW_SPLIT:
        leaf->rep[last] = 0;
        break;
    case ROWS_REGROUPED: /* lists of 3, 1 and 2 become 2, 2 and 2 */
        leaf->rep[2] = 0;
        leaf->rep[3] = 1;
        break;
    case OTHER_TYPE:
        leaf->type = PNCP_T_INT64;
        break;
    case OTHER_MAX_DEF:
        leaf->max_def = 1;
        break;
    }
}

/* Three rows, with lists of 3, 1 and 2 elements, all values there. */
static struct pncp_table rows_of_lists(void)
{
    static const size_t lengths[] = {3, 1, 2};
    struct pncp_table table = sample_table(0, 0);
    const struct pncp_schema *schema = table.schema;
    for (size_t row = 0; row < PNCP_ARRAY_LEN(lengths); row++) {
        pncp_table_row_begin(&table);
        for (size_t i = 0; i < schema->leaf_count; i++) {
            struct pncp_leaf *leaf = &table.leaves[i];
            for (size_t k = 0; k < (leaf->max_rep > 0 ? lengths[row] : 1); k++)
                assert_int_equal(leaf->type == PNCP_T_TEXT ? pncp_leaf_put_text(leaf, k > 0, PNCP_VIEW_LIT("x"))
                                                           : pncp_leaf_put_int(leaf, k > 0, 1),
                                 PNCP_OK);
        }
        pncp_table_row_end(&table);
    }
    return table;
}

static enum pncp_code encode(const struct pncp_table *table, struct pncp_err *err)
{
    static const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    enum pncp_code rc = pncp_group_encode(table, &options, &bytes, &footer, err);
    assert_int_equal(bytes.data != NULL, rc == PNCP_OK);
    assert_int_equal(footer.raw.data != NULL, rc == PNCP_OK);
    return rc;
}

static void test_counts_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(FAULTS); i++) {
        AUTO(pncp_table_release) struct pncp_table table = rows_of_lists();
        struct pncp_err err = PNCP_ERR_INIT;
        sample_ok(encode(&table, &err), &err);
        int leaf = pncp_schema_find(table.schema, FAULTS[i].column);
        assert_true(leaf >= 0);
        spoil(&table.leaves[leaf], FAULTS[i].fault);
        assert_int_equal(encode(&table, &err), PNCP_E_PARSE);
        assert_string_equal(err.msg, FAULTS[i].msg);
    }
}

/* Whichever column is a slot short, of however random rows. */
static void test_every_column_one_slot_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < sample_schema()->leaf_count; i++) {
        AUTO(pncp_table_release) struct pncp_table table = sample_table(30, i);
        struct pncp_err err = PNCP_ERR_INIT;
        spoil(&table.leaves[i], ONE_SHORT);
        assert_int_equal(encode(&table, &err), PNCP_E_PARSE);
        assert_int_equal(strncmp(err.msg, "column ", 7), 0);
    }
}

/* ---- what the footer says -------------------------------------------------------------------- */

static int text_cmp(struct pncp_view a, struct pncp_view b)
{
    int cmp = memcmp(a.data, b.data, PNCP_MIN(a.len, b.len));
    return cmp != 0 ? cmp : (a.len > b.len) - (a.len < b.len);
}

/* Least or greatest value of a column, as Parquet writes it (PLAIN). */
static struct pncp_view bound(const struct pncp_leaf *leaf, bool greatest)
{
    size_t best = 0, width = pncp_type_width(leaf->type);
    for (size_t i = 1; i < leaf->value_count; i++) {
        bool less = leaf->type == PNCP_T_TEXT ? text_cmp(pncp_leaf_text(leaf, i), pncp_leaf_text(leaf, best)) < 0
                                              : pncp_leaf_int(leaf, i) < pncp_leaf_int(leaf, best);
        if (less != greatest)
            best = i;
    }
    return leaf->type == PNCP_T_TEXT ? pncp_leaf_text(leaf, best)
                                     : (struct pncp_view){leaf->values.data + best * width, width};
}

#define CUT_BYTES 32 /* a longer text is no bound */

static void check_statistics(const struct sample_file *file, const struct pncp_table *table, size_t i)
{
    const struct pncp_leaf *leaf = &table->leaves[i];
    struct pncp_thrift_reader r;
    bool has = sample_chunk_field(&file->footer, 0, i, 12, &r);
    assert_int_equal(has, (table->schema->leaves[i].col->flags & PNCP_COL_STATS) != 0);
    if (!has)
        return;
    struct pncp_view min = {NULL, 0}, max = {NULL, 0};
    int64_t nulls = -1;
    bool exact_min = false, exact_max = false;
    struct pncp_thrift_field field = {0};
    while (pncp_thrift_next(&r, &field)) {
        assert_true(field.id == 3 || (field.id >= 5 && field.id <= 8));
        exact_max = exact_max || (field.id == 7 && field.type == PNCP_THRIFT_TRUE);
        exact_min = exact_min || (field.id == 8 && field.type == PNCP_THRIFT_TRUE);
        if (field.id == 3)
            nulls = pncp_thrift_int(&r, field.type);
        else if (field.id == 5 || field.id == 6)
            *(field.id == 5 ? &max : &min) = pncp_thrift_binary(&r);
        else
            pncp_thrift_skip(&r, field.type);
    }
    assert_false(r.failed);
    assert_int_equal(nulls, leaf->level_count - leaf->value_count);
    bool bounded = leaf->value_count > 0 && bound(leaf, false).len <= CUT_BYTES && bound(leaf, true).len <= CUT_BYTES;
    assert_int_equal(min.data != NULL, bounded);
    assert_int_equal(max.data != NULL, bounded);
    assert_int_equal(exact_min && exact_max, bounded);
    if (bounded) {
        assert_true(pncp_view_eq(min, bound(leaf, false)));
        assert_true(pncp_view_eq(max, bound(leaf, true)));
    }
}

static void test_statistics_are_exact_and_only_where_asked_for(void **state)
{
    (void)state;
    unsigned text_bounds = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        AUTO(pncp_table_release) struct pncp_table table = sample_table(1 + seed % 6, seed);
        AUTO(sample_file_release) struct sample_file file = sample_encode(&table);
        for (size_t i = 0; i < table.schema->leaf_count; i++)
            check_statistics(&file, &table, i);
        const struct pncp_leaf *chave = &table.leaves[9];
        text_bounds +=
            chave->value_count > 0 && bound(chave, false).len <= CUT_BYTES && bound(chave, true).len <= CUT_BYTES;
    }
    assert_in_range(text_bounds, 3, 37); /* both kinds were there */
}

static void test_no_indexes_and_no_other_fields(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = sample_group(50, 1);
    for (size_t i = 0; i < file.footer.leaf_count; i++) {
        struct pncp_thrift_reader r;
        struct pncp_thrift_field field = {0};
        assert_int_equal(pncp_footer_seek_chunk(&file.footer, 0, i, &r, NULL), PNCP_OK);
        while (pncp_thrift_next(&r, &field)) {
            assert_true(field.id == 2 || field.id == 3);
            if (field.id == 2) {
                pncp_thrift_skip(&r, field.type);
                continue;
            }
            struct pncp_thrift_field inner = {0};
            while (pncp_thrift_next(&r, &inner)) {
                assert_true(inner.id <= 7 || inner.id == 9 || inner.id == 11 || inner.id == 12);
                pncp_thrift_skip(&r, inner.type);
            }
        }
    }
}

/* ColumnMetaData.3: what readers match columns by. */
static void test_paths(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = sample_group(50, 1);
    for (size_t i = 0; i < file.footer.leaf_count; i++) {
        struct pncp_thrift_reader r;
        enum pncp_thrift_type type;
        AUTO(pncp_buf_release) struct pncp_buf path = {0};
        assert_true(sample_chunk_field(&file.footer, 0, i, 3, &r));
        size_t parts = pncp_thrift_list(&r, &type);
        for (size_t k = 0; k < parts; k++) {
            struct pncp_view part = pncp_thrift_binary(&r);
            assert_int_equal(pncp_buf_format(&path, "%s" PNCP_VIEW_FMT, k == 0 ? "" : ".", PNCP_VIEW_ARG(part)),
                             PNCP_OK);
        }
        assert_true(pncp_view_eq_text(pncp_buf_view(&path), sample_schema()->leaves[i].path));
        assert_true(sample_chunk_field(&file.footer, 0, i, 4, &r));
        assert_int_equal(pncp_thrift_int(&r, PNCP_THRIFT_I32), 6); /* ZSTD */
    }
}

static void test_dictionary_where_it_pays(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table table = sample_table(0, 0);
    for (int row = 0; row < 300; row++) { /* the same values again and again */
        pncp_table_row_begin(&table);
        for (size_t i = 0; i < table.schema->leaf_count; i++) {
            struct pncp_leaf *leaf = &table.leaves[i];
            assert_int_equal(leaf->type == PNCP_T_TEXT ? pncp_leaf_put_text(leaf, 0, PNCP_VIEW_LIT("Pregão"))
                                                       : pncp_leaf_put_int(leaf, 0, 1),
                             PNCP_OK);
        }
        pncp_table_row_end(&table);
    }
    AUTO(sample_file_release) struct sample_file file = sample_encode(&table);
    for (size_t i = 0; i < table.schema->leaf_count; i++) {
        struct pncp_thrift_reader r;
        bool wanted = (table.schema->leaves[i].col->flags & PNCP_COL_DICT) != 0;
        assert_int_equal(sample_chunk_field(&file.footer, 0, i, 11, &r), wanted); /* dictionary_page_offset */
    }
}

static void test_file_of_one_group(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = sample_group(50, 1);
    AUTO(pncp_footer_release) struct pncp_footer again = {0};
    assert_int_equal(sample_read(&file.bytes, &again, NULL), PNCP_OK);
    assert_int_equal(again.group_count, 1);
    assert_int_equal(again.rows, 50);
    assert_int_equal(again.kv_count, 0);
    assert_true(pncp_view_eq_text(again.created_by, "\x1A" PNCP_PARQUET_CREATED_BY)); /* its length before it */
    assert_int_equal(again.data_end + again.raw.len + 8, file.bytes.len);
    uint64_t raw = 0;
    for (size_t i = 0; i < again.leaf_count; i++) {
        struct pncp_chunk chunk;
        assert_int_equal(pncp_footer_chunk(&again, 0, i, &chunk, NULL), PNCP_OK);
        raw += chunk.raw_bytes;
    }
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_footer_group_bytes(&again, 0));
    enum pncp_thrift_type type;
    assert_true(sample_find(&r, 2, &type)); /* total_byte_size: uncompressed */
    assert_int_equal(pncp_thrift_int(&r, type), raw);
    r = pncp_thrift_open(pncp_footer_group_bytes(&again, 0));
    assert_true(sample_find(&r, 6, &type)); /* total_compressed_size */
    assert_int_equal(pncp_thrift_int(&r, type), again.groups[0].bytes);
}

/* Columns in pieces, of which some are encoded at once and others whole: the same file, and lists that do not belong
 * together are found wherever the pieces end. */
static void test_pieces(void **state)
{
    (void)state;
    static const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(pncp_table_release) struct pncp_table first = sample_table(20, 1), second = sample_table(30, 2);
    AUTO(pncp_table_release) struct pncp_table whole = sample_table(20, 1), other = sample_table(30, 3);
    sample_fill(&whole, 30, 2);
    AUTO(sample_file_release) struct sample_file wanted = sample_encode(&whole);
    const size_t leaf_count = whole.schema->leaf_count;
    for (size_t wrong = 0; wrong <= leaf_count; wrong++) { /* the column whose second piece is of another table */
        AUTO(sample_file_release) struct sample_file file = {0};
        struct pncp_group_writer *writer;
        enum pncp_code rc = PNCP_OK;
        struct pncp_err err = PNCP_ERR_INIT;
        size_t i = 0;
        assert_int_equal(pncp_group_writer_open(whole.schema, 50, &options, &writer, NULL), PNCP_OK);
        for (; rc == PNCP_OK && i < leaf_count; i++) {
            AUTO(pncp_leaf_release) struct pncp_leaf leaf;
            pncp_leaf_init(&leaf, &whole.schema->leaves[i]);
            assert_int_equal(pncp_leaf_append(&leaf, &first.leaves[i]), PNCP_OK);
            assert_int_equal(pncp_group_writer_piece(writer, &leaf, false, &err), PNCP_OK);
            assert_int_equal(pncp_group_writer_piece(writer, &leaf, false, &err), PNCP_OK); /* nothing is new */
            assert_int_equal(pncp_leaf_append(&leaf, i == wrong ? &other.leaves[i] : &second.leaves[i]), PNCP_OK);
            rc = pncp_group_writer_piece(writer, &leaf, true, &err);
        }
        if (wrong == leaf_count) {
            sample_ok(pncp_group_writer_finish(writer, &file.bytes, &file.footer, &err), &err);
            assert_true(pncp_view_eq(pncp_buf_view(&file.bytes), pncp_buf_view(&wanted.bytes)));
        } else if (whole.schema->leaves[wrong].max_rep > 0) { /* of its list it may be the first column */
            assert_int_equal(rc, PNCP_E_PARSE);
            assert_in_range(i, wrong + 1, wrong + 2);
        } else {
            assert_int_equal(rc, PNCP_OK);
        }
        pncp_group_writer_abort(writer);
    }
}

/* What is taken after some of the leaves is the file, and the footer its footer. */
static void test_taken_bytes_are_the_file(void **state)
{
    (void)state;
    static const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(pncp_table_release) struct pncp_table table = sample_table(50, 1);
    AUTO(sample_file_release) struct sample_file wanted = sample_encode(&table);
    for (size_t every = 1; every < 20; every += 6) {
        AUTO(sample_file_release) struct sample_file file = {0};
        struct pncp_group_writer *writer;
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_group_writer_open(table.schema, 50, &options, &writer, NULL), PNCP_OK);
        for (size_t i = 0; i < table.schema->leaf_count; i++) {
            assert_int_equal(pncp_group_writer_leaf(writer, &table.leaves[i], &err), PNCP_OK);
            if (i % every != 0 && i + 1 < table.schema->leaf_count)
                continue;
            struct pncp_view ready = pncp_group_writer_ready(writer);
            assert_int_equal(pncp_buf_append(&file.bytes, ready.data, ready.len), PNCP_OK);
            pncp_group_writer_taken(writer);
        }
        sample_ok(pncp_group_writer_footer(writer, &file.footer, &err), &err);
        assert_int_equal(file.footer.data_end, file.bytes.len);
        assert_int_equal(file.footer.data_end, wanted.footer.data_end);
        assert_memory_equal(file.bytes.data, wanted.bytes.data, file.bytes.len);
        assert_int_equal(file.footer.file_bytes, wanted.footer.file_bytes);
        assert_true(pncp_view_eq(pncp_buf_view(&file.footer.raw), pncp_buf_view(&wanted.footer.raw)));
        pncp_group_writer_abort(writer);
    }
}

/* All chunks of two groups, column by column, with or without a rest before each. */
static void put_columns(const struct pncp_table *table, bool rest, struct pncp_buf *ret_bytes)
{
    static const struct pncp_encode_options options = {.zstd_level = 1};
    static const uint64_t rows[] = {50, 50};
    struct pncp_columns_writer *writer;
    assert_int_equal(pncp_columns_writer_open(table->schema, rows, 2, &options, &writer, NULL), PNCP_OK);
    for (size_t i = 0; i < table->schema->leaf_count; i++) {
        for (size_t group = 0; group < 2; group++) {
            struct pncp_view chunk, entry;
            if (rest)
                pncp_columns_writer_rest(writer);
            assert_int_equal(pncp_columns_writer_put(writer, group, &table->leaves[i], &chunk, &entry, NULL), PNCP_OK);
            assert_int_equal(pncp_buf_append(ret_bytes, chunk.data, chunk.len), PNCP_OK);
            assert_int_equal(pncp_buf_append(ret_bytes, entry.data, entry.len), PNCP_OK);
        }
    }
    pncp_columns_writer_free(writer);
}

static void test_a_rest_changes_nothing(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table table = sample_table(50, 1);
    AUTO(pncp_buf_release) struct pncp_buf wanted = {0}, rested = {0};
    put_columns(&table, false, &wanted);
    put_columns(&table, true, &rested);
    assert_true(wanted.len > 0 && pncp_view_eq(pncp_buf_view(&wanted), pncp_buf_view(&rested)));
}

static void test_abort_at_any_time(void **state)
{
    (void)state;
    static const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(pncp_table_release) struct pncp_table table = sample_table(20, 1);
    for (size_t written = 0; written <= table.schema->leaf_count; written++) {
        struct pncp_group_writer *writer;
        assert_int_equal(pncp_group_writer_open(table.schema, 20, &options, &writer, NULL), PNCP_OK);
        for (size_t i = 0; i < written; i++)
            assert_int_equal(pncp_group_writer_leaf(writer, &table.leaves[i], NULL), PNCP_OK);
        pncp_group_writer_abort(writer);
    }
    pncp_group_writer_abort(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_are_checked),
        cmocka_unit_test(test_every_column_one_slot_short),
        cmocka_unit_test(test_statistics_are_exact_and_only_where_asked_for),
        cmocka_unit_test(test_no_indexes_and_no_other_fields),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_dictionary_where_it_pays),
        cmocka_unit_test(test_file_of_one_group),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_taken_bytes_are_the_file),
        cmocka_unit_test(test_a_rest_changes_nothing),
        cmocka_unit_test(test_abort_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
