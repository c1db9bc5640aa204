/* Opening a day's file: what is ours, what is not, and that nothing is ever written. */
#include "base/mem.h"
#include "day/data_int.h"
#include "parquet/footer_int.h"
#include "rows_fixture.h"
#include "sys_faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "pncp_details/year=2025/month=10/day=22"
#define DETAILS FOLDER "/details.parquet"
#define HISTORY                                                                                                        \
    "[{\"id\":\"0123456789abcdef0123456789abcdef\",\"run\":\"r\",\"n\":1,\"at\":\"2025-10-23T06:02:03Z\","             \
    "\"kind\":\"append\",\"contratacoes\":3,\"itens\":9,\"arquivos\":3}]"
#define COMMIT "0123456789abcdef0123456789abcdef"

/* ---- files to open --------------------------------------------------------------------------- */

struct file {
    const char *name;                                     /* the story */
    const char *format, *schema, *day, *history, *commit; /* NULL: that key-value is left out */
    bool list_schema;                                     /* columns of another table of ours */
    uint32_t numbers[4];                                  /* its rows; 0 ends them */
    enum pncp_code code;
    const char *says; /* in the message, besides the path */
};
#define SOUND                                                                                                          \
    "details 1", "1", "20251022", HISTORY, COMMIT, false,                                                              \
    {                                                                                                                  \
        1, 2, 3                                                                                                        \
    }
static const struct file FILES[] = {
    {"sound", SOUND, PNCP_OK, NULL},
    {"no rows", "details 1", "1", "20251022", "[]", COMMIT, false, {0}, PNCP_OK, NULL},
    {"of another tool", NULL, NULL, NULL, NULL, NULL, true, {1, 2}, PNCP_E_FOREIGN, "adopt"},
    {"our columns, no format", NULL, "1", "20251022", HISTORY, COMMIT, false, {1}, PNCP_E_FOREIGN, "adopt"},
    {"newer format", "details 2", "1", "20251022", HISTORY, COMMIT, false, {1}, PNCP_E_NEWER, "\"details 2\""},
    {"newer format, other columns", "details 2", "9", "20251022", "?", "?", true, {1}, PNCP_E_NEWER, "newer"},
    {"newer schema", "details 1", "2", "20251022", HISTORY, COMMIT, true, {1}, PNCP_E_NEWER, "schema version 2"},
    {"schema not a number", "details 1", "x", "20251022", HISTORY, COMMIT, false, {1}, PNCP_E_PARSE, "damaged"},
    {"schema 0", "details 1", "0", "20251022", HISTORY, COMMIT, false, {1}, PNCP_E_PARSE, "damaged"},
    {"no schema", "details 1", NULL, "20251022", HISTORY, COMMIT, false, {1}, PNCP_E_PARSE, "damaged"},
    {"another day", "details 1", "1", "20251021", HISTORY, COMMIT, false, {1}, PNCP_E_PARSE, "another day: 20251021"},
    {"no day", "details 1", "1", NULL, HISTORY, COMMIT, false, {1}, PNCP_E_PARSE, "another day: "},
    {"other columns", "details 1", "1", "20251022", HISTORY, COMMIT, true, {1}, PNCP_E_FOREIGN, "columns"},
    {"no history", "details 1", "1", "20251022", NULL, COMMIT, false, {1}, PNCP_E_PARSE, "damaged"},
    {"damaged history", "details 1", "1", "20251022", "[{}]", COMMIT, false, {1}, PNCP_E_PARSE, "pncp.history"},
    {"no commit", "details 1", "1", "20251022", HISTORY, NULL, false, {1}, PNCP_E_PARSE, "damaged"},
    {"short commit", "details 1", "1", "20251022", HISTORY, "abc", false, {1}, PNCP_E_PARSE, "damaged"},
    {"a key twice", "details 1", "1", "20251022", HISTORY, COMMIT, false, {1, 2, 1}, PNCP_E_PARSE, "is there twice"},
};

static void make_file(const struct file *file, struct pncp_buf *bytes)
{
    const struct pncp_schema *schema = file->list_schema ? pncp_list_schema() : pncp_details_schema();
    const struct pncp_encode_options options = {.zstd_level = 1};
    const struct {
        const char *key, *value;
    } all[] = {{"pncp.format", file->format},
               {"pncp.schema", file->schema},
               {"pncp.day", file->day},
               {"pncp.history", file->history},
               {PNCP_FOOTER_CRC_KEY, PNCP_FOOTER_CRC_BLANK}, /* is filled in */
               {"pncp.commit", file->commit}};
    struct pncp_kv_pair kvs[PNCP_ARRAY_LEN(all)];
    size_t kv_count = 0;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(all); i++) {
        if (all[i].value != NULL)
            kvs[kv_count++] = (struct pncp_kv_pair){all[i].key, pncp_view_of(all[i].value)};
    }
    pncp_buf_clear(bytes);
    if (file->numbers[0] == 0) {
        assert_int_equal(pncp_parquet_empty(schema, kvs, kv_count, bytes, NULL), PNCP_OK);
        return;
    }
    struct pncp_table table;
    struct pncp_footer added;
    AUTO(pncp_buf_release) struct pncp_buf encoded = {0};
    assert_int_equal(pncp_table_init(&table, schema), PNCP_OK);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(file->numbers) && file->numbers[i] != 0; i++)
        rows_put(&table, file->numbers[i]);
    assert_int_equal(pncp_group_encode(&table, &options, &encoded, &added, NULL), PNCP_OK);
    assert_int_equal(pncp_buf_append(bytes, encoded.data, (size_t)added.data_end), PNCP_OK);
    assert_int_equal(pncp_footer_merge(NULL, 0, &added, PNCP_PARQUET_MAGIC_BYTES, kvs, kv_count, bytes, NULL, NULL),
                     PNCP_OK);
    pncp_footer_release(&added);
    pncp_table_release(&table);
}

/* Open the day; the message must name `path` (NULL: none), nothing may be written, and no key may be left behind. */
static enum pncp_code try_open(const struct rows_lake *lake, const char *path, const char *says, const char *story)
{
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_err err = PNCP_ERR_INIT;
    uint64_t before = rows_lake_hash(lake);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    enum pncp_code rc = pncp_data_open(lake->lake, lake->date, keys, &data, &err);
    assert_true(rows_lake_hash(lake) == before);
    if (rc == PNCP_OK) {
        assert_int_equal(pncp_keyset_count(keys, PNCP_KEY_SAVED, 0), data.rows);
        pncp_data_release(&data);
    } else {
        assert_int_equal(err.code, rc);
        assert_int_equal(pncp_keyset_count(keys, PNCP_KEY_SAVED, 0), 0);
        if ((path != NULL && strstr(err.msg, path) == NULL) || (says != NULL && strstr(err.msg, says) == NULL) ||
            strchr(err.msg, '\n') != NULL)
            fail_msg("%s: %s", story, err.msg);
    }
    assert_int_equal(pncp_keyset_count(keys, PNCP_KEY_READ, 0), 0);
    pncp_keyset_free(keys);
    return rc;
}

static void each_file_gets_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(FILES); i++) {
        struct rows_lake lake;
        AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
        rows_lake_open(&lake);
        make_file(&FILES[i], &bytes);
        rows_file_put(&lake, DETAILS, bytes.data, bytes.len);
        enum pncp_code rc = try_open(&lake, DETAILS, FILES[i].says, FILES[i].name);
        if (rc != FILES[i].code)
            fail_msg("%s: %s", FILES[i].name, pncp_code_name(rc));
        rows_lake_close(&lake);
    }
}

/* The footer's checksum: a digit of it, its key, and a byte that no other check looks at. */
static void the_footer_has_a_checksum(void **state)
{
    (void)state;
    static const char *const changed[] = {PNCP_FOOTER_CRC_KEY "\x18\x08", PNCP_FOOTER_CRC_KEY, PNCP_PARQUET_CREATED_BY};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(changed); i++) {
        struct rows_lake lake;
        AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
        rows_lake_open(&lake);
        make_file(&FILES[0], &bytes);
        char *at = memmem(bytes.data, bytes.len, changed[i], strlen(changed[i]));
        assert_non_null(at);
        at[i == 0 ? strlen(changed[i]) : 6] ^= 1;
        rows_file_put(&lake, DETAILS, bytes.data, bytes.len);
        assert_int_equal(try_open(&lake, DETAILS, "its checksum differs", changed[i]), PNCP_E_PARSE);
        rows_lake_close(&lake);
    }
}

/* Cut at every length, and a byte changed all through the file: refused by name or, where no check can see it, opened;
 * never a crash, never written. */
static void damage_is_refused_by_name(void **state)
{
    (void)state;
    static const struct file sound = {"sound", SOUND, PNCP_OK, NULL};
    struct rows_lake lake;
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    rows_lake_open(&lake);
    make_file(&sound, &bytes);
    for (size_t len = 0; len < bytes.len; len += len < 16 || len + 16 > bytes.len ? 1 : 997) {
        rows_file_put(&lake, DETAILS, bytes.data, len);
        assert_int_equal(try_open(&lake, DETAILS, NULL, "cut"), PNCP_E_PARSE);
    }
    static const char zeros[4096];
    rows_file_put(&lake, DETAILS, zeros, sizeof(zeros));
    assert_int_equal(try_open(&lake, DETAILS, "PAR1", "zeros"), PNCP_E_PARSE);
    rows_file_put(&lake, DETAILS, "PAR1\0\0\0\0PAR1", 12);
    assert_int_equal(try_open(&lake, DETAILS, NULL, "an empty footer"), PNCP_E_PARSE);
    size_t refused = 0, tried = 0;
    for (size_t at = 4; at < bytes.len; at += 211) {
        bytes.data[at] = (char)(bytes.data[at] ^ 0x55);
        rows_file_put(&lake, DETAILS, bytes.data, bytes.len);
        refused += try_open(&lake, NULL, NULL, "a changed byte") != PNCP_OK;
        tried++;
        bytes.data[at] = (char)(bytes.data[at] ^ 0x55);
    }
    assert_true(refused > tried / 10); /* most bytes are pages of columns that opening does not read */
    rows_lake_close(&lake);
}

static void others_in_its_place_or_beside_it(void **state)
{
    (void)state;
    static const struct file sound = {"sound", SOUND, PNCP_OK, NULL};
    struct rows_lake lake;
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    char full[600];
    rows_lake_open(&lake);
    make_file(&sound, &bytes);
    assert_int_equal(try_open(&lake, NULL, NULL, "nothing there"), PNCP_OK);
    /* a folder in its place */
    rows_file_put(&lake, DETAILS "/part-0", "x", 1);
    assert_int_equal(try_open(&lake, DETAILS, NULL, "a folder"), PNCP_E_IO);
    (void)snprintf(full, sizeof(full), "%s/" DETAILS "/part-0", lake.folder);
    assert_int_equal(remove(full), 0);
    (void)snprintf(full, sizeof(full), "%s/" DETAILS, lake.folder);
    assert_int_equal(remove(full), 0);
    /* other Parquet beside it, with and without our own */
    static const char *const beside[] = {"chunk_0001.parquet", "chunk_12.parquet", "part-0.snappy.parquet",
                                         "details.parquet.parquet"};
    for (size_t i = 0; i < 2 * PNCP_ARRAY_LEN(beside); i++) {
        char path[200];
        (void)snprintf(path, sizeof(path), FOLDER "/%s", beside[i / 2]);
        rows_file_put(&lake, path, "PAR1", 4);
        if (i % 2 == 1)
            rows_file_put(&lake, DETAILS, bytes.data, bytes.len);
        assert_int_equal(try_open(&lake, path, "adopt", beside[i / 2]), PNCP_E_FOREIGN);
        assert_int_equal(pncp_lake_remove(lake.lake, path, NULL), PNCP_OK);
        assert_int_equal(pncp_lake_remove(lake.lake, DETAILS, NULL), PNCP_OK);
    }
    /* what is no Parquet does not matter */
    rows_file_put(&lake, FOLDER "/_SUCCESS", "", 0);
    rows_file_put(&lake, FOLDER "/.details.parquet.crc", "x", 1);
    rows_file_put(&lake, DETAILS, bytes.data, bytes.len);
    assert_int_equal(try_open(&lake, NULL, NULL, "other files"), PNCP_OK);
    rows_lake_close(&lake);
}

/* A reading that fails half-way leaves keys, history and version as they were. */
static void reading_anew_is_all_or_nothing(void **state)
{
    (void)state;
    static const struct file old = {"old", SOUND, PNCP_OK, NULL},
                             new = {"new", "details 1",  "1",     "20251022", "[]", "fedcba9876543210fedcba9876543210",
                                    false, {1, 2, 3, 4}, PNCP_OK, NULL};
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    rows_lake_open(&lake);
    make_file(&old, &bytes);
    rows_file_put(&lake, DETAILS, bytes.data, bytes.len);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    assert_int_equal(pncp_data_open(lake.lake, lake.date, keys, &data, NULL), PNCP_OK);
    struct pncp_version version = data.version;
    make_file(&new, &bytes);
    rows_file_put(&lake, DETAILS, bytes.data, bytes.len);
    const struct sys_fault fault = {.calls = SYS_ALL, .way = SYS_FAULT_ERROR, .error = EIO};
    for (unsigned n = 1;; n++) {
        sys_faults_arm(&fault, n);
        enum pncp_code rc = pncp_data_reload(&data, &err);
        if (sys_faults_disarm() == 0)
            break;
        if (rc == PNCP_OK) /* close */
            continue;
        assert_int_equal(rc, PNCP_E_IO);
        assert_true(err.transient);
        assert_string_equal(data.commit, COMMIT);
        assert_string_equal(data.version.text, version.text);
        assert_int_equal(data.rows, 3);
        assert_int_equal(data.history_count, 1);
        assert_int_equal(pncp_keyset_count(keys, PNCP_KEY_SAVED, 0), 3);
        assert_int_equal(pncp_keyset_count(keys, PNCP_KEY_READ, 0), 0);
        for (uint32_t i = 1; i <= 3; i++)
            assert_int_equal(pncp_keyset_get(keys, rows_packed(i)), PNCP_KEY_SAVED);
    }
    assert_true(sys_faults_count(SYS_ALL) > 10);
    assert_int_equal(data.rows, 4);
    assert_string_not_equal(data.version.text, version.text);
    assert_int_equal(pncp_keyset_get(keys, rows_packed(4)), PNCP_KEY_SAVED);
    pncp_data_release(&data);
    pncp_keyset_free(keys);
    rows_lake_close(&lake);
}

struct walk {
    uint32_t next, stop_at;
};

static enum pncp_code walk_row(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct walk *walk = ctx;
    struct pncp_key key = rows_key(walk->next);
    assert_true(pncp_key_eq(&row->key, &key));
    assert_int_equal(row->itens, rows_itens(walk->next));
    assert_int_equal(row->arquivos, rows_arquivos(walk->next));
    assert_int_equal(row->itens_total, row->itens == PNCP_SITUACAO_AUSENTE ? -1 : rows_itens_total(walk->next));
    assert_int_equal(row->arquivos_total,
                     row->arquivos == PNCP_SITUACAO_AUSENTE ? -1 : rows_arquivos_total(walk->next));
    return walk->next++ == walk->stop_at ? pncp_err_set(err, PNCP_E_CANCELLED, "enough") : PNCP_OK;
}

static void rows_are_told_in_their_order(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    char commit[PNCP_ID_BYTES] = "x";
    rows_lake_open(&lake);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    assert_int_equal(pncp_data_open(lake.lake, lake.date, keys, &data, NULL), PNCP_OK);
    struct walk walk = {.next = 1};
    assert_int_equal(pncp_data_each_row(&data, &(struct pncp_row_walk){walk_row, NULL, &walk}, commit, &err),
                     PNCP_OK); /* no file: no rows */
    assert_int_equal(walk.next, 1);
    assert_string_equal(commit, "");
    for (uint32_t i = 0; i < 2; i++) {
        struct pncp_table table;
        rows_table(&table, pncp_details_schema(), 1 + i * 20, 20);
        const struct pncp_lot lot = {.table = &table, .run_id = "r", .n = i + 1};
        assert_int_equal(pncp_data_append(&data, &lot, &result, &err), PNCP_OK);
        pncp_table_release(&table);
    }
    assert_int_equal(pncp_data_each_row(&data, &(struct pncp_row_walk){walk_row, NULL, &walk}, commit, &err), PNCP_OK);
    assert_int_equal(walk.next, 41);
    assert_string_equal(commit, data.commit);
    walk = (struct walk){.next = 1, .stop_at = 25};
    assert_int_equal(pncp_data_each_row(&data, &(struct pncp_row_walk){walk_row, NULL, &walk}, NULL, &err),
                     PNCP_E_CANCELLED);
    assert_int_equal(walk.next, 26);
    assert_int_equal(pncp_lake_remove(lake.lake, DETAILS, NULL), PNCP_OK);
    assert_int_equal(pncp_data_each_row(&data, &(struct pncp_row_walk){walk_row, NULL, &walk}, NULL, &err),
                     PNCP_E_UNAVAILABLE);
    assert_true(err.transient);
    pncp_data_release(&data);
    pncp_data_release(&data);
    pncp_keyset_free(keys);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_gets_its_answer),      cmocka_unit_test(the_footer_has_a_checksum),
        cmocka_unit_test(damage_is_refused_by_name),      cmocka_unit_test(others_in_its_place_or_beside_it),
        cmocka_unit_test(reading_anew_is_all_or_nothing), cmocka_unit_test(rows_are_told_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
