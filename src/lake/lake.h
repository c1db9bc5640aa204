/*
 * The lake: named objects that change atomically. One interface for a folder (lake_dir.c) and S3 (lake_s3.c).
 *
 * A version is opaque to everything above: two reads with the same version saw the same bytes. Conditional calls
 * (write_if, splice_if) replace an object only while it still has the version expected: PNCP_E_CONFLICT otherwise. All
 * writes are atomic: a reader, and a crash, see the old object or the new one. On a folder: version = size + hash of
 * the last 64 KiB (so what is written conditionally must end in something unique: the commit id, an id), compared under
 * a commit lock (flock on `lock`), then temp file in pncp_details/_state/tmp, write, fsync, rename, fsync folder. An
 * unclear answer (PNCP_E_IO after the rename, e.g. the folder's fsync) is for the caller to resolve by reading the
 * object's own history. Threads: calls on one lake from two threads are fine, on one object or stage handle not.
 */
#ifndef PNCP_LAKE_H
#define PNCP_LAKE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/source.h"

struct pncp_lake;

#define PNCP_VERSION_BYTES 96
struct pncp_version {
    char text[PNCP_VERSION_BYTES]; /* "" : no object */
};

struct pncp_lake_options {
    const char *run_id; /* names temp files; borrowed during the call */
    bool create;        /* make the root folder when it is missing (ingest, list); else PNCP_E_NOTFOUND */
    bool writable;      /* check that it can be written: PNCP_E_IO names folder and fix */
    bool unsafe_store;  /* accept network and FUSE file systems (statfs) */
};

/* `url`: a folder, file://… or s3://bucket[/prefix]. PNCP_E_USAGE: it already ends in
 * pncp_details (message names the right one), is empty, or has another scheme · PNCP_E_IO: it is a file, no rights ·
 * PNCP_E_UNSUPPORTED: network or FUSE file system. */
MUST_CHECK enum pncp_code pncp_lake_open(const char *url, const struct pncp_lake_options *options,
                                         struct pncp_lake **ret_lake, struct pncp_err *err);
void pncp_lake_free(struct pncp_lake *lake);
const char *pncp_lake_url(const struct pncp_lake *lake); /* absolute, as reports name it */
/* Is each call a request over the network, and each version kept by some stores? Then small files are written less
 * often. */
bool pncp_lake_is_remote(const struct pncp_lake *lake);
/* Of an object that keeps at least so many bytes a splice need not send these; of a smaller one it sends all. 0: it
 * never sends what is kept. */
uint64_t pncp_lake_keeps_from(const struct pncp_lake *lake);
/* What tells lakes apart in names outside of them: the first twelve hex digits of the SHA-256 (FIPS 180-4) of the URL.
 */
#define PNCP_LAKE_TAG_BYTES 13
void pncp_lake_tag(const struct pncp_lake *lake, char ret_tag[PNCP_LAKE_TAG_BYTES]);

/* ---- can the store be trusted? --------------------------------------------------------------- */
enum pncp_finding_level { PNCP_FINDING_GOOD, PNCP_FINDING_WARNING, PNCP_FINDING_REFUSED };
struct pncp_finding {
    enum pncp_finding_level level;
    const char *what; /* "If-Match on PUT" */
    char text[512];   /* what was found, and, unless it is good, what to do */
};
typedef void pncp_finding_fn(void *ctx, const struct pncp_finding *finding);
/* Try, with an object of its own that is removed again, whether the store keeps its word on conditions, and tell of
 * each thing looked at. A folder has been looked at when it was opened: nothing is told. PNCP_E_UNSUPPORTED: commits
 * could be lost there; the first refusal is the message · errors of the store. */
MUST_CHECK enum pncp_code pncp_lake_check(struct pncp_lake *lake, pncp_finding_fn *tell, void *ctx,
                                          struct pncp_err *err);

/* ---- reading: pinned to the version of its first answer -------------------------------------- */
struct pncp_object {
    struct pncp_source source;
    struct pncp_version version;
    void (*want_all)(void *impl); /* NULL: nothing to be done */
    void (*release)(void *impl);
    void *impl;
};
/* `path` relative to the lake. `lock`: its commit lock's path, or NULL for objects without conditional writes (then
 * version is not filled). PNCP_E_NOTFOUND. */
MUST_CHECK enum pncp_code pncp_lake_open_object(struct pncp_lake *lake, const char *path, const char *lock,
                                                struct pncp_object *ret_object, struct pncp_err *err);
/* That version of it, which has `size` bytes. PNCP_E_CONFLICT, now or when it is read: it is another by now ·
 * PNCP_E_NOTFOUND, likewise. */
MUST_CHECK enum pncp_code pncp_lake_open_version(struct pncp_lake *lake, const char *path, const char *lock,
                                                 const struct pncp_version *version, uint64_t size,
                                                 struct pncp_object *ret_object, struct pncp_err *err);
/* All of it will be read, here and there: a file that is not in the page cache is read in as one. */
void pncp_object_want_all(const struct pncp_object *object);
void pncp_object_release(struct pncp_object *object); /* zeroed is fine */
/* A whole small object into `buf` (its ceiling holds), one version of it. PNCP_E_NOTFOUND · PNCP_E_LIMIT ·
 * PNCP_E_CONFLICT: it was replaced while it was being read, more often than race.h allows. ret_version may be NULL when
 * lock is NULL. */
MUST_CHECK enum pncp_code pncp_lake_load(struct pncp_lake *lake, const char *path, const char *lock,
                                         struct pncp_buf *buf, struct pncp_version *ret_version, struct pncp_err *err);

/* ---- staging: a local temp file, removed when released --------------------------------------- */
struct pncp_stage {
    int fd; /* -1: closed */
    uint64_t bytes;
    char path[512]; /* below the lake's root */
    struct pncp_lake *lake;
    struct pncp_buf pending; /* write buffer */
};
#define PNCP_STAGE_INIT ((struct pncp_stage){.fd = -1})
MUST_CHECK enum pncp_code pncp_stage_open(struct pncp_lake *lake, struct pncp_stage *stage, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_stage_append(struct pncp_stage *stage, const void *data, size_t len,
                                            struct pncp_err *err);
/* Flush the write buffer, so that the fd can be read (pncp_source_of_fd). */
MUST_CHECK enum pncp_code pncp_stage_flush(struct pncp_stage *stage, struct pncp_err *err);
/* Forget what was appended: the file is empty again. */
MUST_CHECK enum pncp_code pncp_stage_empty(struct pncp_stage *stage, struct pncp_err *err);
void pncp_stage_release(struct pncp_stage *stage);

/* ---- writing --------------------------------------------------------------------------------- */
struct pncp_body { /* bytes or stage */
    struct pncp_view bytes;
    bool fleeting;            /* what nobody misses after a power cut: put without a wait for the disk */
    const char *id;           /* which write it is, told with the object where a store keeps such a thing; NULL: none */
    struct pncp_stage *stage; /* consumed once it is being put into place; not when the version was another */
};
/* Replace or create, whatever is there. */
MUST_CHECK enum pncp_code pncp_lake_put(struct pncp_lake *lake, const char *path, const struct pncp_body *body,
                                        struct pncp_err *err);
/* Only while the object's version is `expected` ("" : only if it does not exist). PNCP_E_CONFLICT · PNCP_E_BUSY,
 * transient: another process has the commit lock for more than 30 s. */
MUST_CHECK enum pncp_code pncp_lake_write_if(struct pncp_lake *lake, const char *path, const char *lock,
                                             const struct pncp_version *expected, const struct pncp_body *body,
                                             struct pncp_version *ret_version, struct pncp_err *err);
/* Of a new object: `bytes`; or, when len is not 0, so many bytes of `stage` (flushed), without one of the version
 * expected. */
struct pncp_segment {
    struct pncp_view bytes;
    const struct pncp_stage *stage;
    uint64_t from, len;
};
struct pncp_splice { /* the first keep_bytes of the version expected, and the segments in order */
    uint64_t keep_bytes;
    const struct pncp_segment *segments;
    size_t segment_count;
    const char *id; /* as in pncp_body */
    uint64_t *sent; /* grows by the bytes that are written, or sent, for it: tries that failed too; NULL: not counted */
};
/* The object becomes that. keep_bytes 0 with expected "" creates. PNCP_E_CONFLICT · PNCP_E_BUSY as above ·
 * PNCP_E_PARSE: the version expected has fewer bytes. */
MUST_CHECK enum pncp_code pncp_lake_splice_if(struct pncp_lake *lake, const char *path, const char *lock,
                                              const struct pncp_version *expected, const struct pncp_splice *splice,
                                              struct pncp_version *ret_version, struct pncp_err *err);
/* What is at `path`, whoever put it there and however, survives a power cut: it and its name. PNCP_E_IO. */
MUST_CHECK enum pncp_code pncp_lake_sync(struct pncp_lake *lake, const char *path, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_lake_remove(struct pncp_lake *lake, const char *path,
                                           struct pncp_err *err); /* a missing object is fine */
/* Names (not paths) directly in folder `path`; a missing folder has none. The callback returns false to stop. */
MUST_CHECK enum pncp_code pncp_lake_list(struct pncp_lake *lake, const char *path,
                                         bool (*each)(void *ctx, const char *name), void *ctx, struct pncp_err *err);

/* ---- holding a day: one run at a time (a courtesy; safety is the conditional write) ---------- */
struct pncp_lease;
struct pncp_hold { /* one of the two: a folder's lock, S3's lease */
    int fd;
    struct pncp_lease *lease;
};
#define PNCP_HOLD_INIT ((struct pncp_hold){.fd = -1})
/* `path`: pncp_details/_state/lock/pncp_details_D.run, of a remote one …/lease/pncp_details_D.json; `holder`: one JSON
 * line written into it. PNCP_E_BUSY: message names the holder that it found. */
MUST_CHECK enum pncp_code pncp_lake_hold(struct pncp_lake *lake, const char *path, struct pncp_view holder,
                                         struct pncp_hold *ret_hold, struct pncp_err *err);
bool pncp_hold_is_held(const struct pncp_hold *hold);
void pncp_hold_release(struct pncp_hold *hold);

/* Remove temp files of dead processes (those nobody has locked). Errors are ignored: next run tries again. */
void pncp_lake_sweep(struct pncp_lake *lake);

#endif
