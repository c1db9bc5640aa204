/*
 * Rows of a day that a run fetches again: what it saw of them before it asked, and what it was given. They wait in a
 * temporary file for the rewrite that puts them in (day/data.h). Sequence: saw … -> add … -> rewrite. Threads: one at a
 * time (the owner's until the saver starts, then the saver's); find and is_better only read what `saw` has written.
 */
#ifndef PNCP_RENEWALS_H
#define PNCP_RENEWALS_H

#include "day/data.h"
#include "day/group_file.h"

struct pncp_renewal {
    struct pncp_packed_key key;
    uint64_t mark;                       /* of the row seen */
    uint8_t itens, arquivos;             /* enum pncp_situacao of the row seen */
    bool met;                            /* scratch of the rewrite: the file has the key */
    uint32_t row;                        /* of the temporary file, plus one; 0: not fetched */
    int32_t itens_total, arquivos_total; /* of the row fetched */
};

struct pncp_renewals {
    struct pncp_renewal *entries; /* sorted by key once `saw` is over */
    size_t count, cap;
    struct pncp_group_file file; /* the rows fetched */
    uint32_t rows;               /* there */
};

void pncp_renewals_init(struct pncp_renewals *renewals);
void pncp_renewals_release(struct pncp_renewals *renewals);
/* A row of the day's file that is to be fetched again, each key once. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_renewals_saw(struct pncp_renewals *renewals, const struct pncp_data_row *row);
/* No more of them: from here on they can be found. */
void pncp_renewals_seal(struct pncp_renewals *renewals);
struct pncp_renewal *pncp_renewals_find(const struct pncp_renewals *renewals, struct pncp_packed_key key);
/* Is a row with these situações better than the one seen: no part worse, one better (ok, then vazio, then ausente)? */
bool pncp_renewal_is_better(const struct pncp_renewal *renewal, enum pncp_situacao itens, enum pncp_situacao arquivos);
/* Rows fetched (details schema), each of a key that was seen. Errors of the lake · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_renewals_add(struct pncp_renewals *renewals, struct pncp_lake *lake,
                                            const struct pncp_table *rows, struct pncp_err *err);

#endif
