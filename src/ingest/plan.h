/*
 * The plan of a run: which contratação is fetched next. Never tried before, in the list's order; then those that are to
 * be asked again (PNCP_KEY_DUE): with a `failed` entry in falhas, oldest attempt first, then those that have a row with
 * an absent or empty part, oldest attempt first. Rows are read from the list's file group by group, so that only the
 * groups with contratações under way are in memory.
 */
#ifndef PNCP_PLAN_H
#define PNCP_PLAN_H

#include "day/falhas.h"
#include "day/keyset.h"
#include "day/list.h"

/* Rows read back from the list, shared by the contratações taken from them. */
struct pncp_rows_chunk {
    struct pncp_table rows;
    unsigned uses;
};
void pncp_rows_chunk_drop(struct pncp_rows_chunk *chunk); /* one use less; frees the last; NULL is fine */

struct pncp_plan_item {
    struct pncp_packed_key key;
    struct pncp_rows_chunk *chunk; /* one use is the taker's */
    uint32_t row;
    bool again; /* it was asked for before */
    bool renew; /* its row is there already and may be replaced */
};

struct pncp_plan {
    struct pncp_list *list;           /* borrowed */
    struct pncp_keyset *keys;         /* borrowed */
    const struct pncp_falhas *falhas; /* borrowed: as it was when the run began */
    int64_t take_max;                 /* items to give in all; 0: no limit (--batch-size) */
    struct pncp_again_order {
        bool only;       /* nothing that was never tried */
        bool everything; /* what is done is due in the list's order, as if it had never been tried */
    } order;
    int64_t rows_max; /* look only at the first rows of the list; 0: all (--max-contratacoes) */
    int64_t taken;
    /* private */
    bool list_complete;
    size_t group, row;
    int64_t rows_seen;
    struct pncp_rows_chunk *chunk;
    struct again {
        bool renew;
        int64_t last_at_s;
        uint32_t group, row;
    } * again;
    size_t again_count, again_cap, again_next;
    bool again_sorted;
};

enum pncp_plan_state { PNCP_PLAN_ITEM, PNCP_PLAN_WAIT /* the listing has to go on first */, PNCP_PLAN_END };

void pncp_plan_init(struct pncp_plan *plan, struct pncp_list *list, struct pncp_keyset *keys,
                    const struct pncp_falhas *falhas);
void pncp_plan_release(struct pncp_plan *plan);
/* The list will not grow any more. */
void pncp_plan_list_complete(struct pncp_plan *plan);
/* The next contratação; its key gets PNCP_KEY_TAKEN. *ret_state tells whether there is one. */
MUST_CHECK enum pncp_code pncp_plan_next(struct pncp_plan *plan, enum pncp_plan_state *ret_state,
                                         struct pncp_plan_item *ret_item, struct pncp_err *err);

#endif
