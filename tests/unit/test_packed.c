/* Cells in a block of memory: what was put comes back, behind what is there already, without room to spare. */
#include "sample.h"
#include "table/packed.h"

static void assert_same(const struct pncp_table *a, const struct pncp_table *b)
{
    for (size_t i = 0; i < a->schema->leaf_count; i++)
        sample_same_leaf(&a->leaves[i], &b->leaves[i]);
}

static void test_what_was_put_comes_back(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf block = {0};
    AUTO(pncp_table_release) struct pncp_table want = sample_table(0, 0), got = sample_table(0, 0);
    size_t leaves = want.schema->leaf_count, at = 0;
    for (size_t i = 1; i <= 3; i++) { /* three puts of different sizes */
        AUTO(pncp_table_release) struct pncp_table some = sample_table(10 * i, i);
        size_t before = block.len;
        sample_fill(&want, 10 * i, i);
        assert_int_equal(pncp_packed_put(&block, some.leaves, leaves), PNCP_OK);
        assert_int_equal(block.len % sizeof(uint32_t), 0);
        assert_true(block.len > before);
        if (i == 1)
            assert_int_equal(block.cap, block.len); /* no room to spare */
    }
    for (size_t i = 1; i <= 3; i++)
        assert_int_equal(pncp_packed_append(&block, &at, got.leaves, leaves), PNCP_OK);
    assert_int_equal(at, block.len);
    assert_same(&got, &want);
}

static void test_some_leaves_alone(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf block = {0};
    AUTO(pncp_table_release) struct pncp_table some = sample_table(20, 7), got = sample_table(0, 0);
    size_t at = 0, first = 1, count = some.schema->leaf_count - 2;
    assert_int_equal(pncp_packed_put(&block, &some.leaves[first], count), PNCP_OK);
    assert_int_equal(pncp_packed_append(&block, &at, &got.leaves[first], count), PNCP_OK);
    for (size_t i = 0; i < some.schema->leaf_count; i++) {
        if (i >= first && i < first + count)
            sample_same_leaf(&got.leaves[i], &some.leaves[i]);
        else
            assert_int_equal(got.leaves[i].level_count, 0);
    }
}

static void test_nothing(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf block = {0};
    AUTO(pncp_table_release) struct pncp_table none = sample_table(0, 0), got = sample_table(0, 0);
    size_t at = 0;
    assert_int_equal(pncp_packed_put(&block, none.leaves, none.schema->leaf_count), PNCP_OK);
    assert_int_equal(pncp_packed_append(&block, &at, got.leaves, got.schema->leaf_count), PNCP_OK);
    assert_int_equal(at, block.len);
    assert_same(&got, &none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_put_comes_back),
        cmocka_unit_test(test_some_leaves_alone),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
