/*
 * A day's file against itself and against what was made from it: footer and history, every page of every column, list
 * lengths against the counts beside them, situations, keys, state files, falhas, completo. Reads only.
 */
#ifndef PNCP_VERIFY_H
#define PNCP_VERIFY_H

#include "day/data.h"

struct pncp_verify {
    /* Called for each thing that is wrong; one line. */
    void (*problem)(void *ctx, const char *text);
    void *ctx;
    int64_t rows, itens, arquivos, pages_bytes; /* what was read */
    int64_t problems;
};
/* Check the day in `lake`. No file: rows is 0, and only a `completo` is a problem. The file is damaged: that is a
 * problem, not an error. PNCP_E_NEWER · PNCP_E_FOREIGN · PNCP_E_IO · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_verify_day(struct pncp_lake *lake, struct pncp_date date, struct pncp_verify *verify,
                                          struct pncp_err *err);

#endif
