/*
 * The day's list of contratações: a Parquet file that is written while the listing goes on and read group by group by
 * the plan, so that it is never whole in memory. A list under construction lies in a staging file; its groups can be
 * read as soon as they are flushed. Saved, it is pncp_contratacoes/…/contratacoes.parquet (docs/FORMATS.md); the
 * modalidades finished by a run that died are beside it, one file each, and are taken over by the next run. Threads:
 * one.
 */
#ifndef PNCP_LIST_H
#define PNCP_LIST_H

#include "base/clock.h"
#include "day/group_file.h"
#include "lake/lake.h"
#include "model/key.h"
#include "parquet/parquet.h"

#define PNCP_MODALIDADES_MAX 19 /* codes 1..19 of the domain table */

struct pncp_list_info {
    int64_t list_at_s;                        /* when its fetching began */
    bool final;                               /* the day was over for --final-after by then */
    int64_t totals[PNCP_MODALIDADES_MAX + 1]; /* totalRegistros by modalidade; -1: not asked or not accepted */
};
void pncp_list_info_init(struct pncp_list_info *info);

/* Rows in a group: read back whole by the plan, so it bounds memory (500 × about 2 KB). */
#define PNCP_LIST_GROUP_ROWS 500

struct pncp_list {
    struct pncp_lake *lake; /* borrowed */
    struct pncp_date date;
    struct pncp_list_info info;
    const struct pncp_schema *schema; /* of its file: the newest or, of one opened, an older version; what is read of it
                                         has the newest */
    bool writing;                     /* under construction */
    struct pncp_group_file all, part; /* of a saved list the groups are left in the file */
    int part_modalidade;              /* 0: no part is being written */
    struct pncp_table pending;        /* rows not yet in a group */
    int64_t rows;                     /* pending included */
    struct pncp_object object;        /* when it was opened from the lake */
};

/* Begin a new list. PNCP_E_IO · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_list_create(struct pncp_lake *lake, struct pncp_date date, struct pncp_list *ret_list,
                                           struct pncp_err *err);
/* Open the saved list. PNCP_E_NOTFOUND · PNCP_E_FOREIGN · PNCP_E_NEWER · PNCP_E_PARSE (damaged, or of another day). */
MUST_CHECK enum pncp_code pncp_list_open(struct pncp_lake *lake, struct pncp_date date, struct pncp_list *ret_list,
                                         struct pncp_err *err);
/* Any file of this format (given by --input). */
MUST_CHECK enum pncp_code pncp_list_open_path(struct pncp_lake *lake, struct pncp_date date, const char *path,
                                              struct pncp_list *ret_list, struct pncp_err *err);
void pncp_list_release(struct pncp_list *list);
/* Give up the file; what is known of the list stays: info, rows. */
void pncp_list_close(struct pncp_list *list);

/* Rows of modalidade `modalidade` follow; kept as a file of their own too until part_end. */
MUST_CHECK enum pncp_code pncp_list_part_begin(struct pncp_list *list, int modalidade, struct pncp_err *err);
/* They are complete; `total` is what the API said. Saved for a later run when `save`. */
MUST_CHECK enum pncp_code pncp_list_part_end(struct pncp_list *list, int64_t total, bool save, struct pncp_err *err);

/* The table to append rows to (pncp_rows_put_contratacao); call pncp_list_added after each. */
struct pncp_table *pncp_list_pending(struct pncp_list *list);
MUST_CHECK enum pncp_code pncp_list_added(struct pncp_list *list,
                                          struct pncp_err *err); /* flushes when the group is full */
/* Make all rows readable. */
MUST_CHECK enum pncp_code pncp_list_flush(struct pncp_list *list, struct pncp_err *err);

size_t pncp_list_groups(const struct pncp_list *list);
/* Replace the content of `table` (list schema) by group `group`. */
MUST_CHECK enum pncp_code pncp_list_read_group(struct pncp_list *list, size_t group, struct pncp_table *table,
                                               struct pncp_err *err);
/* Only its key leaves and data_publicacao; the other leaves stay empty. */
MUST_CHECK enum pncp_code pncp_list_read_keys(struct pncp_list *list, size_t group, struct pncp_table *table,
                                              struct pncp_err *err);
/* Row `row` of a table so read. */
MUST_CHECK enum pncp_code pncp_list_row_key(const struct pncp_table *table, size_t row, struct pncp_key *ret_key,
                                            struct pncp_err *err);
struct pncp_date pncp_list_row_date(const struct pncp_table *table, size_t row);

/* Put it into the lake with its info, remove the parts of unfinished lists, and go on reading from there. On error it
 * is good for release only. */
MUST_CHECK enum pncp_code pncp_list_save(struct pncp_list *list, struct pncp_err *err);

/* A part saved by an earlier run whose list is as final as asked. PNCP_E_NOTFOUND otherwise (a damaged one too: it is
 * listed again). */
MUST_CHECK enum pncp_code pncp_list_part_open(struct pncp_lake *lake, struct pncp_date date, int modalidade,
                                              struct pncp_list *ret_list, struct pncp_err *err);

#endif
