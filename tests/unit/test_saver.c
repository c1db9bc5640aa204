/* The saver's thread: lots become checkpoints, falhas and state follow, a store in trouble is tried again, then given
 * up. */
#include "base/clock.h"
#include "base/mem.h"
#include "day/state.h"
#include "ingest/saver.h"
#include "rows_fixture.h"
#include "sys_faults.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define DETAILS "pncp_details/year=2025/month=10/day=22/details.parquet"
#define FALHAS "pncp_details/_state/falhas/pncp_details_20251022.json"
#define STATE "pncp_details/_state/itens/pncp_details_20251022_state.json"

struct bench {
    struct rows_lake lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    struct pncp_falhas falhas;
    struct pncp_saver saver;
    atomic_uint wakes;
};

static void wake(void *ctx)
{
    struct bench *b = ctx;
    (void)atomic_fetch_add(&b->wakes, 1);
}

static void bench_open(struct bench *b, uint32_t retry_ms, uint32_t state_every_ms)
{
    memset(b, 0, sizeof(*b));
    rows_lake_open(&b->lake);
    assert_int_equal(pncp_keyset_new(&b->keys), PNCP_OK);
    assert_int_equal(pncp_data_open(b->lake.lake, b->lake.date, b->keys, &b->data, NULL), PNCP_OK);
    b->saver.data = &b->data;
    b->saver.falhas = &b->falhas;
    b->saver.run_id = ROWS_RUN;
    b->saver.retry_ms = retry_ms;
    b->saver.state_every_ms = state_every_ms;
    b->saver.wake = wake;
    b->saver.wake_ctx = b;
    assert_int_equal(pncp_saver_start(&b->saver, NULL), PNCP_OK);
}

static void bench_close(struct bench *b)
{
    pncp_saver_finish(&b->saver);
    pncp_saver_release(&b->saver);
    pncp_falhas_release(&b->falhas);
    pncp_data_release(&b->data);
    pncp_keyset_free(b->keys);
    rows_lake_close(&b->lake);
}

/* Rows first … first + count - 1; every failed one of `failed` (0 ends them) gets a note. */
static void give(struct bench *b, uint32_t n, uint32_t first, uint32_t count, const uint32_t *failed)
{
    struct pncp_filled_lot lot = {.n = n, .last = n == 99, .by_size = n == 98};
    if (count > 0)
        rows_table(&lot.table, pncp_details_schema(), first, count);
    for (; failed != NULL && *failed != 0; failed++) {
        const struct pncp_saver_note note = {.key = rows_packed(*failed),
                                             .part = PNCP_FALHA_ITENS,
                                             .kind = PNCP_FALHA_FAILED,
                                             .reason = PNCP_REASON_TIMEOUT};
        assert_int_equal(pncp_filled_lot_note(&lot, &note), PNCP_OK);
    }
    assert_true(pncp_saver_idle(&b->saver));
    pncp_saver_give(&b->saver, &lot);
    assert_int_equal(lot.table.rows, 0); /* taken over; what there is of it is a saved lot's memory, emptied */
    for (size_t i = 0; lot.table.leaves != NULL && i < lot.table.schema->leaf_count; i++)
        assert_int_equal(lot.table.leaves[i].level_count, 0);
    assert_null(lot.notes);
    assert_int_equal(lot.n, 0);
    pncp_filled_lot_release(&lot);
}

static struct pncp_saved saved(struct bench *b)
{
    struct pncp_saved saved;
    assert_true(pncp_saver_wait(&b->saver, 20000));
    assert_true(pncp_saver_result(&b->saver, &saved));
    assert_false(pncp_saver_result(&b->saver, &saved)); /* once */
    return saved;
}

static void lots_become_checkpoints(void **state)
{
    (void)state;
    static const uint32_t failed[] = {77, 78, 0};
    struct bench b;
    struct rows_read read;
    bench_open(&b, 1000, 60000);
    give(&b, 1, 1, 20, NULL);
    struct pncp_saved first = saved(&b);
    assert_true(first.committed && first.n == 1 && !first.last && !first.by_size);
    assert_int_equal(first.commit.contratacoes, 20);
    assert_false(rows_file_exists(&b.lake, FALHAS)); /* nothing failed */
    give(&b, 98, 21, 3, failed);
    struct pncp_saved second = saved(&b);
    assert_true(second.committed && second.by_size);
    assert_true(rows_file_exists(&b.lake, FALHAS)); /* what the data cannot tell is written at once */
    /* notes alone: no checkpoint */
    give(&b, 3, 0, 0, failed);
    struct pncp_saved third = saved(&b);
    assert_false(third.committed);
    /* rows that are there already: none either */
    give(&b, 4, 1, 5, NULL);
    struct pncp_saved fourth = saved(&b);
    assert_false(fourth.committed);
    assert_int_equal(fourth.commit.contratacoes, 0);
    /* one of the failed ones came */
    give(&b, 99, 24, 1, NULL);
    assert_true(saved(&b).last);
    assert_int_equal(pncp_saver_error(&b.saver, NULL), PNCP_OK);
    pncp_saver_release(&b.saver);
    assert_int_equal(b.data.history_count, 3);
    assert_int_equal(b.falhas.count, 2);
    assert_int_equal(b.falhas.entries[0].attempts, 2);
    assert_int_equal(atomic_load(&b.wakes), 5); /* one a lot */
    rows_read(b.lake.lake, DETAILS, pncp_details_schema(), &read);
    rows_assert_exactly(&read, pncp_details_schema(), 24);
    rows_read_release(&read);
    bench_close(&b);
}

static void a_row_that_came_resolves_its_failure(void **state)
{
    (void)state;
    static const uint32_t failed[] = {5, 6, 0};
    struct bench b;
    struct pncp_falhas falhas;
    bench_open(&b, 1000, 60000);
    give(&b, 1, 1, 2, failed);
    (void)saved(&b);
    give(&b, 2, 5, 1, NULL);
    (void)saved(&b);
    assert_int_equal(pncp_falhas_load(b.lake.lake, b.lake.date, &falhas, NULL, NULL), PNCP_OK);
    assert_null(pncp_falhas_failed(&falhas, rows_packed(5)));
    assert_non_null(pncp_falhas_failed(&falhas, rows_packed(6)));
    pncp_falhas_release(&falhas);
    bench_close(&b);
}

static void state_follows_when_it_is_due(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1000, 60000);
    give(&b, 1, 1, 2, NULL);
    (void)saved(&b);
    assert_false(rows_file_exists(&b.lake, STATE)); /* not yet a minute */
    bench_close(&b);
    bench_open(&b, 1000, 0); /* after every lot */
    for (uint32_t n = 1; n <= 2; n++) {
        enum pncp_state_health health;
        char what[PNCP_STATE_WHAT_BYTES];
        give(&b, n, 10 * n, 2, NULL);
        (void)saved(&b);
        assert_int_equal(pncp_state_check(&b.data, PNCP_PART_ARQUIVOS, &health, what, NULL), PNCP_OK);
        assert_int_equal(health, PNCP_STATE_SOUND);
    }
    bench_close(&b);
}

/* ---- a store in trouble ---------------------------------------------------------------------- */

struct outage {
    atomic_uint left; /* renames of the day's file that fail still */
    int error;
};

static int fail_rename(void *ctx, const char *call, const char *path)
{
    struct outage *o = ctx;
    if (strcmp(call, "renameat") != 0 || !pncp_view_ends(pncp_view_of(path), ".parquet") || atomic_load(&o->left) == 0)
        return 0;
    (void)atomic_fetch_sub(&o->left, 1);
    return o->error;
}

static void trouble_that_passes_is_waited_for(void **state)
{
    (void)state;
    struct bench b;
    struct outage outage = {.error = ENOSPC};
    atomic_store(&outage.left, 2);
    bench_open(&b, 10000, 60000);
    sys_faults_hook(fail_rename, &outage);
    give(&b, 1, 1, 4, NULL);
    struct pncp_saved result = saved(&b);
    assert_true(result.committed);
    assert_int_equal(result.commit.contratacoes, 4);
    assert_int_equal(atomic_load(&outage.left), 0);
    assert_int_equal(pncp_saver_error(&b.saver, NULL), PNCP_OK);
    bench_close(&b);
    sys_faults_hook(NULL, NULL);
}

static void trouble_that_stays_ends_the_saver(void **state)
{
    (void)state;
    static const struct {
        int error;
        bool hurry;
        uint32_t retry_ms;
        uint64_t least_ms, most_ms;
    } cases[] = {
        {EIO, false, 300, 300, 10000},
        {EROFS, false, 20000, 0, 10000}, /* that will not pass: not tried again */
        {ENOSPC, true, 20000, 0, 10000}, /* a signal came: no more tries */
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct bench b;
        struct outage outage = {.error = cases[i].error};
        struct pncp_saved result;
        struct pncp_err err = PNCP_ERR_INIT;
        atomic_store(&outage.left, UINT32_MAX);
        bench_open(&b, cases[i].retry_ms, 60000);
        sys_faults_hook(fail_rename, &outage);
        if (cases[i].hurry)
            pncp_saver_hurry(&b.saver);
        uint64_t begun = pncp_clock_mono_ms();
        give(&b, 1, 1, 4, NULL);
        assert_true(pncp_saver_wait(&b.saver, 20000));
        assert_in_range(pncp_clock_mono_ms() - begun, cases[i].least_ms, cases[i].most_ms);
        assert_int_equal(pncp_saver_error(&b.saver, &err), PNCP_E_IO);
        assert_int_equal(err.os_errno, cases[i].error);
        assert_false(pncp_saver_idle(&b.saver)); /* takes no more */
        assert_false(pncp_saver_result(&b.saver, &result));
        assert_false(rows_file_exists(&b.lake, DETAILS));
        sys_faults_hook(NULL, NULL);
        bench_close(&b);
    }
}

static void waiting_has_an_end(void **state)
{
    (void)state;
    struct bench b;
    struct outage outage = {.error = EIO};
    atomic_store(&outage.left, UINT32_MAX);
    bench_open(&b, 5000, 60000);
    sys_faults_hook(fail_rename, &outage);
    give(&b, 1, 1, 1, NULL);
    uint64_t begun = pncp_clock_mono_ms();
    assert_false(pncp_saver_wait(&b.saver, 100)); /* still at it */
    assert_in_range(pncp_clock_mono_ms() - begun, 90, 2000);
    pncp_saver_hurry(&b.saver);
    assert_true(pncp_saver_wait(&b.saver, 3000));
    sys_faults_hook(NULL, NULL);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lots_become_checkpoints),           cmocka_unit_test(a_row_that_came_resolves_its_failure),
        cmocka_unit_test(state_follows_when_it_is_due),      cmocka_unit_test(trouble_that_passes_is_waited_for),
        cmocka_unit_test(trouble_that_stays_ends_the_saver), cmocka_unit_test(waiting_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
