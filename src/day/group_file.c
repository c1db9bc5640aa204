#include "day/group_file.h"

enum pncp_code pncp_group_file_open(struct pncp_group_file *file, struct pncp_lake *lake, struct pncp_err *err)
{
    *file = PNCP_GROUP_FILE_INIT;
    enum pncp_code rc = pncp_stage_open(lake, &file->stage, err);
    return rc != PNCP_OK ? rc : pncp_stage_append(&file->stage, "PAR1", PNCP_PARQUET_MAGIC_BYTES, err);
}

void pncp_group_file_release(struct pncp_group_file *file)
{
    pncp_stage_release(&file->stage);
    if (file->has_footer)
        pncp_footer_release(&file->footer);
    *file = PNCP_GROUP_FILE_INIT;
}

enum pncp_code pncp_group_file_append(struct pncp_group_file *file, const struct pncp_buf *bytes,
                                      const struct pncp_footer *added, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf tail = {0};
    struct pncp_footer merged;
    uint64_t at = file->stage.bytes;
    size_t keep = file->has_footer ? file->footer.group_count : 0;
    enum pncp_code rc =
        pncp_footer_merge(file->has_footer ? &file->footer : NULL, keep, added, at, NULL, 0, &tail, &merged, err);
    if (rc != PNCP_OK)
        return rc;
    if (file->has_footer)
        pncp_footer_release(&file->footer);
    file->footer = merged;
    file->has_footer = true;
    return pncp_stage_append(&file->stage, bytes->data + PNCP_PARQUET_MAGIC_BYTES,
                             (size_t)(added->data_end - PNCP_PARQUET_MAGIC_BYTES), err);
}
