/*
 * The seam for system calls that touch files: thin functions with libc's own meaning (-1 and errno), so that the fault
 * suite can wrap them (-Wl,--wrap=pncp_sys_write …), count them and fail the n-th. Files are opened with O_CLOEXEC.
 * EINTR is handled by the loops in file.h, not here.
 */
#ifndef PNCP_SYS_H
#define PNCP_SYS_H

#include "base/base.h"

#include <sys/stat.h>
#include <sys/types.h>

int pncp_sys_openat(int dir_fd, const char *path, int flags, mode_t mode);
int pncp_sys_close(int fd);
ssize_t pncp_sys_read(int fd, void *data, size_t len);
ssize_t pncp_sys_pread(int fd, void *data, size_t len, off_t offset);
ssize_t pncp_sys_write(int fd, const void *data, size_t len);
ssize_t pncp_sys_copy_file_range(int from_fd, off_t *from_offset, int to_fd, size_t len);
ssize_t pncp_sys_splice(int from_fd, off_t *from_offset, int to_fd, size_t len);
int pncp_sys_fsync(int fd);
int pncp_sys_ftruncate(int fd, off_t len);
int pncp_sys_fstat(int fd, struct stat *ret_stat);
int pncp_sys_fstatat(int dir_fd, const char *path, struct stat *ret_stat, int flags);
int pncp_sys_mkdirat(int dir_fd, const char *path, mode_t mode);
int pncp_sys_renameat(int from_dir_fd, const char *from, int to_dir_fd, const char *to);
int pncp_sys_unlinkat(int dir_fd, const char *path, int flags);
int pncp_sys_flock(int fd, int operation);

#endif
