/* How far a day is, from the lake alone: for people and dashboards. Nothing here decides anything, nothing is written.
 */
#ifndef PNCP_STATUS_H
#define PNCP_STATUS_H

#include "day/data.h"

struct pncp_day_status {
    bool has_list, list_final, has_data, complete;
    int64_t list_at_s;
    int64_t listed, remaining;     /* -1 without a list */
    int64_t done, itens, arquivos; /* rows of the day's file */
    int64_t ausente, vazio;        /* parts */
    int64_t failed, failed_due;    /* entries of kind `failed` of contratações that are not done; due now */
    uint64_t file_bytes, row_groups;
    struct pncp_history_entry newest; /* run "" when there is none */
    struct pncp_buf progress;         /* the progresso file's text, "" without; owned */
};
void pncp_day_status_release(struct pncp_day_status *status);
/* PNCP_E_FOREIGN · PNCP_E_NEWER · PNCP_E_PARSE (of the data or the list: named) · PNCP_E_IO · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_day_status_read(struct pncp_lake *lake, struct pncp_date date,
                                               struct pncp_day_status *ret_status, struct pncp_err *err);

#endif
