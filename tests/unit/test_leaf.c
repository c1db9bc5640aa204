/* One column in memory: packed values, levels, rows found again, and what a failure leaves behind: nothing. */
#include "sample.h"
#include "table/table_int.h"

static struct pncp_leaf new_leaf(enum pncp_type type, int16_t max_def, int16_t max_rep)
{
    struct pncp_leaf leaf;
    pncp_leaf_init(&leaf, &(struct pncp_leaf_info){.type = type, .max_def = max_def, .max_rep = max_rep});
    return leaf;
}

static void test_numbers_come_back(void **state)
{
    (void)state;
    static const struct {
        enum pncp_type type;
        size_t width;
        int64_t least, most;
    } cases[] = {
        {PNCP_T_BOOL, 1, 0, 1},
        {PNCP_T_INT32, 4, INT32_MIN, INT32_MAX},
        {PNCP_T_DATE, 4, INT32_MIN, INT32_MAX},
        {PNCP_T_INT64, 8, INT64_MIN, INT64_MAX},
        {PNCP_T_DEC18_4, 8, INT64_MIN, INT64_MAX},
        {PNCP_T_LOCAL_US, 8, INT64_MIN, INT64_MAX},
        {PNCP_T_UTC_US, 8, INT64_MIN, INT64_MAX},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_leaf_release) struct pncp_leaf leaf = new_leaf(cases[i].type, 1, 0);
        assert_int_equal(pncp_type_width(cases[i].type), cases[i].width);
        assert_int_equal(pncp_leaf_put_int(&leaf, 0, cases[i].most), PNCP_OK);
        assert_int_equal(pncp_leaf_put_null(&leaf, 0, 0), PNCP_OK);
        assert_int_equal(pncp_leaf_put_int(&leaf, 0, cases[i].least), PNCP_OK);
        assert_int_equal(leaf.level_count, 3);
        assert_int_equal(leaf.value_count, 2);
        assert_int_equal(leaf.values.len, 2 * cases[i].width);
        assert_true(pncp_leaf_int(&leaf, 0) == cases[i].most && pncp_leaf_int(&leaf, 1) == cases[i].least);
        static const pncp_level def[] = {1, 0, 1};
        assert_memory_equal(leaf.def, def, sizeof(def));
        assert_null(leaf.rep);
    }
    assert_int_equal(pncp_type_width(PNCP_T_TEXT), 0);
    assert_int_equal(pncp_type_width(PNCP_T_STRUCT), 0);
    assert_int_equal(pncp_type_width(PNCP_T_LIST), 0);
}

static void test_texts_come_back(void **state)
{
    (void)state;
    AUTO(pncp_leaf_release) struct pncp_leaf leaf = new_leaf(PNCP_T_TEXT, 1, 0);
    static const char *const texts[] = {"", "ção", "", "x"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(texts); i++) {
        assert_int_equal(pncp_leaf_put_text(&leaf, 0, pncp_view_of(texts[i])), PNCP_OK);
        assert_int_equal(pncp_leaf_put_null(&leaf, 0, 0), PNCP_OK); /* an empty text is not a null one */
    }
    assert_int_equal(leaf.value_count, 4);
    assert_int_equal(leaf.level_count, 8);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(texts); i++) {
        assert_non_null(pncp_leaf_text(&leaf, i).data);
        assert_true(pncp_view_eq_text(pncp_leaf_text(&leaf, i), texts[i]));
    }
}

/* Levels of: [a, null] · null · [] · [null element] · [b] */
static void fill_lists(struct pncp_leaf *leaf)
{
    assert_int_equal(pncp_leaf_put_text(leaf, 0, PNCP_VIEW_LIT("a")), PNCP_OK);
    assert_int_equal(pncp_leaf_put_null(leaf, 1, 3), PNCP_OK);
    assert_int_equal(pncp_leaf_put_null(leaf, 0, 0), PNCP_OK);
    assert_int_equal(pncp_leaf_put_null(leaf, 0, 1), PNCP_OK);
    assert_int_equal(pncp_leaf_put_null(leaf, 0, 2), PNCP_OK);
    assert_int_equal(pncp_leaf_put_text(leaf, 0, PNCP_VIEW_LIT("b")), PNCP_OK);
}

static void test_index_finds_each_row(void **state)
{
    (void)state;
    AUTO(pncp_leaf_release) struct pncp_leaf leaf = new_leaf(PNCP_T_TEXT, 4, 1);
    AUTO(pncp_leaf_index_release) struct pncp_leaf_index index = {0};
    fill_lists(&leaf);
    assert_int_equal(pncp_leaf_rows(&leaf), 5);
    assert_int_equal(pncp_leaf_index_make(&leaf, &index), PNCP_OK);
    static const uint32_t slot[] = {0, 2, 3, 4, 5, 6}, value[] = {0, 1, 1, 1, 1, 2};
    assert_int_equal(index.rows, 5);
    assert_memory_equal(index.slot, slot, sizeof(slot));
    assert_memory_equal(index.value, value, sizeof(value));
}

static void test_index_of_nothing(void **state)
{
    (void)state;
    AUTO(pncp_leaf_release) struct pncp_leaf leaf = new_leaf(PNCP_T_TEXT, 4, 1);
    AUTO(pncp_leaf_index_release) struct pncp_leaf_index index = {0};
    assert_int_equal(pncp_leaf_index_make(&leaf, &index), PNCP_OK);
    assert_int_equal(index.rows, 0);
    assert_int_equal(index.slot[0], 0);
    assert_int_equal(index.value[0], 0);
}

/* `count` rows of a column of 60, one by one: with an index and by scanning. */
static void copy_both_ways(struct pncp_leaf *leaf, const size_t *rows, size_t count, struct pncp_leaf *ret_indexed,
                           struct pncp_leaf *ret_scanned)
{
    AUTO(pncp_leaf_index_release) struct pncp_leaf_index index = {0};
    *ret_indexed = new_leaf(leaf->type, leaf->max_def, leaf->max_rep);
    *ret_scanned = new_leaf(leaf->type, leaf->max_def, leaf->max_rep);
    assert_int_equal(pncp_leaf_index_make(leaf, &index), PNCP_OK);
    assert_int_equal(index.rows, 60);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pncp_leaf_copy_row(ret_indexed, leaf, &index, rows[i]), PNCP_OK);
        assert_int_equal(pncp_leaf_copy_scanned(ret_scanned, leaf, rows[i]), PNCP_OK);
    }
}

/* Rows of random tables, copied one by one in both ways, are the column again. */
static void test_rows_copied_one_by_one(void **state)
{
    (void)state;
    size_t all[60];
    for (size_t row = 0; row < PNCP_ARRAY_LEN(all); row++)
        all[row] = row;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        AUTO(pncp_table_release) struct pncp_table table = sample_table(60, seed);
        for (size_t i = 0; i < table.schema->leaf_count; i++) {
            struct pncp_leaf *leaf = &table.leaves[i];
            AUTO(pncp_leaf_release) struct pncp_leaf indexed, scanned;
            copy_both_ways(leaf, all, PNCP_ARRAY_LEN(all), &indexed, &scanned);
            sample_same_leaf(&indexed, leaf);
            sample_same_leaf(&scanned, leaf);
        }
    }
}

/* Forwards, backwards, the same again; and of a column that was cleared and filled with others. */
static void test_rows_scanned_in_any_order(void **state)
{
    (void)state;
    static const size_t order[] = {30, 31, 33, 32, 32, 0, 59, 58, 1, 17, 40};
    AUTO(pncp_table_release) struct pncp_table table = sample_table(60, 3);
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < table.schema->leaf_count; i++) {
            AUTO(pncp_leaf_release) struct pncp_leaf indexed, scanned;
            copy_both_ways(&table.leaves[i], order, PNCP_ARRAY_LEN(order), &indexed, &scanned);
            sample_same_leaf(&scanned, &indexed);
        }
        pncp_table_clear(&table);
        sample_fill(&table, 60, 4);
    }
}

static void test_rows_in_another_order(void **state)
{
    (void)state;
    AUTO(pncp_leaf_release) struct pncp_leaf leaf = new_leaf(PNCP_T_TEXT, 4, 1);
    AUTO(pncp_leaf_release) struct pncp_leaf turned = new_leaf(PNCP_T_TEXT, 4, 1);
    AUTO(pncp_leaf_index_release) struct pncp_leaf_index index = {0};
    fill_lists(&leaf);
    assert_int_equal(pncp_leaf_index_make(&leaf, &index), PNCP_OK);
    for (size_t row = 5; row-- > 0;)
        assert_int_equal(pncp_leaf_copy_row(&turned, &leaf, &index, row), PNCP_OK);
    static const pncp_level def[] = {4, 2, 1, 0, 4, 3}, rep[] = {0, 0, 0, 0, 0, 1};
    assert_memory_equal(turned.def, def, sizeof(def));
    assert_memory_equal(turned.rep, rep, sizeof(rep));
    assert_true(pncp_view_eq_text(pncp_leaf_text(&turned, 0), "b"));
    assert_true(pncp_view_eq_text(pncp_leaf_text(&turned, 1), "a"));
}

static void test_append_is_as_if_put(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table first = sample_table(20, 7), second = sample_table(30, 8);
    AUTO(pncp_table_release) struct pncp_table whole = sample_table(20, 7), joined = sample_table(0, 0);
    AUTO(pncp_table_release) struct pncp_table empty = sample_table(0, 0);
    sample_fill(&whole, 30, 8);
    for (size_t i = 0; i < whole.schema->leaf_count; i++) {
        assert_int_equal(pncp_leaf_append(&joined.leaves[i], &first.leaves[i]), PNCP_OK);
        assert_int_equal(pncp_leaf_append(&joined.leaves[i], &empty.leaves[i]), PNCP_OK);
        assert_int_equal(pncp_leaf_append(&joined.leaves[i], &second.leaves[i]), PNCP_OK);
        sample_same_leaf(&joined.leaves[i], &whole.leaves[i]);
    }
}

/* What is left after a drop is what was appended after it. */
static void test_drop_takes_the_first_rows(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table first = sample_table(20, 7), second = sample_table(30, 8);
    for (size_t i = 0; i < first.schema->leaf_count; i++) {
        struct pncp_leaf *leaf = &first.leaves[i];
        size_t slots = leaf->level_count, values = leaf->value_count;
        assert_int_equal(pncp_leaf_append(leaf, &second.leaves[i]), PNCP_OK);
        pncp_leaf_drop(leaf, 0, 0);
        assert_int_equal(leaf->level_count, slots + second.leaves[i].level_count);
        pncp_leaf_drop(leaf, slots, values);
        sample_same_leaf(leaf, &second.leaves[i]);
        pncp_leaf_drop(leaf, leaf->level_count, leaf->value_count);
        assert_int_equal(leaf->level_count + leaf->value_count + leaf->values.len, 0);
        assert_int_equal(pncp_leaf_append(leaf, &second.leaves[i]), PNCP_OK);
        sample_same_leaf(leaf, &second.leaves[i]);
    }
}

static void test_clear_and_release(void **state)
{
    (void)state;
    struct pncp_leaf leaf = new_leaf(PNCP_T_TEXT, 4, 1);
    AUTO(pncp_leaf_release) struct pncp_leaf again = new_leaf(PNCP_T_TEXT, 4, 1);
    fill_lists(&again);
    fill_lists(&leaf);
    size_t bytes = pncp_leaf_bytes(&leaf);
    assert_true(bytes >= 6 * 2 * sizeof(int16_t) + 2 * sizeof(uint32_t) + 2);
    pncp_leaf_clear(&leaf);
    assert_int_equal(pncp_leaf_bytes(&leaf), bytes);
    assert_int_equal(pncp_leaf_rows(&leaf), 0);
    fill_lists(&leaf);
    sample_same_leaf(&leaf, &again);
    assert_int_equal(pncp_leaf_bytes(&leaf), bytes);
    pncp_leaf_release(&leaf);
    assert_int_equal(pncp_leaf_bytes(&leaf), 0);
    pncp_leaf_release(&leaf);
}

/* The ceilings are 32-bit offsets: 4 GiB of text, as many slots. Set low here. */
static void test_ceilings_change_nothing(void **state)
{
    (void)state;
    AUTO(pncp_leaf_release) struct pncp_leaf leaf = new_leaf(PNCP_T_TEXT, 1, 0);
    AUTO(pncp_leaf_release) struct pncp_leaf from = new_leaf(PNCP_T_TEXT, 1, 0);
    assert_true(leaf.values.max_bytes == UINT32_MAX);
    leaf.values.max_bytes = 4;
    assert_int_equal(pncp_leaf_put_text(&leaf, 0, PNCP_VIEW_LIT("abc")), PNCP_OK);
    assert_int_equal(pncp_leaf_put_text(&from, 0, PNCP_VIEW_LIT("de")), PNCP_OK);
    assert_int_equal(pncp_leaf_put_text(&leaf, 0, PNCP_VIEW_LIT("de")), PNCP_E_LIMIT);
    assert_int_equal(pncp_leaf_append(&leaf, &from), PNCP_E_LIMIT);
    assert_int_equal(leaf.value_count, 1);
    assert_int_equal(leaf.level_count, 1);
    assert_int_equal(leaf.values.len, 3);
    assert_int_equal(pncp_leaf_put_text(&leaf, 0, PNCP_VIEW_LIT("d")), PNCP_OK);
    size_t count = leaf.level_count;
    leaf.level_count = UINT32_MAX;
    assert_int_equal(pncp_leaf_put_null(&leaf, 0, 0), PNCP_E_LIMIT);
    assert_int_equal(pncp_leaf_put_text(&leaf, 0, PNCP_VIEW_LIT("")), PNCP_E_LIMIT);
    assert_int_equal(pncp_leaf_append(&leaf, &from), PNCP_E_LIMIT);
    leaf.level_count = count;
    assert_int_equal(leaf.value_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_come_back),         cmocka_unit_test(test_texts_come_back),
        cmocka_unit_test(test_index_finds_each_row),      cmocka_unit_test(test_index_of_nothing),
        cmocka_unit_test(test_rows_copied_one_by_one),    cmocka_unit_test(test_rows_scanned_in_any_order),
        cmocka_unit_test(test_rows_in_another_order),     cmocka_unit_test(test_append_is_as_if_put),
        cmocka_unit_test(test_clear_and_release),         cmocka_unit_test(test_ceilings_change_nothing),
        cmocka_unit_test(test_drop_takes_the_first_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
