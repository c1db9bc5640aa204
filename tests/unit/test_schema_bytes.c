/* The schema as Parquet writes it, element by element, and the schema of one column cut out of it. */
#include "model/model.h"
#include "sample_parquet.h"

/* parquet.thrift: Type, FieldRepetitionType, ConvertedType, the field of LogicalType; -1: not said */
struct element {
    const char *name;
    int physical, repetition, children, converted, scale, precision, logical;
};

enum { BOOLEAN, INT32, INT64, BYTE_ARRAY = 6 };
enum { REQUIRED, OPTIONAL, REPEATED };

static const struct element WANT[] = {
    {"schema", -1, -1, 14, -1, -1, -1, -1},
    {"id", INT32, REQUIRED, -1, -1, -1, -1, -1},
    {"nome", BYTE_ARRAY, REQUIRED, -1, 0, -1, -1, 1}, /* UTF8, STRING */
    {"sim", BOOLEAN, OPTIONAL, -1, -1, -1, -1, -1},
    {"pequeno", INT32, OPTIONAL, -1, -1, -1, -1, -1},
    {"grande", INT64, OPTIONAL, -1, -1, -1, -1, -1},
    {"valor", INT64, OPTIONAL, -1, 5, 4, 18, 5},   /* DECIMAL(18,4) */
    {"dia", INT32, OPTIONAL, -1, 6, -1, -1, 6},    /* DATE */
    {"local", INT64, OPTIONAL, -1, -1, -1, -1, 8}, /* TIMESTAMP; TIMESTAMP_MICROS would mean UTC */
    {"utc", INT64, REQUIRED, -1, 10, -1, -1, 8},
    {"chave", BYTE_ARRAY, OPTIONAL, -1, 0, -1, -1, 1},
    {"texto", BYTE_ARRAY, OPTIONAL, -1, 0, -1, -1, 1},
    {"lugar", -1, OPTIONAL, 2, -1, -1, -1, -1},
    {"codigo", INT64, OPTIONAL, -1, -1, -1, -1, -1},
    {"nome", BYTE_ARRAY, OPTIONAL, -1, 0, -1, -1, 1},
    {"itens", -1, OPTIONAL, 1, 3, -1, -1, 3}, /* LIST */
    {"list", -1, REPEATED, 1, -1, -1, -1, -1},
    {"element", -1, OPTIONAL, 7, -1, -1, -1, -1},
    {"numero", INT64, OPTIONAL, -1, -1, -1, -1, -1},
    {"ativo", BOOLEAN, OPTIONAL, -1, -1, -1, -1, -1},
    {"valor", INT64, OPTIONAL, -1, 5, 4, 18, 5},
    {"quando", INT64, OPTIONAL, -1, -1, -1, -1, 8},
    {"texto", BYTE_ARRAY, OPTIONAL, -1, 0, -1, -1, 1},
    {"lugar", -1, OPTIONAL, 2, -1, -1, -1, -1},
    {"codigo", INT64, OPTIONAL, -1, -1, -1, -1, -1},
    {"nome", BYTE_ARRAY, OPTIONAL, -1, 0, -1, -1, 1},
    {"nome", BYTE_ARRAY, OPTIONAL, -1, 0, -1, -1, 1},
    {"fim", INT32, OPTIONAL, -1, -1, -1, -1, -1},
};

static void read_element(struct pncp_thrift_reader *r, struct element *e, struct pncp_view *ret_name,
                         struct pncp_view *ret_logical)
{
    struct pncp_thrift_field field = {0};
    *e = (struct element){NULL, -1, -1, -1, -1, -1, -1, -1};
    while (pncp_thrift_next(r, &field)) {
        int *to[] = {NULL,         &e->physical,  NULL,      &e->repetition, NULL,
                     &e->children, &e->converted, &e->scale, &e->precision};
        const char *from = r->at;
        if (field.id == 4) {
            *ret_name = pncp_thrift_binary(r);
        } else if (field.id == 10) {
            struct pncp_thrift_reader logical = *r;
            struct pncp_thrift_field member = {0};
            assert_true(pncp_thrift_next(&logical, &member)); /* a union: one field */
            e->logical = member.id;
            pncp_thrift_skip(r, field.type);
            *ret_logical = (struct pncp_view){from, (size_t)(r->at - from)};
        } else {
            assert_true((size_t)field.id < PNCP_ARRAY_LEN(to) && to[field.id] != NULL);
            *to[field.id] = (int)pncp_thrift_int(r, field.type);
        }
    }
}

static void check_element(struct pncp_thrift_reader *r, const struct element *want)
{
    static const char local[] = "\x8C\x12\x1C\x2C\x00\x00\x00\x00", utc[] = "\x8C\x11\x1C\x2C\x00\x00\x00\x00";
    static const char decimal[] = "\x5C\x15\x08\x15\x24\x00\x00";
    struct element got;
    struct pncp_view name = {"", 0}, logical = {"", 0};
    read_element(r, &got, &name, &logical);
    if (!pncp_view_eq_text(name, want->name) || got.physical != want->physical || got.repetition != want->repetition ||
        got.children != want->children || got.converted != want->converted || got.scale != want->scale ||
        got.precision != want->precision || got.logical != want->logical)
        fail_msg("element " PNCP_VIEW_FMT " instead of %s", PNCP_VIEW_ARG(name), want->name);
    if (want->logical == 8) /* TIMESTAMP: adjusted to UTC or not, MICROS */
        assert_true(pncp_view_eq(logical, want->converted == 10 ? PNCP_VIEW_LIT(utc) : PNCP_VIEW_LIT(local)));
    if (want->logical == 5)
        assert_true(pncp_view_eq(logical, PNCP_VIEW_LIT(decimal)));
}

static void test_every_element(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf elements = {0}, orders = {0};
    assert_int_equal(pncp_schema_put(sample_schema(), &elements), PNCP_OK);
    assert_int_equal(pncp_schema_put_orders(sample_schema(), &orders), PNCP_OK);
    struct pncp_thrift_reader r = pncp_thrift_open(pncp_buf_view(&elements));
    enum pncp_thrift_type type;
    assert_int_equal(pncp_thrift_list(&r, &type), PNCP_ARRAY_LEN(WANT));
    assert_int_equal(type, PNCP_THRIFT_STRUCT);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(WANT); i++)
        check_element(&r, &WANT[i]);
    assert_false(r.failed);
    assert_ptr_equal(r.at, r.end);
    r = pncp_thrift_open(pncp_buf_view(&orders)); /* one order a column, or min and max mean nothing to readers */
    assert_int_equal(pncp_thrift_list(&r, &type), sample_schema()->leaf_count);
    for (size_t i = 0; i < sample_schema()->leaf_count; i++) {
        assert_memory_equal(r.at, "\x1C\x00\x00", 3); /* TYPE_ORDER */
        pncp_thrift_skip(&r, PNCP_THRIFT_STRUCT);
    }
    assert_ptr_equal(r.at, r.end);
}

/* What a reader knows of each column: its type and levels. */
static void test_columns_of_a_footer(void **state)
{
    (void)state;
    AUTO(sample_file_release) struct sample_file file = sample_group(3, 1);
    const struct pncp_schema *schema = sample_schema();
    assert_int_equal(file.footer.leaf_count, schema->leaf_count);
    for (size_t leaf = 0; leaf < schema->leaf_count; leaf++) {
        const struct pncp_footer_leaf *is = &file.footer.leaves[leaf];
        assert_int_equal(is->physical, pncp_schema_physical(schema->leaves[leaf].type));
        assert_int_equal(is->max_def, schema->leaves[leaf].max_def);
        assert_int_equal(is->max_rep, schema->leaves[leaf].max_rep);
    }
}

static void test_check_schema(void **state)
{
    (void)state;
    static struct pncp_schema lesser;
    AUTO(sample_file_release) struct sample_file file = sample_group(3, 1);
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_footer_check_schema(&file.footer, sample_schema(), &err), PNCP_OK);
    assert_int_equal(pncp_schema_init(&lesser, SAMPLE_COLS, PNCP_ARRAY_LEN(SAMPLE_COLS) - 1, NULL), PNCP_OK);
    assert_int_equal(pncp_footer_check_schema(&file.footer, &lesser, &err), PNCP_E_FOREIGN);
    assert_string_equal(err.msg, "the file's columns are not those of this program's format");
    assert_int_equal(pncp_footer_check_schema(&file.footer, pncp_details_schema(), &err), PNCP_E_FOREIGN);
}

static void test_physical_types(void **state)
{
    (void)state;
    static const int want[] = {
        [PNCP_T_BOOL] = BOOLEAN, [PNCP_T_INT32] = INT32,    [PNCP_T_INT64] = INT64,  [PNCP_T_DEC18_4] = INT64,
        [PNCP_T_DATE] = INT32,   [PNCP_T_LOCAL_US] = INT64, [PNCP_T_UTC_US] = INT64, [PNCP_T_TEXT] = BYTE_ARRAY,
        [PNCP_T_STRUCT] = -1,    [PNCP_T_LIST] = -1};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(want); i++)
        assert_int_equal(pncp_schema_physical((enum pncp_type)i), want[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_element),
        cmocka_unit_test(test_columns_of_a_footer),
        cmocka_unit_test(test_check_schema),
        cmocka_unit_test(test_physical_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
