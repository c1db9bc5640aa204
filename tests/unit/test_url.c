/* URLs of the two APIs, to the letter. */
#include "pncp/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_base(void **state)
{
    (void)state;
    static const struct {
        const char *text, *base; /* base NULL: refused */
    } cases[] = {
        {"https://pncp.gov.br/api/consulta", "https://pncp.gov.br/api/consulta"},
        {"https://pncp.gov.br/api/pncp/", "https://pncp.gov.br/api/pncp"},
        {"http://127.0.0.1:8080///", "http://127.0.0.1:8080"},
        {"http://[::1]:8080", "http://[::1]:8080"},
        {"pncp.gov.br/api", NULL},
        {"ftp://pncp.gov.br", NULL},
        {"https://", NULL},
        {"https:///api", NULL},
        {"https://pncp.gov.br/api?x=1", NULL},
        {"https://pncp.gov.br/api#x", NULL},
        {"https://pncp.gov.br/a b", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_buf_release) struct pncp_buf base = {0};
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = pncp_url_base(cases[i].text, &base, &err);
        assert_int_equal(rc, cases[i].base == NULL ? PNCP_E_USAGE : PNCP_OK);
        if (rc != PNCP_OK) {
            assert_true(err.msg[0] != '\0');
            continue;
        }
        assert_string_equal(base.data, cases[i].base);     /* has its NUL, */
        assert_int_equal(base.len, strlen(cases[i].base)); /* which len does not count */
    }
}

static void test_base_of_endless_length_is_refused(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf base = {0};
    char text[PNCP_URL_MAX_BYTES];
    memset(text, 'a', sizeof(text));
    memcpy(text, "http://", 7);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(pncp_url_base(text, &base, NULL), PNCP_E_USAGE);
}

static void test_requests(void **state)
{
    (void)state;
    AUTO(pncp_buf_release) struct pncp_buf url = {0};
    struct pncp_key key;
    struct pncp_date date;
    assert_int_equal(pncp_key_make(PNCP_VIEW_LIT("12ABC34501DE35"), 2026, 8, &key, NULL), PNCP_OK);
    assert_true(pncp_date_parse(PNCP_VIEW_LIT("20260604"), &date));

    assert_int_equal(pncp_url_listing(&url, "http://h/api/consulta", date, 6, 3, 50), PNCP_OK);
    assert_string_equal(url.data,
                        "http://h/api/consulta/v1/contratacoes/publicacao?dataInicial=20260604&dataFinal=20260604"
                        "&codigoModalidadeContratacao=6&pagina=3&tamanhoPagina=50");
    assert_int_equal(pncp_url_part(&url, "http://h/api/pncp", &key, PNCP_PART_ITENS, 2, 500), PNCP_OK);
    assert_string_equal(url.data,
                        "http://h/api/pncp/v1/orgaos/12ABC34501DE35/compras/2026/8/itens?pagina=2&tamanhoPagina=500");
    assert_int_equal(pncp_url_part(&url, "http://h/api/pncp", &key, PNCP_PART_ARQUIVOS, 1, 10), PNCP_OK);
    assert_string_equal(url.data,
                        "http://h/api/pncp/v1/orgaos/12ABC34501DE35/compras/2026/8/arquivos?pagina=1&tamanhoPagina=10");
    assert_int_equal(pncp_url_quantidade(&url, "http://h/api/pncp", &key, PNCP_PART_ARQUIVOS), PNCP_OK);
    assert_string_equal(url.data, "http://h/api/pncp/v1/orgaos/12ABC34501DE35/compras/2026/8/arquivos/quantidade");
    assert_int_equal(pncp_url_compra(&url, "http://h/api/consulta", &key), PNCP_OK);
    assert_string_equal(url.data, "http://h/api/consulta/v1/orgaos/12ABC34501DE35/compras/2026/8");
    assert_int_equal(url.len, strlen(url.data));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_base_of_endless_length_is_refused),
        cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
