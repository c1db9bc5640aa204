/* A copy of the newest small object that this run has spliced, in a temporary file: the next commit keeps most of it
 * and need not fetch it. Who uses it takes it away for that time. Threads: any. */
#ifndef PNCP_S3_MIRROR_H
#define PNCP_S3_MIRROR_H

#include "lake/lake.h"

struct pncp_mirror;
MUST_CHECK enum pncp_code pncp_mirror_new(struct pncp_mirror **ret_mirror); /* of nothing; PNCP_E_NOMEM */
void pncp_mirror_free(struct pncp_mirror *mirror);                          /* NULL is fine */
/* That version's bytes, `least` of them or more, when they are at hand; they are the caller's then. */
bool pncp_mirror_take(struct pncp_mirror *mirror, const char *path, const struct pncp_version *version, uint64_t least,
                      struct pncp_stage *ret_stage);
/* These are that version's; the stage is taken over. */
void pncp_mirror_give(struct pncp_mirror *mirror, const char *path, const struct pncp_version *version,
                      struct pncp_stage *stage);

#endif
