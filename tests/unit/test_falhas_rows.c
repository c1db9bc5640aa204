/* falhas after the rows were looked at: an entry for each absent or empty part and none that the rows contradict. */
#include "day/falhas_rows.h"
#include "day/layout.h"
#include "lake/race.h"
#include "rows_fixture.h"
#include "sys_faults.h"

#include <string.h>

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

/* -1: there is no such entry. */
static int attempts_of(const struct day *day, uint32_t number, enum pncp_falha_part part)
{
    const struct pncp_falha *entry = entry_of(day, number, part);
    return entry == NULL ? -1 : (int)entry->attempts;
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
    assert_int_equal(attempts_of(&day, empty, PNCP_FALHA_ITENS), 3);
    look_at_rows(&day);
    assert_true(day.falhas.dirty);
    size_t count = assert_rows_told(&day);
    assert_int_equal(day.falhas.count, count + 1);
    assert_non_null(entry_of(&day, other, PNCP_FALHA_AMBAS));
    assert_int_equal(attempts_of(&day, empty, PNCP_FALHA_ITENS), 3);  /* rows cannot tell: kept */
    assert_int_equal(attempts_of(&day, absent, PNCP_FALHA_ITENS), 1); /* another kind: begun anew */
    day_close(&day);
}

/* Another run, which appends row ROWS + 1 and settles falhas between two reads of the run that is looked at. */
struct other_run {
    struct pncp_lake *lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    char falhas_path[PNCP_PLACE_BYTES], data_path[PNCP_PLACE_BYTES];
    const char *first; /* path that was read first; NULL: none so far */
    bool done;
};

static void other_run_open(struct other_run *other, const struct day *day)
{
    *other = (struct other_run){.lake = rows_lake_again(&day->lake, "20251023T060103Z-00000002")};
    pncp_place_format(PNCP_PLACE_FALHAS, day->lake.date, other->falhas_path);
    pncp_place_format(PNCP_PLACE_DATA, day->lake.date, other->data_path);
    assert_int_equal(pncp_keyset_new(&other->keys), PNCP_OK);
    assert_int_equal(pncp_data_open(other->lake, day->lake.date, other->keys, &other->data, NULL), PNCP_OK);
}

static void other_run_close(struct other_run *other)
{
    pncp_data_release(&other->data);
    pncp_keyset_free(other->keys);
    pncp_lake_free(other->lake);
}

static void other_run_saves(struct other_run *other)
{
    AUTO(pncp_falhas_release) struct pncp_falhas falhas = {0};
    struct pncp_table table;
    struct pncp_commit_result result;
    rows_table(&table, pncp_details_schema(), ROWS + 1, 1);
    const struct pncp_lot lot = {.table = &table, .run_id = "20251023T060103Z-00000002", .n = 1};
    assert_int_equal(pncp_data_append(&other->data, &lot, &result, NULL), PNCP_OK);
    assert_int_equal(result.contratacoes, 1);
    assert_int_equal(pncp_falhas_settle(&falhas, &other->data, NULL), PNCP_OK);
    pncp_table_release(&table);
}

static int between_the_reads(void *ctx, const char *call, const char *path)
{
    struct other_run *other = ctx;
    if (other->done || path == NULL || strcmp(call, "openat") != 0)
        return 0;
    const char *read = strcmp(path, other->falhas_path) == 0 ? other->falhas_path
                       : strcmp(path, other->data_path) == 0 ? other->data_path
                                                             : NULL;
    if (read == NULL || read == other->first)
        return 0;
    if (other->first == NULL) {
        other->first = read;
        return 0;
    }
    other->done = true; /* before its own reads come here */
    other_run_saves(other);
    return 0;
}

/* A run has noted a failure; another saves that contratação while the first reads falhas and data. Were the data read
 * before falhas, the rows would be older than the version of falhas that is replaced, and the entry would stay. */
static void rows_are_never_older_than_the_falhas_replaced(void **state)
{
    (void)state;
    struct day day;
    struct other_run other;
    struct pncp_err err = PNCP_ERR_INIT;
    day_open(&day);
    assert_int_equal(pncp_falhas_settle(&day.falhas, &day.data, NULL), PNCP_OK); /* the file is there */
    other_run_open(&other, &day);
    note(&day, ROWS + 1, PNCP_FALHA_AMBAS, PNCP_FALHA_FAILED);
    sys_faults_hook(between_the_reads, &other);
    enum pncp_code rc = pncp_falhas_settle(&day.falhas, &day.data, &err);
    sys_faults_hook(NULL, NULL);
    if (rc != PNCP_OK)
        fail_msg("%s", err.msg);
    assert_true(other.done);
    pncp_falhas_release(&day.falhas);
    assert_int_equal(pncp_falhas_load(day.lake.lake, day.lake.date, &day.falhas, NULL, NULL), PNCP_OK);
    assert_null(entry_of(&day, ROWS + 1, PNCP_FALHA_AMBAS));
    assert_rows_told(&day);
    other_run_close(&other);
    day_close(&day);
}

struct rival {
    struct day *day;
    unsigned left; /* so often it is faster */
    char lock[PNCP_PLACE_BYTES];
};

/* Before the write that takes falhas' lock another run has written it. */
static int writes_first(void *ctx, const char *call, const char *path)
{
    struct rival *rival = ctx;
    if (rival->left == 0 || path == NULL || strcmp(call, "openat") != 0 || strcmp(path, rival->lock) != 0)
        return 0;
    rival->left--;
    struct pncp_falhas theirs;
    struct pncp_lake *lake = rival->day->lake.lake;
    assert_int_equal(pncp_falhas_load(lake, rival->day->lake.date, &theirs, NULL, NULL), PNCP_OK);
    assert_int_equal(pncp_falhas_note(&theirs, rows_packed(ROWS + 2 + rival->left), PNCP_FALHA_AMBAS, PNCP_FALHA_FAILED,
                                      PNCP_REASON_TIMEOUT, 0, NOW_S),
                     PNCP_OK);
    assert_int_equal(pncp_falhas_write(lake, rival->day->lake.date, &theirs, rival->day->keys, NULL), PNCP_OK);
    pncp_falhas_release(&theirs);
    return 0;
}

/* Eight runs that end together lose more than a few versions to each other. */
static void nobody_gives_up_early(void **state)
{
    (void)state;
    for (int settling = 0; settling <= 1; settling++) {
        struct day day;
        struct pncp_err err = PNCP_ERR_INIT;
        day_open(&day);
        struct rival rival = {.day = &day, .left = PNCP_RACE_TRIES - 1};
        pncp_place_format(PNCP_PLACE_FALHAS_LOCK, day.lake.date, rival.lock);
        note(&day, ROWS + 1, PNCP_FALHA_AMBAS, PNCP_FALHA_FAILED);
        sys_faults_hook(writes_first, &rival);
        enum pncp_code rc = settling ? pncp_falhas_settle(&day.falhas, &day.data, &err)
                                     : pncp_falhas_save(day.lake.lake, day.lake.date, &day.falhas, day.keys, &err);
        sys_faults_hook(NULL, NULL);
        if (rc != PNCP_OK)
            fail_msg("%s", err.msg);
        assert_int_equal(rival.left, 0);
        pncp_falhas_release(&day.falhas);
        assert_int_equal(pncp_falhas_load(day.lake.lake, day.lake.date, &day.falhas, NULL, NULL), PNCP_OK);
        for (uint32_t number = ROWS + 1; number <= ROWS + PNCP_RACE_TRIES; number++)
            assert_non_null(entry_of(&day, number, PNCP_FALHA_AMBAS));
        day_close(&day);
    }
}

/* Nor does anybody go on for ever; the caller may try again later. */
static void a_race_without_end_is_left(void **state)
{
    (void)state;
    struct day day;
    struct pncp_err err = PNCP_ERR_INIT;
    day_open(&day);
    struct rival rival = {.day = &day, .left = 1000};
    pncp_place_format(PNCP_PLACE_FALHAS_LOCK, day.lake.date, rival.lock);
    sys_faults_hook(writes_first, &rival);
    assert_int_equal(pncp_falhas_settle(&day.falhas, &day.data, &err), PNCP_E_CONFLICT);
    sys_faults_hook(NULL, NULL);
    assert_true(err.transient);
    assert_non_null(strstr(err.msg, "was changed by others 12 times"));
    day_close(&day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_entries_come_from_rows),
        cmocka_unit_test(what_rows_contradict_goes),
        cmocka_unit_test(rows_are_never_older_than_the_falhas_replaced),
        cmocka_unit_test(nobody_gives_up_early),
        cmocka_unit_test(a_race_without_end_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
