#include "day/group_file.h"
#include "base/file.h"

enum pncp_code pncp_group_file_open(struct pncp_group_file *file, struct pncp_lake *lake, struct pncp_err *err)
{
    *file = PNCP_GROUP_FILE_INIT;
    enum pncp_code rc = pncp_stage_open(lake, &file->stage, err);
    if (rc == PNCP_OK)
        rc = pncp_stage_open(lake, &file->structs, err);
    return rc != PNCP_OK ? rc : pncp_stage_append(&file->stage, "PAR1", PNCP_PARQUET_MAGIC_BYTES, err);
}

void pncp_group_file_release(struct pncp_group_file *file)
{
    pncp_stage_release(&file->stage);
    pncp_stage_release(&file->structs);
    if (file->has_footer)
        pncp_footer_release(&file->footer);
    *file = PNCP_GROUP_FILE_INIT;
}

/* All groups so far, which stay where they are. */
static struct pncp_footer_piece groups_so_far(const struct pncp_group_file *file)
{
    return (struct pncp_footer_piece){
        .footer = &file->footer, .count = file->footer.group_count, .at = file->footer.groups[0].offset};
}

/* The structs that are in `made` go to their stage. */
static enum pncp_code put_structs(struct pncp_group_file *file, struct pncp_footer *made, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    for (size_t group = made->left.groups; rc == PNCP_OK && group < made->group_count; group++) {
        struct pncp_view bytes = pncp_footer_group_bytes(made, group);
        rc = pncp_stage_append(&file->structs, bytes.data, bytes.len, err);
    }
    pncp_footer_leave(made, made->group_count);
    if (rc == PNCP_OK && made->left.groups < made->group_count)
        rc = pncp_err_set(err, PNCP_E_NOMEM, "row groups: out of memory");
    return rc;
}

enum pncp_code pncp_group_file_append(struct pncp_group_file *file, const struct pncp_buf *bytes,
                                      const struct pncp_footer *added, struct pncp_err *err)
{
    struct pncp_footer_piece pieces[2];
    size_t count = 0;
    struct pncp_footer made;
    if (file->has_footer)
        pieces[count++] = groups_so_far(file);
    pieces[count++] = (struct pncp_footer_piece){.footer = added, .count = added->group_count, .at = file->stage.bytes};
    enum pncp_code rc = pncp_footer_make(pieces, count, NULL, 0, &made, err);
    if (rc != PNCP_OK)
        return rc;
    rc = put_structs(file, &made, err);
    if (rc == PNCP_OK)
        rc = pncp_stage_append(&file->stage, bytes->data + PNCP_PARQUET_MAGIC_BYTES,
                               (size_t)(added->data_end - PNCP_PARQUET_MAGIC_BYTES), err);
    if (rc != PNCP_OK) {
        pncp_footer_release(&made);
        return rc;
    }
    if (file->has_footer)
        pncp_footer_release(&file->footer);
    file->footer = made;
    file->has_footer = true;
    return PNCP_OK;
}

/* The footer begins where the data ends, and the structs begin at left.at of it. */
static enum pncp_code read_at(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err)
{
    const struct pncp_group_file *file = ctx;
    if (offset < file->stage.bytes)
        return pncp_file_pread(file->stage.fd, data, len, offset, file->stage.path, err);
    return pncp_file_pread(file->structs.fd, data, len, offset - file->stage.bytes - file->footer.left.at,
                           file->structs.path, err);
}

enum pncp_code pncp_group_file_source(struct pncp_group_file *file, struct pncp_source *ret_source,
                                      struct pncp_err *err)
{
    enum pncp_code rc = pncp_stage_flush(&file->stage, err);
    if (rc == PNCP_OK)
        rc = pncp_stage_flush(&file->structs, err);
    *ret_source = (struct pncp_source){.read_at = read_at, .ctx = file, .size = file->footer.file_bytes};
    return rc;
}

enum pncp_code pncp_group_file_end(struct pncp_group_file *file, const struct pncp_kv_pair *kvs, size_t kv_count,
                                   struct pncp_err *err)
{
    const struct pncp_footer_piece all = groups_so_far(file);
    AUTO(pncp_footer_release) struct pncp_footer made = {0};
    char piece[4096];
    enum pncp_code rc = pncp_footer_make(&all, 1, kvs, kv_count, &made, err);
    if (rc != PNCP_OK)
        return rc;
    struct pncp_footer_tail tail = pncp_footer_tail(&made, &file->footer);
    rc = pncp_stage_append(&file->stage, tail.head.data, tail.head.len, err);
    if (rc == PNCP_OK)
        rc = pncp_stage_flush(&file->structs, err);
    for (uint64_t at = 0; rc == PNCP_OK && at < file->structs.bytes;) {
        size_t len = (size_t)PNCP_MIN((uint64_t)sizeof(piece), file->structs.bytes - at);
        rc = pncp_file_pread(file->structs.fd, piece, len, at, file->structs.path, err);
        if (rc == PNCP_OK)
            rc = pncp_stage_append(&file->stage, piece, len, err);
        at += len;
    }
    return rc == PNCP_OK ? pncp_stage_append(&file->stage, tail.rest.data, tail.rest.len, err) : rc;
}
