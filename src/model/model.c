#include "model/model.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Each column's last member says where it comes from: the operation of the two APIs' OpenAPI descriptions that sends it
 * (publicacao and the single contratacao: consulta API; itens, arquivos: detail API; program: filled in by us), then
 * what to know about it. Types are those of the wire, which sends integers where the descriptions declare string
 * enumerations. */
#define REQ PNCP_COL_REQUIRED
#define STATS PNCP_COL_STATS
#define DICT PNCP_COL_DICT
#define DERIVED PNCP_COL_DERIVED
#define MISFITS PNCP_COL_MISFITS
#define EXTRA_COL(what)                                                                                                \
    {                                                                                                                  \
        "extra", PNCP_T_TEXT, DERIVED | PNCP_COL_EXTRA, NULL, 0,                                                       \
            "program: unknown keys and misfit values of the " what ", JSON text"                                       \
    }
#define TREE(cols) (cols), PNCP_ARRAY_LEN(cols)

/* ---- nested objects (consulta API, records of publicacao; detail API, RecuperarCompraItemSigiloDTO) ---- */

static const struct pncp_col ORGAO[] = {
    {"cnpj", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, orgaoEntidade: 14 characters, letters since July 2026"},
    {"razaoSocial", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, orgaoEntidade: name"},
    {"poderId", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, orgaoEntidade: E, L, J, N"},
    {"esferaId", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, orgaoEntidade: F, E, M, D, N"},
};

static const struct pncp_col UNIDADE[] = {
    {"ufNome", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, unidadeOrgao: state"},
    {"codigoUnidade", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, unidadeOrgao: 1-18 characters"},
    {"nomeUnidade", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, unidadeOrgao: name"},
    {"ufSigla", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, unidadeOrgao: state, 2 letters"},
    {"municipioNome", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, unidadeOrgao: municipality"},
    {"codigoIbge", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, unidadeOrgao: 7 digits; manuals: municipioId"},
};

static const struct pncp_col AMPARO[] = {
    {"codigo", PNCP_T_INT32, DICT, NULL, 0, "publicacao, amparoLegal: domain amparo legal"},
    {"nome", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, amparoLegal: may end in a blank or hold U+00A0"},
    {"descricao", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, amparoLegal: text of the law"},
};

static const struct pncp_col FONTE[] = {
    {"codigo", PNCP_T_INT32, DICT, NULL, 0, "publicacao, fontesOrcamentarias: domain fonte orcamentaria"},
    {"nome", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, fontesOrcamentarias: name"},
    {"descricao", PNCP_T_TEXT, DICT, NULL, 0, "publicacao, fontesOrcamentarias: description"},
    {"dataInclusao", PNCP_T_LOCAL_US, 0, NULL, 0, "publicacao, fontesOrcamentarias: Brasilia clock, no zone"},
    EXTRA_COL("fonte"),
};

static const struct pncp_col CATALOGO[] = {
    {"id", PNCP_T_INT64, DICT, NULL, 0, "itens, catalogo: catalogue"},
    {"nome", PNCP_T_TEXT, DICT, NULL, 0, "itens, catalogo: name"},
    {"descricao", PNCP_T_TEXT, DICT, NULL, 0, "itens, catalogo: description"},
    {"dataInclusao", PNCP_T_LOCAL_US, DICT, NULL, 0, "itens, catalogo: Brasilia clock, no zone"},
    {"dataAtualizacao", PNCP_T_LOCAL_US, DICT, NULL, 0, "itens, catalogo: Brasilia clock, no zone"},
    {"statusAtivo", PNCP_T_BOOL, 0, NULL, 0, "itens, catalogo: active"},
    {"url", PNCP_T_TEXT, DICT, NULL, 0, "itens, catalogo: address"},
};

static const struct pncp_col CATEGORIA_CATALOGO[] = {
    {"id", PNCP_T_INT64, DICT, NULL, 0, "itens, categoriaItemCatalogo: category"},
    {"nome", PNCP_T_TEXT, DICT, NULL, 0, "itens, categoriaItemCatalogo: name"},
    {"descricao", PNCP_T_TEXT, DICT, NULL, 0, "itens, categoriaItemCatalogo: description"},
    {"dataInclusao", PNCP_T_LOCAL_US, DICT, NULL, 0, "itens, categoriaItemCatalogo: Brasilia clock, no zone"},
    {"dataAtualizacao", PNCP_T_LOCAL_US, DICT, NULL, 0, "itens, categoriaItemCatalogo: Brasilia clock, no zone"},
    {"statusAtivo", PNCP_T_BOOL, 0, NULL, 0, "itens, categoriaItemCatalogo: active"},
};

static const struct pncp_col MARGEM[] = {
    {"codigo", PNCP_T_INT32, DICT, NULL, 0, "itens, tipoMargemPreferencia: domain"},
    {"nome", PNCP_T_TEXT, DICT, NULL, 0, "itens, tipoMargemPreferencia: name"},
};

/* ---- item: 36 fields (detail API, itens) ----------------------------------------------------- */

static const struct pncp_col ITEM[] = {
    {"numeroItem", PNCP_T_INT64, 0, NULL, 0, "itens: need not start at 1 nor be contiguous"},
    {"descricao", PNCP_T_TEXT, 0, NULL, 0, "itens: at most 2048, free text"},
    {"materialOuServico", PNCP_T_TEXT, DICT, NULL, 0, "itens: M or S"},
    {"materialOuServicoNome", PNCP_T_TEXT, DICT, NULL, 0, "itens: name"},
    {"valorUnitarioEstimado", PNCP_T_DEC18_4, 0, NULL, 0, "itens: 0 under secrecy"},
    {"valorTotal", PNCP_T_DEC18_4, 0, NULL, 0, "itens: 0 under secrecy"},
    {"quantidade", PNCP_T_DEC18_4, 0, NULL, 0, "itens: fractions allowed"},
    {"unidadeMedida", PNCP_T_TEXT, DICT, NULL, 0, "itens: at most 30, free text"},
    {"orcamentoSigiloso", PNCP_T_BOOL, 0, NULL, 0, "itens: secret budget"},
    {"itemCategoriaId", PNCP_T_INT32, DICT, NULL, 0, "itens: domain"},
    {"itemCategoriaNome", PNCP_T_TEXT, DICT, NULL, 0, "itens: name"},
    {"patrimonio", PNCP_T_TEXT, 0, NULL, 0, "itens: asset number"},
    {"codigoRegistroImobiliario", PNCP_T_TEXT, 0, NULL, 0, "itens: land register"},
    {"criterioJulgamentoId", PNCP_T_INT32, DICT, NULL, 0, "itens: domain"},
    {"criterioJulgamentoNome", PNCP_T_TEXT, DICT, NULL, 0, "itens: name"},
    {"situacaoCompraItem", PNCP_T_INT32, DICT, NULL, 0, "itens: domain; integer on the wire"},
    {"situacaoCompraItemNome", PNCP_T_TEXT, DICT, NULL, 0, "itens: name"},
    {"tipoBeneficio", PNCP_T_INT32, DICT, NULL, 0, "itens: domain; integer on the wire"},
    {"tipoBeneficioNome", PNCP_T_TEXT, DICT, NULL, 0, "itens: name"},
    {"incentivoProdutivoBasico", PNCP_T_BOOL, 0, NULL, 0, "itens: incentive"},
    {"dataInclusao", PNCP_T_LOCAL_US, DICT, NULL, 0, "itens: Brasilia clock, no zone"},
    {"dataAtualizacao", PNCP_T_LOCAL_US, DICT, NULL, 0, "itens: Brasilia clock, no zone"},
    {"temResultado", PNCP_T_BOOL, 0, NULL, 0, "itens: has results"},
    {"imagem", PNCP_T_INT32, DICT, NULL, 0, "itens: number of images"},
    {"aplicabilidadeMargemPreferenciaNormal", PNCP_T_BOOL, 0, NULL, 0, "itens: preference margin"},
    {"aplicabilidadeMargemPreferenciaAdicional", PNCP_T_BOOL, 0, NULL, 0, "itens: preference margin"},
    {"percentualMargemPreferenciaNormal", PNCP_T_DEC18_4, 0, NULL, 0, "itens: percent"},
    {"percentualMargemPreferenciaAdicional", PNCP_T_DEC18_4, 0, NULL, 0, "itens: percent"},
    {"ncmNbsCodigo", PNCP_T_TEXT, DICT, NULL, 0, "itens: NCM or NBS code"},
    {"ncmNbsDescricao", PNCP_T_TEXT, DICT, NULL, 0, "itens: its description"},
    {"catalogo", PNCP_T_STRUCT, 0, TREE(CATALOGO), "itens: object"},
    {"categoriaItemCatalogo", PNCP_T_STRUCT, 0, TREE(CATEGORIA_CATALOGO), "itens: object"},
    {"catalogoCodigoItem", PNCP_T_TEXT, DICT, NULL, 0, "itens: code in the catalogue"},
    {"informacaoComplementar", PNCP_T_TEXT, DICT, NULL, 0, "itens: free text"},
    {"tipoMargemPreferencia", PNCP_T_STRUCT, 0, TREE(MARGEM), "itens: object, since v2.3.7"},
    {"exigenciaConteudoNacional", PNCP_T_BOOL, 0, NULL, 0, "itens: since v2.3.7"},
    EXTRA_COL("item"),
};

/* ---- arquivo: 12 fields (detail API, arquivos) ----------------------------------------------- */

static const struct pncp_col ARQUIVO[] = {
    {"uri", PNCP_T_TEXT, 0, NULL, 0, "arquivos: equal to url"},
    {"url", PNCP_T_TEXT, 0, NULL, 0, "arquivos: address of the file"},
    {"cnpj", PNCP_T_TEXT, DICT, NULL, 0, "arquivos: of the contratacao"},
    {"anoCompra", PNCP_T_INT32, DICT, NULL, 0, "arquivos: of the contratacao"},
    {"sequencialCompra", PNCP_T_INT32, DICT, NULL, 0, "arquivos: of the contratacao"},
    {"sequencialDocumento", PNCP_T_INT64, 0, NULL, 0, "arquivos: gaps and other orders occur"},
    {"titulo", PNCP_T_TEXT, DICT, NULL, 0, "arquivos: usually without extension"},
    {"tipoDocumentoId", PNCP_T_INT32, DICT, NULL, 0, "arquivos: domain"},
    {"tipoDocumentoNome", PNCP_T_TEXT, DICT, NULL, 0, "arquivos: name"},
    {"tipoDocumentoDescricao", PNCP_T_TEXT, DICT, NULL, 0, "arquivos: equal to the name"},
    {"dataPublicacaoPncp", PNCP_T_LOCAL_US, 0, NULL, 0, "arquivos: Brasilia clock, no zone"},
    {"statusAtivo", PNCP_T_BOOL, 0, NULL, 0, "arquivos: active"},
    EXTRA_COL("arquivo"),
};

/* ---- contratação ----------------------------------------------------------------------------- */

/* Identity, then the record's fields in the order in which the API documents them (publicacao), then the three that
 * only the single object has. */
#define CONTRATACAO_COLS                                                                                               \
    {"cnpj", PNCP_T_TEXT, REQ | STATS | DERIVED, NULL, 0, "program: orgaoEntidade.cnpj: part of the key"},             \
        {"ano", PNCP_T_INT32, REQ | STATS | DICT | DERIVED, NULL, 0, "program: anoCompra: part of the key"},           \
        {"sequencial", PNCP_T_INT32, REQ | STATS | DERIVED, NULL, 0, "program: sequencialCompra: part of the key"},    \
        {"numeroControlePNCP", PNCP_T_TEXT, STATS, NULL, 0, "publicacao: cnpj-1-sequencial/ano"},                      \
        {"data_publicacao", PNCP_T_DATE, REQ | STATS | DICT | DERIVED, NULL, 0, "program: day of dataPublicacaoPncp"}, \
        {"anoCompra", PNCP_T_INT32, DICT, NULL, 0, "publicacao: year"},                                                \
        {"sequencialCompra", PNCP_T_INT32, 0, NULL, 0, "publicacao: per orgao and year"},                              \
        {"numeroCompra", PNCP_T_TEXT, 0, NULL, 0, "publicacao: free text, leading zeros matter"},                      \
        {"processo", PNCP_T_TEXT, 0, NULL, 0, "publicacao: free text"},                                                \
        {"orgaoEntidade", PNCP_T_STRUCT, 0, TREE(ORGAO), "publicacao: owner"},                                         \
        {"unidadeOrgao", PNCP_T_STRUCT, 0, TREE(UNIDADE), "publicacao: unit"},                                         \
        {"orgaoSubRogado", PNCP_T_STRUCT, 0, TREE(ORGAO), "publicacao: mostly null"},                                  \
        {"unidadeSubRogada", PNCP_T_STRUCT, 0, TREE(UNIDADE), "publicacao: mostly null"},                              \
        {"modalidadeId", PNCP_T_INT32, STATS | DICT, NULL, 0, "publicacao: domain modalidade"},                        \
        {"modalidadeNome", PNCP_T_TEXT, DICT, NULL, 0, "publicacao: name"},                                            \
        {"modoDisputaId", PNCP_T_INT32, DICT, NULL, 0, "publicacao: domain"},                                          \
        {"modoDisputaNome", PNCP_T_TEXT, DICT, NULL, 0, "publicacao: name"},                                           \
        {"tipoInstrumentoConvocatorioCodigo", PNCP_T_INT32, DICT, NULL, 0, "publicacao: domain"},                      \
        {"tipoInstrumentoConvocatorioNome", PNCP_T_TEXT, DICT, NULL, 0, "publicacao: name"},                           \
        {"amparoLegal", PNCP_T_STRUCT, 0, TREE(AMPARO), "publicacao: object"},                                         \
        {"situacaoCompraId", PNCP_T_INT32, STATS | DICT, NULL, 0, "publicacao: domain; integer on the wire"},          \
        {"situacaoCompraNome", PNCP_T_TEXT, DICT, NULL, 0, "publicacao: name"},                                        \
        {"objetoCompra", PNCP_T_TEXT, 0, NULL, 0, "publicacao: at most 5120"},                                         \
        {"informacaoComplementar", PNCP_T_TEXT, DICT, NULL, 0, "publicacao: at most 5120"},                            \
        {"srp", PNCP_T_BOOL, 0, NULL, 0, "publicacao: price registration"},                                            \
        {"dataInclusao", PNCP_T_LOCAL_US, STATS, NULL, 0, "publicacao: Brasilia clock, no zone"},                      \
        {"dataPublicacaoPncp", PNCP_T_LOCAL_US, STATS, NULL, 0, "publicacao: Brasilia clock, no zone"},                \
        {"dataAtualizacao", PNCP_T_LOCAL_US, 0, NULL, 0, "publicacao: Brasilia clock, no zone"},                       \
        {"dataAtualizacaoGlobal", PNCP_T_LOCAL_US, STATS, NULL, 0, "publicacao: Brasilia clock, no zone"},             \
        {"dataAberturaProposta", PNCP_T_LOCAL_US, 0, NULL, 0, "publicacao: Brasilia clock, no zone"},                  \
        {"dataEncerramentoProposta", PNCP_T_LOCAL_US, 0, NULL, 0, "publicacao: Brasilia clock, no zone"},              \
        {"valorTotalEstimado", PNCP_T_DEC18_4, STATS, NULL, 0, "publicacao: 0 when the budget is secret"},             \
        {"valorTotalHomologado", PNCP_T_DEC18_4, STATS, NULL, 0, "publicacao: null until a result exists"},            \
        {"justificativaPresencial", PNCP_T_TEXT, DICT, NULL, 0, "publicacao: free text"},                              \
        {"linkSistemaOrigem", PNCP_T_TEXT, 0, NULL, 0, "publicacao: address"},                                         \
        {"linkProcessoEletronico", PNCP_T_TEXT, 0, NULL, 0, "publicacao: address"},                                    \
        {"fontesOrcamentarias", PNCP_T_LIST, 0, TREE(FONTE), "publicacao: since v2.3.6"},                              \
        {"emendaParlamentar", PNCP_T_BOOL, 0, NULL, 0, "publicacao: since v2.4"},                                      \
        {"usuarioNome", PNCP_T_TEXT, DICT, NULL, 0, "publicacao: publishing system"},                                  \
        {"orcamentoSigilosoCodigo",                                                                                    \
         PNCP_T_INT32,                                                                                                 \
         DICT,                                                                                                         \
         NULL,                                                                                                         \
         0,                                                                                                            \
         "single contratacao: 1 none, 2 partly, 3 fully secret"},                                                      \
        {"orcamentoSigilosoDescricao", PNCP_T_TEXT, DICT, NULL, 0, "single contratacao: name"},                        \
    {                                                                                                                  \
        "existeResultado", PNCP_T_BOOL, 0, NULL, 0, "single contratacao: some item has a result"                       \
    }

static const struct pncp_col DETAILS[] = {
    CONTRATACAO_COLS,
    {"itens", PNCP_T_LIST, DERIVED, TREE(ITEM), "program: null: ausente; []: vazio"},
    {"arquivos", PNCP_T_LIST, DERIVED, TREE(ARQUIVO), "program: null: ausente; []: vazio"},
    {"itens_situacao", PNCP_T_TEXT, REQ | DICT | DERIVED, NULL, 0, "program: ok, vazio, ausente"},
    {"arquivos_situacao", PNCP_T_TEXT, REQ | DICT | DERIVED, NULL, 0, "program: ok, vazio, ausente"},
    {"itens_total", PNCP_T_INT32, DERIVED, NULL, 0, "program: items received; null: ausente"},
    {"arquivos_total", PNCP_T_INT32, DERIVED, NULL, 0, "program: files received; null: ausente"},
    {"itens_quantidade", PNCP_T_INT64, DERIVED, NULL, 0, "program: what /quantidade said; null: not asked"},
    {"arquivos_quantidade", PNCP_T_INT64, DERIVED, NULL, 0, "program: what /quantidade said; null: not asked"},
    {"valores_fora_do_tipo", PNCP_T_INT32, REQ | DICT | DERIVED | MISFITS, NULL, 0,
     "program: values that did not fit their type, in extra"},
    {"obtido_em", PNCP_T_UTC_US, REQ | STATS | DERIVED, NULL, 0, "program: when the last answer came, UTC"},
    {"run_id", PNCP_T_TEXT, REQ | DICT | DERIVED, NULL, 0, "program: the run that fetched it"},
    {"checkpoint", PNCP_T_INT32, REQ | DICT | DERIVED, NULL, 0, "program: number of the checkpoint in that run"},
    EXTRA_COL("contratacao"),
};

static const struct pncp_col LIST[] = {
    CONTRATACAO_COLS,
    {"valores_fora_do_tipo", PNCP_T_INT32, REQ | DICT | DERIVED | MISFITS, NULL, 0,
     "program: values that did not fit their type, in extra"},
    EXTRA_COL("contratacao"),
};

/* ---- prepared once --------------------------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Of each version, the oldest first: 26 KB each, those that are not there yet cost nothing. */
#define VERSIONS_MAX 16
static struct pncp_schema details_schemas[VERSIONS_MAX], list_schemas[VERSIONS_MAX];
static unsigned newest;
static uint16_t details_of_list[PNCP_SCHEMA_LEAVES_MAX];
static struct pncp_details_leaves details_leaves;
static struct pncp_list_leaves list_leaves;

static int root_node(const struct pncp_schema *schema, const char *name)
{
    const struct pncp_node *root = &schema->nodes[0];
    for (uint16_t i = 0; i < root->child_count; i++) {
        if (strcmp(schema->nodes[root->first_child + i].col->name, name) == 0)
            return root->first_child + i;
    }
    abort(); /* the tables above are wrong */
}

static int leaf_of(const struct pncp_schema *schema, const char *name)
{
    return schema->nodes[root_node(schema, name)].leaf;
}

static void prepare_schemas(void)
{
    newest = pncp_schema_newest(DETAILS, PNCP_ARRAY_LEN(DETAILS));
    for (unsigned version = 1; version <= newest; version++) {
        struct pncp_schema *details = &details_schemas[version - 1], *list = &list_schemas[version - 1];
        if (version > VERSIONS_MAX ||
            pncp_schema_init_version(details, DETAILS, PNCP_ARRAY_LEN(DETAILS), version, NULL) != PNCP_OK ||
            pncp_schema_init_version(list, LIST, PNCP_ARRAY_LEN(LIST), version, NULL) != PNCP_OK)
            abort(); /* more versions or columns than the ceilings here and in schema.h: raise them */
    }
}

static void pair_leaves(const struct pncp_schema *list, const struct pncp_schema *details)
{
    for (size_t i = 0; i < list->leaf_count; i++) {
        int leaf = pncp_schema_find(details, list->leaves[i].path);
        if (leaf < 0)
            abort(); /* the tables above are wrong */
        details_of_list[i] = (uint16_t)leaf;
    }
}

static void prepare(void)
{
    prepare_schemas();
    const struct pncp_schema *d = &details_schemas[newest - 1], *l = &list_schemas[newest - 1];
    pair_leaves(l, d);
    int itens = root_node(d, "itens"), arquivos = root_node(d, "arquivos");
    details_leaves = (struct pncp_details_leaves){
        .cnpj = leaf_of(d, "cnpj"),
        .ano = leaf_of(d, "ano"),
        .sequencial = leaf_of(d, "sequencial"),
        .numero_controle = leaf_of(d, "numeroControlePNCP"),
        .data_publicacao = leaf_of(d, "data_publicacao"),
        .itens_situacao = leaf_of(d, "itens_situacao"),
        .arquivos_situacao = leaf_of(d, "arquivos_situacao"),
        .itens_total = leaf_of(d, "itens_total"),
        .arquivos_total = leaf_of(d, "arquivos_total"),
        .itens_quantidade = leaf_of(d, "itens_quantidade"),
        .arquivos_quantidade = leaf_of(d, "arquivos_quantidade"),
        .valores_fora_do_tipo = leaf_of(d, "valores_fora_do_tipo"),
        .obtido_em = leaf_of(d, "obtido_em"),
        .run_id = leaf_of(d, "run_id"),
        .checkpoint = leaf_of(d, "checkpoint"),
        .extra = leaf_of(d, "extra"),
        .itens_numero = pncp_schema_find(d, "itens.list.element.numeroItem"),
        .arquivos_sequencial = pncp_schema_find(d, "arquivos.list.element.sequencialDocumento"),
        .itens_node = itens,
        .arquivos_node = arquivos,
        .contratacao_nodes = (size_t)(itens - d->nodes[0].first_child),
    };
    list_leaves = (struct pncp_list_leaves){
        .cnpj = leaf_of(l, "cnpj"),
        .ano = leaf_of(l, "ano"),
        .sequencial = leaf_of(l, "sequencial"),
        .numero_controle = leaf_of(l, "numeroControlePNCP"),
        .data_publicacao = leaf_of(l, "data_publicacao"),
        .modalidade_id = leaf_of(l, "modalidadeId"),
        .valores_fora_do_tipo = leaf_of(l, "valores_fora_do_tipo"),
        .extra = leaf_of(l, "extra"),
    };
    assert(list_leaves.valores_fora_do_tipo == d->nodes[itens].leaf);
}

const struct pncp_schema *pncp_details_schema(void)
{
    (void)pthread_once(&once, prepare);
    return &details_schemas[newest - 1];
}

struct pncp_schema_versions pncp_details_versions(void)
{
    (void)pthread_once(&once, prepare);
    return (struct pncp_schema_versions){details_schemas, newest};
}

const struct pncp_schema *pncp_list_schema(void)
{
    (void)pthread_once(&once, prepare);
    return &list_schemas[newest - 1];
}

struct pncp_schema_versions pncp_list_versions(void)
{
    (void)pthread_once(&once, prepare);
    return (struct pncp_schema_versions){list_schemas, newest};
}

size_t pncp_list_details_leaf(size_t leaf)
{
    (void)pthread_once(&once, prepare);
    return details_of_list[leaf];
}

size_t pncp_list_shared_leaves(void)
{
    return (size_t)pncp_list_leaves()->valores_fora_do_tipo;
}

const struct pncp_details_leaves *pncp_details_leaves(void)
{
    (void)pthread_once(&once, prepare);
    return &details_leaves;
}

const struct pncp_list_leaves *pncp_list_leaves(void)
{
    (void)pthread_once(&once, prepare);
    return &list_leaves;
}

const char *pncp_situacao_text(enum pncp_situacao situacao)
{
    static const char *const texts[] = {"ok", "vazio", "ausente"};
    return texts[situacao];
}

const char *pncp_part_text(enum pncp_part part)
{
    return part == PNCP_PART_ITENS ? "itens" : "arquivos";
}
