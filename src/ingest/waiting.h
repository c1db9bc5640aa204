/*
 * The body of an answer that waits for its turn, compressed. The first pages of all modalidades come at once, each with
 * 50 rows of 2 KB, and wait until those before them have been read, which for a large day is as long as its listing.
 */
#ifndef PNCP_WAITING_H
#define PNCP_WAITING_H

#include "base/buf.h"
#include "base/err.h"

struct pncp_waiting { /* zeroed is one that holds nothing */
    struct pncp_buf packed;
    size_t len; /* of the body, not compressed */
};

void pncp_waiting_release(struct pncp_waiting *waiting);
/* Take `body`, which is empty then. Best effort: without memory for it, or when it would not get smaller, the body
 * stays where it is. */
void pncp_waiting_put(struct pncp_waiting *waiting, struct pncp_buf *body);
/* Give back to `body`, which is empty, what was put; nothing when nothing was. PNCP_E_NOMEM: it is still there. */
MUST_CHECK enum pncp_code pncp_waiting_take(struct pncp_waiting *waiting, struct pncp_buf *body, struct pncp_err *err);

#endif
