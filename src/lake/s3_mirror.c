#include "lake/s3_mirror.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct pncp_mirror {
    pthread_mutex_t mutex; /* for what follows */
    char path[200];        /* "": there is none */
    struct pncp_version version;
    struct pncp_stage stage;
};

enum pncp_code pncp_mirror_new(struct pncp_mirror **ret_mirror)
{
    struct pncp_mirror *mirror = pncp_calloc(1, sizeof(*mirror));
    if (mirror == NULL)
        return PNCP_E_NOMEM;
    (void)pthread_mutex_init(&mirror->mutex, NULL);
    mirror->stage = PNCP_STAGE_INIT;
    *ret_mirror = mirror;
    return PNCP_OK;
}

void pncp_mirror_free(struct pncp_mirror *mirror)
{
    if (mirror == NULL)
        return;
    pncp_stage_release(&mirror->stage);
    (void)pthread_mutex_destroy(&mirror->mutex);
    pncp_free(mirror);
}

bool pncp_mirror_take(struct pncp_mirror *mirror, const char *path, const struct pncp_version *version, uint64_t least,
                      struct pncp_stage *ret_stage)
{
    (void)pthread_mutex_lock(&mirror->mutex);
    bool there = strcmp(mirror->path, path) == 0 && strcmp(mirror->version.text, version->text) == 0 &&
                 mirror->stage.fd >= 0 && mirror->stage.bytes >= least;
    if (there) {
        *ret_stage = mirror->stage;
        mirror->stage = PNCP_STAGE_INIT;
        mirror->path[0] = '\0';
    }
    (void)pthread_mutex_unlock(&mirror->mutex);
    return there;
}

void pncp_mirror_give(struct pncp_mirror *mirror, const char *path, const struct pncp_version *version,
                      struct pncp_stage *stage)
{
    (void)pthread_mutex_lock(&mirror->mutex);
    struct pncp_stage before = mirror->stage;
    (void)snprintf(mirror->path, sizeof(mirror->path), "%s", path);
    mirror->version = *version;
    mirror->stage = *stage;
    (void)pthread_mutex_unlock(&mirror->mutex);
    *stage = PNCP_STAGE_INIT;
    pncp_stage_release(&before);
}
