#include "day/renewals.h"
#include "base/mem.h"
#include "day/data_int.h"

#include <stdlib.h>

void pncp_renewals_init(struct pncp_renewals *renewals)
{
    *renewals = (struct pncp_renewals){.file = PNCP_GROUP_FILE_INIT};
}

void pncp_renewals_release(struct pncp_renewals *renewals)
{
    pncp_group_file_release(&renewals->file);
    pncp_free(renewals->entries);
    pncp_renewals_init(renewals);
}

enum pncp_code pncp_renewals_saw(struct pncp_renewals *renewals, const struct pncp_data_row *row)
{
    if (renewals->count == renewals->cap) {
        size_t cap = pncp_grow(renewals->cap, renewals->count + 1);
        struct pncp_renewal *entries = pncp_realloc(renewals->entries, cap, sizeof(*entries));
        if (entries == NULL)
            return PNCP_E_NOMEM;
        renewals->entries = entries;
        renewals->cap = cap;
    }
    renewals->entries[renewals->count++] = (struct pncp_renewal){.key = pncp_key_pack(&row->key),
                                                                 .mark = row->mark,
                                                                 .itens = (uint8_t)row->itens,
                                                                 .arquivos = (uint8_t)row->arquivos};
    return PNCP_OK;
}

static int by_key(const void *a, const void *b)
{
    const struct pncp_renewal *x = a, *y = b;
    return pncp_packed_key_cmp(x->key, y->key);
}

void pncp_renewals_seal(struct pncp_renewals *renewals)
{
    if (renewals->count > 0)
        qsort(renewals->entries, renewals->count, sizeof(*renewals->entries), by_key);
}

struct pncp_renewal *pncp_renewals_find(const struct pncp_renewals *renewals, struct pncp_packed_key key)
{
    const struct pncp_renewal wanted = {.key = key};
    if (renewals->count == 0)
        return NULL;
    return bsearch(&wanted, renewals->entries, renewals->count, sizeof(wanted), by_key);
}

bool pncp_renewal_is_better(const struct pncp_renewal *renewal, enum pncp_situacao itens, enum pncp_situacao arquivos)
{
    unsigned new_itens = itens, new_arquivos = arquivos; /* the enum's order: ok, vazio, ausente */
    return new_itens <= renewal->itens && new_arquivos <= renewal->arquivos &&
           (new_itens < renewal->itens || new_arquivos < renewal->arquivos);
}

/* The rows are in the file from its row number `first` on. */
static enum pncp_code note_rows(struct pncp_renewals *renewals, const struct pncp_table *rows, uint32_t first,
                                struct pncp_err *err)
{
    const struct pncp_details_leaves *at = pncp_details_leaves();
    size_t itens = 0, arquivos = 0;
    for (size_t row = 0; row < rows->rows; row++) {
        struct pncp_packed_key key;
        enum pncp_code rc = pncp_data_row_key(rows, row, &key, err);
        if (rc != PNCP_OK)
            return rc;
        struct pncp_renewal *renewal = pncp_renewals_find(renewals, key);
        int64_t itens_total = pncp_data_next_total(&rows->leaves[at->itens_total], row, &itens);
        int64_t arquivos_total = pncp_data_next_total(&rows->leaves[at->arquivos_total], row, &arquivos);
        if (renewal == NULL)
            continue;
        renewal->row = first + (uint32_t)row + 1;
        renewal->itens_total = (int32_t)PNCP_MAX(itens_total, (int64_t)0);
        renewal->arquivos_total = (int32_t)PNCP_MAX(arquivos_total, (int64_t)0);
    }
    return PNCP_OK;
}

enum pncp_code pncp_renewals_add(struct pncp_renewals *renewals, struct pncp_lake *lake, const struct pncp_table *rows,
                                 struct pncp_err *err)
{
    const struct pncp_encode_options options = {.zstd_level = 1}; /* the rewrite encodes it again */
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0};
    struct pncp_footer footer;
    enum pncp_code rc = PNCP_OK;
    if (renewals->file.stage.fd == -1)
        rc = pncp_group_file_open(&renewals->file, lake, err);
    if (rc == PNCP_OK)
        rc = pncp_group_encode(rows, &options, &bytes, &footer, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "renewed rows");
    rc = pncp_group_file_append(&renewals->file, &bytes, &footer, err);
    pncp_footer_release(&footer);
    if (rc == PNCP_OK)
        rc = note_rows(renewals, rows, renewals->rows, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "renewed rows");
    renewals->rows += (uint32_t)rows->rows;
    return PNCP_OK;
}
