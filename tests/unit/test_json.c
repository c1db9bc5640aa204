/* Strict reading (RFC 8259, no key twice, a depth cap, numbers as text) and the writer. */
#include "base/mem.h"
#include "json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static enum pncp_json_fault fault_of(struct pncp_view text)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    enum pncp_json_fault fault = PNCP_JSON_OK;
    struct pncp_err err = PNCP_ERR_INIT;
    enum pncp_code rc = pncp_json_parse(text, &json, &fault, &err);
    assert_int_equal(rc == PNCP_OK, fault == PNCP_JSON_OK);
    assert_int_equal(rc == PNCP_OK, json.root != NULL);
    assert_int_equal(rc == PNCP_OK, err.msg[0] == '\0');
    return fault;
}

static void test_what_is_json(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum pncp_json_fault fault;
    } cases[] = {
        {"{}", PNCP_JSON_OK},
        {" [ 1 , \"a\" , null , true ] \n", PNCP_JSON_OK},
        {"10", PNCP_JSON_OK},
        {"[1e999999]", PNCP_JSON_OK}, /* raw: nothing is converted */
        {"[\"\\u00e7\\ud83d\\ude00\"]", PNCP_JSON_OK},
        {"[\"\xEF\xBF\xBE\"]", PNCP_JSON_OK},        /* U+FFFE is valid UTF-8 */
        {"{\"a\":1,\"b\":{\"a\":1}}", PNCP_JSON_OK}, /* one key in two objects */
        {"[01]", PNCP_JSON_BAD},
        {"[1.,22]", PNCP_JSON_BAD},
        {"[.5]", PNCP_JSON_BAD},
        {"[+1]", PNCP_JSON_BAD},
        {"[NaN]", PNCP_JSON_BAD},
        {"[Infinity]", PNCP_JSON_BAD},
        {"[1,]", PNCP_JSON_BAD},
        {"{\"a\":1,}", PNCP_JSON_BAD},
        {"{a:1}", PNCP_JSON_BAD},
        {"['a']", PNCP_JSON_BAD},
        {"// c\n[]", PNCP_JSON_BAD},
        {"[] []", PNCP_JSON_BAD},
        {"[]x", PNCP_JSON_BAD},
        {"\xEF\xBB\xBF[]", PNCP_JSON_BAD}, /* byte order mark */
        {"[\"\xFF\"]", PNCP_JSON_BAD},
        {"[\"\\ud800\"]", PNCP_JSON_BAD},
        {"[\"a\nb\"]", PNCP_JSON_BAD},
        {"Erro na comunica\xC3\xA7\xC3\xA3o com o banco de dados.", PNCP_JSON_BAD},
        {"<html>", PNCP_JSON_BAD},
        {"", PNCP_JSON_TRUNCATED},
        {" \n", PNCP_JSON_TRUNCATED},
        {"{\"a\":1,\"a\":2}", PNCP_JSON_DUPLICATE},
        {"{\"a\":1,\"\\u0061\":2}", PNCP_JSON_DUPLICATE}, /* the same key, escaped */
        {"[{\"x\":{\"y\":[{\"k\":1,\"l\":2,\"k\":3}]}}]", PNCP_JSON_DUPLICATE},
        {"{\"\":1,\"\":2}", PNCP_JSON_DUPLICATE},
        {"{\"ab\":1,\"ba\":2}", PNCP_JSON_OK},
        {"{\"a\\u0000b\":1,\"a\\u0000c\":2,\"a\":3}", PNCP_JSON_OK}, /* a NUL ends no key */
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        enum pncp_json_fault fault = fault_of(pncp_view_of(cases[i].text));
        if (fault != cases[i].fault)
            fail_msg("%s: fault %d, expected %d", cases[i].text, (int)fault, (int)cases[i].fault);
    }
}

/* What Python writes for a missing number; nothing else that is no JSON. */
static void test_nan_is_null(void **state)
{
    (void)state;
    static const struct {
        const char *text, *read; /* NULL: refused */
    } cases[] = {
        {"{\"a\":NaN,\"b\":[1,NaN,{\"c\":NaN}],\"NaN\":\"NaN\",\"d\":100.50}",
         "{\"a\":null,\"b\":[1,null,{\"c\":null}],\"NaN\":\"NaN\",\"d\":100.50}"},
        {"NaN", "null"},
        {"[1e999999,-0.5]", "[1e999999,-0.5]"},
        {"[nan]", NULL},
        {"[-NaN]", NULL},
        {"[Infinity]", NULL},
        {"[1,-Infinity]", NULL},
        {"[inf]", NULL},
        {"[NaNa]", NULL},
        {"[1,]", NULL},
        {"[01]", NULL},
        {"", NULL},
        {"{\"a\":NaN,\"a\":1}", NULL},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_json_release) struct pncp_json json = {0};
        AUTO(pncp_buf_release) struct pncp_buf text = {0};
        struct pncp_json_writer w;
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = pncp_json_parse_nan(pncp_view_of(cases[i].text), &json, &err);
        if (rc != (cases[i].read == NULL ? PNCP_E_PARSE : PNCP_OK) || (rc == PNCP_OK) != (json.root != NULL))
            fail_msg("%s: %s %s", cases[i].text, pncp_code_name(rc), err.msg);
        if (rc != PNCP_OK)
            continue;
        pncp_json_writer_init(&w, &text);
        pncp_json_put_val(&w, json.root);
        assert_int_equal(pncp_json_writer_end(&w), PNCP_OK);
        if (!pncp_view_eq_text(pncp_buf_view(&text), cases[i].read))
            fail_msg("%s: %.*s", cases[i].text, (int)text.len, text.data);
    }
}

/* A body that was cut is told from one that is not JSON, wherever it was cut. */
static void test_every_prefix_is_truncated(void **state)
{
    (void)state;
    static const char text[] = " {\"data\":[{\"srp\":true,\"x\":null,\"n\":-100720.00e+2,\"t\":\"a\\u00e7\xC3\xA7\\n\"}"
                               ",{\"f\":false}],\"empty\":[]}";
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        char *copy = pncp_malloc(len + 1); /* exact, so that a sanitizer sees a read beyond */
        assert_non_null(copy);
        memcpy(copy, text, len);
        enum pncp_json_fault fault = fault_of((struct pncp_view){copy, len});
        pncp_free(copy);
        if (fault != PNCP_JSON_TRUNCATED)
            fail_msg("%zu bytes: fault %d", len, (int)fault);
    }
    assert_int_equal(fault_of(PNCP_VIEW_LIT(text)), PNCP_JSON_OK);
}

/* '[' or {"k": so often, then its end. */
static struct pncp_buf nested(size_t depth, bool objects)
{
    struct pncp_buf text = {0};
    for (size_t i = 0; i < depth; i++)
        assert_int_equal(pncp_buf_text(&text, objects ? "{\"k\":" : "["), PNCP_OK);
    if (objects)
        assert_int_equal(pncp_buf_text(&text, "1"), PNCP_OK);
    for (size_t i = 0; i < depth; i++)
        assert_int_equal(pncp_buf_text(&text, objects ? "}" : "]"), PNCP_OK);
    return text;
}

static void test_depth_has_a_cap(void **state)
{
    (void)state;
    for (int objects = 0; objects < 2; objects++) {
        AUTO(pncp_buf_release) struct pncp_buf fits = nested(PNCP_JSON_DEPTH_MAX, objects);
        AUTO(pncp_buf_release) struct pncp_buf deep = nested(PNCP_JSON_DEPTH_MAX + 1, objects);
        AUTO(pncp_buf_release) struct pncp_buf abyss = nested(200000, objects);
        assert_int_equal(fault_of(pncp_buf_view(&fits)), PNCP_JSON_OK);
        assert_int_equal(fault_of(pncp_buf_view(&deep)), PNCP_JSON_DEEP);
        assert_int_equal(fault_of(pncp_buf_view(&abyss)), PNCP_JSON_DEEP);
    }
}

static struct pncp_buf wide(size_t keys, size_t twice)
{
    struct pncp_buf text = {0};
    for (size_t i = 0; i < keys; i++)
        assert_int_equal(pncp_buf_format(&text, "%s\"key%zu\":%zu", i == 0 ? "{" : ",", i == twice ? 3 : i, i),
                         PNCP_OK);
    assert_int_equal(pncp_buf_text(&text, "}"), PNCP_OK);
    return text;
}

static void test_keys_of_an_object_have_a_cap(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf fits = wide(PNCP_JSON_KEYS_MAX, SIZE_MAX);
    AUTO(pncp_buf_release) struct pncp_buf many = wide(PNCP_JSON_KEYS_MAX + 1, SIZE_MAX);
    assert_int_equal(fault_of(pncp_buf_view(&fits)), PNCP_JSON_OK);
    assert_int_equal(fault_of(pncp_buf_view(&many)), PNCP_JSON_MANY_KEYS);
    for (size_t twice = 4; twice < PNCP_JSON_KEYS_MAX; twice += 37) { /* a duplicate is found wherever it stands */
        AUTO(pncp_buf_release) struct pncp_buf text = wide(PNCP_JSON_KEYS_MAX, twice);
        assert_int_equal(fault_of(pncp_buf_view(&text)), PNCP_JSON_DUPLICATE);
    }
}

static void test_message_has_the_offset(void **state)
{
    (void)state;
    struct pncp_json json = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_json_parse(PNCP_VIEW_LIT("[1, x]"), &json, NULL, &err), PNCP_E_PARSE);
    assert_non_null(strstr(err.msg, "at byte 4"));
}

static void test_numbers_keep_their_text(void **state)
{
    (void)state;
    AUTO(pncp_json_release) struct pncp_json json = {0};
    assert_int_equal(
        pncp_json_parse(PNCP_VIEW_LIT("{\"v\":100720.00,\"i\":9223372036854775807,\"big\":9223372036854775808,"
                                      "\"f\":1.0,\"s\":\"7\",\"n\":-5}"),
                        &json, NULL, NULL),
        PNCP_OK);
    assert_true(pncp_view_eq_text(pncp_json_raw(pncp_json_get(json.root, "v")), "100720.00"));
    assert_int_equal(pncp_json_raw(pncp_json_get(json.root, "s")).len, 0);
    assert_true(pncp_view_eq_text(pncp_json_text(pncp_json_get(json.root, "s")), "7"));
    assert_int_equal(pncp_json_text(pncp_json_get(json.root, "v")).len, 0);
    int64_t value = 0;
    assert_true(pncp_json_int(pncp_json_get(json.root, "i"), &value) && value == INT64_MAX);
    assert_true(pncp_json_int(pncp_json_get(json.root, "n"), &value) && value == -5);
    assert_false(pncp_json_int(pncp_json_get(json.root, "big"), &value));
    assert_false(pncp_json_int(pncp_json_get(json.root, "f"), &value));
    assert_false(pncp_json_int(pncp_json_get(json.root, "s"), &value));
    assert_false(pncp_json_int(pncp_json_get(json.root, "lacking"), &value));
    assert_null(pncp_json_get(json.root, "lacking"));
    assert_null(pncp_json_get(pncp_json_get(json.root, "v"), "v")); /* not an object */
    assert_null(pncp_json_get(NULL, "v"));
}

static void write_example(struct pncp_json_writer *w, yyjson_val *val)
{
    pncp_json_object_begin(w);
    pncp_json_field_int(w, "v", 1);
    pncp_json_field_text(w, "q\"k", PNCP_VIEW_LIT("a\"b\\c\n\r\t\x01/\xC3\xA7\0z"));
    pncp_json_field_bool(w, "yes", true);
    pncp_json_field_bool(w, "no", false);
    pncp_json_key(w, "list");
    pncp_json_array_begin(w);
    pncp_json_array_begin(w);
    pncp_json_array_end(w);
    pncp_json_put_int(w, INT64_MIN);
    pncp_json_object_begin(w);
    pncp_json_object_end(w);
    pncp_json_put_null(w);
    pncp_json_put_fixed(w, 61.4, 1);
    pncp_json_put_raw(w, PNCP_VIEW_LIT("{\"raw\":0}"));
    pncp_json_put_val(w, val);
    pncp_json_array_end(w);
    pncp_json_key_view(w, (struct pncp_view){"a\0b", 3});
    pncp_json_put_text(w, PNCP_VIEW_LIT("\xC3"));
    pncp_json_object_end(w);
}

static void test_writer_to_the_letter(void **state)
{
    (void)state;
    AUTO(pncp_json_release) struct pncp_json json = {0};
    AUTO(pncp_buf_release) struct pncp_buf out = {0};
    struct pncp_json_writer w;
    assert_int_equal(pncp_json_parse(PNCP_VIEW_LIT("{ \"n\" : [ 100720.00 , 1e5 ] }"), &json, NULL, NULL), PNCP_OK);
    pncp_json_writer_init(&w, &out);
    write_example(&w, json.root);
    assert_int_equal(pncp_json_writer_end(&w), PNCP_OK);
    assert_true(pncp_view_eq_text(
        pncp_buf_view(&out),
        "{\"v\":1,\"q\\\"k\":\"a\\\"b\\\\c\\n\\r\\t\\u0001/\xC3\xA7\\u0000z\",\"yes\":true,\"no\":false,"
        "\"list\":[[],-9223372036854775808,{},null,61.4,{\"raw\":0},{\"n\":[100720.00,1e5]}],"
        "\"a\\u0000b\":\"\xEF\xBF\xBD\"}"));
    assert_int_equal(fault_of(pncp_buf_view(&out)), PNCP_JSON_OK);
}

/* At whatever byte the buffer is full, the first failure is what the end reports, and nothing is written beyond. */
static void test_writer_failure_sticks(void **state)
{
    (void)state;
    AUTO(pncp_json_release) struct pncp_json json = {0};
    assert_int_equal(pncp_json_parse(PNCP_VIEW_LIT("[1]"), &json, NULL, NULL), PNCP_OK);
    size_t max = 1;
    for (;; max++) {
        AUTO(pncp_buf_release) struct pncp_buf out = PNCP_BUF_INIT(max);
        struct pncp_json_writer w;
        pncp_json_writer_init(&w, &out);
        write_example(&w, json.root);
        enum pncp_code rc = pncp_json_writer_end(&w);
        assert_true(out.len <= max);
        if (rc == PNCP_OK)
            break;
        assert_int_equal(rc, PNCP_E_LIMIT);
    }
    assert_true(max > 100);
}

/* One document after the other in the same memory; a text that might not fit has memory of its own. */
static void test_a_room_holds_what_fits(void **state)
{
    (void)state;
    struct pncp_json_room room;
    assert_int_equal(pncp_json_room_init(&room), PNCP_OK);
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    assert_int_equal(pncp_buf_text(&text, "[\"a\""), PNCP_OK);
    for (int rounds = 0; rounds < 20; rounds++) {
        AUTO(pncp_json_release) struct pncp_json json = {0};
        size_t len = text.len;
        assert_int_equal(pncp_buf_text(&text, "]"), PNCP_OK);
        bool fits = pncp_json_room_fits(&room, text.len);
        assert_int_equal(fits, text.len < (size_t)39 * 1024);
        assert_int_equal(pncp_json_parse_in(&room, pncp_buf_view(&text), &json, NULL, NULL), PNCP_OK);
        const char *at = (const char *)json.root;
        assert_int_equal(at >= room.block && at < room.block + PNCP_JSON_ROOM_BYTES, fits);
        assert_int_equal(yyjson_arr_size(json.root), len / 4);
        assert_true(pncp_view_eq_text(pncp_json_text(yyjson_arr_get_last(json.root)), "a"));
        text.len = len;
        while (text.len < len * 2) /* as much again */
            assert_int_equal(pncp_buf_text(&text, ",\"a\""), PNCP_OK);
    }
    pncp_json_room_release(&room);
}

static struct pncp_buf array_of(size_t values)
{
    struct pncp_buf text = {0};
    assert_int_equal(pncp_buf_text(&text, "[0"), PNCP_OK);
    for (size_t i = 1; i < values; i++)
        assert_int_equal(pncp_buf_text(&text, ",1"), PNCP_OK);
    assert_int_equal(pncp_buf_text(&text, "]"), PNCP_OK);
    return text;
}

static bool lies_in(const struct pncp_json_room *room, const struct pncp_json *json)
{
    const char *at = (const char *)json->root;
    return at >= room->block && at < room->block + PNCP_JSON_ROOM_BYTES;
}

/* Only the values are in the room then, as many as fit; a second document at once has memory of its own. */
static void test_values_go_beyond_a_room(void **state)
{
    (void)state;
    struct pncp_json_room room;
    const size_t room_values = PNCP_JSON_ROOM_BYTES / sizeof(yyjson_val);
    assert_int_equal(pncp_json_room_init(&room), PNCP_OK);
    for (size_t values = 10; values < 3 * room_values; values *= 2) {
        AUTO(pncp_buf_release) struct pncp_buf text = array_of(values), other_text = array_of(values);
        AUTO(pncp_json_release) struct pncp_json json = {0}, other = {0};
        assert_int_equal(pncp_json_parse_in_place(&room, &text, &json, NULL, NULL), PNCP_OK);
        assert_true(values > room_values / 2 || lies_in(&room, &json));
        assert_true(values < room_values || !lies_in(&room, &json));
        assert_int_equal(pncp_json_parse_in_place(&room, &other_text, &other, NULL, NULL), PNCP_OK);
        assert_true(!lies_in(&room, &json) || !lies_in(&room, &other));
        assert_int_equal(yyjson_arr_size(json.root), values);
        assert_true(pncp_view_eq_text(pncp_json_raw(yyjson_arr_get_last(json.root)), "1"));
        assert_true(yyjson_equals(other.root, json.root));
    }
    assert_false(room.taken);
    pncp_json_room_release(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nan_is_null),
        cmocka_unit_test(test_what_is_json),
        cmocka_unit_test(test_every_prefix_is_truncated),
        cmocka_unit_test(test_depth_has_a_cap),
        cmocka_unit_test(test_keys_of_an_object_have_a_cap),
        cmocka_unit_test(test_message_has_the_offset),
        cmocka_unit_test(test_numbers_keep_their_text),
        cmocka_unit_test(test_writer_to_the_letter),
        cmocka_unit_test(test_writer_failure_sticks),
        cmocka_unit_test(test_a_room_holds_what_fits),
        cmocka_unit_test(test_values_go_beyond_a_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
