/*
 * A new version of an object that keeps the beginning of the one before. What is kept stays on the store's side
 * (UploadPartCopy) unless it is less than a part may have: then the object is sent whole.
 */
#include "base/file.h"
#include "base/mem.h"
#include "lake/kept.h"
#include "lake/lake_int.h"
#include "lake/s3_object.h"
#include "lake/s3_upload.h"

#include <string.h>
#include <unistd.h>

static bool write_piece(int fd, const struct pncp_call_piece *piece)
{
    char block[16384];
    ssize_t got = 0;
    for (uint64_t at = 0, bytes = pncp_call_piece_bytes(piece); at < bytes; at += (uint64_t)got) {
        got = pncp_call_piece_read(piece, at, block, sizeof(block));
        if (got <= 0 || pncp_file_write(fd, block, (size_t)got, "", NULL) != PNCP_OK)
            return false;
    }
    return true;
}

/* A temporary file without a name. False: there is none. */
static bool open_mirror(struct pncp_lake *lake, struct pncp_kept *mirror)
{
    char temp[512];
    if (pncp_temp_open(lake, &mirror->fd, temp, NULL) != PNCP_OK)
        return false;
    pncp_temp_remove(lake, temp);
    return true;
}

/* Its first `kept` bytes stay, and the pieces from `first` on follow. None afterwards: it could not be written. */
static void fill_mirror(struct pncp_lake *lake, struct pncp_kept *mirror, uint64_t kept,
                        const struct pncp_call_piece *pieces, size_t first, size_t count)
{
    bool good = mirror->fd < 0 ? open_mirror(lake, mirror)
                               : lseek(mirror->fd, (off_t)kept, SEEK_SET) == (off_t)kept; /* what is behind is old */
    mirror->bytes = kept;
    for (size_t i = first; good && i < count; i++) {
        good = write_piece(mirror->fd, &pieces[i]);
        mirror->bytes += pncp_call_piece_bytes(&pieces[i]);
    }
    if (!good)
        pncp_kept_release(mirror);
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
    enum pncp_code rc = pncp_s3_read_range(lake, path, expected, from, len, &tail->fetched[i], err);
    tail->pieces[i] = (struct pncp_call_piece){.bytes = pncp_buf_view(&tail->fetched[i])};
    return rc;
}

/* What is to be sent: the kept bytes too, unless the store copies them, from `mirror` when that is open; then the
 * segments. */
static enum pncp_code make_tail(struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                                const struct pncp_splice *splice, const struct pncp_kept *mirror, struct tail *tail,
                                struct pncp_err *err)
{
    bool copied = splice->keep_bytes >= PNCP_PART_MIN_BYTES;
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
        if (segment->stage != NULL && segment->len > 0)
            tail->pieces[tail->count++] = (struct pncp_call_piece){
                .bytes = PNCP_VIEW_LIT(""), .fd = segment->stage->fd, .at = segment->from, .len = segment->len};
        else if (segment->len > 0)
            rc = fetch_piece(lake, path, expected, segment->from, segment->len, tail, err);
        else
            tail->pieces[tail->count++] = (struct pncp_call_piece){.bytes = segment->bytes};
    }
    return rc;
}

/* Some stores say yes to the Complete of an upload that is gone: what is there must be of that version and of this
 * write. */
static enum pncp_code check_there(struct pncp_lake *lake, const char *path, const char *id,
                                  const struct pncp_version *version, struct pncp_err *err)
{
    const struct pncp_s3_request request = {.method = "HEAD", .path = path};
    struct pncp_s3_answer answer;
    enum pncp_code rc = pncp_s3_ask_good(lake, &request, &answer, err);
    if (rc == PNCP_E_NOTFOUND)
        return pncp_s3_unclear(lake, path, "it is not there after it was written", err);
    if (rc != PNCP_OK)
        return rc;
    bool same = strcmp(answer.etag, version->text) == 0 && (id == NULL || strcmp(answer.id, id) == 0);
    pncp_s3_answer_release(&answer);
    return same ? PNCP_OK : pncp_s3_unclear(lake, path, "another version is there after it was written", err);
}

static enum pncp_code splice_by_parts(struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                                      const struct pncp_splice *splice, struct pncp_version *ret_version,
                                      struct pncp_err *err)
{
    AUTO(tail_release) struct tail tail = {0};
    struct pncp_upload upload = {.lake = lake, .path = path, .sent = splice->sent};
    uint64_t copied = 0;
    pncp_upload_abort_old(lake, path);
    enum pncp_code rc = make_tail(lake, path, expected, splice, &PNCP_KEPT_NONE, &tail, err);
    if (rc == PNCP_OK)
        rc = pncp_upload_begin(&upload, splice->id, err);
    while (rc == PNCP_OK && copied < splice->keep_bytes) {
        uint64_t left = splice->keep_bytes - copied, len = left;
        if (left > PNCP_COPY_MAX_BYTES) /* and what is left then is no part that is too small */
            len = PNCP_MIN(PNCP_COPY_MAX_BYTES, left - PNCP_PART_MIN_BYTES);
        rc = pncp_upload_copy(&upload, expected, copied, len, err);
        copied += len;
    }
    if (rc == PNCP_OK)
        rc = pncp_upload_send(&upload, tail.pieces, tail.count, err);
    if (rc == PNCP_OK)
        rc = pncp_upload_complete(&upload, expected, ret_version, err);
    if (rc != PNCP_OK)
        pncp_upload_abort(&upload);
    return rc == PNCP_OK ? check_there(lake, path, splice->id, ret_version, err) : rc;
}

/* Sent whole. The mirror follows, or stays what it was. */
static enum pncp_code splice_whole(struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                                   const struct pncp_splice *splice, struct pncp_version *ret_version,
                                   struct pncp_err *err)
{
    AUTO(tail_release) struct tail tail = {0};
    AUTO(pncp_kept_release) struct pncp_kept mirror = pncp_keeper_take(lake->keeper, path, expected);
    if (mirror.bytes < splice->keep_bytes || splice->keep_bytes == 0)
        pncp_kept_release(&mirror);
    const bool mirrored = mirror.fd >= 0;
    enum pncp_code rc = make_tail(lake, path, expected, splice, &mirror, &tail, err);
    const struct pncp_s3_put whole = {
        .pieces = tail.pieces, .piece_count = tail.count, .id = splice->id, .sent = splice->sent};
    if (rc == PNCP_OK)
        rc = pncp_s3_put_if(lake, path, expected, &whole, ret_version, err);
    if (rc == PNCP_OK)
        fill_mirror(lake, &mirror, mirrored ? splice->keep_bytes : 0, tail.pieces, mirrored, tail.count);
    pncp_keeper_give(lake->keeper, path, rc == PNCP_OK ? ret_version : expected, &mirror);
    return rc;
}

enum pncp_code pncp_s3_splice_if(struct pncp_lake *lake, const char *path, const char *lock,
                                 const struct pncp_version *expected, const struct pncp_splice *splice,
                                 struct pncp_version *ret_version, struct pncp_err *err)
{
    (void)lock;
    return splice->keep_bytes >= PNCP_PART_MIN_BYTES ? splice_by_parts(lake, path, expected, splice, ret_version, err)
                                                     : splice_whole(lake, path, expected, splice, ret_version, err);
}
