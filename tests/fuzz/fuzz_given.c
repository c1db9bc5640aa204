/*
 * A row of --input as others keep it.
 * Input: the text of one row.
 * True: a row that can be read has the same key, day and fields in its normal form, which is sound JSON and its own
 * normal form, unless something else stands in the CNPJ's place; a member that is neither of the key nor has a flat
 * name is in it unchanged. Another row is refused with a message.
 */
#include "fuzz.h"
#include "pncp/given.h"
#include "record.h"

static bool is_of_the_key(struct pncp_view name)
{
    static const char *const names[] = {"cnpj",          "ano",       "sequencial",      "orgaoEntidade_cnpj",
                                        "orgaoEntidade", "anoCompra", "sequencialCompra"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(names); i++) {
        if (pncp_view_eq_text(name, names[i]))
            return true;
    }
    return false;
}

static struct pncp_view text_of(yyjson_val *val, struct pncp_buf *text)
{
    struct pncp_json_writer w;
    pncp_json_writer_init(&w, text);
    pncp_json_put_val(&w, val);
    FUZZ_CHECK(pncp_json_writer_end(&w) == PNCP_OK);
    return pncp_buf_view(text);
}

/* Does a flat name of the row go into the object `name`? */
static bool is_flattened(yyjson_val *row, struct pncp_view name)
{
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(row, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        struct pncp_view rest = pncp_json_text(key);
        if (pncp_view_is_dotted(rest) && pncp_view_eq(pncp_view_cut_dot(&rest), name))
            return true;
    }
    return false;
}

static void check_members(yyjson_val *row, yyjson_val *normal)
{
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(row, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        struct pncp_view name = pncp_json_text(key);
        if (is_of_the_key(name) || pncp_view_is_dotted(name) || is_flattened(row, name))
            continue;
        yyjson_val *there = yyjson_obj_getn(normal, name.data, name.len);
        FUZZ_CHECK(there != NULL && record_same_json(yyjson_obj_iter_get_val(key), there));
    }
}

/* The same members, in any order: flat names that are left over move to the end. */
static bool same_members(yyjson_val *a, yyjson_val *b)
{
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(a, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        struct pncp_view name = pncp_json_text(key);
        yyjson_val *there = yyjson_obj_getn(b, name.data, name.len);
        if (there == NULL || !record_same_json(yyjson_obj_iter_get_val(key), there))
            return false;
    }
    return yyjson_obj_size(a) == yyjson_obj_size(b);
}

static void check_normal(yyjson_val *row, struct pncp_json *normal, const struct pncp_given *given)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    AUTO(pncp_json_release) struct pncp_json again = {0};
    struct pncp_given same;
    enum pncp_json_fault fault;
    check_members(row, normal->root);
    if (!yyjson_is_obj(pncp_json_get(normal->root, "orgaoEntidade"))) /* something else has the CNPJ's place */
        return;
    enum pncp_code rc = pncp_json_parse(text_of(normal->root, &text), &again, &fault, NULL);
    /* objects that flat names make may be the ones too many */
    FUZZ_CHECK(rc == PNCP_OK || fault == PNCP_JSON_DEEP || fault == PNCP_JSON_MANY_KEYS);
    FUZZ_CHECK(pncp_given_read(normal->root, &same, NULL) == PNCP_OK && pncp_key_eq(&same.key, &given->key));
    FUZZ_CHECK(same.has_date == given->has_date && same.has_fields == given->has_fields);
    FUZZ_CHECK(!same.has_date || same.date.days == given->date.days);
    if (rc == PNCP_OK) {
        FUZZ_CHECK(pncp_given_normalise(&again, &same.key, NULL) == PNCP_OK);
        FUZZ_CHECK(same_members(again.root, normal->root));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = fuzz_open(data, size);
    struct pncp_view text = fuzz_rest(&in);
    AUTO(pncp_json_release) struct pncp_json row = {0}, normal = {0};
    struct pncp_given given;
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_json_parse_nan(text, &row, &err) != PNCP_OK || !yyjson_is_obj(row.root))
        return 0;
    if (pncp_given_read(row.root, &given, &err) != PNCP_OK) {
        FUZZ_CHECK(err.code == PNCP_E_PARSE && fuzz_is_message(err.msg, sizeof(err.msg)));
        return 0;
    }
    FUZZ_CHECK(pncp_json_parse_nan(text, &normal, NULL) == PNCP_OK);
    FUZZ_CHECK(pncp_given_normalise(&normal, &given.key, NULL) == PNCP_OK);
    check_normal(row.root, &normal, &given);
    return 0;
}
