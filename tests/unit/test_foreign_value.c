/* Stored Parquet values as JSON: every kind, its edges, and what has no JSON. */
#include "base/random.h"
#include "parquet/foreign_int.h"
#include "json/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STORED(bytes)                                                                                                  \
    {                                                                                                                  \
        (bytes), sizeof(bytes) - 1                                                                                     \
    }

#define T_INT                                                                                                          \
    {                                                                                                                  \
        .kind = PNCP_FOREIGN_INT                                                                                       \
    }
#define T_UINT                                                                                                         \
    {                                                                                                                  \
        .kind = PNCP_FOREIGN_UINT                                                                                      \
    }
#define T_TEXT                                                                                                         \
    {                                                                                                                  \
        .kind = PNCP_FOREIGN_TEXT                                                                                      \
    }
#define T_DATE                                                                                                         \
    {                                                                                                                  \
        .kind = PNCP_FOREIGN_DATE                                                                                      \
    }
#define T_INT96                                                                                                        \
    {                                                                                                                  \
        .kind = PNCP_FOREIGN_INT96                                                                                     \
    }
#define T_DEC_INT(places)                                                                                              \
    {                                                                                                                  \
        .kind = PNCP_FOREIGN_DECIMAL, .physical = CARQUET_PHYSICAL_INT64, .scale = (places)                            \
    }
#define T_DEC(places)                                                                                                  \
    {                                                                                                                  \
        .kind = PNCP_FOREIGN_DECIMAL, .physical = CARQUET_PHYSICAL_BYTE_ARRAY, .scale = (places)                       \
    }
#define T_TIME(ticks)                                                                                                  \
    {                                                                                                                  \
        .kind = PNCP_FOREIGN_TIMESTAMP, .ticks_per_second = (ticks)                                                    \
    }
#define T_INSTANT                                                                                                      \
    {                                                                                                                  \
        .kind = PNCP_FOREIGN_TIMESTAMP, .ticks_per_second = 1000000, .instant = true                                   \
    }

struct value_case {
    const char *name;
    struct pncp_foreign_type type;
    struct pncp_view stored; /* numbers: lowest byte first; decimals in bytes: highest first */
    const char *json;        /* NULL: there is none */
};

static const struct value_case CASES[] = {
    {"true", {.kind = PNCP_FOREIGN_BOOL}, STORED("\1"), "true"},
    {"false", {.kind = PNCP_FOREIGN_BOOL}, STORED("\0"), "false"},
    {"int32", T_INT, STORED("\xFE\xFF\xFF\xFF"), "-2"},
    {"int64 least", T_INT, STORED("\0\0\0\0\0\0\0\x80"), "-9223372036854775808"},
    {"uint32 most", T_UINT, STORED("\xFF\xFF\xFF\xFF"), "4294967295"},
    {"uint64 most", T_UINT, STORED("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "18446744073709551615"},
    {"text", T_TEXT, STORED("pre\xC3\xA7o \"1\"\n"), "\"pre\xC3\xA7o \\\"1\\\"\\n\""},
    {"empty text", T_TEXT, STORED(""), "\"\""},
    {"text of a NUL", T_TEXT, STORED("\0"), "\"\\u0000\""},
    {"latin-1", T_TEXT, STORED("pre\xE7o"), NULL},
    {"half a surrogate pair", T_TEXT, STORED("\xED\xA0\x80"), NULL},
    {"decimal, integer", T_DEC_INT(4), STORED("\0\xA7\x08\x3C\0\0\0\0"), "100720"},
    {"decimal in int32", T_DEC_INT(2), STORED("\x39\x30\0\0"), "123.45"},
    {"decimal, negative", T_DEC_INT(2), STORED("\xC7\xCF\xFF\xFF"), "-123.45"},
    {"decimal below one", T_DEC_INT(4), STORED("\x21\2\0\0"), "0.0545"},
    {"decimal, negative below one", T_DEC_INT(4), STORED("\xFF\xFF\xFF\xFF"), "-0.0001"},
    {"decimal zero", T_DEC_INT(4), STORED("\0\0\0\0"), "0"},
    {"decimal, scale 0", T_DEC_INT(0), STORED("\xE9\7\0\0"), "2025"},
    {"decimal of tens", T_DEC_INT(0), STORED("\xE8\3\0\0"), "1000"},
    {"decimal int64 least", T_DEC_INT(0), STORED("\0\0\0\0\0\0\0\x80"), "-9223372036854775808"},
    {"decimal of one byte", T_DEC(1), STORED("\xFF"), "-0.1"},
    {"decimal of 16 bytes, least", T_DEC(0), STORED("\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
     "-170141183460469231731687303715884105728"},
    {"decimal of 32 bytes, most", T_DEC(76),
     STORED("\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
            "\xFF\xFF\xFF\xFF\xFF\xFF"),
     "5.7896044618658097711785492504343953926634992332820282019728792003956564819967"},
    {"decimal of no bytes", T_DEC(2), STORED(""), NULL},
    {"decimal of 33 bytes", T_DEC(2), STORED("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
     NULL},
    {"first day", T_DATE, STORED("\0\0\0\0"), "\"1970-01-01\""},
    {"a day", T_DATE, STORED("\x9F\x4F\0\0"), "\"2025-10-22\""},
    {"day before", T_DATE, STORED("\xFF\xFF\xFF\xFF"), "\"1969-12-31\""},
    {"0001-01-01", T_DATE, STORED("\xC6\x06\xF5\xFF"), "\"0001-01-01\""},
    {"the day before that", T_DATE, STORED("\xC5\x06\xF5\xFF"), NULL},
    {"9999-12-31", T_DATE, STORED("\xA0\xC0\x2C\0"), "\"9999-12-31\""},
    {"the day after that", T_DATE, STORED("\xA1\xC0\x2C\0"), NULL},
    {"ms", T_TIME(1000), STORED("\x48\xA2\x14\x0B\x9A\x01\0\0"), "\"2025-10-22T08:41:33\""},
    {"ms and a half second", T_TIME(1000), STORED("\x3C\xA4\x14\x0B\x9A\x01\0\0"), "\"2025-10-22T08:41:33.5\""},
    {"us, before 1970", T_TIME(1000000), STORED("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "\"1969-12-31T23:59:59.999999\""},
    {"ns", T_TIME(1000000000), STORED("\1\0\0\0\0\0\0\0"), "\"1970-01-01T00:00:00.000000001\""},
    {"an instant, by the clock of Brasilia", T_INSTANT, STORED("\0\0\0\0\0\0\0\0"), "\"1969-12-31T21:00:00\""},
    {"infinity of DuckDB", T_TIME(1000000), STORED("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"), NULL},
    {"int96", T_INT96, STORED("\0\xCA\x9A\x3B\0\0\0\0\x8C\x3D\x25\0"), "\"1970-01-01T00:00:01\""},
    {"int96, last nanosecond", T_INT96, STORED("\xFF\xFF\x4E\x91\x94\x4E\0\0\x8B\x3D\x25\0"),
     "\"1969-12-31T23:59:59.999999999\""},
    {"int96 beyond its day", T_INT96, STORED("\0\0\x4F\x91\x94\x4E\0\0\x8C\x3D\x25\0"), NULL},
    {"int96 of a year beyond all", T_INT96, STORED("\0\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF"), NULL},
};

static const char *put(const struct pncp_foreign_type *type, struct pncp_view stored, struct pncp_buf *text,
                       bool *ret_null)
{
    struct pncp_json_writer w;
    pncp_buf_clear(text);
    pncp_json_writer_init(&w, text);
    const char *why = pncp_foreign_put_value(&w, type, stored, ret_null);
    if (why == NULL)
        assert_int_equal(pncp_json_writer_end(&w), PNCP_OK);
    return why;
}

static void test_every_kind(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(CASES); i++) {
        const struct value_case *c = &CASES[i];
        struct pncp_foreign_type type = c->type;
        if (type.kind == PNCP_FOREIGN_DECIMAL && type.physical == CARQUET_PHYSICAL_INT64 && c->stored.len == 4)
            type.physical = CARQUET_PHYSICAL_INT32;
        bool is_null = true;
        const char *why = put(&type, c->stored, &text, &is_null);
        if ((why == NULL) != (c->json != NULL))
            fail_msg("%s: %s", c->name, why == NULL ? "was written" : why);
        if (c->json != NULL && !pncp_view_eq_text(pncp_buf_view(&text), c->json))
            fail_msg("%s: " PNCP_VIEW_FMT ", not %s", c->name, PNCP_VIEW_ARG(pncp_buf_view(&text)), c->json);
        assert_false(is_null);
    }
}

/* ---- floating point -------------------------------------------------------------------------- */

static const struct pncp_foreign_type DOUBLE = {.kind = PNCP_FOREIGN_DOUBLE}, SINGLE = {.kind = PNCP_FOREIGN_FLOAT};

static const char *put_double(double value, struct pncp_buf *text, bool *ret_null)
{
    return put(&DOUBLE, (struct pncp_view){(const char *)&value, sizeof(value)}, text, ret_null);
}

static const char *put_single(float value, struct pncp_buf *text, bool *ret_null)
{
    return put(&SINGLE, (struct pncp_view){(const char *)&value, sizeof(value)}, text, ret_null);
}

static void test_shortest_numbers(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *json;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {2025, "2025"},
        {100720.55, "100720.55"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {-28.6666, "-28.6666"},
        {1e20, "100000000000000000000"},
        {1e21, "1e21"},
        {1.5e300, "1.5e300"},
        {1e-7, "0.0000001"},
        {1e-8, "1e-8"},
        {1.25e-10, "1.25e-10"},
        {9007199254740992, "9007199254740992"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {123456789.125, "123456789.125"},
    };
    static const struct {
        float value;
        const char *json;
    } singles[] = {{0.1F, "0.1"}, {16777216, "16777216"}, {3.4028235e38F, "3.4028235e38"}, {100720.55F, "100720.55"}};
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    bool is_null;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        assert_null(put_double(cases[i].value, &text, &is_null));
        if (!pncp_view_eq_text(pncp_buf_view(&text), cases[i].json))
            fail_msg("%.17g: " PNCP_VIEW_FMT, cases[i].value, PNCP_VIEW_ARG(pncp_buf_view(&text)));
    }
    for (size_t i = 0; i < PNCP_ARRAY_LEN(singles); i++) {
        assert_null(put_single(singles[i].value, &text, &is_null));
        if (!pncp_view_eq_text(pncp_buf_view(&text), singles[i].json))
            fail_msg("%s: " PNCP_VIEW_FMT, singles[i].json, PNCP_VIEW_ARG(pncp_buf_view(&text)));
    }
}

/* Any bits: the text is JSON and reads back as the same number. */
static void test_numbers_read_back(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = pncp_splitmix(&seed);
        double value;
        float single;
        bool is_null;
        memcpy(&value, &bits, sizeof(value));
        memcpy(&single, &bits, sizeof(single));
        for (int which = 0; which < 2; which++) {
            double number = which == 0 ? value : (double)single;
            if (!isfinite(number))
                continue;
            AUTO(pncp_json_release) struct pncp_json json = {0};
            assert_null(which == 0 ? put_double(value, &text, &is_null) : put_single(single, &text, &is_null));
            assert_int_equal(pncp_json_parse(pncp_buf_view(&text), &json, NULL, NULL), PNCP_OK);
            assert_int_equal(pncp_buf_append(&text, "", 1), PNCP_OK);
            if (which == 0 ? strtod(text.data, NULL) != value : strtof(text.data, NULL) != single)
                fail_msg("%.17g: %s", number, text.data);
        }
    }
}

static void test_not_a_number_is_null(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    bool is_null = false;
    assert_null(put_double(NAN, &text, &is_null));
    assert_true(is_null);
    assert_true(pncp_view_eq_text(pncp_buf_view(&text), "null"));
    is_null = false;
    assert_null(put_single(-NAN, &text, &is_null));
    assert_true(is_null);
    is_null = false; /* nor is it a time */
    assert_null(put(&(struct pncp_foreign_type)T_TIME(1000000000), (struct pncp_view)STORED("\0\0\0\0\0\0\0\x80"),
                    &text, &is_null));
    assert_true(is_null);
    assert_true(pncp_view_eq_text(pncp_buf_view(&text), "null"));
    assert_non_null(put_double(INFINITY, &text, &is_null));
    assert_non_null(put_single(-INFINITY, &text, &is_null));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_shortest_numbers),
        cmocka_unit_test(test_numbers_read_back),
        cmocka_unit_test(test_not_a_number_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
