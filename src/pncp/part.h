/*
 * One part (itens or arquivos) of one contratação: which request comes next, and whether what came is the whole. Pure:
 * no clock, no network.
 *
 * The API cuts pages silently, so a short page proves nothing by itself (design section 6): a list of 10 rows or more
 * is confirmed by /quantidade; when that says more, the rest is asked page by page with the size received (both ways of
 * cutting agree then); a disagreement that two readings in a row show alike, the same rows and the same number, is
 * accepted with both numbers, unless no row came at all. Readings that contradict each other prove nothing: after four
 * of them, FAILED with page_mismatch. A 404 counts only when /quantidade says 404, none or 0 too; when it says more,
 * the page is asked again twice. Sequence: init -> while next() gives a request: ask it, then answer() -> state DONE or
 * FAILED.
 */
#ifndef PNCP_PART_H
#define PNCP_PART_H

#include "model/model.h"
#include "pncp/part_rows.h"
#include "pncp/verdict.h"

enum pncp_confirm { PNCP_CONFIRM_AUTO, PNCP_CONFIRM_ALWAYS, PNCP_CONFIRM_NEVER };
#define PNCP_CONFIRM_FROM_ROWS 10 /* the API's default page: lists below are not confirmed by `auto` */
#define PNCP_PART_PAGES_MAX 4000  /* of one reading: a list of 2,000,000 rows, or one cut to 1 row with 4,000 */

enum pncp_part_state { PNCP_PART_ASKING, PNCP_PART_DONE, PNCP_PART_FAILED };

struct pncp_part_request {
    bool quantidade; /* else a page */
    uint32_t page, page_rows;
};

struct pncp_part_fetch {
    enum pncp_part part;
    enum pncp_confirm confirm;
    enum pncp_part_state state;
    enum pncp_situacao situacao; /* when DONE */
    enum pncp_reason reason;     /* when FAILED */
    long http_status;
    int64_t total;              /* rows received, duplicates left out; -1 when ausente */
    int64_t quantidade;         /* what /quantidade said (204: 0); -1: not asked, or it answered 404 */
    bool differs;               /* accepted although total and quantidade disagree, twice alike */
    struct pncp_part_rows rows; /* of the accepted reading */
    /* private to part.c from here */
    struct pncp_part_request ask, resume; /* the request wanted now; the page that a /quantidade interrupted */
    int64_t last_rows, last_fresh;        /* of that page */
    int64_t short_rows;                   /* of a page that came short in mid-list; 0: none did in this reading */
    uint32_t reads, absent_rounds, shrinks;
    uint32_t pages;                       /* of this reading that brought rows */
    uint64_t page_hash;                   /* of the last one's body */
    int64_t before_total, before_counted; /* what the reading before ended with, its sum of ids as well */
    uint64_t before_sum;
    long absent_status;
    bool absent_seen;
    bool counted; /* /quantidade has answered for this reading (a 404 is an answer too) */
};

void pncp_part_init(struct pncp_part_fetch *part, enum pncp_part which, enum pncp_confirm confirm);
void pncp_part_release(struct pncp_part_fetch *part);
/* The request to send now; only while ASKING. */
struct pncp_part_request pncp_part_next(const struct pncp_part_fetch *part);
/* Take the verdict on the request last given by next: ROWS, NO_ROWS, ABSENT, or a failure that is final (its attempts
 * are over, or REFUSED). `body`: the text it is made of. ABSENT on a page: the fetcher has already tried three times
 * with back-off. PNCP_E_NOMEM · PNCP_E_LIMIT (pages, 4 GiB of text). The part is FAILED then. */
MUST_CHECK enum pncp_code pncp_part_answer(struct pncp_part_fetch *part, const struct pncp_verdict *verdict,
                                           struct pncp_view body, struct pncp_part_scratch *scratch);

#endif
