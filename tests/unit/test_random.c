/* Ids that do not repeat, and the seeded generator and hash that must give the same on every machine. */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_hex_is_all_of_its_bytes(void **state)
{
    (void)state;
    char before[PNCP_HEX_BYTES(16)], id[PNCP_HEX_BYTES(16)];
    unsigned seen[16] = {0};
    pncp_random_hex(16, before);
    for (int i = 0; i < 200; i++) {
        pncp_random_hex(16, id);
        assert_int_equal(strlen(id), 32);
        assert_int_equal(strspn(id, "0123456789abcdef"), 32);
        assert_string_not_equal(id, before);
        memcpy(before, id, sizeof(before));
        for (size_t k = 0; k < 32; k++)
            seen[strchr("0123456789abcdef", id[k]) - "0123456789abcdef"]++;
    }
    for (size_t i = 0; i < PNCP_ARRAY_LEN(seen); i++)
        assert_in_range(seen[i], 250, 550); /* of 6,400, 400 each on average: 7.5 standard deviations */
    pncp_random_hex(0, id);
    assert_string_equal(id, "");
}

static void test_bytes_stay_within_bounds(void **state)
{
    (void)state;
    unsigned char block[600];
    memset(block, 0, sizeof(block));
    pncp_random_bytes(block + 10, 580); /* more than getrandom gives uninterrupted (256) */
    pncp_random_bytes(block, 0);
    unsigned zeros = 0;
    for (size_t i = 0; i < 580; i++)
        zeros += block[10 + i] == 0;
    assert_true(zeros < 30);
    for (size_t i = 0; i < 10; i++)
        assert_true(block[i] == 0 && block[590 + i] == 0);
}

/* The first numbers for seed 1234567: published with the reference implementation (prng.di.unimi.it/splitmix64.c). */
static void test_splitmix_reference(void **state)
{
    (void)state;
    static const uint64_t want[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                    UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                    UINT64_C(16408922859458223821)};
    uint64_t seed = 1234567;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(want); i++)
        assert_true(pncp_splitmix(&seed) == want[i]);
}

static void test_hash_sees_every_byte(void **state)
{
    (void)state;
    char text[41];
    memset(text, 'x', sizeof(text));
    for (size_t len = 0; len <= 40; len++) {
        uint64_t whole = pncp_hash64(text, len, 1);
        assert_true(pncp_hash64(text, len, 1) == whole);
        assert_true(pncp_hash64(text, len, 2) != whole);
        assert_true(pncp_hash64(text, len + 1, 1) != whole);
        for (size_t i = 0; i < len; i++) {
            text[i] = 'y';
            assert_true(pncp_hash64(text, len, 1) != whole);
            text[i] = 'x';
        }
    }
    static const char zeros[41];
    for (size_t len = 0; len < 40; len++) /* the length counts too */
        assert_true(pncp_hash64(zeros, len, 1) != pncp_hash64(zeros, len + 1, 1));
    assert_true(pncp_hash64(NULL, 0, 1) == pncp_hash64("", 0, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex_is_all_of_its_bytes),
        cmocka_unit_test(test_bytes_stay_within_bounds),
        cmocka_unit_test(test_splitmix_reference),
        cmocka_unit_test(test_hash_sees_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
