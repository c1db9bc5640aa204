/* The key of a contratação: what is one, its three texts, and the packed form that keeps the order. */
#include "base/random.h"
#include "model/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct pncp_key key_of(const char *cnpj, int64_t ano, int64_t sequencial)
{
    struct pncp_key key;
    assert_int_equal(pncp_key_make(pncp_view_of(cnpj), ano, sequencial, &key, NULL), PNCP_OK);
    return key;
}

static void test_make_checks_every_field(void **state)
{
    (void)state;
    static const struct {
        const char *cnpj;
        int64_t ano, sequencial;
        const char *names; /* what the message names; NULL: it is a key */
    } cases[] = {
        {"83102277000152", 2025, 423, NULL},
        {"12ABC34501DE35", 2026, 1, NULL},
        {"00000000000000", 1, 1, NULL},
        {"ZZZZZZZZZZZZZZ", 9999, INT32_MAX, NULL},
        {"8310227700015", 2025, 423, "cnpj"},
        {"831022770001522", 2025, 423, "cnpj"},
        {"83.102.277/0001", 2025, 423, "cnpj"},
        {"12abc34501de35", 2025, 423, "cnpj"},
        {"", 2025, 423, "cnpj"},
        {"83102277000152", 0, 423, "ano"},
        {"83102277000152", 10000, 423, "ano"},
        {"83102277000152", 2025, 0, "sequencial"},
        {"83102277000152", 2025, -1, "sequencial"},
        {"83102277000152", 2025, INT64_C(2147483648), "sequencial"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_key key;
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = pncp_key_make(pncp_view_of(cases[i].cnpj), cases[i].ano, cases[i].sequencial, &key, &err);
        assert_int_equal(rc, cases[i].names == NULL ? PNCP_OK : PNCP_E_PARSE);
        if (cases[i].names != NULL)
            assert_int_equal(strncmp(err.msg, cases[i].names, strlen(cases[i].names)), 0);
    }
}

static void test_controle(void **state)
{
    (void)state;
    static const struct {
        const char *text, *key; /* key NULL: not a contratação's */
    } cases[] = {
        {"39215827000158-1-000008/2026", "39215827000158|2026|8"},
        {"80881915000192-1-000030/2026", "80881915000192|2026|30"},
        {"80881915000192-1-1234567/2026", "80881915000192|2026|1234567"},
        {"12ABC34501DE35-1-000001/2026", "12ABC34501DE35|2026|1"},
        {"39215827000158-2-000008/2026", NULL},        /* a contrato */
        {"39215827000158-1-000008/2026-000001", NULL}, /* an ata */
        {"39215827000158-1-/2026", NULL},
        {"39215827000158-1-000008/", NULL},
        {"39215827000158-1-000008", NULL},
        {"39215827000158-1/2026", NULL},
        {"39215827000158/1-000008-2026", NULL},
        {"39215827000158-1-000000/2026", NULL},
        {"39215827000158-1-99999999999/2026", NULL},
        {"39215827000158-1-000008/20260", NULL},
        {"/", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_key key;
        char text[PNCP_KEY_TEXT_BYTES] = "";
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = pncp_key_from_controle(pncp_view_of(cases[i].text), &key, &err);
        assert_int_equal(rc, cases[i].key == NULL ? PNCP_E_PARSE : PNCP_OK);
        if (rc != PNCP_OK) {
            assert_true(err.msg[0] != '\0');
            continue;
        }
        pncp_key_format(&key, text);
        assert_string_equal(text, cases[i].key);
    }
}

static void test_text_form_reads_back(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "|",
                                      "||",
                                      "83102277000152|2025",
                                      "83102277000152|2025|",
                                      "83102277000152||423",
                                      "83102277000152|2025|423|",
                                      "83102277000152|2025|4x",
                                      " 83102277000152|2025|423",
                                      "83102277000152|2025|+423",
                                      "83102277000152|99999|1"};
    struct pncp_key key, again;
    char text[PNCP_KEY_TEXT_BYTES];
    key = key_of("ZZZZZZZZZZZZZZ", 9999, INT32_MAX);
    pncp_key_format(&key, text);
    assert_string_equal(text, "ZZZZZZZZZZZZZZ|9999|2147483647"); /* the longest */
    assert_int_equal(pncp_key_parse(pncp_view_of(text), &again, NULL), PNCP_OK);
    assert_true(pncp_key_eq(&key, &again));
    for (size_t i = 0; i < PNCP_ARRAY_LEN(bad); i++)
        assert_int_equal(pncp_key_parse(pncp_view_of(bad[i]), &again, NULL), PNCP_E_PARSE);
}

static struct pncp_key random_key(uint64_t *seed)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    bool digits = (pncp_splitmix(seed) & 1) != 0;
    char cnpj[PNCP_CNPJ_CHARS + 1] = "00000000000000";
    for (size_t i = pncp_splitmix(seed) % PNCP_CNPJ_CHARS; i < PNCP_CNPJ_CHARS; i++)
        cnpj[i] = alphabet[pncp_splitmix(seed) % (digits ? 10 : 36)];
    int64_t sequencial = 1 + (int64_t)(pncp_splitmix(seed) % ((UINT64_C(1) << (1 + pncp_splitmix(seed) % 31)) - 1));
    return key_of(cnpj, 1 + (int64_t)(pncp_splitmix(seed) % 9999), sequencial);
}

static int field_order(const struct pncp_key *a, const struct pncp_key *b)
{
    int cnpj = memcmp(a->cnpj, b->cnpj, PNCP_CNPJ_CHARS);
    if (cnpj != 0)
        return cnpj < 0 ? -1 : 1;
    if (a->ano != b->ano)
        return a->ano < b->ano ? -1 : 1;
    return a->sequencial < b->sequencial ? -1 : a->sequencial > b->sequencial;
}

static void test_packed_form_is_exact_and_ordered(void **state)
{
    (void)state;
    uint64_t seed = 7;
    struct pncp_key last = key_of("ZZZZZZZZZZZZZZ", 9999, INT32_MAX);
    assert_int_equal(pncp_key_pack(&last).hi >> (64 - PNCP_PACKED_KEY_FLAG_BITS), 0); /* the holder's bits are free */
    for (int round = 0; round < 50000; round++) {
        struct pncp_key key = random_key(&seed), again;
        if (round % 3 == 0) { /* neighbours, too */
            memcpy(key.cnpj, last.cnpj, sizeof(key.cnpj));
            key.ano = round % 2 == 0 ? last.ano : key.ano;
        }
        struct pncp_packed_key packed = pncp_key_pack(&key), before = pncp_key_pack(&last);
        assert_int_equal(pncp_packed_key_cmp(before, packed), field_order(&last, &key));
        packed.hi |= UINT64_C(0x3FF) << (64 - PNCP_PACKED_KEY_FLAG_BITS); /* flags change neither key nor order */
        assert_int_equal(pncp_packed_key_cmp(before, packed), field_order(&last, &key));
        pncp_key_unpack(packed, &again);
        assert_true(pncp_key_eq(&key, &again));
        assert_int_equal(again.cnpj[PNCP_CNPJ_CHARS], '\0');
        last = key;
    }
}

static void test_eq_looks_at_every_field(void **state)
{
    (void)state;
    struct pncp_key a = key_of("83102277000152", 2025, 423), cnpj = key_of("83102277000153", 2025, 423),
                    ano = key_of("83102277000152", 2024, 423), sequencial = key_of("83102277000152", 2025, 424);
    assert_true(pncp_key_eq(&a, &a));
    assert_false(pncp_key_eq(&a, &cnpj));
    assert_false(pncp_key_eq(&a, &ano));
    assert_false(pncp_key_eq(&a, &sequencial));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_checks_every_field), cmocka_unit_test(test_controle),
        cmocka_unit_test(test_text_form_reads_back),    cmocka_unit_test(test_packed_form_is_exact_and_ordered),
        cmocka_unit_test(test_eq_looks_at_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
