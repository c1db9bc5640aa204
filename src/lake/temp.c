#include "base/file.h"
#include "base/sys.h"
#include "lake/lake_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum pncp_code pncp_temp_open(struct pncp_lake *lake, int *ret_fd, char ret_path[512], struct pncp_err *err)
{
    for (int tries = 0; tries < 100; tries++) {
        unsigned number = __atomic_add_fetch(&lake->temp_count, 1, __ATOMIC_RELAXED);
        (void)snprintf(ret_path, 512, PNCP_TMP_FOLDER "/%s.%u.tmp", lake->run_id, number);
        int fd = pncp_sys_openat(lake->root_fd, ret_path, O_RDWR | O_CREAT | O_EXCL, 0666);
        if (fd < 0 && errno == ENOENT) {
            enum pncp_code rc = pncp_file_mkdirs(lake->root_fd, PNCP_TMP_FOLDER, err);
            if (rc != PNCP_OK)
                return pncp_err_wrap(err, rc, "lake %s", lake->url);
            continue;
        }
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0)
            return pncp_err_sys(err, errno, "lake %s: make a temporary file%s", lake->url, lake->temps_in);
        if (pncp_sys_flock(fd, LOCK_EX | LOCK_NB) == 0 && pncp_file_is_linked(lake->root_fd, fd, ret_path) == 1) {
            *ret_fd = fd;
            return PNCP_OK;
        }
        pncp_fd_close(&fd);
    }
    return pncp_err_set(err, PNCP_E_IO, "lake %s: no temporary file can be made in " PNCP_TMP_FOLDER "%s", lake->url,
                        lake->temps_in);
}

void pncp_temp_remove(struct pncp_lake *lake, const char *temp)
{
    (void)pncp_sys_unlinkat(lake->root_fd, temp, 0); /* what stays is swept by a later run */
}

static enum pncp_code folder_of(const char *path, char *ret_folder, size_t bytes)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    if (len >= bytes)
        return PNCP_E_LIMIT;
    memcpy(ret_folder, len == 0 ? "." : path, len == 0 ? 2 : len);
    if (len > 0)
        ret_folder[len] = '\0';
    return PNCP_OK;
}

static enum pncp_code sync_folder(struct pncp_lake *lake, const char *folder, struct pncp_err *err)
{
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(lake->root_fd, folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 || pncp_sys_fsync(fd) != 0)
        return pncp_err_sys(err, errno, "lake %s: sync folder %s", lake->url, folder);
    return PNCP_OK;
}

/* `folder` and all above it, from the root on: the folder's own name is in the one above. */
static enum pncp_code sync_folders(struct pncp_lake *lake, const char *folder, struct pncp_err *err)
{
    enum pncp_code rc = sync_folder(lake, ".", err);
    for (const char *slash = strchr(folder, '/'); rc == PNCP_OK && slash != NULL; slash = strchr(slash + 1, '/')) {
        char parent[512];
        (void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - folder), folder);
        rc = sync_folder(lake, parent, err);
    }
    return rc == PNCP_OK ? sync_folder(lake, folder, err) : rc;
}

static enum pncp_code rename_into_place(struct pncp_lake *lake, const char *temp, const char *path, const char *folder,
                                        struct pncp_err *err)
{
    if (pncp_sys_renameat(lake->root_fd, temp, lake->root_fd, path) == 0)
        return PNCP_OK;
    if (errno != ENOENT)
        return pncp_err_sys(err, errno, "lake %s: rename to %s", lake->url, path);
    enum pncp_code rc = pncp_file_mkdirs(lake->root_fd, folder, err);
    if (rc != PNCP_OK)
        return pncp_err_wrap(err, rc, "lake %s", lake->url);
    rc = sync_folders(lake, folder, err); /* new folders must survive too */
    if (rc != PNCP_OK)
        return rc;
    if (pncp_sys_renameat(lake->root_fd, temp, lake->root_fd, path) != 0)
        return pncp_err_sys(err, errno, "lake %s: rename to %s", lake->url, path);
    return PNCP_OK;
}

enum pncp_code pncp_temp_publish(struct pncp_lake *lake, int fd, const char *temp, const char *path, bool fleeting,
                                 struct pncp_err *err)
{
    char folder[512];
    enum pncp_code rc = folder_of(path, folder, sizeof(folder));
    if (rc != PNCP_OK)
        rc = pncp_err_set(err, rc, "lake %s: path %s is too long", lake->url, path);
    else if (!fleeting && pncp_sys_fsync(fd) != 0)
        rc = pncp_err_sys(err, errno, "lake %s: sync %s", lake->url, path);
    if (rc == PNCP_OK)
        rc = rename_into_place(lake, temp, path, folder, err);
    if (rc != PNCP_OK) {
        pncp_temp_remove(lake, temp);
        return rc;
    }
    /* fails: done or not is for the caller to find out by reading */
    return fleeting ? PNCP_OK : sync_folder(lake, folder, err);
}

enum pncp_code pncp_temp_sync(struct pncp_lake *lake, const char *path, struct pncp_err *err)
{
    char folder[512];
    enum pncp_code rc = folder_of(path, folder, sizeof(folder));
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "lake %s: path %s is too long", lake->url, path);
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(lake->root_fd, path, O_RDONLY, 0);
    if (fd < 0 || pncp_sys_fsync(fd) != 0)
        return pncp_err_sys(err, errno, "lake %s: sync %s", lake->url, path);
    return sync_folders(lake, folder, err);
}

/* ---- folders ---------------------------------------------------------------------------------- */

enum pncp_code pncp_temp_list(struct pncp_lake *lake, const char *path, bool (*each)(void *ctx, const char *name),
                              void *ctx, struct pncp_err *err)
{
    int fd = pncp_sys_openat(lake->root_fd, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && errno == ENOENT)
        return PNCP_OK;
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (folder == NULL) {
        enum pncp_code rc = pncp_err_sys(err, errno, "lake %s: read folder %s", lake->url, path);
        pncp_fd_close(&fd);
        return rc;
    }
    struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(folder);
    } while (entry != NULL &&
             (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || each(ctx, entry->d_name)));
    enum pncp_code rc = PNCP_OK;
    if (entry == NULL && errno != 0) /* stopped by each(): whatever it left in errno is its own */
        rc = pncp_err_sys(err, errno, "lake %s: read folder %s", lake->url, path);
    (void)closedir(folder);
    return rc;
}

static bool sweep_one(void *ctx, const char *name)
{
    struct pncp_lake *lake = ctx;
    char path[512];
    (void)snprintf(path, sizeof(path), PNCP_TMP_FOLDER "/%s", name);
    if (!pncp_view_ends(pncp_view_of(name), ".tmp"))
        return true;
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(lake->root_fd, path, O_RDWR, 0);
    if (fd >= 0 && pncp_sys_flock(fd, LOCK_EX | LOCK_NB) == 0) /* nobody holds it: its process is gone */
        pncp_temp_remove(lake, path);
    return true;
}

void pncp_lake_sweep(struct pncp_lake *lake)
{
    if (pncp_temp_list(lake, PNCP_TMP_FOLDER, sweep_one, lake, NULL) != PNCP_OK)
        return; /* the next run tries again */
}

/* ---- stages ---------------------------------------------------------------------------------- */

#define STAGE_BUFFER_BYTES ((size_t)64 * 1024)

enum pncp_code pncp_stage_open(struct pncp_lake *lake, struct pncp_stage *stage, struct pncp_err *err)
{
    *stage = PNCP_STAGE_INIT;
    enum pncp_code rc = pncp_temp_open(lake, &stage->fd, stage->path, err);
    stage->lake = lake;
    stage->pending = PNCP_BUF_INIT(STAGE_BUFFER_BYTES);
    return rc;
}

enum pncp_code pncp_stage_flush(struct pncp_stage *stage, struct pncp_err *err)
{
    if (stage->pending.len == 0)
        return PNCP_OK;
    enum pncp_code rc = pncp_file_write(stage->fd, stage->pending.data, stage->pending.len, stage->path, err);
    if (rc == PNCP_OK)
        pncp_buf_clear(&stage->pending);
    return rc;
}

enum pncp_code pncp_stage_append(struct pncp_stage *stage, const void *data, size_t len, struct pncp_err *err)
{
    enum pncp_code rc = PNCP_OK;
    if (stage->pending.len + len > STAGE_BUFFER_BYTES)
        rc = pncp_stage_flush(stage, err);
    if (rc == PNCP_OK && len > STAGE_BUFFER_BYTES)
        rc = pncp_file_write(stage->fd, data, len, stage->path, err);
    else if (rc == PNCP_OK && pncp_buf_append(&stage->pending, data, len) != PNCP_OK)
        rc = pncp_err_set(err, PNCP_E_NOMEM, "%s: out of memory", stage->path);
    if (rc == PNCP_OK)
        stage->bytes += len;
    return rc;
}

enum pncp_code pncp_stage_empty(struct pncp_stage *stage, struct pncp_err *err)
{
    pncp_buf_clear(&stage->pending);
    if (pncp_sys_ftruncate(stage->fd, 0) != 0 || lseek(stage->fd, 0, SEEK_SET) != 0)
        return pncp_err_sys(err, errno, "%s: empty it", stage->path);
    stage->bytes = 0;
    return PNCP_OK;
}

void pncp_stage_release(struct pncp_stage *stage)
{
    if (stage->fd != -1)
        pncp_temp_remove(stage->lake, stage->path);
    pncp_fd_close(&stage->fd);
    pncp_buf_release(&stage->pending);
    *stage = PNCP_STAGE_INIT;
}

enum pncp_code pncp_stage_give_up(struct pncp_stage *stage, int *ret_fd, char ret_path[512], struct pncp_err *err)
{
    enum pncp_code rc = pncp_stage_flush(stage, err);
    if (rc != PNCP_OK)
        return rc;
    *ret_fd = stage->fd;
    memcpy(ret_path, stage->path, 512);
    stage->fd = -1;
    pncp_stage_release(stage);
    return PNCP_OK;
}
