/* The set of keys: exact against a plain reference, flags, growth, and two threads at it. */
#include "base/mem.h"
#include "base/random.h"
#include "day/keyset.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Key `number`: few CNPJs with many sequenciais, half of them with letters, so that keys differ in every part. */
static struct pncp_packed_key key_of(uint32_t number)
{
    static const char *const cnpjs[] = {"83102277000152", "12ABC34501DE35", "00000000000000",
                                        "ZZZZZZZZZZZZZZ", "A0000000000000", "0000000000000A"};
    struct pncp_key key = {.ano = 2020 + (int32_t)(number / 6 % 7), .sequencial = 1 + (int32_t)(number / 42)};
    memcpy(key.cnpj, cnpjs[number % 6], sizeof(key.cnpj));
    return pncp_key_pack(&key);
}

#define KEYS 200000U

static void it_is_exact(void **state)
{
    (void)state;
    struct pncp_keyset *set;
    AUTO(pncp_free_ptr) uint8_t *flags = pncp_calloc(KEYS, 1); /* the reference; 0x80: never put in */
    uint64_t random = 1;
    assert_non_null(flags);
    memset(flags, 0x80, KEYS);
    assert_int_equal(pncp_keyset_new(&set), PNCP_OK);
    for (unsigned i = 0; i < 4 * KEYS; i++) {
        uint32_t number = (uint32_t)(pncp_splitmix(&random) % KEYS);
        unsigned flag = 1U << pncp_splitmix(&random) % 5, before = 99;
        if (i % 5 == 4) {
            pncp_keyset_clear(set, key_of(number), flag);
            flags[number] &= (uint8_t)~flag;
            continue;
        }
        assert_int_equal(pncp_keyset_set(set, key_of(number), flag, &before), PNCP_OK);
        assert_int_equal(before, flags[number] & 0x1F);
        flags[number] = (uint8_t)((flags[number] | flag) & 0x7F);
    }
    size_t known = 0, saved = 0, listed_not_saved = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_int_equal(pncp_keyset_get(set, key_of(i)), flags[i] & 0x1F);
        known += (flags[i] & 0x80) == 0;
        saved += (flags[i] & PNCP_KEY_SAVED) != 0;
        listed_not_saved += (flags[i] & PNCP_KEY_LISTED) != 0 && (flags[i] & PNCP_KEY_SAVED) == 0;
    }
    assert_int_equal(pncp_keyset_count(set, 0, 0), known);
    assert_int_equal(pncp_keyset_count(set, PNCP_KEY_SAVED, 0), saved);
    assert_int_equal(pncp_keyset_count(set, PNCP_KEY_LISTED, PNCP_KEY_SAVED), listed_not_saved);
    /* LISTED becomes SAVED */
    pncp_keyset_become(set, PNCP_KEY_LISTED, PNCP_KEY_SAVED);
    for (uint32_t i = 0; i < KEYS; i++) {
        unsigned rest = flags[i] & 0x1F & ~(unsigned)(PNCP_KEY_LISTED | PNCP_KEY_SAVED);
        unsigned now = rest | ((flags[i] & PNCP_KEY_LISTED) != 0 ? PNCP_KEY_SAVED : 0U);
        assert_int_equal(pncp_keyset_get(set, key_of(i)), now);
    }
    pncp_keyset_clear_all(set, PNCP_KEY_SAVED | PNCP_KEY_TAKEN);
    assert_int_equal(pncp_keyset_count(set, PNCP_KEY_SAVED, 0) + pncp_keyset_count(set, PNCP_KEY_TAKEN, 0), 0);
    assert_int_equal(pncp_keyset_count(set, 0, 0), known); /* by flag only: keys stay */
    pncp_keyset_free(set);
    pncp_keyset_free(NULL);
}

static void an_unknown_key_has_no_flags(void **state)
{
    (void)state;
    struct pncp_keyset *set;
    unsigned before = 99;
    assert_int_equal(pncp_keyset_new(&set), PNCP_OK);
    assert_int_equal(pncp_keyset_get(set, key_of(7)), 0);
    pncp_keyset_clear(set, key_of(7), PNCP_KEY_SAVED); /* does not add it */
    assert_int_equal(pncp_keyset_count(set, 0, 0), 0);
    assert_int_equal(pncp_keyset_set(set, key_of(7), 0, &before), PNCP_OK);
    assert_int_equal(before, 0);
    assert_int_equal(pncp_keyset_count(set, 0, 0), 1);
    /* flags that ride on a packed key are the holder's and are not part of it */
    struct pncp_packed_key marked = key_of(7);
    marked.hi |= UINT64_C(0x3FF) << 54;
    assert_int_equal(pncp_keyset_set(set, marked, PNCP_KEY_SEEN, &before), PNCP_OK);
    assert_int_equal(before, 0);
    assert_int_equal(pncp_keyset_get(set, key_of(7)), PNCP_KEY_SEEN);
    assert_int_equal(pncp_keyset_count(set, 0, 0), 1);
    pncp_keyset_free(set);
}

/* Each key of an organ of its own, and the same cnpj in two years: what a slot names instead of the organ is not mixed
 * up. */
static void every_key_may_have_its_own_organ(void **state)
{
    (void)state;
    struct pncp_keyset *set;
    struct pncp_key key = {.sequencial = 1};
    assert_int_equal(pncp_keyset_new(&set), PNCP_OK);
    for (uint32_t i = 0; i < 2 * KEYS; i++) {
        unsigned before = 99;
        (void)snprintf(key.cnpj, sizeof(key.cnpj), "%014u", i / 2 * 7919);
        key.ano = 2025 + (int32_t)(i % 2);
        assert_int_equal(pncp_keyset_set(set, pncp_key_pack(&key), i % 3 == 0 ? PNCP_KEY_SAVED : 0, &before), PNCP_OK);
        assert_int_equal(before, 0);
    }
    assert_int_equal(pncp_keyset_count(set, 0, 0), 2 * KEYS);
    for (uint32_t i = 0; i < 2 * KEYS; i++) {
        (void)snprintf(key.cnpj, sizeof(key.cnpj), "%014u", i / 2 * 7919);
        key.ano = 2025 + (int32_t)(i % 2);
        key.sequencial = 1;
        assert_int_equal(pncp_keyset_get(set, pncp_key_pack(&key)), i % 3 == 0 ? PNCP_KEY_SAVED : 0);
        key.sequencial = 2; /* of a known organ */
        assert_int_equal(pncp_keyset_get(set, pncp_key_pack(&key)), 0);
    }
    pncp_keyset_free(set);
}

static void a_number_uses_all_its_bits(void **state)
{
    (void)state;
    struct pncp_keyset *set;
    struct pncp_key key = {.cnpj = "ZZZZZZZZZZZZZZ", .ano = 9999};
    static const int32_t numbers[] = {1, 2, 1 << 10, 1 << 20, 1 << 30, INT32_MAX - 1, INT32_MAX};
    assert_int_equal(pncp_keyset_new(&set), PNCP_OK);
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < PNCP_ARRAY_LEN(numbers); i++) {
            unsigned before = 99, flags = 1U << i | 512U;
            key.sequencial = numbers[i];
            assert_int_equal(pncp_keyset_set(set, pncp_key_pack(&key), flags, &before), PNCP_OK);
            assert_int_equal(before, round == 0 ? 0 : flags);
        }
    }
    assert_int_equal(pncp_keyset_count(set, 512, 0), PNCP_ARRAY_LEN(numbers));
    pncp_keyset_free(set);
}

/* The saver reads a version anew while the plan looks keys up: what is saved is never seen as not saved. */
struct race {
    struct pncp_keyset *set;
    unsigned rounds;
    int missed;
};

#define RACE_KEYS 500U

static void *reader(void *arg)
{
    struct race *race = arg;
    for (unsigned i = 0; i < race->rounds * RACE_KEYS; i++) {
        race->missed += (pncp_keyset_get(race->set, key_of(i % RACE_KEYS)) & PNCP_KEY_SAVED) == 0;
        if (pncp_keyset_set(race->set, key_of(RACE_KEYS + i), PNCP_KEY_TAKEN, NULL) != PNCP_OK)
            race->missed = 1000000;
    }
    return NULL;
}

static void a_version_read_anew_is_taken_over_at_once(void **state)
{
    (void)state;
    struct race race = {.rounds = 20};
    pthread_t thread;
    assert_int_equal(pncp_keyset_new(&race.set), PNCP_OK);
    for (uint32_t i = 0; i < RACE_KEYS; i++)
        assert_int_equal(pncp_keyset_set(race.set, key_of(i), PNCP_KEY_SAVED, NULL), PNCP_OK);
    assert_int_equal(pthread_create(&thread, NULL, reader, &race), 0);
    for (unsigned round = 0; round < race.rounds; round++) {
        for (uint32_t i = 0; i < RACE_KEYS; i++)
            assert_int_equal(pncp_keyset_set(race.set, key_of(i), PNCP_KEY_READ, NULL), PNCP_OK);
        pncp_keyset_become(race.set, PNCP_KEY_READ, PNCP_KEY_SAVED);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(race.missed, 0);
    assert_int_equal(pncp_keyset_count(race.set, PNCP_KEY_SAVED, 0), RACE_KEYS);
    assert_int_equal(pncp_keyset_count(race.set, PNCP_KEY_TAKEN, 0), race.rounds * RACE_KEYS);
    pncp_keyset_free(race.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_exact),
        cmocka_unit_test(every_key_may_have_its_own_organ),
        cmocka_unit_test(a_number_uses_all_its_bits),
        cmocka_unit_test(an_unknown_key_has_no_flags),
        cmocka_unit_test(a_version_read_anew_is_taken_over_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
