/* What is written later: the newest of each moment, and whatever is left at the end. */
#include "lake/later.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct store { /* that takes its time: it waits until it may go on */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open, busy;
    unsigned count;
    char last[64];
};

static void write_slowly(void *ctx, const char *path, struct pncp_view bytes)
{
    struct store *store = ctx;
    (void)pthread_mutex_lock(&store->mutex);
    store->busy = true;
    (void)pthread_cond_broadcast(&store->changed);
    while (!store->open)
        (void)pthread_cond_wait(&store->changed, &store->mutex);
    store->count++;
    (void)snprintf(store->last, sizeof(store->last), "%s=" PNCP_VIEW_FMT, path, PNCP_VIEW_ARG(bytes));
    (void)pthread_mutex_unlock(&store->mutex);
}

static void nobody_waits_for_a_slow_store(void **state)
{
    (void)state;
    struct store store = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct pncp_later *later;
    assert_int_equal(pncp_later_new(write_slowly, &store, &later, NULL), PNCP_OK);
    pncp_later_put(later, "a", PNCP_VIEW_LIT("1"));
    (void)pthread_mutex_lock(&store.mutex);
    while (!store.busy)
        (void)pthread_cond_wait(&store.changed, &store.mutex);
    (void)pthread_mutex_unlock(&store.mutex);
    pncp_later_put(later, "a", PNCP_VIEW_LIT("2")); /* while the first is under way */
    pncp_later_put(later, "b", PNCP_VIEW_LIT("33"));
    (void)pthread_mutex_lock(&store.mutex);
    assert_int_equal(store.count, 0);
    store.open = true;
    (void)pthread_cond_broadcast(&store.changed);
    (void)pthread_mutex_unlock(&store.mutex);
    pncp_later_free(later);
    assert_int_equal(store.count, 2); /* the second was forgotten */
    assert_string_equal(store.last, "b=33");
}

static void nothing_to_write(void **state)
{
    (void)state;
    struct store store = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .open = true};
    struct pncp_later *later;
    assert_int_equal(pncp_later_new(write_slowly, &store, &later, NULL), PNCP_OK);
    pncp_later_free(later);
    pncp_later_free(NULL);
    assert_int_equal(store.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_waits_for_a_slow_store),
        cmocka_unit_test(nothing_to_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
