/* The elements of a part as its pages come: each once, the first of them, in their order, and in little memory. */
#include "pncp/part_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct pncp_part_scratch scratch;

static int64_t add(struct pncp_part_rows *rows, const char *page)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    int64_t fresh = -1;
    assert_int_equal(pncp_json_parse(pncp_view_of(page), &json, NULL, NULL), PNCP_OK);
    assert_int_equal(pncp_part_rows_add(rows, &scratch, json.root, &fresh), PNCP_OK);
    for (size_t i = 0; i < scratch.table.schema->leaf_count; i++)
        assert_int_equal(scratch.table.leaves[i].level_count, 0); /* empty between pages */
    return fresh;
}

/* The texts of the column at `path`, behind one another. */
static void assert_texts(const struct pncp_part_rows *rows, const char *path, const char *want)
{
    AUTO(pncp_table_release) struct pncp_table table;
    assert_int_equal(pncp_table_init(&table, pncp_details_schema()), PNCP_OK);
    assert_int_equal(pncp_part_rows_put(rows, &table), PNCP_OK);
    const struct pncp_leaf *leaf = &table.leaves[pncp_schema_find(table.schema, path)];
    assert_int_equal(leaf->level_count, rows->count);
    for (size_t i = 0; i < leaf->level_count; i++)
        assert_int_equal(leaf->rep[i], i > 0);
    assert_int_equal(leaf->values.len, strlen(want));
    assert_memory_equal(leaf->values.data, want, strlen(want));
}

static void test_each_part_has_its_own_id(void **state)
{
    (void)state;
    static const char page[] =
        "[{\"numeroItem\":0,\"sequencialDocumento\":7},{\"numeroItem\":0,\"sequencialDocumento\":8},"
        "{\"numeroItem\":-9223372036854775807,\"sequencialDocumento\":7},{\"numeroItem\":\"0\"},{\"numeroItem\":\"0\"}"
        "]";
    AUTO(pncp_part_rows_release) struct pncp_part_rows itens, arquivos;
    pncp_part_rows_init(&itens, PNCP_PART_ITENS);
    pncp_part_rows_init(&arquivos, PNCP_PART_ARQUIVOS);
    assert_int_equal(add(&itens, page), 4);    /* 0, the smallest, and two without an id */
    assert_int_equal(add(&arquivos, page), 4); /* 7, 8, and two */
    assert_int_equal(itens.misfits, 2);
    assert_int_equal(add(&itens, page), 2); /* those without an id look new for ever */
    assert_int_equal(itens.count, 6);
}

static void test_the_first_stays(void **state)
{
    (void)state;
    AUTO(pncp_part_rows_release) struct pncp_part_rows rows;
    pncp_part_rows_init(&rows, PNCP_PART_ITENS);
    assert_int_equal(add(&rows, "[{\"numeroItem\":2,\"descricao\":\"a\"},{\"numeroItem\":1,\"descricao\":\"b\"},"
                                "{\"numeroItem\":2,\"descricao\":\"c\"}]"),
                     2);
    uint64_t sum = rows.ids_sum;
    assert_int_equal(add(&rows, "[{\"numeroItem\":1,\"descricao\":\"d\"}]"), 0);
    assert_int_equal(rows.ids_sum, sum);
    assert_int_equal(add(&rows, "[{\"numeroItem\":1,\"descricao\":\"d\"},{\"numeroItem\":3,\"descricao\":\"e\"}]"), 1);
    assert_true(rows.ids_sum != sum);
    assert_texts(&rows, "itens.list.element.descricao", "abe");
    /* a reading anew: the same elements in another order have the same sum */
    sum = rows.ids_sum;
    pncp_part_rows_clear(&rows);
    assert_int_equal(rows.count + rows.misfits, 0);
    assert_int_equal(add(&rows, "[{\"numeroItem\":3,\"descricao\":\"x\"},{\"numeroItem\":2,\"descricao\":\"y\"},"
                                "{\"numeroItem\":1,\"descricao\":\"z\"}]"),
                     3);
    assert_true(rows.ids_sum == sum);
    pncp_part_rows_seal(&rows);
    assert_null(rows.ids);
    assert_texts(&rows, "itens.list.element.descricao", "xyz");
}

/* A page of 500 itens: its cells take less than half of its bytes, and the scratch keeps little of it. */
static void test_little_memory(void **state)
{
    (void)state;
    AUTO(pncp_part_rows_release) struct pncp_part_rows rows;
    AUTO(pncp_buf_release) struct pncp_buf page = {0};
    pncp_part_rows_init(&rows, PNCP_PART_ITENS);
    for (int i = 1; i <= 500; i++)
        assert_int_equal(
            pncp_buf_format(
                &page,
                "%s{\"numeroItem\":%d,\"descricao\":\"CANETA ESFEROGRAFICA AZUL, CORPO EM PLASTICO %d\","
                "\"materialOuServico\":\"M\",\"materialOuServicoNome\":\"Material\",\"valorUnitarioEstimado\""
                ":1.25,\"valorTotal\":125.00,\"quantidade\":100,\"unidadeMedida\":\"Unidade\",\"orcamento"
                "Sigiloso\":false,\"itemCategoriaId\":3,\"itemCategoriaNome\":\"Não se aplica\",\"situacaoCo"
                "mpraItem\":2,\"situacaoCompraItemNome\":\"Homologado\",\"dataInclusao\":\"2025-10-22T08:41:"
                "33\",\"dataAtualizacao\":\"2025-10-22T08:41:33\",\"temResultado\":true}",
                i == 1 ? "[" : ",", i, i),
            PNCP_OK);
    assert_int_equal(pncp_buf_append(&page, "]", 2), PNCP_OK);
    assert_int_equal(add(&rows, page.data), 500);
    pncp_part_rows_seal(&rows);
    assert_in_range(rows.cells.cap, 1, page.len / 2);
    size_t spare = 0;
    for (size_t i = 0; i < scratch.table.schema->leaf_count; i++)
        spare += pncp_leaf_bytes(&scratch.table.leaves[i]);
    assert_in_range(spare, 0, (size_t)256 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_part_has_its_own_id),
        cmocka_unit_test(test_the_first_stays),
        cmocka_unit_test(test_little_memory),
    };
    if (pncp_part_scratch_init(&scratch) != PNCP_OK)
        return 1;
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    pncp_part_scratch_release(&scratch);
    return failures;
}
