/* Itens and arquivos of a generated row. */
#include "generate.h"
#include "mix.h"
#include "odd_text.h"

/* Salts of this file start at 200; those of a single item are asked of the item's own hash. */
enum {
    S_NUMBERING = 200,
    S_NUMBER_STYLE,
    S_DOC_ORDER,
    I_ODD,
    I_SERVICE,
    I_NOUN,
    I_TRAITS,
    I_UNIT,
    I_UNIT_VALUE,
    I_SCALE,
    I_QUANTITY,
    I_FRACTION,
    I_ROUNDING,
    I_SECRET,
    I_CATEGORY,
    I_CRITERIO,
    I_SITUACAO,
    I_BENEFIT,
    I_PPB,
    I_IMAGE,
    I_MARGIN,
    I_NCM,
    I_CATALOG,
    I_INFO,
    I_EXTRA,
    I_OUTSIDE,
    I_NEW_KEY,
    I_UPDATED,
    A_TITLE,
    A_TYPE,
    A_EXTRA,
    A_ODD,
    A_SECOND
};

/* Numbers on the wire: nobody has published whether itens are padded, so days hold both, and a few exponents. */
enum number_style { PADDED, TRIMMED, EXPONENT };

static enum number_style number_style(const struct sim_row *row)
{
    uint32_t u = sim_pick(row->hash, S_NUMBER_STYLE, 200);
    return u == 0 ? EXPONENT : u < 120 ? PADDED : TRIMMED;
}

/* `value` in units of 10^-4. */
static void put_value(struct sim_text *text, int64_t value, enum number_style style)
{
    switch (style) {
    case PADDED:
        sim_text_decimal(text, value, 4, 4);
        break;
    case TRIMMED:
        sim_text_decimal(text, value, 4, 1);
        break;
    case EXPONENT: /* as Java prints a BigDecimal with a negative scale, or the raw unscaled value */
        sim_text_i64(text, value);
        SIM_PUT(text, "E-4");
        break;
    }
}

static uint32_t item_number(const struct sim_row *row, uint32_t k)
{
    uint32_t u = sim_pick(row->hash, S_NUMBERING, 100);
    if (u == 0)
        return 2100054 + k;
    return u < 3 ? k * 3 + 5 : k + 1;
}

static void put_description(struct sim_text *text, uint64_t h, bool service)
{
    if (sim_once_in(h, I_ODD, 150)) {
        sim_odd_text(text, h);
        return;
    }
    SIM_PUT(text, "\"");
    sim_text_str(text, service ? sim_word(SIM_SERVICE_NOUNS, h, I_NOUN) : sim_word(SIM_ITEM_NOUNS, h, I_NOUN));
    for (uint32_t i = sim_pick(h, I_TRAITS, 6); i > 0; i--)
        sim_text_str(text, sim_word(SIM_ITEM_TRAITS, h, 1000 + i));
    SIM_PUT(text, "\"");
}

struct amounts {
    int64_t unit, quantity, total; /* 10^-4 */
};

static struct amounts item_amounts(uint64_t h)
{
    static const int64_t UNIT_CEILINGS[] = {100000, 1000000, 5000000, 50000000, 1000000000};
    static const int64_t QUANTITY_CEILINGS[] = {10, 100, 1000, 20000, 5000000};
    struct amounts amounts;

    amounts.unit = 1 + (int64_t)(sim_mix2(h, I_UNIT_VALUE) % (uint64_t)UNIT_CEILINGS[sim_pick(h, I_SCALE, 5)]);
    if (!sim_once_in(h, I_ROUNDING, 4))
        amounts.unit = amounts.unit / 100 * 100 + 100; /* most estimates are whole cents */
    amounts.quantity =
        1 + (int64_t)(sim_mix2(h, I_QUANTITY) % (uint64_t)QUANTITY_CEILINGS[sim_pick(h, I_SCALE + 1000, 5)]);
    amounts.quantity = amounts.quantity * 10000 +
                       (sim_once_in(h, I_FRACTION, 12) ? 1 + (int64_t)sim_pick(h, I_FRACTION + 1000, 9999) : 0);
    /* Down to cents in most, so that the total is not always the product. */
    amounts.total = amounts.unit * (amounts.quantity / 10000) + amounts.unit * (amounts.quantity % 10000) / 10000;
    if (!sim_once_in(h, I_ROUNDING + 1000, 3))
        amounts.total = amounts.total / 100 * 100;
    return amounts;
}

static void put_named(struct sim_text *text, const char *key, uint32_t code, const char *name_key,
                      const char *const *names)
{
    sim_text_str(text, key);
    sim_text_u64(text, code);
    sim_text_str(text, name_key);
    sim_text_str(text, names[code]);
    SIM_PUT(text, "\"");
}

static void put_catalogue(const struct sim_row *row, struct sim_text *text, uint64_t h)
{
    if (!sim_once_in(h, I_CATALOG, 40)) {
        SIM_PUT(text, ",\"catalogo\":null,\"categoriaItemCatalogo\":null,\"catalogoCodigoItem\":null");
        return;
    }
    SIM_PUT(text, ",\"catalogo\":{\"id\":1,\"nome\":\"Catálogo do Compras.gov.br\",\"descricao\":\"CATMAT e "
                  "CATSER\",\"dataInclusao\":");
    sim_text_datetime(text, row->date, 36000);
    SIM_PUT(text, ",\"dataAtualizacao\":");
    sim_text_datetime(text, row->date, 36001);
    SIM_PUT(text,
            ",\"statusAtivo\":true,\"url\":\"https://catalogo.example.gov.br\"},\"categoriaItemCatalogo\":{\"id\":");
    sim_text_u64(text, 1 + sim_pick(h, I_CATALOG + 1000, 3));
    SIM_PUT(text, ",\"nome\":\"Material\",\"descricao\":null,\"dataInclusao\":");
    sim_text_datetime(text, row->date, 36000);
    SIM_PUT(text, ",\"dataAtualizacao\":");
    sim_text_datetime(text, row->date, 36001);
    SIM_PUT(text, ",\"statusAtivo\":true},\"catalogoCodigoItem\":\"");
    sim_text_u64_padded(text, sim_pick(h, I_CATALOG + 2000, 1000000), 6);
    SIM_PUT(text, "\"");
}

static void put_margin(struct sim_text *text, uint64_t h, bool margin)
{
    if (margin)
        SIM_PUT(text,
                ",\"aplicabilidadeMargemPreferenciaNormal\":true,\"aplicabilidadeMargemPreferenciaAdicional\":false"
                ",\"percentualMargemPreferenciaNormal\":10.0000,\"percentualMargemPreferenciaAdicional\":null");
    else
        SIM_PUT(text,
                ",\"aplicabilidadeMargemPreferenciaNormal\":false,\"aplicabilidadeMargemPreferenciaAdicional\":false"
                ",\"percentualMargemPreferenciaNormal\":null,\"percentualMargemPreferenciaAdicional\":null");
    if (sim_once_in(h, I_NCM, 30)) {
        SIM_PUT(text, ",\"ncmNbsCodigo\":\"");
        sim_text_u64_padded(text, sim_pick(h, I_NCM + 1000, 100000000), 8);
        SIM_PUT(text, "\",\"ncmNbsDescricao\":\"Outros\"");
    } else {
        SIM_PUT(text, ",\"ncmNbsCodigo\":null,\"ncmNbsDescricao\":null");
    }
}

void sim_generate_item(const struct sim_generate *generate, const struct sim_row *row, uint32_t k,
                       struct sim_text *text)
{
    uint64_t h = sim_mix2(row->hash, 0x1000000u + (uint64_t)k);
    bool service = sim_once_in(h, I_SERVICE, 3);
    bool margin = sim_once_in(h, I_MARGIN, 60);
    enum sim_sigilo sigilo = sim_generate_sigilo(row);
    bool secret = sigilo == SIM_SIGILO_ALL || (sigilo == SIM_SIGILO_PART && sim_once_in(h, I_SECRET, 2));
    enum number_style style = number_style(row);
    struct amounts amounts = item_amounts(h);
    uint32_t situacao =
        sim_generate_has_result(row) ? (sim_once_in(h, I_SITUACAO, 8) ? 3 + sim_pick(h, I_SITUACAO + 1000, 3) : 2) : 1;

    if (secret && situacao != 2)
        amounts.unit = amounts.total = 0;

    SIM_PUT(text, "{\"numeroItem\":");
    sim_text_u64(text, item_number(row, k));
    SIM_PUT(text, ",\"descricao\":");
    put_description(text, h, service);
    if (service)
        SIM_PUT(text, ",\"materialOuServico\":\"S\",\"materialOuServicoNome\":\"Serviço\",\"valorUnitarioEstimado\":");
    else
        SIM_PUT(text, ",\"materialOuServico\":\"M\",\"materialOuServicoNome\":\"Material\",\"valorUnitarioEstimado\":");
    put_value(text, amounts.unit, style);
    SIM_PUT(text, ",\"valorTotal\":");
    put_value(text, amounts.total, style);
    SIM_PUT(text, ",\"quantidade\":");
    if (generate->config.odd_values > 0 && sim_unit(sim_mix2(h, I_OUTSIDE)) < generate->config.odd_values)
        SIM_PUT(text, "0.1234567");
    else
        put_value(text, amounts.quantity, style);
    SIM_PUT(text, ",\"unidadeMedida\":\"");
    sim_text_str(text, sim_word(SIM_ITEM_UNITS, h, I_UNIT));
    SIM_PUT(text, "\",\"orcamentoSigiloso\":");
    sim_text_bool(text, secret);
    SIM_PUT(text, ",\"itemCategoriaId\":3,\"itemCategoriaNome\":\"Não se "
                  "aplica\",\"patrimonio\":null,\"codigoRegistroImobiliario\":null");
    put_named(text, ",\"criterioJulgamentoId\":",
              row->modalidade == 9             ? 7
              : sim_once_in(h, I_CRITERIO, 10) ? 2
                                               : 1,
              ",\"criterioJulgamentoNome\":\"", SIM_CRITERIO);
    put_named(text, ",\"situacaoCompraItem\":", situacao, ",\"situacaoCompraItemNome\":\"", SIM_SITUACAO_ITEM);
    put_named(text, ",\"tipoBeneficio\":", 1 + sim_pick(h, I_BENEFIT, 5), ",\"tipoBeneficioNome\":\"", SIM_BENEFICIO);
    SIM_PUT(text, ",\"incentivoProdutivoBasico\":");
    sim_text_bool(text, sim_once_in(h, I_PPB, 200));
    SIM_PUT(text, ",\"dataInclusao\":");
    sim_text_datetime(text, row->date, row->second);
    SIM_PUT(text, ",\"dataAtualizacao\":");
    sim_text_datetime(text, row->date, PNCP_MIN(row->second + sim_pick(h, I_UPDATED, 8), 86399u));
    SIM_PUT(text, ",\"temResultado\":");
    sim_text_bool(text, situacao == 2);
    SIM_PUT(text, ",\"imagem\":");
    sim_text_u64(text, sim_once_in(h, I_IMAGE, 100) ? 2 : 0);
    put_margin(text, h, margin);
    put_catalogue(row, text, h);
    SIM_PUT(text, ",\"informacaoComplementar\":");
    if (sim_once_in(h, I_INFO, 20))
        sim_odd_text(text, sim_mix2(h, I_INFO + 1000));
    else
        SIM_PUT(text, "null");
    if (margin)
        SIM_PUT(
            text,
            ",\"tipoMargemPreferencia\":{\"codigo\":1,\"nome\":\"Margem normal\"},\"exigenciaConteudoNacional\":true");
    else
        SIM_PUT(text, ",\"tipoMargemPreferencia\":null,\"exigenciaConteudoNacional\":false");
    if (sim_once_in(h, I_EXTRA, 200))
        SIM_PUT(text, ",\"criterioSustentabilidade\":[\"reciclável\",{\"nota\":7.50}]");
    if (sim_unit(sim_mix2(h, I_NEW_KEY)) < generate->config.new_keys) {
        SIM_PUT(text, ",\"observacaoItem\":");
        sim_odd_text(text, sim_mix2(h, I_NEW_KEY + 1000));
    }
    SIM_PUT(text, "}");
}

/* In some lists numbers are missing (removed files), in some neighbours stand in the wrong order, in some both. */
static uint32_t document_number(const struct sim_row *row, uint32_t k)
{
    uint32_t u = sim_pick(row->hash, S_DOC_ORDER, 100), rows = row->part_rows[SIM_ARQUIVOS];

    if (u < 6 && (k ^ 1) < rows)
        k ^= 1;
    return u >= 3 && u < 13 ? k + 1 + (k + 2) / 3 : k + 1;
}

void sim_generate_arquivo(const struct sim_row *row, uint32_t k, struct sim_text *text)
{
    static const uint8_t TYPES[] = {16, 16, 16, 16, 16, 2, 2, 4, 4, 7, 1, 20, 3, 9, 10, 6, 19};
    uint64_t h = sim_mix2(row->hash, 0x2000000u + (uint64_t)k);
    uint32_t type = TYPES[sim_pick(h, A_TYPE, (uint32_t)PNCP_ARRAY_LEN(TYPES))], number = document_number(row, k);

    for (int i = 0; i < 2; i++) {
        if (i == 0)
            SIM_PUT(text, "{\"uri\":\"https://pncp.gov.br/pncp-api/v1/orgaos/");
        else
            SIM_PUT(text, "\",\"url\":\"https://pncp.gov.br/pncp-api/v1/orgaos/");
        sim_text_put(text, row->cnpj, SIM_CNPJ_CHARS);
        SIM_PUT(text, "/compras/");
        sim_text_u64(text, row->ano);
        SIM_PUT(text, "/");
        sim_text_u64(text, row->sequencial);
        SIM_PUT(text, "/arquivos/");
        sim_text_u64(text, number);
    }
    SIM_PUT(text, "\",\"sequencialDocumento\":");
    sim_text_u64(text, number);
    SIM_PUT(text, ",\"dataPublicacaoPncp\":");
    sim_text_datetime(text, row->date, PNCP_MIN(row->second + sim_pick(h, A_SECOND, 60), 86399u));
    SIM_PUT(text, ",\"cnpj\":\"");
    sim_text_put(text, row->cnpj, SIM_CNPJ_CHARS);
    SIM_PUT(text, "\",\"anoCompra\":");
    sim_text_u64(text, row->ano);
    SIM_PUT(text, ",\"sequencialCompra\":");
    sim_text_u64(text, row->sequencial);
    SIM_PUT(text, ",\"statusAtivo\":true,\"titulo\":");
    if (sim_once_in(h, A_ODD, 200)) {
        sim_odd_text(text, h);
    } else {
        sim_text_quoted(text, sim_word(SIM_TITLES, h, A_TITLE));
    }
    SIM_PUT(text, ",\"tipoDocumentoNome\":\"");
    sim_text_str(text, SIM_TIPO_DOCUMENTO[type]);
    SIM_PUT(text, "\",\"tipoDocumentoId\":");
    sim_text_u64(text, type);
    SIM_PUT(text, ",\"tipoDocumentoDescricao\":\"");
    sim_text_str(text, SIM_TIPO_DOCUMENTO[type]);
    SIM_PUT(text, "\"");
    if (sim_once_in(h, A_EXTRA, 100))
        SIM_PUT(text, ",\"tamanhoBytes\":1048576,\"assinado\":false");
    SIM_PUT(text, "}");
}
