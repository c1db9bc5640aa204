/* Random reads from one version of one object, wherever it lies: what parquet/ reads from and lake/ offers. */
#ifndef PNCP_SOURCE_H
#define PNCP_SOURCE_H

#include "base/err.h"

struct pncp_source {
    /* Read exactly `len` bytes at `offset`, or fail: PNCP_E_IO, PNCP_E_PARSE (ends early), PNCP_E_CONFLICT (the object
     * is another version by now). */
    enum pncp_code (*read_at)(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err);
    void *ctx;
    uint64_t size; /* bytes of the object */
};

#endif
