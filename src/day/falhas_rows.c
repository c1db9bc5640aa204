#include "day/falhas_rows.h"

#include <string.h>

/* The entry of (key, part) that is not `failed`, or NULL. */
static struct pncp_falha *find(struct pncp_falhas *falhas, struct pncp_packed_key key, enum pncp_falha_part part)
{
    size_t low = 0, high = falhas->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pncp_packed_key_cmp(falhas->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < falhas->count && pncp_packed_key_cmp(falhas->entries[low].key, key) == 0; low++) {
        if (falhas->entries[low].part == part && falhas->entries[low].kind != PNCP_FALHA_FAILED)
            return &falhas->entries[low];
    }
    return NULL;
}

static void drop(struct pncp_falhas *falhas, struct pncp_falha *entry)
{
    size_t behind = (size_t)(falhas->entries + falhas->count - (entry + 1));
    memmove(entry, entry + 1, behind * sizeof(*entry));
    falhas->count--;
    falhas->dirty = true;
}

static enum pncp_code take_part(struct pncp_falhas *falhas, struct pncp_packed_key key, enum pncp_falha_part part,
                                enum pncp_situacao situacao, int64_t obtained_s)
{
    struct pncp_falha *entry = find(falhas, key, part);
    bool absent = situacao == PNCP_SITUACAO_AUSENTE;
    enum pncp_falha_kind kind = absent ? PNCP_FALHA_AUSENTE : PNCP_FALHA_VAZIO;
    if (situacao != PNCP_SITUACAO_OK && entry != NULL && entry->kind == kind)
        return PNCP_OK;
    if (entry != NULL)
        drop(falhas, entry);
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
    return pncp_data_each_row(data, take_row, falhas, NULL, err);
}
