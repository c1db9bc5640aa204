#include "lake/kept.h"
#include "base/file.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct pncp_keeper {
    pthread_mutex_t mutex; /* for what follows */
    char path[200];
    struct pncp_version version;
    struct pncp_kept kept;
};

void pncp_kept_release(struct pncp_kept *kept)
{
    pncp_fd_close(&kept->fd);
    *kept = PNCP_KEPT_NONE;
}

enum pncp_code pncp_keeper_new(struct pncp_keeper **ret_keeper)
{
    struct pncp_keeper *keeper = pncp_calloc(1, sizeof(*keeper));
    if (keeper == NULL)
        return PNCP_E_NOMEM;
    (void)pthread_mutex_init(&keeper->mutex, NULL);
    keeper->kept = PNCP_KEPT_NONE;
    *ret_keeper = keeper;
    return PNCP_OK;
}

void pncp_keeper_free(struct pncp_keeper *keeper)
{
    if (keeper == NULL)
        return;
    pncp_kept_release(&keeper->kept);
    (void)pthread_mutex_destroy(&keeper->mutex);
    pncp_free(keeper);
}

struct pncp_kept pncp_keeper_take(struct pncp_keeper *keeper, const char *path, const struct pncp_version *version)
{
    (void)pthread_mutex_lock(&keeper->mutex);
    struct pncp_kept kept = PNCP_KEPT_NONE;
    if (strcmp(keeper->path, path) == 0) {
        kept = keeper->kept;
        keeper->kept = PNCP_KEPT_NONE;
        if (strcmp(keeper->version.text, version->text) != 0)
            pncp_kept_release(&kept);
    }
    (void)pthread_mutex_unlock(&keeper->mutex);
    return kept;
}

void pncp_keeper_give(struct pncp_keeper *keeper, const char *path, const struct pncp_version *version,
                      struct pncp_kept *kept)
{
    if (kept->fd < 0)
        return;
    (void)pthread_mutex_lock(&keeper->mutex);
    struct pncp_kept before = keeper->kept;
    (void)snprintf(keeper->path, sizeof(keeper->path), "%s", path);
    keeper->version = *version;
    keeper->kept = *kept;
    (void)pthread_mutex_unlock(&keeper->mutex);
    *kept = PNCP_KEPT_NONE;
    pncp_kept_release(&before);
}
