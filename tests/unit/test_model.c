/* The columns are a contract: names, order, types and levels, to the letter. */
#include "model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct want {
    const char *path;
    enum pncp_type type;
};

#define T PNCP_T_TEXT
#define I PNCP_T_INT32
#define L PNCP_T_INT64
#define D PNCP_T_DEC18_4
#define B PNCP_T_BOOL
#define C PNCP_T_LOCAL_US

/* Leaves that list and details share, in order. */
static const struct want SHARED[] = {
    {"cnpj", T},
    {"ano", I},
    {"sequencial", I},
    {"numeroControlePNCP", T},
    {"data_publicacao", PNCP_T_DATE},
    {"anoCompra", I},
    {"sequencialCompra", I},
    {"numeroCompra", T},
    {"processo", T},
    {"orgaoEntidade.cnpj", T},
    {"orgaoEntidade.razaoSocial", T},
    {"orgaoEntidade.poderId", T},
    {"orgaoEntidade.esferaId", T},
    {"unidadeOrgao.ufNome", T},
    {"unidadeOrgao.codigoUnidade", T},
    {"unidadeOrgao.nomeUnidade", T},
    {"unidadeOrgao.ufSigla", T},
    {"unidadeOrgao.municipioNome", T},
    {"unidadeOrgao.codigoIbge", T},
    {"orgaoSubRogado.cnpj", T},
    {"orgaoSubRogado.razaoSocial", T},
    {"orgaoSubRogado.poderId", T},
    {"orgaoSubRogado.esferaId", T},
    {"unidadeSubRogada.ufNome", T},
    {"unidadeSubRogada.codigoUnidade", T},
    {"unidadeSubRogada.nomeUnidade", T},
    {"unidadeSubRogada.ufSigla", T},
    {"unidadeSubRogada.municipioNome", T},
    {"unidadeSubRogada.codigoIbge", T},
    {"modalidadeId", I},
    {"modalidadeNome", T},
    {"modoDisputaId", I},
    {"modoDisputaNome", T},
    {"tipoInstrumentoConvocatorioCodigo", I},
    {"tipoInstrumentoConvocatorioNome", T},
    {"amparoLegal.codigo", I},
    {"amparoLegal.nome", T},
    {"amparoLegal.descricao", T},
    {"situacaoCompraId", I},
    {"situacaoCompraNome", T},
    {"objetoCompra", T},
    {"informacaoComplementar", T},
    {"srp", B},
    {"dataInclusao", C},
    {"dataPublicacaoPncp", C},
    {"dataAtualizacao", C},
    {"dataAtualizacaoGlobal", C},
    {"dataAberturaProposta", C},
    {"dataEncerramentoProposta", C},
    {"valorTotalEstimado", D},
    {"valorTotalHomologado", D},
    {"justificativaPresencial", T},
    {"linkSistemaOrigem", T},
    {"linkProcessoEletronico", T},
    {"fontesOrcamentarias.list.element.codigo", I},
    {"fontesOrcamentarias.list.element.nome", T},
    {"fontesOrcamentarias.list.element.descricao", T},
    {"fontesOrcamentarias.list.element.dataInclusao", C},
    {"fontesOrcamentarias.list.element.extra", T},
    {"emendaParlamentar", B},
    {"usuarioNome", T},
    {"orcamentoSigilosoCodigo", I},
    {"orcamentoSigilosoDescricao", T},
    {"existeResultado", B},
};

#define E "itens.list.element."
#define A "arquivos.list.element."
static const struct want DETAILS_TAIL[] = {
    {E "numeroItem", L},
    {E "descricao", T},
    {E "materialOuServico", T},
    {E "materialOuServicoNome", T},
    {E "valorUnitarioEstimado", D},
    {E "valorTotal", D},
    {E "quantidade", D},
    {E "unidadeMedida", T},
    {E "orcamentoSigiloso", B},
    {E "itemCategoriaId", I},
    {E "itemCategoriaNome", T},
    {E "patrimonio", T},
    {E "codigoRegistroImobiliario", T},
    {E "criterioJulgamentoId", I},
    {E "criterioJulgamentoNome", T},
    {E "situacaoCompraItem", I},
    {E "situacaoCompraItemNome", T},
    {E "tipoBeneficio", I},
    {E "tipoBeneficioNome", T},
    {E "incentivoProdutivoBasico", B},
    {E "dataInclusao", C},
    {E "dataAtualizacao", C},
    {E "temResultado", B},
    {E "imagem", I},
    {E "aplicabilidadeMargemPreferenciaNormal", B},
    {E "aplicabilidadeMargemPreferenciaAdicional", B},
    {E "percentualMargemPreferenciaNormal", D},
    {E "percentualMargemPreferenciaAdicional", D},
    {E "ncmNbsCodigo", T},
    {E "ncmNbsDescricao", T},
    {E "catalogo.id", L},
    {E "catalogo.nome", T},
    {E "catalogo.descricao", T},
    {E "catalogo.dataInclusao", C},
    {E "catalogo.dataAtualizacao", C},
    {E "catalogo.statusAtivo", B},
    {E "catalogo.url", T},
    {E "categoriaItemCatalogo.id", L},
    {E "categoriaItemCatalogo.nome", T},
    {E "categoriaItemCatalogo.descricao", T},
    {E "categoriaItemCatalogo.dataInclusao", C},
    {E "categoriaItemCatalogo.dataAtualizacao", C},
    {E "categoriaItemCatalogo.statusAtivo", B},
    {E "catalogoCodigoItem", T},
    {E "informacaoComplementar", T},
    {E "tipoMargemPreferencia.codigo", I},
    {E "tipoMargemPreferencia.nome", T},
    {E "exigenciaConteudoNacional", B},
    {E "extra", T},
    {A "uri", T},
    {A "url", T},
    {A "cnpj", T},
    {A "anoCompra", I},
    {A "sequencialCompra", I},
    {A "sequencialDocumento", L},
    {A "titulo", T},
    {A "tipoDocumentoId", I},
    {A "tipoDocumentoNome", T},
    {A "tipoDocumentoDescricao", T},
    {A "dataPublicacaoPncp", C},
    {A "statusAtivo", B},
    {A "extra", T},
    {"itens_situacao", T},
    {"arquivos_situacao", T},
    {"itens_total", I},
    {"arquivos_total", I},
    {"itens_quantidade", L},
    {"arquivos_quantidade", L},
    {"valores_fora_do_tipo", I},
    {"obtido_em", PNCP_T_UTC_US},
    {"run_id", T},
    {"checkpoint", I},
    {"extra", T},
};
static const struct want LIST_TAIL[] = {{"valores_fora_do_tipo", I}, {"extra", T}};

static void check_leaves(const struct pncp_schema *schema, size_t from, const struct want *want, size_t count)
{
    assert_true(schema->leaf_count >= from + count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(schema->leaves[from + i].path, want[i].path);
        assert_int_equal(schema->leaves[from + i].type, want[i].type);
    }
}

static void test_columns_and_their_order(void **state)
{
    (void)state;
    const struct pncp_schema *details = pncp_details_schema(), *list = pncp_list_schema();
    size_t shared = PNCP_ARRAY_LEN(SHARED);
    check_leaves(details, 0, SHARED, shared);
    check_leaves(details, shared, DETAILS_TAIL, PNCP_ARRAY_LEN(DETAILS_TAIL));
    assert_int_equal(details->leaf_count, shared + PNCP_ARRAY_LEN(DETAILS_TAIL));
    check_leaves(list, 0, SHARED, shared);
    check_leaves(list, shared, LIST_TAIL, PNCP_ARRAY_LEN(LIST_TAIL));
    assert_int_equal(list->leaf_count, shared + PNCP_ARRAY_LEN(LIST_TAIL));
    assert_int_equal(pncp_list_shared_leaves(), shared);
}

static void test_shared_leaves_are_alike(void **state)
{
    (void)state;
    const struct pncp_schema *details = pncp_details_schema(), *list = pncp_list_schema();
    for (size_t i = 0; i < pncp_list_shared_leaves(); i++) {
        assert_string_equal(list->leaves[i].path, details->leaves[i].path);
        assert_int_equal(list->leaves[i].max_def, details->leaves[i].max_def);
        assert_int_equal(list->leaves[i].max_rep, details->leaves[i].max_rep);
        assert_int_equal(list->leaves[i].col->flags, details->leaves[i].col->flags);
    }
}

static void check_levels(const char *path, int max_def, int max_rep)
{
    const struct pncp_schema *schema = pncp_details_schema();
    int leaf = pncp_schema_find(schema, path);
    assert_true(leaf >= 0);
    assert_int_equal(schema->leaves[leaf].max_def, max_def);
    assert_int_equal(schema->leaves[leaf].max_rep, max_rep);
}

static void test_levels(void **state)
{
    (void)state;
    static const char *const required[] = {
        "cnpj",      "ano",    "sequencial", "data_publicacao",     "itens_situacao", "arquivos_situacao",
        "obtido_em", "run_id", "checkpoint", "valores_fora_do_tipo"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(required); i++)
        check_levels(required[i], 0, 0);
    check_levels("numeroControlePNCP", 1, 0);
    check_levels("orgaoEntidade.cnpj", 2, 0);
    check_levels("fontesOrcamentarias.list.element.nome", 4, 1); /* list, element and value can each be null */
    check_levels("itens.list.element.numeroItem", 4, 1);
    check_levels("itens.list.element.catalogo.id", 5, 1);
    check_levels("arquivos.list.element.extra", 4, 1);
}

static void test_resolved_leaves(void **state)
{
    (void)state;
    const struct pncp_details_leaves *d = pncp_details_leaves();
    const struct pncp_list_leaves *l = pncp_list_leaves();
    const struct pncp_schema *details = pncp_details_schema(), *list = pncp_list_schema();
    const struct {
        int leaf;
        const char *path;
    } cases[] = {
        {d->cnpj, "cnpj"},
        {d->ano, "ano"},
        {d->sequencial, "sequencial"},
        {d->numero_controle, "numeroControlePNCP"},
        {d->data_publicacao, "data_publicacao"},
        {d->itens_situacao, "itens_situacao"},
        {d->arquivos_situacao, "arquivos_situacao"},
        {d->itens_total, "itens_total"},
        {d->arquivos_total, "arquivos_total"},
        {d->itens_quantidade, "itens_quantidade"},
        {d->arquivos_quantidade, "arquivos_quantidade"},
        {d->valores_fora_do_tipo, "valores_fora_do_tipo"},
        {d->obtido_em, "obtido_em"},
        {d->run_id, "run_id"},
        {d->checkpoint, "checkpoint"},
        {d->extra, "extra"},
        {d->itens_numero, E "numeroItem"},
        {d->arquivos_sequencial, A "sequencialDocumento"},
    };
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++)
        assert_string_equal(details->leaves[cases[i].leaf].path, cases[i].path);
    assert_string_equal(list->leaves[l->cnpj].path, "cnpj");
    assert_string_equal(list->leaves[l->ano].path, "ano");
    assert_string_equal(list->leaves[l->sequencial].path, "sequencial");
    assert_string_equal(list->leaves[l->numero_controle].path, "numeroControlePNCP");
    assert_string_equal(list->leaves[l->data_publicacao].path, "data_publicacao");
    assert_string_equal(list->leaves[l->modalidade_id].path, "modalidadeId");
    assert_string_equal(list->leaves[l->valores_fora_do_tipo].path, "valores_fora_do_tipo");
    assert_string_equal(list->leaves[l->extra].path, "extra");
    assert_string_equal(details->nodes[d->itens_node].col->name, "itens");
    assert_string_equal(details->nodes[d->arquivos_node].col->name, "arquivos");
    assert_int_equal(details->nodes[details->nodes[0].first_child + d->contratacao_nodes].leaf,
                     pncp_list_shared_leaves());
}

/* What the decoder takes for granted about each level. */
static void check_level(const struct pncp_schema *schema, const struct pncp_node *node, bool has_extra)
{
    const struct pncp_node *children = &schema->nodes[node->first_child];
    for (size_t i = 0; i < node->child_count; i++) {
        const struct pncp_col *col = children[i].col;
        bool first_ends =
            i + 1 == node->child_count || children[i + 1].since > node->since; /* of the level as it was */
        bool last = first_ends && children[i].since == node->since;
        assert_int_equal((col->flags & PNCP_COL_EXTRA) != 0, has_extra && last);
        assert_int_equal(strcmp(col->name, "extra") == 0, has_extra && last);
        /* rows of older files have no value for what the program itself fills in (docs/decisions/0008) */
        assert_true(children[i].since <= node->since || (col->flags & PNCP_COL_DERIVED) == 0);
        assert_true(col->source != NULL && col->source[0] != '\0');
        /* an API field may always be missing: only what the program fills in can be required */
        assert_true((col->flags & PNCP_COL_REQUIRED) == 0 || (col->flags & PNCP_COL_DERIVED) != 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(col->name, children[k].col->name);
        if (col->type == PNCP_T_STRUCT || col->type == PNCP_T_LIST)
            check_level(schema, &children[i], col->type == PNCP_T_LIST);
    }
}

static void test_every_level_is_sound(void **state)
{
    (void)state;
    check_level(pncp_details_schema(), &pncp_details_schema()->nodes[0], true);
    check_level(pncp_list_schema(), &pncp_list_schema()->nodes[0], true);
}

/* Statistics cost footer bytes in every row group, and on free text they break readers. */
static void test_statistics_are_few_and_never_nested(void **state)
{
    (void)state;
    const struct pncp_schema *schema = pncp_details_schema();
    size_t count = 0;
    for (size_t i = 0; i < schema->leaf_count; i++) {
        bool stats = (schema->leaves[i].col->flags & PNCP_COL_STATS) != 0;
        assert_false(stats && schema->leaves[i].max_rep > 0);
        assert_false(stats && schema->leaves[i].type == PNCP_T_BOOL);
        count += stats;
    }
    assert_in_range(count, 5, 16);
}

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(pncp_situacao_text(PNCP_SITUACAO_OK), "ok");
    assert_string_equal(pncp_situacao_text(PNCP_SITUACAO_VAZIO), "vazio");
    assert_string_equal(pncp_situacao_text(PNCP_SITUACAO_AUSENTE), "ausente");
    assert_string_equal(pncp_part_text(PNCP_PART_ITENS), "itens");
    assert_string_equal(pncp_part_text(PNCP_PART_ARQUIVOS), "arquivos");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_and_their_order),
        cmocka_unit_test(test_shared_leaves_are_alike),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_resolved_leaves),
        cmocka_unit_test(test_every_level_is_sound),
        cmocka_unit_test(test_statistics_are_few_and_never_nested),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
