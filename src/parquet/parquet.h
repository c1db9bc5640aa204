/*
 * Parquet as this program needs it: rows -> one row group in memory; footers read, validated, merged; single columns
 * read back from any set of row groups. All of it follows the Parquet format 2.10. The footer is ours, because no
 * library appends to a finished object that may be remote; so are the pages of our own files, because a library's
 * writer cost more than all the rest of a run (docs/decisions/0006). Files of other writers are read by carquet
 * (foreign.h).
 *
 * A file is          "PAR1" | row groups … | footer | footer length, 4 bytes LE | "PAR1"
 * An append writes   kept prefix of the old file | new row groups | merged footer | …
 * The footer's bytes of kept row groups are copied through; only offsets of the new groups are shifted.
 */
#ifndef PNCP_PARQUET_H
#define PNCP_PARQUET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/source.h"
#include "table/table.h"

/* A footer larger than this is refused: 32,767 row groups of 10 KB would pass it; a day of 100,000 contratações
 * needs 1.5 MB. */
#define PNCP_FOOTER_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define PNCP_PARQUET_MAGIC_BYTES 4

/* ---- bytes of a file, wherever they are ------------------------------------------------------ */

struct pncp_source pncp_source_of_view(const struct pncp_view *bytes); /* borrowed view; ctx is the pointer */
struct pncp_source pncp_source_of_fd(const int *fd, uint64_t size);    /* borrowed */
/* For many small reads one behind the other, of a row group's chunks say: they come from a window, which is filled from
 * the first byte that is not in it on. A read as long as the window goes past it. */
#define PNCP_READ_AHEAD_BYTES ((size_t)4096)
struct pncp_read_ahead {              /* zeroed but for `source` is a new one */
    const struct pncp_source *source; /* borrowed */
    uint64_t at;
    size_t len;
    char window[PNCP_READ_AHEAD_BYTES];
};
struct pncp_source pncp_source_of_ahead(struct pncp_read_ahead *ahead); /* borrowed; ctx is the pointer */

/* ---- footer ---------------------------------------------------------------------------------- */

struct pncp_chunk {         /* one column chunk */
    uint64_t offset, bytes; /* its pages in the file: dictionary page first when there is one */
    uint64_t raw_bytes;     /* total_uncompressed_size */
    uint64_t value_slots;   /* num_values: slots, nulls included */
    int32_t codec;          /* parquet.thrift CompressionCodec */
};

struct pncp_chunk_numbers { /* the same, for many of them */
    uint64_t offset;
    uint32_t bytes, raw_bytes, value_slots;
    int32_t codec;
};

struct pncp_footer_leaf { /* a column as the schema has it */
    int32_t physical;     /* parquet.thrift Type; -1: none said */
    int16_t max_def, max_rep;
};

struct pncp_group {
    uint64_t rows;
    uint64_t offset, bytes;               /* of all its chunks, which lie together without a gap */
    uint32_t footer_offset, footer_bytes; /* its RowGroup struct within the footer */
};

struct pncp_kv {
    struct pncp_view key, value; /* into footer->raw */
};

/* RowGroup structs that a footer in memory does without, because they are in the file: pncp_footer_leave. */
struct pncp_footer_left {
    size_t groups;      /* the first ones */
    uint32_t at, bytes; /* their place in the footer */
    uint32_t crc;       /* CRC-32 of these bytes */
};

struct pncp_footer {
    struct pncp_buf raw; /* the footer's bytes, without length and magic, and without those left in the file */
    struct pncp_footer_left left;
    uint64_t file_bytes; /* of the whole file */
    uint64_t data_end;   /* where the last row group ends: 4 for none */
    uint64_t rows;
    struct pncp_group *groups;
    size_t group_count;
    size_t recalled_group; /* of a footer by pncp_footer_recall: the number of its group in the file */
    struct pncp_kv *kvs;
    size_t kv_count;
    size_t leaf_count;               /* columns per row group */
    struct pncp_footer_leaf *leaves; /* leaf_count */
    uint32_t *chunk_at; /* where each ColumnChunk begins in its RowGroup: [(group - left.groups) * leaf_count + leaf] */
    struct pncp_chunk_numbers *numbers;         /* [group * leaf_count + leaf], after pncp_footer_unpack; else NULL */
    struct pncp_view schema;                    /* the schema list's bytes, for comparison */
    struct pncp_view created_by, column_orders; /* copied through */
    int32_t version;
};

/* Read and validate the footer of `source`: magic, length, every struct bounded, every offset inside the file, groups
 * in order without overlap, row counts summed. Never trusts a length. PNCP_E_PARSE: not a sound Parquet file (message
 * says what and where) · PNCP_E_LIMIT · PNCP_E_NOMEM · source's errors. */
MUST_CHECK enum pncp_code pncp_footer_read(const struct pncp_source *source, struct pncp_footer *ret_footer,
                                           struct pncp_err *err);
/* The same from footer bytes already in memory; takes *raw. `file_bytes` is the whole file's size. */
MUST_CHECK enum pncp_code pncp_footer_parse(struct pncp_buf *raw, uint64_t file_bytes, struct pncp_footer *ret_footer,
                                            struct pncp_err *err);
void pncp_footer_release(struct pncp_footer *footer);
/* Give up the RowGroup structs of the first `groups` row groups (of a day of 100,000 contratações, 1.4 MB): what is
 * left is good for pncp_footer_make with these groups where they are, and for reading the chunks of the others. */
void pncp_footer_leave(struct pncp_footer *footer, size_t groups);
/* The RowGroup struct of a group that is not left in the file. */
struct pncp_view pncp_footer_group_bytes(const struct pncp_footer *footer, size_t group);
/* For reading the chunks of all groups, each column through all of them: keep their numbers, 24 bytes each, and give up
 * the RowGroup structs, some 90 bytes a chunk; those left in the file `source` are read there. Errors as recall; the
 * footer stays as it was then. */
MUST_CHECK enum pncp_code pncp_footer_unpack(struct pncp_footer *footer, const struct pncp_source *source,
                                             struct pncp_err *err);
/* Before the chunks of a group are read that may be left in the file, which is `source`: if it is, its RowGroup struct
 * is read again, *footer becomes `recalled` (empty; caller releases), which has that group alone, and *group 0.
 * PNCP_E_PARSE: it is not what it was · PNCP_E_NOMEM · source's errors. */
MUST_CHECK enum pncp_code pncp_footer_recall(const struct pncp_footer **footer, size_t *group,
                                             const struct pncp_source *source, struct pncp_footer *recalled,
                                             struct pncp_err *err);
/* Value of the last key-value with that key, or false. */
bool pncp_footer_kv(const struct pncp_footer *footer, const char *key, struct pncp_view *ret_value);
/* Chunk `leaf` of group `group` (parsed on demand: a footer of 100 groups × 137 leaves need not be held unpacked). */
MUST_CHECK enum pncp_code pncp_footer_chunk(const struct pncp_footer *footer, size_t group, size_t leaf,
                                            struct pncp_chunk *ret_chunk, struct pncp_err *err);
/* Is the footer's schema the one this program writes for `schema`? Byte comparison with a fresh encoding. */
MUST_CHECK enum pncp_code pncp_footer_check_schema(const struct pncp_footer *footer, const struct pncp_schema *schema,
                                                   struct pncp_err *err);
/* The newest of the versions that is the footer's schema. PNCP_E_FOREIGN: none is · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_footer_find_schema(const struct pncp_footer *footer,
                                                  struct pncp_schema_versions versions,
                                                  const struct pncp_schema **ret_schema, struct pncp_err *err);

struct pncp_kv_pair {
    const char *key;
    struct pncp_view value;
};

/* Parquet has no checksum over its footer. Ours is a key-value: the CRC-32 of the footer's bytes, eight hexadecimal
 * digits, counted with zeros in their place. A writer that is given the key with the value PNCP_FOOTER_CRC_BLANK fills
 * it in. */
#define PNCP_FOOTER_CRC_KEY "pncp.footer_crc32"
#define PNCP_FOOTER_CRC_BLANK "00000000"
#define PNCP_FOOTER_CRC_DIGITS ((size_t)8)
/* Is it there, and right? Of a footer with nothing left in the file. */
bool pncp_footer_crc_is_right(const struct pncp_footer *footer);

/* Groups [first, first + count) of a footer, whose bytes lie in the new file from `at` on, one after the other as they
 * did. */
struct pncp_footer_piece {
    const struct pncp_footer *footer;
    size_t first, count;
    uint64_t at;
};
/* What follows the data in a new file made of these pieces (one at least; a piece may have no groups), in order of
 * place: footer + length + magic, appended to `ret_tail`. Version, creator and column orders are the first piece's. The
 * key-values are written in the order given. `ret_footer`, when not NULL, receives the new footer (caller releases).
 * The result is parsed again before it is returned: what would not read is an error here.
 * PNCP_E_PARSE: the schemas' bytes differ, pieces overlap, a group is unsound, or one was left in the file that does
 * not stay where it is · PNCP_E_LIMIT: more than 32,767 groups (ordinal is i16) or PNCP_FOOTER_MAX_BYTES ·
 * PNCP_E_NOMEM. On failure ret_tail is as it was. Of pieces with nothing left in the file. */
MUST_CHECK enum pncp_code pncp_footer_build(const struct pncp_footer_piece *pieces, size_t piece_count,
                                            const struct pncp_kv_pair *kvs, size_t kv_count, struct pncp_buf *ret_tail,
                                            struct pncp_footer *ret_footer, struct pncp_err *err);
/* The same; what follows the data is pncp_footer_tail(ret_footer). The first piece's footer may have left groups in its
 * file, all of them in the piece and to stay where they are: ret_footer leaves them there too. Errors as above. */
MUST_CHECK enum pncp_code pncp_footer_make(const struct pncp_footer_piece *pieces, size_t piece_count,
                                           const struct pncp_kv_pair *kvs, size_t kv_count,
                                           struct pncp_footer *ret_footer, struct pncp_err *err);
/* In order; the views are valid as long as the footer is. */
struct pncp_footer_tail {
    struct pncp_view head;
    uint64_t left_at, left_bytes; /* of the first piece's file */
    struct pncp_view rest;
};
/* Of a footer by pncp_footer_make (`first` is the first piece's) or a columns writer (`first` is itself); no other has
 * it. */
struct pncp_footer_tail pncp_footer_tail(const struct pncp_footer *made, const struct pncp_footer *first);
/* The ordinary case: the first keep_groups groups of `old` (NULL: a new file) stay where they are, all of `added` (the
 * footer that pncp_group_encode gave) follow at `added_at`, which is the end of the kept prefix. Errors as above. */
MUST_CHECK enum pncp_code pncp_footer_merge(const struct pncp_footer *old, size_t keep_groups,
                                            const struct pncp_footer *added, uint64_t added_at,
                                            const struct pncp_kv_pair *kvs, size_t kv_count, struct pncp_buf *ret_tail,
                                            struct pncp_footer *ret_footer, struct pncp_err *err);

/* ---- encoding -------------------------------------------------------------------------------- */

struct pncp_encode_options {
    int zstd_level; /* -7..9, not 0; below 1: faster, larger */
    bool plain;     /* no dictionaries, and what is tiny is not compressed: cheaper, and for some 50 rows hardly larger
                     */
    bool small;     /* pages of 64 KiB instead of 256: half a megabyte less while they are made, a few percent larger */
};

/* One row group under construction, leaf by leaf, so that a fold or rewrite holds one column at a time.
 * Sequence: open(rows, one at least) -> leaf(0) … leaf(n-1), each once, in order -> finish (or abort). Counts are
 * checked per leaf: slots with rep 0 == rows, and equal rep levels across the leaves of one list: PNCP_E_PARSE when
 * they differ. finish gives a whole small Parquet file "PAR1…PAR1" and its footer. PNCP_E_LIMIT: a row group of more
 * than 1 GiB, or a row of more than 256 MiB in one column, which could not be read again · PNCP_E_NOMEM. */
struct pncp_group_writer;
MUST_CHECK enum pncp_code pncp_group_writer_open(const struct pncp_schema *schema, uint64_t rows,
                                                 const struct pncp_encode_options *options,
                                                 struct pncp_group_writer **ret_writer, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_group_writer_leaf(struct pncp_group_writer *writer, const struct pncp_leaf *leaf,
                                                 struct pncp_err *err);
/* The next leaf in pieces: whole rows appended to `leaf`, which end at the same rows in all leaves of a list; with
 * `last` it is complete. What is encoded is taken from `leaf`, as long as its column has neither dictionary nor
 * statistics; the bytes written are those of pncp_group_writer_leaf, and so are the errors. After the last piece `leaf`
 * is good for release only. */
MUST_CHECK enum pncp_code pncp_group_writer_piece(struct pncp_group_writer *writer, struct pncp_leaf *leaf, bool last,
                                                  struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_group_writer_finish(struct pncp_group_writer *writer, struct pncp_buf *ret_file,
                                                   struct pncp_footer *ret_footer, struct pncp_err *err);
/* For a group that need not lie in memory: between two leaves, what is encoded so far and was not taken yet ("PAR1" is
 * its beginning), borrowed until the next call; taken: it was. When all is taken and all leaves were there, the footer
 * of the file that it would be, in finish's place. PNCP_E_NOMEM. */
struct pncp_view pncp_group_writer_ready(const struct pncp_group_writer *writer);
void pncp_group_writer_taken(struct pncp_group_writer *writer);
MUST_CHECK enum pncp_code pncp_group_writer_footer(const struct pncp_group_writer *writer,
                                                   struct pncp_footer *ret_footer, struct pncp_err *err);
void pncp_group_writer_abort(struct pncp_group_writer *writer); /* frees; also after finish; NULL is fine */
/* All row groups of a file at once, column by column, for a rewrite that decodes each column of its source one time.
 * The chunks come in that order and go to a temporary place, one behind the other from its beginning on; from there
 * they are taken to the file, group by group. Their metadata goes to another, because of a day of 100,000 it has
 * 1.2 MB. Sequence: open(rows of each group, one at least; borrowed) -> for each leaf, for each group: put -> footer,
 * each_chunk -> free. */
struct pncp_columns_writer;
MUST_CHECK enum pncp_code pncp_columns_writer_open(const struct pncp_schema *schema, const uint64_t *rows,
                                                   size_t group_count, const struct pncp_encode_options *options,
                                                   struct pncp_columns_writer **ret_writer, struct pncp_err *err);
/* The chunk of the next leaf of `group`: *ret_chunk and its metadata *ret_entry, valid until the next call, are to be
 * appended to their temporary places. Errors as pncp_group_writer_leaf. */
MUST_CHECK enum pncp_code pncp_columns_writer_put(struct pncp_columns_writer *writer, size_t group,
                                                  const struct pncp_leaf *leaf, struct pncp_view *ret_chunk,
                                                  struct pncp_view *ret_entry, struct pncp_err *err);
/* Give back the memory that is kept from one chunk to the next, a megabyte and more: what the last put has given is
 * gone. The next put takes it again. */
void pncp_columns_writer_rest(struct pncp_columns_writer *writer);
/* Where the chunks lie in the temporary place, in the order in which they follow "PAR1" in the file. */
MUST_CHECK enum pncp_code pncp_columns_writer_each_chunk(const struct pncp_columns_writer *writer,
                                                         enum pncp_code (*each)(void *ctx, uint64_t at, uint64_t bytes,
                                                                                struct pncp_err *err),
                                                         void *ctx, struct pncp_err *err);
/* The footer of that file, from `entries`, the temporary place of the metadata. What follows the data is
 * pncp_footer_tail(ret_footer, ret_footer). PNCP_E_LIMIT · PNCP_E_NOMEM · source's errors. */
MUST_CHECK enum pncp_code pncp_columns_writer_footer(const struct pncp_columns_writer *writer,
                                                     const struct pncp_source *entries, const struct pncp_kv_pair *kvs,
                                                     size_t kv_count, struct pncp_footer *ret_footer,
                                                     struct pncp_err *err);
void pncp_columns_writer_free(struct pncp_columns_writer *writer); /* NULL is fine */
/* A whole table as one row group (the ordinary checkpoint). */
MUST_CHECK enum pncp_code pncp_group_encode(const struct pncp_table *table, const struct pncp_encode_options *options,
                                            struct pncp_buf *ret_file, struct pncp_footer *ret_footer,
                                            struct pncp_err *err);
/* A file of that schema with no row group and the given key-values: what `adopt` writes, and a list of an empty day. */
MUST_CHECK enum pncp_code pncp_parquet_empty(const struct pncp_schema *schema, const struct pncp_kv_pair *kvs,
                                             size_t kv_count, struct pncp_buf *ret_file, struct pncp_err *err);

/* ---- decoding -------------------------------------------------------------------------------- */

struct pncp_chunk_reader; /* parquet/chunk_reader.h */
/* Append leaf `leaf` of groups [first, first + count) to `ret_leaf` (initialised for that leaf of the schema; the
 * file's schema is the program's own). `reader`: one for all calls that follow each other spares each a decoder of 160
 * KiB; NULL: this call's own. Only these chunks are read from `source`. Every page is decoded with its CRC
 * where it has one; slot and row counts are compared with the footer. PNCP_E_PARSE: damaged (message names group and
 * column), or not as this program writes it (chunk_reader.h) · PNCP_E_LIMIT: a chunk of more than 256 MiB, or texts
 * that unfold to more · PNCP_E_NOMEM · source's errors.
 * On failure `ret_leaf` may have grown: it is good for release or clear only. */
MUST_CHECK enum pncp_code pncp_parquet_read_leaf(struct pncp_chunk_reader *reader, const struct pncp_source *source,
                                                 const struct pncp_footer *footer, size_t leaf, size_t first_group,
                                                 size_t count, struct pncp_leaf *ret_leaf, struct pncp_err *err);

#endif
