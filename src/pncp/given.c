#include "pncp/given.h"
#include "model/model.h"
#include "pncp/rows.h"

#include <stdio.h>
#include <string.h>

#define CNPJ_END INT64_C(100000000000000) /* the first number of more than 14 digits */

/* Names that say the key and nothing else: none of them is a field of the API. */
#define FLAT_CNPJ "orgaoEntidade.cnpj"
#define FLAT_CNPJ_UNDERSCORE "orgaoEntidade_cnpj"
static const char *const KEY_NAMES[] = {"cnpj", "ano", "sequencial", FLAT_CNPJ, FLAT_CNPJ_UNDERSCORE};
/* Fields of the API that a row without the contratação's fields may have. */
static const char *const IDENTITY_FIELDS[] = {"numeroControlePNCP", "anoCompra", "sequencialCompra",
                                              "dataPublicacaoPncp", FLAT_CNPJ};

static bool is_one_of(struct pncp_view name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pncp_view_eq_text(name, names[i]))
            return true;
    }
    return false;
}

static bool is_missing(yyjson_val *val)
{
    bool empty = yyjson_is_str(val) && yyjson_get_len(val) == 0;
    return val == NULL || yyjson_is_null(val) || empty || pncp_view_eq_text(pncp_json_text(val), "NaT");
}

/* ---- the key --------------------------------------------------------------------------------- */

struct said { /* of the key, so far */
    char cnpj[PNCP_CNPJ_CHARS + 1];
    bool has_ano, has_sequencial;
    int64_t ano, sequencial;
};

static enum pncp_code wrong(const char *name, const char *what, yyjson_val *val, struct pncp_err *err)
{
    struct pncp_view text = yyjson_is_str(val) ? pncp_json_text(val) : pncp_json_raw(val);
    text.len = PNCP_MIN(text.len, (size_t)48);
    text.len = pncp_view_utf8_len(text); /* no letter is cut in two */
    return pncp_err_set(err, PNCP_E_PARSE, "%s is not %s: \"" PNCP_VIEW_FMT "\"", name, what, PNCP_VIEW_ARG(text));
}

static enum pncp_code say_cnpj(struct said *said, const char *name, const char *cnpj, struct pncp_err *err)
{
    if (said->cnpj[0] != '\0' && strcmp(said->cnpj, cnpj) != 0)
        return pncp_err_set(err, PNCP_E_PARSE, "%s says %s, another field of the row %s", name, cnpj, said->cnpj);
    (void)snprintf(said->cnpj, sizeof(said->cnpj), "%s", cnpj);
    return PNCP_OK;
}

static enum pncp_code say_number(bool *has, int64_t *value, const char *name, int64_t number, struct pncp_err *err)
{
    if (*has && *value != number)
        return pncp_err_set(err, PNCP_E_PARSE, "%s says %" PRId64 ", another field of the row %" PRId64, name, number,
                            *value);
    *has = true;
    *value = number;
    return PNCP_OK;
}

static bool all_digits(struct pncp_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return true;
}

/* The CNPJ that `val` means; false: none. Zeros that a number cannot keep are put back. */
static bool cnpj_of(yyjson_val *val, char ret_cnpj[PNCP_CNPJ_CHARS + 1])
{
    struct pncp_view text = pncp_json_text(val);
    char digits[PNCP_CNPJ_CHARS + 1];
    int64_t number;
    if (yyjson_is_raw(val)) {
        if (!pncp_decimal_parse(pncp_json_raw(val), 0, &number) || number < 0 || number >= CNPJ_END)
            return false;
        (void)snprintf(digits, sizeof(digits), "%" PRId64, number);
        text = pncp_view_of(digits);
    }
    if (text.len == 0 || text.len > PNCP_CNPJ_CHARS || (text.len < PNCP_CNPJ_CHARS && !all_digits(text)))
        return false;
    memset(ret_cnpj, '0', PNCP_CNPJ_CHARS);
    memcpy(ret_cnpj + PNCP_CNPJ_CHARS - text.len, text.data, text.len);
    ret_cnpj[PNCP_CNPJ_CHARS] = '\0';
    return true;
}

static enum pncp_code read_cnpj(yyjson_val *val, const char *name, struct said *said, struct pncp_err *err)
{
    char cnpj[PNCP_CNPJ_CHARS + 1];
    if (is_missing(val))
        return PNCP_OK;
    return cnpj_of(val, cnpj) ? say_cnpj(said, name, cnpj, err) : wrong(name, "14 of [0-9A-Z]", val, err);
}

static enum pncp_code read_number(yyjson_val *row, const char *name, bool *has, int64_t *value, struct pncp_err *err)
{
    yyjson_val *val = pncp_json_get(row, name);
    struct pncp_view text = yyjson_is_str(val) ? pncp_json_text(val) : pncp_json_raw(val);
    int64_t number;
    if (is_missing(val))
        return PNCP_OK;
    if ((yyjson_is_str(val) && !all_digits(text)) || !pncp_decimal_parse(text, 0, &number))
        return wrong(name, "a whole number", val, err);
    return say_number(has, value, name, number, err);
}

static enum pncp_code read_controle(yyjson_val *row, struct said *said, struct pncp_err *err)
{
    static const char name[] = "numeroControlePNCP";
    struct pncp_key key;
    yyjson_val *val = pncp_json_get(row, name);
    if (is_missing(val))
        return PNCP_OK;
    if (!yyjson_is_str(val))
        return wrong(name, "a text", val, err);
    enum pncp_code rc = pncp_key_from_controle(pncp_json_text(val), &key, err);
    if (rc == PNCP_OK)
        rc = say_cnpj(said, name, key.cnpj, err);
    if (rc == PNCP_OK)
        rc = say_number(&said->has_ano, &said->ano, name, key.ano, err);
    return rc == PNCP_OK ? say_number(&said->has_sequencial, &said->sequencial, name, key.sequencial, err) : rc;
}

static enum pncp_code read_key(yyjson_val *row, struct pncp_key *ret_key, struct pncp_err *err)
{
    struct said said = {0};
    enum pncp_code rc = read_cnpj(pncp_json_get(row, "cnpj"), "cnpj", &said, err);
    if (rc == PNCP_OK)
        rc = read_cnpj(pncp_json_get(pncp_json_get(row, "orgaoEntidade"), "cnpj"), FLAT_CNPJ, &said, err);
    if (rc == PNCP_OK)
        rc = read_cnpj(pncp_json_get(row, FLAT_CNPJ), FLAT_CNPJ, &said, err);
    if (rc == PNCP_OK)
        rc = read_cnpj(pncp_json_get(row, FLAT_CNPJ_UNDERSCORE), FLAT_CNPJ_UNDERSCORE, &said, err);
    if (rc == PNCP_OK)
        rc = read_number(row, "ano", &said.has_ano, &said.ano, err);
    if (rc == PNCP_OK)
        rc = read_number(row, "anoCompra", &said.has_ano, &said.ano, err);
    if (rc == PNCP_OK)
        rc = read_number(row, "sequencial", &said.has_sequencial, &said.sequencial, err);
    if (rc == PNCP_OK)
        rc = read_number(row, "sequencialCompra", &said.has_sequencial, &said.sequencial, err);
    if (rc == PNCP_OK)
        rc = read_controle(row, &said, err);
    if (rc != PNCP_OK)
        return rc;
    const char *missing = said.cnpj[0] == '\0'   ? "cnpj or orgaoEntidade.cnpj"
                          : !said.has_ano        ? "ano or anoCompra"
                          : !said.has_sequencial ? "sequencial or sequencialCompra"
                                                 : NULL;
    if (missing != NULL)
        return pncp_err_set(err, PNCP_E_PARSE, "no %s, and no numeroControlePNCP", missing);
    return pncp_key_make(pncp_view_of(said.cnpj), said.ano, said.sequencial, ret_key, err);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static bool is_field(struct pncp_view name)
{
    const struct pncp_schema *schema = pncp_list_schema();
    const struct pncp_node *root = &schema->nodes[0];
    for (size_t i = 0; i < root->child_count; i++) {
        const struct pncp_col *col = schema->nodes[root->first_child + i].col;
        if ((col->flags & PNCP_COL_DERIVED) == 0 && pncp_view_eq_text(name, col->name))
            return true;
    }
    return false;
}

/* Is there a value in it, other than of its own member `but` (NULL: any)? As deep as json/ lets a row be. */
static bool has_value(yyjson_val *val, const char *but)
{
    yyjson_obj_iter iter;
    if (is_missing(val))
        return false;
    if (yyjson_is_arr(val))
        return yyjson_arr_size(val) > 0;
    if (!yyjson_is_obj(val))
        return true;
    yyjson_obj_iter_init(val, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        if ((but == NULL || !pncp_view_eq_text(pncp_json_text(key), but)) &&
            has_value(yyjson_obj_iter_get_val(key), NULL))
            return true;
    }
    return false;
}

/* Does member `name` say anything of the contratação but which one it is? */
static bool is_telling(struct pncp_view name, yyjson_val *val)
{
    struct pncp_view rest = name, field = pncp_view_is_dotted(name) ? pncp_view_cut_dot(&rest) : name;
    if (is_one_of(name, IDENTITY_FIELDS, PNCP_ARRAY_LEN(IDENTITY_FIELDS)) || !is_field(field))
        return false;
    return has_value(val, pncp_view_eq_text(name, "orgaoEntidade") ? "cnpj" : NULL);
}

static bool has_fields(yyjson_val *row)
{
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(row, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        if (is_telling(pncp_json_text(key), yyjson_obj_iter_get_val(key)))
            return true;
    }
    return false;
}

enum pncp_code pncp_given_read(yyjson_val *row, struct pncp_given *ret_given, struct pncp_err *err)
{
    struct pncp_given given = {.has_date = !is_missing(pncp_json_get(row, "dataPublicacaoPncp"))};
    enum pncp_code rc = read_key(row, &given.key, err);
    if (rc != PNCP_OK)
        return rc;
    if (given.has_date && !pncp_rows_day(row, &given.date))
        return pncp_err_set(err, PNCP_E_PARSE, "no valid dataPublicacaoPncp");
    given.has_fields = has_fields(row);
    *ret_given = given;
    return PNCP_OK;
}

/* ---- as the listing sends it ----------------------------------------------------------------- */

struct rewriting {
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    bool failed; /* no memory */
};

static void add(struct rewriting *r, yyjson_mut_val *object, struct pncp_view name, yyjson_mut_val *val)
{
    yyjson_mut_val *key = yyjson_mut_strncpy(r->doc, name.data, name.len);
    r->failed = r->failed || key == NULL || val == NULL || !yyjson_mut_obj_put(object, key, val);
}

/* The object `name` in `object`, made where there is nothing; NULL: something else has the name. */
static yyjson_mut_val *have_object(struct rewriting *r, yyjson_mut_val *object, struct pncp_view name)
{
    yyjson_mut_val *there = yyjson_mut_obj_getn(object, name.data, name.len);
    if (there != NULL && !yyjson_mut_is_null(there))
        return yyjson_mut_is_obj(there) ? there : NULL;
    yyjson_mut_val *made = yyjson_mut_obj(r->doc);
    add(r, object, name, made);
    return r->failed ? NULL : made;
}

static void add_flat(struct rewriting *r, struct pncp_view name, yyjson_val *val)
{
    if (yyjson_is_null(val)) /* all that a table can say of a member that is not there */
        return;
    yyjson_mut_val *object = r->root;
    struct pncp_view rest = name, member = pncp_view_cut_dot(&rest);
    if (is_one_of(member, KEY_NAMES, PNCP_ARRAY_LEN(KEY_NAMES)) ||
        is_one_of(member, IDENTITY_FIELDS, PNCP_ARRAY_LEN(IDENTITY_FIELDS)))
        object = NULL; /* no object may stand where the key or the day is read */
    for (; object != NULL && rest.len > 0; member = pncp_view_cut_dot(&rest))
        object = have_object(r, object, member);
    yyjson_mut_val *there = yyjson_mut_obj_getn(object, member.data, member.len);
    bool fits = object != NULL && (there == NULL || yyjson_mut_is_null(there));
    add(r, fits ? object : r->root, fits ? member : name, yyjson_val_mut_copy(r->doc, val));
}

/* The members of `row`, those with flat names or (`flat` false) the others; names of the key are left out. */
static void add_members(struct rewriting *r, yyjson_val *row, bool flat)
{
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(row, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        struct pncp_view name = pncp_json_text(key);
        yyjson_val *val = yyjson_obj_iter_get_val(key);
        if (pncp_view_is_dotted(name) != flat || is_one_of(name, KEY_NAMES, PNCP_ARRAY_LEN(KEY_NAMES)))
            continue;
        if (flat)
            add_flat(r, name, val);
        else
            add(r, r->root, name, yyjson_val_mut_copy(r->doc, val));
    }
}

static void add_key(struct rewriting *r, const struct pncp_key *key)
{
    char ano[16], sequencial[16];
    (void)snprintf(ano, sizeof(ano), "%d", key->ano);
    (void)snprintf(sequencial, sizeof(sequencial), "%d", key->sequencial);
    yyjson_mut_val *orgao = have_object(r, r->root, PNCP_VIEW_LIT("orgaoEntidade"));
    if (orgao != NULL)
        add(r, orgao, PNCP_VIEW_LIT("cnpj"), yyjson_mut_strcpy(r->doc, key->cnpj));
    /* raw, as the reader gives numbers */
    add(r, r->root, PNCP_VIEW_LIT("anoCompra"), yyjson_mut_rawcpy(r->doc, ano));
    add(r, r->root, PNCP_VIEW_LIT("sequencialCompra"), yyjson_mut_rawcpy(r->doc, sequencial));
}

/* Is it already as the listing sends it? */
static bool is_normal(yyjson_val *row, const struct pncp_key *key)
{
    int64_t ano, sequencial;
    struct pncp_view cnpj = pncp_json_text(pncp_json_get(pncp_json_get(row, "orgaoEntidade"), "cnpj"));
    if (!pncp_view_eq_text(cnpj, key->cnpj) || !pncp_json_int(pncp_json_get(row, "anoCompra"), &ano) ||
        !pncp_json_int(pncp_json_get(row, "sequencialCompra"), &sequencial))
        return false;
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(row, &iter);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter)) != NULL;) {
        struct pncp_view text = pncp_json_text(name);
        if (pncp_view_is_dotted(text) || is_one_of(text, KEY_NAMES, PNCP_ARRAY_LEN(KEY_NAMES)))
            return false;
    }
    return true;
}

enum pncp_code pncp_given_normalise(struct pncp_json *row, const struct pncp_key *key, struct pncp_err *err)
{
    if (is_normal(row->root, key))
        return PNCP_OK;
    struct rewriting r = {.doc = yyjson_mut_doc_new(NULL)};
    r.root = yyjson_mut_obj(r.doc);
    r.failed = r.root == NULL;
    if (!r.failed) {
        add_members(&r, row->root, false);
        add_key(&r, key); /* before the flat names: none of them may take its place */
        add_members(&r, row->root, true);
    }
    yyjson_doc *normal = r.failed ? NULL : yyjson_mut_val_imut_copy(r.root, NULL);
    yyjson_mut_doc_free(r.doc);
    if (normal == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "out of memory");
    pncp_json_release(row);
    *row = (struct pncp_json){.doc = normal, .root = yyjson_doc_get_root(normal)};
    return PNCP_OK;
}
