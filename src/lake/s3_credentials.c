#include "lake/s3_credentials.h"
#include "base/mem.h"
#include "lake/s3_config_int.h"
#include "lake/s3_credentials_int.h"

#include <string.h>

void pncp_s3_keys_release(struct pncp_s3_keys *keys)
{
    pncp_s3_wipe_text(&keys->access_key);
    pncp_s3_wipe_text(&keys->secret_key);
    pncp_s3_wipe_text(&keys->session_token);
    *keys = (struct pncp_s3_keys){0};
}

static enum pncp_code copy_keys(const struct pncp_s3_keys *keys, struct pncp_s3_keys *ret_keys, struct pncp_err *err)
{
    AUTO(pncp_s3_keys_release) struct pncp_s3_keys copy = {0};
    enum pncp_code rc = pncp_s3_keep(&copy.access_key, pncp_view_of(keys->access_key));
    if (rc == PNCP_OK)
        rc = pncp_s3_keep(&copy.secret_key, pncp_view_of(keys->secret_key));
    if (rc == PNCP_OK && keys->session_token != NULL)
        rc = pncp_s3_keep(&copy.session_token, pncp_view_of(keys->session_token));
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "credentials: out of memory");
    copy.expires_at_s = keys->expires_at_s;
    copy.source = keys->source;
    copy.serial = keys->serial;
    *ret_keys = copy;
    copy = (struct pncp_s3_keys){0};
    return PNCP_OK;
}

enum pncp_code pncp_s3_credentials_init(struct pncp_s3_credentials *creds, const char *region, pncp_s3_fetch_fn *fetch,
                                        void *ctx, struct pncp_err *err)
{
    *creds = (struct pncp_s3_credentials){.fetch = fetch, .ctx = ctx};
    creds->region = pncp_strdup(region);
    if (creds->region == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "credentials: out of memory");
    (void)pthread_mutex_init(&creds->mutex, NULL);
    (void)pthread_cond_init(&creds->read, NULL);
    creds->ready = true;
    return PNCP_OK;
}

void pncp_s3_credentials_release(struct pncp_s3_credentials *creds)
{
    if (!creds->ready)
        return;
    (void)pthread_cond_destroy(&creds->read);
    (void)pthread_mutex_destroy(&creds->mutex);
    pncp_free(creds->region);
    pncp_s3_keys_release(&creds->keys);
    *creds = (struct pncp_s3_credentials){0};
}

/* ---- when they are read ---------------------------------------------------------------------- */

static bool are_valid(const struct pncp_s3_credentials *creds, int64_t now_s)
{
    const struct pncp_s3_keys *keys = &creds->keys;
    return keys->access_key != NULL && !creds->refused && (keys->expires_at_s == 0 || keys->expires_at_s > now_s);
}

static bool is_time_to_read(const struct pncp_s3_credentials *creds, int64_t now_s)
{
    int64_t since_s = now_s - creds->tried_at_s; /* below 0: of two threads the later one asked first, or the clock was
                                                    set back, perhaps by far */
    if (creds->tried && since_s > -PNCP_S3_REFRESH_EVERY_S && since_s < PNCP_S3_REFRESH_EVERY_S)
        return false;
    return !are_valid(creds, now_s + PNCP_S3_REFRESH_LEFT_S - 1);
}

/* What a failure means when there were credentials before. */
static void soften(struct pncp_err *why)
{
    if (why->code == PNCP_E_NOMEM || why->code == PNCP_E_CANCELLED)
        return;
    if (why->code != PNCP_E_PARSE)
        why->code = PNCP_E_UNAVAILABLE;
    why->transient = true;
}

/* One attempt, without the lock meanwhile. */
static void read_anew(struct pncp_s3_credentials *creds, int64_t now_s)
{
    struct pncp_s3_keys keys = {0};
    struct pncp_err why = PNCP_ERR_INIT;
    creds->reading = true;
    creds->tried = true;
    creds->tried_at_s = now_s;
    (void)pthread_mutex_unlock(&creds->mutex);
    enum pncp_code rc = pncp_s3_keys_read(creds->region, creds->fetch, creds->ctx, now_s, &keys, &why);
    (void)pthread_mutex_lock(&creds->mutex);
    if (rc == PNCP_OK) {
        keys.serial = creds->keys.serial + 1;
        pncp_s3_keys_release(&creds->keys);
        creds->keys = keys;
        creds->refused = false;
    } else if (creds->keys.access_key != NULL) {
        soften(&why);
    }
    creds->why = rc == PNCP_OK ? PNCP_ERR_INIT : why;
    creds->reading = false;
    (void)pthread_cond_broadcast(&creds->read);
}

/* Why there are none to be had. */
static enum pncp_code tell(const struct pncp_s3_credentials *creds, struct pncp_err *err)
{
    struct pncp_err why = creds->why;
    if (why.code == PNCP_OK) {
        (void)pncp_err_set(&why, PNCP_E_UNAVAILABLE,
                           "the credentials of %s have expired or the store refuses them; they are read again in at "
                           "most %d s",
                           creds->keys.source, PNCP_S3_REFRESH_EVERY_S);
        why.transient = true;
    }
    if (err != NULL)
        *err = why;
    return why.code;
}

enum pncp_code pncp_s3_credentials_get(struct pncp_s3_credentials *creds, int64_t now_s, struct pncp_s3_keys *ret_keys,
                                       struct pncp_err *err)
{
    (void)pthread_mutex_lock(&creds->mutex);
    while (creds->reading && !are_valid(creds, now_s))
        (void)pthread_cond_wait(&creds->read, &creds->mutex);
    if (!creds->reading && is_time_to_read(creds, now_s))
        read_anew(creds, now_s);
    enum pncp_code rc = are_valid(creds, now_s) ? copy_keys(&creds->keys, ret_keys, err) : tell(creds, err);
    (void)pthread_mutex_unlock(&creds->mutex);
    return rc;
}

void pncp_s3_credentials_refused(struct pncp_s3_credentials *creds, const struct pncp_s3_keys *keys)
{
    (void)pthread_mutex_lock(&creds->mutex);
    creds->refused |= keys->serial == creds->keys.serial;
    (void)pthread_mutex_unlock(&creds->mutex);
}
