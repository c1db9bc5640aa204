/*
 * JSON -> rows: API objects into the columnar tables, driven by the descriptor tables of model/. Unknown keys and
 * values that do not fit exactly go to the level's `extra` as JSON text; misfits are counted and null. Levels with an
 * `extra`: contratação, element of fontesOrcamentarias, item, arquivo; an unknown key of a nested object (orgaoEntidade
 * …) appears there under that object's name: {"orgaoEntidade":{"novo":1}}.
 */
#ifndef PNCP_ROWS_H
#define PNCP_ROWS_H

#include "base/clock.h"
#include "model/key.h"
#include "model/model.h"
#include "pncp/part.h"
#include "table/table.h"
#include "json/json.h"

/* The identity of a listing row or single object: from orgaoEntidade.cnpj, anoCompra, sequencialCompra; where one is
 * missing from numeroControlePNCP. PNCP_E_PARSE names the field. */
MUST_CHECK enum pncp_code pncp_rows_key(yyjson_val *contratacao, struct pncp_key *ret_key, struct pncp_err *err);
/* Publication day of the row: dataPublicacaoPncp, a time (Brasília's clock; an instant when it ends in Z) or only a
 * day, "2025-10-22". False when absent or malformed. */
MUST_CHECK bool pncp_rows_day(yyjson_val *contratacao, struct pncp_date *ret_date);

/* Append one contratação to a table of pncp_list_schema(). PNCP_E_PARSE as pncp_rows_key (the table is unchanged) ·
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_rows_put_contratacao(struct pncp_table *list, yyjson_val *contratacao,
                                                    struct pncp_err *err);
/* The same for one whose key and publication day were read before. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_rows_put_known(struct pncp_table *list, const struct pncp_key *key,
                                              struct pncp_date date, yyjson_val *contratacao, struct pncp_err *err);

struct pncp_row_stamp { /* what the program itself knows of a details row */
    int64_t obtido_em_us;
    struct pncp_view run_id;
    int32_t checkpoint;
};
/* Append one row to a table of pncp_details_schema(): the contratação's cells from row `list_row` of `list`, its itens
 * and arquivos from the two finished parts, the bookkeeping. ret_counts: itens and arquivos appended, misfits of the
 * whole row. PNCP_E_NOMEM · PNCP_E_LIMIT (4 GiB of text). The table is unchanged on error. */
struct pncp_row_counts {
    int64_t itens, arquivos, misfits;
};
MUST_CHECK enum pncp_code pncp_rows_put_details(struct pncp_table *details, struct pncp_table *list, size_t list_row,
                                                const struct pncp_part_fetch parts[PNCP_PARTS],
                                                const struct pncp_row_stamp *stamp, struct pncp_row_counts *ret_counts,
                                                struct pncp_err *err);

#endif
