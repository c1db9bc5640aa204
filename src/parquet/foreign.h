/*
 * Parquet files of any writer, as rows of JSON: what --input reads when the file is not one of our own making.
 * Sequence: open -> next … until an empty row -> free.   Threads: one per object.
 *
 * A row is one object with the file's columns under their names, in the file's order, so that it reads like a record
 * of the API:
 *   struct                           object                     LIST, repeated field     array
 *   flat column "orgaoEntidade.cnpj" member of an object (pandas.json_normalize writes these; only at the top level);
 *                                    the object is null when all its members are
 *   MAP                              array of {"key","value"}
 *   null                             no member: a column cannot say that a record does not have the field, and unknown
 *                                    columns would fill `extra` with nulls; as an element of an array: null
 *   BOOLEAN, INT, UINT               true, 12                   text, ENUM, JSON         string; it must be UTF-8
 *   BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY without annotation         string, when it is UTF-8
 *   FLOAT, DOUBLE                    the shortest number that reads back as the same; NaN is as null
 *   DECIMAL in any of its forms      its exact digits, without zeros at the end
 *   DATE                             "YYYY-MM-DD"
 *   TIMESTAMP (ms, µs, ns), INT96    "YYYY-MM-DDTHH:MM:SS", with a fraction when that is not zero. The API's times are
 *                                    the Brasília clock without a zone: a local timestamp, an INT96 and one that says
 *                                    nothing are taken as they stand; one that LogicalType calls an instant
 *                                    (isAdjustedToUTC) becomes the Brasília clock. The least integer is as null:
 * numpy's NaT (parquet.thrift and LogicalTypes.md of the Parquet format 2.10; lists of older writers by its
 * "Backward-compatibility rules".) Codecs: none, snappy, gzip, zstd, lz4; every encoding of data page versions 1 and 2.
 *
 * Memory does not grow with the file or its row groups. Per column of the row group at hand: PNCP_FOREIGN_BATCH_SLOTS
 * values, and what carquet holds: its dictionary, one page compressed, decompressed and decoded (20 bytes a value), and
 * of text the pages of the last PNCP_FOREIGN_KEEP_BYTES given out. So the peak is the footer and about three times one
 * page of every column. Measured with 100,000 rows of the API's fields (45 columns) in one row group: 27 MB as pyarrow
 * writes them (pages of 20,000 rows), 59 MB without dictionaries, 93 MB from Polars and 111 MB from DuckDB, whose row
 * groups of 122,880 rows have one page a column.
 */
#ifndef PNCP_FOREIGN_H
#define PNCP_FOREIGN_H

#include "base/err.h"
#include "base/view.h"
#include "parquet/parquet.h"

#define PNCP_FOREIGN_COLUMNS_MAX 512                         /* leaves; the API's record has 60 */
#define PNCP_FOREIGN_ROW_MAX_BYTES ((size_t)4 * 1024 * 1024) /* JSON text of a row; the API's largest have 20 KB */
#define PNCP_FOREIGN_KEEP_BYTES ((size_t)1024 * 1024)        /* of text pages held back per column */
#define PNCP_FOREIGN_BATCH_SLOTS 256                         /* decoded at a time per column */
#define PNCP_FOREIGN_FIXED_MAX_BYTES 1024                    /* width of a FIXED_LEN_BYTE_ARRAY */

struct pncp_foreign;

/* `fd` is borrowed for the object's life; its file offset is neither used nor moved. PNCP_E_PARSE: not a sound Parquet
 * file, or a column cannot be shown as JSON (names column and type), or is there twice · PNCP_E_LIMIT: columns ·
 * PNCP_E_IO · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_foreign_open(int fd, struct pncp_foreign **ret_foreign, struct pncp_err *err);
void pncp_foreign_free(struct pncp_foreign *foreign); /* NULL is fine */

/* Its footer, borrowed: for what the file says of itself (pncp_footer_kv). */
const struct pncp_footer *pncp_foreign_footer(const struct pncp_foreign *foreign);

/* The next row's JSON text, valid until the next call; an empty view after the last. After an error the object can only
 * be freed. Errors name row and column, rows counted from 1.
 * PNCP_E_PARSE: damaged, a value that has no JSON (text that is not UTF-8, infinity, a day beyond the years 1..9999) ·
 * PNCP_E_UNSUPPORTED: a codec that was not built in (brotli) · PNCP_E_LIMIT: PNCP_FOREIGN_ROW_MAX_BYTES · PNCP_E_IO ·
 * PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_foreign_next(struct pncp_foreign *foreign, struct pncp_view *ret_row,
                                            struct pncp_err *err);

#endif
