/* Footers that leave RowGroup structs in their file: what is made of them has the bytes that it would have anyway, and
 * what was left can be read again. */
#include "sample_parquet.h"

#define GROUPS 6

static const struct pncp_kv_pair KVS[] = {SAMPLE_KV("pncp.format", "details 1"),
                                          SAMPLE_KV(PNCP_FOOTER_CRC_KEY, PNCP_FOOTER_CRC_BLANK),
                                          SAMPLE_KV("pncp.commit", "00112233445566778899aabbccddeeff")};

static struct sample_file grown(size_t groups)
{
    struct sample_file file = {0};
    for (size_t i = 0; i < groups; i++) {
        AUTO(sample_file_release) struct sample_file added = sample_group(3 + i, i);
        struct sample_file next = sample_append(i == 0 ? NULL : &file, i, &added, KVS, PNCP_ARRAY_LEN(KVS));
        sample_file_release(&file);
        file = next;
    }
    return file;
}

static struct pncp_footer read_again(const struct sample_file *file)
{
    struct pncp_footer footer = {0};
    assert_int_equal(sample_read(&file->bytes, &footer, NULL), PNCP_OK);
    return footer;
}

static enum pncp_code make(const struct pncp_footer *old, size_t keep, const struct pncp_footer *added,
                           struct pncp_footer *ret_made, struct pncp_err *err)
{
    uint64_t end = keep == 0 ? 4 : old->groups[keep - 1].offset + old->groups[keep - 1].bytes;
    const struct pncp_footer_piece pieces[] = {{old, 0, keep, 4}, {added, 0, added->group_count, end}};
    return pncp_footer_make(pieces, 2, KVS, PNCP_ARRAY_LEN(KVS), ret_made, err);
}

/* What follows the data when `made` was made of `first`, whose file is `file`. */
static struct pncp_buf tail_bytes(const struct pncp_footer *made, const struct pncp_footer *first,
                                  const struct pncp_buf *file)
{
    struct pncp_buf bytes = {0};
    struct pncp_footer_tail tail = pncp_footer_tail(made, first);
    assert_true(tail.left_at + tail.left_bytes <= file->len || tail.left_bytes == 0);
    assert_int_equal(pncp_buf_append(&bytes, tail.head.data, tail.head.len), PNCP_OK);
    assert_int_equal(pncp_buf_append(&bytes, file->data + tail.left_at, (size_t)tail.left_bytes), PNCP_OK);
    assert_int_equal(pncp_buf_append(&bytes, tail.rest.data, tail.rest.len), PNCP_OK);
    return bytes;
}

static void check_numbers(const struct pncp_footer *got, const struct pncp_footer *want)
{
    assert_int_equal(got->group_count, want->group_count);
    assert_int_equal(got->rows, want->rows);
    assert_int_equal(got->data_end, want->data_end);
    assert_int_equal(got->file_bytes, want->file_bytes);
    assert_int_equal(got->kv_count, want->kv_count);
    for (size_t i = 0; i < got->kv_count; i++) {
        assert_true(pncp_view_eq(got->kvs[i].key, want->kvs[i].key));
        assert_true(pncp_view_eq(got->kvs[i].value, want->kvs[i].value));
    }
    assert_true(pncp_view_eq(got->schema, want->schema));
    assert_true(pncp_view_eq(got->created_by, want->created_by));
    assert_true(pncp_view_eq(got->column_orders, want->column_orders));
    for (size_t i = 0; i < got->group_count; i++) {
        assert_int_equal(got->groups[i].rows, want->groups[i].rows);
        assert_int_equal(got->groups[i].offset, want->groups[i].offset);
        assert_int_equal(got->groups[i].bytes, want->groups[i].bytes);
        assert_int_equal(got->groups[i].footer_offset, want->groups[i].footer_offset);
        assert_int_equal(got->groups[i].footer_bytes, want->groups[i].footer_bytes);
        for (size_t leaf = 0; i >= got->left.groups && leaf < got->leaf_count; leaf++) {
            struct pncp_chunk a, b;
            assert_int_equal(pncp_footer_chunk(got, i, leaf, &a, NULL), PNCP_OK);
            assert_int_equal(pncp_footer_chunk(want, i, leaf, &b, NULL), PNCP_OK);
            assert_true(a.offset == b.offset && a.bytes == b.bytes && a.value_slots == b.value_slots);
        }
    }
}

/* Whatever is left and whatever is kept, the new footer's bytes are those of one made with everything at hand. */
static void test_the_same_bytes(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = grown(GROUPS), added = sample_group(9, 99);
    for (size_t left = 0; left <= GROUPS; left++) {
        for (size_t keep = left; keep <= GROUPS; keep++) {
            AUTO(pncp_footer_release) struct pncp_footer holed = read_again(&file), made = {0}, want = {0};
            struct pncp_err err = PNCP_ERR_INIT;
            pncp_footer_leave(&holed, left / 2); /* in two steps, the second beside the first */
            pncp_footer_leave(&holed, left);
            assert_int_equal(holed.left.groups, left);
            check_numbers(&holed, &file.footer);
            sample_ok(make(&holed, keep, &added.footer, &made, &err), &err);
            sample_ok(make(&file.footer, keep, &added.footer, &want, &err), &err);
            check_numbers(&made, &want);
            assert_int_equal(made.left.groups, left);
            AUTO(pncp_buf_release) struct pncp_buf got = tail_bytes(&made, &holed, &file.bytes);
            struct pncp_footer_tail whole = pncp_footer_tail(&want, &file.footer);
            assert_int_equal(whole.left_bytes, 0);
            assert_int_equal(got.len, whole.rest.len);
            assert_memory_equal(got.data, whole.rest.data, got.len);
            got.len -= 8;
            AUTO(pncp_footer_release) struct pncp_footer parsed = {0};
            sample_ok(pncp_footer_parse(&got, want.file_bytes, &parsed, &err), &err);
            assert_true(pncp_footer_crc_is_right(&parsed));
        }
    }
}

/* A day: each version is made of the one before, which leaves more and more in its file. */
static void test_version_after_version(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = grown(1);
    AUTO(pncp_footer_release) struct pncp_footer now = read_again(&file);
    for (size_t n = 1; n < 12; n++) {
        /* the number of all rows gets longer: what was left does not begin where it did */
        AUTO(sample_file_release) struct sample_file added = sample_group(n == 6 ? 60 : 2 + n % 4, n);
        AUTO(pncp_footer_release) struct pncp_footer made = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        sample_ok(make(&now, n, &added.footer, &made, &err), &err);
        AUTO(pncp_buf_release) struct pncp_buf tail = tail_bytes(&made, &now, &file.bytes);
        file.bytes.len = (size_t)now.data_end;
        assert_int_equal(pncp_buf_append(&file.bytes, added.bytes.data + 4, added.footer.data_end - 4), PNCP_OK);
        assert_int_equal(pncp_buf_append(&file.bytes, tail.data, tail.len), PNCP_OK);
        AUTO(pncp_footer_release) struct pncp_footer read = read_again(&file);
        assert_true(pncp_footer_crc_is_right(&read));
        check_numbers(&made, &read);
        pncp_footer_release(&now);
        now = made;
        made = (struct pncp_footer){0};
        pncp_footer_leave(&now, n < 3 ? 0 : n - 2);
        check_numbers(&now, &read);
    }
}

static void test_what_was_left_stays(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = grown(3), other = sample_group(2, 7);
    AUTO(pncp_footer_release) struct pncp_footer holed = read_again(&file);
    uint64_t end = file.footer.data_end;
    pncp_footer_leave(&holed, 2);
    const struct {
        struct pncp_footer_piece pieces[2];
        enum pncp_code code;
    } cases[] = {
        {{{&holed, 0, 2, 4}, {&other.footer, 0, 1, end}}, PNCP_OK},
        {{{&holed, 0, 3, 4}, {&other.footer, 0, 1, end}}, PNCP_OK},
        {{{&other.footer, 0, 1, 4}, {&holed, 2, 1, end}}, PNCP_OK},      /* it has that one at hand */
        {{{&holed, 0, 1, 4}, {&other.footer, 0, 1, end}}, PNCP_E_PARSE}, /* one of the two left out */
        {{{&holed, 0, 0, 4}, {&other.footer, 0, 1, end}}, PNCP_E_PARSE},
        {{{&holed, 2, 1, 4}, {&other.footer, 0, 1, end}}, PNCP_E_PARSE},
        {{{&holed, 0, 2, 5}, {&other.footer, 0, 1, end}}, PNCP_E_PARSE}, /* moved */
        {{{&other.footer, 0, 1, 4}, {&holed, 0, 3, end}}, PNCP_E_PARSE},
        {{{&other.footer, 0, 1, 4}, {&holed, 1, 1, end}}, PNCP_E_PARSE},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_footer_release) struct pncp_footer made = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_footer_make(cases[i].pieces, 2, KVS, 3, &made, &err), cases[i].code);
        if (cases[i].code != PNCP_OK)
            assert_string_equal(err.msg, "merging parquet footers: a row group was left in its file");
    }
    struct pncp_chunk chunk;
    assert_int_equal(pncp_footer_chunk(&holed, 1, 0, &chunk, NULL), PNCP_E_PARSE);
    assert_int_equal(pncp_footer_chunk(&holed, 2, 0, &chunk, NULL), PNCP_OK);
}

static void test_read_again(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = grown(GROUPS);
    AUTO(pncp_footer_release) struct pncp_footer holed = read_again(&file);
    struct pncp_view view = pncp_buf_view(&file.bytes);
    struct pncp_source source = pncp_source_of_view(&view);
    struct pncp_err err = PNCP_ERR_INIT;
    pncp_footer_leave(&holed, GROUPS - 1);
    for (size_t i = 0; i < GROUPS; i++) {
        AUTO(pncp_footer_release) struct pncp_footer recalled = {0};
        const struct pncp_footer *footer = &holed;
        size_t group = i;
        sample_ok(pncp_footer_recall(&footer, &group, &source, &recalled, &err), &err);
        assert_ptr_equal(footer, i < GROUPS - 1 ? &recalled : &holed);
        AUTO(pncp_table_release) struct pncp_table got = sample_read_table(&source, footer, sample_schema(), group, 1);
        AUTO(pncp_table_release) struct pncp_table want = sample_table(3 + i, i);
        sample_same_table(&got, &want);
    }
    /* damage is told with the group's number in the file */
    file.bytes.data[holed.groups[2].offset + 60] ^= 0x55;
    AUTO(pncp_footer_release) struct pncp_footer recalled = {0};
    AUTO(pncp_leaf_release) struct pncp_leaf leaf;
    const struct pncp_footer *footer = &holed;
    size_t group = 2, failed = 0;
    sample_ok(pncp_footer_recall(&footer, &group, &source, &recalled, &err), &err);
    for (size_t i = 0; i < sample_schema()->leaf_count; i++) {
        pncp_leaf_init(&leaf, &sample_schema()->leaves[i]);
        if (pncp_parquet_read_leaf(NULL, &source, footer, i, group, 1, &leaf, &err) == PNCP_E_PARSE) {
            assert_non_null(strstr(err.msg, "row group 2, column "));
            failed++;
        }
        pncp_leaf_release(&leaf);
    }
    pncp_leaf_init(&leaf, &sample_schema()->leaves[0]);
    assert_int_equal(failed, 1);
    /* the file is another */
    memset(file.bytes.data + pncp_footer_at(&holed) + holed.groups[1].footer_offset, 0, holed.groups[1].footer_bytes);
    pncp_footer_release(&recalled);
    footer = &holed;
    group = 1;
    assert_int_equal(pncp_footer_recall(&footer, &group, &source, &recalled, &err), PNCP_E_PARSE);
    assert_non_null(strstr(err.msg, "damaged parquet footer: "));
    source.size = pncp_footer_at(&holed);
    view.len = (size_t)source.size;
    pncp_footer_release(&recalled);
    footer = &holed;
    group = 0;
    assert_int_not_equal(pncp_footer_recall(&footer, &group, &source, &recalled, &err), PNCP_OK);
}

static void numbers_alone(size_t left)
{
    AUTO(sample_file_release) struct sample_file file = grown(GROUPS);
    AUTO(pncp_footer_release) struct pncp_footer footer = read_again(&file);
    struct pncp_view view = pncp_buf_view(&file.bytes);
    struct pncp_source source = pncp_source_of_view(&view);
    size_t before = footer.raw.len;
    pncp_footer_leave(&footer, left);
    assert_int_equal(pncp_footer_unpack(&footer, &source, NULL), PNCP_OK);
    assert_int_equal(pncp_footer_unpack(&footer, &source, NULL), PNCP_OK); /* once is enough */
    assert_int_equal(footer.left.groups, GROUPS);
    assert_true(footer.raw.len < before / 2);
    AUTO(pncp_table_release) struct pncp_table got = sample_read_table(&source, &footer, sample_schema(), 0, GROUPS);
    AUTO(pncp_table_release) struct pncp_table want = sample_table(0, 0);
    for (size_t i = 0; i < GROUPS; i++)
        sample_fill(&want, 3 + i, i);
    sample_same_table(&got, &want);
    struct pncp_chunk chunk;
    assert_int_equal(pncp_footer_chunk(&footer, GROUPS, 0, &chunk, NULL), PNCP_E_PARSE);
    assert_int_equal(pncp_footer_chunk(&footer, 0, footer.leaf_count, &chunk, NULL), PNCP_E_PARSE);
}

static void test_numbers_alone(void **state)
{
    (void)state;
    numbers_alone(0);
    numbers_alone(2); /* read from the file */
    numbers_alone(GROUPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_bytes),      cmocka_unit_test(test_version_after_version),
        cmocka_unit_test(test_what_was_left_stays), cmocka_unit_test(test_read_again),
        cmocka_unit_test(test_numbers_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
