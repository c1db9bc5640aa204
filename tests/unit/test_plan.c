/* Which contratação is next: the untried in the list's order, then what is asked again: the failed, oldest attempt
 * first, then the absent and empty. */
#include "base/mem.h"
#include "ingest/plan.h"
#include "rows_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct rows_lake lake;
    struct pncp_list list;
    struct pncp_keyset *keys;
    struct pncp_falhas falhas;
    struct pncp_plan plan;
};

static void bench_open(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    rows_lake_open(&b->lake);
    assert_int_equal(pncp_list_create(b->lake.lake, b->lake.date, &b->list, NULL), PNCP_OK);
    assert_int_equal(pncp_keyset_new(&b->keys), PNCP_OK);
    pncp_plan_init(&b->plan, &b->list, b->keys, &b->falhas);
}

static void bench_close(struct bench *b)
{
    pncp_plan_release(&b->plan);
    pncp_falhas_release(&b->falhas);
    pncp_keyset_free(b->keys);
    pncp_list_release(&b->list);
    rows_lake_close(&b->lake);
}

static void list_rows(struct bench *b, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        rows_put(pncp_list_pending(&b->list), first + i);
        assert_int_equal(pncp_list_added(&b->list, NULL), PNCP_OK);
    }
}

static void flag(struct bench *b, uint32_t number, unsigned flags)
{
    assert_int_equal(pncp_keyset_set(b->keys, rows_packed(number), flags, NULL), PNCP_OK);
}

static void note(struct bench *b, uint32_t number, enum pncp_falha_part part, enum pncp_falha_kind kind, int64_t age)
{
    assert_int_equal(pncp_falhas_note(&b->falhas, rows_packed(number), part, kind, PNCP_REASON_NONE, 0, 1000000 + age),
                     PNCP_OK);
}

/* A row with an absent part, asked `age` seconds after the first moment and due. */
static void absent(struct bench *b, uint32_t number, int64_t age)
{
    note(b, number, PNCP_FALHA_ARQUIVOS, PNCP_FALHA_AUSENTE, age);
    flag(b, number, PNCP_KEY_SAVED | PNCP_KEY_OLD | PNCP_KEY_DUE);
}

/* A failed attempt `age` seconds after the first moment, due. */
static void failed(struct bench *b, uint32_t number, int64_t age)
{
    note(b, number, PNCP_FALHA_ITENS, PNCP_FALHA_FAILED, age);
    flag(b, number, PNCP_KEY_FAILED | PNCP_KEY_DUE);
}

/* The next number, 0 at the end, UINT32_MAX when the listing has to go on first. */
static uint32_t next(struct bench *b, bool *ret_again)
{
    enum pncp_plan_state state;
    struct pncp_plan_item item;
    struct pncp_err err = PNCP_ERR_INIT;
    struct pncp_key key, of_row;
    if (pncp_plan_next(&b->plan, &state, &item, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
    if (state != PNCP_PLAN_ITEM)
        return state == PNCP_PLAN_END ? 0 : UINT32_MAX;
    pncp_key_unpack(item.key, &key);
    assert_int_equal(pncp_list_row_key(&item.chunk->rows, item.row, &of_row, NULL), PNCP_OK);
    assert_true(pncp_key_eq(&key, &of_row)); /* the row that comes with it is its own */
    assert_true((pncp_keyset_get(b->keys, item.key) & PNCP_KEY_TAKEN) != 0);
    pncp_rows_chunk_drop(item.chunk);
    if (ret_again != NULL)
        *ret_again = item.again;
    return (uint32_t)key.sequencial;
}

/* `want`: numbers in order; one that has failed before has a minus. */
static void assert_order(struct bench *b, const char *want)
{
    char got[4000] = "";
    size_t used = 0;
    for (;;) {
        bool again = false;
        uint32_t number = next(b, &again);
        if (number == 0 || number == UINT32_MAX) {
            used += (size_t)snprintf(got + used, sizeof(got) - used, "%s", number == 0 ? "." : "?");
            break;
        }
        used += (size_t)snprintf(got + used, sizeof(got) - used, "%s%u ", again ? "-" : "", number);
    }
    assert_string_equal(got, want);
}

static void untried_first_then_failed_by_age(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    list_rows(&b, 1, 10);
    pncp_plan_list_complete(&b.plan);
    flag(&b, 2, PNCP_KEY_SAVED);
    flag(&b, 9, PNCP_KEY_SAVED | PNCP_KEY_LISTED);
    flag(&b, 5, PNCP_KEY_TAKEN);
    failed(&b, 3, 50);
    failed(&b, 6, 20);
    failed(&b, 7, 50); /* as old as 3: the list's order */
    failed(&b, 8, 10);
    flag(&b, 8, PNCP_KEY_SAVED);                  /* its row came since */
    flag(&b, 10, PNCP_KEY_FAILED | PNCP_KEY_DUE); /* without an entry: oldest of all */
    assert_order(&b, "1 4 -10 -6 -3 -7 .");
    assert_order(&b, "."); /* at most once a run */
    bench_close(&b);
}

static void it_waits_for_the_listing(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    assert_order(&b, "?");
    list_rows(&b, 1, 3);
    failed(&b, 2, 1);
    assert_order(&b, "1 3 ?"); /* what is listed is given at once, before its group is full */
    list_rows(&b, 4, 2);
    assert_order(&b, "4 5 ?"); /* the failed wait: the untried that are still to come go first */
    pncp_plan_list_complete(&b.plan);
    assert_order(&b, "-2 .");
    bench_close(&b);
}

static void absent_ones_come_last(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    list_rows(&b, 1, 9);
    pncp_plan_list_complete(&b.plan);
    absent(&b, 1, 70);
    absent(&b, 2, 60);
    note(&b, 2, PNCP_FALHA_ITENS, PNCP_FALHA_VAZIO, 80); /* the later of its two */
    failed(&b, 3, 90);
    flag(&b, 4, PNCP_KEY_FAILED);                              /* not due */
    flag(&b, 5, PNCP_KEY_SAVED | PNCP_KEY_OLD);                /* nor this */
    flag(&b, 6, PNCP_KEY_SAVED | PNCP_KEY_OLD | PNCP_KEY_DUE); /* without an entry */
    flag(&b, 7, PNCP_KEY_SAVED | PNCP_KEY_DUE); /* failed, and saved by someone else since this run began */
    assert_order(&b, "8 9 -3 -6 -1 -2 .");
    bench_close(&b);
}

static void what_is_asked_again_alone(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    list_rows(&b, 1, 6);
    absent(&b, 2, 1);
    failed(&b, 4, 2);
    flag(&b, 5, PNCP_KEY_FAILED);
    b.plan.order.only = true;
    assert_order(&b, "?");
    pncp_plan_list_complete(&b.plan);
    assert_order(&b, "-4 -2 .");
    bench_close(&b);
}

/* What is done too, in the list's order. */
static void everything_again(void **state)
{
    (void)state;
    struct bench b;
    bool again = true;
    bench_open(&b);
    list_rows(&b, 1, 6);
    pncp_plan_list_complete(&b.plan);
    b.plan.order.everything = true;
    flag(&b, 1, PNCP_KEY_SAVED | PNCP_KEY_OLD | PNCP_KEY_DUE);
    absent(&b, 2, 1);
    failed(&b, 4, 2);
    flag(&b, 5, PNCP_KEY_SAVED); /* by someone else, since this run began: it is new already */
    assert_int_equal(next(&b, &again), 1);
    assert_false(again);
    assert_order(&b, "2 3 4 6 .");
    bench_close(&b);
}

static void limits_end_it(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    list_rows(&b, 1, 8);
    pncp_plan_list_complete(&b.plan);
    failed(&b, 1, 1);
    b.plan.take_max = 3; /* --batch-size */
    assert_order(&b, "2 3 4 .");
    bench_close(&b);
    bench_open(&b);
    list_rows(&b, 1, 8);
    failed(&b, 2, 1);
    flag(&b, 1, PNCP_KEY_SAVED);
    b.plan.rows_max = 4; /* --max-contratacoes: rows of the list, done or not; no need to wait for more */
    assert_order(&b, "3 4 -2 .");
    bench_close(&b);
    bench_open(&b);
    list_rows(&b, 1, 8);
    pncp_plan_list_complete(&b.plan);
    failed(&b, 3, 1);
    b.plan.rows_max = 6;
    b.plan.take_max = 6;
    assert_order(&b, "1 2 4 5 6 -3 .");
    bench_close(&b);
    bench_open(&b); /* nothing at all */
    pncp_plan_list_complete(&b.plan);
    assert_order(&b, ".");
    bench_close(&b);
}

/* Three groups and failures all over them: each row comes from its own group, and only chunks in use are held. */
static void rows_come_from_their_groups(void **state)
{
    (void)state;
    struct bench b;
    struct pncp_plan_item held;
    enum pncp_plan_state plan_state;
    bench_open(&b);
    list_rows(&b, 1, 1300);
    /* row 10 + 100 k is the order[k]-th oldest: back and forth between the groups */
    static const uint32_t order[13] = {5, 0, 9, 3, 12, 7, 1, 11, 4, 8, 2, 10, 6};
    uint32_t by_age[13];
    for (uint32_t k = 0; k < 13; k++) {
        failed(&b, 10 + 100 * k, order[k]);
        by_age[order[k]] = 10 + 100 * k;
    }
    assert_int_equal(pncp_plan_next(&b.plan, &plan_state, &held, NULL), PNCP_OK);
    assert_int_equal(held.chunk->uses, 2); /* the plan's and ours */
    uint32_t want = 2, number;
    while ((number = next(&b, NULL)) != UINT32_MAX) {
        want += want % 100 == 10;
        assert_int_equal(number, want++);
    }
    assert_int_equal(want, 1301);
    pncp_plan_list_complete(&b.plan);
    for (uint32_t k = 0; k < 13; k++) {
        bool again = false;
        assert_int_equal(next(&b, &again), by_age[k]);
        assert_true(again);
    }
    assert_int_equal(next(&b, NULL), 0);
    assert_int_equal(held.chunk->uses, 1); /* the plan has gone on */
    struct pncp_key key;
    assert_int_equal(pncp_list_row_key(&held.chunk->rows, held.row, &key, NULL), PNCP_OK);
    assert_int_equal(key.sequencial, 1);
    pncp_rows_chunk_drop(held.chunk);
    pncp_rows_chunk_drop(NULL);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untried_first_then_failed_by_age),
        cmocka_unit_test(it_waits_for_the_listing),
        cmocka_unit_test(absent_ones_come_last),
        cmocka_unit_test(what_is_asked_again_alone),
        cmocka_unit_test(everything_again),
        cmocka_unit_test(limits_end_it),
        cmocka_unit_test(rows_come_from_their_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
