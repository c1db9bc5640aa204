/* Rows: every node's slots, a row undone without a trace, cells copied between schemas, and the check at a row's end.
 */
#include "sample.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_slot(const struct pncp_table *table, size_t leaf, size_t slot, int16_t rep, int16_t def)
{
    const struct pncp_leaf *l = &table->leaves[leaf];
    assert_true(slot < l->level_count);
    assert_int_equal(l->def[slot], def);
    if (l->max_rep > 0)
        assert_int_equal(l->rep[slot], rep);
}

static void test_slots_of_each_kind_of_nothing(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table table = sample_table(0, 0);
    const struct pncp_node *itens = sample_node("itens"), *lugar = sample_node("lugar");
    const struct pncp_node *numero = &table.schema->nodes[itens->first_child];
    const struct pncp_node *inner = &table.schema->nodes[itens->first_child + 5];
    pncp_table_row_begin(&table);
    assert_int_equal(pncp_table_put_null(&table, itens, 0), PNCP_OK);
    assert_int_equal(pncp_table_put_empty(&table, itens, 0), PNCP_OK);
    assert_int_equal(pncp_table_put_null(&table, lugar, 0), PNCP_OK);
    for (size_t i = 0; i < itens->leaf_count; i++) {
        assert_int_equal(table.leaves[itens->leaf + i].level_count, 2);
        check_slot(&table, itens->leaf + i, 0, 0, 0);
        check_slot(&table, itens->leaf + i, 1, 0, 1);
    }
    assert_int_equal(pncp_table_put_null(&table, numero, 1), PNCP_OK);
    check_slot(&table, numero->leaf, 2, 1, 3);
    assert_int_equal(pncp_table_put_null(&table, inner, 1), PNCP_OK);
    check_slot(&table, inner->leaf, 2, 1, 3); /* the object is null: its fields are so at its own level */
    check_slot(&table, inner->leaf + 1, 2, 1, 3);
    const struct pncp_node *codigo = &table.schema->nodes[inner->first_child];
    assert_int_equal(pncp_table_put_null(&table, codigo, 1), PNCP_OK);
    check_slot(&table, codigo->leaf, 3, 1, 4);
    check_slot(&table, lugar->leaf, 0, 0, 0);
    check_slot(&table, lugar->leaf + 1, 0, 0, 0);
    for (size_t i = 0; i < table.schema->leaf_count; i++)
        assert_int_equal(table.leaves[i].value_count, 0);
    pncp_table_row_undo(&table);
}

static void test_undone_row_leaves_no_trace(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table table = sample_table(5, 3), want = sample_table(5, 3);
    const struct pncp_node *root = &table.schema->nodes[0];
    size_t bytes = pncp_table_bytes(&table);
    for (size_t columns = 0; columns <= root->child_count; columns++) { /* given up after each column */
        uint64_t seed = columns;
        pncp_table_row_begin(&table);
        for (size_t i = 0; i < columns; i++)
            sample_put(&table, &table.schema->nodes[root->first_child + i], 0, &seed);
        pncp_table_row_undo(&table);
        pncp_table_row_undo(&table); /* there is none now */
        sample_same_table(&table, &want);
        assert_int_equal(pncp_table_bytes(&table), bytes);
    }
    sample_fill(&table, 4, 9);
    sample_fill(&want, 4, 9);
    sample_same_table(&table, &want);
}

static void test_take_clear_release(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table table = sample_table(5, 3), want = sample_table(5, 3);
    struct pncp_table taken = pncp_table_take(&table);
    sample_same_table(&taken, &want);
    assert_null(table.leaves);
    assert_int_equal(table.rows, 0);
    pncp_table_release(&table);
    pncp_table_row_begin(&taken);
    pncp_table_clear(&taken);
    assert_int_equal(taken.rows, 0);
    assert_false(taken.in_row);
    assert_int_equal(pncp_table_bytes(&taken), 0);
    sample_fill(&taken, 5, 3);
    sample_same_table(&taken, &want);
    pncp_table_release(&taken);
    pncp_table_release(&taken);
    assert_null(taken.leaves);
}

/* Bytes in use follow what is put, to the byte: texts, numbers, levels. */
static void test_bytes_in_use(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table table = sample_table(1, 1);
    size_t bytes = pncp_table_bytes(&table);
    pncp_table_row_begin(&table);
    assert_int_equal(pncp_leaf_put_text(&table.leaves[1], 0, PNCP_VIEW_LIT("0123456789")), PNCP_OK);
    assert_int_equal(pncp_table_bytes(&table), bytes + 10 + sizeof(uint32_t) + 2 * sizeof(pncp_level));
    assert_int_equal(pncp_leaf_put_int(&table.leaves[4], 0, 7), PNCP_OK);
    assert_int_equal(pncp_table_bytes(&table), bytes + 10 + 8 + sizeof(uint32_t) + 4 * sizeof(pncp_level));
    pncp_table_row_undo(&table);
    assert_int_equal(pncp_table_bytes(&table), bytes);
}

/* Leaves [1, n) of one schema are leaves [0, n - 1) of another that lacks the first column. */
static void test_cells_copied_into_another_schema(void **state)
{
    (void)state;
    static struct pncp_schema lesser;
    assert_int_equal(pncp_schema_init(&lesser, SAMPLE_COLS + 1, PNCP_ARRAY_LEN(SAMPLE_COLS) - 1, NULL), PNCP_OK);
    AUTO(pncp_table_release) struct pncp_table from = sample_table(40, 5);
    AUTO(pncp_table_release) struct pncp_table to;
    assert_int_equal(pncp_table_init(&to, &lesser), PNCP_OK);
    for (size_t row = 0; row < from.rows; row++) {
        pncp_table_row_begin(&to);
        assert_int_equal(pncp_table_copy_cells(&to, 0, &from, 1, 12, row), PNCP_OK);
        assert_int_equal(pncp_table_copy_cells(&to, 12, &from, 13, lesser.leaf_count - 12, row), PNCP_OK);
        pncp_table_row_end(&to);
    }
    for (size_t i = 0; i < lesser.leaf_count; i++)
        sample_same_leaf(&to.leaves[i], &from.leaves[i + 1]);
}

/* ---- the check at the end of a row is an assert: a child process meets it -------------------- */

enum fault { NO_FAULT, LEAF_LEFT_OUT, LIST_LEFT_OUT, LEAF_TWICE, STARTS_INSIDE_A_LIST };

static void end_row_with(enum fault fault)
{
    struct pncp_table table = sample_table(2, 1);
    const struct pncp_node *root = &table.schema->nodes[0], *itens = sample_node("itens");
    uint64_t seed = 1;
    pncp_table_row_begin(&table); /* undone: what it leaves in memory looks like the start of a list */
    assert_int_equal(pncp_table_put_null(&table, itens, 0), PNCP_OK);
    pncp_table_row_undo(&table);
    pncp_table_row_begin(&table);
    for (size_t i = 0; i < root->child_count; i++) {
        const struct pncp_node *node = &table.schema->nodes[root->first_child + i];
        if (fault == STARTS_INSIDE_A_LIST && node == itens)
            assert_int_equal(pncp_table_put_null(&table, node, 1), PNCP_OK);
        else if (!(fault == LEAF_LEFT_OUT && i == 3) && !(fault == LIST_LEFT_OUT && node == itens))
            sample_put(&table, node, 0, &seed);
        if (fault == LEAF_TWICE && i == 3)
            sample_put(&table, node, 0, &seed);
    }
    pncp_table_row_end(&table);
    pncp_table_release(&table);
}

static void test_row_end_checks_every_leaf(void **state)
{
    (void)state;
    for (enum fault fault = NO_FAULT; fault <= STARTS_INSIDE_A_LIST; fault++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
            (void)dup2(null, STDERR_FILENO);
            (void)signal(SIGABRT, SIG_DFL); /* cmocka and the sanitizers have their own */
            end_row_with(fault);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (fault == NO_FAULT)
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        else
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots_of_each_kind_of_nothing),
        cmocka_unit_test(test_undone_row_leaves_no_trace),
        cmocka_unit_test(test_take_clear_release),
        cmocka_unit_test(test_bytes_in_use),
        cmocka_unit_test(test_cells_copied_into_another_schema),
        cmocka_unit_test(test_row_end_checks_every_leaf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
