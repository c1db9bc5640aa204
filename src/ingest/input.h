/*
 * --input: contratações from a file instead of our own listing. JSON and NDJSON with the listing's fields (forms:
 * json_stream.h), Parquet with those fields as columns, whoever wrote it (parquet/foreign.h), and the lists that this
 * program saves. The file is read as a stream: its size does not matter. Fields that the tables do not name go along,
 * into `extra`.
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

/* Append the rows of file `path` to `list` (under construction), until it has taken rows_max (0: all); their keys get
 * PNCP_KEY_LISTED, and of several rows with one key the first counts. ret_counts is valid on errors too; rows may have
 * been added then. Errors name the file, and the row or byte where there is one.
 * PNCP_E_USAGE: not a regular file, or a file of this program that is no list · PNCP_E_PARSE: not JSON or Parquet, cut
 * off, a row without key or publication date · PNCP_E_LIMIT: a ceiling of the two headers named above · PNCP_E_NEWER: a
 * list of a later version · PNCP_E_UNSUPPORTED: a Parquet codec that was not built in · PNCP_E_IO · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_input_load(const char *path, struct pncp_list *list, int64_t rows_max,
                                          struct pncp_keyset *keys, struct pncp_input_counts *ret_counts,
                                          struct pncp_err *err);

#endif
