/*
 * --input: contratações from files instead of our own listing. JSON and NDJSON (forms: json_stream.h), Parquet with the
 * fields as columns, whoever wrote it (parquet/foreign.h), and the lists that this program saves; which files:
 * input_paths.h; how a row may write its key: pncp/given.h. The files are read as a stream: their size does not matter.
 * Fields that the tables do not name go along, into `extra`.
 *
 * A row that has no more than its key, or than key and day, is bare: its contratação has to be got from the API
 * (compras.h). Of several rows with one key the first that is not bare counts.
 * Sequence: set the first block -> load -> (take the bare keys) -> release.
 */
#ifndef PNCP_INPUT_H
#define PNCP_INPUT_H

#include "day/keyset.h"
#include "day/list.h"

struct pncp_input {
    /* set before load, the rest zero; all borrowed */
    struct pncp_list *list; /* under construction */
    struct pncp_keyset *keys;
    int64_t rows_max; /* contratações to take, bare ones included; 0: all */
    /* Called for each row that is left out because its key or its day is none; `row` counts from 1 in file `path`. */
    void (*malformed)(void *ctx, const char *path, int64_t row, const char *why);
    void *ctx;
    /* what load has found */
    int64_t rows;                 /* added to the list */
    int64_t bare;                 /* contratações that have only bare rows */
    int64_t duplicates;           /* rows of a key that was there already */
    int64_t other_days;           /* rows of another publication day: left out */
    int64_t malformed_rows;       /* told to `malformed` */
    int64_t list_at_s;            /* when the oldest of the files was last written: what it lists may be as old */
    struct pncp_packed_key *asks; /* bare keys that are not saved yet, in the files' order */
    size_t ask_count, ask_cap;
};

/* Append the rows of the files that `pattern` names to the list, until rows_max are taken. Every key taken gets
 * PNCP_KEY_LISTED, the bare ones too. What has been found is valid on errors as well; rows may have been added then.
 * Errors name the file, and the row or byte where there is one.
 * PNCP_E_USAGE: no such file, not a regular one, or a file of this program that is no list · PNCP_E_PARSE: not JSON or
 * Parquet, or cut off · PNCP_E_LIMIT: a ceiling of the headers named above · PNCP_E_NEWER: a list of a later version ·
 * PNCP_E_UNSUPPORTED: a Parquet codec that was not built in · PNCP_E_IO · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_input_load(struct pncp_input *input, const char *pattern, struct pncp_err *err);
void pncp_input_release(struct pncp_input *input);

#endif
