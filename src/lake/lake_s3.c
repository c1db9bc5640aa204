/*
 * An S3 bucket as a lake. A version is an ETag. What is kept of an object stays on the store's side (UploadPartCopy)
 * unless it is less than a part may have: then the object is sent whole. An answer that was no clean yes is nothing
 * certain: the caller reads the object's own history (design section 5).
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "lake/lake_int.h"
#include "lake/later.h"
#include "lake/s3_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_MIN_BYTES ((uint64_t)5 * 1024 * 1024)        /* of each part but the last (S3 API, "Quotas") */
#define COPY_MAX_BYTES ((uint64_t)5 * 1024 * 1024 * 1024) /* of one UploadPartCopy */
#define WINDOW_BYTES ((uint64_t)4 * 1024 * 1024)          /* read at once: more than what a fold reads */
#define TAIL_BYTES ((uint64_t)64 * 1024)                  /* read with the first request: most footers */
#define RANGE_TEXT_BYTES 64

/* ---- small helpers --------------------------------------------------------------------------- */

static void format_range(char text[RANGE_TEXT_BYTES], uint64_t from, uint64_t len)
{
    (void)snprintf(text, RANGE_TEXT_BYTES, "bytes=%" PRIu64 "-%" PRIu64, from, from + len - 1);
}

/* Ask, and take any status but 2xx for an error. */
static enum pncp_code ask(struct pncp_lake *lake, const struct pncp_s3_request *request, struct pncp_s3_answer *answer,
                          struct pncp_err *err)
{
    enum pncp_code rc = pncp_s3_ask(lake->s3, request, answer, err);
    if (rc == PNCP_OK && (answer->status < 200 || answer->status > 299))
        rc = pncp_s3_refused(lake->s3, request, answer, err);
    if (rc != PNCP_OK)
        pncp_s3_answer_release(answer);
    return rc;
}

/* If-Match the version expected, or If-None-Match when nothing is to be there. */
static struct pncp_sigv4_pair condition(const struct pncp_version *expected)
{
    return expected->text[0] == '\0' ? (struct pncp_sigv4_pair){"if-none-match", "*"}
                                     : (struct pncp_sigv4_pair){"if-match", expected->text};
}

static enum pncp_code unclear(struct pncp_lake *lake, const char *path, const char *why, struct pncp_err *err)
{
    (void)pncp_err_set(err, PNCP_E_UNAVAILABLE, "lake %s: %s: %s", lake->url, path, why);
    if (err != NULL)
        err->transient = true;
    return PNCP_E_UNAVAILABLE;
}

/* On a condition a missing object and one that someone else is writing are a lost version, too. */
static enum pncp_code lost(const struct pncp_version *expected, enum pncp_code rc, const char *path,
                           struct pncp_lake *lake, struct pncp_err *err)
{
    if (rc != PNCP_E_CONFLICT && (rc != PNCP_E_NOTFOUND || expected->text[0] == '\0'))
        return rc;
    return pncp_err_set(err, PNCP_E_CONFLICT, "lake %s: %s was changed by someone else", lake->url, path);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct pinned { /* one version of an object */
    struct pncp_lake *lake;
    char path[200];
    struct pncp_version version;
    uint64_t size;
    struct pncp_buf window;
    uint64_t window_at;
};

static enum pncp_code read_range(struct pncp_lake *lake, const char *path, const struct pncp_version *version,
                                 uint64_t from, uint64_t len, struct pncp_buf *ret_bytes, struct pncp_err *err)
{
    char range[RANGE_TEXT_BYTES];
    format_range(range, from, len);
    const struct pncp_s3_request request = {.method = "GET",
                                            .path = path,
                                            .headers = {{"range", range}, {"if-match", version->text}},
                                            .answer_max_bytes = (size_t)len};
    struct pncp_s3_answer answer;
    enum pncp_code rc = ask(lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return lost(version, rc, path, lake, err);
    if (answer.object_bytes < from + len) {
        pncp_s3_answer_release(&answer);
        return pncp_err_set(err, PNCP_E_PARSE, "lake %s: %s has fewer bytes", lake->url, path);
    }
    if (answer.status != 206 || answer.from != from || answer.body.len != len) {
        rc = unclear(lake, path, "the store gave other bytes than asked for", err);
        pncp_s3_answer_release(&answer);
        return rc;
    }
    pncp_buf_release(ret_bytes);
    *ret_bytes = pncp_buf_take(&answer.body);
    return PNCP_OK;
}

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
            read_range(object->lake, object->path, &object->version, offset, want, &object->window, err);
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
    char range[RANGE_TEXT_BYTES];
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
        rc = ask(lake, &request, &answer, err);
    if (rc == PNCP_OK)
        pncp_s3_answer_release(&answer);
    return rc;
}

/* The object is these pieces, while its version is `expected`. */
static enum pncp_code put_if(struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                             const char *id, const struct pncp_call_piece *pieces, size_t piece_count,
                             struct pncp_version *ret_version, struct pncp_err *err)
{
    const struct pncp_s3_request request = {
        .method = "PUT",
        .path = path,
        .headers = {condition(expected), {id == NULL ? NULL : PNCP_S3_ID_HEADER, id}},
        .pieces = pieces,
        .piece_count = piece_count,
        .once = true};
    struct pncp_s3_answer answer;
    enum pncp_code rc = ask(lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return lost(expected, rc, path, lake, err);
    if (answer.etag[0] == '\0')
        rc = unclear(lake, path, "the store did not say the new version", err);
    else
        (void)snprintf(ret_version->text, sizeof(ret_version->text), "%s", answer.etag);
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
    return rc == PNCP_OK ? put_if(lake, path, expected, body->id, &piece, 1, ret_version, err) : rc;
}

/* ---- splicing -------------------------------------------------------------------------------- */

/* ---- what was written last -------------------------------------------------------------------- */

/* A copy of the newest small object that we have spliced, in a temporary file: the next commit keeps most of it and
 * need not fetch it. Who uses it takes it away for that time. */
struct pncp_mirror {
    char path[200]; /* "": there is none */
    struct pncp_version version;
    struct pncp_stage stage;
};

/* That version's bytes, when they are at hand; they are the caller's then. */
static bool take_mirror(struct pncp_lake *lake, const char *path, const struct pncp_version *version, uint64_t least,
                        struct pncp_stage *ret_stage)
{
    struct pncp_mirror *mirror = lake->mirror;
    (void)pthread_mutex_lock(&lake->mirror_mutex);
    bool there = strcmp(mirror->path, path) == 0 && strcmp(mirror->version.text, version->text) == 0 &&
                 mirror->stage.fd >= 0 && mirror->stage.bytes >= least;
    if (there) {
        *ret_stage = mirror->stage;
        mirror->stage = PNCP_STAGE_INIT;
        mirror->path[0] = '\0';
    }
    (void)pthread_mutex_unlock(&lake->mirror_mutex);
    return there;
}

static void give_mirror(struct pncp_lake *lake, const char *path, const struct pncp_version *version,
                        struct pncp_stage *stage)
{
    struct pncp_mirror *mirror = lake->mirror;
    (void)pthread_mutex_lock(&lake->mirror_mutex);
    struct pncp_stage before = mirror->stage;
    (void)snprintf(mirror->path, sizeof(mirror->path), "%s", path);
    mirror->version = *version;
    mirror->stage = *stage;
    (void)pthread_mutex_unlock(&lake->mirror_mutex);
    *stage = PNCP_STAGE_INIT;
    pncp_stage_release(&before);
}

/* `stage`, which has the first `kept` bytes already (closed: none), becomes what the pieces from `first` on make of it.
 * False: it could not be written. */
static bool fill_stage(struct pncp_lake *lake, struct pncp_stage *stage, uint64_t kept,
                       const struct pncp_call_piece *pieces, size_t first, size_t count)
{
    enum pncp_code rc = stage->fd < 0 ? pncp_stage_open(lake, stage, NULL) : pncp_stage_cut(stage, kept, NULL);
    for (size_t i = first; rc == PNCP_OK && i < count; i++)
        rc = pncp_stage_append(stage, pieces[i].bytes.data, pieces[i].bytes.len, NULL);
    return rc == PNCP_OK && pncp_stage_flush(stage, NULL) == PNCP_OK;
}

struct tail { /* pieces of the new object, behind what the store copies */
    struct pncp_call_piece *pieces;
    struct pncp_buf *fetched; /* of the version expected, for pieces; as many as pieces, most of them empty */
    size_t count;
};

static void tail_release(struct tail *tail)
{
    for (size_t i = 0; tail->fetched != NULL && i < tail->count; i++)
        pncp_buf_release(&tail->fetched[i]);
    pncp_free(tail->fetched);
    pncp_free(tail->pieces);
}

static enum pncp_code fetch_piece(struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                                  uint64_t from, uint64_t len, struct tail *tail, struct pncp_err *err)
{
    size_t i = tail->count++;
    enum pncp_code rc = read_range(lake, path, expected, from, len, &tail->fetched[i], err);
    tail->pieces[i] = (struct pncp_call_piece){.bytes = pncp_buf_view(&tail->fetched[i])};
    return rc;
}

/* What is to be sent: the kept bytes too, unless the store copies them, from `mirror` when that is open; then the
 * segments. */
static enum pncp_code make_tail(struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                                const struct pncp_splice *splice, const struct pncp_stage *mirror, struct tail *tail,
                                struct pncp_err *err)
{
    bool copied = splice->keep_bytes >= PART_MIN_BYTES;
    tail->pieces = pncp_calloc(splice->segment_count + 1, sizeof(*tail->pieces));
    tail->fetched = pncp_calloc(splice->segment_count + 1, sizeof(*tail->fetched));
    if (tail->pieces == NULL || tail->fetched == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "write %s: out of memory", path);
    enum pncp_code rc = PNCP_OK;
    if (mirror->fd >= 0)
        tail->pieces[tail->count++] =
            (struct pncp_call_piece){.bytes = PNCP_VIEW_LIT(""), .fd = mirror->fd, .len = splice->keep_bytes};
    else if (!copied && splice->keep_bytes > 0)
        rc = fetch_piece(lake, path, expected, 0, splice->keep_bytes, tail, err);
    for (size_t i = 0; rc == PNCP_OK && i < splice->segment_count; i++) {
        const struct pncp_segment *segment = &splice->segments[i];
        if (segment->len > 0)
            rc = fetch_piece(lake, path, expected, segment->from, segment->len, tail, err);
        else
            tail->pieces[tail->count++] = (struct pncp_call_piece){.bytes = segment->bytes};
    }
    return rc;
}

#define PARTS_MAX 64 /* 320 GiB of kept bytes */
struct upload {
    struct pncp_lake *lake;
    const char *path;
    char id[256];
    char etags[PARTS_MAX][PNCP_S3_ETAG_BYTES];
    size_t parts;
};

/* Best effort: what stays is aborted when it is a day old. */
static void abort_upload(struct upload *upload)
{
    if (upload->id[0] == '\0')
        return;
    const struct pncp_s3_request request = {
        .method = "DELETE", .path = upload->path, .query = {{"uploadId", upload->id}}, .once = true};
    struct pncp_s3_answer answer;
    if (pncp_s3_ask(upload->lake->s3, &request, &answer, NULL) == PNCP_OK)
        pncp_s3_answer_release(&answer);
}

/* Text of an element; the quotes of an ETag come as entities. */
static bool take_text(const struct pncp_buf *xml, const char *name, char *ret_text, size_t bytes)
{
    struct pncp_view rest = pncp_buf_view(xml), text;
    size_t used = 0;
    if (!pncp_s3_xml_next(&rest, name, &text) || text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        static const char *const quotes[] = {"&quot;", "&#34;", "&#x22;"};
        size_t skip = 0;
        for (size_t q = 0; q < PNCP_ARRAY_LEN(quotes) && skip == 0; q++) {
            if (pncp_view_starts(pncp_view_from(text, i), quotes[q]))
                skip = strlen(quotes[q]);
        }
        if (used + 1 >= bytes)
            return false;
        ret_text[used++] = skip > 0 ? '"' : text.data[i];
        i += skip > 0 ? skip - 1 : 0;
    }
    ret_text[used] = '\0';
    return true;
}

#define UPLOAD_OLD_S (24 * 3600)

/* Uploads that a killed run has left cost space and are seen by nobody. Those of a day ago are of no run that lives; a
 * younger one may be. Once a run: what fails now is there the next time. */
static void abort_old_uploads(struct pncp_lake *lake, const char *path)
{
    AUTO(pncp_buf_release) struct pncp_buf key = {0};
    if (__atomic_exchange_n(&lake->uploads_swept, true, __ATOMIC_RELAXED) ||
        pncp_s3_key(lake->s3, path, &key) != PNCP_OK || pncp_buf_append(&key, "", 1) != PNCP_OK)
        return;
    const struct pncp_s3_request request = {.method = "GET", .query = {{"uploads", ""}, {"prefix", key.data}}};
    struct pncp_s3_answer answer;
    if (pncp_s3_ask(lake->s3, &request, &answer, NULL) != PNCP_OK)
        return;
    struct pncp_view rest = pncp_buf_view(&answer.body), entry;
    while (answer.status == 200 && pncp_s3_xml_next(&rest, "Upload", &entry)) {
        struct upload upload = {.lake = lake, .path = path};
        struct pncp_view fields = entry, id, name = {"", 0}, begun = {"", 0};
        int64_t begun_us;
        bool known = pncp_s3_xml_next(&fields, "UploadId", &id) && id.len < sizeof(upload.id);
        fields = entry;
        known = known && pncp_s3_xml_next(&fields, "Key", &name) && pncp_view_eq_text(name, key.data);
        fields = entry;
        known = known && pncp_s3_xml_next(&fields, "Initiated", &begun) && pncp_datetime_parse(begun, &begun_us);
        if (!known || pncp_s3_now_s(lake->s3) - begun_us / 1000000 < UPLOAD_OLD_S)
            continue;
        (void)snprintf(upload.id, sizeof(upload.id), PNCP_VIEW_FMT, PNCP_VIEW_ARG(id));
        abort_upload(&upload);
    }
    pncp_s3_answer_release(&answer);
}

static enum pncp_code begin_upload(struct upload *upload, const char *commit, struct pncp_err *err)
{
    const struct pncp_s3_request request = {.method = "POST",
                                            .path = upload->path,
                                            .query = {{"uploads", ""}},
                                            .headers = {{commit == NULL ? NULL : PNCP_S3_ID_HEADER, commit}},
                                            .once = true};
    struct pncp_s3_answer answer;
    enum pncp_code rc = ask(upload->lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return rc;
    if (!take_text(&answer.body, "UploadId", upload->id, sizeof(upload->id)))
        rc = unclear(upload->lake, upload->path, "the store did not name the upload that it began", err);
    pncp_s3_answer_release(&answer);
    return rc;
}

static enum pncp_code copy_part(struct upload *upload, const struct pncp_version *expected, uint64_t from, uint64_t len,
                                struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf source = {0};
    char number[8], range[RANGE_TEXT_BYTES];
    (void)snprintf(number, sizeof(number), "%zu", upload->parts + 1);
    format_range(range, from, len);
    enum pncp_code rc = pncp_s3_copy_source(upload->lake->s3, upload->path, &source);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "write %s: out of memory", upload->path);
    const struct pncp_s3_request request = {.method = "PUT",
                                            .path = upload->path,
                                            .query = {{"partNumber", number}, {"uploadId", upload->id}},
                                            .headers = {{"x-amz-copy-source", source.data},
                                                        {"x-amz-copy-source-range", range},
                                                        {"x-amz-copy-source-if-match", expected->text}}};
    struct pncp_s3_answer answer;
    rc = ask(upload->lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return lost(expected, rc, upload->path, upload->lake, err);
    if (!take_text(&answer.body, "ETag", upload->etags[upload->parts++], PNCP_S3_ETAG_BYTES))
        rc = unclear(upload->lake, upload->path, "the store did not copy a part", err); /* an error inside a 200 */
    pncp_s3_answer_release(&answer);
    return rc;
}

static enum pncp_code send_part(struct upload *upload, const struct tail *tail, struct pncp_err *err)
{
    char number[8];
    (void)snprintf(number, sizeof(number), "%zu", upload->parts + 1);
    const struct pncp_s3_request request = {.method = "PUT",
                                            .path = upload->path,
                                            .query = {{"partNumber", number}, {"uploadId", upload->id}},
                                            .pieces = tail->pieces,
                                            .piece_count = tail->count};
    struct pncp_s3_answer answer;
    enum pncp_code rc = ask(upload->lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return rc;
    (void)snprintf(upload->etags[upload->parts++], PNCP_S3_ETAG_BYTES, "%s", answer.etag);
    pncp_s3_answer_release(&answer);
    return PNCP_OK;
}

static enum pncp_code parts_xml(const struct upload *upload, struct pncp_buf *ret_xml)
{
    enum pncp_code rc = pncp_buf_text(ret_xml, "<CompleteMultipartUpload>");
    for (size_t i = 0; rc == PNCP_OK && i < upload->parts; i++) /* an ETag has quotes, which XML allows in a text */
        rc = pncp_buf_format(ret_xml, "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>", i + 1,
                             upload->etags[i]);
    return rc == PNCP_OK ? pncp_buf_text(ret_xml, "</CompleteMultipartUpload>") : rc;
}

/* Once for each upload: an answer that is unclear is for the object's history to clear up. */
static enum pncp_code complete_upload(struct upload *upload, const struct pncp_version *expected,
                                      struct pncp_version *ret_version, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf xml = {0};
    if (parts_xml(upload, &xml) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "write %s: out of memory", upload->path);
    const struct pncp_call_piece piece = {.bytes = pncp_buf_view(&xml)};
    const struct pncp_s3_request request = {.method = "POST",
                                            .path = upload->path,
                                            .query = {{"uploadId", upload->id}},
                                            .headers = {condition(expected)},
                                            .pieces = &piece,
                                            .piece_count = 1,
                                            .once = true};
    struct pncp_s3_answer answer;
    enum pncp_code rc = ask(upload->lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return lost(expected, rc, upload->path, upload->lake, err);
    if (!take_text(&answer.body, "ETag", ret_version->text, sizeof(ret_version->text)))
        rc = unclear(upload->lake, upload->path, "the store did not complete the upload", err);
    pncp_s3_answer_release(&answer);
    return rc;
}

/* Some stores say yes to the Complete of an upload that is gone: what is there must be of that version and of this
 * write. */
static enum pncp_code check_there(struct pncp_lake *lake, const char *path, const char *id,
                                  const struct pncp_version *version, struct pncp_err *err)
{
    const struct pncp_s3_request request = {.method = "HEAD", .path = path};
    struct pncp_s3_answer answer;
    enum pncp_code rc = ask(lake, &request, &answer, err);
    if (rc == PNCP_E_NOTFOUND)
        return unclear(lake, path, "it is not there after it was written", err);
    if (rc != PNCP_OK)
        return rc;
    bool same = strcmp(answer.etag, version->text) == 0 && (id == NULL || strcmp(answer.id, id) == 0);
    pncp_s3_answer_release(&answer);
    return same ? PNCP_OK : unclear(lake, path, "another version is there after it was written", err);
}

static enum pncp_code splice_by_parts(struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                                      const struct pncp_splice *splice, struct pncp_version *ret_version,
                                      struct pncp_err *err)
{
    AUTO(tail_release) struct tail tail = {0};
    struct upload upload = {.lake = lake, .path = path};
    uint64_t copied = 0;
    abort_old_uploads(lake, path);
    enum pncp_code rc = make_tail(lake, path, expected, splice, &PNCP_STAGE_INIT, &tail, err);
    if (rc == PNCP_OK)
        rc = begin_upload(&upload, splice->id, err);
    while (rc == PNCP_OK && copied < splice->keep_bytes) {
        uint64_t left = splice->keep_bytes - copied, len = left;
        if (left > COPY_MAX_BYTES) /* and what is left then is no part that is too small */
            len = PNCP_MIN(COPY_MAX_BYTES, left - PART_MIN_BYTES);
        rc = upload.parts + 1 < PARTS_MAX ? copy_part(&upload, expected, copied, len, err)
                                          : pncp_err_set(err, PNCP_E_LIMIT, "write %s: it is too large", path);
        copied += len;
    }
    if (rc == PNCP_OK)
        rc = send_part(&upload, &tail, err);
    if (rc == PNCP_OK)
        rc = complete_upload(&upload, expected, ret_version, err);
    if (rc != PNCP_OK)
        abort_upload(&upload);
    return rc == PNCP_OK ? check_there(lake, path, splice->id, ret_version, err) : rc;
}

/* Sent whole. The mirror follows, or stays what it was. */
static enum pncp_code splice_whole(struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                                   const struct pncp_splice *splice, struct pncp_version *ret_version,
                                   struct pncp_err *err)
{
    AUTO(tail_release) struct tail tail = {0};
    AUTO(pncp_stage_release) struct pncp_stage mirror = PNCP_STAGE_INIT;
    bool mirrored = splice->keep_bytes > 0 && take_mirror(lake, path, expected, splice->keep_bytes, &mirror);
    enum pncp_code rc = make_tail(lake, path, expected, splice, &mirror, &tail, err);
    if (rc == PNCP_OK)
        rc = put_if(lake, path, expected, splice->id, tail.pieces, tail.count, ret_version, err);
    if (rc == PNCP_OK && fill_stage(lake, &mirror, splice->keep_bytes, tail.pieces, mirrored, tail.count))
        give_mirror(lake, path, ret_version, &mirror);
    else if (rc != PNCP_OK && mirrored)
        give_mirror(lake, path, expected, &mirror);
    return rc;
}

static enum pncp_code splice_if(struct pncp_lake *lake, const char *path, const char *lock,
                                const struct pncp_version *expected, const struct pncp_splice *splice,
                                struct pncp_version *ret_version, struct pncp_err *err)
{
    (void)lock;
    return splice->keep_bytes >= PART_MIN_BYTES ? splice_by_parts(lake, path, expected, splice, ret_version, err)
                                                : splice_whole(lake, path, expected, splice, ret_version, err);
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
    enum pncp_code rc = ask(lake, &request, &answer, err);
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
        enum pncp_code rc = ask(lake, &request, &answer, err);
        if (rc != PNCP_OK)
            return rc;
        more =
            tell_names(&answer.body, each, ctx) && take_text(&answer.body, "NextContinuationToken", next, sizeof(next));
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
    if (lake->mirror != NULL) {
        pncp_stage_release(&lake->mirror->stage);
        pncp_free(lake->mirror);
        (void)pthread_mutex_destroy(&lake->mirror_mutex);
    }
    pncp_later_free(lake->later);
    pncp_s3_free(lake->s3);
}

static const struct pncp_lake_backend s3_backend = {.remote = true,
                                                    .close = close_s3,
                                                    .check = pncp_s3_check,
                                                    .open_object = open_object,
                                                    .open_version = open_version,
                                                    .put = put,
                                                    .write_if = write_if,
                                                    .splice_if = splice_if,
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
    enum pncp_code rc = ask(lake, &request, &answer, err);
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
    lake->mirror = pncp_calloc(1, sizeof(*lake->mirror));
    if (lake->mirror == NULL) {
        pncp_lake_free(lake);
        return pncp_err_set(err, PNCP_E_NOMEM, "lake %s: out of memory", url);
    }
    lake->mirror->stage = PNCP_STAGE_INIT;
    (void)pthread_mutex_init(&lake->mirror_mutex, NULL);
    enum pncp_code rc = pncp_s3_new(url, &lake->s3, err);
    if (rc == PNCP_OK && (lake->url = pncp_s3_url(lake->s3)) == NULL)
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
