/* A contratação as others keep it: every way to write its key, what contradicts itself, and the row as the listing
 * would have sent it.
 */
#include "pncp/given.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct pncp_json parse(const char *text)
{
    struct pncp_json json = {0};
    if (pncp_json_parse(pncp_view_of(text), &json, NULL, NULL) != PNCP_OK)
        fail_msg("no JSON: %s", text);
    return json;
}

#define CONTROLE "\"numeroControlePNCP\":\"00394494000136-1-000423/2025\""
#define KEY "00394494000136|2025|423"

static void test_keys(void **state)
{
    (void)state;
    static const struct {
        const char *json, *key, *says; /* key NULL: none; then `says` is in the message */
    } cases[] = {
        {"{\"cnpj\":\"00394494000136\",\"ano\":2025,\"sequencial\":423}", KEY, ""},
        {"{\"orgaoEntidade\":{\"cnpj\":\"00394494000136\"},\"anoCompra\":2025,\"sequencialCompra\":423}", KEY, ""},
        {"{\"orgaoEntidade.cnpj\":\"00394494000136\",\"anoCompra\":2025,\"sequencialCompra\":423}", KEY, ""},
        {"{\"orgaoEntidade_cnpj\":\"00394494000136\",\"anoCompra\":2025,\"sequencialCompra\":423}", KEY, ""},
        {"{\"orgaoEntidade_cnpj\":\"00394494000136\",\"ano\":2025,\"sequencialCompra\":423}", KEY, ""},
        {"{" CONTROLE "}", KEY, ""},
        {"{\"numeroControlePNCP\":\"12ABC34501DE35-1-000008/2026\"}", "12ABC34501DE35|2026|8", ""},
        /* numbers that were widened, a CNPJ without its zeros */
        {"{\"cnpj\":394494000136,\"ano\":2025.0,\"sequencial\":4.23e2}", KEY, ""},
        {"{\"cnpj\":394494000136.0,\"ano\":2025,\"sequencial\":423}", KEY, ""},
        {"{\"cnpj\":\"394494000136\",\"ano\":2025,\"sequencial\":423}", KEY, ""},
        {"{\"cnpj\":99999999999999,\"ano\":1,\"sequencial\":2147483647}", "99999999999999|1|2147483647", ""},
        {"{\"cnpj\":0,\"ano\":2025,\"sequencial\":1}", "00000000000000|2025|1", ""},
        {"{\"cnpj\":\"394494000136\",\"ano\":\"2025\",\"sequencial\":\"000423\"}", KEY, ""},
        /* several that agree, some missing */
        {"{\"cnpj\":394494000136,\"ano\":2025,\"sequencial\":423,\"orgaoEntidade\":{\"cnpj\":\"00394494000136\"},"
         "\"anoCompra\":2025.0,\"sequencialCompra\":423," CONTROLE "}",
         KEY, ""},
        {"{\"cnpj\":null,\"ano\":null,\"sequencial\":\"\"," CONTROLE "}", KEY, ""},
        {"{\"orgaoEntidade\":null,\"ano\":2025," CONTROLE "}", KEY, ""},
        {"{\"orgaoEntidade\":[],\"sequencial\":423," CONTROLE "}", KEY, ""},
        /* several that do not */
        {"{\"cnpj\":\"1\"," CONTROLE "}", NULL,
         "numeroControlePNCP says 00394494000136, another field of the row 000000"},
        {"{\"ano\":2024," CONTROLE "}", NULL, "numeroControlePNCP says 2025, another field of the row 2024"},
        {"{\"sequencialCompra\":1," CONTROLE "}", NULL, "numeroControlePNCP says 423, another"},
        {"{\"cnpj\":\"00394494000136\",\"ano\":2025,\"anoCompra\":2026,\"sequencial\":1}", NULL, "anoCompra says 2026"},
        {"{\"orgaoEntidade.cnpj\":1,\"orgaoEntidade\":{\"cnpj\":2}," CONTROLE "}", NULL, "orgaoEntidade.cnpj says 0"},
        {"{\"orgaoEntidade_cnpj\":1,\"cnpj\":2," CONTROLE "}", NULL, "orgaoEntidade_cnpj says 0"},
        /* wrong */
        {"{\"cnpj\":\"3949449400013X\",\"ano\":2025,\"sequencial\":423}", "3949449400013X|2025|423", ""},
        {"{\"cnpj\":\"394494000136X\",\"ano\":2025,\"sequencial\":423}", NULL,
         "cnpj is not 14 of [0-9A-Z]: \"394494000136X\""},
        {"{\"cnpj\":\"12abc34501de35\",\"ano\":2025,\"sequencial\":423}", NULL, "cnpj is not 14 of [0-9A-Z]"},
        {"{\"cnpj\":\"12ABC3450\\u0000DE35\",\"ano\":2025,\"sequencial\":423}", NULL, "cnpj is not 14 of [0-9A-Z]"},
        {"{\"cnpj\":100000000000000,\"ano\":2025,\"sequencial\":423}", NULL, "cnpj is not 14 of [0-9A-Z]"},
        {"{\"cnpj\":\"1234567890123456789012345678901234567890123456\xC3\xA7\xC3\xA7\"}", NULL, "456\xC3\xA7\""},
        {"{\"cnpj\":\"12345678901234567890123456789012345678901234567\xC3\xA7\xC3\xA7\"}", NULL, "4567\""},
        {"{\"cnpj\":-1,\"ano\":2025,\"sequencial\":423}", NULL, "cnpj is not 14 of [0-9A-Z]"},
        {"{\"cnpj\":1.5,\"ano\":2025,\"sequencial\":423}", NULL, "cnpj is not 14 of [0-9A-Z]: \"1.5\""},
        {"{\"cnpj\":[1],\"ano\":2025,\"sequencial\":423}", NULL, "cnpj is not 14 of [0-9A-Z]: \"\""},
        {"{\"cnpj\":1,\"ano\":2025.5,\"sequencial\":423}", NULL, "ano is not a whole number: \"2025.5\""},
        {"{\"cnpj\":1,\"ano\":\"2025.0\",\"sequencial\":423}", NULL, "ano is not a whole number: \"2025.0\""},
        {"{\"cnpj\":1,\"ano\":true,\"sequencial\":423}", NULL, "ano is not a whole number: \"\""},
        {"{\"cnpj\":1,\"ano\":0,\"sequencial\":423}", NULL, "ano is not 1..9999: 0"},
        {"{\"cnpj\":1,\"ano\":2025,\"sequencial\":0}", NULL, "sequencial is not 1..2147483647: 0"},
        {"{\"cnpj\":1,\"ano\":2025,\"sequencial\":2147483648}", NULL, "sequencial is not 1..2147483647"},
        {"{\"numeroControlePNCP\":8}", NULL, "numeroControlePNCP is not a text"},
        {"{\"numeroControlePNCP\":\"394494000136-1-000423/2025\"}", NULL, "numeroControlePNCP is not cnpj-1-"},
        {"{\"cnpj\":1,\"ano\":2025,\"sequencial\":423,\"numeroControlePNCP\":\"x\"}", NULL,
         "numeroControlePNCP is not"},
        /* not whole */
        {"{}", NULL, "no cnpj or orgaoEntidade.cnpj, and no numeroControlePNCP"},
        {"{\"cnpj\":1,\"sequencial\":423}", NULL, "no ano or anoCompra, and no numeroControlePNCP"},
        {"{\"cnpj\":1,\"ano\":2025,\"sequencialCompra\":null}", NULL, "no sequencial or sequencialCompra, and no "},
        /* a date that is none */
        {"{" CONTROLE ",\"dataPublicacaoPncp\":\"22/10/2025\"}", NULL, "no valid dataPublicacaoPncp"},
        {"{" CONTROLE ",\"dataPublicacaoPncp\":1761122493000}", NULL, "no valid dataPublicacaoPncp"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_json_release) struct pncp_json json = parse(cases[i].json);
        struct pncp_given given;
        struct pncp_err err = PNCP_ERR_INIT;
        char text[PNCP_KEY_TEXT_BYTES] = "";
        enum pncp_code rc = pncp_given_read(json.root, &given, &err);
        if (rc == PNCP_OK)
            pncp_key_format(&given.key, text);
        if (rc != (cases[i].key != NULL ? PNCP_OK : PNCP_E_PARSE) || strstr(err.msg, cases[i].says) == NULL ||
            (rc == PNCP_OK && strcmp(text, cases[i].key) != 0))
            fail_msg("%s: %s %s %s", cases[i].json, pncp_code_name(rc), text, err.msg);
    }
}

static void test_days_and_fields(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        bool has_date, has_fields;
    } cases[] = {
        {"", false, false},
        {",\"dataPublicacaoPncp\":\"2025-10-22T08:41:33\"", true, false},
        {",\"dataPublicacaoPncp\":\"2025-10-22\",\"anoCompra\":2025,\"orgaoEntidade\":{\"cnpj\":394494000136}", true,
         false},
        {",\"dataPublicacaoPncp\":null,\"objetoCompra\":null,\"orgaoEntidade.razaoSocial\":null", false, false},
        {",\"dataPublicacaoPncp\":\"NaT\"", false, false},
        {",\"dataPublicacaoPncp\":\"\",\"orgaoEntidade\":{\"razaoSocial\":null},\"fontesOrcamentarias\":[]", false,
         false},
        {",\"__index_level_0__\":7,\"data_publicacao\":\"2025-10-22\",\"extra\":\"{}\"", false, false},
        {",\"modalidadeId\":6.0", false, true},
        {",\"srp\":false", false, true},
        {",\"orgaoEntidade\":{\"razaoSocial\":\"X\"}", false, true},
        {",\"orgaoEntidade.razaoSocial\":\"X\"", false, true},
        {",\"unidadeOrgao\":{\"ufSigla\":\"SC\"}", false, true},
        {",\"unidadeOrgao\":{\"a\":{\"b\":\"NaT\",\"c\":{}}}", false, false},
        {",\"unidadeOrgao\":{\"a\":{\"b\":\"NaT\",\"cnpj\":\"1\"}}", false, true},
        {",\"fontesOrcamentarias\":[{}]", false, true},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        char text[300];
        (void)snprintf(text, sizeof(text), "{" CONTROLE "%s}", cases[i].members);
        AUTO(pncp_json_release) struct pncp_json json = parse(text);
        struct pncp_given given;
        struct pncp_err err = PNCP_ERR_INIT;
        if (pncp_given_read(json.root, &given, &err) != PNCP_OK || given.has_date != cases[i].has_date ||
            given.has_fields != cases[i].has_fields)
            fail_msg("%s: %s, date %d, fields %d", text, err.msg, given.has_date, given.has_fields);
    }
}

#define ORGAO "\"orgaoEntidade\":{\"cnpj\":\"00394494000136\"}"
#define COMPRA "\"anoCompra\":2025,\"sequencialCompra\":423"

static void test_as_the_listing_sends_it(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        /* nothing to do: order and numbers as they are */
        {"{" COMPRA "," ORGAO ",\"valorTotalEstimado\":100.50,\"a.\":1,\".b\":2}",
         "{" COMPRA "," ORGAO ",\"valorTotalEstimado\":100.50,\"a.\":1,\".b\":2}"},
        {"{\"cnpj\":394494000136,\"ano\":2025,\"sequencial\":423,\"valor\":100.50}",
         "{\"valor\":100.50," ORGAO "," COMPRA "}"},
        {"{" CONTROLE "}", "{" CONTROLE "," ORGAO "," COMPRA "}"},
        {"{\"anoCompra\":2025.0,\"sequencialCompra\":423.0,\"orgaoEntidade\":{\"cnpj\":394494000136,\"poderId\":\"E\"}"
         "}",
         "{" COMPRA ",\"orgaoEntidade\":{\"cnpj\":\"00394494000136\",\"poderId\":\"E\"}}"},
        {"{" COMPRA ",\"orgaoEntidade\":null,\"orgaoEntidade.cnpj\":\"394494000136\",\"orgaoEntidade.poderId\":\"E\"}",
         "{" COMPRA ",\"orgaoEntidade\":{\"cnpj\":\"00394494000136\",\"poderId\":\"E\"}}"},
        {"{" COMPRA "," ORGAO ",\"amparoLegal.codigo\":1.0,\"amparoLegal.nome\":null,\"orgaoSubRogado.cnpj\":null,"
         "\"a.b.c\":[1],\"a.b.d\":2}",
         "{" COMPRA "," ORGAO ",\"amparoLegal\":{\"codigo\":1.0},\"a\":{\"b\":{\"c\":[1],\"d\":2}}}"},
        /* what would hide something else keeps its name */
        {"{" COMPRA "," ORGAO ",\"a\":7,\"a.b\":8,\"c\":{\"d\":1},\"c.d\":2}",
         "{" COMPRA "," ORGAO ",\"a\":7,\"c\":{\"d\":1},\"a.b\":8,\"c.d\":2}"},
        {"{" COMPRA "," ORGAO ",\"orgaoEntidade.cnpj.x\":1}", "{" COMPRA "," ORGAO ",\"orgaoEntidade.cnpj.x\":1}"},
        {"{" CONTROLE ",\"ano.x\":1,\"dataPublicacaoPncp.x\":2}",
         "{" CONTROLE "," ORGAO "," COMPRA ",\"ano.x\":1,\"dataPublicacaoPncp.x\":2}"},
        {"{" CONTROLE ",\"orgaoEntidade\":\"Prefeitura\"}",
         "{" CONTROLE ",\"orgaoEntidade\":\"Prefeitura\"," COMPRA "}"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_json_release) struct pncp_json json = parse(cases[i].from);
        AUTO(pncp_buf_release) struct pncp_buf text = {0};
        struct pncp_given given;
        struct pncp_json_writer w;
        assert_int_equal(pncp_given_read(json.root, &given, NULL), PNCP_OK);
        assert_int_equal(pncp_given_normalise(&json, &given.key, NULL), PNCP_OK);
        pncp_json_writer_init(&w, &text);
        pncp_json_put_val(&w, json.root);
        assert_int_equal(pncp_json_writer_end(&w), PNCP_OK);
        if (!pncp_view_eq_text(pncp_buf_view(&text), cases[i].to))
            fail_msg("%s\n   is %.*s\n  not %s", cases[i].from, (int)text.len, text.data, cases[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_days_and_fields),
        cmocka_unit_test(test_as_the_listing_sends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
