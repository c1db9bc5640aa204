/*
 * An S3 bucket as a lake. A version is an ETag. An answer that was no clean yes is nothing certain: the caller reads
 * the object's own history (design section 5). New versions from old ones: s3_splice.c.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "lake/kept.h"
#include "lake/lake_int.h"
#include "lake/later.h"
#include "lake/s3_client.h"
#include "lake/s3_object.h"
#include "lake/s3_upload.h"
#include "lake/s3_xml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_BYTES ((uint64_t)4 * 1024 * 1024) /* read at once: more than what a fold reads */
#define TAIL_BYTES ((uint64_t)64 * 1024)         /* read with the first request: most footers */

/* ---- reading --------------------------------------------------------------------------------- */

struct pinned { /* one version of an object */
    struct pncp_lake *lake;
    char path[200];
    struct pncp_version version;
    uint64_t size;
    struct pncp_buf window;
    uint64_t window_at;
};

static enum pncp_code read_pinned(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err)
{
    struct pinned *object = ctx;
    if (len == 0)
        return PNCP_OK;
    if (offset > object->size || len > object->size - offset)
        return pncp_err_set(err, PNCP_E_PARSE, "read %s: it ends early", object->path);
    bool inside = offset >= object->window_at && offset + len <= object->window_at + object->window.len;
    if (!inside) {
        uint64_t want = PNCP_MIN(PNCP_MAX((uint64_t)len, WINDOW_BYTES), object->size - offset);
        enum pncp_code rc =
            pncp_s3_read_range(object->lake, object->path, &object->version, offset, want, &object->window, err);
        if (rc != PNCP_OK)
            return rc;
        object->window_at = offset;
    }
    memcpy(data, object->window.data + (offset - object->window_at), len);
    return PNCP_OK;
}

static void release_pinned(void *impl)
{
    struct pinned *object = impl;
    pncp_buf_release(&object->window);
    pncp_free(object);
}

/* The end of the object, which tells its size and version. */
static enum pncp_code read_tail(struct pncp_lake *lake, const char *path, struct pncp_s3_answer *answer,
                                struct pncp_err *err)
{
    char range[PNCP_S3_RANGE_BYTES];
    (void)snprintf(range, sizeof(range), "bytes=-%" PRIu64, TAIL_BYTES);
    struct pncp_s3_request request = {
        .method = "GET", .path = path, .headers = {{"range", range}}, .answer_max_bytes = (size_t)TAIL_BYTES};
    enum pncp_code rc = pncp_s3_ask(lake->s3, &request, answer, err);
    if (rc == PNCP_OK && answer->status == 416) { /* it has no byte */
        pncp_s3_answer_release(answer);
        request.headers[0] = (struct pncp_sigv4_pair){0};
        rc = pncp_s3_ask(lake->s3, &request, answer, err);
    }
    if (rc == PNCP_OK && answer->status != 200 && answer->status != 206) {
        rc = answer->status == 404 && strcmp(answer->code, "NoSuchBucket") != 0
                 ? pncp_err_set(err, PNCP_E_NOTFOUND, "lake %s: no %s", lake->url, path)
                 : pncp_s3_refused(lake->s3, &request, answer, err);
        pncp_s3_answer_release(answer);
    }
    return rc;
}

/* `window`: what is at hand of its end; taken over. */
static enum pncp_code pin(struct pncp_lake *lake, const char *path, const char *version, uint64_t size,
                          struct pncp_buf *window, struct pncp_object *ret_object, struct pncp_err *err)
{
    struct pinned *object = pncp_calloc(1, sizeof(*object));
    if (object == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "read %s: out of memory", path);
    object->lake = lake;
    (void)snprintf(object->path, sizeof(object->path), "%s", path);
    (void)snprintf(object->version.text, sizeof(object->version.text), "%s", version);
    object->window = pncp_buf_take(window);
    object->size = size;
    object->window_at = size - object->window.len;
    *ret_object = (struct pncp_object){.source = {.read_at = read_pinned, .ctx = object, .size = size},
                                       .version = object->version,
                                       .release = release_pinned,
                                       .impl = object};
    return PNCP_OK;
}

static enum pncp_code open_object(struct pncp_lake *lake, const char *path, const char *lock,
                                  struct pncp_object *ret_object, struct pncp_err *err)
{
    (void)lock;
    struct pncp_s3_answer answer;
    enum pncp_code rc = read_tail(lake, path, &answer, err);
    if (rc != PNCP_OK)
        return rc;
    rc = pin(lake, path, answer.etag, answer.object_bytes, &answer.body, ret_object, err);
    pncp_s3_answer_release(&answer);
    return rc;
}

/* Nothing is asked yet. */
static enum pncp_code open_version(struct pncp_lake *lake, const char *path, const char *lock,
                                   const struct pncp_version *version, uint64_t size, struct pncp_object *ret_object,
                                   struct pncp_err *err)
{
    (void)lock;
    struct pncp_buf none = {0};
    return pin(lake, path, version->text, size, &none, ret_object, err);
}

/* ---- writing whole objects ------------------------------------------------------------------- */

static enum pncp_code piece_of(const struct pncp_body *body, struct pncp_call_piece *ret_piece, struct pncp_err *err)
{
    *ret_piece = (struct pncp_call_piece){.bytes = body->bytes};
    if (body->stage == NULL)
        return PNCP_OK;
    enum pncp_code rc = pncp_stage_flush(body->stage, err);
    *ret_piece = (struct pncp_call_piece){.bytes = PNCP_VIEW_LIT(""), .fd = body->stage->fd, .len = body->stage->bytes};
    return rc;
}

#define FLEETING_TIMEOUT_MS 3000

static void put_fleeting(void *ctx, const char *path, struct pncp_view bytes)
{
    struct pncp_lake *lake = ctx;
    const struct pncp_call_piece piece = {.bytes = bytes};
    const struct pncp_s3_request request = {.method = "PUT",
                                            .path = path,
                                            .pieces = &piece,
                                            .piece_count = 1,
                                            .timeout_ms = FLEETING_TIMEOUT_MS,
                                            .once = true};
    struct pncp_s3_answer answer;
    if (pncp_s3_ask(lake->s3, &request, &answer, NULL) == PNCP_OK)
        pncp_s3_answer_release(&answer);
}

static enum pncp_code put(struct pncp_lake *lake, const char *path, const struct pncp_body *body, struct pncp_err *err)
{
    if (body->fleeting && body->stage == NULL) {
        pncp_later_put(lake->later, path, body->bytes);
        return PNCP_OK;
    }
    struct pncp_call_piece piece;
    enum pncp_code rc = piece_of(body, &piece, err);
    const struct pncp_s3_request request = {.method = "PUT", .path = path, .pieces = &piece, .piece_count = 1};
    struct pncp_s3_answer answer;
    if (rc == PNCP_OK)
        rc = pncp_s3_ask_good(lake, &request, &answer, err);
    if (rc == PNCP_OK)
        pncp_s3_answer_release(&answer);
    return rc;
}

static enum pncp_code write_if(struct pncp_lake *lake, const char *path, const char *lock,
                               const struct pncp_version *expected, const struct pncp_body *body,
                               struct pncp_version *ret_version, struct pncp_err *err)
{
    (void)lock;
    struct pncp_call_piece piece;
    enum pncp_code rc = piece_of(body, &piece, err);
    const struct pncp_s3_put whole = {.pieces = &piece, .piece_count = 1, .id = body->id};
    return rc == PNCP_OK ? pncp_s3_put_if(lake, path, expected, &whole, ret_version, err) : rc;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static enum pncp_code sync_object(struct pncp_lake *lake, const char *path, struct pncp_err *err)
{
    (void)lake;
    (void)path;
    (void)err;
    return PNCP_OK; /* what the store has acknowledged it keeps */
}

static enum pncp_code remove_object(struct pncp_lake *lake, const char *path, struct pncp_err *err)
{
    const struct pncp_s3_request request = {.method = "DELETE", .path = path};
    struct pncp_s3_answer answer;
    enum pncp_code rc = pncp_s3_ask_good(lake, &request, &answer, err);
    if (rc == PNCP_OK)
        pncp_s3_answer_release(&answer);
    return rc == PNCP_E_NOTFOUND ? PNCP_OK : rc;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The name at the end of a key as it stands in a list: URL-encoded, of a folder with a slash behind it. */
static void take_name(struct pncp_view key, char ret_name[512])
{
    size_t used = 0;
    char text[1024];
    for (size_t i = 0; i < key.len && used + 1 < sizeof(text); i++) {
        bool encoded =
            key.data[i] == '%' && i + 2 < key.len && hex_digit(key.data[i + 1]) >= 0 && hex_digit(key.data[i + 2]) >= 0;
        text[used++] = encoded              ? (char)(hex_digit(key.data[i + 1]) * 16 + hex_digit(key.data[i + 2]))
                       : key.data[i] == '+' ? ' '
                                            : key.data[i];
        i += encoded ? 2 : 0;
    }
    while (used > 0 && text[used - 1] == '/')
        used--;
    text[used] = '\0';
    const char *slash = strrchr(text, '/');
    (void)snprintf(ret_name, 512, "%.500s", slash == NULL ? text : slash + 1);
}

/* *ret_more: each wants more. */
static bool tell_names(const struct pncp_buf *xml, bool (*each)(void *ctx, const char *name), void *ctx)
{
    static const char *const holders[] = {"Contents", "CommonPrefixes"}, *const names[] = {"Key", "Prefix"};
    bool more = true;
    for (size_t i = 0; i < PNCP_ARRAY_LEN(holders); i++) {
        struct pncp_view rest = pncp_buf_view(xml), entry, key;
        while (more && pncp_s3_xml_next(&rest, holders[i], &entry)) {
            char name[512];
            bool found = pncp_s3_xml_next(&entry, names[i], &key);
            if (!found || (i == 0 && pncp_view_ends(key, "/"))) /* an object that some tools make for a folder */
                continue;
            take_name(key, name);
            more = name[0] == '\0' || each(ctx, name);
        }
    }
    return more;
}

static enum pncp_code list_names(struct pncp_lake *lake, const char *path, bool (*each)(void *ctx, const char *name),
                                 void *ctx, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf prefix = {0};
    char next[1100] = "";
    bool more = true;
    if (pncp_s3_key(lake->s3, path, &prefix) != PNCP_OK || pncp_buf_append(&prefix, "/", 2) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "list %s: out of memory", path);
    while (more) {
        struct pncp_s3_request request = {.method = "GET",
                                          .query = {{"list-type", "2"},
                                                    {"prefix", prefix.data},
                                                    {"delimiter", "/"},
                                                    {"encoding-type", "url"},
                                                    {next[0] == '\0' ? NULL : "continuation-token", next}},
                                          .answer_max_bytes = (size_t)4 * 1024 * 1024};
        struct pncp_s3_answer answer;
        enum pncp_code rc = pncp_s3_ask_good(lake, &request, &answer, err);
        if (rc != PNCP_OK)
            return rc;
        more = tell_names(&answer.body, each, ctx) &&
               pncp_s3_xml_text(pncp_buf_view(&answer.body), "NextContinuationToken", next, sizeof(next));
        pncp_s3_answer_release(&answer);
    }
    return PNCP_OK;
}

static enum pncp_code hold(struct pncp_lake *lake, const char *path, struct pncp_view holder,
                           struct pncp_hold *ret_hold, struct pncp_err *err)
{
    return pncp_lease_begin(lake, path, holder, &ret_hold->lease, err);
}

static void close_s3(struct pncp_lake *lake)
{
    pncp_keeper_free(lake->keeper);
    pncp_later_free(lake->later);
    pncp_s3_free(lake->s3);
}

static const struct pncp_lake_backend s3_backend = {.remote = true,
                                                    .keeps_from = PNCP_PART_MIN_BYTES,
                                                    .close = close_s3,
                                                    .check = pncp_s3_check,
                                                    .open_object = open_object,
                                                    .open_version = open_version,
                                                    .put = put,
                                                    .write_if = write_if,
                                                    .splice_if = pncp_s3_splice_if,
                                                    .sync = sync_object,
                                                    .remove = remove_object,
                                                    .list = list_names,
                                                    .hold = hold};

/* ---- opening --------------------------------------------------------------------------------- */

/* Where staged files lie: a folder of this user's own, shared by all lakes; names of runs keep them apart. */
static enum pncp_code open_temps(struct pncp_lake *lake, struct pncp_err *err)
{
    const char *tmp = getenv("TMPDIR");
    char path[100];
    struct stat stat;
    (void)snprintf(path, sizeof(path), "%.64s/pncp-details-%u", tmp == NULL || tmp[0] == '\0' ? "/tmp" : tmp,
                   (unsigned)getuid());
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return pncp_err_sys(err, errno, "make the folder %s for temporary files; set TMPDIR to another place", path);
    lake->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (lake->root_fd < 0 || fstat(lake->root_fd, &stat) != 0)
        return pncp_err_sys(err, errno, "open the folder %s for temporary files", path);
    if (stat.st_uid != getuid())
        return pncp_err_set(err, PNCP_E_IO, "the folder %s for temporary files is another user's; set TMPDIR", path);
    (void)snprintf(lake->temps_in, sizeof(lake->temps_in), " in %s", path);
    return PNCP_OK;
}

/* Is there such a bucket, and may we read it? */
static enum pncp_code check_bucket(struct pncp_lake *lake, struct pncp_err *err)
{
    const struct pncp_s3_request request = {
        .method = "GET", .query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", "pncp_details/_state/"}}};
    struct pncp_s3_answer answer;
    enum pncp_code rc = pncp_s3_ask_good(lake, &request, &answer, err);
    if (rc == PNCP_OK)
        pncp_s3_answer_release(&answer);
    return rc;
}

enum pncp_code pncp_lake_s3_open(const char *url, const struct pncp_lake_options *options, struct pncp_lake **ret_lake,
                                 struct pncp_err *err)
{
    struct pncp_lake *lake = pncp_calloc(1, sizeof(*lake));
    if (lake == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "lake %s: out of memory", url);
    lake->backend = &s3_backend;
    lake->root_fd = -1;
    (void)snprintf(lake->run_id, sizeof(lake->run_id), "%s", options->run_id == NULL ? "none" : options->run_id);
    enum pncp_code rc = pncp_s3_new(url, &lake->s3, err);
    if (rc == PNCP_OK && (pncp_keeper_new(&lake->keeper) != PNCP_OK || (lake->url = pncp_s3_url(lake->s3)) == NULL))
        rc = pncp_err_set(err, PNCP_E_NOMEM, "lake %s: out of memory", url);
    if (rc == PNCP_OK)
        rc = open_temps(lake, err);
    if (rc == PNCP_OK)
        rc = check_bucket(lake, err);
    if (rc == PNCP_OK)
        rc = pncp_later_new(put_fleeting, lake, &lake->later, err);
    if (rc != PNCP_OK) {
        pncp_lake_free(lake);
        return rc;
    }
    *ret_lake = lake;
    return PNCP_OK;
}
