/* JSON text: commas, escapes, nesting, and what becomes of bytes and numbers that JSON cannot hold. */
#include "base/json_writer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check(struct pncp_json_writer *w, const char *text)
{
    assert_int_equal(pncp_json_writer_end(w), PNCP_OK);
    struct pncp_view view = pncp_buf_view(w->out);
    if (!pncp_view_eq_text(view, text))
        fail_msg(PNCP_VIEW_FMT " instead of %s", PNCP_VIEW_ARG(view), text);
}

static void test_nesting_and_commas(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf out = {0};
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &out);
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "v", 1);
    pncp_json_field_text(&w, "t", PNCP_VIEW_LIT("x"));
    pncp_json_field_bool(&w, "b", false);
    pncp_json_key(&w, "list");
    pncp_json_array_begin(&w);
    pncp_json_array_begin(&w);
    pncp_json_array_end(&w);
    pncp_json_object_begin(&w);
    pncp_json_object_end(&w);
    pncp_json_put_null(&w);
    pncp_json_put_bool(&w, true);
    pncp_json_put_raw(&w, PNCP_VIEW_LIT("100720.00"));
    pncp_json_array_end(&w);
    pncp_json_key_view(&w, PNCP_VIEW_LIT("o\"o"));
    pncp_json_object_begin(&w);
    pncp_json_field_int(&w, "least", INT64_MIN);
    pncp_json_field_int(&w, "most", INT64_MAX);
    pncp_json_object_end(&w);
    pncp_json_object_end(&w);
    check(&w, "{\"v\":1,\"t\":\"x\",\"b\":false,\"list\":[[],{},null,true,100720.00],"
              "\"o\\\"o\":{\"least\":-9223372036854775808,\"most\":9223372036854775807}}");
}

static void test_deepest_nesting(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf out = {0};
    struct pncp_json_writer w;
    char text[127];
    pncp_json_writer_init(&w, &out);
    for (int i = 0; i < 63; i++)
        pncp_json_array_begin(&w);
    for (int i = 0; i < 63; i++)
        pncp_json_array_end(&w);
    memset(text, '[', 63);
    memset(text + 63, ']', 63);
    text[126] = '\0';
    check(&w, text);
}

#define L(text)                                                                                                        \
    {                                                                                                                  \
        (text), sizeof(text) - 1                                                                                       \
    }

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        struct pncp_view text;
        const char *json;
    } cases[] = {
        {L(""), "\"\""},
        {L("plain"), "\"plain\""},
        {L("\"\\/"), "\"\\\"\\\\/\""},
        {L("a\nb\rc\td"), "\"a\\nb\\rc\\td\""},
        {L("\b\f\x01\x1f\x7f"), "\"\\u0008\\u000c\\u0001\\u001f\x7f\""},
        {L("a\0b"), "\"a\\u0000b\""},
        {L("ção 😀 \xC2\xA0\xEF\xBF\xBE"), "\"ção 😀 \xC2\xA0\xEF\xBF\xBE\""}, /* U+00A0, U+FFFE */
        /* bytes that are not UTF-8 become U+FFFD, the rest stays */
        {L("\xFF"), "\"\xEF\xBF\xBD\""},
        {L("lake/S\xE3o Paulo\n"), "\"lake/S\xEF\xBF\xBDo Paulo\\n\""},
        {L("cut within \xC3"), "\"cut within \xEF\xBF\xBD\""},
        {L("\xC3\""), "\"\xEF\xBF\xBD\\\"\""},
        {L("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""}, /* a lone surrogate */
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_buf_release) struct pncp_buf out = {0};
        struct pncp_json_writer w;
        pncp_json_writer_init(&w, &out);
        pncp_json_put_text(&w, cases[i].text);
        check(&w, cases[i].json);
    }
}

static void test_measurements(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf out = {0};
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &out);
    pncp_json_array_begin(&w);
    pncp_json_put_fixed(&w, 61.44, 1);
    pncp_json_put_fixed(&w, -0.04, 1);
    pncp_json_put_fixed(&w, 1e15, 0);
    pncp_json_put_fixed(&w, (double)INFINITY, 1); /* JSON has no such numbers */
    pncp_json_put_fixed(&w, (double)NAN, 1);
    pncp_json_array_end(&w);
    check(&w, "[61.4,-0.0,1000000000000000,null,null]");
}

/* The first failure stays, whatever is written after it. */
static void test_failure_sticks(void **state)
{
    (void)state;
    static const size_t ceilings[] = {1, 5, 9, 14, 20, 30, 36};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(ceilings); i++) {
        AUTO(pncp_buf_release) struct pncp_buf out = PNCP_BUF_INIT(ceilings[i]);
        struct pncp_json_writer w;
        pncp_json_writer_init(&w, &out);
        pncp_json_object_begin(&w);
        pncp_json_field_int(&w, "number", 1234);
        pncp_json_field_text(&w, "text", PNCP_VIEW_LIT("a\x01\n\""));
        pncp_json_key(&w, "x");
        pncp_json_put_fixed(&w, 1.5, 1);
        pncp_json_object_end(&w);
        assert_int_equal(pncp_json_writer_end(&w), PNCP_E_LIMIT);
        assert_true(out.len <= ceilings[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting_and_commas), cmocka_unit_test(test_deepest_nesting), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_measurements),       cmocka_unit_test(test_failure_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
