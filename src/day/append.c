/* A checkpoint: design section 5, steps 2 to 5. */
#include "base/mem.h"
#include "base/random.h"
#include "day/data_int.h"
#include "day/layout.h"
#include "lake/race.h"
#include "model/model.h"
#include "pncp/older.h"

#include <string.h>

/* The pieces of one attempt: everything that follows the kept prefix. */
struct attempt {
    char id[PNCP_ID_BYTES];
    struct pncp_table lowered; /* the lot, where the file is of an older schema */
    struct pncp_fold fold;
    size_t keep_groups;
    uint64_t keep_bytes;
    char *padding; /* zeros behind the magic, from now on: then the kept groups move; NULL: none is new */
    uint64_t padding_bytes;
    struct pncp_stage folded;       /* an encoded file without its footer, as large as sixteen lots */
    struct pncp_buf between, fresh; /* raw bytes of the groups behind the prefix that stay; an encoded file */
    struct pncp_footer folded_footer, fresh_footer;
    bool has_folded, has_fresh, fresh_first; /* fresh_first: before the groups that stay */
    struct pncp_history history;
    struct pncp_footer merged;
    bool has_merged;
};
/* "PAR1", padding, kept groups that move, a lot, folded groups, those that stay; the footer: head, what it left in the
 * file, rest */
#define SEGMENTS_MAX 9

static void attempt_release(struct attempt *a)
{
    if (a->lowered.schema != NULL)
        pncp_table_release(&a->lowered);
    pncp_free(a->padding);
    pncp_stage_release(&a->folded);
    pncp_buf_release(&a->between);
    pncp_buf_release(&a->fresh);
    pncp_history_release(&a->history);
    if (a->has_folded)
        pncp_footer_release(&a->folded_footer);
    if (a->has_fresh)
        pncp_footer_release(&a->fresh_footer);
    if (a->has_merged)
        pncp_footer_release(&a->merged);
}

/* ---- the lot --------------------------------------------------------------------------------- */

static void free_keyset(struct pncp_keyset **set)
{
    pncp_keyset_free(*set);
}

/* Rows of the lot that are not in the file, each key once; `table` (schema set) gets copies when some are left out,
 * else stays empty and *ret_all is true. */
static enum pncp_code drop_saved(struct pncp_data *data, const struct pncp_table *lot, struct pncp_table *table,
                                 bool *ret_all, struct pncp_err *err)
{
    AUTO(pncp_free_ptr) uint32_t *keep = pncp_calloc(lot->rows, sizeof(*keep));
    AUTO(free_keyset) struct pncp_keyset *seen = NULL;
    if (keep == NULL || pncp_keyset_new(&seen) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "lot: out of memory");
    size_t count = 0;
    for (size_t row = 0; row < lot->rows; row++) {
        struct pncp_packed_key key;
        unsigned before;
        enum pncp_code rc = pncp_data_row_key(lot, row, &key, err);
        if (rc != PNCP_OK)
            return rc;
        if (pncp_keyset_set(seen, key, PNCP_KEY_SEEN, &before) != PNCP_OK)
            return pncp_err_set(err, PNCP_E_NOMEM, "lot: out of memory");
        if (before == 0 && (pncp_keyset_get(data->keys, key) & PNCP_KEY_SAVED) == 0)
            keep[count++] = (uint32_t)row;
    }
    *ret_all = count == lot->rows;
    if (*ret_all)
        return PNCP_OK;
    enum pncp_code rc = pncp_table_init(table, lot->schema);
    for (size_t leaf = 0; rc == PNCP_OK && leaf < lot->schema->leaf_count; leaf++) {
        struct pncp_leaf_index index = {0};
        rc = pncp_leaf_index_make(&lot->leaves[leaf], &index);
        for (size_t i = 0; rc == PNCP_OK && i < count; i++)
            rc = pncp_leaf_copy_row(&table->leaves[leaf], &lot->leaves[leaf], &index, keep[i]);
        pncp_leaf_index_release(&index);
    }
    table->rows = count;
    return rc == PNCP_OK ? PNCP_OK : pncp_err_set(err, rc, "lot: out of memory");
}

static int64_t sum_of(const struct pncp_leaf *leaf)
{
    int64_t sum = 0;
    for (size_t i = 0; i < leaf->value_count; i++)
        sum += pncp_leaf_int(leaf, i);
    return sum;
}

/* ---- one attempt ----------------------------------------------------------------------------- */

static bool is_folded(const struct pncp_fold *fold, size_t group)
{
    for (size_t i = 0; i < fold->count; i++) {
        if (fold->groups[i] == group)
            return true;
    }
    return false;
}

/* Bytes of the groups behind the kept prefix that are not folded. */
static enum pncp_code read_staying(const struct pncp_source *source, const struct pncp_footer *footer,
                                   struct attempt *a, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t i = a->keep_groups; rc == PNCP_OK && i < footer->group_count; i++) {
        const struct pncp_group *group = &footer->groups[i];
        if (is_folded(&a->fold, i))
            continue;
        if (pncp_buf_reserve(&a->between, (size_t)group->bytes) != PNCP_OK)
            return pncp_err_set(err, PNCP_E_NOMEM, "fold: out of memory");
        rc = source->read_at(source->ctx, group->offset, a->between.data + a->between.len, (size_t)group->bytes, err);
        a->between.len += (size_t)group->bytes;
    }
    return rc;
}

/* Fold what is to be folded; read what stays behind the kept prefix. All from one pinned version, which must be the one
 * we know. */
static enum pncp_code make_tail(struct pncp_data *data, const struct pncp_table *lot, struct attempt *a,
                                struct pncp_err *err)
{
    struct pncp_object object;
    enum pncp_code rc = pncp_data_open_known(data, &object, err);
    if (rc != PNCP_OK)
        return rc;
    if (a->fold.count > 0)
        rc = pncp_stage_open(data->lake, &a->folded, err);
    if (rc == PNCP_OK && a->fold.count > 0) {
        rc = pncp_fold_encode(&a->fold, &object.source, &data->footer, lot, &a->folded, &a->folded_footer, err);
        a->has_folded = rc == PNCP_OK;
    }
    bool settled = a->fresh_first || (a->has_folded && pncp_fold_is_settled(&a->folded_footer.groups[0]));
    a->keep_groups = settled ? a->fold.tail : a->fold.groups[0]; /* what is settled goes before what is not */
    if (rc == PNCP_OK)
        rc = read_staying(&object.source, &data->footer, a, err);
    pncp_object_release(&object);
    return rc;
}

/* The rows in the schema that the file has in this version: what it has no column for is in `extra` then. */
static enum pncp_code lower(const struct pncp_data *data, const struct pncp_table *rows, struct attempt *a,
                            const struct pncp_table **ret_rows, struct pncp_err *err)
{
    *ret_rows = rows;
    if (data->schema == rows->schema)
        return PNCP_OK;
    enum pncp_code rc = pncp_rows_to_older(rows, data->schema, &a->lowered, err);
    *ret_rows = &a->lowered;
    return rc == PNCP_OK ? rc : pncp_err_wrap(err, rc, "lot");
}

static enum pncp_code encode(struct pncp_data *data, const struct pncp_table *lot, struct attempt *a,
                             struct pncp_commit_result *result, struct pncp_err *err)
{
    /* a fold encodes it again soon */
    const struct pncp_encode_options options = {.zstd_level = -5, .plain = true, .small = true};
    uint64_t begun = pncp_clock_mono_ms(), cpu = pncp_clock_cpu_us();
    enum pncp_code rc = PNCP_OK;
    a->keep_groups = data->exists ? data->footer.group_count : 0;
    if (data->exists)
        a->fold = pncp_fold_plan(&data->footer, lot->rows, pncp_table_bytes(lot) / 4); /* zstd: about a quarter */
    if (!a->fold.with_lot) {
        rc = pncp_group_encode(lot, &options, &a->fresh, &a->fresh_footer, err);
        a->has_fresh = rc == PNCP_OK;
        a->fresh_first = a->has_fresh && pncp_fold_is_settled(&a->fresh_footer.groups[0]);
    }
    result->ms_encode = (uint32_t)(pncp_clock_mono_ms() - begun);
    result->cpu_us_encode = pncp_clock_cpu_us() - cpu;
    begun = pncp_clock_mono_ms();
    cpu = pncp_clock_cpu_us();
    if (rc == PNCP_OK && (a->fold.count > 0 || (a->fresh_first && a->fold.tail < a->keep_groups)))
        rc = make_tail(data, lot, a, err);
    result->ms_read = (uint32_t)(pncp_clock_mono_ms() - begun);
    result->cpu_us_fold = pncp_clock_cpu_us() - cpu;
    result->folded_groups = a->fold.count;
    return rc;
}

/* ---- what is kept ---------------------------------------------------------------------------- */

/* Where the groups begin: behind the magic, or behind padding. */
static uint64_t data_begin(const struct pncp_data *data)
{
    return data->exists && data->footer.group_count > 0 ? data->footer.groups[0].offset : PNCP_PARQUET_MAGIC_BYTES;
}

static uint64_t kept_end(const struct pncp_data *data, const struct attempt *a)
{
    if (a->keep_groups > 0)
        return data->footer.groups[a->keep_groups - 1].offset + data->footer.groups[a->keep_groups - 1].bytes;
    return data_begin(data) > PNCP_PARQUET_MAGIC_BYTES ? data_begin(data) : 0;
}

/*
 * A store that copies what is kept does so from 5 MiB on; below that each checkpoint sends all that is there already,
 * and the first 10,000 contratações of a day would cost a hundred times their bytes. So when what was sent again comes
 * to as much as the padding that is missing, that is sent instead, once: no day costs more than twice what it would
 * have, had its size been known. A rewrite leaves it out again.
 */
static enum pncp_code keep(struct pncp_data *data, struct attempt *a, struct pncp_err *err)
{
    uint64_t enough = pncp_lake_keeps_from(data->lake), begin = data_begin(data);
    a->keep_bytes = kept_end(data, a);
    if (a->keep_bytes >= enough || a->keep_groups == 0)
        return PNCP_OK;
    data->resent_bytes += a->keep_bytes;
    if (begin > PNCP_PARQUET_MAGIC_BYTES || data->resent_bytes < enough)
        return PNCP_OK;
    a->padding_bytes = enough - PNCP_PARQUET_MAGIC_BYTES;
    a->padding = pncp_calloc(1, (size_t)a->padding_bytes); /* pages that are only read take no memory */
    if (a->padding == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "padding: out of memory");
    return PNCP_OK;
}

/* How much of the new file is the beginning of the old one: nothing where padding goes before it. */
static uint64_t same_bytes(const struct attempt *a)
{
    return a->padding_bytes > 0 ? 0 : a->keep_bytes;
}

/* A new file in the making: its pieces, their bytes, and where the next one goes. */
struct layout {
    struct pncp_footer_piece *pieces;
    size_t piece_count, segment_count;
    struct pncp_segment *segments;
    uint64_t at;
};

static void add_bytes(struct layout *l, struct pncp_view bytes)
{
    l->segments[l->segment_count++] = (struct pncp_segment){.bytes = bytes};
}

/* The groups of an encoded file: what is between its magic and its footer. */
static void add_groups(struct layout *l, const struct pncp_footer *footer, struct pncp_segment segment)
{
    l->pieces[l->piece_count++] =
        (struct pncp_footer_piece){.footer = footer, .count = footer->group_count, .at = l->at};
    l->segments[l->segment_count++] = segment;
    l->at += footer->data_end - PNCP_PARQUET_MAGIC_BYTES;
}

static void add_fresh(struct layout *l, const struct attempt *a)
{
    size_t bytes = (size_t)a->fresh_footer.data_end - PNCP_PARQUET_MAGIC_BYTES;
    add_groups(l, &a->fresh_footer, (struct pncp_segment){.bytes = {a->fresh.data + PNCP_PARQUET_MAGIC_BYTES, bytes}});
}

static void add_folded(struct layout *l, const struct attempt *a)
{
    add_groups(l, &a->folded_footer,
               (struct pncp_segment){.stage = &a->folded,
                                     .from = PNCP_PARQUET_MAGIC_BYTES,
                                     .len = a->folded_footer.data_end - PNCP_PARQUET_MAGIC_BYTES});
}

static void add_staying(struct layout *l, const struct pncp_footer *footer, const struct attempt *a)
{
    for (size_t i = a->keep_groups; a->between.len > 0 && i < footer->group_count; i++) {
        if (is_folded(&a->fold, i))
            continue;
        l->pieces[l->piece_count++] = (struct pncp_footer_piece){.footer = footer, .first = i, .count = 1, .at = l->at};
        l->at += footer->groups[i].bytes;
    }
    add_bytes(l, pncp_buf_view(&a->between));
}

/* The magic and what is kept: where it is, or behind the padding that is new. */
static void add_kept(struct layout *l, const struct pncp_data *data, const struct attempt *a)
{
    uint64_t begin = data_begin(data), moved = a->padding_bytes;
    if (same_bytes(a) == 0)
        add_bytes(l, PNCP_VIEW_LIT("PAR1"));
    if (moved > 0) {
        add_bytes(l, (struct pncp_view){a->padding, (size_t)moved});
        l->segments[l->segment_count++] = (struct pncp_segment){.from = begin, .len = a->keep_bytes - begin};
    }
    if (data->exists)
        l->pieces[l->piece_count++] =
            (struct pncp_footer_piece){.footer = &data->footer, .count = a->keep_groups, .at = begin + moved};
    l->at = PNCP_MAX(a->keep_bytes, l->at) + moved;
}

/* The new footer, made of `pieces`, behind the segments. */
static void add_footer(struct layout *l, const struct pncp_footer *footer)
{
    struct pncp_footer_tail tail = pncp_footer_tail(footer, l->pieces[0].footer);
    add_bytes(l, tail.head);
    if (tail.left_bytes > 0)
        l->segments[l->segment_count++] = (struct pncp_segment){.from = tail.left_at, .len = tail.left_bytes};
    add_bytes(l, tail.rest);
}

/* Footer of the new version, and its segments in order: the kept prefix, a settled lot, the folded groups, those that
 * stay, a lot that is not settled. */
static enum pncp_code join(struct pncp_data *data, const struct pncp_lot *lot, struct attempt *a,
                           struct pncp_segment segments[SEGMENTS_MAX], size_t *ret_segments,
                           const struct pncp_commit_result *result, struct pncp_err *err)
{
    size_t staying = data->exists ? data->footer.group_count - a->keep_groups : 0;
    AUTO(pncp_free_ptr) struct pncp_footer_piece *pieces = pncp_calloc(staying + 3, sizeof(*pieces));
    if (pieces == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "footer: out of memory");
    struct layout l = {.pieces = pieces, .segments = segments, .at = PNCP_PARQUET_MAGIC_BYTES};
    add_kept(&l, data, a);
    if (a->has_fresh && a->fresh_first)
        add_fresh(&l, a);
    if (a->has_folded)
        add_folded(&l, a);
    if (data->exists)
        add_staying(&l, &data->footer, a);
    if (a->has_fresh && !a->fresh_first)
        add_fresh(&l, a);
    struct pncp_history_entry entry = {.n = lot->n,
                                       .at_s = pncp_clock_now_us() / 1000000,
                                       .contratacoes = result->contratacoes,
                                       .itens = result->itens,
                                       .arquivos = result->arquivos,
                                       .bytes = (int64_t)(l.at - same_bytes(a)),
                                       .ms_encode = result->ms_encode,
                                       .ms_read = result->ms_read};
    memcpy(entry.id, a->id, sizeof(entry.id));
    strncpy(entry.run, lot->run_id, sizeof(entry.run) - 1);
    enum pncp_code rc = pncp_data_next_history(data, &entry, &a->history, err);
    if (rc != PNCP_OK)
        return rc;
    struct pncp_data_kvs kvs;
    pncp_data_kvs_make(data->date, data->schema, pncp_buf_view(&a->history.text), a->id, &kvs);
    rc = pncp_footer_make(pieces, l.piece_count, kvs.pairs, PNCP_DATA_KVS, &a->merged, err);
    if (rc != PNCP_OK)
        return rc;
    a->has_merged = true;
    add_footer(&l, &a->merged);
    *ret_segments = l.segment_count;
    return PNCP_OK;
}

static enum pncp_code mark_lot(struct pncp_data *data, const struct pncp_table *lot, struct pncp_err *err)
{
    for (size_t row = 0; row < lot->rows; row++) {
        struct pncp_packed_key key;
        enum pncp_code rc = pncp_data_row_key(lot, row, &key, err);
        if (rc == PNCP_OK && pncp_keyset_set(data->keys, key, PNCP_KEY_SAVED, NULL) != PNCP_OK)
            rc = pncp_err_set(err, PNCP_E_NOMEM, "keys: out of memory");
        if (rc != PNCP_OK)
            return rc;
    }
    return PNCP_OK;
}

/* ---- what became of it ----------------------------------------------------------------------- */

static void remember_unclear(struct pncp_data *data, const char *id, const struct pncp_commit_result *result)
{
    memcpy(data->unclear, id, PNCP_ID_BYTES);
    data->unclear_contratacoes = result->contratacoes;
    data->unclear_itens = result->itens;
    data->unclear_arquivos = result->arquivos;
}

/* An earlier call ended without an answer: find out first. What it saved is added to *result. */
static enum pncp_code settle_unclear(struct pncp_data *data, struct pncp_commit_result *result, struct pncp_err *err)
{
    if (data->unclear[0] == '\0')
        return PNCP_OK;
    bool committed;
    enum pncp_code rc = pncp_data_look_up(data, data->unclear, &committed, err);
    if (rc != PNCP_OK)
        return rc;
    data->unclear[0] = '\0';
    if (committed) {
        result->contratacoes += data->unclear_contratacoes;
        result->itens += data->unclear_itens;
        result->arquivos += data->unclear_arquivos;
    }
    return PNCP_OK;
}

/* One attempt to put `table` behind what is there. *ret_again: the version was lost, everything is to be made anew. */
static enum pncp_code attempt_once(struct pncp_data *data, const struct pncp_lot *lot, const struct pncp_table *table,
                                   struct pncp_commit_result *result, bool *ret_again, struct pncp_err *err)
{
    AUTO(attempt_release) struct attempt a = {.folded = PNCP_STAGE_INIT};
    struct pncp_segment segments[SEGMENTS_MAX];
    size_t segment_count = 0;
    struct pncp_version version, before = data->version;
    char path[PNCP_PLACE_BYTES], lock[PNCP_PLACE_BYTES];
    bool committed;
    *ret_again = false;
    pncp_random_hex(16, a.id);
    const struct pncp_table *rows;
    enum pncp_code rc = lower(data, table, &a, &rows, err);
    if (rc == PNCP_OK)
        rc = encode(data, rows, &a, result, err);
    if (rc == PNCP_OK)
        rc = keep(data, &a, err);
    uint64_t cpu = pncp_clock_cpu_us(), begun = pncp_clock_mono_ms();
    if (rc == PNCP_OK)
        rc = join(data, lot, &a, segments, &segment_count, result, err);
    if (rc != PNCP_OK && rc != PNCP_E_CONFLICT)
        return rc;
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    pncp_place_format(PNCP_PLACE_DATA_LOCK, data->date, lock);
    const struct pncp_splice splice = {.keep_bytes = same_bytes(&a),
                                       .segments = segments,
                                       .segment_count = segment_count,
                                       .id = a.id,
                                       .sent = &data->sent_bytes};
    if (rc == PNCP_OK)
        rc = pncp_lake_splice_if(data->lake, path, lock, &before, &splice, &version, err);
    result->ms_commit = (uint32_t)(pncp_clock_mono_ms() - begun);
    result->cpu_us_commit = pncp_clock_cpu_us() - cpu;
    if (rc == PNCP_OK) {
        pncp_data_adopt(data, &a.merged, data->schema, &a.history, a.id, &version);
        rc = mark_lot(data, table, err);
        if (rc != PNCP_OK) /* saved, but we could not take it in: no memory */
            remember_unclear(data, a.id, result);
        return rc;
    }
    struct pncp_err why = *err, lookup_err = PNCP_ERR_INIT;
    enum pncp_code looked = pncp_data_look_up(data, a.id, &committed, &lookup_err);
    if (looked != PNCP_OK) {
        remember_unclear(data, a.id, result);
        *err = lookup_err;
        return looked;
    }
    if (committed)
        return PNCP_OK;
    if (rc == PNCP_E_CONFLICT || strcmp(before.text, data->version.text) != 0) {
        *ret_again = true;
        return PNCP_OK;
    }
    *err = why; /* same version, nothing of ours: the store said no, and the caller may try again */
    return rc;
}

/* One try to save what is not there yet. *ret_again: the version was lost. What an earlier call has saved after all is
 * added to *settled. */
static enum pncp_code append_once(struct pncp_data *data, const struct pncp_lot *lot,
                                  struct pncp_commit_result *settled, struct pncp_commit_result *ret_result,
                                  bool *ret_again, struct pncp_err *err)
{
    const struct pncp_details_leaves *at = pncp_details_leaves();
    struct pncp_commit_result result = {0};
    AUTO(pncp_table_release) struct pncp_table fewer = {.schema = lot->table->schema};
    bool all = true;
    *ret_again = false;
    enum pncp_code rc = settle_unclear(data, settled, err);
    if (rc == PNCP_OK)
        rc = drop_saved(data, lot->table, &fewer, &all, err);
    if (rc != PNCP_OK)
        return rc;
    const struct pncp_table *rows = all ? lot->table : &fewer;
    result.contratacoes = (int64_t)rows->rows;
    if (rows->rows > 0) {
        result.itens = sum_of(&rows->leaves[at->itens_total]);
        result.arquivos = sum_of(&rows->leaves[at->arquivos_total]);
        rc = attempt_once(data, lot, rows, &result, ret_again, err);
    }
    *ret_result = result;
    return rc;
}

enum pncp_code pncp_data_append(struct pncp_data *data, const struct pncp_lot *lot,
                                struct pncp_commit_result *ret_result, struct pncp_err *err)
{
    struct pncp_commit_result settled = {0}, result;
    struct pncp_err ignored = PNCP_ERR_INIT;
    char path[PNCP_PLACE_BYTES];
    unsigned losses = 0;
    bool again;
    if (err == NULL)
        err = &ignored;
    pncp_place_format(PNCP_PLACE_DATA, data->date, path);
    enum pncp_code rc = append_once(data, lot, &settled, &result, &again, err);
    while (rc == PNCP_OK && again) {
        rc = pncp_race_lost(&losses, path, err);
        if (rc == PNCP_OK)
            rc = append_once(data, lot, &settled, &result, &again, err);
    }
    if (rc != PNCP_OK)
        return rc;
    result.contratacoes += settled.contratacoes;
    result.itens += settled.itens;
    result.arquivos += settled.arquivos;
    result.bytes_sent = data->sent_bytes;
    data->sent_bytes = 0;
    result.row_groups = data->footer.group_count;
    result.file_bytes = data->footer.file_bytes;
    *ret_result = result;
    return PNCP_OK;
}
