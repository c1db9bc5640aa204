/* The day's list: written while it is read, saved with its facts, kept in parts for the next run, refused when odd. */
#include "base/mem.h"
#include "day/layout.h"
#include "day/list.h"
#include "rows_fixture.h"

#include <stdio.h>
#include <string.h>

#define LIST "pncp_contratacoes/year=2025/month=10/day=22/contratacoes.parquet"
#define PART "pncp_contratacoes/_state/pncp_contratacoes_20251022/modalidade_%02d.parquet"
#define AT INT64_C(1761199323)

static void create(const struct rows_lake *lake, bool final, struct pncp_list *list)
{
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_list_create(lake->lake, lake->date, list, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    list->info.list_at_s = AT;
    list->info.final = final;
}

static void add(struct pncp_list *list, uint32_t first, uint32_t count)
{
    struct pncp_err err = PNCP_ERR_INIT;
    for (uint32_t i = 0; i < count; i++) {
        rows_put(pncp_list_pending(list), first + i);
        if (pncp_list_added(list, &err) != PNCP_OK)
            fail_msg("%s", err.msg);
    }
}

static void part(struct pncp_list *list, int modalidade, uint32_t first, uint32_t count, bool save)
{
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_list_part_begin(list, modalidade, &err), PNCP_OK);
    add(list, first, count);
    if (pncp_list_part_end(list, count, save, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

static const char *part_path(int modalidade)
{
    static char path[PNCP_PLACE_BYTES];
    (void)snprintf(path, sizeof(path), PART, modalidade);
    return path;
}

/* Every cell of the list's group equals a table of the same rows. */
static void assert_group(struct pncp_list *list, size_t group, uint32_t first, uint32_t count)
{
    struct pncp_table got, want;
    struct pncp_err err = PNCP_ERR_INIT;
    rows_table(&want, pncp_list_schema(), first, count);
    assert_int_equal(pncp_table_init(&got, pncp_list_schema()), PNCP_OK);
    rows_put(&got, 999); /* what it held before is replaced */
    if (pncp_list_read_group(list, group, &got, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(got.rows, count);
    for (size_t leaf = 0; leaf < got.schema->leaf_count; leaf++) {
        const struct pncp_leaf *a = &got.leaves[leaf], *b = &want.leaves[leaf];
        assert_int_equal(a->value_count, b->value_count);
        assert_int_equal(a->level_count, b->level_count);
        assert_true(pncp_view_eq(pncp_buf_view(&a->values), pncp_buf_view(&b->values)));
        if (a->max_def > 0)
            assert_memory_equal(a->def, b->def, a->level_count * sizeof(*a->def));
        if (a->max_rep > 0)
            assert_memory_equal(a->rep, b->rep, a->level_count * sizeof(*a->rep));
    }
    /* only the keys */
    if (pncp_list_read_keys(list, group, &got, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(got.rows, count);
    assert_int_equal(got.leaves[pncp_list_leaves()->extra].level_count, 0);
    for (uint32_t row = 0; row < count; row++) {
        struct pncp_key key, expected = rows_key(first + row);
        assert_int_equal(pncp_list_row_key(&got, row, &key, NULL), PNCP_OK);
        assert_true(pncp_key_eq(&key, &expected));
        assert_int_equal(pncp_list_row_date(&got, row).days, list->date.days);
    }
    pncp_table_release(&got);
    pncp_table_release(&want);
}

static void groups_are_read_while_it_is_written(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_list list;
    rows_lake_open(&lake);
    create(&lake, true, &list);
    assert_int_equal(pncp_list_groups(&list), 0);
    add(&list, 1, 499);
    assert_int_equal(pncp_list_groups(&list), 0); /* not yet full */
    add(&list, 500, 2);
    assert_int_equal(pncp_list_groups(&list), 1);
    assert_int_equal(list.rows, 501);
    assert_group(&list, 0, 1, 500);
    assert_int_equal(pncp_list_flush(&list, NULL), PNCP_OK);
    assert_int_equal(pncp_list_flush(&list, NULL), PNCP_OK); /* nothing more */
    assert_int_equal(pncp_list_groups(&list), 2);
    assert_group(&list, 1, 501, 1);
    add(&list, 502, 3);
    assert_int_equal(pncp_list_flush(&list, NULL), PNCP_OK);
    assert_group(&list, 2, 502, 3);
    assert_group(&list, 0, 1, 500);
    assert_false(rows_file_exists(&lake, LIST));
    pncp_list_release(&list);
    assert_int_equal(rows_temp_count(&lake), 0);
    rows_lake_close(&lake);
}

static void saved_and_opened_it_is_the_same(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_list list, again;
    struct rows_read read;
    struct pncp_err err = PNCP_ERR_INIT;
    rows_lake_open(&lake);
    assert_int_equal(pncp_list_open(lake.lake, lake.date, &again, &err), PNCP_E_NOTFOUND);
    create(&lake, true, &list);
    part(&list, 6, 1, 520, true);
    part(&list, 8, 521, 7, true);
    part(&list, 9, 0, 0, true);
    assert_true(rows_file_exists(&lake, part_path(6)) && rows_file_exists(&lake, part_path(8)));
    assert_true(rows_file_exists(&lake, part_path(9))); /* nothing listed is an answer as well */
    if (pncp_list_save(&list, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    /* the parts have served; the list goes on from the file */
    for (int i = 1; i <= PNCP_MODALIDADES_MAX; i++)
        assert_false(rows_file_exists(&lake, part_path(i)));
    assert_int_equal(rows_temp_count(&lake), 0);
    assert_false(list.writing);
    assert_group(&list, 1, 501, 20); /* a group holds rows of one modalidade */
    assert_group(&list, 2, 521, 7);
    assert_int_equal(pncp_list_open(lake.lake, lake.date, &again, &err), PNCP_OK);
    assert_int_equal(again.rows, 527);
    assert_int_equal(pncp_list_groups(&again), 3);
    assert_int_equal(again.info.list_at_s, AT);
    assert_true(again.info.final);
    for (int i = 0; i <= PNCP_MODALIDADES_MAX; i++)
        assert_int_equal(again.info.totals[i], i == 6 ? 520 : i == 8 ? 7 : i == 9 ? 0 : -1);
    assert_group(&again, 0, 1, 500);
    pncp_list_release(&again);
    pncp_list_release(&list);
    rows_read(lake.lake, LIST, pncp_list_schema(), &read);
    rows_assert_exactly(&read, pncp_list_schema(), 527);
    rows_read_release(&read);
    rows_lake_close(&lake);
}

/* Rows that came before a part began are not its rows. */
static void a_part_has_its_own_rows(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_list list, part_of;
    rows_lake_open(&lake);
    create(&lake, true, &list);
    add(&list, 1, 3);
    part(&list, 6, 4, 2, true);
    assert_int_equal(pncp_list_part_open(lake.lake, lake.date, 6, &part_of, NULL), PNCP_OK);
    assert_int_equal(part_of.rows, 2);
    assert_group(&part_of, 0, 4, 2);
    assert_group(&list, 0, 1, 3);
    pncp_list_release(&part_of);
    pncp_list_release(&list);
    rows_lake_close(&lake);
}

static void an_empty_day_is_a_list_too(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_list list;
    struct pncp_err err = PNCP_ERR_INIT;
    rows_lake_open(&lake);
    create(&lake, false, &list);
    if (pncp_list_save(&list, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    pncp_list_release(&list);
    assert_int_equal(pncp_list_open(lake.lake, lake.date, &list, &err), PNCP_OK);
    assert_int_equal(list.rows, 0);
    assert_int_equal(pncp_list_groups(&list), 0);
    assert_false(list.info.final);
    pncp_list_release(&list);
    assert_int_equal(rows_temp_count(&lake), 0);
    rows_lake_close(&lake);
}

/* ---- parts of a run that died ---------------------------------------------------------------- */

static enum pncp_code open_part(const struct rows_lake *lake, int modalidade, uint32_t *ret_rows)
{
    struct pncp_list list;
    struct pncp_err err = PNCP_ERR_INIT;
    enum pncp_code rc = pncp_list_part_open(lake->lake, lake->date, modalidade, &list, &err);
    if (rc != PNCP_OK)
        return rc;
    *ret_rows = (uint32_t)list.rows;
    assert_int_equal(list.info.totals[modalidade], list.rows);
    assert_int_equal(list.info.list_at_s, AT);
    pncp_list_release(&list);
    return rc;
}

static void parts_survive_a_run_that_died(void **state)
{
    (void)state;
    for (int final = 0; final < 2; final++) {
        struct rows_lake lake;
        struct pncp_list list;
        uint32_t rows = 0;
        rows_lake_open(&lake);
        create(&lake, final == 1, &list);
        part(&list, 6, 1, 30, true);
        part(&list, 7, 31, 5, false); /* not kept */
        assert_int_equal(pncp_list_part_begin(&list, 8, NULL), PNCP_OK);
        add(&list, 36, 5);
        pncp_list_release(&list); /* as it ends when it dies: modalidade 8 is half listed */
        pncp_lake_sweep(lake.lake);
        assert_int_equal(rows_temp_count(&lake), 0);
        /* taken while the day was open it served that run only */
        assert_int_equal(open_part(&lake, 6, &rows), final == 1 ? PNCP_OK : PNCP_E_NOTFOUND);
        assert_int_equal(rows, final == 1 ? 30 : 0);
        assert_int_equal(open_part(&lake, 7, &rows), PNCP_E_NOTFOUND);
        assert_int_equal(open_part(&lake, 8, &rows), PNCP_E_NOTFOUND);
        /* damaged, foreign, of another day: listed again */
        AUTO(pncp_buf_release) struct pncp_buf text = {0};
        assert_true(rows_file_get(&lake, part_path(6), &text));
        rows_file_put(&lake, part_path(6), text.data, text.len - 1);
        assert_int_equal(open_part(&lake, 6, &rows), PNCP_E_NOTFOUND);
        rows_file_put(&lake, part_path(6), "", 0);
        assert_int_equal(open_part(&lake, 6, &rows), PNCP_E_NOTFOUND);
        char other[PNCP_PLACE_BYTES];
        (void)snprintf(other, sizeof(other),
                       "pncp_contratacoes/_state/pncp_contratacoes_20251023/modalidade_06.parquet");
        rows_file_put(&lake, other, text.data, text.len);
        struct rows_lake tomorrow = lake;
        tomorrow.date.days++;
        assert_int_equal(open_part(&tomorrow, 6, &rows), PNCP_E_NOTFOUND);
        rows_lake_close(&lake);
    }
}

/* ---- what is no list of ours ----------------------------------------------------------------- */

struct odd {
    const char *name, *format, *day, *at, *final;
    bool details_schema;
    enum pncp_code code;
};

static void odd_files_are_refused_by_name(void **state)
{
    (void)state;
    static const struct odd odds[] = {
        {"sound", "contratacoes 1", "20251022", "2025-10-23T06:02:03Z", "true", false, PNCP_OK},
        {"foreign", NULL, NULL, NULL, NULL, true, PNCP_E_FOREIGN},
        {"newer", "contratacoes 2", "?", "?", "?", true, PNCP_E_NEWER},
        {"another day", "contratacoes 1", "20251023", "2025-10-23T06:02:03Z", "true", false, PNCP_E_PARSE},
        {"a bad day", "contratacoes 1", "today", "2025-10-23T06:02:03Z", "true", false, PNCP_E_PARSE},
        {"no day", "contratacoes 1", NULL, "2025-10-23T06:02:03Z", "true", false, PNCP_E_PARSE},
        {"a bad time", "contratacoes 1", "20251022", "yesterday", "true", false, PNCP_E_PARSE},
        {"no final", "contratacoes 1", "20251022", "2025-10-23T06:02:03Z", NULL, false, PNCP_E_PARSE},
        {"other columns", "contratacoes 1", "20251022", "2025-10-23T06:02:03Z", "true", true, PNCP_E_FOREIGN},
    };
    struct rows_lake lake;
    struct pncp_list list;
    struct pncp_err err = PNCP_ERR_INIT;
    AUTO(pncp_buf_release) struct pncp_buf file = {0};
    rows_lake_open(&lake);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(odds); i++) {
        const struct odd *o = &odds[i];
        const char *const values[] = {o->format, o->day, o->at, o->final};
        static const char *const names[] = {"pncp.format", "pncp.day", "pncp.list_at", "pncp.final"};
        struct pncp_kv_pair kvs[4];
        size_t kv_count = 0;
        for (size_t k = 0; k < 4; k++) {
            if (values[k] != NULL)
                kvs[kv_count++] = (struct pncp_kv_pair){names[k], pncp_view_of(values[k])};
        }
        pncp_buf_release(&file);
        assert_int_equal(pncp_parquet_empty(o->details_schema ? pncp_details_schema() : pncp_list_schema(), kvs,
                                            kv_count, &file, NULL),
                         PNCP_OK);
        rows_file_put(&lake, LIST, file.data, file.len);
        uint64_t before = rows_lake_hash(&lake);
        enum pncp_code rc = pncp_list_open(lake.lake, lake.date, &list, &err);
        if (rc != o->code)
            fail_msg("%s: %s", o->name, pncp_code_name(rc));
        if (rc == PNCP_OK)
            pncp_list_release(&list);
        else if (strstr(err.msg, LIST) == NULL)
            fail_msg("%s: %s", o->name, err.msg);
        assert_true(rows_lake_hash(&lake) == before);
    }
    rows_file_put(&lake, LIST, "PAR1", 4);
    assert_int_equal(pncp_list_open(lake.lake, lake.date, &list, &err), PNCP_E_PARSE);
    assert_non_null(strstr(err.msg, LIST));
    rows_lake_close(&lake);
}

/* Eight thousand rows: what is held is one group and the footer's schema, whatever the length. */
static void memory_is_one_group(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct pncp_list list;
    size_t at_2000 = 0;
    rows_lake_open(&lake);
    create(&lake, true, &list);
    for (uint32_t rows = 0; rows < 8000; rows += 500) {
        add(&list, rows + 1, 500);
        size_t held = pncp_list_pending(&list)->rows;
        for (size_t leaf = 0; leaf < pncp_list_schema()->leaf_count; leaf++)
            held += pncp_leaf_bytes(&pncp_list_pending(&list)->leaves[leaf]);
        at_2000 = rows == 1500 ? held : at_2000;
        if (rows > 1500)
            assert_in_range(held, 1, at_2000 + at_2000 / 2);
        assert_true(list.all.stage.pending.cap <= 64 * 1024);
        assert_true(list.all.footer.raw.len < 8192); /* the schema, and no row group */
    }
    pncp_list_release(&list);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_read_while_it_is_written),
        cmocka_unit_test(saved_and_opened_it_is_the_same),
        cmocka_unit_test(a_part_has_its_own_rows),
        cmocka_unit_test(an_empty_day_is_a_list_too),
        cmocka_unit_test(parts_survive_a_run_that_died),
        cmocka_unit_test(odd_files_are_refused_by_name),
        cmocka_unit_test(memory_is_one_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
