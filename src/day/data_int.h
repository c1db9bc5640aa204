/* The day's file, between the files of day/ only. */
#ifndef PNCP_DATA_INT_H
#define PNCP_DATA_INT_H

#include "day/columns.h"
#include "day/data.h"

#define PNCP_DATA_NAME "details.parquet" /* in the day's folder */
#define PNCP_DATA_FORMAT "details 1"
#define PNCP_HISTORY_TEXT_MAX ((size_t)64 * 1024) /* beyond it old entries are summed */
#define PNCP_HISTORY_WHOLE 64 /* the newest that stay whole: ids in use by a live run are never summed away */

/* Text of pncp.history -> entries. PNCP_E_PARSE · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_history_parse(struct pncp_view text, struct pncp_history_entry **ret_entries,
                                             size_t *ret_count, struct pncp_err *err);
struct pncp_history { /* of a version in the making */
    struct pncp_history_entry *entries;
    size_t count;
    struct pncp_buf text;
};
void pncp_history_release(struct pncp_history *history);
/* The entries and one more behind them, summed when their text would be too long. `text`: what the entries were read
 * from, so that only the new one is written; "" when that is not known. *ret_history: released by the caller when
 * PNCP_OK. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_history_add(const struct pncp_history_entry *entries, size_t count,
                                           struct pncp_view text, const struct pncp_history_entry *added,
                                           struct pncp_history *ret_history, struct pncp_err *err);
/* … those of the version that `data` knows, if there is one. */
MUST_CHECK enum pncp_code pncp_data_next_history(const struct pncp_data *data, const struct pncp_history_entry *added,
                                                 struct pncp_history *ret_history, struct pncp_err *err);
/* Is a commit of that id in the history? *ret_newest: it is the last one. */
bool pncp_history_has(const struct pncp_data *data, const char *id, bool *ret_newest);

/* Which groups become one with the next lot, or instead of staying as they are (fold.c). */
#define PNCP_FOLD_GROUPS ((size_t)16)
struct pncp_fold {
    size_t tail;                     /* the unsettled groups at the end of the old file begin here */
    size_t groups[PNCP_FOLD_GROUPS]; /* of the old file, ascending, all in that tail */
    size_t count;
    bool with_lot; /* the lot goes into the same new group, behind them */
};
struct pncp_fold pncp_fold_plan(const struct pncp_footer *footer, uint64_t lot_rows, uint64_t lot_bytes);
bool pncp_fold_is_settled(const struct pncp_group *group);
/* Where the unsettled groups at the end begin: those before them are never encoded again but by a rewrite. */
size_t pncp_fold_tail(const struct pncp_footer *footer);
/* Encode the planned groups (and the lot, when it goes along) as one, column by column, to `stage` (open, empty):
 * "PAR1" and the group. *ret_footer is that of the file they would be. */
MUST_CHECK enum pncp_code pncp_fold_encode(const struct pncp_fold *fold, const struct pncp_source *source,
                                           const struct pncp_footer *footer, const struct pncp_table *lot,
                                           struct pncp_stage *stage, struct pncp_footer *ret_footer,
                                           struct pncp_err *err);

/* The key of a row of the details schema. PNCP_E_PARSE. */
MUST_CHECK enum pncp_code pncp_data_row_key(const struct pncp_table *rows, size_t row, struct pncp_packed_key *ret_key,
                                            struct pncp_err *err);
/* The value of row `row` of an optional column read in row order, -1 for null; *value is the next value, counted up. */
int64_t pncp_data_next_total(const struct pncp_leaf *leaf, size_t row, size_t *value);

/* Go through the rows of a version whose footer is known. The callback's error ends the walk. */
MUST_CHECK enum pncp_code pncp_data_each_row_of(const struct pncp_columns *file,
                                                enum pncp_code (*each)(void *ctx, const struct pncp_data_row *row,
                                                                       struct pncp_err *err),
                                                void *ctx, struct pncp_err *err);

/* Read footer, history and ALL keys anew; all or nothing: on failure *data and the keys are as they were.
 * PNCP_E_NOTFOUND: no file. */
MUST_CHECK enum pncp_code pncp_data_reload(struct pncp_data *data, struct pncp_err *err);
/* After anything but a clean yes: read all anew, so that what others did is known before the next step, and find out
 * whether the commit `id` is there. No file at all: it is not, unless we have seen one: PNCP_E_UNAVAILABLE. */
MUST_CHECK enum pncp_code pncp_data_look_up(struct pncp_data *data, const char *id, bool *ret_committed,
                                            struct pncp_err *err);
/* `rc`, with PNCP_E_NOTFOUND turned into what it means once the file has been seen: PNCP_E_UNAVAILABLE, transient.
 * Never answered by a create. */
enum pncp_code pncp_data_gone(enum pncp_code rc, struct pncp_err *err);
/* The version of the file that `data` knows, pinned; release it when PNCP_OK. PNCP_E_CONFLICT: someone has changed the
 * file since · PNCP_E_UNAVAILABLE: it is gone · and what pncp_lake_open_object answers. */
MUST_CHECK enum pncp_code pncp_data_open_known(const struct pncp_data *data, struct pncp_object *ret_object,
                                               struct pncp_err *err);
/* Is the file at `path`, which has that footer, ours: of data->date, and no newer than this build? *ret_schema is the
 * version of its columns. PNCP_E_FOREIGN: it has no pncp.format, or other columns · PNCP_E_NEWER · PNCP_E_PARSE:
 * damaged, or of another day. */
MUST_CHECK enum pncp_code pncp_data_check(const struct pncp_data *data, const struct pncp_footer *footer,
                                          const char *path, const struct pncp_schema **ret_schema,
                                          struct pncp_err *err);
/* Is a file of that name in a day's folder another tool's? Readers take every Parquet file there for the day's data. */
bool pncp_data_is_strange(const char *name);
/* Key-values of a new version, whose columns are those of `schema`. */
#define PNCP_DATA_KVS 7
struct pncp_data_kvs {
    struct pncp_kv_pair pairs[PNCP_DATA_KVS]; /* borrow from the texts given and from this struct: it is not moved */
    char day[PNCP_DATE_TEXT_BYTES], schema[12];
};
void pncp_data_kvs_make(struct pncp_date date, const struct pncp_schema *schema, struct pncp_view history,
                        const char *commit, struct pncp_data_kvs *ret_kvs);
/* Make the new version ours: footer (taken), its schema, history (its entries are taken), id, version. */
void pncp_data_adopt(struct pncp_data *data, struct pncp_footer *footer, const struct pncp_schema *schema,
                     struct pncp_history *history, const char *commit, const struct pncp_version *version);

#endif
