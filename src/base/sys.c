#include "base/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

int pncp_sys_openat(int dir_fd, const char *path, int flags, mode_t mode)
{
    return openat(dir_fd, path, flags | O_CLOEXEC, mode);
}

int pncp_sys_close(int fd)
{
    return close(fd);
}

ssize_t pncp_sys_read(int fd, void *data, size_t len)
{
    return read(fd, data, len);
}

ssize_t pncp_sys_pread(int fd, void *data, size_t len, off_t offset)
{
    return pread(fd, data, len, offset);
}

ssize_t pncp_sys_write(int fd, const void *data, size_t len)
{
    return write(fd, data, len);
}

ssize_t pncp_sys_copy_file_range(int from_fd, off_t *from_offset, int to_fd, size_t len)
{
    return copy_file_range(from_fd, from_offset, to_fd, NULL, len, 0);
}

ssize_t pncp_sys_splice(int from_fd, off_t *from_offset, int to_fd, size_t len)
{
    return splice(from_fd, from_offset, to_fd, NULL, len, 0);
}

int pncp_sys_fsync(int fd)
{
    return fsync(fd);
}

int pncp_sys_ftruncate(int fd, off_t len)
{
    return ftruncate(fd, len);
}

int pncp_sys_fstat(int fd, struct stat *ret_stat)
{
    return fstat(fd, ret_stat);
}

int pncp_sys_fstatat(int dir_fd, const char *path, struct stat *ret_stat, int flags)
{
    return fstatat(dir_fd, path, ret_stat, flags);
}

int pncp_sys_mkdirat(int dir_fd, const char *path, mode_t mode)
{
    return mkdirat(dir_fd, path, mode);
}

int pncp_sys_renameat(int from_dir_fd, const char *from, int to_dir_fd, const char *to)
{
    return renameat(from_dir_fd, from, to_dir_fd, to);
}

int pncp_sys_unlinkat(int dir_fd, const char *path, int flags)
{
    return unlinkat(dir_fd, path, flags);
}

int pncp_sys_flock(int fd, int operation)
{
    return flock(fd, operation);
}
