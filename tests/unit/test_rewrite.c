/* Compaction: the same rows in better shape, as one rewrite; interrupted, overtaken or unanswered, the day stays whole.
 */
#include "base/mem.h"
#include "day/data_int.h"
#include "rows_fixture.h"
#include "sys_faults.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DETAILS "pncp_details/year=2025/month=10/day=22/details.parquet"

static bool large_columns; /* each is taken for one that is too large to be held whole */

size_t __real_pncp_leaf_bytes(const struct pncp_leaf *leaf);
size_t __wrap_pncp_leaf_bytes(const struct pncp_leaf *leaf);

size_t __wrap_pncp_leaf_bytes(const struct pncp_leaf *leaf)
{
    return large_columns ? (size_t)1 << 30 : __real_pncp_leaf_bytes(leaf);
}

struct day {
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    uint32_t rows;
};

static void append_to(struct pncp_data *data, const char *run, uint32_t first, uint32_t count)
{
    struct pncp_table table;
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    rows_table(&table, pncp_details_schema(), first, count);
    const struct pncp_lot lot = {.table = &table, .run_id = run, .n = 1};
    if (pncp_data_append(data, &lot, &result, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    pncp_table_release(&table);
}

static void day_open_file(struct day *day, const struct pncp_buf *file)
{
    *day = (struct day){.rows = 0};
    rows_lake_open(&day->lake);
    if (file != NULL)
        rows_file_put(&day->lake, DETAILS, file->data, file->len);
    assert_int_equal(pncp_keyset_new(&day->keys), PNCP_OK);
    assert_int_equal(pncp_data_open(day->lake.lake, day->lake.date, day->keys, &day->data, NULL), PNCP_OK);
    day->rows = (uint32_t)day->data.rows;
}

static void day_open(struct day *day, uint32_t lots, uint32_t rows_each)
{
    day_open_file(day, NULL);
    for (uint32_t i = 0; i < lots; i++, day->rows += rows_each)
        append_to(&day->data, "run-1", day->rows + 1, rows_each);
}

static void day_close(struct day *day)
{
    pncp_data_release(&day->data);
    pncp_keyset_free(day->keys);
    rows_lake_close(&day->lake);
}

static const volatile bool go_on = false, stop_now = true;

static enum pncp_code compact(struct day *day, bool *done, struct pncp_commit_result *result, struct pncp_err *err)
{
    const struct pncp_rewrite rewrite = {.run_id = "run-2", .stop = &go_on};
    return pncp_data_rewrite(&day->data, &rewrite, done, result, err);
}

static void assert_compacted(const struct day *day, size_t groups)
{
    struct rows_read read;
    rows_read(day->lake.lake, DETAILS, pncp_details_schema(), &read);
    rows_assert_exactly(&read, pncp_details_schema(), day->rows);
    assert_true(rows_is_sorted(&read));
    assert_int_equal(read.groups, groups);
    rows_read_release(&read);
    assert_int_equal(rows_temp_count(&day->lake), 0);
}

static void the_same_rows_sorted(void **state)
{
    (void)state;
    struct day day;
    bool done = false;
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    day_open(&day, 7, 20);
    int64_t itens = 0, arquivos = 0;
    for (size_t i = 0; i < 7; i++) {
        itens += day.data.history[i].itens;
        arquivos += day.data.history[i].arquivos;
    }
    char before[PNCP_ID_BYTES];
    memcpy(before, day.data.commit, sizeof(before));
    assert_int_equal(compact(&day, &done, &result, &err), PNCP_OK);
    assert_true(done);
    assert_compacted(&day, 1);
    assert_int_equal(result.contratacoes, 140);
    assert_int_equal(result.row_groups, 1);
    assert_int_equal(result.file_bytes, day.data.footer.file_bytes);
    assert_int_equal(result.bytes_sent, result.file_bytes);
    /* an entry like any checkpoint, after the others; appending goes on from there */
    assert_int_equal(day.data.history_count, 8);
    const struct pncp_history_entry *e = &day.data.history[7];
    assert_true(e->rewrite && !e->sum);
    assert_string_equal(e->run, "run-2");
    assert_string_equal(e->id, day.data.commit);
    assert_string_not_equal(day.data.commit, before);
    assert_int_equal(e->contratacoes, 140);
    assert_int_equal(e->itens, itens);
    assert_int_equal(e->arquivos, arquivos);
    assert_int_equal(day.data.rows, 140);
    /* twice does nothing */
    uint64_t hash = rows_lake_hash(&day.lake);
    assert_int_equal(compact(&day, &done, &result, &err), PNCP_OK);
    assert_false(done);
    assert_true(rows_lake_hash(&day.lake) == hash);
    /* appending goes on; then there is something to do again */
    append_to(&day.data, "run-3", 141, 5);
    day.rows = 145;
    assert_int_equal(compact(&day, &done, &result, &err), PNCP_OK);
    assert_true(done);
    assert_compacted(&day, 1);
    assert_int_equal(day.data.history_count, 10);
    day_close(&day);
}

static void nothing_to_compact(void **state)
{
    (void)state;
    struct day day;
    bool done = true;
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    day_open(&day, 0, 0);
    uint64_t hash = rows_lake_hash(&day.lake);
    assert_int_equal(compact(&day, &done, &result, &err), PNCP_OK);
    assert_false(done);
    assert_true(rows_lake_hash(&day.lake) == hash);
    day_close(&day);
}

/* At most 10,000 rows a group, or 8 MiB (docs/ARCHITECTURE.md); how far below is a matter of speed and memory. */
static void groups_have_ceilings(void **state)
{
    (void)state;
    struct day day;
    bool done = false;
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    struct rows_read read;
    /* wide rows: 30 of 1 MiB that does not compress */
    day_open(&day, 0, 0);
    for (uint32_t i = 1; i <= 30; i++) {
        struct pncp_table table;
        assert_int_equal(pncp_table_init(&table, pncp_details_schema()), PNCP_OK);
        rows_put_wide(&table, i, 1024 * 1024);
        const struct pncp_lot lot = {.table = &table, .run_id = "run-1", .n = i};
        assert_int_equal(pncp_data_append(&day.data, &lot, &result, &err), PNCP_OK);
        pncp_table_release(&table);
    }
    assert_int_equal(compact(&day, &done, &result, &err), PNCP_OK);
    assert_true(done);
    rows_read(day.lake.lake, DETAILS, pncp_details_schema(), &read);
    assert_int_equal(read.count, 30);
    assert_true(rows_is_sorted(&read));
    assert_in_range(read.groups, 4, 15);
    for (size_t i = 0; i < read.groups; i++)
        assert_in_range(read.group_bytes[i], 1, 8 * 1024 * 1024);
    rows_read_release(&read);
    day_close(&day);
    /* many: 10,400 rows */
    day_open(&day, 8, 1300);
    assert_int_equal(compact(&day, &done, &result, &err), PNCP_OK);
    assert_true(done);
    rows_read(day.lake.lake, DETAILS, pncp_details_schema(), &read);
    assert_int_equal(read.count, 10400);
    assert_true(rows_is_sorted(&read));
    for (size_t i = 0; i < read.groups; i++)
        assert_true(read.group_rows[i] <= 10000 && read.group_bytes[i] <= 8 * 1024 * 1024);
    assert_in_range(read.groups, 2, 11);
    rows_read_release(&read);
    day_close(&day);
}

static void a_signal_stops_it(void **state)
{
    (void)state;
    struct day day;
    bool done = true;
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    day_open(&day, 3, 5);
    uint64_t hash = rows_lake_hash(&day.lake);
    const struct pncp_rewrite rewrite = {.run_id = "run-2", .stop = &stop_now};
    assert_int_equal(pncp_data_rewrite(&day.data, &rewrite, &done, &result, &err), PNCP_E_CANCELLED);
    assert_false(done);
    assert_true(rows_lake_hash(&day.lake) == hash);
    assert_int_equal(rows_temp_count(&day.lake), 0);
    assert_int_equal(compact(&day, &done, &result, &err), PNCP_OK);
    assert_true(done);
    assert_compacted(&day, 1);
    day_close(&day);
}

/* ---- trouble --------------------------------------------------------------------------------- */

/* While rows are being staged another run commits, as often as `times`. */
struct overtaking {
    struct pncp_data *other;
    uint32_t next;
    unsigned times, opened;
};

static int overtake(void *ctx, const char *call, const char *path)
{
    struct overtaking *o = ctx;
    if (o->times == 0 || strcmp(call, "openat") != 0 || path == NULL || !pncp_view_ends(pncp_view_of(path), ".tmp"))
        return 0;
    if (o->opened++ % 4 != 0) /* each try opens four: once for each, after the version was looked at */
        return 0;
    o->times--;
    append_to(o->other, "other", o->next++, 1);
    return 0;
}

static void overtaken_it_is_made_anew(void **state)
{
    (void)state;
    for (unsigned times = 1; times <= 6; times += 5) {
        struct day day;
        struct pncp_keyset *keys;
        struct pncp_data other;
        bool done = false;
        struct pncp_commit_result result;
        struct pncp_err err = PNCP_ERR_INIT;
        day_open(&day, 3, 4);
        struct pncp_lake *lake = rows_lake_again(&day.lake, "20251023T060103Z-00000002");
        assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
        assert_int_equal(pncp_data_open(lake, day.lake.date, keys, &other, NULL), PNCP_OK);
        struct overtaking o = {.other = &other, .next = 13, .times = times};
        sys_faults_hook(overtake, &o);
        enum pncp_code rc = compact(&day, &done, &result, &err);
        sys_faults_hook(NULL, NULL);
        day.rows = 12 + times;
        if (times == 1) { /* rows of both, nothing lost */
            assert_int_equal(rc, PNCP_OK);
            assert_true(done);
            assert_int_equal(result.contratacoes, 13);
            assert_compacted(&day, 1);
            assert_int_equal(day.data.history_count, 5);
            assert_int_equal(pncp_keyset_get(day.keys, rows_packed(13)), PNCP_KEY_SAVED);
        } else { /* five times is enough for one run */
            assert_int_equal(rc, PNCP_E_CONFLICT);
            assert_false(done);
            struct rows_read read;
            rows_read(day.lake.lake, DETAILS, pncp_details_schema(), &read);
            rows_assert_exactly(&read, pncp_details_schema(), day.rows);
            rows_read_release(&read);
        }
        pncp_data_release(&other);
        pncp_keyset_free(keys);
        pncp_lake_free(lake);
        day_close(&day);
    }
}

static int hold_columns(void **state)
{
    (void)state;
    large_columns = false;
    return 0;
}

static int file_columns(void **state)
{
    (void)state;
    large_columns = true;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_same_rows_sorted, hold_columns),
        cmocka_unit_test_setup(the_same_rows_sorted, file_columns),
        cmocka_unit_test_setup(nothing_to_compact, hold_columns),
        cmocka_unit_test_setup(groups_have_ceilings, hold_columns),
        cmocka_unit_test_setup(groups_have_ceilings, file_columns),
        cmocka_unit_test_setup(a_signal_stops_it, hold_columns),
        cmocka_unit_test_setup(overtaken_it_is_made_anew, hold_columns),
        cmocka_unit_test_setup(overtaken_it_is_made_anew, file_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
