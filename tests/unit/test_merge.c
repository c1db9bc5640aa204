/* Footers merged: files grown group by group read as their parts do, offsets are right, and what cannot be is refused.
 */
#include "sample_parquet.h"

#define PARTS 12

static const struct pncp_kv_pair KVS[] = {SAMPLE_KV("pncp.format", "details 1"), SAMPLE_KV("pncp.history", "[{}]"),
                                          SAMPLE_KV("pncp.commit", "00112233445566778899aabbccddeeff")};

static size_t part_rows(size_t part)
{
    return 1 + part * 7 % 23;
}

static void check_rows(const struct sample_file *file, size_t first, size_t count, const struct pncp_table *want)
{
    struct pncp_view view = pncp_buf_view(&file->bytes);
    struct pncp_source source = pncp_source_of_view(&view);
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    sample_ok(pncp_footer_read(&source, &footer, &err), &err); /* from the bytes, not what merge returned */
    AUTO(pncp_table_release) struct pncp_table got = sample_read_table(&source, &footer, sample_schema(), first, count);
    sample_same_table(&got, want);
}

/* RowGroup.7 of every group is its place. */
static void check_ordinals(const struct pncp_footer *footer)
{
    for (size_t i = 0; i < footer->group_count; i++) {
        struct pncp_thrift_reader r = pncp_thrift_open(pncp_footer_group_bytes(footer, i));
        enum pncp_thrift_type type;
        assert_true(sample_find(&r, 7, &type));
        assert_int_equal(type, PNCP_THRIFT_I16);
        assert_int_equal(pncp_thrift_int(&r, type), i);
    }
}

/* Every offset of every group, against where its bytes were put. */
static void check_offsets(const struct pncp_footer *footer)
{
    uint64_t at = 4;
    for (size_t g = 0; g < footer->group_count; g++) {
        struct pncp_thrift_reader r = pncp_thrift_open(pncp_footer_group_bytes(footer, g));
        enum pncp_thrift_type type;
        assert_true(sample_find(&r, 5, &type)); /* file_offset */
        assert_int_equal(pncp_thrift_int(&r, type), at);
        assert_int_equal(footer->groups[g].offset, at);
        for (size_t i = 0; i < footer->leaf_count; i++) {
            struct pncp_chunk chunk;
            assert_int_equal(pncp_footer_chunk(footer, g, i, &chunk, NULL), PNCP_OK);
            assert_int_equal(chunk.offset, at);
            assert_int_equal(pncp_footer_seek_chunk(footer, g, i, &r, NULL), PNCP_OK);
            assert_true(sample_find(&r, 2, &type)); /* ColumnChunk.file_offset: where the chunk begins, or 0 */
            int64_t file_offset = pncp_thrift_int(&r, type);
            assert_true(file_offset == 0 || (uint64_t)file_offset == at);
            assert_true(sample_chunk_field(footer, g, i, 9, &r));
            uint64_t data = (uint64_t)pncp_thrift_int(&r, PNCP_THRIFT_I64);
            if (sample_chunk_field(footer, g, i, 11, &r)) {
                assert_int_equal(pncp_thrift_int(&r, PNCP_THRIFT_I64), at); /* the dictionary lies before its data */
                assert_true(data > at && data < at + chunk.bytes);
            } else {
                assert_int_equal(data, at);
            }
            at += chunk.bytes;
        }
    }
    assert_int_equal(footer->data_end, at);
}

static void test_file_grown_by_appends(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table all = sample_table(0, 0);
    AUTO(sample_file_release) struct sample_file file = {0};
    for (size_t part = 0; part < PARTS; part++) {
        AUTO(sample_file_release) struct sample_file added = sample_group(part_rows(part), part);
        struct sample_file grown = sample_append(part == 0 ? NULL : &file, part, &added, KVS, PNCP_ARRAY_LEN(KVS));
        for (size_t i = 0; i < part; i++) /* kept groups: the same bytes */
            assert_true(
                pncp_view_eq(pncp_footer_group_bytes(&file.footer, i), pncp_footer_group_bytes(&grown.footer, i)));
        sample_file_release(&file);
        file = grown;
        sample_fill(&all, part_rows(part), part);
        AUTO(pncp_table_release) struct pncp_table alone = sample_table(part_rows(part), part);
        check_rows(&file, part, 1, &alone);
    }
    check_rows(&file, 0, PARTS, &all);
    check_ordinals(&file.footer);
    check_offsets(&file.footer);
    assert_int_equal(file.footer.rows, all.rows);
    struct pncp_view value;
    assert_true(pncp_footer_kv(&file.footer, "pncp.history", &value));
    assert_true(pncp_view_eq_text(file.footer.kvs[file.footer.kv_count - 1].key, "pncp.commit"));
    assert_int_equal(file.footer.kv_count, 3); /* replaced at each append, not added to */
}

/* A fold: the last groups are dropped, one new group takes their place. */
static void test_kept_prefix_may_end_anywhere(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = {0};
    for (size_t part = 0; part < 5; part++) {
        AUTO(sample_file_release) struct sample_file added = sample_group(part_rows(part), part);
        struct sample_file grown = sample_append(part == 0 ? NULL : &file, part, &added, NULL, 0);
        sample_file_release(&file);
        file = grown;
    }
    AUTO(sample_file_release) struct sample_file added = sample_group(30, 99);
    for (size_t keep = 0; keep <= 5; keep++) {
        AUTO(sample_file_release) struct sample_file folded = sample_append(&file, keep, &added, KVS, 3);
        AUTO(pncp_table_release) struct pncp_table want = sample_table(0, 0);
        for (size_t part = 0; part < keep; part++)
            sample_fill(&want, part_rows(part), part);
        sample_fill(&want, 30, 99);
        check_rows(&folded, 0, keep + 1, &want);
        check_ordinals(&folded.footer);
        check_offsets(&folded.footer);
    }
}

/* Any groups of several files in a new order: what a rewrite does. */
static void test_pieces_of_several_files(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file one = sample_group(3, 1), two = sample_group(4, 2);
    AUTO(sample_file_release) struct sample_file both = sample_append(&one, 1, &two, NULL, 0);
    AUTO(sample_file_release) struct sample_file made = {0};
    AUTO(pncp_table_release) struct pncp_table want = sample_table(4, 2);
    sample_fill(&want, 3, 1);
    sample_fill(&want, 4, 2);
    const struct pncp_group *groups = both.footer.groups;
    uint64_t first = 4, second = 4 + groups[1].bytes;
    const struct pncp_footer_piece pieces[] = {
        {&both.footer, 1, 1, first},  /* moves towards the start */
        {&both.footer, 0, 0, second}, /* a piece may have no groups */
        {&both.footer, 0, 2, second},
    };
    assert_int_equal(pncp_buf_append(&made.bytes, "PAR1", 4), PNCP_OK);
    assert_int_equal(pncp_buf_append(&made.bytes, both.bytes.data + groups[1].offset, groups[1].bytes), PNCP_OK);
    assert_int_equal(pncp_buf_append(&made.bytes, both.bytes.data + 4, both.footer.data_end - 4), PNCP_OK);
    assert_int_equal(pncp_footer_build(pieces, 3, NULL, 0, &made.bytes, NULL, NULL), PNCP_OK);
    check_rows(&made, 0, 3, &want);
    assert_int_equal(sample_read(&made.bytes, &made.footer, NULL), PNCP_OK);
    check_ordinals(&made.footer);
    check_offsets(&made.footer);
}

static void test_what_cannot_be_merged(void **state)
{
    (void)state;
    static struct pncp_schema lesser;
    AUTO(sample_file_release) struct sample_file one = sample_group(3, 1), two = sample_group(4, 2);
    assert_int_equal(pncp_schema_init(&lesser, SAMPLE_COLS, PNCP_ARRAY_LEN(SAMPLE_COLS) - 1, NULL), PNCP_OK);
    AUTO(pncp_table_release) struct pncp_table other_table;
    assert_int_equal(pncp_table_init(&other_table, &lesser), PNCP_OK);
    sample_fill(&other_table, 2, 1);
    AUTO(sample_file_release) struct sample_file other = sample_encode(&other_table);
    uint64_t end = one.footer.data_end;
    const struct {
        const char *msg; /* after "merging parquet footers: " */
        struct pncp_footer_piece pieces[2];
    } cases[] = {
        {"there are not that many row groups", {{&one.footer, 0, 2, 4}, {&two.footer, 0, 0, end}}},
        {"there are not that many row groups", {{&one.footer, 2, 0, 4}, {&two.footer, 0, 1, end}}},
        {"there are not that many row groups", {{&one.footer, 1, SIZE_MAX, 4}, {&two.footer, 0, 1, end}}},
        {"the schemas differ", {{&one.footer, 0, 1, 4}, {&other.footer, 0, 1, end}}},
        {"row groups would overlap", {{&one.footer, 0, 1, 4}, {&two.footer, 0, 1, end - 1}}},
        {"row groups would overlap", {{&one.footer, 0, 1, 3}, {&two.footer, 0, 1, end}}},
        {"row groups would overlap", {{&one.footer, 0, 1, end}, {&two.footer, 0, 1, 4}}},
        {"row groups would overlap", {{&one.footer, 0, 1, 4}, {&two.footer, 0, 1, UINT64_MAX - 8}}},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_buf_release) struct pncp_buf tail = {0};
        struct pncp_footer merged;
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_buf_text(&tail, "kept"), PNCP_OK);
        assert_int_equal(pncp_footer_build(cases[i].pieces, 2, KVS, 3, &tail, &merged, &err), PNCP_E_PARSE);
        assert_string_equal(err.msg + strlen("merging parquet footers: "), cases[i].msg);
        assert_true(pncp_view_eq_text(pncp_buf_view(&tail), "kept"));
    }
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_buf_release) struct pncp_buf tail = {0};
    assert_int_equal(pncp_footer_merge(NULL, 1, &one.footer, end, NULL, 0, &tail, NULL, &err), PNCP_E_PARSE);
    assert_int_equal(pncp_footer_merge(&one.footer, 2, &two.footer, end, NULL, 0, &tail, NULL, &err), PNCP_E_PARSE);
    assert_int_equal(tail.len, 0);
}

/* A group whose own offset would come to lie before the file: of a damaged footer, not of ours. */
static void test_group_offset_that_cannot_move(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf raw = {0}, tail = {0};
    AUTO(pncp_footer_release) struct pncp_footer footer = {0};
    struct pncp_thrift_writer w = {.out = &raw};
    struct pncp_err err = PNCP_ERR_INIT;
    pncp_thrift_put_field(&w, 2, PNCP_THRIFT_LIST);
    pncp_thrift_put_raw(&w, PNCP_VIEW_LIT("\x2C\x48\x01r\x15\x02\x00\x15\x04\x38\x01x\x00")); /* root, one INT64 */
    pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I64, 1);
    pncp_thrift_put_field(&w, 4, PNCP_THRIFT_LIST);
    /* a chunk of 100 bytes at 500, in a group that says it begins at 8 */
    pncp_thrift_put_raw(&w, PNCP_VIEW_LIT("\x1C\x19\x1C\x3C\x56\x02\x16\xC8\x01\x16\xC8\x01\x26\xE8\x07\x00\x00"
                                          "\x26\x02\x26\x10\x00"));
    pncp_thrift_struct_end(&w, 0);
    assert_int_equal(w.rc, PNCP_OK);
    sample_ok(pncp_footer_parse(&raw, 2000, &footer, &err), &err);
    assert_int_equal(footer.groups[0].offset, 500);
    const struct pncp_footer_piece moved = {&footer, 0, 1, 4};
    assert_int_equal(pncp_footer_build(&moved, 1, NULL, 0, &tail, NULL, &err), PNCP_E_PARSE);
    assert_string_equal(err.msg, "merging parquet footers: an offset or a column chunk is unsound");
}

/* 32,767 groups are possible, one more is not; the merge says so before it writes anything. */
static void test_number_of_groups(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf raw = {0}, tail = {0};
    AUTO(pncp_footer_release) struct pncp_footer footer = {0}, merged = {0};
    struct pncp_thrift_writer w = {.out = &raw};
    pncp_thrift_put_field(&w, 2, PNCP_THRIFT_LIST);
    pncp_thrift_put_raw(&w, PNCP_VIEW_LIT("\x1C\x48\x01r\x00")); /* a root without columns */
    pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I64, 20000);
    pncp_thrift_put_field(&w, 4, PNCP_THRIFT_LIST);
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, 20000);
    for (int i = 0; i < 20000; i++)
        pncp_thrift_put_raw(&w, (struct pncp_view){"\x19\x0C\x26\x02\x44\x00\x00", 7}); /* one row, ordinal 0 */
    pncp_thrift_struct_end(&w, 0);
    assert_int_equal(pncp_footer_parse(&raw, 12 + raw.len, &footer, NULL), PNCP_OK);
    struct pncp_footer_piece pieces[] = {{&footer, 0, 20000, 4}, {&footer, 0, 12767, 4}};
    assert_int_equal(pncp_footer_build(pieces, 2, NULL, 0, &tail, &merged, NULL), PNCP_OK);
    assert_int_equal(merged.group_count, 32767);
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_footer_group_bytes(&merged, 32766));
    enum pncp_thrift_type type;
    assert_true(sample_find(&r, 7, &type));
    assert_int_equal(pncp_thrift_int(&r, type), 32766);
    pieces[1].count++;
    struct pncp_err err = PNCP_ERR_INIT;
    pncp_buf_clear(&tail);
    assert_int_equal(pncp_footer_build(pieces, 2, NULL, 0, &tail, NULL, &err), PNCP_E_LIMIT);
    assert_string_equal(err.msg, "32768 row groups, at most 32767 are possible");
    assert_int_equal(tail.len, 0);
}

static void test_footer_too_large(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file one = sample_group(3, 1);
    AUTO(pncp_buf_release) struct pncp_buf tail = {0}, value = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_buf_reserve(&value, PNCP_FOOTER_MAX_BYTES), PNCP_OK);
    memset(value.data, 'x', PNCP_FOOTER_MAX_BYTES);
    const struct pncp_kv_pair kv = {"pncp.history", {value.data, PNCP_FOOTER_MAX_BYTES}};
    assert_int_equal(pncp_footer_merge(NULL, 0, &one.footer, 4, &kv, 1, &tail, NULL, &err), PNCP_E_LIMIT);
    assert_string_equal(err.msg, "merging parquet footers: more than 67108864 bytes");
    assert_int_equal(tail.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_grown_by_appends),
        cmocka_unit_test(test_kept_prefix_may_end_anywhere),
        cmocka_unit_test(test_pieces_of_several_files),
        cmocka_unit_test(test_what_cannot_be_merged),
        cmocka_unit_test(test_group_offset_that_cannot_move),
        cmocka_unit_test(test_number_of_groups),
        cmocka_unit_test(test_footer_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
