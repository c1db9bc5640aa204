/* Lots that wait: claimed by a lock, claimed again when the claimer died, gone only when their rows are in the data. */
#include "base/file.h"
#include "base/sys.h"
#include "day/spool.h"
#include "rows_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOT_ROWS 5
#define CLAIMED ".claimed"

struct day {
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    char folder[300];
    char path[500]; /* of the one lot that waits there */
    int64_t told;   /* rows, of the last take; -1: a problem, -2: nothing was told */
};

static void day_open(struct day *day)
{
    *day = (struct day){.keys = NULL};
    rows_lake_open(&day->lake);
    assert_int_equal(pncp_keyset_new(&day->keys), PNCP_OK);
    assert_int_equal(pncp_data_open(day->lake.lake, day->lake.date, day->keys, &day->data, NULL), PNCP_OK);
    (void)snprintf(day->folder, sizeof(day->folder), "%s/spool", day->lake.folder);
}

static void day_close(struct day *day)
{
    pncp_data_release(&day->data);
    pncp_keyset_free(day->keys);
    rows_lake_close(&day->lake);
}

static void put_table(struct day *day, struct pncp_table *table, uint32_t n)
{
    char tag[PNCP_LAKE_TAG_BYTES];
    struct pncp_err err = PNCP_ERR_INIT;
    const struct pncp_lot lot = {.table = table, .run_id = ROWS_RUN, .n = n};
    if (pncp_spool_put(day->folder, &day->data, &lot, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    pncp_lake_tag(day->lake.lake, tag);
    (void)snprintf(day->path, sizeof(day->path), "%s/%s.20251022.1." ROWS_RUN ".%u.parquet", day->folder, tag, n);
    assert_int_equal(access(day->path, F_OK), 0);
}

/* Rows first … first + LOT_ROWS - 1 wait. */
static void put(struct day *day, uint32_t first)
{
    struct pncp_table table;
    rows_table(&table, pncp_details_schema(), first, LOT_ROWS);
    put_table(day, &table, first);
    pncp_table_release(&table);
}

static void tell(void *ctx, const char *name, int64_t contratacoes, const struct pncp_err *problem)
{
    struct day *day = ctx;
    (void)name;
    day->told = problem == NULL ? contratacoes : -1;
}

static int64_t take(struct day *day)
{
    struct pncp_err err = PNCP_ERR_INIT;
    day->told = -2;
    if (pncp_spool_take(day->folder, &day->data, tell, day, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    return day->told;
}

/* As a run leaves it that has claimed it and died. */
static void claimed_path(const struct day *day, char ret_path[520])
{
    (void)snprintf(ret_path, 520, "%s" CLAIMED, day->path);
}

static void assert_rows(struct day *day, int64_t rows)
{
    assert_int_equal(day->data.rows, rows);
    assert_int_equal(pncp_keyset_count(day->keys, PNCP_KEY_SAVED, 0), rows);
}

static void what_waits_is_committed_once(void **state)
{
    (void)state;
    struct day day;
    day_open(&day);
    assert_int_equal(take(&day), -2); /* there is no folder */
    put(&day, 1);
    assert_int_equal(take(&day), LOT_ROWS);
    assert_int_not_equal(access(day.path, F_OK), 0);
    put(&day, 1); /* its rows are in the data: it goes, and nothing is there twice */
    assert_int_equal(take(&day), LOT_ROWS);
    assert_int_not_equal(access(day.path, F_OK), 0);
    assert_rows(&day, LOT_ROWS);
    day_close(&day);
}

static void a_claim_ends_with_its_claimer(void **state)
{
    (void)state;
    struct day day;
    char claimed[520];
    day_open(&day);
    put(&day, 1);
    claimed_path(&day, claimed);
    assert_int_equal(rename(day.path, claimed), 0);
    AUTO(pncp_fd_close) int fd = open(claimed, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    assert_int_equal(take(&day), -2); /* the claimer lives */
    assert_int_equal(access(claimed, F_OK), 0);
    assert_false(day.data.exists);
    pncp_fd_close(&fd); /* and dies */
    assert_int_equal(take(&day), LOT_ROWS);
    assert_int_not_equal(access(claimed, F_OK), 0);
    assert_rows(&day, LOT_ROWS);
    day_close(&day);
}

/* The data cannot be written: what was claimed stays, and the next run commits it. */
static void it_stays_until_its_rows_are_in_the_data(void **state)
{
    (void)state;
    struct day day;
    char claimed[520], away[400], data[400];
    struct pncp_err err = PNCP_ERR_INIT;
    day_open(&day);
    put(&day, 1);
    assert_int_equal(take(&day), LOT_ROWS);
    put(&day, 1 + LOT_ROWS);
    claimed_path(&day, claimed);
    (void)snprintf(data, sizeof(data), "%s/pncp_details/year=2025/month=10/day=22/details.parquet", day.lake.folder);
    (void)snprintf(away, sizeof(away), "%s/away", day.lake.folder);
    assert_int_equal(rename(data, away), 0); /* a file that was seen and is gone is never made anew */
    assert_int_equal(pncp_spool_take(day.folder, &day.data, tell, &day, &err), PNCP_E_UNAVAILABLE);
    assert_int_equal(access(claimed, F_OK), 0);
    assert_int_equal(rename(away, data), 0);
    assert_int_equal(take(&day), LOT_ROWS);
    assert_int_not_equal(access(claimed, F_OK), 0);
    assert_rows(&day, 2 * LOT_ROWS);
    day_close(&day);
}

/* Whole, with all checksums right: it would stop every run of the day if it were not set aside. */
static void a_key_that_is_none_is_no_reason_to_stop(void **state)
{
    (void)state;
    struct day day;
    struct pncp_table table;
    char damaged[520];
    day_open(&day);
    rows_table(&table, pncp_details_schema(), 1, LOT_ROWS);
    table.leaves[pncp_details_leaves()->cnpj].values.data[0] = ' ';
    put_table(&day, &table, 1);
    pncp_table_release(&table);
    (void)snprintf(damaged, sizeof(damaged), "%s.damaged", day.path);
    assert_int_equal(take(&day), -1);
    assert_int_equal(access(damaged, F_OK), 0);
    assert_false(day.data.exists);
    day_close(&day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_committed_once),
        cmocka_unit_test(a_claim_ends_with_its_claimer),
        cmocka_unit_test(a_key_that_is_none_is_no_reason_to_stop),
        cmocka_unit_test(it_stays_until_its_rows_are_in_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
