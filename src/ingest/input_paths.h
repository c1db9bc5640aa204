/*
 * The files that --input names: a file, a folder (its *.parquet, *.json, *.ndjson and *.jsonl), or a pattern of
 * glob(3), with the day in place of {yyyy}, {mm} and {dd}. A path that is there is taken as it stands, whatever signs
 * its name has.
 */
#ifndef PNCP_INPUT_PATHS_H
#define PNCP_INPUT_PATHS_H

#include "base/clock.h"
#include "base/err.h"

/* A year of one file an hour, and to spare; a pattern that catches more was meant otherwise. */
#define PNCP_INPUT_FILES_MAX 10000

struct pncp_input_paths {
    char **paths; /* sorted by their bytes */
    size_t count, cap;
    int64_t oldest_s; /* when the one that was written first was last written; UTC */
};

/* Find the files of `pattern` for `date`: one at least. Those of a folder are files; any other is what it is. Errors
 * name the pattern.
 * PNCP_E_USAGE: there is none · PNCP_E_LIMIT: PNCP_INPUT_FILES_MAX · PNCP_E_IO: a folder cannot be read · PNCP_E_NOMEM.
 */
MUST_CHECK enum pncp_code pncp_input_paths_find(const char *pattern, struct pncp_date date,
                                                struct pncp_input_paths *ret_paths, struct pncp_err *err);
void pncp_input_paths_release(struct pncp_input_paths *paths);

#endif
