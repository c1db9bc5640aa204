#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

/* Step of a copy that has to go through memory. */
#define CHUNK_BYTES ((size_t)64 * 1024)

/* A pipe that anybody may make so large, /proc/sys/fs/pipe-max-size says as it comes (pipe(7)). */
#define PIPE_BYTES ((size_t)1024 * 1024)
#define PIPED_FROM_BYTES ((uint64_t)256 * 1024)
#define BLOCK_BYTES ((uint64_t)64 * 1024) /* whole pages and whole blocks, wherever */

void pncp_fd_close(int *fd)
{
    if (*fd != -1)
        (void)pncp_sys_close(*fd);
    *fd = -1;
}

enum pncp_code pncp_file_write(int fd, const void *data, size_t len, const char *what, struct pncp_err *err)
{
    const char *at = data;
    while (len > 0) {
        ssize_t done = pncp_sys_write(fd, at, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) /* 0 for a non-empty write: the device takes no more */
            return pncp_err_sys(err, done < 0 ? errno : ENOSPC, "write %s", what);
        at += done;
        len -= (size_t)done;
    }
    return PNCP_OK;
}

enum pncp_code pncp_file_pread(int fd, void *data, size_t len, uint64_t offset, const char *what, struct pncp_err *err)
{
    char *at = data;
    while (len > 0) {
        ssize_t done = pncp_sys_pread(fd, at, len, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return pncp_err_sys(err, errno, "read %s", what);
        if (done == 0)
            return pncp_err_set(err, PNCP_E_PARSE, "%s ends %zu bytes early", what, len);
        at += done;
        offset += (uint64_t)done;
        len -= (size_t)done;
    }
    return PNCP_OK;
}

enum pncp_code pncp_file_slurp(int fd, struct pncp_buf *buf, const char *what, struct pncp_err *err)
{
    for (;;) {
        char chunk[4096];
        ssize_t done = pncp_sys_read(fd, chunk, sizeof(chunk));
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return pncp_err_sys(err, errno, "read %s", what);
        if (done == 0)
            return PNCP_OK;
        enum pncp_code rc = pncp_buf_append(buf, chunk, (size_t)done);
        if (rc == PNCP_E_LIMIT)
            return pncp_err_set(err, rc, "%s is larger than %zu bytes", what, buf->max_bytes);
        if (rc != PNCP_OK)
            return pncp_err_set(err, rc, "read %s: out of memory", what);
    }
}

static enum pncp_code copy_through_memory(int from_fd, int to_fd, uint64_t offset, uint64_t len, const char *what,
                                          struct pncp_err *err)
{
    AUTO(pncp_free_ptr) char *chunk = pncp_malloc(CHUNK_BYTES);
    if (chunk == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "copy %s: out of memory", what);
    while (len > 0) {
        size_t step = (size_t)PNCP_MIN(len, (uint64_t)CHUNK_BYTES);
        enum pncp_code rc = pncp_file_pread(from_fd, chunk, step, offset, what, err);
        if (rc == PNCP_OK)
            rc = pncp_file_write(to_fd, chunk, step, what, err);
        if (rc != PNCP_OK)
            return rc;
        offset += step;
        len -= step;
    }
    return PNCP_OK;
}

/* There copy_file_range is a splice through a pipe of 64 KiB (vfs_copy_file_range of Linux 6.1 and 6.18). */
bool pncp_file_copies_pages(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == EXT4_SUPER_MAGIC;
}

/* The `len` bytes that are in the pipe. */
static enum pncp_code drain(int pipe_fd, int to_fd, size_t len, const char *what, struct pncp_err *err)
{
    while (len > 0) {
        ssize_t done = pncp_sys_splice(pipe_fd, NULL, to_fd, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return pncp_err_sys(err, done < 0 ? errno : ENOSPC, "copy %s", what);
        len -= (size_t)done;
    }
    return PNCP_OK;
}

/* The same splice with a larger pipe: a fifth less CPU for the whole of a commit. What cannot be taken that way is left
 * to the caller: *offset and *len tell. */
static enum pncp_code copy_through_pipe(int from_fd, off_t *offset, int to_fd, uint64_t *len, const char *what,
                                        struct pncp_err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return PNCP_OK;
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* refused: it takes less at a time */
    enum pncp_code rc = PNCP_OK;
    while (rc == PNCP_OK && *len > 0) {
        off_t at = *offset;
        ssize_t done = pncp_sys_splice(from_fd, &at, ends[1], (size_t)PNCP_MIN(*len, (uint64_t)PIPE_BYTES));
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            break;
        rc = drain(ends[0], to_fd, (size_t)done, what, err);
        *offset += done;
        *len -= (uint64_t)done;
    }
    pncp_fd_close(&ends[0]);
    pncp_fd_close(&ends[1]);
    return rc;
}

enum pncp_code pncp_file_copy(int from_fd, uint64_t from, int to_fd, uint64_t len, const char *what,
                              struct pncp_err *err)
{
    off_t offset = (off_t)from;
    if (len >= PIPED_FROM_BYTES && pncp_file_copies_pages(to_fd)) {
        enum pncp_code rc = copy_through_pipe(from_fd, &offset, to_fd, &len, what, err);
        if (rc != PNCP_OK)
            return rc;
    }
    while (len > 0) {
        ssize_t done = pncp_sys_copy_file_range(from_fd, &offset, to_fd, (size_t)PNCP_MIN(len, (uint64_t)1 << 30));
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && (errno == ENOSYS || errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP))
            return copy_through_memory(from_fd, to_fd, (uint64_t)offset, len, what, err);
        if (done < 0)
            return pncp_err_sys(err, errno, "copy %s", what);
        if (done == 0) /* end of file, or a file system that copies nothing: reading tells */
            return copy_through_memory(from_fd, to_fd, (uint64_t)offset, len, what, err);
        len -= (uint64_t)done;
    }
    return PNCP_OK;
}

/* O_DIRECT on or off. False: the file system has no such thing. */
static bool set_direct(int fd, bool direct)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

enum pncp_code pncp_file_copy_past_cache(int from_fd, int to_fd, uint64_t len, const char *what, struct pncp_err *err)
{
    off_t offset = 0;
    uint64_t whole = len / BLOCK_BYTES * BLOCK_BYTES;
    enum pncp_code rc = PNCP_OK;
    if (whole > 0 && set_direct(to_fd, true)) {
        rc = copy_through_pipe(from_fd, &offset, to_fd, &whole, what, err);
        if (!set_direct(to_fd, false) && rc == PNCP_OK)
            rc = pncp_err_sys(err, errno, "copy %s", what);
    }
    return rc == PNCP_OK ? pncp_file_copy(from_fd, (uint64_t)offset, to_fd, len - (uint64_t)offset, what, err) : rc;
}

void pncp_file_reserve(int fd, uint64_t bytes)
{
    (void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
}

int pncp_file_is_linked(int dir_fd, int fd, const char *path)
{
    struct stat of_fd, of_path;
    if (pncp_sys_fstat(fd, &of_fd) != 0)
        return -1;
    if (pncp_sys_fstatat(dir_fd, path, &of_path, 0) != 0)
        return errno == ENOENT ? 0 : -1;
    return of_fd.st_ino == of_path.st_ino && of_fd.st_dev == of_path.st_dev;
}

enum pncp_code pncp_file_mkdirs(int dir_fd, const char *path, struct pncp_err *err)
{
    if (*path == '\0')
        return PNCP_OK;
    AUTO(pncp_free_ptr) char *part = pncp_strdup(path);
    if (part == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "make folder %s: out of memory", path);
    for (char *slash = part; slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        if (pncp_sys_mkdirat(dir_fd, part, 0777) != 0 && errno != EEXIST)
            return pncp_err_sys(err, errno, "make folder %s", part);
        if (slash != NULL)
            *slash = '/';
    }
    return PNCP_OK;
}
