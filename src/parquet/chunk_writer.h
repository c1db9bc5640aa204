/*
 * One column chunk: the values of a leaf as pages, and the ColumnChunk struct that tells of them. Pages are data pages
 * of version 1 with levels in the RLE hybrid, values PLAIN or of a dictionary, ZSTD (a small chunk of a lot: as it
 * is), CRC-32 (parquet.thrift of the format 2.10); a page begins at a row.
 */
#ifndef PNCP_CHUNK_WRITER_H
#define PNCP_CHUNK_WRITER_H

#include "parquet/dictionary.h"
#include "parquet/parquet.h"

#include <zstd.h>

struct pncp_chunk_writer { /* zeroed is a new one; memory is kept from one column to the next */
    ZSTD_CCtx *zstd;
    struct pncp_buf page;   /* not compressed */
    struct pncp_buf levels; /* of a page, as rle.h takes them */
    struct pncp_buf header; /* PageHeader */
    struct pncp_dictionary dictionary;
};

struct pncp_chunk_begun { /* a chunk under way; info and out are borrowed until its end */
    const struct pncp_leaf_info *info;
    const struct pncp_leaf *leaf; /* what it is being made of: all of it, or a piece */
    int zstd_level;
    bool plain, small, dictionary, stored; /* stored: not compressed */
    uint64_t base;                         /* of places in the file, beyond those in *out */
    struct pncp_buf *out;
    size_t begin, data_at; /* in *out; they differ by the page of the dictionary */
    size_t slots;          /* in pages */
    uint64_t raw_bytes;
};

void pncp_chunk_writer_release(struct pncp_chunk_writer *writer);
/* Append the pages of `leaf`, one slot at least and sound (levels in range, as many values as they say), to `out`, and
 * its ColumnChunk, whose offsets are places in `out` plus `base`, to `chunks`; the pages' uncompressed bytes with their
 * headers are added to *raw_bytes. PNCP_E_LIMIT: past the ceiling of `out`, or a row of more than PNCP_CHUNK_MAX_BYTES,
 * which could not be read again · PNCP_E_NOMEM. On failure `out` and `chunks` are good for release only. */
MUST_CHECK enum pncp_code pncp_chunk_write(struct pncp_chunk_writer *writer, const struct pncp_leaf_info *info,
                                           const struct pncp_leaf *leaf, const struct pncp_encode_options *options,
                                           uint64_t base, struct pncp_buf *out, struct pncp_buf *chunks,
                                           uint64_t *raw_bytes, struct pncp_err *err);

/* The same in pieces, for a column that has neither dictionary nor statistics, which look at all of its values: begin
 * -> piece, the last one with `last` -> end. The bytes are those of pncp_chunk_write, and so are the errors. A piece is
 * whole rows; what went into a page is taken from the beginning of `leaf`, and the next piece is appended to the rest.
 */
bool pncp_chunk_takes_pieces(const struct pncp_leaf_info *info, const struct pncp_encode_options *options);
MUST_CHECK enum pncp_code pncp_chunk_begin(struct pncp_chunk_writer *writer, const struct pncp_leaf_info *info,
                                           const struct pncp_encode_options *options, uint64_t base,
                                           struct pncp_buf *out, struct pncp_chunk_begun *ret_chunk,
                                           struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_chunk_piece(struct pncp_chunk_writer *writer, struct pncp_chunk_begun *chunk,
                                           struct pncp_leaf *leaf, bool last, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_chunk_end(const struct pncp_chunk_begun *chunk, struct pncp_buf *chunks,
                                         uint64_t *raw_bytes, struct pncp_err *err);

#endif
