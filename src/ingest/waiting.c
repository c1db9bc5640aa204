#include "ingest/waiting.h"

#include <assert.h>
#include <zstd.h>

#define ZSTD_LEVEL 1

void pncp_waiting_release(struct pncp_waiting *waiting)
{
    pncp_buf_release(&waiting->packed);
    *waiting = (struct pncp_waiting){0};
}

void pncp_waiting_put(struct pncp_waiting *waiting, struct pncp_buf *body)
{
    AUTO(pncp_buf_release) struct pncp_buf packed = {0};
    size_t bound = ZSTD_compressBound(body->len);
    assert(waiting->len == 0);
    if (body->len == 0 || pncp_buf_reserve(&packed, bound) != PNCP_OK)
        return;
    size_t len = ZSTD_compress(packed.data, bound, body->data, body->len, ZSTD_LEVEL);
    if (ZSTD_isError(len) || len >= body->len) /* there is room: an error is zstd's own memory */
        return;
    packed.len = len;
    pncp_buf_fit(&packed);
    *waiting = (struct pncp_waiting){.packed = pncp_buf_take(&packed), .len = body->len};
    pncp_buf_release(body);
}

enum pncp_code pncp_waiting_take(struct pncp_waiting *waiting, struct pncp_buf *body, struct pncp_err *err)
{
    if (waiting->len == 0)
        return PNCP_OK;
    assert(body->len == 0);
    if (pncp_buf_reserve(body, waiting->len) != PNCP_OK || /* the bytes are ours: zstd can only lack memory too */
        ZSTD_isError(ZSTD_decompress(body->data, waiting->len, waiting->packed.data, waiting->packed.len)))
        return pncp_err_set(err, PNCP_E_NOMEM, "listing: out of memory");
    body->len = waiting->len;
    pncp_waiting_release(waiting);
    return PNCP_OK;
}
