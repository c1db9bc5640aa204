#include "day/status.h"
#include "day/complete.h"
#include "day/falhas.h"
#include "day/layout.h"
#include "day/list.h"

#define PROGRESS_MAX_BYTES ((size_t)64 * 1024)

void pncp_day_status_release(struct pncp_day_status *status)
{
    pncp_buf_release(&status->progress);
}

static enum pncp_code read_data(struct pncp_lake *lake, struct pncp_date date, struct pncp_keyset *keys,
                                struct pncp_day_status *status, struct pncp_err *err)
{
    struct pncp_data data;
    enum pncp_code rc = pncp_data_open(lake, date, keys, &data, err);
    if (rc != PNCP_OK)
        return rc;
    status->has_data = data.exists;
    status->done = data.rows;
    const struct pncp_day_totals totals = pncp_data_totals(&data);
    status->itens = totals.itens;
    status->arquivos = totals.arquivos;
    if (data.exists) {
        status->file_bytes = data.footer.file_bytes;
        status->row_groups = data.footer.group_count;
    }
    if (pncp_data_newest(&data) != NULL)
        status->newest = *pncp_data_newest(&data);
    struct pncp_situations situations;
    rc = pncp_data_situations(&data, &situations, err);
    status->ausente = situations.ausente;
    status->vazio = situations.vazio;
    if (rc == PNCP_OK)
        rc = pncp_complete_check(&data, &status->complete, err);
    pncp_data_release(&data);
    return rc;
}

static enum pncp_code count_remaining(struct pncp_list *list, struct pncp_keyset *keys, struct pncp_day_status *status,
                                      struct pncp_err *err)
{
    AUTO(pncp_table_release) struct pncp_table table = {0};
    if (pncp_table_init(&table, pncp_list_schema()) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "list: out of memory");
    status->remaining = 0;
    for (size_t group = 0; group < pncp_list_groups(list); group++) {
        enum pncp_code rc = pncp_list_read_keys(list, group, &table, err);
        for (size_t row = 0; rc == PNCP_OK && row < table.rows; row++) {
            struct pncp_key key;
            rc = pncp_list_row_key(&table, row, &key, err);
            if (rc == PNCP_OK)
                status->remaining += (pncp_keyset_get(keys, pncp_key_pack(&key)) & PNCP_KEY_SAVED) == 0;
        }
        if (rc != PNCP_OK)
            return rc;
    }
    return PNCP_OK;
}

static enum pncp_code read_list(struct pncp_lake *lake, struct pncp_date date, struct pncp_keyset *keys,
                                struct pncp_day_status *status, struct pncp_err *err)
{
    struct pncp_list list;
    enum pncp_code rc = pncp_list_open(lake, date, &list, err);
    if (rc == PNCP_E_NOTFOUND)
        return PNCP_OK;
    if (rc != PNCP_OK)
        return rc;
    status->has_list = true;
    status->list_final = list.info.final;
    status->list_at_s = list.info.list_at_s;
    status->listed = list.rows;
    rc = count_remaining(&list, keys, status, err);
    status->complete = status->complete && status->remaining == 0; /* a list that has grown */
    pncp_list_release(&list);
    return rc;
}

static enum pncp_code read_falhas(struct pncp_lake *lake, struct pncp_date date, struct pncp_keyset *keys,
                                  struct pncp_day_status *status, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = PNCP_BUF_INIT(PNCP_FALHAS_MAX_BYTES);
    AUTO(pncp_falhas_release) struct pncp_falhas falhas = {0};
    char path[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_FALHAS, date, path);
    enum pncp_code rc = pncp_lake_load(lake, path, NULL, &text, NULL, err);
    if (rc == PNCP_E_NOTFOUND)
        return PNCP_OK;
    if (rc == PNCP_OK)
        rc = pncp_falhas_parse(pncp_buf_view(&text), &falhas, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "%s", path);
    int64_t now_s = pncp_clock_now_us() / 1000000;
    for (size_t i = 0; i < falhas.count; i++) {
        const struct pncp_falha *entry = &falhas.entries[i];
        if (entry->kind != PNCP_FALHA_FAILED || (pncp_keyset_get(keys, entry->key) & PNCP_KEY_SAVED) != 0)
            continue;
        status->failed++;
        status->failed_due += entry->not_before_s <= now_s;
    }
    return PNCP_OK;
}

enum pncp_code pncp_day_status_read(struct pncp_lake *lake, struct pncp_date date, struct pncp_day_status *ret_status,
                                    struct pncp_err *err)
{
    struct pncp_day_status status = {.listed = -1, .remaining = -1, .progress = PNCP_BUF_INIT(PROGRESS_MAX_BYTES)};
    char path[PNCP_PLACE_BYTES];
    struct pncp_keyset *keys;
    if (pncp_keyset_new(&keys) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "keys: out of memory");
    enum pncp_code rc = read_data(lake, date, keys, &status, err);
    if (rc == PNCP_OK)
        rc = read_list(lake, date, keys, &status, err);
    if (rc == PNCP_OK)
        rc = read_falhas(lake, date, keys, &status, err);
    pncp_keyset_free(keys);
    pncp_place_format(PNCP_PLACE_PROGRESSO, date, path);
    if (rc == PNCP_OK && pncp_lake_load(lake, path, NULL, &status.progress, NULL, NULL) != PNCP_OK)
        pncp_buf_clear(&status.progress); /* only for those who watch */
    if (rc != PNCP_OK) {
        pncp_day_status_release(&status);
        return rc;
    }
    *ret_status = status;
    return PNCP_OK;
}
