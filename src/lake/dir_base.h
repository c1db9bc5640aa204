/* A version of a file that this run wrote and still holds open although it was replaced: its pages are in the cache.
 * What later versions have kept of its beginning is copied from there, and goes to the disk past the cache (docs/
 * decisions/0013). Who uses it takes it away for that time. Threads: any. */
#ifndef PNCP_DIR_BASE_H
#define PNCP_DIR_BASE_H

#include "lake/lake.h"

struct pncp_base {
    int fd;         /* -1: none */
    uint64_t bytes; /* so many from its beginning on are those of the version it stands for */
};
#define PNCP_BASE_NONE ((struct pncp_base){.fd = -1})
void pncp_base_release(struct pncp_base *base);

struct pncp_base_keeper;
MUST_CHECK enum pncp_code pncp_base_keeper_new(struct pncp_base_keeper **ret_keeper); /* of nothing; PNCP_E_NOMEM */
void pncp_base_keeper_free(struct pncp_base_keeper *keeper);                          /* NULL is fine */
/* What stands for that version of `path`; the caller's then. What stands for another is dropped: nobody will ask for it
 * again. */
struct pncp_base pncp_base_take(struct pncp_base_keeper *keeper, const char *path, const struct pncp_version *version);
/* `base` stands for that version; taken over. */
void pncp_base_give(struct pncp_base_keeper *keeper, const char *path, const struct pncp_version *version,
                    struct pncp_base *base);

#endif
