/* A checkpoint when nothing fails, when others commit in between, and when the answer is lost (design section 5). */
#include "base/mem.h"
#include "day/data_int.h"
#include "day/layout.h"
#include "rows_fixture.h"
#include "sys_faults.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- one writer ------------------------------------------------------------------------------ */

struct writer {
    struct pncp_lake *lake;
    struct pncp_keyset *keys;
    struct pncp_data data;
    const char *run;
    uint32_t n;
};

static void writer_open(struct writer *w, struct pncp_lake *lake, struct pncp_date date, const char *run)
{
    struct pncp_err err = PNCP_ERR_INIT;
    *w = (struct writer){.lake = lake, .run = run};
    assert_int_equal(pncp_keyset_new(&w->keys), PNCP_OK);
    if (pncp_data_open(lake, date, w->keys, &w->data, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

static void writer_close(struct writer *w)
{
    pncp_data_release(&w->data);
    pncp_keyset_free(w->keys);
}

/* Append rows `numbers` (0 ends them). */
static enum pncp_code append(struct writer *w, const uint32_t *numbers, struct pncp_commit_result *result,
                             struct pncp_err *err)
{
    struct pncp_table table;
    assert_int_equal(pncp_table_init(&table, pncp_details_schema()), PNCP_OK);
    for (; *numbers != 0; numbers++)
        rows_put(&table, *numbers);
    const struct pncp_lot lot = {.table = &table, .run_id = w->run, .n = w->n + 1};
    memset(result, 0xAA, sizeof(*result));
    enum pncp_code rc = pncp_data_append(&w->data, &lot, result, err);
    w->n += rc == PNCP_OK;
    pncp_table_release(&table);
    return rc;
}

static struct pncp_commit_result append_range(struct writer *w, uint32_t first, uint32_t count)
{
    uint32_t numbers[1001] = {0};
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = first + i;
    if (append(w, numbers, &result, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    return result;
}

static void assert_file(const struct rows_lake *lake, uint32_t count)
{
    char path[PNCP_PLACE_BYTES];
    struct rows_read read;
    pncp_place_format(PNCP_PLACE_DATA, lake->date, path);
    rows_read(lake->lake, path, pncp_details_schema(), &read);
    rows_assert_exactly(&read, pncp_details_schema(), count);
    rows_read_release(&read);
}

static void a_lot_becomes_a_row_group(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct writer w, again;
    rows_lake_open(&lake);
    writer_open(&w, lake.lake, lake.date, "run-1");
    assert_false(w.data.exists);
    struct pncp_commit_result one = append_range(&w, 1, 50), two = append_range(&w, 51, 5);
    assert_int_equal(one.contratacoes, 50);
    assert_int_equal(two.contratacoes, 5);
    assert_int_equal(two.row_groups, 2);
    assert_int_equal(w.data.rows, 55);
    int64_t itens = 0, arquivos = 0, last_itens = 0, last_arquivos = 0;
    for (uint32_t i = 1; i <= 55; i++) {
        itens += rows_itens_total(i);
        arquivos += rows_arquivos_total(i);
        last_itens += i > 50 ? rows_itens_total(i) : 0;
        last_arquivos += i > 50 ? rows_arquivos_total(i) : 0;
    }
    assert_int_equal(one.itens + two.itens, itens);
    assert_int_equal(one.arquivos + two.arquivos, arquivos);
    for (uint32_t i = 1; i <= 55; i++)
        assert_int_equal(pncp_keyset_get(w.keys, rows_packed(i)), PNCP_KEY_SAVED);
    assert_file(&lake, 55);

    /* another process sees the same, to the letter */
    writer_open(&again, lake.lake, lake.date, "run-2");
    assert_true(again.data.exists);
    assert_int_equal(again.data.rows, 55);
    assert_string_equal(again.data.commit, w.data.commit);
    assert_string_equal(again.data.version.text, w.data.version.text);
    assert_int_equal(again.data.history_count, 2);
    const struct pncp_history_entry *e = &again.data.history[1];
    assert_string_equal(e->id, again.data.commit);
    assert_string_equal(e->run, "run-1");
    assert_int_equal(e->n, 2);
    assert_true(!e->sum && !e->rewrite);
    assert_int_equal(e->contratacoes, 5);
    assert_int_equal(e->itens, last_itens);
    assert_int_equal(e->arquivos, last_arquivos);
    assert_int_equal(e->bytes, again.data.footer.groups[1].bytes);
    assert_string_not_equal(again.data.history[0].id, e->id);
    assert_int_equal(pncp_keyset_count(again.keys, PNCP_KEY_SAVED, 0), 55);

    /* what was sent is what follows the kept prefix; the commit id is the last key-value */
    assert_int_equal(two.file_bytes, again.data.footer.file_bytes);
    assert_int_equal(two.bytes_sent,
                     two.file_bytes - (again.data.footer.groups[0].offset + again.data.footer.groups[0].bytes));
    const struct pncp_kv *last = &again.data.footer.kvs[again.data.footer.kv_count - 1];
    assert_true(pncp_view_eq_text(last->key, "pncp.commit"));
    assert_true(pncp_view_eq_text(last->value, again.data.commit));
    assert_int_equal(strspn(again.data.commit, "0123456789abcdef"), 32);
    assert_int_equal(rows_temp_count(&lake), 0);
    writer_close(&w);
    writer_close(&again);
    rows_lake_close(&lake);
}

static void known_rows_are_dropped(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct writer w;
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    rows_lake_open(&lake);
    writer_open(&w, lake.lake, lake.date, "run-1");
    append_range(&w, 1, 20);
    /* in the file already, and twice in the lot */
    const uint32_t mixed[] = {21, 3, 22, 21, 20, 22, 22, 0};
    assert_int_equal(append(&w, mixed, &result, &err), PNCP_OK);
    assert_int_equal(result.contratacoes, 2);
    assert_int_equal(result.itens, rows_itens_total(21) + rows_itens_total(22));
    assert_int_equal(result.arquivos, rows_arquivos_total(21) + rows_arquivos_total(22));
    assert_int_equal(w.data.history[1].contratacoes, 2);
    assert_file(&lake, 22);
    /* nothing new: nothing is written, nothing is in the history */
    uint64_t before = rows_lake_hash(&lake);
    const uint32_t old[] = {1, 22, 1, 0}, none[] = {0};
    assert_int_equal(append(&w, old, &result, &err), PNCP_OK);
    assert_int_equal(result.contratacoes, 0);
    assert_int_equal(append(&w, none, &result, &err), PNCP_OK);
    assert_int_equal(result.contratacoes + result.itens + result.arquivos + (int64_t)result.bytes_sent, 0);
    assert_int_equal(w.data.history_count, 2);
    assert_true(rows_lake_hash(&lake) == before);
    writer_close(&w);
    rows_lake_close(&lake);
}

/* ---- two writers ----------------------------------------------------------------------------- */

static void assert_linear(const struct rows_lake *lake, const struct writer *a, const struct writer *b,
                          int64_t contratacoes)
{
    struct writer reader;
    int64_t sum = 0;
    uint32_t last_a = 0, last_b = 0;
    writer_open(&reader, lake->lake, lake->date, "reader");
    assert_int_equal(reader.data.history_count, a->n + b->n);
    for (size_t i = 0; i < reader.data.history_count; i++) {
        const struct pncp_history_entry *e = &reader.data.history[i];
        uint32_t *last = strcmp(e->run, a->run) == 0 ? &last_a : &last_b;
        assert_int_equal(e->n, *last + 1); /* each run's checkpoints in their order, none missing */
        *last = e->n;
        sum += e->contratacoes;
    }
    assert_int_equal(sum, contratacoes);
    assert_int_equal(reader.data.rows, contratacoes);
    writer_close(&reader);
}

static void two_writers_make_one_history(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct writer a, b;
    rows_lake_open(&lake);
    struct pncp_lake *other = rows_lake_again(&lake, "20251023T060103Z-00000002");
    writer_open(&a, lake.lake, lake.date, "run-a");
    writer_open(&b, other, lake.date, "run-b"); /* neither has seen a file */
    int64_t saved = 0;
    for (uint32_t i = 0; i < 20; i++) { /* rows 4i+1 … 4i+6 and 4i+3 … 4i+8: overlapping, into folds */
        saved += append_range(&a, 4 * i + 1, 6).contratacoes;
        saved += append_range(&b, 4 * i + 3, 6).contratacoes;
    }
    assert_int_equal(saved, 84);
    assert_file(&lake, 84);
    assert_linear(&lake, &a, &b, 84);
    writer_close(&a);
    writer_close(&b);
    pncp_lake_free(other);
    rows_lake_close(&lake);
}

/* ---- answers that say nothing ---------------------------------------------------------------- */

#define DETAILS "pncp_details/year=2025/month=10/day=22/details.parquet"
static const uint32_t OURS[] = {1, 2, 3, 4, 0}, THEIRS[] = {3, 4, 5, 6, 0}, NEXT[] = {5, 6, 7, 0};

/* A writer's commit whose answer is lost, and what happens before it looks. */
struct trouble {
    const char *call; /* the n-th call of that name (on a path that ends so) fails */
    const char *path;
    unsigned nth;
    int answer;              /* as a hook gives it */
    bool blind;              /* the look at the file afterwards fails as well */
    bool intrude;            /* before that look another run commits THEIRS */
    bool saved;              /* the commit happened */
    struct writer *intruder; /* while it runs */
    unsigned seen, opened;
    bool fired;
};

static int make_trouble(void *ctx, const char *call, const char *path)
{
    struct trouble *t = ctx;
    bool details = path != NULL && pncp_view_ends(pncp_view_of(path), "/details.parquet");
    if (t->fired && details && strcmp(call, "openat") == 0 && t->opened++ == 0) { /* the look */
        if (t->intrude) {
            struct pncp_commit_result ignored;
            struct pncp_err err = PNCP_ERR_INIT;
            if (append(t->intruder, THEIRS, &ignored, &err) != PNCP_OK)
                fail_msg("the other run: %s", err.msg);
        }
        return t->blind ? EIO : 0;
    }
    if (t->fired || strcmp(call, t->call) != 0 ||
        (t->path != NULL && (path == NULL || !pncp_view_ends(pncp_view_of(path), t->path))) || ++t->seen != t->nth)
        return 0;
    t->fired = true;
    return t->answer;
}

/* Rows 101 … 102 are there before, so that the folders are; each row of the tables is one way to lose an answer. */
static void the_history_tells_what_became_of_a_commit(void **state)
{
    (void)state;
    static const struct trouble troubles[] = {
        {.call = "renameat", .path = "/details.parquet", .nth = 1, .answer = EIO},
        {.call = "renameat", .path = "/details.parquet", .nth = 1, .answer = -EIO, .saved = true},
        {.call = "fsync", .nth = 1, .answer = EIO},
        {.call = "fsync", .nth = 2, .answer = EIO, .saved = true}, /* of the folder, after the rename */
        {.call = "fsync", .nth = 2, .answer = -ENOSPC, .saved = true},
        {.call = "write", .nth = 1, .answer = ENOSPC},
    };
    for (size_t i = 0; i < 4 * PNCP_ARRAY_LEN(troubles); i++) {
        struct trouble t = troubles[i / 4];
        struct rows_lake lake;
        struct writer a, b;
        struct pncp_commit_result result;
        struct pncp_err err = PNCP_ERR_INIT;
        t.blind = i % 2 == 1;
        t.intrude = i % 4 >= 2;
        t.intruder = &b;
        rows_lake_open(&lake);
        struct pncp_lake *other = rows_lake_again(&lake, "20251023T060103Z-00000002");
        writer_open(&a, lake.lake, lake.date, "run-a");
        append_range(&a, 8, 1);
        writer_open(&b, other, lake.date, "run-b");
        sys_faults_hook(make_trouble, &t);
        enum pncp_code rc = append(&a, OURS, &result, &err);
        sys_faults_hook(NULL, NULL);
        assert_true(t.fired);
        assert_true(t.opened >= 1 || !t.blind);
        if (t.blind) { /* nothing is known: the caller tries again */
            assert_int_not_equal(rc, PNCP_OK);
            assert_true(err.transient);
            rc = append(&a, OURS, &result, &err);
        } else if (!t.saved && !t.intrude) { /* the store said no, the file is as it was */
            assert_int_equal(rc, PNCP_E_IO);
            assert_true(err.transient);
            assert_int_equal(a.data.history_count, 1);
            rc = append(&a, OURS, &result, &err);
        }
        assert_int_equal(rc, PNCP_OK);
        /* with the other run first, rows 3 and 4 are its rows */
        int64_t ours = t.saved || !t.intrude ? 4 : 2;
        assert_int_equal(result.contratacoes, ours);
        struct pncp_history_entry e = {.contratacoes = -1};
        for (size_t k = 1; k < a.data.history_count; k++)
            e = strcmp(a.data.history[k].run, "run-a") == 0 ? a.data.history[k] : e;
        assert_int_equal(e.contratacoes, ours);
        assert_int_equal(e.itens, result.itens);
        assert_int_equal(e.arquivos, result.arquivos);
        /* whoever was first, ALL keys are known before the next lot */
        for (uint32_t k = 1; t.intrude && k <= 6; k++)
            assert_int_equal(pncp_keyset_get(a.keys, rows_packed(k)), PNCP_KEY_SAVED);
        assert_int_equal(append(&a, NEXT, &result, &err), PNCP_OK);
        assert_int_equal(result.contratacoes, t.intrude ? 1 : 3);
        assert_file(&lake, 8);
        a.n = 3;
        assert_linear(&lake, &a, &b, 8);
        pncp_lake_sweep(lake.lake);
        assert_int_equal(rows_temp_count(&lake), 0);
        writer_close(&a);
        writer_close(&b);
        pncp_lake_free(other);
        rows_lake_close(&lake);
    }
}

/* A version lost before the write: the rows are chosen anew from what the file is then. */
static void a_lost_version_is_decided_again(void **state)
{
    (void)state;
    for (int fold = 0; fold < 2; fold++) {
        struct rows_lake lake;
        struct writer a, b;
        struct pncp_commit_result result;
        struct pncp_err err = PNCP_ERR_INIT;
        rows_lake_open(&lake);
        struct pncp_lake *other = rows_lake_again(&lake, "20251023T060103Z-00000002");
        writer_open(&a, lake.lake, lake.date, "run-a");
        for (uint32_t i = 0; fold == 1 && i < 15; i++)
            append_range(&a, 7 + i, 1);
        writer_open(&b, other, lake.date, "run-b");
        assert_int_equal(append(&b, THEIRS, &result, &err), PNCP_OK);
        assert_int_equal(append(&a, OURS, &result, &err), PNCP_OK);
        assert_int_equal(result.contratacoes, 2);
        assert_file(&lake, fold == 1 ? 21 : 6);
        assert_linear(&lake, &a, &b, fold == 1 ? 21 : 6);
        writer_close(&a);
        writer_close(&b);
        pncp_lake_free(other);
        rows_lake_close(&lake);
    }
}

/* Two lakes get the same rows by runs of one name, in one second: whoever saw the one does not take the other for it.
 */
static void no_two_commits_look_alike(void **state)
{
    (void)state;
    struct rows_lake lakes[2];
    struct writer w[2];
    for (int i = 0; i < 2; i++) {
        rows_lake_open(&lakes[i]);
        writer_open(&w[i], lakes[i].lake, lakes[i].date, "run-1");
    }
    for (uint32_t lot = 0; lot < 3; lot++) {
        for (int i = 0; i < 2; i++)
            append_range(&w[i], 3 * lot + 1, 3);
        assert_string_not_equal(w[0].data.version.text, w[1].data.version.text);
        assert_string_not_equal(w[0].data.commit, w[1].data.commit);
    }
    for (int i = 0; i < 2; i++) {
        assert_file(&lakes[i], 9);
        writer_close(&w[i]);
        rows_lake_close(&lakes[i]);
    }
}

/* What was seen and is gone is never made anew from one lot: 75, and the same lot again once it is back. */
static void a_file_that_vanished_is_not_created(void **state)
{
    (void)state;
    for (int fold = 0; fold < 2; fold++) {
        struct rows_lake lake;
        struct writer w;
        struct pncp_commit_result result;
        struct pncp_err err = PNCP_ERR_INIT;
        AUTO(pncp_buf_release) struct pncp_buf file = {0};
        bool done;
        const volatile bool stop = false;
        rows_lake_open(&lake);
        writer_open(&w, lake.lake, lake.date, "run-1");
        for (uint32_t i = 0; i < (fold == 1 ? 15 : 1); i++)
            append_range(&w, 1 + i, 1);
        uint32_t next[] = {fold == 1 ? 16 : 2, 0};
        assert_true(rows_file_get(&lake, DETAILS, &file));
        assert_int_equal(pncp_lake_remove(lake.lake, DETAILS, NULL), PNCP_OK);
        for (int tries = 0; tries < 2; tries++) {
            err = PNCP_ERR_INIT;
            assert_int_equal(append(&w, next, &result, &err), PNCP_E_UNAVAILABLE);
            assert_true(err.code == PNCP_E_UNAVAILABLE && err.transient);
            assert_false(rows_file_exists(&lake, DETAILS));
        }
        err = PNCP_ERR_INIT;
        const struct pncp_rewrite rewrite = {.run_id = "run-1", .stop = &stop};
        assert_int_equal(pncp_data_rewrite(&w.data, &rewrite, &done, &result, &err), PNCP_E_UNAVAILABLE);
        assert_true(err.transient);
        assert_false(rows_file_exists(&lake, DETAILS));
        rows_file_put(&lake, DETAILS, file.data, file.len);
        assert_int_equal(append(&w, next, &result, &err), PNCP_OK);
        assert_int_equal(result.contratacoes, 1);
        assert_file(&lake, next[0]);
        writer_close(&w);
        rows_lake_close(&lake);
    }
}

/* The file was replaced by something that is not ours while an answer was lost: retrying does not help. */
static void damage_met_while_looking_is_not_transient(void **state)
{
    (void)state;
    struct rows_lake lake;
    struct writer w;
    struct pncp_commit_result result;
    struct pncp_err err = PNCP_ERR_INIT;
    rows_lake_open(&lake);
    writer_open(&w, lake.lake, lake.date, "run-1");
    append_range(&w, 1, 3);
    rows_file_put(&lake, DETAILS, "PAR1 no more", 12);
    const uint32_t next[] = {4, 0};
    assert_int_equal(append(&w, next, &result, &err), PNCP_E_PARSE);
    assert_false(err.transient);
    assert_non_null(strstr(err.msg, DETAILS));
    /* nothing of what was known is forgotten */
    assert_int_equal(w.data.history_count, 1);
    for (uint32_t i = 1; i <= 3; i++)
        assert_int_equal(pncp_keyset_get(w.keys, rows_packed(i)), PNCP_KEY_SAVED);
    assert_int_equal(append(&w, next, &result, NULL), PNCP_E_PARSE); /* a NULL err is accepted */
    writer_close(&w);
    rows_lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lot_becomes_a_row_group),
        cmocka_unit_test(known_rows_are_dropped),
        cmocka_unit_test(two_writers_make_one_history),
        cmocka_unit_test(the_history_tells_what_became_of_a_commit),
        cmocka_unit_test(a_lost_version_is_decided_again),
        cmocka_unit_test(no_two_commits_look_alike),
        cmocka_unit_test(a_file_that_vanished_is_not_created),
        cmocka_unit_test(damage_met_while_looking_is_not_transient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
