/*
 * details.parquet of one day: the truth about what is done. Opening checks that it is ours; appending is the checkpoint
 * of design section 5: fold, merge, splice-if, and reading the history after any answer that is not a clean yes.
 * Sequence: open -> append … -> release. Threads: one at a time (the saver's); the keyset is shared.
 */
#ifndef PNCP_DATA_H
#define PNCP_DATA_H

#include "base/clock.h"
#include "day/keyset.h"
#include "lake/lake.h"
#include "model/model.h"
#include "parquet/parquet.h"

#define PNCP_ID_BYTES 33 /* 32 hex digits */
#define PNCP_RUN_ID_BYTES 40

struct pncp_history_entry {
    char id[PNCP_ID_BYTES]; /* "" in a sum */
    char run[PNCP_RUN_ID_BYTES];
    bool rewrite, sum;
    uint32_t n; /* checkpoint's number within its run; in a sum: how many */
    int64_t at_s;
    int64_t contratacoes, itens, arquivos, bytes;
    uint32_t ms_encode, ms_read, ms_send, ms_commit;
};

struct pncp_data {
    struct pncp_lake *lake;
    struct pncp_date date;
    struct pncp_keyset *keys; /* borrowed; PNCP_KEY_SAVED mirrors the file */
    bool exists;
    struct pncp_footer footer;        /* of `version`; the settled groups are left in the file (pncp_footer_leave) */
    const struct pncp_schema *schema; /* of the file: the newest or an older version; without a file the newest */
    struct pncp_version version;
    char commit[PNCP_ID_BYTES];
    struct pncp_history_entry *history;
    size_t history_count;
    int64_t rows;
    char unclear[PNCP_ID_BYTES]; /* id of a commit whose answer was lost and could not be looked up: asked for first
                                    next time */
    int64_t unclear_contratacoes, unclear_itens, unclear_arquivos;
    uint64_t sent_bytes;   /* since the last append that told them */
    uint64_t resent_bytes; /* of what was there already, by appends to a file too small for the store to keep it */
};

/* Open the day's file and put its keys (PNCP_KEY_SAVED) into `keys`. No file: exists is false, a first run.
 * A file of an older schema stays as it is until a rewrite: rows are brought down to it.
 * PNCP_E_FOREIGN: no pncp.format, or other Parquet in the day's folder (chunk_*.parquet …): message names `adopt`
 * (day/adopt.h) · PNCP_E_NEWER: newer format or schema · PNCP_E_PARSE: damaged, of another day, or a key twice ·
 * PNCP_E_IO. */
MUST_CHECK enum pncp_code pncp_data_open(struct pncp_lake *lake, struct pncp_date date, struct pncp_keyset *keys,
                                         struct pncp_data *ret_data, struct pncp_err *err);
void pncp_data_release(struct pncp_data *data);

struct pncp_data_row { /* what each_key tells of a row, in the file's order */
    struct pncp_key key;
    enum pncp_situacao itens, arquivos;
    int64_t itens_total, arquivos_total; /* -1: ausente */
    int64_t obtido_em_us;
    uint64_t mark; /* hash of run_id, checkpoint and obtido_em: another one is another row of that key */
};
struct pncp_row_walk {
    enum pncp_code (*each)(void *ctx, const struct pncp_data_row *row,
                           struct pncp_err *err); /* its error ends the walk */
    void (*again)(void *ctx); /* forget the rows told so far: another version took this one's place while it was being
                                 read, and its rows are told from the first on. NULL: that ends the walk */
    void *ctx;
};
/* Go through the keys of the file as it is now in the lake (one pinned version). `ret_commit` (may be NULL): that
 * version's commit id. PNCP_E_CONFLICT: it was replaced while it was being read; with `again`, more often than race.h
 * allows · errors of lake and data. */
MUST_CHECK enum pncp_code pncp_data_each_row(struct pncp_data *data, const struct pncp_row_walk *walk,
                                             char ret_commit[PNCP_ID_BYTES], struct pncp_err *err);

struct pncp_situations { /* parts of all rows that are not ok */
    int64_t ausente, vazio;
};
/* As pncp_data_each_row with `again`. */
MUST_CHECK enum pncp_code pncp_data_situations(struct pncp_data *data, struct pncp_situations *ret_situations,
                                               struct pncp_err *err);

struct pncp_lot {             /* a lot to append */
    struct pncp_table *table; /* newest details schema; rows whose keys are in the file are dropped */
    const char *run_id;
    uint32_t n;
};
struct pncp_commit_result {
    int64_t contratacoes, itens, arquivos; /* rows appended, after dropping; of a rewrite: all of the file */
    int64_t renewed;                       /* rows that a rewrite has replaced */
    uint64_t bytes_sent, file_bytes;       /* bytes_sent: with the tries before, also those of calls that failed */
    size_t row_groups, folded_groups;
    uint32_t ms_encode, ms_read, ms_send, ms_commit;
    uint64_t cpu_us_encode, cpu_us_fold, cpu_us_commit;
};

/* The newest entry that is not a sum, or NULL. */
const struct pncp_history_entry *pncp_data_newest(const struct pncp_data *data);
struct pncp_day_totals {
    int64_t contratacoes, itens, arquivos;
};
/* Of all rows, as the history counts them: those of the newest rewrite and of what was appended since. */
struct pncp_day_totals pncp_data_totals(const struct pncp_data *data);
/* Append one lot: one attempt in the sense of design 5.3-5.5 (conflicts are resolved inside by reading history, keys
 * anew and trying again, as race.h says; errors of the store come out). A transient error: nothing certain happened;
 * call again with the same lot (the history tells whether it is there already) · others as open. */
MUST_CHECK enum pncp_code pncp_data_append(struct pncp_data *data, const struct pncp_lot *lot,
                                           struct pncp_commit_result *ret_result, struct pncp_err *err);

struct pncp_renewals; /* day/renewals.h */
struct pncp_rewrite {
    const char *run_id;
    const volatile bool *stop;
    struct pncp_renewals *renewals; /* rows fetched again; NULL: none */
};
/* One rewrite, which brings an older file to the newest schema: all rows of the version it replaces, in row groups ≤
 * 10,000 rows or 8 MiB sorted by key, column by column through a staging file. A row that was fetched again takes the
 * place of the one that was seen before it was asked for, and of no other: when someone else has put another there,
 * that one stays. Nothing to do when none is to be replaced and the file is already one such rewrite, of the newest
 * schema: *ret_done false. PNCP_E_CANCELLED when *stop becomes true · as append. */
MUST_CHECK enum pncp_code pncp_data_rewrite(struct pncp_data *data, const struct pncp_rewrite *rewrite, bool *ret_done,
                                            struct pncp_commit_result *ret_result, struct pncp_err *err);

#endif
