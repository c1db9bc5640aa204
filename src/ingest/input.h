/*
 * --input: contratações from a file instead of our own listing. JSON (an array of rows, a listing envelope, or one row)
 * and NDJSON with the listing's fields, and Parquet with those fields as columns, whoever wrote it. The file is read as
 * a stream: its size does not matter, one row may have INPUT_ROW_MAX_BYTES.
 */
#ifndef PNCP_INPUT_H
#define PNCP_INPUT_H

#include "day/keyset.h"
#include "day/list.h"

struct pncp_input_counts {
    int64_t rows;       /* added to the list */
    int64_t duplicates; /* of a key that was there already */
    int64_t other_days; /* of another publication day: left out */
};

/* Append the rows of file `path` to `list` (under construction), at most rows_max (0: all); their keys get
 * PNCP_KEY_LISTED. PNCP_E_IO · PNCP_E_PARSE names file and row: not JSON or Parquet, no key, no publication date ·
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_input_load(const char *path, struct pncp_list *list, int64_t rows_max,
                                          struct pncp_keyset *keys, struct pncp_input_counts *ret_counts,
                                          struct pncp_err *err);

#endif
