#include "lake/s3_xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void xml_is_read_element_by_element(void **state)
{
    (void)state;
    struct pncp_view rest = PNCP_VIEW_LIT("<?xml version=\"1.0\"?><List><Key>a</Key><Keys>x</Keys><Key></Key><Key>b"),
                     text;
    assert_true(pncp_s3_xml_next(&rest, "Key", &text));
    assert_true(pncp_view_eq_text(text, "a"));
    assert_true(pncp_s3_xml_next(&rest, "Key", &text));
    assert_int_equal(text.len, 0);
    assert_false(pncp_s3_xml_next(&rest, "Key", &text)); /* it does not end */
    rest = PNCP_VIEW_LIT("");
    assert_false(pncp_s3_xml_next(&rest, "Key", &text));
}

static void the_first_element_or_nothing(void **state)
{
    (void)state;
    struct pncp_view xml = PNCP_VIEW_LIT("<A><Key>a</Key><Key>b</Key><Empty></Empty></A>");
    assert_true(pncp_view_eq_text(pncp_s3_xml_first(xml, "Key"), "a"));
    assert_true(pncp_view_eq_text(pncp_s3_xml_first(pncp_s3_xml_first(xml, "A"), "Key"), "a"));
    assert_int_equal(pncp_s3_xml_first(xml, "Empty").len, 0);
    assert_int_equal(pncp_s3_xml_first(xml, "None").len, 0);
    assert_int_equal(pncp_s3_xml_first(PNCP_VIEW_LIT(""), "Key").len, 0);
}

static void quotes_come_as_entities(void **state)
{
    (void)state;
    static const char *const written[] = {"<E>\"ab\"</E>", "<E>&quot;ab&quot;</E>", "<E>&#34;ab&#34;</E>",
                                          "<E>&#x22;ab&#x22;</E>"};
    char text[5];
    for (size_t i = 0; i < PNCP_ARRAY_LEN(written); i++) {
        assert_true(pncp_s3_xml_text(pncp_view_of(written[i]), "E", text, sizeof(text)));
        assert_string_equal(text, "\"ab\"");
        assert_false(pncp_s3_xml_text(pncp_view_of(written[i]), "E", text, sizeof(text) - 1)); /* no room for the NUL */
    }
    assert_false(pncp_s3_xml_text(PNCP_VIEW_LIT("<E></E>"), "E", text, sizeof(text)));
    assert_false(pncp_s3_xml_text(PNCP_VIEW_LIT("<E>a"), "E", text, sizeof(text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xml_is_read_element_by_element),
        cmocka_unit_test(the_first_element_or_nothing),
        cmocka_unit_test(quotes_come_as_entities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
