/* The state files: made from the data alone, to the letter, and told apart from what is stale or damaged. */
#include "base/mem.h"
#include "day/data_int.h"
#include "day/state.h"
#include "rows_fixture.h"
#include "torn_reads.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>

#define ITENS "pncp_details/_state/itens/pncp_details_20251022_state.json"
#define DETAILS "pncp_details/year=2025/month=10/day=22/details.parquet"
#define ARQUIVOS "pncp_details/_state/arquivos/pncp_details_20251022_state.json"
static const char *const PATHS[] = {[PNCP_PART_ITENS] = ITENS, [PNCP_PART_ARQUIVOS] = ARQUIVOS};

struct day {
    struct pncp_keyset *keys;
    struct pncp_data data;
};

static void day_open(struct day *day, struct pncp_lake *lake, struct pncp_date date)
{
    assert_int_equal(pncp_keyset_new(&day->keys), PNCP_OK);
    assert_int_equal(pncp_data_open(lake, date, day->keys, &day->data, NULL), PNCP_OK);
}

static void day_close(struct day *day)
{
    pncp_data_release(&day->data);
    pncp_keyset_free(day->keys);
}

static void append(struct day *day, uint32_t first, uint32_t count)
{
    struct pncp_table table;
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    rows_table(&table, pncp_details_schema(), first, count);
    const struct pncp_lot lot = {.table = &table, .run_id = ROWS_RUN, .n = 1};
    if (pncp_data_append(&day->data, &lot, &result, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    pncp_table_release(&table);
}

static void save(struct day *day)
{
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_state_save(&day->data, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

static void assert_health(struct day *day, enum pncp_part part, enum pncp_state_health health, const char *says)
{
    enum pncp_state_health found;
    char what[PNCP_STATE_WHAT_BYTES] = "?";
    assert_int_equal(pncp_state_check(&day->data, part, &found, what, NULL), PNCP_OK);
    if (found != health || (says == NULL ? what[0] != '\0' : strstr(what, says) == NULL) ||
        (says != NULL && strstr(what, PATHS[part]) == NULL))
        fail_msg("%d: %s", found, what);
}

/* The whole file from the data: keys in the file's order, one execution per append or sum. */
static void expect(const struct day *day, enum pncp_part part, struct pncp_buf *text)
{
    char stamp[PNCP_STAMP_TEXT_BYTES];
    bool itens = part == PNCP_PART_ITENS, any = false;
    pncp_buf_clear(text);
    assert_int_equal(pncp_buf_text(text, "{\"v\":1,\"processed_keys\":["), PNCP_OK);
    for (uint32_t i = 1; i <= day->data.rows; i++) {
        struct pncp_key key = rows_key(i);
        assert_int_equal(pncp_buf_format(text, "%s\"%s|%d|%d\"", i == 1 ? "" : ",", key.cnpj, key.ano, key.sequencial),
                         PNCP_OK);
    }
    assert_int_equal(pncp_buf_text(text, "],\"executions\":["), PNCP_OK);
    for (size_t i = 0; i < day->data.history_count; i++) {
        const struct pncp_history_entry *e = &day->data.history[i];
        if (e->rewrite)
            continue;
        pncp_stamp_format(e->at_s * 1000000, stamp);
        assert_int_equal(
            pncp_buf_format(text, "%s{\"timestamp\":\"%s\",\"new_records\":%" PRId64 ",\"total_%s\":%" PRId64 "}",
                            any ? "," : "", stamp, e->contratacoes, itens ? "itens" : "arquivos",
                            itens ? e->itens : e->arquivos),
            PNCP_OK);
        any = true;
    }
    assert_int_equal(pncp_buf_format(text, "],\"date\":\"20251022\",\"commit\":\"%s\"}", day->data.commit), PNCP_OK);
}

static void assert_files(const struct rows_lake *lake, const struct day *day)
{
    for (int part = 0; part < PNCP_PARTS; part++) {
        AUTO(pncp_buf_release) struct pncp_buf text = {0}, want = {0};
        AUTO(pncp_json_release) struct pncp_json json = {0};
        expect(day, (enum pncp_part)part, &want);
        assert_true(rows_file_get(lake, PATHS[part], &text));
        assert_int_equal(pncp_json_parse(pncp_buf_view(&text), &json, NULL, NULL), PNCP_OK);
        if (!pncp_view_eq(pncp_buf_view(&text), pncp_buf_view(&want)))
            fail_msg("%s\n%.*s", text.data, (int)want.len, want.data);
    }
}

static void keys_and_executions_to_the_letter(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct day day;
    rows_lake_open(&lake);
    day_open(&day, lake.lake, lake.date);
    for (int part = 0; part < PNCP_PARTS; part++)
        assert_health(&day, (enum pncp_part)part, PNCP_STATE_MISSING, "missing");
    append(&day, 1, 30);
    append(&day, 31, 8);
    save(&day);
    assert_files(&lake, &day);
    for (int part = 0; part < PNCP_PARTS; part++)
        assert_health(&day, (enum pncp_part)part, PNCP_STATE_SOUND, NULL);
    /* each for itself */
    assert_int_equal(pncp_lake_remove(lake.lake, ARQUIVOS, NULL), PNCP_OK);
    assert_health(&day, PNCP_PART_ITENS, PNCP_STATE_SOUND, NULL);
    assert_health(&day, PNCP_PART_ARQUIVOS, PNCP_STATE_MISSING, "missing");
    assert_int_equal(rows_temp_count(&lake), 0);
    day_close(&day);
    rows_lake_close(&lake);
}

static void a_sum_is_an_execution_and_a_rewrite_is_none(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct day day;
    rows_lake_open(&lake);
    day_open(&day, lake.lake, lake.date);
    append(&day, 1, 5);
    append(&day, 6, 5);
    append(&day, 11, 5);
    day.data.history[0].sum = true; /* as it would be after hundreds of checkpoints */
    day.data.history[1].rewrite = true;
    save(&day);
    assert_files(&lake, &day);
    assert_health(&day, PNCP_PART_ITENS, PNCP_STATE_SOUND, NULL);
    day_close(&day);
    rows_lake_close(&lake);
}

static void what_is_stale_or_damaged_is_told(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct day day;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    rows_lake_open(&lake);
    day_open(&day, lake.lake, lake.date);
    append(&day, 1, 12);
    save(&day);
    append(&day, 13, 1);
    assert_health(&day, PNCP_PART_ITENS, PNCP_STATE_STALE, "commit");
    save(&day);
    assert_health(&day, PNCP_PART_ITENS, PNCP_STATE_SOUND, NULL);
    assert_true(rows_file_get(&lake, ITENS, &text));
    static const struct {
        const char *from, *to, *says; /* the first `from` in the file becomes `to` (as long); NULL: cut there */
    } damages[] = {
        {"]", NULL, "not a state file"},
        {"{", NULL, "not a state file"},
        {"\"processed_keys\":[", "\"processed_keyz\":[", "not a state file"},
        {"|2025|", "|2026|", "keys differ"},
        {"new_records\":12", "new_records\":13", "executions differ"},
        {"\"total_itens\"", "\"total_itenz\"", "executions differ"},
        {"\"executions\"", "\"executiones", "not a state file"}, /* no JSON any more */
        {"2025-", "2024-", "executions differ"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(damages); i++) {
        const char *at = memmem(text.data, text.len, damages[i].from, strlen(damages[i].from));
        if (strcmp(damages[i].from, "2025-") == 0) /* a timestamp, not a key */
            at = memmem(text.data, text.len, "\"timestamp\":\"20", 15), at = at == NULL ? NULL : at + 13;
        assert_non_null(at);
        AUTO(pncp_buf_release) struct pncp_buf changed = {0};
        size_t offset = (size_t)(at - text.data);
        assert_int_equal(pncp_buf_append(&changed, text.data, damages[i].to == NULL ? offset : text.len), PNCP_OK);
        if (damages[i].to != NULL && changed.data != NULL)
            memcpy(changed.data + offset, damages[i].to, strlen(damages[i].to));
        rows_file_put(&lake, ITENS, changed.len == 0 ? "" : changed.data, changed.len);
        assert_health(&day, PNCP_PART_ITENS, PNCP_STATE_DAMAGED, damages[i].says);
    }
    /* an id that no commit has, and no JSON: not that of another commit */
    AUTO(pncp_buf_release) struct pncp_buf no_id = {0};
    assert_int_equal(pncp_buf_append(&no_id, text.data, text.len), PNCP_OK);
    memcpy(no_id.data + no_id.len - 6, "\xd0\xd2", 2);
    rows_file_put(&lake, ITENS, no_id.data, no_id.len);
    assert_health(&day, PNCP_PART_ITENS, PNCP_STATE_DAMAGED, "not a state file");
    /* a key too few, a key too many */
    char *end = memmem(text.data, text.len, "],\"executions\"", 14);
    assert_non_null(end);
    AUTO(pncp_buf_release) struct pncp_buf more = {0};
    assert_int_equal(pncp_buf_append(&more, text.data, (size_t)(end - text.data)), PNCP_OK);
    assert_int_equal(pncp_buf_text(&more, ",\"83102277000152|2025|423\""), PNCP_OK);
    assert_int_equal(pncp_buf_append(&more, end, (size_t)(text.data + text.len - end)), PNCP_OK);
    rows_file_put(&lake, ITENS, more.data, more.len);
    assert_health(&day, PNCP_PART_ITENS, PNCP_STATE_DAMAGED, "keys differ");
    const char *last = memrchr(text.data, ',', (size_t)(end - text.data));
    assert_non_null(last);
    pncp_buf_clear(&more);
    assert_int_equal(pncp_buf_append(&more, text.data, (size_t)(last - text.data)), PNCP_OK);
    assert_int_equal(pncp_buf_append(&more, end, (size_t)(text.data + text.len - end)), PNCP_OK);
    rows_file_put(&lake, ITENS, more.data, more.len);
    assert_health(&day, PNCP_PART_ITENS, PNCP_STATE_DAMAGED, "keys differ");
    save(&day);
    assert_health(&day, PNCP_PART_ITENS, PNCP_STATE_SOUND, NULL);
    day_close(&day);
    rows_lake_close(&lake);
}

/* Another run has committed since: keys, executions and commit id are still those of one version. */
static void others_commit_in_between(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct day day, other;
    rows_lake_open(&lake);
    day_open(&day, lake.lake, lake.date);
    append(&day, 1, 6);
    struct pncp_lake *second = rows_lake_again(&lake, "20251023T060103Z-00000002");
    day_open(&other, second, lake.date);
    append(&other, 7, 3);
    save(&day);
    assert_string_equal(day.data.commit, other.data.commit);
    assert_int_equal(day.data.rows, 9);
    assert_files(&lake, &other);
    assert_health(&other, PNCP_PART_ITENS, PNCP_STATE_SOUND, NULL);
    assert_int_equal(pncp_keyset_get(day.keys, rows_packed(9)), PNCP_KEY_SAVED);
    day_close(&other);
    day_close(&day);
    pncp_lake_free(second);
    rows_lake_close(&lake);
}

/* The file is that of the commit we know, which is the newest no more: nothing is damaged, and a run that ends beside
 * others does not fail for it. */
static void others_commit_while_it_is_checked(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct day day, other;
    struct torn_reads reads;
    rows_lake_open(&lake);
    day_open(&day, lake.lake, lake.date);
    append(&day, 1, 6);
    save(&day);
    static const char *const replaced[] = {DETAILS, ITENS};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(replaced); i++) {
        torn_reads_begin(&reads, lake.lake, replaced[i], 1);
        assert_health(&day, PNCP_PART_ITENS, PNCP_STATE_STALE, "another run");
        assert_int_equal(reads.left, 0);
        torn_reads_end(&reads);
    }
    struct pncp_lake *second = rows_lake_again(&lake, "20251023T060103Z-00000002");
    day_open(&other, second, lake.date);
    append(&other, 7, 3);
    for (int part = 0; part < PNCP_PARTS; part++)
        assert_health(&day, (enum pncp_part)part, PNCP_STATE_STALE, "another run");
    torn_reads_begin(&reads, lake.lake, DETAILS, 3);
    save(&day);
    assert_int_equal(reads.left, 0);
    torn_reads_end(&reads);
    assert_files(&lake, &other);
    day_close(&other);
    day_close(&day);
    pncp_lake_free(second);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_executions_to_the_letter),
        cmocka_unit_test(a_sum_is_an_execution_and_a_rewrite_is_none),
        cmocka_unit_test(what_is_stale_or_damaged_is_told),
        cmocka_unit_test(others_commit_in_between),
        cmocka_unit_test(others_commit_while_it_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
