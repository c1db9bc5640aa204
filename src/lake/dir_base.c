#include "lake/dir_base.h"
#include "base/file.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct pncp_base_keeper {
    pthread_mutex_t mutex; /* for what follows */
    char path[200];
    struct pncp_version version;
    struct pncp_base base;
};

void pncp_base_release(struct pncp_base *base)
{
    pncp_fd_close(&base->fd);
    *base = PNCP_BASE_NONE;
}

enum pncp_code pncp_base_keeper_new(struct pncp_base_keeper **ret_keeper)
{
    struct pncp_base_keeper *keeper = pncp_calloc(1, sizeof(*keeper));
    if (keeper == NULL)
        return PNCP_E_NOMEM;
    (void)pthread_mutex_init(&keeper->mutex, NULL);
    keeper->base = PNCP_BASE_NONE;
    *ret_keeper = keeper;
    return PNCP_OK;
}

void pncp_base_keeper_free(struct pncp_base_keeper *keeper)
{
    if (keeper == NULL)
        return;
    pncp_base_release(&keeper->base);
    (void)pthread_mutex_destroy(&keeper->mutex);
    pncp_free(keeper);
}

struct pncp_base pncp_base_take(struct pncp_base_keeper *keeper, const char *path, const struct pncp_version *version)
{
    (void)pthread_mutex_lock(&keeper->mutex);
    struct pncp_base base = PNCP_BASE_NONE;
    if (strcmp(keeper->path, path) == 0) {
        base = keeper->base;
        keeper->base = PNCP_BASE_NONE;
        if (strcmp(keeper->version.text, version->text) != 0)
            pncp_base_release(&base);
    }
    (void)pthread_mutex_unlock(&keeper->mutex);
    return base;
}

void pncp_base_give(struct pncp_base_keeper *keeper, const char *path, const struct pncp_version *version,
                    struct pncp_base *base)
{
    (void)pthread_mutex_lock(&keeper->mutex);
    struct pncp_base before = keeper->base;
    (void)snprintf(keeper->path, sizeof(keeper->path), "%s", path);
    keeper->version = *version;
    keeper->base = *base;
    (void)pthread_mutex_unlock(&keeper->mutex);
    *base = PNCP_BASE_NONE;
    pncp_base_release(&before);
}
