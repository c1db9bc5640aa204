/* Files of an older schema: rows brought down to it, read again as today's, and what a rewrite makes of them. The
 * tables here are those of ../next, version 2; `older` is the schema of every released file. */
#include "../fault/mem_faults.h"
#include "day/columns.h"
#include "day/data_int.h"
#include "day/list.h"
#include "day/spool.h"
#include "pncp/decode.h"
#include "pncp/older.h"
#include "rows_fixture.h"

#include <string.h>
#include <unistd.h>

/* NOLINTBEGIN(clang-analyzer-core.*): the analyzer does not know that cmocka's asserts end a test */

#define DETAILS "pncp_details/year=2025/month=10/day=22/details.parquet"

static const struct pncp_schema *older(void)
{
    return &pncp_details_versions().schemas[0];
}

struct day {
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    uint32_t rows; /* 1 … so many are there */
};

static void open_data(struct day *day)
{
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_keyset_new(&day->keys), PNCP_OK);
    if (pncp_data_open(day->lake.lake, day->lake.date, day->keys, &day->data, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

static void close_data(struct day *day)
{
    pncp_data_release(&day->data);
    pncp_keyset_free(day->keys);
}

/* One row group, rows 1 … count in that schema, as the beginning of a file that lacks its footer yet. */
static void encode_rows(const struct pncp_schema *schema, uint32_t count, struct pncp_buf *file,
                        struct pncp_footer *ret_footer)
{
    const struct pncp_encode_options options = {.zstd_level = 1};
    struct pncp_table rows, lowered;
    rows_table(&rows, pncp_details_schema(), 1, count);
    assert_int_equal(pncp_rows_to_older(&rows, schema, &lowered, NULL), PNCP_OK);
    assert_int_equal(pncp_group_encode(&lowered, &options, file, ret_footer, NULL), PNCP_OK);
    file->len = (size_t)ret_footer->data_end;
    pncp_table_release(&rows);
    pncp_table_release(&lowered);
}

/* A day whose file, rewritten when it had rows 1 … count, an older program has left. */
static void open_compact_day(struct day *day, uint32_t count)
{
    AUTO(pncp_buf_release) struct pncp_buf file = {0};
    AUTO(pncp_history_release) struct pncp_history history = {0};
    const struct pncp_history_entry entry = {.rewrite = true,
                                             .id = "0123456789abcdef0123456789abcdef",
                                             .run = ROWS_RUN,
                                             .at_s = 1761199202,
                                             .contratacoes = count};
    struct pncp_data_kvs kvs;
    struct pncp_footer footer;
    *day = (struct day){.rows = count};
    rows_lake_open(&day->lake);
    assert_int_equal(pncp_history_add(NULL, 0, PNCP_VIEW_LIT(""), &entry, &history, NULL), PNCP_OK);
    pncp_data_kvs_make(day->lake.date, older(), pncp_buf_view(&history.text), entry.id, &kvs);
    encode_rows(older(), count, &file, &footer);
    const struct pncp_footer_piece piece = {.footer = &footer, .count = 1, .at = PNCP_PARQUET_MAGIC_BYTES};
    assert_int_equal(pncp_footer_build(&piece, 1, kvs.pairs, PNCP_DATA_KVS, &file, NULL, NULL), PNCP_OK);
    rows_file_put(&day->lake, DETAILS, file.data, file.len);
    pncp_footer_release(&footer);
    open_data(day);
}

/* A day whose file, without rows as yet, a program of that schema has made. */
static void open_day(struct day *day, const struct pncp_schema *schema)
{
    AUTO(pncp_buf_release) struct pncp_buf file = {0};
    AUTO(pncp_history_release) struct pncp_history history = {0};
    const struct pncp_history_entry entry = {
        .rewrite = true, .id = "0123456789abcdef0123456789abcdef", .run = ROWS_RUN, .at_s = 1761199202};
    struct pncp_data_kvs kvs;
    *day = (struct day){0};
    rows_lake_open(&day->lake);
    assert_int_equal(pncp_history_add(NULL, 0, PNCP_VIEW_LIT(""), &entry, &history, NULL), PNCP_OK);
    pncp_data_kvs_make(day->lake.date, schema, pncp_buf_view(&history.text), entry.id, &kvs);
    assert_int_equal(pncp_parquet_empty(schema, kvs.pairs, PNCP_DATA_KVS, &file, NULL), PNCP_OK);
    rows_file_put(&day->lake, DETAILS, file.data, file.len);
    open_data(day);
}

static void close_day(struct day *day)
{
    close_data(day);
    rows_lake_close(&day->lake);
}

static enum pncp_code try_append(struct day *day, uint32_t count, struct pncp_err *err)
{
    struct pncp_table table;
    struct pncp_commit_result result;
    rows_table(&table, pncp_details_schema(), day->rows + 1, count);
    const struct pncp_lot lot = {.table = &table, .run_id = ROWS_RUN, .n = day->rows};
    enum pncp_code rc = pncp_data_append(&day->data, &lot, &result, err);
    pncp_table_release(&table);
    day->rows += rc == PNCP_OK ? count : 0;
    return rc;
}

static void append(struct day *day, uint32_t count)
{
    struct pncp_err err = PNCP_ERR_INIT;
    if (try_append(day, count, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

static bool rewrite(struct day *day)
{
    static const volatile bool stop = false;
    const struct pncp_rewrite how = {.run_id = ROWS_RUN, .stop = &stop};
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    bool done;
    if (pncp_data_rewrite(&day->data, &how, &done, &result, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    return done;
}

/* What the file on disk says. */
static void assert_schema(struct day *day, const char *version)
{
    struct pncp_object object;
    struct pncp_footer footer;
    struct pncp_view text;
    assert_int_equal(pncp_lake_open_object(day->lake.lake, DETAILS, NULL, &object, NULL), PNCP_OK);
    assert_int_equal(pncp_footer_read(&object.source, &footer, NULL), PNCP_OK);
    assert_true(pncp_footer_kv(&footer, "pncp.schema", &text));
    assert_true(pncp_view_eq_text(text, version));
    assert_true(pncp_footer_crc_is_right(&footer));
    pncp_footer_release(&footer);
    pncp_object_release(&object);
}

/* Every cell of every row is what was put in. Of a file of the newest schema. */
static void assert_rows(struct day *day)
{
    struct rows_read read;
    rows_read(day->lake.lake, DETAILS, pncp_details_schema(), &read);
    rows_assert_exactly(&read, pncp_details_schema(), day->rows);
    rows_read_release(&read);
}

/* ---- the day's file -------------------------------------------------------------------------- */

static void test_appends_keep_the_schema_and_a_rewrite_brings_it_up(void **state)
{
    (void)state;
    struct day day;
    open_day(&day, older());
    for (int i = 0; i < 40; i++) /* tiny groups are folded, then small ones */
        append(&day, 1 + (uint32_t)i % 25);
    assert_schema(&day, "1");
    assert_true(day.data.footer.group_count < 31);
    close_data(&day);
    open_data(&day);
    assert_ptr_equal(day.data.schema, older());
    assert_int_equal(pncp_keyset_count(day.keys, PNCP_KEY_SAVED, 0), day.rows);
    assert_true(rewrite(&day));
    assert_schema(&day, "2");
    assert_rows(&day);
    assert_false(rewrite(&day)); /* once */
    append(&day, 5);
    assert_schema(&day, "2");
    assert_rows(&day);
    close_day(&day);
}

/* A file that is compact, but of an older schema, is rewritten all the same. */
static void test_a_compact_older_file_is_rewritten(void **state)
{
    (void)state;
    struct day day;
    open_compact_day(&day, 30);
    assert_schema(&day, "1");
    assert_true(rewrite(&day));
    assert_schema(&day, "2");
    assert_rows(&day);
    close_day(&day);
    open_day(&day, older());
    assert_false(rewrite(&day)); /* there is nothing in it */
    close_day(&day);
}

static void test_a_new_file_has_the_newest_schema(void **state)
{
    (void)state;
    struct day day = {0};
    rows_lake_open(&day.lake);
    open_data(&day);
    append(&day, 12);
    assert_schema(&day, "2");
    assert_rows(&day);
    close_day(&day);
}

/* The file is brought up between one lot and the next of a run that has known it as an older one. */
static void test_another_run_brings_the_file_up(void **state)
{
    (void)state;
    struct day day;
    open_day(&day, older());
    append(&day, 20);
    struct day other = {.lake = day.lake};
    open_data(&other);
    assert_true(rewrite(&other));
    close_data(&other);
    append(&day, 20);
    assert_schema(&day, "2");
    assert_ptr_equal(day.data.schema, pncp_details_schema());
    assert_rows(&day);
    close_day(&day);
}

static enum pncp_code count_row(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    (void)err;
    uint32_t number = (uint32_t)row->key.sequencial;
    assert_int_equal(row->itens, rows_itens(number));
    assert_int_equal(row->arquivos, rows_arquivos(number));
    assert_int_equal(PNCP_MAX(row->itens_total, (int64_t)0), rows_itens_total(number));
    ++*(uint32_t *)ctx;
    return PNCP_OK;
}

/* Single columns are found where each version has them, of a version that is not the one known as well. */
static void test_single_columns_of_either(void **state)
{
    (void)state;
    struct day day;
    char commit[PNCP_ID_BYTES];
    open_day(&day, older());
    append(&day, 40);
    struct day other = {.lake = day.lake};
    for (int round = 0; round < 2; round++) {
        uint32_t seen = 0;
        assert_int_equal(pncp_data_each_row(&day.data, &(struct pncp_row_walk){count_row, NULL, &seen}, commit, NULL),
                         PNCP_OK);
        assert_int_equal(seen, 40);
        if (round == 0) {
            open_data(&other);
            assert_true(rewrite(&other));
            close_data(&other);
        }
    }
    close_day(&day);
}

/* ---- the spool ------------------------------------------------------------------------------- */

static void told(void *ctx, const char *name, int64_t contratacoes, const struct pncp_err *problem)
{
    (void)name;
    if (problem != NULL)
        fail_msg("%s", problem->msg);
    *(int64_t *)ctx += contratacoes;
}

/* A lot that an older program has spooled. */
static void spool_older(struct day *day, const char *folder, uint32_t count)
{
    struct pncp_table table, lowered;
    rows_table(&table, pncp_details_schema(), day->rows + 1, count);
    assert_int_equal(pncp_rows_to_older(&table, older(), &lowered, NULL), PNCP_OK);
    const struct pncp_lot lot = {.table = &lowered, .run_id = ROWS_RUN, .n = 1};
    assert_int_equal(pncp_spool_put(folder, &day->data, &lot, NULL), PNCP_OK);
    pncp_table_release(&table);
    pncp_table_release(&lowered);
    day->rows += count;
}

static void test_a_lot_of_an_older_program_is_taken_from_the_spool(void **state)
{
    (void)state;
    const struct pncp_schema *const schemas[] = {older(), pncp_details_schema()};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(schemas); i++) {
        struct day day;
        char folder[300];
        int64_t taken = 0;
        open_day(&day, schemas[i]);
        (void)snprintf(folder, sizeof(folder), "%s/spool", day.lake.folder);
        append(&day, 10);
        spool_older(&day, folder, 10);
        assert_int_equal(pncp_spool_take(folder, &day.data, told, &taken, NULL), PNCP_OK);
        assert_int_equal(taken, 10);
        assert_schema(&day, i == 0 ? "1" : "2");
        assert_true(rewrite(&day));
        assert_rows(&day);
        close_day(&day);
    }
}

static void told_newer(void *ctx, const char *name, int64_t contratacoes, const struct pncp_err *problem)
{
    (void)contratacoes;
    assert_non_null(problem);
    assert_int_equal(problem->code, PNCP_E_NEWER);
    (void)snprintf(ctx, 300, "%s", name);
}

static void test_a_lot_of_a_newer_program_waits_for_it(void **state)
{
    (void)state;
    static struct pncp_schema newer;
    struct day day;
    struct pncp_table table;
    char folder[300], name[300] = "", path[400];
    open_day(&day, pncp_details_schema());
    (void)snprintf(folder, sizeof(folder), "%s/spool", day.lake.folder);
    newer = *pncp_details_schema();
    newer.version++;
    rows_table(&table, &newer, 1, 3);
    const struct pncp_lot lot = {.table = &table, .run_id = ROWS_RUN, .n = 1};
    assert_int_equal(pncp_spool_put(folder, &day.data, &lot, NULL), PNCP_OK);
    assert_int_equal(pncp_spool_take(folder, &day.data, told_newer, name, NULL), PNCP_OK);
    (void)snprintf(path, sizeof(path), "spool/%.300s", name);
    assert_true(name[0] != '\0' && rows_file_exists(&day.lake, path)); /* under its own name */
    assert_int_equal(day.data.rows, 0);
    pncp_table_release(&table);
    close_day(&day);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* One contratação of the API, of which only these fields matter, through both ways. */
static const struct value_case {
    const char *object;  /* as the API sends it */
    const char *lowered; /* extra in an older file; NULL: none */
    const char *extra;   /* extra today; NULL: none */
    int64_t misfits, older_misfits;
} VALUES[] = {
    {"{}", NULL, NULL, 0, 0},
    {"{\"valorAdjudicado\":null}", NULL, NULL, 0, 0},
    {"{\"valorAdjudicado\":-0.5}", "{\"valorAdjudicado\":-0.5000}", NULL, 0, 0},
    {"{\"valorAdjudicado\":123456.78,\"outro\":[1.50]}", "{\"outro\":[1.50],\"valorAdjudicado\":123456.7800}",
     "{\"outro\":[1.50]}", 0, 0},
    {"{\"valorAdjudicado\":\"sob sigilo\",\"srp\":7}", "{\"srp\":7,\"valorAdjudicado\":\"sob sigilo\"}",
     "{\"srp\":7,\"valorAdjudicado\":\"sob sigilo\"}", 2, 1},
    {"{\"intencaoRegistroPreco\":{}}", "{\"intencaoRegistroPreco\":{}}", NULL, 0, 0},
    {"{\"intencaoRegistroPreco\":{\"numero\":\"á\\\"\\u0000\",\"itens\":[1]}}",
     "{\"intencaoRegistroPreco\":{\"itens\":[1],\"numero\":\"á\\\"\\u0000\"}}",
     "{\"intencaoRegistroPreco\":{\"itens\":[1]}}", 0, 0},
    {"{\"intencaoRegistroPreco\":{\"numero\":5}}", "{\"intencaoRegistroPreco\":{\"numero\":5}}",
     "{\"intencaoRegistroPreco\":{\"numero\":5}}", 1, 0},
    {"{\"intencaoRegistroPreco\":[5]}", "{\"intencaoRegistroPreco\":[5]}", "{\"intencaoRegistroPreco\":[5]}", 1, 0},
    /* a field of a struct that was there */
    {"{\"orgaoEntidade\":{\"naturezaJuridica\":{\"codigo\":\"1\",\"vigente\":true,\"x\":1}}}",
     "{\"orgaoEntidade\":{\"naturezaJuridica\":{\"x\":1,\"codigo\":\"1\",\"vigente\":true}}}",
     "{\"orgaoEntidade\":{\"naturezaJuridica\":{\"x\":1}}}", 0, 0},
    {"{\"orgaoEntidade\":{\"naturezaJuridica\":null,\"cnpj\":5,\"y\":2}}", "{\"orgaoEntidade\":{\"y\":2,\"cnpj\":5}}",
     "{\"orgaoEntidade\":{\"y\":2,\"cnpj\":5}}", 1, 1},
    {"{\"orgaoEntidade\":\"texto\"}", "{\"orgaoEntidade\":\"texto\"}", "{\"orgaoEntidade\":\"texto\"}", 1, 1},
    {"{\"orgaoEntidade\":null,\"valorAdjudicado\":1}", "{\"valorAdjudicado\":1.0000}", NULL, 0, 0},
    /* a key that the program itself has a column for */
    {"{\"itens\":[],\"extra\":1}", "{\"itens\":[],\"extra\":1}", "{\"itens\":[],\"extra\":1}", 0, 0},
};

/* One row of the list schema; what is required is made up. */
static void put_row(struct pncp_table *table, const char *text)
{
    const struct pncp_list_leaves *at = pncp_list_leaves();
    AUTO(pncp_decoder_release) struct pncp_decoder decoder;
    AUTO(pncp_json_release) struct pncp_json json = {0};
    pncp_decoder_init(&decoder, table);
    assert_int_equal(pncp_json_parse(pncp_view_of(text), &json, NULL, NULL), PNCP_OK);
    pncp_table_row_begin(table);
    assert_int_equal(pncp_leaf_put_text(&table->leaves[at->cnpj], 0, PNCP_VIEW_LIT("0")), PNCP_OK);
    assert_int_equal(pncp_leaf_put_int(&table->leaves[at->ano], 0, 1), PNCP_OK);
    assert_int_equal(pncp_leaf_put_int(&table->leaves[at->sequencial], 0, 1), PNCP_OK);
    assert_int_equal(pncp_leaf_put_int(&table->leaves[at->data_publicacao], 0, 1), PNCP_OK);
    assert_int_equal(pncp_decode_record(&decoder, &table->schema->nodes[0], json.root, 0), PNCP_OK);
    assert_int_equal(pncp_leaf_put_int(&table->leaves[at->valores_fora_do_tipo], 0, decoder.misfits), PNCP_OK);
    pncp_table_row_end(table);
}

static void assert_leaves_equal(const struct pncp_leaf *a, const struct pncp_leaf *b, const char *path)
{
    if (a->level_count != b->level_count || a->value_count != b->value_count || a->values.len != b->values.len)
        fail_msg("%s: %zu slots, %zu values; %zu, %zu", path, a->level_count, a->value_count, b->level_count,
                 b->value_count);
    if (a->max_def > 0)
        assert_memory_equal(a->def, b->def, a->level_count * sizeof(*a->def));
    if (a->max_rep > 0)
        assert_memory_equal(a->rep, b->rep, a->level_count * sizeof(*a->rep));
    if (a->values.len > 0)
        assert_memory_equal(a->values.data, b->values.data, a->values.len);
    if (a->type == PNCP_T_TEXT && a->value_count > 0)
        assert_memory_equal(a->ends, b->ends, a->value_count * sizeof(*a->ends));
}

/* Read all columns of a file of one row group, encoded from `rows`, as `schema`. */
static enum pncp_code read_as(const struct pncp_table *rows, const struct pncp_schema *schema,
                              struct pncp_table *ret_table, struct pncp_err *err)
{
    const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    struct pncp_footer footer;
    assert_int_equal(pncp_group_encode(rows, &options, &bytes, &footer, NULL), PNCP_OK);
    struct pncp_view view = pncp_buf_view(&bytes);
    struct pncp_source source = pncp_source_of_view(&view);
    const struct pncp_columns file = {&source, &footer, rows->schema, NULL};
    enum pncp_code rc = PNCP_OK;
    assert_int_equal(pncp_table_init(ret_table, schema), PNCP_OK);
    for (size_t i = 0; rc == PNCP_OK && i < schema->leaf_count; i++)
        rc = pncp_columns_read(&file, schema, i, 0, 1, &ret_table->leaves[i], err);
    pncp_footer_release(&footer);
    return rc;
}

static void assert_text(const struct pncp_table *table, const char *want)
{
    const struct pncp_leaf *extra = &table->leaves[pncp_schema_find(table->schema, "extra")];
    assert_int_equal(extra->value_count, want != NULL);
    if (want != NULL && !pncp_view_eq_text(pncp_leaf_text(extra, 0), want))
        fail_msg("extra is " PNCP_VIEW_FMT ", not %s", PNCP_VIEW_ARG(pncp_leaf_text(extra, 0)), want);
}

static int64_t misfits_of(const struct pncp_table *table)
{
    return pncp_leaf_int(&table->leaves[pncp_schema_find(table->schema, "valores_fora_do_tipo")], 0);
}

static void test_values_go_down_and_come_back(void **state)
{
    (void)state;
    const struct pncp_schema *list = pncp_list_schema(), *older_list = &pncp_list_versions().schemas[0];
    for (size_t i = 0; i < PNCP_ARRAY_LEN(VALUES); i++) {
        const struct value_case *c = &VALUES[i];
        struct pncp_table rows, lowered, back;
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_table_init(&rows, list), PNCP_OK);
        put_row(&rows, c->object);
        assert_text(&rows, c->extra);
        assert_int_equal(misfits_of(&rows), c->misfits);
        assert_int_equal(pncp_rows_to_older(&rows, older_list, &lowered, &err), PNCP_OK);
        assert_text(&lowered, c->lowered);
        assert_int_equal(misfits_of(&lowered), c->older_misfits);
        assert_int_equal(read_as(&lowered, list, &back, &err), PNCP_OK);
        for (size_t leaf = 0; leaf < list->leaf_count; leaf++)
            assert_leaves_equal(&back.leaves[leaf], &rows.leaves[leaf], list->leaves[leaf].path);
        pncp_table_release(&rows);
        pncp_table_release(&lowered);
        pncp_table_release(&back);
    }
}

/* The same rows, all levels, every type, lists within lists; two row groups at once. */
static void test_tables_go_down_and_come_back(void **state)
{
    (void)state;
    struct pncp_table rows, lowered, back;
    struct pncp_err err = PNCP_ERR_INIT;
    rows_table(&rows, pncp_details_schema(), 1, 300);
    assert_int_equal(pncp_rows_to_older(&rows, older(), &lowered, &err), PNCP_OK);
    assert_int_equal(read_as(&lowered, pncp_details_schema(), &back, &err), PNCP_OK);
    for (size_t leaf = 0; leaf < rows.schema->leaf_count; leaf++)
        assert_leaves_equal(&back.leaves[leaf], &rows.leaves[leaf], rows.schema->leaves[leaf].path);
    pncp_table_release(&rows);
    pncp_table_release(&lowered);
    pncp_table_release(&back);
}

/* ---- the list -------------------------------------------------------------------------------- */

#define LIST "pncp_contratacoes/year=2025/month=10/day=22/contratacoes.parquet"

/* The saved list as an older program would have saved it, its schema version as told. */
static void make_list_older(const struct rows_lake *lake, const struct pncp_table *rows, const char *version)
{
    const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(pncp_buf_release) struct pncp_buf file = {0}, tail = {0};
    struct pncp_table lowered;
    struct pncp_object object;
    struct pncp_footer now, footer;
    struct pncp_kv_pair kvs[8];
    char keys[8][32];
    assert_int_equal(pncp_lake_open_object(lake->lake, LIST, NULL, &object, NULL), PNCP_OK);
    assert_int_equal(pncp_footer_read(&object.source, &now, NULL), PNCP_OK);
    assert_in_range(now.kv_count, 1, 8);
    for (size_t i = 0; i < now.kv_count; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), PNCP_VIEW_FMT, PNCP_VIEW_ARG(now.kvs[i].key));
        bool is_schema = strcmp(keys[i], "pncp.schema") == 0;
        kvs[i] = (struct pncp_kv_pair){keys[i], is_schema ? pncp_view_of(version) : now.kvs[i].value};
    }
    assert_int_equal(pncp_rows_to_older(rows, &pncp_list_versions().schemas[0], &lowered, NULL), PNCP_OK);
    assert_int_equal(pncp_group_encode(&lowered, &options, &file, &footer, NULL), PNCP_OK);
    const struct pncp_footer_piece piece = {.footer = &footer, .count = 1, .at = PNCP_PARQUET_MAGIC_BYTES};
    assert_int_equal(pncp_footer_build(&piece, 1, kvs, now.kv_count, &tail, NULL, NULL), PNCP_OK);
    file.len = (size_t)footer.data_end;
    assert_int_equal(pncp_buf_append(&file, tail.data, tail.len), PNCP_OK);
    rows_file_put(lake, LIST, file.data, file.len);
    pncp_footer_release(&footer);
    pncp_footer_release(&now);
    pncp_object_release(&object);
    pncp_table_release(&lowered);
}

static void test_a_list_of_an_older_program_is_read(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_list list;
    struct pncp_table rows, got;
    rows_lake_open(&lake);
    rows_table(&rows, pncp_list_schema(), 1, 60);
    assert_int_equal(pncp_list_create(lake.lake, lake.date, &list, NULL), PNCP_OK);
    for (uint32_t i = 1; i <= 60; i++) {
        rows_put(pncp_list_pending(&list), i);
        assert_int_equal(pncp_list_added(&list, NULL), PNCP_OK);
    }
    assert_int_equal(pncp_list_save(&list, NULL), PNCP_OK);
    pncp_list_release(&list);
    make_list_older(&lake, &rows, "3"); /* which nobody knows */
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_list_open(lake.lake, lake.date, &list, &err), PNCP_E_NEWER);
    assert_non_null(strstr(err.msg, "schema version 3, this version knows 2: use a newer pncp-details"));
    make_list_older(&lake, &rows, "1");
    assert_int_equal(pncp_list_open(lake.lake, lake.date, &list, NULL), PNCP_OK);
    assert_ptr_equal(list.schema, &pncp_list_versions().schemas[0]);
    assert_int_equal(pncp_table_init(&got, pncp_list_schema()), PNCP_OK);
    assert_int_equal(pncp_list_read_group(&list, 0, &got, NULL), PNCP_OK);
    for (size_t leaf = 0; leaf < rows.schema->leaf_count; leaf++)
        assert_leaves_equal(&got.leaves[leaf], &rows.leaves[leaf], rows.schema->leaves[leaf].path);
    pncp_list_release(&list);
    pncp_table_release(&got);
    pncp_table_release(&rows);
    rows_lake_close(&lake);
}

static void test_an_extra_that_is_no_object_is_damage(void **state)
{
    (void)state;
    static const char *const texts[] = {"[1]", "{\"a\":", "7"};
    const struct pncp_schema *list = pncp_list_schema(), *older_list = &pncp_list_versions().schemas[0];
    for (size_t i = 0; i < PNCP_ARRAY_LEN(texts); i++) {
        struct pncp_table rows, lowered, back;
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_table_init(&rows, list), PNCP_OK);
        put_row(&rows, "{}");
        assert_int_equal(pncp_rows_to_older(&rows, older_list, &lowered, &err), PNCP_OK);
        struct pncp_leaf *extra = &lowered.leaves[pncp_schema_find(older_list, "extra")];
        pncp_leaf_clear(extra);
        assert_int_equal(pncp_leaf_put_text(extra, 0, pncp_view_of(texts[i])), PNCP_OK);
        assert_int_equal(read_as(&lowered, list, &back, &err), PNCP_E_PARSE);
        assert_non_null(strstr(err.msg, "extra"));
        pncp_table_release(&rows);
        pncp_table_release(&lowered);
        pncp_table_release(&back);
    }
}

/* Without memory for any of it: an error, nothing leaks, the file stands; then it goes on. */
static void test_out_of_memory(void **state)
{
    (void)state;
    static const volatile bool stop = false;
    const struct pncp_rewrite how = {.run_id = ROWS_RUN, .stop = &stop};
    struct day day;
    open_day(&day, older());
    append(&day, 3);
    bool failed = true;
    for (unsigned n = 1; failed; n += 5) {
        struct pncp_table rows, lowered = {0};
        rows_table(&rows, pncp_details_schema(), 1, 3);
        size_t blocks = mem_faults_blocks();
        mem_faults_arm(n, 0);
        enum pncp_code rc = pncp_rows_to_older(&rows, older(), &lowered, NULL);
        failed = mem_faults_disarm();
        assert_int_equal(rc, failed ? PNCP_E_NOMEM : PNCP_OK);
        if (rc == PNCP_OK)
            pncp_table_release(&lowered);
        assert_int_equal(mem_faults_blocks(), blocks);
        pncp_table_release(&rows);
    }
    failed = true;
    for (unsigned n = 1; failed; n += 7) {
        struct pncp_commit_result result;
        struct pncp_err err = PNCP_ERR_INIT;
        bool done = false;
        mem_faults_arm(n, 0);
        enum pncp_code rc = pncp_data_rewrite(&day.data, &how, &done, &result, &err);
        failed = mem_faults_disarm();
        assert_true(rc == PNCP_OK || rc == PNCP_E_NOMEM);
        assert_true(failed || done);
        if (done)
            break;
        assert_schema(&day, "1");
    }
    assert_schema(&day, "2");
    assert_rows(&day);
    close_day(&day);
}

/* NOLINTEND(clang-analyzer-core.*) */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends_keep_the_schema_and_a_rewrite_brings_it_up),
        cmocka_unit_test(test_a_compact_older_file_is_rewritten),
        cmocka_unit_test(test_a_new_file_has_the_newest_schema),
        cmocka_unit_test(test_another_run_brings_the_file_up),
        cmocka_unit_test(test_single_columns_of_either),
        cmocka_unit_test(test_a_lot_of_an_older_program_is_taken_from_the_spool),
        cmocka_unit_test(test_a_lot_of_a_newer_program_waits_for_it),
        cmocka_unit_test(test_values_go_down_and_come_back),
        cmocka_unit_test(test_tables_go_down_and_come_back),
        cmocka_unit_test(test_a_list_of_an_older_program_is_read),
        cmocka_unit_test(test_an_extra_that_is_no_object_is_damage),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
