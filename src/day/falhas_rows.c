#include "day/falhas_rows.h"
#include "day/layout.h"
#include "lake/race.h"

static enum pncp_code take_part(struct pncp_falhas *falhas, struct pncp_packed_key key, enum pncp_falha_part part,
                                enum pncp_situacao situacao, int64_t obtained_s)
{
    const struct pncp_falha *entry = pncp_falhas_part(falhas, key, part);
    bool absent = situacao == PNCP_SITUACAO_AUSENTE;
    enum pncp_falha_kind kind = absent ? PNCP_FALHA_AUSENTE : PNCP_FALHA_VAZIO;
    if (situacao != PNCP_SITUACAO_OK && entry != NULL && entry->kind == kind)
        return PNCP_OK;
    if (entry != NULL)
        pncp_falhas_drop(falhas, entry);
    if (situacao == PNCP_SITUACAO_OK)
        return PNCP_OK;
    return pncp_falhas_note(falhas, key, part, kind, absent ? PNCP_REASON_HTTP : PNCP_REASON_NONE, absent ? 404 : 0,
                            obtained_s);
}

static enum pncp_code take_row(void *ctx, const struct pncp_data_row *row, struct pncp_err *err)
{
    struct pncp_falhas *falhas = ctx;
    struct pncp_packed_key key = pncp_key_pack(&row->key);
    int64_t obtained_s = row->obtido_em_us / 1000000;
    pncp_falhas_resolve(falhas, key);
    enum pncp_code rc = take_part(falhas, key, PNCP_FALHA_ITENS, row->itens, obtained_s);
    if (rc == PNCP_OK)
        rc = take_part(falhas, key, PNCP_FALHA_ARQUIVOS, row->arquivos, obtained_s);
    return rc == PNCP_OK ? PNCP_OK : pncp_err_set(err, rc, "falhas: out of memory");
}

enum pncp_code pncp_falhas_from_rows(struct pncp_falhas *falhas, struct pncp_data *data, struct pncp_err *err)
{
    return pncp_data_each_row(data, &(struct pncp_row_walk){take_row, NULL, falhas}, NULL, err);
}

static enum pncp_code settle_once(struct pncp_falhas *falhas, struct pncp_data *data, struct pncp_err *err)
{
    AUTO(pncp_falhas_release) struct pncp_falhas other = {0};
    enum pncp_code rc = pncp_falhas_load(data->lake, data->date, &other, NULL, err);
    if (rc == PNCP_OK && pncp_falhas_merge(falhas, &other) != PNCP_OK)
        rc = pncp_err_set(err, PNCP_E_NOMEM, "falhas: out of memory");
    if (rc == PNCP_OK)
        rc = pncp_falhas_from_rows(falhas, data, err);
    return rc == PNCP_OK ? pncp_falhas_write(data->lake, data->date, falhas, data->keys, err) : rc;
}

enum pncp_code pncp_falhas_settle(struct pncp_falhas *falhas, struct pncp_data *data, struct pncp_err *err)
{
    char path[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_FALHAS, data->date, path);
    unsigned losses = 0;
    enum pncp_code rc = settle_once(falhas, data, err);
    while (rc == PNCP_E_CONFLICT && pncp_race_lost(&losses, path, err) == PNCP_OK)
        rc = settle_once(falhas, data, err);
    return rc;
}
