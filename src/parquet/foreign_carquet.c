#include "parquet/foreign_carquet.h"
#include "base/mem.h"

#include <pthread.h>

static _Thread_local enum pncp_code refused; /* why an allocation was, since pncp_carquet_begin */

static void *noted(void *block)
{
    if (block == NULL)
        refused = PNCP_E_NOMEM;
    return block;
}

static bool too_large(size_t size)
{
    if (size <= PNCP_CARQUET_ALLOC_MAX_BYTES)
        return false;
    refused = PNCP_E_LIMIT;
    return true;
}

static void *bounded_malloc(size_t size, void *ctx)
{
    (void)ctx;
    return too_large(size) ? NULL : noted(pncp_malloc(size));
}

static void *bounded_realloc(void *old, size_t size, void *ctx)
{
    (void)ctx;
    return too_large(size) ? NULL : noted(pncp_realloc(old, size, 1));
}

static void give_back(void *block, void *ctx)
{
    (void)ctx;
    pncp_free(block);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static carquet_status_t prepared;

static void prepare(void)
{
    static const carquet_allocator_t allocator = {
        .malloc = bounded_malloc, .realloc = bounded_realloc, .free = give_back};
    carquet_set_allocator(&allocator);
    prepared = carquet_init();
}

enum pncp_code pncp_carquet_prepare(struct pncp_err *err)
{
    (void)pthread_once(&once, prepare);
    if (prepared == CARQUET_OK)
        return PNCP_OK;
    return pncp_err_set(err, PNCP_E_UNSUPPORTED, "carquet cannot start: %s", carquet_status_string(prepared));
}

void pncp_carquet_begin(void)
{
    refused = PNCP_OK;
}

enum pncp_code pncp_carquet_end(void)
{
    return refused;
}

enum pncp_code pncp_carquet_code(carquet_status_t status)
{
    switch (status) {
    case CARQUET_OK:
        return PNCP_OK;
    case CARQUET_ERROR_OUT_OF_MEMORY:
        return PNCP_E_NOMEM;
    case CARQUET_ERROR_UNSUPPORTED_CODEC:
    case CARQUET_ERROR_NOT_IMPLEMENTED:
        return PNCP_E_UNSUPPORTED;
    default:
        return PNCP_E_PARSE;
    }
}
