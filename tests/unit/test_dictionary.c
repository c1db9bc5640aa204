/* Dictionaries: each value's place is the right one, and there is none where it would not pay. */
#include "parquet/dictionary.h"
#include "parquet/plain.h"
#include "sample.h"

#include <stdio.h>

static struct pncp_leaf texts(size_t count, size_t distinct, const char *start)
{
    struct pncp_leaf leaf;
    pncp_leaf_init(&leaf, &(const struct pncp_leaf_info){.type = PNCP_T_TEXT});
    for (size_t i = 0; i < count; i++) {
        char text[64];
        int len =
            *start == '\0' && distinct == 1 ? 0 : snprintf(text, sizeof(text), "%s%zu", start, i * 7919 % distinct);
        assert_int_equal(pncp_leaf_put_text(&leaf, 0, (struct pncp_view){text, (size_t)len}), PNCP_OK);
    }
    return leaf;
}

/* What its page and its places say is what the leaf holds. */
static void check_made(const struct pncp_dictionary *dictionary, const struct pncp_leaf *leaf)
{
    AUTO(pncp_leaf_release) struct pncp_leaf values;
    pncp_leaf_init(&values, &(const struct pncp_leaf_info){.type = leaf->type});
    assert_int_equal(pncp_plain_get(pncp_buf_view(&dictionary->page), dictionary->count, &values), PNCP_OK);
    const uint16_t *places = pncp_dictionary_indexes(dictionary);
    for (size_t i = 0; i < leaf->value_count; i++) {
        assert_true(places[i] < dictionary->count);
        if (leaf->type == PNCP_T_TEXT)
            assert_true(pncp_view_eq(pncp_leaf_text(&values, places[i]), pncp_leaf_text(leaf, i)));
        else
            assert_int_equal(pncp_leaf_int(&values, places[i]), pncp_leaf_int(leaf, i));
    }
    for (size_t a = 0; a < PNCP_MIN(dictionary->count, (size_t)50); a++) { /* distinct they are */
        for (size_t b = 0; b < a; b++)
            assert_false(leaf->type == PNCP_T_TEXT
                             ? pncp_view_eq(pncp_leaf_text(&values, a), pncp_leaf_text(&values, b))
                             : pncp_leaf_int(&values, a) == pncp_leaf_int(&values, b));
    }
}

static const struct {
    size_t count, distinct;
    const char *start;
    bool pays;
} TEXTS[] = {
    {300, 1, "Pregão", true},
    {300, 17, "Pregão", true},
    {300, 200, "Pregão", true},  /* a hundred come twice: 14 bytes each, against one and a bit for all */
    {300, 299, "Pregão", false}, /* one does */
    {300, 300, "Pregão", false},
    {1, 1, "Pregão", false},
    {200, 1, "", true}, /* the empty text */
    {40000, 14000, "", true},
    {60000, 20000, "um texto que vem três vezes", false}, /* its page would pass 128 KiB */
    {60000, 3000, "um texto que vem vinte vezes", true},
};

static void test_texts(void **state)
{
    (void)state;
    struct pncp_dictionary dictionary = {0}; /* one for all: nothing of one column stays for the next */
    for (size_t i = 0; i < PNCP_ARRAY_LEN(TEXTS); i++) {
        AUTO(pncp_leaf_release) struct pncp_leaf leaf = texts(TEXTS[i].count, TEXTS[i].distinct, TEXTS[i].start);
        bool pays;
        assert_int_equal(pncp_dictionary_make(&dictionary, &leaf, &pays), PNCP_OK);
        if (pays != TEXTS[i].pays)
            fail_msg("case %zu: %zu distinct", i, dictionary.count);
        if (pays)
            check_made(&dictionary, &leaf);
    }
    pncp_dictionary_release(&dictionary);
}

static void test_numbers(void **state)
{
    (void)state;
    static const enum pncp_type types[] = {PNCP_T_INT32, PNCP_T_INT64, PNCP_T_DATE, PNCP_T_UTC_US, PNCP_T_DEC18_4};
    struct pncp_dictionary dictionary = {0};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(types); i++) {
        for (int64_t distinct = 1; distinct <= 40000; distinct = distinct * 3 + 1) {
            AUTO(pncp_leaf_release) struct pncp_leaf leaf;
            pncp_leaf_init(&leaf, &(const struct pncp_leaf_info){.type = types[i]});
            for (int64_t k = 0; k < 40000; k++)
                assert_int_equal(pncp_leaf_put_int(&leaf, 0, k * 7919 % distinct - distinct / 2), PNCP_OK);
            bool pays;
            assert_int_equal(pncp_dictionary_make(&dictionary, &leaf, &pays), PNCP_OK);
            size_t bytes = (size_t)distinct * pncp_type_width(types[i]);
            bool room = bytes <= PNCP_DICTIONARY_MAX_BYTES && (size_t)distinct <= PNCP_DICTIONARY_MAX_VALUES;
            assert_true(pays || !room || distinct > 20000);
            assert_true(!pays || room);
            if (pays)
                check_made(&dictionary, &leaf);
        }
    }
    pncp_dictionary_release(&dictionary);
}

static void test_nothing(void **state)
{
    (void)state;
    struct pncp_dictionary dictionary = {0};
    AUTO(pncp_leaf_release) struct pncp_leaf leaf = texts(0, 1, "x");
    bool pays = true;
    assert_int_equal(pncp_dictionary_make(&dictionary, &leaf, &pays), PNCP_OK);
    assert_false(pays);
    pncp_dictionary_release(&dictionary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
