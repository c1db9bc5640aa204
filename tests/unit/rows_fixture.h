/*
 * What the tests of day/ and ingest/ share: a lake in a folder of its own, rows of the details and list schemas whose
 * whole content follows from a number, and a way to tell whether a file holds exactly such rows.
 */
#ifndef ROWS_FIXTURE_H
#define ROWS_FIXTURE_H

#include "base/clock.h"
#include "lake/lake.h"
#include "model/key.h"
#include "model/model.h"
#include "table/table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROWS_RUN "20251023T060102Z-4f1c9a20"

/* ---- a lake ---------------------------------------------------------------------------------- */
struct rows_lake {
    char folder[256]; /* made by mkdtemp, removed with all that is in it */
    struct pncp_lake *lake;
    struct pncp_date date; /* 2025-10-22 */
};
void rows_lake_open(struct rows_lake *lake);
void rows_lake_close(struct rows_lake *lake);
struct pncp_lake *rows_lake_again(const struct rows_lake *lake, const char *run_id); /* another run's view of it */
/* A file below the lake's root, whole. */
void rows_file_put(const struct rows_lake *lake, const char *path, const void *data, size_t len); /* folders made too */
bool rows_file_get(const struct rows_lake *lake, const char *path, struct pncp_buf *text);        /* false: no file */
bool rows_file_exists(const struct rows_lake *lake, const char *path);
size_t rows_temp_count(const struct rows_lake *lake); /* files in pncp_details/_state/tmp */
/* Everything below the lake as one number: names, types and contents. Changes when anything is written. */
uint64_t rows_lake_hash(const struct rows_lake *lake);

/* ---- rows ------------------------------------------------------------------------------------ */
/* Numbers from 1. Keys are not in the order of the numbers; every seventh CNPJ has letters. */
struct pncp_key rows_key(uint32_t number);
struct pncp_packed_key rows_packed(uint32_t number);
enum pncp_situacao rows_itens(uint32_t number); /* mostly ok; every 11th vazio, every 13th ausente */
enum pncp_situacao rows_arquivos(uint32_t number);
int64_t rows_itens_total(uint32_t number);
int64_t rows_arquivos_total(uint32_t number);
void rows_put(struct pncp_table *table, uint32_t number);                         /* schema: details or list */
void rows_put_wide(struct pncp_table *table, uint32_t number, size_t text_bytes); /* with so much more text in it */
/* A table of rows first … first + count - 1. */
void rows_table(struct pncp_table *table, const struct pncp_schema *schema, uint32_t first, uint32_t count);

/* ---- reading back ---------------------------------------------------------------------------- */
struct rows_read {
    struct rows_read_row {
        struct pncp_packed_key key;
        uint64_t hash; /* of every cell of the row */
    } * rows;          /* in the file's order */
    size_t count, groups;
    uint64_t *group_rows, *group_bytes;
};
/* Read a Parquet file of `schema` cell by cell. Errors of lake and parquet. */
MUST_CHECK enum pncp_code rows_try_read(struct pncp_lake *lake, const char *path, const struct pncp_schema *schema,
                                        struct rows_read *ret_read, struct pncp_err *err);
/* The same; what cannot be read fails the test. */
void rows_read(struct pncp_lake *lake, const char *path, const struct pncp_schema *schema, struct rows_read *ret_read);
void rows_read_release(struct rows_read *read);
/* Does it hold rows 1 … count, each once, every cell as rows_put made it, in any order? Fails the test otherwise. */
void rows_assert_exactly(const struct rows_read *read, const struct pncp_schema *schema, uint32_t count);
bool rows_is_sorted(const struct rows_read *read);

#endif
