/*
 * A Parquet file that grows by row groups in a stage of the lake: a list in the making, rows fetched again. Its groups
 * can be read as soon as they are flushed.
 */
#ifndef PNCP_GROUP_FILE_H
#define PNCP_GROUP_FILE_H

#include "lake/lake.h"
#include "parquet/parquet.h"

struct pncp_group_file {
    struct pncp_stage stage;
    struct pncp_footer footer; /* of the groups written so far */
    bool has_footer;
};
#define PNCP_GROUP_FILE_INIT ((struct pncp_group_file){.stage = PNCP_STAGE_INIT})

/* PNCP_E_IO · PNCP_E_NOMEM; release it then too. */
MUST_CHECK enum pncp_code pncp_group_file_open(struct pncp_group_file *file, struct pncp_lake *lake,
                                               struct pncp_err *err);
/* Append the groups of the encoded file `bytes` (its footer: `added`). PNCP_E_IO · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_group_file_append(struct pncp_group_file *file, const struct pncp_buf *bytes,
                                                 const struct pncp_footer *added, struct pncp_err *err);
void pncp_group_file_release(struct pncp_group_file *file); /* one that is PNCP_GROUP_FILE_INIT too */

#endif
