/*
 * Strict JSON, its numbers and its writer.
 * Input: any text.
 * True: what is accepted is no deeper than the cap and has no key twice; written and read again it stays the same,
 * number text included; numbers are exactly what another computation says, or refused. Any bytes written as a string
 * are read back, what is no UTF-8 as U+FFFD.
 */
#include "fuzz.h"
#include "reference.h"
#include "json/json.h"

static struct pncp_buf written(yyjson_val *val)
{
    struct pncp_buf text = {0};
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &text);
    pncp_json_put_val(&w, val);
    FUZZ_CHECK(pncp_json_writer_end(&w) == PNCP_OK);
    return text;
}

static void check_number(struct pncp_view text)
{
    static const int scales[] = {0, 4};
    int64_t value, expected;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(scales); i++) {
        bool fits = pncp_decimal_parse(text, scales[i], &value);
        FUZZ_CHECK(fits == reference_decimal(text, scales[i], &expected));
        FUZZ_CHECK(!fits || value == expected);
    }
}

static size_t check_value(yyjson_val *val);

static size_t check_members(yyjson_val *object)
{
    size_t depth = 0, position = 0;
    yyjson_obj_iter iter, others;
    yyjson_obj_iter_init(object, &iter);
    FUZZ_CHECK(yyjson_obj_size(object) <= PNCP_JSON_KEYS_MAX);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL; position++) {
        struct pncp_view name = pncp_json_text(key);
        FUZZ_CHECK(pncp_view_is_utf8(name));
        yyjson_obj_iter_init(object, &others);
        for (size_t i = 0; i < position; i++)
            FUZZ_CHECK(!pncp_view_eq(pncp_json_text(yyjson_obj_iter_next(&others)), name));
        size_t below = check_value(yyjson_obj_iter_get_val(key));
        depth = PNCP_MAX(depth, below);
    }
    return depth;
}

/* Gives the depth of containers below and including `val`. */
static size_t check_value(yyjson_val *val)
{
    size_t depth = 0;
    if (yyjson_is_obj(val))
        return 1 + check_members(val);
    if (yyjson_is_arr(val)) {
        yyjson_arr_iter iter;
        yyjson_arr_iter_init(val, &iter);
        for (yyjson_val *element; (element = yyjson_arr_iter_next(&iter)) != NULL;) {
            size_t below = check_value(element);
            depth = PNCP_MAX(depth, below);
        }
        return 1 + depth;
    }
    FUZZ_CHECK(!yyjson_is_num(val)); /* numbers stay text */
    if (yyjson_is_raw(val))
        check_number(pncp_json_raw(val));
    else
        FUZZ_CHECK(!yyjson_is_str(val) || pncp_view_is_utf8(pncp_json_text(val)));
    return 0;
}

static void check_again(yyjson_val *root)
{
    AUTO(pncp_buf_release) struct pncp_buf once = written(root), twice = {0};
    AUTO(pncp_json_release) struct pncp_json json = {0};
    FUZZ_CHECK(pncp_json_parse(pncp_buf_view(&once), &json, NULL, NULL) == PNCP_OK);
    twice = written(json.root);
    FUZZ_CHECK(pncp_view_eq(pncp_buf_view(&once), pncp_buf_view(&twice)));
    FUZZ_CHECK(yyjson_get_tag(root) == yyjson_get_tag(json.root));
}

static void check_parse(struct pncp_view text)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    enum pncp_json_fault fault;
    enum pncp_code rc = pncp_json_parse(text, &json, &fault, &err);
    FUZZ_CHECK((rc == PNCP_OK) == (fault == PNCP_JSON_OK));
    if (rc != PNCP_OK) {
        FUZZ_CHECK(rc == PNCP_E_PARSE && json.doc == NULL && fuzz_is_message(err.msg, sizeof(err.msg)));
        return;
    }
    FUZZ_CHECK(check_value(json.root) <= PNCP_JSON_DEPTH_MAX);
    check_again(json.root);
}

/* Sequences that are no UTF-8 become U+FFFD, a byte at a time. */
static void replace_bad(struct pncp_view text, struct pncp_buf *ret_text)
{
    while (text.len > 0) {
        size_t good = pncp_view_utf8_len(text), bad = good < text.len;
        FUZZ_CHECK(pncp_buf_append(ret_text, text.data, good) == PNCP_OK);
        FUZZ_CHECK(!bad || pncp_buf_text(ret_text, "\xEF\xBF\xBD") == PNCP_OK);
        text = (struct pncp_view){text.data + good + bad, text.len - good - bad};
    }
}

static void check_writer(struct pncp_view text)
{
    AUTO(pncp_buf_release) struct pncp_buf object = {0}, expected = {0};
    AUTO(pncp_json_release) struct pncp_json json = {0};
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, &object);
    pncp_json_object_begin(&w);
    pncp_json_key_view(&w, text);
    pncp_json_put_text(&w, text);
    pncp_json_object_end(&w);
    FUZZ_CHECK(pncp_json_writer_end(&w) == PNCP_OK);
    FUZZ_CHECK(pncp_json_parse(pncp_buf_view(&object), &json, NULL, NULL) == PNCP_OK);
    replace_bad(text, &expected);
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(json.root, &iter);
    yyjson_val *key = yyjson_obj_iter_next(&iter);
    FUZZ_CHECK(key != NULL && pncp_view_eq(pncp_json_text(key), pncp_buf_view(&expected)));
    FUZZ_CHECK(pncp_view_eq(pncp_json_text(yyjson_obj_iter_get_val(key)), pncp_buf_view(&expected)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    struct pncp_view text = fuzz_rest(&in);
    int64_t value;
    check_parse(text);
    check_writer(text);
    FUZZ_CHECK(!pncp_decimal_parse(text, 4, &value) || text.len > 0); /* perhaps no JSON number */
    return 0;
}
