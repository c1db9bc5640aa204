/*
 * Columns of a file of ours as the newest schema has them, whatever the file's own. Of an older one the columns that it
 * lacks are made from its `extra`, whose members of their names they take away; where a value does not fit it stays,
 * and is counted, as if the row had been fetched today.
 */
#ifndef PNCP_COLUMNS_H
#define PNCP_COLUMNS_H

#include "parquet/parquet.h"

struct pncp_columns { /* a file; borrowed, all of it */
    const struct pncp_source *source;
    const struct pncp_footer *footer;
    const struct pncp_schema *schema; /* the file's: an earlier version of the one it is read as, or that one */
    struct pncp_chunk_reader *reader; /* as pncp_parquet_read_leaf */
};

/* Which of the versions is the footer's schema? PNCP_E_NEWER: its pncp.schema says a later one · PNCP_E_FOREIGN: none
 * of them · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_columns_find_schema(const struct pncp_footer *footer,
                                                   struct pncp_schema_versions versions,
                                                   const struct pncp_schema **ret_schema, struct pncp_err *err);
/* Append leaf `leaf` of the schema `as`, groups [first_group, first_group + count), to `ret_leaf`. Memory: that column;
 * of an older file, where it has to be made, also its level's `extra` and what is made of it. Errors as
 * pncp_parquet_read_leaf; an `extra` that is not a JSON object is PNCP_E_PARSE. */
MUST_CHECK enum pncp_code pncp_columns_read(const struct pncp_columns *from, const struct pncp_schema *as, size_t leaf,
                                            size_t first_group, size_t count, struct pncp_leaf *ret_leaf,
                                            struct pncp_err *err);

#endif
