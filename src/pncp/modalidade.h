/*
 * One modalidade of a day's listing: which page comes next, and whether what came is the whole. Pure: no clock, no
 * network.
 *
 * A reading is clean when its distinct rows are as many as totalRegistros said on every page (on an open day the total
 * may grow). One that is not (pages cut silently, rows inserted or removed between pages, a row on two pages) is
 * repeated, at most four times; rows once seen stay, and are all when they are as many as every reading was told. A row
 * that totalRegistros counts twice is taken once when two readings with pages of different sizes, none of them cut,
 * give the same rows. Sequence: init -> while ask() gives a page: fetch it -> for the page whose turn it is: row() for
 * each of its rows, then page() -> MORE: go on; AGAIN: a new reading has begun, pages of the old one are void.
 */
#ifndef PNCP_MODALIDADE_H
#define PNCP_MODALIDADE_H

#include "base/base.h"

#define PNCP_LISTING_PAGES_AHEAD 8 /* pages asked for before their turn: 8 × about 110 KB */

/* What a reading gave. It is whole with as many rows as totalRegistros said, some of them more than once, on pages of
 * the size asked for. */
struct pncp_reading {
    bool is_whole;
    int64_t total, unique;
    uint64_t keys_sum;
    uint32_t page_rows;
};

struct pncp_modalidade {
    int readings;       /* finished so far */
    uint32_t page_rows; /* asked for in this reading */
    uint32_t turn;      /* the page that is to be taken next */
    int64_t total;      /* as last said; -1: not said yet. The caller may set it when page 1 comes before its turn */
    int64_t added;      /* distinct rows of our day, by all readings together */
    int64_t repeated;   /* rows that the API counts more than once, known when WHOLE */
    /* private to modalidade.c from here */
    bool final_day;
    uint32_t next_ask;
    bool total_moved;           /* in this reading */
    bool ended;                 /* a page without rows was met in this reading */
    int64_t rows, unique;       /* of this reading: all, and distinct ones */
    uint64_t keys_sum;          /* of the distinct keys' hashes: which ones they are */
    uint32_t rows_short;        /* rows of the first page that was shorter than it should be; 0: none */
    struct pncp_reading before; /* the reading before */
    bool steady;                /* every reading so far was told the same total all the way */
};

void pncp_modalidade_init(struct pncp_modalidade *m, bool final_day);
/* A page to ask for now: the first of a reading; once that has told the total, those before their turn that are known
 * to exist, and one at a time beyond. `wanted`: no more rows than that are of use; 0: all. False: none. */
bool pncp_modalidade_ask(struct pncp_modalidade *m, int64_t wanted, uint32_t *ret_page);

struct pncp_modalidade_row {
    bool met_before;   /* in this reading */
    bool ours;         /* of the day that is listed */
    bool added_before; /* by any reading */
    uint64_t key_hash;
};
void pncp_modalidade_row(struct pncp_modalidade *m, const struct pncp_modalidade_row *row);

struct pncp_modalidade_page {
    int64_t rows;
    int64_t total;  /* totalRegistros; of a page without rows it does not count */
    int64_t number; /* numeroPagina, or the one asked for */
};
enum pncp_modalidade_next {
    PNCP_MODALIDADE_MORE,       /* the reading goes on */
    PNCP_MODALIDADE_AGAIN,      /* it contradicts itself: another one has begun */
    PNCP_MODALIDADE_WHOLE,      /* what came is all */
    PNCP_MODALIDADE_CONTRADICTS /* four readings, and nothing is proven */
};
/* The page whose turn it was, after its rows. */
enum pncp_modalidade_next pncp_modalidade_page(struct pncp_modalidade *m, const struct pncp_modalidade_page *page);

#endif
