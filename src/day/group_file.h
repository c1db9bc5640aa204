/*
 * A Parquet file that grows by row groups in a stage of the lake: a list in the making, rows fetched again. Its groups
 * can be read as soon as they are appended. Their RowGroup structs, 4 to 11 KB each, wait in a stage of their own until
 * the footer is written: memory does not grow with the file.
 */
#ifndef PNCP_GROUP_FILE_H
#define PNCP_GROUP_FILE_H

#include "lake/lake.h"
#include "parquet/parquet.h"

struct pncp_group_file {
    struct pncp_stage stage;   /* magic and data */
    struct pncp_stage structs; /* RowGroup, RowGroup, … */
    struct pncp_footer footer; /* of the groups so far; all of them are left where pncp_group_file_source has them */
    bool has_footer;
};
#define PNCP_GROUP_FILE_INIT ((struct pncp_group_file){.stage = PNCP_STAGE_INIT, .structs = PNCP_STAGE_INIT})

/* PNCP_E_IO · PNCP_E_NOMEM; release it then too. */
MUST_CHECK enum pncp_code pncp_group_file_open(struct pncp_group_file *file, struct pncp_lake *lake,
                                               struct pncp_err *err);
/* Append the groups of the encoded file `bytes` (its footer: `added`). PNCP_E_IO · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_group_file_append(struct pncp_group_file *file, const struct pncp_buf *bytes,
                                                 const struct pncp_footer *added, struct pncp_err *err);
/* What its footer and its chunks are read from, until the next append or end; the file must stay where it is in memory.
 * PNCP_E_IO. */
MUST_CHECK enum pncp_code pncp_group_file_source(struct pncp_group_file *file, struct pncp_source *ret_source,
                                                 struct pncp_err *err);
/* Of one with groups: write the footer with these key-values; file->stage is a whole Parquet file then, and nothing
 * more is read here. PNCP_E_IO · PNCP_E_NOMEM · PNCP_E_LIMIT (row groups). */
MUST_CHECK enum pncp_code pncp_group_file_end(struct pncp_group_file *file, const struct pncp_kv_pair *kvs,
                                              size_t kv_count, struct pncp_err *err);
void pncp_group_file_release(struct pncp_group_file *file); /* one that is PNCP_GROUP_FILE_INIT too */

#endif
