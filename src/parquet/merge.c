#include "parquet/footer_int.h"

#include <assert.h>

/* Append the RowGroup at the reader, its offsets moved by `shift` and its ordinal new. */
static enum pncp_code copy_group(struct pncp_view group, int64_t shift, size_t ordinal, struct pncp_buf *out)
{
    struct pncp_thrift_reader r = pncp_thrift_open(group);
    struct pncp_thrift_writer w = {.out = out};
    struct pncp_thrift_field field = {0};
    while (w.rc == PNCP_OK && pncp_thrift_next(&r, &field)) {
        if (field.id == 1 && field.type == PNCP_THRIFT_LIST) {
            enum pncp_thrift_type element;
            size_t count = pncp_thrift_list(&r, &element);
            pncp_thrift_put_field(&w, 1, PNCP_THRIFT_LIST);
            pncp_thrift_put_list(&w, PNCP_THRIFT_STRUCT, count);
            for (size_t i = 0; i < count && w.rc == PNCP_OK; i++)
                w.rc = pncp_footer_copy_chunk(&r, shift, out);
        } else if (field.id == 5 && field.type == PNCP_THRIFT_I64) {
            int64_t offset = pncp_thrift_int(&r, field.type), moved = 0;
            if (offset < 0 || (offset > 0 && (__builtin_add_overflow(offset, shift, &moved) || moved < 0)))
                r.failed = true;
            pncp_thrift_put_int_field(&w, 5, PNCP_THRIFT_I64, moved);
        } else if (field.id == 7 && field.type == PNCP_THRIFT_I16) {
            (void)pncp_thrift_int(&r, field.type);
            pncp_thrift_put_int_field(&w, 7, PNCP_THRIFT_I16, (int64_t)ordinal);
        } else {
            const char *value = r.at;
            pncp_thrift_skip(&r, field.type);
            pncp_thrift_put_field(&w, field.id, field.type);
            pncp_thrift_put_raw(&w, (struct pncp_view){value, (size_t)(r.at - value)});
        }
    }
    pncp_thrift_struct_end(&w, 0);
    return r.failed && w.rc == PNCP_OK ? PNCP_E_PARSE : w.rc;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static uint64_t piece_from(const struct pncp_footer_piece *piece)
{
    return piece->count == 0 ? piece->at : piece->footer->groups[piece->first].offset;
}

static uint64_t piece_bytes(const struct pncp_footer_piece *piece)
{
    if (piece->count == 0)
        return 0;
    const struct pncp_group *last = &piece->footer->groups[piece->first + piece->count - 1];
    return last->offset + last->bytes - piece_from(piece);
}

/* Groups that stay where they are, under the same number, are copied byte by byte: the long kept prefix. Those that are
 * left in the file come before them, and are in no buffer. */
static enum pncp_code put_piece(const struct pncp_footer_piece *piece, size_t ordinal, struct pncp_buf *out)
{
    int64_t shift = (int64_t)piece->at - (int64_t)piece_from(piece);
    enum pncp_code rc = PNCP_OK;
    for (size_t i = PNCP_MAX(piece->footer->left.groups, piece->first) - piece->first;
         rc == PNCP_OK && i < piece->count; i++) {
        struct pncp_view bytes = pncp_footer_group_bytes(piece->footer, piece->first + i);
        rc = shift == 0 && piece->first == ordinal ? pncp_buf_append(out, bytes.data, bytes.len)
                                                   : copy_group(bytes, shift, ordinal + i, out);
    }
    return rc;
}

static enum pncp_code put_pieces(const struct pncp_footer_piece *pieces, size_t piece_count,
                                 const struct pncp_kv_pair *kvs, size_t kv_count, struct pncp_buf *out,
                                 struct pncp_footer_left *ret_left)
{
    const struct pncp_footer *first = pieces[0].footer;
    struct pncp_footer_head head = {.version = first->version, .schema = first->schema};
    for (size_t i = 0; i < piece_count; i++) {
        head.group_count += pieces[i].count;
        for (size_t g = 0; g < pieces[i].count; g++)
            head.rows += pieces[i].footer->groups[pieces[i].first + g].rows;
    }
    size_t footer_at = out->len, ordinal = 0;
    enum pncp_code rc = pncp_footer_put_head(out, &head);
    *ret_left = first->left;
    ret_left->at = (uint32_t)(out->len - footer_at);
    for (size_t i = 0; rc == PNCP_OK && i < piece_count; ordinal += pieces[i].count, i++)
        rc = put_piece(&pieces[i], ordinal, out);
    struct pncp_footer_foot foot = {.kvs = kvs,
                                    .kv_count = kv_count,
                                    .created_by = first->created_by,
                                    .column_orders = first->column_orders,
                                    .left = *ret_left};
    return rc == PNCP_OK ? pncp_footer_put_foot(out, footer_at, &foot) : rc;
}

static enum pncp_code merge_error(struct pncp_err *err, enum pncp_code rc)
{
    switch (rc) {
    case PNCP_E_NOMEM:
        return pncp_err_set(err, rc, "merging parquet footers: out of memory");
    case PNCP_E_LIMIT:
        return pncp_err_set(err, rc, "merging parquet footers: more than %zu bytes", PNCP_FOOTER_MAX_BYTES);
    default:
        return pncp_err_set(err, PNCP_E_PARSE, "merging parquet footers: an offset or a column chunk is unsound");
    }
}

/* What is left in the file can only stay where it is. */
static bool left_stays(const struct pncp_footer_piece *piece, bool first)
{
    size_t left = piece->footer->left.groups;
    if (piece->first >= left || piece->count == 0)
        return left == 0 || !first; /* the first piece's groups are left out of the new footer */
    return first && piece->first == 0 && piece->count >= left && piece->at == piece_from(piece);
}

static enum pncp_code check_pieces(const struct pncp_footer_piece *pieces, size_t piece_count, struct pncp_err *err)
{
    size_t groups = 0;
    uint64_t end = PNCP_PARQUET_MAGIC_BYTES;
    for (size_t i = 0; i < piece_count; i++) {
        const struct pncp_footer_piece *piece = &pieces[i];
        if (piece->first > piece->footer->group_count || piece->count > piece->footer->group_count - piece->first)
            return pncp_err_set(err, PNCP_E_PARSE, "merging parquet footers: there are not that many row groups");
        if (!left_stays(piece, i == 0))
            return pncp_err_set(err, PNCP_E_PARSE, "merging parquet footers: a row group was left in its file");
        if (!pncp_view_eq(piece->footer->schema, pieces[0].footer->schema))
            return pncp_err_set(err, PNCP_E_PARSE, "merging parquet footers: the schemas differ");
        if (piece->count > 0 && (piece->at < end || piece->at > INT64_MAX / 2))
            return pncp_err_set(err, PNCP_E_PARSE, "merging parquet footers: row groups would overlap");
        groups += piece->count;
        end = PNCP_MAX(end, piece->at + piece_bytes(piece));
    }
    if (groups > PNCP_PARQUET_GROUPS_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "%zu row groups, at most %d are possible", groups,
                            PNCP_PARQUET_GROUPS_MAX);
    return PNCP_OK;
}

enum pncp_code pncp_footer_make(const struct pncp_footer_piece *pieces, size_t piece_count,
                                const struct pncp_kv_pair *kvs, size_t kv_count, struct pncp_footer *ret_footer,
                                struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf raw = {0};
    struct pncp_footer_left left;
    enum pncp_code rc = check_pieces(pieces, piece_count, err);
    if (rc != PNCP_OK)
        return rc;
    rc = put_pieces(pieces, piece_count, kvs, kv_count, &raw, &left);
    if (rc != PNCP_OK)
        return merge_error(err, rc);
    const struct pncp_footer_piece *last = &pieces[piece_count - 1];
    uint64_t file_bytes = last->at + piece_bytes(last) + left.bytes + raw.len;
    raw.len -= PNCP_PARQUET_TRAILER_BYTES; /* it stays behind the footer: pncp_footer_tail */
    return pncp_footer_parse_known(&raw, file_bytes, pieces[0].footer, left.at, ret_footer, err);
}

struct pncp_footer_tail pncp_footer_tail(const struct pncp_footer *made, const struct pncp_footer *first)
{
    size_t before = made->left.bytes == 0 ? 0 : made->left.at;
    return (struct pncp_footer_tail){
        .head = {made->raw.data, before},
        .left_at = pncp_footer_at(first) + first->left.at,
        .left_bytes = made->left.bytes,
        .rest = {made->raw.data + before, made->raw.len - before + PNCP_PARQUET_TRAILER_BYTES}};
}

enum pncp_code pncp_footer_build(const struct pncp_footer_piece *pieces, size_t piece_count,
                                 const struct pncp_kv_pair *kvs, size_t kv_count, struct pncp_buf *ret_tail,
                                 struct pncp_footer *ret_footer, struct pncp_err *err)
{
    AUTO(pncp_footer_release) struct pncp_footer made = {0};
    enum pncp_code rc = pncp_footer_make(pieces, piece_count, kvs, kv_count, &made, err);
    if (rc != PNCP_OK)
        return rc;
    struct pncp_footer_tail tail = pncp_footer_tail(&made, pieces[0].footer);
    assert(tail.left_bytes == 0);
    rc = pncp_buf_append(ret_tail, tail.rest.data, tail.rest.len);
    if (rc != PNCP_OK)
        return merge_error(err, rc);
    if (ret_footer != NULL) {
        *ret_footer = made;
        made = (struct pncp_footer){0};
    }
    return PNCP_OK;
}

enum pncp_code pncp_footer_merge(const struct pncp_footer *old, size_t keep_groups, const struct pncp_footer *added,
                                 uint64_t added_at, const struct pncp_kv_pair *kvs, size_t kv_count,
                                 struct pncp_buf *ret_tail, struct pncp_footer *ret_footer, struct pncp_err *err)
{
    struct pncp_footer_piece pieces[2];
    size_t count = 0;
    if (old == NULL && keep_groups > 0)
        return pncp_err_set(err, PNCP_E_PARSE, "merging parquet footers: there are not that many row groups");
    if (old != NULL)
        pieces[count++] =
            (struct pncp_footer_piece){.footer = old,
                                       .count = keep_groups,
                                       .at = keep_groups > 0 ? old->groups[0].offset : PNCP_PARQUET_MAGIC_BYTES};
    pieces[count++] = (struct pncp_footer_piece){.footer = added, .count = added->group_count, .at = added_at};
    return pncp_footer_build(pieces, count, kvs, kv_count, ret_tail, ret_footer, err);
}
