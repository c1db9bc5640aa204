/* The day's file, between the files of day/ only. */
#ifndef PNCP_DATA_INT_H
#define PNCP_DATA_INT_H

#include "day/data.h"

#define PNCP_DATA_FORMAT "details 1"
#define PNCP_HISTORY_TEXT_MAX ((size_t)64 * 1024) /* beyond it old entries are summed */
#define PNCP_HISTORY_WHOLE 64 /* the newest that stay whole: ids in use by a live run are never summed away */

/* Text of pncp.history -> entries. PNCP_E_PARSE · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_history_parse(struct pncp_view text, struct pncp_history_entry **ret_entries,
                                             size_t *ret_count, struct pncp_err *err);
/* Text of the entries and one more (NULL: none), summed when it would be too long; ret_text is cleared first. */
MUST_CHECK enum pncp_code pncp_history_format(const struct pncp_history_entry *entries, size_t count,
                                              const struct pncp_history_entry *added, struct pncp_buf *ret_text);
/* Is a commit of that id in the history? *ret_newest: it is the last one. */
bool pncp_history_has(const struct pncp_data *data, const char *id, bool *ret_newest);

/* Which of the last groups become one with the next lot (fold.c). */
struct pncp_fold {
    size_t first, count; /* groups of the old file; count 0: no fold */
    bool with_lot;       /* the lot goes into the same new group */
};
struct pncp_fold pncp_fold_plan(const struct pncp_footer *footer, uint64_t lot_rows, uint64_t lot_bytes);
/* Encode the planned groups (and the lot, when it goes along) as one, column by column. */
MUST_CHECK enum pncp_code pncp_fold_encode(const struct pncp_fold *fold, const struct pncp_source *source,
                                           const struct pncp_footer *footer, const struct pncp_table *lot,
                                           struct pncp_buf *ret_file, struct pncp_footer *ret_footer,
                                           struct pncp_err *err);

/* Read footer, history and ALL keys anew. PNCP_E_NOTFOUND: no file. */
MUST_CHECK enum pncp_code pncp_data_reload(struct pncp_data *data, struct pncp_err *err);
/* Key-values of a new version. `ret_kvs` borrows from the two texts. */
#define PNCP_DATA_KVS 6
void pncp_data_kvs(const struct pncp_data *data, struct pncp_view history, const char *commit,
                   char day[PNCP_DATE_TEXT_BYTES], struct pncp_kv_pair ret_kvs[PNCP_DATA_KVS]);
/* Make the new version ours: footer (taken), history text, id, version. */
MUST_CHECK enum pncp_code pncp_data_adopt(struct pncp_data *data, struct pncp_footer *footer, struct pncp_view history,
                                          const char *commit, const struct pncp_version *version, struct pncp_err *err);

#endif
