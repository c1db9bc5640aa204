/*
 * The lease of a day on a store without locks: an object that says until when its holder has the day, by the store's
 * clock. Written by write_if, so of two that want it one gets it; renewed by a thread; released by writing it as
 * expired. A courtesy only: a run that has lost it does no harm, because its commits are conditional (design section
 * 5).
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "lake/lake_int.h"
#include "lake/s3_client.h"
#include "json/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEASE_S 90
#define RENEW_EVERY_MS 30000
#define RENEW_AGAIN_MS 5000 /* after a renewal that had no answer */
#define LEASE_MAX_BYTES ((size_t)4096)
#define TAKE_TRIES 5

struct pncp_lease {
    struct pncp_lake *lake;
    char path[200];
    struct pncp_buf holder; /* the JSON object that names the run, without its last brace */
    struct pncp_version version;
    pthread_t thread;
    bool started, quit;
    pthread_mutex_t mutex; /* for quit */
    pthread_cond_t changed;
};

/* ---- the object ------------------------------------------------------------------------------ */

static enum pncp_code format(const struct pncp_lease *lease, int64_t now_s, int64_t until_s, struct pncp_buf *ret_text)
{
    char now[PNCP_STAMP_TEXT_BYTES], until[PNCP_STAMP_TEXT_BYTES];
    pncp_stamp_format(now_s * 1000000, now);
    pncp_stamp_format(until_s * 1000000, until);
    return pncp_buf_format(ret_text, PNCP_VIEW_FMT ",\"renewed_at\":\"%s\",\"expires_at\":\"%s\"}",
                           PNCP_VIEW_ARG(pncp_buf_view(&lease->holder)), now, until);
}

/* Ours from now on for `seconds`; 0: released. PNCP_E_CONFLICT: it is another's. */
static enum pncp_code write_lease(struct pncp_lease *lease, int seconds, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = {0};
    int64_t now_s = pncp_s3_now_s(lease->lake->s3);
    if (format(lease, now_s, now_s + seconds, &text) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "lease: out of memory");
    const struct pncp_body body = {.bytes = pncp_buf_view(&text)};
    return pncp_lake_write_if(lease->lake, lease->path, NULL, &lease->version, &body, &lease->version, err);
}

bool pncp_lease_holds(struct pncp_view text, int64_t now_s)
{
    AUTO(pncp_json_release) struct pncp_json json = {0};
    int64_t until_us;
    return pncp_json_parse(text, &json, NULL, NULL) == PNCP_OK &&
           pncp_datetime_parse(pncp_json_text(pncp_json_get(json.root, "expires_at")), &until_us) &&
           until_us / 1000000 > now_s;
}

static bool is_ours(const struct pncp_lease *lease, const struct pncp_buf *text)
{
    return text->len > lease->holder.len && memcmp(text->data, lease->holder.data, lease->holder.len) == 0;
}

static enum pncp_code take_once(struct pncp_lease *lease, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf text = PNCP_BUF_INIT(LEASE_MAX_BYTES);
    lease->version = (struct pncp_version){.text = ""};
    enum pncp_code rc = pncp_lake_load(lease->lake, lease->path, NULL, &text, &lease->version, err);
    if (rc == PNCP_E_NOTFOUND)
        rc = PNCP_OK;
    if (rc != PNCP_OK)
        return rc;
    if (!is_ours(lease, &text) && pncp_lease_holds(pncp_buf_view(&text), pncp_s3_now_s(lease->lake->s3)))
        return pncp_err_set(err, PNCP_E_BUSY, "lake %s: the day is held by another run: %.*s", lease->lake->url,
                            (int)PNCP_MIN(text.len, (size_t)300), text.data);
    return write_lease(lease, LEASE_S, err);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Until `ms` have passed; false: it is to end. */
static bool wait_for(struct pncp_lease *lease, uint32_t ms)
{
    const struct timespec until = pncp_deadline(ms);
    (void)pthread_mutex_lock(&lease->mutex);
    while (!lease->quit && pthread_cond_timedwait(&lease->changed, &lease->mutex, &until) != ETIMEDOUT)
        ;
    bool quit = lease->quit;
    (void)pthread_mutex_unlock(&lease->mutex);
    return !quit;
}

static void *renew(void *arg)
{
    struct pncp_lease *lease = arg;
    uint32_t wait_ms = RENEW_EVERY_MS;
    while (wait_for(lease, wait_ms)) {
        enum pncp_code rc = write_lease(lease, LEASE_S, NULL);
        if (rc == PNCP_E_CONFLICT) /* a renewal that had no answer was done, perhaps: then the version is ours */
            rc = take_once(lease, NULL);
        if (rc == PNCP_E_BUSY)
            return NULL; /* we were stopped for so long that another run has it */
        wait_ms = rc == PNCP_OK ? RENEW_EVERY_MS : RENEW_AGAIN_MS;
    }
    return NULL;
}

static enum pncp_code start_renewing(struct pncp_lease *lease, struct pncp_err *err)
{
    int failed = pncp_thread_start(&lease->thread, renew, lease);
    lease->started = failed == 0;
    return failed == 0 ? PNCP_OK : pncp_err_sys(err, failed, "start the lease's thread");
}

/* ---- public ---------------------------------------------------------------------------------- */

enum pncp_code pncp_lease_begin(struct pncp_lake *lake, const char *path, struct pncp_view holder,
                                struct pncp_lease **ret_lease, struct pncp_err *err)
{
    struct pncp_lease *lease = pncp_calloc(1, sizeof(*lease));
    if (lease == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "lease: out of memory");
    lease->lake = lake;
    (void)snprintf(lease->path, sizeof(lease->path), "%s", path);
    (void)pthread_mutex_init(&lease->mutex, NULL);
    pncp_cond_init(&lease->changed);
    enum pncp_code rc = pncp_buf_append(&lease->holder, holder.data, holder.len - 1);
    if (rc != PNCP_OK)
        rc = pncp_err_set(err, rc, "lease: out of memory");
    bool taken = false;
    for (int tries = 0; rc == PNCP_OK && !taken; tries++) {
        rc = take_once(lease, err);
        taken = rc == PNCP_OK;
        if (rc == PNCP_E_CONFLICT && tries < TAKE_TRIES)
            rc = PNCP_OK; /* somebody has written it meanwhile: who has it now? */
    }
    if (rc == PNCP_OK)
        rc = start_renewing(lease, err);
    if (rc != PNCP_OK) {
        pncp_lease_end(lease);
        return rc;
    }
    *ret_lease = lease;
    return PNCP_OK;
}

void pncp_lease_end(struct pncp_lease *lease)
{
    if (lease == NULL)
        return;
    if (lease->started) {
        (void)pthread_mutex_lock(&lease->mutex);
        lease->quit = true;
        (void)pthread_cond_broadcast(&lease->changed);
        (void)pthread_mutex_unlock(&lease->mutex);
        (void)pthread_join(lease->thread, NULL);
        (void)write_lease(lease, 0, NULL); /* another run need not wait for it; when this fails it waits 90 s */
    }
    pncp_buf_release(&lease->holder);
    (void)pthread_mutex_destroy(&lease->mutex);
    (void)pthread_cond_destroy(&lease->changed);
    pncp_free(lease);
}
