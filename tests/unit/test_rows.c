/* Contratações, itens and arquivos as rows of the real schemas: identity, day, parts whole and none, duplicates,
 * counts.
 */
#include "pncp/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define KEY_FIELDS(cnpj, ano, sequencial)                                                                              \
    "\"orgaoEntidade\":{\"cnpj\":" cnpj "},\"anoCompra\":" ano ",\"sequencialCompra\":" sequencial
#define CONTROLE ",\"numeroControlePNCP\":\"39215827000158-1-000008/2026\""

static struct pncp_json parse(const char *text)
{
    struct pncp_json json = {0};
    assert_int_equal(pncp_json_parse(pncp_view_of(text), &json, NULL, NULL), PNCP_OK);
    return json;
}

/* ---- identity and day ------------------------------------------------------------------------ */

static void test_identity(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *key; /* NULL: none; then `says` begins the message */
        const char *says;
    } cases[] = {
        {"{" KEY_FIELDS("\"83102277000152\"", "2025", "423") "}", "83102277000152|2025|423", NULL},
        {"{" KEY_FIELDS("\"12ABC34501DE35\"", "2026", "1") "}", "12ABC34501DE35|2026|1", NULL},
        {"{" KEY_FIELDS("\"83102277000152\"", "2025", "423") CONTROLE "}", "83102277000152|2025|423", NULL},
        /* one of the three missing or of another kind: the number that has all three */
        {"{\"numeroControlePNCP\":\"39215827000158-1-000008/2026\"}", "39215827000158|2026|8", NULL},
        {"{\"numeroControlePNCP\":\"12ABC34501DE35-1-000008/2026\"}", "12ABC34501DE35|2026|8", NULL},
        {"{" KEY_FIELDS("null", "2025", "423") CONTROLE "}", "39215827000158|2026|8", NULL},
        {"{" KEY_FIELDS("83102277000152", "2025", "423") CONTROLE "}", "39215827000158|2026|8", NULL},
        {"{" KEY_FIELDS("\"83102277000152\"", "\"2025\"", "423") CONTROLE "}", "39215827000158|2026|8", NULL},
        {"{" KEY_FIELDS("\"83102277000152\"", "2025", "4.5") CONTROLE "}", "39215827000158|2026|8", NULL},
        {"{\"orgaoEntidade\":null" CONTROLE "}", "39215827000158|2026|8", NULL},
        {"{\"orgaoEntidade\":[]" CONTROLE "}", "39215827000158|2026|8", NULL},
        /* there, and wrong */
        {"{" KEY_FIELDS("\"8310227700015\"", "2025", "423") CONTROLE "}", NULL, "cnpj"},
        {"{" KEY_FIELDS("\"12abc34501de35\"", "2025", "423") "}", NULL, "cnpj"},
        {"{" KEY_FIELDS("\"83102277000152\"", "0", "423") "}", NULL, "ano"},
        {"{" KEY_FIELDS("\"83102277000152\"", "2025", "0") "}", NULL, "sequencial"},
        {"{\"numeroControlePNCP\":\"39215827000158-2-000008/2026\"}", NULL, ""},
        {"{\"numeroControlePNCP\":8}", NULL, "no orgaoEntidade.cnpj, anoCompra and sequencialCompra, and no "},
        {"{}", NULL, "no orgaoEntidade.cnpj, anoCompra and sequencialCompra, and no "},
        {"[]", NULL, "no orgaoEntidade.cnpj, anoCompra and sequencialCompra, and no "},
        {"null", NULL, "no orgaoEntidade.cnpj, anoCompra and sequencialCompra, and no "},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_json_release) struct pncp_json json = parse(cases[i].json);
        struct pncp_key key;
        struct pncp_err err = PNCP_ERR_INIT;
        char text[PNCP_KEY_TEXT_BYTES];
        enum pncp_code rc = pncp_rows_key(json.root, &key, &err);
        if (rc != (cases[i].key == NULL ? PNCP_E_PARSE : PNCP_OK))
            fail_msg("%s: %s %s", cases[i].json, pncp_code_name(rc), err.msg);
        if (cases[i].key == NULL) {
            assert_int_equal(strncmp(err.msg, cases[i].says, strlen(cases[i].says)), 0);
            continue;
        }
        pncp_key_format(&key, text);
        assert_string_equal(text, cases[i].key);
    }
}

static void test_day(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"\"2025-10-22T00:00:03\"", "20251022"},
        {"\"2025-10-22T23:59:59.999999\"", "20251022"},
        {"\"2025-10-23T02:59:59Z\"", "20251022"}, /* an instant: the day in Brasília */
        {"\"2025-10-23T03:00:00Z\"", "20251023"},
        {"\"2025-10-22\"", "20251022"}, /* only the day */
        {"\"2025-02-29\"", NULL},
        {"\"2025-10-2 \"", NULL},
        {"\"22/10/2025\"", NULL},
        {"\"20251022\"", NULL},
        {"\"2025-10-22 00:00:03\"", NULL},
        {"\"2025-10-22T00:00:03-03:00\"", NULL},
        {"\"20251022T00:00:03\"", NULL},
        {"\"2025-02-29T00:00:03\"", NULL},
        {"\"\"", NULL},
        {"null", NULL},
        {"20251022", NULL},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_buf_release) struct pncp_buf text = {0};
        assert_int_equal(pncp_buf_format(&text, "{\"dataPublicacaoPncp\":%s}%c", cases[i][0], '\0'), PNCP_OK);
        AUTO(pncp_json_release) struct pncp_json json = parse(text.data);
        struct pncp_date date;
        char day[PNCP_DATE_TEXT_BYTES] = "";
        if (pncp_rows_day(json.root, &date))
            pncp_date_format(date, day);
        if (strcmp(day, cases[i][1] == NULL ? "" : cases[i][1]) != 0)
            fail_msg("%s: \"%s\"", cases[i][0], day);
    }
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* A column's slots in words: values, and nulls as n and their level, between bars. */
static void check_cells(const struct pncp_table *table, const char *path, const char *want)
{
    AUTO(pncp_buf_release) struct pncp_buf out = {0};
    int leaf_no = pncp_schema_find(table->schema, path);
    assert_true(leaf_no >= 0);
    const struct pncp_leaf *leaf = &table->leaves[leaf_no];
    for (size_t slot = 0, value = 0; slot < leaf->level_count; slot++) {
        bool present = leaf->max_def == 0 || leaf->def[slot] == leaf->max_def;
        bool starts = slot > 0 && (leaf->max_rep == 0 || leaf->rep[slot] == 0);
        enum pncp_code rc = pncp_buf_text(&out, slot == 0 ? "" : starts ? " / " : "|");
        if (rc == PNCP_OK && !present)
            rc = pncp_buf_format(&out, "n%d", leaf->def[slot]);
        else if (rc == PNCP_OK && leaf->type == PNCP_T_TEXT)
            rc = pncp_buf_append(&out, pncp_leaf_text(leaf, value).data, pncp_leaf_text(leaf, value).len);
        else if (rc == PNCP_OK)
            rc = pncp_buf_format(&out, "%" PRId64, pncp_leaf_int(leaf, value));
        value += present;
        assert_int_equal(rc, PNCP_OK);
    }
    if (!pncp_view_eq_text(pncp_buf_view(&out), want))
        fail_msg("%s is " PNCP_VIEW_FMT " instead of %s", path, PNCP_VIEW_ARG(pncp_buf_view(&out)), want);
}

struct cell {
    const char *path, *want;
};

static void check_all(const struct pncp_table *table, const struct cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_cells(table, cells[i].path, cells[i].want);
}

/* ---- the list -------------------------------------------------------------------------------- */

#define PLAIN                                                                                                          \
    "{" KEY_FIELDS("\"83102277000152\"", "2025", "423") ",\"dataPublicacaoPncp\":\"2025-10-22T08:41:33\","             \
                                                        "\"valorTotalEstimado\":100720.00,\"srp\":true}"
#define ODD                                                                                                            \
    "{\"novo\":{\"a\":1.50},\"sequencialCompra\":7,\"anoCompra\":2025.0,\"numeroControlePNCP\":"                       \
    "\"12ABC34501DE35-1-000007/2025\",\"orgaoEntidade\":{\"esferaId\":\"M\",\"novo\":2},\"srp\":\"sim\","              \
    "\"dataPublicacaoPncp\":\"2025-10-22T23:00:00.25\",\"fontesOrcamentarias\":[{\"codigo\":1,\"z\":true},"            \
    "{\"codigo\":\"2\"}],\"cnpj\":\"outro\",\"itens\":[]}"

static void put(struct pncp_table *list, const char *text)
{
    AUTO(pncp_json_release) struct pncp_json json = parse(text);
    struct pncp_err err = PNCP_ERR_INIT;
    if (pncp_rows_put_contratacao(list, json.root, &err) != PNCP_OK)
        fail_msg("%s", err.msg);
}

static void test_rows_of_the_list(void **state)
{
    (void)state;
    AUTO(pncp_table_release) struct pncp_table list;
    assert_int_equal(pncp_table_init(&list, pncp_list_schema()), PNCP_OK);
    put(&list, PLAIN);
    put(&list, ODD);
    static const struct cell cells[] = {
        {"cnpj", "83102277000152 / 12ABC34501DE35"},
        {"ano", "2025 / 2025"},
        {"sequencial", "423 / 7"},
        {"data_publicacao", "20383 / 20383"},
        {"numeroControlePNCP", "n0 / 12ABC34501DE35-1-000007/2025"},
        {"anoCompra", "2025 / 2025"},
        {"orgaoEntidade.cnpj", "83102277000152 / n1"},
        {"orgaoEntidade.esferaId", "n1 / M"},
        {"unidadeOrgao.ufSigla", "n0 / n0"},
        {"valorTotalEstimado", "1007200000 / n0"},
        {"srp", "1 / n0"},
        {"dataPublicacaoPncp", "1761122493000000 / 1761174000250000"},
        {"fontesOrcamentarias.list.element.codigo", "n0 / 1|n3"},
        {"fontesOrcamentarias.list.element.extra", "n0 / {\"z\":true}|{\"codigo\":\"2\"}"},
        {"valores_fora_do_tipo", "0 / 2"},
        {"extra", "n0 / {\"novo\":{\"a\":1.50},\"cnpj\":\"outro\",\"itens\":[],\"orgaoEntidade\":{\"novo\":2},"
                  "\"srp\":\"sim\"}"},
    };
    check_all(&list, cells, PNCP_ARRAY_LEN(cells));
    assert_int_equal(list.rows, 2);
}

static void test_rows_that_are_none_change_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *json, *msg;
    } cases[] = {
        {"{" KEY_FIELDS("\"83102277000152\"", "2025", "423") "}", "no valid dataPublicacaoPncp"},
        {"{\"dataPublicacaoPncp\":\"2025-10-22T08:41:33\"}",
         "no orgaoEntidade.cnpj, anoCompra and sequencialCompra, and no numeroControlePNCP"},
        {"[]", "no orgaoEntidade.cnpj, anoCompra and sequencialCompra, and no numeroControlePNCP"},
    };
    AUTO(pncp_table_release) struct pncp_table list;
    assert_int_equal(pncp_table_init(&list, pncp_list_schema()), PNCP_OK);
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_json_release) struct pncp_json json = parse(cases[i].json);
        struct pncp_err err = PNCP_ERR_INIT;
        assert_int_equal(pncp_rows_put_contratacao(&list, json.root, &err), PNCP_E_PARSE);
        assert_string_equal(err.msg, cases[i].msg);
        assert_int_equal(list.rows, 0);
        assert_int_equal(pncp_table_bytes(&list), 0);
        assert_false(list.in_row);
    }
}

/* ---- the details ----------------------------------------------------------------------------- */

/* A finished part with these pages. */
static struct pncp_part_fetch part_of(enum pncp_part which, enum pncp_situacao situacao, int64_t quantidade,
                                      const char *const *pages, size_t page_count)
{
    struct pncp_part_fetch part;
    AUTO(pncp_part_scratch_release) struct pncp_part_scratch scratch;
    pncp_part_init(&part, which, PNCP_CONFIRM_AUTO);
    part.state = PNCP_PART_DONE;
    part.situacao = situacao;
    part.quantidade = quantidade;
    assert_int_equal(pncp_part_scratch_init(&scratch), PNCP_OK);
    for (size_t i = 0; i < page_count; i++) {
        AUTO(pncp_json_release) struct pncp_json json = parse(pages[i]);
        int64_t fresh;
        assert_int_equal(pncp_part_rows_add(&part.rows, &scratch, json.root, &fresh), PNCP_OK);
    }
    return part;
}

static enum pncp_code put_details(struct pncp_table *details, const struct pncp_part_fetch *itens,
                                  const struct pncp_part_fetch *arquivos, struct pncp_row_counts *ret_counts,
                                  struct pncp_err *err)
{
    AUTO(pncp_table_release) struct pncp_table list;
    const struct pncp_part_fetch parts[PNCP_PARTS] = {*itens, *arquivos}; /* read only */
    const struct pncp_row_stamp stamp = {
        .obtido_em_us = 1761247800000000, .run_id = PNCP_VIEW_LIT("20251023T060102Z-4f1c9a20"), .checkpoint = 3};
    assert_int_equal(pncp_table_init(&list, pncp_list_schema()), PNCP_OK);
    put(&list, PLAIN);
    put(&list, ODD);
    return pncp_rows_put_details(details, &list, 1, parts, &stamp, ret_counts, err);
}

static void test_duplicates_are_dropped_and_the_first_stays(void **state)
{
    (void)state;
    static const char itens_1[] =
        "[{\"numeroItem\":2,\"descricao\":\"a\",\"novo\":1},{\"numeroItem\":1,\"quantidade\":\"x\"},"
        "{\"descricao\":\"sem id\"},{\"numeroItem\":2,\"descricao\":\"b\",\"quantidade\":\"y\"}]";
    static const char itens_2[] =
        "[{\"numeroItem\":1,\"descricao\":\"c\"},{\"numeroItem\":9,\"catalogo\":{\"id\":1.5}},"
        "{\"descricao\":\"sem id\"}]";
    static const char arquivos_1[] = "[{\"sequencialDocumento\":5,\"titulo\":\"t\",\"statusAtivo\":true},"
                                     "{\"sequencialDocumento\":5},{\"sequencialDocumento\":2,\"statusAtivo\":1}]";
    const char *const itens_pages[] = {itens_1, itens_2}, *const arquivos_pages[] = {arquivos_1};
    AUTO(pncp_part_release)
    struct pncp_part_fetch itens = part_of(PNCP_PART_ITENS, PNCP_SITUACAO_OK, 6, itens_pages, 2);
    AUTO(pncp_part_release)
    struct pncp_part_fetch arquivos = part_of(PNCP_PART_ARQUIVOS, PNCP_SITUACAO_OK, -1, arquivos_pages, 1);
    AUTO(pncp_table_release) struct pncp_table details;
    struct pncp_row_counts counts;
    assert_int_equal(pncp_table_init(&details, pncp_details_schema()), PNCP_OK);
    assert_int_equal(put_details(&details, &itens, &arquivos, &counts, NULL), PNCP_OK);
    static const struct cell cells[] = {
        {"cnpj", "12ABC34501DE35"},
        {"fontesOrcamentarias.list.element.codigo", "1|n3"},
        {"itens.list.element.numeroItem", "2|1|n3|9|n3"},
        {"itens.list.element.descricao", "a|n3|sem id|n3|sem id"},
        {"itens.list.element.quantidade", "n3|n3|n3|n3|n3"},
        {"itens.list.element.catalogo.id", "n3|n3|n3|n4|n3"},
        {"itens.list.element.extra", "{\"novo\":1}|{\"quantidade\":\"x\"}|n3|{\"catalogo\":{\"id\":1.5}}|n3"},
        {"arquivos.list.element.sequencialDocumento", "5|2"},
        {"arquivos.list.element.titulo", "t|n3"},
        {"arquivos.list.element.statusAtivo", "1|n3"},
        {"arquivos.list.element.extra", "n3|{\"statusAtivo\":1}"},
        {"itens_situacao", "ok"},
        {"arquivos_situacao", "ok"},
        {"itens_total", "5"},
        {"arquivos_total", "2"},
        {"itens_quantidade", "6"},
        {"arquivos_quantidade", "n0"},
        {"valores_fora_do_tipo", "5"}, /* two of the contratação, two of itens, one of arquivos; none of a duplicate */
        {"obtido_em", "1761247800000000"},
        {"run_id", "20251023T060102Z-4f1c9a20"},
        {"checkpoint", "3"},
        {"extra", "{\"novo\":{\"a\":1.50},\"cnpj\":\"outro\",\"itens\":[],\"orgaoEntidade\":{\"novo\":2},\"srp\":"
                  "\"sim\"}"},
    };
    check_all(&details, cells, PNCP_ARRAY_LEN(cells));
    assert_int_equal(counts.itens, 5);
    assert_int_equal(counts.arquivos, 2);
    assert_int_equal(counts.misfits, 5);
}

static void test_absent_and_empty_parts(void **state)
{
    (void)state;
    static const struct {
        enum pncp_situacao situacao;
        int64_t quantidade;
        const char *situacao_text, *list, *total, *said;
    } cases[] = {
        {PNCP_SITUACAO_AUSENTE, -1, "ausente", "n0", "n0", "n0"},
        {PNCP_SITUACAO_AUSENTE, 0, "ausente", "n0", "n0", "0"},
        {PNCP_SITUACAO_VAZIO, -1, "vazio", "n1", "0", "n0"},
        {PNCP_SITUACAO_VAZIO, 0, "vazio", "n1", "0", "0"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        for (size_t k = 0; k < PNCP_ARRAY_LEN(cases); k++) {
            AUTO(pncp_part_release)
            struct pncp_part_fetch itens = part_of(PNCP_PART_ITENS, cases[i].situacao, cases[i].quantidade, NULL, 0);
            AUTO(pncp_part_release)
            struct pncp_part_fetch arquivos =
                part_of(PNCP_PART_ARQUIVOS, cases[k].situacao, cases[k].quantidade, NULL, 0);
            AUTO(pncp_table_release) struct pncp_table details;
            struct pncp_row_counts counts = {.itens = 7, .arquivos = 7};
            assert_int_equal(pncp_table_init(&details, pncp_details_schema()), PNCP_OK);
            assert_int_equal(put_details(&details, &itens, &arquivos, &counts, NULL), PNCP_OK);
            const struct cell cells[] = {
                {"itens.list.element.numeroItem", cases[i].list},
                {"itens.list.element.catalogo.id", cases[i].list},
                {"itens.list.element.extra", cases[i].list},
                {"itens_situacao", cases[i].situacao_text},
                {"itens_total", cases[i].total},
                {"itens_quantidade", cases[i].said},
                {"arquivos.list.element.sequencialDocumento", cases[k].list},
                {"arquivos_situacao", cases[k].situacao_text},
                {"arquivos_total", cases[k].total},
                {"arquivos_quantidade", cases[k].said},
                {"valores_fora_do_tipo", "2"},
            };
            check_all(&details, cells, PNCP_ARRAY_LEN(cells));
            assert_int_equal(counts.itens, 0);
            assert_int_equal(counts.arquivos, 0);
        }
    }
}

/* Thousands of itens over many pages, each with a long text: all there, in order. */
static void test_many_itens(void **state)
{
    (void)state;
    enum { PAGES = 10, PER_PAGE = 500, TEXT = 5120 / 8 };
    struct pncp_buf pages[PAGES] = {0};
    for (int64_t id = 0; id < PAGES * PER_PAGE; id++) {
        struct pncp_buf *page = &pages[id / PER_PAGE];
        const char *before = id % PER_PAGE == 0 ? "[" : ",";
        assert_int_equal(
            pncp_buf_format(page, "%s{\"descricao\":\"%0*d\",\"numeroItem\":%" PRId64 "}", before, TEXT, 7, id * 3),
            PNCP_OK);
    }
    for (size_t i = 0; i < PAGES; i++)
        assert_int_equal(pncp_buf_append(&pages[i], "]", 2), PNCP_OK);
    const char *texts[PAGES];
    for (size_t i = 0; i < PAGES; i++)
        texts[i] = pages[i].data;
    AUTO(pncp_part_release)
    struct pncp_part_fetch itens = part_of(PNCP_PART_ITENS, PNCP_SITUACAO_OK, PAGES * PER_PAGE, texts, PAGES);
    AUTO(pncp_part_release)
    struct pncp_part_fetch arquivos = part_of(PNCP_PART_ARQUIVOS, PNCP_SITUACAO_AUSENTE, -1, NULL, 0);
    AUTO(pncp_table_release) struct pncp_table details;
    struct pncp_row_counts counts;
    assert_int_equal(pncp_table_init(&details, pncp_details_schema()), PNCP_OK);
    assert_int_equal(put_details(&details, &itens, &arquivos, &counts, NULL), PNCP_OK);
    assert_int_equal(counts.itens, PAGES * PER_PAGE);
    const struct pncp_leaf *numero = &details.leaves[pncp_details_leaves()->itens_numero];
    assert_int_equal(numero->value_count, PAGES * PER_PAGE);
    for (size_t i = 0; i < numero->value_count; i++) {
        assert_int_equal(pncp_leaf_int(numero, i), 3 * i);
        assert_int_equal(numero->rep[i], i > 0);
    }
    assert_int_equal(pncp_leaf_text(numero + 1, PAGES * PER_PAGE - 1).len, TEXT);
    for (size_t i = 0; i < PAGES; i++)
        pncp_buf_release(&pages[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_day),
        cmocka_unit_test(test_rows_of_the_list),
        cmocka_unit_test(test_rows_that_are_none_change_nothing),
        cmocka_unit_test(test_duplicates_are_dropped_and_the_first_stays),
        cmocka_unit_test(test_absent_and_empty_parts),
        cmocka_unit_test(test_many_itens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
