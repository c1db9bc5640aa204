/* Borrowed text: comparison, whole numbers to the letter, and UTF-8 against every sequence of three bytes. */
#include "base/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_comparison(void **state)
{
    (void)state;
    struct pncp_view text = PNCP_VIEW_LIT("pncp_details");
    assert_true(pncp_view_eq(text, pncp_view_of("pncp_details")));
    assert_false(pncp_view_eq(text, pncp_view_of("pncp_detail")));
    assert_false(pncp_view_eq(text, pncp_view_of("pncp_detailz")));
    assert_true(pncp_view_eq((struct pncp_view){NULL, 0}, pncp_view_of("")));
    assert_true(pncp_view_eq((struct pncp_view){"a\0b", 3}, (struct pncp_view){"a\0b", 3}));
    assert_false(pncp_view_eq((struct pncp_view){"a\0b", 3}, (struct pncp_view){"a\0c", 3}));
    assert_true(pncp_view_eq_text(text, "pncp_details"));
    assert_false(pncp_view_eq_text((struct pncp_view){"a\0", 2}, "a"));
    assert_true(pncp_view_starts(text, "pncp_"));
    assert_true(pncp_view_starts(text, ""));
    assert_true(pncp_view_starts(text, "pncp_details"));
    assert_false(pncp_view_starts(text, "pncp_details/"));
    assert_false(pncp_view_starts(text, "details"));
    assert_true(pncp_view_ends(text, "details"));
    assert_true(pncp_view_ends(text, ""));
    assert_false(pncp_view_ends(text, "/pncp_details"));
    assert_false(pncp_view_ends(text, "pncp"));
    assert_int_equal(pncp_view_of(NULL).len, 0);
    assert_non_null(pncp_view_of(NULL).data);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_u64, is_i64;
        uint64_t u64;
        int64_t i64;
    } cases[] = {
        {"0", true, true, 0, 0},
        {"007", true, true, 7, 7},
        {"423", true, true, 423, 423},
        {"-0", false, true, 0, 0},
        {"-1", false, true, 0, -1},
        {"9223372036854775807", true, true, UINT64_C(9223372036854775807), INT64_MAX},
        {"9223372036854775808", true, false, UINT64_C(9223372036854775808), 0},
        {"-9223372036854775808", false, true, 0, INT64_MIN},
        {"-9223372036854775809", false, false, 0, 0},
        {"18446744073709551615", true, false, UINT64_MAX, 0},
        {"18446744073709551616", false, false, 0, 0},
        {"99999999999999999999", false, false, 0, 0},
        {"", false, false, 0, 0},
        {"-", false, false, 0, 0},
        {"--1", false, false, 0, 0},
        {"+1", false, false, 0, 0},
        {" 1", false, false, 0, 0},
        {"1 ", false, false, 0, 0},
        {"1.0", false, false, 0, 0},
        {"1e3", false, false, 0, 0},
        {"/", false, false, 0, 0}, /* the characters beside the digits */
        {":", false, false, 0, 0},
        {"\xB1", false, false, 0, 0},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        uint64_t u64 = 77;
        int64_t i64 = 77;
        bool is_u64 = pncp_view_u64(pncp_view_of(cases[i].text), &u64);
        bool is_i64 = pncp_view_i64(pncp_view_of(cases[i].text), &i64);
        if (is_u64 != cases[i].is_u64 || is_i64 != cases[i].is_i64 || u64 != (is_u64 ? cases[i].u64 : 77) ||
            i64 != (is_i64 ? cases[i].i64 : 77))
            fail_msg("\"%s\": %d %" PRIu64 ", %d %" PRId64, cases[i].text, is_u64, u64, is_i64, i64);
    }
    uint64_t value;
    assert_false(pncp_view_u64((struct pncp_view){"1\0", 2}, &value));
}

/* RFC 3629 the long way: what a decoder of code points accepts. */
static bool decodes(const unsigned char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        unsigned lead = text[i];
        size_t bytes = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
        if (bytes == 0 || bytes > len - i)
            return false;
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        uint32_t point = bytes == 1 ? lead : lead & (0x7FU >> bytes);
        for (size_t k = 1; k < bytes; k++) {
            if (text[i + k] >> 6 != 2)
                return false;
            point = point << 6 | (text[i + k] & 0x3FU);
        }
        if (point < least[bytes] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
            return false;
        i += bytes;
    }
    return true;
}

static void compare(const unsigned char *text, size_t len)
{
    if (pncp_view_is_utf8((struct pncp_view){(const char *)text, len}) != decodes(text, len))
        fail_msg("%zu bytes: %02x %02x %02x %02x", len, text[0], text[1], text[2], text[3]);
}

static void test_dotted_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool dotted;
        const char *parts; /* each with a blank behind it */
    } cases[] = {
        {"a.b", true, "a b "},     {"orgaoEntidade.cnpj", true, "orgaoEntidade cnpj "},
        {"a.b.c", true, "a b c "}, {"1.2.3.4.5.6.7.8.9", true, "1 2 3 4 5 6 7 8 9 "},
        {"a", false, "a "},        {"1.2.3.4.5.6.7.8.9.0", false, "1 2 3 4 5 6 7 8 9 0 "},
        {".a", false, " a "},      {"a.", false, "a "},
        {"a..b", false, "a  b "},  {".", false, " "},
        {"", false, ""},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        struct pncp_view rest = pncp_view_of(cases[i].name);
        char parts[64] = "";
        if (pncp_view_is_dotted(rest) != cases[i].dotted)
            fail_msg("\"%s\" %s dotted", cases[i].name, cases[i].dotted ? "is not" : "is");
        while (rest.len > 0) {
            struct pncp_view part = pncp_view_cut_dot(&rest);
            (void)snprintf(parts + strlen(parts), sizeof(parts) - strlen(parts), PNCP_VIEW_FMT " ",
                           PNCP_VIEW_ARG(part));
        }
        assert_string_equal(parts, cases[i].parts);
    }
}

static void test_utf8_every_sequence(void **state)
{
    (void)state;
    unsigned char text[5] = {0};
    for (unsigned bytes = 0; bytes < 1U << 24; bytes++) {
        text[0] = (unsigned char)(bytes >> 16);
        text[1] = (unsigned char)(bytes >> 8);
        text[2] = (unsigned char)bytes;
        if (text[0] < 0x80 && text[1] < 0x80 && text[2] != 0) /* nothing new behind two plain letters */
            continue;
        compare(text, 3);
        if (text[0] >= 0xF0) { /* and four bytes, at the edges of the last one */
            static const unsigned char fourth[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
            for (size_t i = 0; i < PNCP_ARRAY_LEN(fourth); i++) {
                text[3] = fourth[i];
                compare(text, 4);
            }
            text[3] = 0;
        }
    }
}

static void test_utf8_texts(void **state)
{
    (void)state;
    assert_true(pncp_view_is_utf8((struct pncp_view){NULL, 0}));
    assert_true(pncp_view_is_utf8(pncp_view_of("Pregão - Eletrônico \xC2\xA0 \xEF\xBF\xBE\xEF\xBF\xBF 😀")));
    assert_true(pncp_view_is_utf8((struct pncp_view){"a\0b", 3}));
    assert_false(pncp_view_is_utf8(pncp_view_of("Preg\xE3o"))); /* Latin-1 */
    assert_false(pncp_view_is_utf8(pncp_view_of("Preg\xC3")));
    assert_int_equal(pncp_view_utf8_len(pncp_view_of("ção \xE3 ção")), 6);
    assert_int_equal(pncp_view_utf8_len(pncp_view_of("çã\xC3")), 4);
    assert_int_equal(pncp_view_utf8_len(pncp_view_of("\xE3")), 0);
    assert_int_equal(pncp_view_utf8_len(pncp_view_of("ção")), 5);
}

static void test_utf8_end_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"abc", "abc"},
        {"ção", "ção"},
        {"çã", "çã"},
        {"\xC3", ""},
        {"a\xC3", "a"},
        {"ab\xE2\x82", "ab"},
        {"ab\xE2", "ab"},
        {"ab€", "ab€"},
        {"a\xF0\x9F\x98", "a"},
        {"\xF0\x9F", ""},
        {"\xF0", ""},
        {"a😀", "a😀"},
        {"Preg\xE3o", "Preg\xE3o"},               /* Latin-1, not at the end */
        {"\x80\x80\x80\x80", "\x80\x80\x80\x80"}, /* no beginning of anything */
        {"\x80", "\x80"},
        {"a\xC1", "a\xC1"}, /* begins no sequence */
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%s", cases[i].text);
        pncp_utf8_end_whole(text);
        assert_string_equal(text, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparison),          cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_utf8_every_sequence), cmocka_unit_test(test_utf8_texts),
        cmocka_unit_test(test_utf8_end_whole),      cmocka_unit_test(test_dotted_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
