#include "orgaos.h"

#include "base/mem.h"
#include "json_text.h"
#include "mix.h"
#include "vocabulary.h"

#define SLOTS 16384u /* a power of two, about three times SIM_ORGAOS */

/* Check digits: the character code less 48, weights 2..9 from the right, modulus 11 (the rule that Receita Federal
 * published for alphanumeric CNPJs; it gives the old digits for old numbers). */
static char check_digit(const char *text, size_t len)
{
    int sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += (text[len - 1 - i] - '0') * (int)(2 + i % 8);
    int rest = sum % 11;
    return (char)('0' + (rest < 2 ? 0 : 11 - rest));
}

static void make_cnpj(uint64_t seed, uint32_t index, char ret_cnpj[SIM_CNPJ_CHARS + 1])
{
    static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    uint64_t h = sim_mix2(seed, 0x0c00000000u + index);
    /* Neither prime divides 10^8: distinct indices give distinct roots. */
    uint32_t root = (uint32_t)(((uint64_t)index * 48271u * 1009u + seed % 100000000u) % 100000000u);

    for (int i = 7; i >= 0; i--) {
        ret_cnpj[i] = DIGITS[root % 10];
        root /= 10;
    }
    /* One letter in the first place keeps an alphanumeric root apart from every numeric one; the rest stays distinct.
     */
    if (sim_once_in(h, 1, 32)) {
        ret_cnpj[0] = DIGITS[10 + (ret_cnpj[0] - '0')];
        ret_cnpj[3] = DIGITS[10 + (ret_cnpj[3] - '0') * 2 + (int)sim_pick(h, 2, 2)];
    }
    memcpy(ret_cnpj + 8, sim_once_in(h, 3, 20) ? "0002" : "0001", 4);
    ret_cnpj[12] = check_digit(ret_cnpj, 12);
    ret_cnpj[13] = check_digit(ret_cnpj, 13);
    ret_cnpj[14] = '\0';
}

/* Observed pairs of esfera and poder, the commonest first. */
static void pick_esfera(uint64_t h, char *ret_esfera, char *ret_poder)
{
    static const char PAIRS[][2] = {{'M', 'E'}, {'F', 'E'}, {'E', 'E'}, {'E', 'N'}, {'E', 'L'},
                                    {'E', 'J'}, {'M', 'L'}, {'N', 'E'}, {'N', 'N'}};

    *ret_esfera = 'M';
    *ret_poder = 'N';
    if (sim_once_in(h, 10, 4)) {
        uint32_t pair = sim_pick(h, 11, (uint32_t)PNCP_ARRAY_LEN(PAIRS));
        *ret_esfera = PAIRS[pair][0];
        *ret_poder = PAIRS[pair][1];
    }
}

static void write_objects(struct sim_text *text, struct sim_orgao *orgao, uint64_t h, size_t *ret_entidade,
                          size_t *ret_unidade)
{
    const struct sim_uf *uf = &SIM_UF[orgao->uf];
    const char *first = sim_word(SIM_PLACE_FIRST, h, 20), *last = sim_word(SIM_PLACE_LAST, h, 21);
    static const char *const KINDS[] = {"MUNICIPIO DE ", "PREFEITURA MUNICIPAL DE ", "FUNDO MUNICIPAL DE SAUDE DE ",
                                        "CAMARA MUNICIPAL DE ", "CONSORCIO INTERMUNICIPAL DE "};
    const char *kind = sim_once_in(h, 22, 3) ? KINDS[sim_pick(h, 23, (uint32_t)PNCP_ARRAY_LEN(KINDS))] : KINDS[0];
    char esfera, poder;
    size_t start = text->buf.len;

    pick_esfera(h, &esfera, &poder);
    SIM_PUT(text, "{\"cnpj\":\"");
    sim_text_put(text, orgao->cnpj, SIM_CNPJ_CHARS);
    SIM_PUT(text, "\",\"razaoSocial\":\"");
    sim_text_str(text, kind);
    sim_text_str(text, first);
    sim_text_str(text, last);
    SIM_PUT(text, "\",\"poderId\":\"");
    sim_text_char(text, poder);
    SIM_PUT(text, "\",\"esferaId\":\"");
    sim_text_char(text, esfera);
    SIM_PUT(text, "\"");
    *ret_entidade = text->buf.len - start;

    start = text->buf.len;
    SIM_PUT(text, "{\"ufNome\":\"");
    sim_text_str(text, uf->nome);
    SIM_PUT(text, "\",\"codigoUnidade\":\"");
    sim_text_str(text, orgao->codigo_unidade);
    SIM_PUT(text, "\",\"nomeUnidade\":\"Prefeitura Municipal de ");
    sim_text_str(text, first);
    sim_text_str(text, last);
    SIM_PUT(text, "\",\"ufSigla\":\"");
    sim_text_str(text, uf->sigla);
    SIM_PUT(text, "\",\"municipioNome\":\"");
    sim_text_str(text, first);
    sim_text_str(text, last);
    SIM_PUT(text, "\",\"codigoIbge\":\"");
    sim_text_str(text, orgao->ibge);
    SIM_PUT(text, "\"");
    *ret_unidade = text->buf.len - start;
}

static void put_digits(char *ret, uint32_t value, size_t digits)
{
    for (size_t i = digits; i-- > 0; value /= 10)
        ret[i] = (char)('0' + value % 10);
    ret[digits] = '\0';
}

static uint32_t slot_of(const char *cnpj)
{
    return (uint32_t)sim_mix_bytes(cnpj, SIM_CNPJ_CHARS, 0) & (SLOTS - 1);
}

static void insert_slot(struct sim_orgaos *orgaos, uint32_t index)
{
    uint32_t slot = slot_of(orgaos->rows[index].cnpj);

    while (orgaos->slots[slot] != 0)
        slot = (slot + 1) & (SLOTS - 1);
    orgaos->slots[slot] = (uint16_t)(index + 1);
}

enum pncp_code sim_orgaos_init(struct sim_orgaos *orgaos, uint64_t seed, struct pncp_err *err)
{
    AUTO(sim_text_release) struct sim_text text = SIM_TEXT_INIT;

    *orgaos = (struct sim_orgaos){.rows = pncp_calloc(SIM_ORGAOS, sizeof(*orgaos->rows)),
                                  .slots = pncp_calloc(SLOTS, sizeof(*orgaos->slots))};
    if (orgaos->rows == NULL || orgaos->slots == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "no memory for the table of órgãos");

    for (uint32_t i = 0; i < SIM_ORGAOS; i++) {
        struct sim_orgao *orgao = &orgaos->rows[i];
        uint64_t h = sim_mix2(seed, 0x0a00000000u + i);

        make_cnpj(seed, i, orgao->cnpj);
        orgao->uf = (uint8_t)sim_pick(h, 30, SIM_UFS);
        put_digits(orgao->ibge, SIM_UF[orgao->uf].ibge * 100000u + sim_pick(h, 31, 100000), 7);
        put_digits(orgao->codigo_unidade, sim_pick(h, 32, 1000000), 1 + sim_pick(h, 33, 6));
        write_objects(&text, orgao, h, &orgao->entidade.len, &orgao->unidade.len);
        insert_slot(orgaos, i);
    }
    if (text.failed)
        return pncp_err_set(err, PNCP_E_NOMEM, "no memory for the table of órgãos");

    orgaos->arena = pncp_buf_take(&text.buf).data;
    const char *at = orgaos->arena;
    for (uint32_t i = 0; i < SIM_ORGAOS; i++) {
        orgaos->rows[i].entidade.data = at;
        at += orgaos->rows[i].entidade.len;
        orgaos->rows[i].unidade.data = at;
        at += orgaos->rows[i].unidade.len;
    }
    return PNCP_OK;
}

void sim_orgaos_release(struct sim_orgaos *orgaos)
{
    pncp_free(orgaos->rows);
    pncp_free(orgaos->slots);
    pncp_free(orgaos->arena);
    *orgaos = (struct sim_orgaos){0};
}

int sim_orgaos_find(const struct sim_orgaos *orgaos, struct pncp_view cnpj)
{
    if (cnpj.len != SIM_CNPJ_CHARS)
        return -1;
    for (uint32_t slot = slot_of(cnpj.data); orgaos->slots[slot] != 0; slot = (slot + 1) & (SLOTS - 1)) {
        uint32_t index = orgaos->slots[slot] - 1u;
        if (memcmp(orgaos->rows[index].cnpj, cnpj.data, SIM_CNPJ_CHARS) == 0)
            return (int)index;
    }
    return -1;
}
