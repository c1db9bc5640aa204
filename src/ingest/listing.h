/*
 * Listing a day from the consulta API: every modalidade 1-13 (14 and up while the API accepts them), 50 a page, several
 * pages in flight, rows released in order of modalidade and page into a day's list (day/list.h).
 *
 * When a modalidade's list is whole: pncp/modalidade.h; rows once seen stay in the list. A modalidade that cannot be
 * listed does not stop the others: it is reported, and the day is not complete. Threads: the fetch thread. Never blocks
 * except for writing the list's own files.
 */
#ifndef PNCP_LISTING_H
#define PNCP_LISTING_H

#include "day/keyset.h"
#include "day/list.h"
#include "fetch/fetch.h"

struct pncp_listing_options {
    const char *consulta_url; /* borrowed */
    struct pncp_date date;
    bool final_day; /* totals must not change while we read; finished modalidades are kept for a later run */
    bool keep_parts;
    int64_t rows_max; /* stop as soon as the list has that many rows; 0: no limit */
};

struct pncp_listing_failure {
    int modalidade;
    enum pncp_reason reason;
    long http_status;
};

struct pncp_listing;
/* Begin: first pages are queued at once. `list` is under construction, `keys` gets PNCP_KEY_LISTED; both borrowed.
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_listing_new(const struct pncp_listing_options *options, struct pncp_fetch *fetch,
                                           struct pncp_list *list, struct pncp_keyset *keys,
                                           struct pncp_listing **ret_listing, struct pncp_err *err);
void pncp_listing_free(struct pncp_listing *listing); /* only after the fetcher was freed, or when it is finished */

bool pncp_listing_finished(const struct pncp_listing *listing);
bool pncp_listing_stopped_early(const struct pncp_listing *listing); /* by rows_max */
/* PNCP_OK, or why the work as a whole cannot go on (no memory, the list's file cannot be written). */
enum pncp_code pncp_listing_error(const struct pncp_listing *listing, struct pncp_err *ret_err);
/* Sum of totalRegistros as far as it is known; *ret_all: the first page of every modalidade that carries data is there.
 */
int64_t pncp_listing_expected(const struct pncp_listing *listing, bool *ret_all);
size_t pncp_listing_failures(const struct pncp_listing *listing,
                             struct pncp_listing_failure ret_failures[PNCP_MODALIDADES_MAX]);
int64_t pncp_listing_other_days(const struct pncp_listing *listing); /* rows of another publication day, left out */
int64_t pncp_listing_repeated(const struct pncp_listing *listing);   /* rows that the API counts again, taken once */

#endif
