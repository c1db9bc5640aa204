#include "lake/later.h"
#include "base/mem.h"
#include "base/thread.h"

#include <stdio.h>

struct pncp_later {
    pncp_later_fn *write;
    void *ctx;
    pthread_t thread;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t changed;
    char path[200]; /* "": nothing waits */
    struct pncp_buf bytes;
    bool quit;
};

static void *run(void *arg)
{
    struct pncp_later *later = arg;
    (void)pthread_mutex_lock(&later->mutex);
    for (;;) {
        while (later->path[0] == '\0' && !later->quit)
            (void)pthread_cond_wait(&later->changed, &later->mutex);
        if (later->path[0] == '\0')
            break;
        char path[sizeof(later->path)];
        (void)snprintf(path, sizeof(path), "%s", later->path);
        AUTO(pncp_buf_release) struct pncp_buf bytes = pncp_buf_take(&later->bytes);
        later->path[0] = '\0';
        (void)pthread_mutex_unlock(&later->mutex);
        later->write(later->ctx, path, pncp_buf_view(&bytes));
        (void)pthread_mutex_lock(&later->mutex);
    }
    (void)pthread_mutex_unlock(&later->mutex);
    return NULL;
}

enum pncp_code pncp_later_new(pncp_later_fn *write, void *ctx, struct pncp_later **ret_later, struct pncp_err *err)
{
    struct pncp_later *later = pncp_calloc(1, sizeof(*later));
    if (later == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "lake: out of memory");
    later->write = write;
    later->ctx = ctx;
    (void)pthread_mutex_init(&later->mutex, NULL);
    (void)pthread_cond_init(&later->changed, NULL);
    int failed = pncp_thread_start(&later->thread, run, later);
    if (failed != 0) {
        (void)pthread_mutex_destroy(&later->mutex);
        (void)pthread_cond_destroy(&later->changed);
        pncp_free(later);
        return pncp_err_sys(err, failed, "start a thread");
    }
    *ret_later = later;
    return PNCP_OK;
}

void pncp_later_put(struct pncp_later *later, const char *path, struct pncp_view bytes)
{
    (void)pthread_mutex_lock(&later->mutex);
    pncp_buf_clear(&later->bytes);
    if (pncp_buf_append(&later->bytes, bytes.data, bytes.len) == PNCP_OK)
        (void)snprintf(later->path, sizeof(later->path), "%s", path);
    (void)pthread_cond_broadcast(&later->changed);
    (void)pthread_mutex_unlock(&later->mutex);
}

void pncp_later_free(struct pncp_later *later)
{
    if (later == NULL)
        return;
    (void)pthread_mutex_lock(&later->mutex);
    later->quit = true;
    (void)pthread_cond_broadcast(&later->changed);
    (void)pthread_mutex_unlock(&later->mutex);
    (void)pthread_join(later->thread, NULL);
    pncp_buf_release(&later->bytes);
    (void)pthread_mutex_destroy(&later->mutex);
    (void)pthread_cond_destroy(&later->changed);
    pncp_free(later);
}
