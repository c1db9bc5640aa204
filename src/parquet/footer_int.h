/* Footers, between the files of parquet/ only: the pieces of FileMetaData (parquet.thrift) that are read and written.
 */
#ifndef PNCP_FOOTER_INT_H
#define PNCP_FOOTER_INT_H

#include "parquet/parquet.h"
#include "parquet/thrift.h"

#define PNCP_PARQUET_TRAILER_BYTES 8  /* footer length, magic */
#define PNCP_PARQUET_GROUPS_MAX 32767 /* RowGroup.ordinal is i16 */
#define PNCP_PARQUET_KVS_MAX 4096     /* ours has six, other writers a few; each costs 32 bytes of memory */
#define PNCP_PARQUET_SCHEMA_DEPTH_MAX 32
/* Parsers of created_by expect "NAME version X.Y.Z" (parquet-mr's VersionParser); what they do not know they trust. */
#define PNCP_PARQUET_CREATED_BY "pncp-details version 0.1.0"

/* parquet.thrift FieldRepetitionType, PageType, Encoding, CompressionCodec: what is written and read of them. */
enum { PNCP_PARQUET_REQUIRED = 0, PNCP_PARQUET_OPTIONAL = 1, PNCP_PARQUET_REPEATED = 2 };
enum { PNCP_PARQUET_DATA_PAGE = 0, PNCP_PARQUET_DICTIONARY_PAGE = 2 };
enum { PNCP_PARQUET_PLAIN = 0, PNCP_PARQUET_RLE = 3, PNCP_PARQUET_RLE_DICTIONARY = 8 };
enum { PNCP_PARQUET_UNCOMPRESSED = 0, PNCP_PARQUET_ZSTD = 6 };

/* A chunk of more bytes is not read, so no page of ours is larger; one comes near only where a contratação alone is a
 * row group. Damaged lengths do. */
#define PNCP_CHUNK_MAX_BYTES ((size_t)256 * 1024 * 1024)
#define PNCP_CHUNK_MAX_SLOTS ((size_t)16 * 1024 * 1024) /* a few bytes of a page may say any number of nulls */

/* ---- reading --------------------------------------------------------------------------------- */

/* pncp_footer_parse of a footer that continues `known` (NULL: none): a row group whose bytes are those of the same
 * group of `known` was validated with it and is taken over as it was. Every checkpoint parses what it has written; only
 * what is new in it costs time so. *raw is without the groups that `known` has left in its file: they stand at
 * `left_at`. */
MUST_CHECK enum pncp_code pncp_footer_parse_known(struct pncp_buf *raw, uint64_t file_bytes,
                                                  const struct pncp_footer *known, size_t left_at,
                                                  struct pncp_footer *ret_footer, struct pncp_err *err);
/* Of the whole footer, with what is left in the file; where it begins there. */
size_t pncp_footer_bytes(const struct pncp_footer *footer);
uint64_t pncp_footer_at(const struct pncp_footer *footer);
/* Read the RowGroup struct at the reader, with the places of its chunks: `group` is one of footer->groups. */
MUST_CHECK enum pncp_code pncp_footer_read_group(struct pncp_thrift_reader *r, const struct pncp_footer *footer,
                                                 struct pncp_group *group, struct pncp_err *err);
/* A reader that stands at the ColumnChunk struct of `leaf` in `group`. PNCP_E_PARSE: there is none. */
MUST_CHECK enum pncp_code pncp_footer_seek_chunk(const struct pncp_footer *footer, size_t group, size_t leaf,
                                                 struct pncp_thrift_reader *ret_reader, struct pncp_err *err);
/* Read one ColumnChunk struct; the reader fails when it is unsound. */
void pncp_footer_read_chunk(struct pncp_thrift_reader *r, struct pncp_chunk *chunk);

/* ---- writing: head, `group_count` RowGroup structs, foot ------------------------------------- */

struct pncp_footer_head {
    int32_t version;
    struct pncp_view schema; /* the list's bytes, as in struct pncp_footer */
    uint64_t rows;
    size_t group_count;
};
MUST_CHECK enum pncp_code pncp_footer_put_head(struct pncp_buf *out, const struct pncp_footer_head *head);

struct pncp_footer_foot {
    const struct pncp_kv_pair *kvs;
    size_t kv_count;
    struct pncp_view created_by;    /* the string's bytes with its length, as in struct pncp_footer; may be empty */
    struct pncp_view column_orders; /* the list's bytes; may be empty */
    struct pncp_footer_left left;   /* what the footer has in the file, beside `out` */
};
/* Also appends length and magic; the footer began at `footer_at` in `out`. PNCP_E_LIMIT: beyond PNCP_FOOTER_MAX_BYTES.
 */
MUST_CHECK enum pncp_code pncp_footer_put_foot(struct pncp_buf *out, size_t footer_at,
                                               const struct pncp_footer_foot *foot);

/* Fill in the CRC whose digits stand at `digits_at`; the footer is out's bytes from `footer_at` on and what is left. */
void pncp_footer_put_crc(struct pncp_buf *out, size_t footer_at, size_t digits_at, const struct pncp_footer_left *left);
/* The CRC-32 of what is left, when `more`, the bytes that follow it in the footer, are left too. */
uint32_t pncp_footer_crc_more(const struct pncp_footer_left *left, struct pncp_view more);

struct pncp_group_head { /* a RowGroup without its columns */
    uint64_t raw_bytes, bytes, rows, offset;
    size_t ordinal;
};
/* RowGroup around `chunks`, the bytes of `leaf_count` ColumnChunk structs. */
MUST_CHECK enum pncp_code pncp_footer_put_group(struct pncp_buf *out, const struct pncp_group_head *head,
                                                struct pncp_view chunks, size_t leaf_count);

/* The footer of a file of ours, which begins at `footer_at` in `out`: what stands before its `group_count` RowGroup
 * structs, and what stands behind them, length and magic too. Errors as pncp_footer_put_foot. */
MUST_CHECK enum pncp_code pncp_footer_begin_new(const struct pncp_schema *schema, uint64_t rows, size_t group_count,
                                                struct pncp_buf *out);
MUST_CHECK enum pncp_code pncp_footer_end_new(const struct pncp_schema *schema, const struct pncp_kv_pair *kvs,
                                              size_t kv_count, size_t footer_at, struct pncp_buf *out);

/* Append the ColumnChunk at the reader to `out`, its file offsets moved by `shift`. Kept: type, encodings, path, codec,
 * counts, sizes, offsets, null count, and minimum and maximum when they are exact. Left out, because a footer is
 * written anew at every append: the statistics' deprecated twins, distinct counts, encoding and size statistics, page
 * indexes (their blobs hold absolute offsets of the file they were written to) and Bloom filters. */
MUST_CHECK enum pncp_code pncp_footer_copy_chunk(struct pncp_thrift_reader *r, int64_t shift, struct pncp_buf *out);

/* ---- schema ---------------------------------------------------------------------------------- */

/* Append the list of SchemaElement structs of `schema`; its list of ColumnOrder structs. */
MUST_CHECK enum pncp_code pncp_schema_put(const struct pncp_schema *schema, struct pncp_buf *out);
MUST_CHECK enum pncp_code pncp_schema_put_orders(const struct pncp_schema *schema, struct pncp_buf *out);
/* parquet.thrift Type of our type. */
int32_t pncp_schema_physical(enum pncp_type type);

#endif
