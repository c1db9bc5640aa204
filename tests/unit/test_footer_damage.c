/* Footers made by hand, each with one lie in it: what is refused, and in which words. */
#include "sample_parquet.h"

enum twist {
    NONE,
    NO_SCHEMA,
    NO_ROWS,
    NO_GROUPS,
    SCHEMA_IS_A_SET,
    ROWS_ARE_I32,
    GROUPS_ARE_A_SET,
    GROUPS_ARE_I64,
    KVS_ARE_A_SET,
    KVS_OF_BINARY,
    CREATED_BY_IS_I32,
    ORDERS_ARE_BINARY,
    VERSION_IS_I64,
    GROUP_WITHOUT_COLUMNS,
    GROUP_WITHOUT_ROWS,
    CHUNK_WITHOUT_METADATA,
    CHUNK_WITHOUT_OFFSET,
    CHUNK_WITHOUT_SLOTS,
    CHUNK_ELSEWHERE, /* file_path */
    CHUNK_ENCRYPTED,
};

struct made_group {
    int64_t rows;
    size_t columns; /* 0: one */
    int64_t offset, bytes, dictionary;
};

struct made { /* a file of 1,000 bytes before its footer, of one or two columns */
    enum twist twist;
    size_t columns; /* of the schema; 0: one */
    int64_t rows;
    size_t group_count;
    struct made_group groups[2];
};

static void put_text(struct pncp_thrift_writer *w, int16_t id, const char *text)
{
    pncp_thrift_put_field(w, id, PNCP_THRIFT_BINARY);
    pncp_thrift_put_binary(w, pncp_view_of(text));
}

static void put_element(struct pncp_thrift_writer *w, int64_t children)
{
    int16_t outer = pncp_thrift_struct_begin(w);
    if (children == 0)
        pncp_thrift_put_int_field(w, 1, PNCP_THRIFT_I32, 2); /* INT64 */
    put_text(w, 4, "x");
    if (children != 0)
        pncp_thrift_put_int_field(w, 5, PNCP_THRIFT_I32, children);
    pncp_thrift_struct_end(w, outer);
}

static void put_chunk(struct pncp_thrift_writer *w, const struct made_group *group, enum twist twist)
{
    int16_t outer = pncp_thrift_struct_begin(w);
    if (twist == CHUNK_ELSEWHERE)
        put_text(w, 1, "other.parquet");
    if (twist != CHUNK_WITHOUT_METADATA) {
        pncp_thrift_put_field(w, 3, PNCP_THRIFT_STRUCT);
        int16_t chunk = pncp_thrift_struct_begin(w);
        if (twist != CHUNK_WITHOUT_SLOTS)
            pncp_thrift_put_int_field(w, 5, PNCP_THRIFT_I64, group->rows);
        pncp_thrift_put_int_field(w, 6, PNCP_THRIFT_I64, 50);
        pncp_thrift_put_int_field(w, 7, PNCP_THRIFT_I64, group->bytes);
        if (twist != CHUNK_WITHOUT_OFFSET)
            pncp_thrift_put_int_field(w, 9, PNCP_THRIFT_I64, group->offset);
        if (group->dictionary != 0)
            pncp_thrift_put_int_field(w, 11, PNCP_THRIFT_I64, group->dictionary);
        pncp_thrift_struct_end(w, chunk);
    }
    if (twist == CHUNK_ENCRYPTED) {
        pncp_thrift_put_field(w, 8, PNCP_THRIFT_STRUCT);
        pncp_thrift_struct_end(w, pncp_thrift_struct_begin(w));
    }
    pncp_thrift_struct_end(w, outer);
}

static void put_group(struct pncp_thrift_writer *w, const struct made_group *group, enum twist twist)
{
    int16_t outer = pncp_thrift_struct_begin(w);
    size_t columns = group->columns == 0 ? 1 : group->columns;
    if (twist != GROUP_WITHOUT_COLUMNS) {
        pncp_thrift_put_field(w, 1, PNCP_THRIFT_LIST);
        pncp_thrift_put_list(w, PNCP_THRIFT_STRUCT, columns);
        for (size_t i = 0; i < columns; i++)
            put_chunk(w, group, twist);
    }
    if (twist != GROUP_WITHOUT_ROWS)
        pncp_thrift_put_int_field(w, 3, PNCP_THRIFT_I64, group->rows);
    pncp_thrift_struct_end(w, outer);
}

static struct pncp_buf make(const struct made *made)
{
    struct pncp_buf raw = {0};
    struct pncp_thrift_writer w = {.out = &raw};
    enum twist twist = made->twist;
    size_t columns = made->columns == 0 ? 1 : made->columns;
    pncp_thrift_put_int_field(&w, 1, twist == VERSION_IS_I64 ? PNCP_THRIFT_I64 : PNCP_THRIFT_I32, 2);
    if (twist != NO_SCHEMA) {
        pncp_thrift_put_field(&w, 2, twist == SCHEMA_IS_A_SET ? PNCP_THRIFT_SET : PNCP_THRIFT_LIST);
        pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, 1 + columns);
        put_element(&w, (int64_t)columns);
        for (size_t i = 0; i < columns; i++)
            put_element(&w, 0);
    }
    if (twist != NO_ROWS)
        pncp_thrift_put_int_field(&w, 3, twist == ROWS_ARE_I32 ? PNCP_THRIFT_I32 : PNCP_THRIFT_I64, made->rows);
    if (twist == GROUPS_ARE_I64) {
        pncp_thrift_put_int_field(&w, 4, PNCP_THRIFT_I64, 0);
    } else if (twist != NO_GROUPS) {
        pncp_thrift_put_field(&w, 4, twist == GROUPS_ARE_A_SET ? PNCP_THRIFT_SET : PNCP_THRIFT_LIST);
        pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, made->group_count);
        for (size_t i = 0; i < made->group_count; i++)
            put_group(&w, &made->groups[i], twist);
    }
    if (twist == KVS_ARE_A_SET || twist == KVS_OF_BINARY) {
        pncp_thrift_put_field(&w, 5, twist == KVS_ARE_A_SET ? PNCP_THRIFT_SET : PNCP_THRIFT_LIST);
        pncp_thrift_put_list(&w, twist == KVS_ARE_A_SET ? PNCP_THRIFT_STRUCT : PNCP_THRIFT_BINARY, 1);
        pncp_thrift_struct_end(&w, pncp_thrift_struct_begin(&w));
    }
    if (twist == CREATED_BY_IS_I32)
        pncp_thrift_put_int_field(&w, 6, PNCP_THRIFT_I32, 7);
    if (twist == ORDERS_ARE_BINARY)
        put_text(&w, 7, "");
    pncp_thrift_struct_end(&w, 0);
    assert_int_equal(w.rc, PNCP_OK);
    return raw;
}

#define ONE .rows = 5, .group_count = 1, .groups = {{5, 0, 4, 100, 0}}
#define OUTSIDE "a column chunk lies outside the file"
#define ORDER "row groups overlap or are out of order"
#define SUM "the row groups do not add up to the number of rows"
#define UNREADABLE_CHUNK "a column chunk cannot be read"
#define UNREADABLE_GROUP "a row group cannot be read"
#define MISSING "a field is missing or cut off"
#define TYPE "a field is of another type than it should be"

static const struct {
    const char *msg; /* after "damaged parquet footer: "; NULL: sound */
    struct made made;
} CASES[] = {
    {NULL, {ONE}},
    {NULL, {.rows = 0}},
    {NULL, {.rows = 5, .group_count = 1, .groups = {{5, 0, 4, 996, 0}}}},
    {NULL, {.rows = 5, .group_count = 1, .groups = {{5, 0, 200, 100, 150}}}},
    {NULL, {.rows = 9, .group_count = 2, .groups = {{5, 0, 4, 100, 0}, {4, 0, 104, 100, 0}}}},
    {NULL, {.rows = INT64_MAX, .group_count = 1, .groups = {{INT64_MAX, 0, 4, 100, 0}}}},
    {MISSING, {.twist = NO_SCHEMA, .rows = 0}},
    {MISSING, {.twist = NO_ROWS, ONE}},
    {MISSING, {.twist = NO_GROUPS, .rows = 0}},
    {TYPE, {.twist = SCHEMA_IS_A_SET, .rows = 0}},
    {TYPE, {.twist = ROWS_ARE_I32, ONE}},
    {TYPE, {.twist = GROUPS_ARE_A_SET, ONE}},
    {TYPE, {.twist = GROUPS_ARE_I64, .rows = 0}},
    {TYPE, {.twist = KVS_ARE_A_SET, ONE}},
    {TYPE, {.twist = CREATED_BY_IS_I32, ONE}},
    {TYPE, {.twist = ORDERS_ARE_BINARY, ONE}},
    {TYPE, {.twist = VERSION_IS_I64, ONE}},
    {"the key-values cannot be read", {.twist = KVS_OF_BINARY, ONE}},
    {UNREADABLE_GROUP, {.twist = GROUP_WITHOUT_COLUMNS, ONE}},
    {UNREADABLE_GROUP, {.twist = GROUP_WITHOUT_ROWS, ONE}},
    {UNREADABLE_CHUNK, {.twist = CHUNK_WITHOUT_METADATA, ONE}},
    {UNREADABLE_CHUNK, {.twist = CHUNK_WITHOUT_OFFSET, ONE}},
    {UNREADABLE_CHUNK, {.twist = CHUNK_WITHOUT_SLOTS, ONE}},
    {UNREADABLE_CHUNK, {.twist = CHUNK_ELSEWHERE, ONE}},
    {UNREADABLE_CHUNK, {.twist = CHUNK_ENCRYPTED, ONE}},
    {UNREADABLE_CHUNK, {.rows = 5, .group_count = 1, .groups = {{5, 0, -4, 100, 0}}}},
    {UNREADABLE_CHUNK, {.rows = 5, .group_count = 1, .groups = {{5, 0, 4, -100, 0}}}},
    {UNREADABLE_CHUNK, {.rows = 5, .group_count = 1, .groups = {{5, 0, 200, 100, -4}}}},
    {UNREADABLE_CHUNK, {.rows = -1, .group_count = 1, .groups = {{-1, 0, 4, 100, 0}}}},
    {OUTSIDE, {.rows = 5, .group_count = 1, .groups = {{5, 0, 3, 100, 0}}}},
    {OUTSIDE, {.rows = 5, .group_count = 1, .groups = {{5, 0, 200, 100, 3}}}},
    {OUTSIDE, {.rows = 5, .group_count = 1, .groups = {{5, 0, 4, 997, 0}}}},
    {OUTSIDE, {.rows = 5, .group_count = 1, .groups = {{5, 0, 1001, 0, 0}}}},
    {OUTSIDE, {.rows = 5, .group_count = 1, .groups = {{5, 0, INT64_MAX, INT64_MAX, 0}}}},
    {"column chunks overlap", {.columns = 2, .rows = 5, .group_count = 1, .groups = {{5, 2, 4, 100, 0}}}},
    {"a row group has another number of columns than the schema",
     {.rows = 5, .group_count = 1, .groups = {{5, 2, 4, 100, 0}}}},
    {"a row group has another number of columns than the schema", {.columns = 2, ONE}},
    {ORDER, {.rows = 9, .group_count = 2, .groups = {{5, 0, 4, 100, 0}, {4, 0, 103, 100, 0}}}},
    {ORDER, {.rows = 9, .group_count = 2, .groups = {{5, 0, 104, 100, 0}, {4, 0, 4, 100, 0}}}},
    {SUM, {.rows = 6, .group_count = 1, .groups = {{5, 0, 4, 100, 0}}}},
    {SUM, {.rows = 1, .group_count = 0}},
    {MISSING, {.rows = -2, .group_count = 2, .groups = {{INT64_MAX, 0, 4, 100, 0}, {INT64_MAX, 0, 104, 100, 0}}}},
};

static void check_refused(struct pncp_buf *raw, const char *msg, size_t number)
{
    struct pncp_footer footer;
    struct pncp_err err = PNCP_ERR_INIT;
    enum pncp_code rc = pncp_footer_parse(raw, 1000 + raw->len + 8, &footer, &err);
    if (rc == PNCP_OK)
        pncp_footer_release(&footer);
    if (rc != (msg == NULL ? PNCP_OK : PNCP_E_PARSE) ||
        (msg != NULL && strcmp(err.msg + strlen("damaged parquet footer: "), msg) != 0))
        fail_msg("case %zu: %s: %s", number, pncp_code_name(rc), err.msg);
}

static void test_lies(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(CASES); i++) {
        struct pncp_buf raw = make(&CASES[i].made);
        check_refused(&raw, CASES[i].msg, i);
    }
}

/* Sums that come out right only because they wrapped around. */
static void test_row_counts_do_not_wrap(void **state)
{
    (void)state;
    static const struct made wraps = {
        .rows = 3, .group_count = 2, .groups = {{INT64_MAX, 0, 4, 100, 0}, {INT64_MAX, 0, 104, 100, 0}}};
    struct pncp_buf raw = {0};
    struct pncp_thrift_writer w = {.out = &raw};
    pncp_thrift_put_field(&w, 2, PNCP_THRIFT_LIST);
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, 2);
    put_element(&w, 1);
    put_element(&w, 0);
    pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I64, wraps.rows);
    pncp_thrift_put_field(&w, 4, PNCP_THRIFT_LIST);
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, 3);
    put_group(&w, &wraps.groups[0], NONE);
    put_group(&w, &wraps.groups[1], NONE);
    put_group(&w, &(struct made_group){5, 0, 204, 100, 0}, NONE);
    pncp_thrift_struct_end(&w, 0);
    check_refused(&raw, SUM, 0);
}

/* ---- schemas --------------------------------------------------------------------------------- */

static void test_schema_trees(void **state)
{
    (void)state;
    static const struct {
        const char *msg;
        size_t count;
        int64_t children[5];
    } cases[] = {
        {NULL, 1, {0}},
        {NULL, 2, {1, 0}},
        {NULL, 5, {2, 2, 0, 0, 0}},
        {NULL, 5, {2, 1, 1, 0, 0}},
        {"no schema", 0, {0}},
        {"the schema is not a tree", 1, {1}},
        {"the schema is not a tree", 2, {2, 0}},
        {"the schema is not a tree", 3, {1, 0, 0}},
        {"the schema is not a tree", 2, {0, 0}},
        {"the schema is not a tree", 2, {1, -1}},
        {"the schema is not a tree", 2, {-1, 0}},
        {"the schema is not a tree", 3, {2, 2, 0}},
        {"the schema is not a tree", 2, {1, INT32_MAX}},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_buf raw = {0};
        struct pncp_thrift_writer w = {.out = &raw};
        pncp_thrift_put_field(&w, 2, PNCP_THRIFT_LIST);
        pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, cases[i].count);
        for (size_t k = 0; k < cases[i].count; k++)
            put_element(&w, cases[i].children[k]);
        pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I64, 0);
        pncp_thrift_put_field(&w, 4, PNCP_THRIFT_LIST);
        pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, 0);
        pncp_thrift_struct_end(&w, 0);
        check_refused(&raw, cases[i].msg, i);
    }
}

static void test_schema_depth(void **state)
{
    (void)state;
    for (size_t depth = 1; depth <= PNCP_PARQUET_SCHEMA_DEPTH_MAX + 2; depth++) {
        struct pncp_buf raw = {0};
        struct pncp_thrift_writer w = {.out = &raw};
        pncp_thrift_put_field(&w, 2, PNCP_THRIFT_LIST);
        pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, depth + 1);
        for (size_t k = 0; k < depth; k++)
            put_element(&w, 1);
        put_element(&w, 0);
        pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I64, 0);
        pncp_thrift_put_field(&w, 4, PNCP_THRIFT_LIST);
        pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, 0);
        pncp_thrift_struct_end(&w, 0);
        check_refused(&raw, depth < PNCP_PARQUET_SCHEMA_DEPTH_MAX ? NULL : "the schema is nested too deep", depth);
    }
}

/* ---- ceilings -------------------------------------------------------------------------------- */

static void check_limit(struct pncp_buf *raw, const char *msg)
{
    struct pncp_footer footer;
    struct pncp_err err = PNCP_ERR_INIT;
    enum pncp_code rc = pncp_footer_parse(raw, 1000 + raw->len + 8, &footer, &err);
    if (rc == PNCP_OK)
        pncp_footer_release(&footer);
    assert_int_equal(rc, msg == NULL ? PNCP_OK : PNCP_E_LIMIT);
    if (msg != NULL)
        assert_string_equal(err.msg, msg);
}

/* A footer of no columns, with that many groups and key-values. */
static struct pncp_buf with_counts(size_t groups, size_t kvs)
{
    struct pncp_buf raw = {0};
    struct pncp_thrift_writer w = {.out = &raw};
    pncp_thrift_put_field(&w, 2, PNCP_THRIFT_LIST);
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, 1);
    put_element(&w, 0);
    pncp_thrift_put_int_field(&w, 3, PNCP_THRIFT_I64, (int64_t)groups);
    pncp_thrift_put_field(&w, 4, PNCP_THRIFT_LIST);
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, groups);
    for (size_t i = 0; i < groups; i++)
        assert_int_equal(pncp_buf_append(&raw, "\x19\x0C\x26\x02\x00", 5), PNCP_OK); /* no columns, one row */
    pncp_thrift_put_field(&w, 5, PNCP_THRIFT_LIST);
    pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, kvs);
    for (size_t i = 0; i < kvs; i++)
        pncp_thrift_struct_end(&w, pncp_thrift_struct_begin(&w));
    pncp_thrift_struct_end(&w, 0);
    assert_int_equal(w.rc, PNCP_OK);
    return raw;
}

static void test_ceilings(void **state)
{
    (void)state;
    struct pncp_buf raw = with_counts(PNCP_PARQUET_GROUPS_MAX, 0);
    check_limit(&raw, NULL);
    raw = with_counts(PNCP_PARQUET_GROUPS_MAX + 1, 0);
    check_limit(&raw, "32768 row groups, at most 32767 are possible");
    raw = with_counts(0, PNCP_PARQUET_KVS_MAX);
    check_limit(&raw, NULL);
    raw = with_counts(0, PNCP_PARQUET_KVS_MAX + 1); /* each may be one byte of the footer and 32 of memory */
    check_limit(&raw, "4097 key-values in a parquet footer, at most 4096 are read");
    raw = (struct pncp_buf){0};
    assert_int_equal(pncp_buf_reserve(&raw, PNCP_FOOTER_MAX_BYTES + 1), PNCP_OK);
    raw.len = PNCP_FOOTER_MAX_BYTES + 1;
    check_limit(&raw, "parquet footer of 67108865 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lies),         cmocka_unit_test(test_row_counts_do_not_wrap),
        cmocka_unit_test(test_schema_trees), cmocka_unit_test(test_schema_depth),
        cmocka_unit_test(test_ceilings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
