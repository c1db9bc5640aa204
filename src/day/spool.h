/*
 * Lots that could not be committed wait in a folder of this machine for the next run of their day (design section 5.6):
 * one Parquet file each, named by lake, day, format and run. Losing one costs API calls only; so a file that cannot be
 * used is set aside, never a reason to stop.
 *
 *   <sha256 of the lake's URL, 12 hex>.<YYYYMMDD>.<format version>.<run id>.<n>.parquet
 *
 * A run takes a file by a lock on it (flock) and gives it the name ….parquet.claimed; one that is so named and not
 * locked was claimed by a run that died, and is claimed again. It is deleted only when all its keys are in the data.
 */
#ifndef PNCP_SPOOL_H
#define PNCP_SPOOL_H

#include "day/data.h"

#define PNCP_SPOOL_FORMAT_VERSION 1

/* Where lots wait unless said otherwise: pncp-details/spool under $XDG_STATE_HOME, else under $HOME/.local/state.
 * Appended to ret_folder. PNCP_E_NOTFOUND: neither is set · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_spool_default(struct pncp_buf *ret_folder);

/* Write a lot of `data`'s lake and day to `folder`, which is made when missing; it is on the disk then. PNCP_E_IO ·
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_spool_put(const char *folder, const struct pncp_data *data, const struct pncp_lot *lot,
                                         struct pncp_err *err);

/* What became of a file: `problem` is NULL when its rows are in the data now. */
typedef void pncp_spool_told_fn(void *ctx, const char *name, int64_t contratacoes, const struct pncp_err *problem);
/* Claim every file of `data`'s lake and day in `folder` and commit its rows; one of another run that is alive is left
 * to it, one that is damaged is renamed ….damaged, one of a newer format, or that cannot be read now, left alone. A
 * missing folder has none. Errors are the commit's (the file stays claimed for the next run) · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_spool_take(const char *folder, struct pncp_data *data, pncp_spool_told_fn *told,
                                          void *ctx, struct pncp_err *err);

#endif
