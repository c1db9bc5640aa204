/* Where one day's things lie in the lake (docs/FORMATS.md). The only place that spells these paths. */
#ifndef PNCP_LAYOUT_H
#define PNCP_LAYOUT_H

#include "base/clock.h"

enum pncp_place {
    PNCP_PLACE_DATA,        /* pncp_details/year=2025/month=10/day=22/details.parquet */
    PNCP_PLACE_DATA_FOLDER, /* … without the file */
    PNCP_PLACE_DATA_LOCK,   /* pncp_details/_state/lock/pncp_details_20251022.commit */
    PNCP_PLACE_RUN_LOCK,    /* pncp_details/_state/lock/pncp_details_20251022.run */
    PNCP_PLACE_LEASE,       /* pncp_details/_state/lease/pncp_details_20251022.json */
    PNCP_PLACE_STATE_ITENS, /* pncp_details/_state/itens/pncp_details_20251022_state.json */
    PNCP_PLACE_STATE_ARQUIVOS,
    PNCP_PLACE_FALHAS,      /* pncp_details/_state/falhas/pncp_details_20251022.json */
    PNCP_PLACE_FALHAS_LOCK, /* pncp_details/_state/lock/falhas_20251022.commit */
    PNCP_PLACE_COMPLETO,
    PNCP_PLACE_PROGRESSO,
    PNCP_PLACE_LIST,             /* pncp_contratacoes/year=2025/month=10/day=22/contratacoes.parquet */
    PNCP_PLACE_LIST_PART_FOLDER, /* pncp_contratacoes/_state/pncp_contratacoes_20251022 */
    PNCP_PLACE_LEGADO_FOLDER,    /* pncp_details_legado/year=2025/month=10/day=22: what other tools had written */
    PNCP_PLACE_LEGADO_LOCK       /* pncp_details/_state/lock/legado_20251022.commit */
};
#define PNCP_PLACE_BYTES 160
void pncp_place_format(enum pncp_place place, struct pncp_date date, char ret_path[PNCP_PLACE_BYTES]);
void pncp_place_list_part(struct pncp_date date, int modalidade,
                          char ret_path[PNCP_PLACE_BYTES]); /* …/modalidade_06.parquet */
#define PNCP_PLACE_RUN_RECORDS "pncp_details/_state/execucoes"
void pncp_place_run_record(const char *run_id, char ret_path[PNCP_PLACE_BYTES]); /* …/<run id>.json */

#endif
