/*
 * Every system call of a checkpoint fails once: after it the file is the old one or the new one, what is reported is
 * true, and the same lot again ends with each row exactly once. Then every one of them is the last thing the process
 * did.
 */
#include "base/mem.h"
#include "day/data_int.h"
#include "rows_fixture.h"
#include "sys_faults.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DETAILS "pncp_details/year=2025/month=10/day=22/details.parquet"

/* What is there before: lots of so many rows each. */
struct before {
    const char *name;
    uint32_t lots, rows_each, lot_rows;
    unsigned step; /* try every step-th of the 2,000 reads of a fold */
};
static const struct before BEFORES[] = {
    {"the first checkpoint", 0, 0, 3, 1},
    {"a second one", 1, 3, 3, 1},
    {"one that folds", 15, 1, 1, 801},
};
#define LAST_CALLS 7 /* around the rename: the others are those of a second checkpoint */

static void put_lot(struct pncp_table *table, uint32_t first, uint32_t count)
{
    rows_table(table, pncp_details_schema(), first, count);
}

/* The day as it is before, made once. */
static void make_file(const struct before *before, struct pncp_buf *file)
{
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_commit_result result;
    pncp_buf_clear(file);
    if (before->lots == 0)
        return;
    rows_lake_open(&lake);
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    assert_int_equal(pncp_data_open(lake.lake, lake.date, keys, &data, NULL), PNCP_OK);
    for (uint32_t i = 0; i < before->lots; i++) {
        struct pncp_table table;
        put_lot(&table, 1 + i * before->rows_each, before->rows_each);
        const struct pncp_lot lot = {.table = &table, .run_id = "run-0", .n = i + 1};
        assert_int_equal(pncp_data_append(&data, &lot, &result, NULL), PNCP_OK);
        pncp_table_release(&table);
    }
    assert_true(rows_file_get(&lake, DETAILS, file));
    pncp_data_release(&data);
    pncp_keyset_free(keys);
    rows_lake_close(&lake);
}

struct round {
    const struct before *before;
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_table table;
    struct pncp_lot lot;
    uint32_t old_rows, new_rows;
};

static void round_open(struct round *r, const struct before *before, const struct pncp_buf *file)
{
    *r = (struct round){.before = before, .old_rows = before->lots * before->rows_each};
    r->new_rows = r->old_rows + before->lot_rows;
    rows_lake_open(&r->lake);
    if (file->len > 0)
        rows_file_put(&r->lake, DETAILS, file->data, file->len);
    assert_int_equal(pncp_keyset_new(&r->keys), PNCP_OK);
    assert_int_equal(pncp_data_open(r->lake.lake, r->lake.date, r->keys, &r->data, NULL), PNCP_OK);
    put_lot(&r->table, r->old_rows + 1, before->lot_rows);
    r->lot = (struct pncp_lot){.table = &r->table, .run_id = "run-1", .n = 1};
}

static void round_close(struct round *r)
{
    pncp_table_release(&r->table);
    pncp_data_release(&r->data);
    pncp_keyset_free(r->keys);
    rows_lake_close(&r->lake);
}

/* The number of rows in the file, which is whole; is our commit in its history? Only keys and history are read, unless
 * `whole`: then every cell is looked at. */
static uint32_t rows_in_file(struct round *r, bool whole, bool *ret_ours)
{
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_keyset_new(&keys), PNCP_OK);
    if (pncp_data_open(r->lake.lake, r->lake.date, keys, &data, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    uint32_t rows = (uint32_t)data.rows;
    *ret_ours = false;
    for (size_t i = 0; i < data.history_count; i++)
        *ret_ours = *ret_ours || strcmp(data.history[i].run, "run-1") == 0;
    pncp_data_release(&data);
    pncp_keyset_free(keys);
    if (rows > 0 && whole) {
        struct rows_read read;
        rows_read(r->lake.lake, DETAILS, pncp_details_schema(), &read);
        rows_assert_exactly(&read, pncp_details_schema(), rows);
        rows_read_release(&read);
    }
    return rows;
}

static unsigned count_calls(const struct before *before, const struct pncp_buf *file)
{
    struct round r;
    struct pncp_commit_result result;
    round_open(&r, before, file);
    sys_faults_arm(0, 0, SYS_FAULT_ERROR);
    assert_int_equal(pncp_data_append(&r.data, &r.lot, &result, NULL), PNCP_OK);
    unsigned calls = sys_faults_disarm(NULL);
    round_close(&r);
    return calls;
}

static unsigned next_call(unsigned n, unsigned calls, unsigned step)
{
    unsigned last = calls > LAST_CALLS ? calls - LAST_CALLS : 1;
    return n >= last ? n + 1 : PNCP_MIN(n + step, last);
}

/* NOLINTNEXTLINE(readability-function-size): the macro fail_msg is a level of nesting of its own */
static void fail_each(enum sys_fault_kind kind)
{
    for (size_t i = 0; i < PNCP_ARRAY_LEN(BEFORES); i++) {
        const struct before *before = &BEFORES[i];
        AUTO(pncp_buf_release) struct pncp_buf file = {0};
        make_file(before, &file);
        unsigned calls = count_calls(before, &file), refused = 0, saved = 0;
        for (unsigned n = 1; n <= calls; n = next_call(n, calls, before->step)) {
            struct round r;
            struct pncp_commit_result result;
            struct pncp_err err = PNCP_ERR_INIT;
            bool fired, ours;
            round_open(&r, before, &file);
            sys_faults_arm(n, n % 2 == 0 ? EIO : ENOSPC, kind);
            enum pncp_code rc = pncp_data_append(&r.data, &r.lot, &result, &err);
            (void)sys_faults_disarm(&fired);
            assert_true(fired);
            uint32_t rows = rows_in_file(&r, false, &ours);
            assert_true(rows == r.old_rows || rows == r.new_rows);
            assert_int_equal(ours, rows == r.new_rows);
            if (rc == PNCP_OK) { /* saved: said only if it is so */
                assert_int_equal(rows, r.new_rows);
                assert_int_equal(result.contratacoes, before->lot_rows);
                saved++;
            } else {
                if (rc != PNCP_E_IO || !err.transient)
                    fail_msg("%s, call %u: %s", before->name, n, err.msg);
                assert_int_equal(r.data.unclear[0] != '\0' || rows == r.old_rows, true);
                refused++;
            }
            /* the same lot again */
            assert_int_equal(pncp_data_append(&r.data, &r.lot, &result, &err), PNCP_OK);
            assert_int_equal(result.contratacoes, rc == PNCP_OK ? 0 : before->lot_rows);
            assert_int_equal(rows_in_file(&r, n % 8 == 0, &ours), r.new_rows);
            assert_true(ours);
            assert_int_equal(r.data.history_count, before->lots + 1);
            pncp_lake_sweep(r.lake.lake);
            assert_int_equal(rows_temp_count(&r.lake), 0);
            round_close(&r);
        }
        assert_true(refused > 2 && saved > 1);
    }
}

static void a_call_that_fails(void **state)
{
    (void)state;
    fail_each(SYS_FAULT_ERROR);
}

static void a_call_that_is_done_and_denied(void **state)
{
    (void)state;
    fail_each(SYS_FAULT_DONE);
}

static void a_process_that_dies(void **state)
{
    (void)state;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(BEFORES); i++) {
        const struct before *before = &BEFORES[i];
        AUTO(pncp_buf_release) struct pncp_buf file = {0};
        make_file(before, &file);
        unsigned calls = count_calls(before, &file), old = 0, new = 0;
        for (unsigned n = 1; n <= calls; n = next_call(n, calls, before->step)) {
            struct round r;
            struct pncp_commit_result result;
            int status;
            bool ours;
            round_open(&r, before, &file);
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                sys_faults_arm(n, 0, SYS_FAULT_KILL);
                _exit(pncp_data_append(&r.data, &r.lot, &result, NULL) == PNCP_OK ? 0 : 1);
            }
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 99);
            pncp_lake_sweep(r.lake.lake);
            assert_int_equal(rows_temp_count(&r.lake), 0);
            uint32_t rows = rows_in_file(&r, false, &ours);
            assert_true(rows == r.old_rows || rows == r.new_rows);
            assert_int_equal(ours, rows == r.new_rows);
            old += rows == r.old_rows;
            new += rows == r.new_rows;
            /* the next run, which knows what this one knew: its lock is gone with it */
            assert_int_equal(pncp_data_append(&r.data, &r.lot, &result, NULL), PNCP_OK);
            assert_int_equal(result.contratacoes, rows == r.new_rows ? 0 : before->lot_rows);
            assert_int_equal(rows_in_file(&r, n % 8 == 0, &ours), r.new_rows);
            round_close(&r);
        }
        assert_true(old > 2 && new > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_fails),
        cmocka_unit_test(a_call_that_is_done_and_denied),
        cmocka_unit_test(a_process_that_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
