/* A file that a run holds open beside one version of one object, and takes most of the next version from: on a folder
 * an earlier version, whose pages are in the cache (docs/decisions/0013); for a bucket a copy of the object, which need
 * not be fetched then. It has no name: a run that is killed leaves nothing. Threads: any. */
#ifndef PNCP_KEPT_H
#define PNCP_KEPT_H

#include "lake/lake.h"

struct pncp_kept {
    int fd;         /* -1: none */
    uint64_t bytes; /* so many from its beginning on are those of the version it stands for */
};
#define PNCP_KEPT_NONE ((struct pncp_kept){.fd = -1})
void pncp_kept_release(struct pncp_kept *kept);

struct pncp_keeper;                                                         /* of one such file at most */
MUST_CHECK enum pncp_code pncp_keeper_new(struct pncp_keeper **ret_keeper); /* of nothing; PNCP_E_NOMEM */
void pncp_keeper_free(struct pncp_keeper *keeper);                          /* NULL is fine */
/* What stands for that version of `path`; the caller's then. What stands for another version of it is dropped: nobody
 * will ask for it again. */
struct pncp_kept pncp_keeper_take(struct pncp_keeper *keeper, const char *path, const struct pncp_version *version);
/* `kept` (none: nothing happens) stands for that version; taken over. */
void pncp_keeper_give(struct pncp_keeper *keeper, const char *path, const struct pncp_version *version,
                      struct pncp_kept *kept);

#endif
