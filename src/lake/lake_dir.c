#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/sys.h"
#include "lake/kept.h"
#include "lake/lake_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#define VERSION_TAIL_BYTES                                                                                             \
    ((size_t)64 * 1024) /* hashed; the commit id is the footer's last key-value, so no two commits look alike */

/* A commit holds the lock while it copies and syncs one day's file: seconds at most, also on a slow disk. Who has it
 * for longer is stopped or hangs. */
#define LOCK_WAIT_MS 30000
#define LOCK_STEP_FIRST_MS 1
#define LOCK_STEP_LONGEST_MS 50

/* ---- opening --------------------------------------------------------------------------------- */

static bool is_unsafe(long type)
{
    static const long unsafe[] = {NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
                                  FUSE_SUPER_MAGIC, V9FS_MAGIC,      AFS_SUPER_MAGIC,  AFS_FS_MAGIC,
                                  CEPH_SUPER_MAGIC, CODA_SUPER_MAGIC};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(unsafe); i++) {
        if (type == unsafe[i])
            return true;
    }
    return false;
}

static enum pncp_code check_url(const char *url, const char **ret_path, struct pncp_err *err)
{
    struct pncp_view view = pncp_view_of(url);
    if (pncp_view_starts(view, "file://"))
        view = (struct pncp_view){view.data + 7, view.len - 7};
    else if (strncmp(url + strcspn(url, ":/"), "://", 3) == 0) /* else a folder of that name would be made here */
        return pncp_err_set(err, PNCP_E_USAGE, "lake %s: give a folder, file://… or s3://bucket", url);
    *ret_path = view.data;
    while (view.len > 1 && view.data[view.len - 1] == '/')
        view.len--;
    if (view.len == 0)
        return pncp_err_set(err, PNCP_E_USAGE, "--lake is empty: give a folder");
    if (pncp_view_eq_text(view, "pncp_details"))
        return pncp_err_set(err, PNCP_E_USAGE, "the lake is given without its pncp_details folder: use --lake .");
    if (pncp_view_ends(view, "/pncp_details"))
        return pncp_err_set(err, PNCP_E_USAGE, "the lake is given without its pncp_details folder: use --lake %.*s",
                            (int)PNCP_MAX(view.len - strlen("/pncp_details"), (size_t)1), view.data);
    return PNCP_OK;
}

/* A lake just made must survive a power loss as what is in it does. Best effort: the folders above it need not be
 * readable for us. */
static void sync_parents(const char *path)
{
    for (const char *slash = strchr(path, '/');; slash = strchr(slash + 1, '/')) {
        char parent[PATH_MAX];
        int len = slash == NULL ? 1 : (int)PNCP_MAX(slash - path, (ptrdiff_t)1);
        (void)snprintf(parent, sizeof(parent), "%.*s", len, path[0] == '/' || slash != NULL ? path : ".");
        AUTO(pncp_fd_close) int fd = pncp_sys_openat(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY, 0);
        if (fd >= 0)
            (void)pncp_sys_fsync(fd);
        if (slash == NULL)
            return;
    }
}

static enum pncp_code open_root(const char *path, const struct pncp_lake_options *options, int *ret_fd,
                                struct pncp_err *err)
{
    int fd = pncp_sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && errno == ENOENT && options->create) {
        enum pncp_code rc = pncp_file_mkdirs(AT_FDCWD, path, err);
        if (rc != PNCP_OK)
            return pncp_err_wrap(err, rc, "lake %s", path);
        sync_parents(path);
        fd = pncp_sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    }
    if (fd < 0 && errno == ENOENT)
        return pncp_err_set(err, PNCP_E_NOTFOUND, "lake %s: no such folder", path);
    if (fd < 0 && errno == ENOTDIR)
        return pncp_err_set(err, PNCP_E_IO, "lake %s: is not a folder", path);
    if (fd < 0)
        return pncp_err_sys(err, errno, "lake %s", path);
    *ret_fd = fd;
    return PNCP_OK;
}

/* Can a file be made there? Tried, because rights alone do not tell (read-only mounts, quotas). */
static enum pncp_code check_writable(struct pncp_lake *lake, struct pncp_err *err)
{
    char path[512];
    int fd;
    enum pncp_code rc = pncp_temp_open(lake, &fd, path, err);
    if (rc != PNCP_OK)
        return rc;
    pncp_temp_remove(lake, path);
    pncp_fd_close(&fd);
    return PNCP_OK;
}

static const struct pncp_lake_backend folder_backend;

enum pncp_code pncp_lake_dir_open(const char *url, const struct pncp_lake_options *options, struct pncp_lake **ret_lake,
                                  struct pncp_err *err)
{
    const char *path = url;
    AUTO(pncp_fd_close) int fd = -1;
    enum pncp_code rc = check_url(url, &path, err);
    if (rc == PNCP_OK)
        rc = open_root(path, options, &fd, err);
    if (rc != PNCP_OK)
        return rc;
    struct statfs fs;
    if (fstatfs(fd, &fs) == 0 && is_unsafe((long)fs.f_type) && !options->unsafe_store)
        return pncp_err_set(
            err, PNCP_E_UNSUPPORTED,
            "lake %s: is on a network or FUSE file system (type 0x%lx), whose locks and renames cannot be trusted; "
            "use a local folder, or --unsafe-store at your own risk",
            path, (unsigned long)fs.f_type);
    struct pncp_lake *lake = pncp_calloc(1, sizeof(*lake));
    char real[PATH_MAX];
    if (lake != NULL)
        lake->url = pncp_strdup(realpath(path, real) == NULL ? path : real);
    if (lake == NULL || lake->url == NULL || pncp_keeper_new(&lake->keeper) != PNCP_OK) {
        if (lake != NULL)
            pncp_free(lake->url);
        pncp_free(lake);
        return pncp_err_set(err, PNCP_E_NOMEM, "lake %s: out of memory", path);
    }
    (void)snprintf(lake->run_id, sizeof(lake->run_id), "%s", options->run_id == NULL ? "none" : options->run_id);
    lake->backend = &folder_backend;
    lake->root_fd = fd;
    fd = -1;
    rc = options->writable ? check_writable(lake, err) : PNCP_OK;
    if (rc != PNCP_OK) {
        pncp_lake_free(lake);
        return rc;
    }
    *ret_lake = lake;
    return PNCP_OK;
}

/* ---- versions and locks ---------------------------------------------------------------------- */

/* flock, exclusive, for no longer than LOCK_WAIT_MS: it has no limit of its own. 0 or -1 and errno, EWOULDBLOCK when
 * somebody else has it all the time. */
static int lock_within_limit(int fd)
{
    uint64_t begun = pncp_clock_mono_ms();
    for (long step_ms = LOCK_STEP_FIRST_MS;; step_ms = PNCP_MIN(step_ms * 2, (long)LOCK_STEP_LONGEST_MS)) {
        if (pncp_sys_flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK || pncp_clock_mono_ms() - begun >= LOCK_WAIT_MS)
            return -1;
        pncp_clock_sleep_us((uint64_t)step_ms * 1000);
    }
}

/* The commit lock, held until the descriptor is closed. PNCP_E_BUSY, transient: it was not free in time. */
static enum pncp_code take_lock(struct pncp_lake *lake, const char *lock, int *ret_fd, struct pncp_err *err)
{
    int fd = pncp_sys_openat(lake->root_fd, lock, O_RDWR | O_CREAT, 0666);
    if (fd < 0 && errno == ENOENT) {
        char folder[512];
        const char *slash = strrchr(lock, '/');
        (void)snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 0 : (int)(slash - lock), lock);
        enum pncp_code rc = pncp_file_mkdirs(lake->root_fd, folder, err);
        if (rc != PNCP_OK)
            return pncp_err_wrap(err, rc, "lake %s", lake->url);
        fd = pncp_sys_openat(lake->root_fd, lock, O_RDWR | O_CREAT, 0666);
    }
    if (fd < 0)
        return pncp_err_sys(err, errno, "lake %s: open lock %s", lake->url, lock);
    if (lock_within_limit(fd) != 0) {
        int why = errno;
        pncp_fd_close(&fd);
        if (why != EWOULDBLOCK)
            return pncp_err_sys(err, why, "lake %s: lock %s", lake->url, lock);
        return pncp_err_transient(err, pncp_err_set(err, PNCP_E_BUSY,
                                                    "lake %s: %s is held by another process for more than %d s",
                                                    lake->url, lock, LOCK_WAIT_MS / 1000));
    }
    *ret_fd = fd;
    return PNCP_OK;
}

static enum pncp_code version_of(int fd, const char *path, uint64_t *ret_size, struct pncp_version *ret_version,
                                 struct pncp_err *err)
{
    struct stat stat;
    if (pncp_sys_fstat(fd, &stat) != 0)
        return pncp_err_sys(err, errno, "stat %s", path);
    uint64_t size = (uint64_t)stat.st_size;
    size_t tail = (size_t)PNCP_MIN(size, (uint64_t)VERSION_TAIL_BYTES);
    AUTO(pncp_free_ptr) char *bytes = pncp_malloc(tail);
    if (bytes == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "read %s: out of memory", path);
    enum pncp_code rc = pncp_file_pread(fd, bytes, tail, size - tail, path, err);
    if (rc != PNCP_OK)
        return rc;
    (void)snprintf(ret_version->text, sizeof(ret_version->text), "%" PRIu64 "-%016" PRIx64 "%016" PRIx64, size,
                   pncp_hash64(bytes, tail, 1), pncp_hash64(bytes, tail, 2));
    *ret_size = size;
    return PNCP_OK;
}

/* Through a fresh descriptor: the version of what has that name now; "" for nothing. *ret_fd: -1 then. */
static enum pncp_code open_current(struct pncp_lake *lake, const char *path, int *ret_fd, uint64_t *ret_size,
                                   struct pncp_version *ret_version, struct pncp_err *err)
{
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(lake->root_fd, path, O_RDONLY, 0);
    *ret_fd = -1;
    *ret_size = 0;
    ret_version->text[0] = '\0';
    if (fd < 0 && errno == ENOENT)
        return PNCP_OK;
    if (fd < 0)
        return pncp_err_sys(err, errno, "lake %s: open %s", lake->url, path);
    enum pncp_code rc = version_of(fd, path, ret_size, ret_version, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "lake %s", lake->url);
    *ret_fd = fd;
    fd = -1;
    return PNCP_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct open_file {
    int fd;
    char path[200];
};

static enum pncp_code read_object(void *ctx, uint64_t offset, void *data, size_t len, struct pncp_err *err)
{
    const struct open_file *file = ctx;
    return pncp_file_pread(file->fd, data, len, offset, file->path, err);
}

static void want_all_of_file(void *impl)
{
    const struct open_file *file = impl;
    (void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_WILLNEED);
}

static void release_file(void *impl)
{
    struct open_file *file = impl;
    pncp_fd_close(&file->fd);
    pncp_free(file);
}

static enum pncp_code open_object(struct pncp_lake *lake, const char *path, const char *lock,
                                  struct pncp_object *ret_object, struct pncp_err *err)
{
    (void)lock; /* one descriptor sees one version: files are replaced, never changed */
    struct pncp_version version;
    AUTO(pncp_fd_close) int fd = -1;
    uint64_t size;
    enum pncp_code rc = open_current(lake, path, &fd, &size, &version, err);
    if (rc != PNCP_OK)
        return rc;
    if (fd < 0)
        return pncp_err_set(err, PNCP_E_NOTFOUND, "lake %s: no %s", lake->url, path);
    struct open_file *file = pncp_calloc(1, sizeof(*file));
    if (file == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "read %s: out of memory", path);
    (void)snprintf(file->path, sizeof(file->path), "%s", path);
    file->fd = fd;
    fd = -1;
    *ret_object = (struct pncp_object){.source = {.read_at = read_object, .ctx = file, .size = size},
                                       .version = version,
                                       .want_all = want_all_of_file,
                                       .release = release_file,
                                       .impl = file};
    return PNCP_OK;
}

static enum pncp_code changed(struct pncp_err *err, struct pncp_lake *lake, const char *path)
{
    return pncp_err_set(err, PNCP_E_CONFLICT, "lake %s: %s was changed by someone else", lake->url, path);
}

static enum pncp_code open_version(struct pncp_lake *lake, const char *path, const char *lock,
                                   const struct pncp_version *version, uint64_t size, struct pncp_object *ret_object,
                                   struct pncp_err *err)
{
    (void)size; /* it is in the version */
    enum pncp_code rc = open_object(lake, path, lock, ret_object, err);
    if (rc != PNCP_OK || strcmp(ret_object->version.text, version->text) == 0)
        return rc;
    pncp_object_release(ret_object);
    return changed(err, lake, path);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The body as an open, locked temp file. */
static enum pncp_code body_to_temp(struct pncp_lake *lake, const struct pncp_body *body, int *ret_fd,
                                   char ret_temp[512], struct pncp_err *err)
{
    if (body->stage != NULL)
        return pncp_stage_give_up(body->stage, ret_fd, ret_temp, err);
    enum pncp_code rc = pncp_temp_open(lake, ret_fd, ret_temp, err);
    if (rc != PNCP_OK)
        return rc;
    rc = pncp_file_write(*ret_fd, body->bytes.data, body->bytes.len, ret_temp, err);
    if (rc != PNCP_OK) {
        pncp_temp_remove(lake, ret_temp);
        pncp_fd_close(ret_fd);
    }
    return rc;
}

static enum pncp_code put(struct pncp_lake *lake, const char *path, const struct pncp_body *body, struct pncp_err *err)
{
    char temp[512];
    AUTO(pncp_fd_close) int fd = -1;
    enum pncp_code rc = body_to_temp(lake, body, &fd, temp, err);
    return rc == PNCP_OK ? pncp_temp_publish(lake, fd, temp, path, body->fleeting, err) : rc;
}

/* Publish a written temp file while the commit lock is held and say its version. */
static enum pncp_code publish(struct pncp_lake *lake, int fd, const char *temp, const char *path,
                              struct pncp_version *ret_version, struct pncp_err *err)
{
    uint64_t size;
    struct pncp_version version;
    enum pncp_code rc = version_of(fd, path, &size, &version, err);
    if (rc != PNCP_OK) {
        pncp_temp_remove(lake, temp);
        return rc;
    }
    rc = pncp_temp_publish(lake, fd, temp, path, false, err);
    if (rc == PNCP_OK)
        *ret_version = version;
    return rc;
}

/* What both conditional writes begin with: the commit lock, and under it the object, which must be the version
 * expected. *ret_fd is -1 when there is none. PNCP_E_CONFLICT. Both descriptors are the caller's, also on error. */
static enum pncp_code lock_expected(struct pncp_lake *lake, const char *path, const char *lock,
                                    const struct pncp_version *expected, int *ret_lock_fd, int *ret_fd,
                                    uint64_t *ret_size, struct pncp_err *err)
{
    struct pncp_version version;
    enum pncp_code rc = take_lock(lake, lock, ret_lock_fd, err);
    if (rc == PNCP_OK)
        rc = open_current(lake, path, ret_fd, ret_size, &version, err);
    if (rc == PNCP_OK && strcmp(version.text, expected->text) != 0)
        rc = changed(err, lake, path);
    return rc;
}

static enum pncp_code write_if(struct pncp_lake *lake, const char *path, const char *lock,
                               const struct pncp_version *expected, const struct pncp_body *body,
                               struct pncp_version *ret_version, struct pncp_err *err)
{
    AUTO(pncp_fd_close) int lock_fd = -1, current = -1, fd = -1;
    char temp[512];
    uint64_t size;
    enum pncp_code rc = lock_expected(lake, path, lock, expected, &lock_fd, &current, &size, err);
    if (rc == PNCP_OK)
        rc = body_to_temp(lake, body, &fd, temp, err);
    return rc == PNCP_OK ? publish(lake, fd, temp, path, ret_version, err) : rc;
}

#define BASE_FROM_BYTES ((uint64_t)256 * 1024)     /* for less it is not worth a descriptor */
#define BASE_LAG_BYTES ((uint64_t)1024 * 1024)     /* of what is kept, behind what the base has of it */
#define RESERVED_FROM_BYTES ((uint64_t)256 * 1024) /* kept; for less it costs as much as it saves */

static uint64_t segment_bytes(const struct pncp_segment *segment)
{
    return segment->len > 0 ? segment->len : segment->bytes.len;
}

/* Does it stand in the version expected? */
static bool is_kept(const struct pncp_segment *segment)
{
    return segment->len > 0 && segment->stage == NULL;
}

static uint64_t bytes_of(const struct pncp_splice *splice)
{
    uint64_t bytes = splice->keep_bytes;
    for (size_t i = 0; i < splice->segment_count; i++)
        bytes += segment_bytes(&splice->segments[i]);
    return bytes;
}

/* What of the kept prefix is the base's. */
static uint64_t same_as_base(const struct pncp_kept *base, const struct pncp_splice *splice)
{
    return base->fd < 0 ? 0 : PNCP_MIN(base->bytes, splice->keep_bytes);
}

/* Is that worth going past the cache? Else the new version goes through it, and can be the next base. */
static bool is_near(const struct pncp_kept *base, const struct pncp_splice *splice)
{
    uint64_t same = same_as_base(base, splice);
    return same >= BASE_FROM_BYTES && splice->keep_bytes - same <= BASE_LAG_BYTES;
}

static enum pncp_code write_kept(int current, const struct pncp_kept *base, int to, const struct pncp_splice *splice,
                                 const char *path, struct pncp_err *err)
{
    const uint64_t same = same_as_base(base, splice);
    enum pncp_code rc = PNCP_OK;
    if (splice->keep_bytes >= RESERVED_FROM_BYTES)
        pncp_file_reserve(to, bytes_of(splice));
    if (is_near(base, splice))
        rc = pncp_file_copy_past_cache(base->fd, to, same, path, err);
    else if (same > 0) /* of the version expected these may not be in the cache */
        rc = pncp_file_copy(base->fd, 0, to, same, path, err);
    return rc == PNCP_OK && same < splice->keep_bytes
               ? pncp_file_copy(current, same, to, splice->keep_bytes - same, path, err)
               : rc;
}

static enum pncp_code write_spliced(int from, const struct pncp_kept *base, int to, const struct pncp_splice *splice,
                                    const char *path, struct pncp_err *err)
{
    enum pncp_code rc = write_kept(from, base, to, splice, path, err);
    for (size_t i = 0; rc == PNCP_OK && i < splice->segment_count; i++) {
        const struct pncp_segment *segment = &splice->segments[i];
        int source = segment->stage == NULL ? from : segment->stage->fd;
        rc = segment->len > 0 ? pncp_file_copy(source, segment->from, to, segment->len, path, err)
                              : pncp_file_write(to, segment->bytes.data, segment->bytes.len, path, err);
        if (splice->sent != NULL && !is_kept(segment))
            *splice->sent += segment_bytes(segment);
    }
    return rc;
}

/* The new version as an open, locked temp file. */
static enum pncp_code splice_to_temp(struct pncp_lake *lake, int from, const struct pncp_kept *base,
                                     const struct pncp_splice *splice, const char *path, int *ret_fd,
                                     char ret_temp[512], struct pncp_err *err)
{
    enum pncp_code rc = pncp_temp_open(lake, ret_fd, ret_temp, err);
    if (rc != PNCP_OK)
        return rc;
    rc = write_spliced(from, base, *ret_fd, splice, path, err);
    if (rc == PNCP_OK)
        return rc;
    pncp_temp_remove(lake, ret_temp);
    pncp_fd_close(ret_fd);
    return pncp_err_wrap(err, rc, "lake %s", lake->url);
}

/* What the commit after this one copies from: the same base, or the version just written. */
static void hand_on_base(struct pncp_lake *lake, const char *path, const struct pncp_version *version,
                         const struct pncp_splice *splice, struct pncp_kept *base)
{
    if (is_near(base, splice)) {
        base->bytes = same_as_base(base, splice);
    } else {
        pncp_kept_release(base);
        if (splice->keep_bytes < BASE_FROM_BYTES)
            return;
        base->fd = pncp_sys_openat(lake->root_fd, path, O_RDONLY, 0); /* the commit lock is held: it is ours */
        base->bytes = bytes_of(splice);
        if (base->fd >= 0 && !pncp_file_copies_pages(base->fd))
            pncp_kept_release(base);
    }
    pncp_keeper_give(lake->keeper, path, version, base);
}

/* Up to where the version expected is wanted. */
static uint64_t end_of_kept(const struct pncp_splice *splice)
{
    uint64_t end = splice->keep_bytes;
    for (size_t i = 0; i < splice->segment_count; i++) {
        if (is_kept(&splice->segments[i]))
            end = PNCP_MAX(end, splice->segments[i].from + splice->segments[i].len);
    }
    return end;
}

/* A file has nothing but its bytes: splice->id is not kept. */
static enum pncp_code splice_if(struct pncp_lake *lake, const char *path, const char *lock,
                                const struct pncp_version *expected, const struct pncp_splice *splice,
                                struct pncp_version *ret_version, struct pncp_err *err)
{
    AUTO(pncp_fd_close) int lock_fd = -1, current = -1, fd = -1;
    AUTO(pncp_kept_release) struct pncp_kept base = pncp_keeper_take(lake->keeper, path, expected);
    char temp[512];
    uint64_t size, kept = end_of_kept(splice);
    enum pncp_code rc = lock_expected(lake, path, lock, expected, &lock_fd, &current, &size, err);
    if (rc == PNCP_OK && kept > size)
        rc = pncp_err_set(err, PNCP_E_PARSE, "lake %s: %s has %" PRIu64 " bytes, %" PRIu64 " were to be kept",
                          lake->url, path, size, kept);
    if (rc != PNCP_OK)
        return rc;
    bool based = base.fd >= 0;
    rc = splice_to_temp(lake, current, &base, splice, path, &fd, temp, based ? NULL : err);
    if (rc != PNCP_OK && based) { /* the disk may be full of it, or refuse blocks that go past the cache */
        pncp_kept_release(&base);
        rc = splice_to_temp(lake, current, &base, splice, path, &fd, temp, err);
    }
    if (rc == PNCP_OK)
        rc = publish(lake, fd, temp, path, ret_version, err);
    if (rc == PNCP_OK)
        hand_on_base(lake, path, ret_version, splice, &base);
    return rc;
}

static enum pncp_code remove_object(struct pncp_lake *lake, const char *path, struct pncp_err *err)
{
    if (pncp_sys_unlinkat(lake->root_fd, path, 0) == 0 || errno == ENOENT || errno == ENOTDIR)
        return PNCP_OK;
    return pncp_err_sys(err, errno, "lake %s: remove %s", lake->url, path);
}

/* ---- holding a day --------------------------------------------------------------------------- */

#define HOLDER_MAX_BYTES 1024

static enum pncp_code held_by(struct pncp_lake *lake, int fd, struct pncp_err *err)
{
    char text[HOLDER_MAX_BYTES + 1] = "";
    ssize_t len = pncp_sys_pread(fd, text, HOLDER_MAX_BYTES, 0);
    text[len < 0 ? 0 : len] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return pncp_err_set(err, PNCP_E_BUSY, "lake %s: the day is held by another run: %.300s", lake->url,
                        text[0] == '\0' ? "(it has not said which)" : text);
}

static enum pncp_code hold(struct pncp_lake *lake, const char *path, struct pncp_view holder,
                           struct pncp_hold *ret_hold, struct pncp_err *err)
{
    char folder[512];
    const char *slash = strrchr(path, '/');
    (void)snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
    enum pncp_code rc = pncp_file_mkdirs(lake->root_fd, folder, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "lake %s", lake->url);
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(lake->root_fd, path, O_RDWR | O_CREAT, 0666);
    if (fd < 0)
        return pncp_err_sys(err, errno, "lake %s: open %s", lake->url, path);
    if (pncp_sys_flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? held_by(lake, fd, err)
                                    : pncp_err_sys(err, errno, "lake %s: lock %s", lake->url, path);
    if (pncp_sys_ftruncate(fd, 0) != 0)
        return pncp_err_sys(err, errno, "lake %s: write %s", lake->url, path);
    rc = pncp_file_write(fd, holder.data, holder.len, path, err);
    if (rc == PNCP_OK)
        rc = pncp_file_write(fd, "\n", 1, path, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "lake %s", lake->url);
    ret_hold->fd = fd;
    fd = -1;
    return PNCP_OK;
}

/* ---- the backend ----------------------------------------------------------------------------- */

static void close_folder(struct pncp_lake *lake)
{
    pncp_keeper_free(lake->keeper);
}

static const struct pncp_lake_backend folder_backend = {.close = close_folder,
                                                        .open_object = open_object,
                                                        .open_version = open_version,
                                                        .put = put,
                                                        .write_if = write_if,
                                                        .splice_if = splice_if,
                                                        .sync = pncp_temp_sync,
                                                        .remove = remove_object,
                                                        .list = pncp_temp_list,
                                                        .hold = hold};
