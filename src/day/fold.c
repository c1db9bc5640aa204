/*
 * Small row groups cost readers time and every footer bytes; large ones cost every checkpoint a rewrite. Three classes:
 * tiny (under 16 rows), small, settled (256 rows or 1 MiB). Sixteen tiny groups in a row at the end become one, sixteen
 * small ones likewise, so that a row is encoded two or three times; when both kinds are mixed and 30 unsettled groups
 * lie at the end, the oldest sixteen become one whatever they are. So there are never more than 30.
 */
#include "day/data_int.h"

#define FOLD_GROUPS ((size_t)16)
#define UNSETTLED_MAX ((size_t)30)
#define TINY_ROWS 16
#define SETTLED_ROWS 256
#define SETTLED_BYTES ((uint64_t)1024 * 1024)
#define FOLDED_ROWS_MAX 2000
#define FOLDED_BYTES_MAX ((uint64_t)4 * 1024 * 1024)

enum size_class { TINY, SMALL, SETTLED };

static enum size_class class_of(uint64_t rows, uint64_t bytes)
{
    if (rows >= SETTLED_ROWS || bytes >= SETTLED_BYTES)
        return SETTLED;
    return rows < TINY_ROWS ? TINY : SMALL;
}

struct pncp_fold pncp_fold_plan(const struct pncp_footer *footer, uint64_t lot_rows, uint64_t lot_bytes)
{
    struct pncp_fold none = {0};
    size_t old = footer->group_count;
    enum size_class lot_class = class_of(lot_rows, lot_bytes);
    if (lot_class == SETTLED)
        return none;
    size_t unsettled = 1, alike = 1; /* at the end, the lot included */
    bool same = true;
    for (size_t i = old; i-- > 0 && unsettled <= UNSETTLED_MAX;) {
        enum size_class class = class_of(footer->groups[i].rows, footer->groups[i].bytes);
        if (class == SETTLED)
            break;
        same = same && class == lot_class;
        alike += same;
        unsettled++;
    }
    size_t candidates = alike >= FOLD_GROUPS ? FOLD_GROUPS : unsettled > UNSETTLED_MAX ? unsettled : 0;
    if (candidates == 0)
        return none;
    struct pncp_fold fold = {.first = old + 1 - candidates};
    uint64_t rows = 0, bytes = 0;
    for (size_t taken = 0; taken < FOLD_GROUPS && taken < candidates; taken++) {
        bool is_lot = fold.first + taken == old;
        rows += is_lot ? lot_rows : footer->groups[fold.first + taken].rows;
        bytes += is_lot ? lot_bytes : footer->groups[fold.first + taken].bytes;
        if (rows > FOLDED_ROWS_MAX || bytes > FOLDED_BYTES_MAX)
            break;
        fold.with_lot = is_lot;
        fold.count += !is_lot;
    }
    return fold.count + fold.with_lot >= 2 ? fold : none;
}

enum pncp_code pncp_fold_encode(const struct pncp_fold *fold, const struct pncp_source *source,
                                const struct pncp_footer *footer, const struct pncp_table *lot,
                                struct pncp_buf *ret_file, struct pncp_footer *ret_footer, struct pncp_err *err)
{
    const struct pncp_encode_options options = {.zstd_level = 3}; /* it stays: worth more than a fresh lot */
    uint64_t rows = fold->with_lot ? lot->rows : 0;
    for (size_t i = 0; i < fold->count; i++)
        rows += footer->groups[fold->first + i].rows;
    struct pncp_group_writer *writer;
    enum pncp_code rc = pncp_group_writer_open(lot->schema, rows, &options, &writer, err);
    if (rc != PNCP_OK)
        return rc;
    for (size_t i = 0; rc == PNCP_OK && i < lot->schema->leaf_count; i++) {
        AUTO(pncp_leaf_release) struct pncp_leaf column;
        pncp_leaf_init(&column, &lot->schema->leaves[i]);
        rc = pncp_parquet_read_leaf(source, footer, i, fold->first, fold->count, &column, err);
        if (rc == PNCP_OK && fold->with_lot && pncp_leaf_append(&column, &lot->leaves[i]) != PNCP_OK)
            rc = pncp_err_set(err, PNCP_E_NOMEM, "fold: out of memory");
        if (rc == PNCP_OK)
            rc = pncp_group_writer_leaf(writer, &column, err);
    }
    if (rc == PNCP_OK)
        rc = pncp_group_writer_finish(writer, ret_file, ret_footer, err);
    pncp_group_writer_abort(writer);
    return rc;
}
