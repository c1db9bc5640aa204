/*
 * Small row groups cost readers time and every footer bytes; large ones cost every checkpoint a rewrite. Three classes:
 * tiny (under 16 rows), small, settled (256 rows or 1 MiB). Sixteen tiny groups, the lot counted, become one; sixteen
 * small ones likewise. Sixteen tiny groups have 16 rows at least and sixteen small ones 256, so a group made of tiny
 * ones is small or settled and one made of small ones is settled: a row is encoded three times at most, and at most
 * 15 + 15 groups are unsettled, whatever lots come in whatever order.
 * For that a class is counted wherever its groups lie among the unsettled ones. Those stay together at the end of the
 * file: append.c puts what is settled before them, so that what a fold copies behind it stays small (a class that has
 * 4 MiB is folded before it has sixteen).
 */
#include "base/mem.h"
#include "day/data_int.h"
#include "parquet/chunk_reader.h"

#define TINY_ROWS 16
#define SETTLED_ROWS 256
#define SETTLED_BYTES ((uint64_t)1024 * 1024)
#define FOLDED_ROWS_MAX 2000
#define FOLDED_BYTES_MAX ((uint64_t)4 * 1024 * 1024)
#define TRIM_EVERY_LEAVES 32 /* a fold is when a run holds most: what is free goes back before and during it */

enum size_class { TINY, SMALL, SETTLED };

static enum size_class class_of(uint64_t rows, uint64_t bytes)
{
    if (rows >= SETTLED_ROWS || bytes >= SETTLED_BYTES)
        return SETTLED;
    return rows < TINY_ROWS ? TINY : SMALL;
}

bool pncp_fold_is_settled(const struct pncp_group *group)
{
    return class_of(group->rows, group->bytes) == SETTLED;
}

/* Is there enough of that class? Then as many of the oldest as stay within the ceilings. */
static bool plan_class(const struct pncp_footer *footer, enum size_class class, uint64_t lot_rows, uint64_t lot_bytes,
                       struct pncp_fold *fold)
{
    bool lot_too = class_of(lot_rows, lot_bytes) == class;
    size_t alike = lot_too;
    uint64_t all_bytes = lot_too ? lot_bytes : 0, rows = 0, bytes = 0;
    for (size_t i = fold->tail; i < footer->group_count; i++) {
        if (class_of(footer->groups[i].rows, footer->groups[i].bytes) == class) {
            alike++;
            all_bytes += footer->groups[i].bytes;
        }
    }
    if (alike < PNCP_FOLD_GROUPS && all_bytes <= FOLDED_BYTES_MAX)
        return false;
    fold->count = 0;
    for (size_t i = fold->tail; i < footer->group_count && fold->count < PNCP_FOLD_GROUPS; i++) {
        const struct pncp_group *group = &footer->groups[i];
        if (class_of(group->rows, group->bytes) != class)
            continue;
        if (rows + group->rows > FOLDED_ROWS_MAX || bytes + group->bytes > FOLDED_BYTES_MAX)
            return fold->count >= 2; /* the ceilings hold two unsettled groups at least */
        rows += group->rows;
        bytes += group->bytes;
        fold->groups[fold->count++] = i;
    }
    fold->with_lot = lot_too && fold->count < PNCP_FOLD_GROUPS && rows + lot_rows <= FOLDED_ROWS_MAX &&
                     bytes + lot_bytes <= FOLDED_BYTES_MAX;
    return fold->count + fold->with_lot >= 2;
}

size_t pncp_fold_tail(const struct pncp_footer *footer)
{
    size_t tail = footer->group_count;
    while (tail > 0 && !pncp_fold_is_settled(&footer->groups[tail - 1]))
        tail--;
    return tail;
}

struct pncp_fold pncp_fold_plan(const struct pncp_footer *footer, uint64_t lot_rows, uint64_t lot_bytes)
{
    struct pncp_fold fold = {.tail = pncp_fold_tail(footer)};
    if (!plan_class(footer, SMALL, lot_rows, lot_bytes, &fold) && !plan_class(footer, TINY, lot_rows, lot_bytes, &fold))
        fold = (struct pncp_fold){.tail = fold.tail};
    return fold;
}

static enum pncp_code move_to_stage(struct pncp_group_writer *writer, struct pncp_stage *stage, struct pncp_err *err)
{
    struct pncp_view ready = pncp_group_writer_ready(writer);
    enum pncp_code rc = pncp_stage_append(stage, ready.data, ready.len, err);
    pncp_group_writer_taken(writer);
    return rc;
}

enum pncp_code pncp_fold_encode(const struct pncp_fold *fold, const struct pncp_source *source,
                                const struct pncp_footer *footer, const struct pncp_table *lot,
                                struct pncp_stage *stage, struct pncp_footer *ret_footer, struct pncp_err *err)
{
    /* Level 3 makes it 0.5 % smaller and costs twice as much. A rewrite, which has the memory for it, makes larger
     * pages. */
    const struct pncp_encode_options options = {.zstd_level = 1, .small = true};
    uint64_t rows = fold->with_lot ? lot->rows : 0;
    for (size_t i = 0; i < fold->count; i++)
        rows += footer->groups[fold->groups[i]].rows;
    AUTO(pncp_chunk_reader_release) struct pncp_chunk_reader reader = {0};
    AUTO(pncp_free_ptr) struct pncp_read_ahead *ahead = pncp_calloc(fold->count, sizeof(*ahead));
    struct pncp_group_writer *writer;
    if (ahead == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "fold: out of memory");
    for (size_t i = 0; i < fold->count; i++)
        ahead[i].source = source;
    enum pncp_code rc = pncp_group_writer_open(lot->schema, rows, &options, &writer, err);
    if (rc != PNCP_OK)
        return rc;
    for (size_t leaf = 0; rc == PNCP_OK && leaf < lot->schema->leaf_count; leaf++) {
        AUTO(pncp_leaf_release) struct pncp_leaf column;
        pncp_leaf_init(&column, &lot->schema->leaves[leaf]);
        if (leaf % TRIM_EVERY_LEAVES == 0)
            pncp_mem_trim();
        for (size_t i = 0; rc == PNCP_OK && i < fold->count; i++) {
            const struct pncp_source group = pncp_source_of_ahead(&ahead[i]);
            rc = pncp_parquet_read_leaf(&reader, &group, footer, leaf, fold->groups[i], 1, &column, err);
            if (rc == PNCP_OK)
                rc = pncp_group_writer_piece(writer, &column, i + 1 == fold->count && !fold->with_lot, err);
        }
        if (rc == PNCP_OK && fold->with_lot) {
            rc = pncp_leaf_append(&column, &lot->leaves[leaf]) == PNCP_OK
                     ? pncp_group_writer_piece(writer, &column, true, err)
                     : pncp_err_set(err, PNCP_E_NOMEM, "fold: out of memory");
        }
        if (rc == PNCP_OK)
            rc = move_to_stage(writer, stage, err);
    }
    if (rc == PNCP_OK)
        rc = pncp_stage_flush(stage, err);
    if (rc == PNCP_OK)
        rc = pncp_group_writer_footer(writer, ret_footer, err);
    pncp_group_writer_abort(writer);
    return rc;
}
