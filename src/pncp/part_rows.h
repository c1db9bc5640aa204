/*
 * The elements (itens or arquivos) of one reading of a part: each once, decoded as their pages come, because their
 * cells take a third of the memory of the JSON they come from. Sequence: init -> add a page … (clear: begin a reading
 * anew)
 * -> seal -> put into a row of details.
 */
#ifndef PNCP_PART_ROWS_H
#define PNCP_PART_ROWS_H

#include "model/model.h"
#include "pncp/decode.h"

/* Where pages are decoded: one for all parts of a run. */
struct pncp_part_scratch {
    struct pncp_table table; /* of the details schema; empty between pages */
    struct pncp_decoder decoder;
};
/* PNCP_E_NOMEM. Must stay where it is in memory. */
MUST_CHECK enum pncp_code pncp_part_scratch_init(struct pncp_part_scratch *scratch);
void pncp_part_scratch_release(struct pncp_part_scratch *scratch); /* a zeroed one too */

struct pncp_part_rows {
    enum pncp_part part;
    struct pncp_buf cells; /* packed (table/packed.h), page after page */
    int64_t count, misfits;
    uint64_t ids_sum; /* of the ids' hashes: which elements these are */
    int64_t *ids;     /* numeroItem / sequencialDocumento (open addressing) */
    size_t id_count, id_cap;
    bool zero_seen;
};

void pncp_part_rows_init(struct pncp_part_rows *rows, enum pncp_part part);
void pncp_part_rows_release(struct pncp_part_rows *rows);
/* None any longer. */
void pncp_part_rows_clear(struct pncp_part_rows *rows);
/* Those elements of `page`, an array, that are new: an id that came before does not; without an id they cannot be told
 * apart and are always new. *ret_new: how many. PNCP_E_NOMEM · PNCP_E_LIMIT: 4 GiB of text. */
MUST_CHECK enum pncp_code pncp_part_rows_add(struct pncp_part_rows *rows, struct pncp_part_scratch *scratch,
                                             yyjson_val *page, int64_t *ret_new);
/* No more of them: what told them apart is given up. */
void pncp_part_rows_seal(struct pncp_part_rows *rows);
/* All of them, one at least, into the unfinished row of `details`. PNCP_E_NOMEM · PNCP_E_LIMIT. */
MUST_CHECK enum pncp_code pncp_part_rows_put(const struct pncp_part_rows *rows, struct pncp_table *details);

#endif
