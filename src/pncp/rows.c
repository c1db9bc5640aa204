#include "pncp/rows.h"
#include "pncp/decode.h"

#include <string.h>

/* ---- identity -------------------------------------------------------------------------------- */

enum pncp_code pncp_rows_key(yyjson_val *contratacao, struct pncp_key *ret_key, struct pncp_err *err)
{
    struct pncp_view cnpj = pncp_json_text(pncp_json_get(pncp_json_get(contratacao, "orgaoEntidade"), "cnpj"));
    int64_t ano, sequencial;
    bool whole = cnpj.len > 0 && pncp_json_int(pncp_json_get(contratacao, "anoCompra"), &ano) &&
                 pncp_json_int(pncp_json_get(contratacao, "sequencialCompra"), &sequencial);
    if (whole)
        return pncp_key_make(cnpj, ano, sequencial, ret_key, err);
    struct pncp_view controle = pncp_json_text(pncp_json_get(contratacao, "numeroControlePNCP"));
    if (controle.len == 0)
        return pncp_err_set(err, PNCP_E_PARSE,
                            "no orgaoEntidade.cnpj, anoCompra and sequencialCompra, and no numeroControlePNCP");
    return pncp_key_from_controle(controle, ret_key, err);
}

bool pncp_rows_day(yyjson_val *contratacao, struct pncp_date *ret_date)
{
    struct pncp_view text = pncp_json_text(pncp_json_get(contratacao, "dataPublicacaoPncp"));
    int64_t us;
    if (text.len == strlen("2025-10-22")) /* only the day, as others keep it; the API sends the time too */
        return pncp_date_parse(text, ret_date);
    if (!pncp_datetime_parse(text, &us))
        return false;
    if (pncp_view_ends(text, "Z")) { /* an instant; the API sends civil times of Brasília */
        *ret_date = pncp_date_brasilia(us);
        return true;
    }
    return pncp_date_parse((struct pncp_view){text.data, 10}, ret_date);
}

/* ---- the list -------------------------------------------------------------------------------- */

static enum pncp_code put_list_row(struct pncp_table *list, const struct pncp_key *key, struct pncp_date date,
                                   yyjson_val *contratacao)
{
    const struct pncp_list_leaves *at = pncp_list_leaves();
    struct pncp_leaf *leaves = list->leaves;
    AUTO(pncp_decoder_release) struct pncp_decoder decoder;
    pncp_decoder_init(&decoder, list);
    enum pncp_code rc = pncp_leaf_put_text(&leaves[at->cnpj], 0, pncp_view_of(key->cnpj));
    if (rc == PNCP_OK)
        rc = pncp_leaf_put_int(&leaves[at->ano], 0, key->ano);
    if (rc == PNCP_OK)
        rc = pncp_leaf_put_int(&leaves[at->sequencial], 0, key->sequencial);
    if (rc == PNCP_OK)
        rc = pncp_leaf_put_int(&leaves[at->data_publicacao], 0, date.days);
    if (rc == PNCP_OK)
        rc = pncp_decode_record(&decoder, &list->schema->nodes[0], contratacao, 0);
    if (rc == PNCP_OK)
        rc = pncp_leaf_put_int(&leaves[at->valores_fora_do_tipo], 0, decoder.misfits);
    return rc;
}

enum pncp_code pncp_rows_put_contratacao(struct pncp_table *list, yyjson_val *contratacao, struct pncp_err *err)
{
    struct pncp_key key;
    struct pncp_date date;
    enum pncp_code rc = pncp_rows_key(contratacao, &key, err);
    if (rc != PNCP_OK)
        return rc;
    if (!pncp_rows_day(contratacao, &date))
        return pncp_err_set(err, PNCP_E_PARSE, "no valid dataPublicacaoPncp");
    return pncp_rows_put_known(list, &key, date, contratacao, err);
}

enum pncp_code pncp_rows_put_known(struct pncp_table *list, const struct pncp_key *key, struct pncp_date date,
                                   yyjson_val *contratacao, struct pncp_err *err)
{
    pncp_table_row_begin(list);
    enum pncp_code rc = put_list_row(list, key, date, contratacao);
    if (rc != PNCP_OK) {
        pncp_table_row_undo(list);
        return pncp_err_set(err, rc, "list: out of memory");
    }
    pncp_table_row_end(list);
    return PNCP_OK;
}

/* ---- the details ----------------------------------------------------------------------------- */

static enum pncp_code put_part(struct pncp_table *details, const struct pncp_node *node,
                               const struct pncp_part_fetch *part)
{
    switch (part->situacao) {
    case PNCP_SITUACAO_AUSENTE:
        return pncp_table_put_null(details, node, 0);
    case PNCP_SITUACAO_VAZIO:
        return pncp_table_put_empty(details, node, 0);
    case PNCP_SITUACAO_OK:
        break;
    }
    return pncp_part_rows_put(&part->rows, details);
}

static enum pncp_code put_or_null(struct pncp_leaf *leaf, bool is_null, int64_t value)
{
    return is_null ? pncp_leaf_put_null(leaf, 0, 0) : pncp_leaf_put_int(leaf, 0, value);
}

/* The bookkeeping of one part: situation, rows received, what /quantidade said. */
static enum pncp_code put_part_counts(struct pncp_table *details, const struct pncp_part_fetch *part)
{
    const struct pncp_details_leaves *at = pncp_details_leaves();
    bool itens = part->part == PNCP_PART_ITENS;
    struct pncp_leaf *leaves = details->leaves;
    enum pncp_code rc = pncp_leaf_put_text(&leaves[itens ? at->itens_situacao : at->arquivos_situacao], 0,
                                           pncp_view_of(pncp_situacao_text(part->situacao)));
    if (rc == PNCP_OK)
        rc = put_or_null(&leaves[itens ? at->itens_total : at->arquivos_total], part->situacao == PNCP_SITUACAO_AUSENTE,
                         part->rows.count);
    if (rc == PNCP_OK)
        rc = put_or_null(&leaves[itens ? at->itens_quantidade : at->arquivos_quantidade], part->quantidade < 0,
                         part->quantidade);
    return rc;
}

static enum pncp_code put_stamp(struct pncp_table *details, const struct pncp_row_stamp *stamp, int64_t misfits)
{
    const struct pncp_details_leaves *at = pncp_details_leaves();
    struct pncp_leaf *leaves = details->leaves;
    enum pncp_code rc = pncp_leaf_put_int(&leaves[at->valores_fora_do_tipo], 0, misfits);
    if (rc == PNCP_OK)
        rc = pncp_leaf_put_int(&leaves[at->obtido_em], 0, stamp->obtido_em_us);
    if (rc == PNCP_OK)
        rc = pncp_leaf_put_text(&leaves[at->run_id], 0, stamp->run_id);
    if (rc == PNCP_OK)
        rc = pncp_leaf_put_int(&leaves[at->checkpoint], 0, stamp->checkpoint);
    return rc;
}

static enum pncp_code put_details_row(struct pncp_table *details, struct pncp_table *list, size_t list_row,
                                      const struct pncp_part_fetch parts[PNCP_PARTS],
                                      const struct pncp_row_stamp *stamp, int64_t misfits)
{
    const struct pncp_details_leaves *at = pncp_details_leaves();
    const struct pncp_node *nodes = details->schema->nodes;
    enum pncp_code rc = pncp_table_copy_cells(details, 0, list, 0, pncp_list_shared_leaves(), list_row);
    for (size_t leaf = (size_t)pncp_list_leaves()->extra; rc == PNCP_OK && leaf < list->schema->leaf_count; leaf++)
        rc = pncp_table_copy_cells(details, pncp_list_details_leaf(leaf), list, leaf, 1, list_row);
    if (rc == PNCP_OK)
        rc = put_part(details, &nodes[at->itens_node], &parts[PNCP_PART_ITENS]);
    if (rc == PNCP_OK)
        rc = put_part(details, &nodes[at->arquivos_node], &parts[PNCP_PART_ARQUIVOS]);
    for (size_t part = 0; rc == PNCP_OK && part < PNCP_PARTS; part++)
        rc = put_part_counts(details, &parts[part]);
    return rc == PNCP_OK ? put_stamp(details, stamp, misfits) : rc;
}

enum pncp_code pncp_rows_put_details(struct pncp_table *details, struct pncp_table *list, size_t list_row,
                                     const struct pncp_part_fetch parts[PNCP_PARTS], const struct pncp_row_stamp *stamp,
                                     struct pncp_row_counts *ret_counts, struct pncp_err *err)
{
    const struct pncp_part_rows *itens = &parts[PNCP_PART_ITENS].rows, *arquivos = &parts[PNCP_PART_ARQUIVOS].rows;
    const struct pncp_row_counts counts = {
        .itens = itens->count,
        .arquivos = arquivos->count,
        .misfits = itens->misfits + arquivos->misfits +
                   pncp_leaf_int(&list->leaves[pncp_list_leaves()->valores_fora_do_tipo], list_row)};
    pncp_table_row_begin(details);
    enum pncp_code rc = put_details_row(details, list, list_row, parts, stamp, counts.misfits);
    if (rc != PNCP_OK) {
        pncp_table_row_undo(details);
        return pncp_err_set(err, rc, "row: out of memory");
    }
    pncp_table_row_end(details);
    *ret_counts = counts;
    return PNCP_OK;
}
