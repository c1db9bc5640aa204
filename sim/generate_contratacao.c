/* The contratação object of a generated row: the listing's two key orders and the single object's. */
#include "generate.h"
#include "mix.h"
#include "odd_text.h"

/* clang-format off */
enum field {
    SRP, ORGAO_ENTIDADE, ANO_COMPRA, SEQUENCIAL_COMPRA, DATA_INCLUSAO, DATA_PUBLICACAO, DATA_ATUALIZACAO,
    NUMERO_COMPRA, UNIDADE_ORGAO, AMPARO_LEGAL, DATA_ABERTURA, DATA_ENCERRAMENTO, INFORMACAO_COMPLEMENTAR, PROCESSO,
    OBJETO_COMPRA, LINK_SISTEMA, JUSTIFICATIVA, UNIDADE_SUB_ROGADA, ORGAO_SUB_ROGADO, VALOR_HOMOLOGADO,
    MODALIDADE_ID, EMENDA, DATA_ATUALIZACAO_GLOBAL, NUMERO_CONTROLE, LINK_PROCESSO, MODO_DISPUTA_ID, VALOR_ESTIMADO,
    MODALIDADE_NOME, MODO_DISPUTA_NOME, INSTRUMENTO_CODIGO, INSTRUMENTO_NOME, FONTES, SITUACAO_ID, SITUACAO_NOME,
    USUARIO_NOME, SIGILO_CODIGO, SIGILO_DESCRICAO, EXISTE_RESULTADO, FIELD_END
};

/* Order of the page of 2026-06-04. */
static const uint8_t ORDER_2026_06[] = {
    SRP, ORGAO_ENTIDADE, ANO_COMPRA, SEQUENCIAL_COMPRA, DATA_INCLUSAO, DATA_PUBLICACAO, DATA_ATUALIZACAO,
    NUMERO_COMPRA, UNIDADE_ORGAO, AMPARO_LEGAL, DATA_ABERTURA, DATA_ENCERRAMENTO, INFORMACAO_COMPLEMENTAR, PROCESSO,
    OBJETO_COMPRA, LINK_SISTEMA, JUSTIFICATIVA, UNIDADE_SUB_ROGADA, ORGAO_SUB_ROGADO, VALOR_HOMOLOGADO,
    MODALIDADE_ID, EMENDA, DATA_ATUALIZACAO_GLOBAL, NUMERO_CONTROLE, LINK_PROCESSO, MODO_DISPUTA_ID, VALOR_ESTIMADO,
    MODALIDADE_NOME, MODO_DISPUTA_NOME, INSTRUMENTO_CODIGO, INSTRUMENTO_NOME, FONTES, SITUACAO_ID, SITUACAO_NOME,
    USUARIO_NOME, FIELD_END
};
/* Order of the page of February 2026. */
static const uint8_t ORDER_2026_02[] = {
    DATA_ATUALIZACAO, ORGAO_ENTIDADE, ANO_COMPRA, SEQUENCIAL_COMPRA, NUMERO_COMPRA, PROCESSO, OBJETO_COMPRA,
    ORGAO_SUB_ROGADO, UNIDADE_ORGAO, UNIDADE_SUB_ROGADA, VALOR_HOMOLOGADO, SRP, DATA_INCLUSAO, AMPARO_LEGAL,
    DATA_ABERTURA, DATA_ENCERRAMENTO, INFORMACAO_COMPLEMENTAR, LINK_SISTEMA, JUSTIFICATIVA, DATA_PUBLICACAO,
    MODALIDADE_ID, EMENDA, DATA_ATUALIZACAO_GLOBAL, LINK_PROCESSO, NUMERO_CONTROLE, MODO_DISPUTA_ID, VALOR_ESTIMADO,
    MODALIDADE_NOME, MODO_DISPUTA_NOME, INSTRUMENTO_CODIGO, INSTRUMENTO_NOME, FONTES, SITUACAO_ID, SITUACAO_NOME,
    USUARIO_NOME, FIELD_END
};
/* Order of the single objects of July and August 2026. */
static const uint8_t ORDER_SINGLE[] = {
    VALOR_ESTIMADO, VALOR_HOMOLOGADO, SIGILO_CODIGO, SIGILO_DESCRICAO, NUMERO_CONTROLE, LINK_SISTEMA, LINK_PROCESSO,
    ANO_COMPRA, SEQUENCIAL_COMPRA, NUMERO_COMPRA, PROCESSO, ORGAO_ENTIDADE, UNIDADE_ORGAO, ORGAO_SUB_ROGADO,
    UNIDADE_SUB_ROGADA, MODALIDADE_ID, MODALIDADE_NOME, JUSTIFICATIVA, MODO_DISPUTA_ID, MODO_DISPUTA_NOME,
    INSTRUMENTO_CODIGO, INSTRUMENTO_NOME, AMPARO_LEGAL, OBJETO_COMPRA, INFORMACAO_COMPLEMENTAR, SRP, FONTES, EMENDA,
    DATA_PUBLICACAO, DATA_ABERTURA, DATA_ENCERRAMENTO, SITUACAO_ID, SITUACAO_NOME, EXISTE_RESULTADO, DATA_INCLUSAO,
    DATA_ATUALIZACAO, DATA_ATUALIZACAO_GLOBAL, USUARIO_NOME, FIELD_END
};
/* clang-format on */

/* Salts of this file start at 100. */
enum {
    S_SRP = 100,
    S_ORDER,
    S_OBJETO_ODD,
    S_OBJETO,
    S_INFO_NULL,
    S_INFO_ODD,
    S_INFO,
    S_PROCESSO,
    S_NUMERO,
    S_LINK,
    S_LINK_EMPTY,
    S_JUSTIFICATIVA,
    S_SUB_ROGADO,
    S_SUB_ORGAO,
    S_VALOR_ZERO,
    S_VALOR_SIZE,
    S_VALOR,
    S_EMENDA,
    S_LINK_PROCESSO,
    S_MODO,
    S_AMPARO,
    S_FONTES,
    S_FONTE,
    S_SITUACAO,
    S_USER,
    S_EXTRA_TOP,
    S_EXTRA_NESTED,
    S_ABERTURA,
    S_ABERTURA_NULL,
    S_UPDATED,
    S_NEW_KEY
};

static uint32_t pick_modo(const struct sim_row *row)
{
    return SIM_MODALIDADE[row->modalidade]
        .modo[sim_once_in(row->hash, S_MODO, 5) ? 1 + sim_pick(row->hash, S_MODO + 1000, 2) : 0];
}

static int64_t pick_valor(const struct sim_row *row)
{
    static const int64_t CEILINGS[] = {100000,   1000000,   5000000,    10000000,
                                       50000000, 100000000, 1000000000, 57857509899};

    if (sim_generate_sigilo(row) == SIM_SIGILO_ALL || sim_once_in(row->hash, S_VALOR_ZERO, 9))
        return 0;
    int64_t ceiling = CEILINGS[sim_pick(row->hash, S_VALOR_SIZE, (uint32_t)PNCP_ARRAY_LEN(CEILINGS))];
    return 1 + (int64_t)(sim_mix2(row->hash, S_VALOR) % (uint64_t)ceiling);
}

static void put_objeto(const struct sim_row *row, struct sim_text *text)
{
    uint64_t h = sim_mix2(row->hash, S_OBJETO);

    if (sim_once_in(row->hash, S_OBJETO_ODD, 64)) {
        sim_odd_text(text, h);
        return;
    }
    SIM_PUT(text, "\"");
    sim_text_str(text, sim_word(SIM_OBJETO_VERBS, h, 1));
    sim_text_str(text, sim_word(SIM_OBJETO_THINGS, h, 2));
    for (uint32_t i = sim_pick(h, 3, 4); i > 0; i--) {
        SIM_PUT(text, ", ");
        sim_text_str(text, sim_word(SIM_OBJETO_THINGS, h, 10 + i));
    }
    sim_text_str(text, sim_word(SIM_OBJETO_PURPOSES, h, 4));
    SIM_PUT(text, ".\"");
}

static void put_informacao(const struct sim_row *row, struct sim_text *text)
{
    uint64_t h = sim_mix2(row->hash, S_INFO);

    if (sim_once_in(row->hash, S_INFO_NULL, 8)) {
        SIM_PUT(text, "null");
    } else if (sim_once_in(row->hash, S_INFO_ODD, 100)) {
        sim_odd_text(text, h);
    } else {
        SIM_PUT(text, "\"Processo nº ");
        sim_text_u64(text, sim_pick(h, 1, 10000));
        SIM_PUT(text, "/2025");
        sim_text_str(text, sim_word(SIM_OBJETO_PURPOSES, h, 2));
        sim_text_str(text, sim_word(SIM_OBJETO_PURPOSES, h, 3));
        SIM_PUT(text, "\"");
    }
}

static void put_sub_rogado(const struct sim_row *row, bool unidade, struct sim_text *text)
{
    if (!sim_once_in(row->hash, S_SUB_ROGADO, 75)) {
        SIM_PUT(text, "null");
        return;
    }
    const struct sim_orgao *other = &row->orgaos->rows[sim_pick(row->hash, S_SUB_ORGAO, SIM_ORGAOS)];
    sim_text_view(text, unidade ? other->unidade : other->entidade);
    SIM_PUT(text, "}");
}

static void put_fontes(const struct sim_row *row, struct sim_text *text)
{
    uint32_t count = sim_once_in(row->hash, S_FONTES, 8) ? 1 + sim_pick(row->hash, S_FONTES + 1000, 2) : 0;

    SIM_PUT(text, "[");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t code = 1 + sim_pick(row->hash, S_FONTE * 10 + i, 4);
        if (i != 0)
            SIM_PUT(text, ",");
        SIM_PUT(text, "{\"codigo\":");
        sim_text_u64(text, code);
        SIM_PUT(text, ",\"nome\":\"");
        sim_text_str(text, SIM_FONTE[code].nome);
        SIM_PUT(text, "\",\"descricao\":\"");
        sim_text_str(text, SIM_FONTE[code].descricao);
        SIM_PUT(text, "\",\"dataInclusao\":");
        sim_text_datetime(text, row->date, row->second);
        SIM_PUT(text, "}");
    }
    SIM_PUT(text, "]");
}

static void put_orgao_object(const struct sim_row *row, struct pncp_view object, bool extra, struct sim_text *text)
{
    sim_text_view(text, object);
    if (extra && sim_once_in(row->hash, S_EXTRA_NESTED, 80))
        SIM_PUT(text, ",\"naturezaJuridica\":{\"codigo\":\"1244\",\"vigente\":true}");
    SIM_PUT(text, "}");
}

static void put_data_proposta(const struct sim_row *row, uint32_t days, uint32_t second, struct sim_text *text)
{
    uint32_t modo = pick_modo(row);

    /* No date for contracting without dispute. */
    if ((row->modalidade == 8 || row->modalidade == 9) && modo == 5)
        SIM_PUT(text, "null");
    else
        sim_text_datetime(text, (struct pncp_date){row->date.days + (int32_t)days}, second);
}

static void put_number(struct sim_text *text, const struct sim_row *row)
{
    static const char *const PREFIX[] = {"", "PR", "CD ", "9", "000", "DL-"};
    sim_text_str(text, PREFIX[sim_pick(row->hash, S_NUMERO, (uint32_t)PNCP_ARRAY_LEN(PREFIX))]);
    sim_text_u64(text, 1 + sim_pick(row->hash, S_NUMERO + 1000, 999));
}

/* Key order and nullness follow section 6.1 and 6.2 of the fact sheet on the API. Absent: emendaParlamentar in some. */
static bool field_absent(enum field field, const struct sim_row *row)
{
    return field == EMENDA && sim_once_in(row->hash, S_EMENDA, 3);
}

static void put_srp(const struct sim_row *row, struct sim_text *text)
{
    sim_text_bool(text, row->modalidade == 6 && sim_once_in(row->hash, S_SRP, 2));
}

static void put_orgao_entidade(const struct sim_row *row, struct sim_text *text)
{
    put_orgao_object(row, row->orgao->entidade, true, text);
}

static void put_ano_compra(const struct sim_row *row, struct sim_text *text)
{
    sim_text_u64(text, row->ano);
}

static void put_sequencial_compra(const struct sim_row *row, struct sim_text *text)
{
    sim_text_u64(text, row->sequencial);
}

static void put_publication(const struct sim_row *row, struct sim_text *text)
{
    sim_text_datetime(text, row->date, row->second);
}

/* An increasing function of dataPublicacaoPncp: /atualizacao keeps the order of /publicacao. */
static void put_data_atualizacao_global(const struct sim_row *row, struct sim_text *text)
{
    sim_text_datetime(text, row->date, PNCP_MIN(row->second + 7, 86399u));
}

static void put_numero_compra(const struct sim_row *row, struct sim_text *text)
{
    SIM_PUT(text, "\"");
    put_number(text, row);
    SIM_PUT(text, "\"");
}

static void put_processo(const struct sim_row *row, struct sim_text *text)
{
    SIM_PUT(text, "\"");
    put_number(text, row);
    SIM_PUT(text, "/");
    sim_text_u64(text, row->ano);
    SIM_PUT(text, "\"");
}

static void put_unidade_orgao(const struct sim_row *row, struct sim_text *text)
{
    put_orgao_object(row, row->orgao->unidade, false, text);
}

static void put_amparo_legal(const struct sim_row *row, struct sim_text *text)
{
    sim_text_str(text, SIM_AMPARO[SIM_MODALIDADE[row->modalidade].amparo[sim_once_in(row->hash, S_AMPARO, 50)]].json);
}

static void put_data_abertura(const struct sim_row *row, struct sim_text *text)
{
    put_data_proposta(row, sim_pick(row->hash, S_ABERTURA, 4), 8 * 3600, text);
}

static void put_data_encerramento(const struct sim_row *row, struct sim_text *text)
{
    put_data_proposta(row, 3 + sim_pick(row->hash, S_ABERTURA, 30), 8 * 3600 + 59 * 60 + 59, text);
}

static void put_link_sistema(const struct sim_row *row, struct sim_text *text)
{
    if (sim_once_in(row->hash, S_LINK, 6)) {
        SIM_PUT(text, "null");
    } else if (sim_once_in(row->hash, S_LINK_EMPTY, 100)) {
        SIM_PUT(text, "\"\"");
    } else {
        SIM_PUT(text, "\"https://compras.example.gov.br/acompanhamento?compra=");
        sim_text_u64(text, sim_mix2(row->hash, S_LINK + 1000) % 100000000000000000u);
        SIM_PUT(text, "\"");
    }
}

static void put_link_processo(const struct sim_row *row, struct sim_text *text)
{
    if (sim_once_in(row->hash, S_LINK_PROCESSO, 70))
        SIM_PUT(text, "\"https://sei.example.gov.br/processo\"");
    else
        SIM_PUT(text, "null");
}

static void put_justificativa(const struct sim_row *row, struct sim_text *text)
{
    if (row->modalidade == 5 || row->modalidade == 7 || sim_once_in(row->hash, S_JUSTIFICATIVA, 6))
        SIM_PUT(text, "\"Lei 14.133/2021, art. 17, § 2º: conveniência administrativa\"");
    else
        SIM_PUT(text, "null");
}

static void put_unidade_sub_rogada(const struct sim_row *row, struct sim_text *text)
{
    put_sub_rogado(row, true, text);
}

static void put_orgao_sub_rogado(const struct sim_row *row, struct sim_text *text)
{
    put_sub_rogado(row, false, text);
}

static void put_valor_homologado(const struct sim_row *row, struct sim_text *text)
{
    if (sim_generate_has_result(row))
        sim_text_decimal(text, 1 + (int64_t)(sim_mix2(row->hash, S_VALOR + 1000) % 100000000u), 2, 2);
    else
        SIM_PUT(text, "null");
}

static void put_valor_estimado(const struct sim_row *row, struct sim_text *text)
{
    sim_text_decimal(text, pick_valor(row), 2, 2);
}

static void put_modalidade_id(const struct sim_row *row, struct sim_text *text)
{
    sim_text_u64(text, row->modalidade);
}

static void put_modalidade_nome(const struct sim_row *row, struct sim_text *text)
{
    sim_text_quoted(text, SIM_MODALIDADE[row->modalidade].nome);
}

static void put_emenda(const struct sim_row *row, struct sim_text *text)
{
    uint32_t code = sim_pick(row->hash, S_EMENDA + 1000, 20);
    if (code < 18)
        SIM_PUT(text, "null");
    else
        sim_text_bool(text, code == 19);
}

static void put_numero_controle(const struct sim_row *row, struct sim_text *text)
{
    SIM_PUT(text, "\"");
    sim_text_put(text, row->cnpj, SIM_CNPJ_CHARS);
    SIM_PUT(text, "-1-");
    sim_text_u64_padded(text, row->sequencial, 6);
    SIM_PUT(text, "/");
    sim_text_u64(text, row->ano);
    SIM_PUT(text, "\"");
}

static void put_modo_disputa_id(const struct sim_row *row, struct sim_text *text)
{
    sim_text_u64(text, pick_modo(row));
}

static void put_modo_disputa_nome(const struct sim_row *row, struct sim_text *text)
{
    sim_text_quoted(text, SIM_MODO[pick_modo(row)]);
}

static void put_instrumento_codigo(const struct sim_row *row, struct sim_text *text)
{
    sim_text_u64(text, SIM_MODALIDADE[row->modalidade].instrumento);
}

static void put_instrumento_nome(const struct sim_row *row, struct sim_text *text)
{
    sim_text_quoted(text, SIM_INSTRUMENTO[SIM_MODALIDADE[row->modalidade].instrumento]);
}

/* Its code: 1 is the ordinary one. */
static uint32_t pick_situacao(const struct sim_row *row)
{
    return sim_once_in(row->hash, S_SITUACAO, 35) ? 2 + sim_pick(row->hash, S_SITUACAO + 1000, 3) : 1;
}

static void put_situacao_id(const struct sim_row *row, struct sim_text *text)
{
    sim_text_u64(text, pick_situacao(row));
}

static void put_situacao_nome(const struct sim_row *row, struct sim_text *text)
{
    sim_text_quoted(text, SIM_SITUACAO_COMPRA[pick_situacao(row)]);
}

static void put_usuario_nome(const struct sim_row *row, struct sim_text *text)
{
    sim_text_quoted(text, sim_word(SIM_USERS, row->hash, S_USER));
}

static void put_sigilo_codigo(const struct sim_row *row, struct sim_text *text)
{
    sim_text_u64(text, (uint64_t)sim_generate_sigilo(row));
}

static void put_sigilo_descricao(const struct sim_row *row, struct sim_text *text)
{
    static const char *const NAMES[] = {NULL, "Compra sem sigilo", "Compra parcialmente sigilosa",
                                        "Compra totalmente sigilosa"};
    sim_text_quoted(text, NAMES[sim_generate_sigilo(row)]);
}

static void put_existe_resultado(const struct sim_row *row, struct sim_text *text)
{
    sim_text_bool(text, sim_generate_has_result(row));
}

/* clang-format off */
static const struct {
    const char *key;
    void (*put_value)(const struct sim_row *row, struct sim_text *text);
} FIELDS[] = {
    [SRP] = {"\"srp\":", put_srp},
    [ORGAO_ENTIDADE] = {"\"orgaoEntidade\":", put_orgao_entidade},
    [ANO_COMPRA] = {"\"anoCompra\":", put_ano_compra},
    [SEQUENCIAL_COMPRA] = {"\"sequencialCompra\":", put_sequencial_compra},
    [DATA_INCLUSAO] = {"\"dataInclusao\":", put_publication},
    [DATA_PUBLICACAO] = {"\"dataPublicacaoPncp\":", put_publication},
    [DATA_ATUALIZACAO] = {"\"dataAtualizacao\":", put_publication},
    [DATA_ATUALIZACAO_GLOBAL] = {"\"dataAtualizacaoGlobal\":", put_data_atualizacao_global},
    [NUMERO_COMPRA] = {"\"numeroCompra\":", put_numero_compra},
    [PROCESSO] = {"\"processo\":", put_processo},
    [UNIDADE_ORGAO] = {"\"unidadeOrgao\":", put_unidade_orgao},
    [AMPARO_LEGAL] = {"\"amparoLegal\":", put_amparo_legal},
    [DATA_ABERTURA] = {"\"dataAberturaProposta\":", put_data_abertura},
    [DATA_ENCERRAMENTO] = {"\"dataEncerramentoProposta\":", put_data_encerramento},
    [INFORMACAO_COMPLEMENTAR] = {"\"informacaoComplementar\":", put_informacao},
    [OBJETO_COMPRA] = {"\"objetoCompra\":", put_objeto},
    [LINK_SISTEMA] = {"\"linkSistemaOrigem\":", put_link_sistema},
    [LINK_PROCESSO] = {"\"linkProcessoEletronico\":", put_link_processo},
    [JUSTIFICATIVA] = {"\"justificativaPresencial\":", put_justificativa},
    [UNIDADE_SUB_ROGADA] = {"\"unidadeSubRogada\":", put_unidade_sub_rogada},
    [ORGAO_SUB_ROGADO] = {"\"orgaoSubRogado\":", put_orgao_sub_rogado},
    [VALOR_HOMOLOGADO] = {"\"valorTotalHomologado\":", put_valor_homologado},
    [VALOR_ESTIMADO] = {"\"valorTotalEstimado\":", put_valor_estimado},
    [MODALIDADE_ID] = {"\"modalidadeId\":", put_modalidade_id},
    [MODALIDADE_NOME] = {"\"modalidadeNome\":", put_modalidade_nome},
    [EMENDA] = {"\"emendaParlamentar\":", put_emenda},
    [NUMERO_CONTROLE] = {"\"numeroControlePNCP\":", put_numero_controle},
    [MODO_DISPUTA_ID] = {"\"modoDisputaId\":", put_modo_disputa_id},
    [MODO_DISPUTA_NOME] = {"\"modoDisputaNome\":", put_modo_disputa_nome},
    [INSTRUMENTO_CODIGO] = {"\"tipoInstrumentoConvocatorioCodigo\":", put_instrumento_codigo},
    [INSTRUMENTO_NOME] = {"\"tipoInstrumentoConvocatorioNome\":", put_instrumento_nome},
    [FONTES] = {"\"fontesOrcamentarias\":", put_fontes},
    [SITUACAO_ID] = {"\"situacaoCompraId\":", put_situacao_id},
    [SITUACAO_NOME] = {"\"situacaoCompraNome\":", put_situacao_nome},
    [USUARIO_NOME] = {"\"usuarioNome\":", put_usuario_nome},
    [SIGILO_CODIGO] = {"\"orcamentoSigilosoCodigo\":", put_sigilo_codigo},
    [SIGILO_DESCRICAO] = {"\"orcamentoSigilosoDescricao\":", put_sigilo_descricao},
    [EXISTE_RESULTADO] = {"\"existeResultado\":", put_existe_resultado},
};
/* clang-format on */

/* An amount with four decimals; in some a text, which fits no column of amounts. */
static void put_adjudicado(const struct sim_row *row, struct sim_text *text)
{
    SIM_PUT(text, ",\"valorAdjudicado\":");
    if (sim_once_in(row->hash, S_NEW_KEY + 1000, 6))
        SIM_PUT(text, "\"sob sigilo\"");
    else
        sim_text_decimal(text, 1 + (int64_t)(sim_mix2(row->hash, S_NEW_KEY + 2000) % 100000000000u), 4, 4);
}

void sim_generate_contratacao(const struct sim_generate *generate, const struct sim_row *row, bool single,
                              struct sim_text *text)
{
    /* One order per response is what the API shows; one per day and modalidade is simpler and makes /_truth the same
     * text. */
    uint64_t list_hash = sim_mix2(generate->config.seed, (uint64_t)(uint32_t)row->date.days * 64 + row->modalidade);
    const uint8_t *order = single ? ORDER_SINGLE : sim_once_in(list_hash, S_ORDER, 2) ? ORDER_2026_02 : ORDER_2026_06;
    char before = '{';

    for (; *order != FIELD_END; order++) {
        if (field_absent((enum field) * order, row))
            continue;
        sim_text_char(text, before);
        before = ',';
        sim_text_str(text, FIELDS[*order].key);
        FIELDS[*order].put_value(row, text);
    }
    if (sim_once_in(row->hash, S_EXTRA_TOP, 60))
        SIM_PUT(text, ",\"intencaoRegistroPreco\":{\"numero\":\"IRP "
                      "7\",\"participantes\":[1,2.50,null,\"três\"]},\"versaoRegistro\":3");
    if (sim_unit(sim_mix2(row->hash, S_NEW_KEY)) < generate->config.new_keys)
        put_adjudicado(row, text);
    SIM_PUT(text, "}");
}

void sim_generate_traits(const struct sim_row *row, struct sim_traits *ret_traits)
{
    *ret_traits = (struct sim_traits){
        .uf = pncp_view_of(SIM_UF[row->orgao->uf].sigla),
        .ibge = pncp_view_of(row->orgao->ibge),
        .unidade = pncp_view_of(row->orgao->codigo_unidade),
        .modo = pick_modo(row),
    };
}
