/* Rows fetched again: they take the places of the rows they were fetched for, and of no others. */
#include "base/mem.h"
#include "day/renewals.h"
#include "rows_fixture.h"

#include <string.h>

#define SECOND INT64_C(1000000)

/* One run's view of the day. */
struct view {
    struct pncp_lake *lake; /* NULL: the fixture's own */
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_renewals renewals;
};

static void view_open(struct view *view, struct rows_lake *lake, struct pncp_lake *as)
{
    *view = (struct view){.lake = as};
    pncp_renewals_init(&view->renewals);
    assert_int_equal(pncp_keyset_new(&view->keys), PNCP_OK);
    assert_int_equal(pncp_data_open(as == NULL ? lake->lake : as, lake->date, view->keys, &view->data, NULL), PNCP_OK);
}

static void view_close(struct view *view)
{
    pncp_renewals_release(&view->renewals);
    pncp_data_release(&view->data);
    pncp_keyset_free(view->keys);
    pncp_lake_free(view->lake);
}

static void append(struct view *view, const char *run, uint32_t first, uint32_t count)
{
    struct pncp_table table;
    struct pncp_commit_result result;
    rows_table(&table, pncp_details_schema(), first, count);
    const struct pncp_lot lot = {.table = &table, .run_id = run, .n = first};
    assert_int_equal(pncp_data_append(&view->data, &lot, &result, NULL), PNCP_OK);
    pncp_table_release(&table);
}

static enum pncp_code saw(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    (void)err;
    return pncp_renewals_saw(ctx, row);
}

/* The run looks at the day and is going to ask for all of it again. */
static void see_all(struct view *view)
{
    assert_int_equal(pncp_data_each_row(&view->data, &(struct pncp_row_walk){saw, NULL, &view->renewals}, NULL, NULL),
                     PNCP_OK);
    pncp_renewals_seal(&view->renewals);
}

/* It is given row `number` again, as it is `later_s` seconds after the first time. */
static void fetch(struct view *view, uint32_t number, int64_t later_s)
{
    struct pncp_table table;
    rows_table(&table, pncp_details_schema(), number, 1);
    struct pncp_leaf *obtained = &table.leaves[pncp_details_leaves()->obtido_em];
    int64_t at = pncp_leaf_int(obtained, 0) + later_s * SECOND;
    memcpy(obtained->values.data, &at, sizeof(at));
    assert_int_equal(pncp_renewals_add(&view->renewals, view->data.lake, &table, NULL), PNCP_OK);
    pncp_table_release(&table);
}

static const volatile bool go_on = false;

static int64_t rewrite(struct view *view, const char *run, bool *ret_done)
{
    const struct pncp_rewrite how = {.run_id = run, .stop = &go_on, .renewals = &view->renewals};
    struct pncp_commit_result result = {.renewed = -1};
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_data_rewrite(&view->data, &how, ret_done, &result, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    return result.renewed;
}

struct found {
    uint32_t rows;
    int64_t later_s[200]; /* by number: than the row was first obtained; -1: no row */
};

static enum pncp_code find_row(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    (void)err;
    struct found *found = ctx;
    struct pncp_table table;
    uint32_t number = 1;
    struct pncp_packed_key key = pncp_key_pack(&row->key);
    while (number < PNCP_ARRAY_LEN(found->later_s) && pncp_packed_key_cmp(key, rows_packed(number)) != 0)
        number++;
    assert_in_range(number, 1, PNCP_ARRAY_LEN(found->later_s) - 1);
    assert_int_equal(found->later_s[number], -1); /* each key once */
    rows_table(&table, pncp_details_schema(), number, 1);
    int64_t first = pncp_leaf_int(&table.leaves[pncp_details_leaves()->obtido_em], 0);
    found->later_s[number] = (row->obtido_em_us - first) / SECOND;
    found->rows++;
    pncp_table_release(&table);
    return PNCP_OK;
}

static void read_day(struct rows_lake *lake, struct found *found)
{
    struct view view;
    *found = (struct found){.rows = 0};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(found->later_s); i++)
        found->later_s[i] = -1;
    view_open(&view, lake, NULL);
    assert_int_equal(pncp_data_each_row(&view.data, &(struct pncp_row_walk){find_row, NULL, found}, NULL, NULL),
                     PNCP_OK);
    view_close(&view);
}

/* ---- which are worth it ---------------------------------------------------------------------- */

static void no_part_may_become_worse(void **state)
{
    (void)state;
    const enum pncp_situacao OK = PNCP_SITUACAO_OK, VAZIO = PNCP_SITUACAO_VAZIO, AUSENTE = PNCP_SITUACAO_AUSENTE;
    const struct {
        enum pncp_situacao itens, arquivos;
        enum pncp_situacao new_itens, new_arquivos;
        bool better;
    } cases[] = {
        {AUSENTE, OK, OK, OK, true},          {OK, VAZIO, OK, OK, true},        {AUSENTE, OK, VAZIO, OK, true},
        {AUSENTE, VAZIO, OK, VAZIO, true},    {AUSENTE, AUSENTE, OK, OK, true}, {OK, AUSENTE, OK, AUSENTE, false},
        {OK, VAZIO, OK, VAZIO, false},        {OK, VAZIO, OK, AUSENTE, false},  {OK, AUSENTE, VAZIO, OK, false},
        {VAZIO, AUSENTE, AUSENTE, OK, false}, {OK, OK, OK, OK, false},          {AUSENTE, OK, OK, VAZIO, false},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        const struct pncp_renewal seen = {.itens = (uint8_t)cases[i].itens, .arquivos = (uint8_t)cases[i].arquivos};
        if (pncp_renewal_is_better(&seen, cases[i].new_itens, cases[i].new_arquivos) != cases[i].better)
            fail_msg("case %zu", i);
    }
}

/* ---- the rewrite ----------------------------------------------------------------------------- */

static void they_take_their_places(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct view run;
    struct found found;
    bool done;
    rows_lake_open(&lake);
    view_open(&run, &lake, NULL);
    for (uint32_t i = 0; i < 3; i++)
        append(&run, "run-1", 1 + 20 * i, 20);
    see_all(&run);
    fetch(&run, 25, 100);
    fetch(&run, 5, 200);
    fetch(&run, 60, 300);
    assert_int_equal(rewrite(&run, "run-2", &done), 3);
    assert_true(done);
    read_day(&lake, &found);
    assert_int_equal(found.rows, 60);
    for (uint32_t i = 1; i <= 60; i++)
        assert_int_equal(found.later_s[i], i == 5 ? 200 : i == 25 ? 100 : i == 60 ? 300 : 0);
    /* one commit more, which counts what is there */
    const struct pncp_history_entry *newest = pncp_data_newest(&run.data);
    assert_true(newest->rewrite);
    assert_int_equal(run.data.history_count, 4);
    assert_int_equal(newest->contratacoes, 60);
    int64_t itens = 0;
    for (uint32_t i = 1; i <= 60; i++)
        itens += PNCP_MAX(rows_itens_total(i), (int64_t)0);
    assert_int_equal(newest->itens, itens);
    assert_int_equal(pncp_data_totals(&run.data).itens, itens);
    assert_int_equal(rows_temp_count(&lake),
                     2); /* the rows fetched and where they lie; those of the rewrite are gone */
    /* the same rows once more: what was seen is not there any longer, so nothing is to be done */
    (void)rewrite(&run, "run-2", &done);
    assert_false(done);
    view_close(&run);
    assert_int_equal(rows_temp_count(&lake), 0);
    rows_lake_close(&lake);
}

/* Two runs have seen the same rows. The one that comes second has the older copy of row 5: the newer one stays. */
static void an_older_copy_never_replaces_a_newer_one(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct view slow, quick;
    struct found found;
    bool done;
    rows_lake_open(&lake);
    view_open(&slow, &lake, NULL);
    append(&slow, "run-1", 1, 30);
    view_open(&quick, &lake, rows_lake_again(&lake, "quick"));
    see_all(&slow);
    see_all(&quick);
    fetch(&slow, 5, 100);
    fetch(&slow, 6, 100);
    fetch(&quick, 5, 200);
    assert_int_equal(rewrite(&quick, "quick", &done), 1);
    assert_int_equal(rewrite(&slow, "slow", &done), 1); /* row 6; its version was lost, all was decided anew */
    assert_true(done);
    read_day(&lake, &found);
    assert_int_equal(found.rows, 30);
    assert_int_equal(found.later_s[5], 200);
    assert_int_equal(found.later_s[6], 100);
    view_close(&quick);
    view_close(&slow);
    rows_lake_close(&lake);
}

/* What an ordinary run appends between the first look and the rewrite is there afterwards. */
static void what_others_append_stays(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct view again, ordinary;
    struct found found;
    bool done;
    rows_lake_open(&lake);
    view_open(&again, &lake, NULL);
    append(&again, "run-1", 1, 30);
    see_all(&again);
    view_open(&ordinary, &lake, rows_lake_again(&lake, "ordinary"));
    for (uint32_t i = 1; i <= 30; i++)
        fetch(&again, i, 100);
    append(&ordinary, "ordinary", 31, 10);
    assert_int_equal(rewrite(&again, "again", &done), 30);
    append(&ordinary, "ordinary", 41, 10); /* it has lost its version to the rewrite in turn */
    read_day(&lake, &found);
    assert_int_equal(found.rows, 50);
    for (uint32_t i = 1; i <= 50; i++)
        assert_int_equal(found.later_s[i], i <= 30 ? 100 : 0);
    view_close(&ordinary);
    view_close(&again);
    rows_lake_close(&lake);
}

/* A row whose key is not in the file (any more) is not lost. */
static void a_key_that_is_gone_comes_back(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct view run;
    struct found found;
    bool done;
    rows_lake_open(&lake);
    view_open(&run, &lake, NULL);
    append(&run, "run-1", 1, 20);
    struct pncp_data_row row = {.mark = 1};
    row.key = rows_key(99);
    assert_int_equal(pncp_renewals_saw(&run.renewals, &row), PNCP_OK);
    pncp_renewals_seal(&run.renewals);
    fetch(&run, 99, 50);
    assert_int_equal(rewrite(&run, "run-2", &done), 0);
    assert_true(done);
    read_day(&lake, &found);
    assert_int_equal(found.rows, 21);
    assert_int_equal(found.later_s[99], 50);
    view_close(&run);
    rows_lake_close(&lake);
}

static void a_stop_leaves_the_old_rows(void **state)
{
    (void)state;
    static const volatile bool stop = true;
    struct rows_lake lake;
    struct view run;
    struct found found;
    bool done;
    struct pncp_commit_result result;
    rows_lake_open(&lake);
    view_open(&run, &lake, NULL);
    append(&run, "run-1", 1, 20);
    see_all(&run);
    fetch(&run, 3, 100);
    const struct pncp_rewrite how = {.run_id = "run-2", .stop = &stop, .renewals = &run.renewals};
    assert_int_equal(pncp_data_rewrite(&run.data, &how, &done, &result, NULL), PNCP_E_CANCELLED);
    read_day(&lake, &found);
    assert_int_equal(found.rows, 20);
    assert_int_equal(found.later_s[3], 0);
    assert_int_equal(rewrite(&run, "run-2", &done), 1); /* and can still be made */
    read_day(&lake, &found);
    assert_int_equal(found.later_s[3], 100);
    view_close(&run);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_part_may_become_worse),
        cmocka_unit_test(they_take_their_places),
        cmocka_unit_test(an_older_copy_never_replaces_a_newer_one),
        cmocka_unit_test(what_others_append_stays),
        cmocka_unit_test(a_key_that_is_gone_comes_back),
        cmocka_unit_test(a_stop_leaves_the_old_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
