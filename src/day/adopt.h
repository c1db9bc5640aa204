/*
 * A day's folder that another tool has filled. Its Parquet files, a details.parquet without pncp.format and whatever
 * else is called *.parquet there, leave the day, because a reader's glob over pncp_details/ takes them for the day's
 * data and would see keys twice. Their bytes stay in the lake, in pncp_details_legado/year=…/month=…/day=…/.
 *
 * Order: every copy is safe on disk -> completo goes -> details.parquet becomes an empty one of ours, by write-if on
 * the version that was copied (it is never removed, or a run beside this one could lose rows: the model of the commit
 * protocol, adopt.pml) -> the others are removed, each only while it has the bytes that were copied. What somebody
 * changed meanwhile is looked at again from the start. Whoever is killed here has lost nothing: the next call goes on.
 */
#ifndef PNCP_ADOPT_H
#define PNCP_ADOPT_H

#include "base/clock.h"
#include "lake/lake.h"

/* Files of others in one day's folder: a tool that writes one for every 50 contratações makes some hundred. */
#define PNCP_ADOPT_FILES_MAX ((size_t)10000)
#define PNCP_ADOPT_NAME_BYTES 256 /* NAME_MAX and the end of the text */

struct pncp_adopted_file {
    char name[PNCP_ADOPT_NAME_BYTES]; /* in the day's folder */
    char copy[PNCP_ADOPT_NAME_BYTES]; /* in the folder of the copies: the same, or "details.2.parquet" when that name
                                         has other content there */
    uint64_t bytes;
};

struct pncp_adopted {
    struct pncp_adopted_file *files; /* those that have left the day, by name, details.parquet first; owned */
    size_t count, cap;               /* count 0: nothing of others was there */
    bool emptied;                    /* details.parquet is one of ours now, without rows */
};
void pncp_adopted_release(struct pncp_adopted *adopted); /* zeroed is fine */

/* Adopt what others have left in the day's folder. `run_id` goes into the history of the empty file. On failure too
 * *ret_adopted says what has left the day so far.
 * PNCP_E_PARSE, PNCP_E_NEWER, PNCP_E_FOREIGN: a details.parquet that is damaged, or says that it is ours and cannot be
 * used (as pncp_data_open); nothing was changed · PNCP_E_CONFLICT: somebody goes on writing there ·
 * PNCP_E_CANCELLED: *stop became true · PNCP_E_LIMIT: PNCP_ADOPT_FILES_MAX, or too many other copies of that name ·
 * PNCP_E_IO (a folder called x.parquet, too) · PNCP_E_BUSY · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_day_adopt(struct pncp_lake *lake, struct pncp_date date, const char *run_id,
                                         const volatile bool *stop, struct pncp_adopted *ret_adopted,
                                         struct pncp_err *err);

#endif
