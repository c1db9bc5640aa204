/* --input of a Parquet file with the listing's fields as columns, whoever wrote it. */
#ifndef PNCP_INPUT_PARQUET_H
#define PNCP_INPUT_PARQUET_H

#include "ingest/input.h"
#include "json/json.h"

/* As pncp_input_load, from an open file of `bytes` bytes. */
MUST_CHECK enum pncp_code pncp_input_parquet(int fd, uint64_t bytes, struct pncp_list *list, int64_t rows_max,
                                             struct pncp_keyset *keys, struct pncp_input_counts *counts,
                                             struct pncp_err *err);
/* Add one row to the list: of our day, each key once. */
MUST_CHECK enum pncp_code pncp_input_add(struct pncp_list *list, yyjson_val *row, struct pncp_keyset *keys,
                                         struct pncp_input_counts *counts, struct pncp_err *err);

#endif
