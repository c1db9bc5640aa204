/* A column tree prepared: levels as in Dremel's paper, paths as Parquet writes them, and the ceilings. */
#include "sample.h"

#include <stdio.h>

static void test_levels_and_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int max_def, max_rep;
    } cases[] = {
        {"id", 0, 0},
        {"nome", 0, 0},
        {"sim", 1, 0},
        {"pequeno", 1, 0},
        {"grande", 1, 0},
        {"valor", 1, 0},
        {"dia", 1, 0},
        {"local", 1, 0},
        {"utc", 0, 0},
        {"chave", 1, 0},
        {"texto", 1, 0},
        {"lugar.codigo", 2, 0},
        {"lugar.nome", 2, 0},
        {"itens.list.element.numero", 4, 1},
        {"itens.list.element.ativo", 4, 1},
        {"itens.list.element.valor", 4, 1},
        {"itens.list.element.quando", 4, 1},
        {"itens.list.element.texto", 4, 1},
        {"itens.list.element.lugar.codigo", 5, 1},
        {"itens.list.element.lugar.nome", 5, 1},
        {"itens.list.element.nome", 4, 1},
        {"fim", 1, 0},
    };
    const struct pncp_schema *schema = sample_schema();
    assert_int_equal(schema->leaf_count, PNCP_ARRAY_LEN(cases));
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        const struct pncp_leaf_info *leaf = &schema->leaves[i];
        assert_string_equal(leaf->path, cases[i].path);
        assert_int_equal(leaf->type, leaf->col->type);
        if (leaf->max_def != cases[i].max_def || leaf->max_rep != cases[i].max_rep)
            fail_msg("%s: %d, %d", leaf->path, leaf->max_def, leaf->max_rep);
        assert_int_equal(pncp_schema_find(schema, cases[i].path), i);
    }
    assert_int_equal(pncp_schema_find(schema, "itens"), -1); /* a list is no column */
    assert_int_equal(pncp_schema_find(schema, "itens.numero"), -1);
    assert_int_equal(pncp_schema_find(schema, ""), -1);
}

static void test_nodes(void **state)
{
    (void)state;
    const struct pncp_schema *schema = sample_schema();
    const struct pncp_node *root = &schema->nodes[0], *itens = sample_node("itens"), *lugar = sample_node("lugar");
    assert_null(root->col);
    assert_int_equal(root->child_count, PNCP_ARRAY_LEN(SAMPLE_COLS));
    assert_int_equal(root->leaf_count, schema->leaf_count);
    assert_int_equal(schema->node_count,
                     1 + PNCP_ARRAY_LEN(SAMPLE_COLS) + PNCP_ARRAY_LEN(SAMPLE_ITEM) + 2 * PNCP_ARRAY_LEN(SAMPLE_LUGAR));
    assert_int_equal(lugar->leaf_count, 2);
    assert_int_equal(lugar->def_null, 0);
    assert_int_equal(lugar->def_present, 1);
    assert_int_equal(lugar->rep, 0);
    assert_int_equal(itens->leaf, 13);
    assert_int_equal(itens->leaf_count, 8);
    assert_int_equal(itens->def_null, 0);
    assert_int_equal(itens->def_present, 1); /* present and empty; 2 is an element that is null, 3 one that is not */
    assert_int_equal(itens->rep, 1);
    const struct pncp_node *inner = &schema->nodes[itens->first_child + 5];
    assert_ptr_equal(inner->col, &SAMPLE_ITEM[5]);
    assert_int_equal(inner->def_null, 3);
    assert_int_equal(inner->def_present, 4);
    assert_int_equal(inner->rep, 1);
    for (size_t i = 1; i < schema->node_count; i++) { /* a leaf's node knows its place */
        const struct pncp_node *node = &schema->nodes[i];
        if (node->child_count == 0)
            assert_ptr_equal(schema->leaves[node->leaf].col, node->col);
    }
}

static void test_required_groups_have_no_level(void **state)
{
    (void)state;
    static const struct pncp_col inner[] = {SAMPLE_COL("x", INT32, SAMPLE_REQ), SAMPLE_COL("y", INT32, 0)};
    static const struct pncp_col cols[] = {
        {"s", PNCP_T_STRUCT, SAMPLE_REQ, inner, 2, "sample"},
        {"l", PNCP_T_LIST, SAMPLE_REQ, inner, 2, "sample"},
    };
    struct pncp_schema schema;
    assert_int_equal(pncp_schema_init(&schema, cols, PNCP_ARRAY_LEN(cols), NULL), PNCP_OK);
    static const int levels[][2] = {{0, 0}, {1, 0}, {2, 1}, {3, 1}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(levels); i++) {
        assert_int_equal(schema.leaves[i].max_def, levels[i][0]);
        assert_int_equal(schema.leaves[i].max_rep, levels[i][1]);
    }
}

static struct pncp_col many[PNCP_SCHEMA_NODES_MAX + 1];

static void test_ceilings(void **state)
{
    (void)state;
    static struct pncp_schema schema;
    struct pncp_err err = PNCP_ERR_INIT;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(many); i++)
        many[i] = (struct pncp_col)SAMPLE_COL("x", INT32, 0);
    assert_int_equal(pncp_schema_init(&schema, many, PNCP_SCHEMA_LEAVES_MAX, &err), PNCP_OK);
    assert_int_equal(pncp_schema_init(&schema, many, PNCP_SCHEMA_LEAVES_MAX + 1, &err), PNCP_E_LIMIT);
    assert_string_equal(err.msg, "schema has more than 160 columns");
    assert_int_equal(pncp_schema_init(&schema, many, PNCP_SCHEMA_NODES_MAX, &err), PNCP_E_LIMIT);
    assert_string_equal(err.msg, "schema has more than 256 nodes");
    assert_int_equal(pncp_schema_init(&schema, many, 0, &err), PNCP_OK);
    assert_int_equal(schema.leaf_count, 0);
}

static void test_longest_path(void **state)
{
    (void)state;
    static struct pncp_schema schema;
    static char name[97];
    struct pncp_err err = PNCP_ERR_INIT;
    const struct pncp_col leaf = {name, PNCP_T_INT32, 0, NULL, 0, "sample"};
    const struct pncp_col list = {"l", PNCP_T_LIST, 0, &leaf, 1, "sample"};
    memset(name, 'n', 95 - strlen("l.list.element."));
    assert_int_equal(pncp_schema_init(&schema, &list, 1, &err), PNCP_OK);
    assert_int_equal(strlen(schema.leaves[0].path), 95);
    name[strlen(name)] = 'n';
    assert_int_equal(pncp_schema_init(&schema, &list, 1, &err), PNCP_E_LIMIT);
    assert_int_equal(strncmp(err.msg, "column path l.list.element.nnn", 30), 0);
    memset(name, 'n', 96);
    assert_int_equal(pncp_schema_init(&schema, &leaf, 1, &err), PNCP_E_LIMIT);
}

/* An older version has the first columns of each level; what is below a new one is new. */
static void test_versions(void **state)
{
    (void)state;
    static struct pncp_schema schema;
    static const struct pncp_col inner[] = {
        {"a", PNCP_T_INT32, 0, NULL, 0, ""},
        {"b", PNCP_T_INT32, PNCP_COL_SINCE(3), NULL, 0, ""},
    };
    static const struct pncp_col cols[] = {
        {"objeto", PNCP_T_STRUCT, 0, inner, 2, ""},
        {"extra", PNCP_T_TEXT, PNCP_COL_EXTRA, NULL, 0, ""},
        {"lista", PNCP_T_LIST, PNCP_COL_SINCE(2), inner, 2, ""},
    };
    static const struct {
        const char *path;
        unsigned since;
    } cases[] = {
        {"objeto.a", 1}, {"objeto.b", 3}, {"extra", 1}, {"lista.list.element.a", 2}, {"lista.list.element.b", 3},
    };
    assert_int_equal(pncp_schema_newest(cols, PNCP_ARRAY_LEN(cols)), 3);
    assert_int_equal(pncp_schema_newest(cols, 2), 3);
    assert_int_equal(pncp_schema_newest(inner, 1), 1);
    for (unsigned version = 1; version <= 3; version++) {
        assert_int_equal(pncp_schema_init_version(&schema, cols, PNCP_ARRAY_LEN(cols), version, NULL), PNCP_OK);
        assert_int_equal(schema.version, version);
        for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
            int leaf = pncp_schema_find(&schema, cases[i].path);
            assert_int_equal(leaf >= 0, cases[i].since <= version);
            if (leaf >= 0)
                assert_int_equal(schema.leaves[leaf].since, cases[i].since);
        }
        for (unsigned before = 1; before <= version; before++)
            assert_int_equal(pncp_schema_has_grown(&schema, &schema.nodes[0], before), before < version);
    }
    const struct pncp_node *objeto = &schema.nodes[schema.nodes[0].first_child];
    assert_true(pncp_schema_has_grown(&schema, objeto, 2));
    assert_false(pncp_schema_has_grown(&schema, objeto, 3));
    assert_ptr_equal(pncp_schema_extra(&schema, &schema.nodes[0]), objeto + 1);
    assert_null(pncp_schema_extra(&schema, objeto));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels_and_paths),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_required_groups_have_no_level),
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_longest_path),
        cmocka_unit_test(test_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
