/* Whole reads and writes over base/sys.h: loops over short counts and EINTR, errors as pncp_err naming `what`. */
#ifndef PNCP_FILE_H
#define PNCP_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Close *fd when it is not -1 and set it to -1; for AUTO(pncp_fd_close) int fd = -1. Errors are ignored: data that
 * matters was fsynced before. */
void pncp_fd_close(int *fd);

/* Write all of `data`. PNCP_E_IO. */
MUST_CHECK enum pncp_code pncp_file_write(int fd, const void *data, size_t len, const char *what, struct pncp_err *err);
/* Read exactly `len` bytes at `offset`. PNCP_E_IO · PNCP_E_PARSE: the file ends before. */
MUST_CHECK enum pncp_code pncp_file_pread(int fd, void *data, size_t len, uint64_t offset, const char *what,
                                          struct pncp_err *err);
/* Append the rest of the file to `buf` (its ceiling holds: PNCP_E_LIMIT). */
MUST_CHECK enum pncp_code pncp_file_slurp(int fd, struct pncp_buf *buf, const char *what, struct pncp_err *err);
/* Copy `len` bytes of `from_fd`, from offset `from` on, to the write position of `to_fd`: by copy_file_range where the
 * file system has it (ext4: what that does there, with a larger pipe), else through a buffer. PNCP_E_IO ·
 * PNCP_E_PARSE: `from_fd` ends before. */
MUST_CHECK enum pncp_code pncp_file_copy(int from_fd, uint64_t from, int to_fd, uint64_t len, const char *what,
                                         struct pncp_err *err);
/* Does a copy to that file go through the page cache, because its file system (ext4) cannot share blocks? */
bool pncp_file_copies_pages(int fd);
/* Copy the first `len` bytes of `from_fd` to the empty file `to_fd`, for such a file system: whole blocks past the page
 * cache (O_DIRECT), from the pages of `from_fd` to the disk, where it can; the rest as pncp_file_copy, with its errors.
 */
MUST_CHECK enum pncp_code pncp_file_copy_past_cache(int from_fd, int to_fd, uint64_t len, const char *what,
                                                    struct pncp_err *err);
/* Room for the first `bytes` of a file that is about to be written, its size unchanged: copying costs a sixth less CPU
 * where the file system gives it at once (ext4, measured). Best effort: a disk too full for it says so when it is
 * written to. */
void pncp_file_reserve(int fd, uint64_t bytes);
/* Is `fd` still the file of that name below dir_fd? Someone may have removed or replaced it before it was locked. 1, 0,
 * or -1 and errno. */
int pncp_file_is_linked(int dir_fd, int fd, const char *path);
/* Make every missing folder of `path` below dir_fd (mode 0777 less umask); of an empty path, none. PNCP_E_IO. */
MUST_CHECK enum pncp_code pncp_file_mkdirs(int dir_fd, const char *path, struct pncp_err *err);

#endif
