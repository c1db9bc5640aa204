/* --input: rows of JSON, NDJSON and Parquet files become the day's list; what is left out, counted or refused. */
#include "ingest/input.h"
#include "parquet/parquet.h"
#include "pncp/rows.h"
#include "rows_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DAY "2025-10-22T08:41:33"
/* Keys 39215827000158|2025|N, by its parts and by numeroControlePNCP alone, with a field of the contratação. */
#define PARTS(n, day)                                                                                                  \
    "{\"orgaoEntidade\":{\"cnpj\":\"39215827000158\"},\"anoCompra\":2025,\"sequencialCompra\":" #n                     \
    ",\"srp\":true,\"dataPublicacaoPncp\":\"" day "\"}"
#define CONTROLE(n, day)                                                                                               \
    "{\"numeroControlePNCP\":\"39215827000158-1-00000" #n "/2025\",\"srp\":true,\"dataPublicacaoPncp\":\"" day "\"}"
/* The same without one. */
#define BARE(n) "{\"cnpj\":39215827000158,\"ano\":2025.0,\"sequencial\":" #n ".0}"
#define BARE_DAY(n, day)                                                                                               \
    "{\"numeroControlePNCP\":\"39215827000158-1-00000" #n "/2025\",\"dataPublicacaoPncp\":\"" day "\"}"

struct loaded {
    struct rows_lake lake;
    struct pncp_list list;
    struct pncp_keyset *keys;
    struct pncp_input input;
    char malformed[4096]; /* "FILE N WHY;" of each row left out */
    struct pncp_err err;
};

static void note_malformed(void *ctx, const char *path, int64_t row, const char *why)
{
    struct loaded *loaded = ctx;
    size_t len = strlen(loaded->malformed);
    const char *name = strrchr(path, '/');
    (void)snprintf(loaded->malformed + len, sizeof(loaded->malformed) - len, "%s %lld %s;", name + 1, (long long)row,
                   why);
}

static void loaded_open(struct loaded *loaded)
{
    *loaded = (struct loaded){.err = PNCP_ERR_INIT};
    rows_lake_open(&loaded->lake);
    assert_int_equal(pncp_list_create(loaded->lake.lake, loaded->lake.date, &loaded->list, &loaded->err), PNCP_OK);
    assert_int_equal(pncp_keyset_new(&loaded->keys), PNCP_OK);
}

static void loaded_close(struct loaded *loaded)
{
    pncp_input_release(&loaded->input);
    pncp_list_release(&loaded->list);
    pncp_keyset_free(loaded->keys);
    rows_lake_close(&loaded->lake);
}

static enum pncp_code load(struct loaded *loaded, const char *name, int64_t rows_max)
{
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/%s", loaded->lake.folder, name);
    pncp_input_release(&loaded->input);
    loaded->input = (struct pncp_input){
        .list = &loaded->list, .keys = loaded->keys, .rows_max = rows_max, .malformed = note_malformed, .ctx = loaded};
    return pncp_input_load(&loaded->input, path, &loaded->err);
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static const struct json_case {
    const char *name, *text;
    int64_t rows_max;
    enum pncp_code code;
    int64_t rows, duplicates, other_days;
    const char *error; /* in the message */
} JSON_CASES[] = {
    {"an array", "[" PARTS(1, DAY) "," CONTROLE(2, DAY) "]", 0, PNCP_OK, 2, 0, 0, ""},
    {"NDJSON", PARTS(1, DAY) "\n\n" CONTROLE(2, DAY) "\n", 0, PNCP_OK, 2, 0, 0, ""},
    {"an envelope", "{\"totalRegistros\":2,\"data\":[" PARTS(1, DAY) "," PARTS(2, DAY) "],\"empty\":false}", 0, PNCP_OK,
     2, 0, 0, ""},
    {"one row", CONTROLE(1, DAY), 0, PNCP_OK, 1, 0, 0, ""},
    {"no row", "", 0, PNCP_OK, 0, 0, 0, ""},
    {"a key twice, written in both ways", PARTS(1, DAY) CONTROLE(1, DAY) PARTS(2, DAY) PARTS(1, DAY), 0, PNCP_OK, 2, 2,
     0, ""},
    {"other days",
     PARTS(1, "2025-10-21T23:59:59") PARTS(2, "2025-10-22T00:00:00") PARTS(3, "2025-10-22T23:59:59.999999")
         PARTS(4, "2025-10-23T00:00:00"),
     0, PNCP_OK, 2, 0, 2, ""},
    {"only the day", PARTS(1, "2025-10-21") PARTS(2, "2025-10-22") PARTS(3, "2025-10-23"), 0, PNCP_OK, 1, 0, 2, ""},
    {"a row of another day does not take its key", PARTS(1, "2025-10-21T10:00:00") PARTS(1, DAY), 0, PNCP_OK, 1, 0, 1,
     ""},
    {"no more than asked for", PARTS(1, DAY) PARTS(1, DAY) PARTS(2, DAY) PARTS(3, DAY), 2, PNCP_OK, 2, 1, 0, ""},
    {"what is behind them is not read", PARTS(1, DAY) "[", 1, PNCP_OK, 1, 0, 0, ""},
    {"a row that is no JSON", "[" PARTS(1, DAY) ",{\"a\":01}]", 0, PNCP_E_PARSE, 1, 0, 0, "row 2: json: "},
    {"a key of a row twice", "{\"a\":1,\"a\":2}", 0, PNCP_E_PARSE, 0, 0, 0, "row 1: json: a key twice"},
    {"cut off", "[" PARTS(1, DAY) ",", 0, PNCP_E_PARSE, 1, 0, 0, "the file ends inside an array"},
    {"no rows in it", "<html>", 0, PNCP_E_PARSE, 0, 0, 0, "byte 0: expected an object or an array, found '<'"},
    {"the beginning of Parquet", "PAR1", 0, PNCP_E_PARSE, 0, 0, 0, "not a parquet file"},
};

static void test_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(JSON_CASES); i++) {
        const struct json_case *c = &JSON_CASES[i];
        struct loaded loaded;
        loaded_open(&loaded);
        rows_file_put(&loaded.lake, "entrada.json", c->text, strlen(c->text));
        enum pncp_code rc = load(&loaded, "entrada.json", c->rows_max);
        if (rc != c->code || strstr(loaded.err.msg, c->error) == NULL)
            fail_msg("%s: %s %s", c->name, pncp_code_name(rc), loaded.err.msg);
        if (rc != PNCP_OK && strstr(loaded.err.msg, "--input ") != loaded.err.msg)
            fail_msg("%s: the message does not name the file: %s", c->name, loaded.err.msg);
        if (loaded.input.rows != c->rows || loaded.input.duplicates != c->duplicates ||
            loaded.input.other_days != c->other_days || loaded.list.rows != c->rows || loaded.input.ask_count != 0 ||
            pncp_keyset_count(loaded.keys, PNCP_KEY_LISTED, 0) != (size_t)c->rows)
            fail_msg("%s: %lld rows, %lld duplicates, %lld of other days", c->name, (long long)loaded.input.rows,
                     (long long)loaded.input.duplicates, (long long)loaded.input.other_days);
        loaded_close(&loaded);
    }
}

static struct pncp_view text_of(const struct pncp_table *rows, int leaf)
{
    return rows->leaves[leaf].value_count == 0 ? (struct pncp_view){"", 0} : pncp_leaf_text(&rows->leaves[leaf], 0);
}

/* Values are stored as those of the API; what the tables do not name goes along. */
static void test_fields_of_a_row(void **state)
{
    (void)state;
    static const char text[] =
        "{\"numeroControlePNCP\":\"39215827000158-1-000008/2025\",\"dataPublicacaoPncp\":\"" DAY "\","
        "\"valorTotalEstimado\":100720.55,\"modalidadeId\":\"seis\",\"novo\":{\"a\":[1]}}";
    const struct pncp_list_leaves *at = pncp_list_leaves();
    struct loaded loaded;
    loaded_open(&loaded);
    rows_file_put(&loaded.lake, "entrada.json", text, sizeof(text) - 1);
    assert_int_equal(load(&loaded, "entrada.json", 0), PNCP_OK);
    AUTO(pncp_table_release) struct pncp_table rows;
    struct pncp_key key;
    assert_int_equal(pncp_table_init(&rows, pncp_list_schema()), PNCP_OK);
    assert_int_equal(pncp_list_groups(&loaded.list), 1); /* flushed: readable */
    assert_int_equal(pncp_list_read_group(&loaded.list, 0, &rows, &loaded.err), PNCP_OK);
    assert_int_equal(pncp_list_row_key(&rows, 0, &key, NULL), PNCP_OK);
    assert_string_equal(key.cnpj, "39215827000158");
    assert_int_equal(key.ano, 2025);
    assert_int_equal(key.sequencial, 8);
    assert_int_equal(pncp_list_row_date(&rows, 0).days, loaded.lake.date.days);
    assert_int_equal(pncp_leaf_int(&rows.leaves[pncp_schema_find(pncp_list_schema(), "valorTotalEstimado")], 0),
                     1007205500);
    assert_int_equal(rows.leaves[at->modalidade_id].value_count, 0);
    assert_int_equal(pncp_leaf_int(&rows.leaves[at->valores_fora_do_tipo], 0), 1);
    assert_true(pncp_view_eq_text(text_of(&rows, at->extra), "{\"novo\":{\"a\":[1]},\"modalidadeId\":\"seis\"}"));
    loaded_close(&loaded);
}

/* ---- rows without fields, rows without a key ------------------------------------------------- */

static const struct bare_case {
    const char *name, *text;
    int64_t rows_max, rows, bare, duplicates, other_days;
    const char *asks; /* sequenciais, in order */
} BARE_CASES[] = {
    {"keys, and keys with their day", BARE(2) BARE_DAY(1, DAY) BARE(3), 0, 0, 3, 0, 0, "2 1 3 "},
    {"a key twice", BARE(2) BARE(1) BARE_DAY(2, DAY), 0, 0, 2, 1, 0, "2 1 "},
    {"fields that come later", BARE(1) BARE(2) PARTS(1, DAY) BARE(3) BARE(1), 0, 1, 2, 2, 0, "2 3 "},
    {"fields that came before", PARTS(1, DAY) BARE(1) BARE(2), 0, 1, 1, 1, 0, "2 "},
    {"another day", BARE_DAY(1, "2025-10-21") BARE(1) BARE_DAY(2, "2025-10-23"), 0, 0, 1, 0, 2, "1 "},
    {"fields without a day", "{\"numeroControlePNCP\":\"39215827000158-1-000004/2025\",\"srp\":true}", 0, 0, 1, 0, 0,
     "4 "},
    {"a missing number as Python writes it",
     "{\"cnpj\":39215827000158.0,\"ano\":2025,\"sequencial\":5,\"valorTotalEstimado\":NaN}", 0, 0, 1, 0, 0, "5 "},
    {"no more than asked for", BARE(1) PARTS(2, DAY) BARE(1) PARTS(1, DAY) BARE(3) "[", 3, 2, 1, 2, 0, "3 "},
    {"what is saved is not asked for", BARE(8) BARE(9), 0, 0, 2, 0, 0, "8 "},
};

static void test_bare_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(BARE_CASES); i++) {
        const struct bare_case *c = &BARE_CASES[i];
        struct loaded loaded;
        char asks[100] = "";
        loaded_open(&loaded);
        struct pncp_key key;
        assert_int_equal(pncp_key_make(pncp_view_of("39215827000158"), 2025, 9, &key, NULL), PNCP_OK);
        assert_int_equal(pncp_keyset_set(loaded.keys, pncp_key_pack(&key), PNCP_KEY_SAVED, NULL), PNCP_OK);
        rows_file_put(&loaded.lake, "entrada.json", c->text, strlen(c->text));
        if (load(&loaded, "entrada.json", c->rows_max) != PNCP_OK || loaded.malformed[0] != '\0')
            fail_msg("%s: %s %s", c->name, loaded.err.msg, loaded.malformed);
        for (size_t at = 0; at < loaded.input.ask_count; at++) {
            pncp_key_unpack(loaded.input.asks[at], &key);
            (void)snprintf(asks + strlen(asks), sizeof(asks) - strlen(asks), "%d ", key.sequencial);
        }
        const struct pncp_input *found = &loaded.input;
        if (found->rows != c->rows || found->bare != c->bare || found->duplicates != c->duplicates ||
            found->other_days != c->other_days || strcmp(asks, c->asks) != 0 || loaded.list.rows != c->rows)
            fail_msg("%s: %lld rows, %lld bare, %lld duplicates, %lld of other days, asks %s", c->name,
                     (long long)found->rows, (long long)found->bare, (long long)found->duplicates,
                     (long long)found->other_days, asks);
        assert_int_equal(pncp_keyset_count(loaded.keys, PNCP_KEY_LISTED, 0), c->rows + c->bare);
        loaded_close(&loaded);
    }
}

/* They are told and left out, and the others are taken. */
static void test_rows_without_a_key(void **state)
{
    (void)state;
    static const char text[] = PARTS(1, DAY) "{\"anoCompra\":2025,\"dataPublicacaoPncp\":\"" DAY "\"}" PARTS(
        2, "2025-02-30") "{\"numeroControlePNCP\":\"39215827000158-1/2025\"}" CONTROLE(3, DAY);
    struct loaded loaded;
    loaded_open(&loaded);
    rows_file_put(&loaded.lake, "entrada.json", text, sizeof(text) - 1);
    if (load(&loaded, "entrada.json", 0) != PNCP_OK)
        fail_msg("%s", loaded.err.msg);
    assert_int_equal(loaded.input.rows, 2);
    assert_int_equal(loaded.input.malformed_rows, 3);
    assert_string_equal(loaded.malformed,
                        "entrada.json 2 no cnpj or orgaoEntidade.cnpj, and no numeroControlePNCP;"
                        "entrada.json 3 no valid dataPublicacaoPncp;"
                        "entrada.json 4 numeroControlePNCP is not cnpj-1-sequencial/ano: \"39215827000158-1/2025\";");
    assert_int_equal(pncp_keyset_count(loaded.keys, PNCP_KEY_LISTED, 0), 2);
    loaded_close(&loaded);
}

/* ---- files ------------------------------------------------------------------------------------ */

static void set_mtime(const struct loaded *loaded, const char *name, int64_t at_s)
{
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/%s", loaded->lake.folder, name);
    const struct timespec times[2] = {{.tv_sec = at_s}, {.tv_sec = at_s}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Sorted by name; of files that overlap a key counts once, wherever it has its fields; as old as the oldest. */
static void test_files_of_a_pattern(void **state)
{
    (void)state;
    static const char first[] = BARE(1) PARTS(2, DAY), second[] = PARTS(1, DAY) PARTS(2, DAY) PARTS(3, DAY);
    struct loaded loaded;
    loaded_open(&loaded);
    rows_file_put(&loaded.lake, "b_20251022.json", second, sizeof(second) - 1);
    rows_file_put(&loaded.lake, "a_20251022.json", first, sizeof(first) - 1);
    rows_file_put(&loaded.lake, "a_20251023.json", "[", 1); /* not the day's */
    set_mtime(&loaded, "a_20251022.json", 2000);
    set_mtime(&loaded, "b_20251022.json", 1000);
    set_mtime(&loaded, "a_20251023.json", 500);
    if (load(&loaded, "?_{yyyy}{mm}{dd}.json", 0) != PNCP_OK)
        fail_msg("%s", loaded.err.msg);
    assert_int_equal(loaded.input.rows, 3);
    assert_int_equal(loaded.input.duplicates, 2);
    assert_int_equal(loaded.input.ask_count, 0);
    assert_int_equal(loaded.input.list_at_s, 1000);
    loaded_close(&loaded);
}

static void test_not_a_file(void **state)
{
    (void)state;
    struct loaded loaded;
    char path[600];
    loaded_open(&loaded);
    assert_int_equal(load(&loaded, "nenhum.json", 0), PNCP_E_USAGE);
    assert_non_null(strstr(loaded.err.msg, "nenhum.json: no file matches "));
    assert_int_equal(load(&loaded, ".", 0), PNCP_E_USAGE);
    (void)snprintf(path, sizeof(path), "%s/cano", loaded.lake.folder);
    assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes to it: it must not be waited for */
    assert_int_equal(load(&loaded, "cano", 0), PNCP_E_USAGE);
    assert_non_null(strstr(loaded.err.msg, "not a file"));
    loaded_close(&loaded);
}

/* ---- Parquet ------------------------------------------------------------------------------------ */

/* A list of rows 1 … count as another run saved it: pncp_contratacoes/… in `lake`. */
static void save_list(const struct rows_lake *lake, uint32_t count)
{
    struct pncp_list list;
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_list_create(lake->lake, lake->date, &list, &err), PNCP_OK);
    for (uint32_t number = 1; number <= count; number++) {
        rows_put(pncp_list_pending(&list), number);
        assert_int_equal(pncp_list_added(&list, &err), PNCP_OK);
    }
    if (pncp_list_save(&list, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    pncp_list_release(&list);
}

#define SAVED "pncp_contratacoes/year=2025/month=10/day=22/contratacoes.parquet"

static void test_own_list_comes_back_cell_by_cell(void **state)
{
    (void)state;
    enum { ROWS = 1201 };
    struct loaded loaded;
    struct rows_read read;
    loaded_open(&loaded);
    save_list(&loaded.lake, ROWS);
    if (load(&loaded, SAVED, 0) != PNCP_OK)
        fail_msg("%s", loaded.err.msg);
    assert_int_equal(loaded.input.rows, ROWS);
    assert_int_equal(pncp_list_save(&loaded.list, &loaded.err), PNCP_OK); /* in the place of the one it came from */
    rows_read(loaded.lake.lake, SAVED, pncp_list_schema(), &read);
    rows_assert_exactly(&read, pncp_list_schema(), ROWS);
    rows_read_release(&read);
    loaded_close(&loaded);
}

static void test_own_list_is_admitted_like_any_other(void **state)
{
    (void)state;
    struct loaded loaded;
    loaded_open(&loaded);
    save_list(&loaded.lake, 700);
    assert_int_equal(pncp_keyset_set(loaded.keys, rows_packed(5), PNCP_KEY_LISTED, NULL), PNCP_OK);
    assert_int_equal(load(&loaded, SAVED, 600), PNCP_OK);
    assert_int_equal(loaded.input.rows, 600);
    assert_int_equal(loaded.input.duplicates, 1);
    loaded.list.date.days++; /* a list of tomorrow */
    assert_int_equal(load(&loaded, SAVED, 0), PNCP_OK);
    assert_int_equal(loaded.input.rows, 0);
    assert_int_equal(loaded.input.other_days, 700);
    loaded_close(&loaded);
}

static void put_format(const struct rows_lake *lake, const char *format)
{
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    const struct pncp_kv_pair kv = {"pncp.format", pncp_view_of(format)};
    assert_int_equal(pncp_parquet_empty(pncp_list_schema(), &kv, 1, &bytes, NULL), PNCP_OK);
    rows_file_put(lake, "proprio.parquet", bytes.data, bytes.len);
}

static void test_own_files_by_their_format(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        enum pncp_code code;
    } cases[] = {{"contratacoes 1", PNCP_OK}, {"contratacoes 2", PNCP_E_NEWER}, {"details 1", PNCP_E_USAGE}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct loaded loaded;
        loaded_open(&loaded);
        put_format(&loaded.lake, cases[i].format);
        enum pncp_code rc = load(&loaded, "proprio.parquet", 0);
        if (rc != cases[i].code)
            fail_msg("%s: %s %s", cases[i].format, pncp_code_name(rc), loaded.err.msg);
        assert_int_equal(loaded.input.rows, 0);
        loaded_close(&loaded);
    }
}

/* The same columns without the program's mark are anyone's: read as rows of JSON, and what is not the API's goes along.
 */
static void test_foreign_parquet(void **state)
{
    (void)state;
    static const struct pncp_encode_options options = {.zstd_level = 1};
    static const char *const texts[] = {CONTROLE(1, DAY), PARTS(2, DAY), PARTS(3, "2025-10-21T00:00:00"),
                                        PARTS(1, DAY)};
    AUTO(pncp_table_release) struct pncp_table rows;
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    struct pncp_footer footer;
    struct loaded loaded;
    loaded_open(&loaded);
    assert_int_equal(pncp_table_init(&rows, pncp_list_schema()), PNCP_OK);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(texts); i++) {
        AUTO(pncp_json_release) struct pncp_json json = {0};
        assert_int_equal(pncp_json_parse(pncp_view_of(texts[i]), &json, NULL, NULL), PNCP_OK);
        assert_int_equal(pncp_rows_put_contratacao(&rows, json.root, NULL), PNCP_OK);
    }
    assert_int_equal(pncp_group_encode(&rows, &options, &bytes, &footer, NULL), PNCP_OK);
    pncp_footer_release(&footer);
    rows_file_put(&loaded.lake, "alheio.parquet", bytes.data, bytes.len);
    if (load(&loaded, "alheio.parquet", 0) != PNCP_OK)
        fail_msg("%s", loaded.err.msg);
    assert_int_equal(loaded.input.rows, 2);
    assert_int_equal(loaded.input.duplicates, 1);
    assert_int_equal(loaded.input.other_days, 1);
    assert_int_equal(pncp_list_read_group(&loaded.list, 0, &rows, &loaded.err), PNCP_OK);
    for (size_t row = 0; row < 2; row++) {
        struct pncp_key key;
        assert_int_equal(pncp_list_row_key(&rows, row, &key, NULL), PNCP_OK);
        assert_int_equal(key.sequencial, row + 1);
    }
    assert_true(pncp_view_starts(text_of(&rows, pncp_list_leaves()->extra), "{\"data_publicacao\":\"2025-10-22\","));
    loaded_close(&loaded);
}

static void test_damaged_parquet(void **state)
{
    (void)state;
    struct loaded loaded;
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    loaded_open(&loaded);
    save_list(&loaded.lake, 40);
    assert_true(rows_file_get(&loaded.lake, SAVED, &bytes));
    bytes.data[bytes.len / 4] ^= 0x55; /* in a page */
    rows_file_put(&loaded.lake, SAVED, bytes.data, bytes.len);
    assert_int_equal(load(&loaded, SAVED, 0), PNCP_E_PARSE);
    assert_non_null(strstr(loaded.err.msg, "damaged"));
    loaded_close(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_fields_of_a_row),
        cmocka_unit_test(test_bare_rows),
        cmocka_unit_test(test_rows_without_a_key),
        cmocka_unit_test(test_files_of_a_pattern),
        cmocka_unit_test(test_not_a_file),
        cmocka_unit_test(test_own_list_comes_back_cell_by_cell),
        cmocka_unit_test(test_own_list_is_admitted_like_any_other),
        cmocka_unit_test(test_own_files_by_their_format),
        cmocka_unit_test(test_foreign_parquet),
        cmocka_unit_test(test_damaged_parquet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
