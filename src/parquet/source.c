#include "base/file.h"
#include "parquet/parquet.h"

#include <string.h>

static enum pncp_code view_read_at(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err)
{
    const struct pncp_view *bytes = ctx;
    if (offset > bytes->len || len > bytes->len - offset)
        return pncp_err_set(err, PNCP_E_PARSE, "read beyond the end: %zu bytes at %" PRIu64 " of %zu", len, offset,
                            bytes->len);
    if (len > 0)
        memcpy(data, bytes->data + offset, len);
    return PNCP_OK;
}

struct pncp_source pncp_source_of_view(const struct pncp_view *bytes)
{
    return (struct pncp_source){.read_at = view_read_at, .ctx = (void *)(uintptr_t)bytes, .size = bytes->len};
}

static enum pncp_code fd_read_at(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err)
{
    return pncp_file_pread(*(const int *)ctx, data, len, offset, "parquet file", err);
}

struct pncp_source pncp_source_of_fd(const int *fd, uint64_t size)
{
    return (struct pncp_source){.read_at = fd_read_at, .ctx = (void *)(uintptr_t)fd, .size = size};
}
