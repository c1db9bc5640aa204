/*
 * Column by column: the groups of the inputs are decoded, and each new row group gathers its rows in their order and
 * encodes them. A column that is too large to be held whole goes to a temporary file between, the rows of each source
 * group sorted by the new row group that they belong to. The encoded chunks wait in a second temporary file, because
 * the file has them group by group.
 */
#include "day/regroup.h"
#include "base/file.h"
#include "base/mem.h"

#include <string.h>

/* Readers gain little from larger groups, and one column of one group is in memory twice. */
#define GROUP_ROWS_MAX 1000
#define WHOLE_BYTES_MAX ((size_t)1024 * 1024)        /* a column that takes no more is held whole */
#define TRIM_EVERY_BYTES ((uint64_t)8 * 1024 * 1024) /* moved: then the allocator's holes go back */
#define LARGE_BYTES ((size_t)512 * 1024)             /* of a column of a group: the encoder keeps nothing beside it */
#define GROUP_BYTES_MAX ((uint64_t)4 * 1024 * 1024)  /* by the source's bytes per row */

struct group {                  /* a new one */
    size_t first, count;        /* rows, in the new order */
    uint32_t piece, last_piece; /* of the column at hand; NO_PIECE: none */
};

struct piece { /* rows of one source group that go to one new group, in the temporary file: def, rep, ends, values */
    uint64_t at;
    uint32_t slots, values, bytes; /* of one column of a group: a chunk of 256 MiB at most */
    uint32_t group, rows;
    uint32_t next; /* of the same new group; NO_PIECE: none */
};
#define NO_PIECE UINT32_MAX

struct source_group { /* of an input; counted through all inputs */
    const struct pncp_columns *input;
    size_t number; /* there */
};

struct work {
    const struct pncp_regroup *r;
    struct source_group *sources;
    size_t source_count;
    struct group *groups;
    size_t group_count;
    uint64_t *rows;  /* per new group */
    uint16_t *from;  /* per row in the new order: the source group that it comes from */
    uint32_t *begin; /* per source group, and the end: its first row, counted through all groups */
    uint32_t *moved; /* from begin[group] on, rows of that source group in the order in which they go to new groups */
    uint16_t *to;    /* … and the new group of each */
    uint32_t *moved_end; /* per source group: where its moved rows end */
    uint32_t *next; /* per source group, while rows are gathered: of a column held whole, which of `moved` comes next;
                       else the row of its piece that does */
    struct piece *pieces;
    size_t piece_count, piece_cap;
    struct pncp_stage loose, encoded, entries; /* pieces of the column at hand; chunks; their metadata */
    uint64_t moved_bytes;                      /* since the allocator's holes went back */
    struct pncp_columns_writer *writer;
};

static enum pncp_code no_memory(struct pncp_err *err)
{
    return pncp_err_set(err, PNCP_E_NOMEM, "compact: out of memory");
}

static void release(struct work *work)
{
    pncp_free(work->sources);
    pncp_free(work->groups);
    pncp_free(work->rows);
    pncp_free(work->from);
    pncp_free(work->begin);
    pncp_free(work->moved);
    pncp_free(work->to);
    pncp_free(work->moved_end);
    pncp_free(work->next);
    pncp_free(work->pieces);
    pncp_stage_release(&work->loose);
    pncp_stage_release(&work->encoded);
    pncp_stage_release(&work->entries);
    pncp_columns_writer_free(work->writer);
}

/* ---- the plan -------------------------------------------------------------------------------- */

static const struct pncp_group *source_group(const struct work *work, size_t group)
{
    const struct source_group *source = &work->sources[group];
    return &source->input->footer->groups[source->number];
}

static enum pncp_code plan_sources(struct work *work, struct pncp_err *err)
{
    const struct pncp_regroup *r = work->r;
    size_t count = 0;
    for (size_t i = 0; i < r->input_count; i++)
        count += r->inputs[i].footer->group_count;
    if (count > UINT16_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "compact: %zu row groups are too many", count);
    work->sources = pncp_calloc(count, sizeof(*work->sources));
    work->begin = pncp_calloc(count + 1, sizeof(*work->begin));
    work->next = pncp_calloc(count, sizeof(*work->next));
    work->moved_end = pncp_calloc(count, sizeof(*work->moved_end));
    if (work->sources == NULL || work->begin == NULL || work->next == NULL || work->moved_end == NULL)
        return no_memory(err);
    for (size_t i = 0; i < r->input_count; i++) {
        for (size_t group = 0; group < r->inputs[i].footer->group_count; group++)
            work->sources[work->source_count++] = (struct source_group){.input = &r->inputs[i], .number = group};
    }
    for (size_t i = 0; i < count; i++)
        work->begin[i + 1] = work->begin[i] + (uint32_t)source_group(work, i)->rows;
    return PNCP_OK;
}

static enum pncp_code plan_rows(struct work *work, struct pncp_err *err)
{
    enum pncp_code rc = plan_sources(work, err);
    if (rc != PNCP_OK)
        return rc;
    size_t all = work->begin[work->source_count];
    work->from = pncp_calloc(work->r->rows, sizeof(*work->from));
    work->moved = pncp_calloc(all, sizeof(*work->moved));
    work->to = pncp_calloc(all, sizeof(*work->to));
    return work->from == NULL || work->moved == NULL || work->to == NULL ? no_memory(err) : PNCP_OK;
}

/* The source group of a row. */
static uint16_t group_of(const struct work *work, uint32_t row)
{
    size_t low = 0, high = work->source_count;
    while (high - low > 1) { /* begin[low] <= row < begin[high] */
        size_t middle = low + (high - low) / 2;
        if (work->begin[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return (uint16_t)low;
}

/* How many rows from `first` on make the next group. */
static size_t group_size(const struct work *work, size_t first)
{
    uint64_t bytes = 0;
    size_t count = 0;
    for (; first + count < work->r->rows && count < GROUP_ROWS_MAX; count++) {
        const struct pncp_group *from = source_group(work, work->from[first + count]);
        bytes += from->bytes / from->rows;
        if (count > 0 && bytes > GROUP_BYTES_MAX)
            break;
    }
    return count;
}

static enum pncp_code plan_groups(struct work *work, struct pncp_err *err)
{
    size_t rows = work->r->rows, cap = 0;
    for (size_t first = 0; first < rows; first += work->groups[work->group_count++].count) {
        if (work->group_count == cap) {
            cap = pncp_grow(cap, cap + 1);
            struct group *groups = pncp_realloc(work->groups, cap, sizeof(*groups));
            if (groups == NULL)
                return no_memory(err);
            work->groups = groups;
        }
        work->groups[work->group_count] = (struct group){.first = first, .count = group_size(work, first)};
    }
    work->rows = pncp_calloc(work->group_count, sizeof(*work->rows));
    if (work->rows == NULL)
        return no_memory(err);
    for (size_t i = 0; i < work->group_count; i++)
        work->rows[i] = work->groups[i].count;
    return PNCP_OK;
}

/* The rows of a source group in the order in which they come in the new file: by new group, each group's in order. */
static void plan_moves(struct work *work, const uint32_t *order)
{
    memcpy(work->moved_end, work->begin, work->source_count * sizeof(*work->moved_end));
    for (size_t group = 0; group < work->group_count; group++) {
        const struct group *to = &work->groups[group];
        for (size_t i = to->first; i < to->first + to->count; i++) {
            uint16_t from = work->from[i];
            uint32_t at = work->moved_end[from]++;
            work->moved[at] = order[i] - work->begin[from];
            work->to[at] = (uint16_t)group;
        }
    }
}

static enum pncp_code make_plan(struct work *work, const uint32_t *order, struct pncp_err *err)
{
    enum pncp_code rc = plan_rows(work, err);
    for (size_t i = 0; rc == PNCP_OK && i < work->r->rows; i++)
        work->from[i] = group_of(work, order[i]);
    if (rc == PNCP_OK)
        rc = plan_groups(work, err);
    if (rc == PNCP_OK && work->group_count > UINT16_MAX)
        rc = pncp_err_set(err, PNCP_E_LIMIT, "compact: %zu row groups would be too many", work->group_count);
    if (rc == PNCP_OK)
        plan_moves(work, order);
    return rc;
}

/* ---- a column held whole -------------------------------------------------------------------- */

/* All source groups one after the other. *ret_fits: they took no more than WHOLE_BYTES_MAX; else, as soon as that can
 * be expected, `leaf` has only some. */
static enum pncp_code read_whole(struct work *work, size_t leaf_no, struct pncp_leaf *leaf, bool *ret_fits,
                                 struct pncp_err *err)
{
    const uint64_t rows = work->begin[work->source_count];
    enum pncp_code rc = PNCP_OK;
    *ret_fits = true;
    for (size_t group = 0; rc == PNCP_OK && *ret_fits && group < work->source_count; group++) {
        const struct source_group *from = &work->sources[group];
        rc = pncp_columns_read(from->input, work->r->schema, leaf_no, from->number, 1, leaf, err);
        *ret_fits = pncp_leaf_bytes(leaf) * rows <= WHOLE_BYTES_MAX * (uint64_t)work->begin[group + 1];
    }
    return rc;
}

static enum pncp_code gather_whole(struct work *work, const struct group *group, const struct pncp_leaf *whole,
                                   const struct pncp_leaf_index *index, struct pncp_leaf *column, struct pncp_err *err)
{
    for (size_t i = group->first; i < group->first + group->count; i++) {
        uint16_t from = work->from[i];
        uint32_t row = work->begin[from] + work->moved[work->next[from]++];
        if (pncp_leaf_copy_row(column, whole, index, row) != PNCP_OK)
            return no_memory(err);
    }
    return PNCP_OK;
}

/* ---- through the temporary file: out of the source
 * ----------------------------------------------------------------------- */

static enum pncp_code put_piece(struct work *work, struct group *to, uint32_t group, uint32_t rows,
                                const struct pncp_leaf *leaf, struct pncp_err *err)
{
    if (work->piece_count == work->piece_cap) {
        size_t cap = pncp_grow(work->piece_cap, work->piece_count + 1);
        struct piece *pieces = pncp_realloc(work->pieces, cap, sizeof(*pieces));
        if (pieces == NULL)
            return no_memory(err);
        work->pieces = pieces;
        work->piece_cap = cap;
    }
    work->pieces[work->piece_count] = (struct piece){.at = work->loose.bytes,
                                                     .slots = (uint32_t)leaf->level_count,
                                                     .values = (uint32_t)leaf->value_count,
                                                     .bytes = (uint32_t)leaf->values.len,
                                                     .group = group,
                                                     .rows = rows,
                                                     .next = NO_PIECE};
    if (to->piece == NO_PIECE)
        to->piece = (uint32_t)work->piece_count;
    else
        work->pieces[to->last_piece].next = (uint32_t)work->piece_count;
    to->last_piece = (uint32_t)work->piece_count++;
    enum pncp_code rc = PNCP_OK;
    if (leaf->max_def > 0)
        rc = pncp_stage_append(&work->loose, leaf->def, leaf->level_count * sizeof(*leaf->def), err);
    if (rc == PNCP_OK && leaf->max_rep > 0)
        rc = pncp_stage_append(&work->loose, leaf->rep, leaf->level_count * sizeof(*leaf->rep), err);
    if (rc == PNCP_OK && leaf->type == PNCP_T_TEXT && leaf->value_count > 0)
        rc = pncp_stage_append(&work->loose, leaf->ends, leaf->value_count * sizeof(*leaf->ends), err);
    if (rc == PNCP_OK && leaf->values.len > 0)
        rc = pncp_stage_append(&work->loose, leaf->values.data, leaf->values.len, err);
    return rc;
}

/* The rows of source group `group` to the pieces of the new groups; `leaf` and `piece` are empty ones to work with. */
static enum pncp_code scatter_group(struct work *work, uint32_t group, size_t leaf_no, struct pncp_leaf *leaf,
                                    struct pncp_leaf *piece, struct pncp_err *err)
{
    AUTO(pncp_leaf_index_release) struct pncp_leaf_index index = {0};
    const struct source_group *from = &work->sources[group];
    enum pncp_code rc = pncp_columns_read(from->input, work->r->schema, leaf_no, from->number, 1, leaf, err);
    if (rc == PNCP_OK && pncp_leaf_index_make(leaf, &index) != PNCP_OK)
        rc = no_memory(err);
    for (uint32_t i = work->begin[group], end = work->moved_end[group]; rc == PNCP_OK && i < end;) {
        uint32_t first = i;
        uint16_t to = work->to[i];
        pncp_leaf_clear(piece);
        for (; rc == PNCP_OK && i < end && work->to[i] == to; i++) {
            if (pncp_leaf_copy_row(piece, leaf, &index, work->moved[i]) != PNCP_OK)
                rc = no_memory(err);
        }
        if (rc == PNCP_OK)
            rc = put_piece(work, &work->groups[to], group, i - first, piece, err);
    }
    return rc;
}

static enum pncp_code scatter(struct work *work, size_t leaf_no, struct pncp_err *err)
{
    AUTO(pncp_leaf_release) struct pncp_leaf leaf;
    AUTO(pncp_leaf_release) struct pncp_leaf piece;
    pncp_leaf_init(&leaf, &work->r->schema->leaves[leaf_no]);
    pncp_leaf_init(&piece, &work->r->schema->leaves[leaf_no]);
    work->piece_count = 0;
    for (size_t i = 0; i < work->group_count; i++)
        work->groups[i].piece = NO_PIECE;
    enum pncp_code rc = pncp_stage_empty(&work->loose, err);
    for (uint32_t group = 0; rc == PNCP_OK && group < work->source_count; group++) {
        pncp_leaf_clear(&leaf);
        rc = scatter_group(work, group, leaf_no, &leaf, &piece, err);
    }
    return rc == PNCP_OK ? pncp_stage_flush(&work->loose, err) : rc;
}

/* ---- through the temporary file: into the new groups ------------------------------------------ */

static void take(struct pncp_view *from, void *to, size_t len)
{
    if (len > 0)
        memcpy(to, from->data, len);
    *from = pncp_view_from(*from, len);
}

/* To the end of `to`, which has room; read at once, into `bytes`. */
static enum pncp_code take_piece(const struct work *work, const struct piece *piece, struct pncp_buf *bytes,
                                 struct pncp_leaf *to, struct pncp_err *err)
{
    const size_t levels = piece->slots * sizeof(pncp_level);
    const size_t def = to->max_def > 0 ? levels : 0, rep = to->max_rep > 0 ? levels : 0;
    const size_t ends = to->type == PNCP_T_TEXT ? piece->values * sizeof(*to->ends) : 0;
    const uint32_t base = (uint32_t)to->values.len;
    pncp_buf_clear(bytes);
    if (pncp_buf_reserve(bytes, def + rep + ends + piece->bytes) != PNCP_OK)
        return no_memory(err);
    bytes->len = def + rep + ends + piece->bytes;
    enum pncp_code rc = pncp_file_pread(work->loose.fd, bytes->data, bytes->len, piece->at, work->loose.path, err);
    if (rc != PNCP_OK)
        return rc;
    struct pncp_view from = pncp_buf_view(bytes);
    if (def > 0)
        take(&from, to->def + to->level_count, def);
    if (rep > 0)
        take(&from, to->rep + to->level_count, rep);
    if (ends > 0)
        take(&from, to->ends + to->value_count, ends);
    for (size_t i = 0; ends > 0 && i < piece->values; i++)
        to->ends[to->value_count + i] += base;
    take(&from, to->values.data + to->values.len, piece->bytes);
    to->level_count += piece->slots;
    to->value_count += piece->values;
    to->values.len += piece->bytes;
    return PNCP_OK;
}

/* Room for all pieces of a new group, no more. */
static enum pncp_code reserve_pieces(const struct work *work, const struct group *group, struct pncp_leaf *leaf,
                                     struct pncp_err *err)
{
    size_t slots = 0, values = 0, bytes = 0;
    for (uint32_t i = group->piece; i != NO_PIECE; i = work->pieces[i].next) {
        slots += work->pieces[i].slots;
        values += work->pieces[i].values;
        bytes += work->pieces[i].bytes;
    }
    enum pncp_code rc = pncp_leaf_reserve(leaf, slots, values, bytes);
    return rc == PNCP_OK ? rc : pncp_err_set(err, rc, "compact: a column of a row group does not fit into memory");
}

/* The rows of a new group in their order. */
static enum pncp_code gather(struct work *work, const struct group *group, size_t leaf_no, struct pncp_leaf *column,
                             struct pncp_err *err)
{
    AUTO(pncp_leaf_index_release) struct pncp_leaf_index index = {0};
    AUTO(pncp_leaf_release) struct pncp_leaf loose; /* gone before the column is encoded, which takes as much again */
    AUTO(pncp_buf_release) struct pncp_buf bytes = {0}; /* likewise */
    uint32_t rows = 0;
    pncp_leaf_init(&loose, &work->r->schema->leaves[leaf_no]);
    enum pncp_code rc = reserve_pieces(work, group, &loose, err);
    if (rc == PNCP_OK)
        rc = reserve_pieces(work, group, column, err);
    if (loose.values.cap > LARGE_BYTES)
        pncp_columns_writer_rest(work->writer);
    for (uint32_t i = group->piece; rc == PNCP_OK && i != NO_PIECE; i = work->pieces[i].next) {
        work->next[work->pieces[i].group] = rows;
        rows += work->pieces[i].rows;
        rc = take_piece(work, &work->pieces[i], &bytes, &loose, err);
    }
    if (rc == PNCP_OK && pncp_leaf_index_make(&loose, &index) != PNCP_OK)
        rc = no_memory(err);
    for (size_t i = 0; rc == PNCP_OK && i < group->count; i++) {
        uint32_t row = work->next[work->from[group->first + i]]++;
        if (pncp_leaf_copy_row(column, &loose, &index, row) != PNCP_OK)
            rc = no_memory(err);
    }
    return rc;
}

/* ---- one column ------------------------------------------------------------------------------- */

static enum pncp_code encode(struct work *work, size_t group, const struct pncp_leaf *column, struct pncp_err *err)
{
    struct pncp_view chunk, entry;
    enum pncp_code rc = pncp_columns_writer_put(work->writer, group, column, &chunk, &entry, err);
    if (rc == PNCP_OK)
        rc = pncp_stage_append(&work->encoded, chunk.data, chunk.len, err);
    return rc == PNCP_OK ? pncp_stage_append(&work->entries, entry.data, entry.len, err) : rc;
}

static enum pncp_code regroup_column(struct work *work, size_t leaf_no, struct pncp_err *err)
{
    AUTO(pncp_leaf_index_release) struct pncp_leaf_index index = {0};
    AUTO(pncp_leaf_release) struct pncp_leaf whole;
    AUTO(pncp_leaf_release) struct pncp_leaf column;
    bool fits;
    pncp_leaf_init(&whole, &work->r->schema->leaves[leaf_no]);
    pncp_leaf_init(&column, &work->r->schema->leaves[leaf_no]);
    enum pncp_code rc = read_whole(work, leaf_no, &whole, &fits, err);
    if (rc == PNCP_OK && fits) {
        memcpy(work->next, work->begin, work->source_count * sizeof(*work->next));
        rc = pncp_leaf_index_make(&whole, &index) == PNCP_OK ? PNCP_OK : no_memory(err);
        work->moved_bytes += pncp_leaf_bytes(&whole);
    } else if (rc == PNCP_OK) {
        pncp_leaf_release(&whole);
        rc = scatter(work, leaf_no, err);
        work->moved_bytes += work->loose.bytes;
    }
    for (size_t i = 0; rc == PNCP_OK && i < work->group_count; i++) {
        const struct group *group = &work->groups[i];
        pncp_leaf_clear(&column);
        rc =
            fits ? gather_whole(work, group, &whole, &index, &column, err) : gather(work, group, leaf_no, &column, err);
        if (rc == PNCP_OK)
            rc = encode(work, i, &column, err);
    }
    return rc;
}

/* ---- the file -------------------------------------------------------------------------------- */

struct copying {
    struct pncp_stage *from, *to;
    struct pncp_buf chunk;
};

static enum pncp_code copy_chunk(void *ctx, uint64_t at, uint64_t bytes, struct pncp_err *err)
{
    struct copying *copying = ctx;
    pncp_buf_clear(&copying->chunk);
    if (pncp_buf_reserve(&copying->chunk, (size_t)bytes) != PNCP_OK)
        return no_memory(err);
    enum pncp_code rc =
        pncp_file_pread(copying->from->fd, copying->chunk.data, (size_t)bytes, at, copying->from->path, err);
    return rc == PNCP_OK ? pncp_stage_append(copying->to, copying->chunk.data, (size_t)bytes, err) : rc;
}

static enum pncp_code assemble(struct work *work, struct pncp_stage *stage, struct pncp_err *err)
{
    struct copying copying = {.from = &work->encoded, .to = stage};
    enum pncp_code rc = pncp_stage_flush(&work->encoded, err);
    if (rc == PNCP_OK)
        rc = pncp_stage_flush(&work->entries, err);
    if (rc == PNCP_OK)
        rc = pncp_stage_append(stage, "PAR1", PNCP_PARQUET_MAGIC_BYTES, err);
    if (rc == PNCP_OK)
        rc = pncp_columns_writer_each_chunk(work->writer, copy_chunk, &copying, err);
    pncp_buf_release(&copying.chunk);
    return rc;
}

enum pncp_code pncp_regroup(const struct pncp_regroup *regroup, uint32_t **order, struct pncp_stage *stage,
                            struct pncp_columns_writer **ret_writer, struct pncp_stage *ret_entries,
                            struct pncp_err *err)
{
    const struct pncp_encode_options options = {.zstd_level = 1};
    AUTO(release)
    struct work work = {.r = regroup, .loose = PNCP_STAGE_INIT, .encoded = PNCP_STAGE_INIT, .entries = PNCP_STAGE_INIT};
    enum pncp_code rc = make_plan(&work, *order, err);
    pncp_free_ptr(order);
    if (rc == PNCP_OK)
        rc = pncp_stage_open(stage->lake, &work.loose, err);
    if (rc == PNCP_OK)
        rc = pncp_stage_open(stage->lake, &work.encoded, err);
    if (rc == PNCP_OK)
        rc = pncp_stage_open(stage->lake, &work.entries, err);
    if (rc == PNCP_OK)
        rc = pncp_columns_writer_open(regroup->schema, work.rows, work.group_count, &options, &work.writer, err);
    for (size_t leaf = 0; rc == PNCP_OK && leaf < regroup->schema->leaf_count; leaf++) {
        if (*regroup->stop)
            return pncp_err_set(err, PNCP_E_CANCELLED, "compaction stopped by a signal");
        rc = regroup_column(&work, leaf, err);
        if (work.moved_bytes > TRIM_EVERY_BYTES) {
            pncp_mem_trim();
            work.moved_bytes = 0;
        }
    }
    if (rc == PNCP_OK)
        rc = assemble(&work, stage, err);
    if (rc == PNCP_OK) {
        *ret_writer = work.writer;
        *ret_entries = work.entries;
        work.writer = NULL;
        work.entries = PNCP_STAGE_INIT;
    }
    return rc;
}
