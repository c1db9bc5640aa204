/*
 * The pages of one column chunk, as chunk_writer.h writes them, back into a leaf: data pages of version 1, levels in
 * the RLE hybrid, values PLAIN or of a dictionary, ZSTD or not compressed. The bytes are not trusted.
 */
#ifndef PNCP_CHUNK_READER_H
#define PNCP_CHUNK_READER_H

#include "parquet/parquet.h"

#include <zstd.h>

struct pncp_chunk_reader { /* zeroed is a new one; memory is kept from one chunk to the next */
    ZSTD_DCtx *zstd;
    struct pncp_buf page;        /* decompressed */
    struct pncp_buf indexes;     /* of a page: its levels, then its values in the dictionary, as rle.h gives them */
    struct pncp_leaf dictionary; /* of the chunk at hand */
};

void pncp_chunk_reader_release(struct pncp_chunk_reader *reader);
/* Append what is in `bytes`, the whole chunk, to `to`. CRCs are checked where there are some; the slots are as many as
 * the footer said, and all bytes belong to a page. PNCP_E_PARSE, with *ret_damage saying what is wrong ·
 * PNCP_E_LIMIT: 16 Mi slots, or texts that unfold to more than 256 MiB · PNCP_E_NOMEM. On failure `to` may have grown.
 */
MUST_CHECK enum pncp_code pncp_chunk_read(struct pncp_chunk_reader *reader, const struct pncp_chunk *chunk,
                                          struct pncp_view bytes, struct pncp_leaf *to, const char **ret_damage);

#endif
