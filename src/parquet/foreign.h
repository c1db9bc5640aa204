/*
 * Parquet files of other writers, as rows of JSON: one object per row with its columns under their names, structs
 * nested, lists of structs as arrays. For small plain inputs; every physical type is rendered as the JSON that the API
 * would have sent (amounts as decimal text, times as YYYY-MM-DDTHH:MM:SS).
 */
#ifndef PNCP_FOREIGN_H
#define PNCP_FOREIGN_H

#include "base/buf.h"
#include "base/err.h"

struct pncp_foreign;
/* `fd` is borrowed for the object's life. PNCP_E_PARSE: not Parquet, or with a feature that cannot be read ·
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_foreign_open(int fd, struct pncp_foreign **ret_foreign, struct pncp_err *err);
void pncp_foreign_free(struct pncp_foreign *foreign);
/* The next row's JSON into `text` (cleared first); *ret_end true when there is none. */
MUST_CHECK enum pncp_code pncp_foreign_next(struct pncp_foreign *foreign, struct pncp_buf *text, bool *ret_end,
                                            struct pncp_err *err);

#endif
