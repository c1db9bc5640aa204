/* Allocation: sizes of nothing, sizes that overflow, and growth that costs little. */
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The address sanitizer ends the program at an allocation that fails, unless told that libc would not. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void test_nothing_is_a_block_too(void **state)
{
    (void)state;
    AUTO(pncp_free_ptr) char *a = pncp_malloc(0);
    AUTO(pncp_free_ptr) char *b = pncp_calloc(0, 8);
    AUTO(pncp_free_ptr) char *c = pncp_calloc(8, 0);
    AUTO(pncp_free_ptr) char *d = pncp_realloc(NULL, 0, 8);
    assert_true(a != NULL && b != NULL && c != NULL && d != NULL); /* NULL means "out of memory" and only that */
    char *shrunk = pncp_realloc(d, 0, 0);
    assert_non_null(shrunk);
    d = shrunk;
}

static void test_sizes_that_overflow(void **state)
{
    (void)state;
    size_t half = SIZE_MAX / 2;
    AUTO(pncp_free_ptr) char *kept = pncp_strdup("kept");
    assert_null(pncp_calloc(half, 3));
    assert_null(pncp_realloc(kept, half, 3));
    assert_string_equal(kept, "kept");
}

static void test_calloc_and_realloc_keep_their_word(void **state)
{
    (void)state;
    static const char zero[256];
    AUTO(pncp_free_ptr) char *block = pncp_calloc(32, 8);
    assert_memory_equal(block, zero, 256);
    memset(block, 'x', 256);
    char *grown = pncp_realloc(block, 1000, 8);
    assert_non_null(grown);
    block = grown;
    for (size_t i = 0; i < 256; i++)
        assert_int_equal(block[i], 'x');
    memset(block, 'y', 8000);
}

static void test_texts(void **state)
{
    (void)state;
    AUTO(pncp_free_ptr) char *copy = pncp_strdup("contratação");
    AUTO(pncp_free_ptr) char *empty = pncp_strdup("");
    AUTO(pncp_free_ptr) char *made = pncp_asprintf("%s|%d|%s", "a", 7, copy);
    assert_string_equal(copy, "contratação");
    assert_string_equal(empty, "");
    assert_string_equal(made, "a|7|contratação");
}

static void test_free_ptr_forgets(void **state)
{
    (void)state;
    char *block = pncp_malloc(4);
    assert_non_null(block);
    pncp_free_ptr(&block);
    assert_null(block);
    pncp_free_ptr(&block);
    pncp_free(NULL);
}

static void test_growth(void **state)
{
    (void)state;
    static const struct {
        size_t cap, need, grown;
    } cases[] = {{0, 0, 16},   {0, 1, 16},        {0, 100, 100},     {16, 17, 24},
                 {24, 25, 36}, {100, 1000, 1000}, {1000, 1001, 1500}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++)
        assert_int_equal(pncp_grow(cases[i].cap, cases[i].need), cases[i].grown);
    size_t cap = 0, moves = 0;
    for (size_t need = 1; need <= 1000000; need = cap + 1, moves++)
        cap = pncp_grow(cap, need);
    assert_true(moves < 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_a_block_too),
        cmocka_unit_test(test_sizes_that_overflow),
        cmocka_unit_test(test_calloc_and_realloc_keep_their_word),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_free_ptr_forgets),
        cmocka_unit_test(test_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
