/* --input, between input.c and input_parquet.c: what both kinds of file share. */
#ifndef PNCP_INPUT_INT_H
#define PNCP_INPUT_INT_H

#include "ingest/input.h"

/* Has it taken rows_max contratações? */
bool pncp_input_full(const struct pncp_input *input);
/* Is a row that has its contratação's fields to be added? It is of the list's day, and the first such row of its key;
 * else it is counted as what it is. PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_input_admit(struct pncp_input *input, const struct pncp_key *key, struct pncp_date date,
                                           bool *ret_add, struct pncp_err *err);

/* The next row of `source` as JSON text, valid until the next call; an empty view behind the last. */
typedef enum pncp_code (*pncp_input_next)(void *source, struct pncp_view *ret_row, struct pncp_err *err);
/* Take the rows of file `path` until there is none or it is full. Errors as pncp_input_load, without the file's name.
 */
MUST_CHECK enum pncp_code pncp_input_rows(struct pncp_input *input, const char *path, pncp_input_next next,
                                          void *source, struct pncp_err *err);

/* A Parquet file of `bytes` bytes. One that this program wrote (pncp.format in its footer) must be a list: its rows are
 * taken cell by cell. As JSON the columns that the program adds (data_publicacao, extra …) would come back as unknown
 * fields and end in `extra`. */
MUST_CHECK enum pncp_code pncp_input_parquet(struct pncp_input *input, const char *path, int fd, uint64_t bytes,
                                             struct pncp_err *err);

#endif
