/* falhas after the rows were looked at: an entry for each absent or empty part and none that the rows contradict. */
#include "day/falhas_rows.h"
#include "rows_fixture.h"

#define ROWS 150 /* every 11th, 13th, 17th, 19th has an empty or absent part */
#define NOW_S INT64_C(1761200000)

struct day {
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_falhas falhas;
};

static void day_open(struct day *day)
{
    struct pncp_table table;
    struct pncp_commit_result result;
    *day = (struct day){.keys = NULL};
    rows_lake_open(&day->lake);
    assert_int_equal(pncp_keyset_new(&day->keys), PNCP_OK);
    assert_int_equal(pncp_data_open(day->lake.lake, day->lake.date, day->keys, &day->data, NULL), PNCP_OK);
    rows_table(&table, pncp_details_schema(), 1, ROWS);
    const struct pncp_lot lot = {.table = &table, .run_id = ROWS_RUN, .n = 1};
    assert_int_equal(pncp_data_append(&day->data, &lot, &result, NULL), PNCP_OK);
    pncp_table_release(&table);
}

static void day_close(struct day *day)
{
    pncp_falhas_release(&day->falhas);
    pncp_data_release(&day->data);
    pncp_keyset_free(day->keys);
    rows_lake_close(&day->lake);
}

static void look_at_rows(struct day *day)
{
    struct pncp_err err = PNCP_ERR_INIT;
    day->falhas.dirty = false;
    if (pncp_falhas_from_rows(&day->falhas, &day->data, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

static void note(struct day *day, uint32_t number, enum pncp_falha_part part, enum pncp_falha_kind kind)
{
    bool failed = kind == PNCP_FALHA_FAILED;
    assert_int_equal(pncp_falhas_note(&day->falhas, rows_packed(number), part, kind,
                                      failed ? PNCP_REASON_TIMEOUT : PNCP_REASON_NONE, 0, NOW_S),
                     PNCP_OK);
}

/* The entry of (key, part), NULL for none; there may be one only. */
static const struct pncp_falha *entry_of(const struct day *day, uint32_t number, enum pncp_falha_part part)
{
    const struct pncp_falha *found = NULL;
    for (size_t i = 0; i < day->falhas.count; i++) {
        const struct pncp_falha *entry = &day->falhas.entries[i];
        if (pncp_packed_key_cmp(entry->key, rows_packed(number)) != 0 || (enum pncp_falha_part)entry->part != part)
            continue;
        assert_null(found);
        found = entry;
    }
    return found;
}

/* Gives 1 when there is to be one. */
static size_t assert_part(const struct day *day, uint32_t number, enum pncp_falha_part part,
                          enum pncp_situacao situacao)
{
    const struct pncp_falha *entry = entry_of(day, number, part);
    if (situacao == PNCP_SITUACAO_OK) {
        assert_null(entry);
        return 0;
    }
    assert_non_null(entry);
    assert_int_equal(entry->kind, situacao == PNCP_SITUACAO_AUSENTE ? PNCP_FALHA_AUSENTE : PNCP_FALHA_VAZIO);
    return 1;
}

static size_t assert_rows_told(const struct day *day)
{
    size_t count = 0;
    for (uint32_t number = 1; number <= ROWS; number++) {
        count += assert_part(day, number, PNCP_FALHA_ITENS, rows_itens(number));
        count += assert_part(day, number, PNCP_FALHA_ARQUIVOS, rows_arquivos(number));
    }
    return count;
}

static void all_entries_come_from_rows(void **state)
{
    (void)state;
    struct day day;
    day_open(&day);
    look_at_rows(&day);
    assert_true(day.falhas.dirty);
    size_t count = assert_rows_told(&day);
    assert_true(count > 20 && day.falhas.count == count);
    look_at_rows(&day); /* once more: nothing to do */
    assert_false(day.falhas.dirty);
    assert_int_equal(day.falhas.count, count);
    day_close(&day);
}

static void what_rows_contradict_goes(void **state)
{
    (void)state;
    struct day day;
    day_open(&day);
    uint32_t absent = 13, empty = 11, other = ROWS + 1; /* the itens of both; a contratação without a row */
    assert_int_equal(rows_itens(absent), PNCP_SITUACAO_AUSENTE);
    assert_int_equal(rows_itens(empty), PNCP_SITUACAO_VAZIO);
    note(&day, 1, PNCP_FALHA_AMBAS, PNCP_FALHA_FAILED); /* its row is there */
    note(&day, 2, PNCP_FALHA_ITENS, PNCP_FALHA_VAZIO);  /* its row has itens */
    note(&day, absent, PNCP_FALHA_ITENS, PNCP_FALHA_VAZIO);
    note(&day, other, PNCP_FALHA_AMBAS, PNCP_FALHA_FAILED);
    for (int i = 0; i < 3; i++)
        note(&day, empty, PNCP_FALHA_ITENS, PNCP_FALHA_VAZIO);
    uint32_t attempts = entry_of(&day, empty, PNCP_FALHA_ITENS)->attempts;
    assert_int_equal(attempts, 3);
    look_at_rows(&day);
    assert_true(day.falhas.dirty);
    size_t count = assert_rows_told(&day);
    assert_int_equal(day.falhas.count, count + 1);
    assert_non_null(entry_of(&day, other, PNCP_FALHA_AMBAS));
    assert_int_equal(entry_of(&day, empty, PNCP_FALHA_ITENS)->attempts, attempts); /* rows cannot tell: kept */
    assert_int_equal(entry_of(&day, absent, PNCP_FALHA_ITENS)->attempts, 1);       /* another kind: begun anew */
    day_close(&day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_entries_come_from_rows),
        cmocka_unit_test(what_rows_contradict_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
