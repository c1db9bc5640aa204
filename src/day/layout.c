#include "day/layout.h"

#include <stdio.h>

void pncp_place_format(enum pncp_place place, struct pncp_date date, char ret_path[PNCP_PLACE_BYTES])
{
    static const char *const formats[] = {
        [PNCP_PLACE_DATA] = "pncp_details/year=%1$04u/month=%2$02u/day=%3$02u/details.parquet",
        [PNCP_PLACE_DATA_FOLDER] = "pncp_details/year=%1$04u/month=%2$02u/day=%3$02u",
        [PNCP_PLACE_DATA_LOCK] = "pncp_details/_state/lock/pncp_details_%1$04u%2$02u%3$02u.commit",
        [PNCP_PLACE_RUN_LOCK] = "pncp_details/_state/lock/pncp_details_%1$04u%2$02u%3$02u.run",
        [PNCP_PLACE_LEASE] = "pncp_details/_state/lease/pncp_details_%1$04u%2$02u%3$02u.json",
        [PNCP_PLACE_STATE_ITENS] = "pncp_details/_state/itens/pncp_details_%1$04u%2$02u%3$02u_state.json",
        [PNCP_PLACE_STATE_ARQUIVOS] = "pncp_details/_state/arquivos/pncp_details_%1$04u%2$02u%3$02u_state.json",
        [PNCP_PLACE_FALHAS] = "pncp_details/_state/falhas/pncp_details_%1$04u%2$02u%3$02u.json",
        [PNCP_PLACE_FALHAS_LOCK] = "pncp_details/_state/lock/falhas_%1$04u%2$02u%3$02u.commit",
        [PNCP_PLACE_COMPLETO] = "pncp_details/_state/completo/pncp_details_%1$04u%2$02u%3$02u.json",
        [PNCP_PLACE_PROGRESSO] = "pncp_details/_state/progresso/pncp_details_%1$04u%2$02u%3$02u.json",
        [PNCP_PLACE_LIST] = "pncp_contratacoes/year=%1$04u/month=%2$02u/day=%3$02u/contratacoes.parquet",
        [PNCP_PLACE_LIST_PART_FOLDER] = "pncp_contratacoes/_state/pncp_contratacoes_%1$04u%2$02u%3$02u",
        [PNCP_PLACE_LEGADO_FOLDER] = "pncp_details_legado/year=%1$04u/month=%2$02u/day=%3$02u",
        [PNCP_PLACE_LEGADO_LOCK] = "pncp_details/_state/lock/legado_%1$04u%2$02u%3$02u.commit",
    };
    int year, month, day;
    pncp_date_to_civil(date, &year, &month, &day);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats are the table above */
    (void)snprintf(ret_path, PNCP_PLACE_BYTES, formats[place], (unsigned)year, (unsigned)month, (unsigned)day);
#pragma GCC diagnostic pop
}

void pncp_place_list_part(struct pncp_date date, int modalidade, char ret_path[PNCP_PLACE_BYTES])
{
    char folder[PNCP_PLACE_BYTES];
    pncp_place_format(PNCP_PLACE_LIST_PART_FOLDER, date, folder);
    (void)snprintf(ret_path, PNCP_PLACE_BYTES, "%.120s/modalidade_%02d.parquet", folder, modalidade);
}

void pncp_place_run_record(const char *run_id, char ret_path[PNCP_PLACE_BYTES])
{
    (void)snprintf(ret_path, PNCP_PLACE_BYTES, PNCP_PLACE_RUN_RECORDS "/%.60s.json", run_id);
}
