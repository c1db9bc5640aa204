/* What every lake has in common, whatever is behind it. */
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "lake/lake_int.h"
#include "lake/race.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

enum pncp_code pncp_lake_open(const char *url, const struct pncp_lake_options *options, struct pncp_lake **ret_lake,
                              struct pncp_err *err)
{
    return pncp_view_starts(pncp_view_of(url), "s3://") ? pncp_lake_s3_open(url, options, ret_lake, err)
                                                        : pncp_lake_dir_open(url, options, ret_lake, err);
}

void pncp_lake_free(struct pncp_lake *lake)
{
    if (lake == NULL)
        return;
    if (lake->backend != NULL && lake->backend->close != NULL)
        lake->backend->close(lake);
    pncp_fd_close(&lake->root_fd);
    pncp_free(lake->url);
    pncp_free(lake);
}

void pncp_lake_tag(const struct pncp_lake *lake, char ret_tag[PNCP_LAKE_TAG_BYTES])
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    (void)SHA256((const unsigned char *)lake->url, strlen(lake->url), hash);
    pncp_hex(hash, PNCP_LAKE_TAG_BYTES / 2, ret_tag);
}

const char *pncp_lake_url(const struct pncp_lake *lake)
{
    return lake->url;
}

bool pncp_lake_is_remote(const struct pncp_lake *lake)
{
    return lake->backend->remote;
}

uint64_t pncp_lake_keeps_from(const struct pncp_lake *lake)
{
    return lake->backend->keeps_from;
}

enum pncp_code pncp_lake_check(struct pncp_lake *lake, pncp_finding_fn *tell, void *ctx, struct pncp_err *err)
{
    return lake->backend->check == NULL ? PNCP_OK : lake->backend->check(lake, tell, ctx, err);
}

/* ---- reading --------------------------------------------------------------------------------- */

enum pncp_code pncp_lake_open_object(struct pncp_lake *lake, const char *path, const char *lock,
                                     struct pncp_object *ret_object, struct pncp_err *err)
{
    return lake->backend->open_object(lake, path, lock, ret_object, err);
}

enum pncp_code pncp_lake_open_version(struct pncp_lake *lake, const char *path, const char *lock,
                                      const struct pncp_version *version, uint64_t size, struct pncp_object *ret_object,
                                      struct pncp_err *err)
{
    return lake->backend->open_version(lake, path, lock, version, size, ret_object, err);
}

void pncp_object_want_all(const struct pncp_object *object)
{
    if (object->want_all != NULL)
        object->want_all(object->impl);
}

void pncp_object_release(struct pncp_object *object)
{
    if (object->impl != NULL)
        object->release(object->impl);
    *object = (struct pncp_object){0};
}

static enum pncp_code load_once(struct pncp_lake *lake, const char *path, const char *lock, struct pncp_buf *buf,
                                struct pncp_version *ret_version, struct pncp_err *err)
{
    struct pncp_object object = {0};
    enum pncp_code rc = pncp_lake_open_object(lake, path, lock, &object, err);
    if (rc != PNCP_OK)
        return rc;
    size_t size = (size_t)object.source.size;
    pncp_buf_clear(buf);
    rc = pncp_buf_reserve(buf, size);
    if (rc != PNCP_OK)
        rc = pncp_err_set(err, rc, "lake %s: %s has %zu bytes: too large", lake->url, path, size);
    else
        rc = object.source.read_at(object.source.ctx, 0, buf->data, size, err);
    if (rc == PNCP_OK) {
        buf->len = size;
        if (ret_version != NULL)
            *ret_version = object.version;
    }
    pncp_object_release(&object);
    return rc;
}

enum pncp_code pncp_lake_load(struct pncp_lake *lake, const char *path, const char *lock, struct pncp_buf *buf,
                              struct pncp_version *ret_version, struct pncp_err *err)
{
    unsigned losses = 0;
    enum pncp_code rc = load_once(lake, path, lock, buf, ret_version, err);
    while (rc == PNCP_E_CONFLICT && pncp_race_lost(&losses, path, err) == PNCP_OK)
        rc = load_once(lake, path, lock, buf, ret_version, err);
    return rc;
}

/* ---- writing --------------------------------------------------------------------------------- */

enum pncp_code pncp_lake_put(struct pncp_lake *lake, const char *path, const struct pncp_body *body,
                             struct pncp_err *err)
{
    return lake->backend->put(lake, path, body, err);
}

enum pncp_code pncp_lake_write_if(struct pncp_lake *lake, const char *path, const char *lock,
                                  const struct pncp_version *expected, const struct pncp_body *body,
                                  struct pncp_version *ret_version, struct pncp_err *err)
{
    return lake->backend->write_if(lake, path, lock, expected, body, ret_version, err);
}

enum pncp_code pncp_lake_splice_if(struct pncp_lake *lake, const char *path, const char *lock,
                                   const struct pncp_version *expected, const struct pncp_splice *splice,
                                   struct pncp_version *ret_version, struct pncp_err *err)
{
    return lake->backend->splice_if(lake, path, lock, expected, splice, ret_version, err);
}

enum pncp_code pncp_lake_sync(struct pncp_lake *lake, const char *path, struct pncp_err *err)
{
    return lake->backend->sync(lake, path, err);
}

enum pncp_code pncp_lake_remove(struct pncp_lake *lake, const char *path, struct pncp_err *err)
{
    return lake->backend->remove(lake, path, err);
}

enum pncp_code pncp_lake_list(struct pncp_lake *lake, const char *path, bool (*each)(void *ctx, const char *name),
                              void *ctx, struct pncp_err *err)
{
    return lake->backend->list(lake, path, each, ctx, err);
}

/* ---- holding a day --------------------------------------------------------------------------- */

enum pncp_code pncp_lake_hold(struct pncp_lake *lake, const char *path, struct pncp_view holder,
                              struct pncp_hold *ret_hold, struct pncp_err *err)
{
    return lake->backend->hold(lake, path, holder, ret_hold, err);
}

bool pncp_hold_is_held(const struct pncp_hold *hold)
{
    return hold->fd != -1 || hold->lease != NULL;
}

void pncp_hold_release(struct pncp_hold *hold)
{
    pncp_lease_end(hold->lease);
    hold->lease = NULL;
    pncp_fd_close(&hold->fd);
}
