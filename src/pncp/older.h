/*
 * Rows of the newest schema for a file of an older one: the columns that the file has not are put into `extra`, where
 * the rows would have them had the program of that time fetched them. The way back is in decode.h.
 */
#ifndef PNCP_OLDER_H
#define PNCP_OLDER_H

#include "table/table.h"

/* The rows in the schema `older`, an earlier version of theirs; caller releases *ret_rows. Every value of a column that
 * `older` lacks is a member of the level's `extra`; one that was there because it did not fit its column is no longer
 * counted as such. PNCP_E_PARSE: an `extra` is not a JSON object · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_rows_to_older(const struct pncp_table *rows, const struct pncp_schema *older,
                                             struct pncp_table *ret_rows, struct pncp_err *err);

#endif
