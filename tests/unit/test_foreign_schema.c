/* Foreign schemas as trees of JSON values: structs, the lists of all writers, columns with a dot, types that cannot be
 * shown. */
#include "parquet/footer_int.h"
#include "parquet/foreign_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* parquet.thrift: Type, FieldRepetitionType, ConvertedType, LogicalType */
enum { GROUP = -1, BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTES, FIXED };
enum { REQ, OPT, REP };
enum {
    CONV_UTF8 = 0,
    CONV_MAP = 1,
    CONV_MAP_KEY_VALUE = 2,
    CONV_LIST = 3,
    CONV_DECIMAL = 5,
    CONV_TIME_MILLIS = 7,
    CONV_TIMESTAMP_MILLIS = 9,
    CONV_TIMESTAMP_MICROS = 10,
    CONV_UINT_8 = 11,
    CONV_INT_64 = 18,
    CONV_INTERVAL = 21
};

/* LogicalType, as far as the cases need it */
enum logical { L_NONE, L_INSTANT_NS, L_LOCAL_US, L_UINT_8, L_ALWAYS_NULL, L_DECIMAL_4, L_DATE, L_UUID, L_FUTURE };

struct element {
    const char *name;
    int physical; /* GROUP */
    int repetition, children;
    int converted; /* plus 1; 0: none */
    int width, scale;
    enum logical logical;
};

#define C(code) ((code) + 1)
#define ROOT(n)                                                                                                        \
    {                                                                                                                  \
        "schema", GROUP, REQ, (n), 0, 0, 0, L_NONE                                                                     \
    }
#define COL(name, physical)                                                                                            \
    {                                                                                                                  \
        (name), (physical), OPT, 0, 0, 0, 0, L_NONE                                                                    \
    }
#define STRUCT(name, n)                                                                                                \
    {                                                                                                                  \
        (name), GROUP, OPT, (n), 0, 0, 0, L_NONE                                                                       \
    }
#define LIST(name)                                                                                                     \
    {                                                                                                                  \
        (name), GROUP, OPT, 1, C(CONV_LIST), 0, 0, L_NONE                                                              \
    }
#define MANY(name, n)                                                                                                  \
    {                                                                                                                  \
        (name), GROUP, REP, (n), 0, 0, 0, L_NONE                                                                       \
    }

#define ELEMENTS_MAX 10

#define CONVERTED(name, physical, converted)                                                                           \
    {                                                                                                                  \
        (name), (physical), OPT, 0, C(converted), 0, 0, L_NONE                                                         \
    }
#define LOGICAL(name, physical, logical)                                                                               \
    {                                                                                                                  \
        (name), (physical), OPT, 0, 0, 0, 0, (logical)                                                                 \
    }
#define FIXED_COL(name, width)                                                                                         \
    {                                                                                                                  \
        (name), FIXED, OPT, 0, 0, (width), 0, L_NONE                                                                   \
    }
#define REPEATED(name, physical)                                                                                       \
    {                                                                                                                  \
        (name), (physical), REP, 0, 0, 0, 0, L_NONE                                                                    \
    }
#define GROUPED(name, converted)                                                                                       \
    {                                                                                                                  \
        (name), GROUP, OPT, 1, C(converted), 0, 0, L_NONE                                                              \
    }

struct schema_case {
    const char *name;
    struct element elements[ELEMENTS_MAX]; /* up to the first without a name */
    const char *tree;                      /* NULL: refused, and `error` is in the message */
    const char *error;
};

/* A leaf is kind, definition and repetition level; an array [ has the levels from which it is there and not empty. */
static const struct schema_case CASES[] = {
    {"plain columns",
     {ROOT(2), COL("a", INT32), {"b", BYTES, REQ, 0, C(CONV_UTF8), 0, 0, L_NONE}},
     "{a:int/1/0,b:text/0/0}",
     NULL},
    {"a struct",
     {ROOT(2), STRUCT("orgaoEntidade", 2), COL("cnpj", BYTES), COL("id", INT64), COL("x", BOOLEAN)},
     "{orgaoEntidade:{cnpj:text/2/0,id:int/2/0}1,x:bool/1/0}",
     NULL},
    {"a required struct in a struct",
     {ROOT(1), STRUCT("a", 1), {"b", GROUP, REQ, 1, 0, 0, 0, L_NONE}, COL("c", INT32)},
     "{a:{b:{c:int/2/0}1}1}",
     NULL},
    {"a list as the format has it",
     {ROOT(1), LIST("f"), MANY("list", 1), STRUCT("element", 2), COL("a", INT32), COL("b", BYTES)},
     "{f:[1,2 {a:int/4/1,b:text/4/1}3]}",
     NULL},
    {"a list of scalars", {ROOT(1), LIST("f"), MANY("list", 1), COL("element", BYTES)}, "{f:[1,2 text/3/1]}", NULL},
    {"a list of lists",
     {ROOT(1), LIST("f"), MANY("list", 1), LIST("element"), MANY("list", 1), COL("item", INT32)},
     "{f:[1,2 [3,4 int/5/2]]}",
     NULL},
    {"rule 1: the repeated child is no group",
     {ROOT(1), LIST("f"), REPEATED("element", INT32)},
     "{f:[1,2 int/2/1]}",
     NULL},
    {"rule 2: the repeated group has two members",
     {ROOT(1), LIST("f"), MANY("element", 2), COL("a", INT32), COL("b", INT32)},
     "{f:[1,2 {a:int/3/1,b:int/3/1}2]}",
     NULL},
    {"rule 3: its only member is repeated",
     {ROOT(1), LIST("f"), MANY("element", 1), REPEATED("items", INT32)},
     "{f:[1,2 {items:[2,3 int/3/2]}2]}",
     NULL},
    {"rule 4: it is called array",
     {ROOT(1), LIST("f"), MANY("array", 1), COL("a", INT32)},
     "{f:[1,2 {a:int/3/1}2]}",
     NULL},
    {"rule 4: it is called like a tuple",
     {ROOT(1), LIST("f"), MANY("f_tuple", 1), COL("a", INT32)},
     "{f:[1,2 {a:int/3/1}2]}",
     NULL},
    {"a tuple of another name", {ROOT(1), LIST("f"), MANY("g_tuple", 1), COL("a", INT32)}, "{f:[1,2 int/3/1]}", NULL},
    {"repeated without a list",
     {ROOT(2), REPEATED("a", BYTES), MANY("b", 1), COL("c", INT32)},
     "{a:[0,1 text/1/1],b:[0,1 {c:int/2/1}1]}",
     NULL},
    {"a map",
     {ROOT(1),
      GROUPED("m", CONV_MAP),
      MANY("key_value", 2),
      {"key", BYTES, REQ, 0, 0, 0, 0, L_NONE},
      COL("value", INT32)},
     "{m:[1,2 {key:text/2/1,value:int/3/1}2]}",
     NULL},
    {"a map of an old writer",
     {ROOT(1), GROUPED("m", CONV_MAP_KEY_VALUE), MANY("map", 2), COL("key", BYTES), COL("value", INT32)},
     "{m:[1,2 {key:text/3/1,value:int/3/1}2]}",
     NULL},
    {"a list that is none", {ROOT(1), GROUPED("f", CONV_LIST), COL("x", INT32)}, "{f:{x:int/2/0}1}", NULL},
    {"names with a dot",
     {ROOT(4), COL("o.cnpj", BYTES), COL("x", INT32), COL("o.nome", BYTES), COL("o.uf.sigla", BYTES)},
     "{o:.{cnpj:text/1/0,nome:text/1/0,uf:.{sigla:text/1/0}},x:int/1/0}",
     NULL},
    {"the bare name before",
     {ROOT(3), COL("o", DOUBLE), COL("x", INT32), COL("o.cnpj", BYTES)},
     "{o:.{cnpj:text/1/0}|double/1/0,x:int/1/0}",
     NULL},
    {"the bare name behind",
     {ROOT(2), COL("o.cnpj", BYTES), COL("o", DOUBLE)},
     "{o:.{cnpj:text/1/0}|double/1/0}",
     NULL},
    {"a struct that is also dotted",
     {ROOT(2), STRUCT("o", 1), COL("a", INT32), COL("o.b", INT32)},
     "{o:.{b:int/1/0}|{a:int/2/0}1}",
     NULL},
    {"dots without a name",
     {ROOT(5), COL(".a", INT32), COL("a.", INT32), COL("a..b", INT32), COL(".", INT32),
      COL("1.2.3.4.5.6.7.8.9.10", INT32)},
     "{.a:int/1/0,a.:int/1/0,a..b:int/1/0,.:int/1/0,1.2.3.4.5.6.7.8.9.10:int/1/0}",
     NULL},
    {"a dot within a struct stays",
     {ROOT(1), STRUCT("s", 2), COL("a.b", INT32), COL("a.c", INT32)},
     "{s:{a.b:int/2/0,a.c:int/2/0}1}",
     NULL},
    {"converted types",
     {ROOT(5),
      CONVERTED("a", INT64, CONV_TIMESTAMP_MILLIS),
      CONVERTED("b", INT64, CONV_TIMESTAMP_MICROS),
      CONVERTED("c", INT32, CONV_UINT_8),
      CONVERTED("d", INT64, CONV_INT_64),
      {"e", INT32, OPT, 0, C(CONV_DECIMAL), 0, 2, L_NONE}},
     "{a:time1000/1/0,b:time1000000/1/0,c:uint/1/0,d:int/1/0,e:decimal2/1/0}",
     NULL},
    {"logical types",
     {ROOT(6),
      LOGICAL("a", INT64, L_INSTANT_NS),
      {"b", INT64, OPT, 0, C(CONV_TIMESTAMP_MICROS), 0, 0, L_LOCAL_US},
      LOGICAL("c", INT32, L_UINT_8),
      LOGICAL("d", INT32, L_ALWAYS_NULL),
      {"e", FIXED, OPT, 0, 0, 5, 0, L_DECIMAL_4},
      LOGICAL("f", INT32, L_DATE)},
     "{a:instant1000000000/1/0,b:time1000000/1/0,c:uint/1/0,d:int/1/0,e:decimal4/1/0,f:date/1/0}",
     NULL},
    {"bytes of a fixed length", {ROOT(2), FIXED_COL("a", 14), COL("b", INT96)}, "{a:text/1/0,b:int96/1/0}", NULL},
    /* refused */
    {"a time of day", {ROOT(1), CONVERTED("hora", INT32, CONV_TIME_MILLIS)}, NULL, "column hora: TIME stored as INT32"},
    {"an interval",
     {ROOT(1), STRUCT("s", 1), {"i", FIXED, OPT, 0, C(CONV_INTERVAL), 12, 0, L_NONE}},
     NULL,
     "column s.i: INTERVAL stored as FIXED_LEN_BYTE_ARRAY"},
    {"a UUID", {ROOT(1), {"u", FIXED, OPT, 0, 0, 16, 0, L_UUID}}, NULL, "column u: UUID"},
    {"a type of the future", {ROOT(1), LOGICAL("u", INT32, L_FUTURE)}, NULL, "logical type 100"},
    {"no such physical type", {ROOT(1), COL("u", 9)}, NULL, "column u: a type without a name"},
    {"text in an integer", {ROOT(1), CONVERTED("u", INT32, CONV_UTF8)}, NULL, "STRING stored as INT32"},
    {"too wide", {ROOT(1), FIXED_COL("u", PNCP_FOREIGN_FIXED_MAX_BYTES + 1)}, NULL, "FIXED_LEN_BYTE_ARRAY(1025)"},
    {"of no width", {ROOT(1), LOGICAL("u", FIXED, L_NONE)}, NULL, "FIXED_LEN_BYTE_ARRAY(0)"},
    {"a scale beyond all", {ROOT(1), {"u", BYTES, OPT, 0, C(CONV_DECIMAL), 0, 77, L_NONE}}, NULL, "DECIMAL"},
    {"a scale below zero", {ROOT(1), {"u", BYTES, OPT, 0, C(CONV_DECIMAL), 0, -1, L_NONE}}, NULL, "DECIMAL"},
    {"one name twice", {ROOT(2), COL("a", INT32), COL("a", INT32)}, NULL, "column a is there twice"},
    {"one name twice, in a struct",
     {ROOT(1), STRUCT("s", 2), COL("a", INT32), COL("a", BYTES)},
     NULL,
     "column s.a is there twice"},
    {"one dotted name twice", {ROOT(2), COL("a.b", INT32), COL("a.b", INT32)}, NULL, "column a.b is there twice"},
    {"the bare name twice", {ROOT(3), COL("a.b", INT32), COL("a", INT32), COL("a", INT32)}, NULL, "is there twice"},
    {"a name that is not UTF-8", {ROOT(1), COL("pre\xE7o", INT32)}, NULL, "column ?: its name is not UTF-8"},
    {"a name of two lines", {ROOT(1), COL("a\nb", 9)}, NULL, "column a?b: "},
};

/* ---- schema bytes, and the tree as text ------------------------------------------------------- */

static void put_empty(struct pncp_thrift_writer *w, int16_t field)
{
    pncp_thrift_put_field(w, field, PNCP_THRIFT_STRUCT);
    pncp_thrift_struct_end(w, pncp_thrift_struct_begin(w));
}

/* The union LogicalType: one field, whose struct has the parameters. */
static void put_logical(struct pncp_thrift_writer *w, enum logical logical)
{
    static const int16_t members[] = {0, 8, 8, 10, 11, 5, 6, 14, 100};
    pncp_thrift_put_field(w, 10, PNCP_THRIFT_STRUCT);
    int16_t outer = pncp_thrift_struct_begin(w);
    pncp_thrift_put_field(w, members[logical], PNCP_THRIFT_STRUCT);
    int16_t member = pncp_thrift_struct_begin(w);
    if (logical == L_INSTANT_NS || logical == L_LOCAL_US) {
        pncp_thrift_put_field(w, 1, logical == L_INSTANT_NS ? PNCP_THRIFT_TRUE : PNCP_THRIFT_FALSE);
        pncp_thrift_put_field(w, 2, PNCP_THRIFT_STRUCT);
        int16_t unit = pncp_thrift_struct_begin(w);
        put_empty(w, logical == L_INSTANT_NS ? 3 : 2);
        pncp_thrift_struct_end(w, unit);
    } else if (logical == L_UINT_8) {
        pncp_thrift_put_field(w, 1, PNCP_THRIFT_BYTE);
        pncp_thrift_put_raw(w, PNCP_VIEW_LIT("\10"));
        pncp_thrift_put_field(w, 2, PNCP_THRIFT_FALSE);
    } else if (logical == L_DECIMAL_4) {
        pncp_thrift_put_int_field(w, 1, PNCP_THRIFT_I32, 4);
        pncp_thrift_put_int_field(w, 2, PNCP_THRIFT_I32, 10);
    }
    pncp_thrift_struct_end(w, member);
    pncp_thrift_struct_end(w, outer);
}

static void put_element(struct pncp_thrift_writer *w, const struct element *e)
{
    int16_t outer = pncp_thrift_struct_begin(w);
    if (e->physical != GROUP)
        pncp_thrift_put_int_field(w, 1, PNCP_THRIFT_I32, e->physical);
    if (e->physical == FIXED)
        pncp_thrift_put_int_field(w, 2, PNCP_THRIFT_I32, e->width);
    pncp_thrift_put_int_field(w, 3, PNCP_THRIFT_I32, e->repetition);
    pncp_thrift_put_field(w, 4, PNCP_THRIFT_BINARY);
    pncp_thrift_put_binary(w, pncp_view_of(e->name));
    if (e->children > 0)
        pncp_thrift_put_int_field(w, 5, PNCP_THRIFT_I32, e->children);
    if (e->converted > 0)
        pncp_thrift_put_int_field(w, 6, PNCP_THRIFT_I32, e->converted - 1);
    if (e->scale != 0)
        pncp_thrift_put_int_field(w, 7, PNCP_THRIFT_I32, e->scale);
    if (e->logical != L_NONE)
        put_logical(w, e->logical);
    pncp_thrift_struct_end(w, outer);
}

static void put_schema(struct pncp_buf *bytes, const struct element *elements, size_t count)
{
    struct pncp_thrift_writer w = {.out = bytes};
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, count);
    for (size_t i = 0; i < count; i++)
        put_element(&w, &elements[i]);
    assert_int_equal(w.rc, PNCP_OK);
}

static void put_tree(struct pncp_buf *text, const struct pncp_foreign_schema *schema, uint16_t number)
{
    static const char *const kinds[] = {"bool", "int",     "uint", "float", "double",
                                        "text", "decimal", "date", "time",  "int96"};
    const struct pncp_foreign_node *node = &schema->nodes[number];
    const struct pncp_foreign_leaf *leaf = &schema->leaves[node->leaf];
    enum pncp_code rc = PNCP_OK;
    switch (node->shape) {
    case PNCP_FOREIGN_LEAF:
        rc = pncp_buf_text(text, leaf->type.instant ? "instant" : kinds[leaf->type.kind]);
        if (rc == PNCP_OK && leaf->type.kind == PNCP_FOREIGN_TIMESTAMP)
            rc = pncp_buf_format(text, "%" PRId64, leaf->type.ticks_per_second);
        if (rc == PNCP_OK && leaf->type.kind == PNCP_FOREIGN_DECIMAL)
            rc = pncp_buf_format(text, "%" PRId32, leaf->type.scale);
        if (rc == PNCP_OK)
            rc = pncp_buf_format(text, "/%d/%d", leaf->max_def, leaf->max_rep);
        assert_int_equal(node->def, leaf->max_def);
        break;
    case PNCP_FOREIGN_OBJECT:
        rc = pncp_buf_text(text, node->dotted ? ".{" : "{");
        for (uint16_t child = node->first_child; child != 0; child = schema->nodes[child].next) {
            assert_int_equal(pncp_buf_format(text, "%s" PNCP_VIEW_FMT ":", child == node->first_child ? "" : ",",
                                             PNCP_VIEW_ARG(schema->nodes[child].name)),
                             PNCP_OK);
            put_tree(text, schema, child);
        }
        if (rc == PNCP_OK)
            rc = number == 0 || node->dotted ? pncp_buf_text(text, "}") : pncp_buf_format(text, "}%d", node->def);
        if (node->plain != 0) {
            assert_int_equal(pncp_buf_text(text, "|"), PNCP_OK);
            put_tree(text, schema, node->plain);
        }
        break;
    case PNCP_FOREIGN_ARRAY:
        rc = pncp_buf_format(text, "[%d,%d ", node->def, node->element_def);
        put_tree(text, schema, node->first_child);
        if (rc == PNCP_OK)
            rc = pncp_buf_text(text, "]");
        break;
    }
    assert_int_equal(rc, PNCP_OK);
}

static size_t count_elements(const struct schema_case *c, size_t *ret_leaves)
{
    size_t count = 0;
    *ret_leaves = 0;
    for (; count < ELEMENTS_MAX && c->elements[count].name != NULL; count++)
        *ret_leaves += c->elements[count].children == 0;
    return count;
}

static void test_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(CASES); i++) {
        const struct schema_case *c = &CASES[i];
        AUTO(pncp_buf_release) struct pncp_buf bytes = {0}, text = {0};
        struct pncp_footer footer = {0};
        put_schema(&bytes, c->elements, count_elements(c, &footer.leaf_count));
        footer.schema = pncp_buf_view(&bytes);
        struct pncp_err err = PNCP_ERR_INIT;
        struct pncp_foreign_schema schema;
        enum pncp_code rc = pncp_foreign_schema_init(&schema, &footer, &err);
        if ((rc == PNCP_OK) != (c->tree != NULL))
            fail_msg("%s: %s %s", c->name, pncp_code_name(rc), err.msg);
        if (c->tree == NULL) {
            assert_int_equal(rc, PNCP_E_PARSE);
            if (strstr(err.msg, c->error) == NULL)
                fail_msg("%s: %s", c->name, err.msg);
            continue;
        }
        put_tree(&text, &schema, 0);
        if (!pncp_view_eq_text(pncp_buf_view(&text), c->tree))
            fail_msg("%s: " PNCP_VIEW_FMT, c->name, PNCP_VIEW_ARG(pncp_buf_view(&text)));
        pncp_foreign_schema_release(&schema);
    }
}

static void test_paths_are_for_people(void **state)
{
    (void)state;
    static const struct element elements[] = {
        ROOT(2), LIST("fontes"), MANY("list", 1), STRUCT("element", 1), COL("codigo", INT32), COL("o.cnpj", BYTES)};
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    struct pncp_foreign_schema schema;
    put_schema(&bytes, elements, PNCP_ARRAY_LEN(elements));
    const struct pncp_footer footer = {.schema = pncp_buf_view(&bytes), .leaf_count = 2};
    assert_int_equal(pncp_foreign_schema_init(&schema, &footer, NULL), PNCP_OK);
    assert_string_equal(schema.leaves[0].path, "fontes.list.element.codigo");
    assert_string_equal(schema.leaves[1].path, "o.cnpj");
    pncp_foreign_schema_release(&schema);
    pncp_foreign_schema_release(&schema);
}

static enum pncp_code init_flat(size_t columns, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    struct pncp_thrift_writer w = {.out = &bytes};
    struct pncp_foreign_schema schema;
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, columns + 1);
    put_element(&w, &(struct element){"schema", GROUP, REQ, (int)columns, 0, 0, 0, L_NONE});
    for (size_t i = 0; i < columns; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "c%zu", i);
        put_element(&w, &(struct element)COL(name, INT32));
    }
    assert_int_equal(w.rc, PNCP_OK);
    const struct pncp_footer footer = {.schema = pncp_buf_view(&bytes), .leaf_count = columns};
    enum pncp_code rc = pncp_foreign_schema_init(&schema, &footer, err);
    pncp_foreign_schema_release(&schema);
    return rc;
}

static void test_columns_have_a_ceiling(void **state)
{
    (void)state;
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(init_flat(PNCP_FOREIGN_COLUMNS_MAX, &err), PNCP_OK);
    assert_int_equal(init_flat(PNCP_FOREIGN_COLUMNS_MAX + 1, &err), PNCP_E_LIMIT);
    assert_string_equal(err.msg, "513 columns, at most 512 can be read");
    assert_int_equal(init_flat(0, &err), PNCP_E_PARSE);
}

/* A footer that counted its columns otherwise must not lead beyond the leaves that were made room for. */
static void test_another_count_than_the_footer(void **state)
{
    (void)state;
    static const struct element elements[] = {ROOT(3), COL("a", INT32), COL("b", INT32), COL("c", INT32)};
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    put_schema(&bytes, elements, PNCP_ARRAY_LEN(elements));
    for (size_t leaves = 1; leaves < 6; leaves++) {
        struct pncp_foreign_schema schema;
        const struct pncp_footer footer = {.schema = pncp_buf_view(&bytes), .leaf_count = leaves};
        enum pncp_code rc = pncp_foreign_schema_init(&schema, &footer, NULL);
        assert_int_equal(rc, leaves == 3 ? PNCP_OK : PNCP_E_PARSE);
        pncp_foreign_schema_release(&schema);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_paths_are_for_people),
        cmocka_unit_test(test_columns_have_a_ceiling),
        cmocka_unit_test(test_another_count_than_the_footer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
