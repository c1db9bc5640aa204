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

static enum pncp_code ahead_read_at(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err)
{
    struct pncp_read_ahead *ahead = ctx;
    const struct pncp_source *source = ahead->source;
    bool inside = offset >= ahead->at && offset - ahead->at <= ahead->len;
    size_t from = inside ? (size_t)(offset - ahead->at) : 0, there = inside ? PNCP_MIN(len, ahead->len - from) : 0;
    if (there > 0)
        memcpy(data, ahead->window + from, there);
    offset += there;
    len -= there;
    if (len == 0)
        return PNCP_OK;
    if (len >= sizeof(ahead->window) || offset >= source->size || len > source->size - offset)
        return source->read_at(source->ctx, offset, (char *)data + there, len, err);
    ahead->len = 0; /* until it is filled */
    size_t step = (size_t)PNCP_MIN(source->size - offset, (uint64_t)sizeof(ahead->window));
    enum pncp_code rc = source->read_at(source->ctx, offset, ahead->window, step, err);
    if (rc != PNCP_OK)
        return rc;
    ahead->at = offset;
    ahead->len = step;
    memcpy((char *)data + there, ahead->window, len);
    return PNCP_OK;
}

struct pncp_source pncp_source_of_ahead(struct pncp_read_ahead *ahead)
{
    return (struct pncp_source){.read_at = ahead_read_at, .ctx = ahead, .size = ahead->source->size};
}
