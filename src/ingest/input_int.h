/* --input, between input.c and input_parquet.c: what both kinds of file share. */
#ifndef PNCP_INPUT_INT_H
#define PNCP_INPUT_INT_H

#include "ingest/input.h"

struct pncp_input { /* one file on its way into the list; all borrowed */
    struct pncp_list *list;
    int64_t rows_max; /* 0: all */
    struct pncp_keyset *keys;
    struct pncp_input_counts *counts;
};

/* Has the list taken rows_max rows? */
bool pncp_input_full(const struct pncp_input *input);
/* Is a row of that key and day to be added? It is of the list's day and its key comes for the first time; else it is
 * counted as what it is. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_input_admit(const struct pncp_input *input, const struct pncp_key *key,
                                           struct pncp_date date, bool *ret_add, struct pncp_err *err);

/* The next row of `source` as JSON text, valid until the next call; an empty view behind the last. */
typedef enum pncp_code (*pncp_input_next)(void *source, struct pncp_view *ret_row, struct pncp_err *err);
/* Take rows until there is none or the list is full. Errors as pncp_input_load, without the file's name. */
MUST_CHECK enum pncp_code pncp_input_rows(const struct pncp_input *input, pncp_input_next next, void *source,
                                          struct pncp_err *err);

/* A Parquet file of `bytes` bytes. One that this program wrote (pncp.format in its footer) must be a list: its rows are
 * taken cell by cell. As JSON the columns that the program adds (cnpj, ano, extra …) would come back as unknown fields
 * and end in `extra`. */
MUST_CHECK enum pncp_code pncp_input_parquet(const struct pncp_input *input, int fd, uint64_t bytes,
                                             struct pncp_err *err);

#endif
