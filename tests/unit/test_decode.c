/* One JSON object as cells: what fits exactly, what goes to `extra` and under which name, in whatever order keys come.
 */
#include "base/random.h"
#include "pncp/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COL(name, type, flags)                                                                                         \
    {                                                                                                                  \
        name, PNCP_T_##type, flags, NULL, 0, "test"                                                                    \
    }
#define TREE(name, type, cols)                                                                                         \
    {                                                                                                                  \
        name, PNCP_T_##type, 0, (cols), PNCP_ARRAY_LEN(cols), "test"                                                   \
    }
#define EXTRA COL("extra", TEXT, PNCP_COL_DERIVED | PNCP_COL_EXTRA)

static const struct pncp_col DENTRO[] = {COL("x", INT32, 0)};
static const struct pncp_col OBJETO[] = {COL("codigo", INT32, 0), COL("nome", TEXT, 0), TREE("dentro", STRUCT, DENTRO)};
static const struct pncp_col ITEM[] = {COL("numero", INT64, 0), COL("valor", DEC18_4, 0),
                                       TREE("objeto", STRUCT, OBJETO), EXTRA};
static const struct pncp_col COLS[] = {
    COL("sim", BOOL, 0),
    COL("i32", INT32, 0),
    COL("i64", INT64, 0),
    COL("dec", DEC18_4, 0),
    COL("quando", LOCAL_US, 0),
    COL("texto", TEXT, 0),
    TREE("objeto", STRUCT, OBJETO),
    TREE("lista", LIST, ITEM),
    COL("cnpj", TEXT, PNCP_COL_DERIVED),
    EXTRA,
};

static const struct pncp_schema *schema(void)
{
    static struct pncp_schema prepared;
    if (prepared.node_count == 0)
        assert_int_equal(pncp_schema_init(&prepared, COLS, PNCP_ARRAY_LEN(COLS), NULL), PNCP_OK);
    return &prepared;
}

/* Decode the text as one more row; gives the misfits. */
static int64_t add_row(struct pncp_decoder *decoder, struct pncp_view text)
{
    struct pncp_table *table = decoder->table;
    AUTO(pncp_json_release) struct pncp_json json = {0};
    int64_t before = decoder->misfits;
    assert_int_equal(pncp_json_parse(text, &json, NULL, NULL), PNCP_OK);
    pncp_table_row_begin(table);
    assert_int_equal(pncp_decode_record(decoder, &schema()->nodes[0], json.root, 0), PNCP_OK);
    assert_int_equal(pncp_leaf_put_null(&table->leaves[pncp_schema_find(schema(), "cnpj")], 0, 0), PNCP_OK);
    pncp_table_row_end(table);
    return decoder->misfits - before;
}

/* A column's slots in words: values, and nulls as n and their level, between bars. */
static void put_slots(const struct pncp_leaf *leaf, struct pncp_buf *out)
{
    for (size_t slot = 0, value = 0; slot < leaf->level_count; slot++) {
        enum pncp_code rc = pncp_buf_text(out, slot == 0 ? "" : "|");
        if (rc == PNCP_OK && leaf->def[slot] < leaf->max_def)
            rc = pncp_buf_format(out, "n%d", leaf->def[slot]);
        else if (rc == PNCP_OK && leaf->type == PNCP_T_TEXT)
            rc = pncp_buf_append(out, pncp_leaf_text(leaf, value).data, pncp_leaf_text(leaf, value).len);
        else if (rc == PNCP_OK)
            rc = pncp_buf_format(out, "%" PRId64, pncp_leaf_int(leaf, value));
        value += leaf->def[slot] == leaf->max_def;
        assert_int_equal(rc, PNCP_OK);
    }
}

static void check_column(const struct pncp_table *table, const char *path, const char *want, const char *json)
{
    AUTO(pncp_buf_release) struct pncp_buf slots = {0};
    int leaf = pncp_schema_find(schema(), path);
    assert_true(leaf >= 0);
    put_slots(&table->leaves[leaf], &slots);
    if (!pncp_view_eq_text(pncp_buf_view(&slots), want))
        fail_msg("%s: %s is " PNCP_VIEW_FMT " instead of %s", json, path, PNCP_VIEW_ARG(pncp_buf_view(&slots)), want);
}

/* ---- scalars --------------------------------------------------------------------------------- */

/* What does not fit is null, counted once, and in `extra` as it came. */
static const struct {
    const char *key, *json, *cell; /* cell NULL: a misfit */
} SCALARS[] = {
    {"sim", "true", "1"},
    {"sim", "false", "0"},
    {"sim", "null", "n0"},
    {"sim", "0", NULL},
    {"sim", "\"true\"", NULL},
    {"sim", "{}", NULL},
    {"i32", "5", "5"},
    {"i32", "-0", "0"},
    {"i32", "5.00", "5"}, /* exactly a whole number */
    {"i32", "5e0", "5"},
    {"i32", "0.5e1", "5"},
    {"i32", "50e-1", "5"},
    {"i32", "2147483647", "2147483647"},
    {"i32", "-2147483648", "-2147483648"},
    {"i32", "2147483648", NULL},
    {"i32", "-2147483649", NULL},
    {"i32", "5.5", NULL},
    {"i32", "1e10", NULL},
    {"i32", "\"5\"", NULL},
    {"i32", "true", NULL},
    {"i32", "[5]", NULL},
    {"i32", "{\"a\":[1,{\"b\":2.50}]}", NULL},
    {"i64", "9223372036854775807", "9223372036854775807"},
    {"i64", "-9223372036854775807", "-9223372036854775807"},
    {"i64", "9223372036854775808", NULL},
    {"i64", "1e19", NULL},
    {"dec", "100720.00", "1007200000"},
    {"dec", "0.0545", "545"},
    {"dec", "-0.0001", "-1"},
    {"dec", "28.66660", "286666"},
    {"dec", "1.5e3", "15000000"},
    {"dec", "15E+2", "15000000"},
    {"dec", "15000e-4", "15000"},
    {"dec", "0e-10", "0"},
    {"dec", "99999999999999.9999", "999999999999999999"},
    {"dec", "-99999999999999.9999", "-999999999999999999"},
    {"dec", "100000000000000", NULL}, /* 19 digits with its scale */
    {"dec", "28.66665", NULL},
    {"dec", "1e-5", NULL},
    {"dec", "1e400", NULL},
    {"dec", "1e99999999999999999999", NULL},
    {"dec", "\"100.00\"", NULL},
    {"quando", "\"1970-01-01T00:00:01\"", "1000000"},
    {"quando", "\"1970-01-01T00:00:00.5\"", "500000"},
    {"quando", "\"1970-01-01T00:00:00.123456\"", "123456"},
    {"quando", "\"1969-12-31T23:59:59\"", "-1000000"},
    {"quando", "\"1970-01-01T00:00:00.1234567\"", NULL},
    {"quando", "\"1970-01-01T00:00:00Z\"", NULL}, /* a zone is not what the column means */
    {"quando", "\"1970-01-01T00:00:00-03:00\"", NULL},
    {"quando", "\"1970-01-01\"", NULL},
    {"quando", "\"1970-02-30T00:00:00\"", NULL},
    {"quando", "\"\"", NULL},
    {"quando", "0", NULL},
    {"texto", "\"\"", ""},
    {"texto", "\"  com brancos \"", "  com brancos "},
    {"texto", "\"a\\u00e7\\u00e3o \\ud83d\\ude00\\n\\/\"", "ação 😀\n/"},
    {"texto", "\"nome\xC2\xA0\xEF\xBF\xBE\xEF\xBF\xBF\"", "nome\xC2\xA0\xEF\xBF\xBE\xEF\xBF\xBF"},
    {"texto", "5", NULL},
    {"texto", "false", NULL},
    {"texto", "[\"a\"]", NULL},
    {"objeto", "5", NULL},
    {"objeto", "\"x\"", NULL},
    {"objeto", "[]", NULL},
    {"lista", "5", NULL},
    {"lista", "{}", NULL},
    {"lista", "\"[]\"", NULL},
    {"lista", "[1]", NULL},
    {"lista", "[{\"numero\":1},null]", NULL}, /* whole or not at all */
    {"lista", "[{\"numero\":1},[]]", NULL},
};

static void test_scalars(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(SCALARS); i++) {
        AUTO(pncp_table_release) struct pncp_table table;
        AUTO(pncp_decoder_release) struct pncp_decoder decoder;
        AUTO(pncp_buf_release) struct pncp_buf json = {0};
        assert_int_equal(pncp_table_init(&table, schema()), PNCP_OK);
        pncp_decoder_init(&decoder, &table);
        assert_int_equal(pncp_buf_format(&json, "{\"%s\":%s}", SCALARS[i].key, SCALARS[i].json), PNCP_OK);
        int64_t misfits = add_row(&decoder, pncp_buf_view(&json));
        bool is_tree = strcmp(SCALARS[i].key, "objeto") == 0 || strcmp(SCALARS[i].key, "lista") == 0;
        const char *column = !is_tree                   ? SCALARS[i].key
                             : SCALARS[i].key[0] == 'o' ? "objeto.nome"
                                                        : "lista.list.element.numero";
        assert_int_equal(pncp_buf_append(&json, "", 1), PNCP_OK); /* as a C text */
        check_column(&table, column, SCALARS[i].cell == NULL ? "n0" : SCALARS[i].cell, json.data);
        check_column(&table, "extra", SCALARS[i].cell == NULL ? json.data : "n0", json.data);
        if (misfits != (SCALARS[i].cell == NULL))
            fail_msg("%s: %" PRId64 " misfits", json.data, misfits);
    }
}

/* ---- objects and lists ----------------------------------------------------------------------- */

static const struct {
    const char *json;
    int64_t misfits;
    const char *extra; /* of the record */
    const char *path, *cells;
} RECORDS[] = {
    /* absent and null are the same; an empty object is not null */
    {"{}", 0, "n0", "objeto.nome", "n0"},
    {"{\"objeto\":null}", 0, "n0", "objeto.nome", "n0"},
    {"{\"objeto\":{}}", 0, "n0", "objeto.nome", "n1"},
    {"{\"objeto\":{\"nome\":null}}", 0, "n0", "objeto.nome", "n1"},
    {"{\"objeto\":{}}", 0, "n0", "objeto.dentro.x", "n1"},
    {"{\"objeto\":{\"dentro\":{}}}", 0, "n0", "objeto.dentro.x", "n2"},
    {"{\"objeto\":{\"dentro\":{\"x\":7}}}", 0, "n0", "objeto.dentro.x", "7"},
    {"{\"lista\":null}", 0, "n0", "lista.list.element.numero", "n0"},
    {"{\"lista\":[]}", 0, "n0", "lista.list.element.numero", "n1"},
    {"{\"lista\":[{}]}", 0, "n0", "lista.list.element.numero", "n3"},
    {"{\"lista\":[{\"numero\":1},{},{\"numero\":3}]}", 0, "n0", "lista.list.element.numero", "1|n3|3"},
    {"{\"lista\":[{\"objeto\":{}},{\"objeto\":{\"nome\":\"a\"}},{}]}", 0, "n0", "lista.list.element.objeto.nome",
     "n4|a|n3"},
    /* unknown keys, as they came */
    {"{\"novo\":100720.00}", 0, "{\"novo\":100720.00}", "i32", "n0"},
    {"{\"novo\":null}", 0, "{\"novo\":null}", "i32", "n0"},
    {"{\"a\":1e+05,\"i32\":1,\"b\":[{}, \"\\u00e7\" ]}", 0, "{\"a\":1e+05,\"b\":[{},\"ç\"]}", "i32", "1"},
    {"{\"\":1,\"a\\\"b\\u0000\":2}", 0, "{\"\":1,\"a\\\"b\\u0000\":2}", "i32", "n0"},
    {"{\"I32\":1,\"i3\":2,\"i322\":3}", 0, "{\"I32\":1,\"i3\":2,\"i322\":3}", "i32", "n0"},
    /* the program's own columns are not the API's */
    {"{\"cnpj\":\"x\",\"extra\":{\"y\":1}}", 0, "{\"cnpj\":\"x\",\"extra\":{\"y\":1}}", "cnpj", "n0"},
    /* of a nested object under its name, of misfits too */
    {"{\"objeto\":{\"novo\":1,\"nome\":\"a\"}}", 0, "{\"objeto\":{\"novo\":1}}", "objeto.nome", "a"},
    {"{\"objeto\":{\"codigo\":\"7\",\"nome\":\"a\"}}", 1, "{\"objeto\":{\"codigo\":\"7\"}}", "objeto.codigo", "n1"},
    {"{\"objeto\":{\"dentro\":{\"novo\":1,\"x\":1.5}}}", 1, "{\"objeto\":{\"dentro\":{\"novo\":1,\"x\":1.5}}}",
     "objeto.dentro.x", "n2"},
    {"{\"objeto\":{\"dentro\":5,\"z\":6}}", 1, "{\"objeto\":{\"z\":6,\"dentro\":5}}", "objeto.dentro.x", "n1"},
    {"{\"novo\":1,\"sim\":2,\"objeto\":{\"z\":3},\"texto\":4}", 2,
     "{\"novo\":1,\"sim\":2,\"texto\":4,\"objeto\":{\"z\":3}}", "texto", "n0"},
    /* an element has its own */
    {"{\"lista\":[{\"novo\":1},{\"numero\":2},{\"valor\":\"3\",\"objeto\":{\"z\":4}}]}", 1, "n0",
     "lista.list.element.extra", "{\"novo\":1}|n3|{\"valor\":\"3\",\"objeto\":{\"z\":4}}"},
    {"{\"a\":1,\"lista\":[{\"b\":2}],\"texto\":3}", 1, "{\"a\":1,\"texto\":3}", "lista.list.element.extra",
     "{\"b\":2}"},
    {"{\"lista\":[{\"extra\":1}]}", 0, "n0", "lista.list.element.extra", "{\"extra\":1}"},
};

static void test_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(RECORDS); i++) {
        AUTO(pncp_table_release) struct pncp_table table;
        AUTO(pncp_decoder_release) struct pncp_decoder decoder;
        assert_int_equal(pncp_table_init(&table, schema()), PNCP_OK);
        pncp_decoder_init(&decoder, &table);
        int64_t misfits = add_row(&decoder, pncp_view_of(RECORDS[i].json));
        check_column(&table, RECORDS[i].path, RECORDS[i].cells, RECORDS[i].json);
        check_column(&table, "extra", RECORDS[i].extra, RECORDS[i].json);
        if (misfits != RECORDS[i].misfits)
            fail_msg("%s: %" PRId64 " misfits", RECORDS[i].json, misfits);
    }
}

/* What is no object at all gives a row of nulls. */
static void test_no_object(void **state)
{
    (void)state;
    static const char *const cases[] = {"null", "5", "[]", "[{\"i32\":1}]", "\"{}\""};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_table_release) struct pncp_table table;
        AUTO(pncp_decoder_release) struct pncp_decoder decoder;
        assert_int_equal(pncp_table_init(&table, schema()), PNCP_OK);
        pncp_decoder_init(&decoder, &table);
        assert_int_equal(add_row(&decoder, pncp_view_of(cases[i])), 0);
        for (size_t k = 0; k < schema()->leaf_count; k++) {
            assert_int_equal(table.leaves[k].level_count, 1);
            assert_int_equal(table.leaves[k].def[0], 0);
        }
    }
}

/* ---- order of keys --------------------------------------------------------------------------- */

static const char *const MEMBERS[] = {"\"sim\":true",
                                      "\"i32\":32",
                                      "\"i64\":64",
                                      "\"dec\":1.5",
                                      "\"quando\":\"1970-01-01T00:00:01\"",
                                      "\"texto\":\"t\"",
                                      "\"objeto\":{\"codigo\":1,\"nome\":\"n\",\"dentro\":{\"x\":2}}",
                                      "\"lista\":[{\"numero\":1,\"valor\":2},{\"valor\":3,\"numero\":4}]",
                                      "\"u\":1",
                                      "\"v\":2",
                                      "\"w\":3"};

/* The decoder remembers where a key stood in the last object: whatever comes next, the cells are the same. */
static void test_keys_in_any_order(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table table;
    AUTO(pncp_decoder_release) struct pncp_decoder decoder;
    assert_int_equal(pncp_table_init(&table, schema()), PNCP_OK);
    pncp_decoder_init(&decoder, &table);
    uint64_t seed = 7;
    for (int round = 0; round < 500; round++) {
        size_t order[PNCP_ARRAY_LEN(MEMBERS)] = {0};
        AUTO(pncp_buf_release) struct pncp_buf json = {0};
        for (size_t i = 0; i < PNCP_ARRAY_LEN(order); i++) {
            size_t at = round % 3 == 0 ? i : pncp_splitmix(&seed) % (i + 1);
            order[i] = order[at];
            order[at] = i;
        }
        bool absent = round % 5 == 4; /* one key fewer now and then: all others move up */
        for (size_t i = absent; i < PNCP_ARRAY_LEN(order); i++)
            assert_int_equal(pncp_buf_format(&json, "%c%s", i == absent ? '{' : ',', MEMBERS[order[i]]), PNCP_OK);
        assert_int_equal(pncp_buf_format(&json, "}"), PNCP_OK);
        pncp_table_clear(&table);
        assert_int_equal(add_row(&decoder, pncp_buf_view(&json)), 0);
        static const char *const columns[] = {"sim",    "i32",   "i64",         "dec",
                                              "quando", "texto", "objeto.nome", "lista.list.element.numero"};
        static const char *const cells[] = {"1", "32", "64", "15000", "1000000", "t", "n", "1|4"};
        for (size_t i = 0; i < PNCP_ARRAY_LEN(columns); i++)
            check_column(&table, columns[i], absent && order[0] == i ? "n0" : cells[i], "shuffled");
        check_column(&table, "objeto.dentro.x", absent && order[0] == 6 ? "n0" : "2", "shuffled");
        check_column(&table, "lista.list.element.valor", absent && order[0] == 7 ? "n0" : "20000|30000", "shuffled");
        const struct pncp_view extra = pncp_leaf_text(&table.leaves[pncp_schema_find(schema(), "extra")], 0);
        assert_int_equal(extra.len, absent && order[0] >= 8 ? 13 : 19);
    }
}

static void test_long_texts(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table table;
    AUTO(pncp_decoder_release) struct pncp_decoder decoder;
    AUTO(pncp_buf_release) struct pncp_buf json = {0};
    enum { LETTERS = 1000000 };
    assert_int_equal(pncp_table_init(&table, schema()), PNCP_OK);
    pncp_decoder_init(&decoder, &table);
    for (int key = 0; key < 2; key++) {
        assert_int_equal(pncp_buf_text(&json, key == 0 ? "{\"texto\":\"" : "\",\"novo\":\""), PNCP_OK);
        for (int i = 0; i < LETTERS; i++)
            assert_int_equal(pncp_buf_text(&json, "ç"), PNCP_OK);
    }
    assert_int_equal(pncp_buf_text(&json, "\"}"), PNCP_OK);
    assert_int_equal(add_row(&decoder, pncp_buf_view(&json)), 0);
    struct pncp_view text = pncp_leaf_text(&table.leaves[pncp_schema_find(schema(), "texto")], 0);
    struct pncp_view extra = pncp_leaf_text(&table.leaves[pncp_schema_find(schema(), "extra")], 0);
    assert_int_equal(text.len, 2 * LETTERS);
    assert_memory_equal(text.data, json.data + 10, text.len);
    assert_int_equal(extra.len, 2 * LETTERS + strlen("{\"novo\":\"\"}"));
    assert_memory_equal(extra.data + 9, text.data, text.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),    cmocka_unit_test(test_records),           cmocka_unit_test(test_no_object),
        cmocka_unit_test(test_long_texts), cmocka_unit_test(test_keys_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
